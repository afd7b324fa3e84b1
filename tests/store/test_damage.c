/* Damage: bits flipped and bytes cut at every place of a small log, and a commit that the disk never got.
 * On the simulated disk, because there opening a store costs nothing. */
#include <stdio.h>
#include <stdlib.h>

#include "store/history.h"
#include "store/segment.h"

enum { COMMITS = 5 };

/* A folder with a log of a few commits, and what is known of it. */
typedef struct sample {
    th_simulation *simulation;
    th_port *port;
    th_index_memory *index;
    th_store_options options;
    char segment[64];
    uint64_t numbers[COMMITS + 1]; /* records before each commit, and in all */
    uint64_t offsets[COMMITS + 1]; /* where each begins in the segment, and the end */
} sample;

static void append(th_store *store, size_t count, unsigned salt)
{
    theater_error error;
    th_buf bytes[4];
    th_slice records[4] = {{0}};
    char text[120];
    for (size_t i = 0; i < count; i++) {
        int size = snprintf(text, sizeof text, "component %u of salt %u%.*s", (unsigned)i, salt,
                            (int)(salt * 7 % 40), "........................................");
        th_record record = {.kind = TH_RECORD_COMPONENT};
        record.component.hash.bytes[0] = (uint8_t)salt;
        record.component.hash.bytes[1] = (uint8_t)i;
        record.component.binary = th_slice_of(text, (size_t)size);
        th_buf_init(&bytes[i], 1 << 20);
        OK(th_record_encode(&record, &bytes[i], &error));
        records[i] = th_buf_slice(&bytes[i]);
    }
    OK(th_store_append(store, records, count, &error));
    for (size_t i = 0; i < count; i++)
        th_buf_done(&bytes[i]);
}

static void make(sample *s, uint64_t seed, uint64_t segment_bytes)
{
    theater_error error;
    th_store *store;
    *s = (sample){0};
    OK(th_simulation_new(seed, &s->simulation, &error));
    OK(th_index_memory_new(&s->index, &error));
    s->port = th_simulation_port(s->simulation);
    s->options = (th_store_options){.port = s->port,
                                    .folder = "/data",
                                    .create = true,
                                    .index = s->index,
                                    .segment_bytes = segment_bytes};
    OK(th_store_open(&s->options, &store, &error));
    for (unsigned i = 0; i < COMMITS; i++) {
        append(store, 1 + i % 3, i + 1);
        s->numbers[i + 1] = th_store_next_number(store);
        s->offsets[i + 1] = TH_SEGMENT_HEADER + th_store_log_bytes(store);
    }
    s->offsets[0] = TH_SEGMENT_HEADER;
    th_store_close(store);
    snprintf(s->segment, sizeof s->segment, "/data/log/%020u.log", 0);
}

static void done(sample *s)
{
    th_index_memory_free(s->index);
    th_simulation_free(s->simulation);
}

/* Opens the port's file for a test to change. */
static th_file *open_path(const sample *s, const char *path)
{
    theater_error error;
    th_file *file;
    OK(th_file_open(s->port, path, TH_FILE_READ | TH_FILE_WRITE, &file, &error));
    return file;
}

static uint8_t swap_byte(const sample *s, uint64_t offset, uint8_t mask)
{
    theater_error error;
    th_file *file = open_path(s, s->segment);
    uint8_t byte;
    size_t got;
    OK(th_file_read(file, offset, &byte, 1, &got, &error));
    assert_int_equal(got, 1);
    byte ^= mask;
    th_slice part = th_slice_of(&byte, 1);
    OK(th_file_write(file, offset, &part, 1, &error));
    OK(th_file_sync(file, &error));
    th_file_close(file);
    return byte;
}

/* All bytes of the log's one segment, to put them back. */
static void keep_segment(const sample *s, uint8_t *bytes, size_t size, bool restore)
{
    theater_error error;
    th_file *file = open_path(s, s->segment);
    th_slice part = th_slice_of(bytes, size);
    size_t got;
    if (restore) {
        OK(th_file_truncate(file, 0, &error));
        OK(th_file_write(file, 0, &part, 1, &error));
        OK(th_file_sync(file, &error));
    } else {
        OK(th_file_read(file, 0, bytes, size, &got, &error));
        assert_int_equal(got, size);
    }
    th_file_close(file);
}

/* Without proof: nothing says how far the log was durable. */
static void forget_proofs(sample *s)
{
    theater_error error;
    theater_status status = th_port_remove(s->port, "/data/closed", &error);
    assert_true(status == THEATER_OK || status == THEATER_NOT_FOUND);
    th_index_memory_free(s->index);
    OK(th_index_memory_new(&s->index, &error));
    s->options.index = s->index;
}

/* Which part of the segment the byte lies in: a commit's place, COMMITS for the room behind, -1 for the
 * header. */
