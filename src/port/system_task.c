/* port/system_task.c: tasks are threads that loop over their step and park; events.
 *
 * A task's word `state` says whether a wake is owed to it. Invariants:
 *
 *   1. Only the task's thread sets RUNNING and PARKED; wakers set only WOKEN.
 *   2. The thread sleeps only while the word is PARKED, and the kernel checks that under its own lock. So a
 *      waker that changes the word either comes before the check (the thread does not sleep) or finds the
 *      sleeper in the kernel's queue.
 *   3. The word goes from RUNNING to PARKED by compare-and-exchange, so a wake that came during the step
 *      (WOKEN) is never written over.
 *   4. Only the waker that takes the word from PARKED makes a system call. A wake of a running or already
 *      woken task is one atomic exchange.
 *
 * Memory order. Before a wake the waker writes what the step is to find (a queue's entry, say). The waker's
 * exchange releases these writes; the thread acquires them with the exchange by which it takes the word to
 * RUNNING before each step. Several wakers may write WOKEN over each other's WOKEN: each is a
 * read-modify-write, so all belong to one release sequence, and the thread that reads the last one has
 * acquired from all of them. This is why a waker may not skip its exchange when it sees WOKEN already: then
 * its own writes would be released by nobody, the thread could read the queue before they arrive, and
 * park. */
#include <linux/futex.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "port/system_internal.h"

/* ---- futex ---- */

bool th_system_futex_wait(uint32_t *word, uint32_t expected, uint64_t deadline_ns)
{
    /* The bitset form takes an absolute time on the monotonic clock, so an early return needs no
     * arithmetic. */
    struct timespec time = {(time_t)(deadline_ns / 1000000000u), (long)(deadline_ns % 1000000000u)};
    long result = syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, expected,
                          deadline_ns == UINT64_MAX ? NULL : &time, NULL, FUTEX_BITSET_MATCH_ANY);
    /* EAGAIN (the word was changed already) and EINTR are left to the caller's loop. */
    return result == 0 || errno != ETIMEDOUT;
}

void th_system_futex_wake(uint32_t *word, int count)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

/* ---- tasks ---- */

enum { RUNNING, WOKEN, PARKED };

typedef struct system_task {
    th_task head;
    uint32_t state;
    pthread_t thread;
    th_step_function step;
    void *context;
    char name[16]; /* as much as the system shows, with its zero */
} system_task;

