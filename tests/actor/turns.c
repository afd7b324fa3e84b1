#include "turns.h"

void bench_open(bench *b)
{
    *b = (bench){.now_ns = START_NS};
    th_standin_init(&b->standin, &b->machine);
    b->limits = (th_limits){.fuel = 1000000, .memory = 1 << 20, .state = 1 << 20, .message = 4096,
                            .effects = 65536};
    assert_ok(th_workspace_new(&b->workspace, NULL));
}

void bench_close(bench *b)
{
    assert_int_equal(atomic_load(&b->standin.turns), 0);
    th_instance_free(b->instance);
    th_workspace_free(b->workspace);
    b->machine.release(b->component);
    th_machine_done(&b->machine);
    assert_int_equal(atomic_load(&b->standin.components), 0);
}

void *bench_compile(bench *b, const char *text)
{
    char words[256];
    th_engine_bytes binary = {(const uint8_t *)text, strlen(text)};
    void *component = b->machine.compile(b->machine.context, binary, words, sizeof words);
    assert_non_null(component);
    return component;
}

th_descriptor bench_descriptor(const bench *b, const char *component, const char *config)
{
    th_hasher *hasher;
    th_descriptor descriptor = {
        .name = th_slice_text("cart"),
        .config = th_slice_text(config),
        .limits = b->limits,
        .engine = th_slice_text(b->engine ? b->engine : b->machine.name),
    };
    assert_ok(th_hasher_new(&hasher, NULL));
    th_sha256_of(hasher, th_slice_text(component), &descriptor.component);
    th_hasher_free(hasher);
    return descriptor;
}

theater_status bench_genesis(bench *b, const char *component, const char *config)
{
    th_instance_free(b->instance);
    b->instance = NULL;
    b->machine.release(b->component);
    b->component = bench_compile(b, component);
    th_descriptor descriptor = bench_descriptor(b, component, config);
    return th_instance_genesis(&b->machine, b->component, &descriptor, b->now_ns, b->workspace, &b->instance,
                               &b->produced, &b->error);
}

theater_status bench_handle_cause(bench *b, const char *text, const th_cause *cause)
{
    th_input input = {.payload = th_slice_text(text), .timestamp_ns = ++b->now_ns, .cause = cause};
    return th_instance_handle(b->instance, &input, b->workspace, &b->produced, &b->error);
}

theater_status bench_handle(bench *b, const char *text)
{
    return bench_handle_cause(b, text, NULL);
}

theater_status bench_query(bench *b, const char *text)
{
    th_input input = {.payload = th_slice_text(text), .timestamp_ns = b->now_ns};
    return th_instance_query(b->instance, &input, b->workspace, &b->produced, &b->error);
}

void assert_slice(th_slice slice, const char *text)
{
    assert_int_equal(slice.size, strlen(text));
    if (slice.size)
        assert_memory_equal(slice.data, text, slice.size);
}

void bench_rejected(bench *b, const char *text, int code, const char *message)
{
    assert_ok(bench_handle(b, text));
    assert_int_equal(b->produced.type, TH_REJECTION);
    assert_int_equal(b->produced.reject_code, code);
    assert_slice(b->produced.reject_text, message);
    th_rejection rejection;
    assert_ok(th_rejection_decode(b->produced.output, &rejection, NULL));
    assert_int_equal(rejection.code, code);
    assert_slice(rejection.message, message);
}

th_standin_state bench_state(const bench *b)
{
    return th_standin_read(th_instance_state(b->instance));
}
