/* Many threads do everything at once to one runtime; and a runtime is closed while others wait for it. What
 * was answered is on the chains, each completion comes exactly once, and all chains verify and replay. Run it
 * under the thread sanitizer too (preset thread-sanitize, with TSAN_OPTIONS=suppressions=tests/tsan.supp);
 * THEATER_THREADS_OPERATIONS makes it longer. */
#include "support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS = 6, ACTORS = 6, OPERATIONS = 150, WAITERS = 6, FLOOD = 300 };

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* What the threads share. A failure is noted and told by the main thread: cmocka's assertions are for that
 * one alone. */
typedef struct crowd {
    theater_runtime *runtime;
    const char *folder;
    unsigned operations;
    _Atomic uint64_t elements[ACTORS]; /* that were acknowledged */
    _Atomic uint64_t submitted, completed;
    atomic_bool failed;
    char failure[512];
} crowd;

typedef struct client {
    crowd *all;
    pthread_t thread;
    unsigned number;
    uint64_t random;
    unsigned own;    /* actors that it started */
    bool own_lives;  /* the last one of them was not removed */
} client;

/* Context of a submitted message. */
typedef struct ticket {
    crowd *all;
    unsigned actor;
} ticket;

static uint32_t next_random(client *self)
{
    self->random = self->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(self->random >> 33);
}

static void note_failure(crowd *all, const char *what, theater_status status, const theater_error *error)
{
    if (!atomic_exchange(&all->failed, true))
        snprintf(all->failure, sizeof all->failure, "%s: %s: %.400s", what, theater_status_name(status),
                 error->message);
}

/* OK, or one of those that may come when others stop, flood and remove. */
static void allow(crowd *all, const char *what, theater_status status, const theater_error *error)
{
    if (status != THEATER_OK && status != THEATER_REJECTED && status != THEATER_STOPPED &&
        status != THEATER_MAILBOX_FULL &&
        status != THEATER_TIMEOUT)
        note_failure(all, what, status, error);
}

static void count_answer(crowd *all, unsigned actor, theater_status status)
{
    if (status == THEATER_OK || status == THEATER_REJECTED)
        atomic_fetch_add(&all->elements[actor], 1);
}

static void completed(void *context, theater_answer *answer)
{
    ticket *own = context;
    allow(own->all, "an answer", answer->status, &answer->error);
    count_answer(own->all, own->actor, answer->status);
    atomic_fetch_add(&own->all->completed, 1);
    free(own);
}

/* ---- what clients do ----------------------------------------------------------------------------------- */

static void send_or_query(client *self, const char *name, unsigned actor, bool query)
{
    theater_answer answer;
    theater_error error;
    theater_message message = {.actor = name, .input = text_of(next_random(self) % 8 ? "x" : "!")};
    theater_status status = query ? theater_query(self->all->runtime, &message, &answer, &error)
                                  : theater_send(self->all->runtime, &message, &answer, &error);
    allow(self->all, query ? "query" : "send", status, &error);
    if (!query)
        count_answer(self->all, actor, status);
    theater_answer_done(&answer);
}

static void submit_some(client *self, const char *name, unsigned actor)
{
    theater_error error;
    theater_message message = {.actor = name, .input = text_of("x")};
    for (int i = 0; i < 20; i++) {
        ticket *own = malloc(sizeof *own);
        *own = (ticket){self->all, actor};
        theater_status status = theater_submit(self->all->runtime, &message, completed, own, &error);
        allow(self->all, "submit", status, &error);
        if (status)
            free(own);
        else
            atomic_fetch_add(&self->all->submitted, 1);
    }
}

static void stop_and_resume(client *self, const char *name)
{
    theater_error error;
    allow(self->all, "stop", theater_actor_stop(self->all->runtime, name, &error), &error);
    allow(self->all, "resume", theater_actor_resume(self->all->runtime, name, &error), &error);
}

static void upgrade(client *self, const char *name, unsigned actor, bool other)
{
    theater_error error;
    theater_upgrade_options options = {.keep_config = true, .keep_limits = true};
    if (other)
        options.component = system_component(next_random(self) % 2 ? "set_state" : "observe");
    theater_status status = theater_actor_upgrade(self->all->runtime, name, &options, NULL, &error);
    /* `set_state` refuses states that an `observe` was given. */
    if (status != THEATER_ACTOR_FAILED)
        allow(self->all, "upgrade", status, &error);
    count_answer(self->all, actor, status);
}

static void checkpoint(client *self, const char *name)
{
    theater_error error;
    theater_bytes note = {0};
    allow(self->all, "checkpoint", theater_checkpoint(self->all->runtime, name, &note, &error), &error);
    theater_bytes_free(&note);
}

/* Starts an actor of its own, or sends it a few requests to others and removes it while they are under way.
 * */
