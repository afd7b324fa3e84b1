/* Tests of the functions on the machine itself; SDK is the folder that `theater doctor` shows:
 *
 *     cc -I SDK/c actor.c tests/test_actor.c -o build/test_actor && build/test_actor
 *
 * What the actor calls of theater_host.h, a test brings itself, and so says what it answers. `theater test`
 * runs the component instead. */
#undef NDEBUG
#include <assert.h>
#include <stdio.h>

#include <theater.h>

static theater_result handle(const char *input, theater_bytes *state)
{
    theater_result result = theater_actor_handle(theater_slice_text(input), *state);
    if (!result.rejected) {
        assert(theater_actor_verify_state((theater_slice){result.state.data, result.state.size}));
        *state = result.state;
    }
    return result;
}

static void votes_are_counted(void)
{
    theater_bytes state = theater_actor_init(theater_slice_text("tea coffee")).state;
    assert(theater_slice_is(handle("vote tea", &state).output, "1"));
    assert(theater_slice_is(handle("vote tea", &state).output, "2"));
    theater_result wine = handle("vote wine", &state);
    assert(wine.rejected && theater_slice_is(wine.output, "there is no such choice"));
    assert(theater_slice_is(handle("result", &state).output, "tea=2 coffee=0"));
}

static void a_configuration_without_choices_is_refused(void)
{
    assert(theater_actor_init(theater_slice_text("")).rejected);
}

int main(void)
{
    votes_are_counted();
    a_configuration_without_choices_is_refused();
    puts("ok");
    return 0;
}
