/* The log as the store gives it out: the same contract in files and in memory, and its bounds. */
#include <stdio.h>
#include <stdlib.h>

#include "store/history.h"
#include "store/record_internal.h"
#include "store/segment.h"

/* A store in memory, and one in files of the simulated disk with segments of 4 KiB. */
typedef struct place {
    th_simulation *simulation;
    th_index_memory *index;
    th_store *store;
} place;

static int setup(void **state, const char *folder)
{
    theater_error error;
    place *p = calloc(1, sizeof *p);
    OK(th_simulation_new(1, &p->simulation, &error));
    OK(th_index_memory_new(&p->index, &error));
    th_store_options options = {.port = th_simulation_port(p->simulation),
                                .folder = folder,
                                .create = true,
                                .index = p->index,
                                .segment_bytes = 4096};
    OK(th_store_open(&options, &p->store, &error));
    *state = p;
    return 0;
}

static int setup_memory(void **state)
{
    return setup(state, NULL);
}

static int setup_files(void **state)
{
    return setup(state, "/data");
}

static int teardown(void **state)
{
    place *p = *state;
    th_store_close(p->store);
    th_index_memory_free(p->index);
    th_simulation_free(p->simulation);
    free(p);
    return 0;
}

/* A record whose contents follow from its number. */
static void encode_numbered(uint64_t number, size_t size, th_buf *out)
{
    theater_error error;
    th_record record = {.kind = TH_RECORD_COMPONENT};
    uint8_t *bytes = malloc(size + 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(number * 31 + i * 7);
    th_put_u64le(record.component.hash.bytes, number);
    record.component.binary = th_slice_of(bytes, size);
    OK(th_record_encode(&record, out, &error));
    free(bytes);
}

static size_t size_of(uint64_t number)
{
    return number % 13 == 5 ? 30000 + (size_t)number : (size_t)(number * 37 % 600);
}

static void append_numbered(th_store *store, size_t count)
{
    theater_error error;
    th_buf *bytes = calloc(count, sizeof *bytes);
    th_slice *records = calloc(count, sizeof *records);
    assert_true(bytes && records);
    for (size_t i = 0; i < count; i++) {
        uint64_t number = th_store_next_number(store) + i;
        th_buf_init(&bytes[i], 1 << 20);
        encode_numbered(number, size_of(number), &bytes[i]);
        records[i] = th_buf_slice(&bytes[i]);
    }
    OK(th_store_append(store, records, count, &error));
    for (size_t i = 0; i < count; i++)
        th_buf_done(&bytes[i]);
    free(bytes);
    free(records);
}

typedef struct scan {
    uint64_t next;
    uint64_t stop;
} scan;

static bool check_numbered(void *context, uint64_t number, const th_record *record)
{
    scan *s = context;
    assert_int_equal(number, s->next++);
    assert_int_equal(record->kind, TH_RECORD_COMPONENT);
    assert_int_equal(th_get_u64le(record->component.hash.bytes), number);
    assert_int_equal(record->component.binary.size, size_of(number));
    for (size_t i = 0; i < record->component.binary.size; i += 11)
        assert_int_equal(record->component.binary.data[i], (uint8_t)(number * 31 + i * 7));
    return s->next != s->stop;
}

static void records_come_back_in_order(void **state)
{
    theater_error error;
    place *p = *state;
    dice d = {1};
    uint64_t total = 0;
    OK(th_store_append(p->store, NULL, 0, &error));
    assert_int_equal(th_store_next_number(p->store), 0);
    while (total < 400) {
        size_t count = 1 + (size_t)roll(&d, 30);
        append_numbered(p->store, count);
        total += count;
        assert_int_equal(th_store_next_number(p->store), total);
    }
    for (uint64_t from = 0; from <= total; from += 7) {
        scan s = {from, UINT64_MAX};
        OK(th_store_scan(p->store, from, check_numbered, &s, &error));
        assert_int_equal(s.next, total);
    }
    scan some = {10, 20};
    OK(th_store_scan(p->store, 10, check_numbered, &some, &error));
    assert_int_equal(some.next, 20);
    EXPECT(NOT_FOUND, th_store_scan(p->store, total + 1, check_numbered, &some, &error));
    uint64_t records, bytes;
    OK(th_store_check(p->store, &records, &bytes, &error));
    assert_int_equal(records, total);
    assert_int_equal(bytes, th_store_log_bytes(p->store));
}

static void components_are_found_wherever_they_stand(void **state)
{
    theater_error error;
    place *p = *state;
    append_numbered(p->store, 300);
    bool more = true;
    while (more)
        OK(th_store_index_step(p->store, 50000, &more, &error));
    th_buf buf;
    th_buf_init(&buf, 1 << 20);
    for (uint64_t number = 0; number < 300; number++) {
        th_hash hash = {{0}};
        th_slice binary;
        th_put_u64le(hash.bytes, number);
        assert_true(th_store_has_component(p->store, &hash));
        OK(th_store_read_component(p->store, &hash, &buf, &binary, &error));
        assert_int_equal(binary.size, size_of(number));
    }
    th_hash none = {{9, 9, 9}};
    th_slice binary;
    assert_false(th_store_has_component(p->store, &none));
    EXPECT(NOT_FOUND, th_store_read_component(p->store, &none, &buf, &binary, &error));
    /* A buffer with too small a bound. */
    th_buf small;
    th_buf_init(&small, 100);
    th_put_u64le(none.bytes, 5);
    none.bytes[1] = none.bytes[2] = 0;
    EXPECT(TOO_LARGE, th_store_read_component(p->store, &none, &small, &binary, &error));
    th_buf_done(&small);
    th_buf_done(&buf);
}

static void appends_over_the_limit_change_nothing(void **state)
{
    theater_error error;
    place *p = *state;
    static const uint8_t byte;
    append_numbered(p->store, 3);
    /* Never read: the sum of the sizes is asked first. */
    th_slice large[] = {th_slice_of(&byte, 600u << 20), th_slice_of(&byte, 600u << 20)};
    EXPECT(TOO_LARGE, th_store_append(p->store, large, 2, &error));
    assert_int_equal(th_store_next_number(p->store), 3);
    append_numbered(p->store, 3);
    scan s = {0, UINT64_MAX};
    OK(th_store_scan(p->store, 0, check_numbered, &s, &error));
    assert_int_equal(s.next, 6);
}

/* More segments than may be open at once. */
static void many_segments_share_few_files(void **state)
{
    theater_error error;
    place *p = *state;
    while (th_store_log_bytes(p->store) < (uint64_t)3 * TH_SEGMENTS_OPEN * 4096)
        append_numbered(p->store, 5);
    uint64_t total = th_store_next_number(p->store);
    for (int round = 0; round < 2; round++) {
        scan s = {0, UINT64_MAX};
        OK(th_store_scan(p->store, 0, check_numbered, &s, &error));
        assert_int_equal(s.next, total);
    }
    append_numbered(p->store, 5);
}

#define BOTH(test)                                                                                           \
    {#test " in memory", test, setup_memory, teardown, NULL},                                                \
    {                                                                                                        \
        #test " in files", test, setup_files, teardown, NULL                                                 \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(records_come_back_in_order),
        BOTH(components_are_found_wherever_they_stand),
        BOTH(appends_over_the_limit_change_nothing),
        cmocka_unit_test_setup_teardown(many_segments_share_few_files, setup_files, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
