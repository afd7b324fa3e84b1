/* Whole data folders: format, lock, readers beside a writer, doubtful indexes, backups. On the system's
 * files and LMDB. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/history.h"

static th_store *open_store(const th_store_options *options)
{
    theater_error error;
    th_store *store;
    OK(th_store_open(options, &store, &error));
    return store;
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* A folder with a history, closed. */
static history *make_folder(const th_store_options *options, uint64_t seed, size_t records)
{
    th_store *store = open_store(options);
    history *h = history_new(seed);
    history_append(h, store, records);
    th_store_close(store);
    return h;
}

/* ---- format ---- */

static void folder_is_only_made_when_asked(void **state)
{
    theater_error error;
    th_store *store;
    const char *folder = in(new_folder(), "data");
    th_store_options options = options_for(folder);
    options.create = false;
    EXPECT(NOT_FOUND, th_store_open(&options, &store, &error));
    options.read_only = true;
    options.create = true;
    EXPECT(NOT_FOUND, th_store_open(&options, &store, &error));
    assert_false(file_exists(folder));
    options.read_only = false;
    store = open_store(&options);
    th_store_close(store);
    options.create = false;
    store = open_store(&options);
    assert_int_equal(th_store_next_number(store), 0);
    th_store_close(store);
}

static void formats_that_are_not_known_are_refused(void **state)
{
    theater_error error;
    th_store *store;
    const char *folder = new_folder(), *format = in(folder, "format");
    th_store_options options = options_for(folder);
    history_free(make_folder(&options, 1, 10));
    for (int reader = 0; reader < 2; reader++) {
        options.read_only = reader;
        write_text(format, "theater data folder\nformat 2\nsomething new\n");
        EXPECT(VERSION, th_store_open(&options, &store, &error));
        assert_non_null(strstr(error.message, "format 2"));
        write_text(format, "theater data folder\nformat 1\nstore 12\n");
        EXPECT(CORRUPT, th_store_open(&options, &store, &error));
        write_text(format, "");
        EXPECT(CORRUPT, th_store_open(&options, &store, &error));
    }
    options.read_only = false;
    remove(format);
    EXPECT(CORRUPT, th_store_open(&options, &store, &error));
}

static void log_of_another_folder_is_refused(void **state)
{
    theater_error error;
    th_store *store;
    const char *a = new_folder(), *b = new_folder();
    th_store_options options = options_for(a);
    history_free(make_folder(&options, 1, 10));
    options.folder = b;
    history_free(make_folder(&options, 2, 20));
    copy_file(first_segment(b), first_segment(a));
    options.folder = a;
    EXPECT(CORRUPT, th_store_open(&options, &store, &error));
    assert_non_null(strstr(error.message, "another data folder"));
}

/* ---- the lock ---- */

static void second_writer_waits_and_is_told(void **state)
{
    theater_error error;
    th_store *store, *second;
    th_store_options options = options_for(new_folder());
    store = open_store(&options);
    EXPECT(BUSY, th_store_open(&options, &second, &error));
    assert_non_null(strstr(error.message, options.folder));
    EXPECT(BUSY, th_store_drop_index(options.port, options.folder, &error));
    /* Another process, too. */
    pid_t child = fork();
    if (child == 0) {
        theater_status status = th_store_open(&options, &second, &error);
        _exit(status == THEATER_BUSY ? 0 : 1);
    }
    int result;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_int_equal(result, 0);
    th_store_close(store);
    store = open_store(&options);
    th_store_close(store);
}

/* ---- readers ---- */

static void reader_writes_nothing(void **state)
{
    theater_error error;
    th_store_options options = options_for(new_folder());
    history *h = make_folder(&options, 3, 200);
    size_t log = file_size(last_segment(options.folder)),
           index = file_size(in(options.folder, "index/data.mdb"));
    options.read_only = true;
    th_store *store = open_store(&options);
    history_check(h, store);
    th_slice record = th_slice_text("x");
    EXPECT(READ_ONLY, th_store_append(store, &record, 1, &error));
    th_store_close(store);
    assert_int_equal(file_size(last_segment(options.folder)), log);
    assert_int_equal(file_size(in(options.folder, "index/data.mdb")), index);
    history_free(h);
}

