/* What operators call: start, stop, resume, remove, upgrade, checkpoint. Each hands a control item to the actor and waits for it. */
#include "actor/manifest.h"
#include "runtime/control.h"
#include "runtime/keys.h"

#define STATE_MAX (UINT64_C(512) << 20)
#define MESSAGE_MAX (UINT64_C(256) << 20)
#define MEMORY_MAX (UINT64_C(4) << 30)

typedef struct call {
    th_event *event;
    theater_error error;
} call;

static void control_done(void *context, theater_answer *answer)
{
    call *waiting = context;
    waiting->error = answer->error;
    waiting->error.status = answer->status;
    th_event_set(waiting->event);
}

static th_item *control_item(th_control *control, call *waiting)
{
    th_item *item = th_item_new(TH_ITEM_CONTROL, 0);
    if (!item)
        return NULL;
    item->control = control;
    item->completion = control_done;
    item->context = waiting;
    return item;
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

static theater_status wait_for(call *waiting, theater_error *reterr)
{
    if (!th_event_wait(waiting->event, UINT64_MAX))
        return th_fail(reterr, THEATER_INTERRUPTED, "the machine stopped");
    if (waiting->error.status && reterr)
        *reterr = waiting->error;
    return waiting->error.status;
}

/* Runs a control item of an actor that exists. */
static theater_status control_actor(theater_runtime *runtime, const char *name, th_control *control, theater_error *reterr)
{
    call waiting = {0};
    theater_status status = th_event_new(runtime->port, &waiting.event, reterr);
    if (status)
        return status;
    th_item *item = control_item(control, &waiting);
    if (!item) {
        th_event_free(waiting.event);
        return th_fail_memory(reterr, "a request");
    }
    th_mutex_lock(&runtime->lock);
    th_entry *entry = th_directory_find(&runtime->directory, th_slice_text(name));
    th_activity *activity = NULL;
    status = check_writable(runtime, reterr);
    if (!status && (!entry || entry->status == 0))
        status = th_fail(reterr, THEATER_NOT_FOUND, "there is no actor %.128s", name);
    if (!status && !(activity = th_activity_get(runtime, entry)))
        status = th_fail_memory(reterr, "an actor");
    if (!status)
        push_control(runtime, activity, item);
    th_mutex_unlock(&runtime->lock);
    if (status)
        th_item_free(item);
    else
        status = wait_for(&waiting, reterr);
    th_event_free(waiting.event);
    return status;
}

/* ---- limits ------------------------------------------------------------------------------------------------------------ */

static theater_status one_limit(const char *name, uint64_t given, uint64_t standard, uint64_t most, uint64_t *ret, theater_error *reterr)
{
    *ret = given ? given : standard;
    if (*ret > most)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "the limit %s is at most %llu, not %llu", name, (unsigned long long)most,
                       (unsigned long long)*ret);
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
        status = one_limit("message", given->message_bytes, standard->message, MESSAGE_MAX, &ret->message, reterr);
    if (!status)
        status = one_limit("effects", given->effects_bytes, standard->effects, MESSAGE_MAX, &ret->effects, reterr);
    return status;
}

/* ---- start ---------------------------------------------------------------------------------------------------------------- */

static theater_status reserve_name(theater_runtime *runtime, th_slice name, th_item *item, theater_error *reterr)
{
    theater_status status = check_writable(runtime, reterr);
    if (!status && th_directory_find(&runtime->directory, name))
        status = th_fail(reterr, THEATER_EXISTS, "actor %.*s exists already: choose another name, or remove it first", (int)name.size,
                         (const char *)name.data);
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

static theater_status start_loaded(theater_runtime *runtime, th_slice name, th_control *control, theater_error *reterr)
{
    call waiting = {0};
    theater_status status = th_event_new(runtime->port, &waiting.event, reterr);
    if (status)
        return status;
    th_item *item = control_item(control, &waiting);
    if (!item) {
        th_event_free(waiting.event);
        return th_fail_memory(reterr, "a request");
    }
    th_mutex_lock(&runtime->lock);
    status = reserve_name(runtime, name, item, reterr);
    th_mutex_unlock(&runtime->lock);
    if (status) {
        th_item_free(item);
    } else {
        status = wait_for(&waiting, reterr);
        if (status)
            release_name(runtime, name);
    }
    th_event_free(waiting.event);
    return status;
}

theater_status theater_actor_start(theater_runtime *runtime, const theater_actor_options *options, theater_hash *ret_genesis,
                                   theater_error *reterr)
{
    th_slice name = th_slice_text(options->name ? options->name : "");
    if (!th_name_valid(name))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "\"%.128s\" is no name: 1 to 128 of a-z 0-9 - _, in labels joined by single dots", (const char *)name.data);
    th_control control = {.kind = TH_CONTROL_GENESIS, .binary = options->component, .config = options->config};
    theater_status status = fill_limits(&options->limits, &control.limits, reterr);
    if (!status && options->config.size > control.limits.message)
        status = th_fail(reterr, THEATER_TOO_LARGE, "the config has %zu bytes and the message limit is %llu", options->config.size,
                         (unsigned long long)control.limits.message);
    /* A name that is taken is said before the component is compiled. */
    th_mutex_lock(&runtime->lock);
    if (!status && th_directory_find(&runtime->directory, name))
        status = th_fail(reterr, THEATER_EXISTS, "actor %.*s exists already: choose another name, or remove it first", (int)name.size,
                         (const char *)name.data);
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

/* ---- the others ------------------------------------------------------------------------------------------------------------- */

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

theater_status theater_actor_upgrade(theater_runtime *runtime, const char *name, const theater_upgrade_options *options,
                                     theater_hash *ret_element, theater_error *reterr)
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

theater_status theater_checkpoint(theater_runtime *runtime, const char *actor, theater_bytes *ret_note, theater_error *reterr)
{
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
