/* One message or query: submitted on the loop's thread, answered by a post from the runtime's. */
#include <stddef.h>

#include "server/internal.h"

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

static char *lay(char *at, const char *text)
{
    size_t size = strlen(text);
    memcpy(at, text, size);
    return at + size;
}

static char *lay_hash(char *at, const theater_hash *hash)
{
    th_hex_encode(th_slice_of(hash->bytes, sizeof hash->bytes), at);
    return at + 2 * sizeof hash->bytes;
}

/* Every answer has these, so they are laid out by hand. */
static void put_headers(th_exchange *x, const theater_answer *answer)
{
    char text[400], *at = text; /* 70 of names and ends, two hashes, two numbers */
    at = lay(at, "Theater-Sequence: ");
    at += th_decimal_encode(answer->sequence, at);
    at = lay(at, "\r\nTheater-Element: ");
    at = lay_hash(at, &answer->element);
    at = lay(at, "\r\nTheater-State-Root: ");
    at = lay_hash(at, &answer->state_root);
    at = lay(at, "\r\nTheater-Fuel: ");
    at += th_decimal_encode(answer->fuel, at);
    at = lay(at, "\r\n");
    if (th_buf_append(&x->reply.headers, th_slice_of(text, (size_t)(at - text)), NULL))
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
    th_exchange *x = (th_exchange *)((char *)post - offsetof(th_exchange, answered));
    th_server *server = x->server;
    theater_answer *answer = &x->answer;
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
    theater_bytes_free(&answer->output);
    th_exchange_drop(x);
}

/* On a thread of the runtime. */
static void completed(void *context, theater_answer *answer)
{
    th_exchange *x = context;
    /* The words of an error are most of it. */
    if (answer->status)
        x->answer = *answer;
    else
        memcpy(&x->answer, answer, offsetof(theater_answer, error));
    answer->output = (theater_bytes){0};
    if (x->answer.status && x->answer.error.status == THEATER_OK)
        x->answer.error.status = x->answer.status;
    th_post_quietly(x->server, &x->answered);
}

/* On the loop: it came into no mailbox. */
static void refused(void *context, const theater_error *error)
{
    th_exchange *x = context;
    th_server *server = x->server;
    server->figures.messages_in_flight--;
    server->operations--;
    th_exchange_fail(x, error);
    th_exchange_drop(x);
    th_drain_continue(server);
}

/* A round may read from hundreds of connections: workers can begin with these meanwhile. */
#define SUBMIT_AT 32

void th_messages_submit(th_server *server)
{
    if (server->submitting)
        return;
    server->submitting = true;
    /* An answer that tells of a refusal makes room for the next request of its connection. */
    while (th_submissions_count(server->submissions) > 0)
        th_submissions_run(server->submissions, refused);
    server->submitting = false;
}

static void submit(th_exchange *x, bool query)
{
    theater_error error;
    error.status = THEATER_OK;
    theater_message message = {.actor = x->segments[0],
                               .input = th_buf_slice(&x->body),
                               .principal = x->has_principal ? x->principal : NULL};
    theater_status status = query ? THEATER_OK : th_idempotency_key(x, &message.id, &error);
    if (status) {
        th_exchange_fail(x, &error);
        return;
    }
    x->answered.run = answered;
    th_server *server = x->server;
    status = th_submissions_add(server->submissions, query, &message, completed, x, &error);
    if (status) {
        if (status == THEATER_INVALID_ARGUMENT && !message.id.size)
            th_fail(&error, THEATER_NOT_FOUND, "there is no actor of that name");
        th_exchange_fail(x, &error);
        return;
    }
    th_exchange_hold(x);
    server->figures.messages_in_flight++;
    if (th_submissions_count(server->submissions) >= SUBMIT_AT)
        th_messages_submit(server);
}

void th_api_message(th_exchange *x)
{
    submit(x, false);
}

void th_api_query(th_exchange *x)
{
    submit(x, true);
}
