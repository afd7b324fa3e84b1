/* The indexer: writes the index behind the log, in large transactions, and answers what must wait for it. */
#include "base/log.h"
#include "runtime/core.h"
#include "runtime/slice.h"

#define INDEX_BYTES (UINT64_C(32) << 20) /* log that one transaction covers */
#define INDEX_RECORDS UINT64_C(200000)   /* records not covered after which it works at once */
#define INDEX_NS UINT64_C(1000000000)    /* otherwise after this time */
#define RETRY_NS UINT64_C(1000000000)

/* An item whose id was known gets the answer that its element holds. */
static void answer_again(theater_runtime *runtime, th_item *item)
{
    th_buf buf;
    th_buf_init(&buf, (size_t)2 << 30);
    theater_error error = {0};
    th_record record;
    th_element element;
    th_rejection rejection = {0};
    theater_status status =
        th_store_read_element(runtime->store, item->from, item->answer.sequence, &buf, &record, NULL, &error);
    if (!status)
        status = th_element_decode(record.element.element, &element, &error);
    if (!status && element.type == TH_REJECTION)
        status = th_rejection_decode(record.element.output, &rejection, &error);
    if (status) {
        th_item_set_error(item, &error);
    } else {
        th_produced produced = {
            .sequence = element.sequence,
            .type = element.type,
            .hash = record.element.hash,
            .output = record.element.output,
            .fuel = element.fuel,
            .state_root = element.state_after,
            .reject_code = rejection.code,
            .reject_text = rejection.message,
        };
        th_item_set_produced(item, &produced);
        item->answer.repeated = true;
    }
    th_buf_done(&buf);
    th_item_complete(runtime, item);
}

/* Whether it is time for a transaction, under the lock. */
static bool index_due(theater_runtime *runtime, uint64_t covered, uint64_t now)
{
    if (covered >= runtime->committed)
        return false;
    return runtime->closing || runtime->index_wanted > covered ||
           runtime->committed - covered >= INDEX_RECORDS || now >= runtime->index_deadline_ns;
}

bool th_indexer_must_know(const theater_runtime *runtime)
{
    uint64_t covered = th_store_covered(runtime->store);
    return !runtime->index_timed || runtime->closing || runtime->index_wanted > covered ||
           runtime->committed - covered >= INDEX_RECORDS;
}

static void after_step(theater_runtime *runtime, theater_status status, const theater_error *error)
{
    th_item_queue ready = {0};
    th_mutex_lock(&runtime->lock);
    runtime->indexing = false;
    runtime->index_deadline_ns = th_port_monotonic_ns(runtime->port) + (status ? RETRY_NS : INDEX_NS);
    runtime->index_retry = status != THEATER_OK;
    if (!status)
        th_activity_index_moved(runtime);
    while (runtime->repeats.first && runtime->repeats.first->key.number <= th_store_covered(runtime->store))
        th_item_push(&ready, th_item_pop(&runtime->repeats));
    if (runtime->resetting && !runtime->committer_ended)
        th_task_wake(runtime->committer);
    th_mutex_unlock(&runtime->lock);
    if (status)
        th_log(TH_LOG_WARN, "the index cannot be written, trying again: %s", error->message);
    th_item *item;
    while ((item = th_item_pop(&ready))) {
        /* Others only waited for the index. */
        if (item->kind == TH_ITEM_CLIENT)
            answer_again(runtime, item);
        else
            th_item_complete(runtime, item);
    }
}

th_step th_indexer_step(void *context, uint64_t *ret_deadline_ns)
{
    theater_runtime *runtime = context;
    th_mutex_lock(&runtime->lock);
    uint64_t now = th_port_monotonic_ns(runtime->port);
    uint64_t covered = th_store_covered(runtime->store);
    bool committer_ended = runtime->committer_ended;
    bool retry_later = runtime->index_retry && now < runtime->index_deadline_ns;
    bool work = !runtime->resetting && !retry_later && index_due(runtime, covered, now);
    bool repeats =
        !runtime->resetting && runtime->repeats.first && runtime->repeats.first->key.number <= covered;
    bool lags = covered < runtime->committed;
    runtime->indexing = work || repeats;
    *ret_deadline_ns = lags ? runtime->index_deadline_ns : 0;
    runtime->index_timed = lags;
    th_mutex_unlock(&runtime->lock);
    if (!work && !repeats)
        return committer_ended ? TH_STEP_DONE : TH_STEP_IDLE;
    theater_error error = {0};
    bool more = false;
    theater_status status =
        work ? th_store_index_step(runtime->store, INDEX_BYTES, &more, &error) : THEATER_OK;
    if (!status && work && more && th_store_covered(runtime->store) == covered)
        status = th_fail(&error, THEATER_BUSY, "it cannot grow now");
    after_step(runtime, status, &error);
    return status && committer_ended ? TH_STEP_DONE : TH_STEP_AGAIN;
}
