/* Opening a client: the address, the token, and who answers. */
#include "client/internal.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET_PATH_MAX sizeof(((struct sockaddr_un *)0)->sun_path)

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = th_alloc(size);
    return copy ? memcpy(copy, text, size) : NULL;
}

static theater_status refuse_address(const char *server, theater_error *reterr)
{
    return th_fail(
        reterr, THEATER_INVALID_ARGUMENT,
        "\"%.200s\" is no address of a server: say http://HOST:PORT, https://HOST:PORT or unix:PATH", server);
}

static theater_status take_address(th_client *self, const char *server, theater_error *reterr)
{
    self->server = copy_text(server);
    if (!self->server)
        return th_fail_memory(reterr, "an address");
    if (strncmp(server, "unix:", 5) == 0) {
        if (!server[5] || strlen(server + 5) >= SOCKET_PATH_MAX)
            return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                           "\"%.200s\": the path of a Unix socket has 1 to %zu bytes", server,
                           SOCKET_PATH_MAX - 1);
        self->socket_path = copy_text(server + 5);
        snprintf(self->base, sizeof self->base, "http://localhost");
        return self->socket_path ? THEATER_OK : th_fail_memory(reterr, "an address");
    }
    size_t scheme = strncmp(server, "http://", 7) == 0 ? 7 : strncmp(server, "https://", 8) == 0 ? 8 : 0;
    size_t size = strlen(server);
    while (size > scheme && server[size - 1] == '/')
        size--;
    bool plain = scheme > 0 && size > scheme && size < sizeof self->base;
    for (size_t i = scheme; plain && i < size; i++)
        plain = server[i] > ' ' && server[i] < 0x7f && !strchr("?#@\\\"<>", server[i]);
    if (!plain)
        return refuse_address(server, reterr);
    snprintf(self->base, sizeof self->base, "%.*s", (int)size, server);
    return THEATER_OK;
}

static theater_status take_token(th_client *self, const char *token, theater_error *reterr)
{
    static const char format[] = "Authorization: Bearer %s";
    size_t size = strlen(token);
    bool plain = size > 0 && size <= 512;
    for (size_t i = 0; plain && i < size; i++)
        plain = token[i] > ' ' && token[i] < 0x7f;
    if (!plain)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "the token is none: it is one word of printable characters, as `theater token new` "
                       "printed it");
    self->authorization = th_alloc(sizeof format + size);
    if (!self->authorization)
        return th_fail_memory(reterr, "a token");
    snprintf(self->authorization, sizeof format + size, format, token);
    return THEATER_OK;
}

/* Whether it is a Theater server of an interface that this program speaks. */
static theater_status ask_version(th_client *self, theater_error *reterr)
{
    th_call call = {.method = "GET", .path = "/v1/version"};
    th_arena arena;
    th_arena_init(&arena, TH_PROBLEM_MAX * 16);
    const th_value *root = NULL;
    th_slice name = {0}, api = {0};
    theater_status status = th_call_run(self, &call, reterr);
    bool foreign = status == THEATER_NOT_FOUND || (status && call.status && !call.headers.problem);
    if (!status && (th_value_parse(th_buf_slice(&call.answer), &arena, &root, NULL) ||
                    !th_value_text(root, "name", &name) || !th_value_text(root, "api", &api) ||
                    !th_slice_equal(name, th_slice_text("theater")) ||
                    !th_value_copy(root, "version", self->version, sizeof self->version)))
        foreign = true;
    if (foreign)
        status = th_fail(reterr, THEATER_IO, "what answers at %s is no Theater server", self->server);
    else if (!status && !th_slice_equal(api, th_slice_text("v1")))
        status = th_fail(reterr, THEATER_VERSION,
                         "the server at %s is Theater %s and speaks %.*s; this program is %s and speaks v1",
                         self->server, self->version, (int)(api.size < 40 ? api.size : 40),
                         (const char *)api.data, theater_version());
    th_arena_done(&arena);
    th_call_done(&call);
    return status;
}

static theater_status set_up(th_client *self, const th_client_options *options, theater_error *reterr)
{
    self->interrupted = options->interrupted;
    theater_status status = take_address(self, options->server, reterr);
    if (!status && options->token)
        status = take_token(self, options->token, reterr);
    if (!status && options->authority) {
        self->authority = copy_text(options->authority);
        if (!self->authority)
            status = th_fail_memory(reterr, "a path");
        else if (access(self->authority, R_OK))
            status = th_fail(reterr, THEATER_NOT_FOUND, "%s cannot be read", self->authority);
    }
    if (!status && curl_global_init(CURL_GLOBAL_DEFAULT))
        status = th_fail_memory(reterr, "libcurl");
    if (!status) {
        self->easy = curl_easy_init();
        self->multi = curl_multi_init();
        if (!self->easy || !self->multi)
            status = th_fail_memory(reterr, "libcurl");
    }
    return status ? status : ask_version(self, reterr);
}

theater_status th_client_open(const th_client_options *options, th_client **ret, theater_error *reterr)
{
    th_client *self = th_alloc_zero(1, sizeof *self);
    *ret = NULL;
    if (!self)
        return th_fail_memory(reterr, "a client");
    theater_status status = set_up(self, options, reterr);
    if (status)
        th_client_close(self);
    else
        *ret = self;
    return status;
}

void th_client_close(th_client *client)
{
    if (!client)
        return;
    if (client->easy)
        curl_easy_cleanup(client->easy);
    if (client->multi)
        curl_multi_cleanup(client->multi);
    th_free(client->server);
    th_free(client->socket_path);
    th_free(client->authorization);
    th_free(client->authority);
    th_free(client);
}

const char *th_client_address(const th_client *client)
{
    return client->server;
}

const char *th_client_server_version(const th_client *client)
{
    return client->version;
}

bool th_client_probe(const char *socket_path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(socket_path) >= sizeof address.sun_path)
        return false;
    memcpy(address.sun_path, socket_path, strlen(socket_path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool taken = connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return taken;
}
