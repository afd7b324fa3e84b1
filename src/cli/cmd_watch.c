/* watch: elements as they are committed, each once and in order.
 *
 * From a server they come as server-sent events; when the stream breaks, another one is asked for from behind
 * the last element that was printed. From a data folder they are read from the log, ten times a second, also
 * while a server or another command writes to it. */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>

#include "cli/commands.h"
#include "cli/element_print.h"
#include "cli/place.h"
#include "port/system.h"

#define FOLLOW_MS 100
#define SCAN_BYTES ((uint64_t)4 << 20)
#define RETRY_FIRST_MS 200
#define RETRY_MAX_MS 5000

typedef struct watcher {
    cli_run *cli;
    const char *name; /* NULL: all actors */
    uint64_t place; /* where to go on: a sequence, or a number in the log */
    bool has_place;
    bool wide; /* names of actors stand before the rows */
    theater_actor_info actor; /* with `name` */
} watcher;

static bool print(watcher *self, uint64_t number, const char *actor, uint64_t actor_id,
                  const theater_element *element)
{
    cli_output *out = &self->cli->out;
    if (self->cli->json) {
        cli_json_object(out);
        if (!self->name) {
            cli_json_key(out, "number");
            cli_json_uint(out, number);
        }
        cli_json_key(out, "actor");
        cli_json_string(out, actor);
        cli_json_key(out, "actor_id");
        cli_json_uint(out, actor_id);
        cli_element_json_fields(out, element);
        cli_json_end(out, '}');
        cli_json_line(out);
    } else {
        if (self->wide)
            cli_printf(out, "%-20s ", actor);
        cli_element_row(out, element);
    }
    return !cli_output_ended(out);
}

static void print_head(watcher *self)
{
    if (self->cli->json)
        return;
    if (self->wide)
        cli_printf(&self->cli->out, "%-20s ", "ACTOR");
    cli_element_head(&self->cli->out);
    cli_flush(&self->cli->out);
}

/* ---- a server ------------------------------------------------------------------------------------------ */

typedef struct attempt {
    watcher *self;
    unsigned pause_ms; /* before the next one */
} attempt;

static void on_opened(void *context)
{
    ((attempt *)context)->pause_ms = RETRY_FIRST_MS;
}

static bool on_event(void *context, const th_client_event *event)
{
    watcher *self = ((attempt *)context)->self;
    bool more = print(self, event->place, event->actor, event->actor_id, &event->element);
    cli_flush(&self->cli->out);
    return more && !cli_interrupted();
}

/* What another attempt may mend. */
static bool passing(theater_status status)
{
    return status == THEATER_IO || status == THEATER_TIMEOUT || status == THEATER_BUSY ||
           status == THEATER_CANCELLED || status == THEATER_READ_ONLY || status == THEATER_NO_MEMORY;
}

static theater_status watch_server(watcher *self, th_client *client, theater_error *reterr)
{
    attempt now = {self, RETRY_FIRST_MS};
    th_client_watch watch = {.name = self->name,
                             .has_place = self->has_place,
                             .place = self->place,
                             .each = on_event,
                             .opened = on_opened,
                             .context = &now};
    theater_status status = THEATER_OK;
    while (!status && !cli_interrupted() && !cli_output_ended(&self->cli->out)) {
        theater_error error = {.status = THEATER_OK};
        status = th_client_watch_run(client, &watch, &error);
        if (!status || status == THEATER_INTERRUPTED)
            return THEATER_OK;
        if (!passing(status)) {
            if (reterr)
                *reterr = error;
            return status;
        }
        if (now.pause_ms == RETRY_FIRST_MS)
            cli_note("%s; trying again", error.message);
        poll(NULL, 0, (int)now.pause_ms);
        now.pause_ms = now.pause_ms * 2 < RETRY_MAX_MS ? now.pause_ms * 2 : RETRY_MAX_MS;
        status = THEATER_OK;
    }
    return status;
}

/* ---- a data folder ------------------------------------------------------------------------------------- */

static bool skip(void *context, const theater_log_element *element)
{
    (void)context;
    (void)element;
    return true;
}

