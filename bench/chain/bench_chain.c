/* bench/chain: what the chain code costs on one core.
 *
 *   bench_chain [elements]     default 200000
 *
 * It makes a chain in memory (inputs of 100 bytes, outputs of 8, one log line in each tenth element), then
 * measures: encoding, hashing, decoding, verifying (with the reading of a bundle and without), and the state
 * root of 1 MiB of which one chunk changes. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "chain/bundle.h"
#include "chain/descriptor.h"
#include "chain/effects.h"
#include "chain/log_tree.h"
#include "chain/state_tree.h"
#include "chain/verify.h"

static theater_error error;

static void need(theater_status status)
{
    if (!status)
        return;
    fprintf(stderr, "bench_chain: %s\n", error.message);
    exit(1);
}

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* so that other work on the machine counts less */
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void report(const char *what, double begin, uint64_t count)
{
    double each = (now_ns() - begin) / (double)count;
    printf("%-44s %10.1f ns  %12.0f /s\n", what, each, 1e9 / each);
}

static theater_status append_parts(void *buffer, const th_slice *parts, size_t count, theater_error *reterr)
{
    theater_status status = THEATER_OK;
    for (size_t i = 0; !status && i < count; i++)
        status = th_buf_append(buffer, parts[i], reterr);
    return status;
}

typedef struct memory_source {
    th_slice bytes;
    size_t at;
} memory_source;

static theater_status read_memory(void *context, uint8_t *out, size_t size, size_t *ret_size,
                                  theater_error *reterr)
{
    memory_source *source = context;
    size_t left = source->bytes.size - source->at;
    size = size < left ? size : left;
    memcpy(out, source->bytes.data + source->at, size);
    source->at += size;
    *ret_size = size;
    return THEATER_OK;
}

/* The element after `last`, with its payloads in the three buffers. */
static void make_next(th_hasher *hasher, th_element *element, const th_hash *head, uint8_t input[100],
                      uint8_t output[8], th_effects *effects, th_payloads *ret)
{
    uint64_t sequence = element->sequence + 1;
    th_turn_limit passed;
    th_slice payload;
    memset(input, 'i', 100);
    th_put_u64be(input, sequence);
    th_put_u64be(output, sequence);
    th_effects_begin(effects, sequence, 1 << 20, 1 << 20);
    if (sequence % 10 == 0)
        need(th_effects_log(effects, 2, th_slice_text("a line for the log"), &passed, &error));
    need(th_effects_finish(effects, &payload, &error));
    ret->input = th_payload_of(th_slice_of(input, 100));
    ret->output = th_payload_of(th_slice_of(output, 8));
    ret->effects = th_payload_of(payload);
    element->sequence = sequence;
    element->type = TH_TRANSITION;
    element->timestamp += 1000;
    element->previous = *head;
    element->state_before = element->state_after;
    th_state_root(hasher, th_slice_of(output, 8), &element->state_after);
    element->state_size = 8;
    th_sha256_of(hasher, ret->input.bytes, &element->input);
    th_sha256_of(hasher, ret->output.bytes, &element->output);
    th_sha256_of(hasher, payload, &element->effects);
}

static void make_chain(th_hasher *hasher, uint64_t count, th_buf *out)
{
    th_descriptor descriptor = {
        .name = th_slice_text("bench"),
        .limits = {1000000, 1 << 20, 1 << 20, 1 << 20, 1 << 20},
        .engine = th_slice_text("wasmtime-48"),
    };
    th_bundle_writer writer;
    th_buf input_bytes;
    th_element element = {.type = TH_GENESIS, .timestamp = 1, .output = th_sha256_empty};
    th_hash head;
    uint8_t room[TH_ELEMENT_MAX], input[100], output[8];
    th_effects effects;
    th_effects_init(&effects);
    th_buf_init(&input_bytes, 4096);
    need(th_descriptor_encode(&descriptor, &input_bytes, &error));
    element.state_before = element.state_after = th_sha256_empty;
    th_sha256_of(hasher, th_buf_slice(&input_bytes), &element.input);
    th_sha256_of(hasher, th_slice_of(TH_EFFECTS_NONE, 1), &element.effects);
    th_payloads payloads = {th_payload_of(th_buf_slice(&input_bytes)), th_payload_of(th_slice_of(NULL, 0)),
                            th_payload_of(th_slice_of(TH_EFFECTS_NONE, 1))};
    th_bundle_writer_init(&writer, append_parts, out);
    need(th_bundle_write_header(&writer, descriptor.name, &error));
    for (uint64_t i = 0; i < count; i++) {
        if (i > 0)
            make_next(hasher, &element, &head, input, output, &effects, &payloads);
        th_slice encoding = th_slice_of(room, th_element_encode(&element, room));
        th_element_hash(hasher, encoding, &head);
        need(th_bundle_write_element(&writer, encoding, &payloads, &error));
    }
    th_effects_done(&effects);
    th_buf_done(&input_bytes);
}

