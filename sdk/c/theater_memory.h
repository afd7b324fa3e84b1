/* theater_memory.h: slices, the turn's memory, and fixed-size integers. Included by theater.h.
 *
 * Memory of a turn is one heap that only grows: theater_alloc moves an end forward, and the instance is
 * dropped after the turn. A turn's cost is largely the pages that it touches, so the heap starts right behind
 * the few static bytes of the actor, in the page where the stack ends (see the linker's options in `theater
 * build`).
 *
 * verify_state is called in the same instance, after the results were taken. Nothing of the turn is needed
 * then, so the first allocation after the return starts again at the heap's beginning, on pages that are
 * touched already.
 */
#ifndef THEATER_MEMORY_H
#define THEATER_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Inlined, so that the length of a literal is a constant. */
#define THEATER_INLINE static inline __attribute__((always_inline))
/* Not inlined: called from many places, and larger than the call. */
#define THEATER_OUTLINE static __attribute__((noinline, unused))

/* Bytes to read. They belong to the turn, or are constant. */
typedef struct theater_slice {
    const uint8_t *data;
    size_t size;
} theater_slice;

/* Bytes to read and write: the state, or what theater_bytes_new gave. */
typedef struct theater_bytes {
    uint8_t *data;
    size_t size;
} theater_bytes;

/* ---- the turn's memory --------------------------------------------------------------------------------- */

/* Whether a heap may end there. The last page of the 4 GiB that 32 bits can address is never taken: the end of
 * it, or one close to it that is rounded up, would be 0. */
static inline bool theater_heap_may_end(uint64_t end)
{
    return end <= UINT32_MAX - 65535;
}

#ifdef __wasm__

extern uint8_t __heap_base; /* where the linker's static data ends */

/* The heap's end, 0 before the first allocation and after a result was returned. Weak: every file of an actor
 * may include this. */
__attribute__((weak)) uintptr_t theater_heap_end;

static inline void theater_heap_finish(void)
{
    theater_heap_end = 0;
}

/* Ends the turn as a rejection with the code of a trap: for what cannot happen or cannot be mended. */
_Noreturn static inline void theater_trap(void)
{
    __builtin_trap();
}

static inline void theater_heap_grow(uint64_t end)
{
    size_t have = __builtin_wasm_memory_size(0);
    size_t need = (size_t)((end + 65535) >> 16);
    if (need <= have)
        return;
    if (!theater_heap_may_end(end) || __builtin_wasm_memory_grow(0, need - have) == (size_t)-1)
        theater_trap();
}

/* `size` bytes, aligned to 16, not zeroed (they may hold what this turn left there). Never NULL: where no
 * memory is left the turn traps. */
static inline void *theater_alloc(size_t size)
{
    uintptr_t at = theater_heap_end ? theater_heap_end : (uintptr_t)&__heap_base;
    at = (at + 15) & ~(uintptr_t)15;
    uint64_t end = (uint64_t)at + size;
    if (end > (uint64_t)__builtin_wasm_memory_size(0) << 16)
        theater_heap_grow(end);
    theater_heap_end = (uintptr_t)end;
    return (void *)at;
}

/* The compiler may call these for its own needs. Weak: every file of an actor may include this, and an actor
 * may bring its own. */
__attribute__((weak)) void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    __builtin_memcpy(to, from, size);
    return to;
}
__attribute__((weak)) void *memmove(void *to, const void *from, size_t size)
{
    __builtin_memmove(to, from, size);
    return to;
}
__attribute__((weak)) void *memset(void *to, int byte, size_t size)
{
    __builtin_memset(to, byte, size);
    return to;
}
__attribute__((weak)) int memcmp(const void *a, const void *b, size_t size)
{
    const uint8_t *x = a, *y = b;
    for (size_t i = 0; i < size; i++) {
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    }
    return 0;
}
__attribute__((weak)) size_t strlen(const char *text)
{
    size_t size = 0;
    while (text[size])
        size++;
    return size;
}

#else

#include <stdlib.h>
#include <string.h>

