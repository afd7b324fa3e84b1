/* Replies: problem documents, JSON, compression, ETags, whole and in pieces. */
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>
#include <zlib.h>

#include "server/internal.h"

#define COMPRESS_FROM ((size_t)1024)
#define COMPRESS_TO ((size_t)4 << 20)

const char *th_http_reason(unsigned status)
{
    static const struct {
        unsigned status;
        const char *reason;
    } reasons[] = {{101, "Switching Protocols"},
                   {200, "OK"},
                   {201, "Created"},
                   {202, "Accepted"},
                   {204, "No Content"},
                   {304, "Not Modified"},
                   {400, "Bad Request"},
                   {401, "Unauthorized"},
                   {403, "Forbidden"},
                   {404, "Not Found"},
                   {405, "Method Not Allowed"},
                   {408, "Request Timeout"},
                   {409, "Conflict"},
                   {413, "Content Too Large"},
                   {414, "URI Too Long"},
                   {415, "Unsupported Media Type"},
                   {422, "Unprocessable Content"},
                   {426, "Upgrade Required"},
                   {429, "Too Many Requests"},
                   {431, "Request Header Fields Too Large"},
                   {500, "Internal Server Error"},
                   {503, "Service Unavailable"},
                   {504, "Gateway Timeout"},
                   {505, "HTTP Version Not Supported"}};
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Status";
}

/* ---- filling a reply ----------------------------------------------------------------------------------- */

void th_reply_header(th_exchange *x, const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    size_t used = size < 0 ? 0 : (size_t)size < sizeof line ? (size_t)size : sizeof line - 1;
    /* A line break in a value would be another header. */
    for (size_t i = 0; i < used; i++)
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = ' ';
    theater_status status = th_buf_append(&x->reply.headers, th_slice_of(line, used), NULL);
    if (!status)
        status = th_buf_append(&x->reply.headers, th_slice_text("\r\n"), NULL);
    if (status && x->reply.headers.size > 0)
        th_buf_clear(&x->reply.headers); /* rather no header than half a line */
}

void th_reply_text(th_exchange *x, unsigned status, const char *type, th_slice body)
{
    x->reply.status = status;
    x->reply.type = type;
    th_buf_clear(&x->reply.body);
    if (th_buf_append(&x->reply.body, body, NULL))
        x->reply.status = 503;
}

void th_reply_problem(th_exchange *x, unsigned http, const char *name, const char *title, const char *detail)
{
    x->reply.etag[0] = 0;
    x->reply.immutable = x->reply.packed = false;
    x->reply.cache = x->reply.policy = NULL;
    th_buf_clear(&x->reply.body);
    th_json json = th_reply_json(x, http);
    x->reply.type = "application/problem+json";
    char type[80];
    snprintf(type, sizeof type, "urn:theater:problem:%s", name);
    th_json_open(&json, '{');
    th_json_field_string(&json, "type", type);
    th_json_field_string(&json, "title", title);
    th_json_field_uint(&json, "status", http);
    th_json_field_string(&json, "detail", detail);
    th_json_close(&json, '}');
    if (json.status)
        th_buf_clear(&x->reply.body);
}

void th_reply_error(th_exchange *x, const theater_error *error)
{
    if (error->status == THEATER_MAILBOX_FULL)
        th_reply_header(x, "Retry-After: 1");
    unsigned http = (unsigned)theater_status_http(error->status);
    if (http == 503)
        th_reply_header(x, "Retry-After: 5");
    th_reply_problem(x, http, theater_status_name(error->status), theater_status_text(error->status),
                     error->message);
}

th_json th_reply_json(th_exchange *x, unsigned status)
{
    x->reply.status = status;
    x->reply.type = "application/json";
    th_buf_clear(&x->reply.body);
    return th_json_begin(&x->reply.body);
}

void th_reply_json_end(th_exchange *x, const th_json *json)
{
    theater_error error;
    if (json->status) {
        th_fail(&error, json->status, "the reply has no room");
        th_reply_error(x, &error);
    }
}

bool th_reply_etag(th_exchange *x, const char *etag)
{
    char quoted[80];
    snprintf(x->reply.etag, sizeof x->reply.etag, "%s", etag);
    snprintf(quoted, sizeof quoted, "\"%s\"", x->reply.etag);
    x->reply.immutable = true;
    const char *match = th_exchange_header(x, "if-none-match");
    if (!match || (!strstr(match, quoted) && strcmp(match, "*") != 0))
        return false;
    th_reply_text(x, 304, NULL, (th_slice){0});
    return true;
}

