/* server/websocket.h: a connection that became a WebSocket (RFC 6455), with wslay for the frames.
 * docs/http-api.md has the messages. */
#ifndef TH_SERVER_WEBSOCKET_H
#define TH_SERVER_WEBSOCKET_H

#include <wslay/wslay.h>

#include "server/feed.h"

#define TH_WS_MESSAGE_MAX ((size_t)8 << 20)
#define TH_WS_CALLS_MAX 256          /* messages on their way, past which no more is read */
#define TH_WS_SUBSCRIPTIONS_MAX 64
#define TH_WS_BACKLOG_MAX ((size_t)256 << 10)
#define TH_WS_ID_MAX 64

typedef struct th_ws_call th_ws_call;

typedef struct th_ws_subscription {
    th_websocket *ws;
    th_subscription *subscription; /* NULL: the place is free */
    char id[TH_WS_ID_MAX + 1];
} th_ws_subscription;

struct th_websocket {
    th_connection *connection;
    th_server *server;
    wslay_event_context_ptr wslay;
    const uint8_t *input;  /* while it reads */
    size_t input_size;
    th_buf output;         /* while it writes */
    bool sending, may_write, has_principal, has_token;
    bool reading, dead;    /* it is freed when it reads no more */
    char principal[TH_PRINCIPAL_MAX + 1];
    th_ws_call *calls;
    size_t call_count;
    th_ws_subscription subscriptions[TH_WS_SUBSCRIPTIONS_MAX];
    uint64_t heard_ms;     /* when the client was heard the last time */
    bool pinged;
    size_t counted;        /* of the message that is not whole yet, in server->body_bytes */
};

size_t th_websocket_input(th_websocket *ws, const uint8_t *data, size_t size);
/* There is room again. */
void th_websocket_drain(th_websocket *ws);
void th_websocket_tick(th_websocket *ws, uint64_t now_ms);
/* Closes it with a code (RFC 6455, 7.4). */
void th_websocket_end(th_websocket *ws, unsigned code, const char *reason);
/* The connection goes away. */
void th_websocket_free(th_websocket *ws);
/* One text message. */
void th_websocket_send(th_websocket *ws, th_slice text);
/* What the client says (websocket_commands.c). */
void th_websocket_command(th_websocket *ws, th_slice text);
void th_websocket_forget_calls(th_websocket *ws);
bool th_websocket_has_room(const th_websocket *ws);

#endif
