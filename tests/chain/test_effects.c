/* Effects: what a turn collects, where its limits are, what a rejection keeps. */
#include "fixture.h"

static th_effects effects;

static int begin(void **state)
{
    th_effects_init(&effects);
    th_effects_begin(&effects, 7, 100, 1000);
    return 0;
}

static int end(void **state)
{
    th_effects_done(&effects);
    return 0;
}

static th_turn_limit log_line(const char *text)
{
    th_turn_limit passed;
    assert_ok(th_effects_log(&effects, 2, th_slice_text(text), &passed, reterr));
    return passed;
}

static th_turn_limit message(const char *to, th_slice payload, bool request, uint64_t *ret_request)
{
    th_turn_limit passed;
    th_hash hash;
    assert_ok(th_effects_message(&effects, fixture_hasher(), th_slice_text(to), payload, request, ret_request,
                                 &hash, &passed, reterr));
    if (!passed) {
        th_hash expected;
        th_sha256_of(fixture_hasher(), payload, &expected);
        assert_hash_equal(&hash, &expected);
    }
    return passed;
}

static void no_effects_are_the_empty_array(void **state)
{
    th_slice payload;
    assert_ok(th_effects_finish(&effects, &payload, reterr));
    assert_true(th_slice_equal(payload, th_slice_of("\x80", 1)));
}

static void effects_stand_in_order_and_are_read_back(void **state)
{
    uint64_t first, second, plain = 99;
    assert_int_equal(log_line("one"), TH_LIMIT_NONE);
    assert_int_equal(message("other", th_slice_text("x"), true, &first), TH_LIMIT_NONE);
    assert_int_equal(message("a.b", th_slice_text(""), false, &plain), TH_LIMIT_NONE);
    assert_int_equal(message("other", th_slice_text("y"), true, &second), TH_LIMIT_NONE);
    assert_true(first == 7 * 65536 + 1);
    assert_true(second == 7 * 65536 + 2);
    assert_true(plain == 0);
    assert_int_equal(effects.count, 4);
    assert_int_equal(effects.messages, 3);

    th_slice payload;
    th_effects_reader reader;
    th_effect effect;
    bool more;
    assert_ok(th_effects_finish(&effects, &payload, reterr));
    assert_ok(th_effects_read(payload, 7, &reader, reterr));
    assert_int_equal(reader.count, 4);
    uint64_t charged = 2; /* the payloads of one byte */
    for (size_t i = 0; i < 4; i++) {
        assert_ok(th_effects_next(&reader, &effect, &more, reterr));
        assert_true(more);
        assert_int_equal(effect.index, i);
        assert_int_equal(effect.kind, i == 0 ? TH_EFFECT_LOG : TH_EFFECT_MESSAGE);
        charged += effect.encoding.size;
    }
    assert_true(effect.request == second);
    assert_true(th_slice_equal(effect.to, th_slice_text("other")));
    assert_true(effects.charged == charged);
    assert_ok(th_effects_next(&reader, &effect, &more, reterr));
    assert_false(more);
}

static void the_head_of_the_array_grows(void **state)
{
    const uint64_t counts[] = {1, 23, 24, 255, 256, 65536};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        th_effects_begin(&effects, 7, 100, 1 << 30);
        for (uint64_t k = 0; k < counts[i]; k++)
            assert_int_equal(log_line("x"), TH_LIMIT_NONE);
        th_slice payload;
        th_effects_reader reader;
        assert_ok(th_effects_finish(&effects, &payload, reterr));
        assert_int_equal(payload.size, th_cbor_head_size(counts[i]) + 5 * counts[i]);
        assert_ok(th_effects_read(payload, 7, &reader, reterr));
        assert_true(reader.count == counts[i]);
    }
}

