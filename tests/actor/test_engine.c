/* The same promises with the real engine: components from text, every way in which their turns end, and
 * replay under both of its ways to run a guest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "actor/instance.h"
#include "actor/loader.h"
#include "chain/rejection.h"
#include "engine/signals.h"
#include "port/system.h"

#define assert_ok(status) assert_int_equal(status, THEATER_OK)
#define MOST 64

/* A machine with its loader and workspace, and the actor "cart" in it. */
typedef struct stage {
    th_machine machine;
    th_loader *loader;
    th_workspace *workspace;
    th_loaded *loaded;
    th_instance *instance;
    th_limits limits;
    uint64_t now_ns;
    th_produced produced;
    theater_error error;
} stage;

enum { RECORDER, PULLEY, VERIFIER, STAGES };
static stage stages[STAGES];

static void open_stage(stage *s, bool pulley, bool verifier)
{
    th_engine_options options = {.pulley = pulley, .verifier = verifier, .turns = 4,
                                 .keep_resident_bytes = UINT64_MAX};
    if (th_machine_engine(&options, &s->machine, &s->error))
        fail_msg("%s", s->error.message);
    th_loader_options loader = {.machine = &s->machine, .port = th_port_system()};
    assert_ok(th_loader_new(&loader, &s->loader, NULL));
    assert_ok(th_workspace_new(&s->workspace, NULL));
}

static int open_all(void **state)
{
    open_stage(&stages[RECORDER], false, false);
    test_keep_signals();
    open_stage(&stages[PULLEY], true, true);
    open_stage(&stages[VERIFIER], false, true);
    return 0;
}

static int close_all(void **state)
{
    for (int i = 0; i < STAGES; i++) {
        th_loader_free(stages[i].loader);
        th_workspace_free(stages[i].workspace);
        th_machine_done(&stages[i].machine);
    }
    return 0;
}

static int begin(void **state)
{
    for (int i = 0; i < STAGES; i++) {
        stages[i].limits = (th_limits){.fuel = 1000000, .memory = 1 << 20, .state = 1 << 16, .message = 4096,
                                       .effects = 65536};
        stages[i].now_ns = 1700000000000000000u;
    }
    return 0;
}

static void leave(stage *s)
{
    th_instance_free(s->instance);
    s->instance = NULL;
    th_loaded_unref(s->loaded);
    s->loaded = NULL;
}

static int end(void **state)
{
    for (int i = 0; i < STAGES; i++)
        leave(&stages[i]);
    return 0;
}

static theater_status load(stage *s, const char *name)
{
    char path[512];
    th_buf binary;
    test_keep_signals();
    snprintf(path, sizeof path, "%s/%s.wasm", TH_FIXTURES, name);
    th_buf_init(&binary, 1 << 24);
    assert_ok(th_port_read_file(th_port_system(), path, 1 << 24, &binary, NULL));
    leave(s);
    theater_status status = th_loader_add(s->loader, th_buf_slice(&binary), &s->loaded, &s->error);
    th_buf_done(&binary);
    return status;
}

static theater_status genesis(stage *s, const char *name, const char *config)
{
    if (load(s, name))
        fail_msg("%s", s->error.message);
    th_descriptor descriptor = {
        .name = th_slice_text("cart"),
        .component = *th_loaded_hash(s->loaded),
        .config = th_slice_text(config),
        .limits = s->limits,
        .engine = th_slice_text(s->machine.name),
    };
    return th_instance_genesis(&s->machine, th_loaded_component(s->loaded), &descriptor, s->now_ns,
                               s->workspace,
                               &s->instance, &s->produced, &s->error);
}

static void handle(stage *s, th_slice text)
{
    th_input input = {.payload = text, .timestamp_ns = ++s->now_ns};
    if (th_instance_handle(s->instance, &input, s->workspace, &s->produced, &s->error))
        fail_msg("%s", s->error.message);
}

static void rejected(stage *s, th_slice input, int code, const char *message)
{
    th_hash root = *th_instance_state_root(s->instance);
    handle(s, input);
    th_rejection rejection;
    assert_int_equal(s->produced.type, TH_REJECTION);
    assert_ok(th_rejection_decode(s->produced.output, &rejection, NULL));
    if (rejection.code != (th_rejection_code)code || !th_slice_equal(rejection.message,
                                                                     th_slice_text(message)))
        fail_msg("code %d '%.*s' instead of %d '%s'", (int)rejection.code, (int)rejection.message.size,
                 (const char *)rejection.message.data, code, message);
    assert_memory_equal(&s->produced.state_root, &root, sizeof root);
    if (code == 3 || code == 5 || code == 6)
        assert_int_equal(s->produced.fuel, 0);
    if (code == 4)
        assert_int_equal(s->produced.fuel, s->limits.fuel);
}