/* A test program on the machine: the same functions over the C library. It may run out of memory only by
 * aborting, and never frees. */
_Noreturn static inline void theater_trap(void)
{
    abort();
}

static inline void *theater_alloc(size_t size)
{
    void *room = malloc(size ? size : 1);
    if (!room)
        theater_trap();
    return room;
}

#endif

/* `size` zero bytes. */
static inline theater_bytes theater_bytes_new(size_t size)
{
    uint8_t *data = theater_alloc(size);
    __builtin_memset(data, 0, size);
    return (theater_bytes){data, size};
}

/* Copies `size` bytes between places that do not overlap. For the short texts of an actor this is cheaper
 * than what the compiler makes of memcpy, which is one instruction but a call out of the actor. */
static inline void theater_copy(uint8_t *to, const uint8_t *from, size_t size)
{
    for (; size >= 8; size -= 8, to += 8, from += 8)
        __builtin_memcpy(to, from, 8);
    for (; size > 0; size--)
        *to++ = *from++;
}

/* The bytes with another size; what is new is zero. They stay where they are if nothing was allocated behind
 * them and they grow, as the state does at the start of a turn; otherwise this is a copy. */
static inline theater_bytes theater_bytes_resize(theater_bytes bytes, size_t size)
{
#ifdef __wasm__
    if (size >= bytes.size && (uintptr_t)bytes.data + bytes.size == theater_heap_end) {
        uint64_t end = (uint64_t)(uintptr_t)bytes.data + size;
        theater_heap_grow(end);
        theater_heap_end = (uintptr_t)end;
        __builtin_memset(bytes.data + bytes.size, 0, size - bytes.size);
        return (theater_bytes){bytes.data, size};
    }
#endif
    theater_bytes room = theater_bytes_new(size);
    __builtin_memcpy(room.data, bytes.data, bytes.size < size ? bytes.size : size);
    return room;
}

/* ---- slices -------------------------------------------------------------------------------------------- */

static inline theater_slice theater_slice_of(const void *data, size_t size)
{
    return (theater_slice){data, size};
}
THEATER_INLINE theater_slice theater_slice_text(const char *text)
{
    return (theater_slice){(const uint8_t *)text, __builtin_strlen(text)};
}
static inline theater_slice theater_slice_bytes(theater_bytes bytes)
{
    return (theater_slice){bytes.data, bytes.size};
}
static inline bool theater_slice_equal(theater_slice a, theater_slice b)
{
    if (a.size != b.size)
        return false;
    for (size_t i = 0; i < a.size; i++) {
        if (a.data[i] != b.data[i])
            return false;
    }
    return true;
}
/* Below, at or above 0 as the bytes of `a` are before, like or behind those of `b`; a beginning comes before
 * the whole. */
static inline int theater_slice_compare(theater_slice a, theater_slice b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    for (size_t i = 0; i < size; i++) {
        if (a.data[i] != b.data[i])
            return a.data[i] < b.data[i] ? -1 : 1;
    }
    return a.size == b.size ? 0 : a.size < b.size ? -1 : 1;
}
THEATER_INLINE bool theater_slice_is(theater_slice a, const char *text)
{
    return theater_slice_equal(a, theater_slice_text(text));
}

/* ---- integers at any place, little-endian -------------------------------------------------------------- */

static inline uint16_t theater_get_u16le(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}
static inline void theater_put_u16le(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v, p[1] = (uint8_t)(v >> 8);
}
/* WebAssembly is little-endian and takes any alignment: the copies below become one instruction. */
static inline uint32_t theater_get_u32le(const uint8_t *p)
{
    uint32_t v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}
static inline void theater_put_u32le(uint8_t *p, uint32_t v)
{
    __builtin_memcpy(p, &v, sizeof v);
}
static inline uint64_t theater_get_u64le(const uint8_t *p)
{
    uint64_t v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}
static inline void theater_put_u64le(uint8_t *p, uint64_t v)
{
    __builtin_memcpy(p, &v, sizeof v);
}
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "theater_memory.h takes the machine to be little-endian"
#endif

#endif
