/* port/port.h: everything that is not deterministic: clock, entropy, files, threads.
 *
 * There are two ports. The system's (port/system.h) is the machine. The simulation's (port/simulation.h) runs
 * the whole runtime in one thread from a seed: its clock moves only a little at each step, and to the next
 * deadline when nothing can run; its scheduler picks the next task at random; its disk loses and tears what
 * was not synced when it crashes. What runs above the port must therefore keep three rules:
 *
 *   1. A task is a step function that never waits: it does a bounded piece of work and returns.
 *   2. No lock is held when a step returns, and no step waits for another task.
 *   3. No clock, randomness, file or thread is reached but through this header.
 *
 * Every handle belongs to the port that made it, and both ports may be used in one program at once. Calls on
 * a simulated port come from the one thread that drives the simulation; "any thread" below is about the
 * system's. Arguments may not be NULL but where that is said. */
#ifndef TH_PORT_PORT_H
#define TH_PORT_PORT_H

#include "base/bytes.h"

typedef struct th_port th_port;

/* ---- clock and entropy ------------------------------------------------------------------------------ */

/* Nanoseconds since the Unix epoch. May jump, also backwards. Any thread. */
uint64_t th_port_wall_ns(th_port *port);
/* Nanoseconds that only grow, from a start of no meaning; never 0. Any thread. */
uint64_t th_port_monotonic_ns(th_port *port);
/* CPU time of the calling thread in nanoseconds, for stage figures; 0 in the simulation. */
uint64_t th_port_thread_cpu_ns(th_port *port);
/* Bytes fit for keys (in the simulation: from the seed). Any thread. Errors: IO. */
THEATER_CHECKED theater_status th_port_entropy(th_port *port, uint8_t *out, size_t size,
                                               theater_error *reterr);
/* Processors that tasks may run on, at least 1; 1 to 4 by seed in the simulation. Any thread. */
unsigned th_port_processors(th_port *port);

/* ---- files ------------------------------------------------------------------------------------------ */

typedef struct th_file th_file;

enum {
    TH_FILE_READ = 1,
    TH_FILE_WRITE = 2,     /* with or without READ */
    TH_FILE_CREATE = 4,    /* make it when missing */
    TH_FILE_EXCLUSIVE = 8, /* with CREATE: fail with THEATER_EXISTS when it is there */
    /* with CREATE: mode 0600 instead of 0644; without: PERMISSION when others than its owner may use the file */
    TH_FILE_PRIVATE = 16,
};

/* Opens a regular file; *ret is the caller's (th_file_close), and NULL on an error. `path` is as the system
 * takes it (the simulation refuses ".."), and is copied. A file may be used by several threads at once, as
 * far as their ranges do not overlap; reserve and truncate overlap everything past the size that the file has
 * before.
 *
 * Errors of all calls on files and folders, each with a message that names the path: NOT_FOUND, EXISTS,
 * PERMISSION, READ_ONLY (file system), NO_SPACE, TOO_LARGE (file), INVALID_ARGUMENT (a path that cannot be),
 * BUSY (in use by the system), NO_MEMORY, IO (all else). A file that was created is not durably there before
 * th_port_sync_folder of its folder. */
THEATER_CHECKED theater_status th_file_open(th_port *port, const char *path, unsigned flags, th_file **ret,
                                            theater_error *reterr);
/* Accepts NULL. Drops a lock; does not sync. Works on a simulated machine that crashed, as nothing else
 * does. */
void th_file_close(th_file *file);
/* Reads up to `size` bytes at `offset`; *ret_size is less only at the end of the file. */
THEATER_CHECKED theater_status th_file_read(th_file *file, uint64_t offset, void *out, size_t size,
                                            size_t *ret_size, theater_error *reterr);
/* Writes all the parts, one after the other, at `offset`, as one vectored write where the system can; an
 * error may leave any part of the range written. THEATER_NO_SPACE when the disk is full. */
THEATER_CHECKED theater_status th_file_write(th_file *file, uint64_t offset, const th_slice *parts,
                                             size_t count, theater_error *reterr);
/* fdatasync: when it returns OK, all that was written before and the size are durable. A failure is never
 * retried: what was written since the last sync may be lost even if a later sync succeeds. */
THEATER_CHECKED theater_status th_file_sync(th_file *file, theater_error *reterr);
THEATER_CHECKED theater_status th_file_size(th_file *file, uint64_t *ret, theater_error *reterr);
/* Makes room from the present size up to `size` bytes: the size grows, the new bytes are zero, and writes
 * below it allocate nothing, so that their sync is fast. Does nothing when the file is that large already.
 * Costs about 0.6 ms a MiB on the system and adds that much to the next sync (port/system_file.c has the
 * figures): call it ahead of need. On an error the size is as before. */
THEATER_CHECKED theater_status th_file_reserve(th_file *file, uint64_t size, theater_error *reterr);
/* Cuts the file, or grows it by zeros for which there is no room yet. Durable with the next sync: until then
 * a crash may bring back what was cut, under writes that came later, too. */
THEATER_CHECKED theater_status th_file_truncate(th_file *file, uint64_t size, theater_error *reterr);
/* An exclusive advisory lock on the whole file, which is open for writing, against other processes and other
 * handles of this one; OK when this handle has it already. Waits up to `wait_ms`, then THEATER_BUSY: so not
 * in a step unless that is 0. Lasts until the handle is closed; in the simulation a crash drops it. */
