/* The list of statuses and the making of messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"

static void each_status_has_a_name_of_its_own(void **state)
{
    for (int i = 0; i < THEATER_STATUS_COUNT; i++) {
        const char *name = theater_status_name((theater_status)i);
        assert_string_not_equal(name, "unknown");
        assert_true(strlen(theater_status_text((theater_status)i)) > 0);
        for (const char *c = name; *c; c++)
            assert_true((*c >= 'a' && *c <= 'z') || *c == '-');
        for (int k = 0; k < i; k++) {
            assert_string_not_equal(name, theater_status_name((theater_status)k));
            assert_int_not_equal(theater_status_exit_code((theater_status)i),
                                 theater_status_exit_code((theater_status)k));
        }
        assert_in_range(theater_status_http((theater_status)i), 200, 599);
    }
    assert_string_equal(theater_status_name(THEATER_MAILBOX_FULL), "mailbox-full");
    assert_string_equal(theater_status_name(THEATER_INTERRUPTED), "interrupted");
    assert_int_equal(theater_status_exit_code(THEATER_OK), 0);
}

/* The names are written twice: once as C identifiers, once with dashes. */
static void names_are_those_of_the_list(void **state)
{
    static const char *const listed[] = {
#define NAME(name, text, exit_code, http) #name,
        THEATER_STATUS_LIST(NAME)
#undef NAME
    };
    for (int i = 0; i < THEATER_STATUS_COUNT; i++) {
        const char *a = listed[i], *b = theater_status_name((theater_status)i);
        assert_int_equal(strlen(a), strlen(b));
        for (; *a; a++, b++)
            assert_int_equal(*a == '_' ? '-' : *a - 'A' + 'a', *b);
    }
}

static void a_number_outside_the_list_is_unknown(void **state)
{
    assert_string_equal(theater_status_name(THEATER_STATUS_COUNT), "unknown");
    assert_string_equal(theater_status_text((theater_status)9999), "unknown");
    assert_int_equal(theater_status_exit_code((theater_status)9999), 1);
    assert_int_equal(theater_status_http((theater_status)9999), 500);
}

static void messages_are_formatted_and_put_in_front(void **state)
{
    theater_error error = {0};
    assert_int_equal(th_fail(&error, THEATER_CORRUPT, "byte %d", 7), THEATER_CORRUPT);
    assert_int_equal(error.status, THEATER_CORRUPT);
    assert_string_equal(error.message, "byte 7");
    assert_int_equal(th_fail_in(&error, THEATER_IO, "file %s", "a"), THEATER_IO);
    assert_string_equal(error.message, "file a: byte 7");
    assert_int_equal(th_fail_memory(&error, "a test"), THEATER_NO_MEMORY);
    assert_string_equal(error.message, "out of memory for a test");
}

static void a_message_holds_nothing_that_a_terminal_obeys(void **state)
{
    theater_error error;
    th_fail(&error, THEATER_REJECTED, "said: %s", "a\n\x1b[2J\x7f\xc2\x80\xc2\x9f\xc2\xa0\xc3\x9f");
    assert_string_equal(error.message, "said: a  [2J     \xc2\xa0\xc3\x9f");
    th_fail(&error, THEATER_COMPONENT_REFUSED, "one\n%s", "two\xc2\x9b");
    assert_string_equal(error.message, "one\ntwo  ");
}

static void no_error_is_wanted(void **state)
{
    assert_int_equal(th_fail(NULL, THEATER_IO, "x"), THEATER_IO);
    assert_int_equal(th_fail_in(NULL, THEATER_IO, "x"), THEATER_IO);
}

static void a_long_message_is_cut_between_characters(void **state)
{
    theater_error error;
    char text[3000];
    for (size_t shift = 0; shift < 3; shift++) {
        size_t at = shift;
        memset(text, 'x', shift);
        for (; at + 3 < sizeof text; at += 3)
            memcpy(text + at, "\xe2\x82\xac", 3);
        text[at] = 0;
        th_fail(&error, THEATER_IO, "%s", text);
        size_t size = strlen(error.message);
        assert_in_range(size, sizeof error.message - 4, sizeof error.message - 1);
        assert_true(th_utf8_valid(th_slice_text(error.message)));
        th_fail_in(&error, THEATER_IO, "place");
        assert_true(th_utf8_valid(th_slice_text(error.message)));
        assert_memory_equal(error.message, "place: ", 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_status_has_a_name_of_its_own),
        cmocka_unit_test(names_are_those_of_the_list),
        cmocka_unit_test(a_number_outside_the_list_is_unknown),
        cmocka_unit_test(messages_are_formatted_and_put_in_front),
        cmocka_unit_test(a_message_holds_nothing_that_a_terminal_obeys),
        cmocka_unit_test(no_error_is_wanted),
        cmocka_unit_test(a_long_message_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
