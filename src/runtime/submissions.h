/* runtime/submissions.h: messages that go in together.
 *
 * An event loop reads many requests in one round. Submitted one by one, each takes the runtime's lock, and
 * the first wakes a worker, which then stands in the way of the others at that lock and finds one message to
 * run. Collected, and handed over when the round is at its end, they cost one lock and one waking, and a
 * slice finds them all.
 *
 * One thread at a time; the order is kept. */
#ifndef TH_RUNTIME_SUBMISSIONS_H
#define TH_RUNTIME_SUBMISSIONS_H

#include "theater/runtime.h"

typedef struct th_submissions th_submissions;

THEATER_CHECKED theater_status th_submissions_new(theater_runtime *runtime, th_submissions **ret,
                                                  theater_error *reterr);
void th_submissions_free(th_submissions *submissions); /* accepts NULL; must be empty */
/* As theater_submit, or theater_submit_query, up to where the message would go into a mailbox. Returns OK:
 * either the completion or `refused` of th_submissions_run will be called with the context, exactly once. */
THEATER_CHECKED theater_status th_submissions_add(th_submissions *submissions, bool query,
                                                  const theater_message *message,
                                                  theater_completion completion, void *context,
                                                  theater_error *reterr);
size_t th_submissions_count(const th_submissions *submissions);
/* Puts all that was added into the mailboxes. `refused` is called, on this thread and without a lock, for
 * each that theater_submit would have refused; it may add more, which wait for the next time. */
void th_submissions_run(th_submissions *submissions,
                        void (*refused)(void *context, const theater_error *error));

#endif
