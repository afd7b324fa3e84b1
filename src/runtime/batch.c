/* Batches: what a slice of turns hands to the committer. */
#include "runtime/core.h"

#define BATCH_BYTES_MAX ((size_t)1 << 30)

th_batch *th_batch_new(void)
{
    th_batch *batch = th_alloc_zero(1, sizeof *batch);
    if (batch)
        th_buf_init(&batch->bytes, BATCH_BYTES_MAX);
    return batch;
}

static void free_items(th_item_queue *items)
{
    th_item *item;
    while ((item = th_item_pop(items)))
        th_item_free(item);
}

void th_batch_clear(th_batch *batch)
{
    th_assert(!batch->answers.first);
    free_items(&batch->routes);
    th_buf bytes = batch->bytes;
    bytes.size = 0;
    struct th_batch_record *records = batch->records;
    size_t capacity = batch->record_capacity;
    *batch = (th_batch){.bytes = bytes, .records = records, .record_capacity = capacity};
}

void th_batch_free(th_batch *batch)
{
    if (!batch)
        return;
    th_batch_clear(batch);
    th_buf_done(&batch->bytes);
    th_free(batch->records);
    th_free(batch);
}

theater_status th_batch_add(th_batch *batch, const th_record *record, theater_error *reterr)
{
    if (batch->record_count == batch->record_capacity) {
        size_t capacity = batch->record_capacity ? 2 * batch->record_capacity : TH_SLICE_ITEMS + 8;
        struct th_batch_record *records = th_realloc(batch->records, capacity * sizeof *records);
        if (!records)
            return th_fail_memory(reterr, "the records of a slice");
        batch->records = records;
        batch->record_capacity = capacity;
    }
    size_t offset = batch->bytes.size;
    theater_status status = th_record_encode(record, &batch->bytes, reterr);
    if (status) {
        batch->bytes.size = offset;
        return status;
    }
    batch->records[batch->record_count++] =
        (struct th_batch_record){.offset = offset, .size = batch->bytes.size - offset};
    return THEATER_OK;
}

static void apply_life(theater_runtime *runtime, th_entry *entry, th_life life)
{
    switch (life) {
    case TH_LIFE_STARTED:
    case TH_LIFE_RESUMED:
        th_route_count_status(runtime, entry, TH_ACTOR_RUNNING);
        break;
    case TH_LIFE_STOPPED:
        th_route_count_status(runtime, entry, TH_ACTOR_STOPPED);
        break;
    default:
        break; /* a removal is enqueued by control.c; an archive has no entry */
    }
}

static void add_counters(th_counters *to, const th_counters *more)
{
    to->turns += more->turns;
    to->rejections += more->rejections;
    to->queries += more->queries;
    to->fuel += more->fuel;
    for (size_t i = 0; i < sizeof to->rejections_by_code / sizeof *to->rejections_by_code; i++)
        to->rejections_by_code[i] += more->rejections_by_code[i];
    to->activations += more->activations;
    to->snapshots += more->snapshots;
    to->instance_hits += more->instance_hits;
}

bool th_batch_queue(theater_runtime *runtime, th_batch *take_batch)
{
    th_batch *batch = take_batch;
    batch->first_number = runtime->next_number;
    runtime->next_number += batch->record_count;
    add_counters(&runtime->counters, &batch->counted);
    th_entry *entry = batch->entry;
    if (entry) {
        apply_life(runtime, entry, batch->life);
        th_route_consumed(runtime, entry, batch->consumed);
        if (entry->activity && batch->record_count)
            entry->activity->last_number = runtime->next_number;
    }
    th_item *item;
    while ((item = th_item_pop(&batch->routes))) {
        item->key.number = batch->first_number + item->route_record;
        if (item->route_to)
            th_route_reply(runtime, item);
        else
            th_route_message(runtime, entry, item);
    }
    batch->next = NULL;
    *(runtime->commit_last ? &runtime->commit_last->next : &runtime->commit_first) = batch;
    runtime->commit_last = batch;
    batch->weight = batch->bytes.size;
    for (const th_item *answer = batch->answers.first; answer; answer = answer->next)
        batch->weight += sizeof *answer + answer->memory_size + answer->answer.output.size;
    runtime->inflight_bytes += batch->weight;
    return !runtime->committing;
}

void th_batch_enqueue(theater_runtime *runtime, th_batch *take_batch)
{
    if (th_batch_queue(runtime, take_batch))
        th_task_wake(runtime->committer);
}
