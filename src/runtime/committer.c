/* The committer: gathers the batches of all workers into one append, and releases their answers when it is
 * durable. While one append runs, the next one fills: no timer. */
#include "base/log.h"
#include "runtime/core.h"
#include "runtime/slice.h"

#define PROBE_NS UINT64_C(1000000000)

void th_item_complete(theater_runtime *runtime, th_item *take_item)
{
    th_item_queue one = {0};
    th_item_push(&one, take_item);
    th_items_complete(runtime, &one);
}

void th_items_complete(theater_runtime *runtime, th_item_queue *take_items)
{
    size_t count = take_items->count;
    for (th_item *item = take_items->first; item; item = item->next) {
        if (item->completion)
            item->completion(item->context, &item->answer);
    }
    if (count)
        th_subscribe_answered(runtime);
    th_pool_free_items(&runtime->pool, take_items);
    if (count && __atomic_sub_fetch(&runtime->client_items, count, __ATOMIC_ACQ_REL) == 0 &&
        __atomic_load_n(&runtime->drains, __ATOMIC_ACQUIRE)) {
        th_mutex_lock(&runtime->lock);
        th_drain_check(runtime);
        th_mutex_unlock(&runtime->lock);
    }
}

typedef struct commit_set {
    th_batch *first;
    uint64_t bytes;  /* of the log */
    uint64_t weight; /* of memory: the answers too */
    size_t records;
} commit_set;

/* Takes batches for one append, under the lock. */
static commit_set take_batches(theater_runtime *runtime)
{
    commit_set commit = {.first = runtime->commit_first};
    th_batch *last = NULL;
    for (th_batch *batch = commit.first; batch; batch = batch->next) {
        if (last && commit.bytes + batch->bytes.size > TH_COMMIT_BYTES)
            break;
        commit.bytes += batch->bytes.size;
        commit.weight += batch->weight;
        commit.records += batch->record_count;
        last = batch;
    }
    runtime->commit_first = last ? last->next : NULL;
    if (!runtime->commit_first)
        runtime->commit_last = NULL;
    if (last)
        last->next = NULL;
    return commit;
}

static theater_status append(theater_runtime *runtime, const commit_set *commit, theater_error *reterr)
{
    if (commit->records == 0)
        return THEATER_OK;
    th_slice *records = th_alloc(commit->records * sizeof *records);
    if (!records)
        return th_fail_memory(reterr, "a commit");
    size_t count = 0;
    for (const th_batch *batch = commit->first; batch; batch = batch->next) {
        for (size_t i = 0; i < batch->record_count; i++)
            records[count++] =
                th_slice_of(batch->bytes.data + batch->records[i].offset, batch->records[i].size);
    }
    th_assert(th_store_next_number(runtime->store) == commit->first->first_number);
    theater_status status = th_store_append(runtime->store, records, count, reterr);
    th_free(records);
    return status;
}

/* Answers of batches that are durable, or that failed, when `why` is not NULL: reads go on then, so queries
 * are asked again. */
static void release(theater_runtime *runtime, th_batch *first, const theater_error *why)
{
    uint64_t now = th_port_monotonic_ns(runtime->port);
    th_item_queue retries = {0}, done = {0};
    for (th_batch *batch = first; batch; batch = batch->next) {
        th_item *item;
        while ((item = th_item_pop(&batch->answers))) {
            if (why && item->kind == TH_ITEM_QUERY) {
                th_item_push(&retries, item);
                continue;
            }
            if (why)
                th_item_set_error(item, why);
            else if (item->kind == TH_ITEM_CLIENT)
                th_histogram_add(&runtime->latency.answer, now - item->accepted_ns);
            th_item_push(&done, item);
        }
    }
    th_items_complete(runtime, &done);
    th_pool_free_batches(&runtime->pool, first);
    if (retries.first) {
        th_mutex_lock(&runtime->lock);
        th_item_append(&runtime->retries, &retries);
        th_mutex_unlock(&runtime->lock);
    }
}

