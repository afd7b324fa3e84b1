/* Ordered pairs: the map, memory, memory over LMDB, LMDB, and changes over them, against a plain array. */
#include <stdio.h>
#include <stdlib.h>

#include "store/kv.h"
#include "store/support.h"

enum { KEYS = 400, ROUNDS = 60 };

/* Key i is "k" and i in decimal, so keys are prefixes of others; an empty value means deleted here. */
typedef struct model {
    char values[KEYS][40];
} model;

static th_slice key_of(size_t i, char out[16])
{
    return th_slice_of(out, (size_t)snprintf(out, 16, "k%zu", i));
}

static int by_text(const void *a, const void *b)
{
    char x[16], y[16];
    return th_key_compare(key_of(*(const size_t *)a, x), key_of(*(const size_t *)b, y));
}

static void sorted(size_t order[KEYS])
{
    for (size_t i = 0; i < KEYS; i++)
        order[i] = i;
    qsort(order, KEYS, sizeof order[0], by_text);
}

static void change_some(th_kv_map *map, model *m, dice *d)
{
    theater_error error;
    char key[16];
    for (uint64_t count = roll(d, 60); count > 0; count--) {
        size_t i = (size_t)roll(d, KEYS);
        if (roll(d, 3) == 0) {
            OK(th_kv_map_delete(map, key_of(i, key), &error));
            m->values[i][0] = 0;
        } else {
            snprintf(m->values[i], sizeof m->values[i], "v%llu%.*s", (unsigned long long)roll(d, 1000000),
                     (int)roll(d, 20), "....................");
            OK(th_kv_map_put(map, key_of(i, key), th_slice_text(m->values[i]), &error));
        }
    }
}

typedef struct source {
    th_kv_view *view;
    th_kv_change *change;
} source;

static void check(source from, const model *m, const size_t order[KEYS])
{
    theater_error error;
    char name[16];
    bool found;
    th_slice key, value;
    for (size_t i = 0; i < KEYS; i++) {
        if (from.view)
            OK(th_kv_get(from.view, key_of(i, name), &found, &value, &error));
        else
            OK(th_kv_change_get(from.change, key_of(i, name), &found, &value, &error));
        assert_int_equal(found, m->values[i][0] != 0);
        if (found)
            assert_true(th_slice_equal(value, th_slice_text(m->values[i])));
    }
    for (size_t at = 0; at < KEYS; at += 3) {
        size_t expected = at;
        while (expected < KEYS && !m->values[order[expected]][0])
            expected++;
        if (from.view)
            OK(th_kv_seek(from.view, key_of(order[at], name), &found, &key, &value, &error));
        else
            OK(th_kv_change_seek(from.change, key_of(order[at], name), &found, &key, &value, &error));
        assert_int_equal(found, expected < KEYS);
        if (found) {
            assert_true(th_slice_equal(key, key_of(order[expected], name)));
            assert_true(th_slice_equal(value, th_slice_text(m->values[order[expected]])));
        }
    }
}

static void run(th_kv *kv, model *m, uint64_t seed)
{
    theater_error error;
    dice d = {seed};
    size_t order[KEYS];
    sorted(order);
    for (int round = 0; round < ROUNDS; round++) {
        th_kv_change change;
        model before = *m;
        OK(th_kv_change_begin(kv, 1 << 20, &change, &error));
        change_some(change.changes, m, &d);
        check((source){.change = &change}, m, order);
        bool keep = roll(&d, 4) != 0;
        if (keep)
            OK(th_kv_change_commit(&change, &error));
        else
            *m = before;
        th_kv_change_end(&change);
        th_kv_view view;
        OK(th_kv_begin(kv, &view, &error));
        check((source){.view = &view}, m, order);
        th_kv_end(&view);
    }
}

static void memory_holds_what_was_put(void **state)
{
    theater_error error;
    th_kv *kv;
    model m = {{{0}}};
    OK(th_kv_memory_new(th_port_system(), NULL, 1 << 20, &kv, &error));
    run(kv, &m, 1);
    th_kv_free(kv);
}