static void bench_verify(th_hasher *hasher, uint64_t count)
{
    th_buf bundle;
    th_buf_init(&bundle, SIZE_MAX / 2);
    double begin = now_ns();
    make_chain(hasher, count, &bundle);
    report("make an element (4 hashes, root, encoding)", begin, count);

    for (int verify = 0; verify < 2; verify++) {
        memory_source source = {.bytes = th_buf_slice(&bundle)};
        th_verify_options options = {.actor = th_slice_text("bench")};
        th_verify_report result;
        th_bundle_reader *reader;
        th_verifier *verifier;
        need(th_verifier_new(&options, hasher, &verifier, &error));
        need(th_bundle_reader_new(read_memory, &source, 1 << 20, &reader, &error));
        begin = now_ns();
        for (bool more = true; more;) {
            th_bundle_item item;
            need(th_bundle_reader_next(reader, &item, &more, &error));
            if (verify && more && item.kind == TH_BUNDLE_ELEMENT)
                need(th_verifier_element(verifier, item.element, &item.payloads, &error));
        }
        if (verify)
            need(th_verifier_finish(verifier, &result, &error));
        report(verify ? "read a bundle and verify, an element" : "read a bundle, an element", begin, count);
        th_verifier_free(verifier);
        th_bundle_reader_free(reader);
    }
    th_buf_done(&bundle);
}

static void bench_steps(th_hasher *hasher)
{
    th_element element = {
        .type = TH_TRANSITION, .sequence = 123456, .timestamp = 1700000000000000000u, .fuel = 457};
    memset(element.state_after.bytes, 1, THEATER_HASH_SIZE);
    element.state_size = 1000;
    uint8_t room[TH_ELEMENT_MAX];
    const uint64_t rounds = 1000000;
    size_t size = 0;
    th_hash hash;
    th_log_tree tree;
    double begin = now_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        element.sequence = i + 1;
        size = th_element_encode(&element, room);
    }
    report("encode an element", begin, rounds);
    th_slice encoding = th_slice_of(room, size);
    begin = now_ns();
    for (uint64_t i = 0; i < rounds; i++)
        need(th_element_decode(encoding, &element, &error));
    report("decode an element", begin, rounds);
    begin = now_ns();
    for (uint64_t i = 0; i < rounds; i++)
        th_element_hash(hasher, encoding, &hash);
    report("hash an element", begin, rounds);
    th_log_tree_init(&tree);
    begin = now_ns();
    for (uint64_t i = 0; i < rounds; i++)
        th_log_tree_append(&tree, hasher, &hash);
    report("append to the log tree", begin, rounds);
}

static void bench_state(th_hasher *hasher)
{
    const size_t size = 1 << 20;
    uint8_t *before = malloc(size), *after = malloc(size);
    if (!before || !after)
        exit(1);
    memset(before, 1, size);
    memset(after, 1, size);
    th_state_tree tree;
    th_hash root;
    double begin = now_ns();
    for (int i = 0; i < 20; i++)
        th_state_root(hasher, th_slice_of(before, size), &root);
    report("state root of 1 MiB, whole", begin, 20);
    th_state_tree_init(&tree);
    need(th_state_tree_update(&tree, hasher, th_slice_of(NULL, 0), th_slice_of(before, size), &root, &error));
    begin = now_ns();
    for (size_t i = 0; i < 1000; i++) {
        after[i * 977 % size]++;
        need(th_state_tree_update(&tree, hasher, th_slice_of(before, size), th_slice_of(after, size), &root,
                                  &error));
        before[i * 977 % size]++;
    }
    report("state root of 1 MiB, one chunk changed", begin, 1000);
    th_state_tree_done(&tree);
    free(before);
    free(after);
}

int main(int argc, char **argv)
{
    uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 200000;
    th_hasher *hasher;
    need(th_hasher_new(&hasher, &error));
    bench_steps(hasher);
    bench_state(hasher);
    bench_verify(hasher, count > 1 ? count : 2);
    th_hasher_free(hasher);
    return 0;
}
