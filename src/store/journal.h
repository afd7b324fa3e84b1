/* store/journal.h: a sequence of payloads that only grows: append durably, read by position, walk in order.
 *
 * There are two: segments in files (journal_file.c) and memory (journal_memory.c). A log on other machines
 * would be a third. A position is the log's own number for a place; it stays good as long as the log lives,
 * and grows with the record numbers.
 *
 * Threads: one thread appends; all else may be called by any number of threads at any time, also while an
 * append runs, except refresh, which runs alone. */
#ifndef TH_STORE_JOURNAL_H
#define TH_STORE_JOURNAL_H

#include "port/port.h"
#include "store/frame.h"
#include "store/window.h"

/* What proves that a log reached up to some place durably: kept by the index and by the mark of a clean
 * close. */
typedef struct th_journal_mark {
    uint64_t number; /* records before the mark: the number of the next one */
    uint64_t position; /* where the next frame would start in the same segment */
    uint64_t last_position; /* the last record before the mark; only when number is not 0 */
    uint64_t last_sum;
} th_journal_mark;

typedef struct th_journal th_journal;

/* Walks records in order. */
typedef struct th_journal_cursor {
    th_journal *log;
    uint64_t number; /* of the next record */
    uint64_t position; /* where it starts, or the end of its segment */
    th_journal_mark end; /* nothing from here on is read */
    th_window window; /* the file log's: bytes of the segment that the position lies in */
    void *segment; /* the file log's: that segment, held while the cursor lives */
} th_journal_cursor;

/* One record on the way of a cursor. */
typedef struct th_journal_item {
    uint64_t number;
    uint64_t position;
    uint64_t sum; /* the frame's payload check */
    uint64_t size; /* bytes of the whole payload */
    uint64_t log_bytes; /* bytes that the record takes in the log */
    th_slice payload; /* all of it, or only its front; valid until the next call on the cursor */
} th_journal_item;

typedef struct th_journal_operations {
    void (*free)(th_journal *log);
    theater_status (*append)(th_journal *log, const th_slice *records, size_t count, theater_error *reterr);
    theater_status (*probe)(th_journal *log, theater_error *reterr);
    theater_status (*refresh)(th_journal *log, bool *ret_replaced, theater_error *reterr);
    uint64_t (*bytes)(th_journal *log);
    theater_status (*read)(th_journal *log, uint64_t position, th_buf *buf, uint64_t *ret_number,
                           th_slice *ret_payload, theater_error *reterr);
    theater_status (*next)(th_journal_cursor *cursor, size_t front, th_journal_item *ret, bool *ret_more,
                           theater_error *reterr);
    theater_status (*seek)(th_journal_cursor *cursor, uint64_t position, th_journal_item *ret,
                           theater_error *reterr);
    void (*cursor_done)(th_journal_cursor *cursor);
    /* A place at or before record `number` from which a cursor can walk. */
    void (*find)(th_journal *log, uint64_t number, uint64_t *ret_number, uint64_t *ret_position);
    void (*describe)(th_journal *log, uint64_t position, char *out, size_t size);
    theater_status (*copy)(th_journal *log, const char *folder, theater_error *reterr);
} th_journal_operations;

/* The head of every log. */
struct th_journal {
    const th_journal_operations *operations;
    th_port *port;
    th_mutex lock; /* over `end` and what a log says that it guards */
    th_journal_mark end; /* what readers may read */
};

/* Accepts NULL. */
static inline void th_journal_free(th_journal *log)
{
    if (log)
        log->operations->free(log);
}

/* See th_store_append: TOO_LARGE, NO_SPACE (the log is as before), STORAGE_FAILED at every call after any
 * other failure. */
THEATER_CHECKED static inline theater_status th_journal_append(th_journal *log, const th_slice *records,
                                                               size_t count, theater_error *reterr)
{
    return log->operations->append(log, records, count, reterr);
}

/* Whether there is room again: OK, NO_SPACE, or STORAGE_FAILED. The appending thread's. */
THEATER_CHECKED static inline theater_status th_journal_probe(th_journal *log, theater_error *reterr)
{
    return log->operations->probe(log, reterr);
}

/* Looks for what another process appended. *ret_replaced: the end that was known is no longer part of the
 * log, because it never became durable; then all that was derived from the log is to be derived again. */
THEATER_CHECKED static inline theater_status th_journal_refresh(th_journal *log, bool *ret_replaced,
                                                                theater_error *reterr)
{
    return log->operations->refresh(log, ret_replaced, reterr);
}

