/* cli/output.h: standard output, buffered, and JSON on it. */
#ifndef TH_CLI_OUTPUT_H
#define TH_CLI_OUTPUT_H

#include "base/bytes.h"
#include "theater/slice.h"

/* Bytes on their way to a file descriptor. After a failure everything is dropped, and cli_output_status says
 * why. One thread. */
typedef struct cli_output {
    int fd;
    bool colour; /* a terminal, and NO_COLOR is not set */
    bool terminal;
    bool closed; /* the reader has gone away (EPIPE): not an error, but nothing more need be said */
    int failure; /* errno of a write that failed otherwise */
    size_t size;
    uint8_t bytes[65536];
    /* JSON: whether a value was written at each depth, and whether a key waits for its value. */
    unsigned depth;
    bool filled[16];
    bool after_key;
} cli_output;

void cli_output_init(cli_output *out, int fd);
void cli_put(cli_output *out, th_slice bytes);
void cli_puts(cli_output *out, const char *text);
void cli_printf(cli_output *out, const char *format, ...) THEATER_PRINTF(2, 3);
void cli_flush(cli_output *out);
/* Whether nobody gets what is printed from now on: the reader has gone away, or a write failed. */
bool cli_output_ended(const cli_output *out);
/* OK, or IO with the reason. A reader that went away is OK. */
THEATER_CHECKED theater_status cli_output_status(const cli_output *out, theater_error *reterr);
/* Text that a terminal cannot misread: control characters and what is not UTF-8 become escapes; cut to `max`
 * columns (bytes). */
void cli_put_safe(cli_output *out, th_slice bytes, size_t max);
/* The escape sequence of a colour ("31" red), or nothing; "0" ends it. */
void cli_colour(cli_output *out, const char *code);

/* ---- JSON (RFC 8259), written as it comes -------------------------------------------------------------- */

void cli_json_object(cli_output *out);
void cli_json_array(cli_output *out);
void cli_json_end(cli_output *out, char bracket); /* '}' or ']' */
void cli_json_line(cli_output *out); /* the newline behind a document */
void cli_json_key(cli_output *out, const char *key);
void cli_json_text(cli_output *out, th_slice text); /* valid UTF-8 */
void cli_json_string(cli_output *out, const char *text);
void cli_json_uint(cli_output *out, uint64_t value);
void cli_json_bool(cli_output *out, bool value);
void cli_json_null(cli_output *out);
void cli_json_hash(cli_output *out, const theater_hash *hash); /* 64 hex digits */
/* Bytes: a string when they are printable UTF-8, otherwise {"base64": "..."} (docs/cli.md). */
void cli_json_bytes(cli_output *out, th_slice bytes);

/* Valid UTF-8 without control characters but tab, newline and return. */
bool cli_printable(th_slice bytes);

#endif
