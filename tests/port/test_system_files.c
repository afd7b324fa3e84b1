/* What only the system's files have: error numbers, short transfers, faults, descriptors and rights. */
#include "port/helpers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void modes_are_private_only_when_asked(void **state)
{
    machine *m = *state;
    theater_error error;
    mode_t before = umask(0);
    struct stat facts;
    th_file_close(open_file(m->port, in(m, "plain")));
    assert_int_equal(stat(in(m, "plain"), &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0644);
    /* Also when a temporary with another mode was left behind. */
    th_file_close(open_file(m->port, in(m, "key.new")));
    OK(th_port_replace_file(m->port, in(m, "key"), TH_FILE_PRIVATE, th_slice_text("secret"), &error));
    assert_int_equal(stat(in(m, "key"), &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    th_buf text;
    th_buf_init(&text, 100);
    OK(th_port_read_private_file(m->port, in(m, "key"), 100, &text, &error));
    static const mode_t wide[] = {0640, 0620, 0610, 0604, 0602, 0601};
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
        assert_int_equal(chmod(in(m, "key"), wide[i]), 0);
        EXPECT(PERMISSION, th_port_read_private_file(m->port, in(m, "key"), 100, &text, &error));
        assert_non_null(strstr(error.message, "chmod 600"));
    }
    assert_int_equal(text.size, strlen("secret"));
    OK(th_port_read_file(m->port, in(m, "key"), 100, &text, &error));
    th_buf_done(&text);
    umask(before);
}

static void reserve_allocates_blocks(void **state)
{
    machine *m = *state;
    theater_error error;
    th_file *file = open_file(m->port, in(m, "a"));
    OK(th_file_reserve(file, 1 << 20, &error));
    struct stat facts;
    assert_int_equal(stat(in(m, "a"), &facts), 0);
    assert_int_equal(facts.st_size, 1 << 20);
    assert_true(facts.st_blocks >= (1 << 20) / 512);
    th_file_close(file);
}

static void a_full_disk_is_no_space(void **state)
{
    theater_error error;
    th_file *file;
    OK(th_file_open(th_port_system(), "/dev/full", TH_FILE_WRITE, &file, &error));
    th_slice part = th_slice_text("x");
    EXPECT(NO_SPACE, th_file_write(file, 0, &part, 1, &error));
    assert_non_null(strstr(error.message, "/dev/full"));
    th_file_close(file);
}

static void a_file_size_limit_is_too_large(void **state)
{
    machine *m = *state;
    theater_error error;
    th_file *file = open_file(m->port, in(m, "a"));
    write_text(file, 0, "begin");
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){8192, before.rlim_max};
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    EXPECT(TOO_LARGE, th_file_reserve(file, 100000, &error));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    uint64_t size;
    OK(th_file_size(file, &size, &error));
    assert_int_equal(size, 5);
    th_file_close(file);
}

static void a_lock_excludes_other_processes(void **state)
{
    machine *m = *state;
    theater_error error;
    th_file *file = open_file(m->port, in(m, "lock"));
    OK(th_file_lock(file, 0, &error));
    /* Closing another handle of the file keeps the lock: a lock of the process would be gone. */
    th_file_close(open_file(m->port, in(m, "lock")));
    pid_t child = fork();
    if (child == 0) {
        /* The child shares the parent's open file, and with it the lock, until it closes its copy. */
        th_file_close(file);
        th_file *other;
        if (th_file_open(m->port, in(m, "lock"), TH_FILE_WRITE, &other, NULL) != THEATER_OK)
            _exit(1);
        if (th_file_lock(other, 0, NULL) != THEATER_BUSY)
            _exit(2);
        _exit(th_file_lock(other, 10000, NULL) == THEATER_OK ? 0 : 3);
    }
    usleep(50000);
    th_file_close(file);
    int result;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFEXITED(result));
    assert_int_equal(WEXITSTATUS(result), 0);
}

