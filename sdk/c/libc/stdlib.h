/* stdlib.h of actors: memory of the turn, sorting, absolute values. Included as <stdlib.h>.
 *
 * `free` does nothing: the turn's memory goes with the turn. `malloc` never gives NULL: where no memory is left
 * the turn ends. Numbers are read by theater_text.h, which says whether all of the text was one. */
#ifndef THEATER_STDLIB_H
#define THEATER_STDLIB_H

#include "theater_memory.h"

#define EXIT_SUCCESS 0
#define EXIT_FAILURE 1

/* Each block has its size before it, for realloc. */
enum { THEATER_MALLOC_HEAD = 16 };

static inline void *malloc(size_t size)
{
    if (size > SIZE_MAX - 2 * THEATER_MALLOC_HEAD)
        theater_trap();
    uint8_t *block = theater_alloc(size + THEATER_MALLOC_HEAD);
    __builtin_memcpy(block, &size, sizeof size);
    return block + THEATER_MALLOC_HEAD;
}

static inline void free(void *block)
{
    (void)block;
}

static inline void *calloc(size_t count, size_t size)
{
    size_t all;
    if (__builtin_mul_overflow(count, size, &all))
        theater_trap();
    return __builtin_memset(malloc(all), 0, all);
}

static inline void *realloc(void *block, size_t size)
{
    size_t have = 0;
    if (block)
        __builtin_memcpy(&have, (uint8_t *)block - THEATER_MALLOC_HEAD, sizeof have);
    if (block && size <= have)
        return block;
    void *room = malloc(size);
    if (block)
        __builtin_memcpy(room, block, have);
    return room;
}

_Noreturn static inline void abort(void)
{
    theater_trap();
}

static inline int abs(int value)
{
    return value < 0 ? -value : value;
}
static inline long labs(long value)
{
    return value < 0 ? -value : value;
}
static inline long long llabs(long long value)
{
    return value < 0 ? -value : value;
}

static inline void *bsearch(const void *key, const void *items, size_t count, size_t size,
                            int (*compare)(const void *, const void *))
{
    const uint8_t *first = items;
    while (count > 0) {
        const uint8_t *middle = first + count / 2 * size;
        int order = compare(key, middle);
        if (order == 0)
            return (void *)(uintptr_t)middle;
        if (order > 0)
            first = middle + size;
        count = order > 0 ? count - count / 2 - 1 : count / 2;
    }
    return NULL;
}

/* Lets the item at `at` of a heap sink to its place among `count`. */
static inline void theater_sift(uint8_t *items, size_t at, size_t count, size_t size,
                                int (*compare)(const void *, const void *))
{
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && compare(items + child * size, items + (child + 1) * size) < 0)
            child++;
        uint8_t *a = items + at * size, *b = items + child * size;
        if (compare(a, b) >= 0)
            return;
        for (size_t i = 0; i < size; i++) {
            uint8_t byte = a[i];
            a[i] = b[i];
            b[i] = byte;
        }
    }
}

/* A heap sort: n log n comparisons whatever the order is, so that nobody's input makes a turn long. As of any
 * qsort, the order of equal items is none to rely on. */
static inline void qsort(void *items, size_t count, size_t size, int (*compare)(const void *, const void *))
{
    uint8_t *first = items;
    for (size_t at = count / 2; at > 0; at--)
        theater_sift(first, at - 1, count, size, compare);
    for (size_t left = count; left > 1; left--) {
        uint8_t *last = first + (left - 1) * size;
        for (size_t i = 0; i < size; i++) {
            uint8_t byte = first[i];
            first[i] = last[i];
            last[i] = byte;
        }
        theater_sift(first, 0, left - 1, size, compare);
    }
}

#endif
