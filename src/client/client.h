/* client/client.h: a running server, spoken to by its /v1 interface (docs/http-api.md).
 *
 * A client is one connection that is kept, to a TCP address, over TLS, or to a Unix socket. Its functions
 * take and give the same types as the library's, so that a command works alike on a data folder and on a
 * server. What the server says in a problem document (RFC 9457) becomes the same status with the same words
 * as the library would have given there. Failures of the way to the server are:
 *
 *   IO                nobody answers at the address, the connection broke, or what answers is no Theater server
 *   PERMISSION        the token is missing, not known or may not do that; the certificate cannot be trusted
 *   VERSION           the server speaks another version of the interface
 *   TIMEOUT           nothing came for STALL_SECONDS (transfer.c)
 *   INTERRUPTED       `interrupted` said so
 *
 * One thread at a time may use a client. */
#ifndef TH_CLIENT_CLIENT_H
#define TH_CLIENT_CLIENT_H

#include "base/bytes.h"
#include "theater/theater.h"

typedef struct th_client th_client;

typedef struct th_client_options {
    const char *server; /* "http://HOST:PORT", "https://HOST:PORT" or "unix:PATH" */
    const char *token; /* NULL: none */
    const char
        *authority; /* PEM file of who signed the server's certificate; NULL: whom the machine trusts */
    bool (*interrupted)(void); /* asked some times a second while waiting; NULL: never */
} th_client_options;

/* Connects and asks which version answers. INVALID_ARGUMENT: an address of another form; and the failures
 * above. The options' texts are copied. */
THEATER_CHECKED theater_status th_client_open(const th_client_options *options, th_client **ret,
                                              theater_error *reterr);
void th_client_close(th_client *client); /* accepts NULL */
/* The address as it was given. Valid as long as the client. */
const char *th_client_address(const th_client *client);
/* The version of the program that answers, as theater_version() there. Valid as long as the client. */
const char *th_client_server_version(const th_client *client);
/* Whether something takes connections at this Unix socket now. */
bool th_client_probe(const char *socket_path);

/* ---- actors -------------------------------------------------------------------------------------------- */

/* As theater_folder_actor, but NOT_FOUND also for an actor whose chain has not begun. */
THEATER_CHECKED theater_status th_client_actor(th_client *client, const char *name, theater_actor_info *ret,
                                               theater_error *reterr);
/* As theater_folder_actors. */
THEATER_CHECKED theater_status th_client_actors(th_client *client,
                                                bool (*each)(void *context, const theater_actor_info *info),
                                                void *context, theater_error *reterr);
/* As theater_actor_start. */
THEATER_CHECKED theater_status th_client_start(th_client *client, const theater_actor_options *options,
                                               theater_hash *ret_genesis, theater_error *reterr);
THEATER_CHECKED theater_status th_client_upgrade(th_client *client, const char *name,
                                                 const theater_upgrade_options *options,
                                                 theater_hash *ret_element, theater_error *reterr);
THEATER_CHECKED theater_status th_client_stop(th_client *client, const char *name, theater_error *reterr);
THEATER_CHECKED theater_status th_client_resume(th_client *client, const char *name, theater_error *reterr);
THEATER_CHECKED theater_status th_client_remove(th_client *client, const char *name, theater_error *reterr);

/* ---- messages ------------------------------------------------------------------------------------------ */

/* As theater_send. A principal is taken over a Unix socket only: elsewhere the token says who it is
 * (INVALID_ARGUMENT). */
THEATER_CHECKED theater_status th_client_send(th_client *client, const theater_message *message,
                                              theater_answer *ret, theater_error *reterr);
/* As theater_query. */
THEATER_CHECKED theater_status th_client_query(th_client *client, const theater_message *message,
                                               theater_answer *ret, theater_error *reterr);

/* As theater_drain, but for a quarter of a second at the most. */
THEATER_CHECKED theater_status th_client_drain(th_client *client, uint64_t timeout_ms, theater_error *reterr);

/* Many messages in one request. */
typedef struct th_client_batch {
    const char *actor;
    const char *id; /* the messages have the keys ID-1, ID-2 and so on; NULL: none */
    const char *principal; /* as with th_client_send */
    /* Where messages come from: polled while there is room for more. */
    int fd;
    /* Called when `fd` can be read and there is room: reads once and appends messages with
     * th_client_batch_add; *ret_end after the last. */
    theater_status (*fill)(void *context, int fd, th_buf *out, bool *ret_end, theater_error *reterr);
    /* One answer, in the order of the messages; false: send no more. It may take the output out. */
    bool (*answer)(void *context, theater_answer *answer);
    void (*idle)(void *context); /* nothing came for the moment; may be NULL */
    void *context;
} th_client_batch;
/* Appends one message as the interface frames it. */
THEATER_CHECKED theater_status th_client_batch_add(th_buf *out, th_slice message, theater_error *reterr);
/* Sends and gives the answers until all messages are answered. An interruption only ends the sending. What a
 * message came to is its answer; the status is that of the way there and of `fill`. */
THEATER_CHECKED theater_status th_client_batch_run(th_client *client, const th_client_batch *batch,
                                                   theater_error *reterr);

/* ---- chains -------------------------------------------------------------------------------------------- */

/* The elements from `from` up to before `end`, in order, until the callback returns false. An element is
 * valid during the callback, and of its hashes those of input, output and effects, its encoding and its
 * effects are not filled. */
