/* What a crash of the simulated machine keeps and loses, over many seeds. Each test checks what must hold for
 * every seed, and that each kind of loss that the model promises comes up for some seed: a disk that never
 * lost anything would test nothing. */
#include "port/helpers.h"

#include <stdlib.h>

enum { SEEDS = 400 };

static th_simulation *simulation;
static th_port *port;

static void boot(uint64_t seed)
{
    theater_error error;
    OK(th_simulation_new(seed, &simulation, &error));
    port = th_simulation_port(simulation);
}

static void crash_and_restart(void)
{
    theater_error error;
    th_simulation_crash_after(simulation, 0);
    assert_true(th_simulation_crashed(simulation));
    OK(th_simulation_restart(simulation, &error));
    assert_false(th_simulation_crashed(simulation));
    port = th_simulation_port(simulation);
}

static void sync_file(th_file *file)
{
    theater_error error;
    OK(th_file_sync(file, &error));
}

static void sync_root(void)
{
    theater_error error;
    OK(th_port_sync_folder(port, "/", &error));
}

static bool there(const char *path)
{
    theater_error error;
    th_file *file;
    theater_status status = th_file_open(port, path, TH_FILE_READ, &file, &error);
    assert_true(status == THEATER_OK || status == THEATER_NOT_FOUND);
    th_file_close(file);
    return status == THEATER_OK;
}

static size_t read_all(const char *path, uint8_t *out, size_t room)
{
    theater_error error;
    th_file *file;
    uint64_t size;
    size_t got;
    OK(th_file_open(port, path, TH_FILE_READ, &file, &error));
    OK(th_file_size(file, &size, &error));
    OK(th_file_read(file, 0, out, room, &got, &error));
    assert_int_equal(got, size);
    th_file_close(file);
    return got;
}

/* ---- contents ---- */

static void synced_contents_always_survive(void **state)
{
    static uint8_t expected[60000], got[60000];
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        theater_error error;
        boot(seed);
        th_file *file = open_file(port, "a");
        sync_root();
        memset(expected, 0, sizeof expected);
        size_t size = 0;
        for (int i = 0; i < 20; i++) {
            uint64_t offset = th_simulation_below(simulation, 50000);
            size_t length = 1 + (size_t)th_simulation_below(simulation, 10000);
            memset(expected + offset, i + 1, length);
            write_byte_run(file, offset, (uint8_t)(i + 1), length);
            size = offset + length > size ? offset + length : size;
            if (i == 10) {
                OK(th_file_truncate(file, 30000, &error));
                memset(expected + 30000, 0, sizeof expected - 30000);
                size = 30000;
            }
        }
        sync_file(file);
        th_file_close(file);
        for (int round = 0; round < 2; round++) {
            crash_and_restart();
            assert_int_equal(read_all("a", got, sizeof got), size);
            assert_memory_equal(got, expected, size);
        }
        th_simulation_free(simulation);
    }
}

/* Over 8 synced sectors of 'o', an unsynced write of 'n' from 100 to 3996. */
static void unsynced_sectors_are_kept_lost_or_torn(void **state)
{
    bool all = false, none = false, sector_lost = false, torn = false;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        uint8_t got[4096];
        boot(seed);
        th_file *file = open_file(port, "a");
        sync_root();
        write_byte_run(file, 0, 'o', 4096);
        sync_file(file);
        write_byte_run(file, 100, 'n', 3896);
        th_file_close(file);
        crash_and_restart();
        assert_int_equal(read_all("a", got, sizeof got), 4096);
        size_t news = 0;
        int torn_sectors = 0;
        for (size_t sector = 0; sector < 8; sector++) {
            size_t from = sector == 0 ? 100 : sector * 512, to = sector == 7 ? 3996 : (sector + 1) * 512,
                   kept = 0;
            while (from + kept < to && got[from + kept] == 'n')
                kept++;
            for (size_t i = from + kept; i < to; i++)
                assert_int_equal(got[i], 'o');
            torn_sectors += kept > 0 && kept < to - from;
            news += kept;
        }
        for (size_t i = 0; i < 100; i++)
            assert_int_equal(got[i], 'o');
        assert_true(torn_sectors <= 1);
        torn |= torn_sectors == 1;
        all |= news == 3896;
        none |= news == 0;
        sector_lost |= news > 0 && got[3995] == 'n' && news < 3896;
        th_simulation_free(simulation);
    }
    assert_true(all && none && sector_lost && torn);
}

