/* theater_cbor.h: CBOR (RFC 8949), read item by item and written, in the one form that its section 4.2.1
 * gives to a value: the core deterministic encoding. Included by theater.h. theater_codec.h reads and writes
 * whole values.
 *
 *     theater_cbor cbor = theater_cbor_of(input);
 *     theater_cbor_members map = theater_cbor_map(&cbor);
 *     uint64_t votes = 0;
 *     while (theater_cbor_member(&cbor, &map)) {
 *         if (theater_slice_is(map.key, "votes"))
 *             votes = theater_cbor_u64(&cbor);
 *         else
 *             theater_cbor_skip(&cbor);
 *     }
 *     if (!theater_cbor_done(&cbor))
 *         return theater_reject_slice(theater_cbor_error(&cbor));
 *
 * The first thing that is not as asked for, or not in that form, sets `wrong`; from then on every function
 * does nothing and gives nothing, so it is enough to ask once at the end. Refused are longer heads and floats
 * than need be, keys out of order or twice, indefinite lengths, tags, simple values beside false, true, null
 * and undefined, and text that is not UTF-8.
 */
#ifndef THEATER_CBOR_H
#define THEATER_CBOR_H

#include "theater_memory.h"
#include "theater_text.h"

#define THEATER_CBOR_DEPTH 128 /* how deep a value may nest */

/* The major types of RFC 8949, section 3.1. */
typedef enum theater_cbor_type {
    THEATER_CBOR_UNSIGNED,
    THEATER_CBOR_NEGATIVE,
    THEATER_CBOR_BYTES,
    THEATER_CBOR_TEXT,
    THEATER_CBOR_ARRAY,
    THEATER_CBOR_MAP,
    THEATER_CBOR_TAG,
    THEATER_CBOR_SIMPLE, /* floats too */
    THEATER_CBOR_END, /* nothing is left, or something was wrong */
} theater_cbor_type;

typedef struct theater_cbor {
    const uint8_t *start;
    const uint8_t *at; /* after a failure: where it is */
    const uint8_t *end;
    const char *wrong; /* what is wrong there; NULL: nothing so far */
} theater_cbor;

static inline theater_cbor theater_cbor_of(theater_slice bytes)
{
    return (theater_cbor){bytes.data, bytes.data, bytes.data + bytes.size, NULL};
}

THEATER_OUTLINE void theater_cbor_fail(theater_cbor *cbor, const uint8_t *place, const char *what)
{
    if (cbor->wrong)
        return;
    cbor->wrong = what;
    cbor->at = place;
}

/* What is wrong, and at which byte. */
THEATER_OUTLINE theater_slice theater_cbor_error(const theater_cbor *cbor)
{
    theater_writer text = theater_writer_new(128);
    theater_put_text(&text, "this is not deterministic CBOR as expected: ");
    theater_put_text(&text, cbor->wrong ? cbor->wrong : "there is more behind it");
    theater_put_text(&text, " at byte ");
    theater_put_u64(&text, (uint64_t)(cbor->at - cbor->start));
    return theater_writer_slice(&text);
}

/* Whether all was read and nothing failed. */
static inline bool theater_cbor_done(const theater_cbor *cbor)
{
    return !cbor->wrong && cbor->at == cbor->end;
}

/* Of what type the next item is. */
static inline theater_cbor_type theater_cbor_next(const theater_cbor *cbor)
{
    return cbor->wrong || cbor->at == cbor->end ? THEATER_CBOR_END : (theater_cbor_type)(*cbor->at >> 5);
}

/* ---- floats -------------------------------------------------------------------------------------------- */

