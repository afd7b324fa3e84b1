/* store/recover.h: bringing a log of files to its last whole commit. */
#ifndef TH_STORE_RECOVER_H
#define TH_STORE_RECOVER_H

#include "store/segment.h"

/* Lists the segments, finds the end, and, unless the log is read-only, repairs the tail and holds the last
 * segment for appending. Errors: CORRUPT with the place, the port's. */
THEATER_CHECKED theater_status th_recover(th_journal_file *log, const th_journal_mark proofs[2],
                                          theater_error *reterr);

/* A reader's: lists new segments and moves the end to what was appended since. *ret_replaced: the end is
 * not what it was. */
THEATER_CHECKED theater_status th_recover_follow(th_journal_file *log, bool *ret_replaced,
                                                 theater_error *reterr);

#endif
