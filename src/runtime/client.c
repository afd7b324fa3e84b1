/* What clients call: send, submit, query, drain. */
#include "runtime/call.h"
#include "runtime/slice.h"
#include "runtime/submissions.h"

typedef struct th_drain_waiter {
    struct th_drain_waiter *next;
    th_event *event;
} th_drain_waiter;

/* ---- taking messages ----------------------------------------------------------------------------------- */

static theater_status check_message(const theater_message *message, theater_error *reterr)
{
    th_slice name = th_slice_text(message->actor ? message->actor : "");
    if (!th_name_valid(name))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "\"%.128s\" is no name of an actor",
                       (const char *)name.data);
    if (message->id.size && !th_id_valid(message->id))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "an idempotency id has 1 to 64 bytes, this one has %zu", message->id.size);
    if (message->principal && !th_principal_valid(th_slice_text(message->principal)))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "a principal is 1 to 128 bytes of UTF-8");
    return THEATER_OK;
}

static th_item *make_item(theater_runtime *runtime, th_item_kind kind, const theater_message *message,
                          theater_completion completion, void *context)
{
    th_slice principal = message->principal ? th_slice_text(message->principal) : (th_slice){0};
    th_slice actor = th_slice_text(message->actor);
    th_item *item = th_pool_item(&runtime->pool, kind,
                                 message->input.size + message->id.size + principal.size + actor.size);
    if (!item)
        return NULL;
    size_t used = 0;
    item->to = th_item_keep(item, &used, actor);
    item->payload = th_item_keep(item, &used, message->input);
    item->principal = th_item_keep(item, &used, principal);
    item->id = th_item_keep(item, &used, message->id);
    item->completion = completion;
    item->context = context;
    return item;
}

/* Puts the item into the actor's mailbox, under the lock. *ret_queued: the actor came into the run queue
 * by it, and a worker is to be woken. */
static theater_status accept_item(theater_runtime *runtime, th_slice name, th_item *item, bool *ret_queued,
                                  theater_error *reterr)
{
    *ret_queued = false;
    if (runtime->closing)
        return th_fail(reterr, THEATER_CANCELLED, "the runtime is closing");
    th_entry *entry = th_directory_living(&runtime->directory, name);
    if (!entry)
        return th_directory_none(&runtime->directory, name, reterr);
    bool query = item->kind == TH_ITEM_QUERY;
    if (!query && runtime->health.status)
        return th_fail(reterr, THEATER_READ_ONLY, "the runtime is read-only: %s", runtime->health.message);
    if (!query && entry->status != TH_ACTOR_RUNNING)
        return th_fail(reterr, THEATER_STOPPED, "actor %s is stopped: `theater resume %s` lets it go on",
                       entry->name, entry->name);
    th_activity *activity = th_activity_get(runtime, entry);
    if (!activity)
        return th_fail_memory(reterr, "an actor");
    th_item_queue *queue = query ? &activity->queries : &activity->clients;
    if (queue->count >= runtime->options.mailbox_messages)
        return th_fail(reterr, THEATER_MAILBOX_FULL, "the mailbox of actor %s is full: %u messages wait",
                       entry->name, runtime->options.mailbox_messages);
    item->from = entry->id;
    th_item_push(queue, item);
    __atomic_add_fetch(&runtime->client_items, 1, __ATOMIC_RELAXED);
    *ret_queued = th_activity_queue(runtime, activity);
    return THEATER_OK;
}

static theater_status submit(theater_runtime *runtime, th_item_kind kind, const theater_message *message,
                             theater_completion completion, void *context, theater_error *reterr)
{
    theater_status status = check_message(message, reterr);
    if (status)
        return status;
    th_item *item = make_item(runtime, kind, message, completion, context);
    if (!item)
        return th_fail_memory(reterr, "a message");
    item->accepted_ns = kind == TH_ITEM_CLIENT ? th_port_monotonic_ns(runtime->port) : 0;
    bool queued;
    th_mutex_lock(&runtime->lock);
    status = accept_item(runtime, th_slice_text(message->actor), item, &queued, reterr);
    if (queued)
        th_wake_worker(runtime);
    th_mutex_unlock(&runtime->lock);
    if (status)
        th_item_free(item);
    return status;
}

theater_status theater_submit(theater_runtime *runtime, const theater_message *message,
                              theater_completion completion, void *context, theater_error *reterr)
{
    return submit(runtime, TH_ITEM_CLIENT, message, completion, context, reterr);
}

theater_status theater_submit_query(theater_runtime *runtime, const theater_message *message,
                                    theater_completion completion, void *context, theater_error *reterr)
{
    return submit(runtime, TH_ITEM_QUERY, message, completion, context, reterr);
}

/* ---- many at once -------------------------------------------------------------------------------------- */

struct th_submissions {
    theater_runtime *runtime;
    th_item_queue items; /* the name of the actor is their `to` */
};

theater_status th_submissions_new(theater_runtime *runtime, th_submissions **ret, theater_error *reterr)
{
    th_submissions *self = th_alloc_zero(1, sizeof *self);
    if (!self)
        return th_fail_memory(reterr, "submissions");
    self->runtime = runtime;
    *ret = self;
    return THEATER_OK;
}

