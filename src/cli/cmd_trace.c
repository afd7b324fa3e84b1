#include <inttypes.h>

#include "cli/commands.h"
#include "cli/place.h"

static const char *kind_word(theater_cause_kind kind)
{
    switch (kind) {
    case THEATER_CAUSE_MESSAGE:
        return "message";
    case THEATER_CAUSE_REPLY:
        return "reply";
    case THEATER_CAUSE_NOTICE:
        return "notice";
    default:
        return "client";
    }
}

static void print_json(cli_output *out, const theater_trace_step *step)
{
    cli_json_object(out);
    cli_json_key(out, "relation");
    cli_json_string(out, step->depth == 0 ? "element" : step->depth < 0 ? "cause" : "effect");
    cli_json_key(out, "distance");
    cli_json_uint(out, (uint64_t)(step->depth < 0 ? -step->depth : step->depth));
    cli_json_key(out, "actor");
    cli_json_string(out, step->actor.name);
    cli_json_key(out, "id");
    cli_json_uint(out, step->actor.id);
    cli_json_key(out, "sequence");
    cli_json_uint(out, step->sequence);
    cli_json_key(out, "kind");
    if (step->depth == 0)
        cli_json_null(out);
    else
        cli_json_string(out, kind_word(step->kind));
    cli_json_end(out, '}');
    cli_json_line(out);
}

static bool print_step(void *context, const theater_trace_step *step)
{
    cli_run *cli = context;
    cli_output *out = &cli->out;
    if (cli->json) {
        print_json(out, step);
        return !cli_output_ended(out);
    }
    if (step->depth == 0) {
        cli_printf(out, "%s element %" PRIu64 "\n", step->actor.name, step->sequence);
        return !cli_output_ended(out);
    }
    int depth = step->depth < 0 ? -step->depth : step->depth;
    for (int i = 0; i < depth && i < 40; i++)
        cli_puts(out, "  ");
    cli_printf(out, "%s %s element %" PRIu64 " (%s)\n", step->depth < 0 ? "caused by" : "caused",
               step->actor.name, step->sequence, kind_word(step->kind));
    return !cli_output_ended(out);
}

static theater_status run(cli_run *cli, theater_error *reterr)
{
    uint64_t sequence, max = 1000;
    if (!cli_parse_number(cli->operands[1], &sequence))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "\"%s\" is not an element's sequence",
                       cli->operands[1]);
    cli_place place;
    theater_actor_info info;
    theater_status status = cli_number(cli, "--max", &max, reterr);
    if (!status)
        status = cli_place_open(cli, CLI_READ, NULL, &place, reterr);
    if (status)
        return status;
    bool more = false;
    status = cli_place_actor(&place, cli->operands[0], &info, reterr);
    if (!status && sequence >= info.elements)
        status = th_fail(reterr, THEATER_NOT_FOUND,
                         "actor %s has no element %" PRIu64 "; its chain ends at %" PRIu64, info.name,
                         sequence, info.elements - 1);
    if (!status)
        status = cli_place_trace(&place, &info, sequence, max, print_step, cli, &more, reterr);
    if (place.client && max > TH_CLIENT_TRACE_MAX)
        max = TH_CLIENT_TRACE_MAX;
    cli_place_close(&place);
    cli_flush(&cli->out);
    if (!status && more)
        cli_note("there is more than %" PRIu64 " steps; --max N shows more", max);
    return status;
}

static const cli_option options[] = {
    {"--max", "N", "How many elements to print at the most; 1000 when not given"},
    {NULL, NULL, NULL},
};

static const cli_example examples[] = {
    {"--data data trace ring-0 12", "why element 12 came to be, and what it set off"},
    {NULL, NULL},
};

const cli_command cli_cmd_trace = {
    .name = "trace",
    .operands = "NAME SEQ",
    .summary = "Shows what caused an element, and what it caused",
    .description = "Walks from an element back to the client's message that it goes back to, then on to "
                   "everything that it caused, across actors: messages, "
                   "replies to requests, and notices of requests that could not be delivered.",
    .options = options,
    .examples = examples,
    .operands_min = 2,
    .operands_max = 2,
    .run = run,
};
