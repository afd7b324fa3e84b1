/* The server's life: open the folder, listen, run the loop, drain, close. */
#include "server/server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/subscribe.h"
#include "server/feed.h"
#include "server/internal.h"

#define TICK_MS 500

/* ---- the end ------------------------------------------------------------------------------------------- */

static void close_handle(uv_handle_t *handle, void *context)
{
    (void)context;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void th_drain_continue(th_server *server)
{
    if (!server->draining || server->stopped || server->operations > 0 || server->connections)
        return;
    server->stopped = true;
    uv_stop(&server->loop);
}

void th_drain_begin(th_server *server)
{
    if (server->draining)
        return;
    server->draining = true;
    server->drain_deadline_ms = th_now_ms(server) + server->options.grace_ms;
    th_server_log(server, 2, "shutting down: what was accepted is finished");
    for (size_t i = 0; i < server->listener_count; i++)
        uv_close(&server->listeners[i].handle, NULL);
    if (server->socket_path[0])
        unlink(server->socket_path);
    th_feed_end(server);
    th_jobs_cancel(server);
    th_connection *next;
    for (th_connection *c = server->connections; c; c = next) {
        next = c->next;
        th_connection_drain(c);
    }
    th_drain_continue(server);
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    th_server *server = handle->data;
    if (server->draining)
        _exit(theater_status_exit_code(THEATER_INTERRUPTED)); /* the log can bear that at any moment */
    th_drain_begin(server);
}

static void run_posts(th_server *server)
{
    th_posts_run(server);
    th_batches_go_on(server);
}

static void on_wake(uv_async_t *handle)
{
    th_server *server = handle->data;
    run_posts(server);
    th_feed_wake(server);
    th_drain_continue(server);
}

/* Requests are read while the loop polls, and taken up from what a connection had read already when it
 * could write: so there may be messages behind the poll, and before the loop goes to sleep in it. */
static void after_poll(uv_check_t *handle)
{
    th_messages_submit(handle->data);
}

static void before_poll(uv_prepare_t *handle)
{
    th_messages_submit(handle->data);
}

static void on_tick(uv_timer_t *handle)
{
    th_server *server = handle->data;
    uint64_t now = th_now_ms(server);
    th_connection *next;
    bool changed = th_tokens_reload(server) || server->tokens_changed;
    server->tokens_changed = false;
    for (th_connection *c = server->connections; c; c = next) {
        next = c->next;
        if (changed)
            th_connection_check_tokens(c);
    }
    for (th_connection *c = server->connections; c; c = next) {
        next = c->next;
        th_connection_tick(c, now);
    }
    th_feed_retry(server);
    if (server->draining && now > server->drain_deadline_ms && !server->stopped) {
        th_server_log(server, 3, "the time for shutting down is over: connections are cut");
        while (server->connections)
            th_connection_close(server->connections);
        server->stopped = true;
        uv_stop(&server->loop);
    }
}

/* ---- the begin ----------------------------------------------------------------------------------------- */

static void set_default(uint64_t *value, uint64_t standard)
{
    if (*value == 0)
        *value = standard;
}

static theater_status fill_options(const th_server_options *given, th_server_options *ret,
                                   theater_error *reterr)
{
    *ret = *given;
    if (!ret->runtime.folder)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "a server needs a data folder");
    if (!ret->tls_certificate != !ret->tls_key)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "a TLS certificate and its key are given together");
    if (!ret->listen)
        ret->listen = "127.0.0.1:8080";
    if (!ret->listen[0] && ret->no_socket)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "neither an address nor a socket to listen on");
    set_default(&ret->max_body_bytes, (uint64_t)64 << 20);
    set_default(&ret->body_memory_bytes, (uint64_t)512 << 20);
    set_default(&ret->max_connections, 12000);
    set_default(&ret->request_timeout_ms, 30000);
    set_default(&ret->idle_timeout_ms, 120000);
    set_default(&ret->grace_ms, 30000);
    return THEATER_OK;
}

static void init_handles(th_server *server)
{
    uv_async_init(&server->loop, &server->wake, on_wake);
    uv_signal_init(&server->loop, &server->interrupt);
    uv_signal_init(&server->loop, &server->terminate);
    uv_timer_init(&server->loop, &server->tick);
    uv_prepare_init(&server->loop, &server->before_poll);
    uv_check_init(&server->loop, &server->after_poll);
    server->before_poll.data = server->after_poll.data = server;
    uv_prepare_start(&server->before_poll, before_poll);
    uv_check_start(&server->after_poll, after_poll);
    server->wake.data = server->interrupt.data = server->terminate.data = server->tick.data = server;
    uv_signal_start(&server->interrupt, on_signal, SIGINT);
    uv_signal_start(&server->terminate, on_signal, SIGTERM);
    uv_timer_start(&server->tick, on_tick, TICK_MS, TICK_MS);
}

