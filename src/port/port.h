/* port/port.h: everything that is not deterministic: clock, entropy, files, threads.
 *
 * There are two ports. The system's (port/system.h) is the machine. The simulation's (port/simulation.h) runs the whole runtime in
 * one thread from a seed: its clock moves only when nothing can run, its scheduler picks the next task at random, and its disk
 * loses and tears what was not synced when it crashes. What runs above the port must therefore keep three rules:
 *
 *   1. A task is a step function that never waits: it does a bounded piece of work and returns.
 *   2. No lock is held when a step returns, and no step waits for another task.
 *   3. No clock, randomness, file or thread is reached but through this header.
 */
#ifndef TH_PORT_PORT_H
#define TH_PORT_PORT_H

#include "base/bytes.h"

typedef struct th_port th_port;

/* ---- clock and entropy -------------------------------------------------------------------------------------- */

/* Nanoseconds since the Unix epoch. May jump, also backwards. Any thread. */
uint64_t th_port_wall_ns(th_port *port);
/* Nanoseconds that only grow. Any thread. */
uint64_t th_port_monotonic_ns(th_port *port);
/* CPU time of the calling thread in nanoseconds, for stage figures; 0 in the simulation. */
uint64_t th_port_thread_cpu_ns(th_port *port);
/* Bytes fit for keys. Any thread. */
THEATER_CHECKED theater_status th_port_entropy(th_port *port, uint8_t *out, size_t size, theater_error *reterr);
/* Processors that tasks may run on, at least 1; 1 to 4 by seed in the simulation. */
unsigned th_port_processors(th_port *port);

/* ---- files --------------------------------------------------------------------------------------------------- */

typedef struct th_file th_file;

enum {
    TH_FILE_READ = 1,
    TH_FILE_WRITE = 2,      /* with or without READ */
    TH_FILE_CREATE = 4,     /* make it when missing */
    TH_FILE_EXCLUSIVE = 8,  /* with CREATE: fail with THEATER_EXISTS when it is there */
    TH_FILE_PRIVATE = 16,   /* with CREATE: mode 0600 instead of 0644 */
};

/* Paths are as the system takes them. Errors: NOT_FOUND, EXISTS, PERMISSION, READ_ONLY (file system), NO_SPACE, IO; the message
 * names the path. A file may be used by several threads at once, as far as their ranges do not overlap. */
THEATER_CHECKED theater_status th_file_open(th_port *port, const char *path, unsigned flags, th_file **ret,
                                            theater_error *reterr);
void th_file_close(th_file *file); /* accepts NULL; drops a lock; does not sync */
/* Reads up to `size` bytes at `offset`; *ret_size is less only at the end of the file. */
THEATER_CHECKED theater_status th_file_read(th_file *file, uint64_t offset, void *out, size_t size, size_t *ret_size,
                                            theater_error *reterr);
/* Writes all the parts, one after the other, at `offset`, as one vectored write where the system can; an error may leave any part of
 * the range written. THEATER_NO_SPACE when the disk is full. */
THEATER_CHECKED theater_status th_file_write(th_file *file, uint64_t offset, const th_slice *parts, size_t count,
                                             theater_error *reterr);
/* fdatasync: when it returns OK, all that was written before and the size are durable. A failure is never retried: what was written
 * since the last sync may be lost even if a later sync succeeds. */
THEATER_CHECKED theater_status th_file_sync(th_file *file, theater_error *reterr);
THEATER_CHECKED theater_status th_file_size(th_file *file, uint64_t *ret, theater_error *reterr);
/* Makes room up to `size` bytes (size grows, new bytes are zero), so that writes below it allocate nothing. */
THEATER_CHECKED theater_status th_file_reserve(th_file *file, uint64_t size, theater_error *reterr);
THEATER_CHECKED theater_status th_file_truncate(th_file *file, uint64_t size, theater_error *reterr);
/* An exclusive advisory lock on the whole file, against other processes and other handles of this one. Waits up to `wait_ms`, then
 * THEATER_BUSY. In the simulation a crash drops it. */
