/* A worker: takes actors from the run queue, runs a slice of the inputs of each, hands over their batches.
 *
 * When many actors wait, a worker takes a round of them: then the lock is taken, and the committer woken, once for a
 * round and not for each slice, of which most may be a single turn. A round is the worker's share of those that wait, has
 * no more inputs than one slice may have, and is given up after a while, so that nobody waits behind a slow actor while
 * another worker has nothing to do. */
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
    runtime->run_count--;
    if (runtime->run_first)
        th_prefetch(runtime->run_first, sizeof *runtime->run_first);
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
    th_item_append(&runtime->retries, &work->queries);
    if (!work->batch)
        return;
    th_item_queue answers = work->batch->answers;
    work->batch->answers = (th_item_queue){0};
    th_item *item;
    while ((item = th_item_pop(&answers)))
        th_item_push(item->kind == TH_ITEM_QUERY ? &runtime->retries : &work->batch->answers, item);
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
    if (work->batch)
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
    theater_error error;
    th_item *item;
    while ((item = th_item_pop(&work->repeats))) {
        if (runtime->repeats.count < TH_REPEATS_MAX) {
            item->key.number = runtime->index_wanted = runtime->next_number;
            th_item_push(&runtime->repeats, item);
            th_task_wake(runtime->indexer);
        } else {
            th_fail(&error, THEATER_MAILBOX_FULL, "too many messages with known ids wait for their answers");
            th_item_set_error(item, &error);
            th_item_push(&work->failed, item);
        }
    }
}

/* Ends a slice, under the lock. A batch that was handed over is no longer the work's; then *commit is set
 * when the committer is to be woken. */
