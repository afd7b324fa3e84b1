/* What a client says over a WebSocket, and what it is told. One JSON object a message:
 *
 *   {"op":"send","id":ID,"actor":NAME,"input":BYTES,"key":KEY}   -> {"op":"answer","id":ID,"status":...}
 *   {"op":"query","id":ID,"actor":NAME,"input":BYTES}            -> {"op":"answer",...}
 *   {"op":"subscribe","id":ID,"actor":NAME,"from":N}             -> {"op":"subscribed","id":ID}, then
 *   {"op":"event","id":ID,"event":{...}} {"op":"unsubscribe","id":ID}                                 ->
 *   {"op":"unsubscribed","id":ID}
 *
 * BYTES is a string or {"base64": "..."}; "key", "actor" (of subscribe) and "from" may be left out. A
 * failure is {"op":"error","id":ID,"status":...}. */
#include <jansson.h>
#include <stdio.h>

#include "crypto/base64.h"
#include "server/websocket.h"

struct th_ws_call {
    th_post post; /* first */
    th_ws_call *prev, *next;
    th_websocket *ws; /* NULL: it went away */
    th_server *server;
    char id[TH_WS_ID_MAX + 1];
    uint64_t began_ns;
    theater_answer answer;
};

/* ---- telling ------------------------------------------------------------------------------------------- */

static void tell(th_websocket *ws, th_json *json, th_buf *take)
{
    th_json_close(json, '}');
    if (json->status)
        th_connection_close(ws->connection); /* rather an end than a gap */
    else
        th_websocket_send(ws, th_buf_slice(take));
    th_buf_done(take);
}

static th_json tell_begin(th_buf *text, const char *op, const char *id)
{
    th_buf_init(text, TH_REPLY_MAX);
    th_json json = th_json_begin(text);
    th_json_open(&json, '{');
    th_json_field_string(&json, "op", op);
    th_json_field_string(&json, "id", id);
    return json;
}

static void tell_error(th_websocket *ws, const char *id, const theater_error *error)
{
    th_buf text;
    th_json json = tell_begin(&text, "error", id);
    th_json_field_string(&json, "status", theater_status_name(error->status));
    th_json_field_string(&json, "message", error->message);
    tell(ws, &json, &text);
}

/* ---- messages ------------------------------------------------------------------------------------------ */

static void unlink_call(th_ws_call *call)
{
    th_websocket *ws = call->ws;
    if (call->prev)
        call->prev->next = call->next;
    else
        ws->calls = call->next;
    if (call->next)
        call->next->prev = call->prev;
    ws->call_count--;
}

static void answered(th_post *post)
{
    th_ws_call *call = (th_ws_call *)post;
    th_websocket *ws = call->ws;
    call->server->operations--;
    call->server->figures.messages_in_flight--;
    th_histogram_add(&call->server->figures.messages, uv_hrtime() - call->began_ns);
    if (ws) {
        th_connection *c = ws->connection;
        unlink_call(call);
        th_buf text;
        th_json json = tell_begin(&text, "answer", call->id);
        th_json_answer(&json, &call->answer);
        tell(ws, &json, &text);
        if (!c->closing && c->throttled && ws->call_count < TH_WS_CALLS_MAX / 2) {
            c->throttled = false;
            th_connection_resume(c);
        }
    }
    theater_answer_done(&call->answer);
    th_free(call);
}

static void completed(void *context, theater_answer *answer)
{
    th_ws_call *call = context;
    call->answer = *answer;
    answer->output = (theater_bytes){0};
    th_post_quietly(call->server, &call->post);
}

void th_websocket_forget_calls(th_websocket *ws)
{
    for (th_ws_call *call = ws->calls; call; call = call->next)
        call->ws = NULL;
    ws->calls = NULL;
}

