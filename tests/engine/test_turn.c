/* What a turn gives: results, errors, fuel, and nothing that passes from one turn to the next. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "engine_support.h"

static void init_gives_the_first_state(void **state)
{
    for (int which = 0; which < TEST_ENGINES; which++) {
        th_engine_component *component = test_component(test_engine(which), "echo");
        test_run run;
        test_run_begin(&run);
        test_run_init(&run, component, test_text("config"));
        assert_int_equal(run.outcome, TH_ENGINE_OK);
        assert_true(run.result.valid);
        test_assert_bytes(run.result.state, "config", 6);
        test_assert_bytes(run.result.output, "", 0);
        assert_null(run.result.trap);
        assert_null(run.result.detail);
        test_run_end(&run);
        th_engine_component_free(component);
    }
}

static void handle_gives_output_and_state(void **state)
{
    th_engine_component *component = test_component(test_engine(TEST_CRANELIFT), "set_state");
    test_run run;
    test_run_begin(&run);
    test_run_handle(&run, component, test_text("new"), test_text("before"));
    assert_int_equal(run.outcome, TH_ENGINE_OK);
    assert_true(run.result.valid);
    test_assert_bytes(run.result.state, "new", 3);
    test_assert_bytes(run.result.output, "before", 6);
    test_run_end(&run);

    test_run_begin(&run);
    test_run_handle(&run, component, test_text("!new"), test_text("before"));
    assert_int_equal(run.outcome, TH_ENGINE_OK);
    assert_false(run.result.valid);
    test_assert_bytes(run.result.state, "!new", 4);
    test_run_end(&run);

    test_run_begin(&run);
    test_run_handle(&run, component, test_text(""), test_text(""));
    assert_int_equal(run.outcome, TH_ENGINE_OK);
    test_assert_bytes(run.result.state, "", 0);
    test_run_end(&run);
    th_engine_component_free(component);
}

static void an_error_gives_its_text(void **state)
{
    th_engine_component *component = test_component(test_engine(TEST_CRANELIFT), "handle_error");
    test_run run;
    test_run_begin(&run);
    test_run_handle(&run, component, test_text("it is no good"), test_text("state"));
    assert_int_equal(run.outcome, TH_ENGINE_ERROR);
    test_assert_bytes(run.result.output, "it is no good", 13);
    test_assert_bytes(run.result.state, "", 0);
    assert_true(run.fuel > 0);
    test_run_end(&run);
    th_engine_component_free(component);

    component = test_component(test_engine(TEST_CRANELIFT), "init_error");
    test_run_begin(&run);
    test_run_init(&run, component, test_text(""));
    assert_int_equal(run.outcome, TH_ENGINE_ERROR);
    test_assert_bytes(run.result.output, "no such configuration", 21);
    test_run_end(&run);
    th_engine_component_free(component);
}

static void verify_state_alone_is_a_turn(void **state)
{
    th_engine_component *component = test_component(test_engine(TEST_CRANELIFT), "counter");
    test_run run;
    test_run_begin(&run);
    run.options.context = &run;
    assert_int_equal(th_engine_turn_begin(component, &run.options, &run.turn, &run.result), TH_ENGINE_OK);
    assert_int_equal(th_engine_turn_verify_state(run.turn, test_text("12345678"), &run.result), TH_ENGINE_OK);
    assert_true(run.result.valid);
    test_run_end(&run);
    assert_int_equal(th_engine_turn_begin(component, &run.options, &run.turn, &run.result), TH_ENGINE_OK);
    assert_int_equal(th_engine_turn_verify_state(run.turn, test_text("1234567"), &run.result), TH_ENGINE_OK);
    assert_false(run.result.valid);
    test_run_end(&run);
    th_engine_component_free(component);
}

static void results_are_taken_before_the_post_return(void **state)
{
    for (int which = 0; which < TEST_ENGINES; which++) {
        th_engine_component *component = test_component(test_engine(which), "clobber");
        test_run run;
        test_run_begin(&run);
        test_run_handle(&run, component, test_text("the output"), test_text("the state"));
        assert_int_equal(run.outcome, TH_ENGINE_OK);
        test_assert_bytes(run.result.output, "the output", 10);
        test_assert_bytes(run.result.state, "the state", 9);
        test_run_end(&run);
        th_engine_component_free(component);
    }
}

static void no_memory_passes_between_turns(void **state)
{
    static const uint8_t zeros[12];
    for (int which = 0; which < TEST_ENGINES; which++) {
        th_engine_component *component = test_component(test_engine(which), "memory_of_before");
        th_engine_component *other = test_component(test_engine(which), "clobber");
        for (int i = 0; i < 20; i++) {
            test_run run;
            test_run_begin(&run);
            /* The slots of another component's turns are used too. */
            test_run_handle(&run, i % 3 == 2 ? other : component, test_text("twelve bytes"), test_text(""));
            assert_int_equal(run.outcome, TH_ENGINE_OK);
            test_assert_bytes(run.result.output, i % 3 == 2 ? (const void *)"twelve bytes" : zeros, 12);
            test_run_end(&run);
        }
        th_engine_component_free(component);
        th_engine_component_free(other);
    }
}