THEATER_CHECKED theater_status th_file_lock(th_file *file, uint32_t wait_ms, theater_error *reterr);

/* Folders. None of these is durable before th_port_sync_folder of the folder that holds the entry. */

/* OK when it is there; EXISTS when that is no folder. The folders above must be there. */
THEATER_CHECKED theater_status th_port_make_folder(th_port *port, const char *path, theater_error *reterr);
/* Replaces a file at `to` in one: there is no moment, and after a crash no state, without either. The
 * simulation moves files between folders but renames folders only within theirs. */
THEATER_CHECKED theater_status th_port_rename(th_port *port, const char *from, const char *to,
                                              theater_error *reterr);
/* A file or an empty folder; EXISTS for one that is not empty. Open handles of the file stay good. */
THEATER_CHECKED theater_status th_port_remove(th_port *port, const char *path, theater_error *reterr);
THEATER_CHECKED theater_status th_port_sync_folder(th_port *port, const char *path, theater_error *reterr);
/* Calls back for each entry but . and .., in ascending byte order of names; stops when the callback returns
 * false. The names are gathered first (up to 16 MiB, else TOO_LARGE), so the callback may change the
 * folder. */
THEATER_CHECKED theater_status th_port_list_folder(th_port *port, const char *path,
                                                   bool (*entry)(void *context, const char *name),
                                                   void *context, theater_error *reterr);

/* Whole small files. Read appends to `out` and takes up to `max` bytes (else TOO_LARGE). Replace writes
 * "<path>.new", syncs it, renames it over and syncs the folder: after a crash the file is either the old or
 * the new, and the new one when it returned OK. `flags` is 0 or TH_FILE_PRIVATE. One caller at a time for a
 * path. */
THEATER_CHECKED theater_status th_port_read_file(th_port *port, const char *path, size_t max, th_buf *out,
                                                 theater_error *reterr);
/* The same of a file that holds a secret: PERMISSION when others than its owner may use it. */
THEATER_CHECKED theater_status th_port_read_private_file(th_port *port, const char *path, size_t max,
                                                         th_buf *out, theater_error *reterr);
THEATER_CHECKED theater_status th_port_replace_file(th_port *port, const char *path, unsigned flags,
                                                    th_slice contents, theater_error *reterr);

/* ---- tasks, locks and waiting ----------------------------------------------------------------------- */

typedef enum th_step {
    TH_STEP_AGAIN, /* there may be more to do: call again soon */
    TH_STEP_IDLE,  /* nothing to do before th_task_wake or the deadline */
    TH_STEP_DONE,  /* never call again */
} th_step;

typedef struct th_task th_task;

/* One bounded piece of work. *ret_deadline_ns is 0 at entry; a step that returns IDLE may set it to a
 * monotonic time at which it wants to be called at the latest; a time that has passed means at once. */
typedef th_step (*th_step_function)(void *context, uint64_t *ret_deadline_ns);

/* Starts a task: a thread of its own in the system (with `stack_bytes` of stack, 0 for the default; signals
 * that the program may get are blocked in it), an entry of the scheduler in the simulation. `name` is for
 * people, at most 15 bytes are shown. *ret is the caller's (th_task_join). The first step may run before this
 * returns. Errors: NO_MEMORY, IO. */
THEATER_CHECKED theater_status th_task_start(th_port *port, const char *name, size_t stack_bytes,
                                             th_step_function step, void *context, th_task **ret,
                                             theater_error *reterr);
/* Makes an idle task run its step again. What the caller wrote before is seen by that step. A wake that comes
 * while the step runs is not lost: the step runs once more. Many wakes before a step count as one. Cheap
 * when the task is not parked: no system call. Any thread, until th_task_join is called. */
void th_task_wake(th_task *task);
/* Waits until the step returned DONE and frees the task. Never inside a step. In the simulation this runs
 * other tasks meanwhile (and asserts that something can still run); after a crash it only frees. Accepts
 * NULL. */
void th_task_join(th_task *task);

/* A mutex, held for short; not recursive. In the simulation it only checks that nobody holds it. Its memory
 * is the caller's, and does not move between init and done. */
typedef struct th_mutex {
    _Alignas(16) unsigned char opaque[64];
} th_mutex;
void th_mutex_init(th_port *port, th_mutex *mutex);
void th_mutex_done(th_mutex *mutex);
void th_mutex_lock(th_mutex *mutex);
void th_mutex_unlock(th_mutex *mutex);

/* Something that a thread outside all tasks (an API call, the command line) waits for. Never waited for
 * inside a step; set and reset anywhere. Errors of new: NO_MEMORY, IO (a simulated machine that crashed). */
typedef struct th_event th_event;
THEATER_CHECKED theater_status th_event_new(th_port *port, th_event **ret, theater_error *reterr);
/* Accepts NULL. A waiter may free the event as soon as its wait returned true, even while set is on its way
 * out on another thread. */
void th_event_free(th_event *event);
/* Stays set until a reset. What the caller wrote before is seen by whoever waits. Any thread. */
void th_event_set(th_event *event);
void th_event_reset(th_event *event);
/* True when it was set within `timeout_ns` (0: only looks; UINT64_MAX: no limit). A reset that follows a set
 * at once may hide it from one who waits, so one thread does both waiting and resetting. In the simulation
 * this runs tasks until then, and false also means that the simulation crashed or that nothing can run any
 * more. */
bool th_event_wait(th_event *event, uint64_t timeout_ns);

#endif
