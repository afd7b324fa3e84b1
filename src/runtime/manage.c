/* What operators call: start, stop, resume, remove, upgrade, checkpoint. Each hands a control item to the
 * actor and waits for it. */
#include "actor/manifest.h"
#include "runtime/call.h"
#include "runtime/control.h"
#include "runtime/keys.h"

#define STATE_MAX (UINT64_C(512) << 20)
#define MESSAGE_MAX (UINT64_C(64) << 20) /* so that a turn and a snapshot fit into one batch */
#define MEMORY_MAX (UINT64_C(4) << 30)

/* An item for `control`, and the call that waits for it. */
static theater_status control_item(theater_runtime *runtime, th_control *control, th_item **ret,
                                   th_call **ret_call, theater_error *reterr)
{
    theater_status status = th_call_new(runtime, ret_call, reterr);
    if (status)
        return status;
    th_item *item = th_item_new(TH_ITEM_CONTROL, 0);
    if (!item) {
        th_call_free(*ret_call);
        return th_fail_memory(reterr, "a request");
    }
    item->control = control;
    item->completion = th_call_answered;
    item->context = *ret_call;
    *ret = item;
    return THEATER_OK;
}

/* The item was handed over when `status` is OK: waits for it; otherwise gives both back. */
static theater_status control_wait(theater_status status, th_item *item, th_call *call, theater_error *reterr)
{
    if (status) {
        th_item_free(item);
        th_call_free(call);
        return status;
    }
    theater_answer answer;
    status = th_call_wait(call, &answer, reterr);
    theater_answer_done(&answer);
    return status;
}

/* Under the lock. */
static void push_control(theater_runtime *runtime, th_activity *activity, th_item *item)
{
    th_item_push(&activity->control, item);
    __atomic_add_fetch(&runtime->client_items, 1, __ATOMIC_RELAXED);
    th_activity_schedule(runtime, activity);
}

static theater_status check_writable(const theater_runtime *runtime, theater_error *reterr)
{
    if (runtime->closing)
        return th_fail(reterr, THEATER_CANCELLED, "the runtime is closing");
    if (runtime->health.status)
        return th_fail(reterr, THEATER_READ_ONLY, "the runtime is read-only: %s", runtime->health.message);
    return THEATER_OK;
}

/* Runs a control item of an actor that exists. */
static theater_status control_actor(theater_runtime *runtime, const char *name, th_control *control,
                                    theater_error *reterr)
{
    th_item *item;
    th_call *call;
    theater_status status = control_item(runtime, control, &item, &call, reterr);
    if (status)
        return status;
    th_mutex_lock(&runtime->lock);
    th_entry *entry = th_directory_living(&runtime->directory, th_slice_text(name));
    th_activity *activity = NULL;
    status = check_writable(runtime, reterr);
    if (!status && !entry)
        status = th_directory_none(&runtime->directory, th_slice_text(name), reterr);
    if (!status && !(activity = th_activity_get(runtime, entry)))
        status = th_fail_memory(reterr, "an actor");
    if (!status)
        push_control(runtime, activity, item);
    th_mutex_unlock(&runtime->lock);
    return control_wait(status, item, call, reterr);
}

/* ---- limits -------------------------------------------------------------------------------------------- */

static theater_status one_limit(const char *name, uint64_t given, uint64_t standard, uint64_t most,
                                uint64_t *ret, theater_error *reterr)
{
    *ret = given ? given : standard;
    if (*ret > most)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "the limit %s is at most %llu, not %llu", name,
                       (unsigned long long)most, (unsigned long long)*ret);
    return THEATER_OK;
}

static theater_status fill_limits(const theater_limits *given, th_limits *ret, theater_error *reterr)
{
    const th_limits *standard = &th_limits_default;
    /* A turn must fit into one commit of the log. */
    theater_status status = one_limit("fuel", given->fuel, standard->fuel, INT64_MAX, &ret->fuel, reterr);
    if (!status)
        status = one_limit("memory", given->memory_bytes, standard->memory, MEMORY_MAX, &ret->memory, reterr);
    if (!status)
        status = one_limit("state", given->state_bytes, standard->state, STATE_MAX, &ret->state, reterr);
    if (!status)
        status =
            one_limit("message", given->message_bytes, standard->message, MESSAGE_MAX, &ret->message, reterr);
    if (!status)
        status =
            one_limit("effects", given->effects_bytes, standard->effects, MESSAGE_MAX, &ret->effects, reterr);
    return status;
}

/* ---- start --------------------------------------------------------------------------------------------- */

/* A name is used once in a data folder, because causes on the chains name actors by it. Under the lock. */
static theater_status check_name_free(const theater_runtime *runtime, th_slice name, theater_error *reterr)
{
    const th_entry *entry = th_directory_find(&runtime->directory, name);
    if (!entry)
        return THEATER_OK;
    if (entry->status == TH_ACTOR_REMOVED)
        return th_fail(reterr, THEATER_EXISTS,
                       "an actor named %s was removed, and its chain keeps the name: choose another",
                       entry->name);
    return th_fail(reterr, THEATER_EXISTS, "actor %s exists already: choose another name", entry->name);
}

