/* Opening and closing a runtime. */
#include "base/log.h"
#include "chain/checkpoint.h"
#include "port/system.h"
#include "runtime/cache.h"
#include "runtime/core.h"
#include "runtime/slice.h"

#define C_STACK_BYTES ((size_t)1 << 20) /* what the C code of a worker needs beside the engine's stack */

static uint64_t or_default(uint64_t value, uint64_t standard)
{
    return value ? value : standard;
}

static void fill_defaults(theater_runtime *runtime, const th_runtime_config *config)
{
    theater_runtime_options *o = &runtime->options;
    *o = config->options;
    unsigned processors = th_port_processors(runtime->port);
    o->workers = (unsigned)or_default(o->workers, processors);
    if (o->workers > TH_WORKERS_MAX)
        o->workers = TH_WORKERS_MAX;
    o->lock_wait_ms = (uint32_t)or_default(o->lock_wait_ms, 5000);
    o->mailbox_messages = (uint32_t)or_default(o->mailbox_messages, 1024);
    o->inflight_bytes = or_default(o->inflight_bytes, UINT64_C(64) << 20);
    o->active_actors = (uint32_t)or_default(o->active_actors, 10000);
    o->active_bytes = or_default(o->active_bytes, UINT64_C(1) << 30);
    o->snapshot_bytes = or_default(o->snapshot_bytes, UINT64_C(1) << 20);
    o->snapshot_fuel = or_default(o->snapshot_fuel, UINT64_C(500000000));
    runtime->window_items = config->window_items ? config->window_items : TH_WINDOW_ITEMS;
    runtime->slice_items = config->slice_items ? config->slice_items : TH_SLICE_ITEMS;
    runtime->round_bytes = config->round_bytes ? config->round_bytes : TH_SLICE_BYTES;
    o->undelivered_max = or_default(o->undelivered_max, 65536);
}

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = th_alloc(size);
    if (copy)
        memcpy(copy, text, size);
    return copy;
}

static theater_status open_machine(theater_runtime *runtime, const th_runtime_config *config,
                                   theater_error *reterr)
{
    if (config->machine) {
        runtime->machine = *config->machine;
        return THEATER_OK;
    }
    th_engine_options options = {.turns = runtime->options.workers + 1, .keep_resident_bytes = UINT64_MAX};
    theater_status status = th_machine_engine(&options, &runtime->machine, reterr);
    runtime->owns_machine = status == THEATER_OK;
    return status;
}

static theater_status open_store(theater_runtime *runtime, const th_runtime_config *config,
                                 theater_error *reterr)
{
    th_store_options options = {
        .port = runtime->port,
        .folder = runtime->folder,
        .create = true,
        .lock_wait_ms = runtime->options.lock_wait_ms,
        .segment_bytes = config->segment_bytes,
        .index = config->index,
        .ids_max = config->ids_max,
        .ids_age_ns = config->ids_age_ns,
    };
    theater_status status = th_store_open(&options, &runtime->store, reterr);
    if (!status)
        runtime->next_number = runtime->committed = th_store_next_number(runtime->store);
    return status;
}

static theater_status open_loader(theater_runtime *runtime, theater_error *reterr)
{
    th_loader_options options = {
        .machine = &runtime->machine,
        .port = runtime->port,
        .context = runtime,
        .read_binary = th_cache_read_binary,
        .read_compiled = th_cache_read,
        .write_compiled = th_cache_write,
    };
    return th_loader_new(&options, &runtime->loader, reterr);
}

static bool start_waiting(void *context, uint64_t actor)
{
    theater_runtime *runtime = context;
    th_entry *entry = th_directory_by_id(&runtime->directory, actor);
    if (entry && entry->status == TH_ACTOR_RUNNING) {
        th_activity *activity = th_activity_get(runtime, entry);
        if (activity)
            th_activity_schedule(runtime, activity);
    }
    return true;
}

/* Lets the actors go on that have undelivered messages. Before the tasks run. */
static theater_status start_all_waiting(theater_runtime *runtime, theater_error *reterr)
{
    return th_store_list_waiting(runtime->store, start_waiting, runtime, reterr);
}

static theater_status start_tasks(theater_runtime *runtime, theater_error *reterr)
{
    theater_status status =
        th_task_start(runtime->port, "committer", 0, th_committer_step, runtime, &runtime->committer, reterr);
    if (!status)
        status =
            th_task_start(runtime->port, "indexer", 0, th_indexer_step, runtime, &runtime->indexer, reterr);
    for (unsigned i = 0; i < runtime->options.workers && !status; i++) {
        th_worker *worker = &runtime->workers[i];
        worker->runtime = runtime;
        status = th_workspace_new(&worker->workspace, reterr);
        if (status)
            break;
        th_task *task = NULL;
        status = th_task_start(runtime->port, "worker", runtime->machine.stack_bytes + C_STACK_BYTES,
                               th_worker_step, worker, &task, reterr);
        th_mutex_lock(&runtime->lock);
        worker->task = task;
        worker->ended = status != THEATER_OK;
        runtime->worker_count = i + 1;
        th_mutex_unlock(&runtime->lock);
    }
    /* A worker that parked before its task was known here could not be woken. */
    th_mutex_lock(&runtime->lock);
    th_wake_workers(runtime);
    th_mutex_unlock(&runtime->lock);
    return status;
}

