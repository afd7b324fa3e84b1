/* theater_json.h: reads JSON (RFC 8259) member by member, without building a tree. Included by theater.h.
 *
 *     theater_json json = theater_json_of(input);
 *     theater_slice key, name = {0};
 *     theater_json_object(&json);
 *     while (theater_json_member(&json, &key)) {
 *         if (theater_slice_is(key, "name"))
 *             name = theater_json_string(&json);
 *         else
 *             theater_json_skip(&json);
 *     }
 *     if (!theater_json_done(&json))
 *         return theater_reject("not what is expected");
 *
 * The first thing that is not as asked for, or is no JSON, sets `failed`; from then on every function does
 * nothing and gives nothing, so it is enough to ask once at the end. That a string is UTF-8 is not
 * checked.
 */
#ifndef THEATER_JSON_H
#define THEATER_JSON_H

#include "theater_memory.h"
#include "theater_text.h"

#define THEATER_JSON_DEPTH 16 /* how deep a value that is skipped may nest */

typedef struct theater_json {
    const uint8_t *at;
    const uint8_t *end;
    bool first; /* the next member or item is the first of its object or array */
    bool failed;
} theater_json;

static inline theater_json theater_json_of(theater_slice text)
{
    return (theater_json){text.data, text.data + text.size, false, false};
}

/* The next byte that is no space, not taken; 0 at the end or after a failure. */
static inline uint8_t theater_json_peek(theater_json *json)
{
    while (json->at < json->end && theater_is_space(*json->at))
        json->at++;
    return json->failed || json->at == json->end ? 0 : *json->at;
}

static inline bool theater_json_take(theater_json *json, uint8_t byte)
{
    if (theater_json_peek(json) != byte || byte == 0) {
        json->failed = true;
        return false;
    }
    json->at++;
    return true;
}

/* Whether all was read, nothing but space is left, and nothing failed. */
static inline bool theater_json_done(theater_json *json)
{
    return theater_json_peek(json) == 0 && !json->failed && json->at == json->end;
}

THEATER_OUTLINE unsigned theater_json_hex4(theater_json *json)
{
    unsigned value = 0;
    for (int i = 0; i < 4; i++, json->at++) {
        unsigned c = json->at < json->end ? *json->at : 0, letter = (c | 32) - 'a';
        if ((c < '0' || c > '9') && letter > 5) {
            json->failed = true;
            return 0;
        }
        value = value << 4 | (c <= '9' ? c - '0' : letter + 10);
    }
    return value;
}

/* The character of \u, which may take two of them (a surrogate pair), as UTF-8. */
THEATER_OUTLINE uint8_t *theater_json_unicode(theater_json *json, uint8_t *out)
{
    unsigned c = theater_json_hex4(json);
    if (c >= 0xd800 && c < 0xdc00 && json->end - json->at >= 2 && json->at[0] == '\\' && json->at[1] == 'u') {
        json->at += 2;
        unsigned low = theater_json_hex4(json);
        if (low < 0xdc00 || low > 0xdfff)
            json->failed = true;
        c = 0x10000 + ((c - 0xd800) << 10) + ((low - 0xdc00) & 0x3ff);
    } else if (c >= 0xd800 && c < 0xe000) {
        json->failed = true;
    }
    if (c < 0x80) {
        *out++ = (uint8_t)c;
        return out;
    }
    if (c >= 0x10000)
        *out++ = (uint8_t)(0xf0 | c >> 18), *out++ = (uint8_t)(0x80 | (c >> 12 & 63));
    else if (c >= 0x800)
        *out++ = (uint8_t)(0xe0 | c >> 12);
    *out++ = (uint8_t)(c >= 0x800 ? 0x80 | (c >> 6 & 63) : 0xc0 | c >> 6);
    *out++ = (uint8_t)(0x80 | (c & 63));
    return out;
}

/* The rest of a string that has escapes; json->at is at the first backslash. What it stands for is never
 * longer than its text. */
THEATER_OUTLINE theater_slice theater_json_unescape(theater_json *json, const uint8_t *start)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const uint8_t *close = json->at;
    while (close < json->end && *close != '"')
        close += *close == '\\' ? 2 : 1;
    if (close >= json->end) {
        json->failed = true;
        return (theater_slice){0};
    }
    uint8_t *room = theater_alloc((size_t)(close - start)), *out = room;
    while (start < json->at)
        *out++ = *start++;
    while (json->at < close && !json->failed) {
        uint8_t c = *json->at++;
        if (c < 0x20) {
            json->failed = true;
        } else if (c != '\\') {
            *out++ = c;
        } else if ((c = *json->at++) == 'u') {
            out = theater_json_unicode(json, out);
        } else {
            size_t i = 0;
            while (from[i] && from[i] != (char)c)
                i++;
            json->failed = !from[i];
            *out++ = (uint8_t)to[i];
        }
    }
    json->at = close + 1;
    return json->failed ? (theater_slice){0} : theater_slice_of(room, (size_t)(out - room));
}

