/* theater/folder.h: reading a data folder: actors, chains, states, proofs, verification and re-execution.
 *
 * A folder handle writes nothing and takes no lock: it works while a runtime, in this process or another,
 * has the same folder open, and sees what was committed when it was opened or last refreshed. Any thread
 * may use a handle; refresh by one thread while no other uses it.
 */
#ifndef THEATER_FOLDER_H
#define THEATER_FOLDER_H

#include "theater/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct theater_folder theater_folder;

THEATER_API THEATER_CHECKED theater_status theater_folder_open(const char *path, theater_folder **ret,
                                                               theater_error *reterr);
THEATER_API void theater_folder_close(theater_folder *folder); /* accepts NULL */
THEATER_API THEATER_CHECKED theater_status theater_folder_refresh(theater_folder *folder,
                                                                  theater_error *reterr);

/* ---- actors -------------------------------------------------------------------------------------------- */

typedef enum theater_actor_status {
    THEATER_ACTOR_RUNNING = 1,
    THEATER_ACTOR_STOPPED = 2,
    THEATER_ACTOR_REMOVED = 3,
    THEATER_ACTOR_ARCHIVE = 4, /* imported; only to be read */
} theater_actor_status;

typedef struct theater_actor_info {
    uint64_t id; /* in this folder; ascending, never used again */
    char name[129];
    theater_actor_status status;
    uint64_t elements; /* on its chain */
    theater_hash genesis; /* element hashes */
    theater_hash head;
    uint64_t head_timestamp_ns;
    theater_hash component; /* of the descriptor in force */
    theater_limits limits; /* likewise */
    char engine[256]; /* likewise; one that is longer ends with "..." */
    uint64_t state_size; /* after the head */
    theater_hash state_root;
    uint64_t checkpoint_size; /* largest size that was signed; 0: none */
    uint64_t undelivered; /* messages that wait for it */
    bool has_snapshot;
    uint64_t snapshot_sequence;
} theater_actor_info;

/* A name, or "name#ID" for one actor among several that had the name. Without an id: who has the name now,
 * else the newest that had it. NOT_FOUND. */
THEATER_API THEATER_CHECKED theater_status theater_folder_actor(theater_folder *folder, const char *name,
                                                                theater_actor_info *ret,
                                                                theater_error *reterr);
/* All actors by ascending id; stops when the callback returns false. */
THEATER_API THEATER_CHECKED theater_status theater_folder_actors(theater_folder *folder,
                                                                 bool (*each)(void *context,
                                                                              const theater_actor_info *info),
                                                                 void *context, theater_error *reterr);

/* ---- elements ------------------------------------------------------------------------------------------ */

typedef enum theater_element_type {
    THEATER_GENESIS = 0,
    THEATER_TRANSITION = 1,
    THEATER_REJECTION = 2,
    THEATER_UPGRADE = 3,
} theater_element_type;

typedef enum theater_cause_kind {
    THEATER_CAUSE_NONE = -1, /* a client's message, a genesis or an upgrade */
    THEATER_CAUSE_MESSAGE = 0,
    THEATER_CAUSE_REPLY = 1,
    THEATER_CAUSE_NOTICE = 2,
} theater_cause_kind;

/* One element with its payloads. Slices point into the element and are valid until theater_element_free. A
 * dropped payload has data NULL and `*_dropped`. */
typedef struct theater_element {
    uint64_t sequence;
    theater_element_type type;
    theater_hash hash, previous;
    uint64_t timestamp_ns;
    theater_hash input_hash, output_hash, effects_hash, state_before, state_after;
    uint64_t state_size, fuel;
    theater_cause_kind cause;
    theater_slice cause_actor;
    uint64_t cause_sequence, cause_index, cause_request;
    theater_hash cause_hash;
    bool cause_failed;
    bool has_principal, has_id;
    theater_slice principal, id;
    theater_slice encoding;
    theater_slice input, output, effects;
    bool input_dropped, output_dropped, effects_dropped;
    uint64_t reject_code; /* of a rejection, decoded from the output */
    theater_slice reject_text;
    theater_bytes memory; /* what the slices point into; internal */
} theater_element;

THEATER_API THEATER_CHECKED theater_status theater_element_read(theater_folder *folder, uint64_t actor_id,
                                                                uint64_t sequence, theater_element *ret,
                                                                theater_error *reterr);
THEATER_API void theater_element_free(theater_element *element);

