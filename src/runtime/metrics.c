/* Figures: what the counters and the stage clocks say. */
#include "runtime/core.h"

static uint64_t thread_clock(void *context)
{
    return th_port_thread_cpu_ns(context);
}

static void merge_latency(theater_metrics *to, const th_latency *from)
{
    th_histogram_merge(&to->queue, &from->queue);
    th_histogram_merge(&to->turn, &from->turn);
    th_histogram_merge(&to->commit, &from->commit);
    th_histogram_merge(&to->answer, &from->answer);
}

void theater_runtime_metrics(theater_runtime *runtime, theater_metrics *ret)
{
    *ret = (theater_metrics){0};
    th_mutex_lock(&runtime->lock);
    const th_counters *counters = &runtime->counters;
    ret->turns = counters->turns;
    ret->rejections = counters->rejections;
    ret->queries = counters->queries;
    ret->fuel = counters->fuel;
    memcpy(ret->rejections_by_code, counters->rejections_by_code, sizeof ret->rejections_by_code);
    ret->commits = counters->commits;
    ret->commit_records = counters->commit_records;
    ret->commit_bytes = counters->commit_bytes;
    ret->commit_ns = counters->commit_ns;
    ret->activations = counters->activations;
    ret->parks = counters->parks;
    ret->instance_hits = counters->instance_hits;
    ret->inflight_bytes = runtime->inflight_bytes;
    ret->actor_messages = runtime->undelivered_running;
    ret->client_messages = __atomic_load_n(&runtime->client_items, __ATOMIC_RELAXED);
    ret->snapshots = counters->snapshots;
    ret->actors = runtime->directory.count;
    ret->active_actors = runtime->active_count;
    ret->active_bytes = runtime->active_bytes;
    ret->waiting_messages = ret->actor_messages + ret->client_messages;
    ret->log_records = runtime->committed;
    ret->log_bytes = th_store_log_bytes(runtime->store);
    ret->indexed_records = th_store_covered(runtime->store);
    for (unsigned i = 0; i < runtime->worker_count; i++) {
        const th_stage_times *times = &runtime->workers[i].times;
        ret->measured_turns += times->turns;
        ret->begin_ns += times->begin_ns;
        ret->call_ns += times->call_ns;
        ret->end_ns += times->end_ns;
        ret->hash_ns += times->hash_ns;
        ret->encode_ns += times->encode_ns;
    }
    th_mutex_unlock(&runtime->lock);
    merge_latency(ret, &runtime->latency);
    for (unsigned i = 0; i < runtime->worker_count; i++)
        merge_latency(ret, &runtime->workers[i].latency);
    th_loader_counts components = th_loader_count(runtime->loader);
    ret->component_hits = components.hits;
    ret->component_loads = components.loads;
    ret->component_compiles = components.compiles;
    ret->replayed_turns = __atomic_load_n(&runtime->replayed_turns, __ATOMIC_RELAXED);
}

void theater_runtime_measure(theater_runtime *runtime, bool on)
{
    __atomic_store_n(&runtime->measure, on, __ATOMIC_RELAXED);
}

void th_worker_measure(th_worker *worker)
{
    bool on = __atomic_load_n(&worker->runtime->measure, __ATOMIC_RELAXED);
    if (on != worker->measures)
        th_workspace_measure(worker->workspace, on ? thread_clock : NULL, worker->runtime->port);
    worker->measures = on;
}
