#include "runtime/subscribe.h"

#include "runtime/core.h"

void th_runtime_subscribe(theater_runtime *runtime, th_commit_listener listener, void *context)
{
    runtime->listener_context = context;
    /* Release: the committer that sees the listener sees its context too. */
    __atomic_store_n(&runtime->listener, listener, __ATOMIC_RELEASE);
}

uint64_t th_runtime_committed(theater_runtime *runtime)
{
    th_mutex_lock(&runtime->lock);
    uint64_t committed = runtime->committed;
    th_mutex_unlock(&runtime->lock);
    return committed;
}

void th_subscribe_tell(theater_runtime *runtime, uint64_t committed)
{
    th_commit_listener listener = __atomic_load_n(&runtime->listener, __ATOMIC_ACQUIRE);
    if (listener)
        listener(runtime->listener_context, committed);
}

void th_runtime_on_answers(theater_runtime *runtime, th_answer_listener listener, void *context)
{
    runtime->answer_context = context;
    __atomic_store_n(&runtime->answer_listener, listener, __ATOMIC_RELEASE);
}

void th_subscribe_answered(theater_runtime *runtime)
{
    th_answer_listener listener = __atomic_load_n(&runtime->answer_listener, __ATOMIC_ACQUIRE);
    if (listener)
        listener(runtime->answer_context);
}
