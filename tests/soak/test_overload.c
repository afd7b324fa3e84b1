/* Ten times more messages than an actor can run: what is too much is refused at once, what was accepted is
 * answered in the order in which it came, and neither memory nor waiting grows with what is asked. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "system/support.h"

enum {
    ACTORS = 4,
    MAILBOX = 64,
    SECONDS = 3,
    PAYLOAD = 20000,
    TIMES = 10, /* offered, of what can be run */
};

static const theater_limits limits = {.fuel = 3000000}; /* the loop has no end: some milliseconds a turn */

typedef struct sent {
    struct flow *flow;
    uint64_t number, submitted_ns;
} sent;

/* The messages to one actor, all from one thread. */
typedef struct flow {
    theater_runtime *runtime;
    char actor[16];
    uint64_t offered, accepted, refused;
    uint64_t answered; /* of the accepted; atomic */
    uint64_t last_sequence, last_number, disorder;
    uint64_t longest_wait_ns, longest_refusal_ns;
    uint64_t pause_ns;
} flow;

static uint64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* Memory of this process that no file stands behind, in KiB. */
static uint64_t memory_kib(void)
{
    char line[256];
    unsigned long long kib = 0;
    FILE *file = fopen("/proc/self/status", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "RssAnon: %llu kB", &kib) == 1)
            break;
    fclose(file);
    return kib;
}

static void completed(void *context, theater_answer *answer)
{
    sent *message = context;
    flow *self = message->flow;
    uint64_t waited = now_ns() - message->submitted_ns;
    if (waited > self->longest_wait_ns)
        self->longest_wait_ns = waited;
    if (answer->status == THEATER_OK || answer->status == THEATER_REJECTED) {
        if (answer->sequence <= self->last_sequence || message->number <= self->last_number)
            self->disorder++;
        self->last_sequence = answer->sequence;
        self->last_number = message->number;
    }
    free(message);
    __atomic_fetch_add(&self->answered, 1, __ATOMIC_RELEASE);
}

static void offer(flow *self)
{
    static uint8_t payload[PAYLOAD];
    theater_error error;
    sent *message = calloc(1, sizeof *message);
    *message = (sent){self, ++self->offered, now_ns()};
    theater_message out = {.actor = self->actor, .input = {payload, sizeof payload}};
    theater_status status = theater_submit(self->runtime, &out, completed, message, &error);
    if (status == THEATER_OK) {
        self->accepted++;
        return;
    }
    uint64_t took = now_ns() - message->submitted_ns;
    if (took > self->longest_refusal_ns)
        self->longest_refusal_ns = took;
    self->refused += status == THEATER_MAILBOX_FULL;
    free(message);
}

static void *press(void *context)
{
    flow *self = context;
    uint64_t end = now_ns() + SECONDS * UINT64_C(1000000000);
    struct timespec pause = {0, (long)self->pause_ns};
    while (now_ns() < end) {
        offer(self);
        nanosleep(&pause, NULL);
    }
    return NULL;
}

/* What a turn takes when nothing else is asked, in nanoseconds: the shortest of some, so that others who are
 * busy on the machine now, and not later, do not make the pressure small. */
static uint64_t measure_turn(theater_runtime *runtime)
{
    theater_error error;
    theater_answer answer;
    uint64_t shortest = UINT64_MAX;
    for (int i = 0; i < 20; i++) {
        uint64_t begin = now_ns();
        (void)!system_send(runtime, "a0", text_of("x"), &answer, &error);
        uint64_t took = now_ns() - begin;
        shortest = took < shortest ? took : shortest;
        assert_int_equal(answer.reject_code, 4);
        theater_answer_done(&answer);
    }
    return shortest;
}

static void what_is_too_much_is_refused_in_order(void **state)
{
    char *folder = strdup(system_fresh("overload"));
    theater_runtime *runtime;
    theater_error error;
    theater_runtime_options options = {.folder = folder, .workers = 2, .mailbox_messages = MAILBOX};
    OK(theater_runtime_open(&options, &runtime, &error), error);
    flow flows[ACTORS];
    pthread_t threads[ACTORS];
    for (int i = 0; i < ACTORS; i++) {
        flows[i] = (flow){.runtime = runtime};
        snprintf(flows[i].actor, sizeof flows[i].actor, "a%d", i);
        OK(system_try_start(runtime, flows[i].actor, "endless_loop", text_of(""), &limits, &error), error);
    }
    uint64_t turn_ns = measure_turn(runtime), before = memory_kib(), most = 0, begin = now_ns();
    for (int i = 0; i < ACTORS; i++) {
        flows[i].pause_ns =
            turn_ns * ACTORS / TIMES / 4; /* two workers at the most, and sleeping takes longer */
        assert_int_equal(pthread_create(&threads[i], NULL, press, &flows[i]), 0);
    }
    for (int i = 0; i < SECONDS * 20; i++) {
        usleep(50000);
        most = memory_kib() > most ? memory_kib() : most;
    }
    uint64_t offered = 0, accepted = 0, refused = 0, wait = 0, refusal = 0;
    for (int i = 0; i < ACTORS; i++)
        pthread_join(threads[i], NULL);
    OK(theater_drain(runtime, 600000, &error), error);
    uint64_t elapsed = now_ns() - begin;
    for (int i = 0; i < ACTORS; i++) {
        const flow *each = &flows[i];
        assert_int_equal(__atomic_load_n(&each->answered, __ATOMIC_ACQUIRE), each->accepted);
        assert_int_equal(each->offered, each->accepted + each->refused);
        assert_int_equal(each->disorder, 0);
        offered += each->offered, accepted += each->accepted, refused += each->refused;
        wait = each->longest_wait_ns > wait ? each->longest_wait_ns : wait;
        refusal = each->longest_refusal_ns > refusal ? each->longest_refusal_ns : refusal;
    }
    print_message(
        "%llu offered, %llu accepted, %llu refused; a turn takes %.1f ms, the longest wait was %.0f ms, "
        "the longest refusal %.1f ms; memory grew by %lld KiB\n",
        (unsigned long long)offered, (unsigned long long)accepted, (unsigned long long)refused, turn_ns / 1e6,
        wait / 1e6, refusal / 1e6, (long long)(most - before));
    assert_true(refused > accepted);
    /* A full mailbox before it and those of the others, at the pace at which it went; generous, for a machine
     * that is busier at one time than at another. */
    assert_true(wait < elapsed / accepted * MAILBOX * ACTORS * 8 + UINT64_C(2000000000));
    assert_true(refusal < UINT64_C(2000000000));
#if !defined(__SANITIZE_ADDRESS__) /* which keeps what was freed for a while */
    /* Mailboxes and turns not yet committed, some times over. */
    assert_true(most - before < 8 * (uint64_t)ACTORS * MAILBOX * PAYLOAD / 1024 + 65536);
#endif
    /* It goes on as if nothing had been. */
    theater_answer answer;
    (void)!system_send(runtime, "a0", text_of("after"), &answer, &error);
    assert_int_equal(answer.reject_code, 4);
    theater_answer_done(&answer);
    theater_runtime_close(runtime);
    system_remove_tree(folder);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_too_much_is_refused_in_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