static int commit_of(const sample *s, uint64_t offset)
{
    int commit = -1;
    while (commit < COMMITS && offset >= s->offsets[commit + 1])
        commit++;
    return commit;
}

static void flipped_bits_are_corrupt_or_a_torn_tail(void **state)
{
    theater_error error;
    static uint8_t bytes[8192];
    sample s;
    make(&s, 1, 1 << 20);
    size_t size = s.offsets[COMMITS] + 64, corrupt = 0, torn = 0, harmless = 0;
    assert_true(size < sizeof bytes);
    keep_segment(&s, bytes, size, false);
    for (uint64_t offset = 0; offset < size; offset++) {
        keep_segment(&s, bytes, size, true);
        forget_proofs(&s);
        (void)swap_byte(&s, offset, (uint8_t)(1u << offset % 8));
        th_store *store;
        int commit = commit_of(&s, offset);
        theater_status status = th_store_open(&s.options, &store, &error);
        if (status) {
            assert_int_equal(status, THEATER_CORRUPT);
            assert_non_null(strstr(error.message, "segment 00000000000000000000.log, offset"));
            assert_true(commit < COMMITS - 1);
            corrupt++;
            continue;
        }
        uint64_t records = th_store_next_number(store), count, total;
        if (records == s.numbers[COMMITS]) {
            harmless++; /* padding, or behind the end */
        } else {
            assert_int_equal(records, s.numbers[COMMITS - 1]);
            assert_int_equal(commit, COMMITS - 1);
            torn++;
        }
        OK(th_store_check(store, &count, &total, &error));
        append(store, 2, 99);
        th_store_close(store);
        OK(th_store_open(&s.options, &store, &error));
        assert_int_equal(th_store_next_number(store), records + 2);
        th_store_close(store);
    }
    print_message("corrupt %zu, torn %zu, harmless %zu\n", corrupt, torn, harmless);
    assert_true(corrupt > 300 && torn > 50);
    assert_true(harmless <= 64 + s.numbers[COMMITS] * 7);
    done(&s);
}

/* With proof that all was durable, the last commit is no torn tail either, and what opens says what is
 * wrong when it is read. */
static void proven_records_are_never_cut_off(void **state)
{
    theater_error error;
    static uint8_t bytes[8192];
    sample s;
    make(&s, 2, 1 << 20);
    size_t size = s.offsets[COMMITS], unseen = 0;
    keep_segment(&s, bytes, size, false);
    for (uint64_t offset = TH_SEGMENT_HEADER; offset < size; offset++) {
        (void)swap_byte(&s, offset, 0x10);
        th_store *store;
        uint64_t count, total;
        theater_status status = th_store_open(&s.options, &store, &error);
        if (!status) {
            assert_int_equal(th_store_next_number(store), s.numbers[COMMITS]);
            status = th_store_check(store, &count, &total, &error);
            th_store_close(store);
        }
        if (status) {
            assert_int_equal(status, THEATER_CORRUPT);
            assert_non_null(strstr(error.message, "offset"));
        }
        unseen += status == THEATER_OK;
        (void)swap_byte(&s, offset, 0x10);
    }
    /* Only padding may change unseen. */
    assert_true(unseen <= s.numbers[COMMITS] * 7);
    done(&s);
}

static void cut_logs_lose_only_what_was_not_proven(void **state)
{
    theater_error error;
    static uint8_t bytes[8192];
    sample s;
    make(&s, 3, 1 << 20);
    size_t size = s.offsets[COMMITS];
    keep_segment(&s, bytes, size, false);
    for (int proven = 0; proven < 2; proven++) {
        for (size_t cut = 0; cut < size; cut += 3) {
            keep_segment(&s, bytes, cut, true);
            th_store *store;
            if (!proven)
                forget_proofs(&s);
            theater_status status = th_store_open(&s.options, &store, &error);
            if (proven && status) {
                assert_int_equal(status, THEATER_CORRUPT);
                continue;
            }
            OK(status);
            int commit = 0;
            while (s.offsets[commit + 1] <= cut)
                commit++;
            assert_true(!proven || commit == COMMITS - 1);
            /* The last frame is whole without its padding, which is at most seven zeros. */
            if (th_store_next_number(store) != s.numbers[commit]) {
                assert_true(cut + 8 > s.offsets[commit + 1]);
                assert_int_equal(th_store_next_number(store), s.numbers[commit + 1]);
            }
            th_store_close(store);
            /* What was appended since would be a proof of another history. */
            forget_proofs(&s);
        }
        done(&s);
        make(&s, 3, 1 << 20);
    }
    done(&s);
}

