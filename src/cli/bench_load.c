/* bench: clients that send a message each, wait for its answer, and send the next.
 *
 * All clients are played by one thread, so that their cost is small and does not grow with their number. A
 * client that waits to send is in the array `idle`; a message in flight has its client as context.
 *
 * Invariants
 *   1. `idle`, `idle_count`, `wanted` and the figures change under the lock only.
 *   2. The sender sleeps only while fewer than `wanted` clients are idle; the answer that makes them enough
 *      sets the event, and only the sender resets it, under the lock. So it is woken once for many answers.
 *   3. A phase ends with all clients idle: no completion runs any more when the figures are read. */
#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/allocations.h"
#include "cli/bench.h"
#include "port/system.h"

#define WAIT_NS UINT64_C(50000000)
#define WARM_UP_MS 500
#define DRAIN_MS 60000
#define SUB_BITS 5 /* 2^5 buckets for each doubling */

/* ---- latencies ----------------------------------------------------------------------------------------- */

static unsigned bucket_of(uint64_t ns)
{
    if (ns < 1u << SUB_BITS)
        return (unsigned)ns;
    unsigned shift = 63 - (unsigned)__builtin_clzll(ns) - SUB_BITS;
    return (shift << SUB_BITS) + (unsigned)(ns >> shift);
}

/* The largest time that belongs to a bucket. */
static uint64_t bucket_end(unsigned bucket)
{
    if (bucket < 2u << SUB_BITS)
        return bucket;
    unsigned shift = (bucket >> SUB_BITS) - 1;
    uint64_t first = (uint64_t)(bucket - (shift << SUB_BITS)) << shift;
    return first + ((UINT64_C(1) << shift) - 1);
}

void cli_bench_times_add(cli_bench_times *times, uint64_t ns)
{
    _Static_assert(CLI_BENCH_BUCKETS == (64 - SUB_BITS + 1) << SUB_BITS, "a bucket for every time");
    times->count++;
    times->sum_ns += ns;
    if (ns > times->max_ns)
        times->max_ns = ns;
    times->buckets[bucket_of(ns)]++;
}

uint64_t cli_bench_quantile(const cli_bench_times *times, double part)
{
    double sum = 0, enough = part * (double)times->count;
    for (unsigned i = 0; i < CLI_BENCH_BUCKETS; i++) {
        sum += (double)times->buckets[i];
        if (times->buckets[i] && sum >= enough) {
            uint64_t end = bucket_end(i);
            return end < times->max_ns ? end : times->max_ns;
        }
    }
    return 0;
}

/* ---- clients ------------------------------------------------------------------------------------------- */

typedef struct load load;

typedef struct client {
    load *owner;
    uint64_t submitted_ns;
} client;

struct load {
    const cli_bench *bench;
    theater_runtime *runtime;
    th_port *port;
    th_mutex lock;
    th_event *enough;
    client *clients;
    client **idle;
    uint64_t idle_count;
    uint64_t wanted; /* idle clients that the sleeping sender needs; 0: it is awake */
    uint64_t submitted; /* messages, ever; the sender's */
    cli_bench_result *result; /* where answers are counted */
    cli_bench_result *aside; /* likewise, of the run whose latencies are of no interest */
    theater_error failure; /* the first one */
};

static void answered(void *context, theater_answer *answer)
{
    client *self = context;
    load *owner = self->owner;
    uint64_t now = th_port_monotonic_ns(owner->port);
    th_mutex_lock(&owner->lock);
    cli_bench_result *result = owner->result;
    cli_bench_times_add(&result->answer, now - self->submitted_ns);
    result->answers++;
    if (answer->status == THEATER_REJECTED)
        result->rejected++;
    else if (answer->status != THEATER_OK && owner->failure.status == THEATER_OK)
        owner->failure = answer->error;
    owner->idle[owner->idle_count++] = self;
    if (owner->wanted && owner->idle_count >= owner->wanted) {
        owner->wanted = 0;
        th_event_set(owner->enough);
    }
    th_mutex_unlock(&owner->lock);
}

