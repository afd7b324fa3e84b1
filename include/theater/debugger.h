/* theater/debugger.h: turns that are looked at: a recorded one run again, an input tried on any state of the
 * past. Neither is recorded, and the runtime that may have the folder open does not notice.
 */
#ifndef THEATER_DEBUGGER_H
#define THEATER_DEBUGGER_H

#include "theater/folder.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A line that the turn logged. */
typedef struct theater_turn_log {
    unsigned level; /* 0 trace, 1 debug, 2 info, 3 warning, 4 error */
    theater_slice text; /* UTF-8 */
} theater_turn_log;

/* A message that the turn sent, or would have sent. */
typedef struct theater_turn_message {
    theater_slice to; /* the name of an actor */
    theater_slice payload;
    uint64_t request; /* the request's id; 0: a plain send */
} theater_turn_message;

/* How a turn that was run again differs from its element; bits of theater_trial.differences. */
typedef enum theater_turn_difference {
    THEATER_DIFFERS_TYPE = 1 << 1, /* a transition against a rejection */
    THEATER_DIFFERS_REASON = 1 << 2, /* another rejection */
    THEATER_DIFFERS_OUTPUT = 1 << 3,
    THEATER_DIFFERS_EFFECTS = 1 << 4,
    THEATER_DIFFERS_STATE = 1 << 5,
    THEATER_DIFFERS_FUEL = 1 << 6,
    /* beside the others: the difference decides nothing (chain format, Fuel), so it proves nothing */
    THEATER_DIFFERS_UNDECIDED = 1 << 8,
} theater_turn_difference;

/* What a turn came to. Slices and lists are valid until theater_trial_done. */
typedef struct theater_trial {
    uint64_t sequence; /* of the element that was run again, or that the turn would have become */
    uint64_t timestamp_ns; /* what the actor's clock said */
    bool rejected; /* a genesis or an upgrade that fails is rejected too */
    uint64_t reject_code; /* of the chain format; 0: not rejected */
    theater_slice reject_text;
    theater_slice detail; /* of a trap: its message and the guest's stack, for people; may be empty */
    theater_slice output; /* empty when rejected */
    uint64_t fuel;
    theater_hash state_root; /* after the turn; a rejection keeps the state before */
    uint64_t state_size;
    theater_slice state;
    const theater_turn_log *logs; /* in their order, those of a rejection too */
    size_t log_count;
    const theater_turn_message *messages; /* in their order; none of a rejection */
    size_t message_count;
    unsigned differences; /* of theater_rerun: bits of theater_turn_difference; 0: all is as recorded */
    void *memory; /* what the slices point into; internal */
} theater_trial;
THEATER_API void theater_trial_done(theater_trial *trial); /* frees and empties it; accepts an empty one */

/* Runs element `sequence` again, with the input, time, cause and principal that it records, on the state before
 * it (the genesis: init), and compares. NOT_FOUND: no such element, or a payload or component that this needs
 * was dropped. CORRUPT, VERIFY_FAILED, UNDECIDED: the state before cannot be had, because an element on the way
 * to it comes out otherwise. Any thread; it takes as long as the turns since the snapshot before. */
THEATER_API THEATER_CHECKED theater_status theater_rerun(theater_folder *folder, uint64_t actor_id,
                                                         uint64_t sequence, theater_trial *ret,
                                                         theater_error *reterr);

/* An input to be tried, as a client's message. */
typedef struct theater_try_options {
    uint64_t after; /* on the state after this element */
    theater_slice input;
    const char *principal; /* as of theater_message; NULL: none */
    /* what the actor's clock shall say; raised to the time of element `after`; 0: the time now */
    uint64_t timestamp_ns;
} theater_try_options;
/* Runs an input on any state of an actor and records nothing. NOT_FOUND: no such element, or a payload on the
 * way to it was dropped. TOO_LARGE: over the actor's message limit. INVALID_ARGUMENT: the principal. Others as
 * theater_rerun. */
THEATER_API THEATER_CHECKED theater_status theater_try(theater_folder *folder, uint64_t actor_id,
                                                       const theater_try_options *options, theater_trial *ret,
                                                       theater_error *reterr);

/* "type", "reason", "output", "effects", "state", "fuel", "undecided"; NULL for what is no single difference. */
THEATER_API const char *theater_difference_text(theater_turn_difference difference);

#ifdef __cplusplus
}
#endif

#endif
