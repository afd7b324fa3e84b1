#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "port/system.h"
#include "standin.h"

static th_standin standin;
static th_machine machine;

theater_runtime *bench_open(const theater_runtime_options *options)
{
    static bool ready;
    if (!ready)
        th_standin_init(&standin, &machine);
    ready = true;
    th_runtime_config config = {.port = th_port_system(), .machine = &machine};
    if (options)
        config.options = *options;
    theater_runtime *runtime;
    theater_error error = {0};
    if (th_runtime_open(&config, &runtime, &error))
        fail_msg("open: %s", error.message);
    return runtime;
}

theater_status bench_start(theater_runtime *runtime, const char *name, const char *component,
                           const char *config, theater_error *reterr)
{
    theater_actor_options options = {.name = name,
                                     .component = {(const uint8_t *)component, strlen(component)},
                                     .config = {(const uint8_t *)config, strlen(config)}};
    return theater_actor_start(runtime, &options, NULL, reterr);
}

void bench_counter(theater_runtime *runtime, const char *name)
{
    theater_error error = {0};
    if (bench_start(runtime, name, "standin:counter", "", &error))
        fail_msg("start %s: %s", name, error.message);
}

theater_status bench_send(theater_runtime *runtime, const char *name, const char *input, char *out)
{
    theater_message message = {.actor = name, .input = {(const uint8_t *)input, strlen(input)}};
    theater_answer answer;
    theater_error error = {0};
    theater_status status = theater_send(runtime, &message, &answer, &error);
    snprintf(out, 256, "%.*s", (int)answer.output.size,
             answer.output.data ? (const char *)answer.output.data : "");
    if (status && status != THEATER_REJECTED)
        snprintf(out, 256, "%.255s", error.message);
    theater_answer_done(&answer);
    return status;
}

void bench_expect(theater_runtime *runtime, const char *name, const char *input, const char *output)
{
    char out[256];
    theater_status status = bench_send(runtime, name, input, out);
    if (status)
        fail_msg("%s: %s: %s", name, theater_status_text(status), out);
    assert_string_equal(out, output);
}

uint64_t bench_count(theater_runtime *runtime, const char *name)
{
    theater_answer answer;
    theater_error error = {0};
    theater_message message = {.actor = name, .input = {(const uint8_t *)"add 0", 5}};
    if (theater_query(runtime, &message, &answer, &error))
        fail_msg("query %s: %s", name, error.message);
    char text[32] = "";
    snprintf(text, sizeof text, "%.*s", (int)answer.output.size,
             answer.output.data ? (const char *)answer.output.data : "");
    theater_answer_done(&answer);
    return strtoull(text, NULL, 10);
}

void bench_drain(theater_runtime *runtime)
{
    theater_error error = {0};
    if (theater_drain(runtime, 30000, &error))
        fail_msg("%s", error.message);
}

const char *bench_folder(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/runtime-%s-%d", TH_BINARY_DIR, name, (int)getpid());
    char command[600];
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    assert_int_equal(system(command), 0);
    return path;
}