static void missing_segments_are_corrupt(void **state)
{
    theater_error error;
    for (int missing = 0; missing < 3; missing++) {
        sample s;
        make(&s, 4, 256); /* a segment for each commit */
        char path[64];
        int commit = missing == 0 ? 0 : missing == 1 ? 2 : COMMITS - 1;
        snprintf(path, sizeof path, "/data/log/%020llu.log", (unsigned long long)s.numbers[commit]);
        OK(th_port_remove(s.port, path, &error));
        th_store *store;
        EXPECT(CORRUPT, th_store_open(&s.options, &store, &error));
        done(&s);
    }
}

/* ---- a commit that was written, but that the disk did not get ---- */

/* Leaves the log as a process does that is killed after the write of the last commit: the bytes can be
 * read, and are not durable. With `failing`, the sync was tried and failed, after which no later sync
 * writes them. */
static void unsync_last_commit(sample *s, uint8_t *bytes, uint64_t from, uint64_t to, bool failing)
{
    theater_error error;
    th_file *file = open_path(s, s->segment);
    size_t got;
    OK(th_file_read(file, from, bytes, (size_t)(to - from), &got, &error));
    assert_int_equal(got, to - from);
    OK(th_file_truncate(file, from, &error));
    OK(th_file_sync(file, &error));
    th_slice part = th_slice_of(bytes, (size_t)(to - from));
    OK(th_file_write(file, from, &part, 1, &error));
    if (failing) {
        th_simulation_faults faults = {.sync_fails = 1000000};
        th_simulation_set_faults(s->simulation, &faults);
        EXPECT(IO, th_file_sync(file, &error));
        faults.sync_fails = 0;
        th_simulation_set_faults(s->simulation, &faults);
    }
    th_file_close(file);
}

/* What an opened store has shown must stay, whatever comes after. `from_header` takes the whole segment. */
static void recovered_commit_survives(bool failing, bool from_header)
{
    theater_error error;
    static uint8_t bytes[8192];
    for (uint64_t seed = 1; seed <= 100; seed++) {
        sample s;
        make(&s, seed, from_header ? 256 : 1 << 20);
        forget_proofs(&s);
        if (from_header)
            snprintf(s.segment, sizeof s.segment, "/data/log/%020llu.log",
                     (unsigned long long)s.numbers[COMMITS - 1]);
        uint64_t end = TH_SEGMENT_HEADER + s.offsets[COMMITS] - s.offsets[COMMITS - 1];
        unsync_last_commit(&s, bytes, from_header ? 0 : s.offsets[COMMITS - 1],
                           from_header ? end : s.offsets[COMMITS], failing);
        th_store *store;
        OK(th_store_open(&s.options, &store, &error));
        assert_int_equal(th_store_next_number(store), s.numbers[COMMITS]);
        if (seed % 2)
            append(store, 1, 77);
        th_simulation_crash_after(s.simulation, 0);
        th_store_close(store);
        OK(th_simulation_restart(s.simulation, &error));
        s.port = s.options.port = th_simulation_port(s.simulation);
        OK(th_store_open(&s.options, &store, &error));
        assert_int_equal(th_store_next_number(store), s.numbers[COMMITS] + seed % 2);
        th_store_close(store);
        done(&s);
    }
}

static void commit_of_a_killed_process_is_made_durable(void **state)
{
    recovered_commit_survives(false, false);
    recovered_commit_survives(false, true);
}

static void commit_whose_sync_failed_is_written_again(void **state)
{
    recovered_commit_survives(true, false);
    recovered_commit_survives(true, true);
}

/* Whoever made a folder may have failed before its entries were durable; who opens it makes them so, before
 * anything is acknowledged in it. */
static void a_folder_whose_making_failed_is_made_durable(void **state)
{
    theater_error error;
    unsigned failed = 0;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        sample s = {0};
        th_store *store;
        OK(th_simulation_new(seed, &s.simulation, &error));
        OK(th_index_memory_new(&s.index, &error));
        s.options = (th_store_options){.port = th_simulation_port(s.simulation),
                                       .folder = "/data",
                                       .create = true,
                                       .index = s.index};
        th_simulation_set_faults(s.simulation, &(th_simulation_faults){.sync_fails = 250000});
        if (th_store_open(&s.options, &store, &error) == THEATER_OK)
            th_store_close(store);
        else
            failed++;
        th_simulation_set_faults(s.simulation, &(th_simulation_faults){0});
        OK(th_store_open(&s.options, &store, &error));
        append(store, 1, 5);
        th_simulation_crash_after(s.simulation, 0);
        th_store_close(store);
        OK(th_simulation_restart(s.simulation, &error));
        s.options.port = th_simulation_port(s.simulation);
        s.options.create = false;
        OK(th_store_open(&s.options, &store, &error));
        assert_int_equal(th_store_next_number(store), 1);
        th_store_close(store);
        done(&s);
    }
    assert_true(failed > 100);
}

