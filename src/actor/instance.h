/* actor/instance.h: one actor in memory: its descriptor, its state, its chain's head; and the one way in
 * which all of these move on.
 *
 * The same code serves a live turn, the replay of a tail at recovery, and a verifier's re-execution, so
 * they cannot differ. Pure: everything that a turn can observe is given by the caller; no clock,
 * randomness, file or thread is reached.
 *
 * An instance and a workspace belong to one thread at a time. Nothing is rolled back: after a failed commit
 * the caller frees the instance and loads it anew from what is durable. */
#ifndef TH_ACTOR_INSTANCE_H
#define TH_ACTOR_INSTANCE_H

#include "actor/machine.h"
#include "chain/descriptor.h"
#include "chain/element.h"
#include "chain/effects.h"
#include "chain/log_tree.h"
#include "chain/state_tree.h"

typedef struct th_instance th_instance;

/* CPU nanoseconds by stage, added up over the turns that a workspace ran; counted only when `clock` is set
 * (it is given by the runtime, from the port). */
typedef struct th_stage_times {
    uint64_t turns;
    uint64_t begin_ns;  /* store and instance */
    uint64_t call_ns;   /* init or handle, and verify-state */
    uint64_t end_ns;    /* dropping them */
    uint64_t hash_ns;   /* input, state root, element */
    uint64_t encode_ns; /* effects, element */
} th_stage_times;

/* Scratch of one thread for its turns. What a turn produced lives in it until th_workspace_clear. */
typedef struct th_workspace th_workspace;
/* *ret is the caller's. Errors: NO_MEMORY, ENGINE_FAILED when there is no SHA-256. */
THEATER_CHECKED theater_status th_workspace_new(th_workspace **ret, theater_error *reterr);
void th_workspace_free(th_workspace *workspace); /* accepts NULL */
/* Gives back what the turns since the last clear produced, and what a large turn took. */
void th_workspace_clear(th_workspace *workspace);
/* Bytes in use, so that a caller can end a slice of turns in time. */
size_t th_workspace_used(const th_workspace *workspace);
/* Turns stage times on (`clock` gives nanoseconds) or off (NULL). */
void th_workspace_measure(th_workspace *workspace, uint64_t (*clock)(void *context), void *context);
/* The sums so far; they stay valid, and go on, while the workspace lives. */
const th_stage_times *th_workspace_times(const th_workspace *workspace);

/* A message that a turn sent. */
typedef struct th_sent {
    uint32_t index;   /* its place in the effects array */
    th_slice to;      /* a valid name */
    th_slice payload;
    th_hash payload_hash; /* sha(payload): the receiver's input hash */
    uint64_t request; /* 0 for a plain send */
} th_sent;

/* What a turn produced: the element and its payloads, ready for the chain. In the workspace. */
typedef struct th_produced {
    uint64_t sequence;
    th_element_type type;
    th_hash hash;          /* of the element */
    th_slice element;      /* encoding */
    /* payload: as given; the descriptor for a genesis or upgrade (then a copy in the workspace) */
    th_slice input;
    th_slice output;       /* payload; of a rejection CBOR [code, message] */
    th_slice effects;      /* payload */
    const th_sent *sent;   /* messages, in order; none in a rejection */
    size_t sent_count;
    uint64_t timestamp_ns;
    uint64_t fuel;
    th_hash state_root;    /* after */
    uint64_t state_size;   /* after */
    uint64_t reject_code;  /* of a rejection, else 0 */
    th_slice reject_text;  /* of a rejection: the message */
    const char *detail;    /* for logs: the trap's message and backtrace, or NULL */
} th_produced;

/* Makes the actor's first state by init(config) and its genesis element. `component` is of `machine` and
 * stays borrowed by the instance. The descriptor's slices are copied. ACTOR_FAILED: init returned an error,
 * trapped, passed a limit or made an invalid state; the message says which, and no element is made.
 * INVALID_ARGUMENT: the descriptor is not allowed. VERSION: it names another engine than the machine is.
 * ENGINE_FAILED, NO_MEMORY. */
THEATER_CHECKED theater_status th_instance_genesis(const th_machine *machine, void *component,
                                                   const th_descriptor *descriptor, uint64_t timestamp_ns,
                                                   th_workspace *workspace, th_instance **ret,
                                                   th_produced *ret_produced, theater_error *reterr);

/* Brings an actor back at a snapshot: `descriptor` is the one in force after element `sequence`, `element`
 * that element's encoding, `tree` the encoded compact range of size sequence + 1, `state` the state after
 * it. Checks the state against the element's root and size and the tree against the element: CORRUPT. An
 * empty `tree` is for replay alone: the log tree is then not kept and th_instance_tree gives NULL. */
THEATER_CHECKED theater_status th_instance_load(const th_machine *machine, void *component,
                                                const th_descriptor *descriptor, th_slice element,
                                                th_slice tree, th_slice state, th_workspace *workspace,
                                                th_instance **ret, theater_error *reterr);
/* Asks the processor to bring into its cache what the next turn will read first. */
void th_instance_prefetch(const th_instance *instance);
void th_instance_free(th_instance *instance); /* accepts NULL */

