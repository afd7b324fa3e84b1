/* cli/send.h: the two ways of `theater send`. */
#ifndef TH_CLI_SEND_H
#define TH_CLI_SEND_H

#include "cli/cli.h"

/* Prints one answer as a JSON object, without the newline. */
void cli_json_answer(cli_output *out, const theater_answer *answer);

/* Sends every line of `path` ("-": standard input) with many in flight, and prints the answers in order. The
 * status is that of the worst answer. */
THEATER_CHECKED theater_status cli_send_lines(cli_run *cli, theater_runtime *runtime, const char *actor,
                                              const char *path, theater_error *reterr);

#endif
