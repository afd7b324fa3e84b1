/* Tasks, events and mutexes. What both ports promise is tested on both; what only threads can break is tested
 * on the system. */
#include "port/helpers.h"
#include "port/system_internal.h"

#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MS UINT64_C(1000000)

/* ---- a task that counts ---- */

typedef struct counter {
    th_port *port;
    uint64_t steps;
    uint64_t again; /* steps that return AGAIN before the first IDLE */
    uint64_t done_after; /* steps; the last returns DONE */
    uint64_t deadline_ns; /* of each IDLE; 0 is none */
    th_event *event; /* set by the last step */
} counter;

static th_step count_step(void *context, uint64_t *ret_deadline_ns)
{
    counter *c = context;
    assert_int_equal(*ret_deadline_ns, 0);
    uint64_t steps = __atomic_add_fetch(&c->steps, 1, __ATOMIC_RELAXED);
    if (steps >= c->done_after) {
        if (c->event)
            th_event_set(c->event);
        return TH_STEP_DONE;
    }
    if (steps <= c->again)
        return TH_STEP_AGAIN;
    *ret_deadline_ns = c->deadline_ns;
    return TH_STEP_IDLE;
}

static void a_task_runs_until_it_is_done(void **state)
{
    machine *m = *state;
    theater_error error;
    counter c = {.again = 1000, .done_after = 100};
    th_task *task;
    OK(th_task_start(m->port, "a name longer than fifteen bytes", 0, count_step, &c, &task, &error));
    th_task_join(task);
    assert_int_equal(c.steps, 100);
    th_task_join(NULL);
}

static void a_deadline_calls_an_idle_task(void **state)
{
    machine *m = *state;
    theater_error error;
    uint64_t start = th_port_monotonic_ns(m->port);
    counter c = {.done_after = 2, .deadline_ns = start + 30 * MS};
    th_task *task;
    OK(th_task_start(m->port, "deadline", 65536, count_step, &c, &task, &error));
    th_task_join(task);
    assert_true(th_port_monotonic_ns(m->port) >= start + 30 * MS);
}

static void a_deadline_that_passed_runs_at_once(void **state)
{
    machine *m = *state;
    theater_error error;
    counter c = {.done_after = 50, .deadline_ns = 1};
    th_task *task;
    OK(th_task_start(m->port, "past", 0, count_step, &c, &task, &error));
    th_task_join(task);
    assert_int_equal(c.steps, 50);
}

static void an_idle_task_runs_only_when_woken(void **state)
{
    machine *m = *state;
    theater_error error;
    th_event *never;
    OK(th_event_new(m->port, &never, &error));
    counter c = {.done_after = 3};
    th_task *task;
    OK(th_task_start(m->port, "idle", 0, count_step, &c, &task, &error));
    for (uint64_t woken = 0; woken < 2; woken++) {
        assert_false(th_event_wait(never, 20 * MS));
        assert_int_equal(__atomic_load_n(&c.steps, __ATOMIC_RELAXED), 1 + woken);
        th_task_wake(task);
    }
    th_task_join(task);
    assert_int_equal(c.steps, 3);
    th_event_free(never);
    th_event_free(NULL);
}

/* ---- a step that wakes its own task ---- */

typedef struct waking {
    th_task *task;
    th_event *started;
    int steps;
} waking;

static th_step wake_itself(void *context, uint64_t *ret_deadline_ns)
{
    waking *w = context;
    /* The first step waits for w->task by going round, as rule 1 wants it. */
    th_task *task = __atomic_load_n(&w->task, __ATOMIC_ACQUIRE);
    if (!task)
        return TH_STEP_AGAIN;
    if (++w->steps == 1000)
        return TH_STEP_DONE;
    th_task_wake(task);
    return TH_STEP_IDLE;
}

static void a_wake_during_the_step_is_not_lost(void **state)
{
    machine *m = *state;
    theater_error error;
    waking w = {.steps = 0};
    th_task *task;
    OK(th_task_start(m->port, "itself", 0, wake_itself, &w, &task, &error));
    __atomic_store_n(&w.task, task, __ATOMIC_RELEASE);
    th_task_join(task);
    assert_int_equal(w.steps, 1000);
}

