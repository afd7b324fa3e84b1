/* After a failed commit: what ran and is not durable never happened. Actors, mailboxes and the directory
 * are dropped and loaded anew from the log. */
#include "base/log.h"
#include "runtime/core.h"
#include "runtime/slice.h"

void th_reset_begin(theater_runtime *runtime, const theater_error *why, bool final)
{
    runtime->health = *why;
    runtime->health_final = final;
    runtime->resetting = true;
    runtime->epoch++;
}

static void take_clients(theater_runtime *runtime, th_item_queue *to)
{
    for (uint64_t id = 0; id < runtime->directory.ids; id++) {
        th_entry *entry = runtime->directory.by_id[id];
        if (!entry || !entry->activity)
            continue;
        th_item_append(to, &entry->activity->clients);
        th_item_append(&runtime->retries, &entry->activity->queries);
        th_item_append(to, &entry->activity->control);
    }
    th_item_append(to, &runtime->repeats);
}

/* The index must cover all that is durable before the directory is read from it. */
static theater_status index_all(theater_runtime *runtime, theater_error *reterr)
{
    bool more = true;
    theater_status status = THEATER_OK;
    while (more && !status) {
        uint64_t covered = th_store_covered(runtime->store);
        status = th_store_index_step(runtime->store, UINT64_C(16) << 20, &more, reterr);
        if (!status && more && th_store_covered(runtime->store) == covered)
            status = th_fail(reterr, THEATER_BUSY, "the index cannot grow now");
    }
    return status;
}

/* Reads go on: what was asked is asked of the state that is durable. */
static void ask_again(theater_runtime *runtime, th_item_queue *told)
{
    th_item_queue retries = runtime->retries;
    runtime->retries = (th_item_queue){0};
    th_item *item;
    while ((item = th_item_pop(&retries))) {
        th_entry *entry = th_directory_by_id(&runtime->directory, item->from);
        th_activity *activity = entry && entry->status ? th_activity_get(runtime, entry) : NULL;
        theater_answer_done(&item->answer);
        th_item_push(activity ? &activity->queries : told, item);
        if (activity)
            th_activity_schedule(runtime, activity);
    }
}

void th_reset_run(theater_runtime *runtime)
{
    theater_error error = {0};
    th_item_queue told = {0};
    /* The indexer stands still: it looks at `resetting` under the lock before it works. */
    th_mutex_lock(&runtime->lock);
    take_clients(runtime, &told);
    runtime->run_first = runtime->run_last = NULL;
    runtime->run_count = 0;
    runtime->gated_first = runtime->waiting_first = runtime->quiesce = NULL;
    runtime->idle_first = runtime->idle_last = NULL;
    runtime->undelivered_running = 0;
    th_directory_done(runtime);
    theater_error why = runtime->health;
    theater_status status = index_all(runtime, &error);
    /* Who has messages that wait goes on when the storage works again (committer.c). */
    if (!status)
        status = th_directory_load(runtime, &error);
    if (status) {
        th_log(TH_LOG_ERROR, "cannot load what is durable: %s", error.message);
        th_fail(&runtime->health, THEATER_STORAGE_FAILED, "%s", error.message);
        runtime->health_final = true;
    }
    runtime->resetting = false;
    ask_again(runtime, &told);
    th_wake_workers(runtime);
    th_mutex_unlock(&runtime->lock);
    th_item *item;
    while ((item = th_item_pop(&told))) {
        th_item_set_error(item, &why);
        th_item_complete(runtime, item);
    }
    th_mutex_lock(&runtime->lock);
    th_drain_check(runtime);
    th_mutex_unlock(&runtime->lock);
}
