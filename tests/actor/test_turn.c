/* Live turns: what an element says, in every way in which a turn can end. */
#include "turns.h"

#include "chain/turn_random.h"

static bench B;

static int open_bench(void **state)
{
    bench_open(&B);
    return 0;
}

static int close_bench(void **state)
{
    bench_close(&B);
    return 0;
}

/* The element of the last turn, decoded. */
static th_element element(void)
{
    th_element fields;
    assert_ok(th_element_decode(B.produced.element, &fields, NULL));
    return fields;
}

static th_hash sha(th_slice bytes)
{
    th_hash hash;
    th_hasher *hasher;
    assert_ok(th_hasher_new(&hasher, NULL));
    th_sha256_of(hasher, bytes, &hash);
    th_hasher_free(hasher);
    return hash;
}

static th_hash root_of(th_slice bytes)
{
    th_hash hash;
    th_hasher *hasher;
    assert_ok(th_hasher_new(&hasher, NULL));
    th_state_root(hasher, bytes, &hash);
    th_hasher_free(hasher);
    return hash;
}

static void assert_hash(const th_hash *a, const th_hash *b)
{
    assert_memory_equal(a->bytes, b->bytes, THEATER_HASH_SIZE);
}

/* What must hold of every element that was made, against its payloads and the one before. */
static th_element check_element(const th_element *before, const th_hash *previous)
{
    th_element e = element();
    th_hash hash = sha(B.produced.input), root = *th_instance_state_root(B.instance);
    assert_hash(&e.input, &hash);
    hash = sha(B.produced.output);
    assert_hash(&e.output, &hash);
    hash = sha(B.produced.effects);
    assert_hash(&e.effects, &hash);
    assert_hash(&e.state_after, &root);
    root = root_of(th_instance_state(B.instance));
    assert_hash(&e.state_after, &root);
    assert_int_equal(e.state_size, th_instance_state(B.instance).size);
    assert_int_equal(e.sequence, before ? before->sequence + 1 : 0);
    assert_int_equal(e.fuel, B.produced.fuel);
    assert_int_equal(e.type, B.produced.type);
    assert_hash(&B.produced.hash, th_instance_head(B.instance));
    assert_int_equal(th_instance_elements(B.instance), e.sequence + 1);
    if (before) {
        assert_hash(&e.previous, previous);
        assert_hash(&e.state_before, &before->state_after);
        assert_true(e.timestamp >= before->timestamp);
    }
    return e;
}

static void a_genesis_makes_element_0(void **state)
{
    assert_ok(bench_genesis(&B, "standin:counter", "set 41; log 2 hello"));
    th_element e = check_element(NULL, NULL);
    assert_int_equal(e.type, TH_GENESIS);
    assert_int_equal(e.timestamp, START_NS);
    assert_slice(B.produced.output, "");
    th_descriptor descriptor;
    assert_ok(th_descriptor_decode(B.produced.input, &descriptor, NULL));
    assert_slice(descriptor.name, "cart");
    assert_slice(descriptor.config, "set 41; log 2 hello");
    assert_int_equal(bench_state(&B).counter, 41);
    assert_bytes(B.produced.effects, "\x81\x83\x00\x02\x65hello");
}

static void turns_form_a_chain(void **state)
{
    static const char *const inputs[] = {"add 1", "fail no", "grow 9000", "touch 8000", "shrink 9000",
                                         "trap table",
                                         "send bob hi", "say same", "loop", "random 3"};
    assert_ok(bench_genesis(&B, "standin:counter", "set 41"));
    th_element before = check_element(NULL, NULL);
    th_hash previous = B.produced.hash;
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        assert_ok(bench_handle(&B, inputs[i]));
        before = check_element(&before, &previous);
        previous = B.produced.hash;
    }
    assert_int_equal(th_instance_tree(B.instance)->size, 11);
}

static void a_transition_gives_output_state_and_fuel(void **state)
{
    assert_ok(bench_genesis(&B, "standin:counter", "set 41"));
    assert_ok(bench_handle(&B, "add 1"));
    assert_int_equal(B.produced.type, TH_TRANSITION);
    assert_slice(B.produced.output, "42");
    assert_slice(B.produced.effects, "\x80");
    assert_int_equal(B.produced.fuel, 100 + 5 + 10 + 10);
    assert_int_equal(B.produced.reject_code, 0);
    assert_int_equal(bench_state(&B).counter, 42);
}