static void traps_become_their_reasons(void **state)
{
    static const struct {
        char input;
        int code;
        const char *message;
    } cases[] = {
        {'u', 3, "unreachable"}, {'m', 3, "memory"},   {'f', 3, "memory"},   {'s', 3, "memory"},
            {'t', 3, "table"},
        {'n', 3, "table"},       {'y', 3, "table"},    {'e', 3, "table"},    {'d', 3, "division"},
            {'r', 3, "division"},
        {'o', 3, "integer"},     {'i', 3, "integer"},  {'N', 3, "integer"},  {'z', 3, "abi"},
            {'p', 3, "abi"},
        {'q', 3, "abi"},         {'D', 3, "abi"},      {'x', 3, "abi"},      {'l', 3, "abi"},
            {'b', 3, "abi"},
        {'v', 3, "abi"},         {'S', 3, "abi"},      {'a', 3, "unreachable"}, {'c', 3, "abi"},
        {'L', 4, "out of fuel"}, {'R', 6, "stack overflow"},
    };
    for (int which = RECORDER; which <= PULLEY; which++) {
        stage *s = &stages[which];
        s->limits.fuel = 10000000;
        assert_ok(genesis(s, "traps", "config"));
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            rejected(s, th_slice_of(&cases[i].input, 1), cases[i].code, cases[i].message);
            assert_non_null(s->produced.detail);
            assert_int_equal(s->produced.effects.size, 1);
        }
        handle(s, th_slice_text("k"));
        assert_int_equal(s->produced.type, TH_TRANSITION);
        assert_null(s->produced.detail);
    }
}

static void limits_become_their_reasons(void **state)
{
    stage *s = &stages[RECORDER];
    static const uint8_t many[] = {0, 0, 1, 0}; /* 65,536 */
    static const uint8_t more[] = {1, 0, 1, 0};
    static const uint8_t page[] = {0, 16, 0, 0}; /* 4,096 */
    s->limits.message = 65536;
    assert_ok(genesis(s, "huge_output", ""));
    handle(s, th_slice_of(many, 4));
    assert_int_equal(s->produced.output.size, 65536);
    rejected(s, th_slice_of(more, 4), 5, "output");
    assert_ok(genesis(s, "huge_state", ""));
    handle(s, th_slice_of(many, 4));
    assert_int_equal(th_instance_state(s->instance).size, 65536);
    rejected(s, th_slice_of(more, 4), 5, "state");
    assert_ok(genesis(s, "huge_error", ""));
    rejected(s, th_slice_of(more, 4), 5, "error");
    handle(s, th_slice_of(page, 4));
    assert_int_equal(s->produced.reject_code, 1);
    assert_int_equal(s->produced.reject_text.size, 4096);
    assert_ok(genesis(s, "send", ""));
    rejected(s, th_slice_text("Not A Name"), 5, "name");
    rejected(s, th_slice_text(""), 5, "name");
    handle(s, th_slice_text("bob"));
    assert_int_equal(s->produced.sent_count, 1);
    assert_true(th_slice_equal(s->produced.sent[0].to, th_slice_text("bob")));
    assert_true(th_slice_equal(s->produced.sent[0].payload, th_slice_text("hello")));
    assert_ok(genesis(s, "send_many", ""));
    rejected(s, th_slice_of("\x01\x00\x00\x00\x01\x00\x01\x00", 8), 5, "payload");
    rejected(s, th_slice_of("\x11\x00\x00\x00\x00\x10\x00\x00", 8), 5, "effects");
    handle(s, th_slice_of("\x0f\x00\x00\x00\x00\x10\x00\x00", 8));
    assert_int_equal(s->produced.sent_count, 15);
    assert_ok(genesis(s, "random", ""));
    handle(s, th_slice_of(many, 4));
    assert_int_equal(s->produced.output.size, 65536);
    rejected(s, th_slice_of(more, 4), 5, "random");
}

static void turns_that_have_no_end_end(void **state)
{
    stage *s = &stages[RECORDER];
    s->limits.fuel = 5000000;
    assert_ok(genesis(s, "endless_loop", ""));
    rejected(s, th_slice_text("x"), 4, "out of fuel");
    assert_ok(genesis(s, "endless_recursion", ""));
    rejected(s, th_slice_text("x"), 6, "stack overflow");
    assert_ok(genesis(s, "endless_growth", ""));
    handle(s, th_slice_text("x"));
    assert_int_equal(s->produced.type, TH_TRANSITION);
    assert_int_equal(th_get_u32le(s->produced.output.data), (1 << 20) / 65536);
}

