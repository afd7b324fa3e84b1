/* runtime/control.h: what is done with an actor as a whole, in its own turn order. */
#ifndef TH_RUNTIME_CONTROL_H
#define TH_RUNTIME_CONTROL_H

#include "runtime/core.h"
#include "runtime/slice.h"

typedef enum th_control_kind {
    TH_CONTROL_GENESIS,
    TH_CONTROL_UPGRADE,
    TH_CONTROL_STOP,
    TH_CONTROL_RESUME,
    TH_CONTROL_REMOVE,
    TH_CONTROL_CHECKPOINT,
} th_control_kind;

/* On the caller's stack: the caller waits until the item is completed. */
typedef struct th_control {
    th_control_kind kind;
    theater_slice binary;     /* GENESIS, UPGRADE: of a component that may not be in the log yet */
    /* GENESIS, UPGRADE: taken over by the worker when it succeeds; NULL in an upgrade that keeps it */
    th_loaded *component;
    theater_slice config;
    th_limits limits;
    bool keep_config, keep_limits;
    unsigned rounds;          /* REMOVE: how often it had to wait for the index */
    th_hash element;          /* out: of the genesis or the upgrade */
    th_buf note;              /* CHECKPOINT: out */
    uint64_t size;            /* CHECKPOINT: out */
    th_hash genesis;          /* CHECKPOINT: out */
} th_control;

/* Runs one control item in a slice, without the lock. Its records and its answer go to `batch`, also a
 * failure. Returns false when it must be run again after the index covers *ret_wait records. */
bool th_control_run(theater_runtime *runtime, th_activity *activity, th_item *item, th_batch *batch,
                    th_workspace *workspace, uint64_t *ret_wait);

/* Adds the element that a turn produced, with what it sends, to a batch. */
THEATER_CHECKED theater_status th_slice_add_produced(theater_runtime *runtime, th_activity *activity,
                                                     th_batch *batch, const th_produced *produced,
                                                     const th_item *cause, theater_error *reterr);
/* Adds a snapshot of the instance as it stands. */
THEATER_CHECKED theater_status th_slice_add_snapshot(theater_runtime *runtime, th_activity *activity,
                                                     th_batch *batch, theater_error *reterr);

#endif
