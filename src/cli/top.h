/* cli/top.h: the live view of a server: samples of its figures, what lies between two of them, and how that
 * is shown. */
#ifndef TH_CLI_TOP_H
#define TH_CLI_TOP_H

#include "cli/place.h"

#define TOP_BUCKETS_MAX 64
#define TOP_ACTORS_MAX 20000 /* asked for and shown at the most; the first ones by id */

/* Samples of /metrics without labels, or with the one that is named: X(field, name, label). */
#define TOP_FIGURES(X)                                                                                       \
    X(turns, "theater_turns_total", "")                                                                      \
    X(queries, "theater_queries_total", "")                                                                  \
    X(fuel, "theater_fuel_total", "")                                                                        \
    X(commits, "theater_commits_total", "")                                                                  \
    X(commit_records, "theater_commit_records_total", "")                                                    \
    X(commit_bytes, "theater_commit_bytes_total", "")                                                        \
    X(from_clients, "theater_mailbox_messages", "from=\"clients\"")                                          \
    X(from_actors, "theater_mailbox_messages", "from=\"actors\"")                                            \
    X(in_flight, "theater_messages_in_flight", "")                                                           \
    X(connections, "theater_http_connections", "")                                                           \
    X(subscriptions, "theater_subscriptions", "")                                                            \
    X(all_actors, "theater_actors", "")                                                                          \
    X(active_actors, "theater_active_actors", "")                                                            \
    X(active_bytes, "theater_active_bytes", "")                                                              \
    X(memory, "theater_resident_memory_bytes", "")                                                           \
    X(cpu_seconds, "theater_cpu_seconds_total", "")                                                          \
    X(log_bytes, "theater_log_bytes", "")                                                                    \
    X(disk_free, "theater_disk_free_bytes", "")                                                              \
    X(uptime, "theater_uptime_seconds", "")                                                                  \
    X(read_only, "theater_read_only", "")

/* Histograms of /metrics, in seconds. */
#define TOP_HISTOGRAMS(X)                                                                                    \
    X(queue, "theater_queue_seconds")                                                                        \
    X(turn, "theater_turn_seconds")                                                                          \
    X(commit, "theater_commit_seconds")                                                                      \
    X(answer, "theater_answer_seconds")

enum {
#define TOP_COUNT(field, name) TOP_HISTOGRAM_##field,
    TOP_HISTOGRAMS(TOP_COUNT)
#undef TOP_COUNT
        TOP_HISTOGRAM_COUNT
};

typedef struct top_histogram {
    double bound[TOP_BUCKETS_MAX]; /* upper, seconds; the last is infinite */
    double count[TOP_BUCKETS_MAX]; /* of observations up to the bound */
    size_t buckets;
} top_histogram;

typedef struct top_actor {
    uint64_t id;
    char name[129];
    theater_actor_status status;
    uint64_t elements, state_size, waiting;
    double rate; /* elements a second since the sample before */
} top_actor;

/* What a server says at one moment. */
typedef struct top_sample {
    uint64_t taken_ns; /* monotonic */
    uint64_t wall_ns;
#define TOP_FIELD(field, name, label) double field;
    TOP_FIGURES(TOP_FIELD)
#undef TOP_FIELD
    double rejections; /* of all codes */
    top_histogram histograms[TOP_HISTOGRAM_COUNT];
    top_actor *actors; /* those that are not removed, by ascending id */
    size_t actor_count, actor_capacity;
    bool actors_cut, failed;
} top_sample;

/* Asks the server. Free it with top_sample_done, also after an error. */
THEATER_CHECKED theater_status top_sample_take(th_client *client, top_sample *ret, theater_error *reterr);
void top_sample_done(top_sample *sample);
/* Fills the rates of the actors of `now`. */
void top_sample_compare(const top_sample *before, top_sample *now);
/* The time below which `part` of the observations between two samples lie, seconds; negative when there were
 * none. Interpolated within its bucket. */
double top_percentile(const top_histogram *before, const top_histogram *now, double part);

typedef enum top_order {
    TOP_BY_RATE,
    TOP_BY_ELEMENTS,
    TOP_BY_STATE,
    TOP_BY_WAITING,
    TOP_BY_NAME,
    TOP_ORDERS
} top_order;

/* How it is shown. */
typedef struct top_view {
    th_client *client;
    const top_sample *before, *now;
    top_order order;
    unsigned rows, columns; /* 0: as many as there are */
    size_t first_actor; /* of the table */
    bool paused;
    const char *trouble; /* why there is no newer sample; NULL: there is one */
} top_view;
/* Prints the view: with escape sequences that draw it over the last one (`rows` set), or as plain lines. */
void top_print(cli_output *out, const top_view *view);
void top_print_json(cli_output *out, const top_view *view);

#endif
