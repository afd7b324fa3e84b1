/* Bounds of a turn: fuel, memory, tables, stack; and that no other bound shows. */
#include <pthread.h>
#include <stdlib.h>

#include "engine_support.h"

static th_engine_bytes number(uint32_t *value)
{
    return (th_engine_bytes){(const uint8_t *)value, sizeof *value};
}

static uint32_t number_at(th_engine_bytes bytes, size_t place)
{
    uint32_t value;
    assert_true(bytes.size >= place * 4 + 4);
    memcpy(&value, bytes.data + place * 4, 4);
    return value;
}

static void the_fuel_of_a_turn_is_the_same_every_time(void **state)
{
    for (int which = 0; which < TEST_ENGINES; which++) {
        th_engine_component *component = test_component(test_engine(which), "counter");
        uint64_t fuel = 0;
        for (int i = 0; i < 10; i++) {
            test_run run;
            test_run_begin(&run);
            test_run_handle(&run, component, test_text("x"), test_text("12345678"));
            assert_int_equal(run.outcome, TH_ENGINE_OK);
            if (i == 0)
                fuel = run.fuel;
            assert_true(fuel > 0);
            assert_int_equal(run.fuel, fuel);
            test_run_end(&run);
        }
        th_engine_component_free(component);
    }
}

static void less_fuel_than_a_turn_needs_ends_it(void **state)
{
    for (int which = 0; which < TEST_ENGINES; which++) {
        th_engine_component *component = test_component(test_engine(which), "echo");
        test_run run;
        test_run_begin(&run);
        test_run_handle(&run, component, test_text("x"), test_text(""));
        uint64_t needed = run.fuel;
        test_run_end(&run);
        for (uint64_t fuel = 0; fuel <= needed + 1; fuel++) {
            test_run_begin(&run);
            run.options.fuel = fuel;
            test_run_handle(&run, component, test_text("x"), test_text(""));
            assert_true(run.fuel <= fuel);
            if (run.outcome == TH_ENGINE_OUT_OF_FUEL)
                assert_int_equal(run.fuel, fuel);
            else
                assert_int_equal(run.outcome, TH_ENGINE_OK);
            if (fuel > needed)
                assert_int_equal(run.outcome, TH_ENGINE_OK);
            if (fuel < needed / 2)
                assert_int_equal(run.outcome, TH_ENGINE_OUT_OF_FUEL);
            test_run_end(&run);
        }
        /* The largest limit that a descriptor can hold is one too. */
        test_run_begin(&run);
        run.options.fuel = UINT64_MAX;
        test_run_handle(&run, component, test_text("x"), test_text(""));
        assert_int_equal(run.outcome, TH_ENGINE_OK);
        assert_int_equal(run.fuel, needed);
        test_run_end(&run);
        th_engine_component_free(component);
    }
}

static void a_memory_grows_to_its_limit(void **state)
{
    for (int which = 0; which < TEST_ENGINES; which++) {
        th_engine_component *component = test_component(test_engine(which), "endless_growth");
        static const uint64_t limits[] = {65536, 65536 * 5, 65536 * 5 + 65535, (uint64_t)64 << 20};
        for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
            test_run run;
            test_run_begin(&run);
            run.options.memory_bytes = limits[i];
            test_run_handle(&run, component, test_text(""), test_text(""));
            assert_int_equal(run.outcome, TH_ENGINE_OK);
            assert_int_equal(number_at(run.result.output, 0), limits[i] / 65536);
            test_run_end(&run);
        }
        th_engine_component_free(component);
    }
}

static void a_growth_past_4_gib_answers_no(void **state)
{
    th_engine_component *component = test_component(test_engine(TEST_CRANELIFT), "grow_by");
    test_run run;
    for (int i = 0; i < 3; i++) {
        /* From one page: past the address space, to just below 4 GiB, to all of it. */
        uint32_t pages = i == 0 ? 65536 : i == 1 ? 65534 : 65535;
        test_run_begin(&run);
        run.options.memory_bytes = UINT64_MAX;
        test_run_handle(&run, component, number(&pages), test_text(""));
        assert_int_equal(run.outcome, TH_ENGINE_OK);
        assert_int_equal(number_at(run.result.output, 0), i == 0 ? UINT32_MAX : 1);
        assert_int_equal(number_at(run.result.output, 1), i == 0 ? 1 : 1 + pages);
        test_run_end(&run);
    }
    th_engine_component_free(component);
}

