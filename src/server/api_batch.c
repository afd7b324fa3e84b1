/* Many messages in one request, answered while they come: one JSON object a line, in the order of the
 * messages.
 *
 * A message is a line, or has its length before it (application/vnd.theater.messages: 4 bytes, big-endian).
 * At most WINDOW messages, or WINDOW_BYTES of them, are on their way; with more, or with too many answers
 * that the client does not read, no more of the body is read. A full mailbox, too, only makes the batch
 * wait. Every other failure of one message is its answer, and the batch goes on.
 *
 * The messages that a round finds are submitted together, and the answers that came together are written
 * together: a batch is there to be cheaper than requests. */
#include <stdio.h>
#include <strings.h>

#include "server/internal.h"

#define WINDOW 512 /* half of a mailbox, when nothing is said of that */
#define WINDOW_BYTES ((size_t)8 << 20)
#define BACKLOG_MAX ((size_t)1 << 20)
#define LINES_BYTES ((size_t)64 << 10) /* of answers that are written at once */
#define KEPT_BYTES ((size_t)256 << 10) /* room that is kept though it is empty */
#define RETRY_MS 5
#define LINE_MAX_BYTES ((size_t)64 << 20)

typedef struct batch batch;

typedef struct item {
    th_post post; /* first */
    struct item *next;
    batch *batch;
    size_t size; /* bytes of the message */
    size_t at; /* where it stood in the batch's bytes, in the round that submitted it */
    bool answered;
    bool full; /* the mailbox was: it is to be submitted again */
    theater_answer answer;
} item;

struct batch {
    th_exchange *x; /* held */
    bool framed, input_ended, has_id, ended;
    bool running, again; /* writing an answer may make room, and call back while it runs */
    char id[65];
    uint64_t number;
    th_buf bytes;   /* of the body, not yet taken as messages */
    size_t at;
    item *first, *last; /* submitted, in order */
    size_t waiting, waiting_bytes;
    batch *next_answered; /* of those that got answers in this round of the loop */
    bool has_answers;
    uv_timer_t retry;
    bool retrying;
    bool wants_room; /* no more of the body is read for now */
    bool starved; /* the memory for bodies was used up: what comes is dropped */
};

static void batch_go_on(batch *self);

static void on_timer_closed(uv_handle_t *handle)
{
    batch *self = handle->data;
    th_exchange *x = self->x;
    th_server *server = x->server;
    th_buf_done(&self->bytes);
    th_free(self);
    server->operations--;
    th_exchange_drop(x);
    th_drain_continue(server);
}

/* Frees it when nothing is on the way any more. */
static void batch_end(batch *self)
{
    if (self->ended || self->first)
        return;
    self->ended = true;
    th_exchange *x = self->x;
    x->stream = NULL;
    x->on_body = NULL;
    x->on_complete = x->on_drain = x->on_gone = NULL;
    if (x->connection && !x->complete)
        x->close_after = true;
    th_exchange_end(x);
    uv_close((uv_handle_t *)&self->retry, on_timer_closed);
}

static void put_answer(th_buf *lines, const theater_answer *answer, theater_status *status)
{
    th_json json = th_json_begin(lines);
    th_json_open(&json, '{');
    th_json_answer(&json, answer);
    th_json_close(&json, '}');
    *status = json.status ? json.status : th_buf_append_byte(lines, '\n', NULL);
}

/* Takes the first item out. */
static item *pop(batch *self)
{
    item *first = self->first;
    self->first = first->next;
    if (!self->first)
        self->last = NULL;
    self->waiting--;
    self->waiting_bytes -= first->size;
    return first;
}

static void item_free(item *one)
{
    theater_answer_done(&one->answer);
    th_free(one);
}

static void write_lines(batch *self, const th_buf *lines, theater_status status)
{
    if (!status)
        th_exchange_write(self->x, th_buf_slice(lines));
    else if (self->x->connection)
        th_connection_close(self->x->connection);
}

/* Writes what is answered at the front. */
static void release(batch *self)
{
    th_buf lines;
    th_buf_init(&lines, TH_REPLY_MAX);
    theater_status status = THEATER_OK;
    while (self->first && self->first->answered) {
        item *first = pop(self);
        if (!status)
            put_answer(&lines, &first->answer, &status);
        item_free(first);
        if (!status && lines.size >= LINES_BYTES) {
            write_lines(self, &lines, status);
            th_buf_clear(&lines);
        }
    }
    write_lines(self, &lines, status);
    th_buf_done(&lines);
}

static void on_answered(th_post *post)
{
    item *one = (item *)post;
    batch *self = one->batch;
    th_server *server = self->x->server;
    one->answered = true;
    server->figures.messages_in_flight--;
    if (!self->has_answers) {
        self->has_answers = true;
        self->next_answered = server->answered_batches;
        server->answered_batches = self;
    }
}

