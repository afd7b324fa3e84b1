#include "server/websocket.h"

#include <stdio.h>
#include <strings.h>
#include <openssl/bio.h>

#include "crypto/base64.h"

#define PING_AFTER_MS 30000
#define SILENT_MS 75000

/* ---- bytes --------------------------------------------------------------------------------------------- */

static ssize_t on_recv(wslay_event_context_ptr context, uint8_t *out, size_t size, int flags, void *user)
{
    (void)flags;
    th_websocket *ws = user;
    size_t take = size < ws->input_size ? size : ws->input_size;
    if (take == 0) {
        wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    memcpy(out, ws->input, take);
    ws->input += take;
    ws->input_size -= take;
    return (ssize_t)take;
}

static ssize_t on_send(wslay_event_context_ptr context, const uint8_t *data, size_t size, int flags,
                       void *user)
{
    (void)flags;
    th_websocket *ws = user;
    if (th_buf_append(&ws->output, th_slice_of(data, size), NULL)) {
        wslay_event_set_error(context, WSLAY_ERR_CALLBACK_FAILURE);
        return -1;
    }
    return (ssize_t)size;
}

/* Sends what wslay has queued; ends the connection when both have closed. */
static void flush(th_websocket *ws)
{
    th_connection *c = ws->connection;
    if (ws->sending || c->closing)
        return;
    ws->sending = true;
    int result = wslay_event_send(ws->wslay);
    th_buf out = ws->output;
    th_buf_init(&ws->output, TH_REPLY_MAX);
    bool over = result || (!wslay_event_want_read(ws->wslay) && !wslay_event_want_write(ws->wslay));
    ws->sending = false;
    if (out.size > 0)
        th_connection_send(c, &out); /* may close it, and free the WebSocket */
    else
        th_buf_done(&out);
    if (over && !c->closing)
        th_connection_linger(c);
}

void th_websocket_send(th_websocket *ws, th_slice text)
{
    struct wslay_event_msg message = {WSLAY_TEXT_FRAME, text.data, text.size};
    if (wslay_event_queue_msg(ws->wslay, &message) == WSLAY_ERR_NOMEM) {
        th_connection_close(ws->connection);
        return;
    }
    flush(ws);
}

void th_websocket_end(th_websocket *ws, unsigned code, const char *reason)
{
    wslay_event_queue_close(ws->wslay, (uint16_t)code, (const uint8_t *)reason, strlen(reason));
    ws->connection->deadline_ms = th_now_ms(ws->server) + 5000;
    flush(ws);
}

bool th_websocket_has_room(const th_websocket *ws)
{
    return ws->connection->writing + ws->output.size < TH_WS_BACKLOG_MAX;
}

void th_websocket_drain(th_websocket *ws)
{
    th_connection *c = ws->connection;
    for (size_t i = 0; i < TH_WS_SUBSCRIPTIONS_MAX && !c->closing; i++)
        if (ws->subscriptions[i].subscription)
            th_subscription_pump(ws->subscriptions[i].subscription);
}

void th_websocket_tick(th_websocket *ws, uint64_t now_ms)
{
    th_connection *c = ws->connection;
    if (now_ms - ws->heard_ms > SILENT_MS ||
        (wslay_event_get_close_sent(ws->wslay) && c->deadline_ms < now_ms)) {
        th_connection_close(c);
    } else if (now_ms - ws->heard_ms > PING_AFTER_MS && !ws->pinged) {
        struct wslay_event_msg ping = {WSLAY_PING, NULL, 0};
        ws->pinged = true;
        wslay_event_queue_msg(ws->wslay, &ping);
        flush(ws);
    }
}

/* ---- messages ------------------------------------------------------------------------------------------ */

/* A frame is given room for all of it when it begins, so it counts from then on. */
static void on_frame(wslay_event_context_ptr context, const struct wslay_event_on_frame_recv_start_arg *frame,
                     void *user)
{
    th_websocket *ws = user;
    th_server *server = ws->server;
    if (wslay_is_ctrl_frame(frame->opcode) || ws->connection->closing || wslay_event_get_close_sent(context))
        return;
    if (frame->payload_length > TH_WS_MESSAGE_MAX)
        return; /* it is refused for its size */
    if (server->body_bytes + frame->payload_length > server->options.body_memory_bytes) {
        wslay_event_shutdown_read(context); /* nothing comes into its room */
        th_websocket_end(ws, 1013, "the server has no memory for this message now");
        return;
    }
    server->body_bytes += frame->payload_length;
    ws->counted += frame->payload_length;
}

static void uncount(th_websocket *ws)
{
    ws->server->body_bytes -= ws->counted;
    ws->counted = 0;
}

static void on_message(wslay_event_context_ptr context, const struct wslay_event_on_msg_recv_arg *message,
                       void *user)
{
    th_websocket *ws = user;
    if (wslay_is_ctrl_frame(message->opcode) || ws->connection->closing)
        return;
    uncount(ws);
    /* It was told that this is the end: by a shutdown, or because its token is not known any more. */
    if (wslay_event_get_close_sent(context))
        return;
    if (message->opcode == WSLAY_TEXT_FRAME)
        th_websocket_command(ws, th_slice_of(message->msg, message->msg_length));
    else
        th_websocket_end(ws, 1003, "messages are JSON text");
}

static void free_now(th_websocket *ws)
{
    wslay_event_context_free(ws->wslay);
    th_buf_done(&ws->output);
    th_free(ws);
}

size_t th_websocket_input(th_websocket *ws, const uint8_t *data, size_t size)
{
    th_connection *c = ws->connection;
    ws->heard_ms = th_now_ms(ws->server);
    ws->pinged = false;
    ws->input = data;
    ws->input_size = size;
    ws->reading = true;
    int result = wslay_event_recv(ws->wslay);
    ws->reading = false;
    if (ws->dead)
        free_now(ws);
    if (c->closing)
        return size;
    ws->input = NULL;
    if (result) {
        th_connection_close(c);
        return size;
    }
    flush(ws);
    return size; /* what came behind a close frame is not looked at */
}

/* ---- the handshake ------------------------------------------------------------------------------------- */

static bool has_word(const char *list, const char *word)
{
    size_t size = strlen(word);
    for (const char *at = list; at && *at;) {
        at += strspn(at, " ,\t");
        size_t length = strcspn(at, " ,\t");
        if (length == size && strncasecmp(at, word, size) == 0)
            return true;
        at += length;
    }
    return false;
}

/* RFC 6455, 4.2.2: the proof that the server read the handshake. */
static bool accept_key(const char *key, char out[32])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    uint8_t nonce[18], digest[EVP_MAX_MD_SIZE];
    size_t size;
    unsigned digest_size;
    if (strlen(key) != 24 || !th_base64_decode(th_slice_text(key), nonce, sizeof nonce, &size) || size != 16)
        return false;
    char both[64];
    int length = snprintf(both, sizeof both, "%s%s", key, guid);
    if (EVP_Digest(both, (size_t)length, digest, &digest_size, EVP_sha1(), NULL) != 1)
        return false;
    th_base64_encode(th_slice_of(digest, digest_size), out);
    out[th_base64_size(digest_size)] = 0;
    return true;
}

