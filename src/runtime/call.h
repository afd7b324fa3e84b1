/* runtime/call.h: a caller that waits for the answer of one item.
 *
 * In a simulation that crashed the caller leaves without an answer, and the item is completed later, when
 * the runtime is closed: whoever of the two comes last frees the call. */
#ifndef TH_RUNTIME_CALL_H
#define TH_RUNTIME_CALL_H

#include "runtime/core.h"

typedef struct th_call th_call;

THEATER_CHECKED theater_status th_call_new(theater_runtime *runtime, th_call **ret, theater_error *reterr);
/* Gives it back without waiting: no item refers to it. */
void th_call_free(th_call *call);
/* Completion of the item; its context is the call. */
void th_call_answered(void *call, theater_answer *answer);
/* Waits, frees the call, and gives the answer (theater_answer_done) and its status. INTERRUPTED: the
 * simulated machine stopped. `reterr` holds the words of an answer that is an error. */
theater_status th_call_wait(th_call *take_call, theater_answer *ret, theater_error *reterr);

#endif
