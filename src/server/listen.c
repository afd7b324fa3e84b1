/* Where the server listens: a Unix socket in the data folder, and a TCP address. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "server/internal.h"

#define BACKLOG 4096

static void on_connection(uv_stream_t *listener, int result)
{
    th_server *server = listener->data;
    if (result == 0)
        th_connection_accept(server, listener, listener->type == UV_NAMED_PIPE,
                             listener->type == UV_TCP && server->tcp_guarded);
}

static theater_status fail_listen(const char *where, int result, theater_error *reterr)
{
    return th_fail(reterr, THEATER_IO, "cannot listen on %s: %s", where, uv_strerror(result));
}

static theater_status listen_socket(th_server *server, theater_error *reterr)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/server.sock", server->options.runtime.folder);
    if (strlen(path) >= sizeof server->socket_path) {
        th_server_log(server, 3, "the path of the data folder is too long for a Unix socket: there is none");
        return THEATER_OK;
    }
    uv_pipe_t *pipe = &server->listeners[server->listener_count].pipe;
    int result = uv_pipe_init(&server->loop, pipe, 0);
    if (result)
        return fail_listen(path, result, reterr);
    pipe->data = server;
    server->listener_count++;
    /* The lock of the folder is this process's, so a socket that is there is a dead server's. */
    unlink(path);
    mode_t mask = umask(0177);
    result = uv_pipe_bind(pipe, path);
    umask(mask);
    if (!result)
        result = uv_listen((uv_stream_t *)pipe, BACKLOG, on_connection);
    if (result)
        return fail_listen(path, result, reterr);
    memcpy(server->socket_path, path, strlen(path) + 1);
    return THEATER_OK;
}

/* "HOST:PORT", "[ADDRESS]:PORT". */
static theater_status parse_address(const char *text, struct sockaddr_storage *ret, theater_error *reterr)
{
    char host[64];
    const char *colon = strrchr(text, ':');
    uint64_t port;
    size_t size = colon ? (size_t)(colon - text) : 0;
    bool bracketed = size >= 2 && text[0] == '[' && text[size - 1] == ']';
    const char *from = bracketed ? text + 1 : text;
    size -= bracketed ? 2 : 0;
    if (!colon || size == 0 || size >= sizeof host || !th_parse_number(colon + 1, &port) || port > 65535)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "\"%s\" is no address: say HOST:PORT, with a numeric host or localhost", text);
    memcpy(host, from, size);
    host[size] = 0;
    const char *number = strcmp(host, "localhost") == 0 ? "127.0.0.1" : host;
    if (uv_ip4_addr(number, (int)port, (struct sockaddr_in *)ret) &&
        uv_ip6_addr(number, (int)port, (struct sockaddr_in6 *)ret))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "\"%s\" is no address: say HOST:PORT, with a numeric host or localhost", text);
    return THEATER_OK;
}

static bool loopback(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET)
        return (ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24) == 127;
    return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

static void name_address(th_server *server, uv_tcp_t *tcp)
{
    struct sockaddr_storage bound;
    int size = sizeof bound;
    char host[64] = "";
    uv_tcp_getsockname(tcp, (struct sockaddr *)&bound, &size);
    bool six = bound.ss_family == AF_INET6;
    unsigned port =
        ntohs(six ? ((struct sockaddr_in6 *)&bound)->sin6_port : ((struct sockaddr_in *)&bound)->sin_port);
    if (six)
        uv_ip6_name((struct sockaddr_in6 *)&bound, host, sizeof host);
    else
        uv_ip4_name((struct sockaddr_in *)&bound, host, sizeof host);
    snprintf(server->address, sizeof server->address, "%s://%s%s%s:%u", server->tls ? "https" : "http",
             six ? "[" : "", host, six ? "]" : "", port);
}

static theater_status check_exposure(th_server *server, const char *where, theater_error *reterr)
{
    if (server->tcp_loopback)
        return THEATER_OK;
    if (!server->tls && !server->options.insecure)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "%s is no loopback address: give --tls-certificate and --tls-key, or --insecure to "
                       "send tokens and data in the clear",
                       where);
    if (server->tokens.count == 0)
        return th_fail(
            reterr, THEATER_INVALID_ARGUMENT,
            "%s is no loopback address, so a token is needed: make one with `theater token new NAME`", where);
    return THEATER_OK;
}

static theater_status listen_tcp(th_server *server, const char *where, theater_error *reterr)
{
    struct sockaddr_storage address = {0};
    theater_status status = parse_address(where, &address, reterr);
    if (status)
        return status;
    server->tcp_loopback = loopback(&address);
    server->tcp_guarded = !server->tcp_loopback || server->options.require_token;
    status = check_exposure(server, where, reterr);
    if (status)
        return status;
    uv_tcp_t *tcp = &server->listeners[server->listener_count].tcp;
    int result = uv_tcp_init(&server->loop, tcp);
    if (result)
        return fail_listen(where, result, reterr);
    tcp->data = server;
    server->listener_count++;
    result = uv_tcp_bind(tcp, (struct sockaddr *)&address, 0);
    if (!result)
        result = uv_listen((uv_stream_t *)tcp, BACKLOG, on_connection);
    if (result)
        return fail_listen(where, result, reterr);
    name_address(server, tcp);
    return THEATER_OK;
}

theater_status th_listen(th_server *server, theater_error *reterr)
{
    const th_server_options *options = &server->options;
    theater_status status = THEATER_OK;
    if (!options->no_socket)
        status = listen_socket(server, reterr);
    if (!status && options->listen[0])
        status = listen_tcp(server, options->listen, reterr);
    return status;
}
