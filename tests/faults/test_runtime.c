/* One short life of a data folder, through the public interface and with the real engine, in which one
 * allocation or one system call on files fails: each of them in turn.
 *
 * Whatever fails, this must hold:
 *  1. Every call ends with success, or with an error that has a message and is not about damage.
 *  2. Nothing leaks (the sanitizer build asks after every few lives) and nothing crashes.
 *  3. Opened anew on a good machine, the folder verifies with all causes, and holds every answer that was given.
 *  4. Messages sent again with their ids then have each run exactly once.
 *
 * THEATER_FAULTS_EVERY=1 tries every place; without it every so many of them, so that the suite stays short. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/status.h"
#include "port/system.h"
#include "system/support.h"

#ifdef TH_FAULTS

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#define LEAKED() __lsan_do_recoverable_leak_check()
#else
#define LEAKED() 0
#endif

enum { MESSAGES = 4, RINGS = 3, ACKS = 64, PLACES_MAX = 100000, LEAKS_EVERY = 64 };

typedef struct ack {
    char actor[16];
    uint64_t sequence;
    theater_hash element;
} ack;

typedef struct life {
    const char *folder, *bundle, *copy;
    const char *fault; /* for messages: what fails, and where */
    bool faulty; /* a fault is armed: errors are to be expected */
    bool transparent; /* a fault that nobody may notice */
    uint64_t errors;
    ack acks[ACKS];
    size_t count;
} life;

/* A path at which nothing stands: in memory where the machine has that, for thousands of lives sync a lot. */
static char *fresh(const char *name)
{
    char path[512];
    bool memory = access("/dev/shm", W_OK) == 0;
    snprintf(path, sizeof path, "%s/theater-faults-%s.%d", memory ? "/dev/shm" : TH_BINARY_DIR, name,
             (int)getpid());
    system_remove_tree(path);
    char *copy = strdup(path);
    assert_non_null(copy);
    return copy;
}

/* Whether a step went well. What went wrong is looked at here. */
static bool well(life *self, const char *what, theater_status status, const theater_error *error)
{
    if (status == THEATER_OK)
        return true;
    self->errors++;
    if (!self->faulty || self->transparent)
        fail_msg("%s: %s: %s: %s", self->fault, what, theater_status_name(status), error->message);
    if (error->message[0] == 0 || strlen(error->message) >= sizeof error->message)
        fail_msg("%s: %s: %s without a message", self->fault, what, theater_status_name(status));
    if (status == THEATER_CORRUPT || status == THEATER_VERIFY_FAILED || status == THEATER_INTERRUPTED ||
        status == THEATER_TIMEOUT)
        fail_msg("%s: %s: %s: %s", self->fault, what, theater_status_name(status), error->message);
    return false;
}

static void send_one(life *self, theater_runtime *runtime, const char *actor, const char *input,
                     const char *id)
{
    theater_message message = {
        .actor = actor, .input = text_of(input), .id = text_of(id), .principal = "tester"};
    theater_answer answer;
    theater_error error = {0};
    if (well(self, "send", theater_send(runtime, &message, &answer, &error), &error)) {
        assert_true(self->count < ACKS);
        ack *kept = &self->acks[self->count++];
        snprintf(kept->actor, sizeof kept->actor, "%s", actor);
        kept->sequence = answer.sequence;
        kept->element = answer.element;
    }
    theater_answer_done(&answer);
}

static void send_all(life *self, theater_runtime *runtime)
{
    char id[16];
    for (int i = 0; i < MESSAGES; i++) {
        snprintf(id, sizeof id, "m%d", i);
        send_one(self, runtime, "counter", "x", id);
        send_one(self, runtime, "r0", i % 2 ? "spin 4" : "spin 2", id);
    }
}

