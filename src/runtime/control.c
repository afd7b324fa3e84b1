/* What is done with an actor as a whole: each is an item that a worker runs between the actor's turns, so
 * it has its place in their order. */
#include "runtime/control.h"

#include "runtime/keys.h"

static theater_status need_instance(theater_runtime *runtime, th_activity *activity, th_workspace *workspace,
                                    uint64_t *ret_wait, theater_error *reterr)
{
    if (activity->instance)
        return THEATER_OK;
    if (th_store_covered(runtime->store) < activity->last_number) {
        *ret_wait = activity->last_number;
        return THEATER_OK;
    }
    return th_load_instance(runtime, activity, workspace, reterr);
}

static theater_status add_component(theater_runtime *runtime, th_batch *batch, const th_hash *hash,
                                    theater_slice binary, theater_error *reterr)
{
    if (binary.size == 0 || th_store_has_component(runtime->store, hash))
        return THEATER_OK;
    th_record record = {.kind = TH_RECORD_COMPONENT};
    record.component.hash = *hash;
    record.component.binary = binary;
    return th_batch_add(batch, &record, reterr);
}

static theater_status add_life(theater_runtime *runtime, th_batch *batch, const th_entry *entry, th_life life,
                               theater_error *reterr)
{
    th_record record = {.kind = TH_RECORD_LIFE, .actor = entry->id};
    record.life.life = life;
    record.life.time_ns = th_port_wall_ns(runtime->port);
    if (life == TH_LIFE_STARTED)
        record.life.name = th_slice_of(entry->name, entry->name_size);
    theater_status status = th_batch_add(batch, &record, reterr);
    if (!status)
        batch->life = life;
    return status;
}

static theater_status run_genesis(theater_runtime *runtime, th_activity *activity, th_control *control,
                                  th_batch *batch, th_workspace *workspace, theater_error *reterr)
{
    const th_entry *entry = activity->entry;
    th_descriptor descriptor = {
        .name = th_slice_of(entry->name, entry->name_size),
        .component = *th_loaded_hash(control->component),
        .config = control->config,
        .limits = control->limits,
        .engine = th_slice_text(runtime->machine.name),
    };
    th_produced produced;
    theater_status status = th_instance_genesis(&runtime->machine, th_loaded_component(control->component),
                                                &descriptor, th_port_wall_ns(runtime->port), workspace,
                                                &activity->instance, &produced, reterr);
    if (!status)
        status = add_component(runtime, batch, &descriptor.component, control->binary, reterr);
    if (!status)
        status = add_life(runtime, batch, entry, TH_LIFE_STARTED, reterr);
    if (!status)
        status = th_slice_add_produced(runtime, activity, batch, &produced, NULL, reterr);
    if (status) {
        th_instance_free(activity->instance);
        activity->instance = NULL;
        return status;
    }
    activity->component = control->component;
    control->component = NULL;
    control->element = produced.hash;
    batch->counted.fuel += produced.fuel;
    return THEATER_OK;
}

static theater_status run_upgrade(theater_runtime *runtime, th_activity *activity, th_control *control,
                                  th_batch *batch, th_workspace *workspace, theater_error *reterr)
{
    const th_descriptor *now = th_instance_descriptor(activity->instance);
    th_loaded *component = control->component ? control->component : activity->component;
    th_descriptor descriptor = {
        .name = now->name,
        .component = *th_loaded_hash(component),
        .config = control->keep_config ? now->config : control->config,
        .limits = control->keep_limits ? now->limits : control->limits,
        .engine = th_slice_text(runtime->machine.name),
    };
    th_produced produced;
    theater_status status =
        th_instance_upgrade(activity->instance, th_loaded_component(component), &descriptor,
                            th_port_wall_ns(runtime->port), workspace, &produced, reterr);
    if (status)
        return status;
    if (control->component) {
        th_loaded_unref(activity->component);
        activity->component = control->component;
        control->component = NULL;
    }
    status = add_component(runtime, batch, th_loaded_hash(activity->component), control->binary, reterr);
    if (!status)
        status = th_slice_add_produced(runtime, activity, batch, &produced, NULL, reterr);
    /* With a snapshot here no recovery has to run turns of an older descriptor. */
    if (!status)
        status = th_slice_add_snapshot(runtime, activity, batch, reterr);
    if (status) {
        th_activity_drop_instance(activity);
        return status;
    }
    control->element = produced.hash;
    batch->counted.fuel += produced.fuel;
    th_activity_set_broken(runtime, activity, NULL);
    return THEATER_OK;
}