THEATER_CHECKED theater_status th_file_lock(th_file *file, uint32_t wait_ms, theater_error *reterr);

/* Folders. None of these is durable before th_port_sync_folder of the folder that holds the entry. */
THEATER_CHECKED theater_status th_port_make_folder(th_port *port, const char *path, theater_error *reterr); /* OK when it is there */
THEATER_CHECKED theater_status th_port_rename(th_port *port, const char *from, const char *to, theater_error *reterr);
THEATER_CHECKED theater_status th_port_remove(th_port *port, const char *path, theater_error *reterr); /* a file or an empty folder */
THEATER_CHECKED theater_status th_port_sync_folder(th_port *port, const char *path, theater_error *reterr);
/* Calls back for each entry but . and .., in ascending byte order of names; stops when the callback returns false. */
THEATER_CHECKED theater_status th_port_list_folder(th_port *port, const char *path,
                                                   bool (*entry)(void *context, const char *name), void *context,
                                                   theater_error *reterr);

/* Whole small files, up to `max` bytes (else TOO_LARGE). Replace writes a temporary beside it, syncs, renames over and syncs the
 * folder: after a crash the file is either the old or the new. */
THEATER_CHECKED theater_status th_port_read_file(th_port *port, const char *path, size_t max, th_buf *out,
                                                 theater_error *reterr);
THEATER_CHECKED theater_status th_port_replace_file(th_port *port, const char *path, unsigned flags, th_slice contents,
                                                    theater_error *reterr);

/* ---- tasks, locks and waiting ---------------------------------------------------------------------------------- */

typedef enum th_step {
    TH_STEP_AGAIN, /* there may be more to do: call again soon */
    TH_STEP_IDLE,  /* nothing to do before th_task_wake or the deadline */
    TH_STEP_DONE,  /* never call again */
} th_step;

typedef struct th_task th_task;

/* One bounded piece of work. *ret_deadline_ns is 0 at entry; a step that returns IDLE may set it to a monotonic time at which it
 * wants to be called at the latest. */
typedef th_step (*th_step_function)(void *context, uint64_t *ret_deadline_ns);

/* Starts a task: a thread of its own in the system (with `stack_bytes` of stack, 0 for the default), an entry of the scheduler in
 * the simulation. `name` is for people, at most 15 bytes are shown. */
THEATER_CHECKED theater_status th_task_start(th_port *port, const char *name, size_t stack_bytes, th_step_function step,
                                             void *context, th_task **ret, theater_error *reterr);
/* Makes an idle task run its step again. A wake that comes while the step runs is not lost. Cheap when the task is not
 * parked. Any thread. */
void th_task_wake(th_task *task);
/* Waits until the step returned DONE and frees the task. Not from the task itself. In the simulation this runs other tasks
 * meanwhile; after a crash it only frees. Accepts NULL. */
void th_task_join(th_task *task);

/* A mutex, held for short. In the simulation it only checks that nobody holds it. */
typedef struct th_mutex {
    _Alignas(16) unsigned char opaque[64];
} th_mutex;
void th_mutex_init(th_port *port, th_mutex *mutex);
void th_mutex_done(th_mutex *mutex);
void th_mutex_lock(th_mutex *mutex);
void th_mutex_unlock(th_mutex *mutex);

/* Something that a thread outside all tasks (an API call, the command line) waits for. Never used inside a step. */
typedef struct th_event th_event;
THEATER_CHECKED theater_status th_event_new(th_port *port, th_event **ret, theater_error *reterr);
void th_event_free(th_event *event);
void th_event_set(th_event *event); /* stays set; any thread */
void th_event_reset(th_event *event);
/* True when it was set within `timeout_ns` (UINT64_MAX: no limit). In the simulation this runs tasks until then, and false also
 * means that the simulation crashed or that nothing can run any more. */
bool th_event_wait(th_event *event, uint64_t timeout_ns);

#endif