/* The bits of the double with the value of a float of half (10, 15) or single (23, 127) precision. */
THEATER_OUTLINE uint64_t theater_cbor_widen(uint32_t bits, unsigned fraction_bits, uint32_t bias)
{
    uint32_t unit = (uint32_t)1 << fraction_bits, top = 2 * bias + 1;
    uint32_t fraction = bits & (unit - 1), field = bits >> fraction_bits & top;
    uint64_t sign = (uint64_t)(bits >> fraction_bits > top) << 63, exponent = field + 1023 - bias;
    if (field == top) {
        exponent = 0x7ff;
    } else if (field == 0) {
        if (fraction == 0)
            return sign;
        for (exponent++; !(fraction & unit); exponent--)
            fraction <<= 1;
    }
    return sign | exponent << 52 | (uint64_t)(fraction & (unit - 1)) << (52 - fraction_bits);
}

/* The other way. False: that precision does not have the value; a NaN is none. */
THEATER_OUTLINE bool theater_cbor_narrow(uint64_t bits, unsigned fraction_bits, int bias, uint32_t *ret)
{
    int exponent = (int)(bits >> 52 & 0x7ff) - 1023;
    unsigned drop = 52 - fraction_bits;
    uint64_t one = UINT64_C(1) << 52, fraction = bits & (one - 1), field = (uint64_t)(exponent + bias);
    if (exponent == 1024) {
        field = 2 * (uint64_t)bias + 1;
        if (fraction != 0)
            return false;
    } else if (exponent == -1023) {
        field = 0;
        if (fraction != 0)
            return false;
    } else if (exponent > bias) {
        return false;
    } else if (exponent < 1 - bias) {
        /* Without a leading one: the fraction stands further right. */
        drop += (unsigned)(1 - bias - exponent);
        fraction |= one;
        field = 0;
        if (drop > 52)
            return false;
    }
    if (fraction & ((UINT64_C(1) << drop) - 1))
        return false;
    uint64_t sign = bits >> 63 ? 2 * (uint64_t)bias + 2 : 0;
    *ret = (uint32_t)((sign | field) << fraction_bits | fraction >> drop);
    return true;
}

static inline bool theater_cbor_is_nan(uint64_t bits)
{
    return bits << 1 > UINT64_C(0x7ff) << 53;
}

/* The bits of the double of a head's argument. `info` is 25, 26 or 27. */
static inline uint64_t theater_cbor_float_bits(unsigned info, uint64_t argument)
{
    return info == 27   ? argument
           : info == 26 ? theater_cbor_widen((uint32_t)argument, 23, 127)
                        : theater_cbor_widen((uint32_t)argument, 10, 15);
}

/* ---- reading ------------------------------------------------------------------------------------------- */

/* What is wrong with an item of major type 7; NULL: nothing. */
THEATER_OUTLINE const char *theater_cbor_simple_wrong(unsigned info, uint64_t argument)
{
    uint32_t shorter;
    if (info < 25)
        return info >= 20 && info <= 23 ? NULL : "a simple value has no meaning here";
    uint64_t bits = theater_cbor_float_bits(info, argument);
    bool longer = theater_cbor_is_nan(bits) ? info != 25 || argument != 0x7e00
                  : info == 27              ? theater_cbor_narrow(bits, 23, 127, &shorter)
                                            : info == 26 && theater_cbor_narrow(bits, 10, 15, &shorter);
    return longer ? "a float is longer than it need be" : NULL;
}

/* Takes the head of the next item: its first byte, and its argument. */
THEATER_OUTLINE bool theater_cbor_take_head(theater_cbor *cbor, uint8_t *ret_head, uint64_t *ret_argument)
{
    const uint8_t *at = cbor->at;
    const char *wrong = NULL;
    if (cbor->wrong)
        return false;
    if (at == cbor->end) {
        theater_cbor_fail(cbor, at, "it ends early");
        return false;
    }
    uint8_t head = *at++;
    unsigned info = head & 31;
    uint64_t argument = info;
    if (info >= 28) {
        wrong = "a length is missing";
    } else if (info >= 24) {
        size_t size = (size_t)1 << (info - 24);
        if (size > (size_t)(cbor->end - at)) {
            wrong = "it ends early";
        } else {
            argument = 0;
            for (size_t i = 0; i < size; i++)
                argument = argument << 8 | *at++;
            if (head >> 5 != THEATER_CBOR_SIMPLE && argument < (size == 1 ? 24 : UINT64_C(1) << 4 * size))
                wrong = "a number is longer than it need be";
        }
    }
    if (!wrong && head >> 5 == THEATER_CBOR_SIMPLE)
        wrong = theater_cbor_simple_wrong(info, argument);
    if (!wrong && head >> 5 == THEATER_CBOR_TAG)
        wrong = "a tag has no meaning here";
    if (wrong) {
        theater_cbor_fail(cbor, cbor->at, wrong);
        return false;
    }
    cbor->at = at;
    *ret_head = head;
    *ret_argument = argument;
    return true;
}