static void maxima_of_memories_and_tables_answer_no(void **state)
{
    for (int which = 0; which < TEST_ENGINES; which++) {
        th_engine_component *component = test_component(test_engine(which), "bounds");
        test_run run;
        test_run_begin(&run);
        run.options.fuel = 100000000;
        test_run_handle(&run, component, test_text(""), test_text(""));
        assert_int_equal(run.outcome, TH_ENGINE_OK);
        assert_int_equal(number_at(run.result.output, 0), 3);
        assert_int_equal(number_at(run.result.output, 1), 10);
        assert_int_equal(number_at(run.result.output, 2), 100000);
        assert_int_equal(number_at(run.result.output, 3), UINT32_MAX);
        test_run_end(&run);
        th_engine_component_free(component);
    }
}

static void a_first_memory_past_the_limit_makes_no_element(void **state)
{
    for (int which = 0; which < TEST_ENGINES; which++) {
        th_engine_component *component = test_component(test_engine(which), "memory_initial");
        test_run run;
        test_run_begin(&run);
        run.options.memory_bytes = (uint64_t)32 << 20;
        test_run_init(&run, component, test_text(""));
        assert_int_equal(run.outcome, TH_ENGINE_OK);
        test_run_end(&run);
        test_run_begin(&run);
        run.options.memory_bytes = ((uint64_t)32 << 20) - 1;
        test_run_init(&run, component, test_text(""));
        assert_int_equal(run.outcome, TH_ENGINE_FAILED);
        assert_non_null(strstr(run.result.detail, "exceeds memory limits"));
        test_run_end(&run);
        th_engine_component_free(component);
    }
}

/* A pool made smaller than the limit: the host, not the contract, says no. */
static void a_host_that_cannot_grow_a_memory_makes_no_element(void **state)
{
    th_engine_options options = {.turns = 1, .memory_bytes = 1 << 20, .keep_resident_bytes = UINT64_MAX};
    th_engine *engine = th_engine_new(&options, NULL, 0);
    assert_non_null(engine);
    th_engine_component *component = test_component(engine, "endless_growth");
    test_run run;
    test_run_begin(&run);
    test_run_handle(&run, component, test_text(""), test_text(""));
    assert_int_equal(run.outcome, TH_ENGINE_FAILED);
    assert_non_null(strstr(run.result.detail, "could not grow a memory"));
    test_run_end(&run);
    th_engine_component_free(component);
    th_engine_free(engine);
}

static void a_big_result_comes_whole(const char *fixture, enum test_engine which, uint32_t size)
{
    th_engine_component *component = test_component(test_engine(which), fixture);
    test_run run;
    test_run_begin(&run);
    run.options.memory_bytes = (uint64_t)1 << 30;
    test_run_handle(&run, component, number(&size), test_text("s"));
    bool error = strcmp(fixture, "huge_error") == 0;
    if (run.outcome != (error ? TH_ENGINE_ERROR : TH_ENGINE_OK))
        fail_msg("%s: outcome %d %s", fixture, run.outcome, run.result.detail ? run.result.detail : "");
    th_engine_bytes big = strcmp(fixture, "huge_state") == 0 ? run.result.state : run.result.output;
    assert_int_equal(big.size, size);
    for (size_t i = 0; i < size; i += 4096)
        assert_int_equal(big.data[i], 0);
    test_run_end(&run);
    th_engine_component_free(component);
}

static void results_past_the_engines_default_of_128_mib_come_whole(void **state)
{
    a_big_result_comes_whole("huge_output", TEST_CRANELIFT, (130u << 20) + 1);
    a_big_result_comes_whole("huge_state", TEST_PULLEY, (130u << 20) + 1);
    a_big_result_comes_whole("huge_error", TEST_CRANELIFT, (130u << 20) + 1);
}

