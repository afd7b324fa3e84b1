#include "chain/rejection.h"
#include "cli/commands.h"
#include "cli/place.h"
#include "cli/send.h"

static theater_status ask(cli_run *cli, th_slice input, theater_error *reterr)
{
    cli_place place;
    theater_status status = cli_place_open(cli, CLI_WRITE, NULL, &place, reterr);
    if (status)
        return status;
    theater_message message = {.actor = cli->operands[0], .input = input};
    theater_answer answer = {.status = THEATER_OK};
    status = cli_place_query(&place, &message, &answer, reterr);
    cli_output *out = &cli->out;
    if (cli->json) {
        cli_json_answer(out, &answer);
        cli_json_line(out);
    } else if (status == THEATER_OK) {
        cli_put(out, th_slice_of(answer.output.data, answer.output.size));
        if (out->terminal)
            cli_puts(out, "\n");
    }
    if (status == THEATER_REJECTED) {
        char reason[1000];
        cli_reason(&answer, reason, sizeof reason);
        status = answer.reject_code == TH_REJECTED_BY_ACTOR
                     ? th_fail(reterr, status, "%s would reject it: %s", message.actor, reason)
                     : th_fail(reterr, status, "%s would fail at it: %s; \"theater try\" shows more",
                               message.actor, reason);
    }
    theater_answer_done(&answer);
    cli_place_close(&place);
    return status;
}

static theater_status run(cli_run *cli, theater_error *reterr)
{
    return cli_with_input(cli, ask, reterr);
}

static const cli_option options[] = {
    {"--file", "FILE", "Takes the input from a file; - is standard input"},
    {NULL, NULL, NULL},
};

static const cli_example examples[] = {
    {"--data data query counter get", "what the actor would answer now; nothing is recorded"},
    {NULL, NULL},
};

const cli_command cli_cmd_query = {
    .name = "query",
    .operands = "NAME [INPUT]",
    .summary = "Asks an actor without recording anything",
    .description = "Runs the actor's handle on its last committed state and prints the output. Nothing is "
                   "recorded: no element, no new state, no "
                   "message. With --json the element that the state is after comes along.",
    .options = options,
    .examples = examples,
    .operands_min = 1,
    .operands_max = 2,
    .run = run,
};
