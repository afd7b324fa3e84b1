#include "cli/commands.h"
#include "cli/place.h"

static theater_status run(cli_run *cli, theater_error *reterr)
{
    cli_place place;
    theater_actor_info info;
    theater_bytes key;
    theater_status status = cli_place_open(cli, CLI_READ, NULL, &place, reterr);
    if (status)
        return status;
    status = cli_place_actor(&place, cli->operands[0], &info, reterr);
    if (!status)
        status = cli_place_key(&place, cli->operands[0], &key, reterr);
    cli_place_close(&place);
    if (status)
        return status;
    cli_output *out = &cli->out;
    th_slice text = th_slice_of(key.data, key.size);
    if (cli->json) {
        cli_json_object(out);
        cli_json_key(out, "actor");
        cli_json_string(out, info.name);
        cli_json_key(out, "key");
        cli_json_text(out, text);
        cli_json_end(out, '}');
        cli_json_line(out);
    } else {
        cli_put(out, text);
        cli_puts(out, "\n");
    }
    theater_bytes_free(&key);
    return THEATER_OK;
}

static const cli_example examples[] = {
    {"--data data keys counter > counter.vkey", "what others need to check the checkpoints of this chain"},
    {NULL, NULL},
};

const cli_command cli_cmd_keys = {
    .name = "keys",
    .operands = "NAME",
    .summary = "Prints the verifier key of a chain",
    .description = "Prints the public key of the chain's checkpoints as a verifier key (C2SP signed-note). "
                   "The first checkpoint makes the key.",
    .examples = examples,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
