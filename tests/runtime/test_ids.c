/* The idempotency ids that an actor took lately. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "runtime/ids.h"

#define COUNT 1000u

static th_slice id_of(unsigned i, char room[16])
{
    return th_slice_of(room, (size_t)snprintf(room, 16, "order-%u", i));
}

static void fill(th_ids *ids, uint64_t first)
{
    char room[16];
    theater_error error;
    for (unsigned i = 0; i < COUNT; i++)
        assert_int_equal(th_ids_add(ids, id_of(i, room), first + i, &error), THEATER_OK);
    assert_int_equal(th_ids_count(ids), COUNT);
}

static void test_an_id_is_found_with_its_newest_sequence(void **state)
{
    th_ids *ids = th_ids_new();
    char room[16];
    uint64_t sequence = 0;
    assert_false(th_ids_find(ids, id_of(0, room), &sequence));
    fill(ids, 1);
    fill(ids, 5000);
    for (unsigned i = 0; i < COUNT; i++) {
        assert_true(th_ids_find(ids, id_of(i, room), &sequence));
        assert_int_equal(sequence, 5000 + i);
    }
    assert_false(th_ids_find(ids, id_of(COUNT, room), &sequence));
    th_ids_free(ids);
}

static void test_nothing_is_found_after_all_were_forgotten(void **state)
{
    th_ids *ids = th_ids_new();
    char room[16];
    uint64_t sequence;
    th_ids_clear(ids);
    for (unsigned round = 0; round < 3; round++) {
        fill(ids, round);
        th_ids_clear(ids);
        assert_int_equal(th_ids_count(ids), 0);
        for (unsigned i = 0; i < COUNT; i++)
            assert_false(th_ids_find(ids, id_of(i, room), &sequence));
    }
    th_ids_free(ids);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_id_is_found_with_its_newest_sequence),
        cmocka_unit_test(test_nothing_is_found_after_all_were_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
