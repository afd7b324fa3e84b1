/* A connection: reading with back-pressure, writing in order, deadlines, and an end that lets the client
 * read its answer. */
#include "server/internal.h"
#include "server/websocket.h"

#define LINGER_MS 2000

uint64_t th_now_ms(const th_server *server)
{
    return uv_now(&server->loop);
}

void th_connection_expect(th_connection *c, bool idle)
{
    const th_server_options *options = &c->server->options;
    c->deadline_ms = th_now_ms(c->server) + (idle ? options->idle_timeout_ms : options->request_timeout_ms);
}

/* ---- the end ------------------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    th_connection *c = handle->data;
    th_server *server = c->server;
    th_tls_done(c);
    th_buf_done(&c->pending);
    th_free(c);
    th_drain_continue(server);
}

void th_connection_close(th_connection *c)
{
    if (c->closing)
        return;
    c->closing = true;
    th_server *server = c->server;
    if (c->prev)
        c->prev->next = c->next;
    else
        server->connections = c->next;
    if (c->next)
        c->next->prev = c->prev;
    server->connection_count--;
    server->told -= c->told;
    c->reading = NULL;
    if (c->websocket)
        th_websocket_free(c->websocket);
    c->websocket = NULL;
    while (c->first) {
        th_exchange *x = c->first;
        c->first = x->next;
        x->connection = NULL;
        __atomic_store_n(&x->gone, true, __ATOMIC_RELAXED);
        if (x->on_gone)
            x->on_gone(x);
        th_exchange_drop(x);
    }
    c->last = NULL;
    c->exchanges = 0;
    uv_close(&c->socket.handle, on_closed);
}

static void on_shutdown(uv_shutdown_t *request, int result)
{
    (void)result;
    th_free(request);
}

void th_connection_linger(th_connection *c)
{
    if (c->closing || c->lingering)
        return;
    c->lingering = true;
    c->ended_input = true;
    c->deadline_ms = th_now_ms(c->server) + LINGER_MS;
    th_tls_end(c);
    if (c->closing)
        return;
    uv_shutdown_t *request = th_alloc(sizeof *request);
    if (!request || uv_shutdown(request, &c->socket.stream, on_shutdown)) {
        th_free(request);
        th_connection_close(c);
        return;
    }
    th_connection_resume(c); /* so that the client's end is seen */
}

/* Tells each exchange once. Telling one may end it and others, so each round begins at the front. */
static void tell_gone(th_connection *c)
{
    th_exchange *x = c->first;
    while (x && !c->closing) {
        if (!x->on_gone || x->told_gone) {
            x = x->next;
            continue;
        }
        x->told_gone = true;
        x->on_gone(x);
        x = c->first;
    }
}

void th_connection_check_tokens(th_connection *c)
{
    const th_tokens *tokens = &c->server->tokens;
    if (c->websocket) {
        if (c->websocket->has_token && !th_tokens_known(tokens, c->websocket->principal))
            th_websocket_end(c->websocket, 1008, "the token is not known any more");
        return;
    }
    /* What is short is finished; a stream would go on for as long as the client likes. */
    for (th_exchange *x = c->first; x; x = x->next) {
        if (x->has_token && x->on_gone && !th_tokens_known(tokens, x->principal)) {
            th_connection_close(c);
            return;
        }
    }
}

void th_connection_drain(th_connection *c)
{
    c->close_after = true;
    tell_gone(c);
    if (c->closing)
        return;
    if (c->websocket)
        th_websocket_end(c->websocket, 1001, "the server shuts down");
    if (c->closing)
        return;
    if (!c->first && !c->reading && !c->websocket && c->writing == 0)
        th_connection_close(c);
    else
        th_connection_flush(c);
}

