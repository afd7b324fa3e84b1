/* port/system.c: clock, entropy and processors of the machine, and the table of its operations. */
#include <sched.h>
#include <sys/random.h>
#include <unistd.h>

#include "port/system_internal.h"

static uint64_t read_clock(clockid_t clock)
{
    struct timespec time;
    th_assert(clock_gettime(clock, &time) == 0);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static uint64_t wall_ns(th_port *port)
{
    return read_clock(CLOCK_REALTIME);
}

uint64_t th_system_monotonic_ns(th_port *port)
{
    return read_clock(CLOCK_MONOTONIC);
}

static uint64_t thread_cpu_ns(th_port *port)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

static theater_status entropy(th_port *port, uint8_t *out, size_t size, theater_error *reterr)
{
    while (size > 0) {
        ssize_t got = getrandom(out, size, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return th_system_fail(reterr, errno, "read", "the system's entropy");
        out += got;
        size -= (size_t)got;
    }
    return THEATER_OK;
}

static unsigned processors(th_port *port)
{
    /* The affinity mask first: containers and taskset narrow it. It cannot be had where a machine has more
     * processors than the set has places. */
    cpu_set_t set;
    long count =
        sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (unsigned)count : 1;
}

static unsigned *held_mutexes(th_port *port)
{
    return NULL;
}

static const th_port_operations operations = {
    .wall_ns = wall_ns,
    .monotonic_ns = th_system_monotonic_ns,
    .thread_cpu_ns = thread_cpu_ns,
    .entropy = entropy,
    .processors = processors,
    .file_open = th_system_file_open,
    .file_close = th_system_file_close,
    .file_read = th_system_file_read,
    .file_write = th_system_file_write,
    .file_sync = th_system_file_sync,
    .file_size = th_system_file_size,
    .file_reserve = th_system_file_reserve,
    .file_truncate = th_system_file_truncate,
    .file_lock = th_system_file_lock,
    .make_folder = th_system_make_folder,
    .rename = th_system_rename,
    .remove = th_system_remove,
    .sync_folder = th_system_sync_folder,
    .list_folder = th_system_list_folder,
    .task_start = th_system_task_start,
    .task_wake = th_system_task_wake,
    .task_join = th_system_task_join,
    .event_new = th_system_event_new,
    .event_free = th_system_event_free,
    .event_set = th_system_event_set,
    .event_reset = th_system_event_reset,
    .event_wait = th_system_event_wait,
    .held_mutexes = held_mutexes,
};

th_port *th_port_system(void)
{
    static th_port port = {&operations};
    return &port;
}