static void committed(theater_runtime *runtime, const commit_set *commit, uint64_t nanoseconds)
{
    if (commit->records)
        th_histogram_add(&runtime->latency.commit, nanoseconds);
    th_mutex_lock(&runtime->lock);
    bool were_full = runtime->inflight_bytes > runtime->options.inflight_bytes;
    runtime->committing = false;
    runtime->inflight_bytes -= commit->weight;
    runtime->committed += commit->records;
    uint64_t durable = runtime->committed;
    if (commit->records) {
        runtime->counters.commits++;
        runtime->counters.commit_records += commit->records;
        runtime->counters.commit_bytes += commit->bytes;
        runtime->counters.commit_ns += nanoseconds;
    }
    if (were_full)
        th_wake_workers(runtime);
    bool index = commit->records && th_indexer_must_know(runtime);
    th_mutex_unlock(&runtime->lock);
    if (index)
        th_task_wake(runtime->indexer);
    release(runtime, commit->first, NULL);
    if (commit->records)
        th_subscribe_tell(runtime, durable);
    th_mutex_lock(&runtime->lock);
    th_drain_check(runtime);
    th_mutex_unlock(&runtime->lock);
}

static void failed(theater_runtime *runtime, const commit_set *commit, const theater_error *error)
{
    theater_error why;
    th_fail(&why, error->status == THEATER_NO_SPACE ? THEATER_NO_SPACE : THEATER_STORAGE_FAILED,
            "storage failed: %s", error->message);
    th_log(TH_LOG_ERROR, "%s", why.message);
    th_mutex_lock(&runtime->lock);
    runtime->committing = false;
    th_batch *rest = runtime->commit_first;
    runtime->commit_first = runtime->commit_last = NULL;
    runtime->inflight_bytes = 0;
    runtime->next_number = runtime->committed;
    th_reset_begin(runtime, &why, error->status != THEATER_NO_SPACE && error->status != THEATER_NO_MEMORY);
    th_mutex_unlock(&runtime->lock);
    release(runtime, commit->first, &why);
    release(runtime, rest, &why);
}

/* Out of space ends when a probe write succeeds. */
static bool probe(theater_runtime *runtime)
{
    theater_error error;
    if (th_store_probe(runtime->store, &error) != THEATER_OK)
        return false;
    th_log(TH_LOG_INFO, "storage works again");
    th_mutex_lock(&runtime->lock);
    runtime->health.status = THEATER_OK;
    for (uint64_t id = 0; id < runtime->directory.ids; id++) {
        th_entry *entry = runtime->directory.by_id[id];
        bool waits = entry && entry->status == TH_ACTOR_RUNNING && entry->backlog;
        th_activity *activity = entry && (entry->activity || waits) ? th_activity_get(runtime, entry) : NULL;
        if (activity)
            th_activity_schedule(runtime, activity);
    }
    th_mutex_unlock(&runtime->lock);
    return true;
}

th_step th_committer_step(void *context, uint64_t *ret_deadline_ns)
{
    theater_runtime *runtime = context;
    th_mutex_lock(&runtime->lock);
    bool workers_ended = true;
    for (unsigned i = 0; i < runtime->worker_count; i++)
        workers_ended &= runtime->workers[i].ended;
    bool reset = runtime->resetting && runtime->running == 0 && !runtime->indexing;
    bool sick = runtime->health.status && !runtime->health_final && !runtime->resetting;
    bool closing = runtime->closing;
    commit_set commit = runtime->resetting ? (struct commit_set){0} : take_batches(runtime);
    runtime->committing = commit.first != NULL;
    th_mutex_unlock(&runtime->lock);

    if (reset && !closing) {
        th_reset_run(runtime);
        return TH_STEP_AGAIN;
    }
    if (!commit.first) {
        if (closing && workers_ended) {
            th_mutex_lock(&runtime->lock);
            runtime->committer_ended = true;
            th_mutex_unlock(&runtime->lock);
            if (runtime->indexer)
                th_task_wake(runtime->indexer);
            return TH_STEP_DONE;
        }
        if (sick && !closing && !probe(runtime))
            *ret_deadline_ns = th_port_monotonic_ns(runtime->port) + PROBE_NS;
        return TH_STEP_IDLE;
    }
    theater_error error = {0};
    uint64_t begin = th_port_monotonic_ns(runtime->port);
    if (append(runtime, &commit, &error))
        failed(runtime, &commit, &error);
    else
        committed(runtime, &commit, th_port_monotonic_ns(runtime->port) - begin);
    return TH_STEP_AGAIN;
}
