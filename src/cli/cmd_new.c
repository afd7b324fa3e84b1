#include "cli/commands.h"
#include "tool/tool.h"

static theater_status run(cli_run *cli, theater_error *reterr)
{
    const char *path = cli->operands[0];
    theater_status status = th_tool_new(path, reterr);
    if (status)
        return status;
    cli_printf(&cli->out,
               "%s is a small actor in C. Next:\n"
               "  theater build %s\n"
               "  theater --data data start --manifest %s/actor.yaml\n",
               path, path, path);
    return THEATER_OK;
}

static const cli_example examples[] = {
    {"new counter", "makes the folder counter with an actor that can be built and started as it is"},
    {NULL, NULL},
};

const cli_command cli_cmd_new = {
    .name = "new",
    .operands = "DIR",
    .summary = "Makes a folder with a small actor in C",
    .description =
        "Makes the folder DIR with an actor that builds and runs: its source, a manifest, inputs to try and "
        "a page that "
        "explains them. The last part of DIR becomes the actor's name: labels of a-z 0-9 - _ joined by dots.",
    .examples = examples,
    .operands_min = 1,
    .operands_max = 1,
    .no_json = true,
    .no_data = true,
    .run = run,
};
