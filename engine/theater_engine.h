/* theater_engine.h: Wasmtime behind one narrow header, typed to the actor world.
 *
 * The crate behind it compiles and checks components, and runs one turn at a time in a fresh instance. It
 * holds no policy: limits, effects, the chain and the words of a rejection belong to the callers in C. No
 * panic crosses this border: one inside becomes TH_ENGINE_FAILED, NULL or false.
 *
 * Threads: an engine and a component may be used by any number of threads at once; a turn by one thread at a
 * time, the one that began it. That thread needs `th_engine_stack_bytes` of stack. Compiling uses threads of
 * the engine's own.
 *
 * Signals: a guest's traps are caught by handlers of SIGSEGV, SIGBUS, SIGILL and SIGFPE, which the first
 * engine of a process sets and which pass on what is not theirs. A program that sets its own after that must
 * pass on to these.
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

/* Compiles and runs under one set of options. */
typedef struct th_engine th_engine;
/* A component that was checked and compiled. */
typedef struct th_engine_component th_engine_component;
/* One turn: a store, an instance, and the results so far. */
typedef struct th_engine_turn th_engine_turn;

/* Borrowed bytes. Has the layout of theater_slice; `data` may be NULL where `size` is 0. */
typedef struct th_engine_bytes {
    const uint8_t *data;
    size_t size;
} th_engine_bytes;

/* What the engine says of itself in a descriptor: "wasmtime-48" (chain format, Fuel). A static string. */
const char *th_engine_name(void);
/* Everything that a compiled form depends on, as text: version, target with the features of this machine's
 * processor, and settings. Two engines with the same text can use each other's compiled forms. Owned by the
 * engine. */
const char *th_engine_fingerprint(const th_engine *engine);

/* What an engine is made for. None of it changes a result or a fuel count. */
typedef struct th_engine_options {
    bool pulley; /* run by the interpreter Pulley: the second engine for replay */
    bool verifier; /* 4 MiB of stack instead of the recorder's 1 MiB (chain format, Fuel) */
    uint32_t turns; /* most turns at once, which sizes the pool: one more is TH_ENGINE_FAILED; 0 means 16 */
    /* Most bytes of one memory that the pool holds; 0 means 4 GiB, all that a memory can have. Less saves
     * nothing; growing past it, within the limit of the turn, is TH_ENGINE_FAILED. For tests. */
    uint64_t memory_bytes;
    uint64_t keep_resident_bytes; /* memory of a slot that stays mapped between turns; UINT64_MAX means the
                                     default */
    bool no_pooling; /* for measurements and tests of the fallback */
} th_engine_options;

/* Makes an engine. Uses pooling, pagemap_scan and copy-on-write images where the kernel has them and works
 * without these where not. On failure returns NULL and writes a line of text to `reterr` (cut to
 * `reterr_size` with its closing zero, at a character's border; NULL is allowed, here and below). */
th_engine *th_engine_new(const th_engine_options *options, char *reterr, size_t reterr_size);
/* Frees an engine, after its components and turns. Accepts NULL. */
void th_engine_free(th_engine *engine);
/* Stack in bytes that a thread must have for a turn beyond what its C code needs, callbacks included. */
size_t th_engine_stack_bytes(const th_engine *engine);
/* How fresh instances are made here, for people: "pooling, pagemap_scan, 1024 KiB resident, 16 turns". Owned
 * by the engine. */
const char *th_engine_describe(const th_engine *engine);

/* Compiles a component binary and checks it against the world theater:actor/guest. On failure returns NULL
 * and writes to `reterr` all that is wrong at once, one finding a line: not a component, a core module, a
 * missing or mistyped function (with the type expected and the one found), an import beyond
 * theater:actor/host (each, with its functions), an unknown host function, a refused feature (each), more
 * memories or tables than the pool holds. Any part of `host` may be imported, and exports beside the three
 * functions are ignored. */
th_engine_component *th_engine_compile(th_engine *engine, th_engine_bytes binary, char *reterr,
                                       size_t reterr_size);
/* The compiled form, to be kept on disk. The result is given back with th_engine_bytes_free. */
bool th_engine_serialize(const th_engine_component *component, th_engine_bytes *ret, char *reterr,
                         size_t reterr_size);
/* Takes a compiled form of an engine with the same fingerprint, and refuses one of another. It is native code
 * and is run as it is: give only bytes that th_engine_serialize gave and whose SHA-256 the caller has checked
 * since. */
th_engine_component *th_engine_deserialize(th_engine *engine, th_engine_bytes compiled, char *reterr,
                                           size_t reterr_size);
/* Frees what th_engine_serialize gave. Accepts no bytes. */
void th_engine_bytes_free(th_engine_bytes bytes);
/* Frees a component, after its turns. Accepts NULL. */
void th_engine_component_free(th_engine_component *component);

/* Why a step of a turn ended. The first that is not TH_ENGINE_OK ends the turn: only th_engine_turn_fuel and
 * th_engine_turn_end may follow. */
