/* GET /metrics: the text format of Prometheus, version 0.0.4. */
#include <inttypes.h>

#include "server/feed.h"

static void put(th_buf *out, const char *name, const char *type, const char *help, double value)
{
    if (th_buf_printf(out, NULL, "# HELP theater_%s %s\n# TYPE theater_%s %s\ntheater_%s %.17g\n", name, help,
                      name, type, name, value))
        return;
}

static void counter(th_buf *out, const char *name, const char *help, uint64_t value)
{
    put(out, name, "counter", help, (double)value);
}

static void gauge(th_buf *out, const char *name, const char *help, uint64_t value)
{
    put(out, name, "gauge", help, (double)value);
}

static void seconds(th_buf *out, const char *name, const char *help, uint64_t nanoseconds)
{
    put(out, name, "counter", help, (double)nanoseconds / 1e9);
}

static void histogram(th_buf *out, const char *name, const char *help, const th_histogram *values)
{
    theater_status status =
        th_buf_printf(out, NULL, "# HELP theater_%s %s\n# TYPE theater_%s histogram\n", name, help, name);
    uint64_t count = 0;
    double bound = 64e-6;
    for (size_t i = 0; !status && i < 19; i++, bound *= 2) {
        count += values->buckets[i];
        status = th_buf_printf(out, NULL, "theater_%s_bucket{le=\"%.6g\"} %" PRIu64 "\n", name, bound, count);
    }
    if (!status)
        status = th_buf_printf(out, NULL,
                               "theater_%s_bucket{le=\"+Inf\"} %" PRIu64
                               "\ntheater_%s_sum %.17g\ntheater_%s_count %" PRIu64 "\n",
                               name, values->count, name, (double)values->sum_ns / 1e9, name, values->count);
}

static void put_runtime(th_buf *out, const theater_metrics *metrics)
{
    counter(out, "turns_total", "Turns that ran.", metrics->turns);
    counter(out, "queries_total", "Queries that ran.", metrics->queries);
    theater_status status =
        th_buf_printf(out, NULL,
                      "# HELP theater_rejections_total Turns that were rejected, by code.\n"
                      "# TYPE theater_rejections_total counter\n");
    for (size_t code = 1; !status && code < 7; code++)
        status = th_buf_printf(out, NULL, "theater_rejections_total{code=\"%zu\"} %" PRIu64 "\n", code,
                               metrics->rejections_by_code[code]);
    counter(out, "fuel_total", "Fuel that turns spent.", metrics->fuel);
    counter(out, "commits_total", "Commits of the log.", metrics->commits);
    counter(out, "commit_records_total", "Records in commits.", metrics->commit_records);
    counter(out, "commit_bytes_total", "Bytes in commits.", metrics->commit_bytes);
    seconds(out, "commit_seconds_total", "Time in commits.", metrics->commit_ns);
    counter(out, "activations_total", "Actors loaded into memory.", metrics->activations);
    counter(out, "parks_total", "Actors taken out of memory.", metrics->parks);
    counter(out, "snapshots_total", "Snapshots written.", metrics->snapshots);
    gauge(out, "actors", "Actors that are not removed.", metrics->actors);
    gauge(out, "active_actors", "Actors in memory.", metrics->active_actors);
    gauge(out, "active_bytes", "Memory of their states.", metrics->active_bytes);
    gauge(out, "waiting_messages", "Messages in mailboxes.", metrics->waiting_messages);
    gauge(out, "log_bytes", "Size of the log.", metrics->log_bytes);
    gauge(out, "log_records", "Records in the log.", metrics->log_records);
    gauge(out, "indexed_records", "Records that the index covers.", metrics->indexed_records);
}

static void put_server(th_buf *out, const th_server *server)
{
    const th_figures *figures = &server->figures;
    theater_error error;
    gauge(out, "read_only", "1 while nothing can be written.",
          theater_runtime_health(server->runtime, &error) != THEATER_OK);
    gauge(out, "http_connections", "Connections that are open.", server->connection_count);
    counter(out, "http_connections_total", "Connections that were opened.", figures->connections_total);
    counter(out, "http_connections_refused_total", "Connections past the bound.",
            figures->refused_connections);
    counter(out, "http_received_bytes_total", "Bytes received.", figures->bytes_in);
    counter(out, "http_sent_bytes_total", "Bytes sent.", figures->bytes_out);
    theater_status status =
        th_buf_printf(out, NULL,
                      "# HELP theater_http_responses_total Answers by the first digit of their status.\n"
                      "# TYPE theater_http_responses_total counter\n");
    for (size_t i = 1; !status && i < 6; i++)
        status = th_buf_printf(out, NULL, "theater_http_responses_total{class=\"%zuxx\"} %" PRIu64 "\n", i,
                               figures->responses[i]);
    gauge(out, "http_body_bytes", "Memory of request bodies.", server->body_bytes);
    gauge(out, "http_work_waiting", "Requests on or before the thread pool.", server->works);
    gauge(out, "messages_in_flight", "Clients' messages on their way.", figures->messages_in_flight);
    gauge(out, "subscriptions", "Subscriptions to events.", server->feed->listeners);
    counter(out, "events_sent_total", "Events given to subscriptions.", figures->events_sent);
    histogram(out, "http_request_seconds", "From a request's first byte to its answer.", &figures->requests);
    histogram(out, "message_seconds", "From a message's first byte to its durable answer.",
              &figures->messages);
}

void th_api_metrics(th_exchange *x)
{
    theater_metrics metrics;
    theater_runtime_metrics(x->server->runtime, &metrics);
    th_buf_clear(&x->reply.body);
    put_runtime(&x->reply.body, &metrics);
    put_server(&x->reply.body, x->server);
    x->reply.status = 200;
    x->reply.type = "text/plain; version=0.0.4; charset=utf-8";
    th_exchange_reply(x);
}
