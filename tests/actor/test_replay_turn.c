/* Replay of single turns: what is the same, what differs and in which words, and what is undecided. */
#include "turns.h"

#define MOST 64

/* A chain that was recorded with the bench, each payload in memory of its own. */
typedef struct recording {
    th_buf bytes[MOST][4];
    th_recorded recorded[MOST];
    size_t count;
} recording;

static bench B;
static recording R;

static void keep(void)
{
    th_slice parts[4] = {B.produced.element, B.produced.input, B.produced.output, B.produced.effects};
    for (int i = 0; i < 4; i++) {
        th_buf *buf = &R.bytes[R.count][i];
        th_buf_init(buf, SIZE_MAX);
        assert_ok(th_buf_append(buf, parts[i], NULL));
        parts[i] = th_buf_slice(buf);
    }
    R.recorded[R.count++] = (th_recorded){parts[0], parts[1], parts[2], parts[3]};
}

static int open_bench(void **state)
{
    bench_open(&B);
    memset(&R, 0, sizeof R);
    return 0;
}

static int close_bench(void **state)
{
    for (size_t i = 0; i < R.count; i++) {
        for (int part = 0; part < 4; part++)
            th_buf_done(&R.bytes[i][part]);
    }
    bench_close(&B);
    return 0;
}

/* Records a genesis and these inputs, and begins the replay behind the genesis. */
static th_instance *record(const char *const *inputs, size_t count)
{
    th_instance *instance;
    th_difference difference;
    assert_ok(bench_genesis(&B, "standin:counter", "set 41; send bob x"));
    keep();
    for (size_t i = 0; i < count; i++) {
        assert_ok(bench_handle(&B, inputs[i]));
        keep();
    }
    assert_ok(th_instance_replay_genesis(&B.machine, B.component, &R.recorded[0], B.workspace, &instance,
                                         &difference,
                                         &B.error));
    assert_int_equal(difference, TH_SAME);
    return instance;
}

static th_difference replay(th_instance *instance, size_t i)
{
    th_difference difference = TH_SAME;
    B.error = (theater_error){0};
    assert_ok(th_instance_replay(instance, &R.recorded[i], NULL, B.workspace, &difference, &B.error));
    return difference;
}

static void a_chain_replays_to_the_same_hashes(void **state)
{
    static const char *const inputs[] = {
        "add 1",       "fail no",        "grow 9000; touch 8000",     "shrink 9000", "trap table",
            "send bob hi; log 1 x",
        "request c d", "verify-loop",    "loop",                      "random 3",    "observe",    "invalid",
        "recurse 2000", "log 2 b; send a b; fail x", "out 5000",      "random 65537", "send A b",
            "state 2000000",
    };
    size_t count = sizeof inputs / sizeof inputs[0];
    th_instance *instance = record(inputs, count);
    for (size_t i = 1; i <= count; i++)
        assert_int_equal(replay(instance, i), TH_SAME);
    assert_memory_equal(th_instance_head(instance), th_instance_head(B.instance), sizeof(th_hash));
    assert_memory_equal(th_instance_state_root(instance), th_instance_state_root(B.instance),
                        sizeof(th_hash));
    assert_int_equal(th_instance_timestamp_ns(instance), th_instance_timestamp_ns(B.instance));
    assert_true(th_slice_equal(th_instance_state(instance), th_instance_state(B.instance)));
    th_instance_free(instance);
}

