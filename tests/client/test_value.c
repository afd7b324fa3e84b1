/* The reader of JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "client/value.h"

static th_arena arena;

static const th_value *parse(const char *text)
{
    const th_value *root = NULL;
    theater_error error;
    theater_status status = th_value_parse(th_slice_text(text), &arena, &root, &error);
    return status ? NULL : root;
}

static void test_numbers_are_exact(void **state)
{
    (void)state;
    uint64_t number = 0;
    const th_value *root = parse(" {\"a\":18446744073709551615,\"b\":0,\"c\":18446744073709551616,\"d\":-1,"
                                 "\"e\":1.5,\"f\":1e3} ");
    assert_non_null(root);
    assert_true(th_value_uint(root, "a", &number) && number == UINT64_MAX);
    assert_true(th_value_uint(root, "b", &number) && number == 0);
    for (const char *key = "cdef"; *key; key++)
        assert_false(th_value_uint(root, (const char[]){*key, 0}, &number));
    assert_true(th_slice_equal(th_value_member(root, "e")->text, th_slice_text("1.5")));
}

static void test_strings_and_escapes(void **state)
{
    (void)state;
    th_slice text;
    const th_value *root =
        parse("{\"plain\":\"gr\xc3\xbc\xc3\x9f\",\"escaped\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9"
              "\\u20ac\\ud83d\\ude00\",\"\\u006bey\":\"\",\"zero\":\"a\\u0000b\"}");
    assert_non_null(root);
    assert_true(th_value_text(root, "plain", &text) && text.size == 6);
    assert_true(th_value_text(root, "escaped", &text) &&
                th_slice_equal(text, th_slice_text("\"\\/\b\f\n\r\t\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")));
    assert_true(th_value_text(root, "key", &text) && text.size == 0);
    assert_true(th_value_text(root, "zero", &text) && text.size == 3 && text.data[1] == 0);
}

static void test_bytes_and_hashes(void **state)
{
    (void)state;
    th_slice bytes;
    theater_hash hash;
    const th_value *root = parse(
        "{\"text\":\"abc\",\"coded\":{\"base64\":\"AAH/\"},\"bad\":{\"base64\":\"A\"},\"none\":null,"
        "\"hash\":\"00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff\",\"short\":\"00ff\"}");
    assert_non_null(root);
    assert_true(th_value_bytes(th_value_member(root, "text"), &arena, &bytes) && bytes.size == 3);
    assert_true(th_value_bytes(th_value_member(root, "coded"), &arena, &bytes) && bytes.size == 3 &&
                bytes.data[2] == 0xff);
    assert_false(th_value_bytes(th_value_member(root, "bad"), &arena, &bytes));
    assert_false(th_value_bytes(th_value_member(root, "none"), &arena, &bytes));
    assert_false(th_value_bytes(th_value_member(root, "missing"), &arena, &bytes));
    assert_true(th_value_hash(root, "hash", &hash) && hash.bytes[31] == 0xff);
    assert_false(th_value_hash(root, "short", &hash));
}

static void test_arrays_keep_their_order(void **state)
{
    (void)state;
    const th_value *root = parse("[1,[],{},[true,false,null],\"x\"]");
    assert_non_null(root);
    size_t count = 0;
    for (const th_value *at = root->first; at; at = at->next)
        count++;
    assert_int_equal(count, 5);
    assert_int_equal(root->first->number, 1);
    assert_null(root->first->next->first);
    assert_true(root->first->next->next->next->first->truth);
    assert_null(th_value_member(root, "x"));
}

static void test_what_is_no_json(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      " ",
                                      "{",
                                      "[1,]",
                                      "{\"a\"}",
                                      "{\"a\":}",
                                      "01",
                                      "1.",
                                      "-",
                                      "1e",
                                      "tru",
                                      "nul",
                                      "\"a",
                                      "\"\\x\"",
                                      "\"\\u12\"",
                                      "\"\\ud800\"",
                                      "\"\\udc00\"",
                                      "[1 2]",
                                      "{\"a\":1,}",
                                      "1 2",
                                      "'a'",
                                      "\"\n\"",
                                      "\"\xff\"",
                                      "\"\\",
                                      "{1:2}",
                                      "\"\\ud800\\u0041\""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (parse(bad[i]))
            fail_msg("\"%s\" was taken for JSON", bad[i]);
}

static void test_depth_and_memory_are_bounded(void **state)
{
    (void)state;
    char deep[2 * 40 + 1];
    memset(deep, '[', 40);
    memset(deep + 40, ']', 40);
    deep[80] = 0;
    assert_null(parse(deep));
    deep[TH_VALUE_DEPTH_MAX] = 0;
    memset(deep + TH_VALUE_DEPTH_MAX, ']', TH_VALUE_DEPTH_MAX);
    deep[2 * TH_VALUE_DEPTH_MAX] = 0;
    assert_non_null(parse(deep));

    th_arena small;
    th_arena_init(&small, 256);
    const th_value *root;
    theater_error error;
    assert_int_equal(th_value_parse(th_slice_text("[1,2,3,4,5,6,7,8,9,10,11,12]"), &small, &root, &error),
                     THEATER_NO_MEMORY);
    th_arena_done(&small);
}

#ifdef TH_FAULTS
static void test_every_allocation_may_fail(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":[1,\"\\n\",{\"b\":null}],\"c\":\"\\u00e9\"}";
    theater_status status = THEATER_NO_MEMORY;
    unsigned place = 1;
    for (; status; place++) {
        th_arena fresh;
        const th_value *root;
        theater_error error;
        th_arena_init(&fresh, 1 << 20);
        th_allocation_fail_at(place);
        status = th_value_parse(th_slice_of(text, sizeof text - 1), &fresh, &root, &error);
        th_allocation_fail_at(0);
        if (status)
            assert_int_equal(status, THEATER_NO_MEMORY);
        th_arena_done(&fresh);
    }
    assert_true(place > 2);
}
#endif

static int set_up(void **state)
{
    (void)state;
    th_arena_init(&arena, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    th_arena_done(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_numbers_are_exact, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_strings_and_escapes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bytes_and_hashes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_arrays_keep_their_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_no_json, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_depth_and_memory_are_bounded, set_up, tear_down),
#ifdef TH_FAULTS
        cmocka_unit_test(test_every_allocation_may_fail),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
