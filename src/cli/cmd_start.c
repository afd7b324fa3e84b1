#include "cli/commands.h"
#include "cli/limits.h"
#include "cli/place.h"

static void print(cli_run *cli, const char *name, const theater_hash *genesis)
{
    cli_output *out = &cli->out;
    if (cli->json) {
        cli_json_object(out);
        cli_json_key(out, "actor");
        cli_json_string(out, name);
        cli_json_key(out, "genesis");
        cli_json_hash(out, genesis);
        cli_json_end(out, '}');
        cli_json_line(out);
        return;
    }
    char hex[2 * THEATER_HASH_SIZE + 1];
    th_hex_encode(th_slice_of(genesis->bytes, sizeof genesis->bytes), hex);
    cli_printf(out, "started %s, genesis %s\n", name, hex);
}

static theater_status start(cli_run *cli, const cli_actor *actor, const char *name, theater_error *reterr)
{
    cli_place place;
    theater_status status = cli_place_open(cli, CLI_CREATE, NULL, &place, reterr);
    if (status)
        return status;
    theater_actor_options options = {
        .name = name,
        .component = th_buf_slice(&actor->component),
        .config = th_buf_slice(&actor->config),
        .limits = actor->limits,
    };
    theater_hash genesis;
    status = cli_place_start(&place, &options, &genesis, reterr);
    if (!status)
        status = cli_place_drain(&place, reterr);
    cli_place_close(&place);
    if (!status)
        print(cli, name, &genesis);
    return status;
}

static theater_status run(cli_run *cli, theater_error *reterr)
{
    cli_actor actor;
    theater_status status = cli_actor_read(cli, &actor, reterr);
    const char *name = cli->operand_count ? cli->operands[0] : actor.name;
    if (!status && !name[0])
        status = th_fail(reterr, THEATER_INVALID_ARGUMENT,
                         "a name is missing: theater start NAME --component FILE");
    if (!status && actor.component.size == 0 && !cli_flag(cli, "--component") && !actor.has_manifest)
        status = th_fail(reterr, THEATER_INVALID_ARGUMENT,
                         "a component is missing: give --component FILE or --manifest FILE");
    if (!status)
        status = start(cli, &actor, name, reterr);
    cli_actor_done(&actor);
    return status;
}

static const cli_option options[] = {
    CLI_ACTOR_OPTIONS,
    {"--drain", "TIME",
     "How long to wait for what init has sent to be handled; when not given 10s, and over a server not at "
     "all"},
    {NULL, NULL, NULL},
};

static const cli_example examples[] = {
    {"--data data start counter --component counter.wasm --config-text 41",
     "starts an actor; the data folder is made when it is missing"},
    {"--data data start --manifest counter/actor.yaml", "the same by a manifest, which has the name too"},
    {"--data data start counter2 --manifest counter/actor.yaml --state 64MiB",
     "another actor of it, with a larger state"},
    {NULL, NULL},
};

const cli_command cli_cmd_start = {
    .name = "start",
    .operands = "[NAME]",
    .summary = "Starts an actor from a component",
    .description = "Checks and compiles the component, runs its init with the configuration, and records the "
                   "genesis of a new chain. A name is "
                   "made of labels of a-z 0-9 - _ joined by dots, and no actor of the folder may have it or "
                   "have had it.",
    .options = options,
    .examples = examples,
    .operands_max = 1,
    .run = run,
};
