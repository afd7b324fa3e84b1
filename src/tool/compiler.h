/* tool/compiler.h: finding clang and wasm-ld, and running them. */
#ifndef TH_TOOL_COMPILER_H
#define TH_TOOL_COMPILER_H

#include <limits.h>

#include "base/bytes.h"

/* A compiler and the linker that goes with it. */
typedef struct th_tool_compiler {
    char clang[PATH_MAX];
    char linker[PATH_MAX];
} th_tool_compiler;

/* $THEATER_CLANG and $THEATER_WASM_LD where they are set; else the newest clang-N of the path from 14 on that
 * has its wasm-ld, then `clang`. A linker of another version is taken only when no compiler has its own.
 * TOOL_MISSING says what to install. */
THEATER_CHECKED theater_status th_tool_find_compiler(th_tool_compiler *ret, theater_error *reterr);

/* Runs a program without a shell and waits for it. Its output goes to standard error. `arguments` starts with
 * the program's path and ends with NULL. INVALID_ARGUMENT with "`what` failed" when it ends with anything but
 * 0. */
THEATER_CHECKED theater_status th_tool_run(const char *const *arguments, const char *what,
                                           theater_error *reterr);

#endif
