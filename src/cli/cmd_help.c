#include "cli/commands.h"

static void exit_codes(cli_output *out)
{
    for (int i = 0; i < THEATER_STATUS_COUNT; i++)
        cli_printf(out, "%3d  %-18s %s\n", theater_status_exit_code((theater_status)i),
                   theater_status_name((theater_status)i), theater_status_text((theater_status)i));
}

static theater_status run(cli_run *cli, theater_error *reterr)
{
    const char *format = cli_value(cli, "--format");
    const char *name = cli->operand_count ? cli->operands[0] : NULL;
    if (name && strcmp(name, "exit-codes") == 0) {
        exit_codes(&cli->out);
        return THEATER_OK;
    }
    const cli_command *command = name ? cli_find_command(name) : NULL;
    if (name && !command)
        return th_fail(reterr, THEATER_NOT_FOUND, "there is no command %s; \"theater help\" lists them",
                       name);
    if (format && strcmp(format, "man") == 0)
        cli_help_man(cli, command);
    else if (format && strcmp(format, "markdown") == 0)
        cli_help_markdown(cli);
    else if (format && strcmp(format, "text") != 0)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "--format: \"%s\" is not text, man or markdown",
                       format);
    else if (command)
        cli_help_command(cli, command);
    else
        cli_help(cli);
    return THEATER_OK;
}

static const cli_option options[] = {
    {"--format", "NAME", "text, man (a manual page) or markdown (the reference of all commands)"},
    {NULL, NULL, NULL},
};

static const cli_example examples[] = {
    {"help", "lists the commands"},
    {"help send", "says more about one"},
    {"help exit-codes", "lists the exit codes"},
    {NULL, NULL},
};

const cli_command cli_cmd_help = {
    .name = "help",
    .operands = "[COMMAND | exit-codes]",
    .summary = "Says how the program is used",
    .description = "Without an operand lists the commands, with one says more about it.",
    .options = options,
    .examples = examples,
    .operands_max = 1,
    .no_json = true,
    .no_data = true,
    .no_server = true,
    .run = run,
};
