/* Activities: which actors have something to do, which wait, and which may leave memory. All under the
 * lock, but what says otherwise. */
#include "runtime/core.h"
#include "runtime/ids.h"

#define PARK_LOOKS 64 /* idle actors that are looked at in one round, so that the lock is held for short */

th_activity *th_activity_get(theater_runtime *runtime, th_entry *entry)
{
    if (entry->activity)
        return entry->activity;
    th_activity *activity = th_alloc_zero(1, sizeof *activity);
    if (!activity)
        return NULL;
    activity->entry = entry;
    if (entry->backlog) {
        activity->overflow = true;
        activity->overflow_number = entry->backlog - 1;
        entry->backlog = 0;
    }
    entry->activity = activity;
    runtime->active_count++;
    return activity;
}

void th_activity_drop_instance(th_activity *activity)
{
    th_instance_free(activity->instance);
    th_loaded_unref(activity->component);
    activity->instance = NULL;
    activity->component = NULL;
}

void th_activity_free(theater_runtime *runtime, th_activity *activity)
{
    th_entry *entry = activity->entry;
    th_activity_set_idle(runtime, activity, false);
    th_item *item;
    while ((item = th_item_pop(&activity->causes)))
        th_item_free(item);
    th_assert(!activity->clients.first && !activity->queries.first && !activity->control.first);
    th_activity_drop_instance(activity);
    th_ids_free(activity->ids);
    runtime->active_count--;
    runtime->active_bytes -= activity->memory;
    entry->activity = NULL;
    th_free(activity);
}

bool th_activity_gate_shut(const theater_runtime *runtime, const th_activity *activity)
{
    if (!activity->gate)
        return false;
    const th_entry *target = th_directory_by_id(&runtime->directory, activity->gate);
    return target && target->undelivered > runtime->options.undelivered_max / 2;
}

static bool has_turns(const theater_runtime *runtime, const th_activity *activity)
{
    if (activity->causes.first || activity->overflow)
        return true;
    return activity->clients.first && !th_activity_gate_shut(runtime, activity);
}

void th_activity_set_broken(theater_runtime *runtime, th_activity *activity, const theater_error *error)
{
    th_mutex_lock(&runtime->lock);
    th_entry *entry = activity->entry;
    uint8_t status = entry->status;
    th_route_count_status(runtime, entry, 0);
    activity->broken = error ? *error : (theater_error){0};
    th_route_count_status(runtime, entry, status);
    th_mutex_unlock(&runtime->lock);
}

bool th_activity_can_run(const theater_runtime *runtime, const th_activity *activity)
{
    return activity->entry->status == TH_ACTOR_RUNNING && !activity->broken.status && !runtime->health.status;
}

bool th_activity_runnable(const theater_runtime *runtime, const th_activity *activity)
{
    if (activity->running || activity->wait_number)
        return false;
    if (activity->control.first || activity->queries.first)
        return true;
    /* What cannot run is taken all the same, so that its clients are told. */
    return th_activity_can_run(runtime, activity) ? has_turns(runtime, activity)
                                                  : activity->clients.first != NULL;
}

bool th_activity_queue(theater_runtime *runtime, th_activity *activity)
{
    if (activity->queued || !th_activity_runnable(runtime, activity))
        return false;
    th_activity_set_idle(runtime, activity, false);
    activity->queued = true;
    activity->run_next = NULL;
    if (runtime->run_last)
        runtime->run_last->run_next = activity;
    else
        runtime->run_first = activity;
    runtime->run_last = activity;
    runtime->run_count++;
    return true;
}

void th_activity_schedule(theater_runtime *runtime, th_activity *activity)
{
    if (th_activity_queue(runtime, activity))
        th_wake_worker(runtime);
}

void th_activity_wait_index(theater_runtime *runtime, th_activity *activity, uint64_t number)
{
    if (th_store_covered(runtime->store) >= number)
        return;
    if (!activity->wait_number) {
        activity->wait_next = runtime->waiting_first;
        runtime->waiting_first = activity;
    }
    activity->wait_number = number;
    if (runtime->index_wanted < number) {
        runtime->index_wanted = number;
        if (runtime->indexer)
            th_task_wake(runtime->indexer);
    }
}

void th_activity_index_moved(theater_runtime *runtime)
{
    uint64_t covered = th_store_covered(runtime->store);
    th_activity **link = &runtime->waiting_first;
    while (*link) {
        th_activity *activity = *link;
        if (activity->wait_number > covered) {
            link = &activity->wait_next;
            continue;
        }
        *link = activity->wait_next;
        activity->wait_number = 0;
        th_activity_schedule(runtime, activity);
    }
    th_activity_park_some(runtime);
}

void th_activity_ungate(theater_runtime *runtime, uint64_t target)
{
    th_activity **link = &runtime->gated_first;
    while (*link) {
        th_activity *activity = *link;
        if (activity->gate != target) {
            link = &activity->gated_next;
            continue;
        }
        *link = activity->gated_next;
        activity->gated = false;
        activity->gate = 0;
        th_activity_schedule(runtime, activity);
    }
}

void th_activity_forget_gates(theater_runtime *runtime, th_activity *activity)
{
    th_activity_ungate(runtime, activity->entry->id);
    for (th_activity **link = &runtime->gated_first; *link; link = &(*link)->gated_next) {
        if (*link == activity) {
            *link = activity->gated_next;
            activity->gated = false;
            break;
        }
    }
}

void th_activity_set_idle(theater_runtime *runtime, th_activity *activity, bool idle)
{
    if (activity->idle == idle)
        return;
    activity->idle = idle;
    if (idle) {
        activity->idle_prev = runtime->idle_last;
        activity->idle_next = NULL;
        *(runtime->idle_last ? &runtime->idle_last->idle_next : &runtime->idle_first) = activity;
        runtime->idle_last = activity;
        return;
    }
    *(activity->idle_prev ? &activity->idle_prev->idle_next : &runtime->idle_first) = activity->idle_next;
    *(activity->idle_next ? &activity->idle_next->idle_prev : &runtime->idle_last) = activity->idle_prev;
}

/* Invariant 6: what leaves memory must be in the index, and nobody may wait for it here. */
static bool may_park(const theater_runtime *runtime, const th_activity *activity)
{
    uint64_t covered = th_store_covered(runtime->store);
    return !activity->running && !activity->queued && !activity->wait_number && !activity->gated &&
           !activity->broken.status && !activity->control.first && !activity->clients.first &&
           !activity->queries.first && activity->entry->status != 0 && activity->last_number <= covered &&
           activity->entry->last_routed < covered;
}

static bool too_many_active(const theater_runtime *runtime)
{
    return runtime->active_count > runtime->options.active_actors ||
           runtime->active_bytes > runtime->options.active_bytes;
}

void th_activity_park_some(theater_runtime *runtime)
{
    th_activity *activity = runtime->idle_first;
    for (int looked = 0; activity && looked < PARK_LOOKS && too_many_active(runtime); looked++) {
        th_activity *next = activity->idle_next;
        if (may_park(runtime, activity)) {
            th_entry *entry = activity->entry;
            bool waiting = activity->causes.first || activity->overflow;
            th_activity_free(runtime, activity);
            if (waiting)
                entry->backlog = entry->last_routed + 1;
            runtime->counters.parks++;
        }
        activity = next;
    }
    /* What is idle and cannot leave waits for the index. */
    if (runtime->idle_first && too_many_active(runtime) && runtime->index_wanted < runtime->committed) {
        runtime->index_wanted = runtime->committed;
        if (runtime->indexer)
            th_task_wake(runtime->indexer);
    }
}
