/* theater/runtime.h: the runtime manager: start actors, route messages to them, query them.
 *
 * A runtime owns one data folder for as long as it is open (another process that wants to write waits, then
 * gets THEATER_BUSY). All functions may be called from any thread, but never from a completion callback
 * unless it says so. Texts are UTF-8 and end with a zero.
 */
#ifndef THEATER_RUNTIME_H
#define THEATER_RUNTIME_H

#include <stdbool.h>

#include "theater/error.h"
#include "theater/slice.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct theater_runtime theater_runtime;

typedef enum theater_durability {
    THEATER_SYNC = 0,  /* an answer is given after its commit is on disk */
    /* an answer may be given before; the log is written the same way, within milliseconds */
    THEATER_ASYNC = 1,
} theater_durability;

/* How a runtime is opened. Zero means the default everywhere, so `theater_runtime_options options =
 * {.folder = "data"}` is enough. */
typedef struct theater_runtime_options {
    /* data folder; made when missing (its parent must exist); NULL keeps everything in memory */
    const char *folder;
    theater_durability durability;
    unsigned workers;          /* threads that run turns; 0: one for each processor */
    uint32_t lock_wait_ms;     /* how long to wait for another writer; 0: 5,000 */
    const char *origin;        /* origin of checkpoints (see the chain format); NULL: "theater.local" */
    uint32_t mailbox_messages; /* client messages that may wait for one actor, then MAILBOX_FULL; 0: 1,024 */
    uint64_t inflight_bytes; /* bytes of turns that ran and are not committed yet; 0: 64 MiB */
    uint32_t active_actors; /* actors kept in memory; idle ones past it are parked; 0: 10,000 */
    uint64_t active_bytes; /* memory of their states; 0: 1 GiB */
    /* payload bytes after which a snapshot is due (or twice the state, what is more); 0: 1 MiB */
    uint64_t snapshot_bytes;
    /* fuel after which one is due, each turn counting 10,000 more; 0: 500,000,000 */
    uint64_t snapshot_fuel;
    /* undelivered messages to one target past which their senders run no client input; 0: 65,536 */
    uint64_t undelivered_max;
} theater_runtime_options;

/* Opens or makes a data folder and recovers what is in it. Actors that have undelivered messages go on by
 * themselves. */
THEATER_API THEATER_CHECKED theater_status theater_runtime_open(const theater_runtime_options *options,
                                                                theater_runtime **ret, theater_error *reterr);
/* Lets the turns that run end, commits them, answers what can be answered (the rest gets CANCELLED;
 * undelivered messages go on at the next open), and closes the folder. Accepts NULL. */
THEATER_API void theater_runtime_close(theater_runtime *runtime);
/* Why the runtime is read-only now (THEATER_STORAGE_FAILED, THEATER_NO_SPACE), or THEATER_OK. */
THEATER_API theater_status theater_runtime_health(theater_runtime *runtime, theater_error *reterr);

/* ---- actors -------------------------------------------------------------------------------------------- */

/* Limits of an actor, as its descriptor holds them. A zero takes the default. */
typedef struct theater_limits {
    uint64_t fuel; /* per turn; default 1,000,000,000 */
    uint64_t memory_bytes; /* of each linear memory; default 64 MiB */
    uint64_t state_bytes; /* default 16 MiB */
    /* an input, an output, a payload sent, the config, the text of an error; default 1 MiB */
    uint64_t message_bytes;
    uint64_t effects_bytes; /* effects and the payloads sent by one turn; default 4 MiB */
} theater_limits;

typedef struct theater_actor_options {
    const char *name;
    theater_slice component; /* binary of a component of world theater:actor/guest@0.1.0 */
    theater_slice config; /* for init; may be empty */
    theater_limits limits;
} theater_actor_options;

/* Starts a new actor: checks and compiles the component, runs init and verify-state, and returns when the
 * genesis is durable. *ret_genesis (may be NULL) is its element hash. INVALID_ARGUMENT (name, limits),
 * EXISTS, COMPONENT_REFUSED, ACTOR_FAILED (init), TOO_LARGE (config). */
THEATER_API THEATER_CHECKED theater_status theater_actor_start(theater_runtime *runtime,
                                                               const theater_actor_options *options,
                                                               theater_hash *ret_genesis,
                                                               theater_error *reterr);
/* Checks and compiles a component as theater_actor_start does, and records nothing. *ret_hash is its
 * SHA-256. COMPONENT_REFUSED. */
