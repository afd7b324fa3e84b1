#include <inttypes.h>

#include "cli/commands.h"
#include "cli/place.h"

static void line(cli_output *out, const char *name, const char *value)
{
    cli_printf(out, "%-12s %s\n", name, value);
}

static void hash_line(cli_output *out, const char *name, const theater_hash *hash)
{
    char hex[2 * THEATER_HASH_SIZE + 1];
    th_hex_encode(th_slice_of(hash->bytes, sizeof hash->bytes), hex);
    line(out, name, hex);
}

static void number_line(cli_output *out, const char *name, uint64_t value, const char *unit)
{
    cli_printf(out, "%-12s %" PRIu64 "%s\n", name, value, unit);
}

static void print_text(cli_output *out, const theater_actor_info *info)
{
    char time[CLI_TIME_SIZE];
    cli_format_time(info->head_timestamp_ns, time);
    cli_printf(out, "%-12s %s#%" PRIu64 "\n", "actor", info->name, info->id);
    line(out, "status", cli_status_word(info->status));
    number_line(out, "elements", info->elements, "");
    hash_line(out, "genesis", &info->genesis);
    hash_line(out, "head", &info->head);
    line(out, "last turn", time);
    number_line(out, "state", info->state_size, " bytes");
    hash_line(out, "state root", &info->state_root);
    hash_line(out, "component", &info->component);
    cli_printf(out, "%-12s ", "engine");
    cli_put_safe(out, th_slice_text(info->engine), SIZE_MAX); /* another runtime may have written any text */
    cli_puts(out, "\n");
    cli_printf(out,
               "%-12s fuel %" PRIu64 ", memory %" PRIu64 ", state %" PRIu64 ", message %" PRIu64
               ", effects %" PRIu64 "\n",
               "limits", info->limits.fuel, info->limits.memory_bytes, info->limits.state_bytes,
               info->limits.message_bytes, info->limits.effects_bytes);
    if (info->has_snapshot)
        cli_printf(out, "%-12s after element %" PRIu64 "\n", "snapshot", info->snapshot_sequence);
    if (info->checkpoint_size)
        cli_printf(out, "%-12s signed up to %" PRIu64 " elements\n", "checkpoint", info->checkpoint_size);
    if (info->undelivered)
        number_line(out, "waiting", info->undelivered, " messages");
}

static void json_limits(cli_output *out, const theater_limits *limits)
{
    const struct {
        const char *name;
        uint64_t value;
    } fields[] = {{"fuel", limits->fuel},
                  {"memory", limits->memory_bytes},
                  {"state", limits->state_bytes},
                  {"message", limits->message_bytes},
                  {"effects", limits->effects_bytes}};
    cli_json_key(out, "limits");
    cli_json_object(out);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        cli_json_key(out, fields[i].name);
        cli_json_uint(out, fields[i].value);
    }
    cli_json_end(out, '}');
}

static void print_json(cli_output *out, const theater_actor_info *info)
{
    cli_json_object(out);
    cli_json_key(out, "name");
    cli_json_string(out, info->name);
    cli_json_key(out, "id");
    cli_json_uint(out, info->id);
    cli_json_key(out, "status");
    cli_json_string(out, cli_status_word(info->status));
    cli_json_key(out, "elements");
    cli_json_uint(out, info->elements);
    cli_json_key(out, "genesis");
    cli_json_hash(out, &info->genesis);
    cli_json_key(out, "head");
    cli_json_hash(out, &info->head);
    cli_json_key(out, "timestamp");
    cli_json_uint(out, info->head_timestamp_ns);
    cli_json_key(out, "state_size");
    cli_json_uint(out, info->state_size);
    cli_json_key(out, "state_root");
    cli_json_hash(out, &info->state_root);
    cli_json_key(out, "component");
    cli_json_hash(out, &info->component);
    cli_json_key(out, "engine");
    cli_json_string(out, info->engine);
    json_limits(out, &info->limits);
    cli_json_key(out, "snapshot");
    if (info->has_snapshot)
        cli_json_uint(out, info->snapshot_sequence);
    else
        cli_json_null(out);
    cli_json_key(out, "checkpoint_size");
    cli_json_uint(out, info->checkpoint_size);
    cli_json_key(out, "undelivered");
    cli_json_uint(out, info->undelivered);
    cli_json_end(out, '}');
    cli_json_line(out);
}

static theater_status run(cli_run *cli, theater_error *reterr)
{
    cli_place place;
    theater_actor_info info;
    theater_status status = cli_place_open(cli, CLI_READ, NULL, &place, reterr);
    if (status)
        return status;
    status = cli_place_actor(&place, cli->operands[0], &info, reterr);
    cli_place_close(&place);
    if (status)
        return status;
    if (cli->json)
        print_json(&cli->out, &info);
    else
        print_text(&cli->out, &info);
    return THEATER_OK;
}

static const cli_example examples[] = {
    {"--data data inspect counter", "what the actor is and where its chain stands"},
    {"--data data inspect counter#3 --json", "the actor with id 3, for a program"},
    {NULL, NULL},
};

const cli_command cli_cmd_inspect = {
    .name = "inspect",
    .operands = "NAME",
    .summary = "Shows what an actor is and where its chain stands",
    .description = "Shows status, chain, state, component, engine and limits of one actor. NAME#ID tells an "
                   "actor from an archive that has its name too.",
    .examples = examples,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
