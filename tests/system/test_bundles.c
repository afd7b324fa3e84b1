/* Bundles that were cut or altered, and keys that are not the right ones: none of it passes for a good chain,
 * each is told with the place, nothing of it gets into a folder, and the runtime that was asked to import it
 * goes on. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static system_bench bench;
static const char *bundle, *damaged;
static char key[512], other_key[512], foreign_key[512];

static void copy_key(theater_folder *folder, uint64_t actor_id, char *out, size_t size)
{
    theater_bytes text;
    theater_error error;
    OK(theater_verifier_key(folder, actor_id, &text, &error), error);
    assert_true(text.size < size);
    memcpy(out, text.data, text.size);
    out[text.size] = 0;
    theater_bytes_free(&text);
}

static void sign(theater_runtime *runtime, const char *name)
{
    theater_bytes note;
    theater_error error;
    OK(theater_checkpoint(runtime, name, &note, &error), error);
    theater_bytes_free(&note);
}

/* A bundle of one signed chain, and the keys of that chain, of another chain and of another folder. */
static int make_bundle(void **state)
{
    theater_error error;
    theater_actor_info info, witness;
    theater_folder *folder;
    system_bench foreign;
    system_begin(&bench, "bundles", &(theater_runtime_options){.snapshot_bytes = 200});
    system_start(bench.runtime, "a", "set_state", "begin");
    for (int i = 0; i < 12; i++) {
        char input[64];
        snprintf(input, sizeof input, "%s state number %d", i % 5 == 4 ? "!" : "", i);
        theater_answer answer;
        theater_status status = system_send(bench.runtime, "a", text_of(input), &answer, &error);
        assert_int_equal(status, i % 5 == 4 ? THEATER_REJECTED : THEATER_OK);
        theater_answer_done(&answer);
        if (i == 6)
            sign(bench.runtime, "a");
    }
    sign(bench.runtime, "a");
    sign(bench.runtime, "witness");
    OK(theater_drain(bench.runtime, 60000, &error), error);
    OK(theater_folder_open(bench.folder, &folder, &error), error);
    OK(theater_folder_actor(folder, "a", &info, &error), error);
    OK(theater_folder_actor(folder, "witness", &witness, &error), error);
    copy_key(folder, info.id, key, sizeof key);
    copy_key(folder, witness.id, other_key, sizeof other_key);
    bundle = strdup(system_fresh("bundle"));
    damaged = strdup(system_fresh("damaged"));
    OK(theater_export(folder, &(theater_export_options){.actor_ids = &info.id, .actor_count = 1}, bundle,
                      &error),
       error);
    theater_folder_close(folder);
    /* The same names in another folder: another genesis and another key. */
    system_begin(&foreign, "foreign", NULL);
    system_start(foreign.runtime, "a", "set_state", "begin");
    sign(foreign.runtime, "a");
    OK(theater_folder_open(foreign.folder, &folder, &error), error);
    OK(theater_folder_actor(folder, "a", &info, &error), error);
    copy_key(folder, info.id, foreign_key, sizeof foreign_key);
    theater_folder_close(folder);
    system_end(&foreign);
    return 0;
}

static int remove_bundle(void **state)
{
    unlink(bundle);
    unlink(damaged);
    system_end(&bench);
    return 0;
}

/* What is said of a bundle file: OK, or the error's or the finding's status, with words. */
static theater_status verdict(const char *path, const char *with_key, bool replay, char words[1024])
{
    theater_error error = {0};
    theater_report report;
    theater_source source = {.path = path};
    theater_check_options options = {.key = with_key, .all = true, .threads = 1};
    theater_status status = replay ? theater_replay(&source, &options, &report, &error)
                                   : theater_verify(&source, &options, &report, &error);
    snprintf(words, 1024, "%s", status ? error.message : report.message);
    return status ? status : report.status;
}

static bool is_refusal(theater_status status)
{
    return status == THEATER_CORRUPT || status == THEATER_VERIFY_FAILED || status == THEATER_VERSION ||
        status == THEATER_TOO_LARGE;
}

static void expect_not_imported(const char *path)
{
    theater_error error;
    theater_status status = theater_import(bench.runtime, path, "copy", &error);
    if (!is_refusal(status))
        fail_msg("the import of a bad bundle said %s: %s", theater_status_name(status), error.message);
    assert_true(error.message[0] != 0);
    theater_folder *folder;
    theater_actor_info info;
    OK(theater_folder_open(bench.folder, &folder, &error), error);
    assert_int_equal(theater_folder_actor(folder, "copy", &info, &error), THEATER_NOT_FOUND);
    theater_folder_close(folder);
    system_witness(&bench);
}

static void the_bundle_itself_is_good(void **state)
{
    char words[1024];
    assert_int_equal(verdict(bundle, NULL, false, words), THEATER_OK);
    assert_int_equal(verdict(bundle, key, false, words), THEATER_OK);
    assert_int_equal(verdict(bundle, key, true, words), THEATER_OK);
}

static void a_cut_bundle_never_passes_with_its_key(void **state)
{
    theater_bytes whole = system_read(bundle);
    unsigned whole_items = 0, imports = 0;
    for (size_t size = 0; size < whole.size; size += size < 300 || size + 600 > whole.size ? 1 : 37) {
        char words[1024], first[1024];
        system_write(damaged, (theater_slice){whole.data, size});
        theater_status status = verdict(damaged, key, false, words);
        theater_status without = verdict(damaged, NULL, false, first);
        /* One that ends between its last two checkpoints is a smaller bundle of the same chain, rightly
         * signed, and then nothing contradicts it. */
        if (status == THEATER_OK) {
            assert_int_equal(without, THEATER_OK);
            whole_items++;
            continue;
        }
        if (!is_refusal(status) || !words[0])
            fail_msg("cut after %zu bytes of %zu: %s: %s", size, whole.size, theater_status_name(status),
                     words);
        if (without != THEATER_OK && !strstr(first, "bundle") && !strstr(first, "actor a"))
            fail_msg("cut after %zu bytes: no place in \"%s\"", size, first);
        if (without != THEATER_OK && imports++ % 50 == 0)
            expect_not_imported(damaged);
    }
    assert_int_equal(whole_items, 1);
    free(whole.data);
}