void th_connection_tick(th_connection *c, uint64_t now_ms)
{
    if (c->reading && c->reading->throttled)
        th_connection_expect(c, false); /* it is the server that makes it wait */
    bool waits_for_client = c->reading || (!c->first && !c->websocket) || c->lingering;
    if (c->writing > 0 && c->write_deadline_ms < now_ms) {
        th_connection_close(c);
    } else if (c->websocket) {
        th_websocket_tick(c->websocket, now_ms);
    } else if (waits_for_client && c->writing == 0 && c->deadline_ms && c->deadline_ms < now_ms) {
        th_exchange *x = c->reading;
        if (!x || c->lingering || x->refused || x->started) {
            th_connection_close(c);
            return;
        }
        /* A slow request is told so. */
        c->reading = NULL;
        c->ended_input = true;
        x->close_after = true;
        th_reply_problem(x, 408, "request-timeout", "the request took too long",
                         "the request was not complete in time");
        th_exchange_reply(x);
    }
}

/* ---- writing ------------------------------------------------------------------------------------------- */

typedef struct write_request {
    uv_write_t request;
    th_connection *connection;
    theater_bytes bytes;
} write_request;

static void on_written(uv_write_t *request, int result)
{
    write_request *self = (write_request *)request;
    th_connection *c = self->connection;
    c->writing -= self->bytes.size;
    c->server->figures.bytes_out += result == 0 ? self->bytes.size : 0;
    theater_bytes_free(&self->bytes);
    th_free(self);
    if (c->closing)
        return;
    if (result < 0) {
        th_connection_close(c);
        return;
    }
    c->write_deadline_ms = th_now_ms(c->server) + c->server->options.request_timeout_ms;
    th_connection_flush(c);
}

static void send_raw(th_connection *c, th_buf *take)
{
    write_request *self = take->size ? th_alloc_zero(1, sizeof *self) : NULL;
    if (!self) {
        bool failed = take->size > 0;
        th_buf_done(take);
        if (failed)
            th_connection_close(c);
        return;
    }
    self->connection = c;
    self->bytes = th_buf_take(take);
    if (c->writing == 0)
        c->write_deadline_ms = th_now_ms(c->server) + c->server->options.request_timeout_ms;
    c->writing += self->bytes.size;
    uv_buf_t part = uv_buf_init((char *)self->bytes.data, (unsigned)self->bytes.size);
    if (uv_write(&self->request, &c->socket.stream, &part, 1, on_written)) {
        c->writing -= self->bytes.size;
        theater_bytes_free(&self->bytes);
        th_free(self);
        th_connection_close(c);
    }
}

void th_connection_send(th_connection *c, th_buf *take)
{
    if (c->closing) {
        th_buf_done(take);
        return;
    }
    if (!c->tls) {
        send_raw(c, take);
        return;
    }
    th_buf sealed;
    th_buf_init(&sealed, TH_REPLY_MAX);
    bool good = th_tls_seal(c, th_buf_slice(take), &sealed);
    th_buf_done(take);
    if (good)
        send_raw(c, &sealed);
    else
        th_buf_done(&sealed);
    if (!good)
        th_connection_close(c);
}

static void pop_exchange(th_connection *c)
{
    th_exchange *x = c->first;
    c->first = x->next;
    if (!c->first)
        c->last = NULL;
    c->exchanges--;
    if (x->close_after || (!x->complete && !c->websocket)) {
        c->close_after = true;
        c->ended_input = true;
    }
    if (c->reading == x)
        c->reading = NULL;
    x->connection = NULL;
    th_exchange_drop(x);
}

/* The reply at the front, when it is whole and alone, goes to the socket from where it is: no copy, and
 * none of what the event loop does for a write that may have to wait (memory, a callback, another
 * epoll_ctl). What the socket does not take now, or an error, is left to the usual way. A stream goes that
 * way in any case, because it makes more when it is told that something was written. */
static void write_directly(th_connection *c)
{
    th_exchange *x = c->first;
    size_t left = x->out.size - x->out_at;
    if (c->writing > 0 || c->tls || c->websocket || !x->ended || x->on_drain || left == 0 ||
        (x->next && x->next->started))
        return;
    uv_buf_t part = uv_buf_init((char *)x->out.data + x->out_at, (unsigned)left);
    int sent = uv_try_write(&c->socket.stream, &part, 1);
    if (sent <= 0)
        return;
    x->out_at += (size_t)sent;
    c->server->figures.bytes_out += (uint64_t)sent;
}

