/* Disks that are full, read-only or not one's own. Each test runs in a process of its own, with a mount
 * namespace, limit or user of its own; where the system does not let it have that, the test is skipped and
 * says so. The test that the process runs is a cmocka test, too, and what it prints is passed on. */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { CANNOT = 77, NOBODY = 65534, LARGE = 200000 };

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* ---- in the process: what the tests need --------------------------------------------------------------- */

static void cannot(const char *what)
{
    print_message("%s: %s\n", what, strerror(errno));
    fflush(NULL);
    _exit(CANNOT);
}

/* A disk of so many bytes at a fresh place, seen by this process alone; static memory. */
static const char *own_disk(const char *options)
{
    static char place[1024];
    snprintf(place, sizeof place, "%s", system_fresh("disk"));
    assert_int_equal(mkdir(place, 0755), 0);
    if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
        mount("none", place, "tmpfs", 0, options)) {
        int why = errno;
        rmdir(place);
        errno = why;
        cannot("no disk of its own");
    }
    return place;
}

/* A runtime with a witness and an echo on FOLDER. */
static void begin_on(system_bench *bench, const char *folder)
{
    theater_error error;
    *bench = (system_bench){.folder = folder};
    OK(theater_runtime_open(&(theater_runtime_options){.folder = folder, .workers = 2}, &bench->runtime,
                            &error), error);
    system_start(bench->runtime, "witness", "counter", "");
    system_start(bench->runtime, "subject", "echo", "");
    system_witness(bench);
}

/* Reads go on while nothing can be written. */
static void expect_query(const system_bench *bench)
{
    theater_answer answer;
    theater_error error;
    theater_message message = {.actor = "subject", .input = text_of("asked")};
    OK(theater_query(bench->runtime, &message, &answer, &error), error);
    assert_int_equal(answer.output.size, 5);
    theater_answer_done(&answer);
}

/* Sends large inputs until that fails, with `want`; returns the sequence of the last one that was
 * acknowledged. */
static uint64_t send_until_full(const system_bench *bench, theater_status want, const char *word)
{
    static uint8_t bytes[LARGE];
    uint64_t last = 0;
    theater_answer answer;
    theater_error error;
    for (int i = 0; i < 10000; i++) {
        theater_status status = system_send(bench->runtime, "subject", (theater_slice){bytes, sizeof bytes},
                                            &answer, &error);
        if (status) {
            system_expect_error(status, &error, want, "a message that finds no room", word, NULL);
            theater_answer_done(&answer);
            return last;
        }
        last = answer.sequence;
        theater_answer_done(&answer);
    }
    fail_msg("the disk never became full");
    return 0;
}

/* ---- in the process: the tests ------------------------------------------------------------------------- */

static void full_disk(void **state)
{
    const char *disk = own_disk("size=64m");
    system_bench bench;
    theater_answer answer;
    theater_error error;
    begin_on(&bench, strdup(system_path(disk, "data")));
    /* What is free now goes to a file, so that few messages fill the rest. */
    const char *filler = system_path(disk, "filler");
    int file = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    static const uint8_t zeros[65536];
    while (write(file, zeros, sizeof zeros) > 0)
        ;
    close(file);
    uint64_t last = send_until_full(&bench, THEATER_NO_SPACE, "space");
    system_expect_error(theater_runtime_health(bench.runtime, &error), &error, THEATER_NO_SPACE, "health",
                        NULL);
    theater_status status = system_send(bench.runtime, "subject", text_of("x"), &answer, &error);
    assert_true(status == THEATER_READ_ONLY || status == THEATER_NO_SPACE);
    theater_answer_done(&answer);
    status = theater_actor_stop(bench.runtime, "subject", &error);
    assert_true(status == THEATER_READ_ONLY || status == THEATER_NO_SPACE);
    status = system_try_start(bench.runtime, "another", "echo", text_of(""), NULL, &error);
    assert_true(status == THEATER_READ_ONLY || status == THEATER_NO_SPACE);
    expect_query(&bench);
    system_check_folder(bench.folder);
    /* It goes on by itself when there is room, and nothing that was acknowledged is missing. */
    assert_int_equal(unlink(filler), 0);
    for (int i = 0; (status = system_send(bench.runtime, "subject", text_of("x"), &answer, &error)) &&
         i < 300; i++) {
        theater_answer_done(&answer);
        pause_ms(100);
    }
    assert_int_equal(status, THEATER_OK);
    assert_int_equal(answer.sequence, last + 1);
    theater_answer_done(&answer);
    system_end(&bench);
}

