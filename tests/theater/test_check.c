/* Verification and re-execution of folders and bundles. */
#include "theater/support.h"

#include <stdlib.h>

#include "chain/bundle.h"

static theater_report verify(const theater_source *source, const theater_check_options *options)
{
    theater_report report;
    assert_ok(theater_verify(source, options, &report, &error));
    return report;
}

static theater_report replay(const theater_source *source, const theater_check_options *options)
{
    theater_report report;
    assert_ok(theater_replay(source, options, &report, &error));
    return report;
}

static void a_good_chain_is_good_however_it_is_read(void **state)
{
    (void)state;
    char *path = test_folder();
    test_make_counter(path, 120, 256);
    theater_folder *folder = test_read(path);
    theater_actor_info info = test_actor(folder, "counter");
    const char *bundle = test_path(path, "counter.bundle");
    test_export(folder, "counter", bundle);
    theater_source sources[] = {{.folder = folder}, {.folder = folder, .actor_id = 1}, {.path = bundle}};
    for (size_t i = 0; i < 3; i++) {
        theater_report report = verify(&sources[i], NULL);
        assert_int_equal(report.status, THEATER_OK);
        assert_int_equal(report.chains, 1);
        assert_int_equal(report.elements, 121);
        assert_true(th_hash_equal(&report.head, &info.head));
        assert_true(th_hash_equal(&report.state_root, &info.state_root));
        assert_string_equal(report.actor, "counter");
        for (unsigned threads = 0; threads < 6; threads++) {
            theater_check_options options = {.threads = threads, .pulley = threads == 5};
            report = replay(&sources[i], &options);
            assert_int_equal(report.status, THEATER_OK);
            assert_int_equal(report.elements, 121);
        }
    }
    theater_folder_close(folder);
    test_remove(path);
}

typedef struct steps {
    uint64_t last, all;
    unsigned calls;
} steps;

static void note(void *context, uint64_t done, uint64_t all)
{
    steps *self = context;
    assert_true(done >= self->last);
    self->last = done;
    self->all = all;
    self->calls++;
}

static void progress_only_grows_and_ends_with_all(void **state)
{
    (void)state;
    char *path = test_folder();
    test_make_counter(path, 60, 0);
    theater_folder *folder = test_read(path);
    theater_source source = {.folder = folder};
    steps seen = {0}, again = {0};
    verify(&source, &(theater_check_options){.progress = note, .context = &seen});
    assert_true(seen.calls > 0);
    assert_int_equal(seen.last, 61);
    assert_int_equal(seen.all, 61);
    replay(&source, &(theater_check_options){.progress = note, .context = &again});
    assert_int_equal(again.last, 61);
    assert_int_equal(again.all, 61);
    theater_folder_close(folder);
    test_remove(path);
}

/* Every byte of a bundle is covered by something: by a hash, by the encoding's rules, or by the signature. */
static void a_flipped_bit_anywhere_in_a_bundle_is_found(void **state)
{
    (void)state;
    char *path = test_folder();
    test_make_counter(path, 12, 0);
    theater_runtime *runtime = test_open(path, 0);
    theater_bytes signed_note;
    assert_ok(theater_checkpoint(runtime, "counter", &signed_note, &error));
    theater_bytes_free(&signed_note);
    theater_runtime_close(runtime);
    theater_folder *folder = test_read(path);
    const char *bundle = test_path(path, "counter.bundle");
    test_export(folder, "counter", bundle);
    theater_folder_close(folder);
    size_t size;
    uint8_t *bytes = test_file(bundle, &size);
    theater_source source = {.path = bundle};
    for (size_t at = 0; at < size; at += size / 1500 + 1) {
        bytes[at] ^= (uint8_t)(1u << (at % 8));
        test_write(bundle, bytes, size);
        theater_report report;
        theater_status status = theater_verify(&source, NULL, &report, &error);
        if (status != THEATER_VERSION && (status != THEATER_OK || report.status != THEATER_VERIFY_FAILED))
            fail_msg("byte %zu of %zu: %s, %s: %s", at, size, theater_status_name(status),
                     theater_status_name(report.status), report.message);
        bytes[at] ^= (uint8_t)(1u << (at % 8));
    }
    for (size_t cut = 0; cut < size; cut += size / 100 + 1) {
        test_write(bundle, bytes, cut);
        theater_report report = verify(&source, NULL);
        /* A bundle that ends behind an element is a shorter one. */
        if (report.status == THEATER_OK)
            assert_true(report.elements < 13 || report.checkpoints == 0);
        else
            assert_int_equal(report.status, THEATER_VERIFY_FAILED);
    }
    th_free(bytes);
    test_remove(path);
}

