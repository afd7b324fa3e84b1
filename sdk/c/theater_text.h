/* theater_text.h: building outputs, and reading words and numbers. Included by theater.h.
 *
 * Numbers are integers; amounts with a fraction are integers of their smallest unit, written and read with a
 * fixed number of decimals. Floating point is never needed for them.
 */
#ifndef THEATER_TEXT_H
#define THEATER_TEXT_H

#include "theater_memory.h"

/* ---- building ------------------------------------------------------------------------------------------ */

/* Bytes under construction, in the turn's memory. It grows by itself; the size given at first is only what it
 * starts with. */
typedef struct theater_writer {
    uint8_t *data;
    size_t size;
    size_t capacity;
} theater_writer;

static inline theater_writer theater_writer_new(size_t capacity)
{
    return (theater_writer){theater_alloc(capacity), 0, capacity};
}

/* What was written so far. More writing may move it, so take it last. */
static inline theater_slice theater_writer_slice(const theater_writer *w)
{
    return (theater_slice){w->data, w->size};
}

/* Room for `size` more bytes, which count as written: the caller fills them. */
THEATER_OUTLINE uint8_t *theater_put_room(theater_writer *w, size_t size)
{
    if (size > w->capacity - w->size) {
        if (size > SIZE_MAX / 4 || w->size > SIZE_MAX / 4)
            theater_trap();
        size_t capacity = 2 * w->capacity > w->size + size ? 2 * w->capacity : w->size + size;
        uint8_t *data = theater_alloc(capacity);
        __builtin_memcpy(data, w->data, w->size);
        w->data = data;
        w->capacity = capacity;
    }
    uint8_t *room = w->data + w->size;
    w->size += size;
    return room;
}

static inline void theater_put_byte(theater_writer *w, char byte)
{
    *theater_put_room(w, 1) = (uint8_t)byte;
}

THEATER_OUTLINE void theater_put_slice(theater_writer *w, theater_slice bytes)
{
    theater_copy(theater_put_room(w, bytes.size), bytes.data, bytes.size);
}

THEATER_INLINE void theater_put_text(theater_writer *w, const char *text)
{
    theater_put_slice(w, theater_slice_text(text));
}

/* Decimal digits of `value`, with a point before the last `decimals` of them (at most 19) where that is not
 * 0: 1234 with 2 is 12.34. */
THEATER_OUTLINE void theater_put_fixed(theater_writer *w, uint64_t value, unsigned decimals)
{
    uint8_t digits[24];
    size_t at = sizeof digits;
    unsigned written = 0;
    do {
        if (decimals && written == decimals)
            digits[--at] = '.';
        digits[--at] = (uint8_t)('0' + value % 10);
        value /= 10;
        written++;
    } while (value || written <= decimals);
    theater_put_slice(w, theater_slice_of(digits + at, sizeof digits - at));
}

static inline void theater_put_u64(theater_writer *w, uint64_t value)
{
    theater_put_fixed(w, value, 0);
}

static inline void theater_put_i64(theater_writer *w, int64_t value)
{
    if (value < 0)
        theater_put_byte(w, '-');
    theater_put_u64(w, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

/* Lower-case hex. */
static inline void theater_put_hex(theater_writer *w, theater_slice bytes)
{
    for (size_t i = 0; i < bytes.size; i++) {
        unsigned high = bytes.data[i] >> 4, low = bytes.data[i] & 15;
        theater_put_byte(w, (char)(high < 10 ? '0' + high : 'a' + high - 10));
        theater_put_byte(w, (char)(low < 10 ? '0' + low : 'a' + low - 10));
    }
}

/* A JSON string with its quotes; line ends and the like as \n or, where `letters` is false, as \u000a. The
 * bytes are taken to be UTF-8. */
THEATER_OUTLINE void theater_put_quoted(theater_writer *w, theater_slice text, bool letters)
{
    theater_put_byte(w, '"');
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c == '"' || c == '\\') {
            theater_put_byte(w, '\\');
            theater_put_byte(w, (char)c);
        } else if (letters && c >= '\b' && c <= '\r' && c != '\v') {
            theater_put_byte(w, '\\');
            theater_put_byte(w, "btn.fr"[c - '\b']);
        } else if (c < 0x20) {
            theater_put_text(w, "\\u00");
            theater_put_hex(w, theater_slice_of(&c, 1));
        } else {
            theater_put_byte(w, (char)c);
        }
    }
    theater_put_byte(w, '"');
}

