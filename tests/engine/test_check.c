/* What is refused when a component is loaded, and what is said of it: all findings at once, a line each. */
#include <stdlib.h>

#include "engine_support.h"

#define WASI "imports wasi:cli/environment@0.2.3 (get-environment, get-arguments): an actor may import only"

static const struct {
    const char *fixture;
    int lines;
    const char *findings[8];
} refused[] = {
    {"core_module",
     1,
     {"this is a core WebAssembly module, not a component; `theater build` makes one of it"}},
    {"empty",
     3,
     {"does not export the function init of", "does not export the function handle of",
      "the function verify-state of theater:actor/actor@0.1.0: func(list<u8>) -> bool"}},
    {"missing_function", 1, {"does not export the function verify-state of theater:actor/actor@0.1.0"}},
    {"mistyped_function",
     2,
     {"exports the function handle of theater:actor/actor@0.1.0 with the wrong type: expected func(list<u8>, "
      "list<u8>) -> "
      "result<tuple<list<u8>, list<u8>>, string>, found func(list<u8>) -> result<list<u8>, string>",
      "verify-state of theater:actor/actor@0.1.0 with the wrong type: expected func(list<u8>) -> bool, found "
      "func(list<u8>) -> u32"}},
    {"wasi_import",
     3,
     {"`theater build` makes components without it", WASI, "imports wasi:clocks/wall-clock@0.2.3 (now)"}},
    {"unknown_host_function",
     1,
     {"imports the function sleep of theater:actor/host@0.1.0, which has none of that name"}},
    {"mistyped_host_function",
     1,
     {"imports the function now of", "expected func() -> u64, found func() -> u32"}},
    {"memory64", 1, {"uses 64-bit memories or tables, which is refused"}},
    {"table64", 1, {"uses 64-bit memories or tables, which is refused"}},
    {"shared_memory", 1, {"uses threads or shared memory, which is refused"}},
    {"threads", 1, {"uses threads or shared memory, which is refused"}},
    {"gc_struct", 1, {"uses garbage collection, which is refused"}},
    {"gc_externref", 1, {"uses garbage collection, which is refused"}},
    {"gc_recursion", 1, {"uses garbage collection, which is refused"}},
    {"exceptions", 1, {"uses exceptions, which is refused"}},
    {"relaxed_simd", 1, {"uses relaxed SIMD, which is refused"}},
    {"many_memories", 1, {"cannot be run here", "memories"}},
    {"many_tables", 1, {"cannot be run here", "tables"}},
    {"large_table", 1, {"cannot be run here", "100001"}},
    {"endless_type", 1, {"expected func(list<u8>) -> bool, found func(list<u8>) -> tuple<tuple<", " .."}},
    {"all_wrong",
     9,
     {"imports wasi:random/random@0.2.3 (get-random-u64)", "imports log: an actor may import only",
      "function now of theater:actor/host@0.1.0 with the wrong type",
      "function sleep of theater:actor/host@0.1.0", "does not export the function handle",
      "exports the function verify-state", "uses 64-bit memories", "uses relaxed SIMD"}},
};

static int lines_of(const char *text)
{
    int lines = 1;
    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

static void each_wrong_component_is_refused_with_all_findings(void **state)
{
    for (int which = 0; which < TEST_ENGINES; which++) {
        for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
            /* What only the pool cannot hold can be run without it. */
            if (which == TEST_ON_DEMAND && strcmp(refused[i].findings[0], "cannot be run here") == 0)
                continue;
            th_engine_bytes binary = test_fixture(refused[i].fixture);
            char error[4000] = "";
            th_engine_component *component =
                th_engine_compile(test_engine(which), binary, error, sizeof error);
            free((void *)binary.data);
            if (component != NULL)
                fail_msg("%s was accepted", refused[i].fixture);
            if (lines_of(error) != refused[i].lines)
                fail_msg("%s: %d lines expected:\n%s", refused[i].fixture, refused[i].lines, error);
            for (int k = 0; k < 8 && refused[i].findings[k]; k++)
                if (strstr(error, refused[i].findings[k]) == NULL)
                    fail_msg("%s: '%s' is missing in\n%s", refused[i].fixture, refused[i].findings[k], error);
        }
    }
}

static void what_is_no_component_is_named_so(void **state)
{
    th_engine *engine = test_engine(TEST_CRANELIFT);
    char error[500] = "";
    assert_null(th_engine_compile(engine, test_text(""), error, sizeof error));
    assert_non_null(strstr(error, "not a WebAssembly component"));
    assert_null(th_engine_compile(engine, (th_engine_bytes){NULL, 0}, error, sizeof error));
    assert_null(th_engine_compile(engine, test_text("(component)"), error, sizeof error));
    assert_non_null(strstr(error, "not a WebAssembly component"));
    /* A cut component is refused, unless only its names at the end are missing, and none brings the engine
     * down. */
    th_engine_bytes binary = test_fixture("counter");
    for (size_t size = 0; size < binary.size; size += size < 64 ? 1 : 7) {
        error[0] = 0;
        th_engine_component *component =
            th_engine_compile(engine, (th_engine_bytes){binary.data, size}, error, sizeof error);
        assert_true(error[0] != 0 || (component != NULL && size > binary.size / 2));
        th_engine_component_free(component);
    }
    free((void *)binary.data);
}