void th_batches_go_on(th_server *server)
{
    while (server->answered_batches) {
        batch *self = server->answered_batches;
        server->answered_batches = self->next_answered;
        self->has_answers = false;
        batch_go_on(self);
    }
}

static void completed(void *context, theater_answer *answer)
{
    item *self = context;
    self->answer = *answer;
    answer->output = (theater_bytes){0};
    th_post_quietly(self->batch->x->server, &self->post);
}

static void on_retry(uv_timer_t *timer)
{
    batch *self = timer->data;
    self->retrying = false;
    batch_go_on(self);
}

/* Adds the message that stands at `at` to those that are submitted at the end of the round. */
static bool add(batch *self, th_slice input)
{
    th_exchange *x = self->x;
    char id[96];
    theater_message message = {
        .actor = x->segments[0], .input = input, .principal = x->has_principal ? x->principal : NULL};
    if (self->has_id) {
        int size = snprintf(id, sizeof id, "%s-%llu", self->id, (unsigned long long)self->number + 1);
        message.id = th_slice_of(id, (size_t)size);
    }
    item *one = th_alloc_zero(1, sizeof *one);
    if (!one) {
        th_connection_close(x->connection);
        return false;
    }
    one->batch = self;
    one->size = input.size;
    one->at = self->at;
    one->post.run = on_answered;
    th_submissions *submissions = x->server->batch_submissions;
    theater_status status =
        th_submissions_add(submissions, false, &message, completed, one, &one->answer.error);
    one->answer.status = status;
    one->answered = status != THEATER_OK;
    x->server->figures.messages_in_flight += status == THEATER_OK;
    if (self->last)
        self->last->next = one;
    else
        self->first = one;
    self->last = one;
    self->waiting++;
    self->waiting_bytes += one->size;
    self->number++;
    return true;
}

static void refused(void *context, const theater_error *error)
{
    item *one = context;
    one->batch->x->server->figures.messages_in_flight--;
    one->full = error->status == THEATER_MAILBOX_FULL;
    one->answered = true;
    one->answer.status = error->status;
    one->answer.error = *error;
}

/* Takes the first message that the full mailbox did not take, and all behind it, back into the bytes. None of
 * them is in the mailbox: nothing made room in it while they were submitted. */
static void take_back(batch *self)
{
    item *before = NULL, *one = self->first;
    while (one && !one->full) {
        before = one;
        one = one->next;
    }
    if (!one)
        return;
    self->at = one->at;
    self->last = before;
    *(before ? &before->next : &self->first) = NULL;
    while (one) {
        item *next = one->next;
        th_assert(one->answered);
        self->waiting--;
        self->waiting_bytes -= one->size;
        self->number--;
        item_free(one);
        one = next;
    }
    self->retrying = true;
    uv_timer_start(&self->retry, on_retry, RETRY_MS, 0);
}

/* The next message of the bytes that came; false when there is no whole one. *ret_used: bytes that it
 * takes. */
static bool next_message(batch *self, th_slice *ret, size_t *ret_used)
{
    th_slice left = th_slice_of(self->bytes.data + self->at, self->bytes.size - self->at);
    if (self->framed) {
        size_t size = left.size >= 4 ? th_get_u32be(left.data) : 0;
        if (left.size < 4 || left.size - 4 < size)
            return false;
        *ret = th_slice_of(left.data + 4, size);
        *ret_used = size + 4;
        return true;
    }
    const uint8_t *end = left.size ? memchr(left.data, '\n', left.size) : NULL;
    if (!end && (!self->input_ended || left.size == 0))
        return false;
    size_t size = end ? (size_t)(end - left.data) : left.size;
    *ret = th_slice_of(left.data, size > 0 && left.data[size - 1] == '\r' ? size - 1 : size);
    *ret_used = size + (end ? 1 : 0);
    return true;
}

static void fail_frame(batch *self)
{
    theater_answer answer = {.status = self->starved ? THEATER_NO_MEMORY : THEATER_TOO_LARGE};
    th_buf line;
    theater_status status;
    self->input_ended = true;
    self->bytes.size = 0;
    th_fail(&answer.error, answer.status,
            self->starved ? "the server has no memory for this message now: the rest is not read"
                          : "a message is larger than this server takes, or cut off: the rest is not read");
    self->starved = false;
    th_buf_init(&line, TH_REPLY_MAX);
    put_answer(&line, &answer, &status);
    write_lines(self, &line, status);
    th_buf_done(&line);
}

static bool too_large(const batch *self)
{
    size_t left = self->bytes.size - self->at, most = (size_t)self->x->server->options.max_body_bytes;
    if (self->framed)
        return left >= 4 && th_get_u32be(self->bytes.data + self->at) > most;
    return left > most;
}

