/* base64 against RFC 4648, section 10, and against every way to write the same bytes otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crypto/base64.h"

static void known_texts(void **state)
{
    static const char *const known[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        char text[16] = {0};
        uint8_t bytes[16];
        size_t size = 99;
        th_slice plain = th_slice_text(known[i][0]);
        assert_int_equal(th_base64_size(plain.size), strlen(known[i][1]));
        th_base64_encode(plain, text);
        assert_string_equal(text, known[i][1]);
        assert_true(th_base64_decode(th_slice_text(text), bytes, sizeof bytes, &size));
        assert_true(th_slice_equal(th_slice_of(bytes, size), plain));
    }
}

static void all_bytes_come_back(void **state)
{
    uint8_t bytes[256], back[256];
    char text[344];
    size_t size;
    for (size_t i = 0; i < 256; i++)
        bytes[i] = (uint8_t)(i * 37);
    for (size_t n = 0; n <= 256; n++) {
        th_base64_encode(th_slice_of(bytes, n), text);
        assert_true(th_base64_decode(th_slice_of(text, th_base64_size(n)), back, sizeof back, &size));
        assert_int_equal(size, n);
        assert_memory_equal(back, bytes, n);
        if (n > 0) /* room that is too small by one */
            assert_false(th_base64_decode(th_slice_of(text, th_base64_size(n)), back, n - 1, &size));
    }
}

static void other_forms_are_refused(void **state)
{
    static const char *const bad[] = {
        "Zg",   "Zg=",  "Zh==",  "Zm9=", "Z===",     "====",  "=",      "Zg==Zg==", "Zm9v\n", "Zm 9",
        "Zm9-", "Zm9_", " Zm9v", "Zm=v", "Zm8=Zm8=", "Zm9v=", "Zm9v==", "Zm9v====", "Z=8=",
    };
    uint8_t bytes[64];
    size_t size;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (th_base64_decode(th_slice_text(bad[i]), bytes, sizeof bytes, &size))
            fail_msg("%s was taken", bad[i]);
    }
    assert_false(th_base64_decode(th_slice_of("Zm9\0", 4), bytes, sizeof bytes, &size));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_texts),
        cmocka_unit_test(all_bytes_come_back),
        cmocka_unit_test(other_forms_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
