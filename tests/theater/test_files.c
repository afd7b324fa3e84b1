/* Bundles and copies as files. */
#include "theater/support.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "port/system.h"
#include "theater/source.h"

static void a_bundle_replaces_a_file_only_when_it_is_whole(void **state)
{
    (void)state;
    char *path = test_folder();
    test_make_counter(path, 5, 0);
    theater_folder *folder = test_read(path);
    const char *bundle = test_path(path, "bundle");
    test_write(bundle, "before", 6);
    const uint64_t ids[] = {1, 99}; /* the second is not there */
    theater_export_options options = {.actor_ids = ids, .actor_count = 2};
    assert_status(theater_export(folder, &options, bundle, &error), THEATER_NOT_FOUND);
    size_t size;
    uint8_t *bytes = test_file(bundle, &size);
    assert_int_equal(size, 6);
    th_free(bytes);
    assert_int_equal(test_parts(path), 0);
    options.actor_count = 1;
    assert_ok(theater_export(folder, &options, bundle, &error));
    struct stat info;
    assert_int_equal(stat(bundle, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0644);
    options.actor_count = 0;
    assert_status(theater_export(folder, &options, bundle, &error), THEATER_INVALID_ARGUMENT);
    theater_folder_close(folder);
    test_remove(path);
}

typedef struct second_export {
    theater_folder *folder;
    const char *bundle;
    unsigned calls;
} second_export;

/* While one export is at work: another one to the same file, which leaves the payloads out. */
static void export_meanwhile(void *context, uint64_t done, uint64_t all)
{
    (void)done, (void)all;
    second_export *self = context;
    self->calls++;
    const uint64_t id = 1;
    theater_export_options options = {.actor_ids = &id, .actor_count = 1, .without_payloads = true};
    assert_ok(theater_export(self->folder, &options, self->bundle, &error));
    theater_report report;
    theater_source source = {.path = self->bundle};
    assert_ok(theater_verify(&source, NULL, &report, &error));
    assert_int_equal(report.status, THEATER_OK);
    assert_int_equal(report.dropped_payloads, 3 * 21);
}

static void exports_to_one_file_do_not_meet(void **state)
{
    (void)state;
    char *path = test_folder();
    test_make_counter(path, 20, 0);
    theater_folder *folder = test_read(path);
    second_export second = {.folder = test_read(path), .bundle = test_path(path, "bundle")};
    const uint64_t id = 1;
    theater_export_options options = {
        .actor_ids = &id, .actor_count = 1, .progress = export_meanwhile, .context = &second};
    assert_ok(theater_export(folder, &options, test_path(path, "bundle"), &error));
    assert_int_not_equal(second.calls, 0);
    theater_report report;
    theater_source source = {.path = test_path(path, "bundle")};
    assert_ok(theater_verify(&source, NULL, &report, &error));
    assert_int_equal(report.status, THEATER_OK);
    assert_int_equal(report.dropped_payloads, 0); /* the one that ended last */
    assert_int_equal(test_parts(path), 0);
    theater_folder_close(second.folder);
    theater_folder_close(folder);
    test_remove(path);
}

static void what_a_killed_export_left_is_removed_by_the_next(void **state)
{
    (void)state;
    char *path = test_folder();
    test_make_counter(path, 5, 0);
    static const char *const names[] = {"theater-0123456789abcdef.part", "theater-00112233445566ff.part",
                                        "theater-0123456789abcdeg.part", "theater-0123456789abcdef.part.old",
                                        "theater-0123.part"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        test_write(test_path(path, names[i]), "left", 4);
    th_file *busy; /* of one that is being written */
    assert_ok(th_file_open(th_port_system(), test_path(path, names[1]), TH_FILE_WRITE, &busy, &error));
    assert_ok(th_file_lock(busy, 0, &error));
    theater_folder *folder = test_read(path);
    test_export(folder, "counter", test_path(path, "bundle"));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(access(test_path(path, names[i]), F_OK), i == 0 ? -1 : 0);
    th_file_close(busy);
    theater_folder_close(folder);
    test_remove(path);
}

static void parts_may_be_left_out_of_a_bundle(void **state)
{
    (void)state;
    char *path = test_folder();
    test_make_counter(path, 60, 256);
    theater_folder *folder = test_read(path);
    const char *bundle = test_path(path, "bundle");
    theater_source source = {.path = bundle};
    theater_report report;
    const uint64_t id = 1;

    theater_export_options options = {.actor_ids = &id, .actor_count = 1, .without_snapshots = true};
    assert_ok(theater_export(folder, &options, bundle, &error));
    assert_ok(theater_replay(&source, NULL, &report, &error));
    assert_int_equal(report.status, THEATER_OK);

    options = (theater_export_options){.actor_ids = &id, .actor_count = 1, .without_components = true};
    assert_ok(theater_export(folder, &options, bundle, &error));
    assert_ok(theater_verify(&source, NULL, &report, &error));
    assert_int_equal(report.status, THEATER_OK);
    assert_status(theater_replay(&source, NULL, &report, &error), THEATER_NOT_FOUND);

    options = (theater_export_options){.actor_ids = &id, .actor_count = 1, .without_payloads = true};
    assert_ok(theater_export(folder, &options, bundle, &error));
    assert_ok(theater_verify(&source, NULL, &report, &error));
    assert_int_equal(report.status, THEATER_OK);
    assert_int_equal(report.dropped_payloads, 3 * 61);
    assert_ok(theater_replay(&source, NULL, &report, &error));
    assert_int_equal(report.status, THEATER_UNDECIDED);
    assert_int_equal(report.skipped, 61);
    theater_folder_close(folder);
    test_remove(path);
}

static void a_backup_holds_all_and_opens(void **state)
{
    (void)state;
    char *path = test_folder();
    test_make_counter(path, 10, 0);
    theater_runtime *runtime = test_open(path, 0);
    theater_bytes note;
    assert_ok(theater_checkpoint(runtime, "counter", &note, &error));
    theater_bytes_free(&note);
    theater_folder *folder = test_read(path), *copy;
    const char *to = test_path(path, "copy");
    assert_ok(theater_backup(folder, to, &error));
    theater_runtime_close(runtime);
    assert_status(theater_backup(folder, to, &error), THEATER_EXISTS);
    assert_ok(theater_folder_open(to, &copy, &error));
    uint64_t records, bytes, copied_records, copied_bytes;
    assert_ok(theater_folder_check(folder, &records, &bytes, &error));
    assert_ok(theater_folder_check(copy, &copied_records, &copied_bytes, &error));
    assert_int_equal(copied_records, records);
    assert_int_equal(copied_bytes, bytes);
    theater_actor_info original = test_actor(folder, "counter"), copied = test_actor(copy, "counter");
    assert_true(th_hash_equal(&copied.head, &original.head));
    theater_folder_close(copy);
    theater_folder_close(folder);
    test_remove(path);
}

static void an_import_may_have_another_name(void **state)
{
    (void)state;
    char *path = test_folder();
    test_make_counter(path, 20, 0);
    theater_folder *folder = test_read(path);
    const char *bundle = test_path(path, "bundle");
    test_export(folder, "counter", bundle);
    theater_folder_close(folder);
    theater_runtime *runtime = test_open(path, 0);
    assert_ok(theater_import(runtime, bundle, "guest", &error));
    theater_runtime_close(runtime);
    folder = test_read(path);
    theater_actor_info archive = test_actor(folder, "guest"), original = test_actor(folder, "counter");
    assert_int_equal(archive.status, THEATER_ACTOR_ARCHIVE);
    assert_true(th_hash_equal(&archive.head, &original.head));
    theater_report report;
    theater_source source = {.folder = folder};
    assert_ok(theater_verify(&source, &(theater_check_options){.all = true}, &report, &error));
    assert_int_equal(report.status, THEATER_OK);
    assert_int_equal(report.chains, 2);
    assert_ok(theater_replay(&source, NULL, &report, &error));
    assert_int_equal(report.status, THEATER_OK);
    theater_folder_close(folder);
    test_remove(path);
}

/* ---- what is read twice ------------------------------------------------------------------------------- */

static theater_status begin_chain(void *context, const th_source_chain *chain, theater_error *reterr)
{
    (void)context, (void)chain, (void)reterr;
    return THEATER_OK;
}

static theater_status take_bytes(void *context, th_slice bytes, theater_error *reterr)
{
    (void)context, (void)bytes, (void)reterr;
    return THEATER_OK;
}

static theater_status take_state(void *context, uint64_t sequence, th_slice state, theater_error *reterr)
{
    (void)context, (void)sequence, (void)state, (void)reterr;
    return THEATER_OK;
}

static theater_status count_element(void *context, const th_source_element *element, theater_error *reterr)
{
    (void)element, (void)reterr;
    ++*(unsigned *)context;
    return THEATER_OK;
}

static theater_status end_chain(void *context, theater_error *reterr)
{
    (void)context, (void)reterr;
    return THEATER_OK;
}

/* Walks over a bundle; *ret_elements is how many were handed out. */
static theater_status walk(th_source *source, unsigned *ret_elements)
{
    *ret_elements = 0;
    th_walker walker = {.context = ret_elements,
                        .begin = begin_chain,
                        .component = take_bytes,
                        .element = count_element,
                        .snapshot = take_state,
                        .key = take_bytes,
                        .checkpoint = take_bytes,
                        .end = end_chain};
    return th_source_walk(source, &walker, &error);
}

/* A bundle of some MiB: eight rejected inputs of 400,000 bytes. */
static const char *large_bundle(const char *path)
{
    char *input = malloc(400001);
    memset(input, 'x', 400000);
    input[400000] = 0;
    theater_runtime *runtime = test_open(path, 0);
    test_start(runtime, "counter", "counter.wasm", "");
    for (int i = 0; i < 8; i++)
        test_reject(runtime, "counter", input);
    theater_runtime_close(runtime);
    free(input);
    theater_folder *folder = test_read(path);
    const char *bundle = test_path(path, "large.bundle");
    test_export(folder, "counter", bundle);
    theater_folder_close(folder);
    return bundle;
}

static void a_pinned_bundle_gives_the_same_bytes_or_fails(void **state)
{
    (void)state;
    char *path = test_folder();
    const char *bundle = large_bundle(path);
    size_t size;
    uint8_t *bytes = test_file(bundle, &size);
    assert_true(size > 3 << 20);
    th_source *source;
    unsigned elements;
    theater_source which = {.path = bundle};
    assert_ok(th_source_open(&which, &source, &error));
    assert_ok(th_source_pin(source, &error));
    for (int i = 0; i < 3; i++) {
        assert_ok(walk(source, &elements));
        assert_int_equal(elements, 9);
    }
    /* One byte of an input: nothing of its block is handed out. */
    uint8_t *changed = th_alloc(size + 1);
    memcpy(changed, bytes, size);
    changed[size] = 0;
    changed[2500000] ^= 1;
    test_write(bundle, changed, size);
    assert_status(walk(source, &elements), THEATER_CORRUPT);
    assert_non_null(strstr(error.message, "changed while it was read"));
    assert_in_range(elements, 1, 5);
    test_write(bundle, bytes, size - 100);
    assert_status(walk(source, &elements), THEATER_CORRUPT);
    changed[2500000] ^= 1;
    test_write(bundle, changed, size + 1);
    assert_status(walk(source, &elements), THEATER_CORRUPT);
    test_write(bundle, bytes, size);
    assert_ok(walk(source, &elements));
    /* Another file in its place is not this one. */
    const char *other = test_path(path, "other");
    test_write(other, "other", 5);
    assert_int_equal(rename(other, bundle), 0);
    assert_ok(walk(source, &elements));
    assert_int_equal(elements, 9);
    th_source_close(source);
    th_free(bytes);
    th_free(changed);
    test_remove(path);
}

/* What was verified is what is imported, so the name of the file is looked up once. */
static void an_import_opens_its_bundle_once(void **state)
{
    (void)state;
    char *path = test_folder();
    const char *bundle = large_bundle(path);
    theater_runtime *runtime = test_open(path, 0);
    int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    assert_true(watch >= 0 && inotify_add_watch(watch, bundle, IN_OPEN) >= 0);
    assert_ok(theater_import(runtime, bundle, "copy", &error));
    _Alignas(struct inotify_event) char events[4096];
    assert_int_equal(read(watch, events, sizeof events), sizeof(struct inotify_event));
    close(watch);
    theater_runtime_close(runtime);
    theater_folder *folder = test_read(path);
    assert_int_equal(test_actor(folder, "copy").elements, 9);
    theater_folder_close(folder);
    test_remove(path);
}

/* ---- archives ------------------------------------------------------------------------------------------ */

typedef struct importer {
    theater_runtime *runtime;
    const char *bundle;
    theater_status status;
    bool *go;
} importer;

static void *import_at_once(void *context)
{
    importer *self = context;
    theater_error why;
    while (!__atomic_load_n(self->go, __ATOMIC_ACQUIRE))
        continue;
    self->status = theater_import(self->runtime, self->bundle, "copy", &why);
    return NULL;
}

/* Whoever waits for an import and asks again must not write a chain twice: the log would contradict itself. */
static void imports_at_the_same_time_make_one_archive(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    char *path = test_folder();
    test_make_counter(path, 30, 0);
    theater_folder *folder = test_read(path);
    test_export(folder, "counter", test_path(path, "short.bundle"));
    theater_folder_close(folder);
    theater_runtime *runtime = test_open(path, 0);
    assert_ok(theater_import(runtime, test_path(path, "short.bundle"), "copy", &error));
    for (unsigned i = 0; i < 200; i++)
        test_send(runtime, "counter", "inc");
    theater_runtime_close(runtime);
    folder = test_read(path);
    test_export(folder, "counter", test_path(path, "long.bundle"));
    theater_folder_close(folder);
    runtime = test_open(path, 0);
    bool go = false;
    pthread_t threads[THREADS];
    importer importers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        importers[i] = (importer){runtime, test_path(path, "long.bundle"), THEATER_OK, &go};
        assert_int_equal(pthread_create(&threads[i], NULL, import_at_once, &importers[i]), 0);
    }
    __atomic_store_n(&go, true, __ATOMIC_RELEASE);
    unsigned good = 0;
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_true(importers[i].status == THEATER_OK || importers[i].status == THEATER_EXISTS);
        good += importers[i].status == THEATER_OK;
    }
    assert_int_equal(good, 1);
    theater_runtime_close(runtime);
    folder = test_read(path);
    assert_int_equal(test_actor(folder, "copy").elements, 231);
    theater_folder_close(folder);
    test_remove(path);
}

