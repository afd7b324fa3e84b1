/* What the store costs: appending, indexing, rebuilding, opening. Usage: bench_store [ELEMENTS [FOLDER]]; the
 * folder is made and left empty. Prints one line a figure; CPU time is that of the calling thread. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "chain/effects.h"
#include "chain/element.h"
#include "port/system.h"
#include "store/store.h"

enum { BATCH = 256, PAYLOAD = 16, ELEMENTS_MAX = 100000000 };

static uint64_t now_ns(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* CPU time outside of the kernel: what the store itself costs, without writing to the page cache and syncing.
 */
static uint64_t user_ns(void)
{
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return (uint64_t)usage.ru_utime.tv_sec * 1000000000u + (uint64_t)usage.ru_utime.tv_usec * 1000u;
}

static void must(theater_status status, const theater_error *error)
{
    if (!status)
        return;
    fprintf(stderr, "bench_store: %s\n", error->message);
    exit(1);
}

/* The record of a counter's turn: 16 bytes in, 8 out, no effects. */
static void encode_turn(uint64_t actor, uint64_t sequence, th_buf *out)
{
    theater_error error;
    uint8_t encoding[TH_ELEMENT_MAX], payload[PAYLOAD] = {1, 2, 3};
    th_element element = {.sequence = sequence,
                          .type = TH_TRANSITION,
                          .timestamp = 1700000000000000000u + sequence,
                          .fuel = 457,
                          .state_size = 8,
                          .principal = th_slice_text("client")};
    memset(element.state_before.bytes, 1, 32);
    memset(element.state_after.bytes, 2, 32);
    th_record record = {.kind = TH_RECORD_ELEMENT, .actor = actor};
    record.element.element = th_slice_of(encoding, th_element_encode(&element, encoding));
    record.element.input = th_slice_of(payload, PAYLOAD);
    record.element.output = th_slice_of(payload, 8);
    record.element.effects = th_slice_text(TH_EFFECTS_NONE);
    must(th_record_encode(&record, out, &error), &error);
}

/* A genesis as th_element_encode wants it, with its descriptor dropped. */
static void encode_genesis(uint64_t actor, th_buf *out)
{
    theater_error error;
    uint8_t encoding[TH_ELEMENT_MAX];
    static const uint8_t empty[32] = {0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4,
                                      0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b,
                                      0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55};
    th_element element = {.type = TH_GENESIS, .timestamp = 1700000000000000000u, .state_size = 8};
    memcpy(element.state_before.bytes, empty, 32);
    memcpy(element.output.bytes, empty, 32);
    memset(element.state_after.bytes, 1, 32);
    th_record record = {.kind = TH_RECORD_ELEMENT, .actor = actor};
    record.element.input_dropped = true;
    record.element.element = th_slice_of(encoding, th_element_encode(&element, encoding));
    record.element.effects = th_slice_text(TH_EFFECTS_NONE);
    must(th_record_encode(&record, out, &error), &error);
}

static void start_actor(th_store *store, uint64_t id)
{
    theater_error error;
    char name[32];
    th_buf life, genesis;
    th_buf_init(&life, 1 << 20);
    th_buf_init(&genesis, 1 << 20);
    th_record record = {.kind = TH_RECORD_LIFE, .actor = id};
    record.life.life = TH_LIFE_STARTED;
    record.life.name = th_slice_of(name, (size_t)snprintf(name, sizeof name, "actor-%" PRIu64, id));
    must(th_record_encode(&record, &life, &error), &error);
    encode_genesis(id, &genesis);
    th_slice records[] = {th_buf_slice(&life), th_buf_slice(&genesis)};
    must(th_store_append(store, records, 2, &error), &error);
    th_buf_done(&life);
    th_buf_done(&genesis);
}