/* ---- events ---- */

static void an_event_stays_set_until_reset(void **state)
{
    machine *m = *state;
    theater_error error;
    th_event *event;
    OK(th_event_new(m->port, &event, &error));
    counter c = {.again = 10, .done_after = 5, .event = event};
    th_task *task;
    OK(th_task_start(m->port, "setter", 0, count_step, &c, &task, &error));
    assert_true(th_event_wait(event, UINT64_MAX));
    assert_true(th_event_wait(event, 0));
    assert_true(th_event_wait(event, UINT64_MAX - 1));
    th_event_reset(event);
    th_event_reset(event);
    uint64_t before = th_port_monotonic_ns(m->port);
    assert_false(th_event_wait(event, 0));
    assert_false(th_event_wait(event, 15 * MS));
    assert_true(th_port_monotonic_ns(m->port) - before >= 15 * MS);
    th_event_reset(event);
    th_event_set(event);
    assert_true(th_event_wait(event, 0));
    th_task_join(task);
    th_event_free(event);
}

static void mutexes_lock_and_unlock(void **state)
{
    machine *m = *state;
    th_mutex one, two;
    th_mutex_init(m->port, &one);
    th_mutex_init(m->port, &two);
    for (int i = 0; i < 3; i++) {
        th_mutex_lock(&one);
        th_mutex_lock(&two);
        th_mutex_unlock(&one);
        th_mutex_unlock(&two);
    }
    th_mutex_done(&one);
    th_mutex_done(&two);
}

/* ---- the system under threads ---- */

enum { ROUNDS = 100000 };

/* Ping-pong: each side goes at most two ahead of the other and then waits for its wake, so that one lost wake
 * hangs the test until its time limit ends it. */
typedef struct player {
    struct player *other;
    th_task *task;
    uint64_t number; /* written by its own task, read by the other */
    uint64_t woke; /* `number` when the other was last woken, after the call */
} player;

static th_step play(void *context, uint64_t *ret_deadline_ns)
{
    player *self = context;
    th_task *other = __atomic_load_n(&self->other->task, __ATOMIC_ACQUIRE);
    if (!other)
        return TH_STEP_AGAIN;
    if (self->number >= ROUNDS)
        return TH_STEP_DONE;
    if (__atomic_load_n(&self->other->number, __ATOMIC_RELAXED) + 1 < self->number)
        return TH_STEP_IDLE;
    __atomic_store_n(&self->number, self->number + 1, __ATOMIC_RELAXED);
    th_task_wake(other);
    /* Only now: whoever sees it may join and free the other. */
    __atomic_store_n(&self->woke, self->number, __ATOMIC_RELEASE);
    return self->number < ROUNDS ? TH_STEP_AGAIN : TH_STEP_IDLE;
}

static void no_wake_is_lost_between_two_tasks(void **state)
{
    machine *m = *state;
    theater_error error;
    player a = {.number = 1}, b = {.number = 0};
    a.other = &b;
    b.other = &a;
    th_task *task_a, *task_b;
    OK(th_task_start(m->port, "ping", 0, play, &a, &task_a, &error));
    OK(th_task_start(m->port, "pong", 0, play, &b, &task_b, &error));
    __atomic_store_n(&a.task, task_a, __ATOMIC_RELEASE);
    __atomic_store_n(&b.task, task_b, __ATOMIC_RELEASE);
    /* At the end both are idle and wait for one more wake. */
    while (__atomic_load_n(&a.woke, __ATOMIC_ACQUIRE) < ROUNDS ||
           __atomic_load_n(&b.woke, __ATOMIC_ACQUIRE) < ROUNDS)
        usleep(1000);
    th_task_wake(task_a);
    th_task_wake(task_b);
    th_task_join(task_a);
    th_task_join(task_b);
}

