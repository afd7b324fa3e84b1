/* actor/machine.h: what runs guests, behind function pointers: the engine (machine_engine.c), or a stand-in
 * that a test brings.
 *
 * The types are those of theater_engine.h, where each call is described; a machine only adds the
 * indirection. */
#ifndef TH_ACTOR_MACHINE_H
#define TH_ACTOR_MACHINE_H

#include "base/bytes.h"
#include "theater_engine.h"

typedef struct th_machine {
    void *context;           /* th_engine for the engine */
    const char *name;        /* the engine's name in a descriptor */
    const char *fingerprint; /* what a compiled form depends on */
    size_t stack_bytes;      /* stack that a thread that runs turns needs beyond its C code */
    void *(*compile)(void *context, th_engine_bytes binary, char *reterr, size_t reterr_size);
    void (*release)(void *component);
    bool (*serialize)(const void *component, th_engine_bytes *ret, char *reterr, size_t reterr_size);
    void *(*deserialize)(void *context, th_engine_bytes compiled, char *reterr, size_t reterr_size);
    void (*free_bytes)(th_engine_bytes bytes);
    th_engine_outcome (*begin)(void *component, const th_engine_turn_options *options, void **ret_turn,
                               th_engine_result *ret);
    th_engine_outcome (*init)(void *turn, th_engine_bytes config, th_engine_result *ret);
    th_engine_outcome (*handle)(void *turn, th_engine_bytes input, th_engine_bytes state,
                                th_engine_result *ret);
    th_engine_outcome (*verify_state)(void *turn, th_engine_bytes state, th_engine_result *ret);
    uint64_t (*fuel)(const void *turn);
    void (*end)(void *turn);
    void (*free)(void *context);
} th_machine;

/* A machine over a new engine; th_machine_done frees the engine. ENGINE_FAILED with the engine's words. */
THEATER_CHECKED theater_status th_machine_engine(const th_engine_options *options, th_machine *ret,
                                                 theater_error *reterr);
void th_machine_done(th_machine *machine);

#endif