bool th_reply_etag_hash(th_exchange *x, const theater_hash *hash, const char *suffix)
{
    char etag[72];
    th_hex_encode(th_slice_of(hash->bytes, sizeof hash->bytes), etag);
    snprintf(etag + 64, sizeof etag - 64, "%s", suffix);
    return th_reply_etag(x, etag);
}

/* ---- sending it ---------------------------------------------------------------------------------------- */

static bool put(th_exchange *x, const char *text)
{
    return th_buf_append(&x->out, th_slice_text(text), NULL) == THEATER_OK;
}

static bool compressible(const char *type)
{
    return type && (strncmp(type, "application/json", 16) == 0 || strncmp(type, "text/", 5) == 0 ||
                    strcmp(type, "image/svg+xml") == 0);
}

/* RFC 9110, section 12.5.3: a coding with the weight 0 is refused. Spaces may stand around each of its parts. */
bool th_accepts_gzip(const th_exchange *x)
{
    static const char spaces[] = " \t";
    const char *at = th_exchange_header(x, "accept-encoding");
    while (at && *at) {
        at += strspn(at, spaces);
        size_t size = strcspn(at, ",; \t");
        bool is_gzip = size == 4 && strncasecmp(at, "gzip", 4) == 0;
        at += size;
        const char *end = at + strcspn(at, ",");
        if (is_gzip) {
            at += strspn(at, "; \t");
            bool weighed = strncasecmp(at, "q=", 2) == 0;
            const char *digit = weighed ? at + 2 + strspn(at + 2, "0.") : end;
            return !weighed || (*digit >= '1' && *digit <= '9');
        }
        at = end + (*end == ',');
    }
    return false;
}

