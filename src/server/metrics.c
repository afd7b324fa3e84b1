/* GET /metrics: the text format of Prometheus, version 0.0.4. docs/monitoring.md says what each is for. */
#include <inttypes.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "server/feed.h"

/* Finite bounds of /metrics: every second of the histogram's, each twice the one before. */
#define BOUND_STEP 2

typedef struct figures {
    th_buf *out;
    theater_status status; /* the first failure; nothing is written after it */
} figures;

static void put(figures *page, const char *format, ...) THEATER_PRINTF(2, 3);
static void put(figures *page, const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    th_assert(size > 0 && (size_t)size < sizeof line);
    if (!page->status)
        page->status = th_buf_append(page->out, th_slice_of(line, (size_t)size), NULL);
}

static void head(figures *page, const char *name, const char *type, const char *help)
{
    put(page, "# HELP theater_%s %s\n# TYPE theater_%s %s\n", name, help, name, type);
}

static void counter(figures *page, const char *name, const char *help, uint64_t value)
{
    head(page, name, "counter", help);
    put(page, "theater_%s %" PRIu64 "\n", name, value);
}

static void gauge(figures *page, const char *name, const char *help, uint64_t value)
{
    head(page, name, "gauge", help);
    put(page, "theater_%s %" PRIu64 "\n", name, value);
}

static void seconds(figures *page, const char *name, const char *help, uint64_t nanoseconds)
{
    head(page, name, "counter", help);
    put(page, "theater_%s %.9f\n", name, (double)nanoseconds / 1e9);
}

/* One of several lines under one name. */
static void labelled(figures *page, const char *name, const char *label, const char *value, uint64_t number)
{
    put(page, "theater_%s{%s=\"%s\"} %" PRIu64 "\n", name, label, value, number);
}

