/* Slices, integers in both orders and bounded buffers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"

static void slices_compare_by_content(void **state)
{
    assert_true(th_slice_equal(th_slice_text("abc"), th_slice_of("abcd", 3)));
    assert_false(th_slice_equal(th_slice_text("abc"), th_slice_text("abd")));
    assert_false(th_slice_equal(th_slice_text("abc"), th_slice_text("ab")));
    assert_true(th_slice_equal(th_slice_of(NULL, 0), th_slice_text("")));
}

static void integers_keep_their_order(void **state)
{
    uint8_t b[8];
    th_put_u32be(b, 0x01020304);
    assert_memory_equal(b, "\x01\x02\x03\x04", 4);
    assert_int_equal(th_get_u32be(b), 0x01020304);
    th_put_u32le(b, 0x01020304);
    assert_memory_equal(b, "\x04\x03\x02\x01", 4);
    assert_int_equal(th_get_u32le(b), 0x01020304);
    th_put_u64be(b, 0xf102030405060708);
    assert_memory_equal(b, "\xf1\x02\x03\x04\x05\x06\x07\x08", 8);
    assert_true(th_get_u64be(b) == 0xf102030405060708);
    th_put_u64le(b, 0xf102030405060708);
    assert_memory_equal(b, "\x08\x07\x06\x05\x04\x03\x02\xf1", 8);
    assert_true(th_get_u64le(b) == 0xf102030405060708);
}

static void a_buffer_grows_up_to_its_limit(void **state)
{
    th_buf buf;
    theater_error error;
    th_buf_init(&buf, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(th_buf_append_byte(&buf, (uint8_t)i, &error), THEATER_OK);
    assert_int_equal(buf.size, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(buf.data[i], (uint8_t)i);
    assert_int_equal(th_buf_append_byte(&buf, 0, &error), THEATER_TOO_LARGE);
    assert_int_equal(error.status, THEATER_TOO_LARGE);
    assert_int_equal(buf.size, 1000);
    assert_int_equal(th_buf_append(&buf, th_slice_of(NULL, 0), &error), THEATER_OK);
    assert_int_equal(th_buf_reserve(&buf, SIZE_MAX, &error), THEATER_TOO_LARGE);
    th_buf_done(&buf);
}

static void a_cleared_buffer_keeps_its_memory(void **state)
{
    th_buf buf;
    th_buf_init(&buf, 100);
    assert_int_equal(th_buf_append(&buf, th_slice_text("some bytes"), NULL), THEATER_OK);
    const uint8_t *data = buf.data;
    th_buf_clear(&buf);
    assert_int_equal(buf.size, 0);
    assert_int_equal(th_buf_append(&buf, th_slice_text("other"), NULL), THEATER_OK);
    assert_ptr_equal(buf.data, data);
    th_buf_done(&buf);
}

static void formatted_text_has_no_zero(void **state)
{
    th_buf buf;
    th_buf_init(&buf, 12);
    assert_int_equal(th_buf_printf(&buf, NULL, "%d-%s", 42, "abc"), THEATER_OK);
    assert_true(th_slice_equal(th_buf_slice(&buf), th_slice_text("42-abc")));
    assert_int_equal(th_buf_printf(&buf, NULL, "%s", "too long for it"), THEATER_TOO_LARGE);
    assert_true(th_slice_equal(th_buf_slice(&buf), th_slice_text("42-abc")));
    /* The zero that it writes needs no room of the buffer's. */
    assert_int_equal(th_buf_printf(&buf, NULL, "%s", "fits it"), THEATER_TOO_LARGE);
    assert_int_equal(th_buf_printf(&buf, NULL, "%s", "fits ."), THEATER_OK);
    assert_true(th_slice_equal(th_buf_slice(&buf), th_slice_text("42-abcfits .")));
    assert_int_equal(th_buf_append_byte(&buf, 'x', NULL), THEATER_TOO_LARGE);
    th_buf_done(&buf);
}

static void taken_bytes_belong_to_the_taker(void **state)
{
    th_buf buf;
    th_buf_init(&buf, 100);
    assert_int_equal(th_buf_append(&buf, th_slice_text("mine"), NULL), THEATER_OK);
    theater_bytes taken = th_buf_take(&buf);
    assert_int_equal(taken.size, 4);
    assert_int_equal(buf.size, 0);
    assert_null(buf.data);
    assert_int_equal(th_buf_append(&buf, th_slice_text("again"), NULL), THEATER_OK);
    assert_memory_equal(taken.data, "mine", 4);
    theater_bytes_free(&taken);
    assert_null(taken.data);
    theater_bytes_free(&taken);
    th_buf_done(&buf);
}

#ifdef TH_FAULTS
static void a_buffer_without_memory_stays_as_it_was(void **state)
{
    th_buf buf;
    theater_error error;
    th_buf_init(&buf, 1 << 20);
    assert_int_equal(th_buf_append(&buf, th_slice_text("kept"), &error), THEATER_OK);
    th_allocation_fail_at(1);
    assert_int_equal(th_buf_reserve(&buf, 100000, &error), THEATER_NO_MEMORY);
    assert_int_equal(error.status, THEATER_NO_MEMORY);
    th_allocation_fail_at(0);
    assert_true(th_slice_equal(th_buf_slice(&buf), th_slice_text("kept")));
    th_buf_done(&buf);
}

static void only_the_named_allocation_fails(void **state)
{
    th_allocation_fail_at(3);
    void *a = th_alloc(1), *b = th_alloc_zero(1, 1), *c = th_realloc(NULL, 1), *d = th_alloc(1);
    assert_non_null(a);
    assert_non_null(b);
    assert_null(c);
    assert_non_null(d);
    th_free(a);
    th_free(b);
    th_free(d);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_compare_by_content),
        cmocka_unit_test(integers_keep_their_order),
        cmocka_unit_test(a_buffer_grows_up_to_its_limit),
        cmocka_unit_test(a_cleared_buffer_keeps_its_memory),
        cmocka_unit_test(formatted_text_has_no_zero),
        cmocka_unit_test(taken_bytes_belong_to_the_taker),
#ifdef TH_FAULTS
        cmocka_unit_test(a_buffer_without_memory_stays_as_it_was),
        cmocka_unit_test(only_the_named_allocation_fails),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
