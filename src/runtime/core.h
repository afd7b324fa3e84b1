/* runtime/core.h: what the files of the runtime share.
 *
 * The runtime is a few tasks over one lock. Workers take an actor from the run queue, or a round of them when
 * many wait, run a slice of its inputs and hand over a batch of records; the committer makes batches durable, many at once, and releases
 * their answers; the indexer writes the index behind the log. Each is a step() function over port/, so the
 * simulation runs the same code in one thread.
 *
 * Invariants
 *   1. Everything in this file is guarded by `lock`, but what says otherwise. The lock is held for short:
 *      no I/O, no turn, no completion runs under it. (An exception is argued where it stands: the removal
 *      of an actor.)
 *   2. Record numbers are given under the lock when a batch enters the commit queue, and the queue is the
 *      order of the log. So what is decided under the lock at that moment (which actor a name is, which
 *      mailbox a message goes to) is what the index derives from the records.
 *   3. An actor is run by at most one worker at a time (`running`), and only then is its instance touched.
 *   4. An answer, and anything else that leaves the process, is released after the commit that holds it
 *      (durability sync).
 *   5. After a failed commit every uncommitted turn of every actor is discarded: all that is in memory is
 *      dropped and loaded anew from what is durable (reset.c). Work of an older `epoch` is never enqueued.
 *   6. An actor's activity is dropped only when the index covers all its records.
 */
#ifndef TH_RUNTIME_CORE_H
#define TH_RUNTIME_CORE_H

#include "actor/instance.h"
#include "actor/loader.h"
#include "port/port.h"
#include "runtime/histogram.h"
#include "runtime/item.h"
#include "runtime/pool.h"
#include "runtime/subscribe.h"
#include "store/store.h"
#include "theater/runtime.h"

#define TH_WORKERS_MAX 64
/* inputs of one actor that a worker runs before it looks at the next */
#define TH_SLICE_ITEMS 64
/* slices of different actors that a worker takes at once, when more wait than there are workers */
#define TH_ROUND_SLICES 64
/* after so long it gives those back that it did not come to: another worker may have time */
#define TH_ROUND_NS UINT64_C(2000000)
/* items that wait for the index; messages with known ids past that are refused */
#define TH_REPEATS_MAX 10000
#define TH_SLICE_BYTES ((size_t)4 << 20)   /* bytes that a slice may produce before it ends */
#define TH_SLICE_FUEL UINT64_C(100000000)  /* fuel after which a slice ends: some 50 ms */
/* messages from actors that wait in memory for one actor; the rest waits in the log */
#define TH_WINDOW_ITEMS 1024
#define TH_WINDOW_BYTES ((size_t)4 << 20)
#define TH_COMMIT_BYTES ((size_t)64 << 20) /* one append, but for a single batch that is larger */
/* what a turn costs beside its fuel, when the tail to replay is bounded */
#define TH_TURN_OVERHEAD_FUEL UINT64_C(10000)

typedef struct th_activity th_activity;

/* An actor that exists: an entry of the directory. An idle one is no more than this. */
typedef struct th_entry {
    struct th_entry *next_name;  /* hash chain */
    th_activity *activity;       /* NULL when parked */
    uint64_t id;
    /* messages, answers and notices routed to it and not consumed by an enqueued record */
    uint64_t undelivered;
    uint64_t last_routed;        /* number of the record whose message was last routed to it */
    /* number + 1 of the last message routed while there was no activity; 0: none. They wait in the log. */
    uint64_t backlog;
    uint32_t name_hash;
    /* th_actor_status; 0 while it is being started, and then no message reaches it */
    uint8_t status;
    uint8_t name_size;
    char name[]; /* ends with a zero */
} th_entry;

/* What an actor that has something to do, or did a short while ago, has in memory besides its entry. */
struct th_activity {
    th_entry *entry;
    th_activity *run_next; /* run queue */
    th_activity *idle_prev, *idle_next; /* idle list, oldest first */
    bool queued, running, idle, gated;
    /* id of the actor whose backlog keeps this one's clients waiting; 0: none */
    uint64_t gate;
    th_activity *gated_next;
    uint64_t wait_number; /* not runnable before the index covers this many records; 0: no wait */
    th_activity *wait_next;

    /* genesis, upgrade, stop, resume, remove, checkpoint: one at a time, first */
    th_item_queue control;
    th_item_queue causes; /* the window: messages, answers, notices in the order of their keys */
    size_t causes_bytes;
    th_item_queue clients;
    th_item_queue queries;
    bool prefer_clients; /* so that neither of the two queues starves the other */
    bool overflow; /* more messages wait in the log than in the window */
    uint64_t overflow_number; /* of the last record that routed one past the window */
    bool has_loaded;
    th_message_key loaded; /* the newest key that went into the window */

