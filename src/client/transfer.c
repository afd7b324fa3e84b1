/* One request and its answer, over libcurl.
 *
 * Everything runs on the caller's thread: a loop over libcurl's multi interface, so that one may look at an
 * interruption and at a file descriptor of one's own while bytes go both ways. The connection is kept from
 * one call to the next. */
#include "client/internal.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define CONNECT_SECONDS 10L
#define STALL_SECONDS 300L
#define ROUND_MS 200

/* What the callbacks have. */
typedef struct transfer {
    th_client *client;
    th_call *call;
    theater_error error; /* of a callback that ended it */
} transfer;

/* ---- headers and body ---------------------------------------------------------------------------------- */

static bool header_value(th_slice line, const char *name, char *out, size_t room)
{
    size_t size = strlen(name);
    if (line.size <= size || strncasecmp((const char *)line.data, name, size) != 0 || line.data[size] != ':')
        return false;
    const char *at = (const char *)line.data + size + 1, *end = (const char *)line.data + line.size;
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    while (end > at && (unsigned char)end[-1] <= ' ')
        end--;
    if ((size_t)(end - at) >= room)
        return false;
    memcpy(out, at, (size_t)(end - at));
    out[end - at] = 0;
    return true;
}

static size_t on_header(char *bytes, size_t one, size_t size, void *context)
{
    transfer *self = context;
    th_headers *headers = &self->call->headers;
    th_slice line = th_slice_of(bytes, one * size);
    char value[128];
    if (line.size > 5 && memcmp(line.data, "HTTP/", 5) == 0)
        *headers = (th_headers){0};
    else if (header_value(line, "Theater-Sequence", value, sizeof value))
        headers->sequence = strtoull(value, NULL, 10), headers->has_sequence = true;
    else if (header_value(line, "Theater-Fuel", value, sizeof value))
        headers->fuel = strtoull(value, NULL, 10);
    else if (header_value(line, "Theater-Bundle-Size", value, sizeof value))
        headers->bundle_size = strtoull(value, NULL, 10);
    else if (header_value(line, "Theater-Repeated", value, sizeof value))
        headers->repeated = strcmp(value, "true") == 0;
    else if (header_value(line, "Theater-Element", value, sizeof value))
        headers->has_element = th_hex_decode(value, strlen(value), headers->element.bytes, THEATER_HASH_SIZE);
    else if (header_value(line, "Theater-State-Root", value, sizeof value))
        headers->has_root = th_hex_decode(value, strlen(value), headers->root.bytes, THEATER_HASH_SIZE);
    else if (header_value(line, "Content-Type", value, sizeof value))
        headers->problem = strncasecmp(value, "application/problem+json", 24) == 0;
    return line.size;
}

static size_t on_body(char *bytes, size_t one, size_t size, void *context)
{
    transfer *self = context;
    th_call *call = self->call;
    th_slice got = th_slice_of(bytes, one * size);
    long status = 0;
    curl_easy_getinfo(self->client->easy, CURLINFO_RESPONSE_CODE, &status);
    call->status = status;
    bool good = status >= 200 && status < 300;
    if (good && call->sink) {
        call->enough = !call->sink(call->context, call, got);
        return call->enough ? 0 : got.size;
    }
    call->answer.max = good ? TH_ANSWER_MAX : TH_PROBLEM_MAX;
    return th_buf_append(&call->answer, got, &self->error) ? 0 : got.size;
}

/* ---- what can go wrong on the way ---------------------------------------------------------------------- */

static theater_status fail_transfer(const transfer *self, CURLcode code, theater_error *reterr)
{
    const th_client *client = self->client;
    const char *where = client->server;
    const char *words = client->curl_error[0] ? client->curl_error : curl_easy_strerror(code);
    long number = 0;
    switch (code) {
    case CURLE_COULDNT_CONNECT:
        curl_easy_getinfo(client->easy, CURLINFO_OS_ERRNO, &number);
        return th_fail(reterr, THEATER_IO, "no server answers at %s: %s", where,
                       number ? strerror((int)number) : words);
    case CURLE_COULDNT_RESOLVE_HOST:
        return th_fail(reterr, THEATER_IO, "no server answers at %s: its host is not known", where);
    case CURLE_OPERATION_TIMEDOUT:
        return th_fail(reterr, THEATER_TIMEOUT, "the server at %s does not answer: %s", where, words);
    case CURLE_PEER_FAILED_VERIFICATION:
        /* With a file given, what is wrong may as well be the name or the time. */
        return th_fail(reterr, THEATER_PERMISSION, "the certificate of %s cannot be trusted (%s)%s%s", where, words,
                       client->authority ? " by " : "; --ca FILE names who signed it",
                       client->authority ? client->authority : "");
    case CURLE_SSL_CACERT_BADFILE:
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s holds no certificate (PEM)", client->authority);
    case CURLE_SSL_CONNECT_ERROR:
        return th_fail(reterr, THEATER_IO, "no TLS with %s: %s", where, words);
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        if (client->socket_path || code == CURLE_UNSUPPORTED_PROTOCOL)
            break;
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "\"%.200s\" is no address of a server: say http://HOST:PORT, https://HOST:PORT or "
                       "unix:PATH",
                       where);
    case CURLE_OUT_OF_MEMORY:
        return th_fail_memory(reterr, "a request");
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
        return th_fail(reterr, THEATER_IO, "the server at %s went away before its answer was whole (%s)",
                       where, words);
    default:
        break;
    }
    return th_fail(reterr, THEATER_IO, "%s: %s", where, words);
}

