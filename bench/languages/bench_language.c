/* What one actor costs: compiling it, loading its compiled form, a turn, and memory.
 *
 *   bench_language COMPONENT CACHE CONFIG SECONDS INPUT...
 *
 * Without the file CACHE it compiles the component and writes it; with it, it loads it, as a restart would. Then
 * it runs each INPUT once and the last of them for SECONDS, as turns of one actor in one thread without a
 * store, and prints one JSON object. Memory is what the process grew by from the ready engine to the end. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "actor/instance.h"
#include "actor/loader.h"
#include "crypto/sha256.h"
#include "port/system.h"

#define STACK_FOR_C ((size_t)1 << 20)
enum { FILE_MAX = 1 << 30, CLEAR_EVERY = 64 };

typedef struct bench {
    char **arguments;
    int inputs;
    th_machine machine;
    th_buf binary;
    theater_status status;
    theater_error error;
} bench;

static uint64_t now_ns(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* Bytes of this process that are in memory. */
static uint64_t resident(void)
{
    unsigned long size = 0, pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file) {
        if (fscanf(file, "%lu %lu", &size, &pages) != 2)
            pages = 0;
        fclose(file);
    }
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static theater_status read_file(const char *path, th_buf *out, theater_error *reterr)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return th_fail(reterr, THEATER_NOT_FOUND, "%s cannot be read", path);
    theater_status status = THEATER_OK;
    uint8_t block[65536];
    for (size_t got; status == THEATER_OK && (got = fread(block, 1, sizeof block, file)) > 0;)
        status = th_buf_append(out, th_slice_of(block, got), reterr);
    fclose(file);
    return status;
}

static theater_status read_binary(void *context, const th_hash *hash, th_buf *out, theater_error *reterr)
{
    (void)hash;
    return th_buf_append(out, th_buf_slice(&((bench *)context)->binary), reterr);
}

static theater_status read_compiled(void *context, const th_hash *hash, th_buf *out, theater_error *reterr)
{
    (void)hash;
    return read_file(((bench *)context)->arguments[2], out, reterr);
}

static void write_compiled(void *context, const th_hash *hash, th_slice compiled)
{
    (void)hash;
    FILE *file = fopen(((bench *)context)->arguments[2], "wb");
    if (!file)
        return;
    fwrite(compiled.data, 1, compiled.size, file);
    fclose(file);
}

static theater_status turn(th_instance *instance, th_workspace *workspace, const char *text,
                           th_produced *produced, theater_error *reterr)
{
    th_input input = {.payload = th_slice_text(text), .timestamp_ns = 1};
    theater_status status = th_instance_handle(instance, &input, workspace, produced, reterr);
    if (status == THEATER_OK && produced->type == TH_REJECTION)
        return th_fail(reterr, THEATER_REJECTED, "%s was rejected: %.*s", text,
                       (int)produced->reject_text.size, (const char *)produced->reject_text.data);
    return status;
}

/* Runs the inputs, then the last one until the time is over. */
static theater_status run_turns(bench *b, th_instance *instance, th_workspace *workspace, uint64_t *ret_turns,
                                uint64_t *ret_ns, uint64_t *ret_fuel, theater_error *reterr)
{
    th_produced produced;
    theater_status status = THEATER_OK;
    const char *last = "";
    for (int i = 0; status == THEATER_OK && i < b->inputs; i++) {
        last = b->arguments[5 + i];
        status = turn(instance, workspace, last, &produced, reterr);
        th_workspace_clear(workspace);
    }
    uint64_t begun = now_ns(CLOCK_MONOTONIC), cpu = now_ns(CLOCK_THREAD_CPUTIME_ID), turns = 0;
    uint64_t until = begun + (uint64_t)(strtod(b->arguments[4], NULL) * 1e9);
    while (status == THEATER_OK && (turns % CLEAR_EVERY || now_ns(CLOCK_MONOTONIC) < until)) {
        status = turn(instance, workspace, last, &produced, reterr);
        *ret_fuel = produced.fuel;
        th_workspace_clear(workspace);
        turns++;
    }
    *ret_turns = turns;
    *ret_ns = now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
    return status;
}