static void a_payload_past_the_engines_default_reaches_the_callback_whole(void **state)
{
    th_engine_component *component = test_component(test_engine(TEST_CRANELIFT), "send_many");
    uint32_t input[2] = {2, (130u << 20) + 1};
    test_run run;
    test_run_begin(&run);
    run.options.memory_bytes = (uint64_t)1 << 30;
    test_run_handle(&run, component, (th_engine_bytes){(uint8_t *)input, 8}, test_text(""));
    assert_int_equal(run.outcome, TH_ENGINE_OK);
    assert_string_equal(run.notes, "send peer 136314881|send peer 136314881|");
    test_run_end(&run);
    th_engine_component_free(component);
}

/* Wasmtime's own bound of 100,000 handles would show; ours is a failure of the host. */
static void a_million_handles_do_not_show(void **state)
{
    th_engine_component *component = test_component(test_engine(TEST_CRANELIFT), "handles");
    uint32_t count = 1000000;
    test_run run;
    test_run_begin(&run);
    run.options.fuel = 100000000;
    test_run_handle(&run, component, number(&count), test_text(""));
    assert_int_equal(run.outcome, TH_ENGINE_OK);
    test_run_end(&run);

    count++;
    test_run_begin(&run);
    run.options.fuel = 100000000;
    test_run_handle(&run, component, number(&count), test_text(""));
    assert_int_equal(run.outcome, TH_ENGINE_FAILED);
    test_run_end(&run);
    th_engine_component_free(component);
}

static void *verify_deep(void *argument)
{
    test_run *run = argument;
    uint32_t depth = 60000;
    th_engine_options options = {.verifier = true, .turns = 1, .keep_resident_bytes = UINT64_MAX};
    th_engine *engine = th_engine_new(&options, NULL, 0);
    th_engine_component *component = test_component(engine, "recursion");
    test_run_handle(run, component, number(&depth), test_text(""));
    test_run_end(run);
    th_engine_component_free(component);
    th_engine_free(engine);
    return NULL;
}

static void a_verifier_has_more_stack_than_a_recorder(void **state)
{
    uint32_t depth = 60000;
    th_engine_component *component = test_component(test_engine(TEST_CRANELIFT), "recursion");
    test_run run;
    test_run_begin(&run);
    test_run_handle(&run, component, number(&depth), test_text(""));
    assert_int_equal(run.outcome, TH_ENGINE_STACK);
    test_run_end(&run);
    th_engine_component_free(component);

    th_engine_options options = {.verifier = true, .turns = 1, .keep_resident_bytes = UINT64_MAX};
    th_engine *verifier = th_engine_new(&options, NULL, 0);
    assert_non_null(verifier);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    assert_int_equal(pthread_attr_setstacksize(&attributes, th_engine_stack_bytes(verifier) + 65536), 0);
    pthread_t thread;
    test_run_begin(&run);
    assert_int_equal(pthread_create(&thread, &attributes, verify_deep, &run), 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    assert_int_equal(run.outcome, TH_ENGINE_OK);
    th_engine_free(verifier);
}

static int done(void **state)
{
    test_engines_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fuel_of_a_turn_is_the_same_every_time),
        cmocka_unit_test(less_fuel_than_a_turn_needs_ends_it),
        cmocka_unit_test(a_memory_grows_to_its_limit),
        cmocka_unit_test(a_growth_past_4_gib_answers_no),
        cmocka_unit_test(maxima_of_memories_and_tables_answer_no),
        cmocka_unit_test(a_first_memory_past_the_limit_makes_no_element),
        cmocka_unit_test(a_host_that_cannot_grow_a_memory_makes_no_element),
        cmocka_unit_test(results_past_the_engines_default_of_128_mib_come_whole),
        cmocka_unit_test(a_payload_past_the_engines_default_reaches_the_callback_whole),
        cmocka_unit_test(a_million_handles_do_not_show),
        cmocka_unit_test(a_verifier_has_more_stack_than_a_recorder),
    };
    return cmocka_run_group_tests(tests, NULL, done);
}
