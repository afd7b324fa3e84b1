/* Help, man pages and the reference part of docs/cli.md, all from the tables of the commands. A test compares
 * what is in the tree with what is printed here. */
#include <stdio.h>

#include "cli/cli.h"

#define WIDTH 79

/* ---- for a terminal ------------------------------------------------------------------------------------ */

/* Words of `text`, broken at WIDTH, each line behind `indent` spaces; the first one continues at `column`. */
static void put_wrapped(cli_output *out, const char *text, size_t indent, size_t column)
{
    while (*text) {
        size_t size = strcspn(text, " \n");
        if (column > indent && column + 1 + size > WIDTH) {
            cli_puts(out, "\n");
            column = 0;
        } else if (column > indent) {
            cli_puts(out, " ");
            column++;
        }
        for (; column < indent; column++)
            cli_puts(out, " ");
        cli_put(out, th_slice_of(text, size));
        column += size;
        text += size;
        if (text[0] == '\n' && text[1] == '\n') {
            cli_puts(out, "\n\n");
            column = 0;
        }
        text += strspn(text, " \n");
    }
    cli_puts(out, "\n");
}

static void put_options(cli_output *out, const cli_option *options)
{
    for (const cli_option *option = options; option && option->name; option++) {
        char head[64];
        int size = snprintf(head, sizeof head, "  %s%s%s", option->name, option->value ? " " : "",
                            option->value ? option->value : "");
        cli_puts(out, head);
        size_t column = (size_t)size;
        if (column > 23) {
            cli_puts(out, "\n");
            column = 0;
        }
        for (; column < 24; column++)
            cli_puts(out, " ");
        put_wrapped(out, option->help, 24, 24);
    }
}

static void put_title(cli_output *out, const char *title)
{
    cli_colour(out, "1");
    cli_puts(out, title);
    cli_colour(out, "0");
    cli_puts(out, "\n");
}

static void put_usage(cli_output *out, const cli_command *command)
{
    cli_printf(out, "theater %s%s%s%s\n", command->name, command->operands[0] ? " " : "", command->operands,
               command->options && command->options->name ? " [OPTION...]" : "");
}

/* A common option that the command takes no notice of is not shown with it. */
static bool common_applies(const cli_command *command, const cli_option *option)
{
    static const char *const of_server[] = {"--server", "--token", "--token-file", "--ca"};
    if (strcmp(option->name, "--data") == 0)
        return !command->no_data;
    for (size_t i = 0; i < sizeof of_server / sizeof *of_server; i++)
        if (strcmp(option->name, of_server[i]) == 0)
            return !command->no_server;
    return strcmp(option->name, "--json") != 0 || !command->no_json;
}

void cli_help_command(cli_run *cli, const cli_command *command)
{
    cli_output *out = &cli->out;
    put_usage(out, command);
    cli_puts(out, "\n");
    put_wrapped(out, command->description, 0, 0);
    cli_puts(out, "\n");
    put_title(out, "Options");
    put_options(out, command->options);
    for (const cli_option *option = cli_common_options; option->name; option++)
        if (common_applies(command, option))
            put_options(out, (const cli_option[]){*option, {NULL, NULL, NULL}});
    cli_puts(out, "\n");
    put_title(out, "Examples");
    for (const cli_example *example = command->examples; example->line; example++) {
        cli_printf(out, "  theater %s\n", example->line);
        put_wrapped(out, example->meaning, 6, 0);
    }
}

void cli_help(cli_run *cli)
{
    cli_output *out = &cli->out;
    cli_puts(out, "theater COMMAND [ARGUMENT...]\n\n"
                  "Runs WebAssembly components as actors whose every step is recorded on a\n"
                  "hash-linked chain, and lets anyone prove afterwards what they did.\n\n");
    put_title(out, "Commands");
    for (size_t i = 0; cli_commands[i]; i++)
        cli_printf(out, "  %-13s %s\n", cli_commands[i]->name, cli_commands[i]->summary);
    cli_puts(out, "\n");
    put_title(out, "Options of all commands");
    put_options(out, cli_common_options);
    cli_puts(out, "\n");
    put_title(out, "Examples");
    cli_puts(out, "  theater new poll && theater build poll\n"
                  "  theater --data data start --manifest poll/actor.yaml\n"
                  "  theater --data data send poll \"vote tea\"\n"
                  "  theater --data data verify\n\n"
                  "\"theater help COMMAND\" says more about one command, \"theater help exit-codes\"\n"
                  "lists the exit codes.\n");
}

/* ---- man pages ----------------------------------------------------------------------------------------- */

static void put_roff_size(cli_output *out, const char *text, size_t size)
{
    if (size > 0 && (text[0] == '.' || text[0] == '\''))
        cli_puts(out, "\\&");
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\\')
            cli_puts(out, "\\e");
        else if (text[i] == '-')
            cli_puts(out, "\\-");
        else
            cli_put(out, th_slice_of(&text[i], 1));
    }
}

static void put_roff(cli_output *out, const char *text)
{
    put_roff_size(out, text, strlen(text));
}

static void put_roff_paragraphs(cli_output *out, const char *text)
{
    for (;;) {
        const char *end = strstr(text, "\n\n");
        put_roff_size(out, text, end ? (size_t)(end - text) : strlen(text));
        cli_puts(out, "\n");
        if (!end)
            return;
        cli_puts(out, ".PP\n");
        text = end + 2;
    }
}

static void put_roff_option(cli_output *out, const cli_option *option)
{
    cli_puts(out, ".TP\n\\fB");
    put_roff(out, option->name);
    cli_puts(out, "\\fR");
    if (option->value) {
        cli_puts(out, " \\fI");
        put_roff(out, option->value);
        cli_puts(out, "\\fR");
    }
    cli_puts(out, "\n");
    put_roff(out, option->help);
    cli_puts(out, ".\n");
}

