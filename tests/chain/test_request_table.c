/* Requests are found where they stand, and what stands before them is read once. */
#include "fixture.h"

#include <stdio.h>

#include "chain/request_table.h"

/* The effects of element `sequence`: `count` requests, a log line before each; payload and hash. */
static void make(uint64_t sequence, uint32_t count, th_buf *out, th_hash *ret_hash)
{
    th_effects effects;
    th_effects_init(&effects);
    th_effects_begin(&effects, sequence, 100, (uint64_t)1 << 30);
    th_turn_limit passed;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t id;
        th_hash payload;
        char to[16];
        int size = snprintf(to, sizeof to, "actor-%u", i % 10);
        assert_ok(th_effects_log(&effects, 1, th_slice_text("line"), &passed, reterr));
        assert_ok(th_effects_message(&effects, fixture_hasher(), th_slice_of(to, (size_t)size), th_slice_text("x"),
                                     true, &id, &payload, &passed, reterr));
    }
    th_slice payload;
    assert_ok(th_effects_finish(&effects, &payload, reterr));
    th_buf_clear(out);
    assert_ok(th_buf_append(out, payload, reterr));
    th_effects_done(&effects);
    th_sha256_of(fixture_hasher(), th_buf_slice(out), ret_hash);
}

static th_effect find(th_request_table *table, const th_hash *hash, const th_buf *payload, uint64_t request,
                      bool *ret_found)
{
    th_effect effect = {.index = 0};
    assert_ok(th_request_table_find(table, hash, th_buf_slice(payload), request, &effect, ret_found, reterr));
    return effect;
}

static void each_request_of_an_element_is_found(void **state)
{
    th_request_table *table;
    th_buf payload;
    th_hash hash;
    bool found;
    th_buf_init(&payload, (size_t)1 << 30);
    assert_ok(th_request_table_new(&table, reterr));
    make(7, TH_REQUESTS_MAX, &payload, &hash);
    for (uint32_t i = TH_REQUESTS_MAX; i > 0; i--) {
        th_effect effect = find(table, &hash, &payload, th_request_id(7, i), &found);
        assert_true(found);
        assert_int_equal(effect.request, th_request_id(7, i));
        assert_int_equal(effect.index, 2 * i - 1);
        assert_int_equal(effect.to.data[6], '0' + (i - 1) % 10);
    }
    find(table, &hash, &payload, (uint64_t)7 << 16, &found);
    assert_false(found);
    find(table, &hash, &payload, th_request_id(8, 1), &found); /* the ids begin with another sequence */
    assert_false(found);
    th_request_table_free(table);
    th_buf_done(&payload);
}

/* Each of the 65,535 answers would else read all that stands before its request. */
static void what_stands_before_a_request_is_read_once(void **state)
{
    th_request_table *table;
    th_buf payload;
    th_hash hash;
    bool found;
    th_buf_init(&payload, (size_t)1 << 30);
    assert_ok(th_request_table_new(&table, reterr));
    make(7, 1000, &payload, &hash);
    th_effect effect = find(table, &hash, &payload, th_request_id(7, 1), &found);
    assert_true(found);
    effect = find(table, &hash, &payload, th_request_id(7, 900), &found);
    assert_true(found);
    size_t head = 3, before = (size_t)(effect.encoding.data - payload.data);
    memset(payload.data + head, 0xff, before - head);
    effect = find(table, &hash, &payload, th_request_id(7, 900), &found);
    assert_true(found);
    assert_int_equal(effect.request, th_request_id(7, 900));
    /* What is not sound any more is not found. */
    find(table, &hash, &payload, th_request_id(7, 899), &found);
    assert_false(found);
    th_request_table_free(table);
    th_buf_done(&payload);
}

static void more_elements_than_are_kept_are_still_right(void **state)
{
    enum { ELEMENTS = TH_REQUEST_TABLES + 20 };
    th_request_table *table;
    static th_buf payloads[ELEMENTS];
    static th_hash hashes[ELEMENTS];
    bool found;
    assert_ok(th_request_table_new(&table, reterr));
    for (uint64_t i = 0; i < ELEMENTS; i++) {
        th_buf_init(&payloads[i], 1 << 20);
        make(i + 1, 3, &payloads[i], &hashes[i]);
    }
    for (unsigned round = 0; round < 3; round++) {
        for (uint64_t i = 0; i < ELEMENTS; i++) {
            th_effect effect = find(table, &hashes[i], &payloads[i], th_request_id(i + 1, round + 1), &found);
            assert_true(found);
            assert_int_equal(effect.index, 2 * round + 1);
            find(table, &hashes[i], &payloads[i], th_request_id(i + 1, 4), &found);
            assert_false(found);
        }
    }
    for (uint64_t i = 0; i < ELEMENTS; i++)
        th_buf_done(&payloads[i]);
    th_request_table_free(table);
}

static void requests_before_what_is_not_sound_are_found(void **state)
{
    th_request_table *table;
    th_buf payload;
    th_hash hash;
    bool found;
    th_buf_init(&payload, 1 << 20);
    assert_ok(th_request_table_new(&table, reterr));
    make(1, 3, &payload, &hash);
    payload.size -= 5;
    find(table, &hash, &payload, th_request_id(1, 2), &found);
    assert_true(found);
    find(table, &hash, &payload, th_request_id(1, 3), &found);
    assert_false(found);
    payload.size = 0;
    find(table, &(th_hash){{1}}, &payload, th_request_id(1, 1), &found);
    assert_false(found);
    th_request_table_free(table);
    th_buf_done(&payload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_request_of_an_element_is_found),
        cmocka_unit_test(what_stands_before_a_request_is_read_once),
        cmocka_unit_test(more_elements_than_are_kept_are_still_right),
        cmocka_unit_test(requests_before_what_is_not_sound_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
