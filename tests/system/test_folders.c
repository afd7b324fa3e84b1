/* Data folders that are not as they were left: from another version, in use, damaged. Each is told in one
 * error that names the place, or is mended where the log holds the truth; nothing is repaired silently, and a
 * folder that is put right again works as before. */
#include "support.h"

#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder with some history, closed, that a test may copy and damage. */
static char *pristine;
static uint64_t pristine_log; /* bytes of its log that hold records */

/* Lines of the log that say that a compiled form is not what was written. */
static atomic_uint forms_refused;

static void take_log_line(void *context, int level, const char *message)
{
    if (strstr(message, "not what was written"))
        forms_refused++;
}

static int make_pristine(void **state)
{
    theater_set_log(take_log_line, NULL, 0);
    system_bench bench;
    theater_error error;
    theater_bytes note;
    theater_metrics metrics;
    system_begin(&bench, "pristine", NULL);
    system_start(bench.runtime, "a", "set_state", "begin");
    system_start(bench.runtime, "b", "request", "");
    for (int i = 0; i < 20; i++) {
        char input[32];
        snprintf(input, sizeof input, "state number %d", i);
        system_accept(bench.runtime, "a", text_of(input));
        system_accept(bench.runtime, "b", text_of("a"));
        system_witness(&bench);
    }
    OK(theater_drain(bench.runtime, 60000, &error), error);
    OK(theater_checkpoint(bench.runtime, "a", &note, &error), error);
    theater_bytes_free(&note);
    theater_runtime_metrics(bench.runtime, &metrics);
    pristine_log = metrics.log_bytes;
    theater_runtime_close(bench.runtime);
    system_check_folder(bench.folder);
    pristine = (char *)bench.folder;
    return 0;
}

static int remove_pristine(void **state)
{
    system_remove_tree(pristine);
    free(pristine);
    return 0;
}

static const char *copy_of_pristine(const char *name)
{
    const char *folder = system_fresh(name);
    system_copy_tree(pristine, folder);
    return folder;
}

static theater_status try_open(const char *folder, theater_runtime **ret, theater_error *reterr)
{
    *reterr = (theater_error){0};
    *ret = NULL;
    return theater_runtime_open(&(theater_runtime_options){.folder = folder, .workers = 2,
                                                           .lock_wait_ms = 200}, ret, reterr);
}

static void expect_refused(const char *folder, theater_status want, const char *first, const char *second)
{
    theater_runtime *runtime;
    theater_error error;
    theater_status status = try_open(folder, &runtime, &error);
    if (!status)
        fail_msg("%s was opened", folder);
    system_expect_error(status, &error, want, "a runtime", first, second, NULL);
}

/* All that the folder held is there, and it goes on. */
static void expect_as_before(const char *folder)
{
    theater_runtime *runtime;
    theater_error error;
    theater_answer answer;
    OK(try_open(folder, &runtime, &error), error);
    OK(system_send(runtime, "a", text_of("one more"), &answer, &error), error);
    assert_int_equal(answer.sequence, 41);
    theater_answer_done(&answer);
    system_accept(runtime, "b", text_of("a"));
    OK(theater_drain(runtime, 60000, &error), error);
    theater_runtime_close(runtime);
    system_check_folder(folder);
}

static void replace_in(const char *path, size_t offset, const char *bytes, size_t size)
{
    theater_bytes whole = system_read(path);
    assert_true(offset + size <= whole.size);
    memcpy(whole.data + offset, bytes, size);
    system_write(path, (theater_slice){whole.data, whole.size});
    free(whole.data);
}

static void flip_bit(const char *path, uint64_t bit)
{
    theater_bytes whole = system_read(path);
    assert_true(bit / 8 < whole.size);
    whole.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    system_write(path, (theater_slice){whole.data, whole.size});
    free(whole.data);
}

/* ---- version and place --------------------------------------------------------------------------------- */

static void a_folder_of_another_version_is_named(void **state)
{
    const char *folder = copy_of_pristine("version"), *format = system_path(folder, "format");
    theater_folder *reader;
    theater_error error;
    static const char digit[] = "2";
    /* "theater data folder\nformat 1\n" */
    replace_in(format, 27, digit, 1);
    expect_refused(folder, THEATER_VERSION, folder, "format 2");
    system_expect_error(theater_folder_open(folder, &reader, &error), &error, THEATER_VERSION, "a reader",
                        folder, "2", NULL);
    replace_in(format, 27, "1", 1);
    expect_as_before(folder);
    system_remove_tree(folder);
}

