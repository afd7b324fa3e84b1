/* cli/check.h: what `verify` and `replay` share. */
#ifndef TH_CLI_CHECK_H
#define TH_CLI_CHECK_H

#include "cli/cli.h"

typedef theater_status (*cli_checker)(const theater_source *source, const theater_check_options *options,
                                      theater_report *ret, theater_error *reterr);

/* Runs the check on the operand (an actor of the data folder, or a bundle file; everything in the folder
 * without one) and prints the report. The status is the verdict's. */
THEATER_CHECKED theater_status cli_check(cli_run *cli, cli_checker checker, const char *what,
                                         theater_check_options *options, theater_error *reterr);

#endif