/* Whether one of eight characters is a quote, a backslash or a control character: each test sets the high bit
 * of some byte then. */
static inline bool theater_json_is_special(uint64_t eight)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), high = UINT64_C(0x8080808080808080);
    uint64_t quote = eight ^ ones * '"', backslash = eight ^ ones * '\\';
    return (((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) |
            ((eight - ones * 0x20) & ~eight)) &
           high;
}

/* A string's characters. Without escapes they are a part of the text that is read. */
THEATER_OUTLINE theater_slice theater_json_string(theater_json *json)
{
    if (!theater_json_take(json, '"'))
        return (theater_slice){0};
    const uint8_t *start = json->at, *at = start, *end = json->end;
    while (end - at >= 8 && !theater_json_is_special(theater_get_u64le(at)))
        at += 8;
    while (at < end && *at != '"' && *at != '\\' && *at >= 0x20)
        at++;
    json->at = at;
    if (at == end || *at < 0x20) {
        json->failed = true;
        return (theater_slice){0};
    }
    if (*at == '\\')
        return theater_json_unescape(json, start);
    json->at = at + 1;
    return theater_slice_of(start, (size_t)(at - start));
}

/* A number as it is written, for theater_parse_fixed and the like. */
THEATER_OUTLINE theater_slice theater_json_number(theater_json *json)
{
    theater_json_peek(json);
    const uint8_t *start = json->at, *at = start, *digits;
    at += at < json->end && *at == '-';
    for (digits = at; at < json->end && *at >= '0' && *at <= '9'; at++)
        ;
    bool good = at > digits && !(*digits == '0' && at > digits + 1);
    if (good && at < json->end && *at == '.') {
        for (digits = ++at; at < json->end && *at >= '0' && *at <= '9'; at++)
            ;
        good = at > digits;
    }
    if (good && at < json->end && (*at | 32) == 'e') {
        at++;
        at += at < json->end && (*at == '+' || *at == '-');
        for (digits = at; at < json->end && *at >= '0' && *at <= '9'; at++)
            ;
        good = at > digits;
    }
    if (!good || json->failed) {
        json->failed = true;
        return (theater_slice){0};
    }
    json->at = at;
    return theater_slice_of(start, (size_t)(at - start));
}

/* Enters an object, then theater_json_member gives one member after the other: its key, with the value to be
 * read next. False at the end of the object. */
static inline void theater_json_object(theater_json *json)
{
    json->first = theater_json_take(json, '{');
}

static inline bool theater_json_next(theater_json *json, uint8_t close)
{
    uint8_t c = theater_json_peek(json);
    bool first = json->first;
    json->first = false;
    if (c == close) {
        json->at++;
        return false;
    }
    return !json->failed && (first || theater_json_take(json, ','));
}

THEATER_OUTLINE bool theater_json_member(theater_json *json, theater_slice *ret_key)
{
    if (!theater_json_next(json, '}'))
        return false;
    *ret_key = theater_json_string(json);
    return theater_json_take(json, ':');
}

/* Enters an array, then theater_json_item is true as often as there is an item to read. */
static inline void theater_json_array(theater_json *json)
{
    json->first = theater_json_take(json, '[');
}

static inline bool theater_json_item(theater_json *json)
{
    return theater_json_next(json, ']');
}

static inline void theater_json_word(theater_json *json, const char *word)
{
    for (; *word && !json->failed; word++, json->at++)
        json->failed = json->at == json->end || *json->at != (uint8_t)*word;
}

static inline bool theater_json_bool(theater_json *json)
{
    bool value = theater_json_peek(json) == 't';
    theater_json_word(json, value ? "true" : "false");
    return value && !json->failed;
}

/* Takes null where it stands there, and says so. */
static inline bool theater_json_null(theater_json *json)
{
    bool there = theater_json_peek(json) == 'n';
    if (there)
        theater_json_word(json, "null");
    return there && !json->failed;
}

THEATER_OUTLINE void theater_json_skip_at(theater_json *json, int depth)
{
    uint8_t c = theater_json_peek(json);
    theater_slice key;
    if (depth == 0) {
        json->failed = true;
    } else if (c == '{') {
        theater_json_object(json);
        while (theater_json_member(json, &key))
            theater_json_skip_at(json, depth - 1);
    } else if (c == '[') {
        theater_json_array(json);
        while (theater_json_item(json))
            theater_json_skip_at(json, depth - 1);
    } else if (c == '"') {
        theater_json_string(json);
    } else if (c == 't' || c == 'f' || c == 'n') {
        theater_json_word(json, c == 't' ? "true" : c == 'f' ? "false" : "null");
    } else {
        theater_json_number(json);
    }
}

/* Reads a value of any kind and forgets it. */
static inline void theater_json_skip(theater_json *json)
{
    theater_json_skip_at(json, THEATER_JSON_DEPTH);
}

#endif