/* Several wakers publish plain data before their wake: the step must see all of it. */
enum { WAKERS = 3, ITEMS = 30000 };

typedef struct inbox {
    th_task *task;
    uint64_t slots[WAKERS]; /* each written by one waker, relaxed: only the wake orders it */
    uint64_t seen;
    th_event *all;
} inbox;

static th_step read_inbox(void *context, uint64_t *ret_deadline_ns)
{
    inbox *in = context;
    uint64_t sum = 0;
    for (int i = 0; i < WAKERS; i++)
        sum += __atomic_load_n(&in->slots[i], __ATOMIC_RELAXED);
    in->seen = sum;
    if (sum < (uint64_t)WAKERS * ITEMS)
        return TH_STEP_IDLE;
    th_event_set(in->all);
    return TH_STEP_DONE;
}

typedef struct waker {
    inbox *in;
    int index;
} waker;

static void *fill(void *context)
{
    waker *w = context;
    for (uint64_t i = 1; i <= ITEMS; i++) {
        __atomic_store_n(&w->in->slots[w->index], i, __ATOMIC_RELAXED);
        th_task_wake(w->in->task);
    }
    return NULL;
}

static void no_wake_is_lost_among_several_wakers(void **state)
{
    machine *m = *state;
    theater_error error;
    for (int round = 0; round < 5; round++) {
        inbox box = {.seen = 0};
        OK(th_event_new(m->port, &box.all, &error));
        OK(th_task_start(m->port, "inbox", 0, read_inbox, &box, &box.task, &error));
        pthread_t threads[WAKERS];
        waker wakers[WAKERS];
        for (int i = 0; i < WAKERS; i++) {
            wakers[i] = (waker){&box, i};
            assert_int_equal(pthread_create(&threads[i], NULL, fill, &wakers[i]), 0);
        }
        assert_true(th_event_wait(box.all, 60000 * MS));
        for (int i = 0; i < WAKERS; i++)
            pthread_join(threads[i], NULL);
        th_task_join(box.task);
        th_event_free(box.all);
    }
}

/* Questions and answers in plain memory, which only the wake and the event order: the thread sanitizer sees
 * it when they do not. */
enum { QUESTIONS = 20000 };

typedef struct echo {
    th_event *event;
    uint64_t asked;
    uint64_t answered;
} echo;

static th_step answer(void *context, uint64_t *ret_deadline_ns)
{
    echo *e = context;
    e->answered = e->asked;
    bool last = e->asked == QUESTIONS;
    th_event_set(e->event);
    return last ? TH_STEP_DONE : TH_STEP_IDLE;
}

static void no_set_is_lost(void **state)
{
    machine *m = *state;
    theater_error error;
    echo e = {.asked = 1};
    OK(th_event_new(m->port, &e.event, &error));
    th_task *task;
    OK(th_task_start(m->port, "echo", 0, answer, &e, &task, &error));
    for (uint64_t i = 1;; i++) {
        assert_true(th_event_wait(e.event, 60000 * MS));
        assert_int_equal(e.answered, i);
        if (i == QUESTIONS)
            break;
        th_event_reset(e.event);
        e.asked = i + 1;
        th_task_wake(task);
    }
    th_task_join(task);
    th_event_free(e.event);
}

static th_step reset_then_set(void *context, uint64_t *ret_deadline_ns)
{
    counter *c = context;
    if (c->steps++ == 0) {
        *ret_deadline_ns = c->deadline_ns;
        return TH_STEP_IDLE;
    }
    th_event_reset(c->event);
    th_event_set(c->event);
    return TH_STEP_DONE;
}

static void a_reset_does_not_forget_who_waits(void **state)
{
    machine *m = *state;
    theater_error error;
    counter c = {.deadline_ns = th_port_monotonic_ns(m->port) + 30 * MS};
    OK(th_event_new(m->port, &c.event, &error));
    th_task *task;
    OK(th_task_start(m->port, "resets", 0, reset_then_set, &c, &task, &error));
    uint64_t before = th_port_monotonic_ns(m->port);
    assert_true(th_event_wait(c.event, 5000 * MS));
    /* A wait that slept through the set would find it only at its own end. */
    assert_true(th_port_monotonic_ns(m->port) - before < 4000 * MS);
    th_task_join(task);
    th_event_free(c.event);
}