static void causes_and_principals_are_given_again(void **state)
{
    th_instance *instance = record(NULL, 0);
    th_cause causes[] = {
        {.kind = TH_CAUSE_MESSAGE, .actor = th_slice_text("bob"), .sequence = 4, .index = 1},
        {.kind = TH_CAUSE_ANSWER, .actor = th_slice_text("bob"), .sequence = 5, .request = 1, .failed = true},
        {.kind = TH_CAUSE_UNDELIVERED, .actor = th_slice_text("bob"), .request = 2},
    };
    for (size_t i = 0; i < 3; i++) {
        assert_ok(bench_handle_cause(&B, "observe", &causes[i]));
        keep();
    }
    th_input input = {.payload = th_slice_text("observe"), .timestamp_ns = START_NS + 900,
                      .has_principal = true,
                      .principal = th_slice_text("alice"), .has_id = true, .id = th_slice_text("key-1")};
    assert_ok(th_instance_handle(B.instance, &input, B.workspace, &B.produced, NULL));
    keep();
    static char large[5000];
    memset(large, 'x', sizeof large - 1);
    assert_ok(bench_handle_cause(&B, large, &causes[0]));
    keep();
    for (size_t i = 1; i <= 5; i++)
        assert_int_equal(replay(instance, i), TH_SAME);
    assert_memory_equal(th_instance_head(instance), th_instance_head(B.instance), sizeof(th_hash));
    th_instance_free(instance);
}

static th_element decoded(size_t i)
{
    th_element fields;
    assert_ok(th_element_decode(R.recorded[i].element, &fields, NULL));
    return fields;
}

/* Puts changed fields in the place of element `i`; of one element at a time. */
static void tamper(size_t i, const th_element *fields)
{
    static uint8_t room[TH_ELEMENT_MAX];
    R.recorded[i].element = th_slice_of(room, th_element_encode(fields, room));
}

static void upgrades_are_run_again(void **state)
{
    th_difference difference;
    th_instance *instance = record(NULL, 0);
    void *component = bench_compile(&B, "standin:counter max=41");
    th_descriptor descriptor = bench_descriptor(&B, "standin:counter max=41", "");
    assert_ok(th_instance_upgrade(B.instance, component, &descriptor, ++B.now_ns, B.workspace, &B.produced,
                                  NULL));
    keep();
    assert_ok(bench_handle(&B, "add 1"));
    keep();
    /* With a component that finds the state invalid, the upgrade could not have been. */
    void *other = bench_compile(&B, "standin:counter max=40");
    assert_ok(th_instance_replay(instance, &R.recorded[1], other, B.workspace, &difference, &B.error));
    assert_int_equal(difference, TH_DIFFERS_TYPE);
    assert_string_equal(B.error.message, "element 1 of actor cart: type differs: recorded an upgrade, "
                                         "came out a rejection [2, \"invalid state\"]");
    th_slice good = R.recorded[1].element;
    th_element e = decoded(1);
    e.fuel++;
    tamper(1, &e);
    assert_ok(th_instance_replay(instance, &R.recorded[1], component, B.workspace, &difference, &B.error));
    assert_int_equal(difference, TH_DIFFERS_FUEL);
    R.recorded[1].element = good;
    assert_ok(th_instance_replay(instance, &R.recorded[1], component, B.workspace, &difference, &B.error));
    assert_int_equal(difference, TH_SAME);
    assert_int_equal(replay(instance, 2), TH_SAME);
    assert_memory_equal(th_instance_head(instance), th_instance_head(B.instance), sizeof(th_hash));
    th_instance_free(instance);
    th_instance_free(B.instance);
    B.instance = NULL;
    B.machine.release(component);
    B.machine.release(other);
}

/* ---- differences ---- */

static void differs(th_instance *instance, th_difference expected, const char *words)
{
    assert_int_equal(replay(instance, 1), expected);
    if (!strstr(B.error.message, words))
        fail_msg("'%s' does not say '%s'", B.error.message, words);
    assert_int_equal(B.error.status, expected == TH_DIFFERS_UNDECIDED ? THEATER_UNDECIDED
                     : THEATER_VERIFY_FAILED);
}

static const char *const one_turn[] = {"add 1; log 1 x"};

static void another_output_is_named(void **state)
{
    th_instance *instance = record(one_turn, 1);
    th_element e = decoded(1);
    memset(&e.output, 0xab, sizeof e.output);
    tamper(1, &e);
    differs(instance, TH_DIFFERS_OUTPUT,
            "element 1 of actor cart: output differs: recorded sha abababababababab, "
            "came out \"42\" (sha 73475cb40a568e8d)");
    th_instance_free(instance);
}