/* Takes up to `room` idle clients out once there are `least`, or some time has passed. */
static uint64_t take_idle(load *self, uint64_t least, client **out, uint64_t room)
{
    th_mutex_lock(&self->lock);
    if (self->idle_count < least) {
        self->wanted = least;
        th_event_reset(self->enough);
        th_mutex_unlock(&self->lock);
        (void)th_event_wait(self->enough, WAIT_NS);
        th_mutex_lock(&self->lock);
        self->wanted = 0;
    }
    uint64_t count = self->idle_count < room ? self->idle_count : room;
    self->idle_count -= count;
    memcpy(out, self->idle + self->idle_count, count * sizeof *out);
    th_mutex_unlock(&self->lock);
    return count;
}

static void put_idle(load *self, client *one)
{
    th_mutex_lock(&self->lock);
    self->idle[self->idle_count++] = one;
    th_mutex_unlock(&self->lock);
}

static void submit(load *self, client *one)
{
    const cli_bench *bench = self->bench;
    char name[32];
    snprintf(name, sizeof name, "bench-%llu", (unsigned long long)(self->submitted % bench->actors));
    theater_message message = {.actor = name, .input = bench->inputs[self->submitted % bench->input_count]};
    self->submitted++;
    one->submitted_ns = th_port_monotonic_ns(self->port);
    theater_error error = {.status = THEATER_OK};
    if (theater_submit(self->runtime, &message, answered, one, &error) == THEATER_OK)
        return;
    put_idle(self, one);
    th_mutex_lock(&self->lock);
    if (self->failure.status == THEATER_OK)
        self->failure = error;
    th_mutex_unlock(&self->lock);
}

static bool failed(load *self, theater_error *reterr)
{
    th_mutex_lock(&self->lock);
    bool is = self->failure.status != THEATER_OK;
    if (is && reterr)
        *reterr = self->failure;
    th_mutex_unlock(&self->lock);
    return is;
}

/* Sends for a time, and waits for the last answers. */
static theater_status send_for(load *self, uint64_t time_ms, const char *what, theater_error *reterr)
{
    enum { BURST = 256 };
    client *taken[BURST];
    uint64_t clients = self->bench->clients, least = clients < 64 ? 1 : clients / 32;
    if (least > BURST)
        least = BURST;
    cli_progress progress;
    cli_progress_begin(&progress, what);
    uint64_t begin = th_port_monotonic_ns(self->port), end = begin + time_ms * 1000000;
    while (!cli_interrupted() && !failed(self, NULL) && th_port_monotonic_ns(self->port) < end) {
        uint64_t count = take_idle(self, least, taken, BURST);
        for (uint64_t i = 0; i < count; i++)
            submit(self, taken[i]);
        cli_progress_step(&progress, self->submitted, 0);
    }
    cli_progress_end(&progress);
    theater_status status = theater_drain(self->runtime, DRAIN_MS, reterr);
    for (bool all = false; !all && !status;) {
        th_mutex_lock(&self->lock);
        all = self->idle_count == clients;
        self->wanted = all ? 0 : clients;
        th_event_reset(self->enough);
        th_mutex_unlock(&self->lock);
        if (!all)
            (void)th_event_wait(self->enough, WAIT_NS);
    }
    if (!status && failed(self, reterr))
        status = self->failure.status;
    return status;
}

/* ---- CPU time ------------------------------------------------------------------------------------------ */