static void a_source_that_is_not_there(void **state)
{
    (void)state;
    char *path = test_folder();
    test_make_counter(path, 1, 0);
    theater_folder *folder = test_read(path);
    theater_report report;
    theater_source missing = {.path = test_path(path, "missing")};
    assert_status(theater_verify(&missing, NULL, &report, &error), THEATER_NOT_FOUND);
    assert_status(theater_replay(&missing, NULL, &report, &error), THEATER_NOT_FOUND);
    theater_source nobody = {.folder = folder, .actor_id = 77};
    assert_status(theater_verify(&nobody, NULL, &report, &error), THEATER_NOT_FOUND);
    theater_source all = {.folder = folder};
    theater_check_options wrong_key = {.key = "nonsense"};
    assert_status(theater_verify(&all, &wrong_key, &report, &error), THEATER_INVALID_ARGUMENT);
    theater_folder_close(folder);
    test_remove(path);
}

static void causes_hold_across_chains(void **state)
{
    (void)state;
    char *path = test_folder();
    theater_runtime *runtime = test_open(path, 0);
    test_start(runtime, "pong", "pong.wasm", "");
    test_start(runtime, "ping", "ping.wasm", "pong");
    test_send(runtime, "ping", "play 25");
    assert_ok(theater_drain(runtime, 20000, &error));
    theater_runtime_close(runtime);
    theater_folder *folder = test_read(path);
    theater_source source = {.folder = folder};
    theater_report report = verify(&source, &(theater_check_options){.all = true});
    assert_int_equal(report.status, THEATER_OK);
    assert_int_equal(report.chains, 2);
    assert_int_equal(report.causes, 50);
    assert_int_equal(report.missing_causes, 0);
    theater_folder_close(folder);
    test_remove(path);
}

typedef struct walked {
    int depths[64];
    uint64_t sequences[64];
    size_t count;
} walked;

static bool walk(void *context, const theater_trace_step *step)
{
    walked *self = context;
    self->depths[self->count] = step->depth;
    self->sequences[self->count++] = step->sequence;
    return self->count < 64;
}

static void a_trace_walks_back_and_then_on(void **state)
{
    (void)state;
    char *path = test_folder();
    theater_runtime *runtime = test_open(path, 0);
    test_start(runtime, "pong", "pong.wasm", "");
    test_start(runtime, "ping", "ping.wasm", "pong");
    test_send(runtime, "ping", "play 3");
    assert_ok(theater_drain(runtime, 20000, &error));
    theater_runtime_close(runtime);
    theater_folder *folder = test_read(path);
    uint64_t pong = test_actor(folder, "pong").id;
    walked all = {.count = 0}, some = {.count = 0};
    bool more;
    assert_ok(theater_trace(folder, pong, 2, 100, walk, &all, &more, &error));
    assert_false(more);
    const int depths[] = {0, -1, -2, -3,
                          1, 2,  3}; /* client, ping 1, pong 1, ping 2, pong 2, ping 3, pong 3, ping 4 */
    assert_int_equal(all.count, 7);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(all.depths[i], depths[i]);
    assert_ok(theater_trace(folder, pong, 2, 3, walk, &some, &more, &error));
    assert_true(more);
    assert_int_equal(some.count, 3);
    assert_status(theater_trace(folder, pong, 99, 3, walk, &some, &more, &error), THEATER_NOT_FOUND);
    theater_folder_close(folder);
    test_remove(path);
}

