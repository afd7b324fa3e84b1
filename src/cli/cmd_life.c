/* stop, resume and remove: one word of difference. */
#include "cli/commands.h"
#include "cli/place.h"

typedef theater_status (*life_function)(cli_place *place, const char *name, theater_error *reterr);

static theater_status change(cli_run *cli, life_function function, const char *done, const char *status_word,
                             theater_error *reterr)
{
    cli_place place;
    theater_status status = cli_place_open(cli, CLI_WRITE, NULL, &place, reterr);
    if (status)
        return status;
    status = function(&place, cli->operands[0], reterr);
    cli_place_close(&place);
    if (status)
        return status;
    cli_output *out = &cli->out;
    if (!cli->json) {
        cli_printf(out, "%s %s\n", done, cli->operands[0]);
        return THEATER_OK;
    }
    cli_json_object(out);
    cli_json_key(out, "actor");
    cli_json_string(out, cli->operands[0]);
    cli_json_key(out, "status");
    cli_json_string(out, status_word);
    cli_json_end(out, '}');
    cli_json_line(out);
    return THEATER_OK;
}

static theater_status run_stop(cli_run *cli, theater_error *reterr)
{
    return change(cli, cli_place_stop, "stopped", "stopped", reterr);
}

static theater_status run_resume(cli_run *cli, theater_error *reterr)
{
    return change(cli, cli_place_resume, "resumed", "running", reterr);
}

static theater_status run_remove(cli_run *cli, theater_error *reterr)
{
    return change(cli, cli_place_remove, "removed", "removed", reterr);
}

static const cli_example stop_examples[] = {
    {"--data data stop counter", "the actor runs no more until it is resumed"},
    {NULL, NULL},
};

const cli_command cli_cmd_stop = {
    .name = "stop",
    .operands = "NAME",
    .summary = "Stops an actor until it is resumed",
    .description =
        "A stopped actor runs no turns. Messages from other actors wait for it; clients get an error.",
    .examples = stop_examples,
    .operands_min = 1,
    .operands_max = 1,
    .run = run_stop,
};

static const cli_example resume_examples[] = {
    {"--data data resume counter", "the actor goes on, with the messages that waited"},
    {NULL, NULL},
};

const cli_command cli_cmd_resume = {
    .name = "resume",
    .operands = "NAME",
    .summary = "Lets a stopped actor go on",
    .description = "Lets a stopped actor go on with the messages that waited for it.",
    .examples = resume_examples,
    .operands_min = 1,
    .operands_max = 1,
    .run = run_resume,
};

static const cli_example remove_examples[] = {
    {"--data data remove counter", "the actor ends for good; its chain stays and can be read and verified"},
    {"--data data remove ledger#7", "an archive that was imported; \"theater list\" shows its id"},
    {NULL, NULL},
};

const cli_command cli_cmd_remove = {
    .name = "remove",
    .operands = "NAME",
    .summary = "Ends an actor for good; its chain stays",
    .description = "Ends an actor for good. Its chain stays readable and keeps its name, which no other "
                   "actor of the folder can get; what waited for "
                   "it is dropped, and requests to it get the answer \"removed\".\n\n"
                   "Where no actor of this name runs, or with NAME#ID, it removes an imported archive. That "
                   "one's chain stays in the log, too, and is shown as removed; no name is used up, and "
                   "the bundle can be imported again.",
    .examples = remove_examples,
    .operands_min = 1,
    .operands_max = 1,
    .run = run_remove,
};
