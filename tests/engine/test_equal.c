/* One result and one fuel count for a turn, whatever runs it: Cranelift, Pulley, without the pool, from the
 * compiled form. */
#include <stdlib.h>

#include "engine_support.h"

static const struct {
    const char *fixture, *input, *state;
} turns[] = {
    {"echo", "hello", "state"},
    {"counter", "x", "12345678"},
    {"set_state", "new", "old"},
    {"handle_error", "why", ""},
    {"no_host", "a", "b"},
    {"extra_export", "a", "b"},
    {"observe", "", "state"},
    {"send", "someone", ""},
    {"request", "someone", ""},
    {"random", "\x21\x01\x01", "s"},
    {"bounds", "", ""},
    {"nan", "", ""},
    {"huge_output", "\x11\x22\x33", ""},
    {"huge_state", "\x44\x55\x16", ""},
    {"recursion", "\x10\x27", ""},
    {"clobber", "in", "state"},
    {"endless_growth", "", ""},
    {"memory_of_before", "", ""},
    {"data", "four", "state"},
    {"data_named", "four", "state"},
    {"data_pool", "four", "state"},
    {"data_paged", "many", "state"},
    {"data_paged", "grow", "state"},
    {"traps", "k", "s"},
};

static th_engine_component *compiled_before(th_engine *engine, const char *name)
{
    th_engine_component *component = test_component(engine, name);
    th_engine_bytes compiled;
    char error[500] = "";
    assert_true(th_engine_serialize(component, &compiled, error, sizeof error));
    th_engine_component_free(component);
    component = th_engine_deserialize(engine, compiled, error, sizeof error);
    th_engine_bytes_free(compiled);
    if (component == NULL)
        fail_msg("%s: %s", name, error);
    return component;
}

static void a_turn_comes_out_the_same_everywhere(void **state)
{
    for (size_t i = 0; i < sizeof turns / sizeof *turns; i++) {
        test_run first;
        th_engine_component *component = test_component(test_engine(TEST_CRANELIFT), turns[i].fixture);
        /* Numbers are read four bytes wide, so the zero at the end of a text belongs to them. */
        th_engine_bytes input = test_text(turns[i].input);
        input.size += input.size == 3 || input.size == 2;
        test_run_begin(&first);
        first.options.fuel = 100000000;
        test_run_handle(&first, component, input, test_text(turns[i].state));
        if (first.outcome != TH_ENGINE_OK && first.outcome != TH_ENGINE_ERROR)
            fail_msg("%s: outcome %d %s", turns[i].fixture, first.outcome, first.result.detail);
        for (int which = 0; which < 2 * TEST_ENGINES; which++) {
            th_engine *engine = test_engine(which % TEST_ENGINES);
            th_engine_component *other = which < TEST_ENGINES ? test_component(engine, turns[i].fixture)
                                                              : compiled_before(engine, turns[i].fixture);
            test_run run;
            test_run_begin(&run);
            run.options.fuel = 100000000;
            test_run_handle(&run, other, input, test_text(turns[i].state));
            if (run.outcome != first.outcome || run.fuel != first.fuel)
                fail_msg("%s: outcome %d, fuel %llu; before %d, %llu", turns[i].fixture, run.outcome,
                         (unsigned long long)run.fuel, first.outcome, (unsigned long long)first.fuel);
            test_assert_bytes(run.result.output, first.result.output.data, first.result.output.size);
            test_assert_bytes(run.result.state, first.result.state.data, first.result.state.size);
            assert_string_equal(run.notes, first.notes);
            test_run_end(&run);
            th_engine_component_free(other);
        }
        test_run_end(&first);
        th_engine_component_free(component);
    }
}

static void nans_are_canonical_and_positive(void **state)
{
    for (int which = 0; which < TEST_ENGINES; which++) {
        th_engine_component *component = test_component(test_engine(which), "nan");
        test_run run;
        test_run_begin(&run);
        test_run_handle(&run, component, test_text(""), test_text(""));
        assert_int_equal(run.outcome, TH_ENGINE_OK);
        assert_int_equal(run.result.output.size, 64);
        const uint8_t *bytes = run.result.output.data;
        for (size_t at = 0; at < 64; at += at < 16 || (at >= 32 && at < 48) ? 4 : 8) {
            uint32_t narrow;
            uint64_t wide;
            memcpy(&narrow, bytes + at, 4);
            if (at < 16 || (at >= 32 && at < 48)) {
                assert_int_equal(narrow, 0x7fc00000);
            } else {
                memcpy(&wide, bytes + at, 8);
                assert_int_equal(wide, 0x7ff8000000000000);
            }
        }
        test_run_end(&run);
        th_engine_component_free(component);
    }
}

/* The counts that the chain format promises under the name wasmtime-48: a build that counts otherwise may not
 * use it. */
