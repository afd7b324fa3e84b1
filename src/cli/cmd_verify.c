#include "cli/check.h"
#include "cli/commands.h"

static theater_status run(cli_run *cli, theater_error *reterr)
{
    theater_check_options options = {.all = cli_flag(cli, "--all")};
    return cli_check(cli, theater_verify, "verifying", &options, reterr);
}

static const cli_option options[] = {
    {"--all", NULL, "Also checks every cause against the other chains"},
    {"--key", "VKEY...",
     "The verifier key that checkpoints must be signed with (theater keys); once for each chain"},
    {"--remote", NULL, "Lets the server check itself, and only fetches its report"},
    {NULL, NULL, NULL},
};

static const cli_example examples[] = {
    {"--data data verify counter", "checks one chain of the data folder"},
    {"--data data verify --all", "checks all chains, and the messages between them"},
    {"verify ledger.bundle --key \"$(cat ledger.vkey)\"",
     "checks a bundle that somebody gave, with a key that one trusts"},
    {NULL, NULL},
};

const cli_command cli_cmd_verify = {
    .name = "verify",
    .operands = "[NAME | BUNDLE]",
    .summary = "Checks links, roots, payloads and checkpoints",
    .description =
        "Checks a chain of the data folder, a bundle file, or, without an operand, every chain of the "
        "folder: encodings, links, hashes "
        "of payloads, the rules of each kind of element, snapshots and signed checkpoints. Nothing is run. "
        "The first bad element is named, with "
        "exit code 21.\n\n"
        "An operand is an actor's name first and a file second; with a slash in it, it is always a file. "
        "Without --key the folder's own "
        "key is used, or the one in the bundle, which shows only that the bundle agrees with itself.",
    .options = options,
    .examples = examples,
    .operands_max = 1,
    .run = run,
};
