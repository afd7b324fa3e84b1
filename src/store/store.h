/* store/store.h: the log, which is the truth, and the index, which is derived from it.
 *
 * Invariants
 *   1. What append() returned OK for is durable, whole, and in the order of the calls.
 *   2. Recovery cuts off a torn tail: frames of the last append that did not become durable. Damage
 *      anywhere else is CORRUPT with its segment and offset; nothing is ever repaired silently.
 *   3. The index is a function of the records 0 .. covered-1, written in transactions together with
 *      `covered`. A missing, older, damaged or foreign index is brought up or rebuilt from the log. One of
 *      this store that is whole and covers more than the log has proves that the log lost records: CORRUPT.
 *   4. Nothing in here interprets a state or runs a turn.
 *
 * Threads: th_store_append by one thread at a time (the committer), th_store_index_step by one thread at a
 * time (the indexer); both may run at once. Every function that reads may be called by any number of
 * threads at any time.
 * */
#ifndef TH_STORE_STORE_H
#define TH_STORE_STORE_H

#include "port/port.h"
#include "store/record.h"

typedef struct th_store th_store;

/* An index that lives in memory and outlives the stores that use it, as a file would: what a transaction
 * committed stays after a simulated crash. For tests and the simulation. */
typedef struct th_index_memory th_index_memory;
THEATER_CHECKED theater_status th_index_memory_new(th_index_memory **ret, theater_error *reterr);
void th_index_memory_free(th_index_memory *memory);

typedef struct th_store_options {
    th_port *port;
    const char *folder; /* data folder; NULL: a log in memory (for tests), with an index in memory */
    bool create; /* make the folder and its format file when missing, else NOT_FOUND */
    bool read_only; /* takes no lock and writes nothing; works while another process writes, and sees what was
                       durable or at least complete at open and at each th_store_refresh */
    uint32_t lock_wait_ms; /* for the writer's lock, then BUSY that names the folder; 5000 is the usual */
    uint64_t segment_bytes; /* size to which a segment is preallocated; 0: 64 MiB */
    th_index_memory *index; /* NULL: LMDB in FOLDER/index */
    uint64_t ids_max; /* idempotency ids kept for each actor: 0 means 100,000 */
    uint64_t ids_age_ns; /* and for how long, by element timestamps: 0 means 24 hours */
    /* Progress of a rebuild of the index, for people; may be NULL. */
    void (*progress)(void *context, uint64_t done_bytes, uint64_t all_bytes);
    void *progress_context;
} th_store_options;

/* Opens a data folder: checks the format version (VERSION), takes the writer's lock (BUSY), recovers the
 * log's end (CORRUPT), and brings the index up to the end of the log. */
THEATER_CHECKED theater_status th_store_open(const th_store_options *options, th_store **ret,
                                             theater_error *reterr);
/* Accepts NULL. A writer whose log never failed leaves a mark that the log was closed cleanly and an index
 * that covers everything. */
void th_store_close(th_store *store);
/* Reader only: sees what was appended since. No other thread uses the store meanwhile. */
THEATER_CHECKED theater_status th_store_refresh(th_store *store, theater_error *reterr);

/* ---- the log ---------------------------------------------------------------------------------------------
 */

/* Appends `count` encoded records as one commit: one write, one sync. They get the numbers
 * th_store_next_number() and up. After a failure nothing of the batch counts: NO_SPACE, NO_MEMORY and
 * TOO_LARGE may be tried again (the log is as before); after any other failure this and every later append
 * give STORAGE_FAILED until the store is opened anew, because a failed sync must not be retried. What such
 * an append wrote may still be found whole by that opening. An append is at most 1 GiB with its frames. */
THEATER_CHECKED theater_status th_store_append(th_store *store, const th_slice *records, size_t count,
                                               theater_error *reterr);
/* The number that the next appended record gets. Committer's thread, or when no append runs. */
uint64_t th_store_next_number(const th_store *store);
/* Whether a probe write of some size succeeds again after NO_SPACE. Committer's thread. */
THEATER_CHECKED theater_status th_store_probe(th_store *store, theater_error *reterr);
/* Bytes in the log, for metrics. */
uint64_t th_store_log_bytes(const th_store *store);

/* Calls back for each record from the first on, or from `from_number` on; stops when the callback returns
 * false. The record's slices are valid during the callback. For rebuilding, backup checks and tools. */
THEATER_CHECKED theater_status th_store_scan(th_store *store, uint64_t from_number,
                                             bool (*each)(void *context, uint64_t number,
                                                          const th_record *record),
                                             void *context, theater_error *reterr);