static void descriptors_do_not_pass_to_programs(void **state)
{
    machine *m = *state;
    th_file *file = open_file(m->port, in(m, "a"));
    /* The lowest free number is the next one, so the file's is the one before. */
    int next = dup(0);
    for (int i = 3; i < next; i++) {
        char link[64], path[512] = {0};
        snprintf(link, sizeof link, "/proc/self/fd/%d", i);
        if (readlink(link, path, sizeof path - 1) > 0 && strcmp(path, in(m, "a")) == 0)
            assert_int_equal(fcntl(i, F_GETFD), FD_CLOEXEC);
    }
    close(next);
    th_file_close(file);
}

#ifdef TH_FAULTS
static void error_numbers_become_statuses(void **state)
{
    machine *m = *state;
    theater_error error;
    static const struct {
        int number;
        theater_status status;
    } pairs[] = {
        {ENOSPC, THEATER_NO_SPACE},
        {EDQUOT, THEATER_NO_SPACE},
        {EROFS, THEATER_READ_ONLY},
        {EACCES, THEATER_PERMISSION},
        {EPERM, THEATER_PERMISSION},
        {ENOENT, THEATER_NOT_FOUND},
        {ENOTDIR, THEATER_NOT_FOUND},
        {EEXIST, THEATER_EXISTS},
        {EIO, THEATER_IO},
        {ENOMEM, THEATER_NO_MEMORY},
        {EMFILE, THEATER_IO},
        {EFBIG, THEATER_TOO_LARGE},
        {EBUSY, THEATER_BUSY},
        {ENAMETOOLONG, THEATER_INVALID_ARGUMENT},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        th_file *file;
        th_file_fail_with(1, pairs[i].number);
        expect_status(th_file_open(m->port, in(m, "a"), TH_FILE_WRITE | TH_FILE_CREATE, &file, &error),
                      pairs[i].status, &error, __FILE__, __LINE__);
        assert_int_equal(error.status, pairs[i].status);
        assert_non_null(strstr(error.message, in(m, "a")));
        assert_null(file);
    }
}

static void short_transfers_and_signals_are_no_errors(void **state)
{
    machine *m = *state;
    theater_error error;
    th_file *file = open_file(m->port, in(m, "a"));
    th_slice parts[] = {th_slice_text("ab"), th_slice_text("cdefg"), th_slice_text("h")};
    th_file_transfer_at_most(3);
    OK(th_file_write(file, 0, parts, 3, &error));
    expect_text(file, 0, "abcdefgh");
    th_file_transfer_at_most(0);
    for (uint64_t place = 1; place < 20; place++) {
        th_file_fail_with(place, EINTR);
        th_file_transfer_at_most(1);
        OK(th_file_write(file, place, parts, 3, &error));
        expect_text(file, place, "abcdefgh");
        th_file_transfer_at_most(0);
        OK(th_file_sync(file, &error));
    }
    th_file_fail_at(0);
    th_file_close(file);
}

static bool count_name(void *context, const char *name)
{
    ++*(int *)context;
    return true;
}