/* The end of what can be read. */
static inline th_journal_mark th_journal_end(th_journal *log)
{
    th_mutex_lock(&log->lock);
    th_journal_mark end = log->end;
    th_mutex_unlock(&log->lock);
    return end;
}

/* Bytes of all records with their frames. */
static inline uint64_t th_journal_bytes(th_journal *log)
{
    return log->operations->bytes(log);
}

/* Reads the record at `position` into `buf` (cleared first). CORRUPT when no valid frame stands there. */
THEATER_CHECKED static inline theater_status th_journal_read(th_journal *log, uint64_t position, th_buf *buf,
                                                             uint64_t *ret_number, th_slice *ret_payload,
                                                             theater_error *reterr)
{
    return log->operations->read(log, position, buf, ret_number, ret_payload, reterr);
}

/* A cursor before record `number` at `position`, that ends where the log ends now. */
void th_journal_cursor_init(th_journal_cursor *cursor, th_journal *log, uint64_t number, uint64_t position);
/* A cursor before record `number`, which must exist or be the next to come. Walks there: up to a segment of
 * headers. */
THEATER_CHECKED theater_status th_journal_cursor_at(th_journal_cursor *cursor, th_journal *log,
                                                    uint64_t number, theater_error *reterr);
static inline void th_journal_cursor_done(th_journal_cursor *cursor)
{
    cursor->log->operations->cursor_done(cursor);
}

/* The next record, or *ret_more false at the end. `front` 0 reads whole payloads and checks them; else
 * payloads of more than `front` bytes are cut to that and are not checked. CORRUPT with segment and offset.
 */
THEATER_CHECKED static inline theater_status th_journal_next(th_journal_cursor *cursor, size_t front,
                                                             th_journal_item *ret, bool *ret_more,
                                                             theater_error *reterr)
{
    return cursor->log->operations->next(cursor, front, ret, ret_more, reterr);
}

/* A cursor that goes from place to place (th_journal_seek), mostly forward. */
void th_journal_cursor_roam(th_journal_cursor *cursor, th_journal *log);
/* The record at `position`, whole and checked, as th_journal_read gives it; valid until the next call on the cursor.
 * Places that lie near to one another are read at once. */
THEATER_CHECKED static inline theater_status th_journal_seek(th_journal_cursor *cursor, uint64_t position,
                                                             th_journal_item *ret, theater_error *reterr)
{
    return cursor->log->operations->seek(cursor, position, ret, reterr);
}

/* Whether the log is the one that the mark was made of: its last record stands where it says. OK with
 * *ret_same; CORRUPT when the log is shorter, or damaged at that place. */
THEATER_CHECKED theater_status th_journal_matches(th_journal *log, const th_journal_mark *mark,
                                                  bool *ret_same, theater_error *reterr);

/* "segment 00000000000000000000.log, offset 64", for messages. */
#define TH_JOURNAL_PLACE_SIZE 80
static inline void th_journal_describe(th_journal *log, uint64_t position, char out[TH_JOURNAL_PLACE_SIZE])
{
    log->operations->describe(log, position, out, TH_JOURNAL_PLACE_SIZE);
}

/* Copies everything up to the end into a folder that exists and is empty, and syncs it. INVALID_ARGUMENT
 * for a log in memory. */
THEATER_CHECKED static inline theater_status th_journal_copy(th_journal *log, const char *folder,
                                                             theater_error *reterr)
{
    return log->operations->copy(log, folder, reterr);
}

/* ---- the two logs
 * ------------------------------------------------------------------------------------------------- */

typedef struct th_journal_options {
    th_port *port;
    const char *folder; /* FOLDER/log; exists */
    uint8_t identity[16]; /* the store's */
    bool read_only; /* repairs and writes nothing */
    uint64_t segment_bytes; /* not 0 */
    /* Proofs of what was durable: recovery never cuts before them. Those with number 0 say nothing. */
    th_journal_mark proofs[2];
} th_journal_options;

/* Opens and recovers. CORRUPT with the place of damage; IO, PERMISSION and so on from the port. */
THEATER_CHECKED theater_status th_journal_file_open(const th_journal_options *options, th_journal **ret,
                                                    theater_error *reterr);
THEATER_CHECKED theater_status th_journal_memory_new(th_port *port, th_journal **ret, theater_error *reterr);

#endif