/* Where a scan stands. `known`: `position` is that of the record. */
typedef struct th_scan_place {
    bool known;
    uint64_t number, position;
} th_scan_place;
/* As th_store_scan, from a place that a scan of this store left, without walking to it. The record for which
 * the callback returns false is not consumed: the next scan gives it again. */
THEATER_CHECKED theater_status th_store_scan_on(th_store *store, th_scan_place *place,
                                                bool (*each)(void *context, uint64_t number,
                                                             const th_record *record),
                                                void *context, theater_error *reterr);

/* ---- the index -------------------------------------------------------------------------------------------
 */

/* Applies some more of what was appended, at most about `max_bytes` of log, in one transaction. *ret_more:
 * there is still more. Each transaction in LMDB costs a sync, so call it for much at once. */
THEATER_CHECKED theater_status th_store_index_step(th_store *store, uint64_t max_bytes, bool *ret_more,
                                                   theater_error *reterr);
/* Records below this number are in the index. Any thread. What the look-ups below see is at least this. */
uint64_t th_store_covered(const th_store *store);

typedef enum th_actor_status {
    TH_ACTOR_RUNNING = 1,
    TH_ACTOR_STOPPED = 2,
    TH_ACTOR_REMOVED = 3,
    TH_ACTOR_ARCHIVE = 4,
    TH_ACTOR_ARCHIVE_REMOVED = 5, /* it held no name, and keeps none */
} th_actor_status;

/* What the index knows of an actor. */
typedef struct th_actor_info {
    uint64_t id;
    char name[129];
    th_actor_status status;
    uint64_t elements; /* elements on the chain; 0 between STARTED and the genesis */
    th_hash genesis_hash;
    th_hash head_hash;
    uint64_t head_number; /* record number of the head */
    uint64_t head_timestamp_ns;
    th_hash component; /* of the descriptor in force */
    uint64_t descriptor_sequence; /* the element (genesis or upgrade) that holds the descriptor in force */
    bool has_snapshot;
    uint64_t snapshot_sequence; /* the newest */
    uint64_t checkpoint_size; /* largest size signed, 0 for none */
    uint64_t undelivered; /* entries waiting for this actor */
} th_actor_info;

/* Whether its chain was imported; also when it was removed since. */
static inline bool th_actor_imported(const th_actor_info *info)
{
    return info->status == TH_ACTOR_ARCHIVE || info->status == TH_ACTOR_ARCHIVE_REMOVED;
}

/* By name: the actor that holds the name now; if none does, the newest removed or archived one that had it.
 * NOT_FOUND. */
THEATER_CHECKED theater_status th_store_find_actor(th_store *store, th_slice name, th_actor_info *ret,
                                                   theater_error *reterr);
THEATER_CHECKED theater_status th_store_find_actor_id(th_store *store, uint64_t id, th_actor_info *ret,
                                                      theater_error *reterr);
/* Every actor that ever was, by ascending id from `from_id`; stops when the callback returns false. */
THEATER_CHECKED theater_status th_store_list_actors(th_store *store, uint64_t from_id,
                                                    bool (*each)(void *context, const th_actor_info *info),
                                                    void *context, theater_error *reterr);
/* The id that the next started actor gets, as far as the index covers. */
uint64_t th_store_next_actor_id(th_store *store);

/* Reads the record of element `sequence` of an actor into `buf` (cleared first); *ret points into it.
 * NOT_FOUND past the head; CORRUPT names actor, sequence, segment and offset. */
THEATER_CHECKED theater_status th_store_read_element(th_store *store, uint64_t actor, uint64_t sequence,
                                                     th_buf *buf, th_record *ret, uint64_t *ret_number,
                                                     theater_error *reterr);
/* Reads elements of a store one after the other: where they stand is looked up for many at once, and the log is read
 * through a window, so that neighbours cost a fraction of th_store_read_element. For one thread; ends before
 * the store, and before its next refresh. */
typedef struct th_element_reader th_element_reader;
THEATER_CHECKED theater_status th_element_reader_new(th_store *store, th_element_reader **ret,
                                                     theater_error *reterr);
void th_element_reader_free(th_element_reader *reader); /* accepts NULL */
/* As th_store_read_element; *ret is valid until the next call. */
THEATER_CHECKED theater_status th_element_reader_get(th_element_reader *reader, uint64_t actor,
                                                     uint64_t sequence, th_record *ret, uint64_t *ret_number,
                                                     theater_error *reterr);
/* The newest snapshot at or before `sequence`. NOT_FOUND when there is none. */
THEATER_CHECKED theater_status th_store_read_snapshot(th_store *store, uint64_t actor, uint64_t sequence,
                                                      th_buf *buf, th_record *ret, theater_error *reterr);