static void start_or_remove(client *self)
{
    theater_error error;
    char name[32], target[16];
    snprintf(name, sizeof name, "own-%u-%u", self->number, self->own);
    if (!self->own_lives) {
        snprintf(name, sizeof name, "own-%u-%u", self->number, ++self->own);
        allow(self->all, "start", system_try_start(self->all->runtime, name, "request", text_of(""), NULL,
                                                   &error), &error);
        self->own_lives = true;
        return;
    }
    for (int i = 0; i < 3; i++) {
        theater_answer answer;
        snprintf(target, sizeof target, "witness");
        allow(self->all, "ask", system_send(self->all->runtime, name, text_of(target), &answer, &error),
              &error);
        theater_answer_done(&answer);
    }
    allow(self->all, "remove", theater_actor_remove(self->all->runtime, name, &error), &error);
    self->own_lives = false;
}

static bool count_actor(void *context, const theater_actor_info *info)
{
    ++*(unsigned *)context;
    return true;
}

static void read_folder(client *self, const char *name)
{
    theater_error error;
    theater_folder *folder;
    theater_actor_info info;
    theater_report report;
    unsigned actors = 0;
    theater_status status = theater_folder_open(self->all->folder, &folder, &error);
    if (status) {
        note_failure(self->all, "open to read", status, &error);
        return;
    }
    allow(self->all, "list", theater_folder_actors(folder, count_actor, &actors, &error), &error);
    status = theater_folder_actor(folder, name, &info, &error);
    theater_source source = {.folder = folder, .actor_id = info.id};
    if (!status)
        status = theater_verify(&source, NULL, &report, &error);
    allow(self->all, "verify", status, &error);
    if (!status && report.status) {
        snprintf(error.message, sizeof error.message, "%.500s", report.message);
        note_failure(self->all, "verification", report.status, &error);
    }
    theater_folder_close(folder);
}

static void look_at_figures(client *self)
{
    theater_metrics metrics;
    theater_error error;
    theater_runtime_metrics(self->all->runtime, &metrics);
    theater_runtime_measure(self->all->runtime, next_random(self) % 2);
    allow(self->all, "health", theater_runtime_health(self->all->runtime, &error), &error);
    allow(self->all, "drain", theater_drain(self->all->runtime, next_random(self) % 20, &error), &error);
}

static void *client_works(void *context)
{
    client *self = context;
    for (unsigned i = 0; i < self->all->operations && !atomic_load(&self->all->failed); i++) {
        unsigned actor = next_random(self) % ACTORS, what = next_random(self) % 32;
        char name[16];
        snprintf(name, sizeof name, "p%u", actor);
        if (what < 10)
            send_or_query(self, name, actor, false);
        else if (what < 14)
            send_or_query(self, name, actor, true);
        else if (what < 20)
            submit_some(self, name, actor);
        else if (what < 22)
            stop_and_resume(self, name);
        else if (what < 24)
            upgrade(self, name, actor, what % 2);
        else if (what < 26)
            checkpoint(self, name);
        else if (what < 29)
            start_or_remove(self);
        else if (what < 30)
            read_folder(self, name);
        else
            look_at_figures(self);
    }
    return NULL;
}

/* ---- tests --------------------------------------------------------------------------------------------- */

static unsigned operations(void)
{
    const char *text = getenv("THEATER_THREADS_OPERATIONS");
    return text ? (unsigned)strtoul(text, NULL, 10) : OPERATIONS;
}

static void many_threads_do_everything_at_once(void **state)
{
    static crowd all;
    system_bench bench;
    theater_error error;
    client clients[CLIENTS] = {0};
    /* The table of components is filled by one thread. */
    system_component("set_state");
    system_component("observe");
    system_component("request");
    system_begin(&bench, "crowd", &(theater_runtime_options){.workers = 3, .active_actors = 4,
                                                             .mailbox_messages = 64});
    all.runtime = bench.runtime;
    all.folder = bench.folder;
    all.operations = operations();
    for (int i = 0; i < ACTORS; i++) {
        char name[16];
        snprintf(name, sizeof name, "p%d", i);
        system_start(bench.runtime, name, "set_state", "");
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i] = (client){.all = &all, .number = i, .random = i + 1};
        assert_int_equal(pthread_create(&clients[i].thread, NULL, client_works, &clients[i]), 0);
    }
    for (unsigned i = 0; i < CLIENTS; i++)
        pthread_join(clients[i].thread, NULL);
    if (atomic_load(&all.failed))
        fail_msg("%s", all.failure);
    for (int i = 0; i < ACTORS; i++) {
        char name[16];
        snprintf(name, sizeof name, "p%d", i);
        OK(theater_actor_resume(bench.runtime, name, &error), error);
    }
    OK(theater_drain(bench.runtime, 120000, &error), error);
    assert_int_equal(atomic_load(&all.submitted), atomic_load(&all.completed));
    theater_runtime_close(bench.runtime);
    for (int i = 0; i < ACTORS; i++) {
        char name[16];
        theater_actor_info info;
        snprintf(name, sizeof name, "p%d", i);
        system_info(bench.folder, name, &info);
        assert_int_equal(info.elements, 1 + atomic_load(&all.elements[i]));
    }
    system_check_folder(bench.folder);
    system_remove_tree(bench.folder);
    free((char *)bench.folder);
}

