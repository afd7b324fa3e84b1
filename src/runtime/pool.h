/* runtime/pool.h: emptied items and batches, kept for the next ones.
 *
 * A client's thread makes an item, the committer frees it; a worker makes a batch, the committer frees it. Memory that is
 * always taken by one thread and given back by another is what general allocators do worst. So the committer puts what
 * it emptied here, many at a time.
 *
 * All that lies here is bounded by TH_POOL_ITEMS and TH_POOL_BATCHES. Any thread may use a pool. */
#ifndef TH_RUNTIME_POOL_H
#define TH_RUNTIME_POOL_H

#include "port/port.h"
#include "runtime/item.h"

#define TH_POOL_ITEMS 4096
#define TH_POOL_BATCHES 4096
#define TH_POOL_BATCHES_BYTES ((size_t)16 << 20) /* of the buffers of all batches */
#define TH_POOL_ROOM ((size_t)256) /* bytes that an item of the pool has room for */
#define TH_POOL_BATCH_BYTES ((size_t)512 << 10) /* a batch with larger buffers is not kept */

struct th_batch;

typedef struct th_pool {
    th_mutex lock; /* of all below */
    th_item *items;
    struct th_batch *batches;
    unsigned item_count, batch_count;
    size_t batches_bytes;
} th_pool;

void th_pool_init(th_pool *pool, th_port *port);
/* Frees what lies in it. */
void th_pool_done(th_pool *pool);

/* As th_item_new; from the pool when the bytes fit. */
th_item *th_pool_item(th_pool *pool, th_item_kind kind, size_t memory_size);
/* As th_item_free for each: those with a pool's room are kept. Empties the queue. */
void th_pool_free_items(th_pool *pool, th_item_queue *take_items);

/* A list of one to `most` empty batches: a new one when none lies here. NULL: out of memory. */
struct th_batch *th_pool_batches(th_pool *pool, size_t most);
/* As th_batch_free for each of a list, which may be NULL. */
void th_pool_free_batches(th_pool *pool, struct th_batch *take_batches);

#endif
