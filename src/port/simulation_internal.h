/* port/simulation_internal.h: the parts of the simulated machine.
 *
 *   simulation.c         the machine: seed, clock, digest, faults, crash and restart
 *   simulation_task.c    scheduler, tasks, events
 *   simulation_image.c   the bytes of a file, as pages
 *   simulation_disk.c    nodes (files and folders), their pending writes
 *   simulation_names.c   entries of folders, their pending changes, paths
 *   simulation_settle.c  what a failed sync or a crash leaves of what was pending
 *   simulation_file.c    the file calls of the port
 *   simulation_folder.c  the folder calls of the port
 *
 * Invariants of the disk:
 *
 *   1. A node has two images: `current` is what reads see, `durable` is what the disk holds. Likewise a
 *      folder has two lists of entries.
 *   2. `current` is `durable` with all pending operations applied in order, but for what a failed sync lost
 *      (3).
 *   3. A pending operation leaves its list exactly once: applied to `durable` by a sync or by write-back, or
 *      by lot (applied, partly applied or lost) at a failed sync or a crash.
 *   4. A node lives as long as something refers to it: an entry of either list, a pending change of a folder,
 *      an open file.
 *   5. A sync of a folder applies every pending change that an applied one may depend on, so that no older
 *      change is ever applied over a newer one (th_sim_names_sync).
 *   6. After a crash `current` is `durable` everywhere, nothing is pending, and nothing is open. */
#ifndef TH_PORT_SIMULATION_INTERNAL_H
#define TH_PORT_SIMULATION_INTERNAL_H

#include "port/internal.h"
#include "port/simulation.h"

#define TH_SIM_SECTOR 512u
#define TH_SIM_PAGE 4096u
/* Past these bounds the oldest pending operation is written back, as a kernel does that is short of
 * memory. */
#define TH_SIM_PENDING_WRITES_MAX 4096u
#define TH_SIM_PENDING_BYTES_MAX ((uint64_t)64 << 20)
#define TH_SIM_PENDING_NAMES_MAX 4096u
/* Bounds of the machine; past them the call fails with THEATER_NO_SPACE or THEATER_NO_MEMORY. */
#define TH_SIM_TASKS_MAX 1024u
#define TH_SIM_FILE_MAX ((uint64_t)4 << 30)
#define TH_SIM_NAME_MAX 255u

/* ---- images ---- */

typedef struct th_sim_image {
    uint64_t size;
    uint8_t **pages; /* page_count of them; NULL is a page of zeros */
    size_t page_count;
} th_sim_image;

void th_sim_image_done(th_sim_image *image);
/* Copies [offset, offset + size) to `out`; false bytes past the end read as zero, so callers bound the
 * range. */
void th_sim_image_read(const th_sim_image *image, uint64_t offset, uint8_t *out, size_t size);
/* Writes, and grows the size when the range ends past it. */
THEATER_CHECKED theater_status th_sim_image_write(th_sim_image *image, uint64_t offset, const uint8_t *data,
                                                  size_t size, theater_error *reterr);
/* Cuts, or grows by zeros. */
void th_sim_image_resize(th_sim_image *image, uint64_t size);
/* Makes `to` equal to `from`. */
THEATER_CHECKED theater_status th_sim_image_copy(th_sim_image *to, const th_sim_image *from,
                                                 theater_error *reterr);

/* ---- nodes ---- */

typedef struct th_sim_node th_sim_node;

typedef struct th_sim_pending_write {
    struct th_sim_pending_write *next;
    bool is_size;    /* a change of size to `offset` (truncate, reserve) instead of a write */
    uint64_t offset; /* or the new size */
    size_t size;
    uint8_t data[];
} th_sim_pending_write;

typedef struct th_sim_entry {
    char *name;
    th_sim_node *node; /* holds a reference */
} th_sim_entry;

typedef struct th_sim_entries {
    th_sim_entry *items; /* in ascending order of names */
    size_t count;
    size_t capacity;
} th_sim_entries;

struct th_sim_node {
    th_sim_node *next_all; /* the machine's list of all nodes */
    th_sim_node *previous_all;
    unsigned references;
    bool is_folder;
    uint64_t id; /* in order of making: what the digest names it by */

    th_sim_image current;
    th_sim_image durable;
    uint64_t allocated; /* bytes that count against the disk; writes below need no more */
    bool differs;       /* a lot was drawn: `current` is more than `durable` and the pending writes */
    th_sim_pending_write *first_write;
    th_sim_pending_write **last_write;
    unsigned write_count;
    uint64_t write_bytes;
    struct th_sim_file *locked_by;

    th_sim_entries current_entries;
    th_sim_entries durable_entries;
};

