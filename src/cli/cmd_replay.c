#include "cli/check.h"
#include "cli/commands.h"

static theater_status run(cli_run *cli, theater_error *reterr)
{
    theater_check_options options = {0};
    const char *engine = cli_value(cli, "--engine");
    if (engine && strcmp(engine, "pulley") != 0 && strcmp(engine, "cranelift") != 0)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "--engine: \"%s\" is neither cranelift nor pulley",
                       engine);
    options.pulley = engine && engine[0] == 'p';
    uint64_t threads = 0;
    theater_status status = cli_number(cli, "--threads", &threads, reterr);
    if (!status && (threads > 256 || (cli_flag(cli, "--threads") && threads == 0)))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "--threads must be 1 to 256");
    options.threads = (unsigned)threads;
    return status ? status : cli_check(cli, theater_replay, "replaying", &options, reterr);
}

static const cli_option options[] = {
    {"--engine", "NAME", "cranelift, or pulley: the second engine, an interpreter"},
    {"--threads", "N", "How many turns run at once; one for each processor when not given"},
    {"--key", "VKEY...",
     "The verifier key that checkpoints must be signed with (theater keys); once for each chain"},
    {"--remote", NULL, "Lets the server check itself, and only fetches its report"},
    {NULL, NULL, NULL},
};

static const cli_example examples[] = {
    {"--data data replay counter", "runs every turn of the chain again"},
    {"replay ledger.bundle --engine pulley",
     "runs a bundle again, with another engine than it was recorded with"},
    {NULL, NULL},
};

const cli_command cli_cmd_replay = {
    .name = "replay",
    .operands = "[NAME | BUNDLE]",
    .summary = "Runs every turn again and compares",
    .description = "Verifies a chain, a bundle or every chain of the data folder, then runs every turn "
                   "again, on all processors from the snapshots, and "
                   "compares type, reason, output, effects, state and fuel. The first element that differs "
                   "is named, with what differs and exit code "
                   "21. Exit code 22 means that nothing is broken but not everything could be decided: a "
                   "turn ended by the depth of a stack, or a "
                   "payload was dropped.",
    .options = options,
    .examples = examples,
    .operands_max = 1,
    .run = run,
};
