/* The pool of emptied items and batches keeps some, never more than its bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "port/system.h"
#include "runtime/core.h"

static void reserve(th_batch *batch, size_t bytes)
{
    uint8_t *room;
    theater_error error;
    assert_int_equal(th_buf_extend(&batch->bytes, bytes, &room, &error), THEATER_OK);
}

/* A list of new batches, each with a buffer of at least so many bytes. */
static th_batch *batches(size_t count, size_t bytes)
{
    th_batch *list = NULL;
    for (size_t i = 0; i < count; i++) {
        th_batch *batch = th_batch_new();
        assert_non_null(batch);
        reserve(batch, bytes);
        batch->next = list;
        list = batch;
    }
    return list;
}

static void test_an_emptied_batch_comes_back_empty(void **state)
{
    th_pool pool;
    th_pool_init(&pool, th_port_system());
    th_pool_free_batches(&pool, NULL);
    th_batch *first = th_pool_batches(&pool, 1);
    reserve(first, 100);
    th_pool_free_batches(&pool, first);
    assert_int_equal(pool.batch_count, 1);
    th_batch *again = th_pool_batches(&pool, 1);
    assert_ptr_equal(again, first);
    assert_int_equal(again->bytes.size, 0);
    assert_null(again->next);
    assert_int_equal(pool.batch_count, 0);
    assert_int_equal(pool.batches_bytes, 0);
    th_pool_free_batches(&pool, again);
    th_pool_done(&pool);
}

static void test_as_many_batches_come_at_once_as_are_asked_for_and_there_are(void **state)
{
    th_pool pool;
    th_pool_init(&pool, th_port_system());
    th_pool_free_batches(&pool, batches(5, 10));
    th_batch *three = th_pool_batches(&pool, 3);
    assert_non_null(three->next->next);
    assert_null(three->next->next->next);
    assert_int_equal(pool.batch_count, 2);
    th_batch *rest = th_pool_batches(&pool, 3);
    assert_non_null(rest->next);
    assert_null(rest->next->next);
    assert_int_equal(pool.batch_count, 0);
    assert_int_equal(pool.batches_bytes, 0);
    th_batch *made = th_pool_batches(&pool, 3);
    assert_null(made->next);
    th_pool_free_batches(&pool, three);
    th_pool_free_batches(&pool, rest);
    th_pool_free_batches(&pool, made);
    assert_int_equal(pool.batch_count, 6);
    th_pool_done(&pool);
}

static void test_batches_are_bounded_by_number_and_bytes(void **state)
{
    th_pool pool;
    th_pool_init(&pool, th_port_system());
    th_pool_free_batches(&pool, batches(2 * TH_POOL_BATCHES, 10));
    assert_int_equal(pool.batch_count, TH_POOL_BATCHES);
    th_pool_done(&pool);

    th_pool_init(&pool, th_port_system());
    th_pool_free_batches(&pool, batches(100, (size_t)300 << 10));
    assert_true(pool.batch_count > 10);
    assert_true(pool.batches_bytes <= TH_POOL_BATCHES_BYTES);
    th_pool_done(&pool);
}

static void test_a_large_batch_is_not_kept_and_takes_no_other_with_it(void **state)
{
    th_pool pool;
    th_pool_init(&pool, th_port_system());
    th_batch *list = batches(1, TH_POOL_BATCH_BYTES + 1);
    list->next = batches(3, 10);
    th_pool_free_batches(&pool, list);
    assert_int_equal(pool.batch_count, 3);
    th_pool_done(&pool);
}

static void test_items_are_bounded(void **state)
{
    th_pool pool;
    th_pool_init(&pool, th_port_system());
    th_item_queue queue = {0};
    for (size_t i = 0; i < TH_POOL_ITEMS; i++)
        th_item_push(&queue, th_pool_item(&pool, TH_ITEM_CLIENT, 10));
    th_pool_free_items(&pool, &queue);
    assert_int_equal(pool.item_count, TH_POOL_ITEMS);
    th_item_push(&queue, th_item_new(TH_ITEM_CLIENT, TH_POOL_ROOM));
    th_pool_free_items(&pool, &queue);
    assert_int_equal(pool.item_count, TH_POOL_ITEMS);
    assert_int_equal(queue.count, 0);
    th_pool_done(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_emptied_batch_comes_back_empty),
        cmocka_unit_test(test_as_many_batches_come_at_once_as_are_asked_for_and_there_are),
        cmocka_unit_test(test_batches_are_bounded_by_number_and_bytes),
        cmocka_unit_test(test_a_large_batch_is_not_kept_and_takes_no_other_with_it),
        cmocka_unit_test(test_items_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