/* A rejection keeps the state, whatever the turn did before it. */
static void rejected(const char *input, int code, const char *message, uint64_t fuel)
{
    th_hash root = *th_instance_state_root(B.instance);
    bench_rejected(&B, input, code, message);
    th_element e = element();
    assert_hash(&e.state_after, &root);
    assert_hash(th_instance_state_root(B.instance), &root);
    assert_int_equal(B.produced.fuel, fuel);
    assert_int_equal(e.fuel, fuel);
}

static void every_reason_has_its_code_message_and_fuel(void **state)
{
    assert_ok(bench_genesis(&B, "standin:counter", ""));
    rejected("add 1; fail no {funds}", 1, "no {funds}", 100 + 22 + 20);
    rejected("add 1; invalid", 2, "invalid state", 100 + 14 + 20 + 10);
    rejected("trap unreachable", 3, "unreachable", 0);
    rejected("trap memory", 3, "memory", 0);
    rejected("trap table", 3, "table", 0);
    rejected("trap division", 3, "division", 0);
    rejected("trap integer", 3, "integer", 0);
    rejected("trap abi", 3, "abi", 0);
    rejected("add 1; verify-trap", 3, "unreachable", 0);
    rejected("loop", 4, "out of fuel", 1000000);
    rejected("burn 1000000", 4, "out of fuel", 1000000);
    rejected("verify-loop", 4, "out of fuel", 1000000);
    rejected("recurse 1001", 6, "stack overflow", 0);
    assert_int_equal(bench_state(&B).counter, 0);
}

static void every_limit_has_its_word(void **state)
{
    assert_ok(bench_genesis(&B, "standin:counter", ""));
    rejected("fail-size 4097", 5, "error", 0);
    rejected("out 4097", 5, "output", 0);
    rejected("state 1048577", 5, "state", 0);
    rejected("send Bob hi", 5, "name", 0);
    rejected("request a..b hi", 5, "name", 0);
    rejected("send-size bob 4097", 5, "payload", 0);
    rejected("repeat 17 {send-size bob 4000}", 5, "effects", 0);
    rejected("repeat 4000 {log 1 {a line of a log}}", 5, "effects", 0);
    rejected("random 65537", 5, "random", 0);
    rejected("random 65536; random 1", 5, "random", 0);
}

static void what_just_fits_a_limit_is_fine(void **state)
{
    B.limits.message = 70000;
    assert_ok(bench_genesis(&B, "standin:counter", ""));
    assert_ok(bench_handle(&B, "out 70000; state 1048576"));
    assert_int_equal(B.produced.type, TH_TRANSITION);
    assert_int_equal(B.produced.output.size, 70000);
    assert_ok(bench_handle(&B, "random 65535; random 1; random 0"));
    assert_int_equal(B.produced.type, TH_TRANSITION);
    assert_int_equal(B.produced.output.size, 65536);
    /* 2 for the two heads, 1 + 3 for the name, 34 for the hash, 1 for the request: 41 and the payload. */
    assert_ok(bench_handle(&B, "send-size bob 65495"));
    assert_int_equal(B.produced.type, TH_TRANSITION);
    rejected("send-size bob 65496", 5, "effects", 0);
    rejected("fail-size 70001", 5, "error", 0);
    assert_ok(bench_handle(&B, "fail-size 70000"));
    assert_int_equal(B.produced.reject_code, 1);
    assert_int_equal(B.produced.reject_text.size, 70000);
}

static void limits_are_tested_in_their_order(void **state)
{
    assert_ok(bench_genesis(&B, "standin:counter", ""));
    rejected("invalid; out 4097; state 1048577", 5, "output", 0);
    rejected("invalid; out 4096; state 1048577", 5, "state", 0);
    rejected("verify-trap; out 4097", 5, "output", 0);
    /* Name before payload, payload before effects. */
    rejected("send-size BOB 4097", 5, "name", 0);
    B.limits.effects = 50;
    assert_ok(bench_genesis(&B, "standin:counter", ""));
    rejected("send-size bob 4097", 5, "payload", 0);
    rejected("send-size bob 4096", 5, "effects", 0);
}