static void the_turns_of_a_pool_are_bounded(void **state)
{
    th_engine_options options = {.turns = 2, .keep_resident_bytes = UINT64_MAX};
    th_engine *engine = th_engine_new(&options, NULL, 0);
    assert_non_null(engine);
    th_engine_component *component = test_component(engine, "echo");
    test_run run[3];
    for (int i = 0; i < 3; i++) {
        test_run_begin(&run[i]);
        test_run_handle(&run[i], component, test_text("in"), test_text("state"));
    }
    assert_int_equal(run[0].outcome, TH_ENGINE_OK);
    assert_int_equal(run[1].outcome, TH_ENGINE_OK);
    assert_int_equal(run[2].outcome, TH_ENGINE_FAILED);
    assert_non_null(strstr(run[2].result.detail, "concurrent limit"));
    for (int i = 0; i < 3; i++)
        test_run_end(&run[i]);
    test_run_begin(&run[0]);
    test_run_handle(&run[0], component, test_text("in"), test_text("state"));
    assert_int_equal(run[0].outcome, TH_ENGINE_OK);
    test_run_end(&run[0]);
    th_engine_component_free(component);
    th_engine_free(engine);
}

/* Stores wait for the next turn of their thread, and slots for the next store: neither is lost when threads come
 * and go, components too. */
static void *one_turn(void *argument)
{
    test_run run;
    test_run_begin(&run);
    test_run_handle(&run, argument, test_text("twelve bytes"), test_text(""));
    bool ok = run.outcome == TH_ENGINE_OK;
    test_run_end(&run);
    return ok ? NULL : argument;
}

static void threads_and_components_come_and_go(void **state)
{
    th_engine_options options = {.turns = 4, .keep_resident_bytes = UINT64_MAX};
    th_engine *engine = th_engine_new(&options, NULL, 0);
    assert_non_null(engine);
    for (int i = 0; i < 20; i++) {
        th_engine_component *component = test_component(engine, i % 2 ? "memory_of_before" : "data");
        pthread_t threads[4];
        for (int k = 0; k < 4; k++)
            assert_int_equal(pthread_create(&threads[k], NULL, one_turn, component), 0);
        for (int k = 0; k < 4; k++) {
            void *wrong = NULL;
            pthread_join(threads[k], &wrong);
            assert_null(wrong);
        }
        th_engine_component_free(component);
    }
    th_engine_free(engine);
}