static void a_flipped_bit_never_passes(void **state)
{
    theater_bytes whole = system_read(bundle);
    unsigned passed = 0, tried = 0, imports = 0;
    for (size_t place = 0; place < whole.size; place += 1 + whole.size / 1500) {
        char words[1024];
        uint8_t bit = (uint8_t)(1u << place % 8);
        whole.data[place] ^= bit;
        system_write(damaged, (theater_slice){whole.data, whole.size});
        whole.data[place] ^= bit;
        theater_status status = verdict(damaged, key, false, words);
        tried++;
        if (status == THEATER_OK) {
            print_message("a bit in byte %zu of %zu passes: %s\n", place, whole.size, words);
            passed++;
        } else if (!is_refusal(status) || !words[0]) {
            fail_msg("a bit in byte %zu: %s: %s", place, theater_status_name(status), words);
        }
        if (status != THEATER_OK && imports++ % 100 == 0 &&
            verdict(damaged, NULL, false, words) != THEATER_OK)
            expect_not_imported(damaged);
        if (imports % 100 == 1)
            assert_true(is_refusal(verdict(damaged, key, true, words)) || status == THEATER_OK);
    }
    assert_true(tried > 1000);
    assert_int_equal(passed, 0);
    free(whole.data);
}

static void what_is_no_bundle_is_named(void **state)
{
    static const char *const texts[] =
        {"", "hello", "\xa0", "\xa3\x00\x6etheater-bundle\x01\x02\x02\x61" "a"};
    char words[1024];
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        system_write(damaged, i == 3 ? (theater_slice){(const uint8_t *)texts[i], 22} : text_of(texts[i]));
        theater_status status = verdict(damaged, NULL, false, words);
        if (!is_refusal(status))
            fail_msg("%zu: %s: %s", i, theater_status_name(status), words);
        assert_true(strstr(words, "bundle"));
        expect_not_imported(damaged);
    }
    unlink(damaged);
    assert_int_equal(verdict(damaged, NULL, false, words), THEATER_NOT_FOUND);
    assert_non_null(strstr(words, damaged));
    theater_error error;
    assert_int_equal(theater_import(bench.runtime, damaged, NULL, &error), THEATER_NOT_FOUND);
    assert_non_null(strstr(error.message, damaged));
}

static void a_wrong_key_never_passes(void **state)
{
    char words[1024];
    assert_int_equal(verdict(bundle, other_key, false, words), THEATER_VERIFY_FAILED);
    assert_non_null(strstr(words, "actor a"));
    assert_int_equal(verdict(bundle, foreign_key, false, words), THEATER_VERIFY_FAILED);
    assert_non_null(strstr(words, "actor a"));
    assert_int_equal(verdict(bundle, foreign_key, true, words), THEATER_VERIFY_FAILED);
    /* The right name and another key's bytes: the name of the one, the rest of the other. */
    char mixed[1024];
    snprintf(mixed, sizeof mixed, "%.*s%s", (int)(strchr(key, '+') - key), key, strchr(foreign_key, '+'));
    assert_int_equal(verdict(bundle, mixed, false, words), THEATER_INVALID_ARGUMENT);
    static const char *const none[] = {"", "hello", "a+b", "a+00000000+AAAA"};
    for (int i = 0; i < 4; i++) {
        theater_status status = verdict(bundle, none[i], false, words);
        if (status != THEATER_INVALID_ARGUMENT || !strstr(words, "key"))
            fail_msg("the key \"%s\": %s: %s", none[i], theater_status_name(status), words);
    }
    /* The folder's own chains, likewise. */
    theater_folder *folder;
    theater_error error;
    theater_actor_info info;
    theater_report report;
    OK(theater_folder_open(bench.folder, &folder, &error), error);
    OK(theater_folder_actor(folder, "a", &info, &error), error);
    theater_source source = {.folder = folder, .actor_id = info.id};
    OK(theater_verify(&source, &(theater_check_options){.key = key}, &report, &error), error);
    assert_int_equal(report.status, THEATER_OK);
    OK(theater_verify(&source, &(theater_check_options){.key = foreign_key}, &report, &error), error);
    assert_int_equal(report.status, THEATER_VERIFY_FAILED);
    theater_folder_close(folder);
}

static void a_good_bundle_is_taken_in_once(void **state)
{
    theater_error error;
    OK(theater_import(bench.runtime, bundle, "archive", &error), error);
    system_expect_error(theater_import(bench.runtime, bundle, "archive", &error), &error, THEATER_EXISTS,
                        "again", bundle, NULL);
    theater_answer answer;
    theater_status status = system_send(bench.runtime, "archive", text_of("x"), &answer, &error);
    assert_true(status != THEATER_OK);
    assert_non_null(strstr(error.message, "archive"));
    theater_answer_done(&answer);
    system_check_folder(bench.folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bundle_itself_is_good),
        cmocka_unit_test(a_cut_bundle_never_passes_with_its_key),
        cmocka_unit_test(a_flipped_bit_never_passes),
        cmocka_unit_test(what_is_no_bundle_is_named),
        cmocka_unit_test(a_wrong_key_never_passes),
        cmocka_unit_test(a_good_bundle_is_taken_in_once),
    };
    return cmocka_run_group_tests(tests, make_bundle, remove_bundle);
}