/* A pending change of entries: makes `to_name` in `to_folder` the entry of `node`, removes `from_name` from
 * `from_folder`, or both as one (a rename). All nodes are referred to. */
typedef struct th_sim_pending_name {
    struct th_sim_pending_name *next;
    th_sim_node *node;
    th_sim_node *from_folder; /* NULL when nothing is removed */
    char *from_name;
    th_sim_node *to_folder; /* NULL when nothing is made */
    char *to_name;
    bool chosen; /* scratch of th_sim_names_sync */
} th_sim_pending_name;

/* A port of the machine: one for each start. */
typedef struct th_sim_port {
    th_port base;
    th_simulation *simulation;
} th_sim_port;

typedef struct th_sim_file {
    th_file head;
    th_simulation *simulation;
    th_sim_node *node;
    unsigned flags;
    char path[];
} th_sim_file;

typedef struct th_sim_task th_sim_task;

struct th_simulation {
    th_sim_port *port;
    uint64_t random[4];
    uint64_t digest;
    th_simulation_faults faults;
    unsigned processors;

    uint64_t now_ns;         /* monotonic */
    int64_t wall_offset_ns;  /* wall clock minus monotonic */
    bool crashed;
    bool crash_armed;
    uint64_t io_until_crash; /* calls that still succeed, when armed */

    th_sim_task **tasks; /* in order of their start */
    size_t task_count;
    uint64_t next_task_id;
    bool in_step;
    unsigned overlapping; /* steps that wait while others run */
    unsigned held_mutexes;

    th_sim_node *root;
    th_sim_node *all_nodes;
    uint64_t next_node_id;
    uint64_t disk_used;
    th_sim_pending_name *first_name;
    th_sim_pending_name **last_name;
    unsigned name_count;

    unsigned open_files;
    unsigned open_events;
};

/* ---- the machine ---- */

static inline th_simulation *th_sim_of(th_port *port)
{
    return ((th_sim_port *)port)->simulation;
}

/* True with the probability of `millionths`; takes nothing from the random stream when that is 0. */
bool th_sim_chance(th_simulation *simulation, uint32_t millionths);
/* Mixes what happened into the digest. */
void th_sim_note(th_simulation *simulation, uint64_t what);
void th_sim_note_bytes(th_simulation *simulation, const void *data, size_t size);
/* Moves the clock by 1 ns up to `most_ns`. */
void th_sim_pass_time(th_simulation *simulation, uint64_t most_ns);
/* THEATER_IO when the machine crashed. `what` and `path` go to the message. */
THEATER_CHECKED theater_status th_sim_alive(th_simulation *simulation, const char *what, const char *path,
                                            theater_error *reterr);
/* Counts one call that changes the disk, after its effect is pending: THEATER_IO when this is the call at
 * which the machine crashes. */
THEATER_CHECKED theater_status th_sim_count_io(th_simulation *simulation, const char *what, const char *path,
                                               theater_error *reterr);

/* What is noted in the digest. */
enum {
    TH_SIM_STEP = 1,
    TH_SIM_WRITE,
    TH_SIM_READ,
    TH_SIM_SYNC,
    TH_SIM_RESIZE,
    TH_SIM_NAMES,
    TH_SIM_CRASH,
    TH_SIM_RESTART
};

/* ---- disk ---- */

/* The new node has one reference, the caller's. */
THEATER_CHECKED theater_status th_sim_node_new(th_simulation *simulation, bool is_folder, th_sim_node **ret,
                                               theater_error *reterr);
void th_sim_node_ref(th_sim_node *node);
void th_sim_node_unref(th_simulation *simulation, th_sim_node *node);

/* Writes to `current` and remembers it as pending. `parts` are one after the other; only the first `size`
 * bytes of them are taken. */
THEATER_CHECKED theater_status th_sim_node_write(th_simulation *simulation, th_sim_node *node,
                                                 uint64_t offset, const th_slice *parts, size_t count,
                                                 size_t size, theater_error *reterr);
THEATER_CHECKED theater_status th_sim_node_resize(th_simulation *simulation, th_sim_node *node, uint64_t size,
                                                  theater_error *reterr);
/* Applies all that is pending. On THEATER_NO_MEMORY some of it still is. */
THEATER_CHECKED theater_status th_sim_node_sync(th_sim_node *node, theater_error *reterr);
/* Bytes that the disk still has room for beyond what the node has; UINT64_MAX without a capacity. */
uint64_t th_sim_disk_room(const th_simulation *simulation);
/* Makes the node's allocation at least `end`. */
void th_sim_node_allocate(th_simulation *simulation, th_sim_node *node, uint64_t end);
/* Unlinks and frees the oldest pending write. */
void th_sim_node_drop_write(th_sim_node *node);