/* Its name, too: it may just have been moved or copied to where it is opened. */
static void a_folder_stays_where_it_was_opened(void **state)
{
    theater_error error;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        sample s;
        th_store *store;
        make(&s, seed, 1 << 20);
        OK(th_port_rename(s.port, "/data", "/moved", &error));
        s.options.folder = "/moved";
        OK(th_store_open(&s.options, &store, &error));
        append(store, 1, 5);
        th_simulation_crash_after(s.simulation, 0);
        th_store_close(store);
        OK(th_simulation_restart(s.simulation, &error));
        s.options.port = th_simulation_port(s.simulation);
        s.options.create = false;
        OK(th_store_open(&s.options, &store, &error));
        assert_int_equal(th_store_next_number(store), s.numbers[COMMITS] + 1);
        th_store_close(store);
        done(&s);
    }
}

/* ---- what the index proves ---- */

/* An index may end within a commit: it is all of that commit that was durable. */
static void a_proof_within_a_commit_proves_all_of_it(void **state)
{
    theater_error error;
    sample s;
    make(&s, 1, 1 << 20);
    th_store *store;
    OK(th_store_open(&s.options, &store, &error));
    append(store, 4, 60);
    bool more;
    OK(th_store_index_step(store, 1, &more, &error));
    assert_true(more && th_store_covered(store) == s.numbers[COMMITS] + 1);
    uint64_t end = TH_SEGMENT_HEADER + th_store_log_bytes(store);
    th_simulation_crash_after(s.simulation, 0);
    th_store_close(store);
    OK(th_simulation_restart(s.simulation, &error));
    s.port = s.options.port = th_simulation_port(s.simulation);
    OK(th_port_remove(s.port, "/data/closed", &error));
    swap_byte(&s, end - 16, 1); /* in the last of the four records */
    EXPECT(CORRUPT, th_store_open(&s.options, &store, &error));
    swap_byte(&s, end - 16, 1);
    OK(th_store_open(&s.options, &store, &error));
    assert_int_equal(th_store_next_number(store), s.numbers[COMMITS] + 4);
    th_store_close(store);
    done(&s);
}

static void expect_only(const sample *s, bool read_only, uint8_t there, uint8_t gone)
{
    theater_error error;
    th_store *store;
    th_store_options options = s->options;
    options.read_only = read_only;
    OK(th_store_open(&options, &store, &error));
    assert_int_equal(th_store_next_number(store), s->numbers[COMMITS] + 2);
    assert_true(th_store_has_component(store, &(th_hash){{there, 0}}));
    assert_false(th_store_has_component(store, &(th_hash){{gone, 0}}));
    th_store_close(store);
}

/* Two copies of a folder go on in different ways, record for record of one size; the index of one stands
 * beside the log of the other. */
static void an_index_of_a_copy_that_went_another_way_is_made_anew(void **state)
{
    enum { ONE = 110, OTHER = 150 }; /* salts whose records are of one size */
    theater_error error;
    static uint8_t bytes[8192];
    sample s;
    make(&s, 1, 1 << 20);
    size_t size = (size_t)s.offsets[COMMITS];
    keep_segment(&s, bytes, size, false);
    th_index_memory *indexes[2] = {s.index, NULL};
    OK(th_index_memory_new(&indexes[1], &error));
    for (int i = 0; i < 2; i++) {
        th_store *store;
        if (i > 0)
            keep_segment(&s, bytes, size, true);
        OK(th_port_remove(s.port, "/data/closed", &error));
        s.options.index = indexes[i];
        OK(th_store_open(&s.options, &store, &error));
        append(store, 2, i == 0 ? ONE : OTHER);
        th_store_close(store);
    }
    OK(th_port_remove(s.port, "/data/closed", &error));
    expect_only(&s, true, OTHER, ONE);
    s.options.index = indexes[0];
    expect_only(&s, true, OTHER, ONE);
    expect_only(&s, false, OTHER, ONE);
    th_index_memory_free(indexes[1]);
    done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_whose_making_failed_is_made_durable),
        cmocka_unit_test(a_folder_stays_where_it_was_opened),
        cmocka_unit_test(a_proof_within_a_commit_proves_all_of_it),
        cmocka_unit_test(an_index_of_a_copy_that_went_another_way_is_made_anew),
        cmocka_unit_test(flipped_bits_are_corrupt_or_a_torn_tail),
        cmocka_unit_test(proven_records_are_never_cut_off),
        cmocka_unit_test(cut_logs_lose_only_what_was_not_proven),
        cmocka_unit_test(missing_segments_are_corrupt),
        cmocka_unit_test(commit_of_a_killed_process_is_made_durable),
        cmocka_unit_test(commit_whose_sync_failed_is_written_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
