/* A worker: takes an actor from the run queue, runs a slice of its inputs, hands over a batch. */
#include "runtime/control.h"
#include "runtime/slice.h"

void th_wake_worker(theater_runtime *runtime)
{
    for (unsigned i = 0; i < runtime->worker_count; i++) {
        if (runtime->workers[i].parked && runtime->workers[i].task) {
            runtime->workers[i].parked = false;
            th_task_wake(runtime->workers[i].task);
            return;
        }
    }
}

void th_wake_workers(theater_runtime *runtime)
{
    for (unsigned i = 0; i < runtime->worker_count; i++) {
        runtime->workers[i].parked = false;
        if (runtime->workers[i].task && !runtime->workers[i].ended)
            th_task_wake(runtime->workers[i].task);
    }
}

/* Brings a queued activity to the front of the run queue; false when it is not queued. */
static bool to_front(theater_runtime *runtime, th_activity *wanted)
{
    th_activity *before = runtime->run_first;
    while (before && before->run_next != wanted)
        before = before->run_next;
    if (!before || runtime->run_first == wanted)
        return runtime->run_first == wanted;
    before->run_next = wanted->run_next;
    if (runtime->run_last == wanted)
        runtime->run_last = before;
    wanted->run_next = runtime->run_first;
    runtime->run_first = wanted;
    return true;
}

/* The next activity to run, marked as running, or NULL. Under the lock. */
static th_activity *take_activity(theater_runtime *runtime)
{
    if (runtime->resetting || runtime->inflight_bytes > runtime->options.inflight_bytes)
        return NULL;
    th_activity *activity = runtime->run_first;
    if (!activity ||
        (runtime->quiesce && runtime->quiesce != activity && !to_front(runtime, runtime->quiesce)))
        return NULL;
    activity = runtime->run_first;
    runtime->run_first = activity->run_next;
    if (!runtime->run_first)
        runtime->run_last = NULL;
    activity->run_next = NULL;
    activity->queued = false;
    activity->running = true;
    runtime->running++;
    return activity;
}

/* What the slice did not come to goes back to the front. */
static void give_back(th_activity *activity, th_slice_work *work)
{
    for (const th_item *item = work->causes.first; item; item = item->next)
        activity->causes_bytes += item->payload.size;
    th_item_prepend(&activity->causes, &work->causes);
    th_item_prepend(&activity->clients, &work->clients);
    th_item_prepend(&activity->queries, &work->queries);
    if (work->control)
        th_item_push_front(&activity->control, work->control);
    activity->prefer_clients = work->prefer_clients;
}

/* Queries are asked again after the reset. Under the lock. */
static void retry_queries(theater_runtime *runtime, th_slice_work *work)
{
    th_item_queue answers = work->batch->answers;
    work->batch->answers = (th_item_queue){0};
    th_item *item;
    while ((item = th_item_pop(&answers)))
        th_item_push(item->kind == TH_ITEM_QUERY ? &runtime->retries : &work->batch->answers, item);
    th_item_append(&runtime->retries, &work->queries);
}

static void fail_all(th_item_queue *from, th_item_queue *to, const theater_error *error)
{
    th_item *item;
    while ((item = th_item_pop(from))) {
        th_item_set_error(item, error);
        th_item_push(to, item);
    }
}

/* The commit of something that came before failed while this slice ran: nothing of it counts. The activity
 * is dropped by the reset. */
static void discard_slice(theater_runtime *runtime, th_slice_work *work)
{
    const theater_error *why = &runtime->health;
    retry_queries(runtime, work);
    fail_all(&work->batch->answers, &work->failed, why);
    fail_all(&work->clients, &work->failed, why);
    fail_all(&work->repeats, &work->failed, why);
    if (work->control) {
        th_item_set_error(work->control, why);
        th_item_push(&work->failed, work->control);
    }
    th_item *item;
    while ((item = th_item_pop(&work->causes)))
        th_item_free(item);
}

/* In `async` durability clients' answers do not wait for the commit; what queries and control items say
 * does. */
static void release_early(th_batch *batch, th_item_queue *to)
{
    th_item_queue all = batch->answers;
    batch->answers = (th_item_queue){0};
    th_item *item;
    while ((item = th_item_pop(&all)))
        th_item_push(item->kind == TH_ITEM_CLIENT ? to : &batch->answers, item);
}

static void account_memory(theater_runtime *runtime, th_activity *activity)
{
    size_t memory = activity->instance ? th_instance_memory(activity->instance) : 0;
    runtime->active_bytes += memory;
    runtime->active_bytes -= activity->memory;
    activity->memory = memory;
}

