#include "store/window.h"

/* A window shows at most one append, whose bound is 1 GiB, and what is read beyond it. */
#define WINDOW_MAX (((size_t)1 << 30) + ((size_t)1 << 20))
/* Read at once at a place that nothing is known of. */
#define NEAR_BYTES ((size_t)4096)

void th_window_init(th_window *window)
{
    *window = (th_window){.ahead = TH_WINDOW_AHEAD_BYTES};
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

static void adapt(th_window *window, uint64_t offset)
{
    uint64_t end = window->offset + window->bytes.size;
    bool goes_on = window->bytes.size > 0 && offset >= window->offset && offset <= end + window->ahead;
    window->ahead = !goes_on                                ? NEAR_BYTES
                    : window->ahead < TH_WINDOW_AHEAD_BYTES ? 2 * window->ahead
                                                            : TH_WINDOW_AHEAD_BYTES;
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
    if (window->roams)
        adapt(window, offset);
    size_t want = size > window->ahead ? size : window->ahead, got = 0;
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