/* The argument of the next item, which is to be of a type. 0 after a failure. */
THEATER_OUTLINE uint64_t theater_cbor_take(theater_cbor *cbor, theater_cbor_type type, const char *wanted)
{
    const uint8_t *start = cbor->at;
    uint8_t head;
    uint64_t argument;
    if (!theater_cbor_take_head(cbor, &head, &argument))
        return 0;
    if (head >> 5 == type)
        return argument;
    theater_cbor_fail(cbor, start, wanted);
    return 0;
}

/* Takes the next item where it is this one byte: false, true, null or undefined. */
static inline bool theater_cbor_take_byte(theater_cbor *cbor, uint8_t byte)
{
    bool there = !cbor->wrong && cbor->at < cbor->end && *cbor->at == byte;
    cbor->at += there;
    return there;
}

static inline bool theater_cbor_null(theater_cbor *cbor)
{
    return theater_cbor_take_byte(cbor, 0xf6);
}

static inline bool theater_cbor_bool(theater_cbor *cbor)
{
    bool value = theater_cbor_take_byte(cbor, 0xf5);
    if (!value && !theater_cbor_take_byte(cbor, 0xf4))
        theater_cbor_fail(cbor, cbor->at, "true or false is wanted");
    return value;
}

static inline uint64_t theater_cbor_u64(theater_cbor *cbor)
{
    return theater_cbor_take(cbor, THEATER_CBOR_UNSIGNED, "an integer from 0 on is wanted");
}

THEATER_OUTLINE int64_t theater_cbor_i64(theater_cbor *cbor)
{
    const uint8_t *start = cbor->at;
    bool negative = theater_cbor_next(cbor) == THEATER_CBOR_NEGATIVE;
    uint64_t value = theater_cbor_take(cbor, negative ? THEATER_CBOR_NEGATIVE : THEATER_CBOR_UNSIGNED,
                                       "an integer is wanted");
    if (value > INT64_MAX) {
        theater_cbor_fail(cbor, start, "an integer does not fit into 64 bits with a sign");
        return 0;
    }
    return negative ? -1 - (int64_t)value : (int64_t)value;
}

/* A float, or an integer that a double has exactly: some languages write 2.0 as 2. */
THEATER_OUTLINE double theater_cbor_double(theater_cbor *cbor)
{
    const uint8_t *start = cbor->at;
    uint8_t head;
    uint64_t argument, exact = UINT64_C(1) << 53;
    double value;
    if (!theater_cbor_take_head(cbor, &head, &argument))
        return 0;
    if (head >> 5 <= THEATER_CBOR_NEGATIVE && argument <= exact - (head >> 5))
        return head >> 5 ? -1 - (double)argument : (double)argument;
    if (head < 0xf9) {
        theater_cbor_fail(
            cbor, start, head < 0x40 ? "a float of 64 bits does not have this integer" : "a float is wanted");
        return 0;
    }
    uint64_t bits = theater_cbor_float_bits(head & 31, argument);
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
}

static inline theater_slice theater_cbor_string(theater_cbor *cbor, theater_cbor_type type,
                                                const char *wanted)
{
    const uint8_t *start = cbor->at;
    uint64_t size = theater_cbor_take(cbor, type, wanted);
    if (size > (uint64_t)(cbor->end - cbor->at))
        theater_cbor_fail(cbor, start, "it ends early");
    if (cbor->wrong)
        return (theater_slice){0};
    cbor->at += size;
    return theater_slice_of(cbor->at - size, (size_t)size);
}

