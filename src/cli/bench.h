/* cli/bench.h: what `theater bench` measures, and how it makes the load. */
#ifndef TH_CLI_BENCH_H
#define TH_CLI_BENCH_H

#include "cli/cli.h"

/* ---- latencies (bench_load.c) -------------------------------------------------------------------------- */

/* Counts of times, log-linear as in HDR histograms: 32 buckets for each doubling, so a quantile is right within
 * a thirty-second. One thread at a time. */
#define CLI_BENCH_BUCKETS 1920
typedef struct cli_bench_times {
    uint64_t count, sum_ns, max_ns;
    uint64_t buckets[CLI_BENCH_BUCKETS];
} cli_bench_times;
void cli_bench_times_add(cli_bench_times *times, uint64_t ns);
/* The time that a part of all (0 to 1) took at the most; 0 when there is none. */
uint64_t cli_bench_quantile(const cli_bench_times *times, double part);

/* ---- what is run --------------------------------------------------------------------------------------- */

#define CLI_BENCH_CLIENTS_MAX 65536
#define CLI_BENCH_ACTORS_MAX 100000
#define CLI_BENCH_BYTES_MAX ((uint64_t)1 << 30) /* of the inputs of all clients together */

typedef struct cli_bench {
    const char *what; /* the actor in words */
    theater_actor_options actor; /* all actors are made of it; `name` is not used */
    const th_slice *inputs; /* sent in turn, at least one */
    size_t input_count;
    uint64_t actors, clients, workers, time_ms;
    bool async, no_disk;
} cli_bench;

/* The threads of the process by what they are for. */
enum { CLI_BENCH_CLIENT, CLI_BENCH_WORKER, CLI_BENCH_COMMITTER, CLI_BENCH_INDEXER, CLI_BENCH_THREADS };

/* What a run came to. Times of CPU are nanoseconds. */
typedef struct cli_bench_result {
    uint64_t wall_ns, cpu_ns;
    uint64_t thread_ns[CLI_BENCH_THREADS]; /* all 0 where the system does not say */
    uint64_t answers, rejected;
    uint64_t allocations; /* of the C code */
    cli_bench_times answer; /* from a message's submission to its answer */
    theater_metrics before, after; /* of the runtime; counters are to be subtracted */
    /* From a short run of its own, because reading the clock between stages takes time itself: what came since
     * `after`, which is nothing when it was interrupted before. */
    theater_metrics stages;
} cli_bench_result;

/* Starts the actors, lets them warm up, runs for the time and for a quarter of it with the stages measured.
 * An interrupt ends it early, with what it has. NOT_FOUND and so on as the first message that could not be
 * sent or committed; a rejection is no error. Closes the runtime in any case. */
THEATER_CHECKED theater_status cli_bench_run(const cli_bench *bench, theater_runtime *runtime,
                                             cli_bench_result *ret, theater_error *reterr);

/* ---- bench_print.c ------------------------------------------------------------------------------------- */

void cli_bench_print(cli_run *cli, const cli_bench *bench, const cli_bench_result *result);

/* The component that is run when none is named; written by the build from examples/counter. */
extern const unsigned char cli_bench_actor[];
extern const size_t cli_bench_actor_size;

#endif