/* The actor was removed in this slice: only its name stays in the directory (control.c). */
static void free_removed(theater_runtime *runtime, th_slice_work *work)
{
    th_activity *activity = work->activity;
    th_entry *entry = activity->entry;
    theater_error error;
    th_fail(&error, THEATER_NOT_FOUND, "actor %s was removed", entry->name);
    fail_all(&activity->clients, &work->failed, &error);
    fail_all(&activity->queries, &work->failed, &error);
    fail_all(&activity->control, &work->failed, &error);
    th_activity_free(runtime, activity);
    entry->undelivered = 0;
}

/* The element that a known id has may be of this very slice: it is in the index when all that was enqueued
 * so far is. */
static void hand_over_repeats(theater_runtime *runtime, th_slice_work *work)
{
    if (!work->repeats.first)
        return;
    for (th_item *item = work->repeats.first; item; item = item->next)
        item->key.number = runtime->next_number;
    th_item_append(&runtime->repeats, &work->repeats);
    runtime->index_wanted = runtime->next_number;
    th_task_wake(runtime->indexer);
}

/* Ends a slice, under the lock. The batch was handed over, or is still the worker's when it returns true. */
static bool finish_slice(theater_runtime *runtime, th_slice_work *work)
{
    th_activity *activity = work->activity;
    bool keep_batch = true;
    runtime->running--;
    activity->running = false;
    account_memory(runtime, activity);
    if (work->epoch != runtime->epoch) {
        discard_slice(runtime, work);
        if (activity->entry->status == TH_ACTOR_REMOVED)
            free_removed(runtime, work);
    } else {
        give_back(activity, work);
        if (work->wait_number)
            th_activity_wait_index(runtime, activity, work->wait_number);
        if (work->batch->record_count || work->batch->answers.first || work->batch->counted.turns) {
            if (runtime->options.durability == THEATER_ASYNC)
                release_early(work->batch, &work->failed);
            th_batch_enqueue(runtime, work->batch);
            keep_batch = false;
        }
        hand_over_repeats(runtime, work);
        if (activity->entry->status == TH_ACTOR_REMOVED) {
            free_removed(runtime, work);
        } else {
            th_activity_schedule(runtime, activity);
            if (!activity->queued)
                th_activity_set_idle(runtime, activity, true);
        }
        th_activity_park_some(runtime);
    }
    if (runtime->resetting && runtime->running == 0)
        th_task_wake(runtime->committer);
    th_drain_check(runtime);
    return keep_batch;
}

th_step th_worker_step(void *context, uint64_t *ret_deadline_ns)
{
    th_worker *worker = context;
    theater_runtime *runtime = worker->runtime;
    if (!worker->spare && !(worker->spare = th_pool_batch(&runtime->pool))) {
        *ret_deadline_ns = th_port_monotonic_ns(runtime->port) + UINT64_C(10000000);
        return TH_STEP_IDLE;
    }
    th_slice_work work;
    th_mutex_lock(&runtime->lock);
    if (runtime->closing) {
        worker->ended = true;
        th_mutex_unlock(&runtime->lock);
        th_task_wake(runtime->committer);
        return TH_STEP_DONE;
    }
    th_activity *activity = take_activity(runtime);
    if (activity)
        th_slice_take(runtime, activity, &work);
    else
        worker->parked = true;
    th_mutex_unlock(&runtime->lock);
    if (!activity)
        return TH_STEP_IDLE;

    work.batch = worker->spare;
    work.latency = &worker->latency;
    work.batch->entry = activity->entry;
    th_worker_measure(worker);
    th_slice_run(runtime, &work, worker->workspace);
    th_workspace_clear(worker->workspace);

    th_mutex_lock(&runtime->lock);
    if (worker->measures)
        worker->times = *th_workspace_times(worker->workspace);
    if (!finish_slice(runtime, &work))
        worker->spare = NULL;
    th_mutex_unlock(&runtime->lock);
    if (worker->spare)
        th_batch_clear(worker->spare);
    th_item *item;
    uint64_t now = work.failed.first ? th_port_monotonic_ns(runtime->port) : 0;
    while ((item = th_item_pop(&work.failed))) {
        bool ran = item->answer.status == THEATER_OK || item->answer.status == THEATER_REJECTED;
        if (item->kind == TH_ITEM_CLIENT && ran) /* durability async */
            th_histogram_add(&worker->latency.answer, now - item->accepted_ns);
        th_item_complete(runtime, item);
    }
    return TH_STEP_AGAIN;
}
