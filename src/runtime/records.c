/* Records that no actor's turn makes: what an import writes. */
#include "runtime/call.h"

uint64_t th_runtime_take_actor_id(theater_runtime *runtime)
{
    th_mutex_lock(&runtime->lock);
    uint64_t id = runtime->next_actor++;
    th_mutex_unlock(&runtime->lock);
    return id;
}

theater_status th_runtime_wait_index(theater_runtime *runtime, theater_error *reterr)
{
    th_call *call = NULL;
    th_item *item = th_item_new(TH_ITEM_CONTROL, 0);
    theater_status status = item ? th_call_new(runtime, &call, reterr) : th_fail_memory(reterr, "a call");
    if (status) {
        th_item_free(item);
        return status;
    }
    item->completion = th_call_answered;
    item->context = call;
    th_mutex_lock(&runtime->lock);
    item->key.number = runtime->index_wanted = runtime->next_number;
    __atomic_add_fetch(&runtime->client_items, 1, __ATOMIC_RELAXED);
    th_item_push(&runtime->repeats, item);
    th_mutex_unlock(&runtime->lock);
    th_task_wake(runtime->indexer);
    theater_answer answer;
    status = th_call_wait(call, &answer, reterr);
    theater_answer_done(&answer);
    return status;
}

theater_status th_runtime_commit(theater_runtime *runtime, th_batch *take_batch, theater_error *reterr)
{
    th_call *call = NULL;
    th_item *item = th_item_new(TH_ITEM_CONTROL, 0);
    theater_status status = item ? th_call_new(runtime, &call, reterr) : th_fail_memory(reterr, "a commit");
    if (status) {
        th_item_free(item);
        th_batch_free(take_batch);
        return status;
    }
    item->completion = th_call_answered;
    item->context = call;
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
        th_call_free(call);
        return status;
    }
    theater_answer answer;
    status = th_call_wait(call, &answer, reterr);
    theater_answer_done(&answer);
    return status;
}