/* Two unsynced writes: each of the four outcomes comes up, so also the second without the first. */
static void unsynced_writes_come_through_in_no_order(void **state)
{
    unsigned seen = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        uint8_t got[8192];
        boot(seed);
        th_file *file = open_file(port, "a");
        sync_root();
        write_byte_run(file, 0, 'o', 8192);
        sync_file(file);
        write_byte_run(file, 0, '1', 512);
        write_byte_run(file, 4096, '2', 512);
        th_file_close(file);
        crash_and_restart();
        assert_int_equal(read_all("a", got, sizeof got), 8192);
        seen |= 1u << ((got[0] == '1') + 2 * (got[4096] == '2'));
        th_simulation_free(simulation);
    }
    assert_int_equal(seen, 15);
}

/* An unsynced append: the size is between the old and the new one, and new bytes are new or zero. */
static void unsynced_sizes_may_or_may_not_come_through(void **state)
{
    bool short_size = false, full = false, old = false, zeros = false;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        uint8_t got[4000];
        boot(seed);
        th_file *file = open_file(port, "a");
        sync_root();
        write_byte_run(file, 0, 'o', 1000);
        sync_file(file);
        write_byte_run(file, 1000, 'n', 3000);
        th_file_close(file);
        crash_and_restart();
        size_t size = read_all("a", got, sizeof got);
        assert_in_range(size, 1000, 4000);
        size_t zero = 0;
        for (size_t i = 0; i < size; i++) {
            assert_true(i < 1000 ? got[i] == 'o' : got[i] == 'n' || got[i] == 0);
            zero += got[i] == 0;
        }
        old |= size == 1000;
        full |= size == 4000 && zero == 0;
        short_size |= size > 1000 && size < 4000;
        zeros |= zero > 0;
        th_simulation_free(simulation);
    }
    assert_true(old && full && short_size && zeros);
}

static void an_unsynced_cut_may_be_undone(void **state)
{
    bool cut = false, undone = false;
    for (uint64_t seed = 0; seed < 50; seed++) {
        theater_error error;
        uint8_t got[1000];
        boot(seed);
        th_file *file = open_file(port, "a");
        sync_root();
        write_byte_run(file, 0, 'o', 1000);
        sync_file(file);
        OK(th_file_truncate(file, 10, &error));
        th_file_close(file);
        crash_and_restart();
        size_t size = read_all("a", got, sizeof got);
        assert_true(size == 10 || (size == 1000 && got[999] == 'o'));
        cut |= size == 10;
        undone |= size == 1000;
        th_simulation_free(simulation);
    }
    assert_true(cut && undone);
}

/* Random writes, changes of size and syncs, against a model that knows for each byte which values a crash may
 * show: the synced one, and each that was written since. Values are small, so that a set is a mask. */
enum { ROOM = 6000 };
static uint64_t allowed[ROOM];
static uint8_t present[ROOM]; /* what reads show */
static size_t size_now, size_least, size_most;

static void model_write(th_file *file, uint8_t value)
{
    size_t offset = (size_t)th_simulation_below(simulation, ROOM - 1);
    size_t length = 1 + (size_t)th_simulation_below(simulation, ROOM - offset);
    write_byte_run(file, offset, value, length);
    memset(present + offset, value, length);
    size_now = offset + length > size_now ? offset + length : size_now;
    for (size_t i = 0; i < ROOM; i++)
        allowed[i] |= UINT64_C(1) << present[i];
}

static void model_resize(th_file *file)
{
    theater_error error;
    size_t size = (size_t)th_simulation_below(simulation, ROOM);
    OK(th_file_truncate(file, size, &error));
    memset(present + size, 0, ROOM - size);
    size_now = size;
    for (size_t i = size; i < ROOM; i++)
        allowed[i] |= 1;
}