static void files_of_limited_size(void **state)
{
    system_bench bench;
    theater_answer answer;
    theater_error error;
    signal(SIGXFSZ, SIG_IGN);
    begin_on(&bench, strdup(system_fresh("rlimit")));
    struct rlimit limit = {1 << 20, 1 << 20};
    if (setrlimit(RLIMIT_FSIZE, &limit))
        cannot("no limit of the size of files");
    static uint8_t bytes[LARGE];
    theater_status status = THEATER_OK;
    uint64_t last = 0;
    for (int i = 0; !status && i < 1000; i++) {
        status = system_send(bench.runtime, "subject", (theater_slice){bytes, sizeof bytes}, &answer, &error);
        last = status ? last : answer.sequence;
        theater_answer_done(&answer);
    }
    assert_true(status == THEATER_STORAGE_FAILED || status == THEATER_NO_SPACE ||
                status == THEATER_TOO_LARGE);
    assert_non_null(strstr(error.message, ".log"));
    assert_int_not_equal(theater_runtime_health(bench.runtime, &error), THEATER_OK);
    expect_query(&bench);
    theater_runtime_close(bench.runtime);
    theater_actor_info info;
    system_info(bench.folder, "subject", &info);
    assert_int_equal(info.elements, last + 1);
    system_check_folder(bench.folder);
    system_remove_tree(bench.folder);
    free((char *)bench.folder);
}

static void read_only_disk(void **state)
{
    const char *disk = own_disk("size=64m"), *folder = strdup(system_path(disk, "data"));
    system_bench bench;
    theater_error error;
    theater_runtime *runtime;
    begin_on(&bench, folder);
    theater_runtime_close(bench.runtime);
    if (mount("none", disk, NULL, MS_REMOUNT | MS_RDONLY, NULL))
        cannot("no read-only disk");
    theater_status status = theater_runtime_open(&(theater_runtime_options){.folder = folder}, &runtime,
                                                 &error);
    system_expect_error(status, &error, THEATER_READ_ONLY, "a folder on a read-only disk", folder, NULL);
    status = theater_runtime_open(&(theater_runtime_options){.folder = system_path(disk, "new")}, &runtime,
                                  &error);
    system_expect_error(status, &error, THEATER_READ_ONLY, "a new folder on a read-only disk", disk, NULL);
    /* Reading commands work. */
    system_check_folder(folder);
    assert_int_equal(mount("none", disk, NULL, MS_REMOUNT, NULL), 0);
    OK(theater_runtime_open(&(theater_runtime_options){.folder = folder}, &bench.runtime, &error), error);
    system_end(&bench);
}

/* A folder that another user owns, and that may be read by all. */
static void folder_of_another(void **state)
{
    char place[] = "/tmp/theater-other-XXXXXX";
    if (!mkdtemp(place))
        cannot("no folder");
    const char *folder = strdup(system_path(place, "data"));
    system_bench bench;
    theater_error error;
    theater_runtime *runtime;
    begin_on(&bench, folder);
    theater_runtime_close(bench.runtime);
    assert_int_equal(chmod(place, 0755), 0);
    if (setresuid(NOBODY, NOBODY, 0)) {
        system_remove_tree(place);
        cannot("not another user");
    }
    theater_status status = theater_runtime_open(&(theater_runtime_options){.folder = folder}, &runtime,
                                                 &error);
    system_expect_error(status, &error, THEATER_PERMISSION, "a folder of another user", folder, NULL);
    system_check_folder(folder);
    assert_int_equal(setresuid(0, 0, 0), 0);
    system_remove_tree(place);
    free((char *)folder);
}

/* ---- in the parent ------------------------------------------------------------------------------------- */

static void run_alone(const char *test)
{
    system_child child;
    char line[1200];
    system_spawn(&child, "alone", test, NULL);
    while (system_line(&child, line, sizeof line))
        print_message("  %s\n", line);
    int result = system_wait(&child);
    if (result == CANNOT) {
        print_message("SKIPPED %s: see above\n", test);
        skip();
    }
    if (result)
        fail_msg("%s ended with %d", test, result);
}

#define ALONE(name) \
    static void test_##name(void **state) \
    { \
        run_alone(#name); \
    }
ALONE(full_disk)
ALONE(files_of_limited_size)
ALONE(read_only_disk)
ALONE(folder_of_another)

static int alone(const char *name)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_disk),
        cmocka_unit_test(files_of_limited_size),
        cmocka_unit_test(read_only_disk),
        cmocka_unit_test(folder_of_another),
    };
    dup2(1, 2);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        struct CMUnitTest one[] = {tests[i]};
        if (strcmp(name, tests[i].name) == 0)
            return cmocka_run_group_tests_name(name, one, NULL, NULL);
    }
    return 1;
}

int main(int count, char **arguments)
{
    if (count == 3 && strcmp(arguments[1], "alone") == 0)
        return alone(arguments[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_files_of_limited_size),
        cmocka_unit_test(test_read_only_disk),
        cmocka_unit_test(test_folder_of_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