/* A bundle in memory that is written again. */
typedef struct rewriting {
    th_slice from;
    size_t at;
    th_buf to;
} rewriting;

static theater_status read_piece(void *context, uint8_t *out, size_t size, size_t *ret_size, theater_error *reterr)
{
    (void)reterr;
    rewriting *self = context;
    size_t left = self->from.size - self->at, part = left < size ? left : size;
    memcpy(out, self->from.data + self->at, part);
    self->at += part;
    *ret_size = part;
    return THEATER_OK;
}

static theater_status put_parts(void *context, const th_slice *parts, size_t count, theater_error *reterr)
{
    rewriting *self = context;
    theater_status status = THEATER_OK;
    for (size_t i = 0; !status && i < count; i++)
        status = th_buf_append(&self->to, parts[i], reterr);
    return status;
}

/* Writes the bundle with each two snapshots in the other order, both behind the element of the later one. Returns how
 * many there are. */
static unsigned swap_snapshots(const char *bundle)
{
    rewriting files = {.at = 0};
    th_bundle_reader *reader;
    th_bundle_writer writer;
    th_bundle_item item;
    th_buf held;
    uint64_t held_sequence = 0;
    bool more = true, holds = false;
    unsigned count = 0;
    size_t size;
    uint8_t *bytes = test_file(bundle, &size);
    files.from = th_slice_of(bytes, size);
    th_buf_init(&files.to, 1 << 30);
    th_buf_init(&held, 1 << 30);
    th_bundle_writer_init(&writer, put_parts, &files);
    assert_ok(th_bundle_reader_new(read_piece, &files, 1 << 26, &reader, &error));
    for (;;) {
        assert_ok(th_bundle_reader_next(reader, &item, &more, &error));
        if (!more)
            break;
        switch (item.kind) {
        case TH_BUNDLE_HEADER:
            assert_ok(th_bundle_write_header(&writer, item.actor, &error));
            break;
        case TH_BUNDLE_COMPONENT:
            assert_ok(th_bundle_write_component(&writer, item.component, &error));
            break;
        case TH_BUNDLE_ELEMENT:
            assert_ok(th_bundle_write_element(&writer, item.element, &item.payloads, &error));
            break;
        case TH_BUNDLE_SNAPSHOT:
            count++;
            if (holds) {
                assert_ok(th_bundle_write_snapshot(&writer, item.sequence, item.state, &error));
                assert_ok(th_bundle_write_snapshot(&writer, held_sequence, th_buf_slice(&held), &error));
            } else {
                th_buf_clear(&held);
                held_sequence = item.sequence;
                assert_ok(th_buf_append(&held, item.state, &error));
            }
            holds = !holds;
            break;
        default:
            break; /* the key, and what it signed, do not matter here */
        }
    }
    th_bundle_reader_free(reader);
    test_write(bundle, files.to.data, files.to.size);
    th_buf_done(&files.to);
    th_buf_done(&held);
    th_free(bytes);
    return count;
}

static void snapshots_may_stand_in_any_order(void **state)
{
    (void)state;
    char *path = test_folder();
    test_make_counter(path, 120, 256);
    theater_folder *folder = test_read(path);
    const char *bundle = test_path(path, "counter.bundle");
    test_export(folder, "counter", bundle);
    theater_folder_close(folder);
    assert_true(swap_snapshots(bundle) >= 4);
    theater_source source = {.path = bundle};
    assert_int_equal(verify(&source, NULL).status, THEATER_OK);
    theater_report report = replay(&source, NULL);
    assert_int_equal(report.status, THEATER_OK);
    assert_int_equal(report.elements, 121);
    test_remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_chain_is_good_however_it_is_read),
        cmocka_unit_test(progress_only_grows_and_ends_with_all),
        cmocka_unit_test(snapshots_may_stand_in_any_order),
        cmocka_unit_test(a_flipped_bit_anywhere_in_a_bundle_is_found),
        cmocka_unit_test(a_source_that_is_not_there),
        cmocka_unit_test(causes_hold_across_chains),
        cmocka_unit_test(a_trace_walks_back_and_then_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