static void model_sync(th_file *file)
{
    sync_file(file);
    for (size_t i = 0; i < ROOM; i++)
        allowed[i] = UINT64_C(1) << present[i];
    size_least = size_most = size_now;
}

static void every_byte_is_one_that_was_written(void **state)
{
    static uint8_t got[ROOM];
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        boot(seed);
        th_file *file = open_file(port, "a");
        sync_root();
        memset(present, 0, sizeof present);
        size_now = 0;
        model_sync(file);
        for (uint8_t i = 1; i < 25; i++) {
            uint64_t what = th_simulation_below(simulation, 10);
            if (what < 6)
                model_write(file, i);
            else if (what < 8)
                model_resize(file);
            else
                model_sync(file);
            size_least = size_now < size_least ? size_now : size_least;
            size_most = size_now > size_most ? size_now : size_most;
            size_t read;
            theater_error error;
            OK(th_file_read(file, 0, got, ROOM, &read, &error));
            assert_int_equal(read, size_now);
            assert_memory_equal(got, present, size_now);
        }
        th_file_close(file);
        crash_and_restart();
        size_t size = read_all("a", got, sizeof got);
        assert_in_range(size, size_least, size_most);
        for (size_t i = 0; i < size; i++)
            assert_true(got[i] == 0 || (allowed[i] >> got[i] & 1));
        for (size_t i = 0; i < size_least; i++)
            assert_true(allowed[i] >> got[i] & 1);
        th_simulation_free(simulation);
    }
}

/* ---- names ---- */

static void unsynced_creates_and_removes_may_be_lost(void **state)
{
    unsigned seen = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        theater_error error;
        boot(seed);
        th_file_close(open_file(port, "old"));
        th_file_close(open_file(port, "kept"));
        sync_root();
        th_file *file = open_file(port, "new");
        write_text(file, 0, "contents");
        /* The file's sync is not its entry's. */
        sync_file(file);
        th_file_close(file);
        OK(th_port_remove(port, "old", &error));
        crash_and_restart();
        assert_true(there("kept"));
        seen |= 1u << (there("old") + 2 * there("new"));
        uint8_t got[16];
        if (there("new"))
            assert_int_equal(read_all("new", got, sizeof got), 8);
        th_simulation_free(simulation);
    }
    assert_int_equal(seen, 15);
}

static void a_lost_folder_takes_its_files_along(void **state)
{
    bool kept = false, lost = false;
    for (uint64_t seed = 0; seed < 50; seed++) {
        theater_error error;
        boot(seed);
        OK(th_port_make_folder(port, "f", &error));
        th_file *file = open_file(port, "f/a");
        write_text(file, 0, "contents");
        sync_file(file);
        th_file_close(file);
        OK(th_port_sync_folder(port, "f", &error));
        crash_and_restart();
        kept |= there("f/a");
        lost |= !there("f/a");
        th_simulation_free(simulation);
    }
    assert_true(kept && lost);
}

/* A rename is one: the target is there throughout, with the old contents or the new. */
static void renames_are_atomic(void **state)
{
    unsigned seen = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        theater_error error;
        uint8_t got[16];
        boot(seed);
        OK(th_port_make_folder(port, "f", &error));
        th_file *old = open_file(port, "target"), *new = open_file(port, "f/source");
        write_text(old, 0, "old");
        write_text(new, 0, "newer");
        sync_file(old);
        sync_file(new);
        th_file_close(old);
        th_file_close(new);
        sync_root();
        OK(th_port_sync_folder(port, "f", &error));
        OK(th_port_rename(port, "f/source", "target", &error));
        bool synced = th_simulation_below(simulation, 2) == 0;
        if (synced)
            OK(th_port_sync_folder(port, th_simulation_below(simulation, 2) ? "/" : "f", &error));
        crash_and_restart();
        size_t size = read_all("target", got, sizeof got);
        assert_true(size == 3 || size == 5);
        assert_true(there("f/source") == (size == 3));
        assert_true(!synced || size == 5);
        seen |= 1u << (2 * synced + (size == 5));
        th_simulation_free(simulation);
    }
    assert_int_equal(seen, 0xb);
}