    /* number + 1 of the actor's last enqueued record; 0: none since the activity was made */
    uint64_t last_number;

    /* Of the worker that runs it, without the lock. */
    th_instance *instance;
    th_loaded *component;
    size_t memory; /* as counted in active_bytes */
    uint64_t tail_bytes, tail_fuel; /* since the last snapshot */
    struct th_ids *ids; /* recent idempotency ids, NULL before the first */
    theater_error broken; /* status not OK: why it cannot be loaded; its clients get this */
};

/* What the committer counts, and what workers add at the end of a slice. */
typedef struct th_counters {
    uint64_t turns, rejections, queries, fuel;
    uint64_t rejections_by_code[7];
    uint64_t commits, commit_records, commit_bytes, commit_ns;
    uint64_t activations, parks, snapshots, instance_hits;
} th_counters;

/* Latencies of what one thread did; added to by that thread alone, without the lock. */
typedef struct th_latency {
    theater_histogram queue, turn, commit, answer;
} th_latency;

/* Records and answers of one slice, on the way from a worker to the committer. */
typedef struct th_batch {
    struct th_batch *next;
    uint64_t epoch;
    th_entry *entry;
    th_buf bytes; /* the encoded records */
    struct th_batch_record {
        size_t offset, size;
    } *records;
    size_t record_count, record_capacity;
    uint64_t first_number; /* given at enqueue */
    uint64_t weight; /* likewise: bytes of memory until it is committed */
    th_item_queue answers; /* items whose `answer` is ready, in the order of their turns */
    /* messages and answers that its records produce, in the order of their keys */
    th_item_queue routes;
    uint64_t consumed; /* messages, answers and notices that its records consumed */
    th_life life; /* a LIFE record is among them: what happens to the actor; 0 for none */
    th_counters counted; /* what its turns add to the counters */
} th_batch;

typedef struct th_worker {
    theater_runtime *runtime;
    th_task *task;
    th_workspace *workspace;
    bool parked; /* its step returned IDLE: wake it for new work */
    bool ended;
    th_batch *spares; /* emptied batches, to be used again, at most TH_ROUND_SLICES; the worker's own */
    bool measures; /* its workspace counts stage times; the worker's own */
    th_stage_times times; /* as of the end of its last slice */
    th_latency latency;
} th_worker;

typedef struct th_directory {
    th_entry **by_name; /* hash table of chains; a power of two */
    size_t buckets;
    th_entry **by_id; /* by_id[id], NULL for none */
    uint64_t ids; /* size of by_id; the next id is runtime.next_actor */
    uint64_t ids_capacity;
    uint64_t count; /* entries that are not removed */
    uint64_t retired; /* removed ones, which keep their names */
} th_directory;

struct theater_runtime {
    /* Set at open. */
    theater_runtime_options options; /* with defaults filled in */
    char *folder; /* NULL: in memory */
    char *origin;
    th_port *port;
    th_machine machine;
    bool owns_machine;
    th_store *store;
    th_loader *loader;
    th_worker workers[TH_WORKERS_MAX];
    unsigned worker_count;
    size_t window_items, slice_items, round_bytes;
    th_task *committer, *indexer;

    th_pool pool; /* has a lock of its own */

    th_mutex lock;
    th_directory directory;
    th_activity *run_first, *run_last;
    size_t run_count;
    th_activity *idle_first, *idle_last;
    th_activity *gated_first;
    th_activity *waiting_first; /* activities with wait_number */
    uint64_t next_actor;

    uint64_t epoch;
    uint64_t next_number; /* of the next record to be enqueued */
    th_batch *commit_first, *commit_last;
    uint64_t inflight_bytes; /* memory of batches enqueued and not committed */
    bool committing; /* an append runs */
    uint64_t committed; /* records below are durable */
    unsigned running; /* slices that run now */

    bool indexing; /* a transaction of the index runs */
    bool index_retry; /* the last one failed */
    bool index_timed; /* the indexer looks again by itself, at the deadline */
    uint64_t index_deadline_ns; /* when the next one is due, if it is not wanted before */
    uint64_t index_wanted; /* somebody waits until the index covers this many records */
    /* queries that saw a state which was then discarded: asked again after the reset */
    th_item_queue retries;
    /* items whose id was known: answered from the log, when the index covers them */
    th_item_queue repeats;

    bool measure; /* atomic: stage times are counted */
    bool closing;
    bool committer_ended;
    bool resetting; /* a commit failed: drop everything and load anew */
    theater_error health; /* status OK, or why the runtime is read-only */
    bool health_final; /* only a new open ends it */

