#include <inttypes.h>

#include "cli/commands.h"
#include "cli/place.h"

typedef struct lister {
    cli_run *cli;
    bool all;
    uint64_t shown, hidden;
} lister;

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
    cli_json_key(out, "head");
    cli_json_hash(out, &info->head);
    cli_json_key(out, "timestamp");
    cli_json_uint(out, info->head_timestamp_ns);
    cli_json_key(out, "state_size");
    cli_json_uint(out, info->state_size);
    cli_json_key(out, "undelivered");
    cli_json_uint(out, info->undelivered);
    cli_json_end(out, '}');
    cli_json_line(out);
}

static bool print_actor(void *context, const theater_actor_info *info)
{
    lister *self = context;
    cli_output *out = &self->cli->out;
    if (info->status == THEATER_ACTOR_REMOVED && !self->all) {
        self->hidden++;
        return true;
    }
    if (self->cli->json) {
        print_json(out, info);
        return !cli_output_ended(out);
    }
    if (self->shown++ == 0)
        cli_printf(out, "%-24s %6s %-8s %10s %12s  %s\n", "NAME", "ID", "STATUS", "ELEMENTS", "STATE",
                   "LAST TURN");
    char time[CLI_TIME_SIZE];
    cli_format_time(info->head_timestamp_ns, time);
    bool quiet = info->status != THEATER_ACTOR_RUNNING;
    if (quiet)
        cli_colour(out, "2");
    cli_printf(out, "%-24s %6" PRIu64 " %-8s %10" PRIu64 " %12" PRIu64 "  %s\n", info->name, info->id,
               cli_status_word(info->status), info->elements, info->state_size, time);
    if (quiet)
        cli_colour(out, "0");
    return !cli_output_ended(out);
}

static theater_status run(cli_run *cli, theater_error *reterr)
{
    cli_place place;
    theater_status status = cli_place_open(cli, CLI_READ, NULL, &place, reterr);
    if (status)
        return status;
    lister self = {.cli = cli, .all = cli_flag(cli, "--all")};
    status = cli_place_actors(&place, print_actor, &self, reterr);
    if (!status && !cli->json && self.shown == 0)
        cli_printf(&cli->out, "no actors%s\n", self.hidden ? " but removed ones (--all)" : "");
    cli_place_close(&place);
    return status;
}

static const cli_option options[] = {
    {"--all", NULL, "Lists removed actors too, whose chains can still be read"},
    {NULL, NULL, NULL},
};

static const cli_example examples[] = {
    {"--data data list", "a table of the actors"},
    {"--data data list --all --json", "one object a line, removed actors too"},
    {NULL, NULL},
};

const cli_command cli_cmd_list = {
    .name = "list",
    .operands = "",
    .summary = "Lists the actors of a data folder",
    .description = "Lists the actors by ascending id, with the elements on their chains, the bytes of their "
                   "states and the time of their last "
                   "turn. Works while another process writes to the folder.",
    .options = options,
    .examples = examples,
    .run = run,
};
