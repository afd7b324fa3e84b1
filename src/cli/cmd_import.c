#include "cli/commands.h"
#include "cli/place.h"

static theater_status run(cli_run *cli, theater_error *reterr)
{
    cli_place place;
    theater_status status = cli_place_open(cli, CLI_CREATE, NULL, &place, reterr);
    if (status)
        return status;
    status = cli_place_import(&place, cli->operands[0], cli_value(cli, "--name"), reterr);
    cli_place_close(&place);
    if (status)
        return status;
    cli_output *out = &cli->out;
    if (cli->json) {
        cli_json_object(out);
        cli_json_key(out, "file");
        cli_json_string(out, cli->operands[0]);
        cli_json_key(out, "status");
        cli_json_string(out, "archive");
        cli_json_end(out, '}');
        cli_json_line(out);
    } else {
        cli_printf(out, "imported %s\n", cli->operands[0]);
    }
    return THEATER_OK;
}

static const cli_option options[] = {
    {"--name", "NAME", "Another name for the archive; for a bundle with one chain"},
    {NULL, NULL, NULL},
};

static const cli_example examples[] = {
    {"--data archive import ledger.bundle",
     "the chain can be read, searched and verified here; it never runs"},
    {NULL, NULL},
};

const cli_command cli_cmd_import = {
    .name = "import",
    .operands = "FILE",
    .summary = "Takes a bundle in as a read-only archive",
    .description = "Verifies the chains of a bundle file and takes them into the data folder as archives: "
                   "they can be read, traced, proved and verified, but get no "
                   "messages and never run. The bundle's checkpoints are checked and not taken over: a proof from "
                   "an archive names one with --checkpoint. The data folder is made when it is missing.",
    .options = options,
    .examples = examples,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
