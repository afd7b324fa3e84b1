/* guest/script.h: the files of `theater test`: what an actor is told, and what it should answer.
 *
 * A file is lines; each says one thing by its first word, so a test reads like a conversation, a difference has
 * a line number, and what was seen can be written back without touching the rest:
 *
 *     # A comment. An empty line means nothing.
 *     case counting              begins with a new actor (the first case needs no line)
 *     config tea coffee          its configuration; the manifest's when there is no line
 *     at 2026-01-01T00:00:00Z    the time of the next turn; +10s: later than the last; each turn is 1s later
 *     from client anna           where the next input comes from: client [NAME], actor NAME, reply ID, failed ID
 *     > vote tea                 an input: one turn
 *     ? result                   a query: nothing is kept
 *
 * and behind an input, a query, or the beginning of a case, what is expected:
 *
 *     < 1                        the output
 *     ! there is no such choice  it is rejected, and why (in a case's beginning: part of why)
 *     -> bank {"hold":5}         a message is sent
 *     => bank {"hold":5}         a request is sent
 *     log info counted           a line of the log
 *     state tea=1                the state afterwards
 *     root 58d1...               the state's root afterwards, 64 hex digits
 *     fuel 457                   what the turn used
 *
 * Where bytes stand, a type may be glued to the word: `>:hex 00ff`, `<:json {"a":1}` (compared as a value:
 * spaces and the order of members do not matter), `>:string "two\nlines"` (as in JSON), `>:file input.bin`
 * (relative to the test); without one it is the text as it stands.
 *
 * An input without any expectation must only not be rejected. Where there is one, messages must be exactly
 * those that stand there; log, state, root and fuel are compared where they stand.
 */
#ifndef TH_GUEST_SCRIPT_H
#define TH_GUEST_SCRIPT_H

#include <limits.h>

#include "chain/descriptor.h"

/* A file has at most this many lines and bytes. */
#define TH_SCRIPT_LINES_MAX 1000000u
#define TH_SCRIPT_BYTES_MAX ((size_t)256 << 20)

typedef enum th_script_word {
    TH_SCRIPT_NOTE, /* an empty line or a comment */
    TH_SCRIPT_CASE,
    TH_SCRIPT_CONFIG,
    TH_SCRIPT_AT,
    TH_SCRIPT_FROM,
    TH_SCRIPT_INPUT,
    TH_SCRIPT_QUERY,
    TH_SCRIPT_OUTPUT, /* from here on: expectations */
    TH_SCRIPT_REJECTED,
    TH_SCRIPT_SEND,
    TH_SCRIPT_REQUEST,
    TH_SCRIPT_LOG,
    TH_SCRIPT_STATE,
    TH_SCRIPT_ROOT,
    TH_SCRIPT_FUEL,
} th_script_word;

typedef enum th_script_type {
    TH_SCRIPT_TEXT,
    TH_SCRIPT_HEX,
    TH_SCRIPT_JSON, /* value: as it stands */
    TH_SCRIPT_STRING,
    TH_SCRIPT_FILE,
} th_script_type;

/* One line. Slices point into the script. */
typedef struct th_script_line {
    th_script_word word;
    th_script_type type;
    unsigned number;  /* from 1 */
    th_slice raw;     /* the whole line, without its end */
    th_slice subject; /* SEND, REQUEST: to whom; LOG: the level; FROM: the kind */
    th_slice value;   /* the bytes that are meant */
} th_script_line;

typedef struct th_script {
    th_arena arena;
    char path[PATH_MAX];
    th_script_line *lines;
    size_t count;
} th_script;

static inline bool th_script_is_expectation(th_script_word word)
{
    return word >= TH_SCRIPT_OUTPUT;
}

/* Reads a file. On failure *ret is empty. Errors: INVALID_ARGUMENT "FILE:LINE: ...", TOO_LARGE, IO and the
 * like. */
THEATER_CHECKED theater_status th_script_read(const char *path, th_script *ret, theater_error *reterr);
void th_script_done(th_script *script);

/* ---- values (script_value.c) --------------------------------------------------------------------------- */

/* JSON with its members in the order of their names, without spaces and with the shortest escapes: two that
 * are equal then are equal bytes. In the arena. False when it is no JSON, or nested deeper than 64. */
bool th_script_json(th_arena *arena, th_slice text, th_slice *ret);
/* What a JSON string means. False when it is none. */
bool th_script_string(th_arena *arena, th_slice text, th_slice *ret);
/* Bytes for people on one line: as they are, or as a JSON string, or in hex; *ret_type says which. NULL data
 * without memory. */
th_slice th_script_show(th_arena *arena, th_slice bytes, th_script_type *ret_type);
/* "2026-01-01T00:00:00.5Z", "+10s" after `before_ns`, or nanoseconds. */
bool th_script_time(th_slice text, uint64_t before_ns, uint64_t *ret_ns);

/* ---- running (script_run.c) ---------------------------------------------------------------------------- */

/* The actor that scripts are run against. */
typedef struct th_script_actor {
    const char *name;      /* a valid name */
    th_slice component;    /* its binary */
    th_slice config;       /* where a script has none */
    th_limits limits;
} th_script_actor;

/* One thing that is not as it should be. Texts are valid during the callback. */
typedef struct th_script_difference {
    const char *what;   /* "output", "rejected", "message 1", ... */
    th_slice expected;  /* for people */
    th_slice got;
    unsigned number;    /* the line of the expectation, or of the step */
} th_script_difference;

/* One step: the beginning of a case, an input or a query. */
typedef struct th_script_step {
    const th_script_line *line; /* NULL: a beginning without a line of its own */
    const th_script_difference *differences;
    size_t difference_count;
    uint64_t fuel;
} th_script_step;

typedef struct th_script_run_options {
    void (*each)(void *context, const th_script *script, const th_script_step *step); /* may be NULL */
    void *context;
    bool update;          /* write what was seen into the file */
    const char *cache;    /* a folder for compiled forms, which must be the user's own; NULL: none */
} th_script_run_options;

typedef struct th_script_counts {
    uint64_t cases, steps, failed;
    bool updated; /* the file was written */
} th_script_counts;

/* Runs a script on a thread of its own. OK also when steps failed: *ret counts them. Errors:
 * COMPONENT_REFUSED, ENGINE_FAILED, NO_MEMORY; INVALID_ARGUMENT for a line that makes no sense where it
 * stands. */
THEATER_CHECKED theater_status th_script_run(const th_script *script, const th_script_actor *actor,
                                             const th_script_run_options *options, th_script_counts *ret,
                                             theater_error *reterr);

#endif
