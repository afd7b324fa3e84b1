/* The example actor `counter`, through its component. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "sdk/actor_run.h"

static void test_it_counts_as_the_vectors_do(void **unused)
{
    actor_run run;
    assert_int_equal(actor_run_start(&run, "counter", "{\"start\":41}"), TH_ENGINE_OK);
    assert_true(run.valid);
    assert_int_equal(run.state.size, 8);
    assert_memory_equal(run.state.data, "\x29\0\0\0\0\0\0\0", 8);
    assert_true(actor_run_gives(&run, "inc", "42"));
    assert_memory_equal(run.state.data, "\x2a\0\0\0\0\0\0\0", 8);
    actor_run_done(&run);
}

static void test_it_adds_and_tells(void **unused)
{
    actor_run run;
    assert_int_equal(actor_run_start(&run, "counter", ""), TH_ENGINE_OK);
    assert_true(actor_run_gives(&run, "get", "0"));
    assert_true(actor_run_gives(&run, "add 000000000007", "7"));
    assert_true(actor_run_gives(&run, "  add -10 \n", "-3"));
    assert_true(actor_run_gives(&run, "inc             ", "-2"));
    assert_true(actor_run_gives(&run, "add 9223372036854775807", "9223372036854775805"));
    assert_true(actor_run_gives(&run, "get", "9223372036854775805"));
    actor_run_done(&run);
}

static void test_it_rejects_what_it_does_not_know(void **unused)
{
    actor_run run;
    assert_int_equal(actor_run_start(&run, "counter", "{\"start\":9223372036854775807}"), TH_ENGINE_OK);
    static const char *const unknown[] = {
        "", "boom", "increase", "add", "add x", "add 1 2", "inc 1", "add 9223372036854775808", "add 1.5"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        assert_int_equal(actor_run_handle(&run, th_slice_text(unknown[i])), TH_ENGINE_ERROR);
    assert_true(actor_run_rejects(&run, "inc", "the counter would overflow"));
    assert_memory_equal(run.state.data, "\xff\xff\xff\xff\xff\xff\xff\x7f", 8);
    actor_run_done(&run);
}

static void test_a_wrong_configuration_is_refused(void **unused)
{
    static const char *const wrong[] = {"41",           "{\"start\":}",   "{\"start\":1.5}", "{\"begin\":1}",
                                        "{\"start\":1", "{\"start\":1}x", "{start:1}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        actor_run run;
        assert_int_equal(actor_run_start(&run, "counter", wrong[i]), TH_ENGINE_ERROR);
        actor_run_done(&run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_counts_as_the_vectors_do),
        cmocka_unit_test(test_it_adds_and_tells),
        cmocka_unit_test(test_it_rejects_what_it_does_not_know),
        cmocka_unit_test(test_a_wrong_configuration_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
