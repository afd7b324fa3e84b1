/* port/system_internal.h: shared by the files of the system's port. */
#ifndef TH_PORT_SYSTEM_INTERNAL_H
#define TH_PORT_SYSTEM_INTERNAL_H

#include <errno.h>
#include <time.h>

#include "port/internal.h"
#include "port/system.h"

/* Fails with the status that the error number stands for; the message is "<what> <path>: <the system's
 * words>". */
THEATER_CHECKED theater_status th_system_fail(theater_error *reterr, int error_number, const char *what,
                                              const char *path);

/* Whether the next system call on files is to fail instead of being made; sets errno then. See
 * th_file_fail_at. */
#ifdef TH_FAULTS
bool th_system_call_fails(void);
/* How many bytes one read or write may transfer: `size`, or less when a test asked for short ones. */
size_t th_system_transfer_size(size_t size);
#else
static inline bool th_system_call_fails(void)
{
    return false;
}
static inline size_t th_system_transfer_size(size_t size)
{
    return size;
}
#endif

/* A system call that may be made to fail, repeated while a signal interrupts it. */
#define TH_SYSTEM_CALL(result, call)                                                                         \
    do {                                                                                                     \
        (result) = th_system_call_fails() ? -1 : (call);                                                     \
    } while ((result) < 0 && errno == EINTR)

uint64_t th_system_monotonic_ns(th_port *port);

/* Sleeps while *word is `expected`, until a wake or the monotonic time `deadline_ns` (UINT64_MAX: none). May
 * also return for no reason. False when the deadline passed. */
bool th_system_futex_wait(uint32_t *word, uint32_t expected, uint64_t deadline_ns);
void th_system_futex_wake(uint32_t *word, int count);

theater_status th_system_file_open(th_port *port, const char *path, unsigned flags, th_file **ret,
                                   theater_error *reterr);
void th_system_file_close(th_file *file);
theater_status th_system_file_read(th_file *file, uint64_t offset, void *out, size_t size, size_t *ret_size,
                                   theater_error *reterr);
theater_status th_system_file_write(th_file *file, uint64_t offset, const th_slice *parts, size_t count,
                                    theater_error *reterr);
theater_status th_system_file_sync(th_file *file, theater_error *reterr);
theater_status th_system_file_size(th_file *file, uint64_t *ret, theater_error *reterr);
theater_status th_system_file_reserve(th_file *file, uint64_t size, theater_error *reterr);
theater_status th_system_file_truncate(th_file *file, uint64_t size, theater_error *reterr);
theater_status th_system_file_lock(th_file *file, uint32_t wait_ms, theater_error *reterr);

theater_status th_system_make_folder(th_port *port, const char *path, theater_error *reterr);
theater_status th_system_rename(th_port *port, const char *from, const char *to, theater_error *reterr);
theater_status th_system_remove(th_port *port, const char *path, theater_error *reterr);
theater_status th_system_sync_folder(th_port *port, const char *path, theater_error *reterr);
theater_status th_system_list_folder(th_port *port, const char *path,
                                     bool (*entry)(void *context, const char *name), void *context,
                                     theater_error *reterr);

theater_status th_system_task_start(th_port *port, const char *name, size_t stack_bytes,
                                    th_step_function step, void *context, th_task **ret,
                                    theater_error *reterr);
void th_system_task_wake(th_task *task);
void th_system_task_join(th_task *task);

theater_status th_system_event_new(th_port *port, th_event **ret, theater_error *reterr);
void th_system_event_free(th_event *event);
void th_system_event_set(th_event *event);
void th_system_event_reset(th_event *event);
bool th_system_event_wait(th_event *event, uint64_t timeout_ns);

#endif