static void a_rejection_keeps_the_log_and_drops_the_messages(void **state)
{
    stage *s = &stages[RECORDER];
    assert_ok(genesis(s, "log_then_trap", ""));
    rejected(s, th_slice_text("x"), 3, "unreachable");
    assert_int_equal(s->produced.sent_count, 0);
    th_effects_reader reader;
    th_effect effect;
    bool more;
    assert_ok(th_effects_read(s->produced.effects, 1, &reader, NULL));
    for (unsigned level = 0; level <= 4; level++) {
        assert_ok(th_effects_next(&reader, &effect, &more, NULL));
        assert_int_equal(effect.kind, TH_EFFECT_LOG);
        assert_int_equal(effect.level, level);
    }
    assert_ok(th_effects_next(&reader, &effect, &more, NULL));
    assert_false(more);
}

static void a_failing_genesis_says_why(void **state)
{
    static const char *const cases[][2] = {
        {"init_error", "init of actor cart returned an error: "},
            {"init_trap", "init of actor cart trapped: unreachable"},
        {"init_loop", "ran out of fuel"},                         {"init_invalid", "made an invalid state"},
        {"verify_trap", "trapped: unreachable"},                  {"verify_loop", "ran out of fuel"},
        {"start_trap", "trapped: unreachable"},                   {"start_segment", "trapped: memory"},
        {"start_text", "trapped: abi"},
    };
    stage *s = &stages[RECORDER];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(genesis(s, cases[i][0], "config"), THEATER_ACTOR_FAILED);
        if (!strstr(s->error.message, cases[i][1]) || strchr(s->error.message, '\n'))
            fail_msg("%s: '%s' does not say '%s'", cases[i][0], s->error.message, cases[i][1]);
    }
}

static void a_refused_component_says_all_that_is_wrong(void **state)
{
    stage *s = &stages[RECORDER];
    assert_int_equal(load(s, "core_module"), THEATER_COMPONENT_REFUSED);
    assert_int_equal(load(s, "wasi_import"), THEATER_COMPONENT_REFUSED);
    assert_non_null(strstr(s->error.message, "wasi"));
    assert_int_equal(load(s, "all_wrong"), THEATER_COMPONENT_REFUSED);
    assert_non_null(strchr(s->error.message, '\n'));
}

/* ---- compiled forms ---- */

static th_buf compiled;

static theater_status read_compiled(void *context, const th_hash *hash, th_buf *out, theater_error *reterr)
{
    return compiled.size ? th_buf_append(out, th_buf_slice(&compiled), reterr) : THEATER_NOT_FOUND;
}

static void write_compiled(void *context, const th_hash *hash, th_slice bytes)
{
    th_buf_clear(&compiled);
    assert_ok(th_buf_append(&compiled, bytes, NULL));
}

static void a_compiled_form_runs_like_the_component(void **state)
{
    stage *s = &stages[RECORDER];
    th_loader *loader = s->loader;
    th_loader_options options = {.machine = &s->machine, .port = th_port_system(),
                                 .read_compiled = read_compiled,
                                 .write_compiled = write_compiled};
    th_buf_init(&compiled, 1 << 26);
    for (int round = 0; round < 2; round++) {
        assert_ok(th_loader_new(&options, &s->loader, NULL));
        assert_ok(genesis(s, "counter", ""));
        assert_true(compiled.size > 0);
        handle(s, th_slice_text("x"));
        assert_int_equal(th_get_u64le(s->produced.output.data), 1);
        leave(s);
        th_loader_free(s->loader);
    }
    th_buf_done(&compiled);
    s->loader = loader;
}

/* ---- replay ---- */

typedef struct recording {
    th_buf parts[MOST][4];
    size_t count;
} recording;

static recording R;

static void keep(const th_produced *produced)
{
    th_slice parts[4] = {produced->element, produced->input, produced->output, produced->effects};
    for (int i = 0; i < 4; i++) {
        th_buf_init(&R.parts[R.count][i], 1 << 20);
        assert_ok(th_buf_append(&R.parts[R.count][i], parts[i], NULL));
    }
    R.count++;
}

static th_recorded recorded(size_t i)
{
    return (th_recorded){th_buf_slice(&R.parts[i][0]), th_buf_slice(&R.parts[i][1]),
                         th_buf_slice(&R.parts[i][2]),
                         th_buf_slice(&R.parts[i][3])};
}