/* ---- what needs no system call ---- */

typedef struct busy {
    uint64_t steps; /* shared */
    uint64_t most; /* after as many steps the other thread is taken for killed */
    bool stop; /* shared */
} busy;

static th_step stay_busy(void *context, uint64_t *ret_deadline_ns)
{
    busy *b = context;
    if (__atomic_load_n(&b->stop, __ATOMIC_RELAXED))
        _exit(0);
    if (__atomic_add_fetch(&b->steps, 1, __ATOMIC_RELAXED) == b->most)
        _exit(1);
    return TH_STEP_AGAIN;
}

/* In a process of its own, where the kernel kills a thread that makes any system call but a few. */
static void without_system_calls(bool with_futex)
{
    th_port *port = th_port_system();
    busy b = {.most = with_futex ? 5000000 : 2000000000};
    th_task *task;
    th_event *event;
    th_mutex mutex;
    if (th_event_new(port, &event, NULL) != THEATER_OK ||
        th_task_start(port, "busy", 0, stay_busy, &b, &task, NULL) != THEATER_OK)
        _exit(2);
    th_mutex_init(port, &mutex);
    while (__atomic_load_n(&b.steps, __ATOMIC_RELAXED) == 0)
        sched_yield();
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0)
        _exit(3);
    for (int i = 0; i < 1000; i++) {
        th_task_wake(task);
        th_mutex_lock(&mutex);
        th_mutex_unlock(&mutex);
        th_event_set(event);
        if (!th_event_wait(event, UINT64_MAX))
            return;
        th_event_reset(event);
    }
    if (with_futex)
        th_system_futex_wake(&(uint32_t){0}, 1);
    __atomic_store_n(&b.stop, true, __ATOMIC_RELAXED);
    syscall(SYS_exit, 0);
}

static void hot_calls_make_no_system_call(void **state)
{
#ifdef __SANITIZE_THREAD__
    skip(); /* The thread sanitizer makes system calls of its own. */
#endif
    /* The second run makes one on purpose, to see that it would be noticed. */
    for (int with_futex = 0; with_futex < 2; with_futex++) {
        pid_t child = fork();
        if (child == 0) {
            without_system_calls(with_futex);
            _exit(4);
        }
        int result;
        assert_int_equal(waitpid(child, &result, 0), child);
        assert_true(WIFEXITED(result));
        assert_int_equal(WEXITSTATUS(result), with_futex);
    }
}

/* ---- mutexes ---- */

/* A plain counter under a mutex. */
typedef struct guarded {
    th_mutex mutex;
    uint64_t value;
} guarded;

typedef struct adder {
    guarded *shared;
    int left;
} adder;

static th_step add(void *context, uint64_t *ret_deadline_ns)
{
    adder *a = context;
    th_mutex_lock(&a->shared->mutex);
    a->shared->value++;
    th_mutex_unlock(&a->shared->mutex);
    return --a->left > 0 ? TH_STEP_AGAIN : TH_STEP_DONE;
}

static void a_mutex_excludes(void **state)
{
    machine *m = *state;
    theater_error error;
    guarded shared = {.value = 0};
    th_mutex_init(m->port, &shared.mutex);
    adder adders[3];
    th_task *tasks[3];
    for (int i = 0; i < 3; i++) {
        adders[i] = (adder){&shared, ROUNDS};
        OK(th_task_start(m->port, "adder", 0, add, &adders[i], &tasks[i], &error));
    }
    for (int i = 0; i < 3; i++)
        th_task_join(tasks[i]);
    assert_int_equal(shared.value, 3 * ROUNDS);
    th_mutex_done(&shared.mutex);
}

