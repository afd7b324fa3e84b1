/* Idempotency ids: kept up to a number and an age, per actor; and large records, of which the index reads
 * only the front. */
#include <stdio.h>
#include <stdlib.h>

#include "chain/effects.h"
#include "chain/element.h"
#include "crypto/sha256.h"
#include "store/support.h"

static th_store *open_memory(uint64_t ids_max, uint64_t ids_age_ns, th_index_memory *index)
{
    theater_error error;
    th_store *store;
    th_store_options options = {
        .port = th_port_system(), .ids_max = ids_max, .ids_age_ns = ids_age_ns, .index = index};
    OK(th_store_open(&options, &store, &error));
    return store;
}

static void append(th_store *store, const th_record *record)
{
    theater_error error;
    th_buf buf;
    bool more = true;
    th_buf_init(&buf, 1 << 24);
    OK(th_record_encode(record, &buf, &error));
    th_slice bytes = th_buf_slice(&buf);
    OK(th_store_append(store, &bytes, 1, &error));
    while (more)
        OK(th_store_index_step(store, 1 << 20, &more, &error));
    th_buf_done(&buf);
}

static void start(th_store *store, uint64_t id, const char *name)
{
    theater_error error;
    th_hasher *hasher;
    uint8_t encoding[TH_ELEMENT_MAX];
    th_record record = {.kind = TH_RECORD_LIFE, .actor = id};
    record.life.life = TH_LIFE_STARTED;
    record.life.name = th_slice_text(name);
    append(store, &record);
    OK(th_hasher_new(&hasher, &error));
    th_element element = {.type = TH_GENESIS, .state_size = 8};
    th_sha256_of(hasher, (th_slice){0}, &element.state_before);
    element.output = element.state_before;
    element.state_after.bytes[0] = 1;
    record = (th_record){.kind = TH_RECORD_ELEMENT, .actor = id};
    record.element.input_dropped = true;
    record.element.effects = th_slice_text(TH_EFFECTS_NONE);
    record.element.element = th_slice_of(encoding, th_element_encode(&element, encoding));
    append(store, &record);
    th_hasher_free(hasher);
}

/* The next element of the actor, with an id unless it is empty, and a payload. */
static void turn(th_store *store, uint64_t actor, uint64_t sequence, uint64_t timestamp, const char *id,
                 size_t payload)
{
    uint8_t encoding[TH_ELEMENT_MAX];
    uint8_t *bytes = calloc(1, payload + 1);
    assert_non_null(bytes);
    th_element element = {
        .type = TH_TRANSITION, .sequence = sequence, .timestamp = timestamp, .state_size = 8};
    element.state_before.bytes[0] = element.state_after.bytes[0] = 1;
    element.id = th_slice_text(id);
    th_record record = {.kind = TH_RECORD_ELEMENT, .actor = actor};
    record.element.effects = th_slice_text(TH_EFFECTS_NONE);
    record.element.output = th_slice_of(bytes, payload);
    record.element.element = th_slice_of(encoding, th_element_encode(&element, encoding));
    append(store, &record);
    free(bytes);
}

static void expect_id(th_store *store, uint64_t actor, const char *id, uint64_t expected)
{
    theater_error error;
    uint64_t sequence;
    OK(th_store_find_id(store, actor, th_slice_text(id), &sequence, &error));
    assert_int_equal(sequence, expected);
}

static void expect_no_id(th_store *store, uint64_t actor, const char *id)
{
    theater_error error;
    uint64_t sequence;
    EXPECT(NOT_FOUND, th_store_find_id(store, actor, th_slice_text(id), &sequence, &error));
}

