/* The simulated machine without crashes: one run for one seed, the scheduler, time, faults, capacity, mutex
 * checks. */
#include "port/helpers.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static th_simulation *new_simulation(uint64_t seed)
{
    theater_error error;
    th_simulation *simulation;
    OK(th_simulation_new(seed, &simulation, &error));
    return simulation;
}

/* ---- determinism ---- */

enum { WRITERS = 4 };

typedef struct writer {
    th_simulation *simulation;
    th_port *port;
    th_file *file;
    struct writer *next; /* woken by each step */
    th_task *task;
    int index;
    int steps;
} writer;

static th_step write_some(void *context, uint64_t *ret_deadline_ns)
{
    writer *w = context;
    theater_error error;
    uint8_t bytes[100];
    OK(th_port_entropy(w->port, bytes, sizeof bytes, &error));
    th_slice part = th_slice_of(bytes, 1 + bytes[0] % 99);
    OK(th_file_write(w->file, (uint64_t)w->index * 1000 + bytes[1], &part, 1, &error));
    if (bytes[2] < 50)
        OK(th_file_sync(w->file, &error));
    th_task_wake(w->next->task);
    if (++w->steps == 200)
        return TH_STEP_DONE;
    if (bytes[3] < 100)
        return TH_STEP_AGAIN;
    *ret_deadline_ns = th_port_monotonic_ns(w->port) + 1000000;
    return TH_STEP_IDLE;
}

static uint64_t run_writers(uint64_t seed, uint8_t contents[4000])
{
    theater_error error;
    th_simulation *simulation = new_simulation(seed);
    th_simulation_faults faults = {.clock_jumps = 1000};
    th_simulation_set_faults(simulation, &faults);
    th_port *port = th_simulation_port(simulation);
    th_file *file = open_file(port, "/shared");
    writer writers[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (writer){simulation, port, file, &writers[(i + 1) % WRITERS], NULL, i, 0};
        OK(th_task_start(port, "writer", 0, write_some, &writers[i], &writers[i].task, &error));
    }
    assert_int_equal(th_simulation_run(simulation, 1000000), WRITERS * 200);
    assert_int_equal(th_simulation_run(simulation, 1000000), 0);
    for (int i = 0; i < WRITERS; i++)
        th_task_join(writers[i].task);
    size_t got;
    memset(contents, 0, 4000);
    OK(th_file_read(file, 0, contents, 4000, &got, &error));
    th_file_close(file);
    uint64_t digest = th_simulation_digest(simulation);
    th_simulation_free(simulation);
    return digest;
}

static void a_seed_gives_one_run(void **state)
{
    uint8_t first[4000], second[4000];
    uint64_t last = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        uint64_t digest = run_writers(seed, first);
        assert_int_equal(digest, run_writers(seed, second));
        assert_memory_equal(first, second, sizeof first);
        assert_true(digest != last);
        last = digest;
    }
}

static void the_digest_sees_what_is_written(void **state)
{
    uint64_t digests[3];
    static const char *const texts[] = {"one", "two", "one"};
    for (int i = 0; i < 3; i++) {
        th_simulation *simulation = new_simulation(7);
        th_file *file = open_file(th_simulation_port(simulation), "a");
        write_text(file, 0, texts[i]);
        th_file_close(file);
        digests[i] = th_simulation_digest(simulation);
        th_simulation_free(simulation);
    }
    assert_true(digests[0] != digests[1]);
    assert_true(digests[0] == digests[2]);
}

/* ---- scheduler and time ---- */

typedef struct recorder {
    char *order;
    char name;
    int left;
} recorder;

static th_step record(void *context, uint64_t *ret_deadline_ns)
{
    recorder *r = context;
    strncat(r->order, &r->name, 1);
    return --r->left > 0 ? TH_STEP_AGAIN : TH_STEP_DONE;
}

