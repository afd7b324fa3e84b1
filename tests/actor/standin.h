/* A machine that needs no engine: its components are texts, and its guests are a small command language in
 * C. For tests of everything above the machine, the simulation's runtime too; deterministic to the byte, in
 * fuel as well.
 *
 * A component is "standin:KIND OPTION...". Kinds:
 *   counter   the interpreter below
 *   echo      output is the input; the state is the config for ever
 * Options (each optional):
 *   init=error|trap|loop|invalid    what init does instead of succeeding
 *   verify=false|trap|loop          what verify-state does
 *   max=N                           verify-state is false when the counter is above N
 *   version=TEXT                    nothing; makes another binary
 *
 * A counter's config and input are commands, separated by ; or newlines. A word or a payload may be put in
 * braces, which nest, so that a payload can be commands again: "add 3; send bob {add 1; request carol {say
 * hello}}". An answer (source reply) is never run: it is counted, and observed. Commands:
 *   add N, sub N, set N     the counter, modulo 2^64
 *   say TEXT, out N         the output: the text, or N bytes; without these it is the counter in decimal
 *   observe                 the output: "now=.. sequence=.. self=.. source=.."; in init a log line
 *   grow N, shrink N, touch N   the state's filler: N more bytes, N less, or the byte at N changed
 *   state N                 the state is exactly N bytes (at least 32)
 *   log LEVEL TEXT          level 0 to 4
 *   send NAME PAYLOAD, request NAME PAYLOAD, send-size NAME N
 *   random N                N random bytes, appended to the output and taken into the digest
 *   repeat N {COMMANDS}
 *   burn N                  N fuel
 *   recurse N               a recursion N deep, which overflows the stack when the machine's depth is less
 *   fail TEXT, fail-size N  handle returns this error
 *   trap KIND               "unreachable", "memory", "table", "division", "integer" or "abi"
 *   loop                    never ends: out of fuel
 *   invalid                 makes a state that verify-state refuses
 *   verify-trap, verify-loop  what verify-state does at the end of this turn
 *   engine-fail             the machine fails: no element
 * Anything else is the error "unknown command WORD".
 *
 * A counter's state is 32 bytes and the filler: see th_standin_state. */
#ifndef TH_TESTS_ACTOR_STANDIN_H
#define TH_TESTS_ACTOR_STANDIN_H

#include <stdatomic.h>

#include "actor/machine.h"

/* One stand-in machine: settings, and what it counted. Any thread may use the machine; the settings stay as
 * they were set before. */
typedef struct th_standin {
    uint64_t fuel_factor;    /* 1; another value is an engine that counts otherwise */
    uint64_t depth;          /* recurse above it is a stack overflow; 1000 */
    atomic_uint compiles;    /* successful ones */
    atomic_uint deserializes;
    atomic_uint components;  /* alive now */
    atomic_uint turns;       /* alive now */
    atomic_ullong ran;       /* turns begun */
} th_standin;

/* Fills a machine named "standin-1" over `standin`, which must outlive it. th_machine_done may be called on
 * it and frees nothing. */
void th_standin_init(th_standin *standin, th_machine *ret);

/* What stands in a counter's state. */
typedef struct th_standin_state {
    uint64_t counter;
    uint64_t digest;  /* over every accepted input, its source and the random bytes, in order */
    uint64_t inputs;  /* accepted, answers too */
    uint32_t replies; /* answers among them */
    uint8_t invalid;
} th_standin_state;
th_standin_state th_standin_read(th_slice state);

enum { TH_STANDIN_HEADER = 32 };

#endif
