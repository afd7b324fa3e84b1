/* tool/tool.h: the steps of a build: C to a core module, a core module to a component, and a look at it.
 *
 * src/guest/ makes `theater build` of these, for every language; theater-componentize makes the example
 * actors of them while the project itself is built. They run a compiler, write where they are told, and let
 * the compiler's own messages through to standard error. They are no part of libtheater and reach files and
 * processes directly, not through the port.
 *
 * Threads: any.
 */
#ifndef TH_TOOL_TOOL_H
#define TH_TOOL_TOOL_H

#include <limits.h>

#include "base/bytes.h"

/* Compiles and links C files to a core module at `output`, with the SDK's headers and with `include` (may be
 * NULL) in the search path. Paths in the module are relative to `base` (may be NULL). Intermediate files go
 * to the folder of `output`. *ret_compiler (may be NULL) gets a path of up to PATH_MAX bytes. The same
 * sources and compiler give the same bytes, wherever they lie. Errors: NOT_FOUND (nothing to compile),
 * INVALID_ARGUMENT (the sources do not compile or link, after the compiler's own words on standard error),
 * TOOL_MISSING (no clang, no wasm-ld, no SDK; the message says what to install), PERMISSION, NO_SPACE, IO,
 * NO_MEMORY. */
typedef struct th_tool_sources {
    const char *const *paths;
    size_t count;
    const char *base;
    const char *include;
} th_tool_sources;
THEATER_CHECKED theater_status th_tool_compile(const th_tool_sources *sources, const char *output,
                                               char *ret_compiler, theater_error *reterr);

/* Wraps the core module in file `module` to a component of the world theater:actor/guest in file `output`,
 * which is replaced whole or not at all. With `wasi`, calls of WASI preview 1 are answered inside the component
 * (sdk/wasi-stub/README.md). *ret_bytes (may be NULL) gets its size. COMPONENT_REFUSED: the module does not fit
 * the world. */
THEATER_CHECKED theater_status th_tool_componentize(const char *module, const char *output, bool wasi,
                                                    size_t *ret_bytes, theater_error *reterr);

/* Makes one core module, in file `output`, of a component of many in file `component`, for th_tool_componentize;
 * what it imports of WASI is answered inside. COMPONENT_REFUSED: it is no actor, or cannot be merged. */
THEATER_CHECKED theater_status th_tool_merge(const char *component, const char *output, theater_error *reterr);

/* Runs the start-up of the core module in file `module` once, and writes the module that begins behind it to file
 * `output`, for th_tool_componentize (theater_encoder.h). INVALID_ARGUMENT: the start-up fails, with what it said. */
THEATER_CHECKED theater_status th_tool_snapshot(const char *module, const char *output, theater_error *reterr);

/* Looks whether a component imports only what an actor has. COMPONENT_REFUSED with the list of what else, and
 * the remedy; `name` is for the message. */
THEATER_CHECKED theater_status th_tool_inspect(th_slice component, const char *name, theater_error *reterr);

/* The folder of the SDK's headers: $THEATER_SDK or its folder c, else ../share/theater/sdk/c beside the program, else the one
 * known when this was built. `ret` has room for PATH_MAX bytes. TOOL_MISSING when theater.h is in none of
 * them. */
THEATER_CHECKED theater_status th_tool_find_sdk(char *ret, theater_error *reterr);

#endif
