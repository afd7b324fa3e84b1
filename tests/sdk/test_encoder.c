/* The encoder's header: what is no module, and errors in buffers of any size. (That good modules become
 * components is tested by every actor.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "theater_encoder.h"

static const uint8_t empty_module[] = {0, 'a', 's', 'm', 1, 0, 0, 0};
static const uint8_t empty_component[] = {0, 'a', 's', 'm', 13, 0, 1, 0};

static void assert_refused(const uint8_t *module, size_t size)
{
    char error[256] = "";
    th_encoder_bytes bytes = {(uint8_t *)error, 1};
    assert_false(th_encoder_component(module, size, false, &bytes, error, sizeof error));
    assert_null(bytes.data);
    assert_int_equal(bytes.size, 0);
    assert_true(strlen(error) > 0);
    assert_null(strchr(error, '\n'));
}

static void test_what_is_no_actor_is_refused(void **unused)
{
    assert_refused(NULL, 0);
    assert_refused((const uint8_t *)"hello", 5);
    assert_refused(empty_module, 7);
    assert_refused(empty_module, sizeof empty_module);
    assert_refused(empty_component, sizeof empty_component);
}

static void test_an_error_is_cut_to_its_buffer(void **unused)
{
    char error[64];
    th_encoder_bytes bytes;
    for (size_t size = 0; size < sizeof error; size++) {
        memset(error, 'x', sizeof error);
        assert_false(th_encoder_component((const uint8_t *)"hello", 5, true, &bytes, error, size));
        assert_true(size == 0 || strlen(error) < size);
        for (size_t i = size; i < sizeof error; i++)
            assert_int_equal(error[i], 'x');
    }
    assert_false(th_encoder_component((const uint8_t *)"hello", 5, true, &bytes, NULL, 0));
}

/* A start-up that writes 16 MiB of zeros to standard output as often as the two bytes at `TIMES` say:
 *
 *     (module (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
 *       (memory 256) (data (i32.const 7) "\01")
 *       (func (export "_initialize") (local i32)
 *         (loop (drop (call 0 (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
 *           (br_if 0 (i32.lt_s (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const TIMES)))))) */
static const uint8_t printing[] =
    "\0asm\1\0\0\0"
    "\x01\x0c\x02\x60\x04\x7f\x7f\x7f\x7f\x01\x7f\x60\x00\x00"
    "\x02\x23\x01\x16wasi_snapshot_preview1\x08"
    "fd_write\x00\x00"
    "\x03\x02\x01\x01"
    "\x05\x04\x01\x00\x80\x02"
    "\x07\x0f\x01\x0b_initialize\x00\x01"
    "\x0a\x21\x01\x1f\x01\x01\x7f\x03\x40\x41\x01\x41\x00\x41\x01\x41\x08\x10\x00\x1a"
    "\x20\x00\x41\x01\x6a\x22\x00\x41\xe4\x00\x48\x0d\x00\x0b\x0b"
    "\x0b\x07\x01\x00\x41\x07\x0b\x01\x01";

static void test_what_a_start_up_asks_for_is_bounded(void **unused)
{
    uint8_t module[sizeof printing - 1];
    char error[256] = "";
    th_encoder_bytes bytes;
    memcpy(module, printing, sizeof module);
    uint8_t *times = memchr(module, 0xe4, sizeof module);
    assert_true(th_encoder_snapshot(module, sizeof module, &bytes, error, sizeof error));
    th_encoder_free(bytes);
    times[0] = 0xac; /* 300 */
    times[1] = 2;
    assert_false(th_encoder_snapshot(module, sizeof module, &bytes, error, sizeof error));
    assert_non_null(strstr(error, "all fuel consumed by what it asks for"));
}

static void test_nothing_is_freed(void **unused)
{
    th_encoder_free((th_encoder_bytes){0});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_no_actor_is_refused),
        cmocka_unit_test(test_an_error_is_cut_to_its_buffer),
        cmocka_unit_test(test_what_a_start_up_asks_for_is_bounded),
        cmocka_unit_test(test_nothing_is_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
