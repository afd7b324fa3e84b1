#include "runtime/pool.h"

#include "runtime/core.h"

void th_pool_init(th_pool *pool, th_port *port)
{
    *pool = (th_pool){0};
    th_mutex_init(port, &pool->lock);
}

void th_pool_done(th_pool *pool)
{
    while (pool->items) {
        th_item *item = pool->items;
        pool->items = item->next;
        th_item_free(item);
    }
    while (pool->batches) {
        th_batch *batch = pool->batches;
        pool->batches = batch->next;
        th_batch_free(batch);
    }
    th_mutex_done(&pool->lock);
}

th_item *th_pool_item(th_pool *pool, th_item_kind kind, size_t memory_size)
{
    if (memory_size > TH_POOL_ROOM)
        return th_item_new(kind, memory_size);
    th_mutex_lock(&pool->lock);
    th_item *item = pool->items;
    if (item) {
        pool->items = item->next;
        pool->item_count--;
    }
    th_mutex_unlock(&pool->lock);
    if (item)
        th_item_reset(item, kind);
    else
        item = th_item_new(kind, TH_POOL_ROOM);
    if (item)
        item->memory_size = memory_size;
    return item;
}

void th_pool_free_items(th_pool *pool, th_item_queue *take_items)
{
    th_item *kept = NULL, *last = NULL, *item;
    unsigned count = 0;
    while ((item = th_item_pop(take_items))) {
        if (item->memory_room != TH_POOL_ROOM) {
            th_item_free(item);
            continue;
        }
        theater_bytes_free(&item->answer.output);
        item->next = kept;
        last = kept ? last : item;
        kept = item;
        count++;
    }
    if (!kept)
        return;
    th_mutex_lock(&pool->lock);
    bool room = pool->item_count + count <= TH_POOL_ITEMS;
    if (room) {
        last->next = pool->items;
        pool->items = kept;
        pool->item_count += count;
    }
    th_mutex_unlock(&pool->lock);
    while (!room && kept) {
        item = kept;
        kept = item->next;
        th_item_free(item);
    }
}

th_batch *th_pool_batch(th_pool *pool)
{
    th_mutex_lock(&pool->lock);
    th_batch *batch = pool->batches;
    if (batch) {
        pool->batches = batch->next;
        pool->batch_count--;
        batch->next = NULL;
    }
    th_mutex_unlock(&pool->lock);
    return batch ? batch : th_batch_new();
}

void th_pool_free_batch(th_pool *pool, th_batch *take_batch)
{
    th_batch *batch = take_batch;
    th_batch_clear(batch);
    bool kept = false;
    if (batch->bytes.capacity + batch->record_capacity * sizeof *batch->records <= TH_POOL_BATCH_BYTES) {
        th_mutex_lock(&pool->lock);
        kept = pool->batch_count < TH_POOL_BATCHES;
        if (kept) {
            batch->next = pool->batches;
            pool->batches = batch;
            pool->batch_count++;
        }
        th_mutex_unlock(&pool->lock);
    }
    if (!kept)
        th_batch_free(batch);
}