static void the_requests_of_a_turn_are_bounded(void **state)
{
    B.limits.effects = 1 << 24;
    B.limits.fuel = 1 << 24;
    assert_ok(bench_genesis(&B, "standin:counter", ""));
    assert_ok(bench_handle(&B, "repeat 65535 {request bob {}}"));
    assert_int_equal(B.produced.type, TH_TRANSITION);
    assert_int_equal(B.produced.sent_count, 65535);
    assert_int_equal(B.produced.sent[65534].request, 1 * 65536 + 65535);
    rejected("repeat 65536 {request bob {}}", 5, "requests", 0);
    assert_ok(bench_handle(&B, "repeat 65535 {request bob {}}; send bob {}"));
    assert_int_equal(B.produced.sent_count, 65536);
}

static void messages_are_given_with_their_place(void **state)
{
    assert_ok(bench_genesis(&B, "standin:counter", ""));
    assert_ok(bench_handle(&B,
                           "log 0 first; send bob {add 1; add 2}; log 4 x; request carol hello; "
                            "request d {}"));
    assert_int_equal(B.produced.sent_count, 3);
    const th_sent *sent = B.produced.sent;
    assert_int_equal(sent[0].index, 1);
    assert_slice(sent[0].to, "bob");
    assert_slice(sent[0].payload, "add 1; add 2");
    assert_int_equal(sent[0].request, 0);
    th_hash hash = sha(sent[0].payload);
    assert_hash(&sent[0].payload_hash, &hash);
    assert_int_equal(sent[1].index, 3);
    assert_slice(sent[1].to, "carol");
    assert_int_equal(sent[1].request, 65537);
    assert_int_equal(sent[2].index, 4);
    assert_int_equal(sent[2].request, 65538);
    assert_slice(sent[2].payload, "");
    th_effects_reader reader;
    th_effect effect;
    bool more;
    assert_ok(th_effects_read(B.produced.effects, 1, &reader, NULL));
    for (uint64_t i = 0; i < 5; i++) {
        assert_ok(th_effects_next(&reader, &effect, &more, NULL));
        assert_true(more);
        assert_int_equal(effect.kind, i == 0 || i == 2 ? TH_EFFECT_LOG : TH_EFFECT_MESSAGE);
    }
    assert_ok(th_effects_next(&reader, &effect, &more, NULL));
    assert_false(more);
}

static void a_rejection_keeps_log_lines_and_drops_messages(void **state)
{
    assert_ok(bench_genesis(&B, "standin:counter", ""));
    bench_rejected(&B, "log 1 a; send bob hi; log 2 b; fail no", 1, "no");
    assert_bytes(B.produced.effects, "\x82\x83\x00\x01\x61" "a" "\x83\x00\x02\x61" "b");
    assert_int_equal(B.produced.sent_count, 0);
    bench_rejected(&B, "log 1 a; send bob hi; send BOB hi", 5, "name");
    assert_int_equal(B.produced.effects.size, 6);
    bench_rejected(&B, "log 1 a; send bob hi; loop", 4, "out of fuel");
    assert_int_equal(B.produced.effects.size, 6);
    bench_rejected(&B, "log 1 a; send bob hi; recurse 2000", 6, "stack overflow");
    assert_slice(B.produced.effects, "\x80");
    assert_int_equal(B.produced.sent_count, 0);
    /* Nothing of it is left for the next turn. */
    assert_ok(bench_handle(&B, "send carol x"));
    assert_int_equal(B.produced.sent_count, 1);
    assert_int_equal(B.produced.sent[0].index, 0);
}