/* Moves ready bytes of the exchanges at the front to `out`, up to a piece; ended exchanges leave the queue. */
static void gather(th_connection *c, th_buf *out)
{
    while (c->first && out->size < TH_WRITE_PIECE) {
        th_exchange *x = c->first;
        size_t left = x->out.size - x->out_at, room = TH_WRITE_PIECE - out->size;
        size_t size = left < room ? left : room;
        if (size && th_buf_append(out, th_slice_of(x->out.data + x->out_at, size), NULL)) {
            th_connection_close(c);
            return;
        }
        x->out_at += size;
        if (x->out_at < x->out.size)
            return;
        th_buf_clear(&x->out);
        x->out_at = 0;
        /* A refused request stays until its body was read, where that is little; a client may read only
         * after it has sent all. */
        if (!x->ended || (!x->complete && x->refused && !x->close_after && !c->ended_input))
            return;
        pop_exchange(c);
        if (c->close_after && c->ended_input)
            return;
    }
}

static void after_flush(th_connection *c)
{
    th_exchange *x = c->first;
    if (x && x->on_drain && c->writing < TH_WRITE_HIGH && !x->ended)
        x->on_drain(x);
    if (c->closing)
        return;
    if (!c->first && !c->reading && !c->websocket && c->close_after && c->writing == 0) {
        th_connection_linger(c);
        return;
    }
    if (!c->first && !c->reading && !c->websocket && !c->lingering)
        th_connection_expect(c, true);
    if (c->ended_input && !c->first && !c->websocket && c->writing == 0 && !c->lingering)
        th_connection_linger(c);
    else
        th_connection_resume(c);
}

void th_connection_flush(th_connection *c)
{
    if (c->closing || c->flushing)
        return;
    c->flushing = true;
    while (!c->closing && c->first && c->writing < TH_WRITE_HIGH) {
        th_buf piece;
        th_buf_init(&piece, TH_WRITE_PIECE + 1);
        write_directly(c);
        gather(c, &piece);
        if (piece.size == 0 || c->closing) {
            th_buf_done(&piece);
            break;
        }
        th_connection_send(c, &piece);
        if (c->close_after && c->ended_input && c->first) {
            /* Nothing behind the last answer is sent: the requests in line behind it were never taken up. */
            break;
        }
    }
    c->flushing = false;
    if (!c->closing && c->websocket)
        th_websocket_drain(c->websocket);
    if (!c->closing)
        after_flush(c);
}

/* ---- reading ------------------------------------------------------------------------------------------- */

bool th_connection_may_parse(const th_connection *c)
{
    if (c->closing || c->ended_input)
        return false;
    if (c->websocket)
        return c->writing < TH_WRITE_HIGH && !c->throttled;
    return c->exchanges < TH_PIPELINE_MAX && c->writing < TH_WRITE_HIGH &&
           !(c->reading && c->reading->throttled) && !(c->close_after && !c->reading);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    (void)suggested;
    th_connection *c = handle->data;
    *ret = uv_buf_init((char *)c->server->buffer, sizeof c->server->buffer);
}

void th_connection_ended(th_connection *c)
{
    c->ended_input = true;
    uv_read_stop(&c->socket.stream);
    c->stopped = true;
    if (c->lingering || c->websocket) {
        th_connection_close(c);
        return;
    }
    th_exchange *half = c->reading;
    c->reading = NULL;
    c->close_after = true;
    if (half && !half->ended) {
        half->close_after = true;
        th_reply_problem(half, 400, "bad-request", "bad request",
                         "the connection ended in the middle of the request");
        if (half->on_gone)
            half->on_gone(half);
        if (!half->ended)
            th_exchange_reply(half);
    }
    /* Streams end with the client; what was accepted is still answered. */
    tell_gone(c);
    if (!c->closing)
        th_connection_flush(c);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    th_connection *c = stream->data;
    if (size == 0 || c->closing)
        return;
    if (size == UV_EOF) {
        th_connection_ended(c);
        return;
    }
    if (size < 0) {
        th_connection_close(c);
        return;
    }
    c->server->figures.bytes_in += (uint64_t)size;
    if (c->lingering)
        return;
    if (c->tls)
        th_tls_input(c, (const uint8_t *)buffer->base, (size_t)size);
    else
        th_connection_input(c, (const uint8_t *)buffer->base, (size_t)size);
}