/* The bytes that wait for the rest of a message, or for room, count among the bodies of all requests. */
static void count_bytes(batch *self)
{
    th_exchange *x = self->x;
    th_buf *bytes = &self->bytes;
    if (bytes->capacity > KEPT_BYTES && bytes->size <= bytes->capacity / 4) {
        th_buf less;
        th_buf_init(&less, bytes->max);
        if (!th_buf_append(&less, th_buf_slice(bytes), NULL)) {
            th_buf_done(bytes);
            *bytes = less;
        }
    }
    x->server->body_bytes += bytes->capacity - x->body_counted;
    x->body_counted = bytes->capacity;
}

/* One round: submits what there is room for, and writes what is answered. */
static void round_once(batch *self)
{
    th_exchange *x = self->x;
    th_slice input;
    size_t used;
    while (!self->retrying && x->connection && self->waiting < WINDOW && self->waiting_bytes < WINDOW_BYTES &&
           th_exchange_backlog(x) < BACKLOG_MAX && next_message(self, &input, &used)) {
        if (!add(self, input))
            break;
        self->at += used;
    }
    th_submissions_run(x->server->batch_submissions, refused);
    take_back(self);
    release(self);
    if (self->at > 0) {
        memmove(self->bytes.data, self->bytes.data + self->at, self->bytes.size - self->at);
        self->bytes.size -= self->at;
        self->at = 0;
    }
    bool whole = next_message(self, &input, &used);
    bool no_more = self->starved || (self->bytes.size > 0 && (too_large(self) || self->input_ended));
    if (!whole && no_more && !self->first)
        fail_frame(self);
    self->wants_room = whole || (self->bytes.size > 0 && too_large(self));
    count_bytes(self);
}

static void batch_go_on(batch *self)
{
    th_exchange *x = self->x;
    self->again = true;
    if (self->running || self->ended)
        return;
    self->running = true;
    while (self->again) {
        self->again = false;
        round_once(self);
    }
    self->running = false;
    if (!x->connection || (self->input_ended && self->bytes.size == 0)) {
        batch_end(self);
        return;
    }
    bool resume = x->throttled && !self->wants_room;
    x->throttled = self->wants_room;
    if (resume)
        th_connection_resume(x->connection);
}

/* ---- the exchange's side ------------------------------------------------------------------------------- */

static void on_body(th_exchange *x, th_slice bytes)
{
    batch *self = x->stream;
    if (self->input_ended || self->starved)
        return;
    self->starved = x->server->body_bytes + bytes.size > x->server->options.body_memory_bytes;
    if (!self->starved && th_buf_append(&self->bytes, bytes, NULL)) {
        th_connection_close(x->connection);
        return;
    }
    batch_go_on(self);
}

static void on_complete(th_exchange *x)
{
    batch *self = x->stream;
    self->input_ended = true;
    batch_go_on(self);
}

static void on_drain(th_exchange *x)
{
    batch_go_on(x->stream);
}

static void on_gone(th_exchange *x)
{
    batch *self = x->stream;
    if (x->connection && x->server->draining)
        return; /* a shutdown lets it go on */
    self->input_ended = true;
    batch_go_on(self);
}

static bool check_type(th_exchange *x, bool *ret_framed)
{
    const char *type = th_exchange_header(x, "content-type");
    *ret_framed = type && strncasecmp(type, "application/vnd.theater.messages", 32) == 0;
    if (*ret_framed || !type || strncasecmp(type, "text/plain", 10) == 0 ||
        strncasecmp(type, "application/x-ndjson", 20) == 0)
        return true;
    x->close_after = x->refused = true;
    th_reply_problem(x, 415, "media-type", "media type not supported",
                     "a batch is text/plain or application/x-ndjson (a message a line) or "
                     "application/vnd.theater.messages");
    th_exchange_reply(x);
    return false;
}

void th_api_messages(th_exchange *x)
{
    bool framed;
    theater_error error = {0};
    if (!check_type(x, &framed))
        return;
    batch *self = th_alloc_zero(1, sizeof *self);
    theater_status status = self ? th_exchange_query(x, "id", self->id, 44, &self->has_id, &error)
                                 : th_fail_memory(&error, "a batch");
    if (status) {
        th_free(self);
        x->close_after = x->refused = true;
        th_exchange_fail(x, &error);
        return;
    }
    self->x = x;
    self->framed = framed;
    th_buf_init(&self->bytes, LINE_MAX_BYTES + (1 << 20));
    uv_timer_init(&x->server->loop, &self->retry);
    self->retry.data = self;
    th_exchange_hold(x);
    x->stream = self;
    x->on_body = on_body;
    x->on_complete = on_complete;
    x->on_drain = on_drain;
    x->on_gone = on_gone;
    x->reply.status = 200;
    x->reply.type = "application/x-ndjson";
    th_exchange_begin(x);
}
