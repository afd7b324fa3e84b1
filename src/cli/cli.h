/* cli/cli.h: what the commands of the program `theater` share.
 *
 * A command is a table (name, operands, options, words for people) and a function. Options are parsed by the
 * table, and help, man pages and docs/cli.md are printed from it, so they cannot tell different stories. A
 * command returns a status; main prints the message to standard error and exits with the status's exit code
 * (theater/error.h). */
#ifndef TH_CLI_CLI_H
#define TH_CLI_CLI_H

#include "base/bytes.h"
#include "cli/output.h"
#include "theater/theater.h"

#define CLI_OPTIONS_MAX 20

/* One option of a command. Tables end with a name of NULL. */
typedef struct cli_option {
    const char *name; /* "--component" */
    /* what stands behind it, "FILE"; NULL: nothing. With three dots at its end the option may be repeated. */
    const char *value;
    const char *help; /* one sentence without its full stop */
} cli_option;

typedef struct cli_example {
    const char *line; /* without "theater"; tables end with NULL */
    const char *meaning;
} cli_example;

typedef struct cli_run cli_run;

typedef struct cli_command {
    const char *name;
    const char *operands; /* "NAME [INPUT]" */
    const char *summary; /* one line, no full stop */
    const char *description; /* paragraphs, parted by empty lines */
    const cli_option *options;
    const cli_example *examples;
    unsigned operands_min, operands_max;
    bool no_json; /* the command's output is what it is */
    bool no_data; /* it opens no data folder */
    bool no_server; /* it works on the data folder itself, never over a server */
    theater_status (*run)(cli_run *cli, theater_error *reterr);
} cli_command;

/* Options that every command takes. */
extern const cli_option cli_common_options[];

/* All commands in the order of the help; ends with NULL. */
extern const cli_command *const cli_commands[];
const cli_command *cli_find_command(const char *name); /* NULL: none */

/* One run of the program. */
struct cli_run {
    const cli_command *command;
    const char *data; /* --data or THEATER_DATA; NULL: neither, or a server was named */
    const char *server; /* --server, or THEATER_SERVER without --data; NULL: none */
    const char *token, *token_file; /* for the server */
    const char *authority; /* PEM file of who signed its certificate */
    bool json;
    bool help;
    bool verbose;
    const char *values[CLI_OPTIONS_MAX]; /* by the place in the command's table; NULL: not given */
    /* what stood behind options that may be repeated, in their order */
    struct cli_repeated {
        const cli_option *option;
        const char *value;
    } *repeated;
    size_t repeated_count;
    const char **operands;
    size_t operand_count;
    cli_output out; /* standard output */
};

/* Parses what stands behind the program's name. INVALID_ARGUMENT names the argument and the help. `argv` must
 * outlive *ret. */
THEATER_CHECKED theater_status cli_parse(cli_run *ret, int argc, char **argv, theater_error *reterr);

/* The value of an option of the command's table, or NULL. The name must be in the table. */
const char *cli_value(const cli_run *cli, const char *name);
bool cli_flag(const cli_run *cli, const char *name);
/* The values of an option that may be repeated, in their order; as many as fit are written to `out`. */
size_t cli_values(const cli_run *cli, const char *name, const char **out, size_t room);
/* Numbers: *ret stays as it is when the option was not given. INVALID_ARGUMENT names the option. */
THEATER_CHECKED theater_status cli_number(const cli_run *cli, const char *name, uint64_t *ret,
                                          theater_error *reterr);
THEATER_CHECKED theater_status cli_size(const cli_run *cli, const char *name, uint64_t *ret,
                                        theater_error *reterr);
/* "10s", "500ms", "2m", "0". */
THEATER_CHECKED theater_status cli_duration(const cli_run *cli, const char *name, uint64_t *ret_ms,
                                            theater_error *reterr);
/* A whole decimal number below 2^64. */
bool cli_parse_number(const char *text, uint64_t *ret);

/* ---- help (help.c) ------------------------------------------------------------------------------------- */

void cli_help(cli_run *cli); /* of the whole program */
void cli_help_command(cli_run *cli, const cli_command *command);
void cli_help_man(cli_run *cli, const cli_command *command); /* as a man page; NULL: theater(1) */
void cli_help_markdown(cli_run *cli); /* the reference part of docs/cli.md */

/* ---- opening things (open.c) --------------------------------------------------------------------------- */

/* The data folder. INVALID_ARGUMENT when none was named; NOT_FOUND when `must_exist` and there is none. */
THEATER_CHECKED theater_status cli_data(const cli_run *cli, bool must_exist, const char **ret,
                                        theater_error *reterr);
THEATER_CHECKED theater_status cli_open_folder(const cli_run *cli, theater_folder **ret,
                                               theater_error *reterr);
/* As cli_open_folder, and finds the actor. */
THEATER_CHECKED theater_status cli_open_actor(const cli_run *cli, const char *name, theater_folder **ret,
                                              theater_actor_info *ret_info, theater_error *reterr);
/* Opens the data folder for writing. `options` may be NULL; its folder is filled in. From here on SIGINT and
 * SIGTERM only set a flag. */
THEATER_CHECKED theater_status cli_open_runtime(const cli_run *cli, bool create,
                                                const theater_runtime_options *options, theater_runtime **ret,
                                                theater_error *reterr);
/* Reads a whole file, or standard input for "-". TOO_LARGE over `max` bytes. */
THEATER_CHECKED theater_status cli_read_file(const char *path, size_t max, th_buf *out,
                                             theater_error *reterr);
#define CLI_FILE_MAX ((size_t)1 << 30)
/* The failure that errno names: NOT_FOUND, PERMISSION or IO, with the path in front. */
THEATER_CHECKED theater_status cli_fail_errno(const char *path, theater_error *reterr);
/* For commands "NAME [INPUT]" with --file: gives `use` the second operand, or the file, or nothing. The input
 * is alive during the call. INVALID_ARGUMENT when both were given. */
THEATER_CHECKED theater_status
cli_with_input(cli_run *cli, theater_status (*use)(cli_run *cli, th_slice input, theater_error *reterr),
               theater_error *reterr);

/* ---- signals (signals.c) ------------------------------------------------------------------------------- */

/* From here on SIGINT and SIGTERM set a flag, once; the second one ends the process. */
void cli_catch_interrupt(void);
bool cli_interrupted(void);
/* From here on an interrupt ends the process again. */
void cli_release_interrupt(void);

/* ---- words --------------------------------------------------------------------------------------------- */

#define CLI_TIME_SIZE 32
/* "2026-11-23T08:25:09.123Z". */
void cli_format_time(uint64_t ns, char out[CLI_TIME_SIZE]);
/* A note on standard error: "theater: ...". */
void cli_note(const char *format, ...) THEATER_PRINTF(1, 2);
/* Why an input was rejected, as a line for people: the actor's text, or what the one word of the runtime that
 * stands on the chain means. */
void cli_reason(const theater_answer *answer, char *ret, size_t size);
const char *cli_status_word(theater_actor_status status);
const char *cli_type_word(theater_element_type type);

/* A bar on standard error when that is a terminal and standard output is not; otherwise nothing. */
typedef struct cli_progress {
    bool shown;
    uint64_t began_ns, last_ns;
    const char *what;
} cli_progress;
void cli_progress_begin(cli_progress *progress, const char *what);
void cli_progress_step(void *progress, uint64_t done, uint64_t all); /* `all` 0: not known */
void cli_progress_end(cli_progress *progress);

#endif
