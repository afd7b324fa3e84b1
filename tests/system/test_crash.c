/* A process that is killed while it works has broken no promise: what it acknowledged is on the chains, with
 * the hash that it told; nothing ran twice; and the next process goes on.
 *
 * The parent runs this program again with the argument `work`. That child keeps a few hundred messages in
 * flight, to counters, to a ring of actors that pass tokens by requests, to one that asks others, and to a
 * counter whose messages carry idempotency ids 1, 2, 3 and so on; it writes a line for each answer. The
 * parent reads the lines, kills the child at some moment, and reads what the pipe still holds. In some rounds
 * it does so while the child still opens the folder. THEATER_CRASH_SEED repeats a run's times as far as times
 * can be repeated, and THEATER_CRASH_ROUNDS makes more of them. */
#include "support.h"

#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { COUNTERS = 3, RINGS = 4, IN_FLIGHT = 200, ROUNDS = 20, LINE = 128, ACKS_MAX = 4000000 };

static uint64_t next_random(uint64_t *seed)
{
    *seed += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *seed;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* ---- the child ----------------------------------------------------------------------------------------- */

typedef struct sent {
    char actor[16];
    uint64_t id; /* 0: without */
} sent;

static sem_t room;

static void hex_of(const theater_hash *hash, char out[65])
{
    for (int i = 0; i < THEATER_HASH_SIZE; i++)
        snprintf(out + 2 * i, 3, "%02x", hash->bytes[i]);
}

/* One write of one line, which a pipe keeps whole. */
static void answered(void *context, theater_answer *answer)
{
    sent *message = context;
    char line[LINE], hex[65];
    if (answer->status == THEATER_OK || answer->status == THEATER_REJECTED) {
        hex_of(&answer->element, hex);
        int size = snprintf(line, sizeof line, "%s %llu %llu %s\n", message->actor,
                            (unsigned long long)message->id,
                            (unsigned long long)answer->sequence, hex);
        if (write(1, line, (size_t)size) != size)
            _exit(3);
    }
    free(message);
    sem_post(&room);
}

static int child_fails(const char *what, const theater_error *error)
{
    char line[LINE + 1024];
    int size = snprintf(line, sizeof line, "! %s: %s\n", what, error->message);
    return write(1, line, (size_t)size) == size ? 2 : 3;
}

static theater_status start_missing(theater_runtime *runtime, const char *name, const char *component,
                                    const char *config,
                                    theater_error *reterr)
{
    theater_status status = system_try_start(runtime, name, component, text_of(config), NULL, reterr);
    return status == THEATER_EXISTS ? THEATER_OK : status;
}

static theater_status start_all(theater_runtime *runtime, theater_error *reterr)
{
    char name[16], next[16];
    theater_status status = start_missing(runtime, "asker", "request", "", reterr);
    if (!status)
        status = start_missing(runtime, "ids", "counter", "", reterr);
    for (int i = 0; !status && i < COUNTERS; i++) {
        snprintf(name, sizeof name, "c%d", i);
        status = start_missing(runtime, name, "counter", "", reterr);
    }
    for (int i = 0; !status && i < RINGS; i++) {
        snprintf(name, sizeof name, "r%d", i);
        snprintf(next, sizeof next, "r%d", (i + 1) % RINGS);
        status = start_missing(runtime, name, "actors/ring", next, reterr);
    }
    return status;
}

static theater_status submit_one(theater_runtime *runtime, uint64_t random, uint64_t *next_id,
                                 theater_error *reterr)
{
    sent *message = calloc(1, sizeof *message);
    char input[32] = "x", id[24] = "";
    switch (random % 8) {
    case 0: case 1: case 2:
        snprintf(message->actor, sizeof message->actor, "c%d", (int)(random >> 40) % COUNTERS);
        break;
    case 3: case 4:
        snprintf(message->actor, sizeof message->actor, "asker");
        snprintf(input, sizeof input, "c%d",
                 (int)(random >> 40) % (COUNTERS + 1)); /* the last one is nobody */
        break;
    case 5:
        snprintf(message->actor, sizeof message->actor, "r%d", (int)(random >> 40) % RINGS);
        snprintf(input, sizeof input, random >> 16 & 1 ? "spin 3" : "nonsense");
        break;
    default:
        snprintf(message->actor, sizeof message->actor, "ids");
        message->id = *next_id;
        snprintf(id, sizeof id, "%llu", (unsigned long long)*next_id);
    }
    theater_message out = {.actor = message->actor, .input = text_of(input), .id = text_of(id)};
    theater_status status = theater_submit(runtime, &out, answered, message, reterr);
    if (!status) {
        /* The message is freed by its answer, which may have come already. */
        *next_id += out.id.size != 0;
        return THEATER_OK;
    }
    free(message);
    sem_post(&room);
    return status == THEATER_MAILBOX_FULL ? THEATER_OK : status;
}

static int work(const char *folder, uint64_t seed, uint64_t next_id)
{
    theater_runtime *runtime;
    theater_error error;
    theater_runtime_options options = {.folder = folder, .workers = 2, .snapshot_bytes = 20000};
    sem_init(&room, 0, IN_FLIGHT);
    if (theater_runtime_open(&options, &runtime, &error))
        return child_fails("open", &error);
    if (start_all(runtime, &error))
        return child_fails("start", &error);
    for (;;) {
        sem_wait(&room);
        if (submit_one(runtime, next_random(&seed), &next_id, &error))
            return child_fails("submit", &error);
    }
}

/* ---- the parent ---------------------------------------------------------------------------------------- */

typedef struct ack {
    char actor[16];
    uint64_t sequence;
    char hash[65];
} ack;

typedef struct record {
    ack *acks;
    size_t count, capacity;
    bool *ids;        /* acknowledged ones: answers that are given again may come later than fresh ones */
    uint64_t last_id; /* all up to this one */
    char partial[LINE + 1024];
    size_t used;
} record;

static void take_line(record *seen, const char *line)
{
    if (line[0] == '!')
        fail_msg("the child: %s", line);
    if (seen->count == seen->capacity) {
        seen->capacity = seen->capacity ? 2 * seen->capacity : 4096;
        assert_true(seen->capacity <= ACKS_MAX);
        seen->acks = realloc(seen->acks, seen->capacity * sizeof *seen->acks);
        assert_non_null(seen->acks);
    }
    ack *next = &seen->acks[seen->count++];
    unsigned long long id, sequence;
    assert_int_equal(sscanf(line, "%15s %llu %llu %64s", next->actor, &id, &sequence, next->hash), 4);
    next->sequence = sequence;
    if (id == 0)
        return;
    assert_true(id < ACKS_MAX);
    seen->ids[id] = true;
    while (seen->ids[seen->last_id + 1])
        seen->last_id++;
}

/* What the pipe has now; false at its end. */
static bool take_some(record *seen, int from)
{
    ssize_t got = read(from, seen->partial + seen->used, sizeof seen->partial - seen->used - 1);
    if (got <= 0)
        return false;
    seen->used += (size_t)got;
    seen->partial[seen->used] = 0;
    char *begin = seen->partial;
    for (char *end; (end = strchr(begin, '\n')); begin = end + 1) {
        *end = 0;
        take_line(seen, begin);
    }
    seen->used = strlen(begin);
    memmove(seen->partial, begin, seen->used + 1);
    return true;
}

static uint64_t now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

/* Runs the child until `delay_ms` after its first answer, or after its start when `early`, and kills it. */
static void one_round(record *seen, const char *folder, uint64_t seed, bool early, uint64_t delay_ms)
{
    char seed_text[24], id_text[24];
    snprintf(seed_text, sizeof seed_text, "%llu", (unsigned long long)seed);
    snprintf(id_text, sizeof id_text, "%llu", (unsigned long long)seen->last_id + 1);
    system_child child;
    system_spawn(&child, "work", folder, seed_text, id_text, NULL);
    size_t before = seen->count;
    seen->used = 0;
    uint64_t deadline = early ? now_ms() + delay_ms : 0;
    for (;;) {
        uint64_t now = now_ms();
        if (!deadline && seen->count > before)
            deadline = now + delay_ms;
        if (deadline && now >= deadline)
            break;
        struct pollfd wait = {.fd = child.from, .events = POLLIN};
        if (poll(&wait, 1, deadline ? (int)(deadline - now) : 60000) == 0 && !deadline)
            fail_msg("no answer within a minute");
        if (wait.revents && !take_some(seen, child.from))
            fail_msg("the child ended by itself");
    }
    assert_int_equal(kill(child.pid, SIGKILL), 0);
    while (take_some(seen, child.from))
        ;
    assert_int_equal(system_wait(&child), 1000 + SIGKILL);
}

/* Each acknowledged element from `first` on stands on its chain with its hash. */
static void check_acks(theater_folder *folder, const record *seen, size_t first)
{
    theater_error error;
    theater_actor_info info = {0};
    for (size_t i = first; i < seen->count; i++) {
        const ack *told = &seen->acks[i];
        if (strcmp(info.name, told->actor) != 0)
            OK(theater_folder_actor(folder, told->actor, &info, &error), error);
        theater_element element;
        theater_status status = theater_element_read(folder, info.id, told->sequence, &element, &error);
        if (status)
            fail_msg("answer %zu: element %llu of %s was acknowledged and is not there: %s", i,
                     (unsigned long long)told->sequence,
                     told->actor, error.message);
        char hex[65];
        hex_of(&element.hash, hex);
        if (strcmp(hex, told->hash) != 0)
            fail_msg("element %llu of %s has hash %s and %s was acknowledged",
                     (unsigned long long)told->sequence, told->actor, hex,
                     told->hash);
        theater_element_free(&element);
    }
}

static void check_verifies(theater_folder *folder, bool replay)
{
    theater_error error;
    theater_report report;
    theater_source source = {.folder = folder};
    OK(theater_verify(&source, &(theater_check_options){.all = true}, &report, &error), error);
    if (report.status || report.missing_causes)
        fail_msg("verification: %s", report.message);
    if (!replay)
        return;
    OK(theater_replay(&source, &(theater_check_options){.threads = 2}, &report, &error), error);
    if (report.status || report.undecided)
        fail_msg("replay: %s", report.message);
}

/* The elements of `ids` carry the ids 1, 2, 3 and so on, each once: none was lost and none ran twice. Returns
 * how many. */
static uint64_t check_ids(theater_folder *folder)
{
    theater_error error;
    theater_actor_info info;
    OK(theater_folder_actor(folder, "ids", &info, &error), error);
    for (uint64_t i = 1; i < info.elements; i++) {
        theater_element element;
        OK(theater_element_read(folder, info.id, i, &element, &error), error);
        char id[24];
        assert_true(element.has_id && element.id.size < sizeof id);
        memcpy(id, element.id.data, element.id.size);
        id[element.id.size] = 0;
        assert_int_equal(strtoull(id, NULL, 10), i);
        theater_element_free(&element);
    }
    return info.elements - 1;
}

/* All tokens came home: asked of the ring when nothing is under way any more. */
static void check_tokens(theater_runtime *runtime)
{
    unsigned long long started = 0, home = 0;
    for (int i = 0; i < RINGS; i++) {
        char name[16], text[128];
        snprintf(name, sizeof name, "r%d", i);
        theater_message message = {.actor = name, .input = text_of("count")};
        theater_answer answer;
        theater_error error;
        OK(theater_query(runtime, &message, &answer, &error), error);
        snprintf(text, sizeof text, "%.*s", (int)answer.output.size, (const char *)answer.output.data);
        theater_answer_done(&answer);
        unsigned long long s, h, asked, got, failed;
        assert_int_equal(sscanf(text, "started %llu home %llu asked %llu answered %llu failed %llu", &s, &h,
                                &asked, &got, &failed), 5);
        assert_int_equal(asked, got);
        assert_int_equal(failed, 0);
        started += s;
        home += h;
    }
    assert_true(started > 0);
    assert_int_equal(home, started);
}

static unsigned long long from_environment(const char *name, unsigned long long standard)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : standard;
}