THEATER_API THEATER_CHECKED theater_status theater_component_check(theater_runtime *runtime,
                                                                   theater_slice component,
                                                                   theater_hash *ret_hash,
                                                                   theater_error *reterr);
/* A stopped actor runs no turns; messages from actors wait for it, clients get STOPPED. Returns when the
 * turns that ran are durable. Stopping a stopped actor and resuming a running one is OK and does nothing.
 * NOT_FOUND. */
THEATER_API THEATER_CHECKED theater_status theater_actor_stop(theater_runtime *runtime, const char *name,
                                                              theater_error *reterr);
THEATER_API THEATER_CHECKED theater_status theater_actor_resume(theater_runtime *runtime, const char *name,
                                                                theater_error *reterr);
/* Ends an actor for good: its chain stays readable and keeps its name, which no other actor of this folder
 * can get; what waits for it is dropped and requests get the answer "removed". */
THEATER_API THEATER_CHECKED theater_status theater_actor_remove(theater_runtime *runtime, const char *name,
                                                                theater_error *reterr);
/* Goes on under another component, config or limits (the name stays), by an upgrade element. A component of
 * size 0 keeps the component in force; `keep_limits` and `keep_config` keep those. Also how a chain goes on
 * after an update of the engine. ACTOR_FAILED: the new component refuses the state. */
typedef struct theater_upgrade_options {
    theater_slice component;
    theater_slice config;
    theater_limits limits;
    bool keep_config;
    bool keep_limits;
} theater_upgrade_options;
THEATER_API THEATER_CHECKED theater_status theater_actor_upgrade(theater_runtime *runtime, const char *name,
                                                                 const theater_upgrade_options *options,
                                                                 theater_hash *ret_element,
                                                                 theater_error *reterr);

/* ---- messages ------------------------------------------------------------------------------------------ */

typedef struct theater_message {
    const char *actor;
    theater_slice input; /* copied */
    /* idempotency key, 1 to 64 bytes, or empty: the same id runs once, and gives the first answer again */
    theater_slice id;
    const char *principal; /* the authenticated client, 1 to 128 bytes, or NULL */
} theater_message;

/* What became of a message. */
typedef struct theater_answer {
    /* OK: `output`; REJECTED: `reject_code` and `output` is its message as text; any other: no element was
     * made and `error` says why (the status of a failed commit is STORAGE_FAILED or NO_SPACE) */
    theater_status status;
    theater_bytes output;
    uint64_t reject_code; /* code of the chain format */
    uint64_t sequence; /* of the element */
    theater_hash element; /* its hash */
    theater_hash state_root; /* after it */
    uint64_t fuel;
    bool repeated; /* the id was known: this is the answer that was given then */
    theater_error error;
} theater_answer;
THEATER_API void theater_answer_done(theater_answer *answer); /* frees the output and empties it */

/* Sends a message and waits for its durable answer. The return value is the answer's status, and `reterr`
 * (may be NULL) holds the words of a rejection too. */
THEATER_API THEATER_CHECKED theater_status theater_send(theater_runtime *runtime,
                                                        const theater_message *message, theater_answer *ret,
                                                        theater_error *reterr);

/* Called once for each submitted message, on a thread of the runtime; must be short and must not wait. It
 * may call theater_submit. The answer belongs to the callee during the call; to keep the output, take it
 * out and set it to empty. */
typedef void (*theater_completion)(void *context, theater_answer *answer);
/* Sends a message without waiting. When it returns OK the completion will be called exactly once; else
 * never. Messages that one thread submits to one actor run in that order. MAILBOX_FULL: try again later.
 * NOT_FOUND, STOPPED, TOO_LARGE, READ_ONLY. */
THEATER_API THEATER_CHECKED theater_status theater_submit(theater_runtime *runtime,
                                                          const theater_message *message,
                                                          theater_completion completion, void *context,
                                                          theater_error *reterr);

/* Runs handle on the last committed state and records nothing. `ret->sequence` is that of the element that
 * the state is after, `ret->element` its hash. */
THEATER_API THEATER_CHECKED theater_status theater_query(theater_runtime *runtime,
                                                         const theater_message *message, theater_answer *ret,
                                                         theater_error *reterr);

/* The same without waiting, as theater_submit does. */
THEATER_API THEATER_CHECKED theater_status theater_submit_query(theater_runtime *runtime,
                                                                const theater_message *message,
                                                                theater_completion completion, void *context,
                                                                theater_error *reterr);