theater_status th_runtime_open(const th_runtime_config *config, theater_runtime **ret, theater_error *reterr)
{
    *ret = NULL;
    const theater_runtime_options *options = &config->options;
    const char *origin = options->origin ? options->origin : TH_ORIGIN_DEFAULT;
    if (!th_origin_valid(th_slice_text(origin)))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "\"%s\" is no origin of checkpoints: no spaces, + or control characters", origin);
    theater_runtime *runtime = th_alloc_zero(1, sizeof *runtime);
    if (!runtime)
        return th_fail_memory(reterr, "the runtime");
    runtime->port = config->port;
    th_mutex_init(runtime->port, &runtime->lock);
    th_mutex_init(runtime->port, &runtime->keys_lock);
    th_mutex_init(runtime->port, &runtime->archives_lock);
    th_pool_init(&runtime->pool, runtime->port);
    fill_defaults(runtime, config);
    runtime->origin = copy_text(origin);
    runtime->folder = options->folder ? copy_text(options->folder) : NULL;
    theater_status status = THEATER_OK;
    if (!runtime->origin || (options->folder && !runtime->folder))
        status = th_fail_memory(reterr, "the runtime");
    if (!status)
        status = open_store(runtime, config, reterr);
    if (!status)
        status = open_machine(runtime, config, reterr);
    if (!status)
        status = open_loader(runtime, reterr);
    if (!status)
        status = th_directory_load(runtime, reterr);
    if (!status)
        status = start_all_waiting(runtime, reterr);
    if (!status)
        status = start_tasks(runtime, reterr);
    if (status) {
        theater_runtime_close(runtime);
        return status;
    }
    *ret = runtime;
    return THEATER_OK;
}

theater_status theater_runtime_open(const theater_runtime_options *options, theater_runtime **ret,
                                    theater_error *reterr)
{
    th_runtime_config config = {.options = *options, .port = th_port_system()};
    return th_runtime_open(&config, ret, reterr);
}

/* What was not run is told so; the tasks have ended. */
static void cancel_clients(theater_runtime *runtime)
{
    theater_error error;
    th_fail(&error, THEATER_CANCELLED, "the runtime was closed");
    th_item_queue left = {0};
    th_item_append(&left, &runtime->repeats);
    th_item_append(&left, &runtime->retries);
    for (th_batch *batch = runtime->commit_first; batch;) {
        th_batch *next = batch->next;
        th_item_append(&left, &batch->answers);
        th_batch_free(batch);
        batch = next;
    }
    runtime->commit_first = runtime->commit_last = NULL;
    for (uint64_t id = 0; id < runtime->directory.ids; id++) {
        th_entry *entry = runtime->directory.by_id[id];
        if (!entry || !entry->activity)
            continue;
        th_item_append(&left, &entry->activity->control);
        th_item_append(&left, &entry->activity->queries);
        th_item_append(&left, &entry->activity->clients);
    }
    th_item *item;
    while ((item = th_item_pop(&left))) {
        th_item_set_error(item, &error);
        th_item_complete(runtime, item);
    }
}

/* Sends away those who wait in theater_drain. */
static void close_drains(theater_runtime *runtime)
{
    th_event *gone = NULL;
    th_mutex_lock(&runtime->lock);
    if (runtime->drains && th_event_new(runtime->port, &gone, NULL) == THEATER_OK)
        runtime->drains_gone = gone;
    th_drain_wake(runtime);
    th_mutex_unlock(&runtime->lock);
    if (!gone)
        return;
    (void)th_event_wait(gone, UINT64_MAX);
    /* Who set it has left the lock by now. */
    th_mutex_lock(&runtime->lock);
    runtime->drains_gone = NULL;
    th_mutex_unlock(&runtime->lock);
    th_event_free(gone);
}

void theater_runtime_close(theater_runtime *runtime)
{
    if (!runtime)
        return;
    th_mutex_lock(&runtime->lock);
    runtime->closing = true;
    th_wake_workers(runtime);
    th_mutex_unlock(&runtime->lock);
    close_drains(runtime);
    for (unsigned i = 0; i < runtime->worker_count; i++) {
        th_worker *worker = &runtime->workers[i];
        if (worker->task)
            th_task_join(worker->task);
        else
            worker->ended = true;
        th_workspace_free(worker->workspace);
        while (worker->spares) {
            th_batch *batch = worker->spares;
            worker->spares = batch->next;
            th_batch_free(batch);
        }
    }
    if (runtime->committer) {
        th_task_wake(runtime->committer);
        th_task_join(runtime->committer);
    }
    th_mutex_lock(&runtime->lock);
    runtime->committer_ended = true;
    th_mutex_unlock(&runtime->lock);
    if (runtime->indexer) {
        th_task_wake(runtime->indexer);
        th_task_join(runtime->indexer);
    }
    cancel_clients(runtime);
    th_directory_done(runtime);
    th_loader_free(runtime->loader);
    if (runtime->owns_machine)
        th_machine_done(&runtime->machine);
    th_store_close(runtime->store);
    th_mutex_done(&runtime->lock);
    th_mutex_done(&runtime->keys_lock);
    th_mutex_done(&runtime->archives_lock);
    th_pool_done(&runtime->pool);
    th_free(runtime->folder);
    th_free(runtime->origin);
    th_free(runtime);
}

theater_status theater_runtime_health(theater_runtime *runtime, theater_error *reterr)
{
    th_mutex_lock(&runtime->lock);
    theater_status status = runtime->health.status;
    if (status && reterr)
        *reterr = runtime->health;
    th_mutex_unlock(&runtime->lock);
    return status;
}