/* Random changes of names in three folders, synced now and then. A model beside them knows, per name, which
 * contents a crash may show: what the last sync of its folder left, or anything that came after. */
enum { NAMES = 4, FOLDERS = 3, HISTORY = 200 };

typedef struct name_model {
    int history[HISTORY]; /* ids of files, -1 for none; [0] is what the last sync left */
    int count;
} name_model;

static name_model models[FOLDERS][NAMES];

static const char *name_path(int folder, int name)
{
    static char paths[4][8];
    static int next;
    char *path = paths[next++ % 4];
    path[0] = (char)('f' + folder), path[1] = '/', path[2] = (char)('a' + name), path[3] = 0;
    return path;
}

static int now_at(int folder, int name)
{
    const name_model *model = &models[folder][name];
    return model->history[model->count - 1];
}

static void set_now(int folder, int name, int id)
{
    name_model *model = &models[folder][name];
    assert_true(model->count < HISTORY);
    model->history[model->count++] = id;
}

static void make_at(int folder, int name, int id)
{
    theater_error error;
    th_slice part = th_slice_of(&id, sizeof id);
    if (now_at(folder, name) >= 0)
        OK(th_port_remove(port, name_path(folder, name), &error));
    th_file *file = open_file(port, name_path(folder, name));
    OK(th_file_write(file, 0, &part, 1, &error));
    sync_file(file);
    th_file_close(file);
    set_now(folder, name, -1);
    set_now(folder, name, id);
}

static void rename_random(int folder, int name)
{
    theater_error error;
    int to_folder = (int)th_simulation_below(simulation, FOLDERS),
        to = (int)th_simulation_below(simulation, NAMES);
    if (now_at(folder, name) < 0 || (folder == to_folder && name == to))
        return;
    OK(th_port_rename(port, name_path(folder, name), name_path(to_folder, to), &error));
    set_now(to_folder, to, now_at(folder, name));
    set_now(folder, name, -1);
}

static void sync_random(int folder)
{
    theater_error error;
    char path[2] = {(char)('f' + folder), 0};
    OK(th_port_sync_folder(port, path, &error));
    for (int name = 0; name < NAMES; name++) {
        models[folder][name].history[0] = now_at(folder, name);
        models[folder][name].count = 1;
    }
}

static void check_name(int folder, int name)
{
    const name_model *model = &models[folder][name];
    int id = -1;
    if (there(name_path(folder, name)))
        assert_int_equal(read_all(name_path(folder, name), (uint8_t *)&id, sizeof id), sizeof id);
    for (int i = 0; i < model->count; i++) {
        if (model->history[i] == id)
            return;
    }
    fail_msg("%s shows file %d, which neither the last sync nor anything after it left there",
             name_path(folder, name), id);
}

static void synced_names_always_survive(void **state)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        theater_error error;
        boot(seed);
        for (int folder = 0; folder < FOLDERS; folder++) {
            char path[2] = {(char)('f' + folder), 0};
            OK(th_port_make_folder(port, path, &error));
            for (int name = 0; name < NAMES; name++)
                models[folder][name] = (name_model){.history = {-1}, .count = 1};
        }
        sync_root();
        for (int i = 0; i < 60; i++) {
            int folder = (int)th_simulation_below(simulation, FOLDERS);
            int name = (int)th_simulation_below(simulation, NAMES);
            uint64_t what = th_simulation_below(simulation, 10);
            if (what < 4)
                make_at(folder, name, i);
            else if (what < 8)
                rename_random(folder, name);
            else
                sync_random(folder);
        }
        crash_and_restart();
        for (int folder = 0; folder < FOLDERS; folder++) {
            for (int name = 0; name < NAMES; name++)
                check_name(folder, name);
        }
        th_simulation_free(simulation);
    }
}