/* An element with its place in the log, which orders all elements of a folder. Everything is valid during
 * the callback only. */
typedef struct theater_log_element {
    uint64_t number; /* of the record; ascending, with gaps: not every record is an element */
    uint64_t actor_id;
    const char *actor; /* its name */
    theater_element element;
} theater_log_element;
/* Which part of the log to read. */
typedef struct theater_log_range {
    uint64_t from; /* number of the first record */
    uint64_t end; /* no record from here on */
    uint64_t max_bytes; /* of elements, after which to stop */
} theater_log_range;
/* Calls back for each element of the range, in the order of the log. Stops when the callback returns false:
 * that element will be given again. *ret_next is where to go on; going on there with the same handle costs no
 * search. NOT_FOUND: the log ends before `from`. */
THEATER_API THEATER_CHECKED theater_status
theater_log_scan(theater_folder *folder, const theater_log_range *range,
                 bool (*each)(void *context, const theater_log_element *element), void *context,
                 uint64_t *ret_next, theater_error *reterr);

/* The binary of a component that some actor of the folder uses or used. NOT_FOUND. */
THEATER_API THEATER_CHECKED theater_status theater_component_read(theater_folder *folder,
                                                                  const theater_hash *hash,
                                                                  theater_bytes *ret, theater_error *reterr);

/* The state after an element, by re-execution from the snapshot before it; checked against the element's
 * root. */
THEATER_API THEATER_CHECKED theater_status theater_state_at(theater_folder *folder, uint64_t actor_id,
                                                            uint64_t sequence, theater_bytes *ret,
                                                            theater_error *reterr);

/* ---- checking ------------------------------------------------------------------------------------------ */

/* Where a chain, or several, are read from: an actor of a folder, all of them, or a bundle file. Exactly
 * one of `path` and `folder` is set. */
typedef struct theater_source {
    theater_folder *folder;
    uint64_t actor_id; /* with a folder: one actor; 0 means all */
    const char *path; /* a bundle file */
} theater_source;

typedef struct theater_check_options {
    /* verifier key for checkpoints, or NULL: the folder's own, or the bundle's (named as such in the
     * report). Keys are given because their signatures count: each must have signed a checkpoint here, and
     * every checkpoint must be of a log that one of them is for */
    const char *key;
    /* more of them, for a source of several chains: each chain has a key name of its own */
    const char *const *keys;
    size_t key_count; /* of `keys` */
    bool all; /* verify: also every cause against the other chains of the source */
    bool pulley; /* replay: with the second engine */
    unsigned threads; /* 0: one for each processor */
    void (*progress)(void *context, uint64_t done, uint64_t all); /* elements; from one thread; may be NULL */
    void *context;
    /* becomes true (by an atomic store of another thread) when the check shall end early, with CANCELLED: after
     * the element or turn that it is at; may be NULL */
    const bool *cancel;
} theater_check_options;

/* What a check found. `status`: OK, VERIFY_FAILED (with the first bad element), UNDECIDED (chain format,
 * Fuel). */
typedef struct theater_report {
    theater_status status;
    uint64_t chains, elements, payload_bytes;
    uint64_t dropped_payloads; /* not there to check or to run */
    uint64_t checkpoints; /* checked */
    bool key_from_user, key_from_source;
    uint64_t undecided; /* replay: elements that came out otherwise, which decides nothing */
    uint64_t skipped; /* replay: turns that could not be run, because a payload was dropped */
    /* verify with `all`: checked against the other chains, and not there to check */
    uint64_t causes, missing_causes;
    uint64_t nanoseconds;
    char actor[129]; /* where the first finding is; with OK and one chain, that chain's */
    uint64_t sequence;
    const char
        *what; /* static word: "previous", "input", "output", "state", "fuel", "checkpoint", ... or NULL */
    theater_hash head; /* of the last chain, when it verified */
    theater_hash tree_head; /* likewise */
    theater_hash state_root; /* likewise */
    char message[1024]; /* one line that says it all */
} theater_report;

/* Checks links, roots, payloads and checkpoints; runs nothing. OK is returned when the check could be done:
 * the verdict is in the report. */
THEATER_API THEATER_CHECKED theater_status theater_verify(const theater_source *source,
                                                          const theater_check_options *options,
                                                          theater_report *ret, theater_error *reterr);
