#include <stddef.h>
#include <strings.h>

#include "server/internal.h"

/* ---- coming and going ---------------------------------------------------------------------------------- */

/* Exchanges are kept and used again with their buffers. They have room for what any request may have, so
 * allocating and zeroing them, and their buffers, was much of what the loop did for a small one. */

static th_exchange *take_kept(th_server *server)
{
    th_exchange *x = server->exchanges_kept;
    if (!x)
        return th_alloc_zero(1, sizeof *x);
    server->exchanges_kept = x->next;
    server->exchanges_kept_count--;
    th_buf head = x->head, body = x->body, out = x->out, headers = x->reply.headers, reply = x->reply.body;
    size_t used = x->header_count < TH_HEADERS_MAX ? x->header_count + 1 : TH_HEADERS_MAX;
    memset(x->headers, 0, used * sizeof *x->headers);
    memset(x, 0, offsetof(th_exchange, headers));
    for (size_t i = 0; i < TH_SEGMENTS_MAX; i++)
        x->segments[i][0] = 0;
    x->principal[0] = 0;
    x->error.status = THEATER_OK;
    x->error.message[0] = 0;
    x->head = head;
    x->body = body;
    x->out = out;
    x->reply.headers = headers;
    x->reply.body = reply;
    return x;
}

/* Empties a buffer; its memory stays where it is little. */
static void begin_buf(th_buf *buf, size_t max)
{
    buf->max = max;
    buf->size = 0;
}

static void end_buf(th_buf *buf)
{
    if (buf->capacity > TH_EXCHANGE_ROOM)
        th_buf_done(buf);
}

static void done(th_exchange *x)
{
    th_buf_done(&x->head);
    th_buf_done(&x->body);
    th_buf_done(&x->out);
    th_buf_done(&x->reply.headers);
    th_buf_done(&x->reply.body);
    th_free(x);
}

void th_exchanges_done(th_server *server)
{
    while (server->exchanges_kept) {
        th_exchange *x = server->exchanges_kept;
        server->exchanges_kept = x->next;
        done(x);
    }
    server->exchanges_kept_count = 0;
}

th_exchange *th_exchange_new(th_connection *c)
{
    th_exchange *x = take_kept(c->server);
    if (!x)
        return NULL;
    x->server = c->server;
    x->connection = c;
    x->holds = 1;
    x->keep_alive = true;
    x->began_ns = uv_hrtime();
    begin_buf(&x->head, TH_HEAD_MAX);
    begin_buf(&x->body, (size_t)c->server->options.max_body_bytes);
    begin_buf(&x->out, TH_REPLY_MAX);
    begin_buf(&x->reply.headers, 4096);
    begin_buf(&x->reply.body, TH_REPLY_MAX);
    if (c->last)
        c->last->next = x;
    else
        c->first = x;
    c->last = x;
    c->exchanges++;
    return x;
}

void th_exchange_hold(th_exchange *x)
{
    x->holds++;
    x->server->operations++;
}

void th_exchange_drop(th_exchange *x)
{
    if (--x->holds > 0)
        return;
    th_server *server = x->server;
    server->body_bytes -= x->body_counted;
    if (server->exchanges_kept_count >= TH_EXCHANGES_KEPT) {
        done(x);
        return;
    }
    end_buf(&x->head);
    end_buf(&x->body);
    end_buf(&x->out);
    end_buf(&x->reply.headers);
    end_buf(&x->reply.body);
    x->next = server->exchanges_kept;
    server->exchanges_kept = x;
    server->exchanges_kept_count++;
}

static const char *text_at(const th_exchange *x, th_span span)
{
    return (const char *)x->head.data + span.at;
}

const char *th_exchange_header(const th_exchange *x, const char *name)
{
    size_t size = strlen(name);
    for (unsigned i = 0; i < x->header_count; i++)
        if (x->headers[i].name.size == size && strcasecmp(text_at(x, x->headers[i].name), name) == 0)
            return text_at(x, x->headers[i].value);
    return NULL;
}

theater_status th_exchange_query(const th_exchange *x, const char *name, char *out, size_t room,
                                 bool *ret_given, theater_error *reterr)
{
    size_t name_size = strlen(name);
    *ret_given = false;
    for (const char *at = x->query; at && *at;) {
        size_t size = strcspn(at, "&");
        if (size >= name_size && memcmp(at, name, name_size) == 0 &&
            (size == name_size || at[name_size] == '=')) {
            *ret_given = true;
            size_t skip = size == name_size ? size : name_size + 1;
            if (!th_query_decode(at + skip, size - skip, out, room))
                return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                               "the parameter %s is too long or badly encoded", name);
            return THEATER_OK;
        }
        at += size;
        at += *at == '&';
    }
    return THEATER_OK;
}

bool th_parse_number(const char *text, uint64_t *ret)
{
    uint64_t value = 0;
    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || __builtin_mul_overflow(value, UINT64_C(10), &value) ||
            __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
            return false;
    }
    *ret = value;
    return true;
}

theater_status th_exchange_number(const th_exchange *x, const char *name, uint64_t *ret,
                                  theater_error *reterr)
{
    char text[32];
    bool given;
    theater_status status = th_exchange_query(x, name, text, sizeof text, &given, reterr);
    if (!status && given && !th_parse_number(text, ret))
        status = th_fail(reterr, THEATER_INVALID_ARGUMENT, "the parameter %s is a whole number", name);
    return status;
}

theater_status th_exchange_flag(const th_exchange *x, const char *name, bool *ret, theater_error *reterr)
{
    char text[8];
    bool given;
    theater_status status = th_exchange_query(x, name, text, sizeof text, &given, reterr);
    if (status || !given)
        return status;
    *ret = strcmp(text, "true") == 0 || strcmp(text, "1") == 0 || !*text;
    if (!*ret && strcmp(text, "false") != 0 && strcmp(text, "0") != 0)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "the parameter %s is true or false", name);
    return THEATER_OK;
}

/* ---- work ---------------------------------------------------------------------------------------------- */

static void on_work(uv_work_t *work)
{
    th_exchange *x = work->data;
    theater_folder *folder = NULL;
    if (__atomic_load_n(&x->gone, __ATOMIC_RELAXED))
        return;
    theater_error error = {0};
    if (th_folders_get(x->server, &folder, &error))
        th_reply_error(x, &error);
    else
        x->work_run(x, folder);
    th_folders_put(x->server, folder);
}

static void after_work(uv_work_t *work, int result)
{
    th_exchange *x = work->data;
    th_server *server = x->server;
    (void)result;
    server->works--;
    server->operations--;
    if (x->connection)
        th_exchange_reply(x);
    th_exchange_drop(x);
    th_drain_continue(server);
}

void th_exchange_overloaded(th_exchange *x, const char *detail)
{
    th_reply_header(x, "Retry-After: 1");
    th_reply_problem(x, 503, "overloaded", "overloaded", detail);
    th_exchange_reply(x);
}

void th_exchange_work(th_exchange *x, th_worker_handler run)
{
    th_server *server = x->server;
    if (server->works >= TH_WORKS_MAX) {
        th_exchange_overloaded(x, "too many requests wait for work; try again in a second");
        return;
    }
    th_exchange_hold(x);
    server->works++;
    x->work_run = run;
    x->work.data = x;
    int result = uv_queue_work(&server->loop, &x->work, on_work, after_work);
    th_assert(result == 0); /* it fails only without a function */
}
