/* base/bytes.h: slices, bounded buffers and an arena. */
#ifndef TH_BASE_BYTES_H
#define TH_BASE_BYTES_H

#include <stdbool.h>
#include <string.h>

#include "base/status.h"
#include "theater/slice.h"

typedef theater_slice th_slice;
typedef theater_hash th_hash;

static inline th_slice th_slice_of(const void *data, size_t size)
{
    return (th_slice){(const uint8_t *)data, size};
}

static inline th_slice th_slice_text(const char *text)
{
    return th_slice_of(text, strlen(text));
}

static inline bool th_slice_equal(th_slice a, th_slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool th_hash_equal(const th_hash *a, const th_hash *b)
{
    return memcmp(a->bytes, b->bytes, THEATER_HASH_SIZE) == 0;
}

/* Asks the processor to bring bytes into its cache, which are about to be read. Any address will do. */
static inline void th_prefetch(const void *from, size_t size)
{
    for (size_t at = 0; at < size; at += 64)
        __builtin_prefetch((const char *)from + at);
}

/* Big- and little-endian integers at an unaligned place. */
static inline void th_put_u32be(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24), p[1] = (uint8_t)(v >> 16), p[2] = (uint8_t)(v >> 8), p[3] = (uint8_t)v;
}
static inline void th_put_u64be(uint8_t *p, uint64_t v)
{
    th_put_u32be(p, (uint32_t)(v >> 32));
    th_put_u32be(p + 4, (uint32_t)v);
}
static inline uint32_t th_get_u32be(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
static inline uint64_t th_get_u64be(const uint8_t *p)
{
    return (uint64_t)th_get_u32be(p) << 32 | th_get_u32be(p + 4);
}
static inline void th_put_u32le(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)v, p[1] = (uint8_t)(v >> 8), p[2] = (uint8_t)(v >> 16), p[3] = (uint8_t)(v >> 24);
}
static inline void th_put_u64le(uint8_t *p, uint64_t v)
{
    th_put_u32le(p, (uint32_t)v);
    th_put_u32le(p + 4, (uint32_t)(v >> 32));
}
static inline uint32_t th_get_u32le(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}
static inline uint64_t th_get_u64le(const uint8_t *p)
{
    return (uint64_t)th_get_u32le(p + 4) << 32 | th_get_u32le(p);
}

/* A growable byte string with a maximum from birth. `th_buf_init` allocates nothing. Appending past
 * `max` fails with THEATER_TOO_LARGE, without memory with THEATER_NO_MEMORY; either way the contents
 * stay as they were. Not for sharing between threads. */
typedef struct th_buf {
    uint8_t *data;
    size_t size;
    size_t capacity;
    size_t max;
} th_buf;

void th_buf_init(th_buf *buf, size_t max);
void th_buf_done(th_buf *buf);             /* frees; the buffer may be used again after init */
static inline void th_buf_clear(th_buf *buf) /* keeps the memory */
{
    buf->size = 0;
}
THEATER_CHECKED theater_status th_buf_reserve(th_buf *buf, size_t more, theater_error *reterr);
THEATER_CHECKED theater_status th_buf_append(th_buf *buf, th_slice bytes, theater_error *reterr);
THEATER_CHECKED theater_status th_buf_append_byte(th_buf *buf, uint8_t byte, theater_error *reterr);
/* Formatted text, without a terminating zero. */
THEATER_CHECKED theater_status th_buf_printf(th_buf *buf, theater_error *reterr, const char *format, ...)
    THEATER_PRINTF(3, 4);
/* Extends by `size` bytes that the caller fills at once; *ret_room is valid until the next append. */
THEATER_CHECKED theater_status th_buf_extend(th_buf *buf, size_t size, uint8_t **ret_room,
                                             theater_error *reterr);
static inline th_slice th_buf_slice(const th_buf *buf)
{
    return th_slice_of(buf->data, buf->size);
}
/* Moves the contents out: the caller owns them (theater_bytes_free); the buffer is empty again. */
theater_bytes th_buf_take(th_buf *buf);

/* Memory that is given back all at once: one arena for each turn, slice of turns or request. Blocks are
 * kept by th_arena_clear for the next round, up to `keep` bytes. Addresses do not move. */
typedef struct th_arena_block th_arena_block;
typedef struct th_arena {
    th_arena_block *first;
    th_arena_block *current;
    size_t used;  /* bytes handed out since the last clear */
    size_t max;   /* th_arena_alloc past this gives NULL */
} th_arena;

void th_arena_init(th_arena *arena, size_t max);
void th_arena_done(th_arena *arena);
void th_arena_clear(th_arena *arena, size_t keep);
/* 16-byte aligned, not zeroed; NULL when out of memory or past `max`. A size of 0 gives a valid place. */
void *th_arena_alloc(th_arena *arena, size_t size);
/* A copy of the bytes in the arena; .data is NULL and the size not 0 when there was no room. */
th_slice th_arena_copy(th_arena *arena, th_slice bytes);

/* Lower-case hex. `out` has room for 2 * size + 1 bytes and ends with a zero. */
void th_hex_encode(th_slice bytes, char *out);
/* Reads exactly 2 * size hex digits (either case) from `text`; false when that is not what stands there. */
bool th_hex_decode(const char *text, size_t text_size, uint8_t *out, size_t size);

#define TH_DECIMAL_MAX 20
/* The decimal digits, without a terminating zero; `out` has room for TH_DECIMAL_MAX. Returns how many. */
size_t th_decimal_encode(uint64_t number, char *out);

/* Whether the bytes are well-formed UTF-8 (no surrogates, no overlong forms, at most U+10FFFF). */
bool th_utf8_valid(th_slice text);
/* Bytes at the front that are so: whole characters. */
size_t th_utf8_prefix(th_slice text);
/* Bytes of the character at the front, 0 when there is none. */
size_t th_utf8_character(th_slice text);
/* Puts spaces for the control characters (C0, DEL, C1) of a text that anybody may have written, because a
 * terminal obeys them. Newlines may stay. */
void th_blank_controls(char *text, bool keep_newlines);

/* Whether the bytes are a name by the chain format: 1 to 128 bytes, labels of a-z 0-9 - _ joined by dots. */
bool th_name_valid(th_slice name);

#endif