static void finish_slice(theater_runtime *runtime, th_slice_work *work, bool *commit)
{
    th_activity *activity = work->activity;
    th_batch *batch = work->batch;
    runtime->running--;
    activity->running = false;
    account_memory(runtime, activity);
    if (work->epoch != runtime->epoch) {
        discard_slice(runtime, work);
        if (activity->entry->status == TH_ACTOR_REMOVED)
            free_removed(runtime, work);
        return;
    }
    give_back(activity, work);
    if (work->wait_number)
        th_activity_wait_index(runtime, activity, work->wait_number);
    if (batch && (batch->record_count || batch->answers.first || batch->counted.turns)) {
        if (runtime->options.durability == THEATER_ASYNC)
            release_early(batch, &work->failed);
        *commit |= th_batch_queue(runtime, batch);
        work->batch = NULL;
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

/* ---- rounds -------------------------------------------------------------------------------------------- */

typedef struct slice_round {
    th_slice_work works[TH_ROUND_SLICES];
    size_t count, ran;
} slice_round;

/* Takes the worker's share of those that wait. Under the lock. */
static void take_round(theater_runtime *runtime, slice_round *ret)
{
    size_t share = runtime->run_count / runtime->options.workers, inputs = 0;
    ret->count = ret->ran = 0;
    do {
        th_activity *activity = take_activity(runtime);
        if (!activity)
            return;
        th_slice_work *work = &ret->works[ret->count++];
        th_slice_take(runtime, activity, work);
        if (work->control) /* may take long, and may want everything else to stand still */
            return;
        inputs += work->causes.count + work->clients.count + work->queries.count;
    } while (ret->count < share && ret->count < TH_ROUND_SLICES && inputs < runtime->slice_items);
}

/* `wanted`: how many the worker is going to take. */
static th_batch *take_batch(th_worker *worker, size_t wanted)
{
    if (!worker->spares)
        worker->spares = th_pool_batches(&worker->runtime->pool, wanted);
    th_batch *batch = worker->spares;
    if (batch) {
        worker->spares = batch->next;
        batch->next = NULL;
    }
    return batch;
}

static void keep_batch(th_worker *worker, th_batch *batch)
{
    batch->next = worker->spares;
    worker->spares = batch;
}

/* What a slice begins with: of thousands of actors that take turns, none is still in a cache. */
static void prefetch(const th_slice_work *work)
{
    if (work->activity->instance)
        th_instance_prefetch(work->activity->instance);
    if (work->clients.first)
        th_prefetch(work->clients.first, sizeof *work->clients.first);
}

/* Runs the first slice, and the others as long as the round may go on. */
static void run_round(th_worker *worker, slice_round *round)
{
    theater_runtime *runtime = worker->runtime;
    uint64_t end = round->count > 1 ? th_port_monotonic_ns(runtime->port) + TH_ROUND_NS : 0;
    size_t bytes = 0;
    for (size_t i = 0; i < round->count; i++) {
        th_slice_work *work = &round->works[i];
        bool late = i > 0 && (bytes >= runtime->round_bytes || th_port_monotonic_ns(runtime->port) > end);
        work->batch = late ? NULL : take_batch(worker, round->count - i);
        if (!work->batch)
            return;
        if (i + 1 < round->count)
            prefetch(&round->works[i + 1]);
        work->latency = &worker->latency;
        work->batch->entry = work->activity->entry;
        th_slice_run(runtime, work, worker->workspace);
        th_workspace_clear(worker->workspace);
        bytes += work->batch->bytes.size + work->answer_bytes;
        round->ran++;
    }
}

/* Under the lock. What was not run comes first, so that it stands before the others in the run queue. Returns
 * whether the committer is to be woken, when the lock is free for it. */
static bool finish_round(theater_runtime *runtime, slice_round *round)
{
    bool commit = false;
    for (size_t i = round->ran; i < round->count; i++)
        finish_slice(runtime, &round->works[i], &commit);
    for (size_t i = 0; i < round->ran; i++)
        finish_slice(runtime, &round->works[i], &commit);
    if (runtime->resetting && runtime->running == 0)
        th_task_wake(runtime->committer);
    th_drain_check(runtime);
    return commit;
}

/* Answers that wait for no commit. */
static void answer_failed(th_worker *worker, th_item_queue *failed)
{
    theater_runtime *runtime = worker->runtime;
    uint64_t now = failed->first ? th_port_monotonic_ns(runtime->port) : 0;
    for (const th_item *item = failed->first; item; item = item->next) {
        bool ran = item->answer.status == THEATER_OK || item->answer.status == THEATER_REJECTED;
        if (item->kind == TH_ITEM_CLIENT && ran) /* durability async */
            th_histogram_add(&worker->latency.answer, now - item->accepted_ns);
    }
    th_items_complete(runtime, failed);
}

th_step th_worker_step(void *context, uint64_t *ret_deadline_ns)
{
    th_worker *worker = context;
    theater_runtime *runtime = worker->runtime;
    /* The first slice of a round is always run. */
    th_batch *batch = take_batch(worker, 1);
    if (!batch) {
        *ret_deadline_ns = th_port_monotonic_ns(runtime->port) + UINT64_C(10000000);
        return TH_STEP_IDLE;
    }
    keep_batch(worker, batch);
    slice_round round;
    th_mutex_lock(&runtime->lock);
    if (runtime->closing) {
        worker->ended = true;
        th_mutex_unlock(&runtime->lock);
        th_task_wake(runtime->committer);
        return TH_STEP_DONE;
    }
    take_round(runtime, &round);
    worker->parked = round.count == 0;
    th_mutex_unlock(&runtime->lock);
    if (round.count == 0)
        return TH_STEP_IDLE;

    th_worker_measure(worker);
    run_round(worker, &round);
    th_mutex_lock(&runtime->lock);
    if (worker->measures)
        worker->times = *th_workspace_times(worker->workspace);
    bool commit = finish_round(runtime, &round);
    th_mutex_unlock(&runtime->lock);
    if (commit)
        th_task_wake(runtime->committer); /* which outlives the workers */
    for (size_t i = 0; i < round.count; i++) {
        th_slice_work *work = &round.works[i];
        if (work->batch) {
            th_batch_clear(work->batch);
            keep_batch(worker, work->batch);
        }
        answer_failed(worker, &work->failed);
    }
    return TH_STEP_AGAIN;
}