typedef struct facts {
    char name[16];
    size_t stack;
    bool blocks_term;
    bool blocks_segv;
} facts;

static th_step look(void *context, uint64_t *ret_deadline_ns)
{
    facts *f = context;
    pthread_attr_t attributes;
    sigset_t mask;
    assert_int_equal(pthread_getname_np(pthread_self(), f->name, sizeof f->name), 0);
    assert_int_equal(pthread_getattr_np(pthread_self(), &attributes), 0);
    assert_int_equal(pthread_attr_getstacksize(&attributes, &f->stack), 0);
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    f->blocks_term = sigismember(&mask, SIGTERM);
    f->blocks_segv = sigismember(&mask, SIGSEGV);
    return TH_STEP_DONE;
}

static void a_thread_has_its_name_stack_and_signals(void **state)
{
    machine *m = *state;
    theater_error error;
    facts f = {.stack = 0};
    th_task *task;
    OK(th_task_start(m->port, "worker-with-a-long-name", (size_t)3 << 20, look, &f, &task, &error));
    th_task_join(task);
    assert_string_equal(f.name, "worker-with-a-l");
    assert_true(f.stack >= (size_t)3 << 20);
    assert_true(f.blocks_term);
    assert_false(f.blocks_segv);
    sigset_t mask;
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    assert_false(sigismember(&mask, SIGTERM));
    EXPECT(IO, th_task_start(m->port, "huge", SIZE_MAX / 4, look, &f, &task, &error));
    assert_null(task);
}

static void the_smallest_stack_is_the_systems(void **state)
{
    machine *m = *state;
    theater_error error;
    facts f = {.stack = 0};
    th_task *task;
    OK(th_task_start(m->port, "small", 1, look, &f, &task, &error));
    th_task_join(task);
    assert_true(f.stack >= 16384);
}

static void threads_count_their_own_time(void **state)
{
    machine *m = *state;
    uint64_t before = th_port_thread_cpu_ns(m->port), now = before;
    while (now - before < MS)
        now = th_port_thread_cpu_ns(m->port);
    assert_true(now > before);
}

#ifdef TH_FAULTS
static void without_memory_nothing_starts(void **state)
{
    machine *m = *state;
    theater_error error;
    counter c = {.done_after = 1};
    th_task *task;
    th_event *event;
    th_allocation_fail_at(1);
    EXPECT(NO_MEMORY, th_task_start(m->port, "t", 0, count_step, &c, &task, &error));
    assert_null(task);
    th_allocation_fail_at(1);
    EXPECT(NO_MEMORY, th_event_new(m->port, &event, &error));
    assert_null(event);
    assert_int_equal(c.steps, 0);
}
#endif

#define BOTH(test)                                                                                           \
    {"system: " #test, test, setup_system, teardown_system, NULL},                                           \
    {                                                                                                        \
        "simulation: " #test, test, setup_simulation, teardown_simulation, NULL                              \
    }
#define SYSTEM(test) {"system: " #test, test, setup_system, teardown_system, NULL}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(a_task_runs_until_it_is_done),
        BOTH(a_deadline_calls_an_idle_task),
        BOTH(a_deadline_that_passed_runs_at_once),
        BOTH(an_idle_task_runs_only_when_woken),
        BOTH(an_event_stays_set_until_reset),
        BOTH(mutexes_lock_and_unlock),
        BOTH(a_wake_during_the_step_is_not_lost),
        SYSTEM(no_wake_is_lost_between_two_tasks),
        SYSTEM(no_wake_is_lost_among_several_wakers),
        SYSTEM(no_set_is_lost),
        BOTH(a_reset_does_not_forget_who_waits),
        SYSTEM(hot_calls_make_no_system_call),
        SYSTEM(a_mutex_excludes),
        SYSTEM(a_thread_has_its_name_stack_and_signals),
        SYSTEM(the_smallest_stack_is_the_systems),
        SYSTEM(threads_count_their_own_time),
#ifdef TH_FAULTS
        BOTH(without_memory_nothing_starts),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
