/* From bytes to requests: llhttp's callbacks, and what is refused before a handler sees it. */
#include <stdio.h>
#include <strings.h>

#include "server/internal.h"
#include "server/websocket.h"

static th_connection *connection_of(llhttp_t *parser)
{
    return parser->data;
}

static int refuse(th_connection *c, unsigned status)
{
    c->parse_status = status;
    return HPE_USER;
}

static int on_begin(llhttp_t *parser)
{
    th_connection *c = connection_of(parser);
    if (c->ended_input)
        return -1;
    th_exchange *x = th_exchange_new(c);
    if (!x)
        return refuse(c, 503);
    c->reading = x;
    c->body_progress = 0;
    th_connection_expect(c, false);
    return 0;
}

static int append_head(th_connection *c, th_span *span, const char *at, size_t size, unsigned too_large)
{
    th_exchange *x = c->reading;
    if (memchr(at, 0, size))
        return refuse(c, 400);
    if (x->head.size + size + 2 > TH_HEAD_MAX)
        return refuse(c, too_large);
    if (span->size == 0)
        span->at = (uint32_t)x->head.size;
    if (th_buf_append(&x->head, th_slice_of(at, size), NULL))
        return refuse(c, 503);
    span->size += (uint32_t)size;
    return 0;
}

static int end_span(th_connection *c, th_span *span)
{
    th_exchange *x = c->reading;
    if (span->size == 0)
        span->at = (uint32_t)x->head.size;
    return th_buf_append_byte(&x->head, 0, NULL) ? refuse(c, 431) : 0;
}

static int on_url(llhttp_t *parser, const char *at, size_t size)
{
    th_connection *c = connection_of(parser);
    return append_head(c, &c->reading->target, at, size, 414);
}

static int on_url_complete(llhttp_t *parser)
{
    th_connection *c = connection_of(parser);
    return end_span(c, &c->reading->target);
}

/* Trailers are read and dropped. Their exchange may have left the connection: it was answered before its body came. */
static bool is_trailer(const th_exchange *x)
{
    return !x || x->head_complete;
}

static int on_field(llhttp_t *parser, const char *at, size_t size)
{
    th_connection *c = connection_of(parser);
    th_exchange *x = c->reading;
    if (is_trailer(x))
        return 0;
    if (x->header_count >= TH_HEADERS_MAX)
        return refuse(c, 431);
    return append_head(c, &x->headers[x->header_count].name, at, size, 431);
}

static int on_field_complete(llhttp_t *parser)
{
    th_connection *c = connection_of(parser);
    th_exchange *x = c->reading;
    return is_trailer(x) ? 0 : end_span(c, &x->headers[x->header_count].name);
}

static int on_value(llhttp_t *parser, const char *at, size_t size)
{
    th_connection *c = connection_of(parser);
    th_exchange *x = c->reading;
    return is_trailer(x) ? 0 : append_head(c, &x->headers[x->header_count].value, at, size, 431);
}

static int on_value_complete(llhttp_t *parser)
{
    th_connection *c = connection_of(parser);
    th_exchange *x = c->reading;
    if (is_trailer(x))
        return 0;
    int result = end_span(c, &x->headers[x->header_count].value);
    x->header_count++;
    return result;
}

/* ---- the head is there --------------------------------------------------------------------------------- */

static void not_routed(th_exchange *x, uint64_t allow)
{
    char methods[128];
    if (!allow) {
        th_reply_problem(x, 404, "not-found", "not found",
                         "there is no such path; /v1/openapi.json lists them");
        return;
    }
    th_route_allow(allow, methods, sizeof methods);
    th_reply_header(x, "Allow: %s", methods);
    if (x->method == HTTP_OPTIONS) {
        th_reply_text(x, 204, NULL, (th_slice){0});
        return;
    }
    char detail[200];
    snprintf(detail, sizeof detail, "this path knows %s", methods);
    th_reply_problem(x, 405, "method-not-allowed", "method not allowed", detail);
}

