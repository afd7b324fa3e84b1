/* actor/internal.h: what the files of this folder share: the workspace, the instance, and one turn while it
 * runs. */
#ifndef TH_ACTOR_INTERNAL_H
#define TH_ACTOR_INTERNAL_H

#include "actor/instance.h"
#include "chain/rejection.h"
#include "chain/turn_random.h"

/* A slice as the two arguments that "%.*s" takes. */
#define TH_SHOW(slice) (int)(slice).size, (const char *)(slice).data

/* Most bytes that the turns since a clear may produce, and what a clear keeps for the next ones. */
#define WORKSPACE_MAX ((size_t)8 << 30)
#define WORKSPACE_KEEP ((size_t)1 << 20)
/* An engine that counts otherwise gets this many times the fuel limit before a turn counts as a runaway. */
#define RUNAWAY_FACTOR 16

struct th_workspace {
    th_arena arena; /* what turns produced */
    th_hasher *hasher;
    th_hash no_effects; /* hash of the effects payload of a turn without effects */

    /* The turn that runs; emptied by each. */
    th_effects effects;
    th_sent *sent;
    size_t sent_count;
    size_t sent_capacity;
    th_buf scratch; /* an encoding before its size is known, or random bytes for the guest */
    const struct th_turn *turn;
    th_engine_turn_options options; /* borrowed by the machine until the turn's end */
    bool random_begun;
    th_turn_random random;
    th_turn_limit passed;       /* the limit that a host call passed */
    theater_status host_status; /* why a host call could not be served */

    uint64_t (*clock)(void *context);
    void *clock_context;
    uint64_t lap_ns;
    th_stage_times times;
};

struct th_instance {
    const th_machine *machine;
    void *component;
    th_descriptor descriptor; /* its slices lie in descriptor_bytes */
    th_buf descriptor_bytes;
    bool foreign; /* the descriptor names another engine than the machine: for replay and queries alone */
    bool has_log;
    th_buf state;
    th_state_tree tree;
    th_hash root;
    th_log_tree log;
    th_hash head;
    uint64_t elements;
    uint64_t timestamp_ns;
};

/* One turn to be run: all that it can observe. Everything is borrowed while it runs. */
typedef struct th_turn {
    th_element_type type; /* TH_GENESIS: init; TH_UPGRADE: verify-state alone; otherwise handle */
    const th_machine *machine;
    void *component;
    const th_descriptor *descriptor;
    bool foreign; /* fuel is not compared: only runaway turns are bounded */
    uint64_t sequence;
    uint64_t timestamp_ns;
    const th_hash *previous;
    const th_cause *cause; /* NULL or of kind NONE for none */
    th_slice principal;    /* size 0: none */
    th_slice input;        /* payload of the element */
    th_hash input_hash;
    th_slice state; /* before */
} th_turn;

/* How it ended. Slices are the open turn's, until th_turn_end. */
typedef struct th_turn_result {
    const th_machine *machine;
    void *open;    /* the machine's turn, NULL when none was begun */
    bool rejected; /* a genesis or upgrade fails with these reasons too */
    th_rejection rejection;
    th_slice output;
    th_slice state; /* after; of an upgrade the state before */
    uint64_t fuel;  /* as an element has it */
    const char *detail;
} th_turn_result;

/* turn.c: runs a turn. OK gives a result, rejected or not, which th_turn_end must close. TOO_LARGE: a
 * client's input over the message limit. ENGINE_FAILED, NO_MEMORY: nothing is open. The workspace holds the
 * effects. */
THEATER_CHECKED theater_status th_turn_run(th_workspace *workspace, const th_turn *turn,
                                           th_turn_result *ret, theater_error *reterr);
void th_turn_end(th_workspace *workspace, th_turn_result *result);

/* host_calls.c: the host functions of a turn, over the workspace as context. */
void th_host_calls_begin(th_workspace *workspace, const th_turn *turn, th_engine_turn_options *options);

/* produce.c: takes output, effects, messages and reason of an ended turn into the workspace's arena, with
 * their hashes in `element`. All of the element but the state after and previous. NO_MEMORY. */
THEATER_CHECKED theater_status th_turn_produce(th_workspace *workspace, const th_turn *turn,
                                               const th_turn_result *result, th_element *ret_element,
                                               th_produced *ret, theater_error *reterr);
/* Text of a guest for a message: at most `most` bytes, whole characters, control characters as spaces.
 * `out` has room for most + 1 bytes. */
void th_shown(th_slice text, size_t most, char *out);
/* The words for people: "trapped: unreachable", "returned an error: ...", "ran out of fuel", ... into
 * `out`. */
void th_turn_words(const th_rejection *rejection, const char *detail, char *out, size_t size);

/* instance.c: pieces that live turns and replayed ones share. */
/* An instance before its genesis; the descriptor is copied. */
THEATER_CHECKED theater_status th_instance_make(const th_machine *machine, void *component,
                                                const th_descriptor *descriptor, th_instance **ret,
                                                theater_error *reterr);
/* The encoding of a descriptor into an empty buffer, and the descriptor as it lies there. */
THEATER_CHECKED theater_status th_descriptor_keep(const th_descriptor *descriptor, th_buf *out,
                                                  th_descriptor *ret, theater_error *reterr);
/* The turn that would come next, without input: sequence, previous, state, descriptor. */
th_turn th_instance_next(const th_instance *instance, th_element_type type, uint64_t timestamp_ns);
/* Makes `state` the instance's state and gives its root. When it fails the instance is as before. */
THEATER_CHECKED theater_status th_instance_take_state(th_instance *instance, th_hasher *hasher,
                                                      th_slice state, theater_error *reterr);
/* Runs under another descriptor from now on; takes over `take_bytes`, in which its slices lie. */
void th_instance_take_descriptor(th_instance *instance, void *component, const th_descriptor *descriptor,
                                 th_buf *take_bytes);
/* Stands after the element with this hash from now on. */
void th_instance_advance(th_instance *instance, th_hasher *hasher, const th_hash *hash,
                         uint64_t timestamp_ns);

/* difference.c: a recorded element beside what came out of its turn. */
typedef struct th_compared {
    const th_instance *instance;
    const th_element *recorded;
    const th_recorded *payloads;
    const th_turn_result *result;
    const th_element *came_out;
    const th_produced *produced; /* payloads of what came out */
    th_hasher *hasher;
} th_compared;
/* Compares all but state and fuel, and puts what differs into `reterr` in words. */
th_difference th_compare(const th_compared *compared, bool foreign, theater_error *reterr);
/* The same of the state that the instance took, and of the fuel. */
th_difference th_compare_after(const th_compared *compared, bool foreign, theater_error *reterr);

/* Adds the time since the last lap to a stage, when times are measured. */
static inline void th_lap(th_workspace *workspace, uint64_t *stage)
{
    if (workspace->clock) {
        uint64_t now = workspace->clock(workspace->clock_context);
        *stage += now - workspace->lap_ns;
        workspace->lap_ns = now;
    }
}

static inline void th_lap_begin(th_workspace *workspace)
{
    if (workspace->clock)
        workspace->lap_ns = workspace->clock(workspace->clock_context);
}

static inline th_engine_bytes th_to_engine(th_slice bytes)
{
    return (th_engine_bytes){bytes.data, bytes.size};
}

static inline th_slice th_from_engine(th_engine_bytes bytes)
{
    return (th_slice){bytes.data, bytes.size};
}

static inline bool th_has_cause(const th_cause *cause)
{
    return cause && cause->kind != TH_CAUSE_NONE;
}

#endif