/* The genesis or upgrade whose descriptor is in force after element `sequence`: the newest at or before it.
 * NOT_FOUND past the head. */
THEATER_CHECKED theater_status th_store_find_descriptor(th_store *store, uint64_t actor, uint64_t sequence,
                                                        uint64_t *ret_sequence, theater_error *reterr);
/* The sequences of an actor's snapshots in [from, to], ascending; stops when the callback returns false. */
THEATER_CHECKED theater_status th_store_list_snapshots(th_store *store, uint64_t actor, uint64_t from,
                                                       uint64_t to,
                                                       bool (*each)(void *context, uint64_t sequence),
                                                       void *context, theater_error *reterr);
THEATER_CHECKED theater_status th_store_read_component(th_store *store, const th_hash *hash, th_buf *buf,
                                                       th_slice *ret_binary, theater_error *reterr);
bool th_store_has_component(th_store *store, const th_hash *hash);
/* The SHA-256 of the compiled form of a component for an engine. NOT_FOUND. */
THEATER_CHECKED theater_status th_store_find_compiled(th_store *store, const th_hash *component,
                                                      th_slice fingerprint, th_hash *ret,
                                                      theater_error *reterr);
/* Checkpoints of an actor by ascending size. */
THEATER_CHECKED theater_status th_store_list_checkpoints(th_store *store, uint64_t actor,
                                                         bool (*each)(void *context, uint64_t size,
                                                                      const th_hash *head, th_slice note),
                                                         void *context, theater_error *reterr);
/* The sequence that an idempotency id got. NOT_FOUND when there is none within the bounds of age and number.
 */
THEATER_CHECKED theater_status th_store_find_id(th_store *store, uint64_t actor, th_slice id,
                                                uint64_t *ret_sequence, theater_error *reterr);

/* ---- undelivered messages: derived, see store/index.c for the rules
 * ------------------------------------------ */

typedef enum th_message_kind {
    TH_MESSAGE = 0, /* the numbers are those of the cause in the chain format */
    TH_MESSAGE_REPLY = 1,
    TH_MESSAGE_NOTICE = 2, /* a request that could not be delivered */
} th_message_kind;

typedef struct th_undelivered {
    th_message_key key;
    th_message_kind kind;
    uint64_t from; /* MESSAGE: the sender's id; REPLY: the id of the target that answered; NOTICE: 0 */
    uint64_t sequence; /* the element of `from` */
    uint64_t request; /* MESSAGE: 0 for a plain send; REPLY and NOTICE: whose answer this is */
    bool failed; /* REPLY: the target rejected it; NOTICE: true means "removed", false "no such actor" */
    char to[129]; /* NOTICE: the name that the request went to; else empty */
} th_undelivered;

/* Entries for an actor with a key greater than `after` (NULL: all), in ascending order; stops when the
 * callback returns false. */
THEATER_CHECKED theater_status th_store_list_undelivered(
    th_store *store, uint64_t actor, const th_message_key *after,
    bool (*each)(void *context, const th_undelivered *entry), void *context, theater_error *reterr);
/* The element that consumed effect `index` of element `sequence` of `actor`, or the answer that it gave
 * with TH_MESSAGE_ANSWER. NOT_FOUND when none has. */
THEATER_CHECKED theater_status th_store_find_consumer(th_store *store, uint64_t actor, uint64_t sequence,
                                                      uint32_t index, uint64_t *ret_actor,
                                                      uint64_t *ret_sequence, theater_error *reterr);
/* Actors that have undelivered entries, ascending by id. */
THEATER_CHECKED theater_status th_store_list_waiting(th_store *store,
                                                     bool (*each)(void *context, uint64_t actor),
                                                     void *context, theater_error *reterr);

/* ---- whole folders ---------------------------------------------------------------------------------------
 */

/* Copies what is durable now into a new data folder (NOT made before, else EXISTS), also while another
 * process writes: the log, the format and the files of FOLDER/keys (mode 0600). The copy's index is built
 * when it is first opened. `store` is open read-only or for writing. */
THEATER_CHECKED theater_status th_store_backup(th_store *store, const char *to_folder, theater_error *reterr);
/* Reads every frame and checks all checksums. CORRUPT with the place. */
THEATER_CHECKED theater_status th_store_check(th_store *store, uint64_t *ret_records, uint64_t *ret_bytes,
                                              theater_error *reterr);
/* Drops the index so that the next open rebuilds it. */
THEATER_CHECKED theater_status th_store_drop_index(th_port *port, const char *folder, theater_error *reterr);

#endif
