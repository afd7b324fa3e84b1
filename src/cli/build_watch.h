/* cli/build_watch.h: `theater build --watch`, and whether a build is due. */
#ifndef TH_CLI_BUILD_WATCH_H
#define TH_CLI_BUILD_WATCH_H

#include "cli/cli.h"
#include "guest/guest.h"

/* Builds a project once, and prints what was built. */
typedef theater_status cli_build_once(void *context, const th_guest_project *project, th_guest_built *ret,
                                      theater_error *reterr);

/* Builds, then again whenever a file of the project's folder changes, until SIGINT or SIGTERM; then OK. A build
 * that fails is told on standard error, and watching goes on. With `actor` (may be NULL) the actor of this
 * name in the data folder of `cli` is started, or upgraded, after each build that worked; that too may fail and
 * is told. INVALID_ARGUMENT: an actor without a data folder. */
THEATER_CHECKED theater_status cli_build_watch(cli_run *cli, const th_guest_project *project, const char *actor,
                                               cli_build_once *build, theater_error *reterr);

/* Whether the component is not there, or older than a file of the project's folder (but those that builds and
 * runs make). */
bool cli_build_is_due(const th_guest_project *project, const char *component);

#endif