/* An input of `handle`. */
typedef struct th_input {
    th_slice payload;
    uint64_t timestamp_ns;   /* the instance raises it to the timestamp of the element before */
    const th_cause *cause;   /* NULL for a client's */
    bool has_principal;
    th_slice principal;
    bool has_id;
    th_slice id;
} th_input;

/* One turn. Always gives an element (a transition or a rejection) when it returns OK, and the instance
 * stands after it. TOO_LARGE: a client's input is over the message limit, no element. VERSION: the
 * descriptor in force names another engine (upgrade the actor). ENGINE_FAILED, NO_MEMORY: no element. After
 * each of these the instance stands as before. */
THEATER_CHECKED theater_status th_instance_handle(th_instance *instance, const th_input *input,
                                                  th_workspace *workspace, th_produced *ret_produced,
                                                  theater_error *reterr);

/* Runs under a new descriptor and component from now on (the name must stay). Asks the new component's
 * verify-state of the state as it is. ACTOR_FAILED: not valid for it, trapped, or over the new state limit.
 * INVALID_ARGUMENT: another name, or a descriptor that is not allowed. VERSION: the descriptor names
 * another engine than the machine is. After each of these there is no element, and the instance stands as
 * before. */
THEATER_CHECKED theater_status th_instance_upgrade(th_instance *instance, void *component,
                                                   const th_descriptor *descriptor, uint64_t timestamp_ns,
                                                   th_workspace *workspace, th_produced *ret_produced,
                                                   theater_error *reterr);

/* Runs handle as the next turn would, and keeps nothing: what it would have produced is given (type,
 * output, effects, fuel, reject code; no element, and state_root and state_size are those of the state that
 * was read). Also under another engine. For queries and for trying an input. Errors: TOO_LARGE,
 * ENGINE_FAILED, NO_MEMORY. */
THEATER_CHECKED theater_status th_instance_query(th_instance *instance, const th_input *input,
                                                 th_workspace *workspace, th_produced *ret_produced,
                                                 theater_error *reterr);

/* How a re-executed turn differs from its element. */
typedef enum th_difference {
    TH_SAME,
    TH_DIFFERS_TYPE,    /* transition against rejection */
    TH_DIFFERS_REASON,  /* another rejection */
    TH_DIFFERS_OUTPUT,
    TH_DIFFERS_EFFECTS,
    TH_DIFFERS_STATE,
    TH_DIFFERS_FUEL,
    TH_DIFFERS_ELEMENT, /* something else of the element */
    /* chain format, Fuel: a stack overflow (or another engine's fuel) that came out otherwise */
    TH_DIFFERS_UNDECIDED,
} th_difference;
/* "same", "type", "reason", "output", "effects", "state", "fuel", "element", "undecided"; never NULL. */
const char *th_difference_text(th_difference difference);

/* A recorded element that is to be run again. Of the payloads only the input is needed; an output that was
 * dropped (then empty) makes the words of a difference poorer. */
typedef struct th_recorded {
    th_slice element;
    th_slice input, output, effects; /* payloads as recorded */
} th_recorded;

/* Runs the recorded input again and moves on, like live turns do. `component` is needed for an upgrade (of
 * its descriptor), else NULL. With OK, *ret_difference says whether what came out is what is recorded; when
 * it is not TH_SAME, `reterr` holds the words and the instance must not be used further, with one
 * exception: after TH_DIFFERS_UNDECIDED of a recorded rejection it stands after that element
 * (th_instance_elements has grown), because a rejection keeps the state. Fuel is compared when the
 * machine's name is the descriptor's engine. CORRUPT: the element does not decode or does not follow the
 * one before. */
THEATER_CHECKED theater_status th_instance_replay(th_instance *instance, const th_recorded *recorded,
                                                  void *component, th_workspace *workspace,
                                                  th_difference *ret_difference, theater_error *reterr);

/* Runs a recorded genesis again, with the component that its descriptor names. As th_instance_replay. *ret
 * is NULL when the difference is not TH_SAME. */
THEATER_CHECKED theater_status th_instance_replay_genesis(const th_machine *machine, void *component,
                                                          const th_recorded *recorded,
                                                          th_workspace *workspace, th_instance **ret,
                                                          th_difference *ret_difference,
                                                          theater_error *reterr);

/* Where the instance stands. What these give is the instance's and valid until it moves on. */
const th_descriptor *th_instance_descriptor(const th_instance *instance);
uint64_t th_instance_elements(const th_instance *instance); /* the next sequence */
const th_hash *th_instance_head(const th_instance *instance); /* hash of the last element */
uint64_t th_instance_timestamp_ns(const th_instance *instance); /* of the head */
th_slice th_instance_state(const th_instance *instance); /* after the last element */
const th_hash *th_instance_state_root(const th_instance *instance);
const th_log_tree *th_instance_tree(const th_instance *instance); /* NULL when it was loaded without one */
/* Bytes of memory that the instance holds. */
size_t th_instance_memory(const th_instance *instance);

#endif