static void what_a_slice_of_turns_produced_stays_until_the_clear(void **state)
{
    th_produced kept[50];
    assert_ok(bench_genesis(&B, "standin:counter", ""));
    for (int i = 0; i < 50; i++) {
        char text[80];
        snprintf(text, sizeof text, "say out-%d; log 1 line-%d; send bob payload-%d", i, i, i);
        assert_ok(bench_handle(&B, text));
        kept[i] = B.produced;
    }
    assert_true(th_workspace_used(B.workspace) > 0);
    for (int i = 0; i < 50; i++) {
        char text[80];
        snprintf(text, sizeof text, "out-%d", i);
        assert_slice(kept[i].output, text);
        snprintf(text, sizeof text, "payload-%d", i);
        assert_slice(kept[i].sent[0].payload, text);
        th_effects_reader reader;
        th_effect effect;
        bool more;
        assert_ok(th_effects_read(kept[i].effects, (uint64_t)i + 1, &reader, NULL));
        assert_ok(th_effects_next(&reader, &effect, &more, NULL));
        snprintf(text, sizeof text, "line-%d", i);
        assert_slice(effect.text, text);
        th_element fields;
        assert_ok(th_element_decode(kept[i].element, &fields, NULL));
        assert_int_equal(fields.sequence, i + 1);
    }
    th_workspace_clear(B.workspace);
    assert_int_equal(th_workspace_used(B.workspace), 0);
}

static void input_over_the_message_limit(void **state)
{
    static char large[4098];
    memset(large, 'x', sizeof large - 1);
    assert_ok(bench_genesis(&B, "standin:echo", "config"));
    assert_int_equal(bench_handle(&B, large), THEATER_TOO_LARGE);
    assert_non_null(strstr(B.error.message, "4097"));
    assert_int_equal(th_instance_elements(B.instance), 1);
    uint64_t ran = atomic_load(&B.standin.ran);
    th_cause cause = {.kind = TH_CAUSE_MESSAGE, .actor = th_slice_text("bob"), .sequence = 4, .index = 1};
    assert_ok(bench_handle_cause(&B, large, &cause));
    assert_int_equal(B.produced.type, TH_REJECTION);
    assert_int_equal(B.produced.reject_code, 5);
    assert_slice(B.produced.reject_text, "input");
    assert_int_equal(B.produced.fuel, 0);
    assert_slice(B.produced.effects, "\x80");
    cause = (th_cause){.kind = TH_CAUSE_ANSWER, .actor = th_slice_text("bob"), .sequence = 4,
                       .request = 65537};
    assert_ok(bench_handle_cause(&B, large, &cause));
    assert_slice(B.produced.reject_text, "input");
    assert_int_equal(atomic_load(&B.standin.ran), ran);
    large[4096] = '\0';
    assert_ok(bench_handle(&B, large));
    assert_int_equal(B.produced.type, TH_TRANSITION);
}

static void a_turn_observes_its_element_and_nothing_else(void **state)
{
    assert_ok(bench_genesis(&B, "standin:counter", "observe"));
    static const char genesis[] = "now=1700000000000000000 sequence=0 self=cart source=genesis";
    assert_memory_equal(B.produced.effects.data + 6, genesis, sizeof genesis - 1);
    assert_ok(bench_handle(&B, "observe"));
    assert_slice(B.produced.output, "now=1700000000000000001 sequence=1 self=cart source=client(none)");
    th_input input = {.payload = th_slice_text("observe"), .timestamp_ns = START_NS + 5,
                      .has_principal = true,
                      .principal = th_slice_text("alice"), .has_id = true, .id = th_slice_text("key-1")};
    assert_ok(th_instance_handle(B.instance, &input, B.workspace, &B.produced, NULL));
    assert_slice(B.produced.output, "now=1700000000000000005 sequence=2 self=cart source=client(alice)");
    assert_slice(element().principal, "alice");
    assert_slice(element().id, "key-1");
    th_cause cause = {.kind = TH_CAUSE_MESSAGE, .actor = th_slice_text("bob"), .sequence = 4, .index = 1};
    assert_ok(bench_handle_cause(&B, "observe", &cause));
    assert_slice(B.produced.output, "now=1700000000000000005 sequence=3 self=cart source=actor(bob)");
    assert_int_equal(element().cause.kind, TH_CAUSE_MESSAGE);
    assert_int_equal(element().cause.sequence, 4);
}

