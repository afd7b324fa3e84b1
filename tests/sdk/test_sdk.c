/* The SDK's headers, by an actor that calls all of them (everything/). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "sdk/actor_run.h"

static void start(actor_run *run)
{
    assert_int_equal(actor_run_start(run, "everything", "abcd"), TH_ENGINE_OK);
    assert_int_equal(run->state.size, 4);
}

static void test_source_is_told_in_all_its_forms(void **unused)
{
    actor_run run;
    start(&run);
    assert_memory_equal(run.log.data, "2 0 \"\" 0 fine\n", run.log.size);
    assert_true(actor_run_gives(&run, "source", "1 \"\" 0 fine"));
    run.options.has_principal = true;
    run.options.source_name = (th_engine_bytes){(const uint8_t *)"al\"ice", 6};
    assert_true(actor_run_gives(&run, "source", "1 principal \"al\\\"ice\" 0 fine"));
    run.options.source_kind = TH_ENGINE_SOURCE_ACTOR;
    assert_true(actor_run_gives(&run, "source", "2 \"al\\\"ice\" 0 fine"));
    run.options.source_kind = TH_ENGINE_SOURCE_REPLY;
    run.options.reply_request = UINT64_MAX;
    assert_true(actor_run_gives(&run, "source", "3 \"\" 18446744073709551615 fine"));
    run.options.reply_failed = true;
    assert_true(actor_run_gives(&run, "source", "3 \"\" 18446744073709551615 failed"));
    actor_run_done(&run);
}

static void test_numbers_are_read_and_written(void **unused)
{
    actor_run run;
    start(&run);
    assert_true(actor_run_gives(
        &run, "numbers 1 1.5 0.001 1.0005 -7 deadBEEF 12345678",
        "1.000,1, | 1.500,, | 0.001,, | ,, | ,-7, | ,,deadbeef | 12345678.000,12345678,12345678"));
    assert_true(actor_run_gives(
        &run, "numbers 18446744073709551.615 18446744073709551.616 9223372036854775808 -9223372036854775808",
        "18446744073709551.615,, | ,, | ,, | ,-9223372036854775808,"));
    assert_true(actor_run_gives(&run, "numbers - . 1. 5g5g5g5g", ",, | ,, | ,, | ,,"));
    actor_run_done(&run);
}

static void test_json_strings_are_unescaped(void **unused)
{
    actor_run run;
    start(&run);
    assert_true(actor_run_gives(&run,
                                "json [\"ab\", \"\\u0041\\n\\\"\\\\\" , \"\\u00e9\\u20ac\\ud83d\\ude00\"]",
                                "abA\n\"\\\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"));
    assert_true(actor_run_gives(&run, "json []", ""));
    assert_true(actor_run_gives(&run, "json [\"a string of more than eight characters\\t.\"]",
                                "a string of more than eight characters\t."));
    static const char *const bad[] = {
        "json [\"a\" \"b\"]",
        "json [\"a\",]",
        "json [,\"a\"]",
        "json [1]",
        "json [\"\\ude00\"]",
        "json [\"\\ud83dx\"]",
        "json [\"\\ud83d\\u0041\"]",
        "json [\"\\q\"]",
        "json [\"\\u12g4\"]",
        "json [\"\\",
        "json [\"abcdefgh\n\"]",
        "json [\"a\\\n\"]",
        "json [\"abc",
        "json {}",
        "json [] []",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_true(actor_run_gives(&run, bad[i], "failed"));
    actor_run_done(&run);
}

static void test_host_functions_answer(void **unused)
{
    actor_run run;
    start(&run);
    assert_true(actor_run_gives(&run, "turn", "1700000000000000000 1 self"));
    assert_int_equal(actor_run_handle(&run, th_slice_text("random")), TH_ENGINE_OK);
    assert_int_equal(run.output.size, 5);
    assert_memory_equal(run.output.data, "\0\1\2\3\4", 5);
    assert_true(actor_run_gives(&run, "talk", "196609"));
    assert_int_equal(run.sent_count, 2);
    assert_string_equal(run.sent[0].to, "a.b");
    assert_string_equal(run.sent[0].payload, "one");
    assert_string_equal(run.sent[1].to, "c");
    assert_string_equal(run.sent[1].payload, "two");
    assert_memory_equal(run.log.data, "0 low\n4 high\n", run.log.size);
    actor_run_done(&run);
}

static void test_the_state_grows_and_is_zero_where_new(void **unused)
{
    actor_run run;
    start(&run);
    assert_true(actor_run_gives(&run, "grow", "abcd"));
    assert_int_equal(run.state.size, 100004);
    assert_memory_equal(run.state.data, "abcd", 4);
    for (size_t i = 4; i < 100003; i++)
        assert_int_equal(run.state.data[i], 0);
    assert_int_equal(run.state.data[100003], 1);
    assert_true(actor_run_gives(&run, "dirty", "spoilt"));
    assert_true(actor_run_gives(&run, "empty", ""));
    assert_int_equal(run.state.size, 0);
    actor_run_done(&run);
}

static void test_failures_keep_the_state(void **unused)
{
    actor_run run;
    start(&run);
    run.options.memory_bytes = 4 << 20;
    assert_true(actor_run_rejects(&run, "what", "\xc3\xa9"));
    assert_int_equal(actor_run_handle(&run, th_slice_text("trap")), TH_ENGINE_TRAP);
    assert_string_equal(run.trap, "unreachable");
    assert_int_equal(actor_run_handle(&run, th_slice_text("fill")), TH_ENGINE_TRAP);
    assert_string_equal(run.trap, "unreachable");
    assert_int_equal(run.state.size, 4);
    actor_run_done(&run);
    assert_int_equal(actor_run_start(&run, "everything", "abc"), TH_ENGINE_OK);
    assert_false(run.valid);
    actor_run_done(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_source_is_told_in_all_its_forms),
        cmocka_unit_test(test_numbers_are_read_and_written),
        cmocka_unit_test(test_json_strings_are_unescaped),
        cmocka_unit_test(test_host_functions_answer),
        cmocka_unit_test(test_the_state_grows_and_is_zero_where_new),
        cmocka_unit_test(test_failures_keep_the_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