static void the_fuel_is_that_of_the_name(void **state)
{
    assert_string_equal(th_engine_name(), "wasmtime-48");
    static const struct {
        const char *fixture, *input, *state;
        uint64_t fuel;
    } known[] = {{"no_host", "a", "b", 10}, {"counter", "x", "12345678", 116}, {"nan", "", "", 150}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        th_engine_component *component = test_component(test_engine(TEST_CRANELIFT), known[i].fixture);
        test_run run;
        test_run_begin(&run);
        test_run_handle(&run, component, test_text(known[i].input), test_text(known[i].state));
        assert_int_equal(run.outcome, TH_ENGINE_OK);
        if (run.fuel != known[i].fuel)
            fail_msg("%s used %llu", known[i].fixture, (unsigned long long)run.fuel);
        test_run_end(&run);
        th_engine_component_free(component);
    }
}

/* Runs `component` in turns of which some trap or run out of fuel, beside one whose memory Wasmtime makes. */
static void compare_with_others(const char *name)
{
    static const char output[] = "abcdEFGH\1\0\0\0";
    for (int which = 0; which < TEST_ENGINES; which++) {
        th_engine_component *small = test_component(test_engine(which), name);
        th_engine_component *other = test_component(test_engine(which), "data_pool");
        test_run first;
        test_run_begin(&first);
        test_run_handle(&first, other, test_text("four"), test_text("state"));
        assert_int_equal(first.outcome, TH_ENGINE_OK);
        test_assert_bytes((th_engine_bytes){first.result.output.data, 12}, output, 12);
        for (int i = 0; i < 100; i++) {
            test_run run;
            test_run_begin(&run);
            bool trap = i % 7 == 3;
            if (i % 11 == 5)
                run.options.fuel = 10;
            test_run_handle(&run, small, test_text(trap ? "!" : "four"), test_text("state"));
            if (i % 11 == 5) {
                assert_int_equal(run.outcome, TH_ENGINE_OUT_OF_FUEL);
            } else if (trap) {
                assert_int_equal(run.outcome, TH_ENGINE_TRAP);
            } else {
                assert_int_equal(run.outcome, TH_ENGINE_OK);
                assert_int_equal(run.fuel, first.fuel);
                test_assert_bytes(run.result.output, first.result.output.data, first.result.output.size);
                test_assert_bytes(run.result.state, "state", 5);
            }
            test_run_end(&run);
        }
        test_run_end(&first);
        th_engine_component_free(small);
        th_engine_component_free(other);
    }
}

/* The memory of a small component is made and reset by the engine itself, and its store serves several turns:
 * whatever came before, a turn is that of a component whose memory Wasmtime makes. */
static void small_components_are_as_fresh_as_others(void **state)
{
    compare_with_others("data");
}

/* The same of a component whose pages are mapped, and written back after a turn. */
static void paged_components_are_as_fresh_as_others(void **state)
{
    compare_with_others("data_named");
}

/* Whatever a turn wrote, few pages, many, all, or more than there were, and however it ended: the next one
 * begins with the memory of the first. */
static void pages_come_back_after_every_turn(void **state)
{
    static const char *const inputs[] = {"1", "many", "2", "1", "grow", "3",  "grow", "whole",
                                         "4", "!",    "1", "?", "many", "?1", "2",    "grow"};
    for (int which = 0; which < TEST_ENGINES; which++) {
        th_engine_component *component = test_component(test_engine(which), "data_paged");
        uint64_t fresh = 0;
        for (size_t i = 0; i < 5 * sizeof inputs / sizeof *inputs; i++) {
            const char *input = inputs[(i * 7 + i / 16) % (sizeof inputs / sizeof *inputs)];
            test_run run;
            uint64_t found[3];
            test_run_begin(&run);
            run.options.fuel = 100000000;
            test_run_handle(&run, component, test_text(input), test_text("state"));
            if (*input == '!' || *input == '?') {
                assert_int_equal(run.outcome, TH_ENGINE_TRAP);
            } else {
                assert_int_equal(run.outcome, TH_ENGINE_OK);
                assert_int_equal(run.result.output.size, sizeof found);
                memcpy(found, run.result.output.data, sizeof found);
                fresh = fresh ? fresh : found[0];
                if (found[0] != fresh || found[1] != 0 || memcmp(&found[2], "passive!", 8) != 0)
                    fail_msg("turn %zu, %s: %llx is not %llx, or %llx is not 0", i, input,
                             (unsigned long long)found[0], (unsigned long long)fresh,
                             (unsigned long long)found[1]);
            }
            test_run_end(&run);
        }
        assert_int_not_equal(fresh, 0);
        th_engine_component_free(component);
    }
}

static int done(void **state)
{
    test_engines_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_turn_comes_out_the_same_everywhere),
        cmocka_unit_test(nans_are_canonical_and_positive),
        cmocka_unit_test(the_fuel_is_that_of_the_name),
        cmocka_unit_test(small_components_are_as_fresh_as_others),
        cmocka_unit_test(paged_components_are_as_fresh_as_others),
        cmocka_unit_test(pages_come_back_after_every_turn),
    };
    return cmocka_run_group_tests(tests, NULL, done);
}