void th_submissions_free(th_submissions *self)
{
    if (!self)
        return;
    th_assert(!self->items.first);
    th_free(self);
}

size_t th_submissions_count(const th_submissions *self)
{
    return self->items.count;
}

theater_status th_submissions_add(th_submissions *self, bool query, const theater_message *message,
                                  theater_completion completion, void *context, theater_error *reterr)
{
    theater_status status = check_message(message, reterr);
    if (status)
        return status;
    th_item_kind kind = query ? TH_ITEM_QUERY : TH_ITEM_CLIENT;
    th_item *item = make_item(self->runtime, kind, message, completion, context);
    if (!item)
        return th_fail_memory(reterr, "a message");
    item->accepted_ns = query ? 0 : th_port_monotonic_ns(self->runtime->port);
    th_item_push(&self->items, item);
    return THEATER_OK;
}

void th_submissions_run(th_submissions *self, void (*refused)(void *context, const theater_error *error))
{
    theater_runtime *runtime = self->runtime;
    th_item_queue items = self->items, not_taken = {0};
    self->items = (th_item_queue){0};
    if (!items.first)
        return;
    unsigned to_wake = 0;
    th_item *item;
    th_mutex_lock(&runtime->lock);
    while ((item = th_item_pop(&items))) {
        bool queued;
        theater_error error;
        if (accept_item(runtime, item->to, item, &queued, &error)) {
            th_item_set_error(item, &error);
            th_item_push(&not_taken, item);
        }
        to_wake += queued;
    }
    /* Last, so that who wakes finds the lock free. And under it: a worker's task lives while it can be
     * held. */
    for (unsigned i = 0; i < runtime->worker_count && i < to_wake; i++)
        th_wake_worker(runtime);
    th_mutex_unlock(&runtime->lock);
    for (item = not_taken.first; item; item = item->next)
        refused(item->context, &item->answer.error);
    th_pool_free_items(&runtime->pool, &not_taken);
}

/* ---- waiting for answers ------------------------------------------------------------------------------- */

static theater_status send_and_wait(theater_runtime *runtime, th_item_kind kind,
                                    const theater_message *message, theater_answer *ret,
                                    theater_error *reterr)
{
    *ret = (theater_answer){0};
    th_call *call;
    theater_status status = th_call_new(runtime, &call, reterr);
    if (!status) {
        status = submit(runtime, kind, message, th_call_answered, call, reterr);
        if (status)
            th_call_free(call);
        else
            status = th_call_wait(call, ret, reterr);
    }
    ret->status = status;
    return status;
}

theater_status theater_send(theater_runtime *runtime, const theater_message *message, theater_answer *ret,
                            theater_error *reterr)
{
    return send_and_wait(runtime, TH_ITEM_CLIENT, message, ret, reterr);
}

theater_status theater_query(theater_runtime *runtime, const theater_message *message, theater_answer *ret,
                             theater_error *reterr)
{
    return send_and_wait(runtime, TH_ITEM_QUERY, message, ret, reterr);
}

/* ---- drain --------------------------------------------------------------------------------------------- */

static bool drained(const theater_runtime *runtime)
{
    return __atomic_load_n(&runtime->client_items, __ATOMIC_ACQUIRE) == 0 && !runtime->running &&
           !runtime->committing && !runtime->commit_first && !runtime->resetting &&
           (runtime->undelivered_running == 0 || runtime->health.status);
}

void th_drain_wake(theater_runtime *runtime)
{
    for (th_drain_waiter *waiter = runtime->drains; waiter; waiter = waiter->next)
        th_event_set(waiter->event);
}

void th_drain_check(theater_runtime *runtime)
{
    if (runtime->drains && drained(runtime))
        th_drain_wake(runtime);
}

theater_status theater_drain(theater_runtime *runtime, uint64_t timeout_ms, theater_error *reterr)
{
    th_drain_waiter waiter = {0};
    theater_status status = th_event_new(runtime->port, &waiter.event, reterr);
    if (status)
        return status;
    th_mutex_lock(&runtime->lock);
    waiter.next = runtime->drains;
    __atomic_store_n(&runtime->drains, &waiter, __ATOMIC_RELEASE);
    th_drain_check(runtime);
    th_mutex_unlock(&runtime->lock);
    uint64_t timeout_ns = timeout_ms > UINT64_MAX / 1000000 ? UINT64_MAX : timeout_ms * 1000000;
    bool done = th_event_wait(waiter.event, timeout_ns);
    th_mutex_lock(&runtime->lock);
    th_drain_waiter **link = &runtime->drains;
    while (*link != &waiter)
        link = &(*link)->next;
    __atomic_store_n(link, waiter.next, __ATOMIC_RELEASE);
    uint64_t left = runtime->undelivered_running;
    bool closing = runtime->closing;
    if (closing && !runtime->drains && runtime->drains_gone)
        th_event_set(runtime->drains_gone);
    th_mutex_unlock(&runtime->lock);
    th_event_free(waiter.event);
    if (closing)
        return th_fail(reterr, THEATER_CANCELLED, "the runtime was closed");
    if (!done)
        return th_fail(reterr, THEATER_TIMEOUT,
                       "%llu messages between actors still wait after %llu ms; they go on later",
                       (unsigned long long)left, (unsigned long long)timeout_ms);
    return THEATER_OK;
}
