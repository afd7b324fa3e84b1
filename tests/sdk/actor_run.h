/* An actor's component run turn by turn through the engine, as the runtime does, without a chain: the state
 * is kept here. */
#ifndef TESTS_SDK_ACTOR_RUN_H
#define TESTS_SDK_ACTOR_RUN_H

#include "base/bytes.h"
#include "theater_engine.h"

enum { SENT_MAX = 8, SENT_BYTES = 256 };

typedef struct sent_message {
    char to[129];
    char payload[SENT_BYTES];
    uint64_t request; /* 0 for a plain send */
} sent_message;

typedef struct actor_run {
    th_engine *engine;
    th_engine_component *component;
    th_buf state;
    th_buf output; /* of the last turn; of a rejection its text */
    th_buf log; /* of the last turn: the lines, each with a newline */
    sent_message sent[SENT_MAX]; /* of the last turn */
    size_t sent_count;
    bool valid; /* what verify_state said in the last turn */
    const char *trap; /* of the last turn, or NULL */
    uint64_t fuel; /* of the last turn */
    th_engine_turn_options options; /* what the next turn sees; tests change it */
} actor_run;

/* Compiles the component of the example actor `name` and runs init. Ends the test where the component is
 * refused. The outcome of init is returned. */
th_engine_outcome actor_run_start(actor_run *run, const char *name, const char *config);
/* The same for a component in a file. */
th_engine_outcome actor_run_start_file(actor_run *run, const char *path, const char *config);
/* One turn with verify_state. Keeps the new state only where all went well and it is valid. */
th_engine_outcome actor_run_handle(actor_run *run, th_slice input);
/* One turn with a text, and whether it gave this output (or, with reject, this rejection). Says on standard
 * error what came instead. */
bool actor_run_gives(actor_run *run, const char *input, const char *output);
bool actor_run_rejects(actor_run *run, const char *input, const char *reason);
void actor_run_done(actor_run *run);

#endif