THEATER_CHECKED theater_status th_client_elements(th_client *client, const char *name, uint64_t from,
                                                  uint64_t end,
                                                  bool (*each)(void *context, const theater_element *element),
                                                  void *context, theater_error *reterr);

/* A state, and after which element it is. */
typedef struct th_client_state {
    uint64_t sequence;
    theater_hash element;
    theater_hash root;
    theater_bytes bytes; /* theater_bytes_free */
} th_client_state;
/* The newest state, or with `at` the one after that element. */
THEATER_CHECKED theater_status th_client_state_read(th_client *client, const char *name, const uint64_t *at,
                                                    th_client_state *ret, theater_error *reterr);
/* As theater_trace; a server gives at most TH_CLIENT_TRACE_MAX steps. */
#define TH_CLIENT_TRACE_MAX 10000
THEATER_CHECKED theater_status th_client_trace(th_client *client, const char *name, uint64_t sequence,
                                               uint64_t max_steps,
                                               bool (*each)(void *context, const theater_trace_step *step),
                                               void *context, bool *ret_more, theater_error *reterr);

/* A turn that was looked at, with what its slices point into. */
typedef struct th_client_trial {
    theater_trial trial;
    theater_bytes text;
    th_arena arena;
} th_client_trial;
void th_client_trial_done(th_client_trial *trial);
/* As theater_rerun. */
THEATER_CHECKED theater_status th_client_rerun(th_client *client, const char *name, uint64_t sequence,
                                               th_client_trial *ret, theater_error *reterr);
/* As theater_try, on the state after element `after`; the state after the turn is given only when asked for. */
THEATER_CHECKED theater_status th_client_try(th_client *client, const char *name, uint64_t after,
                                             bool with_state, theater_slice input, th_client_trial *ret,
                                             theater_error *reterr);

/* ---- proofs and files ---------------------------------------------------------------------------------- */

/* As theater_checkpoint, theater_verifier_key, theater_prove_inclusion and theater_prove_consistency. */
THEATER_CHECKED theater_status th_client_checkpoint(th_client *client, const char *name,
                                                    theater_bytes *ret_note, theater_error *reterr);
THEATER_CHECKED theater_status th_client_key(th_client *client, const char *name, theater_bytes *ret,
                                             theater_error *reterr);
THEATER_CHECKED theater_status th_client_prove_inclusion(th_client *client, const char *name,
                                                         uint64_t sequence, theater_slice note,
                                                         theater_bytes *ret, theater_error *reterr);
THEATER_CHECKED theater_status th_client_prove_consistency(th_client *client, const char *name,
                                                           theater_slice older, theater_slice newer,
                                                           theater_bytes *ret, theater_error *reterr);

/* What a bundle is to hold. */
typedef struct th_client_bundle {
    const char *const *names; /* NULL: every chain */
    size_t count;
    bool without_components, without_snapshots, without_payloads;
    void (*progress)(void *context, uint64_t done, uint64_t all); /* bytes; may be NULL */
    void *context;
} th_client_bundle;
/* Fetches a bundle into an open file. */
THEATER_CHECKED theater_status th_client_export(th_client *client, const th_client_bundle *bundle, int fd,
                                                theater_error *reterr);
/* As theater_import, of the bundle's bytes. */
THEATER_CHECKED theater_status th_client_import(th_client *client, theater_slice bundle, const char *name,
                                                theater_error *reterr);

/* ---- jobs ---------------------------------------------------------------------------------------------- */

/* Lets the server itself verify or replay, and waits for its report. `name` NULL: every chain. Of the
 * options `all`, `pulley` and `progress` count. */
THEATER_CHECKED theater_status th_client_job(th_client *client, const char *name, bool replay,
                                             const theater_check_options *options, theater_report *ret,
                                             theater_error *reterr);

/* ---- events and figures -------------------------------------------------------------------------------- */

/* One element as it was committed. Valid during the callback. */
typedef struct th_client_event {
    uint64_t place; /* where it stands: its sequence (one actor), or its number in the log (all) */
    th_slice json; /* the event's data as it came */
    const char *actor;
    uint64_t actor_id;
    theater_element element; /* as th_client_elements gives it */
} th_client_event;

typedef struct th_client_watch {
    const char *name; /* NULL: all actors */
    /* In: where to begin, when `has_place`; else from now on. Out: behind the last event that was given. */
    bool has_place;
    uint64_t place;
    bool (*each)(void *context, const th_client_event *event); /* false: enough */
    void (*opened)(void *context); /* the server has begun to send; may be NULL */
    void *context;
} th_client_watch;
/* Gives events until the callback has enough (OK) or the stream ends: IO, with `watch` as it is to be given
 * to go on without a gap or a repetition; or INTERRUPTED. */
THEATER_CHECKED theater_status th_client_watch_run(th_client *client, th_client_watch *watch,
                                                   theater_error *reterr);

/* The figures of /metrics, one callback for each sample: "theater_turns_total", its labels as they stand
 * ("le=\"0.001\"", or empty), its value. */
THEATER_CHECKED theater_status th_client_metrics(th_client *client,
                                                 void (*each)(void *context, const char *name,
                                                              const char *labels, double value),
                                                 void *context, theater_error *reterr);

#endif