static th_kv *open_lmdb(const char *folder, uint64_t map_bytes)
{
    theater_error error;
    th_kv *kv;
    th_kv_lmdb_options options = {.port = th_port_system(), .folder = folder, .map_bytes = map_bytes};
    OK(th_kv_lmdb_open(&options, &kv, &error));
    return kv;
}

static void lmdb_holds_what_was_put_and_grows(void **state)
{
    const char *folder = in(new_folder(), "index");
    model m = {{{0}}};
    th_kv *kv = open_lmdb(folder, 1 << 15); /* eight pages: too few for what comes */
    run(kv, &m, 2);
    th_kv_free(kv);
    assert_true(file_size(in(folder, "data.mdb")) > 1 << 15);
    kv = open_lmdb(folder, 1 << 15);
    run(kv, &m, 3);
    th_kv_free(kv);
}

/* While somebody of this process reads, the map cannot grow: that is told, and nothing is lost. */
static void growing_waits_for_readers(void **state)
{
    theater_error error;
    th_kv *kv = open_lmdb(in(new_folder(), "index"), 1 << 15);
    th_kv_map *changes;
    th_kv_view view;
    char key[16];
    static uint8_t bytes[900];
    OK(th_kv_map_new(1 << 20, &changes, &error));
    for (size_t i = 0; i < 200; i++)
        OK(th_kv_map_put(changes, key_of(i, key), th_slice_of(bytes, sizeof bytes), &error));
    OK(th_kv_begin(kv, &view, &error));
    EXPECT(BUSY, th_kv_apply(kv, changes, &error));
    th_kv_end(&view);
    OK(th_kv_apply(kv, changes, &error));
    bool found;
    th_slice value;
    OK(th_kv_begin(kv, &view, &error));
    OK(th_kv_get(&view, key_of(199, key), &found, &value, &error));
    assert_true(found && value.size == sizeof bytes);
    th_kv_end(&view);
    th_kv_map_free(changes);
    th_kv_free(kv);
}

static void memory_lies_over_a_snapshot(void **state)
{
    theater_error error;
    th_kv *base = open_lmdb(in(new_folder(), "index"), 1 << 24), *over;
    th_kv_view snapshot;
    model m = {{{0}}}, below;
    run(base, &m, 4);
    OK(th_kv_begin(base, &snapshot, &error));
    OK(th_kv_memory_new(th_port_system(), &snapshot, 1 << 20, &over, &error));
    below = m;
    run(over, &m, 5);
    /* What changes in the base now is not seen. */
    model later = below;
    run(base, &later, 6);
    size_t order[KEYS];
    sorted(order);
    th_kv_view view;
    OK(th_kv_begin(over, &view, &error));
    check((source){.view = &view}, &m, order);
    th_kv_end(&view);
    th_kv_free(over);
    th_kv_end(&snapshot);
    th_kv_free(base);
}

static void maps_are_bounded(void **state)
{
    theater_error error;
    th_kv_map *map;
    char key[16];
    OK(th_kv_map_new(5000, &map, &error));
    size_t count = 0;
    theater_status status = THEATER_OK;
    while (!(status = th_kv_map_put(map, key_of(count, key), th_slice_text("some value"), &error)))
        count++;
    assert_int_equal(status, THEATER_TOO_LARGE);
    assert_true(count > 20 && count < 200);
    assert_true(th_kv_map_bytes(map) <= 5000);
    for (size_t i = 0; i < count; i++)
        assert_non_null(th_kv_map_find(map, key_of(i, key)));
    assert_null(th_kv_map_find(map, key_of(count, key)));
    for (size_t i = 0; i < count; i++)
        th_kv_map_forget(map, key_of(i, key));
    th_kv_map_clear(map);
    assert_int_equal(th_kv_map_bytes(map), 0);
    th_kv_map_free(map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_holds_what_was_put), cmocka_unit_test(lmdb_holds_what_was_put_and_grows),
        cmocka_unit_test(growing_waits_for_readers), cmocka_unit_test(memory_lies_over_a_snapshot),
        cmocka_unit_test(maps_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
