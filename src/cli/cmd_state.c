#include "cli/commands.h"
#include "cli/place.h"

static void print_json(cli_run *cli, const theater_actor_info *info, const th_client_state *state)
{
    cli_output *out = &cli->out;
    cli_json_object(out);
    cli_json_key(out, "actor");
    cli_json_string(out, info->name);
    cli_json_key(out, "sequence");
    cli_json_uint(out, state->sequence);
    cli_json_key(out, "element");
    cli_json_hash(out, &state->element);
    cli_json_key(out, "state_root");
    cli_json_hash(out, &state->root);
    cli_json_key(out, "state_size");
    cli_json_uint(out, state->bytes.size);
    cli_json_key(out, "state");
    cli_json_bytes(out, th_slice_of(state->bytes.data, state->bytes.size));
    cli_json_end(out, '}');
    cli_json_line(out);
}

static theater_status print_state(cli_run *cli, cli_place *place, const theater_actor_info *info,
                                  uint64_t sequence, theater_error *reterr)
{
    th_client_state state;
    theater_status status = cli_place_state(place, info, sequence, &state, reterr);
    if (status)
        return status;
    th_slice bytes = th_slice_of(state.bytes.data, state.bytes.size);
    if (cli->json) {
        print_json(cli, info, &state);
    } else if (cli->out.terminal && !cli_printable(bytes)) {
        cli_put_safe(&cli->out, bytes, SIZE_MAX - 8); /* raw bytes could do anything to a terminal */
        cli_puts(&cli->out, "\n");
    } else {
        cli_put(&cli->out, bytes);
        if (cli->out.terminal)
            cli_puts(&cli->out, "\n");
    }
    theater_bytes_free(&state.bytes);
    return THEATER_OK;
}

static theater_status run(cli_run *cli, theater_error *reterr)
{
    cli_place place;
    theater_actor_info info;
    theater_status status = cli_place_open(cli, CLI_READ, NULL, &place, reterr);
    if (status)
        return status;
    status = cli_place_actor(&place, cli->operands[0], &info, reterr);
    uint64_t sequence = status ? 0 : info.elements - 1;
    if (!status)
        status = cli_number(cli, "--at", &sequence, reterr);
    if (!status)
        status = print_state(cli, &place, &info, sequence, reterr);
    cli_place_close(&place);
    return status;
}

static const cli_option options[] = {
    {"--at", "SEQ", "The state after this element; after the last one when not given"},
    {NULL, NULL, NULL},
};

static const cli_example examples[] = {
    {"--data data state counter", "the bytes of the state now"},
    {"--data data state counter --at 100", "the state as it was after element 100"},
    {NULL, NULL},
};

const cli_command cli_cmd_state = {
    .name = "state",
    .operands = "NAME",
    .summary = "Prints an actor's state, now or after any element",
    .description = "Prints the bytes of the state. Old states are computed by running the turns since the "
                   "snapshot before again, and checked against the "
                   "element's state root.",
    .options = options,
    .examples = examples,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