static void forget(void)
{
    for (size_t i = 0; i < R.count; i++) {
        for (int part = 0; part < 4; part++)
            th_buf_done(&R.parts[i][part]);
    }
    R.count = 0;
}

/* Runs what was recorded on another stage; gives the last difference. */
static th_difference replay(stage *s, const char *fixture)
{
    th_difference difference;
    assert_ok(load(s, fixture));
    th_recorded first = recorded(0);
    assert_ok(th_instance_replay_genesis(&s->machine, th_loaded_component(s->loaded), &first, s->workspace,
                                         &s->instance,
                                         &difference, &s->error));
    for (size_t i = 1; difference == TH_SAME && i < R.count; i++) {
        th_recorded next = recorded(i);
        assert_ok(th_instance_replay(s->instance, &next, NULL, s->workspace, &difference, &s->error));
    }
    return difference;
}

static void both_ways_to_run_replay_each_other(void **state)
{
    static const struct {
        const char *fixture;
        const char *inputs[5];
    } cases[] = {
        {"counter", {"a", "b", "c", "d", "e"}},
        {"set_state", {"one", "!bad", "two", "", "three"}},
        {"observe", {"a", "b", "", "c", "d"}},
        {"send", {"bob", "Bob", "carol", "", "d.e"}},
        {"request", {"bob", "Bob", "carol", "", "d.e"}},
        {"traps", {"u", "k", "L", "D", "l"}},
        {"nan", {"a", "b", "c", "d", "e"}},
        {"random", {"\x10\x01\x01\x00", "\x01\x01\x02\x01", "abcd", "\x01\x01\x01", "x"}},
        {"log_then_trap", {"a", "b", "c", "d", "e"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int from = RECORDER; from <= PULLEY; from++) {
            stage *s = &stages[from];
            assert_ok(genesis(s, cases[i].fixture, "config"));
            keep(&s->produced);
            for (int turn = 0; turn < 5; turn++) {
                handle(s, th_slice_text(cases[i].inputs[turn]));
                keep(&s->produced);
            }
            for (int to = RECORDER; to < STAGES; to++) {
                th_hash head = *th_instance_head(s->instance);
                if (to == from)
                    continue;
                if (replay(&stages[to], cases[i].fixture) != TH_SAME)
                    fail_msg("%s, %d to %d: %s", cases[i].fixture, from, to, stages[to].error.message);
                assert_memory_equal(th_instance_head(stages[to].instance), &head, sizeof head);
            }
            forget();
        }
    }
}

static void a_larger_stack_leaves_an_overflow_undecided(void **state)
{
    stage *s = &stages[RECORDER];
    assert_ok(genesis(s, "recursion", ""));
    keep(&s->produced);
    /* Deep enough for 1 MiB, and not for 4. */
    uint8_t depth[4];
    uint32_t n = 1000;
    do {
        n += n / 4;
        th_put_u32le(depth, n);
        th_input input = {.payload = th_slice_of(depth, 4), .timestamp_ns = s->now_ns};
        assert_ok(th_instance_query(s->instance, &input, s->workspace, &s->produced, &s->error));
    } while (s->produced.reject_code == 0);
    rejected(s, th_slice_of(depth, 4), 6, "stack overflow");
    keep(&s->produced);
    handle(s, th_slice_of("\x05\x00\x00\x00", 4));
    keep(&s->produced);
    stage *v = &stages[VERIFIER];
    assert_int_equal(replay(v, "recursion"), TH_DIFFERS_UNDECIDED);
    assert_non_null(strstr(v->error.message,
                           "element 1 of actor cart: undecided: recorded a rejection [6, \"stack "
                                             "overflow\"], came out a transition"));
    th_recorded last = recorded(2);
    th_difference difference;
    assert_ok(th_instance_replay(v->instance, &last, NULL, v->workspace, &difference, &v->error));
    assert_int_equal(difference, TH_SAME);
    assert_memory_equal(th_instance_head(v->instance), th_instance_head(s->instance), sizeof(th_hash));
    forget();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(traps_become_their_reasons),
        TEST(limits_become_their_reasons),
        TEST(turns_that_have_no_end_end),
        TEST(a_rejection_keeps_the_log_and_drops_the_messages),
        TEST(a_failing_genesis_says_why),
        TEST(a_refused_component_says_all_that_is_wrong),
        TEST(a_compiled_form_runs_like_the_component),
        TEST(both_ways_to_run_replay_each_other),
        TEST(a_larger_stack_leaves_an_overflow_undecided),
    };
    return cmocka_run_group_tests_name("actor: with the engine", tests, open_all, close_all);
}