static void a_killed_process_keeps_its_promises(void **state)
{
    uint64_t seed = from_environment("THEATER_CRASH_SEED", (unsigned long long)time(NULL)), random = seed;
    uint64_t rounds = from_environment("THEATER_CRASH_ROUNDS", ROUNDS);
    char *folder = strdup(system_fresh("crash"));
    record seen = {.ids = calloc(ACKS_MAX + 1, sizeof(bool))};
    assert_non_null(seen.ids);
    print_message("THEATER_CRASH_SEED=%llu\n", (unsigned long long)seed);
    for (uint64_t round = 0; round < rounds; round++) {
        size_t before = seen.count;
        bool early = round > 0 && round % 4 == 0;
        one_round(&seen, folder, next_random(&random), early, next_random(&random) % (early ? 40 : 120));
        theater_folder *reader;
        theater_error error;
        OK(theater_folder_open(folder, &reader, &error), error);
        check_acks(reader, &seen, before);
        assert_true(check_ids(reader) >= seen.last_id);
        check_verifies(reader, round % 5 == 4);
        theater_folder_close(reader);
    }
    /* The next process brings to its end what was under way. */
    theater_runtime *runtime;
    theater_error error;
    OK(theater_runtime_open(&(theater_runtime_options){.folder = folder, .workers = 2}, &runtime, &error),
       error);
    OK(theater_drain(runtime, 120000, &error), error);
    check_tokens(runtime);
    theater_runtime_close(runtime);
    theater_folder *reader;
    OK(theater_folder_open(folder, &reader, &error), error);
    check_acks(reader, &seen, 0);
    theater_folder_close(reader);
    system_check_folder(folder);
    print_message("%zu answers, %llu with ids\n", seen.count, (unsigned long long)seen.last_id);
    assert_true(seen.count > rounds);
    system_remove_tree(folder);
    free(folder);
    free(seen.acks);
    free(seen.ids);
}

int main(int count, char **arguments)
{
    if (count == 5 && strcmp(arguments[1], "work") == 0)
        return work(arguments[2], strtoull(arguments[3], NULL, 10), strtoull(arguments[4], NULL, 10));
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_killed_process_keeps_its_promises)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