static void damaged_components_are_refused_or_run(void **state)
{
    th_engine *engine = test_engine(TEST_CRANELIFT);
    th_engine_bytes binary = test_fixture("no_host");
    uint8_t *bytes = (uint8_t *)binary.data;
    uint32_t random = 1;
    char error[500];
    for (int i = 0; i < 300; i++) {
        random = random * 1664525 + 1013904223;
        size_t place = random % binary.size;
        uint8_t before = bytes[place];
        bytes[place] ^= (uint8_t)(1 << (random >> 29));
        error[0] = 0;
        th_engine_component *component = th_engine_compile(engine, binary, error, sizeof error);
        assert_true(component != NULL || error[0] != 0);
        if (component) {
            test_run run;
            test_run_begin(&run);
            test_run_handle(&run, component, test_text("a"), test_text("b"));
            assert_true(run.outcome <= TH_ENGINE_STACK);
            test_run_end(&run);
        }
        th_engine_component_free(component);
        bytes[place] = before;
    }
    free(bytes);
}

static void a_long_text_is_cut_and_ends_with_dots(void **state)
{
    th_engine_bytes binary = test_fixture("all_wrong");
    char whole[4000], cut[4000];
    assert_null(th_engine_compile(test_engine(TEST_CRANELIFT), binary, whole, sizeof whole));
    for (size_t size = 1; size < 200; size += 13) {
        memset(cut, 'x', sizeof cut);
        assert_null(th_engine_compile(test_engine(TEST_CRANELIFT), binary, cut, size));
        assert_int_equal(strlen(cut), size - 1);
        size_t dots = size - 1 < 3 ? size - 1 : 3;
        assert_memory_equal(cut, whole, size - 1 - dots);
        assert_memory_equal(cut + size - 1 - dots, "...", dots);
        assert_int_equal(cut[size], 'x');
    }
    assert_null(th_engine_compile(test_engine(TEST_CRANELIFT), binary, NULL, 0));
    free((void *)binary.data);
}

static void a_compiled_form_is_for_its_engine_alone(void **state)
{
    th_engine_component *component = test_component(test_engine(TEST_CRANELIFT), "counter");
    th_engine_bytes compiled;
    char error[500] = "";
    assert_true(th_engine_serialize(component, &compiled, error, sizeof error));
    th_engine_component_free(component);
    assert_null(th_engine_deserialize(test_engine(TEST_PULLEY), compiled, error, sizeof error));
    assert_non_null(strstr(error, "not a compiled form for this engine"));
    /* The pool is no part of it. */
    assert_string_equal(th_engine_fingerprint(test_engine(TEST_CRANELIFT)),
                        th_engine_fingerprint(test_engine(TEST_ON_DEMAND)));
    assert_string_not_equal(th_engine_fingerprint(test_engine(TEST_CRANELIFT)),
                            th_engine_fingerprint(test_engine(TEST_PULLEY)));
    component = th_engine_deserialize(test_engine(TEST_ON_DEMAND), compiled, error, sizeof error);
    assert_non_null(component);
    th_engine_component_free(component);
    th_engine_bytes_free(compiled);
    assert_null(
        th_engine_deserialize(test_engine(TEST_CRANELIFT), test_text("not compiled"), error, sizeof error));
    assert_null(
        th_engine_deserialize(test_engine(TEST_CRANELIFT), (th_engine_bytes){NULL, 0}, error, sizeof error));
}

static void engines_say_what_they_are(void **state)
{
    assert_non_null(strstr(th_engine_describe(test_engine(TEST_CRANELIFT)), "pooling"));
    assert_non_null(strstr(th_engine_describe(test_engine(TEST_ON_DEMAND)), "on demand"));
    assert_non_null(strstr(th_engine_fingerprint(test_engine(TEST_PULLEY)), "pulley64"));
    assert_true(th_engine_stack_bytes(test_engine(TEST_CRANELIFT)) > (size_t)1 << 20);
    th_engine_free(NULL);
    th_engine_component_free(NULL);
    th_engine_turn_end(NULL);
    th_engine_bytes_free((th_engine_bytes){NULL, 0});
}

static int done(void **state)
{
    test_engines_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_wrong_component_is_refused_with_all_findings),
        cmocka_unit_test(what_is_no_component_is_named_so),
        cmocka_unit_test(damaged_components_are_refused_or_run),
        cmocka_unit_test(a_long_text_is_cut_and_ends_with_dots),
        cmocka_unit_test(a_compiled_form_is_for_its_engine_alone),
        cmocka_unit_test(engines_say_what_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, done);
}