static void an_archive_can_be_removed_and_imported_again(void **state)
{
    (void)state;
    char *path = test_folder();
    test_make_counter(path, 10, 0);
    theater_folder *folder = test_read(path);
    const char *bundle = test_path(path, "bundle");
    test_export(folder, "counter", bundle);
    theater_folder_close(folder);
    theater_runtime *runtime = test_open(path, 0);
    assert_ok(theater_import(runtime, bundle, NULL, &error)); /* counter#2, beside the actor */
    assert_ok(theater_import(runtime, bundle, "guest", &error));
    assert_status(theater_archive_remove(runtime, "counter", &error), THEATER_NOT_FOUND);
    assert_status(theater_archive_remove(runtime, "counter#1", &error), THEATER_NOT_FOUND);
    assert_status(theater_archive_remove(runtime, "guest#2", &error), THEATER_NOT_FOUND);
    assert_status(theater_archive_remove(runtime, "guest#x", &error), THEATER_INVALID_ARGUMENT);
    assert_status(theater_archive_remove(runtime, "nobody", &error), THEATER_NOT_FOUND);
    assert_ok(theater_archive_remove(runtime, "counter#2", &error));
    assert_ok(theater_archive_remove(runtime, "guest", &error));
    assert_status(theater_archive_remove(runtime, "guest", &error), THEATER_NOT_FOUND);
    assert_non_null(strstr(error.message, "removed already"));
    test_send(runtime, "counter", "inc"); /* the actor does not mind */
    theater_runtime_close(runtime);

    /* What was removed holds no name after a restart either. */
    runtime = test_open(path, 0);
    test_send(runtime, "counter", "inc");
    test_start(runtime, "guest", "counter.wasm", "");
    assert_ok(theater_import(runtime, bundle, NULL, &error));
    theater_runtime_close(runtime);
    folder = test_read(path);
    assert_int_equal(test_actor(folder, "counter").elements, 13);
    assert_int_equal(test_actor(folder, "counter#2").status, THEATER_ACTOR_REMOVED);
    assert_int_equal(test_actor(folder, "guest#3").status, THEATER_ACTOR_REMOVED);
    assert_int_equal(test_actor(folder, "guest").status, THEATER_ACTOR_RUNNING);
    assert_int_equal(test_actor(folder, "counter#5").status, THEATER_ACTOR_ARCHIVE);
    theater_report report;
    theater_source source = {.folder = folder};
    assert_ok(theater_verify(&source, &(theater_check_options){.all = true}, &report, &error));
    assert_int_equal(report.status, THEATER_OK);
    assert_int_equal(report.chains, 5);
    theater_folder_close(folder);
    test_remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bundle_replaces_a_file_only_when_it_is_whole),
        cmocka_unit_test(exports_to_one_file_do_not_meet),
        cmocka_unit_test(what_a_killed_export_left_is_removed_by_the_next),
        cmocka_unit_test(parts_may_be_left_out_of_a_bundle),
        cmocka_unit_test(a_backup_holds_all_and_opens),
        cmocka_unit_test(an_import_may_have_another_name),
        cmocka_unit_test(a_pinned_bundle_gives_the_same_bytes_or_fails),
        cmocka_unit_test(an_import_opens_its_bundle_once),
        cmocka_unit_test(imports_at_the_same_time_make_one_archive),
        cmocka_unit_test(an_archive_can_be_removed_and_imported_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
