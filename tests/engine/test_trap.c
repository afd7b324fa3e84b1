/* Each end of a turn has the outcome and the word that the chain format's table of codes gives it, under both
 * engines. */
#include "engine_support.h"

static const struct {
    char input;
    th_engine_outcome outcome;
    const char *trap;
} cases[] = {
    {'k', TH_ENGINE_OK, NULL},         {'u', TH_ENGINE_TRAP, "unreachable"},
    {'m', TH_ENGINE_TRAP, "memory"},   {'f', TH_ENGINE_TRAP, "memory"},
    {'s', TH_ENGINE_TRAP, "memory"},   {'t', TH_ENGINE_TRAP, "table"},
    {'n', TH_ENGINE_TRAP, "table"},    {'y', TH_ENGINE_TRAP, "table"},
    {'e', TH_ENGINE_TRAP, "table"},    {'d', TH_ENGINE_TRAP, "division"},
    {'r', TH_ENGINE_TRAP, "division"}, {'o', TH_ENGINE_TRAP, "integer"},
    {'i', TH_ENGINE_TRAP, "integer"},  {'N', TH_ENGINE_TRAP, "integer"},
    {'z', TH_ENGINE_TRAP, "abi"},      {'p', TH_ENGINE_TRAP, "abi"},
    {'q', TH_ENGINE_TRAP, "abi"},      {'D', TH_ENGINE_TRAP, "abi"},
    {'x', TH_ENGINE_TRAP, "abi"},      {'l', TH_ENGINE_TRAP, "abi"},
    {'b', TH_ENGINE_TRAP, "abi"},      {'v', TH_ENGINE_TRAP, "abi"},
    {'S', TH_ENGINE_TRAP, "abi"},      {'a', TH_ENGINE_TRAP, "unreachable"},
    {'c', TH_ENGINE_TRAP, "abi"},      {'L', TH_ENGINE_OUT_OF_FUEL, NULL},
    {'R', TH_ENGINE_STACK, NULL},
};

static void assert_trap(const test_run *run, const char *name, th_engine_outcome outcome, const char *trap)
{
    if (run->outcome != outcome || (trap == NULL) != (run->result.trap == NULL) ||
        (trap && strcmp(trap, run->result.trap) != 0))
        fail_msg("%s: outcome %d, trap %s; expected %d, %s\n%s", name, run->outcome,
                 run->result.trap ? run->result.trap : "none", outcome, trap ? trap : "none",
                 run->result.detail ? run->result.detail : "");
    if (outcome != TH_ENGINE_OK)
        assert_non_null(run->result.detail);
}

static void every_kind_of_trap_has_its_word(void **state)
{
    for (int which = 0; which < TEST_ENGINES; which++) {
        th_engine_component *component = test_component(test_engine(which), "traps");
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            test_run run;
            test_run_begin(&run);
            char input[2] = {cases[i].input, 0};
            test_run_handle(&run, component, test_text(input), test_text("state"));
            assert_trap(&run, input, cases[i].outcome, cases[i].trap);
            /* No callback heard of a call that the canonical ABI refuses. */
            assert_int_equal(run.callbacks, 0);
            test_run_end(&run);
        }
        th_engine_component_free(component);
    }
}

static void a_trap_may_come_at_any_step(void **state)
{
    static const struct {
        const char *fixture;
        bool init;
        th_engine_outcome outcome;
        const char *trap;
    } steps[] = {
        {"start_trap", true, TH_ENGINE_TRAP, "unreachable"},
        {"start_segment", true, TH_ENGINE_TRAP, "memory"},
        {"segment_outside", true, TH_ENGINE_TRAP, "memory"},
        {"start_text", true, TH_ENGINE_TRAP, "abi"},
        {"init_trap", true, TH_ENGINE_TRAP, "unreachable"},
        {"init_loop", true, TH_ENGINE_OUT_OF_FUEL, NULL},
        {"verify_trap", true, TH_ENGINE_TRAP, "unreachable"},
        {"verify_loop", false, TH_ENGINE_OUT_OF_FUEL, NULL},
        {"endless_loop", false, TH_ENGINE_OUT_OF_FUEL, NULL},
        {"endless_recursion", false, TH_ENGINE_STACK, NULL},
        {"log_then_trap", false, TH_ENGINE_TRAP, "unreachable"},
    };
    for (int which = 0; which < TEST_ENGINES; which++) {
        for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
            th_engine_component *component = test_component(test_engine(which), steps[i].fixture);
            test_run run;
            test_run_begin(&run);
            if (steps[i].init)
                test_run_init(&run, component, test_text("config"));
            else
                test_run_handle(&run, component, test_text("input"), test_text("state"));
            assert_trap(&run, steps[i].fixture, steps[i].outcome, steps[i].trap);
            if (steps[i].outcome == TH_ENGINE_OUT_OF_FUEL)
                assert_int_equal(run.fuel, run.options.fuel);
            test_run_end(&run);
            th_engine_component_free(component);
        }
    }
}

static void the_detail_names_the_guests_functions(void **state)
{
    th_engine_component *component = test_component(test_engine(TEST_CRANELIFT), "endless_loop");
    test_run run;
    test_run_begin(&run);
    test_run_handle(&run, component, test_text(""), test_text(""));
    assert_non_null(strstr(run.result.detail, "handle"));
    assert_non_null(strstr(run.result.detail, "fuel"));
    test_run_end(&run);
    th_engine_component_free(component);
}

static void nothing_runs_after_the_end(void **state)
{
    th_engine_component *component = test_component(test_engine(TEST_CRANELIFT), "handle_error");
    test_run run;
    test_run_begin(&run);
    test_run_handle(&run, component, test_text("no"), test_text(""));
    assert_int_equal(run.outcome, TH_ENGINE_ERROR);
    assert_int_equal(th_engine_turn_verify_state(run.turn, test_text(""), &run.result), TH_ENGINE_FAILED);
    assert_non_null(run.result.detail);
    test_run_end(&run);
    th_engine_component_free(component);
}

static int done(void **state)
{
    test_engines_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_trap_has_its_word),
        cmocka_unit_test(a_trap_may_come_at_any_step),
        cmocka_unit_test(the_detail_names_the_guests_functions),
        cmocka_unit_test(nothing_runs_after_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, done);
}