static void oldest_ids_go_beyond_the_number(void **state)
{
    th_store *store = open_memory(10, UINT64_MAX, NULL);
    char id[16];
    start(store, 1, "one");
    start(store, 2, "two");
    turn(store, 2, 1, 0, "id-1", 0);
    for (uint64_t sequence = 1; sequence <= 50; sequence++) {
        snprintf(id, sizeof id, "id-%llu", (unsigned long long)sequence);
        turn(store, 1, sequence, 0, id, 0);
        expect_id(store, 1, id, sequence);
        for (uint64_t old = 1; old <= sequence; old++) {
            snprintf(id, sizeof id, "id-%llu", (unsigned long long)old);
            if (old + 10 > sequence)
                expect_id(store, 1, id, old);
            else
                expect_no_id(store, 1, id);
        }
    }
    expect_id(store, 2, "id-1", 1); /* each actor has its own */
    expect_no_id(store, 2, "id-2");
    expect_no_id(store, 3, "id-1");
    th_store_close(store);
}

static void ids_go_beyond_the_age(void **state)
{
    th_store *store = open_memory(1000, 100, NULL);
    start(store, 1, "one");
    turn(store, 1, 1, 1000, "a", 0);
    turn(store, 1, 2, 1050, "b", 0);
    turn(store, 1, 3, 1100, "c", 0);
    expect_id(store, 1, "a", 1);
    turn(store, 1, 4, 1101, "", 0); /* time passes without an id, too */
    expect_no_id(store, 1, "a");
    expect_id(store, 1, "b", 2);
    turn(store, 1, 5, 1200, "d", 0);
    expect_no_id(store, 1, "b");
    expect_id(store, 1, "c", 3);
    th_store_close(store);
}

/* An id that came back after it was forgotten belongs to the newer element, also when the older one's turn
 * to go comes. */
static void id_used_again_belongs_to_the_newer(void **state)
{
    th_store *store = open_memory(3, UINT64_MAX, NULL);
    start(store, 1, "one");
    turn(store, 1, 1, 0, "x", 0);
    turn(store, 1, 2, 0, "x", 0);
    expect_id(store, 1, "x", 2);
    turn(store, 1, 3, 0, "y", 0);
    turn(store, 1, 4, 0, "z", 0); /* drops element 1's */
    expect_id(store, 1, "x", 2);
    turn(store, 1, 5, 0, "w", 0); /* drops element 2's */
    expect_no_id(store, 1, "x");
    th_store_close(store);
}

static void other_bounds_make_the_index_anew(void **state)
{
    theater_error error;
    th_store_options options = options_for(new_folder());
    th_store *store;
    OK(th_store_open(&options, &store, &error));
    start(store, 1, "one");
    turn(store, 1, 1, 0, "a", 0);
    turn(store, 1, 2, 0, "b", 0);
    th_store_close(store);
    options.ids_max = 1;
    OK(th_store_open(&options, &store, &error));
    expect_no_id(store, 1, "a");
    expect_id(store, 1, "b", 2);
    th_store_close(store);
    options.ids_max = 2;
    OK(th_store_open(&options, &store, &error));
    expect_id(store, 1, "a", 1);
    th_store_close(store);
}

static void large_payloads_do_not_hide_what_the_index_needs(void **state)
{
    theater_error error;
    th_store_options options = options_for(new_folder());
    th_store *store;
    th_buf buf;
    th_record record;
    OK(th_store_open(&options, &store, &error));
    start(store, 1, "one");
    turn(store, 1, 1, 0, "a", 3000000);
    turn(store, 1, 2, 0, "b", 15000);
    turn(store, 1, 3, 0, "c", 17000);
    expect_id(store, 1, "a", 1);
    expect_id(store, 1, "c", 3);
    th_buf_init(&buf, 1 << 24);
    OK(th_store_read_element(store, 1, 1, &buf, &record, NULL, &error));
    assert_int_equal(record.element.output.size, 3000000);
    th_buf_done(&buf);
    th_store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(oldest_ids_go_beyond_the_number),
        cmocka_unit_test(ids_go_beyond_the_age),
        cmocka_unit_test(id_used_again_belongs_to_the_newer),
        cmocka_unit_test(other_bounds_make_the_index_anew),
        cmocka_unit_test(large_payloads_do_not_hide_what_the_index_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