static void manage(life *self, theater_runtime *runtime)
{
    theater_error error = {0};
    theater_bytes note;
    theater_answer answer;
    theater_message question = {.actor = "r1", .input = text_of("count")};
    if (well(self, "start", system_try_start(runtime, "late", "counter", text_of(""), NULL, &error),
             &error)) {
        theater_upgrade_options upgrade = {.component = system_component("counter"), .keep_config = true};
        error = (theater_error){0};
        well(self, "stop", theater_actor_stop(runtime, "late", &error), &error);
        error = (theater_error){0};
        well(self, "resume", theater_actor_resume(runtime, "late", &error), &error);
        error = (theater_error){0};
        well(self, "upgrade", theater_actor_upgrade(runtime, "late", &upgrade, NULL, &error), &error);
        error = (theater_error){0};
        well(self, "remove", theater_actor_remove(runtime, "late", &error), &error);
    }
    error = (theater_error){0};
    well(self, "query", theater_query(runtime, &question, &answer, &error), &error);
    theater_answer_done(&answer);
    error = (theater_error){0};
    if (well(self, "checkpoint", theater_checkpoint(runtime, "counter", &note, &error), &error))
        theater_bytes_free(&note);
}

static void read_all(life *self)
{
    theater_error error = {0};
    theater_folder *folder;
    theater_report report;
    theater_bytes state;
    if (!well(self, "folder", theater_folder_open(self->folder, &folder, &error), &error))
        return;
    theater_source source = {.folder = folder}, bundle = {.path = self->bundle};
    theater_check_options all = {.all = true, .threads = 2};
    const uint64_t ids[] = {1, 2, 3, 4};
    theater_export_options everything = {.actor_ids = ids, .actor_count = 4};
    if (well(self, "verify", theater_verify(&source, &all, &report, &error), &error) &&
        report.status != THEATER_OK)
        fail_msg("%s: verify: %s", self->fault, report.message);
    error = (theater_error){0};
    if (well(self, "export", theater_export(folder, &everything, self->bundle, &error), &error)) {
        error = (theater_error){0};
        if (well(self, "bundle", theater_verify(&bundle, &all, &report, &error), &error) &&
            report.status != THEATER_OK)
            fail_msg("%s: bundle: %s", self->fault, report.message);
    }
    error = (theater_error){0};
    if (well(self, "replay", theater_replay(&source, &all, &report, &error), &error) &&
        report.status != THEATER_OK)
        fail_msg("%s: replay: %s", self->fault, report.message);
    error = (theater_error){0};
    if (well(self, "state", theater_state_at(folder, 1, 1, &state, &error), &error))
        theater_bytes_free(&state);
    error = (theater_error){0};
    well(self, "backup", theater_backup(folder, self->copy, &error), &error);
    theater_folder_close(folder);
}

/* Opens the folder, sends, manages, closes, reads. */
static void live(life *self)
{
    theater_error error = {0};
    theater_runtime *runtime;
    theater_runtime_options options = {.folder = self->folder, .workers = 1, .snapshot_bytes = 300};
    if (well(self, "open", theater_runtime_open(&options, &runtime, &error), &error)) {
        send_all(self, runtime);
        manage(self, runtime);
        theater_runtime_close(runtime);
    }
    read_all(self);
}

static void expect_elements(theater_folder *folder, const char *actor, uint64_t want, const char *fault)
{
    theater_error error;
    theater_actor_info info;
    OK(theater_folder_actor(folder, actor, &info, &error), error);
    if (info.elements != want)
        fail_msg("%s: %s has %llu elements and not %llu", fault, actor, (unsigned long long)info.elements,
                 (unsigned long long)want);
}

/* The same folder on a machine that is good again. */
static void recover(life *self)
{
    theater_error error;
    theater_runtime *runtime;
    theater_folder *folder;
    theater_report report;
    self->faulty = false;
    OK(theater_runtime_open(&(theater_runtime_options){.folder = self->folder, .workers = 1}, &runtime,
                            &error),
       error);
    send_all(self, runtime);
    OK(theater_drain(runtime, 60000, &error), error);
    theater_runtime_close(runtime);
    OK(theater_folder_open(self->folder, &folder, &error), error);
    theater_source source = {.folder = folder};
    OK(theater_verify(&source, &(theater_check_options){.all = true}, &report, &error), error);
    if (report.status || report.missing_causes)
        fail_msg("%s: verification: %s", self->fault, report.message);
    for (size_t i = 0; i < self->count; i++) {
        theater_actor_info info;
        theater_element element;
        OK(theater_folder_actor(folder, self->acks[i].actor, &info, &error), error);
        OK(theater_element_read(folder, info.id, self->acks[i].sequence, &element, &error), error);
        assert_memory_equal(&element.hash, &self->acks[i].element, sizeof element.hash);
        theater_element_free(&element);
    }
    expect_elements(folder, "counter", 1 + MESSAGES, self->fault);
    theater_folder_close(folder);
}

