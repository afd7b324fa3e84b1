/* Who may do what: tokens, origins and hosts.
 *
 * A request over the Unix socket needs nothing: the file's mode guards it, and whoever may use it may say as
 * which principal. One over TCP needs a token when
 * the server listens beyond loopback or was told so; a token that is given is checked in any case. A
 * browser's request must come from a page of the server itself (Origin) and be meant for it (Host, against
 * rebinding of names to 127.0.0.1). */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "server/internal.h"

static uint64_t stamp_of(const char *folder)
{
    char path[4096];
    struct stat info;
    snprintf(path, sizeof path, "%s/tokens", folder);
    if (stat(path, &info))
        return 1;
    uint64_t time = (uint64_t)info.st_mtim.tv_sec * UINT64_C(1000000000) + (uint64_t)info.st_mtim.tv_nsec;
    return (time ^ ((uint64_t)info.st_ino << 20) ^ (uint64_t)info.st_size) | 2;
}

bool th_tokens_reload(th_server *server)
{
    const char *folder = server->options.runtime.folder;
    uint64_t stamp = stamp_of(folder);
    if (stamp == server->tokens_stamp)
        return false;
    th_tokens tokens;
    theater_error error = {0};
    if (th_tokens_read(folder, &tokens, &error)) {
        /* Nobody gets in by a list that cannot be read. */
        th_server_log(server, 4, error.message);
        tokens = (th_tokens){0};
    }
    th_tokens_done(&server->tokens);
    server->tokens = tokens;
    server->tokens_stamp = stamp;
    return true;
}

bool th_tokens_known(const th_tokens *tokens, const char *id)
{
    for (size_t i = 0; i < tokens->count; i++)
        if (strcmp(tokens->list[i].id, id) == 0)
            return true;
    return false;
}

static bool refuse(th_exchange *x, unsigned status, const char *name, const char *title, const char *detail)
{
    if (status == 401)
        th_reply_header(x, "WWW-Authenticate: Bearer realm=\"theater\"");
    th_reply_problem(x, status, name, title, detail);
    return false;
}

/* "http://host:port" names the same place as the Host header. */
static bool same_origin(const th_exchange *x, const char *origin, const char *host)
{
    const char *scheme = x->connection->tls ? "https://" : "http://";
    size_t size = strlen(scheme);
    return host && strncasecmp(origin, scheme, size) == 0 && strcasecmp(origin + size, host) == 0;
}

static bool loopback_name(const char *host)
{
    size_t size = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    return (size == 9 && strncasecmp(host, "localhost", 9) == 0) ||
           (size == 5 && strncmp(host, "[::1]", 5) == 0) ||
           (size >= 7 && strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") >= size);
}

void th_allow_origin(th_exchange *x, uint64_t methods)
{
    const char *origin = th_exchange_header(x, "origin"), *allowed = x->server->options.allow_origin;
    if (!allowed)
        return;
    th_reply_header(x, "Vary: Origin");
    if (!origin || strcmp(origin, allowed) != 0)
        return;
    th_reply_header(x, "Access-Control-Allow-Origin: %s", origin);
    if (x->method != HTTP_OPTIONS) {
        th_reply_header(x, "Access-Control-Expose-Headers: ETag, Location, Retry-After, Theater-Bundle-Size, "
                           "Theater-Element, Theater-Fuel, Theater-Repeated, Theater-Sequence, "
                           "Theater-State-Root");
        return;
    }
    /* What a browser asks before it sends more than a form could. */
    char text[128];
    th_route_allow(methods, text, sizeof text);
    th_reply_header(x, "Access-Control-Allow-Methods: %s", text);
    th_reply_header(x, "Access-Control-Allow-Headers: Authorization, Content-Type, Idempotency-Key, "
                       "If-None-Match, Last-Event-ID");
    th_reply_header(x, "Access-Control-Max-Age: 600");
}

static bool check_browser(th_exchange *x, bool authenticated)
{
    const char *origin = th_exchange_header(x, "origin"), *host = th_exchange_header(x, "host");
    const char *allowed = x->server->options.allow_origin;
    if (origin && !same_origin(x, origin, host) && !(allowed && strcmp(origin, allowed) == 0))
        return refuse(x, 403, "origin", "origin not allowed",
                      "pages of this origin may not use the server; --allow-origin lets one in");
    /* A name that somebody made point here is not the name of this server. */
    if (!authenticated && !x->connection->local && host && !loopback_name(host))
        return refuse(x, 403, "host", "host not allowed",
                      "without a token the Host must be localhost or a loopback address");
    return true;
}

/* The token of the request: *ret_secret is empty when there is none. */
static bool bearer(th_exchange *x, th_slice *ret_secret)
{
    const char *value = th_exchange_header(x, "authorization");
    *ret_secret = (th_slice){0};
    if (!value)
        return true;
    if (strncasecmp(value, "Bearer ", 7) != 0)
        return refuse(x, 401, "unauthorized", "unauthorized", "Authorization is \"Bearer TOKEN\"");
    *ret_secret = th_slice_text(value + 7 + strspn(value + 7, " "));
    return true;
}

/* Who may open the Unix socket may open the data folder, and may name the principal as there. */
static bool take_principal(th_exchange *x)
{
    const char *name = th_exchange_header(x, "theater-principal");
    if (!name)
        return true;
    if (!x->connection->local || x->has_principal)
        return refuse(
            x, 403, "principal", "principal not allowed",
            "Theater-Principal is for the Unix socket, without a token: elsewhere the token's id is the "
            "principal");
    size_t size = strlen(name);
    if (size < 1 || size > TH_PRINCIPAL_MAX || !th_utf8_valid(th_slice_text(name)))
        return refuse(x, 400, "invalid-argument", "invalid argument",
                      "a principal is UTF-8 of 1 to 128 bytes");
    x->has_principal = true;
    memcpy(x->principal, name, size + 1);
    return true;
}

bool th_authorize(th_exchange *x, th_scope scope)
{
    th_slice secret;
    if (!bearer(x, &secret))
        return false;
    const th_token *token = NULL;
    if (secret.size) {
        token = th_tokens_find(&x->server->tokens, secret);
        /* It may have been made within this second. */
        if (!token && th_tokens_reload(x->server)) {
            x->server->tokens_changed = true;
            token = th_tokens_find(&x->server->tokens, secret);
        }
        if (!token)
            return refuse(x, 401, "unauthorized", "unauthorized",
                          "the token is not known: it was revoked, or is another server's");
    }
    if (scope == TH_SCOPE_NONE)
        return true;
    if (!token && x->connection->guarded)
        return refuse(x, 401, "unauthorized", "unauthorized",
                      "a token is needed: \"Authorization: Bearer TOKEN\"; `theater token new` makes one");
    if (!check_browser(x, token != NULL))
        return false;
    if (token && scope == TH_SCOPE_WRITE && !token->write)
        return refuse(x, 403, "scope", "the token may only read", "this token may only read");
    x->may_write = !token || token->write;
    if (token) {
        x->has_principal = x->has_token = true;
        memcpy(x->principal, token->id, sizeof token->id);
    }
    return take_principal(x);
}
