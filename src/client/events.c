/* Server-sent events (the WHATWG's HTML standard, section 9.2), as far as the server writes them: lines
 * "id: N", "event: TYPE" and one "data: JSON", an empty line behind each event, comments in between.
 *
 * Invariants
 *   1. `watch->place` is behind the last event that the callback was given, so that whoever asks again with it
 *      gets the rest, each once.
 *   2. An id without data only says where the stream is: the server sends one first, so that a stream that
 *      breaks before its first event can go on, too. */
#include "client/internal.h"

#include <stdio.h>
#include <stdlib.h>

#define LINE_MAX_BYTES ((size_t)1 << 30)

typedef struct reader {
    th_client *client;
    th_client_watch *watch;
    th_buf line, data;
    bool has_id, opened;
    uint64_t id;
    theater_error error;
} reader;

static bool begins_with(th_slice line, const char *name, th_slice *ret)
{
    size_t size = strlen(name);
    if (line.size < size || memcmp(line.data, name, size) != 0)
        return false;
    *ret = th_slice_of(line.data + size, line.size - size);
    return true;
}

static bool give(reader *self)
{
    th_arena arena;
    const th_value *root;
    char actor[129];
    th_client_event event = {.place = self->id, .json = th_buf_slice(&self->data), .actor = actor};
    th_arena_init(&arena, TH_ANSWER_MAX);
    theater_status status = th_value_parse(event.json, &arena, &root, &self->error);
    if (!status && (!self->has_id || !th_value_copy(root, "actor", actor, sizeof actor) ||
                    !th_value_uint(root, "actor_id", &event.actor_id) ||
                    !th_decode_element(root, &arena, &event.element)))
        status = th_answer_unknown(self->client, "an event", &self->error);
    bool more = false;
    if (!status) {
        more = self->watch->each(self->watch->context, &event);
        self->watch->has_place = true;
        self->watch->place = self->id + 1;
    }
    th_arena_done(&arena);
    return more;
}

/* An empty line ends an event. */
static bool end_event(reader *self)
{
    bool more = true;
    if (self->data.size > 0) {
        more = give(self);
    } else if (self->has_id) {
        self->watch->has_place = true;
        self->watch->place = self->id + 1;
    }
    th_buf_clear(&self->data);
    self->has_id = false;
    return more;
}

static bool take_line(reader *self, th_slice line)
{
    th_slice value;
    if (line.size == 0)
        return end_event(self);
    if (begins_with(line, "data: ", &value))
        return th_buf_append(&self->data, value, &self->error) == THEATER_OK;
    if (begins_with(line, "id: ", &value) && value.size > 0 && value.size < 21) {
        char digits[24];
        memcpy(digits, value.data, value.size);
        digits[value.size] = 0;
        self->id = strtoull(digits, NULL, 10);
        self->has_id = true;
    }
    return true;
}

static bool on_bytes(void *context, const th_call *call, th_slice bytes)
{
    reader *self = context;
    (void)call;
    if (!self->opened && self->watch->opened)
        self->watch->opened(self->watch->context);
    self->opened = true;
    while (bytes.size > 0) {
        const uint8_t *end = memchr(bytes.data, '\n', bytes.size);
        size_t size = end ? (size_t)(end - bytes.data) : bytes.size;
        if (th_buf_append(&self->line, th_slice_of(bytes.data, size), &self->error))
            return false;
        if (!end)
            return true;
        bool more = take_line(self, th_buf_slice(&self->line));
        th_buf_clear(&self->line);
        if (!more)
            return false;
        bytes = th_slice_of(end + 1, bytes.size - size - 1);
    }
    return true;
}

theater_status th_client_watch_run(th_client *client, th_client_watch *watch, theater_error *reterr)
{
    reader self = {.client = client, .watch = watch};
    char path[TH_PATH_MAX] = "/v1/events", from[32] = "";
    theater_status status = THEATER_OK;
    if (watch->has_place)
        snprintf(from, sizeof from, "?from=%llu", (unsigned long long)watch->place);
    if (watch->name)
        status = th_actor_path(path, watch->name, reterr, "/events%s", from);
    else
        snprintf(path, sizeof path, "/v1/events%s", from);
    if (status)
        return status;
    th_buf_init(&self.line, LINE_MAX_BYTES);
    th_buf_init(&self.data, LINE_MAX_BYTES);
    th_call call = {.method = "GET", .path = path, .sink = on_bytes, .context = &self, .stream = true};
    status = th_call_run(client, &call, reterr);
    if (!status && self.error.status) {
        status = self.error.status;
        if (reterr)
            *reterr = self.error;
    } else if (!status && !call.enough) {
        status = th_fail(reterr, THEATER_IO, "the server at %s ended the stream of events", client->server);
    }
    th_call_done(&call);
    th_buf_done(&self.line);
    th_buf_done(&self.data);
    return status;
}
