#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/top.h"

#define LINE_SIZE 512
#define TEXT_SIZE 24

/* ---- figures for people -------------------------------------------------------------------------------- */

static const char *count_text(double value, char out[TEXT_SIZE])
{
    static const char *const units[] = {"", "k", "M", "G", "T"};
    size_t unit = 0;
    while (value >= 99999.5 && unit < 4) {
        value /= 1000;
        unit++;
    }
    snprintf(out, TEXT_SIZE, value < 9.95 && value != floor(value) ? "%.1f%s" : "%.0f%s", value, units[unit]);
    return out;
}

static const char *bytes_text(double value, char out[TEXT_SIZE])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    while (value >= 1023.5 && unit < 4) {
        value /= 1024;
        unit++;
    }
    snprintf(out, TEXT_SIZE, unit && value < 99.5 ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return out;
}

static const char *time_text(double seconds, char out[TEXT_SIZE])
{
    if (seconds < 0)
        snprintf(out, TEXT_SIZE, "-");
    else if (seconds < 1e-3)
        snprintf(out, TEXT_SIZE, "%.0f us", seconds * 1e6);
    else if (seconds < 1)
        snprintf(out, TEXT_SIZE, "%.*f ms", seconds < 0.1 ? 1 : 0, seconds * 1e3);
    else
        snprintf(out, TEXT_SIZE, "%.1f s", seconds);
    return out;
}

static const char *uptime_text(double seconds, char out[TEXT_SIZE])
{
    uint64_t s = (uint64_t)seconds;
    if (s >= 86400)
        snprintf(out, TEXT_SIZE, "%" PRIu64 "d%02" PRIu64 "h", s / 86400, s / 3600 % 24);
    else if (s >= 3600)
        snprintf(out, TEXT_SIZE, "%" PRIu64 "h%02" PRIu64 "m", s / 3600, s / 60 % 60);
    else
        snprintf(out, TEXT_SIZE, "%" PRIu64 "m%02" PRIu64 "s", s / 60, s % 60);
    return out;
}

static double seconds_between(const top_view *view)
{
    return view->before ? (double)(view->now->taken_ns - view->before->taken_ns) / 1e9 : 0;
}

/* Growth a second since the sample before. */
static double rate(const top_view *view, double before, double now)
{
    double seconds = seconds_between(view);
    return seconds > 0 && now > before ? (now - before) / seconds : 0;
}

#define RATE(field) rate(view, view->before ? view->before->field : view->now->field, view->now->field)

/* ---- lines --------------------------------------------------------------------------------------------- */

typedef struct page {
    cli_output *out;
    const top_view *view;
    unsigned used; /* lines */
} page;

static bool full(const page *self)
{
    return self->view->rows && self->used >= self->view->rows;
}

/* One line, cut to the width. All that stands in it is ASCII. */
static void put_line(page *self, const char *colour, const char *format, ...) THEATER_PRINTF(3, 4);
static void put_line(page *self, const char *colour, const char *format, ...)
{
    char text[LINE_SIZE];
    if (full(self))
        return;
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    size_t shown = size < 0 ? 0 : (size_t)size < sizeof text ? (size_t)size : sizeof text - 1;
    if (self->view->columns && shown > self->view->columns)
        shown = self->view->columns;
    if (self->view->rows && self->used > 0)
        cli_puts(self->out, "\n");
    if (colour)
        cli_colour(self->out, colour);
    cli_put(self->out, th_slice_of(text, shown));
    if (colour)
        cli_colour(self->out, "0");
    cli_puts(self->out, self->view->rows ? "\x1b[K" : "\n");
    self->used++;
}

static void put_rates(page *self)
{
    const top_view *view = self->view;
    char a[TEXT_SIZE], b[TEXT_SIZE], c[TEXT_SIZE], d[TEXT_SIZE];
    put_line(self, NULL, "turns    %8s/s   rejected %s/s   queries %s/s   fuel %s/s",
             count_text(RATE(turns), a), count_text(RATE(rejections), b), count_text(RATE(queries), c),
             count_text(RATE(fuel), d));
    double commits = RATE(commits);
    put_line(self, NULL, "commits  %8s/s   %s records each   %s/s", count_text(commits, a),
             count_text(commits > 0 ? RATE(commit_records) / commits : 0, b),
             bytes_text(RATE(commit_bytes), c));
}