static theater_status read_bytes(const json_t *value, th_buf *out, theater_error *reterr)
{
    const json_t *coded = json_is_object(value) ? json_object_get(value, "base64") : NULL;
    uint8_t *room;
    size_t size;
    if (!value)
        return THEATER_OK;
    if (json_is_string(value))
        return th_buf_append(out, th_slice_of(json_string_value(value), json_string_length(value)), reterr);
    if (!json_is_string(coded))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "\"input\" is a string or {\"base64\": \"...\"}");
    size_t most = json_string_length(coded) / 4 * 3;
    theater_status status = th_buf_extend(out, most, &room, reterr);
    if (!status && !th_base64_decode(th_slice_of(json_string_value(coded), json_string_length(coded)), room,
                                     most, &size))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "\"input\" holds what is no base64");
    if (!status)
        out->size = size;
    return status;
}

static theater_status submit(th_websocket *ws, const theater_message *message, bool query, const char *id,
                             theater_error *reterr)
{
    th_ws_call *call = th_alloc_zero(1, sizeof *call);
    if (!call)
        return th_fail_memory(reterr, "a message");
    *call = (th_ws_call){.post = {.run = answered},
                         .ws = ws,
                         .server = ws->server,
                         .next = ws->calls,
                         .began_ns = uv_hrtime()};
    snprintf(call->id, sizeof call->id, "%s", id);
    if (call->next)
        call->next->prev = call;
    ws->calls = call;
    ws->call_count++;
    ws->server->operations++;
    ws->server->figures.messages_in_flight++;
    theater_status status = query
                                ? theater_submit_query(ws->server->runtime, message, completed, call, reterr)
                                : theater_submit(ws->server->runtime, message, completed, call, reterr);
    if (status) {
        unlink_call(call);
        th_free(call);
        ws->server->operations--;
        ws->server->figures.messages_in_flight--;
    }
    return status;
}

static theater_status command_send(th_websocket *ws, const json_t *root, const char *id, bool query,
                                   theater_error *reterr)
{
    const char *actor = json_string_value(json_object_get(root, "actor")),
               *key = json_string_value(json_object_get(root, "key"));
    if (!actor)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "\"actor\" is missing");
    if (!query && !ws->may_write)
        return th_fail(reterr, THEATER_PERMISSION, "this token may only read");
    if (ws->server->draining)
        return th_fail(reterr, THEATER_CANCELLED, "the server is shutting down");
    th_buf input;
    th_buf_init(&input, TH_WS_MESSAGE_MAX);
    theater_status status = read_bytes(json_object_get(root, "input"), &input, reterr);
    if (!status) {
        theater_message message = {.actor = actor,
                                   .input = th_buf_slice(&input),
                                   .principal = ws->has_principal ? ws->principal : NULL};
        if (key)
            message.id = th_slice_text(key);
        status = submit(ws, &message, query, id, reterr);
    }
    th_buf_done(&input);
    ws->connection->throttled = ws->call_count >= TH_WS_CALLS_MAX;
    return status;
}

/* ---- events -------------------------------------------------------------------------------------------- */

static void on_opened(void *context)
{
    th_ws_subscription *self = context;
    th_buf text;
    th_json json = tell_begin(&text, "subscribed", self->id);
    tell(self->ws, &json, &text);
}

static void drop(th_ws_subscription *self)
{
    th_subscription_close(self->subscription);
    self->subscription = NULL;
}

static void on_failed(void *context, const theater_error *error)
{
    th_ws_subscription *self = context;
    theater_error copy = *error;
    drop(self);
    tell_error(self->ws, self->id, &copy);
}

static void on_deliver(void *context, const th_news *event)
{
    th_ws_subscription *self = context;
    th_buf text;
    th_json json = tell_begin(&text, "event", self->id);
    th_json_key(&json, "event");
    if (!json.status)
        json.status = th_buf_append(&text, th_slice_of(event->json.data, event->json.size), NULL);
    tell(self->ws, &json, &text);
}

static bool has_room(void *context)
{
    const th_ws_subscription *self = context;
    return th_websocket_has_room(self->ws);
}