static void outputs_are_shown_when_they_are_there(void **state)
{
    static const char *const inputs[] = {"out 300"};
    th_instance *instance = record(inputs, 1);
    th_element e = decoded(1);
    th_hasher *hasher;
    assert_ok(th_hasher_new(&hasher, NULL));
    R.recorded[1].output = th_slice_text("41");
    th_sha256_of(hasher, R.recorded[1].output, &e.output);
    tamper(1, &e);
    differs(instance, TH_DIFFERS_OUTPUT,
            "output differs: recorded \"41\" (sha 3d914f9348c9cc0f), came out 300 bytes (sha ");
    R.recorded[1].output = th_slice_of("\x1b[2J", 4);
    th_sha256_of(hasher, R.recorded[1].output, &e.output);
    tamper(1, &e);
    differs(instance, TH_DIFFERS_OUTPUT, "output differs: recorded 4 bytes (sha ");
    th_hasher_free(hasher);
    th_instance_free(instance);
}

static void other_effects_are_named(void **state)
{
    th_instance *instance = record(one_turn, 1);
    th_element e = decoded(1);
    memset(&e.effects, 0xcd, sizeof e.effects);
    tamper(1, &e);
    differs(instance, TH_DIFFERS_EFFECTS,
            "element 1 of actor cart: effects differ: recorded sha cdcdcdcdcdcdcdcd, ");
    th_instance_free(instance);
}

static void another_state_is_named(void **state)
{
    th_instance *instance = record(one_turn, 1);
    th_element e = decoded(1);
    memset(&e.state_after, 0xef, sizeof e.state_after);
    tamper(1, &e);
    differs(instance, TH_DIFFERS_STATE,
            "state differs: recorded sha efefefefefefefef of 32 bytes, came out sha ");
    th_instance_free(instance);
}

static void another_state_size_is_named(void **state)
{
    th_instance *instance = record(one_turn, 1);
    th_element e = decoded(1);
    e.state_size = 31;
    tamper(1, &e);
    differs(instance, TH_DIFFERS_STATE, " of 31 bytes, came out sha ");
    th_instance_free(instance);
}

static void another_fuel_is_named(void **state)
{
    th_instance *instance = record(one_turn, 1);
    th_element e = decoded(1);
    e.fuel++;
    tamper(1, &e);
    differs(instance, TH_DIFFERS_FUEL, "element 1 of actor cart: fuel differs: recorded 145, came out 144");
    th_instance_free(instance);
}

static void another_type_is_named(void **state)
{
    static const char *const inputs[] = {"fail no"};
    th_instance *instance = record(inputs, 1);
    th_element e = decoded(1);
    e.type = TH_TRANSITION;
    tamper(1, &e);
    differs(instance, TH_DIFFERS_TYPE,
            "type differs: recorded a transition, came out a rejection [1, \"no\"]");
    th_instance_free(instance);
}

static void another_reason_is_named(void **state)
{
    static const char *const inputs[] = {"trap table"};
    static const uint8_t other[] = "\x82\x03\x66memory";
    th_instance *instance = record(inputs, 1);
    th_element e = decoded(1);
    th_hasher *hasher;
    assert_ok(th_hasher_new(&hasher, NULL));
    R.recorded[1].output = th_slice_of(other, sizeof other - 1);
    th_sha256_of(hasher, R.recorded[1].output, &e.output);
    th_hasher_free(hasher);
    tamper(1, &e);
    differs(instance, TH_DIFFERS_REASON, "reason differs: recorded a rejection [3, \"memory\"], "
                                         "came out a rejection [3, \"table\"]");
    /* With the payload dropped there are fewer words, and the same verdict. */
    R.recorded[1].output = (th_slice){0};
    differs(instance, TH_DIFFERS_REASON, "recorded a rejection, came out a rejection [3, \"table\"]");
    th_instance_free(instance);
}

