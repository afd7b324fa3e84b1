/* Many messages in one request, which goes out while the answers come in.
 *
 * The caller's `fill` appends framed messages to `pending`; libcurl's read callback takes them from there and
 * pauses when there are none; each round that finds room asks for more. The server reads no further while too
 * many messages are without an answer, so the socket's buffers and `pending` bound what is on its way. */
#include "client/internal.h"

#define PENDING_LOW ((size_t)64 << 10) /* below it there is room for more */
#define PENDING_MAX ((size_t)2 << 30)
#define FRAMES "application/vnd.theater.messages"

typedef struct batch {
    th_client *client;
    const th_client_batch *spec;
    th_buf pending;
    size_t at; /* of `pending`, what is sent already */
    bool ended; /* nothing more comes */
    bool told; /* libcurl has been given the end */
    bool paused;
    th_buf line; /* of the answers, not whole yet */
    theater_error error; /* of an answer that is none */
} batch;

theater_status th_client_batch_add(th_buf *out, th_slice message, theater_error *reterr)
{
    uint8_t size[4];
    if (message.size > UINT32_MAX)
        return th_fail(reterr, THEATER_TOO_LARGE, "a message of %zu bytes", message.size);
    th_put_u32be(size, (uint32_t)message.size);
    theater_status status = th_buf_append(out, th_slice_of(size, sizeof size), reterr);
    return status ? status : th_buf_append(out, message, reterr);
}

/* ---- out ----------------------------------------------------------------------------------------------- */

static size_t on_read(char *out, size_t one, size_t count, void *context)
{
    batch *self = context;
    size_t left = self->pending.size - self->at, room = one * count;
    if (left == 0) {
        self->paused = !self->ended;
        self->told = self->ended;
        return self->ended ? 0 : CURL_READFUNC_PAUSE;
    }
    size_t size = left < room ? left : room;
    memcpy(out, self->pending.data + self->at, size);
    self->at += size;
    return size;
}

static void drop_sent(batch *self)
{
    if (self->at == 0)
        return;
    memmove(self->pending.data, self->pending.data + self->at, self->pending.size - self->at);
    self->pending.size -= self->at;
    self->at = 0;
}

static theater_status on_round(void *context, int *ret_fd, bool readable, theater_error *reterr)
{
    batch *self = context;
    theater_status status = THEATER_OK;
    if (self->client->interrupted && self->client->interrupted())
        self->ended = true;
    drop_sent(self);
    bool room = !self->ended && self->pending.size < PENDING_LOW;
    if (room && readable)
        status = self->spec->fill(self->spec->context, self->spec->fd, &self->pending, &self->ended, reterr);
    if (self->paused && (self->pending.size > 0 || self->ended)) {
        self->paused = false;
        curl_easy_pause(self->client->easy, CURLPAUSE_CONT);
    }
    if (self->spec->idle)
        self->spec->idle(self->spec->context);
    *ret_fd = !self->ended && self->pending.size < PENDING_LOW ? self->spec->fd : -1;
    return status;
}

/* ---- in ------------------------------------------------------------------------------------------------ */

static bool give_line(batch *self, th_slice line)
{
    th_arena arena;
    const th_value *root;
    theater_answer answer;
    th_arena_init(&arena, TH_ANSWER_MAX);
    theater_status status = th_value_parse(line, &arena, &root, &self->error);
    if (!status && !th_decode_answer(root, &arena, &answer)) {
        theater_answer_done(&answer);
        status = th_answer_unknown(self->client, "an answer", &self->error);
    }
    if (!status) {
        if (!self->spec->answer(self->spec->context, &answer))
            self->ended = true;
        theater_answer_done(&answer);
    }
    th_arena_done(&arena);
    return status == THEATER_OK;
}

static bool on_answers(void *context, const th_call *call, th_slice bytes)
{
    batch *self = context;
    (void)call;
    while (bytes.size > 0) {
        const uint8_t *end = memchr(bytes.data, '\n', bytes.size);
        size_t size = end ? (size_t)(end - bytes.data) : bytes.size;
        th_slice part = th_slice_of(bytes.data, size);
        if (self->line.size > 0 || !end) {
            if (th_buf_append(&self->line, part, &self->error))
                return false;
            part = th_buf_slice(&self->line);
        }
        if (!end)
            return true;
        bool good = give_line(self, part);
        th_buf_clear(&self->line);
        if (!good)
            return false;
        bytes = th_slice_of(end + 1, bytes.size - size - 1);
    }
    return true;
}

static theater_status prepare(batch *self, char *path, char *principal, size_t principal_room,
                              theater_error *reterr)
{
    const th_client_batch *spec = self->spec;
    char id[256] = "";
    theater_status status = THEATER_OK;
    if (spec->id)
        status = th_escape(th_slice_text(spec->id), id, sizeof id, reterr);
    if (!status)
        status = th_actor_path(path, spec->actor, reterr, "/messages/stream%s%s", spec->id ? "?id=" : "", id);
    if (!status)
        status = th_principal_line(self->client, spec->principal, principal, principal_room, reterr);
    return status;
}

theater_status th_client_batch_run(th_client *client, const th_client_batch *spec, theater_error *reterr)
{
    batch self = {.client = client, .spec = spec};
    char path[TH_PATH_MAX], principal[192];
    th_buf_init(&self.pending, PENDING_MAX);
    th_buf_init(&self.line, TH_ANSWER_MAX);
    theater_status status = prepare(&self, path, principal, sizeof principal, reterr);
    if (!status) {
        th_call call = {.method = "POST",
                        .path = path,
                        .type = FRAMES,
                        .extra = principal[0] ? principal : NULL,
                        .read = on_read,
                        .sink = on_answers,
                        .round = on_round,
                        .context = &self,
                        .stream = true,
                        .goes_on = true};
        status = th_call_run(client, &call, reterr);
        th_call_done(&call);
    }
    if (!status && self.error.status) {
        status = self.error.status;
        if (reterr)
            *reterr = self.error;
    }
    th_buf_done(&self.pending);
    th_buf_done(&self.line);
    return status;
}