static th_ws_subscription *find(th_websocket *ws, const char *id)
{
    for (size_t i = 0; i < TH_WS_SUBSCRIPTIONS_MAX; i++)
        if (id ? ws->subscriptions[i].subscription && strcmp(ws->subscriptions[i].id, id) == 0
               : !ws->subscriptions[i].subscription)
            return &ws->subscriptions[i];
    return NULL;
}

static theater_status command_subscribe(th_websocket *ws, const json_t *root, const char *id,
                                        theater_error *reterr)
{
    const json_t *actor = json_object_get(root, "actor"), *from = json_object_get(root, "from");
    if ((actor && !json_is_string(actor)) ||
        (from && (!json_is_integer(from) || json_integer_value(from) < 0)))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "\"actor\" is a name and \"from\" a whole number");
    if (actor && json_string_length(actor) > TH_SEGMENT_MAX)
        return th_fail(reterr, THEATER_NOT_FOUND, "there is no actor of that name");
    if (find(ws, id))
        return th_fail(reterr, THEATER_EXISTS, "there is a subscription with this id");
    th_ws_subscription *self = find(ws, NULL);
    if (!self)
        return th_fail(reterr, THEATER_TOO_LARGE, "a connection has at most %d subscriptions",
                       TH_WS_SUBSCRIPTIONS_MAX);
    self->ws = ws;
    snprintf(self->id, sizeof self->id, "%s", id);
    th_subscription_request request = {json_string_value(actor), from != NULL,
                                       from ? (uint64_t)json_integer_value(from) : 0};
    th_listener listener = {on_opened, on_failed, on_deliver, has_room, self};
    return th_subscription_new(ws->server, &request, &listener, &self->subscription, reterr);
}

static theater_status command_unsubscribe(th_websocket *ws, const char *id, theater_error *reterr)
{
    th_ws_subscription *self = find(ws, id);
    if (!self)
        return th_fail(reterr, THEATER_NOT_FOUND, "there is no subscription with this id");
    drop(self);
    th_buf text;
    th_json json = tell_begin(&text, "unsubscribed", id);
    tell(ws, &json, &text);
    return THEATER_OK;
}

/* ---- commands ------------------------------------------------------------------------------------------ */

static theater_status run(th_websocket *ws, const json_t *root, char id[TH_WS_ID_MAX + 1],
                          theater_error *reterr)
{
    const json_t *given = json_object_get(root, "id");
    const char *op = json_string_value(json_object_get(root, "op"));
    if (json_is_integer(given))
        snprintf(id, TH_WS_ID_MAX + 1, "%lld", (long long)json_integer_value(given));
    else if (json_is_string(given) && json_string_length(given) <= TH_WS_ID_MAX)
        snprintf(id, TH_WS_ID_MAX + 1, "%s", json_string_value(given));
    else
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "\"id\" is a number, or a string of at most %d bytes", TH_WS_ID_MAX);
    if (op && strcmp(op, "send") == 0)
        return command_send(ws, root, id, false, reterr);
    if (op && strcmp(op, "query") == 0)
        return command_send(ws, root, id, true, reterr);
    if (op && strcmp(op, "subscribe") == 0)
        return command_subscribe(ws, root, id, reterr);
    if (op && strcmp(op, "unsubscribe") == 0)
        return command_unsubscribe(ws, id, reterr);
    return th_fail(reterr, THEATER_INVALID_ARGUMENT, "\"op\" is send, query, subscribe or unsubscribe");
}

void th_websocket_command(th_websocket *ws, th_slice text)
{
    char id[TH_WS_ID_MAX + 1] = "";
    theater_error error = {0};
    json_error_t place;
    json_t *root = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, &place);
    theater_status status;
    if (!root || !json_is_object(root))
        status = th_fail(&error, THEATER_INVALID_ARGUMENT, "a message is one JSON object");
    else
        status = run(ws, root, id, &error);
    json_decref(root);
    if (status)
        tell_error(ws, id, &error);
}
