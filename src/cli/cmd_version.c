#include "cli/commands.h"

static theater_status run(cli_run *cli, theater_error *reterr)
{
    (void)reterr;
    cli_output *out = &cli->out;
    if (cli->json) {
        cli_json_object(out);
        cli_json_key(out, "version");
        cli_json_string(out, theater_version());
        cli_json_key(out, "engine");
        cli_json_string(out, theater_engine_name());
        cli_json_end(out, '}');
        cli_json_line(out);
    } else {
        cli_printf(out, "theater %s, engine %s\n", theater_version(), theater_engine_name());
    }
    return THEATER_OK;
}

static const cli_example examples[] = {
    {"version", "the version of this program and of its engine"},
    {NULL, NULL},
};

const cli_command cli_cmd_version = {
    .name = "version",
    .operands = "",
    .summary = "Prints the version",
    .description = "Prints the version of the program and the name of its engine, as it stands in the "
                   "descriptors of the actors that it starts.",
    .examples = examples,
    .no_data = true,
    .no_server = true,
    .run = run,
};
