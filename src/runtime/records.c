/* Records that no actor's turn makes: what an import writes. */
#include "runtime/core.h"

typedef struct commit_call {
    th_event *event;
    theater_error error;
} commit_call;

static void record_done(void *context, theater_answer *answer)
{
    commit_call *call = context;
    call->error = answer->error;
    call->error.status = answer->status;
    th_event_set(call->event);
}

uint64_t th_runtime_take_actor_id(theater_runtime *runtime)
{
    th_mutex_lock(&runtime->lock);
    uint64_t id = runtime->next_actor++;
    th_mutex_unlock(&runtime->lock);
    return id;
}

theater_status th_runtime_commit(theater_runtime *runtime, th_batch *take_batch, theater_error *reterr)
{
    commit_call call = {0};
    th_item *item = th_item_new(TH_ITEM_CONTROL, 0);
    theater_status status = item ? th_event_new(runtime->port, &call.event, reterr) : th_fail_memory(reterr, "a commit");
    if (status) {
        th_item_free(item);
        th_batch_free(take_batch);
        return status;
    }
    item->completion = record_done;
    item->context = &call;
    th_item_push(&take_batch->answers, item);
    th_mutex_lock(&runtime->lock);
    if (runtime->closing)
        status = th_fail(reterr, THEATER_CANCELLED, "the runtime is closing");
    else if (runtime->health.status)
        status = th_fail(reterr, THEATER_READ_ONLY, "the runtime is read-only: %s", runtime->health.message);
    if (!status) {
        __atomic_add_fetch(&runtime->client_items, 1, __ATOMIC_RELAXED);
        th_batch_enqueue(runtime, take_batch);
    }
    th_mutex_unlock(&runtime->lock);
    if (status) {
        th_item_free(th_item_pop(&take_batch->answers));
        th_batch_free(take_batch);
    } else if (!th_event_wait(call.event, UINT64_MAX)) {
        status = th_fail(reterr, THEATER_INTERRUPTED, "the machine stopped");
    } else {
        status = call.error.status;
        if (status && reterr)
            *reterr = call.error;
    }
    th_event_free(call.event);
    return status;
}