/* Exactly one Host, as RFC 9112 wants of HTTP/1.1. */
static bool check_host(th_exchange *x)
{
    unsigned hosts = 0;
    for (unsigned i = 0; i < x->header_count; i++)
        hosts += x->headers[i].name.size == 4 &&
                 strcasecmp((char *)x->head.data + x->headers[i].name.at, "host") == 0;
    if (hosts == 1 || (hosts == 0 && x->minor_0))
        return true;
    x->close_after = true;
    th_reply_problem(x, 400, "bad-request", "bad request", "a request has one Host header");
    return false;
}

static bool check_length(th_exchange *x, llhttp_t *parser)
{
    if (!(parser->flags & F_CONTENT_LENGTH))
        return true;
    if (x->route->streams || parser->content_length <= x->server->options.max_body_bytes)
        return true;
    char detail[120];
    snprintf(detail, sizeof detail, "a body has at most %llu bytes",
             (unsigned long long)x->server->options.max_body_bytes);
    x->close_after = true;
    th_reply_problem(x, 413, "too-large", "too large", detail);
    return false;
}

static void expect_continue(th_exchange *x)
{
    const char *expect = th_exchange_header(x, "expect");
    th_connection *c = x->connection;
    if (!expect || strcasecmp(expect, "100-continue") != 0 || c->first != x || x->minor_0)
        return;
    th_buf line;
    th_buf_init(&line, 64);
    if (!th_buf_append(&line, th_slice_text("HTTP/1.1 100 Continue\r\n\r\n"), NULL))
        th_connection_send(c, &line);
}

#define DISCARD_MAX ((uint64_t)1 << 20)

/* Answered before the body came: a small one is read and dropped, so that the connection can go on. */
static void refuse_early(th_exchange *x, llhttp_t *parser)
{
    bool known = (parser->flags & F_CONTENT_LENGTH) != 0, chunked = (parser->flags & F_CHUNKED) != 0;
    x->refused = true;
    if ((known && parser->content_length > DISCARD_MAX) || chunked || th_exchange_header(x, "expect"))
        x->close_after = true;
    th_exchange_reply(x);
}

static int on_headers_complete(llhttp_t *parser)
{
    th_connection *c = connection_of(parser);
    th_exchange *x = c->reading;
    x->head_complete = true;
    x->method = llhttp_get_method(parser);
    x->minor_0 = parser->http_minor == 0;
    x->keep_alive = llhttp_should_keep_alive(parser) && !c->server->draining;
    if (parser->http_major != 1)
        return refuse(c, 505);
    /* The head does not move any more. */
    x->path = (char *)x->head.data + x->target.at;
    x->query = strchr(x->path, '?');
    if (x->query)
        *x->query++ = 0;
    th_connection_expect(c, false);
    uint64_t allow = 0;
    x->route = th_route_find(x, &allow);
    th_allow_origin(x, allow);
    bool good = check_host(x);
    if (good && !x->route)
        not_routed(x, allow);
    good = good && x->route && th_authorize(x, x->route->scope) && check_length(x, parser);
    if (!good) {
        refuse_early(x, parser);
        return c->closing ? HPE_USER : 0;
    }
    expect_continue(x);
    if (x->route->streams)
        x->route->handler(x);
    return c->closing ? HPE_USER : 0;
}

/* ---- the body ------------------------------------------------------------------------------------------ */

#define PROGRESS_BYTES 65536

static int on_body(llhttp_t *parser, const char *at, size_t size)
{
    th_connection *c = connection_of(parser);
    th_exchange *x = c->reading;
    c->body_progress += size;
    if (c->body_progress >= PROGRESS_BYTES || (x && x->route && x->route->streams)) {
        c->body_progress = 0;
        th_connection_expect(c, false);
    }
    if (!x || x->refused)
        return 0;
    if (x->route->streams) {
        if (x->on_body)
            x->on_body(x, th_slice_of(at, size));
        return c->closing ? HPE_USER : 0;
    }
    th_server *server = c->server;
    if (x->body.size + size > server->options.max_body_bytes)
        return refuse(c, 413);
    if (server->body_bytes + size > server->options.body_memory_bytes ||
        th_buf_append(&x->body, th_slice_of(at, size), NULL))
        return refuse(c, 503);
    server->body_bytes += size;
    x->body_counted += size;
    return 0;
}

