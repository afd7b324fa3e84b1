/* store/tail.h: finding the end of a segment's records, and judging what stands behind it. See recover.c
 * for why it is so. */
#ifndef TH_STORE_TAIL_H
#define TH_STORE_TAIL_H

#include "store/segment.h"

/* Where the whole commits of a segment end. */
typedef struct th_tail {
    uint64_t number; /* of the next record */
    uint64_t offset; /* behind the last whole commit */
    uint64_t stop; /* where the first invalid frame stands; more than `offset` when a commit began validly */
    bool has_last; /* a commit was found */
    uint64_t commit_offset; /* the last whole commit, and its last frame */
    uint64_t last_offset;
    uint64_t last_sum;
} th_tail;

/* Reads the frame at `offset`; *ret_valid says whether a whole valid one stands there, payload included.
 * NO_MEMORY, the port's errors. */
THEATER_CHECKED theater_status th_tail_frame(th_journal_file *log, uint64_t ordinal, th_file *file,
                                             uint64_t offset, th_frame *ret, bool *ret_valid,
                                             theater_error *reterr);

/* Reads whole commits from `offset` on, where record `number` must begin, which may be in the midst of a
 * commit. Checks every payload. Errors: the port's, NO_MEMORY; what is no valid frame is the end, not an
 * error. */
THEATER_CHECKED theater_status th_tail_scan(th_journal_file *log, th_segment *segment, uint64_t offset,
                                            uint64_t number, th_tail *ret, theater_error *reterr);

/* Looks through everything from `offset` to the end of the file. *ret_found: somewhere stands a whole valid
 * frame of a commit that began at record `from_number` or later. *ret_dirty (may be NULL): something else
 * than zeros stands there. */
THEATER_CHECKED theater_status th_tail_search(th_journal_file *log, uint64_t ordinal, th_file *file,
                                              uint64_t offset, uint64_t from_number, bool *ret_found,
                                              bool *ret_dirty, theater_error *reterr);

#endif