static void put_latencies(page *self)
{
    static const char *const words[] = {
#define WORD(field, name) #field,
        TOP_HISTOGRAMS(WORD)
#undef WORD
    };
    const top_view *view = self->view;
    put_line(self, "2", "latency         p50        p90        p99");
    for (size_t i = 0; i < TOP_HISTOGRAM_COUNT; i++) {
        const top_histogram *now = &view->now->histograms[i];
        const top_histogram *before = view->before ? &view->before->histograms[i] : NULL;
        char a[TEXT_SIZE], b[TEXT_SIZE], c[TEXT_SIZE];
        put_line(self, NULL, "  %-8s %9s  %9s  %9s", words[i], time_text(top_percentile(before, now, 0.5), a),
                 time_text(top_percentile(before, now, 0.9), b),
                 time_text(top_percentile(before, now, 0.99), c));
    }
}

static void put_gauges(page *self)
{
    const top_view *view = self->view;
    const top_sample *now = view->now;
    char a[TEXT_SIZE], b[TEXT_SIZE], c[TEXT_SIZE];
    put_line(self, NULL,
             "mailboxes %.0f (clients %.0f, actors %.0f)   in flight %.0f   connections %.0f   "
             "subscriptions %.0f",
             now->from_clients + now->from_actors, now->from_clients, now->from_actors, now->in_flight,
             now->connections, now->subscriptions);
    put_line(self, NULL, "memory %s   states %s of %.0f actors in memory   cpu %.0f%%",
             bytes_text(now->memory, a), bytes_text(now->active_bytes, b), now->active_actors,
             RATE(cpu_seconds) * 100);
    put_line(self, NULL, "store %s (%s/s)   disk free %s", bytes_text(now->log_bytes, a),
             bytes_text(RATE(log_bytes), b), bytes_text(now->disk_free, c));
    if (now->read_only != 0)
        put_line(self, "31", "READ-ONLY: nothing can be written; the server's log says why");
}

/* ---- the table ----------------------------------------------------------------------------------------- */

static top_order sorting; /* qsort gives its comparison no context */

static int compare(const void *left, const void *right)
{
    const top_actor *a = *(const top_actor *const *)left, *b = *(const top_actor *const *)right;
    double x = 0, y = 0;
    switch (sorting) {
    case TOP_BY_RATE:
        x = a->rate, y = b->rate;
        break;
    case TOP_BY_ELEMENTS:
        x = (double)a->elements, y = (double)b->elements;
        break;
    case TOP_BY_STATE:
        x = (double)a->state_size, y = (double)b->state_size;
        break;
    case TOP_BY_WAITING:
        x = (double)a->waiting, y = (double)b->waiting;
        break;
    default:
        break;
    }
    if (x != y)
        return x < y ? 1 : -1;
    int names = strcmp(a->name, b->name);
    return names ? names : a->id < b->id ? -1 : 1;
}

/* The actors in the view's order; NULL: no memory. The caller frees it. */
static const top_actor **sorted(const top_view *view)
{
    const top_sample *now = view->now;
    const top_actor **list = th_alloc((now->actor_count + 1) * sizeof *list);
    if (!list)
        return NULL;
    for (size_t i = 0; i < now->actor_count; i++)
        list[i] = &now->actors[i];
    sorting = view->order;
    qsort(list, now->actor_count, sizeof *list, compare);
    return list;
}

static void put_actors(page *self)
{
    const top_view *view = self->view;
    const top_actor **list = sorted(view);
    put_line(self, "7", "%-28s %6s %-8s %12s %10s %10s %9s", "ACTOR", "ID", "STATUS", "ELEMENTS", "TURNS/S",
             "STATE", "WAITING");
    for (size_t i = view->first_actor; list && i < view->now->actor_count && !full(self); i++) {
        const top_actor *actor = list[i];
        char a[TEXT_SIZE], b[TEXT_SIZE];
        put_line(self, actor->status != THEATER_ACTOR_RUNNING ? "2" : NULL,
                 "%-28s %6" PRIu64 " %-8s %12" PRIu64 " %10s %10s %9" PRIu64, actor->name, actor->id,
                 cli_status_word(actor->status), actor->elements, count_text(actor->rate, a),
                 bytes_text((double)actor->state_size, b), actor->waiting);
    }
    if (view->now->actors_cut)
        put_line(self, "2", "only the first %d actors are looked at", TOP_ACTORS_MAX);
    th_free(list);
}

void top_print(cli_output *out, const top_view *view)
{
    static const char *const orders[] = {"rate", "elements", "state", "waiting", "name"};
    page self = {.out = out, .view = view};
    char time[CLI_TIME_SIZE], up[TEXT_SIZE];
    cli_format_time(view->now->wall_ns, time);
    if (view->rows)
        cli_puts(out, "\x1b[H");
    put_line(&self, "1", "%stheater %s at %s   up %s   %.0f actors   %.19sZ", view->paused ? "PAUSED   " : "",
             th_client_server_version(view->client), th_client_address(view->client),
             uptime_text(view->now->uptime, up), view->now->all_actors, time);
    if (view->trouble)
        put_line(&self, "31", "%s", view->trouble);
    put_rates(&self);
    put_latencies(&self);
    put_gauges(&self);
    if (view->rows)
        put_line(&self, "2", "q quits, s sorts (by %s), space pauses, up and down move", orders[view->order]);
    put_actors(&self);
    if (view->rows)
        cli_puts(out, "\x1b[J");
    cli_flush(out);
}

