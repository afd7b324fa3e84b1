/* tool/files.h: the few things that a build does with files. Errors name the path. */
#ifndef TH_TOOL_FILES_H
#define TH_TOOL_FILES_H

#include <limits.h>

#include "base/bytes.h"

/* The status that an errno stands for, with "what: reason" as the message. */
theater_status th_tool_fail_errno(theater_error *reterr, int error, const char *what);
/* Joins two parts with a slash in `ret`, of PATH_MAX bytes. INVALID_ARGUMENT when it does not fit. */
THEATER_CHECKED theater_status th_tool_join(const char *folder, const char *name, char *ret,
                                            theater_error *reterr);
/* Reads a whole file of up to `out`'s maximum. */
THEATER_CHECKED theater_status th_tool_read(const char *path, th_buf *out, theater_error *reterr);
/* Writes a new file; EXISTS when it is there. */
THEATER_CHECKED theater_status th_tool_write_new(const char *path, th_slice contents, theater_error *reterr);
/* Refuses to have a new file put in the place of a device, a pipe, a link or a folder, which a rename would do
 * to /dev/stdout. Errors: INVALID_ARGUMENT. */
THEATER_CHECKED theater_status th_tool_replaceable(const char *path, theater_error *reterr);
/* Writes beside `path` and renames over it, so that nobody sees a half of it. Refuses what is no file. */
THEATER_CHECKED theater_status th_tool_replace(const char *path, th_slice contents, theater_error *reterr);
/* Makes a folder; fine when it is there. */
THEATER_CHECKED theater_status th_tool_make_folder(const char *path, theater_error *reterr);
/* A new folder of its own below `parent`, and its removal with the files directly in it. `ret` has PATH_MAX
 * bytes. */
THEATER_CHECKED theater_status th_tool_make_scratch(const char *parent, char *ret, theater_error *reterr);
void th_tool_remove_scratch(const char *path);

/* Names, in ascending byte order. */
typedef struct th_tool_names {
    char **names;
    size_t count;
} th_tool_names;
/* The files of `folder` whose names end with `suffix`, hidden ones left out, at most 1,000 (else
 * TOO_LARGE). */
THEATER_CHECKED theater_status th_tool_list(const char *folder, const char *suffix, th_tool_names *ret,
                                            theater_error *reterr);
void th_tool_names_done(th_tool_names *names);

#endif