static bool on_log_element(void *context, const theater_log_element *element)
{
    watcher *self = context;
    if (cli_interrupted())
        return false;
    return print(self, element->number, element->actor, element->actor_id, &element->element);
}

/* All that is in the log from `place` on. */
static theater_status read_log(watcher *self, theater_folder *folder,
                               bool (*each)(void *context, const theater_log_element *element),
                               theater_error *reterr)
{
    theater_status status = THEATER_OK;
    for (;;) {
        theater_log_range range = {self->place, UINT64_MAX, SCAN_BYTES};
        uint64_t next = self->place;
        status = theater_log_scan(folder, &range, each, self, &next, reterr);
        bool moved = !status && next > self->place;
        if (moved)
            self->place = next;
        if (!moved || cli_interrupted() || cli_output_ended(&self->cli->out))
            return status;
    }
}

static bool on_element(void *context, const theater_element *element)
{
    watcher *self = context;
    bool more = print(self, 0, self->actor.name, self->actor.id, element);
    self->place = element->sequence + 1;
    return more && !cli_interrupted();
}

static theater_status read_actor(watcher *self, cli_place *place, theater_error *reterr)
{
    theater_status status = cli_place_actor(place, self->name, &self->actor, reterr);
    return status ? status
                  : cli_place_elements(place, &self->actor, self->place, self->actor.elements, on_element,
                                       self, reterr);
}

static theater_status watch_folder(watcher *self, cli_place *place, theater_error *reterr)
{
    theater_status status = THEATER_OK;
    if (!self->name && !self->has_place) {
        self->place = theater_folder_indexed(place->folder);
        status = read_log(self, place->folder, skip, reterr);
    }
    while (!status && !cli_interrupted() && !cli_output_ended(&self->cli->out)) {
        status = self->name ? read_actor(self, place, reterr)
                            : read_log(self, place->folder, on_log_element, reterr);
        cli_flush(&self->cli->out);
        if (!status && !cli_interrupted()) {
            poll(NULL, 0, FOLLOW_MS);
            status = theater_folder_refresh(place->folder, reterr);
        }
    }
    return status;
}

/* ---- the command --------------------------------------------------------------------------------------- */

static theater_status run(cli_run *cli, theater_error *reterr)
{
    watcher self = {.cli = cli,
                    .name = cli->operand_count ? cli->operands[0] : NULL,
                    .has_place = cli_flag(cli, "--from")};
    cli_place place;
    self.wide = !self.name;
    theater_status status = cli_number(cli, "--from", &self.place, reterr);
    if (!status)
        status = cli_place_open(cli, CLI_READ, NULL, &place, reterr);
    if (status)
        return status;
    cli_catch_interrupt();
    if (self.name)
        status = cli_place_actor(&place, self.name, &self.actor, reterr);
    if (!status && self.name && !self.has_place) {
        self.has_place = true;
        self.place = self.actor.elements;
    }
    if (!status) {
        print_head(&self);
        status =
            place.client ? watch_server(&self, place.client, reterr) : watch_folder(&self, &place, reterr);
    }
    cli_place_close(&place);
    return status;
}

static const cli_option options[] = {
    {"--from", "N", "Where to begin: a sequence of the actor, or without NAME a number in the log; else now"},
    {NULL, NULL, NULL},
};

static const cli_example examples[] = {
    {"--data data watch", "every element of every actor from now on, until it is interrupted"},
    {"--data data watch counter --from 0 --json", "all of one actor, and on"},
    {"--server http://127.0.0.1:8080 watch", "of a server"},
    {NULL, NULL},
};

const cli_command cli_cmd_watch = {
    .name = "watch",
    .operands = "[NAME]",
    .summary = "Prints elements as they are committed",
    .description =
        "Prints the elements of one actor or of all as they are committed, each once and in order, as a "
        "table "
        "or, with --json, one object a line: that of \"theater chain\" with actor and actor_id before it, "
        "and "
        "without NAME the number in the log, from which another watch can go on. An interrupt ends it, with "
        "exit code 0.\n\n"
        "A data folder is read, whoever writes to it. From a server the events come as they happen; when the "
        "connection is lost it is tried again, and the watch goes on behind the last element that it "
        "printed.",
    .options = options,
    .examples = examples,
    .operands_max = 1,
    .run = run,
};