static void a_recorded_rejection_that_passes_is_named(void **state)
{
    static const uint8_t no[] = "\x82\x01\x62no";
    th_instance *instance = record(one_turn, 1);
    th_element e = decoded(1), before = decoded(0);
    th_hasher *hasher;
    assert_ok(th_hasher_new(&hasher, NULL));
    R.recorded[1].output = th_slice_of(no, sizeof no - 1);
    th_sha256_of(hasher, R.recorded[1].output, &e.output);
    th_hasher_free(hasher);
    e.type = TH_REJECTION;
    e.state_after = before.state_after;
    tamper(1, &e);
    differs(instance, TH_DIFFERS_TYPE, "recorded a rejection [1, \"no\"], came out a transition");
    assert_int_equal(th_instance_elements(instance), 1);
    th_instance_free(instance);
}

static void a_genesis_that_comes_out_otherwise_makes_no_instance(void **state)
{
    th_instance *instance = record(NULL, 0);
    th_difference difference;
    th_instance_free(instance);
    th_element e = decoded(0);
    e.fuel++;
    tamper(0, &e);
    assert_ok(th_instance_replay_genesis(&B.machine, B.component, &R.recorded[0], B.workspace, &instance,
                                         &difference,
                                         &B.error));
    assert_int_equal(difference, TH_DIFFERS_FUEL);
    assert_null(instance);
    void *failing = bench_compile(&B, "standin:counter init=trap");
    assert_ok(th_instance_replay_genesis(&B.machine, failing, &R.recorded[0], B.workspace, &instance,
                                         &difference,
                                         &B.error));
    assert_int_equal(difference, TH_DIFFERS_TYPE);
    assert_string_equal(B.error.message, "element 0 of actor cart: type differs: recorded a genesis, "
                                         "came out a rejection [3, \"unreachable\"]");
    assert_null(instance);
    B.machine.release(failing);
}

static void an_input_that_no_client_could_send_is_no_element(void **state)
{
    static char large[5000];
    memset(large, 'x', sizeof large - 1);
    th_instance *instance = record(one_turn, 1);
    th_element e = decoded(1);
    th_hasher *hasher;
    assert_ok(th_hasher_new(&hasher, NULL));
    R.recorded[1].input = th_slice_text(large);
    th_sha256_of(hasher, R.recorded[1].input, &e.input);
    th_hasher_free(hasher);
    tamper(1, &e);
    differs(instance, TH_DIFFERS_ELEMENT, "a client's input over the message limit cannot be an element");
    th_instance_free(instance);
}

/* ---- what does not follow ---- */

static void corrupt(th_instance *instance, const char *words)
{
    th_difference difference;
    assert_int_equal(th_instance_replay(instance, &R.recorded[1], NULL, B.workspace, &difference, &B.error),
                     THEATER_CORRUPT);
    if (!strstr(B.error.message, words))
        fail_msg("'%s' does not say '%s'", B.error.message, words);
    assert_int_equal(th_instance_elements(instance), 1);
}

static void an_element_that_does_not_follow_is_corrupt(void **state)
{
    th_instance *instance = record(one_turn, 1);
    th_element good = decoded(1), e = good;
    th_slice input = R.recorded[1].input;
    e.sequence = 2;
    tamper(1, &e);
    corrupt(instance, "element 1 of actor cart: element 2 stands in its place");
    e = good;
    e.previous.bytes[0]++;
    tamper(1, &e);
    corrupt(instance, "element 1 of actor cart: previous hash differs");
    e = good;
    e.timestamp = START_NS - 1;
    tamper(1, &e);
    corrupt(instance, "timestamp");
    e = good;
    e.state_before.bytes[0]++;
    tamper(1, &e);
    corrupt(instance, "its state before is not the state after the element before");
    tamper(1, &good);
    R.recorded[1].input = th_slice_text("add 2; log 1 x");
    corrupt(instance, "its input payload has another hash");
    R.recorded[1].input = input;
    R.recorded[1].element.size--;
    corrupt(instance, "element 1 of actor cart");
    R.recorded[1].element = R.recorded[0].element;
    corrupt(instance, "stands in its place");
    tamper(1, &good);
    assert_int_equal(replay(instance, 1), TH_SAME);
    th_instance_free(instance);
}

