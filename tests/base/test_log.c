/* Log messages go to the sink that was set, from its level up, as one line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"

static char seen[4096];
static int count;

static void keep(void *context, th_log_level level, const char *message)
{
    *(th_log_level *)context = level;
    strcpy(seen, message);
    count++;
}

static void nothing_is_written_without_a_sink(void **state)
{
    count = 0;
    th_log_set_sink(NULL, NULL, TH_LOG_TRACE);
    th_log(TH_LOG_ERROR, "lost");
    assert_int_equal(count, 0);
}

static void what_is_below_the_minimum_is_dropped(void **state)
{
    th_log_level level = TH_LOG_TRACE;
    count = 0;
    th_log_set_sink(keep, &level, TH_LOG_WARN);
    th_log(TH_LOG_INFO, "lost");
    assert_int_equal(count, 0);
    th_log(TH_LOG_WARN, "kept %d", 1);
    assert_int_equal(count, 1);
    assert_int_equal(level, TH_LOG_WARN);
    assert_string_equal(seen, "kept 1");
    th_log_set_sink(NULL, NULL, TH_LOG_TRACE);
}

static void a_message_is_one_line_of_bounded_size(void **state)
{
    th_log_level level;
    char text[5000];
    th_log_set_sink(keep, &level, TH_LOG_TRACE);
    th_log(TH_LOG_INFO, "a\nb");
    assert_string_equal(seen, "a b");
    th_log(TH_LOG_INFO, "a\x1b[2J\x7f\xc2\x9b" "b\xc2\xa0");
    assert_string_equal(seen, "a [2J   b\xc2\xa0");
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = 0;
    th_log(TH_LOG_INFO, "%s", text);
    assert_in_range(strlen(seen), 1000, 2047);
    th_log_set_sink(NULL, NULL, TH_LOG_TRACE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_written_without_a_sink),
        cmocka_unit_test(what_is_below_the_minimum_is_dropped),
        cmocka_unit_test(a_message_is_one_line_of_bounded_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