/* A byte string, which stays a part of what is read. */
THEATER_OUTLINE theater_slice theater_cbor_bytes(theater_cbor *cbor)
{
    return theater_cbor_string(cbor, THEATER_CBOR_BYTES, "bytes are wanted");
}

/* A text. */
THEATER_OUTLINE theater_slice theater_cbor_text(theater_cbor *cbor)
{
    const uint8_t *start = cbor->at;
    theater_slice text = theater_cbor_string(cbor, THEATER_CBOR_TEXT, "a text is wanted");
    if (theater_is_utf8(text))
        return text;
    theater_cbor_fail(cbor, start, "a text is not UTF-8");
    return (theater_slice){0};
}

static inline size_t theater_cbor_count(theater_cbor *cbor, theater_cbor_type type, size_t least,
                                        const char *wanted)
{
    const uint8_t *start = cbor->at;
    uint64_t count = theater_cbor_take(cbor, type, wanted);
    if (count > (uint64_t)(cbor->end - cbor->at) / least) {
        theater_cbor_fail(cbor, start, "it ends early");
        return 0;
    }
    return (size_t)count;
}

/* Enters an array: how many items are to be read next, never more than bytes are left. */
static inline size_t theater_cbor_array(theater_cbor *cbor)
{
    return theater_cbor_count(cbor, THEATER_CBOR_ARRAY, 1, "an array is wanted");
}

/* The members of a map that is read. */
typedef struct theater_cbor_members {
    size_t left;
    theater_slice key; /* of the member whose value is to be read next */
    bool first;
} theater_cbor_members;

/* Enters a map with texts for keys, then theater_cbor_member gives one member after the other. False at its
 * end. */
static inline theater_cbor_members theater_cbor_map(theater_cbor *cbor)
{
    size_t count = theater_cbor_count(cbor, THEATER_CBOR_MAP, 2, "a map is wanted");
    return (theater_cbor_members){count, {0}, true};
}

/* The order of two keys in a map: that of their encodings, so a shorter one comes first. */
THEATER_OUTLINE int theater_cbor_compare(theater_slice a, theater_slice b)
{
    return a.size != b.size ? (a.size < b.size ? -1 : 1) : theater_slice_compare(a, b);
}

THEATER_OUTLINE bool theater_cbor_member(theater_cbor *cbor, theater_cbor_members *members)
{
    const uint8_t *start = cbor->at;
    theater_slice last = members->key;
    if (cbor->wrong || members->left == 0)
        return false;
    members->left--;
    members->key = theater_cbor_text(cbor);
    if (!members->first && theater_cbor_compare(last, members->key) >= 0)
        theater_cbor_fail(cbor, start, "keys are out of order");
    members->first = false;
    return !cbor->wrong;
}

THEATER_OUTLINE void theater_cbor_skip_at(theater_cbor *cbor, int depth)
{
    theater_cbor_type type = theater_cbor_next(cbor);
    uint8_t head;
    uint64_t argument;
    if (depth < 0) {
        theater_cbor_fail(cbor, cbor->at, "it is nested too deep");
    } else if (type == THEATER_CBOR_ARRAY) {
        for (size_t left = theater_cbor_array(cbor); left > 0 && !cbor->wrong; left--)
            theater_cbor_skip_at(cbor, depth - 1);
    } else if (type == THEATER_CBOR_MAP) {
        theater_slice last = {0};
        for (size_t left = theater_cbor_map(cbor).left; left > 0 && !cbor->wrong; left--) {
            const uint8_t *start = cbor->at;
            theater_cbor_skip_at(cbor, depth - 1);
            theater_slice key = theater_slice_of(start, (size_t)(cbor->at - start));
            if (last.data && theater_slice_compare(last, key) >= 0)
                theater_cbor_fail(cbor, start, "keys are out of order");
            last = key;
            theater_cbor_skip_at(cbor, depth - 1);
        }
    } else if (type == THEATER_CBOR_TEXT) {
        theater_cbor_text(cbor);
    } else if (type == THEATER_CBOR_BYTES) {
        theater_cbor_bytes(cbor);
    } else {
        theater_cbor_take_head(cbor, &head, &argument);
    }
}