/* ---- what the server refuses --------------------------------------------------------------------------- */

/* Names of problems that are HTTP's own. */
static theater_status of_http(long http)
{
    switch (http) {
    case 401:
    case 403:
        return THEATER_PERMISSION;
    case 404:
        return THEATER_NOT_FOUND;
    case 408:
    case 504:
        return THEATER_TIMEOUT;
    case 413:
    case 414:
    case 431:
        return THEATER_TOO_LARGE;
    case 429:
        return THEATER_MAILBOX_FULL;
    case 503:
        return THEATER_BUSY;
    default:
        return http >= 400 && http < 500 ? THEATER_INVALID_ARGUMENT : THEATER_IO;
    }
}

static theater_status fail_problem(const th_client *client, const th_call *call, theater_error *reterr)
{
    static const char prefix[] = "urn:theater:problem:";
    theater_status status = of_http(call->status);
    th_arena arena;
    th_arena_init(&arena, TH_PROBLEM_MAX * 64);
    const th_value *root = NULL;
    th_slice type = {0}, detail = {0};
    if (call->headers.problem)
        (void)!th_value_parse(th_buf_slice(&call->answer), &arena, &root, NULL);
    if (th_value_text(root, "type", &type) && type.size > sizeof prefix - 1 &&
        memcmp(type.data, prefix, sizeof prefix - 1) == 0)
        (void)th_decode_status(th_slice_of(type.data + sizeof prefix - 1, type.size - (sizeof prefix - 1)),
                               &status);
    if (th_value_text(root, "detail", &detail) && detail.size > 0)
        th_fail(reterr, status, "%.*s", (int)(detail.size < 1023 ? detail.size : 1023),
                (const char *)detail.data);
    else
        th_fail(reterr, status, "the server at %s answers with status %ld", client->server, call->status);
    th_arena_done(&arena);
    return status;
}

theater_status th_answer_unknown(const th_client *client, const char *what, theater_error *reterr)
{
    return th_fail(reterr, THEATER_VERSION,
                   "the server at %s (Theater %s) gives %s in a form that this program (%s) does not know",
                   client->server, client->version, what, theater_version());
}

theater_status th_call_json(th_client *client, const th_call *call, th_arena *arena, const th_value **ret,
                            theater_error *reterr)
{
    theater_status status = th_value_parse(th_buf_slice(&call->answer), arena, ret, reterr);
    return status == THEATER_IO ? th_fail_in(reterr, status, "the answer of %s", client->server) : status;
}

/* ---- running ------------------------------------------------------------------------------------------- */

static void set_way(th_client *client, const th_call *call)
{
    CURL *easy = client->easy;
    curl_easy_reset(easy); /* keeps the connection */
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, client->curl_error);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    if (!call->stream) {
        curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, STALL_SECONDS);
    }
    if (client->socket_path)
        curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, client->socket_path);
    else
        curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    if (client->authority)
        curl_easy_setopt(easy, CURLOPT_CAINFO, client->authority);
}

static bool add_header(struct curl_slist **list, const char *line)
{
    struct curl_slist *more = curl_slist_append(*list, line);
    if (more)
        *list = more;
    return more != NULL;
}

static bool set_headers(th_client *client, const th_call *call, struct curl_slist **list)
{
    char type[128];
    bool good = add_header(list, "Expect:"); /* nobody waits a second for a 100 */
    if (client->authorization)
        good = good && add_header(list, client->authorization);
    snprintf(type, sizeof type, "Content-Type:%s%s", call->type ? " " : "", call->type ? call->type : "");
    good = good && add_header(list, type);
    if (call->extra)
        good = good && add_header(list, call->extra);
    if (call->extra2)
        good = good && add_header(list, call->extra2);
    if (call->read)
        good = good && add_header(list, "Transfer-Encoding: chunked");
    return good;
}

static theater_status set_request(transfer *self, struct curl_slist **list, theater_error *reterr)
{
    th_client *client = self->client;
    th_call *call = self->call;
    CURL *easy = client->easy;
    th_buf url;
    th_buf_init(&url, (size_t)1 << 20);
    theater_status status = th_buf_printf(&url, reterr, "%s%s", client->base, call->path);
    if (!status)
        status = th_buf_append_byte(&url, 0, reterr);
    set_way(client, call);
    if (!status && (curl_easy_setopt(easy, CURLOPT_URL, (const char *)url.data) != CURLE_OK ||
                    !set_headers(client, call, list)))
        status = th_fail_memory(reterr, "a request");
    th_buf_done(&url);
    if (status)
        return status;
    if (strcmp(call->method, "GET") != 0) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method);
        if (!call->read) {
            curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body.size ? (const char *)call->body.data : "");
            curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.size);
        }
    }
    if (call->read) {
        curl_easy_setopt(easy, CURLOPT_READFUNCTION, call->read);
        curl_easy_setopt(easy, CURLOPT_READDATA, call->context);
    }
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, *list);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, self);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, self);
    return THEATER_OK;
}

