/* What is fuzzed: one function for each thing that reads bytes of others.
 *
 * A target takes any bytes. It must not crash, leak or run long, and beyond that it holds what its decoder
 * promises: what was accepted encodes to the same bytes again, what was refused has a message. A promise that
 * is broken aborts, so that both drivers see it: libFuzzer (fuzzer.c, preset `fuzz`) and the replay of the kept
 * inputs, which needs no clang (replay.c, a test). */
#ifndef TH_TESTS_FUZZ_TARGETS_H
#define TH_TESTS_FUZZ_TARGETS_H

#include "base/bytes.h"

typedef struct fuzz_target {
    const char *name; /* also that of its folder in corpus/ */
    void (*run)(th_slice input);
    size_t max_size;
} fuzz_target;

extern const fuzz_target fuzz_targets[];
extern const size_t fuzz_target_count;

/* NULL for a name that there is not. */
const fuzz_target *fuzz_find(const char *name);

/* Aborts with the place when a promise is broken. */
#define FUZZ_HOLDS(condition) ((condition) ? (void)0 : fuzz_broken(#condition, __FILE__, __LINE__))
_Noreturn void fuzz_broken(const char *condition, const char *file, int line);
/* A refusal has a status of its kind and a message. */
void fuzz_refused(theater_status status, const theater_error *error);

/* targets of the files beside targets.c */
void fuzz_bundle(th_slice input);
void fuzz_relinked(th_slice input);
void fuzz_records(th_slice input);
void fuzz_segment(th_slice input);
void fuzz_component(th_slice input);
void fuzz_json(th_slice input);
void fuzz_tokens(th_slice input);
void fuzz_script(th_slice input);
void fuzz_http(th_slice input);
void fuzz_websocket(th_slice input);
void fuzz_commands(th_slice input);

#endif