static inline void theater_put_json(theater_writer *w, theater_slice text)
{
    theater_put_quoted(w, text, false);
}

/* ---- reading ------------------------------------------------------------------------------------------- */

/* Whether all of it is UTF-8 (RFC 3629): no overlong forms, no surrogates. */
THEATER_OUTLINE bool theater_is_utf8(theater_slice text)
{
    for (size_t i = 0; i < text.size;) {
        if (text.size - i >= 8 && !(theater_get_u64le(text.data + i) & UINT64_C(0x8080808080808080))) {
            i += 8;
            continue;
        }
        uint8_t c = text.data[i++], low = 0x80, high = 0xbf;
        if (c < 0x80)
            continue;
        unsigned more = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
        if (c < 0xc2 || c > 0xf4 || more > text.size - i)
            return false;
        low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : low;
        high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : high;
        for (; more > 0; more--, low = 0x80, high = 0xbf) {
            c = text.data[i++];
            if (c < low || c > high)
                return false;
        }
    }
    return true;
}

static inline bool theater_is_space(uint8_t c)
{
    return c <= ' ' && (c == ' ' || c == '\t' || c == '\r' || c == '\n');
}

/* Without spaces, tabs and line ends at both ends. */
static inline theater_slice theater_trim(theater_slice text)
{
    while (text.size > 0 && theater_is_space(text.data[0]))
        text.data++, text.size--;
    while (text.size > 0 && theater_is_space(text.data[text.size - 1]))
        text.size--;
    return text;
}

/* Takes the next word off the front of `rest`: what stands between spaces. Empty at the end. */
THEATER_OUTLINE theater_slice theater_next_word(theater_slice *rest)
{
    while (rest->size > 0 && theater_is_space(rest->data[0]))
        rest->data++, rest->size--;
    theater_slice word = {rest->data, 0};
    while (word.size < rest->size && !theater_is_space(rest->data[word.size]))
        word.size++;
    rest->data += word.size;
    rest->size -= word.size;
    return word;
}

/* Reads `text`, digits with at most `decimals` (0 to 19) of them after a point: "12.3" with 2 gives 1230.
 * False when that is not what all of `text` is, or when it does not fit. */
THEATER_OUTLINE bool theater_parse_fixed(theater_slice text, unsigned decimals, uint64_t *ret)
{
    uint64_t value = 0;
    unsigned after = 0;
    bool point = false, digit = false;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c == '.' && !point && digit && decimals > 0) {
            point = true;
            digit = false;
            continue;
        }
        if (c < '0' || c > '9' || (point && ++after > decimals))
            return false;
        if (value > (UINT64_MAX - (c - '0')) / 10)
            return false;
        value = value * 10 + (c - '0');
        digit = true;
    }
    for (; after < decimals; after++) {
        if (value > UINT64_MAX / 10)
            return false;
        value *= 10;
    }
    *ret = value;
    return digit;
}

static inline bool theater_parse_u64(theater_slice text, uint64_t *ret)
{
    return theater_parse_fixed(text, 0, ret);
}

/* The same with a leading minus. */
static inline bool theater_parse_i64(theater_slice text, int64_t *ret)
{
    bool minus = text.size > 0 && text.data[0] == '-';
    uint64_t value;
    if (!theater_parse_u64(theater_slice_of(text.data + minus, text.size - minus), &value))
        return false;
    if (value > (uint64_t)INT64_MAX + minus)
        return false;
    *ret = minus ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

/* Reads hex digits of either case, two for each byte of `out`, which is exactly filled. */
static inline bool theater_parse_hex(theater_slice text, theater_bytes out)
{
    if (text.size % 2 != 0 || text.size / 2 != out.size)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        unsigned c = text.data[i], letter = (c | 32) - 'a';
        if ((c < '0' || c > '9') && letter > 5)
            return false;
        unsigned digit = c <= '9' ? c - '0' : letter + 10;
        out.data[i / 2] = (uint8_t)(i % 2 ? out.data[i / 2] | digit : digit << 4);
    }
    return true;
}

#endif
