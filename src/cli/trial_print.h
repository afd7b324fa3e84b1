/* cli/trial_print.h: what a turn came to that was run to be looked at. */
#ifndef TH_CLI_TRIAL_PRINT_H
#define TH_CLI_TRIAL_PRINT_H

#include "cli/cli.h"

/* The fields of the object that is open. */
void cli_trial_json(cli_output *out, const theater_trial *trial);
/* For people: outcome, output, fuel, log lines, messages, state. */
void cli_trial_text(cli_output *out, const theater_trial *trial);
/* The words of the differences, parted by commas. */
void cli_trial_differences(const theater_trial *trial, char *out, size_t room);

#endif