static void a_log_of_another_version_is_named(void **state)
{
    const char *folder = copy_of_pristine("log-version"), *segment = system_first_file(folder, "log");
    theater_bytes whole = system_read(segment);
    /* Only the version differs: the header's own checksum is not known here, so what is told is that it is
     * damaged, or the version. */
    whole.data[8] = 2;
    system_write(segment, (theater_slice){whole.data, whole.size});
    theater_runtime *runtime;
    theater_error error;
    theater_status status = try_open(folder, &runtime, &error);
    assert_true(status == THEATER_VERSION || status == THEATER_CORRUPT);
    assert_non_null(strstr(error.message, "segment"));
    whole.data[8] = 1;
    system_write(segment, (theater_slice){whole.data, whole.size});
    free(whole.data);
    expect_as_before(folder);
    system_remove_tree(folder);
}

static void a_damaged_format_file_is_named(void **state)
{
    static const char *const texts[] =
        {"", "hello", "theater data folder\nformat x\n", "theater data folder\nformat 1\nstore 12\n"};
    const char *folder = copy_of_pristine("format"), *format = system_path(folder, "format");
    theater_bytes good = system_read(format);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        system_write(format, text_of(texts[i]));
        expect_refused(folder, THEATER_CORRUPT, "format", folder);
    }
    /* Without it, a log is not taken for an empty folder. */
    assert_int_equal(unlink(format), 0);
    expect_refused(folder, THEATER_CORRUPT, "format", folder);
    system_write(format, (theater_slice){good.data, good.size});
    free(good.data);
    expect_as_before(folder);
    system_remove_tree(folder);
}

static void what_is_no_data_folder_is_named(void **state)
{
    theater_folder *reader;
    theater_error error;
    const char *nothing = system_fresh("nothing"), *below = system_path(nothing, "below"), *file =
        system_fresh("file");
    system_expect_error(theater_folder_open(nothing, &reader, &error), &error, THEATER_NOT_FOUND, "a reader",
                        nothing, NULL);
    expect_refused(below, THEATER_NOT_FOUND, below, NULL);
    system_write(file, text_of("a file"));
    theater_runtime *runtime;
    theater_status status = try_open(file, &runtime, &error);
    assert_true(status != THEATER_OK);
    assert_non_null(strstr(error.message, file));
    system_remove_tree(file);
}

/* ---- in use -------------------------------------------------------------------------------------------- */

/* The child of the next test: has the folder open until its input ends. */
static int hold(const char *folder)
{
    theater_runtime *runtime;
    theater_error error;
    char byte;
    if (theater_runtime_open(&(theater_runtime_options){.folder = folder, .workers = 1}, &runtime, &error))
        return 2;
    if (write(1, "open\n", 5) != 5)
        return 3;
    while (read(0, &byte, 1) > 0)
        ;
    theater_runtime_close(runtime);
    return 0;
}

static void a_folder_in_use_is_named_and_can_be_read(void **state)
{
    const char *folder = copy_of_pristine("in-use");
    char line[64];
    system_child child;
    system_spawn(&child, "hold", folder, NULL);
    assert_true(system_line(&child, line, sizeof line));
    assert_string_equal(line, "open");
    expect_refused(folder, THEATER_BUSY, folder, "in use");
    system_check_folder(folder);
    assert_int_equal(system_wait(&child), 0);
    expect_as_before(folder);
    /* The same process cannot open it twice either, and the first is not hurt by the attempt. */
    theater_runtime *first;
    theater_error error;
    OK(try_open(folder, &first, &error), error);
    expect_refused(folder, THEATER_BUSY, folder, "in use");
    system_accept(first, "a", text_of("still"));
    theater_runtime_close(first);
    system_check_folder(folder);
    system_remove_tree(folder);
}

static void a_folder_that_becomes_free_is_waited_for(void **state)
{
    const char *folder = copy_of_pristine("waits");
    char line[64];
    system_child child;
    system_spawn(&child, "hold", folder, NULL);
    assert_true(system_line(&child, line, sizeof line));
    close(child.to);
    child.to = -1;
    theater_runtime *runtime;
    theater_error error;
    OK(theater_runtime_open(&(theater_runtime_options){.folder = folder, .lock_wait_ms = 20000}, &runtime,
                            &error), error);
    theater_runtime_close(runtime);
    assert_int_equal(system_wait(&child), 0);
    system_remove_tree(folder);
}

/* ---- the log ------------------------------------------------------------------------------------------- */

static void use_what_can_be_used(theater_runtime *runtime)
{
    static const char *const names[] = {"witness", "a", "b"};
    theater_answer answer;
    theater_error error;
    for (int i = 0; i < 3; i++) {
        theater_status status = system_send(runtime, names[i], text_of("a"), &answer, &error);
        if (status)
            assert_true(error.message[0] != 0);
        theater_answer_done(&answer);
    }
}

