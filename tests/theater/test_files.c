/* Bundles and copies as files. */
#include "theater/support.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

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
    assert_int_not_equal(access(test_path(path, "bundle.part"), F_OK), 0);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bundle_replaces_a_file_only_when_it_is_whole),
        cmocka_unit_test(parts_may_be_left_out_of_a_bundle),
        cmocka_unit_test(a_backup_holds_all_and_opens),
        cmocka_unit_test(an_import_may_have_another_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