/* Runs every turn again, in parallel from the snapshots, and compares; verifies first. */
THEATER_API THEATER_CHECKED theater_status theater_replay(const theater_source *source,
                                                          const theater_check_options *options,
                                                          theater_report *ret, theater_error *reterr);

/* ---- proofs (docs/proofs.md) --------------------------------------------------------------------------- */

/* A proof that element `sequence` stands in the tree of the checkpoint `note`, as text that needs nothing
 * else to be checked: a C2SP tlog-proof whose extra data is the element. `note` empty: the newest
 * checkpoint that covers it (NOT_FOUND: sign one). */
THEATER_API THEATER_CHECKED theater_status theater_prove_inclusion(theater_folder *folder, uint64_t actor_id,
                                                                   uint64_t sequence, theater_slice note,
                                                                   theater_bytes *ret, theater_error *reterr);
/* A proof that the newer checkpoint's tree continues the older's. `newer` empty: the newest. */
THEATER_API THEATER_CHECKED theater_status theater_prove_consistency(theater_folder *folder,
                                                                     uint64_t actor_id, theater_slice older,
                                                                     theater_slice newer, theater_bytes *ret,
                                                                     theater_error *reterr);
/* Checks either kind of proof offline with a verifier key. With OK, *ret_text is one line that says what
 * was proved. VERIFY_FAILED. */
THEATER_API THEATER_CHECKED theater_status theater_verify_proof(theater_slice proof, const char *key,
                                                                theater_bytes *ret_text,
                                                                theater_error *reterr);
/* The verifier key (C2SP signed-note) of an actor's chain. NOT_FOUND when the folder has no key yet. */
THEATER_API THEATER_CHECKED theater_status theater_verifier_key(theater_folder *folder, uint64_t actor_id,
                                                                theater_bytes *ret, theater_error *reterr);

/* ---- causes -------------------------------------------------------------------------------------------- */

/* One step of a trace: an element of an actor, at `depth` from the element asked for: negative for causes,
 * positive for what it caused. */
typedef struct theater_trace_step {
    int depth;
    theater_actor_info actor;
    uint64_t sequence;
    theater_cause_kind kind; /* how it hangs together with the one at the depth before */
} theater_trace_step;
/* Walks the causes of an element back to a client's message, then what it caused, breadth first, at most
 * `max_steps`. *ret_more: there would have been more. */
THEATER_API THEATER_CHECKED theater_status
theater_trace(theater_folder *folder, uint64_t actor_id, uint64_t sequence, uint64_t max_steps,
              bool (*each)(void *context, const theater_trace_step *step), void *context, bool *ret_more,
              theater_error *reterr);

/* ---- files --------------------------------------------------------------------------------------------- */

/* Writes chains as one bundle file (mode 0644; a file that is there is replaced only when the whole was
 * written): components, elements with payloads, snapshots, verifier key and checkpoints. A chain of which several
 * of the actors are copies (archives) is written once, the longest of them; INVALID_ARGUMENT when they are two
 * histories of it. */
typedef struct theater_export_options {
    const uint64_t *actor_ids;
    size_t actor_count;
    bool without_components;
    bool without_snapshots;
    bool without_payloads; /* elements and proofs only */
    void (*progress)(void *context, uint64_t done, uint64_t all);
    void *context;
} theater_export_options;
THEATER_API THEATER_CHECKED theater_status theater_export(theater_folder *folder,
                                                          const theater_export_options *options,
                                                          const char *path, theater_error *reterr);
/* A copy of the folder as it is durable now, keys included, also while a runtime writes to it. EXISTS. */
THEATER_API THEATER_CHECKED theater_status theater_backup(theater_folder *folder, const char *to,
                                                          theater_error *reterr);
/* Reads everything and checks every checksum. CORRUPT names the place. */
THEATER_API THEATER_CHECKED theater_status theater_folder_check(theater_folder *folder, uint64_t *ret_records,
                                                                uint64_t *ret_bytes, theater_error *reterr);
/* How many records of the log the handle sees: all that stood there whole when it was opened or last refreshed.
 * While a runtime writes, the newest of them may still be on their way to the disk. */
THEATER_API uint64_t theater_folder_records(theater_folder *folder);
/* How many records of the log the folder's index covers; what is behind is found by reading the log, until
 * a runtime brings the index up to date. */
THEATER_API uint64_t theater_folder_indexed(theater_folder *folder);

#ifdef __cplusplus
}
#endif

#endif