    uint64_t active_count, active_bytes;
    /* atomic: clients' inputs, queries and control items that were taken and not answered */
    uint64_t client_items;
    uint64_t undelivered_running; /* sum of `undelivered` over running, unbroken actors */
    struct th_drain_waiter *drains; /* written under the lock, looked at without it */
    th_event *drains_gone; /* set at the end of the last drain of a runtime that closes */
    /* a removal that cannot catch up with its senders: nothing else is taken up */
    th_activity *quiesce;
    th_counters counters;
    th_latency latency; /* the committer's */
    uint64_t replayed_turns; /* atomic */
    th_mutex keys_lock; /* of keys.c */
    th_mutex archives_lock; /* of whoever adds to archives or removes one (theater/import.c) */
    th_commit_listener listener; /* atomic; NULL: nobody listens. See subscribe.h */
    void *listener_context;
    th_answer_listener answer_listener; /* likewise */
    void *answer_context;
};

/* How a runtime is opened by what knows more than the public options: the simulation and tests. */
typedef struct th_runtime_config {
    theater_runtime_options options;
    th_port *port;
    const th_machine *machine; /* NULL: the engine */
    th_index_memory *index; /* NULL: LMDB */
    uint64_t segment_bytes; /* 0: the store's default */
    uint64_t ids_max, ids_age_ns;
    size_t window_items; /* 0: TH_WINDOW_ITEMS */
    size_t slice_items; /* 0: TH_SLICE_ITEMS */
    size_t round_bytes; /* after which a round is given up; 0: TH_SLICE_BYTES */
} th_runtime_config;
THEATER_CHECKED theater_status th_runtime_open(const th_runtime_config *config, theater_runtime **ret,
                                               theater_error *reterr);

/* ---- directory.c --------------------------------------------------------------------------------------- */

/* Fills the directory from the index. */
THEATER_CHECKED theater_status th_directory_load(theater_runtime *runtime, theater_error *reterr);
void th_directory_done(theater_runtime *runtime); /* frees entries and their activities' memory */
/* also one being started or removed; NULL when there is none */
th_entry *th_directory_find(const th_directory *directory, th_slice name);
th_entry *th_directory_living(const th_directory *directory, th_slice name); /* running or stopped, or NULL */
/* Says why there is no living one: NOT_FOUND, which is returned. */
theater_status th_directory_none(const th_directory *directory, th_slice name, theater_error *reterr);
th_entry *th_directory_by_id(const th_directory *directory, uint64_t id);
THEATER_CHECKED theater_status th_directory_add(th_directory *directory, th_slice name, uint64_t id,
                                                th_entry **ret, theater_error *reterr);
/* Takes the entry out of the tables; it stays the caller's, to be freed when nothing uses it any more. */
void th_directory_detach(th_directory *directory, th_entry *entry);
/* The entry's status is REMOVED: only its name stays. */
void th_directory_retire(th_directory *directory, th_entry *entry);

/* ---- activity.c ---------------------------------------------------------------------------------------- */

/* The entry's activity, made when there is none. NULL: out of memory. */
th_activity *th_activity_get(theater_runtime *runtime, th_entry *entry);
/* Puts it into the run queue when it is runnable and not there, and wakes a worker. */
void th_activity_schedule(theater_runtime *runtime, th_activity *activity);
/* The same without waking: true when it came into the queue, and a worker is to be woken. */
bool th_activity_queue(theater_runtime *runtime, th_activity *activity);
/* Notes why the actor stands still, or with NULL that it goes on. Without the lock: takes it. */
void th_activity_set_broken(theater_runtime *runtime, th_activity *activity, const theater_error *error);
/* Whether its turns can run now: it is running, can be loaded, and the runtime writes. */
bool th_activity_can_run(const theater_runtime *runtime, const th_activity *activity);
/* Whether the backlog of another actor keeps its clients waiting. */
bool th_activity_gate_shut(const theater_runtime *runtime, const th_activity *activity);
/* Forgets the instance, which is then loaded anew from what is durable. The worker that runs the activity. */
void th_activity_drop_instance(th_activity *activity);
/* Whether a worker would find something to do. */
bool th_activity_runnable(const theater_runtime *runtime, const th_activity *activity);
/* Not runnable before the index covers `number` records. */
void th_activity_wait_index(theater_runtime *runtime, th_activity *activity, uint64_t number);
/* After the index moved on: schedules those that waited for it. */
void th_activity_index_moved(theater_runtime *runtime);
/* After an actor's backlog shrank below the bound: schedules those that it gated. */
void th_activity_ungate(theater_runtime *runtime, uint64_t target);
/* The actor is going away: no gate refers to it, and it stands in no list of gated ones. */
void th_activity_forget_gates(theater_runtime *runtime, th_activity *activity);
/* Parks idle actors past the bounds. */
void th_activity_park_some(theater_runtime *runtime);
/* Drops an activity and all that it holds but its items, which must have been taken out. */
void th_activity_free(theater_runtime *runtime, th_activity *activity);
/* Puts it at the end of the idle list, or takes it out. */
void th_activity_set_idle(theater_runtime *runtime, th_activity *activity, bool idle);

