/* Every allocation fails in turn: the call says so, nothing leaks, and nothing that was acknowledged is
 * lost or changed. Needs a build with TH_FAULTS. */
#include <stdio.h>
#include <stdlib.h>

#include "store/history.h"

#ifdef TH_FAULTS

typedef struct run {
    th_store_options options;
    history *h;
    th_buf bytes[40];
    th_slice records[40];
    size_t count;
    uint64_t acknowledged;
} run;

/* The same records every time. */
static void prepare(run *r)
{
    *r = (run){.options = {.create = true, .segment_bytes = 4096}, .h = history_new(9), .count = 40};
    for (size_t i = 0; i < r->count; i++) {
        th_buf_init(&r->bytes[i], 1 << 20);
        history_next(r->h, i, &r->bytes[i]);
        r->records[i] = th_buf_slice(&r->bytes[i]);
    }
}

static void finish(run *r)
{
    for (size_t i = 0; i < r->count; i++)
        th_buf_done(&r->bytes[i]);
    history_free(r->h);
}

/* Opens, appends what is missing, indexes, asks and closes; the first failure ends it. */
static theater_status attempt(run *r)
{
    theater_error error;
    th_store *store = NULL;
    theater_status status = th_store_open(&r->options, &store, &error);
    if (status)
        return status;
    /* What an append that failed had written may have been found whole. */
    uint64_t next = th_store_next_number(store);
    assert_true(next >= r->acknowledged && next <= r->acknowledged + 4);
    r->acknowledged = next;
    while (!status && r->acknowledged < r->count) {
        status = th_store_append(store, &r->records[r->acknowledged], 4, &error);
        if (!status)
            r->acknowledged += 4;
        bool more;
        if (!status)
            status = th_store_index_step(store, 2000, &more, &error);
    }
    th_actor_info info;
    if (!status)
        status = th_store_find_actor_id(store, 1, &info, &error);
    th_buf buf;
    th_buf_init(&buf, 1 << 20);
    th_record record;
    if (!status && info.elements > 0)
        status = th_store_read_element(store, 1, 0, &buf, &record, NULL, &error);
    th_buf_done(&buf);
    th_store_close(store);
    return status;
}

static void allocations_fail_one_by_one(bool in_files, bool read_only)
{
    unsigned failures = 0;
    for (uint64_t place = 1;; place++) {
        theater_error error;
        run r;
        th_simulation *simulation;
        th_index_memory *index;
        OK(th_simulation_new(3, &simulation, &error));
        OK(th_index_memory_new(&index, &error));
        prepare(&r);
        r.options.port = th_simulation_port(simulation);
        r.options.folder = in_files ? "/data" : NULL;
        r.options.index = in_files ? index : NULL;
        if (read_only) {
            OK(attempt(&r));
            r.options.read_only = true;
        }
        th_allocation_fail_at(place);
        theater_status status = attempt(&r);
        th_allocation_fail_at(0);
        if (status && status != THEATER_NO_MEMORY && status != THEATER_STORAGE_FAILED)
            fail_msg("allocation %llu: %s", (unsigned long long)place, theater_status_name(status));
        failures += status != THEATER_OK;
        /* A log in memory is gone with its store. */
        if (!in_files)
            r.acknowledged = 0;
        OK(attempt(&r));
        if (in_files) {
            th_store *store;
            r.options.read_only = false;
            OK(th_store_open(&r.options, &store, &error));
            history_check(r.h, store);
            th_store_close(store);
        }
        finish(&r);
        th_index_memory_free(index);
        th_simulation_free(simulation);
        if (!status && place > 2000)
            break;
    }
    assert_true(failures > 20);
}

static void writer_in_files_survives(void **state)
{
    allocations_fail_one_by_one(true, false);
}

static void reader_survives(void **state)
{
    allocations_fail_one_by_one(true, true);
}

static void store_in_memory_survives(void **state)
{
    allocations_fail_one_by_one(false, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writer_in_files_survives),
        cmocka_unit_test(reader_survives),
        cmocka_unit_test(store_in_memory_survives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

static void needs_faults(void **state)
{
    skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(needs_faults)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
