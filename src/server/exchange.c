#include <strings.h>

#include "server/internal.h"

th_exchange *th_exchange_new(th_connection *c)
{
    th_exchange *x = th_alloc_zero(1, sizeof *x);
    if (!x)
        return NULL;
    x->server = c->server;
    x->connection = c;
    x->holds = 1;
    x->keep_alive = true;
    x->began_ns = uv_hrtime();
    th_buf_init(&x->head, TH_HEAD_MAX);
    th_buf_init(&x->body, (size_t)c->server->options.max_body_bytes);
    th_buf_init(&x->out, TH_REPLY_MAX);
    th_buf_init(&x->reply.headers, 4096);
    th_buf_init(&x->reply.body, TH_REPLY_MAX);
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
    x->server->body_bytes -= x->body_counted;
    th_buf_done(&x->head);
    th_buf_done(&x->body);
    th_buf_done(&x->out);
    th_buf_done(&x->reply.headers);
    th_buf_done(&x->reply.body);
    th_free(x);
}

static const char *text_at(const th_exchange *x, th_span span)
{
    return (const char *)x->head.data + span.at;
}

const char *th_exchange_header(const th_exchange *x, const char *name)
{
    for (unsigned i = 0; i < x->header_count; i++)
        if (strcasecmp(text_at(x, x->headers[i].name), name) == 0)
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

void th_exchange_work(th_exchange *x, th_worker_handler run)
{
    th_server *server = x->server;
    if (server->works >= TH_WORKS_MAX) {
        th_reply_header(x, "Retry-After: 1");
        th_reply_problem(x, 503, "overloaded", "overloaded",
                         "too many requests wait for work; try again in a second");
        th_exchange_reply(x);
        return;
    }
    th_exchange_hold(x);
    server->works++;
    x->work_run = run;
    x->work.data = x;
    int result = uv_queue_work(&server->loop, &x->work, on_work, after_work);
    th_assert(result == 0); /* it fails only without a function */
}
