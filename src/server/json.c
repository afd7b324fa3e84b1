#include "server/json.h"

#include "crypto/base64.h"

th_json th_json_begin(th_buf *out)
{
    return (th_json){.out = out, .status = THEATER_OK};
}

static void put(th_json *json, const void *data, size_t size)
{
    if (!json->status)
        json->status = th_buf_append(json->out, th_slice_of(data, size), NULL);
}

static void separate(th_json *json)
{
    if (json->comma)
        put(json, ",", 1);
    json->comma = true;
}

void th_json_open(th_json *json, char bracket)
{
    separate(json);
    put(json, &bracket, 1);
    json->comma = false;
}

void th_json_close(th_json *json, char bracket)
{
    put(json, &bracket, 1);
    json->comma = true;
}

void th_json_key(th_json *json, const char *name)
{
    th_json_string(json, name);
    put(json, ":", 1);
    json->comma = false;
}

void th_json_uint(th_json *json, uint64_t value)
{
    char text[TH_DECIMAL_MAX];
    separate(json);
    put(json, text, th_decimal_encode(value, text));
}

void th_json_bool(th_json *json, bool value)
{
    separate(json);
    put(json, value ? "true" : "false", value ? 4 : 5);
}

void th_json_null(th_json *json)
{
    separate(json);
    put(json, "null", 4);
}

void th_json_string(th_json *json, const char *text)
{
    th_json_text(json, th_slice_text(text));
}

static void put_escaped(th_json *json, th_slice text)
{
    static const char hex[] = "0123456789abcdef";
    size_t from = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
            continue;
        put(json, text.data + from, i - from);
        from = i + 1;
        char escaped[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        if (c == '"' || c == '\\')
            put(json, (char[]){'\\', (char)c}, 2);
        else if (c == '\n')
            put(json, "\\n", 2);
        else
            put(json, escaped, sizeof escaped);
    }
    if (from < text.size)
        put(json, text.data + from, text.size - from);
}

void th_json_text(th_json *json, th_slice text)
{
    separate(json);
    put(json, "\"", 1);
    for (size_t at = 0; at < text.size;) {
        th_slice rest = th_slice_of(text.data + at, text.size - at);
        size_t good = th_utf8_prefix(rest);
        put_escaped(json, th_slice_of(rest.data, good));
        if (good < rest.size)
            put(json, "\\ufffd", 6);
        at += good < rest.size ? good + 1 : good;
    }
    put(json, "\"", 1);
}

static bool printable(th_slice bytes)
{
    for (size_t i = 0; i < bytes.size; i++) {
        uint8_t c = bytes.data[i];
        if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f)
            return false;
    }
    return th_utf8_valid(bytes);
}

void th_json_bytes(th_json *json, th_slice bytes)
{
    if (printable(bytes)) {
        th_json_text(json, bytes);
        return;
    }
    th_json_open(json, '{');
    th_json_key(json, "base64");
    separate(json);
    put(json, "\"", 1);
    uint8_t *room;
    if (!json->status)
        json->status = th_buf_extend(json->out, th_base64_size(bytes.size), &room, NULL);
    if (!json->status)
        th_base64_encode(bytes, (char *)room);
    put(json, "\"", 1);
    th_json_close(json, '}');
}

void th_json_hash(th_json *json, const theater_hash *hash)
{
    char hex[2 * THEATER_HASH_SIZE + 1];
    th_hex_encode(th_slice_of(hash->bytes, sizeof hash->bytes), hex);
    th_json_string(json, hex);
}

void th_json_field_uint(th_json *json, const char *name, uint64_t value)
{
    th_json_key(json, name);
    th_json_uint(json, value);
}

void th_json_field_string(th_json *json, const char *name, const char *text)
{
    th_json_key(json, name);
    th_json_string(json, text);
}

void th_json_field_hash(th_json *json, const char *name, const theater_hash *hash)
{
    th_json_key(json, name);
    th_json_hash(json, hash);
}