static bool ended(CURLM *multi, CURLcode *ret)
{
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(multi, &left)))
        if (message->msg == CURLMSG_DONE) {
            *ret = message->data.result;
            return true;
        }
    return false;
}

/* The caller's own descriptor is asked once more: a pipe whose writer is gone shows only a hang-up, which
 * libcurl does not tell of. */
static bool wait_round(CURLM *multi, int fd)
{
    struct curl_waitfd extra = {.fd = fd, .events = CURL_WAIT_POLLIN};
    curl_multi_poll(multi, fd >= 0 ? &extra : NULL, fd >= 0, ROUND_MS, NULL);
    struct pollfd again = {.fd = fd, .events = POLLIN};
    return fd >= 0 && poll(&again, 1, 0) > 0;
}

static theater_status drive(transfer *self, CURLcode *ret, theater_error *reterr)
{
    th_client *client = self->client;
    th_call *call = self->call;
    theater_status status = THEATER_OK;
    bool readable = false;
    for (;;) {
        int running, fd = -1;
        CURLMcode failed = curl_multi_perform(client->multi, &running);
        if (failed)
            return th_fail(reterr, THEATER_IO, "%s: %s", client->server, curl_multi_strerror(failed));
        if (ended(client->multi, ret))
            return THEATER_OK;
        if (!call->goes_on && client->interrupted && client->interrupted())
            return th_fail(reterr, THEATER_INTERRUPTED, "interrupted before the server's answer was there");
        if (call->round)
            status = call->round(call->context, &fd, readable, reterr);
        if (status)
            return status;
        readable = wait_round(client->multi, fd);
    }
}

theater_status th_call_run(th_client *client, th_call *call, theater_error *reterr)
{
    transfer self = {.client = client, .call = call};
    struct curl_slist *list = NULL;
    CURLcode code = CURLE_OK;
    th_buf_done(&call->answer);
    th_buf_init(&call->answer, TH_ANSWER_MAX);
    call->headers = (th_headers){0};
    call->status = 0;
    call->enough = false;
    client->curl_error[0] = 0;
    theater_status status = set_request(&self, &list, reterr);
    if (!status) {
        curl_multi_add_handle(client->multi, client->easy);
        status = drive(&self, &code, reterr);
        curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &call->status);
        curl_multi_remove_handle(client->multi, client->easy);
    }
    curl_slist_free_all(list);
    if (status || call->enough)
        return status;
    if (self.error.status) {
        if (reterr)
            *reterr = self.error;
        return self.error.status;
    }
    /* A refusal may come while the request is still on its way, which then breaks. */
    if (code != CURLE_OK && !(call->status >= 400 && call->headers.problem && call->answer.size > 0))
        return fail_transfer(&self, code, reterr);
    return call->status >= 200 && call->status < 300 ? THEATER_OK : fail_problem(client, call, reterr);
}

void th_call_done(th_call *call)
{
    th_buf_done(&call->answer);
}

/* ---- paths --------------------------------------------------------------------------------------------- */

theater_status th_escape(th_slice text, char *out, size_t room, theater_error *reterr)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t used = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     (c && strchr("-._~", c));
        if (used + 4 > room)
            return th_fail(reterr, THEATER_TOO_LARGE, "a parameter of %zu bytes is too long for a request",
                           text.size);
        if (plain) {
            out[used++] = (char)c;
        } else {
            out[used++] = '%';
            out[used++] = digits[c >> 4];
            out[used++] = digits[c & 15];
        }
    }
    out[used] = 0;
    return THEATER_OK;
}

/* A name, or a name and an id: what theater_folder_actor takes. */
static bool name_fits(const char *name)
{
    const char *mark = strchr(name, '#');
    size_t size = mark ? (size_t)(mark - name) : strlen(name);
    if (mark && (!mark[1] || strlen(mark) > 21 || mark[1 + strspn(mark + 1, "0123456789")]))
        return false;
    return th_name_valid(th_slice_of(name, size));
}

theater_status th_actor_path(char out[TH_PATH_MAX], const char *name, theater_error *reterr,
                             const char *format, ...)
{
    char escaped[512];
    if (!name_fits(name))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "\"%.140s\" is no actor's name: labels of a-z 0-9 - _ joined by dots, or NAME#ID",
                       name);
    theater_status status = th_escape(th_slice_text(name), escaped, sizeof escaped, reterr);
    if (status)
        return status;
    int size = snprintf(out, TH_PATH_MAX, "/v1/actors/%s", escaped);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(out + size, (size_t)(TH_PATH_MAX - size), format, arguments);
    va_end(arguments);
    return THEATER_OK;
}