typedef enum th_engine_outcome {
    TH_ENGINE_OK = 0,
    TH_ENGINE_ERROR = 1, /* init or handle returned an error; the text is its `output` */
    TH_ENGINE_TRAP = 2, /* rejection code 3; `trap` says which */
    TH_ENGINE_OUT_OF_FUEL = 3, /* rejection code 4 */
    TH_ENGINE_STOPPED = 4, /* a host callback returned false */
    TH_ENGINE_STACK = 5, /* rejection code 6 */
    /* The engine or the machine failed: no element. The pool is full, the host could not grow a memory within
     * its limit, a panic, more than a million handles; also a memory that begins past the limit, see
     * `memory_bytes` below. */
    TH_ENGINE_FAILED = 6,
} th_engine_outcome;

/* Where the input came from: the variant input-source. */
typedef enum th_engine_source_kind {
    TH_ENGINE_SOURCE_GENESIS,
    TH_ENGINE_SOURCE_CLIENT,
    TH_ENGINE_SOURCE_ACTOR,
    TH_ENGINE_SOURCE_REPLY,
} th_engine_source_kind;

/* What one turn can observe, and its limits. The struct is copied; the bytes and what `context` is are
 * borrowed until th_engine_turn_end. Names are UTF-8, or the turn is TH_ENGINE_FAILED. */
typedef struct th_engine_turn_options {
    uint64_t fuel; /* fuel of the turn */
    /* Limit of each linear memory: growth past it answers -1. The chain format bounds growth alone, and no
     * other bound may show on a chain. So an instance whose memory begins past the limit makes no element
     * (TH_ENGINE_FAILED, with the reason as `detail`): the actor then cannot start, or be upgraded, under
     * that limit. */
    uint64_t memory_bytes;
    uint64_t timestamp_ns; /* now() */
    uint64_t sequence; /* sequence() */
    th_engine_bytes self_name; /* self-name() */
    th_engine_source_kind source_kind;
    bool has_principal; /* client: whether there is a principal */
    th_engine_bytes source_name; /* client: the principal; actor: its name */
    uint64_t reply_request; /* reply */
    bool reply_failed; /* reply */

    /* Host functions that have an effect or need bytes. Called on the turn's thread during the calls below,
     * th_engine_turn_begin too, in the order of the guest's calls; never with text that is not UTF-8. A
     * callback that returns false ends the turn with TH_ENGINE_STOPPED at that host call. They must not call
     * into the engine, and must not unwind. */
    void *context;
    /* `level` from 0 trace to 4 error. The text is valid for the call. */
    bool (*log)(void *context, uint32_t level, th_engine_bytes text);
    /* *ret: `length` bytes that stay valid until the next callback or the end of the turn. */
    bool (*random)(void *context, uint32_t length, th_engine_bytes *ret);
    /* `to` is any text, to be checked; both slices are valid for the call. */
    bool (*send)(void *context, th_engine_bytes to, th_engine_bytes payload);
    bool (*request)(void *context, th_engine_bytes to, th_engine_bytes payload, uint64_t *ret_id);
} th_engine_turn_options;

/* What a step gave. Slices belong to the turn and are valid until th_engine_turn_end; verify_state gives
 * those of the step before again. */
typedef struct th_engine_result {
    th_engine_bytes output; /* of handle; the error's text with TH_ENGINE_ERROR */
    th_engine_bytes state; /* the new state, of init and handle */
    bool valid; /* of verify_state */
    /* With TH_ENGINE_TRAP, a static string of the chain format: "unreachable", "memory", "table", "division",
     * "integer" or "abi"; else NULL. */
    const char *trap;
    /* For logs: message and backtrace with function names, or NULL. Valid until th_engine_turn_end. Not the
     * same on every machine, so never for the chain. */
    const char *detail;
} th_engine_result;

/* Begins a turn: a store and a fresh instance. Gives a turn in *ret, also when the outcome is not OK (so that
 * `detail` and fuel can be read), except with TH_ENGINE_FAILED, where *ret may be NULL. */
th_engine_outcome th_engine_turn_begin(th_engine_component *component, const th_engine_turn_options *options,
                                       th_engine_turn **ret, th_engine_result *ret_result);
/* init(config), handle(input, state) or verify-state(state) of the turn's instance, its post-return included;
 * init or handle at most once in a turn. Each gives the whole result, whatever its size: the limits are the
 * caller's to check. */
th_engine_outcome th_engine_turn_init(th_engine_turn *turn, th_engine_bytes config,
                                      th_engine_result *ret_result);
th_engine_outcome th_engine_turn_handle(th_engine_turn *turn, th_engine_bytes input, th_engine_bytes state,
                                        th_engine_result *ret_result);
th_engine_outcome th_engine_turn_verify_state(th_engine_turn *turn, th_engine_bytes state,
                                              th_engine_result *ret_result);
/* Fuel used since the turn began; the limit where it was spent. Counts for a turn that succeeded or returned
 * an error: what stands here after a trap is not the same under every engine. */
uint64_t th_engine_turn_fuel(const th_engine_turn *turn);
/* Drops the instance, the store and all results. Accepts NULL. */
void th_engine_turn_end(th_engine_turn *turn);

#ifdef __cplusplus
}
#endif

#endif
