#include "runtime/histogram.h"

void th_histogram_merge(theater_histogram *to, const theater_histogram *from)
{
    to->sum_ns += __atomic_load_n(&from->sum_ns, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < THEATER_HISTOGRAM_BUCKETS; i++) {
        uint64_t count = __atomic_load_n(&from->buckets[i], __ATOMIC_RELAXED);
        to->buckets[i] += count;
        to->count += count;
    }
}

uint64_t theater_histogram_bound_ns(unsigned bucket)
{
    if (bucket >= THEATER_HISTOGRAM_BUCKETS - 1)
        return UINT64_MAX;
    if (bucket == 0)
        return UINT64_C(1) << 10;
    unsigned power = 10 + (bucket - 1) / 2;
    return (bucket - 1) % 2 ? UINT64_C(2) << power : UINT64_C(3) << (power - 1);
}
