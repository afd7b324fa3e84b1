/* base/allocations.h: how often the C code asks for memory, for benchmarks. */
#ifndef TH_BASE_ALLOCATIONS_H
#define TH_BASE_ALLOCATIONS_H

#include <stdbool.h>
#include <stdint.h>

/* Turns the counting of th_alloc, th_alloc_zero and th_realloc (base/status.h) on or off; off at first, when it
 * costs them one load. All threads count in one place. Any thread. */
void th_allocations_count(bool on);
/* Those that were counted so far, whether they succeeded or not. What libraries and the engine allocate is not
 * in it. Any thread. */
uint64_t th_allocations(void);

#endif