/* So that each run makes the same calls. */
static void clean(machine *m)
{
    static const char *const names[] = {"f/a", "f/b", "f", "whole", "whole.new"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        (void)!remove(in(m, names[i]));
}

/* One of everything. */
static theater_status everything(machine *m, theater_error *reterr)
{
    th_file *file = NULL;
    th_slice part = th_slice_text("contents");
    char bytes[8];
    size_t got;
    uint64_t size;
    int names = 0;
    theater_status status = th_port_make_folder(m->port, in(m, "f"), reterr);
    if (status == THEATER_OK)
        status =
            th_file_open(m->port, in(m, "f/a"), TH_FILE_READ | TH_FILE_WRITE | TH_FILE_CREATE, &file, reterr);
    if (status == THEATER_OK)
        status = th_file_lock(file, 0, reterr);
    if (status == THEATER_OK)
        status = th_file_write(file, 0, &part, 1, reterr);
    if (status == THEATER_OK)
        status = th_file_reserve(file, 1000000, reterr);
    if (status == THEATER_OK)
        status = th_file_sync(file, reterr);
    if (status == THEATER_OK)
        status = th_file_read(file, 0, bytes, sizeof bytes, &got, reterr);
    if (status == THEATER_OK)
        status = th_file_truncate(file, 3, reterr);
    if (status == THEATER_OK)
        status = th_file_size(file, &size, reterr);
    th_file_close(file);
    if (status == THEATER_OK)
        status = th_port_rename(m->port, in(m, "f/a"), in(m, "f/b"), reterr);
    if (status == THEATER_OK)
        status = th_port_sync_folder(m->port, in(m, "f"), reterr);
    if (status == THEATER_OK)
        status = th_port_list_folder(m->port, in(m, "f"), count_name, &names, reterr);
    if (status == THEATER_OK)
        status = th_port_remove(m->port, in(m, "f/b"), reterr);
    if (status == THEATER_OK)
        status = th_port_replace_file(m->port, in(m, "whole"), 0, th_slice_text("whole"), reterr);
    return status;
}

static void every_system_call_may_fail(void **state)
{
    machine *m = *state;
    theater_error error = {0};
    uint64_t place = 1;
    for (;; place++) {
        assert_true(place < 200);
        clean(m);
        th_file_fail_at(place);
        theater_status status = everything(m, &error);
        if (status == THEATER_OK)
            break;
        expect_status(status, THEATER_IO, &error, __FILE__, __LINE__);
        assert_non_null(strstr(error.message, m->folder));
    }
    /* As many calls as there are in it: 11 for the file, 6 for the folder, 6 for the whole one. */
    assert_true(place > 23);
    th_file_fail_at(0);
}

static void every_allocation_of_a_file_may_fail(void **state)
{
    machine *m = *state;
    theater_error error = {0};
    for (uint64_t place = 1;; place++) {
        assert_true(place < 200);
        clean(m);
        th_allocation_fail_at(place);
        theater_status status = everything(m, &error);
        if (status == THEATER_OK) {
            assert_true(place > 4);
            break;
        }
        expect_status(status, THEATER_NO_MEMORY, &error, __FILE__, __LINE__);
    }
    th_allocation_fail_at(0);
}

static void a_failed_reserve_keeps_the_size(void **state)
{
    machine *m = *state;
    theater_error error;
    th_file *file = open_file(m->port, in(m, "a"));
    write_text(file, 0, "begin");
    uint64_t size, place;
    for (place = 1;; place++) {
        th_file_fail_with(place, ENOSPC);
        theater_status status = th_file_reserve(file, 1000000, &error);
        if (status == THEATER_OK)
            break;
        th_file_fail_at(0);
        expect_status(status, THEATER_NO_SPACE, &error, __FILE__, __LINE__);
        OK(th_file_size(file, &size, &error));
        assert_int_equal(size, 5);
    }
    assert_true(place > 4);
    th_file_fail_at(0);
    /* Without fallocate the zeros do it alone. */
    OK(th_file_truncate(file, 5, &error));
    th_file_fail_with(2, EOPNOTSUPP);
    OK(th_file_reserve(file, 1000000, &error));
    OK(th_file_size(file, &size, &error));
    assert_int_equal(size, 1000000);
    th_file_close(file);
}
#endif

#define SYSTEM(test) cmocka_unit_test_setup_teardown(test, setup_system, teardown_system)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM(modes_are_private_only_when_asked), SYSTEM(reserve_allocates_blocks),
        SYSTEM(a_full_disk_is_no_space),           SYSTEM(a_file_size_limit_is_too_large),
        SYSTEM(a_lock_excludes_other_processes),   SYSTEM(descriptors_do_not_pass_to_programs),
#ifdef TH_FAULTS
        SYSTEM(error_numbers_become_statuses),     SYSTEM(short_transfers_and_signals_are_no_errors),
        SYSTEM(every_system_call_may_fail),        SYSTEM(every_allocation_of_a_file_may_fail),
        SYSTEM(a_failed_reserve_keeps_the_size),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
