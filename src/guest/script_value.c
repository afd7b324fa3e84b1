/* Values in the files of `theater test`: JSON made comparable, strings, times, and bytes for people. */
#include <stdio.h>

#include "guest/script.h"

enum { DEPTH_MAX = 64, HEX_SHOWN = 512 };

/* ---- JSON (RFC 8259) ----------------------------------------------------------------------------------- */

typedef struct json {
    const uint8_t *at, *end;
    th_buf *out;
    unsigned depth;
    bool bad;
} json;

static void put(json *j, const void *bytes, size_t size)
{
    if (th_buf_append(j->out, th_slice_of(bytes, size), NULL) != THEATER_OK)
        j->bad = true;
}

static void skip_space(json *j)
{
    while (j->at < j->end && (*j->at == ' ' || *j->at == '\t' || *j->at == '\n' || *j->at == '\r'))
        j->at++;
}

static bool take(json *j, char c)
{
    skip_space(j);
    if (j->at < j->end && *j->at == (uint8_t)c) {
        j->at++;
        return true;
    }
    return false;
}

static unsigned hex4(json *j)
{
    uint8_t pair[2] = {0};
    if (j->end - j->at < 4 || !th_hex_decode((const char *)j->at, 4, pair, 2))
        j->bad = true;
    else
        j->at += 4;
    return (unsigned)pair[0] << 8 | pair[1];
}

static void put_point(json *j, uint32_t point)
{
    uint8_t bytes[4];
    size_t size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const uint8_t heads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = size; i-- > 1; point >>= 6)
        bytes[i] = (uint8_t)(0x80 | (point & 0x3f));
    bytes[0] = (uint8_t)(heads[size] | point);
    put(j, bytes, size);
}

