/* theater_engine.h: Wasmtime behind one narrow header, typed to the actor world.
 *
 * The crate behind it compiles and checks components, and runs one turn at a time in a fresh instance. It
 * holds no policy: limits, effects, the chain and the words of a rejection belong to the callers in C. No
 * panic crosses this border: one inside becomes TH_ENGINE_FAILED.
 *
 * Threads: an engine and a component may be used by any number of threads at once; a turn by one thread at
 * a time, the one that began it. That thread needs `th_engine_stack_bytes` of stack.
 *
 * This header includes nothing of the project, so the crate and its own test can be built alone.
 */
#ifndef THEATER_ENGINE_H
#define THEATER_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct th_engine th_engine;
typedef struct th_engine_component th_engine_component;
typedef struct th_engine_turn th_engine_turn;

/* Borrowed bytes. Has the layout of theater_slice. */
typedef struct th_engine_bytes {
    const uint8_t *data;
    size_t size;
} th_engine_bytes;

/* What the engine says of itself in a descriptor: "wasmtime-48" (chain format, Fuel). A static string. */
const char *th_engine_name(void);
/* Everything that a compiled form depends on, as text: version, target, flags. Two engines with the same text
 * can use each other's compiled forms. Owned by the engine. */
const char *th_engine_fingerprint(const th_engine *engine);

typedef struct th_engine_options {
    bool pulley;                 /* run by the interpreter Pulley: the second engine for replay */
    bool verifier;               /* stack of at least 4 MiB instead of the recorder's 1 MiB (chain format, Fuel) */
    uint32_t turns;              /* most turns at once, which sizes the pool; 0 means 16 */
    uint64_t memory_bytes;       /* most bytes of one linear memory that the pool is to hold; 0 means 4 GiB */
    uint64_t keep_resident_bytes; /* memory of a slot that stays mapped between turns; UINT64_MAX means the default */
    bool no_pooling;             /* for measurements and tests of the fallback */
} th_engine_options;

/* Makes an engine. Uses pooling, pagemap_scan and copy-on-write images where the kernel has them and works without
 * these where not. On failure returns NULL and writes a line of text to `reterr` (cut to `reterr_size`). */
th_engine *th_engine_new(const th_engine_options *options, char *reterr, size_t reterr_size);
void th_engine_free(th_engine *engine); /* after its components and turns */
/* Stack in bytes that a thread must have beyond what its C code needs. */
size_t th_engine_stack_bytes(const th_engine *engine);
/* How fresh instances are made here, for people: "pooling, pagemap_scan, 1 MiB resident". Owned by the engine. */
const char *th_engine_describe(const th_engine *engine);

/* Compiles a component binary and checks it against the world theater:actor/guest. On failure returns NULL and writes to
 * `reterr` all that is wrong at once, one finding a line: not a component, a core module, a missing or mistyped function,
 * an import beyond theater:actor/host (each named), a refused feature, more memories or tables than the pool holds. */
th_engine_component *th_engine_compile(th_engine *engine, th_engine_bytes binary, char *reterr, size_t reterr_size);
/* The compiled form, to be kept on disk: native code, so load only bytes whose SHA-256 the caller has checked. The result is
 * given back with th_engine_bytes_free. */
bool th_engine_serialize(const th_engine_component *component, th_engine_bytes *ret, char *reterr, size_t reterr_size);
th_engine_component *th_engine_deserialize(th_engine *engine, th_engine_bytes compiled, char *reterr, size_t reterr_size);
void th_engine_bytes_free(th_engine_bytes bytes);
void th_engine_component_free(th_engine_component *component); /* after its turns */

