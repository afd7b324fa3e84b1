#include <stdlib.h>
#include <stdio.h>

#include "actor/manifest.h"
#include "cli/cli.h"

const cli_option cli_common_options[] = {
    {"--data", "DIR", "The data folder; THEATER_DATA stands for it"},
    {"--server", "URL",
     "A running server: http://HOST:PORT, https://HOST:PORT or unix:PATH; THEATER_SERVER stands for it"},
    {"--token", "TOKEN", "The token for the server; THEATER_TOKEN keeps it from the list of processes"},
    {"--token-file", "FILE", "A file that holds the token"},
    {"--ca", "FILE", "Who signed the server's certificate (PEM), where the machine does not know"},
    {"--json", NULL, "Prints JSON, for programs (docs/cli.md has the forms)"},
    {"--verbose", NULL, "Prints diagnostic lines to standard error, backtraces of traps among them"},
    {"--help", NULL, "Prints the help of the command"},
    {NULL, NULL, NULL},
};

static const cli_option *find_option(const cli_option *table, const char *name, size_t size)
{
    for (const cli_option *option = table; option && option->name; option++)
        if (strlen(option->name) == size && memcmp(option->name, name, size) == 0)
            return option;
    return NULL;
}

static const char *help_for(const cli_run *cli)
{
    return cli->command ? cli->command->name : "help";
}

/* Takes what a common option says. `value` is NULL for a flag. */
static void take_common(cli_run *cli, const cli_option *option, const char *value)
{
    if (strcmp(option->name, "--data") == 0)
        cli->data = value;
    else if (strcmp(option->name, "--server") == 0)
        cli->server = value;
    else if (strcmp(option->name, "--token") == 0)
        cli->token = value;
    else if (strcmp(option->name, "--token-file") == 0)
        cli->token_file = value;
    else if (strcmp(option->name, "--ca") == 0)
        cli->authority = value;
    else if (strcmp(option->name, "--json") == 0)
        cli->json = true;
    else if (strcmp(option->name, "--help") == 0)
        cli->help = true;
    else
        cli->verbose = true;
}

static bool may_repeat(const cli_option *option)
{
    size_t size = option->value ? strlen(option->value) : 0;
    return size > 3 && strcmp(option->value + size - 3, "...") == 0;
}

/* Parses the option at argv[*at]; moves *at to its last argument. */
static theater_status parse_option(cli_run *cli, int argc, char **argv, int *at, theater_error *reterr)
{
    const char *argument = argv[*at];
    const char *equals = strchr(argument, '=');
    size_t size = equals ? (size_t)(equals - argument) : strlen(argument);
    const cli_option *common = find_option(cli_common_options, argument, size);
    const cli_option *table = cli->command ? cli->command->options : NULL;
    const cli_option *option = common ? common : find_option(table, argument, size);
    if (!option && !cli->command)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "%.*s is no option that may stand before a command; \"theater help\" lists them",
                       (int)size, argument);
    if (!option)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "%s has no option %.*s; \"theater help %s\" lists them", cli->command->name, (int)size,
                       argument, help_for(cli));
    const char *value = NULL;
    if (option->value) {
        if (!equals && *at + 1 >= argc)
            return th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s needs %s behind it", option->name,
                           option->value);
        value = equals ? equals + 1 : argv[++*at];
    } else if (equals) {
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s takes no value", option->name);
    }
    if (common && value && !*value)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s is empty: it needs %s", option->name,
                       option->value);
    if (common) {
        take_common(cli, option, value);
        return THEATER_OK;
    }
    const char **place = &cli->values[option - table];
    if (may_repeat(option))
        cli->repeated[cli->repeated_count++] = (struct cli_repeated){option, value};
    else if (*place)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s was given twice", option->name);
    *place = value ? value : "";
    return THEATER_OK;
}

static theater_status take_command(cli_run *cli, const char *name, theater_error *reterr)
{
    cli->command = cli_find_command(name);
    if (cli->command)
        return THEATER_OK;
    return th_fail(reterr, THEATER_INVALID_ARGUMENT, "there is no command %s; \"theater help\" lists them",
                   name);
}

static theater_status check_operands(const cli_run *cli, theater_error *reterr)
{
    const cli_command *command = cli->command;
    if (cli->help || !command)
        return THEATER_OK;
    if (cli->operand_count < command->operands_min)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "something is missing: theater %s %s", command->name,
                       command->operands);
    if (cli->operand_count > command->operands_max)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "\"%s\" is too much: theater %s %s",
                       cli->operands[command->operands_max], command->name, command->operands);
    if (cli->json && command->no_json)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s has no JSON form", command->name);
    return THEATER_OK;
}