static void tasks_run_in_every_order(void **state)
{
    theater_error error;
    bool a_first = false, b_first = false, mixed = false;
    for (uint64_t seed = 0; seed < 50; seed++) {
        char order[16] = "";
        th_simulation *simulation = new_simulation(seed);
        recorder a = {order, 'a', 3}, b = {order, 'b', 3};
        th_task *one, *two;
        OK(th_task_start(th_simulation_port(simulation), "a", 0, record, &a, &one, &error));
        OK(th_task_start(th_simulation_port(simulation), "b", 0, record, &b, &two, &error));
        th_task_join(two);
        th_task_join(one);
        a_first |= strcmp(order, "aaabbb") == 0;
        b_first |= strcmp(order, "bbbaaa") == 0;
        mixed |= strcmp(order, "ababab") == 0;
        th_simulation_free(simulation);
    }
    assert_true(a_first && b_first && mixed);
}

static th_step sleep_an_hour(void *context, uint64_t *ret_deadline_ns)
{
    uint64_t *end_ns = context;
    if (*end_ns == 0)
        return TH_STEP_DONE;
    *ret_deadline_ns = *end_ns;
    *end_ns = 0;
    return TH_STEP_IDLE;
}

static void the_clock_jumps_only_when_nothing_can_run(void **state)
{
    theater_error error;
    const uint64_t hour = UINT64_C(3600) * 1000000000;
    th_simulation *simulation = new_simulation(3);
    th_port *port = th_simulation_port(simulation);
    uint64_t start = th_port_monotonic_ns(port), end = start + hour;
    th_task *task;
    OK(th_task_start(port, "sleeper", 0, sleep_an_hour, &end, &task, &error));
    assert_int_equal(th_simulation_run(simulation, 1), 1);
    assert_true(th_port_monotonic_ns(port) < start + hour / 1000);
    assert_int_equal(th_simulation_run(simulation, 1), 1);
    assert_true(th_port_monotonic_ns(port) >= start + hour);
    assert_int_equal(th_simulation_run(simulation, 1), 0);
    th_task_join(task);
    assert_int_equal(th_port_thread_cpu_ns(port), 0);
    th_simulation_free(simulation);
}

static th_step idle_for_ever(void *context, uint64_t *ret_deadline_ns)
{
    return *(bool *)context ? TH_STEP_DONE : TH_STEP_IDLE;
}

static void waiting_ends_when_nothing_can_run(void **state)
{
    theater_error error;
    th_simulation *simulation = new_simulation(3);
    th_port *port = th_simulation_port(simulation);
    bool stop = false;
    th_task *task;
    th_event *event;
    OK(th_event_new(port, &event, &error));
    OK(th_task_start(port, "idle", 0, idle_for_ever, &stop, &task, &error));
    assert_false(th_event_wait(event, UINT64_MAX));
    uint64_t before = th_port_monotonic_ns(port);
    assert_false(th_event_wait(event, 5000000));
    assert_int_equal(th_port_monotonic_ns(port), before + 5000000);
    stop = true;
    th_task_wake(task);
    th_task_join(task);
    th_event_free(event);
    th_simulation_free(simulation);
}

static void tasks_are_bounded(void **state)
{
    theater_error error;
    th_simulation *simulation = new_simulation(3);
    th_port *port = th_simulation_port(simulation);
    static th_task *tasks[1024];
    bool stop = true;
    for (int i = 0; i < 1024; i++)
        OK(th_task_start(port, "idle", 0, idle_for_ever, &stop, &tasks[i], &error));
    th_task *more;
    EXPECT(NO_MEMORY, th_task_start(port, "idle", 0, idle_for_ever, &stop, &more, &error));
    for (int i = 0; i < 1024; i++)
        th_task_join(tasks[i]);
    th_simulation_free(simulation);
}

static void processors_and_wall_clock_differ_by_seed(void **state)
{
    unsigned seen = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        th_simulation *simulation = new_simulation(seed);
        unsigned count = th_port_processors(th_simulation_port(simulation));
        assert_in_range(count, 1, 4);
        seen |= 1u << count;
        th_simulation_free(simulation);
    }
    assert_int_equal(seen, 0x1e);
    th_simulation *simulation = new_simulation(1);
    th_port *port = th_simulation_port(simulation);
    uint64_t still = th_port_wall_ns(port);
    assert_int_equal(th_port_wall_ns(port), still);
    th_simulation_faults faults = {.clock_jumps = 1000000};
    th_simulation_set_faults(simulation, &faults);
    bool back = false, forth = false;
    for (int i = 0; i < 50; i++) {
        uint64_t now = th_port_wall_ns(port);
        back |= now < still;
        forth |= now > still;
        assert_true((now > still ? now - still : still - now) <= UINT64_C(3600) * 1000000000);
        still = now;
    }
    assert_true(back && forth);
    th_simulation_free(simulation);
}

