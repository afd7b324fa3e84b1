#include "runtime/call.h"

struct th_call {
    theater_runtime *runtime;
    th_event *event;
    theater_answer answer;
    bool left, answered; /* the caller has left, the answer is there; under the runtime's lock */
};

theater_status th_call_new(theater_runtime *runtime, th_call **ret, theater_error *reterr)
{
    th_call *call = th_alloc_zero(1, sizeof *call);
    if (!call)
        return th_fail_memory(reterr, "a call");
    call->runtime = runtime;
    theater_status status = th_event_new(runtime->port, &call->event, reterr);
    if (status) {
        th_free(call);
        return status;
    }
    *ret = call;
    return THEATER_OK;
}

void th_call_free(th_call *call)
{
    th_event_free(call->event);
    theater_answer_done(&call->answer);
    th_free(call);
}

void th_call_answered(void *context, theater_answer *answer)
{
    th_call *call = context;
    call->answer = *answer;
    *answer = (theater_answer){0};
    th_mutex_lock(&call->runtime->lock);
    bool left = call->left;
    call->answered = true;
    th_mutex_unlock(&call->runtime->lock);
    if (left)
        th_call_free(call);
    else
        th_event_set(call->event);
}

theater_status th_call_wait(th_call *take_call, theater_answer *ret, theater_error *reterr)
{
    th_call *call = take_call;
    *ret = (theater_answer){0};
    if (!th_event_wait(call->event, UINT64_MAX)) {
        th_mutex_lock(&call->runtime->lock);
        bool answered = call->answered;
        call->left = true;
        th_mutex_unlock(&call->runtime->lock);
        if (answered)
            th_call_free(call);
        ret->status = th_fail(reterr, THEATER_INTERRUPTED, "the machine stopped");
        return ret->status;
    }
    *ret = call->answer;
    call->answer = (theater_answer){0};
    th_call_free(call);
    theater_status status = ret->status;
    if (status == THEATER_REJECTED)
        th_fail(reterr, status, "%.*s", (int)(ret->output.size < 1000 ? ret->output.size : 1000),
                ret->output.data ? (const char *)ret->output.data : "");
    else if (status && reterr)
        *reterr = ret->error;
    return status;
}