/* An option comes before the environment, and there a server before a folder. */
static theater_status choose_place(cli_run *cli, theater_error *reterr)
{
    const char *server = getenv("THEATER_SERVER"), *data = getenv("THEATER_DATA");
    bool local = cli->command && cli->command->no_server;
    if (cli->server && local)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "%s works on this machine and takes no --server; \"theater help %s\" says more",
                       cli->command->name, cli->command->name);
    if (cli->server && cli->data)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "--data and --server exclude each other");
    if (!cli->server && !cli->data && server && server[0] && !local)
        cli->server = server;
    if (!cli->server && !cli->data && data && data[0])
        cli->data = data;
    return THEATER_OK;
}

theater_status cli_parse(cli_run *ret, int argc, char **argv, theater_error *reterr)
{
    ret->operands = th_alloc((size_t)(argc + 1) * sizeof *ret->operands);
    ret->repeated = th_alloc((size_t)(argc + 1) * sizeof *ret->repeated);
    if (!ret->operands || !ret->repeated)
        return th_fail_memory(reterr, "the arguments");
    bool options_end = false;
    theater_status status = THEATER_OK;
    for (int i = 1; !status && i < argc; i++) {
        const char *argument = argv[i];
        bool is_option = !options_end && argument[0] == '-' && argument[1] != 0;
        if (is_option && strcmp(argument, "--") == 0)
            options_end = true;
        else if (is_option && strcmp(argument, "-h") == 0)
            ret->help = true;
        else if (is_option && !ret->command && strcmp(argument, "--version") == 0)
            status = take_command(ret, "version", reterr);
        else if (is_option)
            status = parse_option(ret, argc, argv, &i, reterr);
        else if (!ret->command)
            status = take_command(ret, argument, reterr);
        else
            ret->operands[ret->operand_count++] = argument;
    }
    if (!status)
        status = choose_place(ret, reterr);
    return status ? status : check_operands(ret, reterr);
}

const char *cli_value(const cli_run *cli, const char *name)
{
    const cli_option *option = find_option(cli->command->options, name, strlen(name));
    th_assert(option);
    return cli->values[option - cli->command->options];
}

size_t cli_values(const cli_run *cli, const char *name, const char **out, size_t room)
{
    size_t count = 0;
    for (size_t i = 0; i < cli->repeated_count && count < room; i++)
        if (strcmp(cli->repeated[i].option->name, name) == 0)
            out[count++] = cli->repeated[i].value;
    return count;
}

bool cli_flag(const cli_run *cli, const char *name)
{
    return cli_value(cli, name) != NULL;
}

bool cli_parse_number(const char *text, uint64_t *ret)
{
    uint64_t value = 0;
    if (!*text)
        return false;
    for (const char *p = text; *p; p++) {
        if (*p < '0' || *p > '9')
            return false;
        uint64_t digit = (uint64_t)(*p - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *ret = value;
    return true;
}

theater_status cli_number(const cli_run *cli, const char *name, uint64_t *ret, theater_error *reterr)
{
    const char *text = cli_value(cli, name);
    if (!text || cli_parse_number(text, ret))
        return THEATER_OK;
    return th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s: \"%s\" is not a whole number from 0 to 18446744073709551615", name,
                   text);
}

theater_status cli_size(const cli_run *cli, const char *name, uint64_t *ret, theater_error *reterr)
{
    const char *text = cli_value(cli, name);
    if (!text || th_parse_size(text, ret))
        return THEATER_OK;
    return th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s: \"%s\" is not a size such as 4096, 64KiB or 16MiB",
                   name, text);
}

theater_status cli_duration(const cli_run *cli, const char *name, uint64_t *ret_ms, theater_error *reterr)
{
    static const struct {
        const char *unit;
        uint64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"", 1000}};
    const char *text = cli_value(cli, name);
    if (!text)
        return THEATER_OK;
    size_t digits = strspn(text, "0123456789");
    char number[24];
    uint64_t value;
    if (digits > 0 && digits < sizeof number) {
        memcpy(number, text, digits);
        number[digits] = 0;
        for (size_t i = 0; i < sizeof units / sizeof *units; i++)
            if (strcmp(text + digits, units[i].unit) == 0 && cli_parse_number(number, &value) &&
                value <= UINT64_MAX / 3600000) {
                *ret_ms = value * units[i].ms;
                return THEATER_OK;
            }
    }
    return th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s: \"%s\" is not a time such as 10s, 500ms, 2m or 0",
                   name, text);
}