static void answers_are_replies(void **state)
{
    th_cause cause = {.kind = TH_CAUSE_ANSWER, .actor = th_slice_text("bob"), .sequence = 4,
                      .request = 65537};
    B.now_ns += 10;
    assert_ok(bench_genesis(&B, "standin:counter", ""));
    assert_ok(bench_handle_cause(&B, "an answer", &cause));
    assert_int_equal(bench_state(&B).replies, 1);
    assert_slice(B.produced.output, "now=1700000000000000011 sequence=1 self=cart source=reply(65537,false)");
    cause.failed = true;
    assert_ok(bench_handle_cause(&B, "no", &cause));
    assert_slice(B.produced.output, "now=1700000000000000012 sequence=2 self=cart source=reply(65537,true)");
    cause = (th_cause){.kind = TH_CAUSE_UNDELIVERED, .actor = th_slice_text("bob"), .request = 65538};
    assert_ok(bench_handle_cause(&B, "no such actor", &cause));
    assert_int_equal(bench_state(&B).replies, 3);
    assert_slice(B.produced.output, "now=1700000000000000013 sequence=3 self=cart source=reply(65538,true)");
    assert_int_equal(element().cause.kind, TH_CAUSE_UNDELIVERED);
}

static void time_never_goes_back(void **state)
{
    assert_ok(bench_genesis(&B, "standin:counter", ""));
    th_input input = {.payload = th_slice_text("observe"), .timestamp_ns = 5};
    assert_ok(th_instance_handle(B.instance, &input, B.workspace, &B.produced, NULL));
    assert_slice(B.produced.output, "now=1700000000000000000 sequence=1 self=cart source=client(none)");
    assert_int_equal(element().timestamp, START_NS);
    assert_int_equal(th_instance_timestamp_ns(B.instance), START_NS);
}

static void random_bytes_are_those_of_the_element(void **state)
{
    assert_ok(bench_genesis(&B, "standin:counter", ""));
    assert_ok(bench_handle(&B, "random 20; random 80"));
    th_element e = element();
    uint8_t expected[100];
    th_turn_random stream;
    th_hasher *hasher;
    assert_ok(th_hasher_new(&hasher, NULL));
    th_turn_random_init(&stream, hasher, &e.previous, e.sequence, e.timestamp, &e.input);
    assert_true(th_turn_random_read(&stream, hasher, expected, 100));
    th_hasher_free(hasher);
    assert_int_equal(B.produced.output.size, 100);
    assert_memory_equal(B.produced.output.data, expected, 100);
}

static void a_failing_engine_makes_no_element(void **state)
{
    assert_ok(bench_genesis(&B, "standin:counter", ""));
    assert_ok(bench_handle(&B, "add 5"));
    th_hash head = *th_instance_head(B.instance);
    assert_int_equal(bench_handle(&B, "add 1; engine-fail"), THEATER_ENGINE_FAILED);
    assert_hash(th_instance_head(B.instance), &head);
    assert_int_equal(bench_state(&B).counter, 5);
    assert_ok(bench_handle(&B, "add 1"));
    assert_int_equal(element().sequence, 2);
}

static th_engine_outcome begin_fails(void *component, const th_engine_turn_options *options,
                                     void **ret_turn, th_engine_result *ret)
{
    *ret_turn = NULL;
    return TH_ENGINE_FAILED;
}

static th_engine_outcome handle_stops(void *turn, th_engine_bytes input, th_engine_bytes given,
                                      th_engine_result *ret)
{
    *ret = (th_engine_result){0};
    return TH_ENGINE_STOPPED;
}

static void an_engine_that_breaks_its_promises_makes_no_element(void **state)
{
    assert_ok(bench_genesis(&B, "standin:counter", ""));
    th_machine good = B.machine;
    B.machine.begin = begin_fails;
    assert_int_equal(bench_handle(&B, "add 1"), THEATER_ENGINE_FAILED);
    B.machine = good;
    /* It says that a host call stopped it, and none did. */
    B.machine.handle = handle_stops;
    assert_int_equal(bench_handle(&B, "add 1"), THEATER_ENGINE_FAILED);
    B.machine = good;
    assert_ok(bench_handle(&B, "add 1"));
    assert_int_equal(element().sequence, 1);
}

static uint64_t tick(void *context)
{
    return ++*(uint64_t *)context;
}

