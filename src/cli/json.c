/* JSON as it comes: no tree is built, so a chain of any length is written in memory of a fixed size. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/output.h"
#include "crypto/base64.h"

/* The comma before a value that follows another; none behind a key. */
static void begin_value(cli_output *out)
{
    if (out->after_key)
        out->after_key = false;
    else if (out->filled[out->depth])
        cli_put(out, th_slice_of(",", 1));
    out->filled[out->depth] = true;
}

static void begin(cli_output *out, const char *bracket)
{
    begin_value(out);
    cli_puts(out, bracket);
    th_assert(out->depth + 1 < sizeof out->filled / sizeof *out->filled);
    out->filled[++out->depth] = false;
}

void cli_json_object(cli_output *out)
{
    begin(out, "{");
}

void cli_json_array(cli_output *out)
{
    begin(out, "[");
}

void cli_json_end(cli_output *out, char bracket)
{
    th_assert(out->depth > 0);
    out->depth--;
    cli_put(out, th_slice_of(&bracket, 1));
}

void cli_json_line(cli_output *out)
{
    th_assert(out->depth == 0);
    out->filled[0] = false;
    cli_put(out, th_slice_of("\n", 1));
}

static void put_escaped(cli_output *out, th_slice text)
{
    size_t begin = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        cli_put(out, th_slice_of(text.data + begin, i - begin));
        begin = i + 1;
        switch (c) {
        case '"':
            cli_puts(out, "\\\"");
            break;
        case '\\':
            cli_puts(out, "\\\\");
            break;
        case '\n':
            cli_puts(out, "\\n");
            break;
        case '\t':
            cli_puts(out, "\\t");
            break;
        case '\r':
            cli_puts(out, "\\r");
            break;
        default:
            cli_printf(out, "\\u%04x", c);
        }
    }
    cli_put(out, th_slice_of(text.data + begin, text.size - begin));
}

/* The path of a file need not be UTF-8, and JSON has to be: what is none becomes U+FFFD. */
static void put_quoted(cli_output *out, th_slice text)
{
    cli_puts(out, "\"");
    for (size_t at = 0; at < text.size;) {
        th_slice rest = th_slice_of(text.data + at, text.size - at);
        size_t good = th_utf8_prefix(rest);
        put_escaped(out, th_slice_of(rest.data, good));
        if (good < rest.size)
            cli_puts(out, "\\ufffd");
        at += good < rest.size ? good + 1 : good;
    }
    cli_puts(out, "\"");
}

void cli_json_key(cli_output *out, const char *key)
{
    begin_value(out);
    put_quoted(out, th_slice_text(key));
    cli_put(out, th_slice_of(":", 1));
    out->after_key = true;
}

void cli_json_text(cli_output *out, th_slice text)
{
    begin_value(out);
    put_quoted(out, text);
}

void cli_json_string(cli_output *out, const char *text)
{
    cli_json_text(out, th_slice_text(text));
}

void cli_json_uint(cli_output *out, uint64_t value)
{
    char digits[24];
    begin_value(out);
    int size = snprintf(digits, sizeof digits, "%" PRIu64, value);
    cli_put(out, th_slice_of(digits, (size_t)size));
}

void cli_json_bool(cli_output *out, bool value)
{
    begin_value(out);
    cli_puts(out, value ? "true" : "false");
}

void cli_json_null(cli_output *out)
{
    begin_value(out);
    cli_puts(out, "null");
}

void cli_json_hash(cli_output *out, const theater_hash *hash)
{
    char hex[2 * THEATER_HASH_SIZE + 1];
    th_hex_encode(th_slice_of(hash->bytes, THEATER_HASH_SIZE), hex);
    cli_json_string(out, hex);
}

static void put_base64(cli_output *out, th_slice bytes)
{
    cli_json_object(out);
    cli_json_key(out, "base64");
    begin_value(out);
    cli_puts(out, "\"");
    while (bytes.size > 0) {
        char text[4096];
        size_t part = bytes.size < 3072 ? bytes.size : 3072; /* a multiple of 3: padding only at the end */
        th_base64_encode(th_slice_of(bytes.data, part), text);
        cli_put(out, th_slice_of(text, th_base64_size(part)));
        bytes = th_slice_of(bytes.data + part, bytes.size - part);
    }
    cli_puts(out, "\"");
    cli_json_end(out, '}');
}

void cli_json_bytes(cli_output *out, th_slice bytes)
{
    if (cli_printable(bytes))
        cli_json_text(out, bytes);
    else
        put_base64(out, bytes);
}