static void park(system_task *task, uint64_t deadline_ns)
{
    uint32_t seen = RUNNING;
    /* Releases nothing that wakers read, and acquires nothing: whoever is found to have woken is acquired
     * from at the exchange in the loop of the thread. */
    if (!__atomic_compare_exchange_n(&task->state, &seen, PARKED, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        return;
    while (__atomic_load_n(&task->state, __ATOMIC_RELAXED) == PARKED) {
        if (!th_system_futex_wait(&task->state, PARKED, deadline_ns))
            return;
    }
}

static void *run(void *context)
{
    system_task *task = context;
    (void)pthread_setname_np(pthread_self(), task->name);
    for (;;) {
        /* Takes the wakes so far; acquires what every waker wrote before (see the head). Must come before the
         * step, so that a wake during the step is one that park() sees. */
        (void)__atomic_exchange_n(&task->state, RUNNING, __ATOMIC_ACQUIRE);
        uint64_t deadline_ns = 0;
        th_step result = task->step(task->context, &deadline_ns);
        if (result == TH_STEP_DONE)
            return NULL;
        if (result == TH_STEP_IDLE)
            park(task, deadline_ns ? deadline_ns : UINT64_MAX);
    }
}

static theater_status set_stack(pthread_attr_t *attributes, size_t stack_bytes, const char *name,
                                theater_error *reterr)
{
    if (stack_bytes == 0)
        return THEATER_OK;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t least = (size_t)sysconf(_SC_THREAD_STACK_MIN);
    if (stack_bytes < least)
        stack_bytes = least;
    stack_bytes = (stack_bytes + page - 1) / page * page;
    int error_number = pthread_attr_setstacksize(attributes, stack_bytes);
    return error_number ? th_system_fail(reterr, error_number, "set the stack size of the task", name)
                        : THEATER_OK;
}

/* Starts the thread with the asynchronous signals blocked: they are the program's, and are to reach its own
 * threads. Signals that a thread raises by what it does stay open, as the engine turns some of them into
 * traps. */
static int create_thread(system_task *task, pthread_attr_t *attributes)
{
    static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT, SIGPROF};
    sigset_t blocked, before;
    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        sigdelset(&blocked, own[i]);
    th_assert(pthread_sigmask(SIG_SETMASK, &blocked, &before) == 0);
    int error_number = pthread_create(&task->thread, attributes, run, task);
    th_assert(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    return error_number;
}

theater_status th_system_task_start(th_port *port, const char *name, size_t stack_bytes,
                                    th_step_function step, void *context, th_task **ret,
                                    theater_error *reterr)
{
    system_task *task = th_alloc_zero(1, sizeof *task);
    if (!task)
        return th_fail_memory(reterr, "a task");
    task->head.operations = port->operations;
    task->step = step;
    task->context = context;
    strncpy(task->name, name, sizeof task->name - 1);
    pthread_attr_t attributes;
    int error_number = pthread_attr_init(&attributes);
    if (error_number) {
        th_free(task);
        return th_system_fail(reterr, error_number, "start the task", name);
    }
    theater_status status = set_stack(&attributes, stack_bytes, name, reterr);
    if (status == THEATER_OK && (error_number = create_thread(task, &attributes)) != 0)
        status = th_system_fail(reterr, error_number, "start the task", name);
    (void)pthread_attr_destroy(&attributes);
    if (status != THEATER_OK) {
        th_free(task);
        return status;
    }
    *ret = &task->head;
    return THEATER_OK;
}

void th_system_task_wake(th_task *head)
{
    system_task *task = (system_task *)head;
    /* Releases what the step is to find; see the head for why there is no shortcut. */
    if (__atomic_exchange_n(&task->state, WOKEN, __ATOMIC_RELEASE) == PARKED)
        th_system_futex_wake(&task->state, 1);
}

void th_system_task_join(th_task *head)
{
    system_task *task = (system_task *)head;
    th_assert(pthread_join(task->thread, NULL) == 0);
    th_free(task);
}

/* ---- events ---- */

/* The word of an event. WAITED is UNSET with the promise that whoever sets it wakes the sleepers. */
enum { UNSET, SET, WAITED };

typedef struct system_event {
    th_event head;
    uint32_t state;
} system_event;

theater_status th_system_event_new(th_port *port, th_event **ret, theater_error *reterr)
{
    system_event *event = th_alloc_zero(1, sizeof *event);
    if (!event)
        return th_fail_memory(reterr, "an event");
    event->head.operations = port->operations;
    *ret = &event->head;
    return THEATER_OK;
}

void th_system_event_free(th_event *event)
{
    th_free(event);
}

void th_system_event_set(th_event *head)
{
    uint32_t *state = &((system_event *)head)->state;
    /* Releases what the waiter is to find. Once the word is SET the waiter may return and free the event; so
     * nothing is read from it after the exchange, and the wake only names its address: at worst it wakes, for
     * no reason, a waiter at the same address, and these look again. */
    if (__atomic_exchange_n(state, SET, __ATOMIC_RELEASE) == WAITED)
        th_system_futex_wake(state, INT_MAX);
}

void th_system_event_reset(th_event *head)
{
    uint32_t seen = SET;
    /* Only from SET: over WAITED it would forget that somebody sleeps. Acquires, because the set that is
     * taken back here may be a later one than the wait saw: what it released is to be found by whoever looks
     * after the reset. */
    (void)__atomic_compare_exchange_n(&((system_event *)head)->state, &seen, UNSET, false, __ATOMIC_ACQUIRE,
                                      __ATOMIC_RELAXED);
}

bool th_system_event_wait(th_event *head, uint64_t timeout_ns)
{
    uint32_t *state = &((system_event *)head)->state;
    uint64_t now = timeout_ns == UINT64_MAX ? 0 : th_system_monotonic_ns(NULL);
    uint64_t deadline_ns = timeout_ns < UINT64_MAX - now ? now + timeout_ns : UINT64_MAX;
    for (bool in_time = true;;) {
        uint32_t seen = UNSET;
        /* Acquires from the set when it is set: the exchange that fails is the load that sees it. (On success
         * there is nothing to acquire, but the order there may not be weaker than on failure.) */
        if (!__atomic_compare_exchange_n(state, &seen, WAITED, false, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE) &&
            seen == SET)
            return true;
        if (!in_time)
            return false;
        in_time = th_system_futex_wait(state, WAITED, deadline_ns);
    }
}
