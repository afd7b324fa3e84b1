/* actor/replay.h: re-execution of a chain in ranges that can run at once.
 *
 * A chain is cut at its snapshots. Each range starts from a snapshot (whose root the element before vouches
 * for, so a wrong snapshot is found in the range that ends there) and runs to the next one; ranges share
 * nothing. The driver that spreads ranges over threads is the caller's. */
#ifndef TH_ACTOR_REPLAY_H
#define TH_ACTOR_REPLAY_H

#include "actor/instance.h"
#include "actor/loader.h"

/* Where the elements come from: a store, or a bundle that was read into memory. Called from several threads
 * at once when ranges run at once. Slices given are valid until the next call with the same `buf`,
 * and those of an element that is to run until the next call for one. */
typedef struct th_replay_source {
    void *context;
    /* Element `sequence` and its payloads. A payload that was dropped: NOT_FOUND. */
    theater_status (*element)(void *context, uint64_t sequence, th_buf *buf, th_recorded *ret,
                              theater_error *reterr);
    /* The snapshot after element `sequence`, exactly. NOT_FOUND. */
    theater_status (*snapshot)(void *context, uint64_t sequence, th_buf *buf, th_slice *ret_state,
                               theater_error *reterr);
} th_replay_source;

typedef struct th_replay_range {
    uint64_t first;         /* first element to run */
    /* one past the last; there is a snapshot after element end - 1, or it is the chain's end */
    uint64_t end;
    bool check_end;         /* compare the state after element end - 1 with that snapshot too */
    /* sequence of the genesis or upgrade in force before `first` (ignored when first is 0) */
    uint64_t descriptor;
} th_replay_range;

typedef struct th_replay_result {
    th_difference difference; /* TH_SAME when all is well */
    uint64_t sequence;        /* of the first element that differs */
    uint64_t turns;           /* run */
    /* elements that came out otherwise but count as undecided; the range goes on behind a rejection,
     * which keeps the state, and ends at any other */
    uint64_t undecided;
    char message[1024];       /* what differs, in words */
} th_replay_result;

/* Runs one range. OK also when something differs: see the result. `stop` (may be NULL) is polled between
 * turns. */
THEATER_CHECKED theater_status th_replay_run(const th_machine *machine, th_loader *loader,
                                             const th_replay_source *source, const th_replay_range *range,
                                             th_workspace *workspace, const bool *stop,
                                             th_replay_result *ret, theater_error *reterr);

/* Cuts a chain of `elements` elements at the given snapshot sequences (ascending) and descriptors
 * (ascending, the first is 0) into ranges. The ranges are in *ret_ranges (th_free). */
THEATER_CHECKED theater_status th_replay_cut(uint64_t elements, const uint64_t *snapshots,
                                             size_t snapshot_count, const uint64_t *descriptors,
                                             size_t descriptor_count, th_replay_range **ret_ranges,
                                             size_t *ret_count, theater_error *reterr);

#endif
