/* theater_encoder.h: makes a component of the world theater:actor/guest from a core module.
 *
 * The last step of `theater build`: the compiler gives a core WebAssembly module whose exports and imports
 * carry the names of the canonical ABI, and this wraps it. The world is the one of wit/actor.wit, built in.
 * A module whose compiler can export only identifiers may name the three functions and the allocator
 * theater_init, theater_handle, theater_verify_state and theater_realloc.
 *
 * The same module gives the same component, byte for byte. No panic crosses this border: one inside becomes
 * an error.
 *
 * libtheater_encoder.a holds the engine too (theater_engine.h), because a program can link only one Rust
 * static library.
 *
 * Threads: any number at once. This header includes nothing of the project, so the crate can be built and
 * tested alone.
 */
#ifndef THEATER_ENCODER_H
#define THEATER_ENCODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes that this library gave. Has the layout of theater_bytes, but only th_encoder_free may free
 * it. */
typedef struct th_encoder_bytes {
    uint8_t *data;
    size_t size;
} th_encoder_bytes;

/* Wraps the core module of `size` bytes at `module` (borrowed for the call) into a component and validates
 * the result. With `wasi`, calls of wasi_snapshot_preview1 are answered inside the component by the adapter
 * of sdk/wasi-stub; without, a module that makes one is refused. On success *ret is the caller's, to be given back with th_encoder_free. On failure returns
 * false, leaves *ret empty and writes what is wrong (not a module, a missing or mistyped export, an import
 * that the world does not have) as one line of UTF-8 to `reterr`, cut to `reterr_size` bytes with its
 * terminating zero. */
bool th_encoder_component(const uint8_t *module, size_t size, bool wasi, th_encoder_bytes *ret, char *reterr,
                          size_t reterr_size);

/* Makes one core module, for th_encoder_component, of a component that a tool chain made of many: the linking
 * that an instance would do each turn is done once. Functions of WASI that it imports are answered inside,
 * by the host's clock and random numbers where it is those, and by a log line and a trap otherwise. On
 * success *ret is the caller's, to be given back with th_encoder_free. On failure returns false, leaves *ret
 * empty and writes what is wrong (no component, not an actor's, a module with a start function) as one line
 * of UTF-8 to `reterr`. */
bool th_encoder_merge(const uint8_t *component, size_t size, th_encoder_bytes *ret, char *reterr,
                      size_t reterr_size);

/* Runs the `_initialize` of a core module once, and makes the module that begins where it ended, so that no turn
 * pays for it; a module without one is given back as it is. What the start-up asks of wasi_snapshot_preview1 is
 * answered by constants: the clock is 1980-01-01, random bytes are always the same. On success *ret is the
 * caller's, to be given back with th_encoder_free. On failure (a trap, a call of the host, which has no answer
 * before there is a turn, more fuel or memory than a start-up may use, what a snapshot cannot keep) returns
 * false, leaves *ret empty and writes what is wrong, with what the module printed, as one line of UTF-8 to
 * `reterr`. */
bool th_encoder_snapshot(const uint8_t *module, size_t size, th_encoder_bytes *ret, char *reterr,
                         size_t reterr_size);

/* Looks at a component: whether it imports anything but (a part of) theater:actor/host. Returns false and
 * writes what is wrong, with the names and the remedy, as one line of UTF-8 to `reterr`, when it does or is no
 * component. That it exports an actor is for the runtime's loader to see. */
bool th_encoder_inspect(const uint8_t *component, size_t size, char *reterr, size_t reterr_size);

/* Frees what th_encoder_component, th_encoder_merge or th_encoder_snapshot gave. Accepts an empty value. */
void th_encoder_free(th_encoder_bytes bytes);

#ifdef __cplusplus
}
#endif

#endif