static void histogram(figures *page, const char *name, const char *help, const theater_histogram *values)
{
    uint64_t below = 0;
    head(page, name, "histogram", help);
    for (unsigned i = 0; i < THEATER_HISTOGRAM_BUCKETS - 1; i++) {
        below += values->buckets[i];
        if (i % BOUND_STEP == 0)
            put(page, "theater_%s_bucket{le=\"%.9g\"} %" PRIu64 "\n", name,
                (double)theater_histogram_bound_ns(i) / 1e9, below);
    }
    below += values->buckets[THEATER_HISTOGRAM_BUCKETS - 1];
    put(page, "theater_%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, below);
    put(page, "theater_%s_sum %.9f\ntheater_%s_count %" PRIu64 "\n", name, (double)values->sum_ns / 1e9, name,
        below);
}

/* ---- the runtime --------------------------------------------------------------------------------------- */

static void put_turns(figures *page, const theater_metrics *metrics)
{
    counter(page, "turns_total", "Turns that ran.", metrics->turns);
    counter(page, "queries_total", "Queries that ran.", metrics->queries);
    head(page, "rejections_total", "counter", "Turns that were rejected, by code of the chain format.");
    for (unsigned code = 1; code < 7; code++) {
        char text[4];
        snprintf(text, sizeof text, "%u", code);
        labelled(page, "rejections_total", "code", text, metrics->rejections_by_code[code]);
    }
    counter(page, "fuel_total", "Fuel that turns spent.", metrics->fuel);
    histogram(page, "queue_seconds", "From a client's message taken to the begin of its turn.",
              &metrics->queue);
    histogram(page, "turn_seconds", "From the begin of a turn to its records.", &metrics->turn);
    histogram(page, "commit_seconds", "One append to the log with its sync.", &metrics->commit);
    histogram(page, "answer_seconds", "From a client's message taken to its answer, which is durable.",
              &metrics->answer);
}

static void put_store(figures *page, const theater_metrics *metrics)
{
    counter(page, "commits_total", "Commits of the log.", metrics->commits);
    counter(page, "commit_records_total", "Records in commits.", metrics->commit_records);
    counter(page, "commit_bytes_total", "Bytes in commits.", metrics->commit_bytes);
    counter(page, "snapshots_total", "Snapshots written.", metrics->snapshots);
    gauge(page, "log_bytes", "Size of the log.", metrics->log_bytes);
    gauge(page, "log_records", "Records in the log.", metrics->log_records);
    gauge(page, "indexed_records", "Records that the index covers.", metrics->indexed_records);
    gauge(page, "inflight_bytes", "Bytes of turns that ran and are not committed yet.",
          metrics->inflight_bytes);
}

static void put_actors(figures *page, const theater_metrics *metrics)
{
    gauge(page, "actors", "Actors that are not removed.", metrics->actors);
    gauge(page, "active_actors", "Actors in memory.", metrics->active_actors);
    gauge(page, "active_bytes", "Memory of their states.", metrics->active_bytes);
    gauge(page, "waiting_messages", "Messages that wait or run, of clients and actors.",
          metrics->waiting_messages);
    head(page, "mailbox_messages", "gauge", "Messages that wait or run, by who sent them.");
    labelled(page, "mailbox_messages", "from", "clients", metrics->client_messages);
    labelled(page, "mailbox_messages", "from", "actors", metrics->actor_messages);
    counter(page, "instance_hits_total", "Slices of turns that found their actor in memory.",
            metrics->instance_hits);
    counter(page, "activations_total", "Actors brought into memory.", metrics->activations);
    counter(page, "parks_total", "Actors taken out of memory.", metrics->parks);
    counter(page, "replayed_turns_total", "Turns run again to bring actors into memory.",
            metrics->replayed_turns);
    head(page, "components_total", "counter", "Components asked for, by where they came from.");
    labelled(page, "components_total", "from", "memory", metrics->component_hits);
    labelled(page, "components_total", "from", "compiled", metrics->component_loads);
    labelled(page, "components_total", "from", "compiler", metrics->component_compiles);
}

/* ---- the server ---------------------------------------------------------------------------------------- */

static void put_server(figures *page, const th_server *server)
{
    const th_figures *counted = &server->figures;
    theater_error error;
    gauge(page, "read_only", "1 while nothing can be written.",
          theater_runtime_health(server->runtime, &error) != THEATER_OK);
    gauge(page, "http_connections", "Connections that are open.", server->connection_count);
    counter(page, "http_connections_total", "Connections that were opened.", counted->connections_total);
    counter(page, "http_connections_refused_total", "Connections past the bound.",
            counted->refused_connections);
    counter(page, "http_received_bytes_total", "Bytes received.", counted->bytes_in);
    counter(page, "http_sent_bytes_total", "Bytes sent.", counted->bytes_out);
    head(page, "http_responses_total", "counter", "Answers by the first digit of their status.");
    for (unsigned i = 1; i < 6; i++) {
        char text[4] = {(char)('0' + i), 'x', 'x'};
        labelled(page, "http_responses_total", "class", text, counted->responses[i]);
    }
    gauge(page, "http_body_bytes", "Memory of request bodies.", server->body_bytes);
    gauge(page, "http_work_waiting", "Requests on or before the thread pool.", server->works);
    gauge(page, "messages_in_flight", "Messages and queries over HTTP on their way.",
          counted->messages_in_flight);
    gauge(page, "subscriptions", "Subscriptions to events.", server->feed->listeners);
    counter(page, "events_sent_total", "Events given to subscriptions.", counted->events_sent);
    histogram(page, "http_request_seconds", "From a request's first byte to its answer.", &counted->requests);
    histogram(page, "message_seconds", "From the first byte of a request with a message to its answer.",
              &counted->messages);
}

/* ---- the process and its disk -------------------------------------------------------------------------- */

static uint64_t resident_bytes(void)
{
    char text[128] = "";
    unsigned long long size, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    if (!fgets(text, sizeof text, file) || sscanf(text, "%llu %llu", &size, &resident) != 2)
        resident = 0;
    fclose(file);
    return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void put_process(figures *page, const th_server *server)
{
    struct statvfs disk;
    struct timespec now;
    gauge(page, "resident_memory_bytes", "Memory of the process.", resident_bytes());
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0)
        seconds(page, "cpu_seconds_total", "Processor time of the process.",
                (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec);
    if (statvfs(server->options.runtime.folder, &disk) == 0)
        gauge(page, "disk_free_bytes", "Room on the disk of the data folder.",
              (uint64_t)disk.f_bavail * disk.f_frsize);
    gauge(page, "uptime_seconds", "Since the server began.", (th_now_ms(server) - server->began_ms) / 1000);
    head(page, "build_info", "gauge", "1; the version is a label.");
    labelled(page, "build_info", "version", theater_version(), 1);
}

void th_api_metrics(th_exchange *x)
{
    theater_metrics metrics;
    theater_error error;
    theater_runtime_metrics(x->server->runtime, &metrics);
    th_buf_clear(&x->reply.body);
    figures page = {.out = &x->reply.body};
    put_turns(&page, &metrics);
    put_store(&page, &metrics);
    put_actors(&page, &metrics);
    put_server(&page, x->server);
    put_process(&page, x->server);
    if (page.status) {
        th_fail_memory(&error, "the figures");
        th_exchange_fail(x, &error);
        return;
    }
    x->reply.status = 200;
    x->reply.type = "text/plain; version=0.0.4; charset=utf-8";
    th_exchange_reply(x);
}