static int on_complete(llhttp_t *parser)
{
    th_connection *c = connection_of(parser);
    th_exchange *x = c->reading;
    c->reading = NULL;
    if (!x)
        return 0;
    x->complete = true;
    if (x->refused) {
        th_connection_flush(c);
    } else if (x->route->streams) {
        if (x->on_complete)
            x->on_complete(x);
    } else if (x->route->work) {
        th_exchange_work(x, x->route->work);
    } else {
        x->route->handler(x);
    }
    if (c->closing)
        return HPE_USER;
    return th_connection_may_parse(c) ? 0 : HPE_PAUSED;
}

/* ---- running the parser -------------------------------------------------------------------------------- */

static const struct {
    unsigned status;
    const char *name, *title, *detail;
} refusals[] = {
    {400, "bad-request", "bad request", "this is no HTTP/1.1 request"},
    {413, "too-large", "too large", "the body is larger than this server takes"},
    {414, "uri-too-long", "the address is too long",
     "the request line has more bytes than this server takes"},
    {431, "headers-too-large", "the headers are too large",
     "the headers have more bytes, or are more, than this server takes"},
    {503, "overloaded", "overloaded", "the server has no memory for this request now"},
    {505, "version", "HTTP version not supported", "this server speaks HTTP/1.1 and HTTP/1.0"},
};

/* What cannot be read ends the connection, behind the answers to what could. */
static void refuse_input(th_connection *c, llhttp_errno_t error)
{
    if (c->ended_input || error == HPE_CLOSED_CONNECTION) {
        /* Behind a request that said it is the last. */
        c->ended_input = true;
        th_connection_flush(c);
        return;
    }
    /* Not every callback's HPE_USER comes through: most have an error of their own. */
    unsigned status = c->parse_status ? c->parse_status : 400;
    if (error == HPE_INVALID_VERSION)
        status = 505;
    size_t i = 0;
    while (refusals[i].status != status)
        i++;
    th_exchange *x = c->reading;
    c->reading = NULL;
    c->ended_input = true;
    c->close_after = true;
    if (!x || x->started || x->ended)
        x = x && x->ended ? NULL : x ? x : th_exchange_new(c);
    if (!x) {
        th_connection_flush(c);
        return;
    }
    x->close_after = true;
    if (x->on_gone)
        x->on_gone(x);
    if (x->ended || x->started) {
        th_connection_flush(c);
        return;
    }
    th_reply_problem(x, status, refusals[i].name, refusals[i].title, refusals[i].detail);
    th_exchange_reply(x);
}

static size_t parse_some(th_connection *c, const uint8_t *data, size_t size)
{
    size_t used = 0;
    while (used < size && th_connection_may_parse(c)) {
        if (c->websocket)
            return used + th_websocket_input(c->websocket, data + used, size - used);
        const char *at = (const char *)data + used;
        llhttp_errno_t error = llhttp_execute(&c->parser, at, size - used);
        if (c->closing)
            return size;
        if (error == HPE_OK)
            return size;
        if (error != HPE_PAUSED && error != HPE_PAUSED_UPGRADE) {
            refuse_input(c, error);
            return size;
        }
        used = (size_t)((const uint8_t *)llhttp_get_error_pos(&c->parser) - data);
        if (error == HPE_PAUSED)
            llhttp_resume(&c->parser);
        else if (!c->websocket)
            llhttp_resume_after_upgrade(&c->parser);
    }
    return used;
}

size_t th_connection_parse(th_connection *c, const uint8_t *data, size_t size)
{
    c->parsing = true;
    size_t used = parse_some(c, data, size);
    c->parsing = false;
    return used;
}

static llhttp_settings_t settings;

void th_parser_init(th_connection *c)
{
    if (!settings.on_message_begin) {
        llhttp_settings_init(&settings);
        settings.on_url = on_url;
        settings.on_url_complete = on_url_complete;
        settings.on_header_field = on_field;
        settings.on_header_field_complete = on_field_complete;
        settings.on_header_value = on_value;
        settings.on_header_value_complete = on_value_complete;
        settings.on_headers_complete = on_headers_complete;
        settings.on_body = on_body;
        settings.on_message_complete = on_complete;
        settings.on_message_begin = on_begin;
    }
    llhttp_init(&c->parser, HTTP_REQUEST, &settings);
    c->parser.data = c;
}
