#include <inttypes.h>

#include "cli/commands.h"
#include "cli/place.h"
#include "cli/trial_print.h"

static void print_json(cli_run *cli, const theater_actor_info *info, uint64_t after,
                       const theater_trial *trial)
{
    cli_output *out = &cli->out;
    cli_json_object(out);
    cli_json_key(out, "actor");
    cli_json_string(out, info->name);
    cli_json_key(out, "at");
    cli_json_uint(out, after);
    cli_trial_json(out, trial);
    if (cli_flag(cli, "--state")) {
        cli_json_key(out, "state");
        cli_json_bytes(out, trial->state);
    }
    cli_json_end(out, '}');
    cli_json_line(out);
}

static void print_text(cli_run *cli, const theater_trial *trial)
{
    cli_trial_text(&cli->out, trial);
    if (!cli_flag(cli, "--state"))
        return;
    if (cli_printable(trial->state))
        cli_put(&cli->out, trial->state);
    else
        cli_put_safe(&cli->out, trial->state, SIZE_MAX - 8);
    cli_puts(&cli->out, "\n");
}

static theater_status try_input(cli_run *cli, th_slice input, theater_error *reterr)
{
    cli_place place;
    theater_actor_info info;
    cli_trial trial;
    theater_status status = cli_place_open(cli, CLI_READ, NULL, &place, reterr);
    if (status)
        return status;
    status = cli_place_actor(&place, cli->operands[0], &info, reterr);
    uint64_t after = status ? 0 : info.elements - 1;
    if (!status)
        status = cli_number(cli, "--at", &after, reterr);
    if (!status)
        status = cli_place_try(&place, &info, after, cli_flag(cli, "--state"), input, &trial, reterr);
    if (!status) {
        if (cli->json)
            print_json(cli, &info, after, trial.trial);
        else
            print_text(cli, trial.trial);
        cli_trial_done(&trial);
    }
    cli_place_close(&place);
    return status;
}

static theater_status run(cli_run *cli, theater_error *reterr)
{
    return cli_with_input(cli, try_input, reterr);
}

static const cli_option options[] = {
    {"--at", "SEQ", "On the state after this element; after the last one when not given"},
    {"--file", "FILE", "Takes the input from a file; - is standard input"},
    {"--state", NULL, "Shows the whole state after the turn too"},
    {NULL, NULL, NULL},
};

static const cli_example examples[] = {
    {"--data data try counter 'add 5'", "what the actor would do now; nothing is recorded"},
    {"--data data try counter inc --at 100", "what it would have done after element 100"},
    {NULL, NULL},
};

const cli_command cli_cmd_try = {
    .name = "try",
    .operands = "NAME [INPUT]",
    .summary = "Runs an input on any state of an actor without recording it",
    .description = "Brings the actor to the state after an element, runs the input there as a client's "
                   "message, and shows what came of it: output or reason, log lines, "
                   "messages that it would have sent, fuel and state. Nothing is recorded and nothing is "
                   "sent; a rejection is shown, and is no failure of the command.",
    .options = options,
    .examples = examples,
    .operands_min = 1,
    .operands_max = 2,
    .run = run,
};