/* ---- faults ---- */

static void calls_fail_as_often_as_asked(void **state)
{
    theater_error error;
    th_simulation *simulation = new_simulation(5);
    th_port *port = th_simulation_port(simulation);
    th_file *file = open_file(port, "a");
    write_text(file, 0, "contents");
    th_simulation_faults faults = {.write_fails = 100000, .sync_fails = 200000, .read_fails = 300000};
    th_simulation_set_faults(simulation, &faults);
    int writes = 0, reserves = 0, syncs = 0, reads = 0, folders = 0;
    for (int i = 0; i < 2000; i++) {
        th_slice part = th_slice_text("contents");
        char bytes[8];
        size_t got;
        writes += th_file_write(file, 0, &part, 1, &error) == THEATER_IO;
        reserves += th_file_reserve(file, 100 + (uint64_t)i * 10, &error) == THEATER_IO;
        syncs += th_file_sync(file, &error) == THEATER_IO;
        reads += th_file_read(file, 0, bytes, sizeof bytes, &got, &error) == THEATER_IO;
        folders += th_port_sync_folder(port, "/", &error) == THEATER_IO;
    }
    assert_in_range(writes, 140, 260);
    assert_in_range(reserves, 140, 260);
    assert_in_range(syncs, 320, 480);
    assert_in_range(reads, 500, 700);
    assert_in_range(folders, 320, 480);
    th_file_close(file);
    th_simulation_free(simulation);
}

static void a_full_disk_is_no_space(void **state)
{
    theater_error error;
    th_simulation *simulation = new_simulation(5);
    th_port *port = th_simulation_port(simulation);
    th_simulation_faults faults = {.disk_bytes = 10000};
    th_simulation_set_faults(simulation, &faults);
    th_file *a = open_file(port, "a"), *b = open_file(port, "b");
    OK(th_file_reserve(a, 6000, &error));
    write_byte_run(b, 0, 1, 3000);
    EXPECT(NO_SPACE, th_file_reserve(b, 4001, &error));
    th_slice part = th_slice_of("0123456789abcdef", 16);
    EXPECT(NO_SPACE, th_file_write(b, 3990, &part, 1, &error));
    /* What was reserved is there even now. */
    write_byte_run(a, 0, 2, 6000);
    EXPECT(NO_SPACE, th_file_write(a, 5999, &part, 1, &error));
    th_file *none;
    EXPECT(NO_SPACE, th_file_open(port, "c", TH_FILE_WRITE | TH_FILE_CREATE, &none, &error));
    EXPECT(NO_SPACE, th_port_make_folder(port, "f", &error));
    /* Room comes back from what is cut, and from what is removed once nobody has it open. */
    OK(th_file_truncate(b, 10, &error));
    write_byte_run(a, 6000, 2, 3000);
    OK(th_port_remove(port, "a", &error));
    OK(th_port_sync_folder(port, "/", &error));
    EXPECT(NO_SPACE, th_file_reserve(b, 5000, &error));
    th_file_close(a);
    OK(th_file_reserve(b, 10000, &error));
    /* Without a capacity there is still a largest file. */
    faults.disk_bytes = 0;
    th_simulation_set_faults(simulation, &faults);
    const uint64_t largest = (uint64_t)4 << 30;
    EXPECT(NO_SPACE, th_file_reserve(b, largest + 1, &error));
    EXPECT(NO_SPACE, th_file_truncate(b, largest + 1, &error));
    EXPECT(NO_SPACE, th_file_write(b, largest - 15, &part, 1, &error));
    OK(th_file_write(b, largest - 16, &part, 1, &error));
    th_file_close(b);
    th_simulation_free(simulation);
}