static bool remove_leftover(void *context, const char *name)
{
    th_server *server = context;
    bool ours = strncmp(name, "export-", 7) == 0 || strncmp(name, "import-", 7) == 0;
    if (!ours || !strstr(name, ".tmp"))
        return true;
    char path[4400];
    snprintf(path, sizeof path, "%s/%s", server->options.runtime.folder, name);
    unlink(path);
    return true;
}

/* Bundles that a server which was killed had on their way. Nobody else writes here while this one has the lock. */
static void remove_leftovers(th_server *server)
{
    theater_status ignored = th_port_list_folder(th_port_system(), server->options.runtime.folder, remove_leftover,
                                                 server, NULL);
    (void)ignored;
}

static theater_status begin(th_server *server, theater_error *reterr)
{
    /* Before the pool's first use. Jobs take threads for long, so there are some more than processors. */
    setenv("UV_THREADPOOL_SIZE", "12", 0);
    th_mutex_init(th_port_system(), &server->lock);
    th_mutex_init(th_port_system(), &server->files_lock);
    if (uv_loop_init(&server->loop))
        return th_fail(reterr, THEATER_IO, "the event loop cannot start");
    server->looping = true;
    init_handles(server);
    th_server_log_begin(server);
    th_crowd_begin(server);
    theater_status status = theater_runtime_open(&server->options.runtime, &server->runtime, reterr);
    if (!status)
        remove_leftovers(server);
    if (!status)
        status = th_submissions_new(server->runtime, &server->submissions, reterr);
    if (!status)
        status = th_submissions_new(server->runtime, &server->batch_submissions, reterr);
    if (!status)
        th_runtime_on_answers(server->runtime, th_posts_wake, server);
    if (!status)
        status = th_feed_new(server, reterr);
    if (!status)
        status = th_jobs_new(server, reterr);
    if (!status && server->options.tls_certificate)
        status = th_tls_context(&server->options, &server->tls, reterr);
    if (!status)
        status = th_tokens_read(server->options.runtime.folder, &server->tokens, reterr);
    return status ? status : th_listen(server, reterr);
}

static void finish(th_server *server)
{
    if (server->socket_path[0])
        unlink(server->socket_path);
    /* Work that uses the runtime ends in a bounded time. */
    while (server->looping && server->works > 0)
        uv_run(&server->loop, UV_RUN_ONCE);
    /* Jobs were cancelled, and end behind the turn that they are at. One that has only just begun asks the
     * runtime how far the log is on disk, so the runtime outlives them. */
    while (server->looping && server->jobs && th_jobs_running(server) > 0)
        uv_run(&server->loop, UV_RUN_ONCE);
    /* Answers what waits; those completions are posted, and taken below. */
    if (server->submissions)
        th_messages_submit(server);
    theater_runtime_close(server->runtime);
    if (server->looping) {
        run_posts(server);
        uv_walk(&server->loop, close_handle, NULL);
        while (uv_run(&server->loop, UV_RUN_DEFAULT) != 0)
            run_posts(server);
        run_posts(server);
        uv_loop_close(&server->loop);
    }
    th_feed_free(server);
    th_jobs_free(server);
    th_submissions_free(server->submissions);
    th_submissions_free(server->batch_submissions);
    th_exchanges_done(server);
    th_folders_done(server);
    th_tokens_done(&server->tokens);
    SSL_CTX_free(server->tls);
    th_mutex_done(&server->lock);
    th_mutex_done(&server->files_lock);
    theater_set_log(NULL, NULL, 4);
    th_free(server);
}

theater_status th_server_run(const th_server_options *options, theater_error *reterr)
{
    th_server *server = th_alloc_zero(1, sizeof *server);
    if (!server)
        return th_fail_memory(reterr, "a server");
    theater_status status = fill_options(options, &server->options, reterr);
    if (status) {
        th_free(server);
        return status;
    }
    status = begin(server, reterr);
    if (!status) {
        server->began_ms = th_now_ms(server);
        if (options->ready)
            options->ready(options->ready_context,
                           server->address[0] ? server->address : server->socket_path);
        uv_run(&server->loop, UV_RUN_DEFAULT);
    }
    finish(server);
    return status;
}