static theater_status run_checkpoint(theater_runtime *runtime, th_activity *activity, th_control *control,
                                     th_batch *batch, theater_error *reterr)
{
    const th_log_tree *tree = th_instance_tree(activity->instance);
    th_hash head;
    theater_status status =
        th_checkpoint_make(runtime, activity->entry, tree, &head, &control->note, &control->genesis, reterr);
    if (status)
        return status;
    control->size = tree->size;
    th_record record = {.kind = TH_RECORD_CHECKPOINT, .actor = activity->entry->id};
    record.checkpoint.size = tree->size;
    record.checkpoint.head = head;
    record.checkpoint.note = th_buf_slice(&control->note);
    return th_batch_add(batch, &record, reterr);
}

/* ---- removal ------------------------------------------------------------------------------------------- */

typedef struct removal {
    theater_runtime *runtime;
    th_entry *entry;
    th_item_queue notices;
    bool no_memory;
} removal;

static bool notice_one(void *context, const th_undelivered *waiting)
{
    removal *removing = context;
    const th_entry *entry = removing->entry;
    if (waiting->kind != TH_MESSAGE || waiting->request == 0 || waiting->from == entry->id ||
        !th_directory_by_id(&removing->runtime->directory, waiting->from))
        return true;
    th_item *item = th_item_new(TH_ITEM_CAUSE, entry->name_size);
    removing->no_memory = !item;
    if (!item)
        return false;
    size_t used = 0;
    item->payload = th_slice_text("removed");
    item->cause = (th_cause){.kind = TH_CAUSE_UNDELIVERED,
                             .actor = th_item_keep(item, &used, th_slice_of(entry->name, entry->name_size)),
                             .request = waiting->request};
    item->key.index = (uint32_t)removing->notices.count;
    item->route_to = waiting->from;
    th_item_push(&removing->notices, item);
    return true;
}

/* Everything happens at one place in the order of the log: the record, the notices to those who wait for an
 * answer, the end of the name. So the undelivered messages are read under the lock, when the index covers
 * all of them; removals are rare, and this is the only I/O under it. */
static theater_status remove_locked(theater_runtime *runtime, th_activity *activity, th_batch *batch,
                                    theater_error *reterr)
{
    th_entry *entry = activity->entry;
    removal removing = {.runtime = runtime, .entry = entry};
    theater_status status =
        th_store_list_undelivered(runtime->store, entry->id, NULL, notice_one, &removing, reterr);
    if (!status && removing.no_memory)
        status = th_fail_memory(reterr, "the notices of a removal");
    if (!status)
        status = add_life(runtime, batch, entry, TH_LIFE_REMOVED, reterr);
    th_item *item;
    if (status) {
        while ((item = th_item_pop(&removing.notices)))
            th_item_free(item);
        return status;
    }
    th_route_count_status(runtime, entry, TH_ACTOR_REMOVED);
    th_directory_retire(&runtime->directory, entry);
    th_activity_forget_gates(runtime, activity);
    while ((item = th_item_pop(&removing.notices))) {
        item->key.number = runtime->next_number + batch->record_count - 1;
        th_route_reply(runtime, item);
    }
    return THEATER_OK;
}

static void unquiesce(theater_runtime *runtime)
{
    runtime->quiesce = NULL;
    th_wake_workers(runtime);
}

/* The batch must enter the queue under the same lock, or a record could come between: so this enqueues a
 * batch of its own. */