static void escape_to_bytes(json *j)
{
    static const char names[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
    char c = j->at < j->end ? (char)*j->at++ : 0;
    const char *found = c ? strchr(names, c) : NULL;
    if (found) {
        put(j, &means[found - names], 1);
        return;
    }
    uint32_t point = hex4(j);
    if (c != 'u')
        j->bad = true;
    if (point >= 0xd800 && point < 0xdc00 && !j->bad) {
        bool pair = j->end - j->at >= 2 && j->at[0] == '\\' && j->at[1] == 'u';
        j->at += pair ? 2 : 0;
        uint32_t low = pair ? hex4(j) : 0;
        j->bad = j->bad || low < 0xdc00 || low > 0xdfff;
        point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
    } else if (point >= 0xdc00 && point <= 0xdfff) {
        j->bad = true;
    }
    if (!j->bad)
        put_point(j, point);
}

/* Reads a string behind its first quote and appends the bytes that it means. */
static void string_bytes(json *j)
{
    while (!j->bad) {
        const uint8_t *from = j->at;
        while (j->at < j->end && *j->at != '"' && *j->at != '\\' && *j->at >= 0x20)
            j->at++;
        put(j, from, (size_t)(j->at - from));
        if (j->at == j->end || *j->at < 0x20) {
            j->bad = true;
        } else if (*j->at++ == '"') {
            return;
        } else {
            escape_to_bytes(j);
        }
    }
}

static void put_escaped(json *j, th_slice bytes)
{
    static const char names[] = "btnvfr";
    put(j, "\"", 1);
    for (size_t i = 0; i < bytes.size; i++) {
        uint8_t c = bytes.data[i];
        char text[8];
        if (c == '"' || c == '\\')
            put(j, text, (size_t)snprintf(text, sizeof text, "\\%c", c));
        else if (c >= 8 && c <= 13 && c != 11)
            put(j, text, (size_t)snprintf(text, sizeof text, "\\%c", names[c - 8]));
        else if (c < 0x20)
            put(j, text, (size_t)snprintf(text, sizeof text, "\\u%04x", c));
        else
            put(j, &c, 1);
    }
    put(j, "\"", 1);
}

static void string(json *j)
{
    th_buf bytes, *out = j->out;
    th_buf_init(&bytes, TH_SCRIPT_BYTES_MAX);
    j->out = &bytes;
    string_bytes(j);
    j->out = out;
    put_escaped(j, th_buf_slice(&bytes));
    th_buf_done(&bytes);
}

static void value(json *j);

static void scalar(json *j)
{
    const uint8_t *from = j->at;
    while (j->at < j->end && !strchr(" \t\r\n,:]}[{\"", (char)*j->at))
        j->at++;
    th_slice text = th_slice_of(from, (size_t)(j->at - from));
    bool word = th_slice_equal(text, th_slice_text("true")) || th_slice_equal(text, th_slice_text("false")) ||
                th_slice_equal(text, th_slice_text("null"));
    bool number = text.size > 0 && (from[0] == '-' || (from[0] >= '0' && from[0] <= '9'));
    for (size_t i = 1; number && i < text.size; i++)
        number = strchr("0123456789.eE+-", (char)from[i]) != NULL;
    j->bad = j->bad || (!word && !number);
    put(j, text.data, text.size);
}

static void array(json *j)
{
    put(j, "[", 1);
    for (bool first = true; !j->bad && !(first && take(j, ']')); first = false) {
        if (!first && take(j, ']'))
            break;
        if (!first && !take(j, ','))
            j->bad = true;
        if (!first)
            put(j, ",", 1);
        value(j);
    }
    put(j, "]", 1);
}

typedef struct member {
    size_t key, key_size, size; /* places in a buffer: "key":value */
    const th_buf *in;
} member;

static int compare_members(const void *a, const void *b)
{
    const member *x = a, *y = b;
    size_t least = x->key_size < y->key_size ? x->key_size : y->key_size;
    int order = memcmp(x->in->data + x->key, y->in->data + y->key, least);
    return order ? order : (x->key_size > y->key_size) - (x->key_size < y->key_size);
}

/* Members are written to a buffer of their own, then moved in the order of their names. */
static void object(json *j)
{
    th_buf members, texts, *out = j->out;
    th_buf_init(&members, TH_SCRIPT_BYTES_MAX);
    th_buf_init(&texts, TH_SCRIPT_BYTES_MAX);
    j->out = &texts;
    for (bool first = true; !j->bad && !take(j, '}'); first = false) {
        member m = {.in = &texts, .key = texts.size};
        if (!first && !take(j, ','))
            j->bad = true;
        if (!take(j, '"'))
            j->bad = true;
        else
            string(j);
        m.key_size = texts.size - m.key;
        if (!take(j, ':'))
            j->bad = true;
        put(j, ":", 1);
        value(j);
        m.size = texts.size - m.key;
        if (th_buf_append(&members, th_slice_of(&m, sizeof m), NULL) != THEATER_OK)
            j->bad = true;
    }
    j->out = out;
    member *list = (member *)(void *)members.data;
    size_t count = members.size / sizeof *list;
    if (count > 1)
        qsort(list, count, sizeof *list, compare_members);
    put(j, "{", 1);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            put(j, ",", 1);
        put(j, texts.data + list[i].key, list[i].size);
    }
    put(j, "}", 1);
    th_buf_done(&members);
    th_buf_done(&texts);
}

static void value(json *j)
{
    if (j->bad || ++j->depth > DEPTH_MAX) {
        j->bad = true;
        return;
    }
    if (take(j, '{'))
        object(j);
    else if (take(j, '['))
        array(j);
    else if (take(j, '"'))
        string(j);
    else
        scalar(j);
    j->depth--;
}

static bool finish(json *j, th_arena *arena, th_slice *ret)
{
    skip_space(j);
    bool good = !j->bad && j->at == j->end;
    if (good) {
        *ret = th_arena_copy(arena, th_buf_slice(j->out));
        good = ret->data || ret->size == 0;
    }
    th_buf_done(j->out);
    return good;
}

bool th_script_json(th_arena *arena, th_slice text, th_slice *ret)
{
    th_buf out;
    th_buf_init(&out, TH_SCRIPT_BYTES_MAX);
    json j = {.at = text.data, .end = text.data + text.size, .out = &out, .bad = !th_utf8_valid(text)};
    value(&j);
    return finish(&j, arena, ret);
}

bool th_script_string(th_arena *arena, th_slice text, th_slice *ret)
{
    th_buf out;
    th_buf_init(&out, TH_SCRIPT_BYTES_MAX);
    json j = {.at = text.data, .end = text.data + text.size, .out = &out};
    if (take(&j, '"'))
        string_bytes(&j);
    else
        j.bad = true;
    return finish(&j, arena, ret);
}

/* ---- for people ---------------------------------------------------------------------------------------- */

static bool is_plain(th_slice bytes)
{
    if (!th_utf8_valid(bytes))
        return false;
    for (size_t i = 0; i < bytes.size; i++)
        if (bytes.data[i] < 0x20 || bytes.data[i] == 0x7f)
            return false;
    return true;
}

