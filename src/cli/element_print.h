/* cli/element_print.h: one element of a chain as a line of a table or of JSON (docs/cli.md). */
#ifndef TH_CLI_ELEMENT_PRINT_H
#define TH_CLI_ELEMENT_PRINT_H

#include "cli/cli.h"

void cli_element_head(cli_output *out);
void cli_element_row(cli_output *out, const theater_element *element);
void cli_element_json(cli_output *out, const theater_element *element);
/* The members of the object that is open. */
void cli_element_json_fields(cli_output *out, const theater_element *element);

#endif
