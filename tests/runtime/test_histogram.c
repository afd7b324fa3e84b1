/* Latencies by their size: bounds, buckets, sums. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runtime/histogram.h"

static void bounds_ascend_two_for_each_doubling(void **state)
{
    (void)state;
    assert_int_equal(theater_histogram_bound_ns(0), 1024);
    assert_int_equal(theater_histogram_bound_ns(1), 1536);
    assert_int_equal(theater_histogram_bound_ns(2), 2048);
    for (unsigned i = 3; i < THEATER_HISTOGRAM_BUCKETS - 1; i++)
        assert_int_equal(theater_histogram_bound_ns(i), 2 * theater_histogram_bound_ns(i - 2));
    assert_int_equal(theater_histogram_bound_ns(THEATER_HISTOGRAM_BUCKETS - 2), UINT64_C(1) << 35);
    assert_true(theater_histogram_bound_ns(THEATER_HISTOGRAM_BUCKETS - 1) == UINT64_MAX);
    assert_true(theater_histogram_bound_ns(1000) == UINT64_MAX);
}

static void a_value_stands_in_the_first_bucket_whose_bound_it_does_not_pass(void **state)
{
    (void)state;
    assert_int_equal(th_histogram_bucket(0), 0);
    for (unsigned i = 0; i < THEATER_HISTOGRAM_BUCKETS - 1; i++) {
        uint64_t bound = theater_histogram_bound_ns(i);
        assert_int_equal(th_histogram_bucket(bound - 1), i);
        assert_int_equal(th_histogram_bucket(bound), i);
        assert_int_equal(th_histogram_bucket(bound + 1), i + 1);
    }
    assert_int_equal(th_histogram_bucket(UINT64_MAX), THEATER_HISTOGRAM_BUCKETS - 1);
}

static void histograms_are_added_up(void **state)
{
    (void)state;
    theater_histogram one = {0}, two = {0}, sum = {0};
    th_histogram_add(&one, 1000);
    th_histogram_add(&one, 5000000);
    th_histogram_add(&two, 1000);
    th_histogram_merge(&sum, &one);
    th_histogram_merge(&sum, &two);
    assert_int_equal(sum.count, 3);
    assert_int_equal(sum.sum_ns, 5002000);
    assert_int_equal(sum.buckets[0], 2);
    assert_int_equal(sum.buckets[th_histogram_bucket(5000000)], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_ascend_two_for_each_doubling),
        cmocka_unit_test(a_value_stands_in_the_first_bucket_whose_bound_it_does_not_pass),
        cmocka_unit_test(histograms_are_added_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
