/* Targets of the server: what comes in on a connection, whatever it is. A server runs on a thread of this
 * process, with its Unix socket; each input is a connection of its own, which ends when the client has said
 * all. Beyond not crashing, the server answers in HTTP or not at all, and goes on to serve others. */
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fuzz/targets.h"
#include "server/server.h"

#define QUIET_MS 150     /* an answer that goes on without an end, as a stream of events does, is left */
#define ANSWER_MAX 65536 /* bytes of an answer that are looked at */

static char folder[] = "/tmp/theater-fuzz-XXXXXX";
static pthread_t thread;
static sem_t listens;

static void ready(void *context, const char *address)
{
    (void)context, (void)address;
    sem_post(&listens);
}

static void *serve(void *context)
{
    (void)context;
    theater_error error = {0};
    th_server_options options = {.runtime = {.folder = folder, .workers = 1},
                                 .listen = "",
                                 .grace_ms = 1,
                                 .max_body_bytes = (uint64_t)1 << 20,
                                 .ready = ready};
    if (th_server_run(&options, &error))
        fprintf(stderr, "the server ended: %s\n", error.message);
    return NULL;
}

static void stop(void)
{
    char command[100];
    kill(getpid(), SIGTERM);
    pthread_join(thread, NULL);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command))
        fprintf(stderr, "%s is left\n", folder);
}

static void start(void)
{
    static bool started;
    if (started)
        return;
    started = true;
    signal(SIGPIPE, SIG_IGN);
    FUZZ_HOLDS(mkdtemp(folder) != NULL && sem_init(&listens, 0, 0) == 0);
    FUZZ_HOLDS(pthread_create(&thread, NULL, serve, NULL) == 0);
    FUZZ_HOLDS(sem_wait(&listens) == 0);
    atexit(stop);
}

static int connect_client(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/server.sock", folder);
    int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    FUZZ_HOLDS(client >= 0 && connect(client, (struct sockaddr *)&address, sizeof address) == 0);
    return client;
}

/* Writes what the server takes, then reads until it has said all. */
static size_t talk(th_slice input, char answer[ANSWER_MAX])
{
    int client = connect_client();
    size_t sent = 0, got = 0;
    bool open = true;
    while (open) {
        struct pollfd wait = {.fd = client, .events = (short)(sent < input.size ? POLLIN | POLLOUT : POLLIN)};
        if (poll(&wait, 1, QUIET_MS) <= 0)
            break;
        if (sent < input.size && wait.revents & POLLOUT) {
            ssize_t size = send(client, input.data + sent, input.size - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
            sent = size < 0 ? input.size : sent + (size_t)size; /* it may have closed already */
            if (sent == input.size)
                shutdown(client, SHUT_WR);
        }
        if (wait.revents & (POLLIN | POLLHUP | POLLERR)) {
            char rest[4096];
            char *to = got < ANSWER_MAX ? answer + got : rest;
            ssize_t size = recv(client, to, got < ANSWER_MAX ? ANSWER_MAX - got : sizeof rest, MSG_DONTWAIT);
            open = size > 0;
            got += got < ANSWER_MAX && size > 0 ? (size_t)size : 0;
        }
    }
    close(client);
    return got;
}

static void answers_in_http(th_slice input)
{
    static char answer[ANSWER_MAX];
    size_t size = talk(input, answer);
    FUZZ_HOLDS(size == 0 || (size > 12 && memcmp(answer, "HTTP/1.", 7) == 0));
}

/* Somebody else is served. */
static void still_serves(void)
{
    static char answer[ANSWER_MAX];
    static const char request[] = "GET /v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    size_t size = talk(th_slice_text(request), answer);
    FUZZ_HOLDS(size > 12 && memcmp(answer, "HTTP/1.1 200", 12) == 0);
}

static void run(th_slice input)
{
    static unsigned runs;
    start();
    answers_in_http(input);
    if (++runs % 32 == 0)
        still_serves();
}

void fuzz_http(th_slice input)
{
    run(input);
}

static const char upgrade[] = "GET /v1/websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                              "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/* Frames, or what is none, behind a good handshake. */
void fuzz_websocket(th_slice input)
{
    th_buf bytes;
    th_buf_init(&bytes, sizeof upgrade + input.size);
    if (!th_buf_append(&bytes, th_slice_text(upgrade), NULL) && !th_buf_append(&bytes, input, NULL))
        run(th_buf_slice(&bytes));
    th_buf_done(&bytes);
}

/* Each line is a text message, in a good frame: JSON or not. */
void fuzz_commands(th_slice input)
{
    th_buf bytes;
    th_buf_init(&bytes, sizeof upgrade + 9 * (input.size + 1) + 8);
    theater_status status = th_buf_append(&bytes, th_slice_text(upgrade), NULL);
    for (size_t at = 0; !status && at < input.size;) {
        const uint8_t *line = input.data + at, *end = memchr(line, '\n', input.size - at);
        size_t size = end ? (size_t)(end - line) : input.size - at;
        size = size < 65535 ? size : 65535;
        at += size + (end != NULL);
        /* A frame of text, masked with zeros. */
        uint8_t head[8] = {0x81, 0x80 | 126, (uint8_t)(size >> 8), (uint8_t)size};
        if (size < 126)
            head[1] = (uint8_t)(0x80 | size), head[2] = head[3] = 0;
        status = th_buf_append(&bytes, th_slice_of(head, size < 126 ? 6 : 8), NULL);
        if (!status)
            status = th_buf_append(&bytes, th_slice_of(line, size), NULL);
    }
    if (!status)
        run(th_buf_slice(&bytes));
    th_buf_done(&bytes);
}