static void limits_are_tested_in_their_order(void **state)
{
    uint64_t id;
    char large[1001] = {0};
    th_effects_begin(&effects, 7, 100, 1);
    assert_int_equal(message("No Name", th_slice_of(large, 101), true, &id), TH_LIMIT_NAME);
    assert_int_equal(message("name", th_slice_of(large, 101), true, &id), TH_LIMIT_PAYLOAD);
    assert_int_equal(message("name", th_slice_of(large, 100), true, &id), TH_LIMIT_EFFECTS);
    th_effects_begin(&effects, (uint64_t)1 << 48, 100, 1);
    assert_int_equal(message("name", th_slice_of(large, 100), true, &id), TH_LIMIT_REQUESTS);
    assert_int_equal(message("name", th_slice_of(large, 100), false, &id), TH_LIMIT_EFFECTS);
    assert_int_equal(effects.count, 0);
}

static void the_effects_limit_holds_to_the_byte(void **state)
{
    uint64_t id;
    /* [1, "b", 32 bytes, 0]: 1 + 1 + 2 + 34 + 1 = 39 bytes, and a payload of 10 */
    th_effects_begin(&effects, 7, 100, 49);
    assert_int_equal(message("b", th_slice_text("0123456789"), false, &id), TH_LIMIT_NONE);
    assert_int_equal(log_line(""), TH_LIMIT_EFFECTS);
    th_effects_begin(&effects, 7, 100, 48);
    assert_int_equal(message("b", th_slice_text("0123456789"), false, &id), TH_LIMIT_EFFECTS);
    assert_int_equal(log_line(""), TH_LIMIT_NONE);
    th_effects_begin(&effects, 7, 100, 4);
    assert_int_equal(log_line("a"), TH_LIMIT_EFFECTS); /* 5 bytes */
    assert_int_equal(log_line(""), TH_LIMIT_NONE); /* 4 bytes */
}

static void what_passes_a_limit_leaves_no_effect(void **state)
{
    uint64_t id;
    th_slice payload;
    th_effects_begin(&effects, 7, 100, 44);
    assert_int_equal(log_line("a"), TH_LIMIT_NONE);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(log_line("a line that does not fit into what is left of it"), TH_LIMIT_EFFECTS);
        assert_int_equal(message("b", th_slice_text("x"), true, &id), TH_LIMIT_EFFECTS);
        assert_int_equal(message("B", th_slice_text(""), true, &id), TH_LIMIT_NAME);
    }
    assert_true(effects.count == 1 && effects.messages == 0 && effects.requests == 0 && effects.charged == 5);
    assert_ok(th_effects_finish(&effects, &payload, reterr));
    assert_int_equal(payload.size, 6);
}

static void a_turn_has_65535_requests(void **state)
{
    uint64_t id;
    th_effects_begin(&effects, 7, 100, UINT64_MAX);
    for (uint32_t i = 1; i <= TH_REQUESTS_MAX; i++) {
        assert_int_equal(message("b", th_slice_text(""), true, &id), TH_LIMIT_NONE);
        assert_true(id == 7 * 65536 + i);
    }
    assert_int_equal(message("b", th_slice_text(""), true, &id), TH_LIMIT_REQUESTS);
    assert_int_equal(message("b", th_slice_text(""), false, &id), TH_LIMIT_NONE);
    th_slice payload;
    th_effects_reader reader;
    th_effect effect;
    bool more = true;
    assert_ok(th_effects_finish(&effects, &payload, reterr));
    assert_ok(th_effects_read(payload, 7, &reader, reterr));
    while (more)
        assert_ok(th_effects_next(&reader, &effect, &more, reterr));
}

static void a_rejection_keeps_its_lines_only(void **state)
{
    uint64_t id;
    th_slice payload, lines;
    th_effects expected;
    th_turn_limit passed;
    th_effects_init(&expected);
    th_effects_begin(&expected, 7, 100, 1000);
    assert_int_equal(message("b", th_slice_text("x"), true, &id), TH_LIMIT_NONE);
    assert_int_equal(log_line("one"), TH_LIMIT_NONE);
    assert_int_equal(message("b", th_slice_text("x"), false, &id), TH_LIMIT_NONE);
    assert_int_equal(log_line("a longer line"), TH_LIMIT_NONE);
    assert_int_equal(message("b", th_slice_text("x"), true, &id), TH_LIMIT_NONE);
    assert_ok(th_effects_log(&expected, 2, th_slice_text("one"), &passed, reterr));
    assert_ok(th_effects_log(&expected, 2, th_slice_text("a longer line"), &passed, reterr));
    assert_ok(th_effects_finish(&expected, &lines, reterr));
    assert_ok(th_effects_finish_rejection(&effects, TH_REJECTED_BY_ACTOR, &payload, reterr));
    assert_true(th_slice_equal(payload, lines));
    assert_int_equal(effects.messages, 0);
    assert_int_equal(effects.count, 2);
    th_effects_done(&expected);
}

