/* guest/script_run.h: what the parts of `theater test` share: what a step showed, writing it into the file, and
 * the cache of compiled forms. */
#ifndef TH_GUEST_SCRIPT_RUN_H
#define TH_GUEST_SCRIPT_RUN_H

#include "actor/instance.h"
#include "actor/loader.h"
#include "chain/effects.h"
#include "guest/script.h"

/* The lines of a script that say what a step should show: [first, end). */
typedef struct th_script_step_lines {
    size_t first, end;
    unsigned number; /* of the line that the step is */
} th_script_step_lines;

/* What a step showed; borrowed. */
typedef struct th_script_seen {
    bool genesis;
    bool rejected;
    th_slice text; /* why, when rejected */
    th_slice output;
    const th_sent *sent;
    size_t sent_count;
    th_effect *logs;
    size_t log_count;
    th_slice state;
    th_hash root;
    uint64_t fuel;
} th_script_seen;

/* "trace", "debug", "info", "warn", "error". */
const char *th_script_level(unsigned level);

/* ---- writing what was seen (script_write.c) ------------------------------------------------------------ */

typedef struct th_script_writer {
    th_buf text;
    size_t next;    /* the first line of the script that is not written yet */
    th_arena arena; /* of one step */
} th_script_writer;

void th_script_writer_init(th_script_writer *writer);
void th_script_writer_done(th_script_writer *writer);
/* Copies the script up to the step's expectations and writes what was seen in their place. An expectation that
 * holds stays as it is written; one of the log, the state, the root or the fuel is written where one stood. */
THEATER_CHECKED theater_status th_script_write_step(th_script_writer *writer, const th_script *script,
                                                    const th_script_step_lines *lines,
                                                    const th_script_seen *seen, theater_error *reterr);
/* Copies the rest, and replaces the file when anything changed. */
THEATER_CHECKED theater_status th_script_write_rest(th_script_writer *writer, const th_script *script,
                                                    bool *ret_changed, theater_error *reterr);

/* ---- compiled forms (script_cache.c) ------------------------------------------------------------------- */

/* Compiled forms are native code, so the folder must be the user's own, which nobody else can write to; a form
 * is used when the SHA-256 in front of it is right. A read that fails for any reason means: compile. */
THEATER_CHECKED theater_status th_script_cache_read(const char *folder, const th_hash *hash,
                                                    const char *fingerprint, th_buf *out,
                                                    theater_error *reterr);
void th_script_cache_write(const char *folder, const th_hash *hash, const char *fingerprint,
                           th_slice compiled);
/* $XDG_CACHE_HOME/theater or ~/.cache/theater, made with mode 0700. `ret` has PATH_MAX bytes. False when there
 * is none, or when it is not the user's own. */
bool th_script_cache_folder(char *ret);

#endif