static uint64_t process_cpu_ns(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000000u +
           (uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1000u;
}

/* The first line of a small file of /proc, without its end. */
static bool read_line(const char *thread, const char *file, char *out, size_t size)
{
    char path[320];
    snprintf(path, sizeof path, "/proc/self/task/%s/%s", thread, file);
    FILE *in = fopen(path, "re");
    if (!in)
        return false;
    bool got = fgets(out, (int)size, in) != NULL;
    fclose(in);
    if (got)
        out[strcspn(out, "\n")] = 0;
    return got;
}

/* Adds or subtracts the CPU time of each thread so far (proc(5): schedstat begins with it, in nanoseconds). */
static void add_thread_cpu(cli_bench_result *result, bool subtract)
{
    static const char *const names[CLI_BENCH_THREADS] = {NULL, "worker", "committer", "indexer"};
    char own[32], name[64], line[128];
    snprintf(own, sizeof own, "%ld", (long)getpid());
    DIR *threads = opendir("/proc/self/task");
    if (!threads)
        return;
    for (struct dirent *entry; (entry = readdir(threads));) {
        if (entry->d_name[0] == '.' || !read_line(entry->d_name, "comm", name, sizeof name) ||
            !read_line(entry->d_name, "schedstat", line, sizeof line))
            continue;
        uint64_t ns = strtoull(line, NULL, 10);
        for (unsigned i = 0; i < CLI_BENCH_THREADS; i++) {
            if (names[i] ? strcmp(name, names[i]) == 0 : strcmp(entry->d_name, own) == 0)
                result->thread_ns[i] += subtract ? 0 - ns : ns;
        }
    }
    closedir(threads);
}

/* ---- the run ------------------------------------------------------------------------------------------- */

static theater_status start_actors(load *self, theater_error *reterr)
{
    theater_status status = THEATER_OK;
    cli_progress progress;
    cli_progress_begin(&progress, "starting actors");
    for (uint64_t i = 0; i < self->bench->actors && !status; i++) {
        char name[32];
        snprintf(name, sizeof name, "bench-%llu", (unsigned long long)i);
        theater_actor_options options = self->bench->actor;
        options.name = name;
        status = theater_actor_start(self->runtime, &options, NULL, reterr);
        if (!status && cli_interrupted())
            status = th_fail(reterr, THEATER_INTERRUPTED, "interrupted before anything was measured");
        cli_progress_step(&progress, i + 1, self->bench->actors);
    }
    cli_progress_end(&progress);
    return status;
}

static theater_status measure(load *self, theater_error *reterr)
{
    uint64_t time_ms = self->bench->time_ms;
    cli_bench_result *result = self->result;
    theater_status status =
        send_for(self, time_ms / 10 < WARM_UP_MS ? time_ms / 10 : WARM_UP_MS, "warming up", reterr);
    if (status)
        return status;
    memset(result, 0, sizeof *result);
    theater_runtime_metrics(self->runtime, &result->before);
    add_thread_cpu(result, true);
    uint64_t allocations = th_allocations(), cpu = process_cpu_ns(), begin = th_port_monotonic_ns(self->port);
    th_allocations_count(true);
    status = send_for(self, time_ms, "turns", reterr);
    th_allocations_count(false);
    result->wall_ns = th_port_monotonic_ns(self->port) - begin;
    result->cpu_ns = process_cpu_ns() - cpu;
    result->allocations = th_allocations() - allocations;
    add_thread_cpu(result, false);
    theater_runtime_metrics(self->runtime, &result->after);
    result->stages = result->after;
    if (status || cli_interrupted())
        return status;
    self->result = self->aside;
    theater_runtime_measure(self->runtime, true);
    status = send_for(self, time_ms / 4 + 1, "stages", reterr);
    theater_runtime_measure(self->runtime, false);
    theater_runtime_metrics(self->runtime, &result->stages);
    return status;
}

theater_status cli_bench_run(const cli_bench *bench, theater_runtime *runtime, cli_bench_result *ret,
                             theater_error *reterr)
{
    memset(ret, 0, sizeof *ret);
    load self = {.bench = bench, .runtime = runtime, .port = th_port_system(), .result = ret};
    self.clients = th_alloc_zero(bench->clients, sizeof *self.clients);
    self.idle = th_alloc_zero(bench->clients, sizeof *self.idle);
    self.aside = th_alloc_zero(1, sizeof *self.aside);
    bool room = self.clients && self.idle && self.aside;
    theater_status status = room ? th_event_new(self.port, &self.enough, reterr)
                                 : th_fail_memory(reterr, "the clients of a benchmark");
    if (status) {
        th_free(self.clients);
        th_free(self.idle);
        th_free(self.aside);
        theater_runtime_close(runtime);
        return status;
    }
    th_mutex_init(self.port, &self.lock);
    for (uint64_t i = 0; i < bench->clients; i++) {
        self.clients[i].owner = &self;
        self.idle[self.idle_count++] = &self.clients[i];
    }
    status = start_actors(&self, reterr);
    if (!status)
        status = measure(&self, reterr);
    /* Completions that are still to come find this memory: closing gives them all. */
    theater_runtime_close(runtime);
    th_mutex_done(&self.lock);
    th_event_free(self.enough);
    th_free(self.clients);
    th_free(self.idle);
    th_free(self.aside);
    return status;
}