/* The reader shares the process with the writer, and so LMDB's environment. */
static void reader_follows_a_living_writer(void **state)
{
    theater_error error;
    th_store_options options = options_for(new_folder()), reading;
    options.segment_bytes = 16384;
    reading = options;
    reading.read_only = true;
    th_store *writer = open_store(&options);
    history *h = history_new(4);
    history_append(h, writer, 50);
    th_store *reader = open_store(&reading);
    history_check(h, reader);
    for (int round = 0; round < 10; round++) {
        bool more;
        history_append(h, writer, 30);
        if (round % 3 == 0)
            OK(th_store_index_step(writer, 3000, &more, &error));
        assert_true(th_store_next_number(reader) < th_store_next_number(writer));
        OK(th_store_refresh(reader, &error));
        history_check(h, reader);
    }
    th_store_close(writer);
    OK(th_store_refresh(reader, &error));
    history_check(h, reader);
    th_store_close(reader);
    history_free(h);
}

/* The reader is another process; it sees whole commits in order while the writer is at work. */
static void reader_in_another_process_sees_whole_commits(void **state)
{
    theater_error error;
    th_store_options options = options_for(new_folder());
    options.segment_bytes = 32768;
    th_store *writer = open_store(&options);
    history *h = history_new(5);
    history_append(h, writer, 20);
    pid_t child = fork();
    if (child == 0) {
        th_store *reader;
        options.read_only = true;
        uint64_t seen = 0, records, bytes;
        theater_status status = th_store_open(&options, &reader, &error);
        for (int i = 0; i < 200 && !status && seen < 600; i++) {
            uint64_t next = th_store_next_number(reader);
            if (next < seen || th_store_covered(reader) != next)
                _exit(2);
            seen = next;
            status = th_store_check(reader, &records, &bytes, &error);
            if (!status)
                status = th_store_refresh(reader, &error);
            usleep(1000);
        }
        if (status)
            fprintf(stderr, "%s\n", error.message);
        _exit(status ? 1 : 0);
    }
    for (int i = 0; i < 30; i++) {
        bool more;
        history_append(h, writer, 20);
        OK(th_store_index_step(writer, 1 << 20, &more, &error));
    }
    int result;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_int_equal(result, 0);
    th_store_close(writer);
    history_free(h);
}

static void reader_leaves_out_a_torn_tail(void **state)
{
    th_store_options options = options_for(new_folder());
    history *h = make_folder(&options, 6, 100);
    /* A frame that began and did not end. */
    const char *segment = last_segment(options.folder);
    th_store *store = open_store(&options);
    size_t end = 64 + (size_t)th_store_log_bytes(store);
    th_store_close(store);
    flip_bit(segment, end, 3);
    flip_bit(segment, end + 40, 1);
    options.read_only = true;
    store = open_store(&options);
    history_check(h, store);
    th_store_close(store);
    options.read_only = false;
    store = open_store(&options);
    history_check(h, store);
    history_append(h, store, 10);
    th_store_close(store);
    store = open_store(&options);
    history_check(h, store);
    th_store_close(store);
    history_free(h);
}

/* ---- doubtful indexes ---- */

static void expect_both_read(const th_store_options *writing, const history *h)
{
    th_store_options options = *writing;
    options.read_only = true;
    th_store *store = open_store(&options);
    history_check(h, store);
    th_store_close(store);
    options.read_only = false;
    store = open_store(&options);
    history_check(h, store);
    th_store_close(store);
}