/* Waits until no message waits or runs anywhere (but for stopped actors) and all is committed. TIMEOUT:
 * what is left goes on. */
THEATER_API THEATER_CHECKED theater_status theater_drain(theater_runtime *runtime, uint64_t timeout_ms,
                                                         theater_error *reterr);

/* ---- checkpoints --------------------------------------------------------------------------------------- */

/* Signs the actor's chain as it is on disk; the signed size is durable before the note is given. The key is
 * made on first use, FOLDER/keys/signing.key, mode 0600. *ret_note is a C2SP signed note
 * (theater_bytes_free). INVALID_ARGUMENT when there is no folder; CORRUPT when this folder is older than
 * what the key has signed. */
THEATER_API THEATER_CHECKED theater_status theater_checkpoint(theater_runtime *runtime, const char *actor,
                                                              theater_bytes *ret_note, theater_error *reterr);

/* Takes the chains of a bundle file in as read-only archives, after verifying them. `name` (may be NULL)
 * replaces the actor's name when the bundle holds one chain. EXISTS when an archive of that name with the
 * same genesis is there. */
THEATER_API THEATER_CHECKED theater_status theater_import(theater_runtime *runtime, const char *bundle_path,
                                                          const char *name, theater_error *reterr);
/* Removes an archive: NAME, which means the newest that had it where no actor has, or NAME#ID. Its chain
 * stays in the log and can be read by NAME#ID, its status is REMOVED, and the same bundle can be imported
 * again. It held no name, so none is used up. NOT_FOUND. */
THEATER_API THEATER_CHECKED theater_status theater_archive_remove(theater_runtime *runtime, const char *name,
                                                                  theater_error *reterr);
/* Removes the actor of this name or, where none runs, the archive; with NAME#ID an archive only. Errors as
 * theater_actor_remove and theater_archive_remove. */
THEATER_API THEATER_CHECKED theater_status theater_remove(theater_runtime *runtime, const char *name,
                                                          theater_error *reterr);

/* ---- figures ------------------------------------------------------------------------------------------- */

/* How often something took how long, since the runtime was opened. Bucket i holds what took at most
 * theater_histogram_bound_ns(i), and more than the bucket before; the last one holds the rest. */
#define THEATER_HISTOGRAM_BUCKETS 52
typedef struct theater_histogram {
    uint64_t count; /* of all buckets */
    uint64_t sum_ns;
    uint64_t buckets[THEATER_HISTOGRAM_BUCKETS];
} theater_histogram;
/* From 1,024 ns to 34 s, two bounds for each doubling; UINT64_MAX for the last bucket and beyond. */
THEATER_API uint64_t theater_histogram_bound_ns(unsigned bucket);

/* Counters since the runtime was opened, and gauges. Times are nanoseconds. */
typedef struct theater_metrics {
    uint64_t turns, rejections, queries;
    uint64_t rejections_by_code[7]; /* index 1 to 6 */
    uint64_t commits, commit_records, commit_bytes, commit_ns;
    uint64_t begin_ns, call_ns, end_ns, hash_ns, encode_ns, measured_turns; /* CPU by stage, when measured */
    uint64_t fuel;
    uint64_t actors, active_actors, active_bytes;
    uint64_t waiting_messages; /* in mailboxes, clients' and actors' */
    uint64_t client_messages; /* of clients: in mailboxes, running, or on the way to the disk */
    uint64_t actor_messages; /* of actors: sent and not yet consumed, in memory or in the log */
    uint64_t inflight_bytes; /* of turns that ran and are not committed yet */
    uint64_t activations, parks, snapshots;
    uint64_t instance_hits; /* slices of turns that found their actor in memory; the others are activations */
    uint64_t replayed_turns; /* run again to bring actors into memory */
    /* components that were asked for: found in memory, taken from a compiled form, compiled */
    uint64_t component_hits, component_loads, component_compiles;
    uint64_t log_bytes, log_records, indexed_records;
    theater_histogram queue; /* of clients' messages, from theater_submit to the begin of the turn */
    theater_histogram turn; /* from its begin to its records and effects */
    theater_histogram commit; /* one append with its sync */
    theater_histogram answer; /* of clients' messages, from theater_submit to the completion's call */
} theater_metrics;
THEATER_API void theater_runtime_metrics(theater_runtime *runtime, theater_metrics *ret);
/* Turns CPU times by stage on or off; costs some hundred nanoseconds a turn. */
THEATER_API void theater_runtime_measure(theater_runtime *runtime, bool on);

#ifdef __cplusplus
}
#endif

#endif
