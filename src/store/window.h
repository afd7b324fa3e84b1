/* store/window.h: reading a file from its front to its end through one buffer. */
#ifndef TH_STORE_WINDOW_H
#define TH_STORE_WINDOW_H

#include "port/port.h"

/* Bytes read at once at the least, by who reads to the end. */
#define TH_WINDOW_AHEAD_BYTES ((size_t)128 << 10)

/* The bytes of some file from `offset` on. For one thread. */
typedef struct th_window {
    th_buf bytes;
    uint64_t offset;
    bool roams; /* for one who goes from place to place, mostly forward: see `ahead` */
    /* Bytes read at once at the least. A window that roams reads little at a place far from what it shows, and twice as
     * much each time that it goes on from there. */
    size_t ahead;
} th_window;

/* Allocates nothing. */
void th_window_init(th_window *window);
void th_window_done(th_window *window);
/* Forgets what was read: before another file, or to see what was written since. */
void th_window_forget(th_window *window);

/* The file's bytes from `offset` on: at least `size` of them unless the file ends before. *ret is valid
 * until the next call. Errors: NO_MEMORY, the port's. */
THEATER_CHECKED theater_status th_window_get(th_window *window, th_file *file, uint64_t offset, size_t size,
                                             th_slice *ret, theater_error *reterr);

#endif
