#include "client/value.h"

#include "crypto/base64.h"

typedef struct parser {
    const uint8_t *begin, *at, *end;
    th_arena *arena;
    bool no_memory;
} parser;

static bool parse_value(parser *self, unsigned depth, th_value *out);

static void skip_space(parser *self)
{
    while (self->at < self->end &&
           (*self->at == ' ' || *self->at == '\n' || *self->at == '\t' || *self->at == '\r'))
        self->at++;
}

static bool take(parser *self, char wanted)
{
    skip_space(self);
    if (self->at == self->end || *self->at != (uint8_t)wanted)
        return false;
    self->at++;
    return true;
}

static bool take_word(parser *self, const char *word)
{
    size_t size = strlen(word);
    if ((size_t)(self->end - self->at) < size || memcmp(self->at, word, size) != 0)
        return false;
    self->at += size;
    return true;
}

/* ---- strings ------------------------------------------------------------------------------------------- */

static bool hex_unit(parser *self, uint32_t *ret)
{
    uint8_t bytes[2];
    if (self->end - self->at < 4 || !th_hex_decode((const char *)self->at, 4, bytes, 2))
        return false;
    self->at += 4;
    *ret = (uint32_t)bytes[0] << 8 | bytes[1];
    return true;
}

static size_t put_character(uint32_t code, uint8_t *out)
{
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (uint8_t)(0xc0 | code >> 6);
        out[1] = (uint8_t)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (uint8_t)(0xe0 | code >> 12);
        out[1] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | code >> 18);
    out[1] = (uint8_t)(0x80 | (code >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (code & 0x3f));
    return 4;
}