static void pending_writes_are_bounded(void **state)
{
    theater_error error;
    th_simulation *simulation = new_simulation(5);
    th_port *port = th_simulation_port(simulation);
    th_file *file = open_file(port, "a");
    /* More than 4096 writes, names and 64 MiB: the oldest are written back, so they outlive a crash without
     * any sync. */
    for (uint64_t i = 0; i < 5000; i++)
        write_byte_run(file, i * 20000, 0x55, 20000);
    for (int i = 0; i < 5000; i++) {
        OK(th_port_rename(port, i % 2 ? "b" : "a", i % 2 ? "a" : "b", &error));
    }
    th_file_close(file);
    th_simulation_crash_after(simulation, 0);
    OK(th_simulation_restart(simulation, &error));
    port = th_simulation_port(simulation);
    th_file *found;
    if (th_file_open(port, "a", TH_FILE_READ, &found, &error) != THEATER_OK)
        OK(th_file_open(port, "b", TH_FILE_READ, &found, &error));
    uint8_t byte = 0;
    size_t got;
    OK(th_file_read(found, 19999999, &byte, 1, &got, &error));
    assert_int_equal(byte, 0x55);
    th_file_close(found);
    th_simulation_free(simulation);
}

/* ---- what the simulation checks ---- */

static void aborts(void (*function)(void))
{
    pid_t child = fork();
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        close(2);
        function();
        _exit(0);
    }
    int result;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFSIGNALED(result) && WTERMSIG(result) == SIGABRT);
}

static th_mutex mutex;

static void lock_twice(void)
{
    th_mutex_init(th_simulation_port(new_simulation(1)), &mutex);
    th_mutex_lock(&mutex);
    th_mutex_lock(&mutex);
}

static void unlock_free(void)
{
    th_mutex_init(th_simulation_port(new_simulation(1)), &mutex);
    th_mutex_unlock(&mutex);
}

static void done_held(void)
{
    th_mutex_init(th_simulation_port(new_simulation(1)), &mutex);
    th_mutex_lock(&mutex);
    th_mutex_done(&mutex);
}

static th_step return_holding(void *context, uint64_t *ret_deadline_ns)
{
    th_mutex_lock(&mutex);
    return TH_STEP_DONE;
}

static th_step wait_inside(void *context, uint64_t *ret_deadline_ns)
{
    (void)th_event_wait(context, 1);
    return TH_STEP_DONE;
}

static void hold_past_a_step(void)
{
    th_simulation *simulation = new_simulation(1);
    th_mutex_init(th_simulation_port(simulation), &mutex);
    th_task *task;
    if (th_task_start(th_simulation_port(simulation), "holds", 0, return_holding, NULL, &task, NULL) ==
        THEATER_OK)
        (void)th_simulation_run(simulation, 1);
}

static void wait_in_a_step(void)
{
    th_simulation *simulation = new_simulation(1);
    th_event *event;
    th_task *task;
    if (th_event_new(th_simulation_port(simulation), &event, NULL) == THEATER_OK &&
        th_task_start(th_simulation_port(simulation), "waits", 0, wait_inside, event, &task, NULL) ==
            THEATER_OK)
        (void)th_simulation_run(simulation, 1);
}

static void join_what_never_ends(void)
{
    th_simulation *simulation = new_simulation(1);
    th_task *task;
    bool stop = false;
    if (th_task_start(th_simulation_port(simulation), "idle", 0, idle_for_ever, &stop, &task, NULL) ==
        THEATER_OK)
        th_task_join(task);
}

static void free_with_an_open_file(void)
{
    th_simulation *simulation = new_simulation(1);
    (void)open_file(th_simulation_port(simulation), "a");
    th_simulation_free(simulation);
}

static void programmers_errors_abort(void **state)
{
    aborts(lock_twice);
    aborts(unlock_free);
    aborts(done_held);
    aborts(hold_past_a_step);
    aborts(wait_in_a_step);
    aborts(join_what_never_ends);
    aborts(free_with_an_open_file);
}

