/* Between the stand-in's two files: the turn that the machine begins and the interpreter works on. */
#ifndef TH_TESTS_ACTOR_STANDIN_INTERNAL_H
#define TH_TESTS_ACTOR_STANDIN_INTERNAL_H

#include "standin.h"

typedef enum standin_act { ACT_NORMAL, ACT_ERROR, ACT_TRAP, ACT_LOOP, ACT_FALSE } standin_act;

typedef struct standin_component {
    th_standin *machine;
    bool echo;
    standin_act init, verify;
    bool has_max;
    uint64_t max;
    size_t size;
    uint8_t binary[];
} standin_component;

/* Growable bytes of a test program: out of memory aborts. */
typedef struct standin_bytes {
    uint8_t *data;
    size_t size, capacity;
} standin_bytes;

typedef struct standin_turn {
    standin_component *component;
    th_engine_turn_options options;
    uint64_t fuel;
    th_standin_state header;
    standin_bytes output, filler, state, scratch;
    bool has_output;
    standin_act verify;
    char text[160];
} standin_turn;

void standin_set(standin_bytes *bytes, const void *data, size_t size);
void standin_resize(standin_bytes *bytes, size_t size, uint8_t fill);
uint64_t standin_digest(uint64_t digest, const void *data, size_t size);
/* False when the turn's fuel is spent by it. */
bool standin_burn(standin_turn *turn, uint64_t amount);
th_engine_outcome standin_trap(th_engine_result *ret, const char *kind);
/* Reads an unsigned decimal that fills the text. */
bool standin_number(th_slice text, uint64_t *ret);
th_engine_outcome standin_observe(standin_turn *turn);
/* Runs a text of commands. */
th_engine_outcome standin_run(standin_turn *turn, th_slice text, unsigned depth, th_engine_result *ret);

#endif