/* Why a step of a turn ended. The first that is not TH_ENGINE_OK ends the turn: only th_engine_turn_end may follow. */
typedef enum th_engine_outcome {
    TH_ENGINE_OK = 0,
    TH_ENGINE_ERROR = 1,      /* init or handle returned an error; the text is its `output` */
    TH_ENGINE_TRAP = 2,       /* rejection code 3; `trap` says which */
    TH_ENGINE_OUT_OF_FUEL = 3, /* rejection code 4 */
    TH_ENGINE_STOPPED = 4,    /* a host callback returned false */
    TH_ENGINE_STACK = 5,      /* rejection code 6 */
    TH_ENGINE_FAILED = 6,     /* the engine or the machine failed: no element (memory_grow_failed and the like too) */
} th_engine_outcome;

/* Where the input came from: the variant input-source. */
typedef enum th_engine_source_kind {
    TH_ENGINE_SOURCE_GENESIS,
    TH_ENGINE_SOURCE_CLIENT,
    TH_ENGINE_SOURCE_ACTOR,
    TH_ENGINE_SOURCE_REPLY,
} th_engine_source_kind;

/* What one turn can observe, and its limits. All of it is borrowed until th_engine_turn_end. */
typedef struct th_engine_turn_options {
    uint64_t fuel;            /* fuel of the turn */
    uint64_t memory_bytes;    /* limit of each linear memory: growth past it answers -1 */
    uint64_t timestamp_ns;    /* now() */
    uint64_t sequence;        /* sequence() */
    th_engine_bytes self_name; /* self-name() */
    th_engine_source_kind source_kind;
    bool has_principal;       /* client: whether there is a principal */
    th_engine_bytes source_name; /* client: the principal; actor: its name */
    uint64_t reply_request;   /* reply */
    bool reply_failed;        /* reply */

    /* Host functions that have an effect or need bytes. Called on the turn's thread during the calls below. A callback that returns
     * false ends the turn with TH_ENGINE_STOPPED at that host call. They must not call into the engine. */
    void *context;
    bool (*log)(void *context, uint32_t level, th_engine_bytes text);
    /* *ret: `length` bytes that stay valid until the next callback or the end of the turn. */
    bool (*random)(void *context, uint32_t length, th_engine_bytes *ret);
    bool (*send)(void *context, th_engine_bytes to, th_engine_bytes payload);
    bool (*request)(void *context, th_engine_bytes to, th_engine_bytes payload, uint64_t *ret_id);
} th_engine_turn_options;

/* What a step gave. Slices belong to the turn and are valid until th_engine_turn_end. */
typedef struct th_engine_result {
    th_engine_bytes output; /* of handle; the error's text with TH_ENGINE_ERROR */
    th_engine_bytes state;  /* the new state, of init and handle */
    bool valid;             /* of verify_state */
    const char *trap;       /* with TH_ENGINE_TRAP, a static string of the chain format: "unreachable", "memory", "table", "division",
                               "integer" or "abi" */
    const char *detail;     /* for logs: message and backtrace with function names, or NULL; valid until th_engine_turn_end */
} th_engine_result;

/* Begins a turn: a store and a fresh instance. Always gives a turn in *ret, also when the outcome is not OK (so that `detail` and
 * fuel can be read), except with TH_ENGINE_FAILED, where *ret may be NULL. */
th_engine_outcome th_engine_turn_begin(th_engine_component *component, const th_engine_turn_options *options,
                                       th_engine_turn **ret, th_engine_result *ret_result);
/* init(config), handle(input, state) or verify-state(state) of the turn's instance, its post-return included. Each gives the whole
 * result, whatever its size: the limits are the caller's to check. */
th_engine_outcome th_engine_turn_init(th_engine_turn *turn, th_engine_bytes config, th_engine_result *ret_result);
th_engine_outcome th_engine_turn_handle(th_engine_turn *turn, th_engine_bytes input, th_engine_bytes state,
                                        th_engine_result *ret_result);
th_engine_outcome th_engine_turn_verify_state(th_engine_turn *turn, th_engine_bytes state, th_engine_result *ret_result);
/* Fuel used since the turn began. */
uint64_t th_engine_turn_fuel(const th_engine_turn *turn);
/* Drops the instance, the store and all results. Accepts NULL. */
void th_engine_turn_end(th_engine_turn *turn);

#ifdef __cplusplus
}
#endif

#endif
