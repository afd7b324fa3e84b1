/* runtime/histogram.h: latencies, counted by their size: two buckets for each doubling, so a quantile read from
 * them is right within a third. One thread adds, any thread reads: no lock, and a sum may be ahead of its count by
 * the value that is being added. */
#ifndef TH_RUNTIME_HISTOGRAM_H
#define TH_RUNTIME_HISTOGRAM_H

#include "theater/runtime.h"

/* The bucket that a value belongs to: the first whose bound is not below it. */
static inline unsigned th_histogram_bucket(uint64_t nanoseconds)
{
    const unsigned first = 10; /* the first bound is 2^10 ns */
    if (nanoseconds <= UINT64_C(1) << first)
        return 0;
    uint64_t below = nanoseconds - 1; /* a value that is a bound belongs to it */
    unsigned power = 63 - (unsigned)__builtin_clzll(below);
    unsigned bucket = 1 + (power - first) * 2 + (unsigned)(below >> (power - 1) & 1);
    return bucket < THEATER_HISTOGRAM_BUCKETS - 1 ? bucket : THEATER_HISTOGRAM_BUCKETS - 1;
}

static inline void th_histogram_raise(uint64_t *value, uint64_t by)
{
    __atomic_store_n(value, *value + by, __ATOMIC_RELAXED); /* its only writer is this thread */
}

/* By the one thread that the histogram belongs to. */
static inline void th_histogram_add(theater_histogram *histogram, uint64_t nanoseconds)
{
    th_histogram_raise(&histogram->buckets[th_histogram_bucket(nanoseconds)], 1);
    th_histogram_raise(&histogram->sum_ns, nanoseconds);
}

/* Adds what another has counted so far. Any thread may read `from` meanwhile; `to` is the caller's. */
void th_histogram_merge(theater_histogram *to, const theater_histogram *from);

#endif