/* ---- JSON ---------------------------------------------------------------------------------------------- */

static void json_number(cli_output *out, const char *key, double value)
{
    cli_json_key(out, key);
    cli_json_uint(out, value > 0 ? (uint64_t)llround(value) : 0);
}

static void json_latencies(cli_output *out, const top_view *view)
{
    static const char *const words[] = {
#define WORD(field, name) #field,
        TOP_HISTOGRAMS(WORD)
#undef WORD
    };
    static const struct {
        const char *key;
        double part;
    } parts[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}};
    cli_json_key(out, "latency_ns");
    cli_json_object(out);
    for (size_t i = 0; i < TOP_HISTOGRAM_COUNT; i++) {
        cli_json_key(out, words[i]);
        cli_json_object(out);
        for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
            double value = top_percentile(view->before ? &view->before->histograms[i] : NULL,
                                          &view->now->histograms[i], parts[k].part);
            cli_json_key(out, parts[k].key);
            if (value < 0)
                cli_json_null(out);
            else
                cli_json_uint(out, (uint64_t)llround(value * 1e9));
        }
        cli_json_end(out, '}');
    }
    cli_json_end(out, '}');
}

static void json_actors(cli_output *out, const top_view *view)
{
    const top_actor **list = sorted(view);
    cli_json_key(out, "actors");
    cli_json_array(out);
    for (size_t i = 0; list && i < view->now->actor_count; i++) {
        const top_actor *actor = list[i];
        cli_json_object(out);
        cli_json_key(out, "name");
        cli_json_string(out, actor->name);
        cli_json_key(out, "id");
        cli_json_uint(out, actor->id);
        cli_json_key(out, "status");
        cli_json_string(out, cli_status_word(actor->status));
        cli_json_key(out, "elements");
        cli_json_uint(out, actor->elements);
        json_number(out, "per_second", actor->rate);
        cli_json_key(out, "state_size");
        cli_json_uint(out, actor->state_size);
        cli_json_key(out, "undelivered");
        cli_json_uint(out, actor->waiting);
        cli_json_end(out, '}');
    }
    cli_json_end(out, ']');
    th_free(list);
}

void top_print_json(cli_output *out, const top_view *view)
{
    const top_sample *now = view->now;
    cli_json_object(out);
    cli_json_key(out, "timestamp");
    cli_json_uint(out, now->wall_ns);
    json_number(out, "interval_ns", seconds_between(view) * 1e9);
    cli_json_key(out, "server");
    cli_json_string(out, th_client_address(view->client));
    cli_json_key(out, "version");
    cli_json_string(out, th_client_server_version(view->client));
    cli_json_key(out, "read_only");
    cli_json_bool(out, now->read_only != 0);
    cli_json_key(out, "per_second");
    cli_json_object(out);
    json_number(out, "turns", RATE(turns));
    json_number(out, "rejections", RATE(rejections));
    json_number(out, "queries", RATE(queries));
    json_number(out, "fuel", RATE(fuel));
    json_number(out, "commits", RATE(commits));
    json_number(out, "commit_records", RATE(commit_records));
    json_number(out, "commit_bytes", RATE(commit_bytes));
    cli_json_end(out, '}');
    cli_json_key(out, "totals");
    cli_json_object(out);
    json_number(out, "turns", now->turns);
    json_number(out, "rejections", now->rejections);
    json_number(out, "queries", now->queries);
    json_number(out, "fuel", now->fuel);
    json_number(out, "commits", now->commits);
    cli_json_end(out, '}');
    json_latencies(out, view);
    const struct {
        const char *key;
        double value;
    } gauges[] = {{"mailbox_clients", now->from_clients}, {"mailbox_actors", now->from_actors},
                  {"in_flight", now->in_flight},          {"connections", now->connections},
                  {"subscriptions", now->subscriptions},  {"active_actors", now->active_actors},
                  {"active_bytes", now->active_bytes},    {"memory_bytes", now->memory},
                  {"log_bytes", now->log_bytes},          {"disk_free_bytes", now->disk_free},
                  {"uptime_seconds", now->uptime}};
    for (size_t i = 0; i < sizeof gauges / sizeof *gauges; i++)
        json_number(out, gauges[i].key, gauges[i].value);
    json_actors(out, view);
    cli_json_end(out, '}');
    cli_json_line(out);
    cli_flush(out);
}
