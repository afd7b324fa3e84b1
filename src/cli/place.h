/* cli/place.h: where a command works: on a data folder, or on a running server.
 *
 * A command opens a place and calls what it needs; which of the two it is matters to none. It is a server when
 * --server or THEATER_SERVER names one, and, for a command that writes, also when the data folder's own server
 * answers at FOLDER/server.sock: then nobody else can write to the folder. Reading goes to the folder itself. */
#ifndef TH_CLI_PLACE_H
#define TH_CLI_PLACE_H

#include "cli/cli.h"
#include "client/client.h"

typedef enum cli_access {
    CLI_READ, /* reads chains */
    CLI_WRITE, /* needs the folder for itself: runs turns, or writes */
    CLI_CREATE, /* likewise, and makes the folder when it is missing */
} cli_access;

typedef struct cli_place {
    const cli_run *cli;
    th_client *client; /* set: a server, and the two others are NULL */
    theater_runtime *runtime; /* set with CLI_WRITE and CLI_CREATE on a folder */
    theater_folder *folder; /* opened when something is read */
} cli_place;

/* Opens it. `options` (may be NULL) are of the runtime, where it is one. From a CLI_WRITE on, SIGINT and
 * SIGTERM only set a flag. */
THEATER_CHECKED theater_status cli_place_open(const cli_run *cli, cli_access access,
                                              const theater_runtime_options *options, cli_place *ret,
                                              theater_error *reterr);
void cli_place_close(cli_place *place);

/* The server that --server or THEATER_SERVER names; NULL: none. */
const char *cli_server(const cli_run *cli);
/* Connects to the server that is named (`address`, or cli_server when NULL). */
THEATER_CHECKED theater_status cli_connect(const cli_run *cli, const char *address, th_client **ret,
                                           theater_error *reterr);

/* Each as the function of theater/runtime.h or theater/folder.h of the same name. An actor is named as the
 * user named it. */
THEATER_CHECKED theater_status cli_place_actor(cli_place *place, const char *name, theater_actor_info *ret,
                                               theater_error *reterr);
THEATER_CHECKED theater_status cli_place_actors(cli_place *place,
                                                bool (*each)(void *context, const theater_actor_info *info),
                                                void *context, theater_error *reterr);
THEATER_CHECKED theater_status cli_place_start(cli_place *place, const theater_actor_options *options,
                                               theater_hash *ret, theater_error *reterr);
THEATER_CHECKED theater_status cli_place_upgrade(cli_place *place, const char *name,
                                                 const theater_upgrade_options *options, theater_hash *ret,
                                                 theater_error *reterr);
THEATER_CHECKED theater_status cli_place_stop(cli_place *place, const char *name, theater_error *reterr);
THEATER_CHECKED theater_status cli_place_resume(cli_place *place, const char *name, theater_error *reterr);
THEATER_CHECKED theater_status cli_place_remove(cli_place *place, const char *name, theater_error *reterr);
THEATER_CHECKED theater_status cli_place_send(cli_place *place, const theater_message *message,
                                              theater_answer *ret, theater_error *reterr);
THEATER_CHECKED theater_status cli_place_query(cli_place *place, const theater_message *message,
                                               theater_answer *ret, theater_error *reterr);
THEATER_CHECKED theater_status cli_place_checkpoint(cli_place *place, const char *name, theater_bytes *ret,
                                                    theater_error *reterr);
THEATER_CHECKED theater_status cli_place_key(cli_place *place, const char *name, theater_bytes *ret,
                                             theater_error *reterr);
THEATER_CHECKED theater_status cli_place_inclusion(cli_place *place, const char *name, uint64_t sequence,
                                                   th_slice note, theater_bytes *ret, theater_error *reterr);
THEATER_CHECKED theater_status cli_place_consistency(cli_place *place, const char *name, th_slice older,
                                                     th_slice newer, theater_bytes *ret,
                                                     theater_error *reterr);
THEATER_CHECKED theater_status cli_place_import(cli_place *place, const char *path, const char *name,
                                                theater_error *reterr);

/* Waits until nothing is left to do, at most the time of `--drain`, over a server only when that is given; what
 * is left is only said on standard error. */
THEATER_CHECKED theater_status cli_place_drain(cli_place *place, theater_error *reterr);

/* The elements from `from` up to before `end`, in order; stops when the callback returns false. */
THEATER_CHECKED theater_status cli_place_elements(cli_place *place, const theater_actor_info *info,
                                                  uint64_t from, uint64_t end,
                                                  bool (*each)(void *context, const theater_element *element),
                                                  void *context, theater_error *reterr);
/* The state after element `sequence`. */
THEATER_CHECKED theater_status cli_place_state(cli_place *place, const theater_actor_info *info,
                                               uint64_t sequence, th_client_state *ret,
                                               theater_error *reterr);
THEATER_CHECKED theater_status cli_place_trace(cli_place *place, const theater_actor_info *info,
                                               uint64_t sequence, uint64_t max_steps,
                                               bool (*each)(void *context, const theater_trace_step *step),
                                               void *context, bool *ret_more, theater_error *reterr);
/* A turn that was looked at; free it with cli_trial_done. */
typedef struct cli_trial {
    theater_trial *trial; /* one of the two */
    theater_trial own;
    th_client_trial fetched;
} cli_trial;
void cli_trial_done(cli_trial *trial);
THEATER_CHECKED theater_status cli_place_rerun(cli_place *place, const theater_actor_info *info,
                                               uint64_t sequence, cli_trial *ret, theater_error *reterr);
/* `with_state`: a server sends the state after the turn only when it is wanted. */
THEATER_CHECKED theater_status cli_place_try(cli_place *place, const theater_actor_info *info, uint64_t after,
                                             bool with_state, th_slice input, cli_trial *ret,
                                             theater_error *reterr);
/* Fetches a bundle from the place, which is a server, into a new file whose name is put into `path`; the
 * caller removes it. */
#define CLI_TEMPORARY_SIZE 512
THEATER_CHECKED theater_status cli_place_fetch(cli_place *place, const char *const *names, size_t count,
                                               char path[CLI_TEMPORARY_SIZE], theater_error *reterr);
/* Reads on: a folder sees what was committed since it was opened; a server always does. */
THEATER_CHECKED theater_status cli_place_refresh(cli_place *place, theater_error *reterr);

#endif