/* Ends with an error that says something, or a verdict: the damage may be in what no chain needs. */
static void verify_what_can_be_verified(theater_folder *reader)
{
    theater_report report;
    theater_error error;
    theater_source source = {.folder = reader};
    theater_check_options options = {.all = true, .threads = 2};
    theater_status status = theater_verify(&source, &options, &report, &error);
    assert_true(status == THEATER_OK || (status == THEATER_CORRUPT && error.message[0]));
    assert_true(status || report.message[0]);
    status = theater_replay(&source, &options, &report, &error);
    assert_true(status == THEATER_OK || (status == THEATER_CORRUPT && error.message[0]));
    assert_true(status || report.message[0]);
}

/* A bit of the log flipped anywhere, or bytes lost: a reader that looks names it; a runtime refuses, or goes
 * on with those whose records are whole; and it is not gone afterwards. */
static void damage_of_the_log_is_named_and_stays(void **state)
{
    enum { PLACES = 40 };
    unsigned refused = 0, opened = 0;
    for (unsigned i = 0; i < PLACES; i++) {
        const char *folder = copy_of_pristine("damage"), *segment = system_first_file(folder, "log");
        uint64_t bit = (pristine_log * 8 - 8) * i / PLACES + 64 * 8 + i % 8;
        flip_bit(segment, bit);
        theater_folder *reader;
        theater_runtime *runtime;
        theater_error error;
        uint64_t records, bytes;
        theater_status status = theater_folder_open(folder, &reader, &error);
        if (!status) {
            status = theater_folder_check(reader, &records, &bytes, &error);
            verify_what_can_be_verified(reader);
            theater_folder_close(reader);
        }
        if (status != THEATER_CORRUPT)
            fail_msg("bit %llu of the log was flipped, and the check said %s", (unsigned long long)bit,
                     theater_status_name(status));
        assert_true(strstr(error.message, "record") || strstr(error.message, "segment"));
        status = try_open(folder, &runtime, &error);
        if (status) {
            assert_int_equal(status, THEATER_CORRUPT);
            refused++;
        } else {
            opened++;
            use_what_can_be_used(runtime);
            theater_runtime_close(runtime);
        }
        status = theater_folder_open(folder, &reader, &error);
        if (!status) {
            status = theater_folder_check(reader, &records, &bytes, &error);
            theater_folder_close(reader);
        }
        assert_int_equal(status, THEATER_CORRUPT);
        system_remove_tree(folder);
    }
    print_message("%u places: %u refused, %u opened\n", PLACES, refused, opened);
}

static void a_log_that_was_cut_is_named(void **state)
{
    static const unsigned parts[] = {0, 1, 30, 60, 90, 99};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const char *folder = copy_of_pristine("cut"), *segment = system_first_file(folder, "log");
        assert_int_equal(truncate(segment, (off_t)(pristine_log * parts[i] / 100)), 0);
        expect_refused(folder, THEATER_CORRUPT, ".log", NULL);
        system_remove_tree(folder);
    }
    const char *folder = copy_of_pristine("lost");
    assert_int_equal(unlink(system_first_file(folder, "log")), 0);
    expect_refused(folder, THEATER_CORRUPT, "log", NULL);
    system_remove_tree(folder);
}

/* ---- what is derived ----------------------------------------------------------------------------------- */

static void a_missing_or_damaged_index_is_made_anew(void **state)
{
    for (unsigned i = 0; i < 24; i++) {
        const char *folder = copy_of_pristine("index"), *index = system_path(folder, "index"), *data =
            system_path(index, "data.mdb");
        theater_bytes whole = system_read(data);
        if (i == 0)
            system_remove_tree(index);
        else if (i == 1)
            assert_int_equal(truncate(data, 0), 0);
        else if (i == 2)
            assert_int_equal(truncate(data, (off_t)whole.size / 2), 0);
        else if (i == 3)
            system_write(data, text_of("this is no index"));
        else
            flip_bit(data, whole.size * 8 / 20 * (i - 4) + i);
        free(whole.data);
        expect_as_before(folder);
        system_remove_tree(folder);
    }
}

/* Damages every compiled form of a folder in the same way. */
static void damage_forms(const char *cache, unsigned how)
{
    DIR *forms = opendir(cache);
    assert_non_null(forms);
    for (struct dirent *form; (form = readdir(forms));) {
        if (form->d_name[0] == '.')
            continue;
        const char *path = system_path(cache, form->d_name);
        theater_bytes whole = system_read(path);
        if (how == 1)
            assert_int_equal(truncate(path, 0), 0);
        else if (how == 2)
            system_write(path, text_of("no native code"));
        else
            flip_bit(path, whole.size * 8 / 6 * (how - 3) + 1);
        free(whole.data);
    }
    closedir(forms);
}

