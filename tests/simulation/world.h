/* One simulated life of a data folder: the real runtime over the seeded port, clients that send, crashes,
 * restarts; and what must hold at the end, whatever the seed. */
#ifndef TH_TESTS_SIMULATION_WORLD_H
#define TH_TESTS_SIMULATION_WORLD_H

#include "actor/machine.h"
#include "port/simulation.h"
#include "runtime/core.h"

#define WORLD_NAMES 6
#define WORLD_IDS 40
#define WORLD_FOLDER "data"
#define WORLD_PRINCIPAL "client-7"

/* What a caller was told about an element. It must be on the chain for ever. */
typedef enum world_told {
    TOLD_ANSWER,  /* what a message gave */
    TOLD_QUERY,   /* the element whose state a query saw */
    TOLD_ELEMENT, /* a genesis or an upgrade, by its hash alone */
} world_told;

typedef struct world_promise {
    struct world_promise *next;
    world_told told;
    /* Durability async: it may be lost until everything was committed. */
    bool loose;
    unsigned life; /* in which it was given */
    char actor[32];
    uint64_t sequence;
    th_hash element, state_root, input, output;
    bool rejected, repeated, has_principal;
    char id[24]; /* empty: none */
    uint64_t tag; /* of the message, ascending: a client's messages to one actor run in their order */
} world_promise;

/* A checkpoint that left the process. */
typedef struct world_note {
    struct world_note *next;
    char actor[32];
    theater_bytes text;
} world_note;

/* What its operator was told about the actor with this name. */
typedef struct world_actor {
    bool started, remove_tried, removed;
    theater_hash genesis;
    th_actor_status status; /* 0: not known */
} world_actor;

typedef struct sim_world {
    uint64_t seed;
    th_simulation *simulation;
    const th_machine *given; /* the stand-in or the engine */
    th_machine machine; /* the same, and others run while one of its turns runs */
    bool real_engine;
    const th_slice *components; /* two versions that an actor can be started with or upgraded to */
    /* The index of the present life, and one that stayed behind in an earlier one: an index may be lost, or
     * be older than it was (out of a copy). */
    th_index_memory *index, *older_index;
    theater_runtime *runtime;
    th_hasher *hasher; /* of what is promised */
    world_promise *promises;
    world_note *notes;
    world_actor actors[WORLD_NAMES];
    uint64_t committed; /* records that a listener was told are durable */
    uint64_t promise_count, note_count;
    uint64_t crashes, restarts, sent, refused, starts, removals, lost_indexes;
    uint64_t messages; /* between actors, as of the last check */
    bool async;
    th_simulation_faults faults; /* of the present life */
    bool bad_disk;      /* faults are on */
    bool storage_fails; /* and commits may fail by them */
    bool verbose;
    char failure[1200]; /* what did not hold; empty when all is well */
} sim_world;

typedef struct world_options {
    const th_machine *machine;  /* the stand-in or the engine */
    const th_slice *components;
    bool real_engine;           /* the components are the example `ring`, not of the stand-in's language */
    bool verbose;
} world_options;

/* Runs one seed. Returns false, with world->failure filled, when something did not hold. *ret_digest is the
 * simulation's. */
bool world_run(uint64_t seed, const world_options *options, uint64_t *ret_digest, char *failure,
               size_t failure_size);

/* Notes the first failure. */
void world_fail(sim_world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

extern const char *const world_names[WORLD_NAMES];

/* ---- promises.c: what callers were told ---- */

/* Keeps what an answer says; *answer stays the caller's. */
void world_keep_answer(sim_world *world, world_told told, const char *actor, const theater_answer *answer,
                       const world_promise *sent);
void world_keep_element(sim_world *world, const char *actor, const theater_hash *hash);
/* Takes the note over. */
void world_keep_note(sim_world *world, const char *actor, theater_bytes *take_note);
/* All that was answered so far is committed. */
void world_all_committed(sim_world *world);
void world_forget(sim_world *world); /* frees promises and notes */
/* Every promise against the store. */
void world_check_promises(sim_world *world, th_store *store);
/* Notes of this actor, for its verifier. */
const world_note *world_next_note(const world_note *from, const char *actor);

/* ---- delivery.c ---- */

/* With all actors running and nothing left to do: what was sent was delivered, once, and what was asked was
 * answered; from the log alone. Counts messages. */
void world_check_delivery(sim_world *world, th_store *store, bool drained);

/* ---- check.c ---- */

/* Reads the folder as it is and checks everything: chains, causes across chains, re-execution, promises. */
void world_check(sim_world *world, bool drained);

#endif