/* One that waits for an answer, and others that are in the mailbox behind it. */
typedef struct waiter {
    theater_runtime *runtime;
    pthread_t thread;
    char name[16];
    theater_status status;
    atomic_int begins; /* its thread's number, when it is about to ask */
} waiter;

/* Whether the thread sleeps, or has ended: it is in the call, not before it. A busy machine runs it late. */
static bool waits(int thread)
{
    char path[64], line[256] = "";
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", thread);
    FILE *file = fopen(path, "re");
    if (!file)
        return true;
    bool read = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    const char *behind = read ? strrchr(line, ')') : NULL;
    return !behind || behind[1] != ' ' || behind[2] == 'S';
}

static void *wait_for_answer(void *context)
{
    waiter *self = context;
    theater_answer answer;
    theater_error error;
    atomic_store(&self->begins, (int)syscall(SYS_gettid));
    self->status = system_send(self->runtime, self->name, text_of("x"), &answer, &error);
    theater_answer_done(&answer);
    return NULL;
}

typedef struct tally {
    _Atomic unsigned ended, cancelled, other;
} tally;

static void count_end(void *context, theater_answer *answer)
{
    tally *seen = context;
    if (answer->status == THEATER_CANCELLED)
        seen->cancelled++;
    else if (answer->status != THEATER_OK && answer->status != THEATER_REJECTED)
        seen->other++;
    seen->ended++;
}

static unsigned flood(theater_runtime *runtime, const char *name, const char *input, tally *seen)
{
    unsigned taken = 0;
    for (int i = 0; i < FLOOD; i++) {
        theater_message message = {.actor = name, .input = text_of(input)};
        theater_error error;
        taken += theater_submit(runtime, &message, count_end, seen, &error) == THEATER_OK;
    }
    return taken;
}

static void close_answers_all_who_wait(void **state)
{
    system_bench bench;
    theater_error error;
    theater_limits slow = {.fuel = 30000000};
    system_begin(&bench, "close", NULL);
    OK(system_try_start(bench.runtime, "slow", "endless_loop", text_of(""), &slow, &error), error);
    system_start(bench.runtime, "asker", "request", "");
    for (int round = 0; round < 5; round++) {
        static tally seen;
        waiter waiters[WAITERS] = {0};
        seen.ended = seen.cancelled = seen.other = 0;
        unsigned taken = flood(bench.runtime, "slow", "x", &seen);
        taken += flood(bench.runtime, "witness", "x", &seen);
        taken += flood(bench.runtime, "asker", "witness", &seen);
        for (int i = 0; i < WAITERS; i++) {
            waiters[i] = (waiter){.runtime = bench.runtime};
            snprintf(waiters[i].name, sizeof waiters[i].name, "%s", i % 2 ? "slow" : "asker");
            assert_int_equal(pthread_create(&waiters[i].thread, NULL, wait_for_answer, &waiters[i]), 0);
        }
        /* A call may not begin after close does, but it may be waiting then. */
        for (int i = 0; i < WAITERS; i++)
            while (!atomic_load(&waiters[i].begins) || !waits(atomic_load(&waiters[i].begins)))
                pause_ms(1);
        pause_ms(50);
        theater_runtime_close(bench.runtime);
        assert_int_equal(seen.ended, taken);
        assert_int_equal(seen.other, 0);
        assert_true(seen.cancelled > 0);
        for (int i = 0; i < WAITERS; i++) {
            pthread_join(waiters[i].thread, NULL);
            assert_true(waiters[i].status == THEATER_CANCELLED || waiters[i].status == THEATER_OK ||
                        waiters[i].status == THEATER_REJECTED);
        }
        /* What was not answered between actors goes on. */
        OK(theater_runtime_open(&(theater_runtime_options){.folder = bench.folder, .workers = 2},
                                &bench.runtime, &error), error);
    }
    OK(theater_drain(bench.runtime, 120000, &error), error);
    theater_runtime_close(bench.runtime);
    system_check_folder(bench.folder);
    system_remove_tree(bench.folder);
    free((char *)bench.folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_threads_do_everything_at_once),
        cmocka_unit_test(close_answers_all_who_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