static void doubtful_index_is_made_anew(void **state)
{
    th_store_options options = options_for(new_folder());
    history *h = make_folder(&options, 7, 300);
    const char *data = in(options.folder, "index/data.mdb"), *old = in(options.folder, "old.mdb");
    size_t size = file_size(data);
    dice d = {7};
    /* Every kind of page is hit by some of these. */
    for (int i = 0; i < 40; i++) {
        flip_bit(data, (size_t)roll(&d, size), (unsigned)roll(&d, 8));
        expect_both_read(&options, h);
        size = file_size(data);
    }
    for (int i = 0; i < 10; i++) {
        cut_file(data, (size_t)roll(&d, size));
        expect_both_read(&options, h);
        size = file_size(data);
    }
    /* Cut without the file that tells its checksum, as after a kill. */
    remove(in(options.folder, "index/sum"));
    cut_file(data, size - 4096);
    expect_both_read(&options, h);
    write_text(data, "this is no index");
    expect_both_read(&options, h);
    remove(data);
    expect_both_read(&options, h);
    /* Older than the log: brought up. */
    copy_file(data, old);
    copy_file(in(options.folder, "index/sum"), in(options.folder, "old.sum"));
    th_store *store = open_store(&options);
    history_append(h, store, 100);
    th_store_close(store);
    copy_file(old, data);
    copy_file(in(options.folder, "old.sum"), in(options.folder, "index/sum"));
    expect_both_read(&options, h);
    history_free(h);
}

static void index_of_another_folder_is_made_anew(void **state)
{
    th_store_options options = options_for(new_folder()), other = options_for(new_folder());
    history *h = make_folder(&options, 8, 100), *foreign = make_folder(&other, 9, 400);
    copy_file(in(other.folder, "index/data.mdb"), in(options.folder, "index/data.mdb"));
    copy_file(in(other.folder, "index/sum"), in(options.folder, "index/sum"));
    expect_both_read(&options, h);
    history_free(h);
    history_free(foreign);
}

/* Records that the index had seen are gone from the log: that is no old index, but a loss. */
static void index_beyond_the_log_is_corrupt(void **state)
{
    theater_error error;
    th_store *store;
    th_store_options options = options_for(new_folder());
    history *h = make_folder(&options, 10, 50);
    copy_file(last_segment(options.folder), in(options.folder, "early.log"));
    store = open_store(&options);
    history_append(h, store, 50);
    th_store_close(store);
    copy_file(in(options.folder, "early.log"), last_segment(options.folder));
    EXPECT(CORRUPT, th_store_open(&options, &store, &error));
    options.read_only = true;
    EXPECT(CORRUPT, th_store_open(&options, &store, &error));
    history_free(h);
}

/* A killed writer leaves a lock that is gone, an index that is behind, no marks. */
static void killed_writer_loses_nothing(void **state)
{
    th_store_options options = options_for(new_folder());
    for (int round = 0; round < 5; round++) {
        pid_t child = fork();
        if (child == 0) {
            theater_error error;
            th_store *store;
            bool more;
            uint64_t id, next;
            if (th_store_open(&options, &store, &error))
                _exit(1);
            id = th_store_next_actor_id(store);
            next = th_store_next_number(store);
            th_buf buf;
            th_buf_init(&buf, 4096);
            char name[32];
            th_record record = {.kind = TH_RECORD_LIFE, .actor = id};
            record.life.life = TH_LIFE_STARTED;
            record.life.name = th_slice_of(name, (size_t)snprintf(name, sizeof name, "actor-%d", round));
            if (th_record_encode(&record, &buf, &error))
                _exit(1);
            th_slice bytes = th_buf_slice(&buf);
            if (th_store_append(store, &bytes, 1, &error))
                _exit(1);
            if (round % 2 && th_store_index_step(store, 1000, &more, &error))
                _exit(1);
            _exit(next == (uint64_t)round ? 0 : 1); /* without closing */
        }
        int result;
        assert_int_equal(waitpid(child, &result, 0), child);
        assert_int_equal(result, 0);
        th_store *store = open_store(&options);
        assert_int_equal(th_store_next_number(store), round + 1);
        assert_int_equal(th_store_next_actor_id(store), round + 2);
        th_store_close(store);
    }
}

/* ---- backup ---- */