static void paths_are_checked(void **state)
{
    theater_error error;
    th_simulation *simulation = new_simulation(5);
    th_port *port = th_simulation_port(simulation);
    th_file *file;
    unsigned flags = TH_FILE_WRITE | TH_FILE_CREATE;
    EXPECT(INVALID_ARGUMENT, th_file_open(port, "../a", flags, &file, &error));
    char name[300];
    memset(name, 'n', sizeof name);
    name[256] = 0;
    EXPECT(INVALID_ARGUMENT, th_file_open(port, name, flags, &file, &error));
    name[255] = 0;
    OK(th_file_open(port, name, flags, &file, &error));
    th_file_close(file);
    OK(th_port_make_folder(port, "//x/./", &error));
    OK(th_port_make_folder(port, "x/y", &error));
    OK(th_port_sync_folder(port, "./x//y/", &error));
    EXPECT(INVALID_ARGUMENT, th_port_rename(port, "x/y", "y", &error));
    OK(th_port_rename(port, "x/y", "x/y", &error));
    EXPECT(BUSY, th_port_remove(port, "/", &error));
    EXPECT(BUSY, th_port_rename(port, "/", "z", &error));
    EXPECT(BUSY, th_port_rename(port, "x", "/", &error));
    th_simulation_free(NULL);
    th_simulation_free(simulation);
}

#ifdef TH_FAULTS
static th_step stop_at_once(void *context, uint64_t *ret_deadline_ns)
{
    return TH_STEP_DONE;
}

static theater_status everything(uint64_t place, theater_error *reterr)
{
    th_simulation *simulation;
    th_allocation_fail_at(place);
    theater_status status = th_simulation_new(1, &simulation, reterr);
    if (status != THEATER_OK)
        return status;
    th_port *port = th_simulation_port(simulation);
    th_file *file = NULL;
    th_event *event = NULL;
    th_task *task = NULL;
    status = th_port_make_folder(port, "f", reterr);
    if (status == THEATER_OK)
        status = th_file_open(port, "f/a", TH_FILE_READ | TH_FILE_WRITE | TH_FILE_CREATE, &file, reterr);
    th_slice part = th_slice_text("contents");
    if (status == THEATER_OK)
        status = th_file_write(file, 10000, &part, 1, reterr);
    if (status == THEATER_OK)
        status = th_file_reserve(file, 20000, reterr);
    if (status == THEATER_OK)
        status = th_port_rename(port, "f/a", "b", reterr);
    if (status == THEATER_OK)
        status = th_file_sync(file, reterr);
    if (status == THEATER_OK)
        status = th_port_sync_folder(port, "/", reterr);
    if (status == THEATER_OK)
        status = th_file_write(file, 0, &part, 1, reterr);
    if (status == THEATER_OK)
        status = th_event_new(port, &event, reterr);
    if (status == THEATER_OK)
        status = th_task_start(port, "t", 0, stop_at_once, NULL, &task, reterr);
    th_task_join(task);
    th_event_free(event);
    th_file_close(file);
    if (status == THEATER_OK)
        status = th_port_replace_file(port, "whole", 0, part, reterr);
    th_simulation_crash_after(simulation, 0);
    if (status == THEATER_OK)
        status = th_simulation_restart(simulation, reterr);
    th_simulation_free(simulation);
    return status;
}

static void every_allocation_may_fail(void **state)
{
    theater_error error = {0};
    for (uint64_t place = 1;; place++) {
        assert_true(place < 500);
        theater_status status = everything(place, &error);
        if (status == THEATER_OK) {
            assert_true(place > 20);
            break;
        }
        expect_status(status, THEATER_NO_MEMORY, &error, __FILE__, __LINE__);
    }
    th_allocation_fail_at(0);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_gives_one_run),
        cmocka_unit_test(the_digest_sees_what_is_written),
        cmocka_unit_test(tasks_run_in_every_order),
        cmocka_unit_test(the_clock_jumps_only_when_nothing_can_run),
        cmocka_unit_test(waiting_ends_when_nothing_can_run),
        cmocka_unit_test(tasks_are_bounded),
        cmocka_unit_test(processors_and_wall_clock_differ_by_seed),
        cmocka_unit_test(calls_fail_as_often_as_asked),
        cmocka_unit_test(a_full_disk_is_no_space),
        cmocka_unit_test(pending_writes_are_bounded),
        cmocka_unit_test(programmers_errors_abort),
        cmocka_unit_test(paths_are_checked),
#ifdef TH_FAULTS
        cmocka_unit_test(every_allocation_may_fail),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