/* ---- undecided ---- */

static void a_stack_overflow_that_does_not_come_out_is_undecided(void **state)
{
    static const char *const inputs[] = {"add 1; recurse 1500", "add 1"};
    th_instance *instance = record(inputs, 2);
    B.standin.depth = 4000;
    differs(instance, TH_DIFFERS_UNDECIDED,
            "undecided: recorded a rejection [6, \"stack overflow\"], came out a transition");
    /* A rejection keeps the state, so the turns behind it can be checked. */
    assert_int_equal(th_instance_elements(instance), 2);
    assert_int_equal(replay(instance, 2), TH_SAME);
    th_instance_free(instance);
}

static void a_stack_overflow_that_was_not_recorded_is_a_difference(void **state)
{
    static const char *const inputs[] = {"recurse 500"};
    th_instance *instance = record(inputs, 1);
    B.standin.depth = 100;
    differs(instance, TH_DIFFERS_TYPE, "came out a rejection [6, \"stack overflow\"]");
    th_instance_free(instance);
}

static void an_engine_that_counts_otherwise_compares_no_fuel(void **state)
{
    static const char *const inputs[] = {"add 1", "fail no", "trap abi", "log 1 a; burn 600000; log 1 b",
                                         "add 1"};
    B.standin.fuel_factor = 2;
    th_instance *instance = record(inputs, 5);
    assert_int_equal(replay(instance, 1), TH_SAME);
    th_instance_free(instance);
    /* The same engine by name must count the same. */
    th_difference difference;
    B.standin.fuel_factor = 1;
    assert_ok(th_instance_replay_genesis(&B.machine, B.component, &R.recorded[0], B.workspace, &instance,
                                         &difference,
                                         &B.error));
    assert_int_equal(difference, TH_DIFFERS_FUEL);
    /* Another one need not. */
    B.machine.name = "standin-2";
    assert_ok(th_instance_replay_genesis(&B.machine, B.component, &R.recorded[0], B.workspace, &instance,
                                         &difference,
                                         &B.error));
    assert_int_equal(difference, TH_SAME);
    assert_int_equal(replay(instance, 1), TH_SAME);
    assert_int_equal(replay(instance, 2), TH_SAME);
    assert_int_equal(replay(instance, 3), TH_SAME);
    assert_int_equal(replay(instance, 4), TH_DIFFERS_UNDECIDED);
    assert_non_null(strstr(B.error.message,
                           "recorded a rejection [4, \"out of fuel\"], came out a transition"));
    assert_int_equal(replay(instance, 5), TH_SAME);
    assert_memory_equal(th_instance_head(instance), th_instance_head(B.instance), sizeof(th_hash));
    th_instance_free(instance);
}

static void fuel_that_is_fixed_is_compared_whoever_counts(void **state)
{
    static const char *const inputs[] = {"trap abi"};
    th_instance *instance = record(inputs, 1);
    th_difference difference;
    th_instance_free(instance);
    B.machine.name = "standin-2";
    assert_ok(th_instance_replay_genesis(&B.machine, B.component, &R.recorded[0], B.workspace, &instance,
                                         &difference,
                                         &B.error));
    th_element e = decoded(1);
    e.fuel = 5;
    tamper(1, &e);
    assert_int_equal(replay(instance, 1), TH_DIFFERS_FUEL);
    assert_non_null(strstr(B.error.message, "fuel differs: recorded 5, came out 0"));
    th_instance_free(instance);
}

