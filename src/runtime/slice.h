/* runtime/slice.h: a slice: some inputs of one actor, run by one worker. */
#ifndef TH_RUNTIME_SLICE_H
#define TH_RUNTIME_SLICE_H

#include "runtime/core.h"

typedef struct th_slice_work {
    th_activity *activity;
    uint64_t epoch;          /* when it was taken */
    th_item *control;        /* then the only one */
    th_item_queue causes, clients, queries;
    bool prefer_clients;     /* which of the two is next */
    uint64_t fuel, answer_bytes; /* of queries, so that a slice ends in time */
    bool refill;             /* the window is empty and more waits in the log */
    uint64_t wait_number;    /* out: nothing can be done before the index covers this many records */
    th_batch *batch; /* NULL: it was not run */
    th_latency *latency;     /* of the worker */
    th_item_queue repeats;   /* client items whose id was known, with the sequence of its element */
    /* client items that no element was made for: answered without waiting for a commit */
    th_item_queue failed;
} th_slice_work;

/* Takes what the slice will run out of the activity's queues, under the lock. */
void th_slice_take(theater_runtime *runtime, th_activity *activity, th_slice_work *ret);
/* Runs it, without the lock. What could not be run stays in the work's queues. */
void th_slice_run(theater_runtime *runtime, th_slice_work *work, th_workspace *workspace);

/* Sets an answer to an error. */
void th_item_set_error(th_item *item, const theater_error *error);
/* Sets an answer to what a turn produced. NO_MEMORY is set in the answer when the output cannot be copied. */
void th_item_set_produced(th_item *item, const th_produced *produced);

#endif
