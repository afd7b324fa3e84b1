/* The log: records that nobody of ours wrote, with good checksums; and bytes changed under bad ones. */
#include "fuzz/targets.h"

#include <stdlib.h>
#include <string.h>

#include "port/simulation.h"
#include "store/store.h"

enum { RECORDS_MAX = 24 };

static bool count_record(void *context, uint64_t number, const th_record *record)
{
    (void)number, (void)record;
    ++*(uint64_t *)context;
    return true;
}

static bool count_actor(void *context, const th_actor_info *info)
{
    FUZZ_HOLDS(memchr(info->name, 0, sizeof info->name) != NULL);
    ++*(uint64_t *)context;
    return true;
}

static bool pass_entry(void *context, const th_undelivered *entry)
{
    (void)context, (void)entry;
    return true;
}

/* Reads all that a store tells. */
static void ask(th_store *store)
{
    uint64_t records = 0, actors = 0, found, bytes;
    theater_error error = {0};
    theater_status status = th_store_check(store, &found, &bytes, &error);
    if (status)
        fuzz_refused(status, &error);
    status = th_store_scan(store, 0, count_record, &records, &error);
    if (status)
        fuzz_refused(status, &error);
    status = th_store_list_actors(store, 0, count_actor, &actors, &error);
    if (status)
        fuzz_refused(status, &error);
    th_buf buf;
    th_buf_init(&buf, 1 << 20);
    for (uint64_t actor = 1; actor <= 3; actor++) {
        th_record record;
        th_actor_info info;
        status = th_store_find_actor_id(store, actor, &info, &error);
        for (uint64_t i = 0; !status && i < info.elements && i < 4; i++)
            if ((status = th_store_read_element(store, actor, i, &buf, &record, NULL, &error)))
                fuzz_refused(status, &error);
        status = th_store_list_undelivered(store, actor, NULL, pass_entry, NULL, &error);
        if (status)
            fuzz_refused(status, &error);
    }
    th_buf_done(&buf);
}

/* Opens the folder for reading only and asks; a refusal is fine. */
static void open_and_ask(th_port *port, bool read_only)
{
    theater_error error = {0};
    th_store *store;
    th_index_memory *index;
    FUZZ_HOLDS(th_index_memory_new(&index, &error) == THEATER_OK);
    th_store_options options = {
        .port = port, .folder = "/data", .read_only = read_only, .segment_bytes = 4096, .index = index};
    theater_status status = th_store_open(&options, &store, &error);
    if (status) {
        fuzz_refused(status, &error);
    } else {
        ask(store);
        th_store_close(store);
    }
    th_index_memory_free(index);
}

/* Writes a log of these records into /data of a machine of its own. */
static th_simulation *machine_with(const th_slice *records, size_t count)
{
    theater_error error = {0};
    th_simulation *simulation;
    th_index_memory *index;
    th_store *store;
    FUZZ_HOLDS(th_simulation_new(1, &simulation, &error) == THEATER_OK);
    FUZZ_HOLDS(th_index_memory_new(&index, &error) == THEATER_OK);
    th_store_options options = {.port = th_simulation_port(simulation),
                                .folder = "/data",
                                .create = true,
                                .segment_bytes = 4096,
                                .index = index};
    FUZZ_HOLDS(th_store_open(&options, &store, &error) == THEATER_OK);
    for (size_t i = 0; i < count; i++)
        FUZZ_HOLDS(th_store_append(store, &records[i], 1, &error) == THEATER_OK);
    th_store_close(store);
    th_index_memory_free(index);
    return simulation;
}

/* Input: records, each with two bytes of length before it. */
static size_t split(th_slice input, th_slice records[RECORDS_MAX])
{
    size_t count = 0;
    while (count < RECORDS_MAX && input.size >= 2) {
        size_t size = input.data[0] | (size_t)input.data[1] << 8;
        input = th_slice_of(input.data + 2, input.size - 2);
        if (size > input.size)
            size = input.size;
        if (size > 0)
            records[count++] = th_slice_of(input.data, size);
        input = th_slice_of(input.data + size, input.size - size);
    }
    return count;
}

void fuzz_records(th_slice input)
{
    th_slice records[RECORDS_MAX];
    size_t count = split(input, records);
    for (size_t i = 0; i < count; i++) {
        th_record record;
        theater_error error = {0};
        theater_status status = th_record_decode(records[i], &record, &error);
        if (status) {
            fuzz_refused(status, &error);
            continue;
        }
        th_buf again;
        th_buf_init(&again, records[i].size + 1);
        FUZZ_HOLDS(th_record_encode(&record, &again, &error) == THEATER_OK);
        FUZZ_HOLDS(th_slice_equal(th_buf_slice(&again), records[i]));
        th_buf_done(&again);
    }
    th_simulation *simulation = machine_with(records, count);
    open_and_ask(th_simulation_port(simulation), true);
    th_simulation_free(simulation);
}

/* Input: changes of a log of a few good records, four bytes each: place, what to put there, and how. */
void fuzz_segment(th_slice input)
{
    static const char texts[6][24] = {"one", "two, longer", "three", "four four four", "five", "six"};
    th_buf bytes[6];
    th_slice records[6];
    theater_error error = {0};
    for (size_t i = 0; i < 6; i++) {
        th_record record = {.kind = TH_RECORD_COMPONENT};
        record.component.hash.bytes[0] = (uint8_t)i;
        record.component.binary = th_slice_text(texts[i]);
        th_buf_init(&bytes[i], 1000);
        FUZZ_HOLDS(th_record_encode(&record, &bytes[i], &error) == THEATER_OK);
        records[i] = th_buf_slice(&bytes[i]);
    }
    th_simulation *simulation = machine_with(records, 6);
    th_port *port = th_simulation_port(simulation);
    th_file *file;
    FUZZ_HOLDS(th_file_open(port, "/data/log/00000000000000000000.log", TH_FILE_READ | TH_FILE_WRITE, &file,
                            &error) == THEATER_OK);
    for (; input.size >= 4; input = th_slice_of(input.data + 4, input.size - 4)) {
        uint64_t place = (input.data[0] | (uint64_t)input.data[1] << 8) % 4160;
        th_slice part = th_slice_of(input.data + 2, 1 + input.data[3] % 2);
        if (input.data[3] >= 250)
            FUZZ_HOLDS(th_file_truncate(file, place, &error) == THEATER_OK);
        else
            FUZZ_HOLDS(th_file_write(file, place, &part, 1, &error) == THEATER_OK);
    }
    th_file_close(file);
    open_and_ask(port, true);
    open_and_ask(port, false);
    th_simulation_free(simulation);
    for (size_t i = 0; i < 6; i++)
        th_buf_done(&bytes[i]);
}
