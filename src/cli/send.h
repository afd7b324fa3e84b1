/* cli/send.h: the two ways of `theater send`. */
#ifndef TH_CLI_SEND_H
#define TH_CLI_SEND_H

#include "cli/cli.h"
#include "client/client.h"

/* Prints one answer as a JSON object, without the newline. */
void cli_json_answer(cli_output *out, const theater_answer *answer);

/* What the answers to many lines came to. Zero at first. */
typedef struct cli_tally {
    uint64_t rejected, refused;
    uint64_t first_line; /* of the first that was rejected or refused, from 1 */
    theater_error first;
    theater_error fatal; /* why nothing more is sent; status OK: nothing */
} cli_tally;
/* Prints the answer to the line `number` (from 0) as one line, and counts it. False: send no more. */
bool cli_line_answer(cli_run *cli, cli_tally *tally, uint64_t number, const theater_answer *answer);
/* The status of the whole when `sent` lines were sent. */
THEATER_CHECKED theater_status cli_line_judge(const cli_tally *tally, uint64_t sent, theater_error *reterr);
/* Opens the file of lines ("-": standard input). *ret_size is that of a regular file, else 0. */
THEATER_CHECKED theater_status cli_lines_open(const char *path, int *ret_fd, uint64_t *ret_size,
                                              theater_error *reterr);
#define CLI_LINE_MAX ((size_t)256 << 20)

/* Sends every line of `path` ("-": standard input) with many in flight, and prints the answers in order. The
 * status is that of the worst answer. */
THEATER_CHECKED theater_status cli_send_lines(cli_run *cli, theater_runtime *runtime, const char *actor,
                                              const char *path, theater_error *reterr);
/* The same over a server. */
THEATER_CHECKED theater_status cli_stream_lines(cli_run *cli, th_client *client, const char *actor,
                                                const char *path, theater_error *reterr);

#endif
