#include "sdk/actor_run.h"

#include <stdio.h>

#include "engine/signals.h"

static th_slice taken(th_engine_bytes bytes)
{
    return th_slice_of(bytes.data, bytes.size);
}

static th_engine_bytes given(th_slice bytes)
{
    return (th_engine_bytes){bytes.data, bytes.size};
}

static void must(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

static void copy_text(char *to, size_t size, th_engine_bytes from)
{
    must(from.size < size, "a message is longer than the test takes");
    memcpy(to, from.data, from.size);
    to[from.size] = 0;
}

static bool on_log(void *context, uint32_t level, th_engine_bytes text)
{
    actor_run *run = context;
    must(th_buf_printf(&run->log, NULL, "%u %.*s\n", level, (int)text.size, (const char *)text.data) ==
             THEATER_OK,
         "log");
    return true;
}

/* Bytes 0, 1, 2 and so on: enough to see that they arrive. */
static bool on_random(void *context, uint32_t length, th_engine_bytes *ret)
{
    static uint8_t bytes[65536];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    *ret = (th_engine_bytes){bytes, length};
    return length <= sizeof bytes;
}

static bool keep_message(actor_run *run, th_engine_bytes to, th_engine_bytes payload, uint64_t request)
{
    if (run->sent_count == SENT_MAX)
        return false;
    sent_message *sent = &run->sent[run->sent_count++];
    copy_text(sent->to, sizeof sent->to, to);
    copy_text(sent->payload, sizeof sent->payload, payload);
    sent->request = request;
    return true;
}

static bool on_send(void *context, th_engine_bytes to, th_engine_bytes payload)
{
    return keep_message(context, to, payload, 0);
}

static bool on_request(void *context, th_engine_bytes to, th_engine_bytes payload, uint64_t *ret_id)
{
    actor_run *run = context;
    uint64_t place = 1;
    for (size_t i = 0; i < run->sent_count; i++)
        place += run->sent[i].request != 0;
    *ret_id = run->options.sequence * 65536 + place;
    return keep_message(run, to, payload, *ret_id);
}

static void replace(th_buf *buf, th_engine_bytes bytes)
{
    th_buf_clear(buf);
    must(th_buf_append(buf, taken(bytes), NULL) == THEATER_OK, "a result is longer than the test takes");
}

/* A whole turn: init with sequence 0, handle otherwise, then verify_state of what came out. */
static th_engine_outcome turn(actor_run *run, th_slice input)
{
    th_buf_clear(&run->log);
    run->sent_count = 0;
    run->trap = NULL;
    run->valid = false;
    th_engine_turn *turn = NULL;
    th_engine_result result = {0}, verified = {0};
    th_engine_outcome outcome = th_engine_turn_begin(run->component, &run->options, &turn, &result);
    if (outcome == TH_ENGINE_OK && run->options.sequence == 0)
        outcome = th_engine_turn_init(turn, given(input), &result);
    else if (outcome == TH_ENGINE_OK)
        outcome = th_engine_turn_handle(turn, given(input), given(th_buf_slice(&run->state)), &result);
    if (outcome == TH_ENGINE_OK || outcome == TH_ENGINE_ERROR)
        replace(&run->output, result.output);
    if (outcome == TH_ENGINE_TRAP)
        run->trap = result.trap;
    if (outcome == TH_ENGINE_OK) {
        outcome = th_engine_turn_verify_state(turn, result.state, &verified);
        run->valid = outcome == TH_ENGINE_OK && verified.valid;
        if (run->valid)
            replace(&run->state, result.state);
    }
    run->fuel = th_engine_turn_fuel(turn);
    th_engine_turn_end(turn);
    run->options.sequence++;
    return outcome;
}

th_engine_outcome actor_run_start_file(actor_run *run, const char *path, const char *config)
{
    *run = (actor_run){.options = {.fuel = 100000000,
                                   .memory_bytes = 64 << 20,
                                   .timestamp_ns = 1700000000000000000,
                                   .self_name = {(const uint8_t *)"self", 4},
                                   .source_kind = TH_ENGINE_SOURCE_GENESIS,
                                   .log = on_log,
                                   .random = on_random,
                                   .send = on_send,
                                   .request = on_request}};
    run->options.context = run;
    th_buf_init(&run->state, 16 << 20);
    th_buf_init(&run->output, 16 << 20);
    th_buf_init(&run->log, 1 << 20);
    th_buf binary;
    th_buf_init(&binary, 64 << 20);
    FILE *file = fopen(path, "rb");
    must(file != NULL, path);
    uint8_t block[4096];
    for (size_t got; (got = fread(block, 1, sizeof block, file)) > 0;)
        must(th_buf_append(&binary, th_slice_of(block, got), NULL) == THEATER_OK, path);
    fclose(file);

    char error[1024] = "";
    th_engine_options options = {.keep_resident_bytes = UINT64_MAX};
    run->engine = th_engine_new(&options, error, sizeof error);
    must(run->engine != NULL, error);
    test_keep_signals();
    run->component = th_engine_compile(run->engine, given(th_buf_slice(&binary)), error, sizeof error);
    must(run->component != NULL, error);
    th_buf_done(&binary);
    th_engine_outcome outcome = turn(run, th_slice_text(config));
    run->options.source_kind = TH_ENGINE_SOURCE_CLIENT;
    return outcome;
}

th_engine_outcome actor_run_start(actor_run *run, const char *name, const char *config)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/actors/%s.wasm", TH_BINARY_DIR, name);
    return actor_run_start_file(run, path, config);
}

th_engine_outcome actor_run_handle(actor_run *run, th_slice input)
{
    return turn(run, input);
}

static bool compare(actor_run *run, const char *input, th_engine_outcome outcome, th_engine_outcome want,
                    const char *output)
{
    if (outcome == want && (want != TH_ENGINE_OK || run->valid) &&
        th_slice_equal(th_buf_slice(&run->output), th_slice_text(output)))
        return true;
    fprintf(stderr, "input %s: outcome %d (wanted %d), valid %d, trap %s, output %.*s\n", input, (int)outcome,
            (int)want, run->valid, run->trap ? run->trap : "none", (int)run->output.size,
            (const char *)run->output.data);
    return false;
}

bool actor_run_gives(actor_run *run, const char *input, const char *output)
{
    return compare(run, input, turn(run, th_slice_text(input)), TH_ENGINE_OK, output);
}

bool actor_run_rejects(actor_run *run, const char *input, const char *reason)
{
    return compare(run, input, turn(run, th_slice_text(input)), TH_ENGINE_ERROR, reason);
}

void actor_run_done(actor_run *run)
{
    th_engine_component_free(run->component);
    th_engine_free(run->engine);
    th_buf_done(&run->state);
    th_buf_done(&run->output);
    th_buf_done(&run->log);
}