/* Reads an item of any kind, whole, and forgets it. */
static inline void theater_cbor_skip(theater_cbor *cbor)
{
    theater_cbor_skip_at(cbor, THEATER_CBOR_DEPTH);
}

/* ---- writing ------------------------------------------------------------------------------------------- */

THEATER_OUTLINE void theater_cbor_put_head(theater_writer *w, theater_cbor_type type, uint64_t argument)
{
    unsigned size = argument < 24            ? 0
                    : argument <= UINT8_MAX  ? 1
                    : argument <= UINT16_MAX ? 2
                    : argument <= UINT32_MAX ? 4
                                             : 8;
    static const uint8_t infos[] = {0, 24, 25, 0, 26, 0, 0, 0, 27};
    uint8_t *room = theater_put_room(w, 1 + size);
    *room = (uint8_t)((unsigned)type << 5 | (size ? infos[size] : argument));
    for (unsigned i = size; i > 0; i--, argument >>= 8)
        room[i] = (uint8_t)argument;
}

static inline void theater_cbor_put_u64(theater_writer *w, uint64_t value)
{
    theater_cbor_put_head(w, THEATER_CBOR_UNSIGNED, value);
}

static inline void theater_cbor_put_i64(theater_writer *w, int64_t value)
{
    theater_cbor_put_head(w, value < 0 ? THEATER_CBOR_NEGATIVE : THEATER_CBOR_UNSIGNED,
                          value < 0 ? ~(uint64_t)value : (uint64_t)value);
}

static inline void theater_cbor_put_bool(theater_writer *w, bool value)
{
    *theater_put_room(w, 1) = value ? 0xf5 : 0xf4;
}

static inline void theater_cbor_put_null(theater_writer *w)
{
    *theater_put_room(w, 1) = 0xf6;
}

/* A float in its shortest form. Every NaN is the same one. */
THEATER_OUTLINE void theater_cbor_put_double(theater_writer *w, double value)
{
    uint64_t bits;
    uint32_t shorter = 0x7e00;
    unsigned size = 8;
    __builtin_memcpy(&bits, &value, sizeof bits);
    if (theater_cbor_is_nan(bits) || theater_cbor_narrow(bits, 10, 15, &shorter))
        size = 2;
    else if (theater_cbor_narrow(bits, 23, 127, &shorter))
        size = 4;
    bits = size < 8 ? shorter : bits;
    uint8_t *room = theater_put_room(w, 1 + size);
    *room = size == 2 ? 0xf9 : size == 4 ? 0xfa : 0xfb;
    for (unsigned i = size; i > 0; i--, bits >>= 8)
        room[i] = (uint8_t)bits;
}

static inline void theater_cbor_put_bytes(theater_writer *w, theater_slice bytes)
{
    theater_cbor_put_head(w, THEATER_CBOR_BYTES, bytes.size);
    theater_put_slice(w, bytes);
}

/* The bytes are taken to be UTF-8: theater_is_utf8. */
static inline void theater_cbor_put_text(theater_writer *w, theater_slice text)
{
    theater_cbor_put_head(w, THEATER_CBOR_TEXT, text.size);
    theater_put_slice(w, text);
}

/* Begins an array of so many items, or a map of so many members, each a text and its value, which are written
 * next: those of a map in the order of theater_cbor_compare. theater_codec.h puts them in order by itself. */
static inline void theater_cbor_put_array(theater_writer *w, size_t count)
{
    theater_cbor_put_head(w, THEATER_CBOR_ARRAY, count);
}
static inline void theater_cbor_put_map(theater_writer *w, size_t count)
{
    theater_cbor_put_head(w, THEATER_CBOR_MAP, count);
}

#endif