static void fill(th_store *store, uint64_t elements)
{
    theater_error error;
    th_buf bytes[BATCH];
    th_slice records[BATCH];
    uint64_t cpu = 0, user = 0, wall = 0, index_cpu = 0, commits = 0, count = 0;
    bool more;
    for (int i = 0; i < BATCH; i++)
        th_buf_init(&bytes[i], 1 << 20);
    for (uint64_t sequence = 1; sequence < elements; count += BATCH, commits++) {
        for (int i = 0; i < BATCH; i++) {
            th_buf_clear(&bytes[i]);
            encode_turn(1, sequence++, &bytes[i]);
            records[i] = th_buf_slice(&bytes[i]);
        }
        uint64_t user_before = user_ns(), cpu_before = now_ns(CLOCK_THREAD_CPUTIME_ID),
                 before = now_ns(CLOCK_MONOTONIC);
        must(th_store_append(store, records, BATCH, &error), &error);
        cpu += now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_before;
        user += user_ns() - user_before;
        wall += now_ns(CLOCK_MONOTONIC) - before;
        if (commits % 256 == 255) {
            cpu_before = now_ns(CLOCK_THREAD_CPUTIME_ID);
            must(th_store_index_step(store, UINT64_MAX, &more, &error), &error);
            index_cpu += now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_before;
        }
    }
    for (int i = 0; i < BATCH; i++)
        th_buf_done(&bytes[i]);
    printf("append        %6" PRIu64 " ns of CPU a record, %" PRIu64
           " of them outside of the kernel; %" PRIu64 " us a commit of %d, %.2f M records/s\n",
           cpu / count, user / count, wall / commits / 1000, BATCH, (double)count * 1e3 / (double)wall);
    printf("index         %6" PRIu64 " ns of CPU a record\n", index_cpu / count);
}

static th_store *open_timed(const char *what, const th_store_options *options)
{
    theater_error error;
    th_store *store;
    uint64_t before = now_ns(CLOCK_MONOTONIC);
    must(th_store_open(options, &store, &error), &error);
    printf("%s %8.1f ms\n", what, (double)(now_ns(CLOCK_MONOTONIC) - before) / 1e6);
    return store;
}

static void read_some(th_store *store, uint64_t elements)
{
    theater_error error;
    th_buf buf;
    th_record record;
    enum { READS = 100000 };
    th_buf_init(&buf, 1 << 20);
    uint64_t before = now_ns(CLOCK_THREAD_CPUTIME_ID), place = 1;
    for (int i = 0; i < READS; i++) {
        place = place * 6364136223846793005u + 1442695040888963407u;
        must(th_store_read_element(store, 1, (place >> 20) % elements, &buf, &record, NULL, &error), &error);
    }
    printf("read          %6" PRIu64 " ns of CPU an element, at random\n",
           (now_ns(CLOCK_THREAD_CPUTIME_ID) - before) / READS);
    th_buf_done(&buf);
}

int main(int argc, char **argv)
{
    theater_error error;
    uint64_t elements = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    const char *folder = argc > 2 ? argv[2] : "/tmp/theater-bench-store";
    char command[512];
    if (elements < BATCH || elements > ELEMENTS_MAX || strlen(folder) > 200 || strchr(folder, '\'')) {
        fprintf(stderr, "usage: bench_store [ELEMENTS [FOLDER]]\n");
        return 2;
    }
    th_store_options options = {
        .port = th_port_system(), .folder = folder, .create = true, .lock_wait_ms = 100};
    th_store *store;
    must(th_store_open(&options, &store, &error), &error);
    start_actor(store, th_store_next_actor_id(store));
    fill(store, elements);
    th_actor_info info;
    uint64_t before = now_ns(CLOCK_MONOTONIC);
    th_store_close(store);
    printf("close         %8.1f ms\n", (double)(now_ns(CLOCK_MONOTONIC) - before) / 1e6);
    store = open_timed("open         ", &options);
    must(th_store_find_actor_id(store, 1, &info, &error), &error);
    read_some(store, info.elements);
    th_store_close(store);
    options.read_only = true;
    store = open_timed("open reader  ", &options);
    th_store_close(store);
    options.read_only = false;
    must(th_store_drop_index(options.port, folder, &error), &error);
    store = open_timed("rebuild      ", &options);
    must(th_store_find_actor_id(store, 1, &info, &error), &error);
    printf("elements      %8" PRIu64 ", log %" PRIu64 " MB\n", info.elements,
           th_store_log_bytes(store) / 1000000);
    th_store_close(store);
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command) == 0 ? 0 : 1;
}
