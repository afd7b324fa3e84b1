/* cli/commands.h: the commands, one file each. */
#ifndef TH_CLI_COMMANDS_H
#define TH_CLI_COMMANDS_H

#include "cli/cli.h"

#define CLI_COMMAND_LIST(X)                                                                                  \
    X(new)                                                                                                   \
    X(build)                                                                                                 \
    X(test)                                                                                                  \
    X(start)                                                                                                 \
    X(stop)                                                                                                  \
    X(resume)                                                                                                \
    X(remove)                                                                                                \
    X(upgrade)                                                                                               \
    X(list)                                                                                                  \
    X(inspect)                                                                                               \
    X(send)                                                                                                  \
    X(query)                                                                                                 \
    X(watch)                                                                                                 \
    X(chain)                                                                                                 \
    X(state)                                                                                                 \
    X(verify)                                                                                                \
    X(replay)                                                                                                \
    X(rerun)                                                                                                 \
    X(try)                                                                                                   \
    X(checkpoint)                                                                                            \
    X(keys)                                                                                                  \
    X(prove)                                                                                                 \
    X(verify_proof)                                                                                          \
    X(trace)                                                                                                 \
    X(export)                                                                                                \
    X(import)                                                                                                \
    X(backup)                                                                                                \
    X(serve)                                                                                                 \
    X(top)                                                                                                   \
    X(token)                                                                                                 \
    X(bench)                                                                                                 \
    X(doctor)                                                                                                \
    X(version)                                                                                               \
    X(help)

#define CLI_DECLARE(name) extern const cli_command cli_cmd_##name;
CLI_COMMAND_LIST(CLI_DECLARE)
#undef CLI_DECLARE

#endif
