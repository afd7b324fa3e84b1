#include "cli/output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void cli_output_init(cli_output *out, int fd)
{
    out->fd = fd;
    out->terminal = isatty(fd) == 1;
    const char *no_colour = getenv("NO_COLOR");
    out->colour = out->terminal && !(no_colour && no_colour[0]);
    out->closed = false;
    out->failure = 0;
    out->size = 0;
    out->depth = 0;
    out->filled[0] = false;
    out->after_key = false;
}

static void write_all(cli_output *out, const uint8_t *bytes, size_t size)
{
    while (size > 0 && !cli_output_ended(out)) {
        ssize_t wrote = write(out->fd, bytes, size);
        if (wrote < 0) {
            if (errno == EPIPE)
                out->closed = true;
            else if (errno != EINTR)
                out->failure = errno;
            continue;
        }
        bytes += wrote;
        size -= (size_t)wrote;
    }
}

void cli_flush(cli_output *out)
{
    write_all(out, out->bytes, out->size);
    out->size = 0;
}

void cli_put(cli_output *out, th_slice bytes)
{
    if (bytes.size > sizeof out->bytes - out->size) {
        cli_flush(out);
        if (bytes.size > sizeof out->bytes) {
            write_all(out, bytes.data, bytes.size);
            return;
        }
    }
    if (bytes.size > 0)
        memcpy(out->bytes + out->size, bytes.data, bytes.size);
    out->size += bytes.size;
}

void cli_puts(cli_output *out, const char *text)
{
    cli_put(out, th_slice_text(text));
}

void cli_printf(cli_output *out, const char *format, ...)
{
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (size > 0)
        cli_put(out, th_slice_of(text, (size_t)size < sizeof text ? (size_t)size : sizeof text - 1));
}

bool cli_output_ended(const cli_output *out)
{
    return out->closed || out->failure;
}

theater_status cli_output_status(const cli_output *out, theater_error *reterr)
{
    if (!out->failure)
        return THEATER_OK;
    return th_fail(reterr, out->failure == ENOSPC ? THEATER_NO_SPACE : THEATER_IO, "standard output: %s",
                   strerror(out->failure));
}

void cli_colour(cli_output *out, const char *code)
{
    if (out->colour)
        cli_printf(out, "\x1b[%sm", code);
}

/* ---- text for people ----------------------------------------------------------------------------------- */

bool cli_printable(th_slice bytes)
{
    for (size_t i = 0; i < bytes.size; i++) {
        uint8_t c = bytes.data[i];
        if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f)
            return false;
        /* U+0080 to U+009F are control characters too. */
        if (c == 0xc2 && i + 1 < bytes.size && bytes.data[i + 1] < 0xa0)
            return false;
    }
    return th_utf8_valid(bytes);
}

void cli_put_safe(cli_output *out, th_slice bytes, size_t max)
{
    size_t used = 0;
    while (bytes.size > 0) {
        size_t size = th_utf8_character(bytes);
        char escape[8];
        th_slice shown = th_slice_of(bytes.data, size);
        if (size == 0 || !cli_printable(shown) || bytes.data[0] < 0x20) {
            uint8_t c = bytes.data[0];
            size = 1;
            if (c == '\n' || c == '\t' || c == '\r')
                snprintf(escape, sizeof escape, "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
            else
                snprintf(escape, sizeof escape, "\\x%02x", c);
            shown = th_slice_text(escape);
        }
        if (used + shown.size > max) {
            cli_puts(out, "...");
            return;
        }
        cli_put(out, shown);
        used += shown.size;
        bytes = th_slice_of(bytes.data + size, bytes.size - size);
    }
}
