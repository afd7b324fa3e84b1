/* Measures what a turn costs, step by step, for each way in which the engine can make fresh instances.
 *
 * A line is one engine and one component: nanoseconds of begin (store and instance), handle, verify-state,
 * end (drop), and of all four, each the median of batches, and the fuel. Batches are short, so that a machine
 * that is busy with other work now and then disturbs few of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "theater_engine.h"

enum { STEPS = 5, BATCHES = 101, TURNS = 50 };

static double now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static bool on_log(void *context, uint32_t level, th_engine_bytes text)
{
    return true;
}

static bool on_random(void *context, uint32_t length, th_engine_bytes *ret)
{
    static const uint8_t zeros[65536];
    *ret = (th_engine_bytes){zeros, length};
    return length <= sizeof zeros;
}

static bool on_send(void *context, th_engine_bytes to, th_engine_bytes payload)
{
    return true;
}

static bool on_request(void *context, th_engine_bytes to, th_engine_bytes payload, uint64_t *ret_id)
{
    *ret_id = 1;
    return true;
}

static const th_engine_turn_options options = {
    .fuel = 1000000000,
    .memory_bytes = (uint64_t)1 << 30,
    .timestamp_ns = 1,
    .sequence = 1,
    .self_name = {(const uint8_t *)"bench", 5},
    .source_kind = TH_ENGINE_SOURCE_CLIENT,
    .log = on_log,
    .random = on_random,
    .send = on_send,
    .request = on_request,
};

/* Runs one turn and adds the time of its steps; gives its fuel, or exits with what went wrong. */
static uint64_t turn(th_engine_component *component, th_engine_bytes input, th_engine_bytes state,
                     double *steps)
{
    th_engine_turn *turn = NULL;
    th_engine_result result;
    double at[STEPS];
    at[0] = now_ns();
    th_engine_outcome outcome = th_engine_turn_begin(component, &options, &turn, &result);
    at[1] = now_ns();
    if (outcome == TH_ENGINE_OK)
        outcome = th_engine_turn_handle(turn, input, state, &result);
    at[2] = now_ns();
    if (outcome == TH_ENGINE_OK)
        outcome = th_engine_turn_verify_state(turn, result.state, &result);
    at[3] = now_ns();
    if (outcome != TH_ENGINE_OK && outcome != TH_ENGINE_ERROR) {
        fprintf(stderr, "outcome %d: %s\n", outcome, result.detail ? result.detail : "");
        exit(1);
    }
    uint64_t fuel = th_engine_turn_fuel(turn);
    double before_end = now_ns();
    th_engine_turn_end(turn);
    at[4] = now_ns();
    steps[0] += at[1] - at[0];
    steps[1] += at[2] - at[1];
    steps[2] += at[3] - at[2];
    steps[3] += at[4] - before_end;
    steps[4] += at[3] - at[0] + at[4] - before_end;
    return fuel;
}

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return left < right ? -1 : left > right;
}

static void measure(const char *engine, const char *path, th_engine_component *component,
                    th_engine_bytes input, th_engine_bytes state)
{
    static double times[STEPS][BATCHES];
    uint64_t fuel = 0;
    for (int batch = -10; batch < BATCHES; batch++) {
        double steps[STEPS] = {0};
        for (int i = 0; i < TURNS; i++)
            fuel = turn(component, input, state, steps);
        for (int step = 0; step < STEPS && batch >= 0; step++)
            times[step][batch] = steps[step] / TURNS;
    }
    const char *name = strrchr(path, '/');
    printf("%-10s %-24s", engine, name ? name + 1 : path);
    for (int step = 0; step < STEPS; step++) {
        qsort(times[step], BATCHES, sizeof(double), by_value);
        printf(" %9.0f", times[step][BATCHES / 2]);
    }
    printf(" %11llu\n", (unsigned long long)fuel);
    fflush(stdout);
}

static th_engine_bytes read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    uint8_t *data = malloc((size_t)size);
    if (size < 0 || data == NULL || fread(data, 1, (size_t)size, file) != (size_t)size)
        exit(1);
    fclose(file);
    return (th_engine_bytes){data, (size_t)size};
}

int main(int count, char **arguments)
{
    static const char *const fixtures[] = {
        TH_FIXTURES "/no_host.wasm",          "a", "b", TH_FIXTURES "/counter.wasm", "x", "12345678",
        TH_FIXTURES "/memory_of_before.wasm", "x", "y",
    };
    static const struct {
        const char *name;
        th_engine_options options;
    } engines[] = {
        {"pool", {.turns = 4, .keep_resident_bytes = UINT64_MAX}},
        {"pulley", {.pulley = true, .turns = 4, .keep_resident_bytes = UINT64_MAX}},
        {"resident 0", {.turns = 4, .keep_resident_bytes = 0}},
        {"on demand", {.no_pooling = true}},
    };
    const char *const *list = count > 3 ? (const char *const *)arguments + 1 : fixtures;
    int entries = count > 3 ? (count - 1) / 3 : (int)(sizeof fixtures / sizeof *fixtures / 3);
    printf("%-10s %-24s %9s %9s %9s %9s %9s %11s\n", "engine", "component", "begin", "handle", "verify",
           "end", "ns", "fuel");
    for (size_t i = 0; i < sizeof engines / sizeof *engines; i++) {
        char error[2000] = "";
        th_engine *engine = th_engine_new(&engines[i].options, error, sizeof error);
        for (int k = 0; engine && k < entries; k++) {
            th_engine_bytes binary = read_file(list[3 * k]);
            th_engine_component *component = th_engine_compile(engine, binary, error, sizeof error);
            free((void *)binary.data);
            if (component == NULL)
                break;
            measure(engines[i].name, list[3 * k], component,
                    (th_engine_bytes){(const uint8_t *)list[3 * k + 1], strlen(list[3 * k + 1])},
                    (th_engine_bytes){(const uint8_t *)list[3 * k + 2], strlen(list[3 * k + 2])});
            th_engine_component_free(component);
        }
        if (error[0]) {
            fprintf(stderr, "%s\n", error);
            return 1;
        }
        th_engine_free(engine);
    }
    return 0;
}