static void stop_reading(th_connection *c)
{
    if (!c->stopped)
        uv_read_stop(&c->socket.stream);
    c->stopped = true;
}

void th_connection_input(th_connection *c, const uint8_t *data, size_t size)
{
    size_t used = 0;
    if (c->pending.size == 0)
        used = th_connection_parse(c, data, size);
    if (c->closing || c->ended_input)
        return;
    if (used < size && th_buf_append(&c->pending, th_slice_of(data + used, size - used), NULL)) {
        th_connection_close(c);
        return;
    }
    if (c->pending.size > 0 || !th_connection_may_parse(c))
        stop_reading(c);
}

void th_connection_resume(th_connection *c)
{
    if (c->parsing || c->flushing || c->closing)
        return;
    while (c->pending.size > 0 && th_connection_may_parse(c)) {
        th_buf taken = c->pending;
        th_buf_init(&c->pending, taken.max);
        size_t used = th_connection_parse(c, taken.data, taken.size);
        bool failed = !c->closing && !c->ended_input && used < taken.size &&
                      th_buf_append(&c->pending, th_slice_of(taken.data + used, taken.size - used), NULL);
        th_buf_done(&taken);
        if (failed)
            th_connection_close(c);
        if (c->closing || used == 0)
            return;
    }
    bool wanted = c->lingering || (c->pending.size == 0 && th_connection_may_parse(c));
    if (wanted && c->stopped && !c->closing) {
        c->stopped = false;
        uv_read_start(&c->socket.stream, on_alloc, on_read);
    }
}

/* ---- the begin ----------------------------------------------------------------------------------------- */

static bool is_loopback(const uv_tcp_t *tcp)
{
    struct sockaddr_storage address;
    int size = sizeof address;
    if (uv_tcp_getpeername(tcp, (struct sockaddr *)&address, &size))
        return false;
    if (address.ss_family == AF_INET)
        return (ntohl(((struct sockaddr_in *)&address)->sin_addr.s_addr) >> 24) == 127;
    return IN6_IS_ADDR_LOOPBACK(&((struct sockaddr_in6 *)&address)->sin6_addr);
}

static void link_connection(th_connection *c)
{
    th_server *server = c->server;
    c->next = server->connections;
    if (c->next)
        c->next->prev = c;
    server->connections = c;
    server->connection_count++;
    server->figures.connections_total++;
}

void th_connection_accept(th_server *server, uv_stream_t *listener, bool local, bool guarded)
{
    th_connection *c = th_alloc_zero(1, sizeof *c);
    if (!c)
        return;
    c->server = server;
    th_buf_init(&c->pending, (size_t)1 << 20);
    int result =
        local ? uv_pipe_init(&server->loop, &c->socket.pipe, 0) : uv_tcp_init(&server->loop, &c->socket.tcp);
    if (result) {
        th_free(c);
        return;
    }
    c->socket.handle.data = c;
    link_connection(c);
    c->local = local;
    c->guarded = guarded;
    if (uv_accept(listener, &c->socket.stream)) {
        server->figures.refused_connections++;
        th_connection_close(c);
        return;
    }
    if (server->draining || th_crowd_full(server, local)) {
        th_crowd_refuse(c);
        return;
    }
    if (!local) {
        uv_tcp_nodelay(&c->socket.tcp, 1);
        c->loopback = is_loopback(&c->socket.tcp);
    }
    th_parser_init(c);
    th_connection_expect(c, false);
    if (server->tls && !local && !th_tls_begin(c)) {
        th_connection_close(c);
        return;
    }
    uv_read_start(&c->socket.stream, on_alloc, on_read);
}