static void put_roff_head(cli_output *out, const char *name, const char *summary)
{
    cli_printf(out, ".TH \"%s\" 1 \"\" \"theater %s\" \"Theater\"\n.SH NAME\n", name, theater_version());
    put_roff(out, name);
    cli_puts(out, " \\- ");
    put_roff(out, summary);
    cli_puts(out, "\n.SH SYNOPSIS\n");
}

static void man_program(cli_output *out)
{
    put_roff_head(out, "theater", "verifiable deterministic actors");
    cli_puts(
        out,
        "\\fBtheater\\fR \\fICOMMAND\\fR [\\fIARGUMENT\\fR...]\n.SH DESCRIPTION\n"
        "Runs WebAssembly components as actors whose every step is recorded on a hash\\-linked chain, and "
        "lets\n"
        "anyone prove afterwards what they did. Each command has a page of its own, theater\\-COMMAND(1).\n"
        ".SH COMMANDS\n");
    for (size_t i = 0; cli_commands[i]; i++) {
        cli_puts(out, ".TP\n\\fB");
        put_roff(out, cli_commands[i]->name);
        cli_puts(out, "\\fR\n");
        put_roff(out, cli_commands[i]->summary);
        cli_puts(out, ".\n");
    }
    cli_puts(out, ".SH OPTIONS\nThese may stand before or behind the command.\n");
    for (const cli_option *option = cli_common_options; option->name; option++)
        put_roff_option(out, option);
    cli_puts(out, ".SH EXIT STATUS\n");
    for (int i = 0; i < THEATER_STATUS_COUNT; i++) {
        cli_printf(out, ".TP\n\\fB%d\\fR\n", theater_status_exit_code((theater_status)i));
        put_roff(out, theater_status_text((theater_status)i));
        cli_puts(out, "\n");
    }
    cli_puts(
        out,
        ".SH ENVIRONMENT\n.TP\n\\fBTHEATER_DATA\\fR\nThe data folder when \\-\\-data is not given.\n"
        ".TP\n\\fBTHEATER_SERVER\\fR\nThe running server when neither \\-\\-server nor \\-\\-data is given.\n"
        ".TP\n\\fBTHEATER_TOKEN\\fR\nThe token for the server.\n"
        ".TP\n\\fBNO_COLOR\\fR\nWhen it is set and not empty, terminals get no colours either.\n");
}

void cli_help_man(cli_run *cli, const cli_command *command)
{
    cli_output *out = &cli->out;
    if (!command) {
        man_program(out);
        return;
    }
    char name[64];
    snprintf(name, sizeof name, "theater-%s", command->name);
    put_roff_head(out, name, command->summary);
    cli_printf(out, "\\fBtheater %s\\fR ", command->name);
    put_roff(out, command->operands);
    cli_puts(out, command->options && command->options->name ? " [\\fIOPTION\\fR...]\n" : "\n");
    cli_puts(out, ".SH DESCRIPTION\n");
    put_roff_paragraphs(out, command->description);
    cli_puts(out, ".SH OPTIONS\n");
    for (const cli_option *option = command->options; option && option->name; option++)
        put_roff_option(out, option);
    for (const cli_option *option = cli_common_options; option->name; option++)
        if (common_applies(command, option))
            put_roff_option(out, option);
    cli_puts(out, ".SH EXAMPLES\n");
    for (const cli_example *example = command->examples; example->line; example++) {
        cli_puts(out, ".TP\n\\fBtheater ");
        put_roff(out, example->line);
        cli_puts(out, "\\fR\n");
        put_roff(out, example->meaning);
        cli_puts(out, ".\n");
    }
    cli_puts(out, ".SH SEE ALSO\ntheater(1), which lists the exit codes\n");
}

/* ---- Markdown ------------------------------------------------------------------------------------------ */

static void put_markdown_options(cli_output *out, const cli_option *options, const cli_command *only)
{
    for (const cli_option *option = options; option && option->name; option++)
        if (!only || common_applies(only, option))
            cli_printf(out, "- `%s%s%s`: %s.\n", option->name, option->value ? " " : "",
                       option->value ? option->value : "", option->help);
}

void cli_help_markdown(cli_run *cli)
{
    cli_output *out = &cli->out;
    cli_puts(out, "## Options of all commands\n\n");
    put_markdown_options(out, cli_common_options, NULL);
    cli_puts(out, "\n## Exit codes\n\n| code | name | meaning |\n|---|---|---|\n");
    for (int i = 0; i < THEATER_STATUS_COUNT; i++)
        cli_printf(out, "| %d | `%s` | %s |\n", theater_status_exit_code((theater_status)i),
                   theater_status_name((theater_status)i), theater_status_text((theater_status)i));
    for (size_t i = 0; cli_commands[i]; i++) {
        const cli_command *command = cli_commands[i];
        cli_printf(out, "\n## theater %s\n\n", command->name);
        cli_puts(out, "`");
        cli_printf(out, "theater %s%s%s%s`\n\n", command->name, command->operands[0] ? " " : "",
                   command->operands, command->options && command->options->name ? " [OPTION...]" : "");
        cli_puts(out, command->description);
        cli_puts(out, "\n\n");
        put_markdown_options(out, command->options, NULL);
        if (command->options && command->options->name)
            cli_puts(out, "\n");
        cli_puts(out, "```sh\n");
        for (const cli_example *example = command->examples; example->line; example++)
            cli_printf(out, "theater %s    # %s\n", example->line, example->meaning);
        cli_puts(out, "```\n");
    }
}
