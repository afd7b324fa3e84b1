#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "server/internal.h"

static const char *const levels[] = {"trace", "debug", "info", "warning", "error"};

static void write_line(th_server *server, int level, const char *message, const th_exchange *x,
                       uint64_t nanoseconds)
{
    th_buf line;
    th_buf_init(&line, 8192);
    uint64_t now = th_port_wall_ns(th_port_system());
    const char *word = level >= 0 && level <= TH_LOG_ERROR ? levels[level] : "log";
    if (server->options.log_json) {
        th_json json = th_json_begin(&line);
        th_json_open(&json, '{');
        th_json_field_uint(&json, "time", now);
        th_json_field_string(&json, "level", word);
        th_json_field_string(&json, "message", message);
        if (x) {
            th_json_field_string(&json, "method", x->path ? llhttp_method_name(x->method) : "");
            th_json_field_string(&json, "path", x->path ? x->path : "");
            th_json_field_uint(&json, "status", x->reply.status);
            th_json_field_uint(&json, "microseconds", nanoseconds / 1000);
            if (x->has_principal)
                th_json_field_string(&json, "principal", x->principal);
        }
        th_json_close(&json, '}');
        if (!json.status)
            fprintf(stderr, "%.*s\n", (int)line.size, (const char *)line.data);
    } else if (x) {
        fprintf(stderr, "theater: %s: %s %.200s %u %" PRIu64 " us\n", word,
                x->path ? llhttp_method_name(x->method) : "-", x->path ? x->path : "-", x->reply.status,
                nanoseconds / 1000);
    } else {
        fprintf(stderr, "theater: %s: %s\n", word, message);
    }
    th_buf_done(&line);
}

void th_server_log(th_server *server, int level, const char *message)
{
    write_line(server, level, message, NULL, 0);
}

void th_server_log_request(const th_exchange *x, uint64_t nanoseconds)
{
    write_line(x->server, TH_LOG_INFO, "request", x, nanoseconds);
}

static void sink(void *context, int level, const char *message)
{
    write_line(context, level, message, NULL, 0);
}

void th_server_log_begin(th_server *server)
{
    theater_set_log(sink, server, TH_LOG_INFO);
}