/* Bytes of address space that the process has. */
static uint64_t address_space(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%lu", &pages), 1);
    fclose(file);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void *some_turns(void *argument)
{
    for (int i = 0; i < 7; i++)
        if (one_turn(argument))
            return argument;
    return NULL;
}

/* Each component leaves a store with seven memories on a thread that ends. Who drops the component is given their
 * slots, and never takes one. */
static void slots_that_nobody_takes_are_bounded(void **state)
{
    th_engine_options options = {.turns = 4, .keep_resident_bytes = UINT64_MAX};
    th_engine *engine = th_engine_new(&options, NULL, 0);
    assert_non_null(engine);
    uint64_t before = address_space();
    for (int i = 0; i < 30; i++) {
        th_engine_component *component = test_component(engine, "memory_of_before");
        pthread_t thread;
        void *wrong = NULL;
        assert_int_equal(pthread_create(&thread, NULL, some_turns, component), 0);
        pthread_join(thread, &wrong);
        assert_null(wrong);
        th_engine_component_free(component);
    }
    /* 16 slots of 4 GiB and their guards, where there were 210. */
    uint64_t slots = (address_space() - before) >> 32;
    if (slots > 20)
        fail_msg("room for %llu memories is kept", (unsigned long long)slots);
    th_engine_free(engine);
}

/* Where there is no pool, as where a process is given too little address space for one, memories of turns that
 * ended are not kept: there is room for two here. */
static void without_a_pool_nothing_is_kept(void **state)
{
    th_engine_component *component = test_component(test_engine(TEST_ON_DEMAND), "memory_of_before");
    struct rlimit before, narrow;
    assert_null(one_turn(component));
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    narrow = before;
    narrow.rlim_cur = address_space() + ((uint64_t)9 << 30);
    assert_int_equal(setrlimit(RLIMIT_AS, &narrow), 0);
    void *wrong = some_turns(component);
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
    assert_null(wrong);
    th_engine_component_free(component);
}

static void *many_turns(void *argument)
{
    th_engine_component *component = argument;
    for (uint64_t i = 0; i < 500; i++) {
        test_run run;
        test_run_begin(&run);
        test_run_handle(&run, component, (th_engine_bytes){(uint8_t *)&i, 8},
                        (th_engine_bytes){(uint8_t *)&i, 8});
        uint64_t next = 0;
        if (run.outcome == TH_ENGINE_OK && run.result.state.size == 8)
            memcpy(&next, run.result.state.data, 8);
        test_run_end(&run);
        if (next != i + 1)
            return component;
    }
    return NULL;
}

static void threads_share_an_engine_and_a_component(void **state)
{
    th_engine_component *component = test_component(test_engine(TEST_CRANELIFT), "counter");
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, many_turns, component), 0);
    for (int i = 0; i < 4; i++) {
        void *wrong = NULL;
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    th_engine_component_free(component);
}

static void names_that_are_no_text_make_no_turn(void **state)
{
    th_engine_component *component = test_component(test_engine(TEST_CRANELIFT), "echo");
    test_run run;
    test_run_begin(&run);
    run.options.self_name = test_text("\xff");
    test_run_handle(&run, component, test_text(""), test_text(""));
    assert_int_equal(run.outcome, TH_ENGINE_FAILED);
    assert_null(run.turn);
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
        cmocka_unit_test(init_gives_the_first_state),
        cmocka_unit_test(handle_gives_output_and_state),
        cmocka_unit_test(an_error_gives_its_text),
        cmocka_unit_test(verify_state_alone_is_a_turn),
        cmocka_unit_test(results_are_taken_before_the_post_return),
        cmocka_unit_test(no_memory_passes_between_turns),
        cmocka_unit_test(the_turns_of_a_pool_are_bounded),
        cmocka_unit_test(threads_share_an_engine_and_a_component),
        cmocka_unit_test(threads_and_components_come_and_go),
        cmocka_unit_test(slots_that_nobody_takes_are_bounded),
        cmocka_unit_test(without_a_pool_nothing_is_kept),
        cmocka_unit_test(names_that_are_no_text_make_no_turn),
    };
    return cmocka_run_group_tests(tests, NULL, done);
}
