/* ring: tokens that go round. Any number of these actors form a ring, each knowing who comes next; and one
 * that knows several fans out.
 *
 * The configuration is one name or more, separated by spaces: the actors that come next. Inputs:
 *
 *   "spin HOPS"          from a client: sends a token to each actor that comes next, which is then to
 *                        be passed on HOPS times (at most 1,000,000)
 *   "token HOPS ORIGIN"  from an actor: passes the token to the first actor that comes next, or, when no
 *                        hops are left, sends it home
 *   "home"               from an actor: a token of this one came home
 *   "count"              tells how it stands
 *
 * A token is passed by a request, so that the passer learns that it arrived; it goes home by a plain send.
 * The state, little-endian, 8 bytes each: tokens started here, tokens that came home, requests made, requests
 * answered, requests that failed; then the configuration.
 */
#include <theater.h>

enum { STARTED = 0, HOME = 8, ASKED = 16, ANSWERED = 24, FAILED = 32, NEXT = 40 };
enum { HOPS_MAX = 1000000, FAN_MAX = 64 };

static uint64_t get(const uint8_t *state, int field)
{
    return theater_get_u64le(state + field);
}

static void add(theater_bytes state, int field)
{
    theater_put_u64le(state.data + field, get(state.data, field) + 1);
}

static theater_slice next_of(theater_bytes state)
{
    return theater_slice_of(state.data + NEXT, state.size - NEXT);
}

static theater_result reply_count(theater_bytes state)
{
    static const char *const words[] = {"started ", " home ", " asked ", " answered ", " failed "};
    theater_writer output = theater_writer_new(128);
    for (int i = 0; i < 5; i++) {
        theater_put_text(&output, words[i]);
        theater_put_u64(&output, get(state.data, 8 * i));
    }
    return theater_reply(theater_writer_slice(&output), state);
}

static void pass(theater_bytes state, theater_slice to, uint64_t hops, theater_slice origin)
{
    theater_writer token = theater_writer_new(192);
    theater_put_text(&token, "token ");
    theater_put_u64(&token, hops);
    theater_put_byte(&token, ' ');
    theater_put_slice(&token, origin);
    theater_request(to, theater_writer_slice(&token));
    add(state, ASKED);
}

static theater_result spin(theater_bytes state, uint64_t hops)
{
    theater_slice next = next_of(state), self = theater_self_name();
    for (theater_slice to; (to = theater_next_word(&next)).size > 0;) {
        pass(state, to, hops, self);
        add(state, STARTED);
    }
    return reply_count(state);
}

static theater_result take_token(theater_bytes state, uint64_t hops, theater_slice origin)
{
    theater_slice next = next_of(state);
    if (hops > 0)
        pass(state, theater_next_word(&next), hops - 1, origin);
    else
        theater_send(origin, theater_slice_text("home"));
    return theater_reply(theater_slice_text("taken"), state);
}

static theater_result init(theater_slice config)
{
    theater_slice rest = config;
    int names = 0;
    while (theater_next_word(&rest).size > 0)
        names++;
    if (names == 0 || names > FAN_MAX)
        return theater_reject("the configuration is the names of the actors that come next, 1 to 64");
    theater_bytes state = theater_bytes_new(NEXT + config.size);
    theater_copy(state.data + NEXT, config.data, config.size);
    return theater_start(state);
}

static theater_result handle(theater_slice input, theater_bytes state)
{
    theater_source source = theater_source_of_input();
    if (source.kind == THEATER_SOURCE_REPLY) {
        add(state, source.failed ? FAILED : ANSWERED);
        return reply_count(state);
    }
    bool from_actor = source.kind == THEATER_SOURCE_ACTOR;
    theater_slice word = theater_next_word(&input), number = theater_next_word(&input),
                  origin = theater_next_word(&input);
    uint64_t hops = 0;
    if (theater_slice_is(word, "count"))
        return reply_count(state);
    if (from_actor && theater_slice_is(word, "home")) {
        add(state, HOME);
        return reply_count(state);
    }
    if (!theater_parse_u64(number, &hops) || hops > HOPS_MAX)
        return theater_reject("the number of hops is 0 to 1000000");
    if (from_actor && theater_slice_is(word, "token") && origin.size > 0)
        return take_token(state, hops, origin);
    if (!from_actor && theater_slice_is(word, "spin"))
        return spin(state, hops);
    return theater_reject("say: spin HOPS, or: count");
}

/* No token comes home that was not started, and no request is answered that was not made. */
static bool verify_state(theater_slice state)
{
    return state.size > NEXT && get(state.data, HOME) <= get(state.data, STARTED) &&
           get(state.data, ANSWERED) + get(state.data, FAILED) <= get(state.data, ASKED);
}

THEATER_ACTOR(init, handle, verify_state)
