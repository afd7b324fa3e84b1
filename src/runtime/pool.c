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

static size_t batch_bytes(const th_batch *batch)
{
    return batch->bytes.capacity + batch->record_capacity * sizeof *batch->records;
}

th_batch *th_pool_batches(th_pool *pool, size_t most)
{
    th_batch *taken = NULL;
    th_mutex_lock(&pool->lock);
    for (size_t i = 0; i < most && pool->batches; i++) {
        th_batch *batch = pool->batches;
        pool->batches = batch->next;
        pool->batch_count--;
        pool->batches_bytes -= batch_bytes(batch);
        batch->next = taken;
        taken = batch;
    }
    th_mutex_unlock(&pool->lock);
    return taken ? taken : th_batch_new();
}

void th_pool_free_batches(th_pool *pool, th_batch *take_batches)
{
    if (!take_batches)
        return;
    for (th_batch *batch = take_batches; batch; batch = batch->next) {
        th_batch *next = batch->next;
        th_batch_clear(batch);
        batch->next = next;
    }
    th_batch *rest = NULL;
    th_mutex_lock(&pool->lock);
    while (take_batches) {
        th_batch *batch = take_batches;
        take_batches = batch->next;
        size_t bytes = batch_bytes(batch);
        bool fits = pool->batch_count < TH_POOL_BATCHES && bytes <= TH_POOL_BATCH_BYTES &&
                    pool->batches_bytes + bytes <= TH_POOL_BATCHES_BYTES;
        th_batch **list = fits ? &pool->batches : &rest;
        batch->next = *list;
        *list = batch;
        pool->batch_count += fits;
        pool->batches_bytes += fits ? bytes : 0;
    }
    th_mutex_unlock(&pool->lock);
    while (rest) {
        th_batch *batch = rest;
        rest = batch->next;
        th_batch_free(batch);
    }
}
