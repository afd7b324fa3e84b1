/* One message or query: submitted on the loop's thread, answered by a post from the runtime's. */
#include <stdio.h>

#include "server/internal.h"

typedef struct call {
    th_post post; /* first: a post is its call */
    th_exchange *x;
    theater_answer answer;
} call;

theater_status th_idempotency_key(const th_exchange *x, theater_slice *ret, theater_error *reterr)
{
    const char *value = th_exchange_header(x, "idempotency-key");
    *ret = (theater_slice){0};
    if (!value)
        return THEATER_OK;
    size_t size = strlen(value);
    if (size >= 2 && value[0] == '"' && value[size - 1] == '"') {
        value++;
        size -= 2;
    }
    if (size < 1 || size > 64)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "an Idempotency-Key has 1 to 64 bytes");
    *ret = th_slice_of(value, size);
    return THEATER_OK;
}

/* One print for the four: every answer has them. */
static void put_headers(th_exchange *x, const theater_answer *answer)
{
    char element[65], root[65];
    th_hex_encode(th_slice_of(answer->element.bytes, 32), element);
    th_hex_encode(th_slice_of(answer->state_root.bytes, 32), root);
    if (th_buf_printf(&x->reply.headers, NULL,
                      "Theater-Sequence: %llu\r\nTheater-Element: %s\r\nTheater-State-Root: %s\r\n"
                      "Theater-Fuel: %llu\r\n",
                      (unsigned long long)answer->sequence, element, root, (unsigned long long)answer->fuel))
        th_buf_clear(&x->reply.headers);
    if (answer->repeated)
        th_reply_header(x, "Theater-Repeated: true");
}

static void put_rejection(th_exchange *x, const theater_answer *answer)
{
    th_json json = th_reply_json(x, 422);
    x->reply.type = "application/problem+json";
    th_json_open(&json, '{');
    th_json_field_string(&json, "type", "urn:theater:problem:rejected");
    th_json_field_string(&json, "title", theater_status_text(THEATER_REJECTED));
    th_json_field_uint(&json, "status", 422);
    th_json_key(&json, "detail");
    th_json_text(&json, th_slice_of(answer->output.data, answer->output.size));
    th_json_field_uint(&json, "code", answer->reject_code);
    th_json_field_uint(&json, "sequence", answer->sequence);
    th_json_field_hash(&json, "element", &answer->element);
    th_json_field_hash(&json, "state_root", &answer->state_root);
    th_json_field_uint(&json, "fuel", answer->fuel);
    th_json_close(&json, '}');
    th_reply_json_end(x, &json);
}

void th_json_answer(th_json *json, const theater_answer *answer)
{
    bool element = answer->status == THEATER_OK || answer->status == THEATER_REJECTED;
    th_json_field_string(json, "status", theater_status_name(answer->status));
    if (answer->status == THEATER_OK) {
        th_json_key(json, "output");
        th_json_bytes(json, th_slice_of(answer->output.data, answer->output.size));
    } else if (answer->status == THEATER_REJECTED) {
        th_json_field_uint(json, "code", answer->reject_code);
        th_json_key(json, "message");
        th_json_text(json, th_slice_of(answer->output.data, answer->output.size));
    } else {
        th_json_field_string(json, "message", answer->error.message);
    }
    if (element) {
        th_json_field_uint(json, "sequence", answer->sequence);
        th_json_field_hash(json, "element", &answer->element);
        th_json_field_hash(json, "state_root", &answer->state_root);
        th_json_field_uint(json, "fuel", answer->fuel);
        th_json_key(json, "repeated");
        th_json_bool(json, answer->repeated);
    }
}

/* On the loop again. */
static void answered(th_post *post)
{
    call *self = (call *)post;
    th_exchange *x = self->x;
    th_server *server = x->server;
    theater_answer *answer = &self->answer;
    server->operations--;
    server->figures.messages_in_flight--;
    th_histogram_add(&server->figures.messages, uv_hrtime() - x->began_ns);
    if (x->connection) {
        if (answer->status == THEATER_OK || answer->status == THEATER_REJECTED)
            put_headers(x, answer);
        if (answer->status == THEATER_OK)
            th_reply_text(x, 200, "application/octet-stream",
                          th_slice_of(answer->output.data, answer->output.size));
        else if (answer->status == THEATER_REJECTED)
            put_rejection(x, answer);
        else
            th_reply_error(x, &answer->error);
        th_exchange_reply(x);
    }
    theater_answer_done(answer);
    th_free(self);
    th_exchange_drop(x);
}

/* On a thread of the runtime. */
static void completed(void *context, theater_answer *answer)
{
    call *self = context;
    self->answer = *answer;
    answer->output = (theater_bytes){0};
    if (self->answer.status && self->answer.error.status == THEATER_OK)
        self->answer.error.status = self->answer.status;
    th_post_to(self->x->server, &self->post);
}

static void submit(th_exchange *x, bool query)
{
    theater_error error = {0};
    theater_message message = {.actor = x->segments[0],
                               .input = th_buf_slice(&x->body),
                               .principal = x->has_principal ? x->principal : NULL};
    theater_status status = query ? THEATER_OK : th_idempotency_key(x, &message.id, &error);
    call *self = NULL;
    if (!status && !(self = th_alloc_zero(1, sizeof *self)))
        status = th_fail_memory(&error, "a message");
    if (status) {
        th_exchange_fail(x, &error);
        return;
    }
    self->post.run = answered;
    self->x = x;
    th_exchange_hold(x);
    x->server->figures.messages_in_flight++;
    status = query ? theater_submit_query(x->server->runtime, &message, completed, self, &error)
                   : theater_submit(x->server->runtime, &message, completed, self, &error);
    if (!status)
        return;
    x->server->figures.messages_in_flight--;
    x->server->operations--;
    th_free(self);
    if (status == THEATER_INVALID_ARGUMENT && !message.id.size)
        th_fail(&error, THEATER_NOT_FOUND, "there is no actor of that name");
    th_exchange_fail(x, &error);
    th_exchange_drop(x);
}

void th_api_message(th_exchange *x)
{
    submit(x, false);
}

void th_api_query(th_exchange *x)
{
    submit(x, true);
}
