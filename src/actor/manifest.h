/* actor/manifest.h: the file that says how an actor is started (actor.yaml). Strict: whatever is not as
 * shown is an error with its line.
 *
 *   name: ledger                 # by the chain format's rules
 *   component: build/ledger.wasm # relative to the manifest
 *   config: '{"start":41}'       # or config-file: FILE; empty when both are missing
 *   limits:                      # optional, and each of them
 *     fuel: 1000000000
 *     memory: 64MiB
 *     state: 16MiB
 *     message: 1MiB
 *     effects: 4MiB */
#ifndef TH_ACTOR_MANIFEST_H
#define TH_ACTOR_MANIFEST_H

#include "chain/descriptor.h"

/* What stands in a manifest. Owned; th_manifest_done gives it back. */
typedef struct th_manifest {
    char *name;        /* a valid name */
    char *component;   /* path as written, not empty */
    char *config;      /* text, or NULL */
    char *config_file; /* path as written, or NULL; never both */
    th_limits limits;  /* defaults where the manifest is silent */
} th_manifest;

/* Limits of an actor that names none: 1,000,000,000 fuel, 64 MiB memory, 16 MiB state, 1 MiB message, 4 MiB
 * effects. */
extern const th_limits th_limits_default;

/* Parses the text of a manifest of at most 16 MiB; `path` is only for messages: "actor.yaml:3: ...". Errors:
 * INVALID_ARGUMENT, NO_MEMORY; then *ret is empty. */
THEATER_CHECKED theater_status th_manifest_parse(th_slice text, const char *path, th_manifest *ret,
                                                 theater_error *reterr);
void th_manifest_done(th_manifest *manifest);

/* Reads "64MiB", "1 GB", "4096": bytes, in units of 1,000 (kB, MB, GB, TB) or 1,024 (KiB to TiB). False
 * when it is not that, or does not fit 64 bits. */
bool th_parse_size(const char *text, uint64_t *ret);

#endif