static theater_status reserve_name(theater_runtime *runtime, th_slice name, th_item *item,
                                   theater_error *reterr)
{
    theater_status status = check_writable(runtime, reterr);
    if (!status)
        status = check_name_free(runtime, name, reterr);
    th_entry *entry = NULL;
    if (!status)
        status = th_directory_add(&runtime->directory, name, runtime->next_actor, &entry, reterr);
    if (status)
        return status;
    th_activity *activity = th_activity_get(runtime, entry);
    if (!activity) {
        th_directory_detach(&runtime->directory, entry);
        th_free(entry);
        return th_fail_memory(reterr, "an actor");
    }
    runtime->next_actor++;
    push_control(runtime, activity, item);
    return THEATER_OK;
}

/* The actor did not come to be: its entry goes. After a reset it is gone already. */
static void release_name(theater_runtime *runtime, th_slice name)
{
    th_mutex_lock(&runtime->lock);
    th_entry *entry = th_directory_find(&runtime->directory, name);
    if (entry && entry->status == 0 && !entry->activity->running && !entry->activity->queued) {
        th_directory_detach(&runtime->directory, entry);
        th_activity_free(runtime, entry->activity);
        th_free(entry);
    }
    th_mutex_unlock(&runtime->lock);
}

static theater_status start_loaded(theater_runtime *runtime, th_slice name, th_control *control,
                                   theater_error *reterr)
{
    th_item *item;
    th_call *call;
    theater_status status = control_item(runtime, control, &item, &call, reterr);
    if (status)
        return status;
    th_mutex_lock(&runtime->lock);
    status = reserve_name(runtime, name, item, reterr);
    th_mutex_unlock(&runtime->lock);
    bool reserved = status == THEATER_OK;
    status = control_wait(status, item, call, reterr);
    /* When the runtime is closed the entry goes with it, and it may be gone already. */
    if (reserved && status && status != THEATER_CANCELLED && status != THEATER_INTERRUPTED)
        release_name(runtime, name);
    return status;
}

theater_status theater_actor_start(theater_runtime *runtime, const theater_actor_options *options,
                                   theater_hash *ret_genesis, theater_error *reterr)
{
    th_slice name = th_slice_text(options->name ? options->name : "");
    if (!th_name_valid(name))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "\"%.128s\" is no name: 1 to 128 of a-z 0-9 - _, in labels joined by single dots",
                       (const char *)name.data);
    th_control control = {
        .kind = TH_CONTROL_GENESIS, .binary = options->component, .config = options->config};
    theater_status status = fill_limits(&options->limits, &control.limits, reterr);
    if (!status && options->config.size > control.limits.message)
        status = th_fail(reterr, THEATER_TOO_LARGE, "the config has %zu bytes and the message limit is %llu",
                         options->config.size, (unsigned long long)control.limits.message);
    /* A name that is taken is said before the component is compiled. */
    th_mutex_lock(&runtime->lock);
    if (!status)
        status = check_name_free(runtime, name, reterr);
    th_mutex_unlock(&runtime->lock);
    if (!status)
        status = th_loader_add(runtime->loader, options->component, &control.component, reterr);
    if (status)
        return status;
    status = start_loaded(runtime, name, &control, reterr);
    th_loaded_unref(control.component);
    if (!status && ret_genesis)
        *ret_genesis = control.element;
    return status;
}

/* ---- the others ---------------------------------------------------------------------------------------- */

theater_status theater_actor_stop(theater_runtime *runtime, const char *name, theater_error *reterr)
{
    return control_actor(runtime, name, &(th_control){.kind = TH_CONTROL_STOP}, reterr);
}

theater_status theater_actor_resume(theater_runtime *runtime, const char *name, theater_error *reterr)
{
    return control_actor(runtime, name, &(th_control){.kind = TH_CONTROL_RESUME}, reterr);
}

theater_status theater_actor_remove(theater_runtime *runtime, const char *name, theater_error *reterr)
{
    return control_actor(runtime, name, &(th_control){.kind = TH_CONTROL_REMOVE}, reterr);
}

theater_status theater_actor_upgrade(theater_runtime *runtime, const char *name,
                                     const theater_upgrade_options *options, theater_hash *ret_element,
                                     theater_error *reterr)
{
    th_control control = {
        .kind = TH_CONTROL_UPGRADE,
        .binary = options->component,
        .config = options->config,
        .keep_config = options->keep_config,
        .keep_limits = options->keep_limits,
    };
    theater_status status = fill_limits(&options->limits, &control.limits, reterr);
    if (!status && options->component.size)
        status = th_loader_add(runtime->loader, options->component, &control.component, reterr);
    if (status)
        return status;
    status = control_actor(runtime, name, &control, reterr);
    th_loaded_unref(control.component);
    if (!status && ret_element)
        *ret_element = control.element;
    return status;
}

theater_status theater_checkpoint(theater_runtime *runtime, const char *actor, theater_bytes *ret_note,
                                  theater_error *reterr)
{
    if (!runtime->folder)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "a runtime in memory has no key to sign with");
    th_control control = {.kind = TH_CONTROL_CHECKPOINT};
    th_buf_init(&control.note, TH_NOTE_MAX);
    theater_status status = control_actor(runtime, actor, &control, reterr);
    if (!status)
        status = th_checkpoint_note_signed(runtime, &control.genesis, control.size, reterr);
    if (!status)
        *ret_note = th_buf_take(&control.note);
    th_buf_done(&control.note);
    return status;
}
