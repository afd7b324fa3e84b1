/* Hex, UTF-8 and names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"

static void hex_goes_there_and_back(void **state)
{
    uint8_t bytes[256], back[256];
    char text[513];
    for (int i = 0; i < 256; i++)
        bytes[i] = (uint8_t)i;
    th_hex_encode(th_slice_of(bytes, 256), text);
    assert_int_equal(strlen(text), 512);
    assert_memory_equal(text, "000102", 6);
    assert_true(th_hex_decode(text, 512, back, 256));
    assert_memory_equal(bytes, back, 256);
    assert_true(th_hex_decode("AbCd", 4, back, 2));
    assert_memory_equal(back, "\xab\xcd", 2);
}

static void what_is_no_hex_is_refused(void **state)
{
    uint8_t out[4];
    assert_false(th_hex_decode("abc", 3, out, 2));
    assert_false(th_hex_decode("abcd", 4, out, 1));
    assert_false(th_hex_decode("abcg", 4, out, 2));
    assert_false(th_hex_decode("ab d", 4, out, 2));
    assert_true(th_hex_decode("", 0, out, 0));
}

/* Every code point is judged right, in all its encodings of one to four bytes. */
static void utf8_is_what_unicode_says(void **state)
{
    for (uint32_t c = 0; c < 0x200000;
         c += c < 0x3000 || (c > 0xd700 && c < 0xe100) || c > 0x10ff00 ? 1 : 7) {
        uint8_t b[4];
        bool exists = c <= 0x10ffff && !(c >= 0xd800 && c <= 0xdfff);
        if (c < 0x80) {
            b[0] = (uint8_t)c;
            assert_true(th_utf8_valid(th_slice_of(b, 1)));
        }
        if (c < 0x800) {
            b[0] = (uint8_t)(0xc0 | c >> 6), b[1] = (uint8_t)(0x80 | (c & 63));
            assert_int_equal(th_utf8_valid(th_slice_of(b, 2)), c >= 0x80);
        }
        if (c < 0x10000) {
            b[0] = (uint8_t)(0xe0 | c >> 12), b[1] = (uint8_t)(0x80 | (c >> 6 & 63));
            b[2] = (uint8_t)(0x80 | (c & 63));
            assert_int_equal(th_utf8_valid(th_slice_of(b, 3)), c >= 0x800 && exists);
            assert_false(th_utf8_valid(th_slice_of(b, 2)));
        }
        b[0] = (uint8_t)(0xf0 | c >> 18), b[1] = (uint8_t)(0x80 | (c >> 12 & 63));
        b[2] = (uint8_t)(0x80 | (c >> 6 & 63)), b[3] = (uint8_t)(0x80 | (c & 63));
        assert_int_equal(th_utf8_valid(th_slice_of(b, 4)), c >= 0x10000 && exists);
        assert_false(th_utf8_valid(th_slice_of(b, 3)));
    }
    assert_true(th_utf8_valid(th_slice_of(NULL, 0)));
    assert_false(th_utf8_valid(th_slice_text("a\x80")));
    assert_false(th_utf8_valid(th_slice_text("\xff")));
    assert_int_equal(th_utf8_prefix(th_slice_text("a\xc3\xa4" "b\x80" "c")), 4);
    assert_int_equal(th_utf8_prefix(th_slice_text("\xe2\x82")), 0);
    assert_int_equal(th_utf8_prefix(th_slice_of(NULL, 0)), 0);
    assert_int_equal(th_utf8_character(th_slice_text("\xe2\x82\xac" "b")), 3);
    assert_int_equal(th_utf8_character(th_slice_text("\xe2\x82")), 0);
    assert_int_equal(th_utf8_character(th_slice_of(NULL, 0)), 0);
    assert_false(th_utf8_valid(th_slice_text("\xf8\x88\x80\x80\x80")));
    assert_true(th_utf8_valid(th_slice_of("a\0b", 3)));
}

static void names_are_labels_and_dots(void **state)
{
    static const char *const good[] = {"a", "0", "-", "_", "a.b", "cart.user-7_x", "a.b.c.d", "--"};
    static const char *const bad[] = {"",    ".",   "a.",       ".a",  "a..b", "A",
                                      "a b", "a/b", "\xc3\xa9", "a\n", "a+b"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(th_name_valid(th_slice_text(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(th_name_valid(th_slice_text(bad[i])));
    char longest[130];
    memset(longest, 'a', sizeof longest);
    assert_true(th_name_valid(th_slice_of(longest, 128)));
    assert_false(th_name_valid(th_slice_of(longest, 129)));
    assert_false(th_name_valid(th_slice_of("a\0", 2)));
    for (int c = 0; c < 256; c++) {
        uint8_t byte = (uint8_t)c;
        bool label = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        assert_int_equal(th_name_valid(th_slice_of(&byte, 1)), label);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex_goes_there_and_back),
        cmocka_unit_test(what_is_no_hex_is_refused),
        cmocka_unit_test(utf8_is_what_unicode_says),
        cmocka_unit_test(names_are_labels_and_dots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