static theater_status run_remove(theater_runtime *runtime, th_activity *activity, th_item *item,
                                 uint64_t *ret_wait, theater_error *reterr)
{
    th_batch *batch = th_batch_new();
    if (!batch)
        return th_fail_memory(reterr, "a removal");
    th_mutex_lock(&runtime->lock);
    const th_entry *entry = activity->entry;
    uint64_t need =
        activity->last_number > entry->last_routed + 1 ? activity->last_number : entry->last_routed + 1;
    bool discarded = runtime->resetting;
    bool wait = !discarded && (activity->last_number || entry->undelivered) &&
                th_store_covered(runtime->store) < need;
    theater_status status = THEATER_OK;
    /* Senders that go on may keep the need ahead of the index: after some rounds nothing else is taken up
     * until this is done. */
    if (wait && ++item->control->rounds > 2)
        runtime->quiesce = activity;
    else if (!wait && runtime->quiesce == activity)
        unquiesce(runtime);
    if (discarded)
        status = th_fail(reterr, runtime->health.status, "%s", runtime->health.message);
    else if (wait)
        *ret_wait = need;
    else
        status = remove_locked(runtime, activity, batch, reterr);
    if (!wait && !status) {
        th_item_push(&batch->answers, item);
        th_batch_enqueue(runtime, batch);
        batch = NULL;
    }
    th_mutex_unlock(&runtime->lock);
    if (batch)
        th_batch_free(batch);
    return status;
}

/* ---- all of them --------------------------------------------------------------------------------------- */

static theater_status run_one(theater_runtime *runtime, th_activity *activity, th_control *control,
                              th_batch *batch, th_workspace *workspace, uint64_t *ret_wait,
                              theater_error *reterr)
{
    th_entry *entry = activity->entry;
    theater_status status = THEATER_OK;
    switch (control->kind) {
    case TH_CONTROL_GENESIS:
        return run_genesis(runtime, activity, control, batch, workspace, reterr);
    case TH_CONTROL_STOP:
        return entry->status == TH_ACTOR_STOPPED ? THEATER_OK
                                                 : add_life(runtime, batch, entry, TH_LIFE_STOPPED, reterr);
    case TH_CONTROL_RESUME:
        if (activity->broken.status)
            th_activity_set_broken(runtime, activity, NULL);
        return entry->status == TH_ACTOR_RUNNING ? THEATER_OK
                                                 : add_life(runtime, batch, entry, TH_LIFE_RESUMED, reterr);
    case TH_CONTROL_UPGRADE:
    case TH_CONTROL_CHECKPOINT:
        status = need_instance(runtime, activity, workspace, ret_wait, reterr);
        /* A chain of another engine can be taken over, and signed as it is. */
        if (status && !activity->instance)
            return status;
        /* A checkpoint names the genesis, which the index knows. */
        if (control->kind == TH_CONTROL_CHECKPOINT &&
            th_store_covered(runtime->store) < activity->last_number)
            *ret_wait = activity->last_number;
        if (*ret_wait)
            return THEATER_OK;
        return control->kind == TH_CONTROL_UPGRADE
                   ? run_upgrade(runtime, activity, control, batch, workspace, reterr)
                   : run_checkpoint(runtime, activity, control, batch, reterr);
    case TH_CONTROL_REMOVE:
        break;
    }
    return THEATER_OK;
}

bool th_control_run(theater_runtime *runtime, th_activity *activity, th_item *item, th_batch *batch,
                    th_workspace *workspace, uint64_t *ret_wait)
{
    theater_error error = {0};
    *ret_wait = 0;
    theater_status status;
    if (item->control->kind == TH_CONTROL_REMOVE) {
        status = run_remove(runtime, activity, item, ret_wait, &error);
        if (!status)
            return *ret_wait == 0;
    } else {
        status = run_one(runtime, activity, item->control, batch, workspace, ret_wait, &error);
        if (*ret_wait)
            return false;
    }
    if (status) {
        /* Nothing of a control item that failed is recorded. */
        th_batch_clear(batch);
        batch->entry = activity->entry;
        th_item_set_error(item, &error);
    }
    th_item_push(&batch->answers, item);
    return true;
}
