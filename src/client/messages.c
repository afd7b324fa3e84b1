/* One message or query. */
#include "client/internal.h"

#include <stdio.h>

/* A header that says who the client is; the server takes it over its Unix socket only, whose file mode guards
 * it as it guards the data folder. */
static theater_status principal_line(const th_client *client, const char *principal, char *out, size_t room,
                                     theater_error *reterr)
{
    if (!client->socket_path)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "--principal: over %s the token says who the client is", client->server);
    bool plain = principal[0] && strlen(principal) <= 128;
    for (const char *at = principal; *at; at++)
        plain = plain && (unsigned char)*at > ' ' && *at != 0x7f;
    if (!plain)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "--principal: a server takes 1 to 128 bytes without spaces or control characters");
    snprintf(out, room, "Theater-Principal: %s", principal);
    return THEATER_OK;
}

static theater_status id_line(th_slice id, char *out, size_t room, theater_error *reterr)
{
    bool plain = id.size <= 64;
    for (size_t i = 0; i < id.size; i++)
        plain = plain && id.data[i] >= ' ' && id.data[i] != 0x7f;
    if (!plain)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "an idempotency key has 1 to 64 bytes, for a server none of them a control character");
    snprintf(out, room, "Idempotency-Key: \"%.*s\"", (int)id.size, (const char *)id.data);
    return THEATER_OK;
}

theater_status th_principal_line(const th_client *client, const char *principal, char *out, size_t room,
                                 theater_error *reterr)
{
    out[0] = 0;
    return principal ? principal_line(client, principal, out, room, reterr) : THEATER_OK;
}

/* The answer of a 200: the output is the body, the rest stands in the headers. */
static theater_status take_output(th_client *client, th_call *call, theater_answer *ret,
                                  theater_error *reterr)
{
    const th_headers *headers = &call->headers;
    if (!headers->has_sequence || !headers->has_element || !headers->has_root)
        return th_answer_unknown(client, "an answer", reterr);
    ret->status = THEATER_OK;
    ret->sequence = headers->sequence;
    ret->element = headers->element;
    ret->state_root = headers->root;
    ret->fuel = headers->fuel;
    ret->repeated = headers->repeated;
    ret->output = th_buf_take(&call->answer);
    return THEATER_OK;
}

/* The answer of a 422 that is a rejection: an element like any other. */
static theater_status take_rejection(th_client *client, th_call *call, theater_answer *ret,
                                     theater_error *reterr)
{
    th_arena arena;
    const th_value *root;
    th_slice text;
    th_arena_init(&arena, TH_ANSWER_MAX);
    theater_status status = th_call_json(client, call, &arena, &root, reterr);
    if (!status &&
        (!th_value_uint(root, "code", &ret->reject_code) ||
         !th_value_uint(root, "sequence", &ret->sequence) || !th_value_hash(root, "element", &ret->element) ||
         !th_value_hash(root, "state_root", &ret->state_root) || !th_value_uint(root, "fuel", &ret->fuel) ||
         !th_value_text(root, "detail", &text)))
        status = th_answer_unknown(client, "a rejection", reterr);
    if (!status) {
        th_buf copy;
        th_buf_init(&copy, TH_ANSWER_MAX);
        status = th_buf_append(&copy, text, reterr);
        ret->output = th_buf_take(&copy);
        ret->status = THEATER_REJECTED;
        ret->repeated = call->headers.repeated;
    }
    th_arena_done(&arena);
    return status ? status : THEATER_REJECTED;
}

static theater_status run(th_client *client, const theater_message *message, const char *what,
                          theater_answer *ret, theater_error *reterr)
{
    char path[TH_PATH_MAX], key[128] = "", principal[192];
    theater_error error = {.status = THEATER_OK};
    *ret = (theater_answer){.status = THEATER_OK};
    theater_status status = th_actor_path(path, message->actor, &error, "/%s", what);
    if (!status && message->id.size > 0)
        status = id_line(message->id, key, sizeof key, &error);
    if (!status)
        status = th_principal_line(client, message->principal, principal, sizeof principal, &error);
    if (!status) {
        th_call call = {.method = "POST",
                        .path = path,
                        .type = "application/octet-stream",
                        .body = message->input,
                        .extra = key[0] ? key : NULL,
                        .extra2 = principal[0] ? principal : NULL};
        status = th_call_run(client, &call, &error);
        if (status == THEATER_REJECTED)
            status = take_rejection(client, &call, ret, &error);
        else if (!status)
            status = take_output(client, &call, ret, &error);
        th_call_done(&call);
    }
    if (status && status != THEATER_REJECTED) {
        ret->status = status;
        ret->error = error;
    }
    if (status && reterr)
        *reterr = error;
    return status;
}

theater_status th_client_send(th_client *client, const theater_message *message, theater_answer *ret,
                              theater_error *reterr)
{
    return run(client, message, "messages", ret, reterr);
}

theater_status th_client_query(th_client *client, const theater_message *message, theater_answer *ret,
                               theater_error *reterr)
{
    return run(client, message, "query", ret, reterr);
}

theater_status th_client_drain(th_client *client, uint64_t timeout_ms, theater_error *reterr)
{
    char path[64];
    th_call call = {.method = "POST", .path = path};
    snprintf(path, sizeof path, "/v1/drain?timeout=%llu", (unsigned long long)timeout_ms);
    theater_status status = th_call_run(client, &call, reterr);
    th_call_done(&call);
    return status;
}
