/* The host's functions: what a guest sees is what the options say, what it does reaches the callbacks in
 * order, and a callback that says no ends the turn at that call. */
#include "engine_support.h"

static void assert_u64(th_engine_bytes bytes, size_t at, uint64_t expected)
{
    uint64_t value;
    assert_true(bytes.size >= at + 8);
    memcpy(&value, bytes.data + at, 8);
    assert_int_equal(value, expected);
}

static void a_guest_sees_the_options(void **state)
{
    for (int which = 0; which < TEST_ENGINES; which++) {
        th_engine_component *component = test_component(test_engine(which), "observe");
        test_run run;
        test_run_begin(&run);
        test_run_handle(&run, component, test_text(""), test_text(""));
        assert_int_equal(run.outcome, TH_ENGINE_OK);
        assert_u64(run.result.output, 0, 1234567890123456789);
        assert_u64(run.result.output, 8, 7);
        assert_int_equal(run.result.output.data[16], 0);
        assert_string_equal(run.notes, "log 2 me|");
        test_run_end(&run);

        test_run_begin(&run);
        run.options.source_kind = TH_ENGINE_SOURCE_CLIENT;
        test_run_handle(&run, component, test_text(""), test_text(""));
        assert_int_equal(run.result.output.data[16], 1);
        assert_int_equal(run.result.output.data[24], 0);
        assert_string_equal(run.notes, "log 2 me|");
        test_run_end(&run);

        test_run_begin(&run);
        run.options.source_kind = TH_ENGINE_SOURCE_CLIENT;
        run.options.has_principal = true;
        run.options.source_name = test_text("J\xc3\xb6rg");
        test_run_handle(&run, component, test_text(""), test_text(""));
        assert_int_equal(run.result.output.data[16], 1);
        assert_int_equal(run.result.output.data[24], 1);
        assert_string_equal(run.notes, "log 2 me|log 2 J\xc3\xb6rg|");
        test_run_end(&run);

        test_run_begin(&run);
        run.options.source_kind = TH_ENGINE_SOURCE_ACTOR;
        run.options.source_name = test_text("shop.cart");
        test_run_handle(&run, component, test_text(""), test_text(""));
        assert_int_equal(run.result.output.data[16], 2);
        assert_string_equal(run.notes, "log 2 me|log 2 shop.cart|");
        test_run_end(&run);

        test_run_begin(&run);
        run.options.source_kind = TH_ENGINE_SOURCE_REPLY;
        run.options.reply_request = 0x1122334455667788;
        run.options.reply_failed = true;
        test_run_handle(&run, component, test_text(""), test_text(""));
        assert_int_equal(run.result.output.data[16], 3);
        assert_u64(run.result.output, 24, 0x1122334455667788);
        assert_int_equal(run.result.output.data[32], 1);
        test_run_end(&run);
        th_engine_component_free(component);
    }
}

static void random_bytes_reach_the_guest(void **state)
{
    th_engine_component *component = test_component(test_engine(TEST_CRANELIFT), "random");
    for (uint32_t size = 0; size < 70000; size = size * 3 + 1) {
        test_run run;
        test_run_begin(&run);
        test_run_handle(&run, component, (th_engine_bytes){(uint8_t *)&size, 4}, test_text(""));
        assert_int_equal(run.outcome, TH_ENGINE_OK);
        assert_int_equal(run.result.output.size, size);
        for (uint32_t i = 0; i < size; i++)
            assert_int_equal(run.result.output.data[i], i & 0xff);
        test_run_end(&run);
    }
    th_engine_component_free(component);
}

static void effects_come_in_order_until_one_is_refused(void **state)
{
    static const char *const notes[] = {
        "log 0 x|log 1 x|log 2 x|log 3 x|log 4 x|send peer 1|",
        "log 0 x|",
        "log 0 x|log 1 x|",
        "log 0 x|log 1 x|log 2 x|",
        "log 0 x|log 1 x|log 2 x|log 3 x|",
        "log 0 x|log 1 x|log 2 x|log 3 x|log 4 x|",
        "log 0 x|log 1 x|log 2 x|log 3 x|log 4 x|send peer 1|",
    };
    for (int which = 0; which < TEST_ENGINES; which++) {
        th_engine_component *component = test_component(test_engine(which), "log_then_trap");
        for (unsigned stop = 0; stop < sizeof notes / sizeof *notes; stop++) {
            test_run run;
            test_run_begin(&run);
            run.stop_at = stop;
            test_run_handle(&run, component, test_text("x"), test_text(""));
            assert_int_equal(run.outcome, stop == 0 ? TH_ENGINE_TRAP : TH_ENGINE_STOPPED);
            assert_string_equal(run.notes, notes[stop]);
            assert_true(stop == 0 || run.result.trap == NULL);
            test_run_end(&run);
        }
        th_engine_component_free(component);
    }
}

static void every_callback_can_end_the_turn(void **state)
{
    static const struct {
        const char *fixture, *input, *notes;
    } cases[] = {
        {"send", "No Name!", "send No Name! 5|"},
        {"request", "carol", "request carol ask|"},
        {"random", "\x04\0\0\0", "random 2|"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        th_engine_component *component = test_component(test_engine(TEST_CRANELIFT), cases[i].fixture);
        test_run run;
        test_run_begin(&run);
        run.stop_at = 1;
        th_engine_bytes input =
            i == 2 ? (th_engine_bytes){(const uint8_t *)cases[i].input, 4} : test_text(cases[i].input);
        test_run_handle(&run, component, input, test_text(""));
        assert_int_equal(run.outcome, TH_ENGINE_STOPPED);
        assert_string_equal(run.notes, cases[i].notes);
        test_run_end(&run);
        th_engine_component_free(component);
    }
}

static void a_request_gives_its_id_and_later_its_answer(void **state)
{
    th_engine_component *component = test_component(test_engine(TEST_CRANELIFT), "request");
    test_run run;
    test_run_begin(&run);
    test_run_handle(&run, component, test_text("carol"), test_text("s"));
    assert_int_equal(run.outcome, TH_ENGINE_OK);
    assert_string_equal(run.notes, "request carol ask|");
    assert_u64(run.result.output, 0, 7 * 65536 + 1);
    test_run_end(&run);

    test_run_begin(&run);
    run.options.source_kind = TH_ENGINE_SOURCE_REPLY;
    run.options.reply_request = 7 * 65536 + 1;
    test_run_handle(&run, component, test_text("answer"), test_text("s"));
    assert_int_equal(run.outcome, TH_ENGINE_OK);
    assert_u64(run.result.output, 0, 7 * 65536 + 1);
    assert_int_equal(run.result.output.data[8], 0);
    test_assert_bytes(run.result.state, "answer", 6);
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
        cmocka_unit_test(a_guest_sees_the_options),
        cmocka_unit_test(random_bytes_reach_the_guest),
        cmocka_unit_test(effects_come_in_order_until_one_is_refused),
        cmocka_unit_test(every_callback_can_end_the_turn),
        cmocka_unit_test(a_request_gives_its_id_and_later_its_answer),
    };
    return cmocka_run_group_tests(tests, NULL, done);
}
