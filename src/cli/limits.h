/* cli/limits.h: what `start` and `upgrade` share: component, config, limits and manifest. */
#ifndef TH_CLI_LIMITS_H
#define TH_CLI_LIMITS_H

#include "actor/manifest.h"
#include "cli/cli.h"

/* The options of both commands; they come first in the tables. */
#define CLI_ACTOR_OPTIONS                                                                                    \
    {"--component", "FILE", "The component of world theater:actor/guest"},                                   \
        {"--config", "FILE", "A file with the configuration for init"},                                      \
        {"--config-text", "TEXT", "The configuration itself"},                                               \
        {"--manifest", "FILE", "A manifest (actor.yaml) that names all of this; other options win"},         \
        {"--fuel", "N", "Fuel of one turn; 1000000000 when not given"},                                      \
        {"--memory", "SIZE", "Bytes of each linear memory; 64MiB when not given"},                           \
        {"--state", "SIZE", "Bytes of the state; 16MiB when not given"},                                     \
        {"--message", "SIZE",                                                                                \
         "Bytes of an input, an output, a payload or the configuration; 1MiB when not given"},               \
    {                                                                                                        \
        "--effects", "SIZE", "Bytes of the effects and payloads of one turn; 4MiB when not given"            \
    }

typedef struct cli_actor {
    th_manifest manifest;
    bool has_manifest;
    char name[129]; /* of the manifest; empty without one */
    th_buf component; /* empty: not given */
    th_buf config;
    bool has_config;
    theater_limits limits; /* zeros where nothing was said */
    bool has_limits;
} cli_actor;

/* Reads what the options and the manifest name. Free it with cli_actor_done in any case. */
THEATER_CHECKED theater_status cli_actor_read(const cli_run *cli, cli_actor *ret, theater_error *reterr);
void cli_actor_done(cli_actor *actor);

#endif
