/* Durable turns a second, through the public interface: `bench_turns [option value]...`, see usage(). One
 * line of figures a run, and with
 * --stages 1 the CPU time of a turn by stage. Compare runs of one call of bench/run, as ratios: machines are
 * noisy. */
#include <semaphore.h>
#include <string.h>
#include <sys/resource.h>

#include "support.h"

#ifdef BENCH_ALLOCATIONS
#include "allocations.h"
#else
static unsigned long long bench_allocations(void)
{
    return 0;
}
#endif

typedef struct settings {
    const char *component, *config, *folder, *input_text;
    unsigned actors, workers, inflight, stages, async;
    size_t input;
    double seconds;
    unsigned long long turns; /* run this many instead of for a time */
    unsigned long long fuel;  /* of a turn; 0: the default */
} settings;

/* A client that many wait behind is woken for many answers at once, not for each. */
static sem_t room; /* bursts of messages that may still be submitted */
static unsigned burst;
static unsigned long long answers, failures;

static void answered(void *context, theater_answer *answer)
{
    answers++;
    failures += answer->status != THEATER_OK;
    if (answers % burst == 0)
        sem_post(&room);
}

static void usage(void)
{
    fprintf(stderr, "bench_turns --component FILE [--config TEXT] [--folder DIR] [--actors N] [--workers N] "
                    "[--input BYTES]\n"
                    "            [--input-text TEXT] [--inflight N] [--seconds S | --turns N] [--async 1] "
                    "[--stages 1] [--fuel N]\n");
    exit(2);
}

static settings parse(int argc, char **argv)
{
    settings s = {.actors = 1, .inflight = 2048, .seconds = 3, .input = 16, .config = ""};
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *name = argv[i], *value = argv[i + 1];
        if (!strcmp(name, "--component"))
            s.component = value;
        else if (!strcmp(name, "--config"))
            s.config = value;
        else if (!strcmp(name, "--folder"))
            s.folder = value;
        else if (!strcmp(name, "--input-text"))
            s.input_text = value;
        else if (!strcmp(name, "--actors"))
            s.actors = (unsigned)atoi(value);
        else if (!strcmp(name, "--workers"))
            s.workers = (unsigned)atoi(value);
        else if (!strcmp(name, "--inflight"))
            s.inflight = (unsigned)atoi(value);
        else if (!strcmp(name, "--input"))
            s.input = (size_t)atoll(value);
        else if (!strcmp(name, "--seconds"))
            s.seconds = atof(value);
        else if (!strcmp(name, "--turns"))
            s.turns = strtoull(value, NULL, 10);
        else if (!strcmp(name, "--fuel"))
            s.fuel = strtoull(value, NULL, 10);
        else if (!strcmp(name, "--async"))
            s.async = (unsigned)atoi(value);
        else if (!strcmp(name, "--stages"))
            s.stages = (unsigned)atoi(value);
        else
            usage();
    }
    if (!s.component || argc % 2 == 0)
        usage();
    return s;
}

static theater_slice make_input(const settings *s)
{
    if (s->input_text) {
        size_t length = strlen(s->input_text), size = s->input > length ? s->input : length;
        uint8_t *data = malloc(size);
        memset(data, ' ', size);
        memcpy(data, s->input_text, length);
        return (theater_slice){data, size};
    }
    uint8_t *data = malloc(s->input ? s->input : 1);
    memset(data, 'x', s->input);
    return (theater_slice){data, s->input};
}

/* The latency that a part of the answers had at the most, in milliseconds; the histogram of `after` since
 * `before`. */
static double quantile_ms(const theater_histogram *before, const theater_histogram *after, double part)
{
    double count = (double)(after->count - before->count), sum = 0;
    for (unsigned i = 0; i < THEATER_HISTOGRAM_BUCKETS; i++) {
        sum += (double)(after->buckets[i] - before->buckets[i]);
        if (sum >= part * count)
            return (double)theater_histogram_bound_ns(i) / 1e6;
    }
    return 0;
}

