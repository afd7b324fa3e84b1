#include "cli/commands.h"
#include "cli/place.h"

static theater_status run(cli_run *cli, theater_error *reterr)
{
    theater_runtime_options options = {.origin = cli_value(cli, "--origin")};
    cli_place place;
    theater_status status = cli_place_open(cli, CLI_WRITE, &options, &place, reterr);
    if (status)
        return status;
    theater_bytes note;
    if (place.client && options.origin)
        status = th_fail(reterr, THEATER_INVALID_ARGUMENT,
                         "--origin: the server at %s signs with its own", th_client_address(place.client));
    else
        status = cli_place_checkpoint(&place, cli->operands[0], &note, reterr);
    cli_place_close(&place);
    if (status)
        return status;
    cli_output *out = &cli->out;
    if (cli->json) {
        cli_json_object(out);
        cli_json_key(out, "actor");
        cli_json_string(out, cli->operands[0]);
        cli_json_key(out, "checkpoint");
        cli_json_text(out, th_slice_of(note.data, note.size));
        cli_json_end(out, '}');
        cli_json_line(out);
    } else {
        cli_put(out, th_slice_of(note.data, note.size));
    }
    theater_bytes_free(&note);
    return THEATER_OK;
}

static const cli_option options[] = {
    {"--origin", "TEXT",
     "Who signs: the beginning of the checkpoint's first line; theater.local when not given"},
    {NULL, NULL, NULL},
};

static const cli_example examples[] = {
    {"--data data checkpoint counter > counter.checkpoint",
     "a signed statement of the chain's size and head"},
    {NULL, NULL},
};

const cli_command cli_cmd_checkpoint = {
    .name = "checkpoint",
    .operands = "NAME",
    .summary = "Signs a chain as it stands on disk",
    .description = "Prints a signed note (C2SP tlog-checkpoint) of the chain's size and tree head. The key "
                   "is made at the first use, in the data "
                   "folder's keys/signing.key, which only its owner may read. Give the note away: later "
                   "nobody, not even you, can show another past "
                   "for these elements.",
    .options = options,
    .examples = examples,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
