#include <inttypes.h>

#include "cli/commands.h"
#include "cli/place.h"
#include "cli/trial_print.h"

static void print_json(cli_output *out, const theater_actor_info *info, const theater_trial *trial)
{
    cli_json_object(out);
    cli_json_key(out, "actor");
    cli_json_string(out, info->name);
    cli_trial_json(out, trial);
    cli_json_key(out, "matches");
    cli_json_bool(out, trial->differences == 0);
    cli_json_key(out, "differs");
    cli_json_array(out);
    for (unsigned bit = THEATER_DIFFERS_TYPE; bit <= THEATER_DIFFERS_UNDECIDED; bit <<= 1) {
        const char *text = theater_difference_text((theater_turn_difference)bit);
        if ((trial->differences & bit) && text)
            cli_json_string(out, text);
    }
    cli_json_end(out, ']');
    cli_json_end(out, '}');
    cli_json_line(out);
}

static theater_status verdict(const theater_actor_info *info, const theater_trial *trial,
                              theater_error *reterr)
{
    char words[100];
    if (trial->differences == 0)
        return THEATER_OK;
    cli_trial_differences(trial, words, sizeof words);
    bool undecided = trial->differences & THEATER_DIFFERS_UNDECIDED;
    return th_fail(reterr, undecided ? THEATER_UNDECIDED : THEATER_VERIFY_FAILED,
                   "element %" PRIu64 " of actor %s comes out otherwise: %s", trial->sequence, info->name,
                   words);
}

static theater_status run(cli_run *cli, theater_error *reterr)
{
    uint64_t sequence;
    if (!cli_parse_number(cli->operands[1], &sequence))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "\"%s\" is not an element's sequence",
                       cli->operands[1]);
    cli_place place;
    theater_actor_info info;
    cli_trial looked_at;
    theater_status status = cli_place_open(cli, CLI_READ, NULL, &place, reterr);
    if (status)
        return status;
    status = cli_place_actor(&place, cli->operands[0], &info, reterr);
    if (!status)
        status = cli_place_rerun(&place, &info, sequence, &looked_at, reterr);
    if (!status) {
        const theater_trial *trial = looked_at.trial;
        if (cli->json) {
            print_json(&cli->out, &info, trial);
        } else {
            cli_trial_text(&cli->out, trial);
            if (trial->differences == 0)
                cli_puts(&cli->out, "all of it is as recorded\n");
        }
        cli_flush(&cli->out);
        status = verdict(&info, trial, reterr);
        cli_trial_done(&looked_at);
    }
    cli_place_close(&place);
    return status;
}

static const cli_option options[] = {
    {NULL, NULL, NULL},
};

static const cli_example examples[] = {
    {"--data data rerun counter 12", "what turn 12 logged, sent and answered, and whether it still does"},
    {NULL, NULL},
};

const cli_command cli_cmd_rerun = {
    .name = "rerun",
    .operands = "NAME SEQ",
    .summary = "Runs one recorded turn again and shows all that came of it",
    .description = "Brings the actor to the state before the element, runs the element's turn again with the "
                   "input, time, cause and principal that it records, and shows output or "
                   "reason, log lines, messages, fuel and state. Of a trap it shows the message and the "
                   "guest's stack, which stand on no chain. Nothing is recorded.\n\n"
                   "It exits with 21 when something comes out otherwise than recorded, with 22 when that "
                   "decides nothing (see the chain format, Fuel).",
    .options = options,
    .examples = examples,
    .operands_min = 2,
    .operands_max = 2,
    .run = run,
};