static void a_damaged_compiled_form_is_not_run(void **state)
{
    for (unsigned how = 0; how < 8; how++) {
        const char *folder = copy_of_pristine("cache"), *cache = system_path(folder, "cache");
        if (how == 0)
            system_remove_tree(cache);
        else
            damage_forms(cache, how);
        system_check_folder(folder);
        unsigned before = forms_refused;
        expect_as_before(folder);
        if (how > 0 && forms_refused < before + 2)
            fail_msg("damage %u: the runtime did not notice that the compiled forms of a and b are damaged",
                     how);
        /* They were compiled anew and kept. */
        before = forms_refused;
        theater_runtime *runtime;
        theater_error error;
        OK(try_open(folder, &runtime, &error), error);
        system_accept(runtime, "a", text_of("x"));
        system_accept(runtime, "b", text_of("a"));
        theater_runtime_close(runtime);
        assert_int_equal(forms_refused, before);
        system_remove_tree(folder);
    }
}

/* ---- the key ------------------------------------------------------------------------------------------- */

static void a_damaged_key_is_named_and_only_signing_ends(void **state)
{
    static const char *const texts[] =
        {"", "hello", "00", "zz00000000000000000000000000000000000000000000000000000000000000\n"};
    const char *folder = copy_of_pristine("key"), *path = system_path(folder, "keys/signing.key");
    struct stat info;
    theater_error error;
    theater_bytes note = {0}, good = system_read(path);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        theater_runtime *runtime;
        system_write(path, text_of(texts[i]));
        OK(try_open(folder, &runtime, &error), error);
        system_accept(runtime, "a", text_of("x"));
        system_expect_error(theater_checkpoint(runtime, "a", &note, &error), &error, THEATER_CORRUPT,
                            texts[i], "signing.key", NULL);
        system_accept(runtime, "a", text_of("y"));
        theater_runtime_close(runtime);
        theater_folder *reader;
        theater_actor_info actor;
        OK(theater_folder_open(folder, &reader, &error), error);
        OK(theater_folder_actor(reader, "a", &actor, &error), error);
        system_expect_error(theater_verifier_key(reader, actor.id, &note, &error), &error, THEATER_CORRUPT,
                            "reader", "signing.key",
                            NULL);
        theater_folder_close(reader);
    }
    system_write(path, (theater_slice){good.data, good.size});
    free(good.data);
    theater_runtime *runtime;
    OK(try_open(folder, &runtime, &error), error);
    OK(theater_checkpoint(runtime, "a", &note, &error), error);
    theater_bytes_free(&note);
    theater_runtime_close(runtime);
    system_check_folder(folder);
    system_remove_tree(folder);
}

/* Two heads that contradict each other are never signed: an older copy that knows what was signed refuses. */
static void an_older_copy_of_the_log_does_not_sign(void **state)
{
    const char *newer = copy_of_pristine("newer");
    theater_runtime *runtime;
    theater_error error;
    theater_bytes note = {0};
    OK(try_open(newer, &runtime, &error), error);
    system_accept(runtime, "a", text_of("x"));
    OK(theater_checkpoint(runtime, "a", &note, &error), error);
    theater_bytes_free(&note);
    theater_runtime_close(runtime);
    const char *older = copy_of_pristine("older");
    system_copy_tree(system_path(newer, "keys"), system_path(older, "keys"));
    OK(try_open(older, &runtime, &error), error);
    system_expect_error(theater_checkpoint(runtime, "a", &note, &error), &error, THEATER_CORRUPT,
                        "an older copy", "actor a", "older copy",
                        NULL);
    system_accept(runtime, "a", text_of("x"));
    OK(theater_checkpoint(runtime, "a", &note, &error), error);
    theater_bytes_free(&note);
    theater_runtime_close(runtime);
    system_check_folder(older);
    system_remove_tree(older);
    system_remove_tree(newer);
}

int main(int count, char **arguments)
{
    if (count == 3 && strcmp(arguments[1], "hold") == 0)
        return hold(arguments[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_of_another_version_is_named),
        cmocka_unit_test(a_log_of_another_version_is_named),
        cmocka_unit_test(a_damaged_format_file_is_named),
        cmocka_unit_test(what_is_no_data_folder_is_named),
        cmocka_unit_test(a_folder_in_use_is_named_and_can_be_read),
        cmocka_unit_test(a_folder_that_becomes_free_is_waited_for),
        cmocka_unit_test(damage_of_the_log_is_named_and_stays),
        cmocka_unit_test(a_log_that_was_cut_is_named),
        cmocka_unit_test(a_missing_or_damaged_index_is_made_anew),
        cmocka_unit_test(a_damaged_compiled_form_is_not_run),
        cmocka_unit_test(a_damaged_key_is_named_and_only_signing_ends),
        cmocka_unit_test(an_older_copy_of_the_log_does_not_sign),
    };
    return cmocka_run_group_tests(tests, make_pristine, remove_pristine);
}
