/* store/folder.h: a data folder: its format file, its lock, and the mark of a clean close.
 * docs/data-folder.md describes it. */
#ifndef TH_STORE_FOLDER_H
#define TH_STORE_FOLDER_H

#include "store/journal.h"

#define TH_FOLDER_VERSION 1

typedef struct th_folder {
    th_port *port;
    char *path;
    char *log; /* PATH/log */
    char *index; /* PATH/index */
    uint8_t identity[16];
    th_file *lock; /* NULL for a reader */
    th_journal_mark closed; /* what the mark of the last clean close says; number 0 without one */
} th_folder;

typedef struct th_folder_options {
    th_port *port;
    const char *path;
    bool create;
    bool read_only;
    uint32_t lock_wait_ms;
} th_folder_options;

/* Opens or makes the folder, reads its format, takes the lock. NOT_FOUND, VERSION, BUSY, CORRUPT, the
 * port's errors. */
THEATER_CHECKED theater_status th_folder_open(const th_folder_options *options, th_folder *ret,
                                              theater_error *reterr);
/* Drops the lock and frees. Accepts a zeroed one. */
void th_folder_close(th_folder *folder);

/* Leaves the mark that everything before `mark` is durable. */
THEATER_CHECKED theater_status th_folder_mark_closed(th_folder *folder, const th_journal_mark *mark,
                                                     theater_error *reterr);

/* Makes a new folder at `path` (EXISTS when there is something) with an empty log folder and no format yet;
 * then th_folder_finish_copy gives it the format of `from`, which makes it a data folder. */
THEATER_CHECKED theater_status th_folder_begin_copy(const th_folder *from, const char *path,
                                                    theater_error *reterr);
THEATER_CHECKED theater_status th_folder_finish_copy(const th_folder *from, const char *path,
                                                     theater_error *reterr);

#endif
