#include <stdio.h>

#include "cli/commands.h"
#include "cli/element_print.h"
#include "cli/place.h"
#include "port/system.h"

#define FOLLOW_NS UINT64_C(100000000)
#define FOLLOW_SERVER_NS UINT64_C(250000000)

typedef struct range {
    cli_run *cli;
    uint64_t next; /* behind the last that was printed */
} range;

static bool print_element(void *context, const theater_element *element)
{
    range *self = context;
    if (self->cli->json)
        cli_element_json(&self->cli->out, element);
    else
        cli_element_row(&self->cli->out, element);
    self->next = element->sequence + 1;
    return !cli_output_ended(&self->cli->out);
}

/* Looks for new elements some times a second; interrupting it is its usual end. */
static theater_status follow(cli_place *place, range *self, const theater_actor_info *info, uint64_t to,
                             theater_error *reterr)
{
    cli_run *cli = self->cli;
    char name[160];
    snprintf(name, sizeof name, "%s#%llu", info->name, (unsigned long long)info->id);
    th_event *never;
    theater_status status = th_event_new(th_port_system(), &never, reterr);
    if (status)
        return status;
    cli_catch_interrupt();
    while (!status && self->next <= to && !cli_output_ended(&cli->out)) {
        theater_actor_info now;
        cli_flush(&cli->out);
        th_event_wait(never, place->client ? FOLLOW_SERVER_NS : FOLLOW_NS);
        if (cli_interrupted())
            break;
        status = cli_place_refresh(place, reterr);
        if (!status)
            status = cli_place_actor(place, name, &now, reterr);
        if (status)
            break;
        uint64_t end = to < now.elements ? to + 1 : now.elements;
        status = cli_place_elements(place, info, self->next, end, print_element, self, reterr);
        if (now.status == THEATER_ACTOR_REMOVED || now.status == THEATER_ACTOR_ARCHIVE)
            break;
    }
    th_event_free(never);
    return status == THEATER_INTERRUPTED ? THEATER_OK : status;
}

static theater_status print_chain(cli_run *cli, cli_place *place, uint64_t from, uint64_t to,
                                  theater_error *reterr)
{
    theater_actor_info info;
    theater_status status = cli_place_actor(place, cli->operands[0], &info, reterr);
    if (status)
        return status;
    range self = {.cli = cli, .next = from};
    uint64_t end = to < info.elements ? to + 1 : info.elements;
    if (!cli->json)
        cli_element_head(&cli->out);
    status = cli_place_elements(place, &info, from, end, print_element, &self, reterr);
    if (!status && cli_flag(cli, "--follow"))
        status = follow(place, &self, &info, to, reterr);
    return status;
}

static theater_status run(cli_run *cli, theater_error *reterr)
{
    uint64_t from = 0, to = UINT64_MAX - 1;
    cli_place place;
    theater_status status = cli_number(cli, "--from", &from, reterr);
    if (!status)
        status = cli_number(cli, "--to", &to, reterr);
    if (!status)
        status = cli_place_open(cli, CLI_READ, NULL, &place, reterr);
    if (status)
        return status;
    status = print_chain(cli, &place, from, to, reterr);
    cli_place_close(&place);
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