static void print_stages(const theater_metrics *m)
{
    double turns = m->measured_turns ? (double)m->measured_turns : 1;
    printf("  CPU a turn by stage, ns: instantiate %.0f, call %.0f, drop %.0f, hash %.0f, encode %.0f\n",
           (double)m->begin_ns / turns, (double)m->call_ns / turns, (double)m->end_ns / turns,
           (double)m->hash_ns / turns, (double)m->encode_ns / turns);
}

int main(int argc, char **argv)
{
    settings s = parse(argc, argv);
    theater_error error = {0};
    theater_runtime *runtime;
    theater_runtime_options options = {.folder = s.folder,
                                       .workers = s.workers,
                                       .durability = s.async ? THEATER_ASYNC : THEATER_SYNC,
                                       .mailbox_messages = s.inflight + 1};
    bench_must(theater_runtime_open(&options, &runtime, &error), &error);
    theater_slice component = bench_read_file(s.component), input = make_input(&s);
    char(*names)[32] = calloc(s.actors, sizeof *names);
    for (unsigned i = 0; i < s.actors; i++) {
        snprintf(names[i], sizeof names[i], "a%u", i);
        theater_actor_options actor = {.name = names[i],
                                       .component = component,
                                       .config = {(const uint8_t *)s.config, strlen(s.config)},
                                       .limits = {.fuel = s.fuel,
                                                  .memory_bytes = UINT64_C(512) << 20,
                                                  .state_bytes = UINT64_C(128) << 20,
                                                  .message_bytes = UINT64_C(4) << 20}};
        theater_status status = theater_actor_start(runtime, &actor, NULL, &error);
        if (status != THEATER_EXISTS)
            bench_must(status, &error);
    }
    burst = s.inflight < 64 ? 1 : s.inflight / 32;
    sem_init(&room, 0, s.inflight / burst);
    theater_runtime_measure(runtime, s.stages);
    theater_metrics before, after;
    theater_runtime_metrics(runtime, &before);
    struct rusage cpu_before, cpu_after;
    getrusage(RUSAGE_SELF, &cpu_before);
    unsigned long long allocations = bench_allocations();
    double begin = bench_now();
    unsigned long long submitted = 0;
    while (s.turns ? submitted < s.turns : submitted % 64 || bench_now() - begin < s.seconds) {
        if (submitted % burst == 0)
            sem_wait(&room);
        theater_message message = {.actor = names[submitted % s.actors], .input = input};
        bench_must(theater_submit(runtime, &message, answered, NULL, &error), &error);
        submitted++;
    }
    bench_must(theater_drain(runtime, 60000, &error), &error);
    double seconds = bench_now() - begin;
    getrusage(RUSAGE_SELF, &cpu_after);
    allocations = bench_allocations() - allocations;
    theater_runtime_metrics(runtime, &after);
    double cpu = (double)(cpu_after.ru_utime.tv_sec - cpu_before.ru_utime.tv_sec + cpu_after.ru_stime.tv_sec -
                          cpu_before.ru_stime.tv_sec) +
                 (double)(cpu_after.ru_utime.tv_usec - cpu_before.ru_utime.tv_usec +
                          cpu_after.ru_stime.tv_usec - cpu_before.ru_stime.tv_usec) *
                     1e-6;
    double turns = (double)(after.turns - before.turns), commits = (double)(after.commits - before.commits);
    printf("%u actors, input %zu B, %s: %.0f turns/s, CPU %.2f us a turn, commit %.0f us of %.0f turns, %.0f "
           "B a turn, %.1f allocations a turn, answers p50 %.2f ms p99 %.2f ms, %llu failed\n",
           s.actors, input.size, s.async ? "async" : "sync", turns / seconds, cpu / turns * 1e6,
           (double)(after.commit_ns - before.commit_ns) / commits / 1e3, turns / commits,
           (double)(after.commit_bytes - before.commit_bytes) / turns, (double)allocations / turns,
           quantile_ms(&before.answer, &after.answer, 0.5), quantile_ms(&before.answer, &after.answer, 0.99),
           failures);
    if (s.stages)
        print_stages(&after);
    theater_runtime_close(runtime);
    return 0;
}