/* What stands behind a backslash; at most 4 bytes, and never more than the escape itself takes. */
static bool parse_escape(parser *self, uint8_t *out, size_t *ret_size)
{
    static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    if (self->at == self->end)
        return false;
    char c = (char)*self->at++;
    if (c != 'u') {
        const char *found = c ? strchr(names, c) : NULL;
        if (!found)
            return false;
        *out = (uint8_t)meanings[found - names];
        *ret_size = 1;
        return true;
    }
    uint32_t code, low;
    if (!hex_unit(self, &code))
        return false;
    if (code >= 0xdc00 && code < 0xe000)
        return false;
    if (code >= 0xd800 && code < 0xdc00) {
        if (!take_word(self, "\\u") || !hex_unit(self, &low) || low < 0xdc00 || low >= 0xe000)
            return false;
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    *ret_size = put_character(code, out);
    return true;
}

/* Behind the opening quote, up to and with the closing one. */
static bool parse_string(parser *self, th_slice *ret)
{
    const uint8_t *begin = self->at;
    bool escaped = false;
    const uint8_t *end = begin;
    for (; end < self->end && *end != '"'; end++) {
        if (*end < 0x20)
            return false;
        if (*end == '\\') {
            escaped = true;
            end++;
        }
    }
    if (end >= self->end)
        return false;
    size_t size = (size_t)(end - begin);
    if (escaped) {
        uint8_t *out = th_arena_alloc(self->arena, size);
        self->no_memory |= !out;
        size_t used = 0;
        while (out && self->at < end) {
            size_t part = 1;
            if (*self->at != '\\')
                out[used] = *self->at++;
            else if (self->at++, !parse_escape(self, out + used, &part))
                return false;
            used += part;
        }
        if (!out || self->at != end)
            return false;
        *ret = th_slice_of(out, used);
    } else {
        *ret = th_slice_of(begin, size);
    }
    self->at = end + 1;
    return th_utf8_valid(*ret);
}

/* ---- numbers ------------------------------------------------------------------------------------------- */

static size_t digits(parser *self)
{
    const uint8_t *begin = self->at;
    while (self->at < self->end && *self->at >= '0' && *self->at <= '9')
        self->at++;
    return (size_t)(self->at - begin);
}

static bool parse_number(parser *self, th_value *out)
{
    const uint8_t *begin = self->at;
    bool whole = *begin != '-';
    if (!whole)
        self->at++;
    const uint8_t *first = self->at;
    size_t count = digits(self);
    if (count == 0 || (count > 1 && *first == '0'))
        return false;
    uint64_t value = 0;
    for (size_t i = 0; whole && i < count; i++)
        whole = !__builtin_mul_overflow(value, UINT64_C(10), &value) &&
                !__builtin_add_overflow(value, (uint64_t)(first[i] - '0'), &value);
    if (self->at < self->end && *self->at == '.') {
        whole = false;
        self->at++;
        if (digits(self) == 0)
            return false;
    }
    if (self->at < self->end && (*self->at == 'e' || *self->at == 'E')) {
        whole = false;
        self->at++;
        if (self->at < self->end && (*self->at == '+' || *self->at == '-'))
            self->at++;
        if (digits(self) == 0)
            return false;
    }
    out->type = TH_VALUE_NUMBER;
    out->whole = whole;
    out->number = whole ? value : 0;
    out->text = th_slice_of(begin, (size_t)(self->at - begin));
    return true;
}

/* ---- arrays and objects -------------------------------------------------------------------------------- */

static bool parse_members(parser *self, unsigned depth, th_value *out)
{
    bool keyed = out->type == TH_VALUE_OBJECT;
    char close = keyed ? '}' : ']';
    const th_value **place = &out->first;
    if (take(self, close))
        return true;
    do {
        th_value *member = th_arena_alloc(self->arena, sizeof *member);
        self->no_memory |= !member;
        if (!member)
            return false;
        memset(member, 0, sizeof *member);
        if (keyed && (!take(self, '"') || !parse_string(self, &member->key) || !take(self, ':')))
            return false;
        if (!parse_value(self, depth + 1, member))
            return false;
        *place = member;
        place = &member->next;
    } while (take(self, ','));
    return take(self, close);
}

static bool parse_value(parser *self, unsigned depth, th_value *out)
{
    skip_space(self);
    if (self->at == self->end || depth > TH_VALUE_DEPTH_MAX)
        return false;
    switch (*self->at) {
    case '{':
    case '[':
        out->type = *self->at == '{' ? TH_VALUE_OBJECT : TH_VALUE_ARRAY;
        self->at++;
        return parse_members(self, depth, out);
    case '"':
        out->type = TH_VALUE_STRING;
        self->at++;
        return parse_string(self, &out->text);
    case 't':
    case 'f':
        out->type = TH_VALUE_BOOL;
        out->truth = *self->at == 't';
        return take_word(self, out->truth ? "true" : "false");
    case 'n':
        out->type = TH_VALUE_NULL;
        return take_word(self, "null");
    default:
        return parse_number(self, out);
    }
}

theater_status th_value_parse(th_slice text, th_arena *arena, const th_value **ret, theater_error *reterr)
{
    parser self = {.begin = text.data, .at = text.data, .end = text.data + text.size, .arena = arena};
    th_value *root = th_arena_alloc(arena, sizeof *root);
    *ret = NULL;
    if (!root)
        return th_fail_memory(reterr, "an answer");
    memset(root, 0, sizeof *root);
    bool good = text.size > 0 && parse_value(&self, 0, root);
    if (good)
        skip_space(&self);
    if (self.no_memory)
        return th_fail_memory(reterr, "an answer");
    if (!good || self.at != self.end)
        return th_fail(reterr, THEATER_IO, "it is no JSON from byte %zu on", (size_t)(self.at - self.begin));
    *ret = root;
    return THEATER_OK;
}

/* ---- looking at it ------------------------------------------------------------------------------------- */

const th_value *th_value_member(const th_value *value, const char *key)
{
    if (!value || value->type != TH_VALUE_OBJECT)
        return NULL;
    th_slice wanted = th_slice_text(key);
    for (const th_value *at = value->first; at; at = at->next)
        if (th_slice_equal(at->key, wanted))
            return at;
    return NULL;
}

bool th_value_uint(const th_value *value, const char *key, uint64_t *ret)
{
    const th_value *member = th_value_member(value, key);
    if (!member || member->type != TH_VALUE_NUMBER || !member->whole)
        return false;
    *ret = member->number;
    return true;
}

bool th_value_bool(const th_value *value, const char *key, bool *ret)
{
    const th_value *member = th_value_member(value, key);
    if (!member || member->type != TH_VALUE_BOOL)
        return false;
    *ret = member->truth;
    return true;
}

bool th_value_text(const th_value *value, const char *key, th_slice *ret)
{
    const th_value *member = th_value_member(value, key);
    if (!member || member->type != TH_VALUE_STRING)
        return false;
    *ret = member->text;
    return true;
}

bool th_value_hash(const th_value *value, const char *key, theater_hash *ret)
{
    th_slice text;
    return th_value_text(value, key, &text) && text.size == 2 * THEATER_HASH_SIZE &&
           th_hex_decode((const char *)text.data, text.size, ret->bytes, THEATER_HASH_SIZE);
}

bool th_value_bytes(const th_value *value, th_arena *arena, th_slice *ret)
{
    th_slice coded;
    if (value && value->type == TH_VALUE_STRING) {
        *ret = value->text;
        return true;
    }
    if (!th_value_text(value, "base64", &coded))
        return false;
    size_t room = coded.size / 4 * 3, size;
    uint8_t *bytes = th_arena_alloc(arena, room);
    if (!bytes || !th_base64_decode(coded, bytes, room, &size))
        return false;
    *ret = th_slice_of(bytes, size);
    return true;
}

bool th_value_copy(const th_value *value, const char *key, char *out, size_t room)
{
    th_slice text;
    if (!th_value_text(value, key, &text) || text.size >= room)
        return false;
    if (text.size > 0)
        memcpy(out, text.data, text.size);
    out[text.size] = 0;
    return true;
}
