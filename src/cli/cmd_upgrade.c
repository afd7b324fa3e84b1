#include "cli/commands.h"
#include "cli/limits.h"
#include "cli/place.h"

/* Limits that were not named keep what is in force; a manifest names them all. */
static theater_status fill_limits(cli_place *place, const cli_actor *actor, theater_limits *ret,
                                  theater_error *reterr)
{
    *ret = actor->limits;
    if (actor->has_manifest)
        return THEATER_OK;
    theater_actor_info info;
    theater_status status = cli_place_actor(place, place->cli->operands[0], &info, reterr);
    if (status)
        return status;
    ret->fuel = ret->fuel ? ret->fuel : info.limits.fuel;
    ret->memory_bytes = ret->memory_bytes ? ret->memory_bytes : info.limits.memory_bytes;
    ret->state_bytes = ret->state_bytes ? ret->state_bytes : info.limits.state_bytes;
    ret->message_bytes = ret->message_bytes ? ret->message_bytes : info.limits.message_bytes;
    ret->effects_bytes = ret->effects_bytes ? ret->effects_bytes : info.limits.effects_bytes;
    return THEATER_OK;
}

static theater_status upgrade(cli_run *cli, const cli_actor *actor, theater_error *reterr)
{
    theater_upgrade_options options = {
        .component = th_buf_slice(&actor->component),
        .config = th_buf_slice(&actor->config),
        .keep_config = !actor->has_config,
        .keep_limits = !actor->has_limits,
    };
    cli_place place;
    theater_hash element;
    theater_status status = cli_place_open(cli, CLI_WRITE, NULL, &place, reterr);
    if (status)
        return status;
    if (actor->has_limits)
        status = fill_limits(&place, actor, &options.limits, reterr);
    if (!status)
        status = cli_place_upgrade(&place, cli->operands[0], &options, &element, reterr);
    cli_place_close(&place);
    if (status)
        return status;
    cli_output *out = &cli->out;
    if (cli->json) {
        cli_json_object(out);
        cli_json_key(out, "actor");
        cli_json_string(out, cli->operands[0]);
        cli_json_key(out, "element");
        cli_json_hash(out, &element);
        cli_json_end(out, '}');
        cli_json_line(out);
    } else {
        char hex[2 * THEATER_HASH_SIZE + 1];
        th_hex_encode(th_slice_of(element.bytes, sizeof element.bytes), hex);
        cli_printf(out, "upgraded %s, element %s\n", cli->operands[0], hex);
    }
    return THEATER_OK;
}

static theater_status run(cli_run *cli, theater_error *reterr)
{
    cli_actor actor;
    theater_status status = cli_actor_read(cli, &actor, reterr);
    if (!status)
        status = upgrade(cli, &actor, reterr);
    cli_actor_done(&actor);
    return status;
}

static const cli_option options[] = {
    CLI_ACTOR_OPTIONS,
    {NULL, NULL, NULL},
};

static const cli_example examples[] = {
    {"--data data upgrade counter --component counter-2.wasm",
     "goes on under a new component; its verify-state is asked of the state as it is"},
    {"--data data upgrade counter --state 64MiB", "a larger limit; the others stay"},
    {"--data data upgrade counter", "goes on under the engine of this version"},
    {NULL, NULL},
};

const cli_command cli_cmd_upgrade = {
    .name = "upgrade",
    .operands = "NAME",
    .summary = "Changes an actor's component, configuration or limits",
    .description = "Records an upgrade element, after which the actor runs under another component, "
                   "configuration or limits, or under the engine "
                   "of this version. What is not named stays. The state stays as it is, and the new "
                   "component's verify-state must accept it.",
    .options = options,
    .examples = examples,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