/* Compresses the body where the client takes that and it gains something. */
static bool compress_body(th_exchange *x)
{
    th_buf *body = &x->reply.body;
    if (x->reply.packed)
        return true;
    if (!compressible(x->reply.type) || body->size < COMPRESS_FROM || body->size > COMPRESS_TO ||
        !th_accepts_gzip(x))
        return false;
    z_stream stream = {0};
    if (deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    th_buf packed;
    th_buf_init(&packed, TH_REPLY_MAX);
    uint8_t *room;
    size_t bound = deflateBound(&stream, body->size);
    bool good = th_buf_extend(&packed, bound, &room, NULL) == THEATER_OK;
    if (good) {
        stream.next_in = body->data;
        stream.avail_in = (uInt)body->size;
        stream.next_out = room;
        stream.avail_out = (uInt)bound;
        good = deflate(&stream, Z_FINISH) == Z_STREAM_END && stream.total_out < body->size;
    }
    deflateEnd(&stream);
    if (good) {
        packed.size = stream.total_out;
        th_buf_done(body);
        *body = packed;
    } else {
        th_buf_done(&packed);
    }
    return good;
}

/* Every reply has a head, so it is laid out by hand into room that was made for all of it: printing it
 * took a tenth of the time of a request. */
static void lay(uint8_t **at, const char *text)
{
    size_t size = strlen(text);
    memcpy(*at, text, size);
    *at += size;
}

static void lay_line(uint8_t **at, const char *name, const char *value)
{
    lay(at, name);
    lay(at, value);
    lay(at, "\r\n");
}

static void lay_number(uint8_t **at, size_t number)
{
    char digits[TH_DECIMAL_MAX];
    size_t size = th_decimal_encode(number, digits);
    memcpy(*at, digits, size);
    *at += size;
}

#define STANDING                                                                                             \
    "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"                                    \
    "Cross-Origin-Resource-Policy: same-origin\r\n"
/* More than all that lay_head writes but what the reply names itself. */
#define HEAD_ROOM 512

static bool bodyless(const th_reply *reply)
{
    return reply->status == 204 || reply->status == 304;
}

/* The head, and for a whole reply the length of the body; `more` bytes are to follow. */
static bool put_head(th_exchange *x, bool compressed, bool whole, size_t more)
{
    const th_reply *reply = &x->reply;
    const char *reason = th_http_reason(reply->status);
    const char *type = reply->type ? reply->type : "";
    const char *cache = reply->cache       ? reply->cache
                        : reply->immutable ? "private, max-age=31536000, immutable"
                                           : "no-store";
    const char *policy = reply->policy ? reply->policy : "default-src 'none'; frame-ancestors 'none'";
    size_t named = strlen(reason) + strlen(type) + strlen(reply->etag) + strlen(cache) + strlen(policy);
    if (th_buf_reserve(&x->out, HEAD_ROOM + named + reply->headers.size + more, NULL))
        return false;
    uint8_t *begin = x->out.data + x->out.size, *at = begin;
    lay(&at, "HTTP/1.1 ");
    lay_number(&at, reply->status);
    lay_line(&at, " ", reason);
    if (reply->type)
        lay_line(&at, "Content-Type: ", type);
    if (reply->etag[0]) {
        lay(&at, "ETag: \"");
        lay_line(&at, reply->etag, "\"");
    }
    lay_line(&at, "Cache-Control: ", cache);
    lay_line(&at, "Content-Security-Policy: ", policy);
    lay(&at, STANDING);
    if (compressible(reply->type))
        lay(&at, "Vary: Accept-Encoding\r\n");
    if (compressed)
        lay(&at, "Content-Encoding: gzip\r\n");
    if (reply->headers.size)
        memcpy(at, reply->headers.data, reply->headers.size);
    at += reply->headers.size;
    if (whole && !bodyless(reply)) {
        lay(&at, "Content-Length: ");
        lay_number(&at, reply->body.size);
        lay(&at, "\r\n");
    }
    if (!whole && x->chunked)
        lay(&at, "Transfer-Encoding: chunked\r\n");
    if (x->server->draining || !x->keep_alive)
        x->close_after = true;
    if (x->close_after)
        lay(&at, "Connection: close\r\n");
    else if (x->minor_0)
        lay(&at, "Connection: keep-alive\r\n");
    lay(&at, "\r\n");
    th_assert((size_t)(at - begin) <= HEAD_ROOM + named + reply->headers.size);
    x->out.size += (size_t)(at - begin);
    return true;
}

static void finished(th_exchange *x)
{
    x->ended = true;
    uint64_t nanoseconds = uv_hrtime() - x->began_ns;
    th_figures *figures = &x->server->figures;
    figures->responses[x->reply.status / 100 < 6 ? x->reply.status / 100 : 5]++;
    th_histogram_add(&figures->requests, nanoseconds);
    if (x->server->options.log_requests)
        th_server_log_request(x, nanoseconds);
    if (x->connection)
        th_connection_flush(x->connection);
}

void th_exchange_reply(th_exchange *x)
{
    if (!x->connection || x->ended)
        return;
    th_reply *reply = &x->reply;
    if (reply->status == 0)
        reply->status = 500;
    bool compressed = compress_body(x);
    bool with_body = !bodyless(reply) && x->method != HTTP_HEAD;
    bool good = put_head(x, compressed, true, with_body ? reply->body.size : 0);
    if (with_body)
        good = good && th_buf_append(&x->out, th_buf_slice(&reply->body), NULL) == THEATER_OK;
    if (reply->body.capacity > TH_EXCHANGE_ROOM)
        th_buf_done(&reply->body);
    if (!good) {
        th_connection_close(x->connection);
        return;
    }
    x->started = true;
    finished(x);
}

void th_exchange_fail(th_exchange *x, const theater_error *error)
{
    th_reply_error(x, error);
    th_exchange_reply(x);
}

/* ---- in pieces ----------------------------------------------------------------------------------------- */

void th_exchange_begin(th_exchange *x)
{
    if (!x->connection)
        return;
    x->started = true;
    x->chunked = !x->minor_0;
    if (x->minor_0)
        x->close_after = true;
    if (!put_head(x, false, false, 0))
        th_connection_close(x->connection);
    else
        th_connection_flush(x->connection);
}

void th_exchange_write(th_exchange *x, th_slice bytes)
{
    if (!x->connection || x->ended || bytes.size == 0 || x->method == HTTP_HEAD)
        return;
    theater_status status = THEATER_OK;
    if (x->chunked)
        status = th_buf_printf(&x->out, NULL, "%zx\r\n", bytes.size);
    if (!status)
        status = th_buf_append(&x->out, bytes, NULL);
    if (!status && x->chunked)
        status = th_buf_append(&x->out, th_slice_text("\r\n"), NULL);
    if (status)
        th_connection_close(x->connection);
    else
        th_connection_flush(x->connection);
}

void th_exchange_end(th_exchange *x)
{
    if (!x->connection || x->ended)
        return;
    if (x->chunked && x->method != HTTP_HEAD && !put(x, "0\r\n\r\n")) {
        th_connection_close(x->connection);
        return;
    }
    finished(x);
}

size_t th_exchange_backlog(const th_exchange *x)
{
    const th_connection *c = x->connection;
    return c ? x->out.size - x->out_at + (c->first == x ? c->writing : 0) : 0;
}