static void a_rejection_of_messages_only_has_no_effects(void **state)
{
    uint64_t id;
    th_slice payload;
    assert_int_equal(message("b", th_slice_text("x"), true, &id), TH_LIMIT_NONE);
    assert_ok(th_effects_finish_rejection(&effects, TH_REJECTED_TRAP, &payload, reterr));
    assert_true(th_slice_equal(payload, th_slice_of("\x80", 1)));
}

static void a_stack_overflow_keeps_nothing(void **state)
{
    th_slice payload;
    assert_int_equal(log_line("one"), TH_LIMIT_NONE);
    assert_ok(th_effects_finish_rejection(&effects, TH_REJECTED_STACK, &payload, reterr));
    assert_true(th_slice_equal(payload, th_slice_of("\x80", 1)));
    assert_int_equal(effects.count, 0);
}

static bool reads(const char *bytes, size_t size)
{
    th_effects_reader reader;
    th_effect effect;
    bool more = true;
    if (th_effects_read(th_slice_of(bytes, size), 7, &reader, NULL))
        return false;
    while (more) {
        if (th_effects_next(&reader, &effect, &more, NULL))
            return false;
    }
    return true;
}

static void reading_is_strict(void **state)
{
    assert_true(reads("\x80", 1));
    assert_true(reads("\x81\x83\x00\x04\x61"
                      "a",
                      6));
    assert_false(reads("", 0));
    assert_false(reads("\x80\x00", 2));
    assert_false(reads("\x81", 1));
    assert_false(reads("\x81\x83\x00\x05\x61"
                       "a",
                       6));
    assert_false(reads("\x81\x84\x00\x04\x61"
                       "a\x00",
                       7));
    assert_false(reads("\x81\x83\x00\x04\x41"
                       "a",
                       6));
    assert_false(reads("\x81\x83\x00\x04\x61\xff", 6));
    /* A count that is not that of the kind, with nothing too much or too little behind it. */
    assert_false(reads("\x81\x84\x00\x04\x61z", 6));
    assert_false(reads("\x81\x82\x00\x04\x61z", 6));
    char message_bytes[] = "\x81\x83\x01\x61z\x58\x20................................\x00";
    assert_false(reads(message_bytes, sizeof message_bytes - 1));
    message_bytes[1] = '\x84';
    assert_true(reads(message_bytes, sizeof message_bytes - 1));
    assert_false(reads("\x9f\xff", 2));
    assert_false(reads("\x9b\xff\xff\xff\xff\xff\xff\xff\xff", 9));
}

#ifdef TH_FAULTS
static void no_memory_is_an_error(void **state)
{
    th_effects other;
    th_turn_limit passed;
    th_effects_init(&other);
    th_effects_begin(&other, 7, 100, 1000);
    th_allocation_fail_at(1);
    assert_int_equal(th_effects_log(&other, 2, th_slice_text("x"), &passed, NULL), THEATER_NO_MEMORY);
    th_allocation_fail_at(0);
    assert_int_equal(other.count, 0);
    assert_ok(th_effects_log(&other, 2, th_slice_text("x"), &passed, reterr));
    th_effects_done(&other);
}
#endif

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_effects_are_the_empty_array),
        TEST(effects_stand_in_order_and_are_read_back),
        TEST(the_head_of_the_array_grows),
        TEST(limits_are_tested_in_their_order),
        TEST(the_effects_limit_holds_to_the_byte),
        TEST(what_passes_a_limit_leaves_no_effect),
        TEST(a_turn_has_65535_requests),
        TEST(a_rejection_keeps_its_lines_only),
        TEST(a_rejection_of_messages_only_has_no_effects),
        TEST(a_stack_overflow_keeps_nothing),
        TEST(reading_is_strict),
#ifdef TH_FAULTS
        TEST(no_memory_is_an_error),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