static void a_replaced_file_is_old_or_new(void **state)
{
    bool old = false, new = false, failed = false;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        theater_error error;
        uint8_t got[4000], fresh[3000];
        memset(fresh, 'n', sizeof fresh);
        boot(seed);
        OK(th_port_replace_file(port, "a", 0, th_slice_text("old"), &error));
        th_simulation_crash_after(simulation, 1 + th_simulation_below(simulation, 6));
        theater_status status = th_port_replace_file(port, "a", 0, th_slice_of(fresh, sizeof fresh), &error);
        assert_true(status == THEATER_OK || status == THEATER_IO);
        failed |= status != THEATER_OK;
        crash_and_restart();
        size_t size = read_all("a", got, sizeof got);
        if (status == THEATER_OK)
            assert_int_equal(size, sizeof fresh);
        if (size == 3)
            assert_memory_equal(got, "old", 3);
        else
            assert_true(size == sizeof fresh && memcmp(got, fresh, size) == 0);
        old |= size == 3;
        new |= size == sizeof fresh;
        th_simulation_free(simulation);
    }
    assert_true(old && new &&failed);
}

/* ---- failed syncs ---- */

static void what_a_failed_sync_lost_stays_lost(void **state)
{
    bool lost = false, kept = false;
    for (uint64_t seed = 0; seed < 100; seed++) {
        theater_error error;
        uint8_t got[4096];
        boot(seed);
        th_file *file = open_file(port, "a");
        sync_root();
        write_byte_run(file, 0, 'o', 2048);
        sync_file(file);
        write_byte_run(file, 0, 'n', 512);
        th_simulation_faults faults = {.sync_fails = 1000000};
        th_simulation_set_faults(simulation, &faults);
        EXPECT(IO, th_file_sync(file, &error));
        faults.sync_fails = 0;
        th_simulation_set_faults(simulation, &faults);
        /* Reads see it until the crash. */
        expect_text(file, 0, "nnnn");
        write_byte_run(file, 1024, 'l', 512);
        sync_file(file);
        expect_text(file, 0, "nnnn");
        th_file_close(file);
        crash_and_restart();
        assert_int_equal(read_all("a", got, sizeof got), 2048);
        /* What was written and synced later is there all the same. */
        assert_int_equal(got[1024], 'l');
        assert_int_equal(got[1535], 'l');
        lost |= got[0] == 'o';
        kept |= got[0] == 'n';
        th_simulation_free(simulation);
    }
    assert_true(lost && kept);
}

/* ---- the machine after a crash ---- */

static th_step count_and_write(void *context, uint64_t *ret_deadline_ns)
{
    theater_error error;
    th_slice part = th_slice_text("x");
    (void)!th_file_write(context, 0, &part, 1, &error);
    return TH_STEP_AGAIN;
}

static bool never(void *context, const char *name)
{
    return false;
}

static void every_call_fails_until_the_restart(void **state)
{
    theater_error error;
    boot(1);
    th_file *file = open_file(port, "a"), *other;
    th_event *event;
    th_task *task, *second;
    OK(th_event_new(port, &event, &error));
    OK(th_task_start(port, "writer", 0, count_and_write, file, &task, &error));
    th_simulation_crash_after(simulation, 5);
    assert_false(th_event_wait(event, UINT64_MAX));
    assert_true(th_simulation_crashed(simulation));
    assert_int_equal(th_simulation_run(simulation, 10), 0);
    th_event_set(event);
    assert_false(th_event_wait(event, UINT64_MAX));

    th_slice part = th_slice_text("x");
    uint8_t bytes[4];
    size_t got;
    uint64_t size;
    EXPECT(IO, th_file_write(file, 0, &part, 1, &error));
    assert_non_null(strstr(error.message, "the machine crashed"));
    EXPECT(IO, th_file_read(file, 0, bytes, 4, &got, &error));
    EXPECT(IO, th_file_sync(file, &error));
    EXPECT(IO, th_file_size(file, &size, &error));
    EXPECT(IO, th_file_reserve(file, 100, &error));
    EXPECT(IO, th_file_truncate(file, 0, &error));
    EXPECT(IO, th_file_lock(file, 0, &error));
    EXPECT(IO, th_file_open(port, "a", TH_FILE_READ, &other, &error));
    EXPECT(IO, th_port_make_folder(port, "f", &error));
    EXPECT(IO, th_port_rename(port, "a", "b", &error));
    EXPECT(IO, th_port_remove(port, "a", &error));
    EXPECT(IO, th_port_sync_folder(port, "/", &error));
    EXPECT(IO, th_port_list_folder(port, "/", never, NULL, &error));
    EXPECT(IO, th_port_entropy(port, bytes, 4, &error));
    EXPECT(IO, th_task_start(port, "t", 0, count_and_write, file, &second, &error));

    th_event *later;
    EXPECT(IO, th_event_new(port, &later, &error));
    th_simulation_crash_after(simulation, 1);

    uint64_t before = th_port_monotonic_ns(port);
    EXPECT(BUSY, th_simulation_restart(simulation, &error));
    th_task_wake(task);
    th_task_join(task);
    th_event_free(event);
    EXPECT(BUSY, th_simulation_restart(simulation, &error));
    th_file_close(file);
    OK(th_simulation_restart(simulation, &error));
    EXPECT(INVALID_ARGUMENT, th_simulation_restart(simulation, &error));
    assert_true(th_port_monotonic_ns(th_simulation_port(simulation)) > before);
    th_simulation_free(simulation);
}