/* A folder with a counter and a ring, so that a life need not compile. */
static void prepare(const char *folder)
{
    theater_runtime *runtime;
    theater_error error;
    OK(theater_runtime_open(&(theater_runtime_options){.folder = folder, .workers = 1}, &runtime, &error),
       error);
    system_start(runtime, "counter", "counter", "");
    for (int i = 0; i < RINGS; i++) {
        char name[16], next[32];
        snprintf(name, sizeof name, "r%d", i);
        snprintf(next, sizeof next, "r%d r%d", (i + 1) % RINGS, (i + 2) % RINGS);
        system_start(runtime, name, "actors/ring", next);
    }
    theater_runtime_close(runtime);
}

static uint64_t arm(uint64_t place, int error_number)
{
    if (error_number)
        return th_file_fail_with(place, error_number);
    return th_allocation_fail_at(place);
}

/* Fails each `every`-th place in turn, by error number (0: allocations), until a life ends before the place is
 * reached. */
static void fail_in_turn(const char *what, int error_number, uint64_t every, uint64_t first)
{
    const char *variable = getenv("THEATER_FAULTS_EVERY");
    char fault[64], bundle[512], copy[512];
    char *pristine = fresh("pristine"), *folder = fresh("life");
    snprintf(bundle, sizeof bundle, "%s.bundle", folder);
    snprintf(copy, sizeof copy, "%s.copy", folder);
    if (variable)
        every = strtoull(variable, NULL, 10), first = 1;
    uint64_t lives = 0, hurt = 0, place = first;
    prepare(pristine);
    for (bool reached = true; reached; place += every) {
        assert_true(every > 0 && place < PLACES_MAX);
        system_copy_tree(pristine, folder);
        system_remove_tree(copy);
        snprintf(fault, sizeof fault, "%s %llu", what, (unsigned long long)place);
        life self = {.folder = folder,
                     .bundle = bundle,
                     .copy = copy,
                     .fault = fault,
                     .faulty = true,
                     .transparent = error_number == EINTR};
        arm(place, error_number);
        live(&self);
        reached = arm(0, error_number) == 0;
        hurt += self.errors > 0;
        recover(&self);
        if (lives++ % LEAKS_EVERY == 0 && LEAKED())
            fail_msg("%s, or one of the %d before it, leaks", fault, LEAKS_EVERY);
    }
    assert_false(LEAKED());
    print_message("%s: %llu lives up to place %llu, in %llu of them a call failed\n", what,
                  (unsigned long long)lives, (unsigned long long)(place - every), (unsigned long long)hurt);
    assert_true(lives > 10);
    assert_true(error_number == EINTR ? hurt == 0 : hurt > 5);
    system_remove_tree(pristine);
    system_remove_tree(folder);
    system_remove_tree(copy);
    remove(bundle);
    free(pristine);
    free(folder);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    fail_in_turn("allocation", 0, 41, 1);
}

static void every_call_on_a_file_may_find_a_bad_disk(void **state)
{
    (void)state;
    fail_in_turn("EIO at call", EIO, 13, 1);
}

static void every_call_on_a_file_may_find_a_full_disk(void **state)
{
    (void)state;
    fail_in_turn("ENOSPC at call", ENOSPC, 13, 5);
}

static void every_call_on_a_file_may_find_no_descriptor(void **state)
{
    (void)state;
    fail_in_turn("EMFILE at call", EMFILE, 13, 9);
}

static void every_call_on_a_file_may_be_interrupted(void **state)
{
    (void)state;
    fail_in_turn("EINTR at call", EINTR, 29, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(every_call_on_a_file_may_find_a_bad_disk),
        cmocka_unit_test(every_call_on_a_file_may_find_a_full_disk),
        cmocka_unit_test(every_call_on_a_file_may_find_no_descriptor),
        cmocka_unit_test(every_call_on_a_file_may_be_interrupted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

static void needs_a_build_with_faults(void **state)
{
    (void)state;
    skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(needs_a_build_with_faults)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