/* ---- names ---- */

th_sim_node *th_sim_entries_find(const th_sim_entries *entries, const char *name);
/* Sets the entry, over an older one of that name; takes a reference of its own. */
THEATER_CHECKED theater_status th_sim_entries_set(th_simulation *simulation, th_sim_entries *entries,
                                                  const char *name, th_sim_node *node, theater_error *reterr);
void th_sim_entries_remove(th_simulation *simulation, th_sim_entries *entries, const char *name);
void th_sim_entries_done(th_simulation *simulation, th_sim_entries *entries);

/* A place in the tree: the folder that holds, or would hold, the entry, and the entry's name in it. For the
 * root the name is "" and `node` the root. `node` is NULL when there is no such entry. Nothing is referred
 * to. */
typedef struct th_sim_place {
    th_sim_node *folder;
    th_sim_node *node;
    char name[TH_SIM_NAME_MAX + 1];
} th_sim_place;
/* THEATER_NOT_FOUND when a folder on the way is missing, THEATER_INVALID_ARGUMENT for .. and names that are
 * too long. */
THEATER_CHECKED theater_status th_sim_find(th_simulation *simulation, const char *path, th_sim_place *ret,
                                           theater_error *reterr);

/* Changes the current entries at once, and remembers the change as pending. Either place may be NULL; both
 * make a rename. `node` is the one that is made, removed or renamed. */
THEATER_CHECKED theater_status th_sim_names_change(th_simulation *simulation, th_sim_node *node,
                                                   const th_sim_place *from, const th_sim_place *to,
                                                   theater_error *reterr);
/* Makes the folder's entries durable, with what that depends on. */
THEATER_CHECKED theater_status th_sim_names_sync(th_simulation *simulation, th_sim_node *folder,
                                                 theater_error *reterr);
/* Applies a change to the durable entries. */
THEATER_CHECKED theater_status th_sim_names_apply(th_simulation *simulation,
                                                  const th_sim_pending_name *change, theater_error *reterr);
/* Unlinks and frees the pending change that *link points to. */
void th_sim_names_drop(th_simulation *simulation, th_sim_pending_name **link);

/* ---- settling ---- */

/* Decides by lot what the disk got of the node's pending writes, and forgets them. `current` stays. */
THEATER_CHECKED theater_status th_sim_settle_node(th_simulation *simulation, th_sim_node *node,
                                                  theater_error *reterr);
/* Settles the whole disk after a crash. */
THEATER_CHECKED theater_status th_sim_settle_disk(th_simulation *simulation, theater_error *reterr);

/* ---- the port's calls ---- */

theater_status th_sim_file_open(th_port *port, const char *path, unsigned flags, th_file **ret,
                                theater_error *reterr);
void th_sim_file_close(th_file *file);
theater_status th_sim_file_read(th_file *file, uint64_t offset, void *out, size_t size, size_t *ret_size,
                                theater_error *reterr);
theater_status th_sim_file_write(th_file *file, uint64_t offset, const th_slice *parts, size_t count,
                                 theater_error *reterr);
theater_status th_sim_file_sync(th_file *file, theater_error *reterr);
theater_status th_sim_file_size(th_file *file, uint64_t *ret, theater_error *reterr);
theater_status th_sim_file_reserve(th_file *file, uint64_t size, theater_error *reterr);
theater_status th_sim_file_truncate(th_file *file, uint64_t size, theater_error *reterr);
theater_status th_sim_file_lock(th_file *file, uint32_t wait_ms, theater_error *reterr);
theater_status th_sim_make_folder(th_port *port, const char *path, theater_error *reterr);
theater_status th_sim_rename(th_port *port, const char *from, const char *to, theater_error *reterr);
theater_status th_sim_remove(th_port *port, const char *path, theater_error *reterr);
theater_status th_sim_sync_folder(th_port *port, const char *path, theater_error *reterr);
theater_status th_sim_list_folder(th_port *port, const char *path,
                                  bool (*entry)(void *context, const char *name), void *context,
                                  theater_error *reterr);
theater_status th_sim_task_start(th_port *port, const char *name, size_t stack_bytes, th_step_function step,
                                 void *context, th_task **ret, theater_error *reterr);
void th_sim_task_wake(th_task *task);
void th_sim_task_join(th_task *task);
theater_status th_sim_event_new(th_port *port, th_event **ret, theater_error *reterr);
void th_sim_event_free(th_event *event);
void th_sim_event_set(th_event *event);
void th_sim_event_reset(th_event *event);
bool th_sim_event_wait(th_event *event, uint64_t timeout_ns);

#endif
