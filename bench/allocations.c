/* Counts allocations, of C and of Rust, by standing in for the C library's functions: each thread counts for itself, so
 * that counting costs a few nanoseconds. */
#include "allocations.h"

#include <stdlib.h>

enum { THREADS = 256 };

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

/* One for each thread that ever allocated; those past the last share it, and may miss some. */
static struct place {
    unsigned long long count;
    char apart[56]; /* no two threads write to one cache line */
} places[THREADS];
static int threads;
static _Thread_local struct place *mine;

static void count(void)
{
    if (!mine) {
        int number = __atomic_fetch_add(&threads, 1, __ATOMIC_RELAXED);
        mine = &places[number < THREADS ? number : THREADS - 1];
    }
    __atomic_store_n(&mine->count, __atomic_load_n(&mine->count, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
}

void *malloc(size_t size)
{
    count();
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size)
{
    count();
    return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size)
{
    count();
    return __libc_realloc(memory, size);
}

unsigned long long bench_allocations(void)
{
    unsigned long long sum = 0;
    for (int i = 0; i < THREADS; i++)
        sum += __atomic_load_n(&places[i].count, __ATOMIC_RELAXED);
    return sum;
}
