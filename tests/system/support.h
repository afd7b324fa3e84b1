/* The whole runtime through include/theater/ alone, with the real engine and the components of
 * tests/fixtures: what the tests of this folder share. Every function here fails the running test when it
 * cannot do what it says. */
#ifndef TH_TESTS_SYSTEM_SUPPORT_H
#define TH_TESTS_SYSTEM_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "theater/theater.h"

#define OK(call, error) system_ok((call), &(error), #call, __LINE__)
void system_ok(theater_status status, const theater_error *error, const char *call, int line);

/* A status and a message that holds all of these words; the list ends with NULL. Also that the message is
 * neither empty nor more than it says: no control characters but line ends between several findings. */
void system_expect_error(theater_status status, const theater_error *error, theater_status want,
                         const char *what, ...);

/* ---- files --------------------------------------------------------------------------------------------- */

theater_slice text_of(const char *text);
/* A whole file (theater_bytes with malloc'd data, given back with free). */
theater_bytes system_read(const char *path);
void system_write(const char *path, theater_slice bytes);
/* A component by the name of its text in tests/fixtures/components, or of an example actor ("actors/ring").
 * Read once, kept for ever. */
theater_slice system_component(const char *name);
/* "FOLDER/NAME" in one of eight static buffers that take turns. */
const char *system_path(const char *folder, const char *name);
/* A path below the build folder at which nothing stands; static memory, as above. */
const char *system_fresh(const char *name);
void system_remove_tree(const char *path);
void system_copy_tree(const char *from, const char *to);
/* The path of the first file in FOLDER/SUB, in the order of names; static memory. */
const char *system_first_file(const char *folder, const char *sub);

/* ---- one runtime on one folder, with an actor that nothing bad happens to ------------------------------ */

typedef struct system_bench {
    const char *folder;
    theater_runtime *runtime;
    uint64_t witnessed; /* messages that the witness took */
} system_bench;

/* Opens a runtime on a fresh folder and starts the actor `witness`, a counter. `options` may be NULL; its
 * folder is replaced. */
void system_begin(system_bench *bench, const char *name, const theater_runtime_options *options);
/* Closes and opens again. */
void system_reopen(system_bench *bench, const theater_runtime_options *options);
/* Another message to the witness: it counts on as if nothing had happened. */
void system_witness(system_bench *bench);
/* Witnesses, drains, closes, checks the folder by system_check_folder and removes it. */
void system_end(system_bench *bench);

/* Every checksum, verification of all chains with all causes, and re-execution of every turn say that all is
 * well. */
void system_check_folder(const char *folder);

/* ---- actors -------------------------------------------------------------------------------------------- */

theater_status system_try_start(theater_runtime *runtime, const char *name, const char *component,
                                theater_slice config,
                                const theater_limits *limits, theater_error *reterr);
void system_start(theater_runtime *runtime, const char *name, const char *component, const char *config);
theater_status system_send(theater_runtime *runtime, const char *name, theater_slice input,
                           theater_answer *ret,
                           theater_error *reterr);
/* A message that is accepted; its output is dropped. The element's sequence. */
uint64_t system_accept(theater_runtime *runtime, const char *name, theater_slice input);
/* What the folder says of an actor. */
void system_info(const char *folder, const char *name, theater_actor_info *ret);

/* ---- processes ----------------------------------------------------------------------------------------- */

/* Runs this program again as `PROGRAM mode argument...` (main gives those to the child's function) with pipes
 * to and from it. The list ends with NULL. */
typedef struct system_child {
    int pid;
    int to, from; /* its standard input and output */
} system_child;
void system_spawn(system_child *child, const char *mode, ...);
/* Closes the pipes and waits; the exit code, or 1000 and the signal's number. */
int system_wait(system_child *child);
/* Reads one line from the child (without its end) into `out`; false at the end of its output. */
bool system_line(system_child *child, char *out, size_t size);

#endif