static void refuse(th_exchange *x, unsigned status, const char *detail)
{
    th_reply_header(x, "Upgrade: websocket");
    if (status == 426)
        th_reply_header(x, "Sec-WebSocket-Version: 13");
    x->close_after = true;
    th_reply_problem(x, status, "websocket", "no WebSocket handshake", detail);
    th_exchange_reply(x);
}

static th_websocket *make(th_exchange *x)
{
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = on_recv,
        .send_callback = on_send,
        .on_frame_recv_start_callback = on_frame,
        .on_msg_recv_callback = on_message,
    };
    th_websocket *ws = th_alloc_zero(1, sizeof *ws);
    if (!ws || wslay_event_context_server_init(&ws->wslay, &callbacks, ws)) {
        th_free(ws);
        return NULL;
    }
    wslay_event_config_set_max_recv_msg_length(ws->wslay, TH_WS_MESSAGE_MAX);
    ws->connection = x->connection;
    ws->server = x->server;
    ws->heard_ms = th_now_ms(x->server);
    ws->has_principal = x->has_principal;
    memcpy(ws->principal, x->principal, sizeof ws->principal);
    th_buf_init(&ws->output, TH_REPLY_MAX);
    /* A token that may only read follows events, and sends nothing. */
    ws->has_token = x->has_token;
    ws->may_write = x->may_write;
    return ws;
}

void th_api_websocket(th_exchange *x)
{
    th_connection *c = x->connection;
    const char *upgrade = th_exchange_header(x, "upgrade"), *key = th_exchange_header(x, "sec-websocket-key");
    const char *version = th_exchange_header(x, "sec-websocket-version");
    char accept[32];
    if (!has_word(upgrade, "websocket") || !has_word(th_exchange_header(x, "connection"), "upgrade") ||
        x->method != HTTP_GET || x->minor_0) {
        refuse(x, 426, "this path is for WebSockets: send Upgrade: websocket and Connection: Upgrade");
        return;
    }
    if (!version || strcmp(version, "13") != 0) {
        refuse(x, 426, "Sec-WebSocket-Version is 13");
        return;
    }
    if (!key || !accept_key(key, accept) || c->first != x || !c->parser.upgrade) {
        refuse(x, 400, "Sec-WebSocket-Key is 16 bytes in base64, and no other request may be under way");
        return;
    }
    th_buf head;
    th_buf_init(&head, 1024);
    th_websocket *ws = make(x);
    if (!ws ||
        th_buf_printf(&head, NULL,
                      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      "Sec-WebSocket-Accept: %s\r\n\r\n",
                      accept)) {
        th_connection_close(c);
        return;
    }
    x->reply.status = 101;
    x->ended = true;
    x->server->figures.responses[1]++;
    c->websocket = ws;
    th_connection_send(c, &head);
    if (!c->closing)
        th_connection_flush(c);
}

void th_websocket_free(th_websocket *ws)
{
    th_websocket_forget_calls(ws);
    for (size_t i = 0; i < TH_WS_SUBSCRIPTIONS_MAX; i++)
        if (ws->subscriptions[i].subscription)
            th_subscription_close(ws->subscriptions[i].subscription);
    uncount(ws);
    ws->dead = true;
    if (!ws->reading)
        free_now(ws);
}
