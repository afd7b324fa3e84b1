#include "cli/commands.h"

const cli_command *const cli_commands[] = {
#define ENTRY(name) &cli_cmd_##name,
    CLI_COMMAND_LIST(ENTRY)
#undef ENTRY
        NULL,
};

const cli_command *cli_find_command(const char *name)
{
    for (size_t i = 0; cli_commands[i]; i++)
        if (strcmp(cli_commands[i]->name, name) == 0)
            return cli_commands[i];
    return NULL;
}