static void stages_are_measured_when_there_is_a_clock(void **state)
{
    uint64_t now = 0;
    assert_ok(bench_genesis(&B, "standin:counter", ""));
    const th_stage_times *times = th_workspace_times(B.workspace);
    assert_int_equal(times->turns, 1);
    assert_int_equal(times->call_ns, 0);
    th_workspace_measure(B.workspace, tick, &now);
    assert_ok(bench_handle(&B, "add 1"));
    assert_ok(bench_handle(&B, "fail no"));
    assert_int_equal(times->turns, 3);
    /* Every tick between a turn's beginning and its end is in one stage. */
    uint64_t sum = times->begin_ns + times->call_ns + times->end_ns + times->hash_ns + times->encode_ns;
    assert_int_equal(sum, now - 2);
    assert_int_equal(times->begin_ns, 2);
    assert_int_equal(times->call_ns, 2);
    th_workspace_measure(B.workspace, NULL, NULL);
    assert_ok(bench_handle(&B, "add 1"));
    assert_int_equal(times->begin_ns, 2);
}

static void a_large_turn_does_not_hold_its_memory(void **state)
{
    B.limits.message = 8 << 20;
    B.limits.effects = 64 << 20;
    B.limits.fuel = (uint64_t)1 << 40;
    assert_ok(bench_genesis(&B, "standin:counter", ""));
    assert_ok(bench_handle(&B, "repeat 60000 {send bob {a payload of some bytes}}; "
                               "repeat 7 {send-size bob 4000000}"));
    assert_int_equal(B.produced.sent_count, 60007);
    bench_rejected(&B, "send A b", 5, "name");
    th_workspace_clear(B.workspace);
    assert_int_equal(th_workspace_used(B.workspace), 0);
    assert_ok(bench_handle(&B, "log 1 x; send bob hi"));
    assert_int_equal(B.produced.sent_count, 1);
    assert_slice(B.produced.sent[0].payload, "hi");
}

static void a_query_keeps_nothing(void **state)
{
    assert_ok(bench_genesis(&B, "standin:counter", "set 7"));
    th_hash head = *th_instance_head(B.instance), root = *th_instance_state_root(B.instance);
    assert_ok(bench_query(&B, "add 1; grow 100; send bob x"));
    assert_slice(B.produced.output, "8");
    assert_int_equal(B.produced.type, TH_TRANSITION);
    assert_int_equal(B.produced.element.size, 0);
    assert_int_equal(B.produced.sequence, 1);
    assert_hash(&B.produced.state_root, &root);
    assert_ok(bench_query(&B, "fail no"));
    assert_int_equal(B.produced.reject_code, 1);
    assert_hash(th_instance_head(B.instance), &head);
    assert_int_equal(bench_state(&B).counter, 7);
    assert_int_equal(th_instance_elements(B.instance), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_bench, close_bench)
    const struct CMUnitTest tests[] = {
        TEST(a_genesis_makes_element_0),
        TEST(turns_form_a_chain),
        TEST(a_transition_gives_output_state_and_fuel),
        TEST(every_reason_has_its_code_message_and_fuel),
        TEST(every_limit_has_its_word),
        TEST(what_just_fits_a_limit_is_fine),
        TEST(limits_are_tested_in_their_order),
        TEST(the_requests_of_a_turn_are_bounded),
        TEST(messages_are_given_with_their_place),
        TEST(a_rejection_keeps_log_lines_and_drops_messages),
        TEST(what_a_slice_of_turns_produced_stays_until_the_clear),
        TEST(input_over_the_message_limit),
        TEST(a_turn_observes_its_element_and_nothing_else),
        TEST(answers_are_replies),
        TEST(time_never_goes_back),
        TEST(random_bytes_are_those_of_the_element),
        TEST(a_failing_engine_makes_no_element),
        TEST(an_engine_that_breaks_its_promises_makes_no_element),
        TEST(stages_are_measured_when_there_is_a_clock),
        TEST(a_large_turn_does_not_hold_its_memory),
        TEST(a_query_keeps_nothing),
    };
    return cmocka_run_group_tests_name("actor: turns", tests, NULL, NULL);
}
