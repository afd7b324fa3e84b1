/* theater/part_file.h: a file that is written beside the one that it becomes, and takes its place when it is
 * whole.
 *
 * It is called theater-<16 hex digits>.part, in the folder of the file that it becomes. The name is random and
 * made exclusively, so any number of writers may be at work on the same file: each replaces it as a whole. A
 * writer holds a lock on its part, so a part that nobody locks is what a writer left that was killed: the next
 * one in the folder removes it. */
#ifndef TH_THEATER_PART_FILE_H
#define TH_THEATER_PART_FILE_H

#include "port/port.h"

typedef struct th_part_file {
    th_port *port;
    th_file *file; /* open for writing; NULL when there is none */
    th_buf path; /* of the part, with its zero */
    th_buf folder; /* that holds it, with its zero */
} th_part_file;

/* Makes the part of the file `target`. Call th_part_file_finish in any case. Errors: the port's, NO_MEMORY. */
THEATER_CHECKED theater_status th_part_file_open(th_part_file *part, th_port *port, const char *target,
                                                 theater_error *reterr);
/* With `status` OK puts the part, which the caller has synced, in the place of `target`, durably. With another
 * one, or when that fails, removes it. Returns `status` or what failed here. */
THEATER_CHECKED theater_status th_part_file_finish(th_part_file *part, const char *target,
                                                   theater_status status, theater_error *reterr);

#endif