/* The link stands for a file that is listed and then gone, as the temporary one of a signature is. */
static void a_backup_goes_on_where_a_key_file_is_being_replaced(void **state)
{
    theater_error error;
    th_store_options options = options_for(new_folder());
    const char *copy = in(new_folder(), "copy");
    th_store *store = open_store(&options);
    assert_int_equal(mkdir(in(options.folder, "keys"), 0700), 0);
    assert_int_equal(symlink("nowhere", in(options.folder, "keys/a.new")), 0);
    write_text(in(options.folder, "keys/signing"), "secret");
    OK(th_store_backup(store, copy, &error));
    struct stat info;
    assert_int_equal(stat(in(copy, "keys/signing"), &info), 0);
    assert_int_equal(access(in(copy, "format"), F_OK), 0);
    th_store_close(store);
}

static void backup_of_a_log_that_was_cut_short_is_refused(void **state)
{
    theater_error error;
    th_store_options options = options_for(new_folder());
    th_store *store = open_store(&options);
    history *h = history_new(12);
    history_append(h, store, 50);
    th_store_close(store);
    options.read_only = true;
    store = open_store(&options);
    assert_int_equal(truncate(in(options.folder, "log/00000000000000000000.log"), 1000), 0);
    EXPECT(CORRUPT, th_store_backup(store, in(new_folder(), "copy"), &error));
    th_store_close(store);
    history_free(h);
}

static void backup_of_a_living_folder_is_whole(void **state)
{
    theater_error error;
    th_store_options options = options_for(new_folder()), copied;
    const char *copy = in(new_folder(), "copy"), *second = in(new_folder(), "second");
    options.segment_bytes = 8192;
    th_store *writer = open_store(&options);
    history *h = history_new(11);
    history_append(h, writer, 200);
    assert_int_equal(mkdir(in(options.folder, "keys"), 0700), 0);
    write_text(in(options.folder, "keys/signing"), "secret");
    OK(th_store_backup(writer, copy, &error));
    EXPECT(EXISTS, th_store_backup(writer, copy, &error));
    copied = options;
    copied.folder = copy;
    copied.create = false;
    th_store *restored = open_store(&copied);
    history_check(h, restored);
    history_append(h, restored, 40);
    bool more = true;
    while (more)
        OK(th_store_index_step(restored, 5000, &more, &error));
    history_check(h, restored);
    th_store_close(restored);
    struct stat info;
    assert_int_equal(stat(in(copy, "keys/signing"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    /* Why it cannot be made. */
    char long_name[400];
    int size = snprintf(long_name, sizeof long_name, "%s/", new_folder());
    memset(long_name + size, 'x', 300);
    long_name[size + 300] = 0;
    EXPECT(INVALID_ARGUMENT, th_store_backup(writer, long_name, &error));
    /* From a reader. */
    options.read_only = true;
    th_store *reader = open_store(&options);
    OK(th_store_backup(reader, second, &error));
    uint64_t records, bytes;
    copied.folder = second;
    restored = open_store(&copied);
    OK(th_store_check(restored, &records, &bytes, &error));
    assert_int_equal(records, th_store_next_number(reader));
    assert_int_equal(bytes, th_store_log_bytes(reader));
    th_store_close(restored);
    th_store_close(reader);
    th_store_close(writer);
    history_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folder_is_only_made_when_asked),
        cmocka_unit_test(formats_that_are_not_known_are_refused),
        cmocka_unit_test(log_of_another_folder_is_refused),
        cmocka_unit_test(second_writer_waits_and_is_told),
        cmocka_unit_test(reader_writes_nothing),
        cmocka_unit_test(reader_follows_a_living_writer),
        cmocka_unit_test(reader_in_another_process_sees_whole_commits),
        cmocka_unit_test(reader_leaves_out_a_torn_tail),
        cmocka_unit_test(doubtful_index_is_made_anew),
        cmocka_unit_test(index_of_another_folder_is_made_anew),
        cmocka_unit_test(index_beyond_the_log_is_corrupt),
        cmocka_unit_test(killed_writer_loses_nothing),
        cmocka_unit_test(a_backup_goes_on_where_a_key_file_is_being_replaced),
        cmocka_unit_test(backup_of_a_log_that_was_cut_short_is_refused),
        cmocka_unit_test(backup_of_a_living_folder_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