/* ---- load.c (a worker, without the lock) --------------------------------------------------------------- */

/* Loads the instance from the newest snapshot and replays the tail. */
THEATER_CHECKED theater_status th_load_instance(theater_runtime *runtime, th_activity *activity,
                                                th_workspace *workspace, theater_error *reterr);
/* Fills the window from the log. Takes the lock itself. */
THEATER_CHECKED theater_status th_refill(theater_runtime *runtime, th_activity *activity,
                                         theater_error *reterr);

/* ---- router.c ------------------------------------------------------------------------------------------ */

/* Routes what a record produced, under the lock, when item->key.number is known. Items are taken over. */
void th_route_message(theater_runtime *runtime, th_entry *sender, th_item *take_item);
void th_route_reply(theater_runtime *runtime, th_item *take_item);
/* Puts a message, answer or notice into an actor's mailbox, or notes that it waits in the log. */
void th_route_deliver(theater_runtime *runtime, th_entry *target, th_item *take_item);
/* `count` entries were consumed by enqueued records. */
void th_route_consumed(theater_runtime *runtime, th_entry *entry, uint64_t count);
/* Keeps the sums for drain when an actor begins or ends to count as running. */
void th_route_count_status(theater_runtime *runtime, th_entry *entry, uint8_t new_status);

/* ---- batch.c ------------------------------------------------------------------------------------------- */

th_batch *th_batch_new(void); /* NULL: out of memory */
void th_batch_clear(th_batch *batch); /* answers must have been taken out */
void th_batch_free(th_batch *batch);
THEATER_CHECKED theater_status th_batch_add(th_batch *batch, const th_record *record, theater_error *reterr);
/* Gives numbers and puts it into the commit queue, under the lock; the committer is woken. */
void th_batch_enqueue(theater_runtime *runtime, th_batch *take_batch);
/* The same without waking: true when the committer is to be woken. */
THEATER_CHECKED bool th_batch_queue(theater_runtime *runtime, th_batch *take_batch);

/* ---- records.c (any thread, without the lock) ---------------------------------------------------------- */

/* An id for an actor that an import makes. */
uint64_t th_runtime_take_actor_id(theater_runtime *runtime);
/* Hands a batch (whose `entry` is NULL) to the committer and waits until it is durable. It is taken over in
 * any case. READ_ONLY, CANCELLED, and what the commit says. */
THEATER_CHECKED theater_status th_runtime_commit(theater_runtime *runtime, th_batch *take_batch,
                                                 theater_error *reterr);

/* Waits until the index covers all that was enqueued so far. */
THEATER_CHECKED theater_status th_runtime_wait_index(theater_runtime *runtime, theater_error *reterr);

/* ---- the tasks ----------------------------------------------------------------------------------------- */

th_step th_worker_step(void *worker, uint64_t *ret_deadline_ns);
th_step th_committer_step(void *runtime, uint64_t *ret_deadline_ns);
th_step th_indexer_step(void *runtime, uint64_t *ret_deadline_ns);
/* Whether the indexer must be told that more was committed. Under the lock. */
bool th_indexer_must_know(const theater_runtime *runtime);
/* Turns stage times on or off as the runtime wants; the worker itself, between slices. */
void th_worker_measure(th_worker *worker);
void th_wake_worker(theater_runtime *runtime); /* one that is parked, if any; under the lock */
void th_wake_workers(theater_runtime *runtime); /* all; under the lock */

/* ---- answers ------------------------------------------------------------------------------------------- */

/* Calls the completion with what `item->answer` holds and frees the item. Never under the lock. */
void th_item_complete(theater_runtime *runtime, th_item *take_item);
/* The same of all, in their order. Empties the queue. */
void th_items_complete(theater_runtime *runtime, th_item_queue *take_items);
/* Wakes theater_drain when nothing is left to do; under the lock. */
void th_drain_check(theater_runtime *runtime);
/* Wakes it in any case; under the lock. */
void th_drain_wake(theater_runtime *runtime);
/* Tells who listens of a commit. The committer, without the lock. */
void th_subscribe_tell(theater_runtime *runtime, uint64_t committed);
/* Tells who listens that completions were called. The thread that called them, without the lock. */
void th_subscribe_answered(theater_runtime *runtime);

/* ---- reset.c ------------------------------------------------------------------------------------------- */

/* A commit failed: notes the health, and has everything dropped as soon as no slice runs. Under the lock. */
void th_reset_begin(theater_runtime *runtime, const theater_error *why, bool final);
/* Drops and loads anew, when no slice runs any more. The committer, without the lock. */
void th_reset_run(theater_runtime *runtime);

#endif
