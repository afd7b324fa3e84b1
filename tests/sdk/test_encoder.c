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

static void test_nothing_is_freed(void **unused)
{
    th_encoder_free((th_encoder_bytes){0});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_no_actor_is_refused),
        cmocka_unit_test(test_an_error_is_cut_to_its_buffer),
        cmocka_unit_test(test_nothing_is_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
