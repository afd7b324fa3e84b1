/* How often memory was asked for so far, by all threads of a program that is linked with allocations.c. */
#ifndef TH_BENCH_ALLOCATIONS_H
#define TH_BENCH_ALLOCATIONS_H

unsigned long long bench_allocations(void);

#endif