/* Text with line ends and tabs; other control characters are rather bytes. */
static bool is_lines(th_slice bytes)
{
    if (!th_utf8_valid(bytes))
        return false;
    for (size_t i = 0; i < bytes.size; i++)
        if (bytes.data[i] == 0x7f || (bytes.data[i] < 0x20 && !strchr("\t\n\r", bytes.data[i])) || !bytes.data[i])
            return false;
    return true;
}

th_slice th_script_show(th_arena *arena, th_slice bytes, th_script_type *ret_type)
{
    *ret_type = TH_SCRIPT_TEXT;
    if (is_plain(bytes))
        return th_arena_copy(arena, bytes);
    if (is_lines(bytes)) {
        th_buf out;
        th_buf_init(&out, TH_SCRIPT_BYTES_MAX);
        json j = {.out = &out};
        put_escaped(&j, bytes);
        th_slice shown = th_arena_copy(arena, th_buf_slice(&out));
        th_buf_done(&out);
        *ret_type = TH_SCRIPT_STRING;
        return shown;
    }
    *ret_type = TH_SCRIPT_HEX;
    char *text = th_arena_alloc(arena, 2 * bytes.size + 1);
    if (text)
        th_hex_encode(bytes, text);
    return th_slice_of(text, 2 * bytes.size);
}

/* ---- time ---------------------------------------------------------------------------------------------- */

static bool digits(const char **at, unsigned most, uint64_t *ret)
{
    unsigned count = 0;
    for (*ret = 0; count < most && **at >= '0' && **at <= '9'; count++)
        *ret = *ret * 10 + (uint64_t)(*(*at)++ - '0');
    return count > 0;
}

static bool part(const char **at, unsigned count, char before, uint64_t *ret)
{
    if (before && *(*at)++ != before)
        return false;
    const char *from = *at;
    return digits(at, count, ret) && *at == from + count;
}

/* Days from 1970-01-01 of the Gregorian calendar; years from 1970 on. */
static uint64_t days_of(uint64_t year, uint64_t month, uint64_t day)
{
    static const unsigned before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    uint64_t leaps = (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400 - 477;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return (year - 1970) * 365 + leaps + before[month - 1] + (leap && month > 2) + day - 1;
}

static bool calendar_time(const char *at, uint64_t *ret_ns)
{
    uint64_t year, month, day, hour, minute, second, fraction = 0;
    if (!part(&at, 4, 0, &year) || !part(&at, 2, '-', &month) || !part(&at, 2, '-', &day) ||
        !part(&at, 2, 'T', &hour) || !part(&at, 2, ':', &minute) || !part(&at, 2, ':', &second))
        return false;
    if (*at == '.') {
        const char *from = ++at;
        if (!digits(&at, 9, &fraction))
            return false;
        for (size_t i = (size_t)(at - from); i < 9; i++)
            fraction *= 10;
    }
    if (strcmp(at, "Z") != 0 || year < 1970 || year > 2500 || month < 1 || month > 12 || day < 1 || day > 31 ||
        hour > 23 || minute > 59 || second > 59)
        return false;
    *ret_ns = (((days_of(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * 1000000000u + fraction;
    return true;
}

static bool later(const char *at, uint64_t before_ns, uint64_t *ret_ns)
{
    static const struct {
        const char *unit;
        uint64_t ns;
    } units[] = {{"ns", 1},           {"us", 1000},         {"ms", 1000000},         {"s", 1000000000},
                 {"m", 60000000000u}, {"h", 3600000000000u}, {"d", 86400000000000u}};
    uint64_t number;
    if (!digits(&at, 12, &number))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(at, units[i].unit) == 0 && number <= (UINT64_MAX >> 2) / units[i].ns) {
            *ret_ns = before_ns + number * units[i].ns;
            return true;
        }
    return false;
}

bool th_script_time(th_slice text, uint64_t before_ns, uint64_t *ret_ns)
{
    char copy[40];
    if (text.size == 0 || text.size >= sizeof copy)
        return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = 0;
    if (copy[0] == '+')
        return later(copy + 1, before_ns, ret_ns);
    if (strchr(copy, '-'))
        return calendar_time(copy, ret_ns);
    const char *at = copy;
    return digits(&at, 19, ret_ns) && !*at;
}