static theater_status measure(bench *b, theater_error *reterr)
{
    th_loader_options options = {.machine = &b->machine,
                                 .port = th_port_system(),
                                 .context = b,
                                 .read_binary = read_binary,
                                 .read_compiled = read_compiled,
                                 .write_compiled = write_compiled};
    th_loader *loader = NULL;
    th_loaded *loaded = NULL;
    th_hasher *hasher = NULL;
    th_workspace *workspace = NULL;
    th_instance *instance = NULL;
    th_hash hash;
    uint64_t before = resident(), turns = 0, ns = 0, fuel = 0, load_ns = 0;
    theater_status status = th_loader_new(&options, &loader, reterr);
    if (!status)
        status = th_hasher_new(&hasher, reterr);
    if (!status) {
        th_sha256_of(hasher, th_buf_slice(&b->binary), &hash);
        load_ns = now_ns(CLOCK_MONOTONIC);
        status = th_loader_get(loader, &hash, &loaded, reterr);
        load_ns = now_ns(CLOCK_MONOTONIC) - load_ns;
    }
    if (!status)
        status = th_workspace_new(&workspace, reterr);
    if (!status) {
        th_descriptor descriptor = {.name = th_slice_text("bench"),
                                    .component = hash,
                                    .config = th_slice_text(b->arguments[3]),
                                    .limits = {UINT64_C(1) << 40, 1 << 28, 1 << 24, 1 << 20, 1 << 22},
                                    .engine = th_slice_text(b->machine.name)};
        th_produced produced;
        status = th_instance_genesis(&b->machine, th_loaded_component(loaded), &descriptor, 1, workspace,
                                     &instance, &produced, reterr);
    }
    if (!status)
        status = run_turns(b, instance, workspace, &turns, &ns, &fuel, reterr);
    if (!status)
        printf("{\"bytes\":%zu,\"load_ms\":%.2f,\"turns\":%llu,\"turn_us\":%.2f,\"fuel\":%llu,\"memory\":%llu}\n",
               b->binary.size, (double)load_ns / 1e6, (unsigned long long)turns, (double)ns / 1e3 / (double)turns,
               (unsigned long long)fuel, (unsigned long long)(resident() - before));
    th_instance_free(instance);
    th_workspace_free(workspace);
    th_hasher_free(hasher);
    th_loaded_unref(loaded);
    if (loader)
        th_loader_free(loader);
    return status;
}

static th_step step(void *context, uint64_t *ret_deadline_ns)
{
    (void)ret_deadline_ns;
    bench *b = context;
    b->status = measure(b, &b->error);
    return TH_STEP_DONE;
}

int main(int argc, char **argv)
{
    bench b = {.arguments = argv, .inputs = argc - 5};
    th_task *task;
    if (argc < 6) {
        fprintf(stderr, "usage: bench_language COMPONENT CACHE CONFIG SECONDS INPUT...\n");
        return theater_status_exit_code(THEATER_INVALID_ARGUMENT);
    }
    th_engine_options options = {.turns = 1, .keep_resident_bytes = UINT64_MAX};
    th_buf_init(&b.binary, FILE_MAX);
    b.status = read_file(argv[1], &b.binary, &b.error);
    if (!b.status)
        b.status = th_machine_engine(&options, &b.machine, &b.error);
    if (!b.status) {
        theater_status started = th_task_start(th_port_system(), "bench", b.machine.stack_bytes + STACK_FOR_C,
                                               step, &b, &task, &b.error);
        if (started)
            b.status = started;
        else
            th_task_join(task);
        th_machine_done(&b.machine);
    }
    th_buf_done(&b.binary);
    if (b.status)
        fprintf(stderr, "bench_language: %s\n", b.error.message);
    return theater_status_exit_code(b.status);
}
