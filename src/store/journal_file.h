/* store/journal_file.h: operations of the log in segments, as store/journal.h describes them. */
#ifndef TH_STORE_JOURNAL_FILE_H
#define TH_STORE_JOURNAL_FILE_H

#include "store/journal.h"

/* journal_append.c; the appending thread's. */
THEATER_CHECKED theater_status th_journal_file_append(th_journal *head, const th_slice *records, size_t count,
                                                      theater_error *reterr);
THEATER_CHECKED theater_status th_journal_file_probe(th_journal *head, theater_error *reterr);

/* journal_read.c; any thread's. */
THEATER_CHECKED theater_status th_journal_file_read(th_journal *head, uint64_t position, th_buf *buf,
                                                    uint64_t *ret_number, th_slice *ret_payload,
                                                    theater_error *reterr);
THEATER_CHECKED theater_status th_journal_file_next(th_journal_cursor *cursor, size_t front,
                                                    th_journal_item *ret, bool *ret_more,
                                                    theater_error *reterr);
THEATER_CHECKED theater_status th_journal_file_seek(th_journal_cursor *cursor, uint64_t position,
                                                    th_journal_item *ret, theater_error *reterr);
void th_journal_file_cursor_done(th_journal_cursor *cursor);

#endif
