#include "cli/commands.h"

static void print_json(cli_run *cli, const theater_actor_info *info, uint64_t sequence,
                       const theater_element *element, th_slice state)
{
    cli_output *out = &cli->out;
    cli_json_object(out);
    cli_json_key(out, "actor");
    cli_json_string(out, info->name);
    cli_json_key(out, "sequence");
    cli_json_uint(out, sequence);
    cli_json_key(out, "element");
    cli_json_hash(out, &element->hash);
    cli_json_key(out, "state_root");
    cli_json_hash(out, &element->state_after);
    cli_json_key(out, "state_size");
    cli_json_uint(out, element->state_size);
    cli_json_key(out, "state");
    cli_json_bytes(out, state);
    cli_json_end(out, '}');
    cli_json_line(out);
}

static theater_status print_state(cli_run *cli, theater_folder *folder, const theater_actor_info *info,
                                  uint64_t sequence, theater_error *reterr)
{
    theater_bytes state;
    theater_status status = theater_state_at(folder, info->id, sequence, &state, reterr);
    if (status)
        return status;
    th_slice bytes = th_slice_of(state.data, state.size);
    if (cli->json) {
        theater_element element;
        status = theater_element_read(folder, info->id, sequence, &element, reterr);
        if (!status) {
            print_json(cli, info, sequence, &element, bytes);
            theater_element_free(&element);
        }
    } else if (cli->out.terminal && !cli_printable(bytes)) {
        cli_put_safe(&cli->out, bytes, SIZE_MAX - 8); /* raw bytes could do anything to a terminal */
        cli_puts(&cli->out, "\n");
    } else {
        cli_put(&cli->out, bytes);
        if (cli->out.terminal)
            cli_puts(&cli->out, "\n");
    }
    theater_bytes_free(&state);
    return status;
}

static theater_status run(cli_run *cli, theater_error *reterr)
{
    theater_folder *folder;
    theater_actor_info info;
    theater_status status = cli_open_actor(cli, cli->operands[0], &folder, &info, reterr);
    if (status)
        return status;
    uint64_t sequence = info.elements - 1;
    status = cli_number(cli, "--at", &sequence, reterr);
    if (!status)
        status = print_state(cli, folder, &info, sequence, reterr);
    theater_folder_close(folder);
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
