#include <stdio.h>

#include "cli/commands.h"
#include "cli/element_print.h"
#include "port/system.h"

#define FOLLOW_NS UINT64_C(100000000)

static theater_status print_range(cli_run *cli, theater_folder *folder, uint64_t actor, uint64_t from,
                                  uint64_t end, theater_error *reterr)
{
    theater_status status = THEATER_OK;
    for (uint64_t i = from; !status && i < end && !cli->out.closed; i++) {
        theater_element element;
        status = theater_element_read(folder, actor, i, &element, reterr);
        if (status)
            break;
        if (cli->json)
            cli_element_json(&cli->out, &element);
        else
            cli_element_row(&cli->out, &element);
        theater_element_free(&element);
    }
    return status;
}

/* Looks for new elements ten times a second; interrupting it is its usual end. */
static theater_status follow(cli_run *cli, theater_folder *folder, const theater_actor_info *info,
                             uint64_t from, uint64_t to, theater_error *reterr)
{
    char name[160];
    snprintf(name, sizeof name, "%s#%llu", info->name, (unsigned long long)info->id);
    th_event *never;
    theater_status status = th_event_new(th_port_system(), &never, reterr);
    if (status)
        return status;
    cli_catch_interrupt();
    while (!status && from <= to && !cli->out.closed) {
        theater_actor_info now;
        cli_flush(&cli->out);
        th_event_wait(never, FOLLOW_NS);
        if (cli_interrupted())
            break;
        status = theater_folder_refresh(folder, reterr);
        if (!status)
            status = theater_folder_actor(folder, name, &now, reterr);
        if (status)
            break;
        uint64_t end = to < now.elements ? to + 1 : now.elements;
        status = print_range(cli, folder, info->id, from, end, reterr);
        from = end > from ? end : from;
        if (now.status == THEATER_ACTOR_REMOVED || now.status == THEATER_ACTOR_ARCHIVE)
            break;
    }
    th_event_free(never);
    return status;
}

static theater_status run(cli_run *cli, theater_error *reterr)
{
    uint64_t from = 0, to = UINT64_MAX - 1;
    theater_folder *folder;
    theater_actor_info info;
    theater_status status = cli_number(cli, "--from", &from, reterr);
    if (!status)
        status = cli_number(cli, "--to", &to, reterr);
    if (!status)
        status = cli_open_actor(cli, cli->operands[0], &folder, &info, reterr);
    if (status)
        return status;
    uint64_t end = to < info.elements ? to + 1 : info.elements;
    if (!cli->json)
        cli_element_head(&cli->out);
    status = print_range(cli, folder, info.id, from, end, reterr);
    if (!status && cli_flag(cli, "--follow"))
        status = follow(cli, folder, &info, end > from ? end : from, to, reterr);
    theater_folder_close(folder);
    return status;
}

static const cli_option options[] = {
    {"--from", "SEQ", "The first element to print; 0 when not given"},
    {"--to", "SEQ", "The last element to print"},
    {"--follow", NULL, "Goes on with new elements as they come, until it is interrupted"},
    {NULL, NULL, NULL},
};

static const cli_example examples[] = {
    {"--data data chain counter", "a table, one element a line"},
    {"--data data chain counter --json --from 10 --to 19", "ten elements, one object a line"},
    {"--data data chain counter --follow", "what happens, as it happens"},
    {NULL, NULL},
};

const cli_command cli_cmd_chain = {
    .name = "chain",
    .operands = "NAME",
    .summary = "Prints the elements of a chain",
    .description =
        "Prints elements with their payloads, as a table or, with --json, one object a line with the keys "
        "sequence, hash, previous, type, "
        "timestamp, input, output, state_before, state_after, state_size, fuel, cause, principal and id.\n\n"
        "An input or output is a string when it is printable text and otherwise {\"base64\": ...}; that of a "
        "genesis or an upgrade is "
        "{\"descriptor\": ...}, the output of a rejection {\"code\": ..., \"message\": ...}, a payload that "
        "was dropped null.",
    .options = options,
    .examples = examples,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
