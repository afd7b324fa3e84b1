#include "base/bytes.h"

#include <stdarg.h>
#include <stdio.h>

void theater_bytes_free(theater_bytes *bytes)
{
    th_free(bytes->data);
    *bytes = (theater_bytes){0};
}

void th_buf_init(th_buf *buf, size_t max)
{
    *buf = (th_buf){.max = max};
}

void th_buf_done(th_buf *buf)
{
    th_free(buf->data);
    *buf = (th_buf){.max = buf->max};
}

/* Room for `more` bytes, which count, and `spare` behind them, which do not. */
static theater_status make_room(th_buf *buf, size_t more, size_t spare, theater_error *reterr)
{
    if (more > buf->max - buf->size)
        return th_fail(reterr, THEATER_TOO_LARGE,
                       "%zu bytes and %zu more pass the buffer's limit of %zu bytes", buf->size, more,
                       buf->max);
    size_t need = buf->size + more + spare, most = need > buf->max ? need : buf->max;
    if (need <= buf->capacity)
        return THEATER_OK;
    size_t capacity = buf->capacity ? buf->capacity : 64;
    while (capacity < need)
        capacity = capacity > most / 2 ? most : capacity * 2;
    uint8_t *data = th_realloc(buf->data, capacity);
    if (!data)
        return th_fail_memory(reterr, "a buffer");
    buf->data = data;
    buf->capacity = capacity;
    return THEATER_OK;
}

theater_status th_buf_reserve(th_buf *buf, size_t more, theater_error *reterr)
{
    return make_room(buf, more, 0, reterr);
}

theater_status th_buf_extend(th_buf *buf, size_t size, uint8_t **ret_room, theater_error *reterr)
{
    theater_status status = th_buf_reserve(buf, size, reterr);
    if (status)
        return status;
    *ret_room = buf->data ? buf->data + buf->size : NULL;
    buf->size += size;
    return THEATER_OK;
}

theater_status th_buf_append(th_buf *buf, th_slice bytes, theater_error *reterr)
{
    uint8_t *room;
    theater_status status = th_buf_extend(buf, bytes.size, &room, reterr);
    if (status)
        return status;
    if (bytes.size)
        memcpy(room, bytes.data, bytes.size);
    return THEATER_OK;
}

theater_status th_buf_append_byte(th_buf *buf, uint8_t byte, theater_error *reterr)
{
    return th_buf_append(buf, th_slice_of(&byte, 1), reterr);
}

theater_status th_buf_printf(th_buf *buf, theater_error *reterr, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    /* vsnprintf ends with a zero, which does not count. */
    theater_status status = length < 0
                                ? th_fail(reterr, THEATER_INVALID_ARGUMENT, "text that cannot be formatted")
                                : make_room(buf, (size_t)length, 1, reterr);
    if (!status) {
        vsnprintf((char *)buf->data + buf->size, (size_t)length + 1, format, again);
        buf->size += (size_t)length;
    }
    va_end(again);
    return status;
}

theater_bytes th_buf_take(th_buf *buf)
{
    theater_bytes taken = {buf->data, buf->size};
    *buf = (th_buf){.max = buf->max};
    return taken;
}
