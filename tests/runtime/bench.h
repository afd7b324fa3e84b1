/* A runtime over the stand-in machine, for tests: in memory, or in a folder. */
#ifndef TH_TESTS_RUNTIME_BENCH_H
#define TH_TESTS_RUNTIME_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runtime/core.h"

/* Opens one; `options` may be NULL. Fails the test when it cannot. */
theater_runtime *bench_open(const theater_runtime_options *options);
/* Starts an actor of the stand-in with this component text and config. */
theater_status bench_start(theater_runtime *runtime, const char *name, const char *component,
                           const char *config, theater_error *reterr);
/* Starts a counter; fails the test when it cannot. */
void bench_counter(theater_runtime *runtime, const char *name);
/* Sends commands; the answer's output (text) into `out` (at least 256 bytes). The status. */
theater_status bench_send(theater_runtime *runtime, const char *name, const char *input, char *out);
/* Sends and expects success and this output. */
void bench_expect(theater_runtime *runtime, const char *name, const char *input, const char *output);
/* The counter of an actor, by a query. */
uint64_t bench_count(theater_runtime *runtime, const char *name);
/* Everything has come to rest. */
void bench_drain(theater_runtime *runtime);
/* A new empty folder below the build folder; static memory. */
const char *bench_folder(const char *name);

#endif
