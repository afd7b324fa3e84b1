/* tool/tool.h: what `theater new` and `theater build` do, for actors in C.
 *
 * These functions are for a person at a terminal: they run a compiler, write below the folder they are given,
 * and let the compiler's own messages through to standard error. They are no part of libtheater and reach
 * files and processes directly, not through the port.
 *
 * Threads: any, but two builds of one folder at once would fight over its output; the last one wins.
 */
#ifndef TH_TOOL_TOOL_H
#define TH_TOOL_TOOL_H

#include <limits.h>

#include "base/bytes.h"

/* Makes the folder `path`, whose last part becomes the actor's name, and in it a small actor that builds and
 * runs: actor.c, actor.yaml, README.md, inputs.txt, .gitignore. Errors: INVALID_ARGUMENT (not a name by the
 * chain format), EXISTS (something is there), PERMISSION, NO_SPACE, IO. What was written before an error
 * stays. */
THEATER_CHECKED theater_status th_tool_new(const char *path, theater_error *reterr);

/* What a build gave. */
typedef struct th_tool_built {
    char name[129]; /* the actor's name */
    char component[PATH_MAX]; /* path of the component, below the folder that was given */
    char compiler[PATH_MAX]; /* the clang that was used */
    size_t component_bytes;
} th_tool_built;

/* Builds the actor in `folder`: every .c file that lies directly in it, in the order of their names, to
 * build/NAME.wasm. NAME is the `name` of its actor.yaml, or the folder's own name when there is none. The
 * same sources and compiler give the same bytes, wherever they lie. Errors: NOT_FOUND (no folder, no .c
 * file), INVALID_ARGUMENT (the name; the sources do not compile or link, after the compiler's own words on
 * standard error), TOOL_MISSING (no clang, no wasm-ld, no SDK; the message says what to install),
 * COMPONENT_REFUSED (the module does not fit the world), PERMISSION, NO_SPACE, IO, NO_MEMORY. */
THEATER_CHECKED theater_status th_tool_build(const char *folder, th_tool_built *ret, theater_error *reterr);

/* The two steps of a build, for other programs. */

/* Compiles and links C files to a core module at `output`, with the SDK's headers and with `include` (may be
 * NULL) in the search path. Paths in the module are relative to `base` (may be NULL). Intermediate files go
 * to the folder of `output`. *ret_compiler (may be NULL) gets a path of up to PATH_MAX bytes. Errors as
 * th_tool_build. */
typedef struct th_tool_sources {
    const char *const *paths;
    size_t count;
    const char *base;
    const char *include;
} th_tool_sources;
THEATER_CHECKED theater_status th_tool_compile(const th_tool_sources *sources, const char *output,
                                               char *ret_compiler, theater_error *reterr);

/* Wraps the core module in file `module` to a component of the world theater:actor/guest in file `output`,
 * which is replaced whole or not at all. *ret_bytes (may be NULL) gets its size. COMPONENT_REFUSED: the
 * module does not fit the world. */
THEATER_CHECKED theater_status th_tool_componentize(const char *module, const char *output, size_t *ret_bytes,
                                                    theater_error *reterr);

/* The folder of the SDK's headers: $THEATER_SDK, else ../share/theater/sdk/c beside the program, else the one
 * known when this was built. `ret` has room for PATH_MAX bytes. TOOL_MISSING when theater.h is in none of
 * them. */
THEATER_CHECKED theater_status th_tool_find_sdk(char *ret, theater_error *reterr);

#endif
