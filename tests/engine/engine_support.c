#include "engine_support.h"
#include "engine/signals.h"

#include <stdio.h>
#include <stdlib.h>

static th_engine *engines[TEST_ENGINES];

th_engine *test_engine(enum test_engine which)
{
    if (engines[which] == NULL) {
        th_engine_options options = {
            .pulley = which == TEST_PULLEY,
            .no_pooling = which == TEST_ON_DEMAND,
            .turns = 4,
            .keep_resident_bytes = UINT64_MAX,
        };
        char error[500] = "";
        engines[which] = th_engine_new(&options, error, sizeof error);
        if (engines[which] == NULL)
            fail_msg("%s", error);
    }
    return engines[which];
}

void test_engines_free(void)
{
    for (int i = 0; i < TEST_ENGINES; i++) {
        th_engine_free(engines[i]);
        engines[i] = NULL;
    }
}

th_engine_bytes test_read(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("cannot open %s", path);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long size = ftell(file);
    rewind(file);
    uint8_t *data = malloc((size_t)size + 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, (size_t)size, file), (size_t)size);
    fclose(file);
    return (th_engine_bytes){data, (size_t)size};
}

th_engine_bytes test_fixture(const char *name)
{
    char path[500];
    snprintf(path, sizeof path, "%s/%s.wasm", TH_FIXTURES, name);
    return test_read(path);
}

th_engine_bytes test_text(const char *text)
{
    return (th_engine_bytes){(const uint8_t *)text, strlen(text)};
}

th_engine_component *test_component(th_engine *engine, const char *name)
{
    th_engine_bytes binary = test_fixture(name);
    char error[2000] = "";
    th_engine_component *component = th_engine_compile(engine, binary, error, sizeof error);
    free((void *)binary.data);
    if (component == NULL)
        fail_msg("%s: %s", name, error);
    return component;
}

static bool note(test_run *run, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size =
        vsnprintf(run->notes + run->notes_size, sizeof run->notes - run->notes_size, format, arguments);
    va_end(arguments);
    run->notes_size += (size_t)size;
    if (run->notes_size >= sizeof run->notes)
        run->notes_size = sizeof run->notes - 1;
    return ++run->callbacks != run->stop_at;
}

static bool on_log(void *context, uint32_t level, th_engine_bytes text)
{
    return note(context, "log %u %.*s|", level, (int)text.size, (const char *)text.data);
}

static bool on_random(void *context, uint32_t length, th_engine_bytes *ret)
{
    test_run *run = context;
    free(run->random);
    run->random = malloc(length + (size_t)1);
    if (run->random == NULL)
        return false;
    for (uint32_t i = 0; i < length; i++)
        run->random[i] = run->random_next++;
    *ret = (th_engine_bytes){run->random, length};
    return note(run, "random %u|", length);
}

static bool on_send(void *context, th_engine_bytes to, th_engine_bytes payload)
{
    return note(context, "send %.*s %zu|", (int)to.size, (const char *)to.data, payload.size);
}

static bool on_request(void *context, th_engine_bytes to, th_engine_bytes payload, uint64_t *ret_id)
{
    *ret_id = 7 * 65536 + 1;
    return note(context, "request %.*s %.*s|", (int)to.size, (const char *)to.data, (int)payload.size,
                (const char *)payload.data);
}

void test_run_begin(test_run *run)
{
    test_keep_signals();
    *run = (test_run){
        .options =
            {
                .fuel = 10000000,
                .memory_bytes = (uint64_t)64 << 20,
                .timestamp_ns = 1234567890123456789,
                .sequence = 7,
                .self_name = test_text("me"),
                .log = on_log,
                .random = on_random,
                .send = on_send,
                .request = on_request,
            },
    };
}

static bool started(test_run *run, th_engine_component *component)
{
    run->options.context = run;
    run->outcome = th_engine_turn_begin(component, &run->options, &run->turn, &run->result);
    return run->outcome == TH_ENGINE_OK;
}

static void verified(test_run *run)
{
    if (run->outcome == TH_ENGINE_OK) {
        th_engine_result before = run->result;
        run->outcome = th_engine_turn_verify_state(run->turn, run->result.state, &run->result);
        assert_ptr_equal(run->result.output.data, before.output.data);
        assert_ptr_equal(run->result.state.data, before.state.data);
    }
    if (run->turn)
        run->fuel = th_engine_turn_fuel(run->turn);
}

void test_run_init(test_run *run, th_engine_component *component, th_engine_bytes config)
{
    if (started(run, component))
        run->outcome = th_engine_turn_init(run->turn, config, &run->result);
    verified(run);
}

void test_run_handle(test_run *run, th_engine_component *component, th_engine_bytes input,
                     th_engine_bytes state)
{
    if (started(run, component))
        run->outcome = th_engine_turn_handle(run->turn, input, state, &run->result);
    verified(run);
}

void test_run_end(test_run *run)
{
    th_engine_turn_end(run->turn);
    free(run->random);
    run->turn = NULL;
    run->random = NULL;
}

void test_assert_bytes(th_engine_bytes bytes, const void *data, size_t size)
{
    assert_int_equal(bytes.size, size);
    if (size > 0)
        assert_memory_equal(bytes.data, data, size);
}
