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

/* An answer that a client got: it must be on the chain for ever. */
typedef struct world_answer {
    struct world_answer *next;
    char actor[32];
    uint64_t sequence;
    theater_hash element;
    bool rejected;
    char id[24];        /* empty: none */
    uint64_t input_tag; /* what was sent, to recognize it */
} world_answer;

typedef struct sim_world {
    uint64_t seed;
    th_simulation *simulation;
    th_machine machine;
    bool real_engine;
    const th_slice *components; /* two versions that an actor can be started with or upgraded to */
    th_index_memory *index;
    theater_runtime *runtime;
    world_answer *answers;
    uint64_t answer_count;
    uint64_t crashes, restarts, sent, refused, starts, removals;
    bool async;
    bool bad_disk; /* faults are on */
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

/* Reads the folder as it is and checks everything: chains, causes across chains, re-execution, answers. */
void world_check(sim_world *world, bool drained);

#endif