static void out_of_fuel_under_the_same_engine_is_a_difference(void **state)
{
    static const char *const inputs[] = {"burn 600000"};
    th_difference difference;
    B.standin.fuel_factor = 2;
    th_instance *instance = record(inputs, 1);
    B.standin.fuel_factor = 1;
    assert_ok(th_instance_replay(instance, &R.recorded[1], NULL, B.workspace, &difference, &B.error));
    assert_int_equal(difference, TH_DIFFERS_TYPE);
    assert_non_null(strstr(B.error.message,
                           "recorded a rejection [4, \"out of fuel\"], came out a transition"));
    th_instance_free(instance);
}

static void out_of_fuel_elsewhere_is_undecided_too(void **state)
{
    static const char *const inputs[] = {"log 1 a; burn 300000; burn 300000; log 1 b; burn 20000000"};
    th_difference difference;
    B.standin.fuel_factor = 2;
    th_instance *instance = record(inputs, 1);
    th_instance_free(instance);
    B.standin.fuel_factor = 1;
    B.machine.name = "standin-2";
    assert_ok(th_instance_replay_genesis(&B.machine, B.component, &R.recorded[0], B.workspace, &instance,
                                         &difference,
                                         &B.error));
    /* Both ran out, but not at the same place. */
    differs(instance, TH_DIFFERS_UNDECIDED,
            "undecided: recorded 1 effect in 6 bytes (sha e066aa28da86479f), "
            "came out 2 effects in 11 bytes (sha ");
    th_instance_free(instance);
}

static void a_runaway_under_another_engine_is_undecided(void **state)
{
    static const char *const inputs[] = {"burn 900000"};
    th_difference difference;
    th_instance *instance = record(inputs, 1);
    th_instance_free(instance);
    B.standin.fuel_factor = 16;
    B.machine.name = "standin-2";
    assert_ok(th_instance_replay_genesis(&B.machine, B.component, &R.recorded[0], B.workspace, &instance,
                                         &difference,
                                         &B.error));
    assert_int_equal(replay(instance, 1), TH_SAME);
    th_instance_free(instance);
    B.standin.fuel_factor = 20;
    assert_ok(th_instance_replay_genesis(&B.machine, B.component, &R.recorded[0], B.workspace, &instance,
                                         &difference,
                                         &B.error));
    differs(instance, TH_DIFFERS_UNDECIDED,
            "recorded a transition, came out a rejection [4, \"out of fuel\"]");
    assert_int_equal(th_instance_elements(instance), 1);
    th_instance_free(instance);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_bench, close_bench)
    const struct CMUnitTest tests[] = {
        TEST(a_chain_replays_to_the_same_hashes),
        TEST(causes_and_principals_are_given_again),
        TEST(upgrades_are_run_again),
        TEST(another_output_is_named),
        TEST(outputs_are_shown_when_they_are_there),
        TEST(other_effects_are_named),
        TEST(another_state_is_named),
        TEST(another_state_size_is_named),
        TEST(another_fuel_is_named),
        TEST(another_type_is_named),
        TEST(another_reason_is_named),
        TEST(a_recorded_rejection_that_passes_is_named),
        TEST(a_genesis_that_comes_out_otherwise_makes_no_instance),
        TEST(an_input_that_no_client_could_send_is_no_element),
        TEST(an_element_that_does_not_follow_is_corrupt),
        TEST(a_stack_overflow_that_does_not_come_out_is_undecided),
        TEST(a_stack_overflow_that_was_not_recorded_is_a_difference),
        TEST(an_engine_that_counts_otherwise_compares_no_fuel),
        TEST(fuel_that_is_fixed_is_compared_whoever_counts),
        TEST(out_of_fuel_under_the_same_engine_is_a_difference),
        TEST(out_of_fuel_elsewhere_is_undecided_too),
        TEST(a_runaway_under_another_engine_is_undecided),
    };
    return cmocka_run_group_tests_name("actor: replay of a turn", tests, NULL, NULL);
}