static void a_crash_comes_at_the_call_it_was_armed_for(void **state)
{
    theater_error error;
    for (uint64_t place = 1; place <= 4; place++) {
        boot(place);
        th_file *file = open_file(port, "a");
        th_simulation_crash_after(simulation, place);
        th_slice part = th_slice_text("x");
        /* Reads and questions do not count. */
        expect_text(file, 0, "");
        theater_status statuses[] = {
            th_file_write(file, 0, &part, 1, &error),
            th_file_sync(file, &error),
            th_file_reserve(file, 100, &error),
            th_port_rename(port, "a", "b", &error),
        };
        for (uint64_t i = 0; i < 4; i++)
            assert_int_equal(statuses[i], i + 1 < place ? THEATER_OK : THEATER_IO);
        th_file_close(file);
        crash_and_restart();
        th_simulation_free(simulation);
    }
}

static void a_crash_drops_locks_and_returns_room(void **state)
{
    theater_error error;
    boot(1);
    th_simulation_faults faults = {.disk_bytes = 10000};
    th_simulation_set_faults(simulation, &faults);
    th_file *file = open_file(port, "lock");
    sync_root();
    OK(th_file_lock(file, 0, &error));
    OK(th_file_reserve(file, 9000, &error));
    OK(th_file_truncate(file, 0, &error));
    sync_file(file);
    th_file *gone = open_file(port, "gone");
    OK(th_file_reserve(gone, 10000, &error));
    OK(th_port_remove(port, "gone", &error));
    th_file_close(gone);
    th_file_close(file);
    crash_and_restart();
    if (there("gone"))
        OK(th_port_remove(port, "gone", &error));
    sync_root();
    file = open_file(port, "lock");
    OK(th_file_lock(file, 0, &error));
    OK(th_file_reserve(file, 10000, &error));
    th_file_close(file);
    th_simulation_free(simulation);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(synced_contents_always_survive),
        cmocka_unit_test(unsynced_sectors_are_kept_lost_or_torn),
        cmocka_unit_test(unsynced_writes_come_through_in_no_order),
        cmocka_unit_test(unsynced_sizes_may_or_may_not_come_through),
        cmocka_unit_test(an_unsynced_cut_may_be_undone),
        cmocka_unit_test(every_byte_is_one_that_was_written),
        cmocka_unit_test(unsynced_creates_and_removes_may_be_lost),
        cmocka_unit_test(a_lost_folder_takes_its_files_along),
        cmocka_unit_test(renames_are_atomic),
        cmocka_unit_test(synced_names_always_survive),
        cmocka_unit_test(a_replaced_file_is_old_or_new),
        cmocka_unit_test(what_a_failed_sync_lost_stays_lost),
        cmocka_unit_test(every_call_fails_until_the_restart),
        cmocka_unit_test(a_crash_comes_at_the_call_it_was_armed_for),
        cmocka_unit_test(a_crash_drops_locks_and_returns_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
