#include "store/window.h"

/* A window shows at most one append, whose bound is 1 GiB, and what is read beyond it. */
#define WINDOW_MAX (((size_t)1 << 30) + ((size_t)1 << 20))

void th_window_init(th_window *window)
{
    *window = (th_window){.offset = 0};
    th_buf_init(&window->bytes, WINDOW_MAX);
}

void th_window_done(th_window *window)
{
    th_buf_done(&window->bytes);
}

void th_window_forget(th_window *window)
{
    th_buf_clear(&window->bytes);
}

theater_status th_window_get(th_window *window, th_file *file, uint64_t offset, size_t size, th_slice *ret,
                             theater_error *reterr)
{
    th_buf *bytes = &window->bytes;
    if (offset >= window->offset && offset - window->offset <= bytes->size &&
        bytes->size - (size_t)(offset - window->offset) >= size) {
        size_t skip = (size_t)(offset - window->offset);
        *ret = th_slice_of(bytes->data + skip, bytes->size - skip);
        return THEATER_OK;
    }
    size_t want = size > TH_WINDOW_BYTES ? size : TH_WINDOW_BYTES, got = 0;
    uint8_t *room;
    th_buf_clear(bytes);
    theater_status status = th_buf_extend(bytes, want, &room, reterr);
    if (!status)
        status = th_file_read(file, offset, room, want, &got, reterr);
    bytes->size = got;
    window->offset = offset;
    *ret = th_slice_of(bytes->data, got);
    return status;
}
