/* runtime/subscribe.h: being told of commits.
 *
 * One listener a runtime. It is told only how far the log is durable now; who listens reads from the log
 * what happened, from the record where it stopped the last time. So nothing is queued in here, nothing can
 * be lost or told twice, and a slow listener costs the committer nothing. Without a listener a commit costs
 * one load more. */
#ifndef TH_RUNTIME_SUBSCRIBE_H
#define TH_RUNTIME_SUBSCRIBE_H

#include "theater/runtime.h"

/* Called on the committer's thread after each commit, when the runtime's lock is not held: records below
 * `committed` are durable. Must be short, must not wait, and must not call the runtime. */
typedef void (*th_commit_listener)(void *context, uint64_t committed);

/* Sets the listener, once, before the first message is sent; it is called until the runtime is closed. */
void th_runtime_subscribe(theater_runtime *runtime, th_commit_listener listener, void *context);
/* Records that are durable now. Any thread. */
uint64_t th_runtime_committed(theater_runtime *runtime);

/* Called on a thread of the runtime after it called completions, one or many: who only notes an answer in its
 * completion can here wake, once, who waits for them all. Must be short and must not wait. */
typedef void (*th_answer_listener)(void *context);
/* Sets it, once, before the first message is sent; it is called until the runtime is closed. */
void th_runtime_on_answers(theater_runtime *runtime, th_answer_listener listener, void *context);

#endif
