/* Every bit of what a data folder holds, and of a bundle, flipped in turn.
 *
 * A flip is found, by opening the folder, by reading all its checksums, or by verification with the key; and
 * the message names a place. Or it is harmless: the folder reads and verifies as the one before, with the
 * same heads. Which files have harmless bytes, and why, is in the table `files`; in all others every flip
 * must be found. Nothing is ever read as good that is not as it was, and nothing crashes (the sanitizers
 * look on).
 *
 * THEATER_BITROT_BITS says how many bits of each byte are flipped, 1 to 8; without it a release build flips
 * all eight of small files and one of large ones, a sanitizer build one. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "system/support.h"

typedef struct subject {
    char *folder;
    char *bundle;
    char key[512];
    theater_hash head, tree_head, state_root; /* as they must be */
    uint64_t elements;
    uint64_t log_bytes; /* of the one segment, without the room that is reserved behind */
} subject;

typedef enum outcome { FOUND, HARMLESS } outcome;

typedef struct place {
    const char *name; /* in the folder; GENESIS, COMPILED and so on stand for the one file of a folder */
    const char *words; /* of which one is in each message about it; NULL: a flip is always harmless */
    const char *why; /* it may be harmless; NULL: never */
    bool (*may)(uint64_t offset, unsigned bit); /* where; NULL: anywhere */
} place;

static subject it;

static char *fresh(const char *name)
{
    char path[512];
    bool memory = access("/dev/shm", W_OK) == 0;
    snprintf(path, sizeof path, "%s/theater-bitrot-%s.%d", memory ? "/dev/shm" : TH_BINARY_DIR, name,
             (int)getpid());
    system_remove_tree(path);
    char *copy = strdup(path);
    assert_non_null(copy);
    return copy;
}

static void remember(const theater_report *report)
{
    it.head = report->head;
    it.tree_head = report->tree_head;
    it.state_root = report->state_root;
    it.elements = report->elements;
}

static int make(void **state)
{
    theater_error error;
    theater_runtime *runtime;
    theater_folder *folder;
    theater_report report;
    theater_bytes note, key;
    theater_answer answer;
    it.folder = fresh("folder");
    it.bundle = fresh("bundle");
    theater_runtime_options options = {.folder = it.folder, .workers = 1, .snapshot_bytes = 100};
    OK(theater_runtime_open(&options, &runtime, &error), error);
    system_start(runtime, "counter", "counter", "");
    for (int i = 0; i < 3; i++)
        system_accept(runtime, "counter", text_of("x"));
    theater_message message = {
        .actor = "counter", .input = text_of("y"), .id = text_of("id"), .principal = "tok-1"};
    OK(theater_send(runtime, &message, &answer, &error), error);
    theater_answer_done(&answer);
    OK(theater_checkpoint(runtime, "counter", &note, &error), error);
    theater_bytes_free(&note);
    theater_metrics metrics;
    theater_runtime_metrics(runtime, &metrics);
    it.log_bytes = metrics.log_bytes + 64;
    theater_runtime_close(runtime);
    OK(theater_folder_open(it.folder, &folder, &error), error);
    OK(theater_verifier_key(folder, 1, &key, &error), error);
    snprintf(it.key, sizeof it.key, "%.*s", (int)key.size, (const char *)key.data);
    theater_bytes_free(&key);
    const uint64_t id = 1;
    OK(theater_export(folder, &(theater_export_options){.actor_ids = &id, .actor_count = 1}, it.bundle,
                      &error),
       error);
    theater_source source = {.folder = folder};
    OK(theater_verify(&source, &(theater_check_options){.all = true, .key = it.key}, &report, &error), error);
    assert_int_equal(report.status, THEATER_OK);
    assert_true(report.checkpoints > 0);
    remember(&report);
    theater_folder_close(folder);
    return 0;
}

static int done(void **state)
{
    system_remove_tree(it.folder);
    remove(it.bundle);
    free(it.folder);
    free(it.bundle);
    return 0;
}

/* ---- one flip ------------------------------------------------------------------------------------------ */

static void expect_the_same(const theater_report *report, const char *where)
{
    if (report->elements != it.elements || memcmp(&report->head, &it.head, sizeof it.head) != 0 ||
        memcmp(&report->tree_head, &it.tree_head, sizeof it.head) != 0 ||
        memcmp(&report->state_root, &it.state_root, sizeof it.head) != 0)
        fail_msg("%s loads as good, and is another chain", where);
}

static bool one_of(const char *words, const char *message)
{
    char list[128];
    snprintf(list, sizeof list, "%s", words);
    for (char *word = strtok(list, "|"); word; word = strtok(NULL, "|"))
        if (strstr(message, word))
            return true;
    return false;
}

static outcome found(const char *message, const place *where, const char *text)
{
    if (!where->words)
        fail_msg("%s: must be harmless: %s", text, message);
    if (!one_of(where->words, message))
        fail_msg("%s: the message names no place: %s", text, message);
    return FOUND;
}

static outcome read_folder(const place *where, const char *text)
{
    theater_error error = {0};
    theater_folder *folder;
    theater_report report;
    theater_bytes key = {0};
    uint64_t records, bytes;
    if (theater_folder_open(it.folder, &folder, &error))
        return found(error.message, where, text);
    outcome result = HARMLESS;
    theater_source source = {.folder = folder};
    if (theater_folder_check(folder, &records, &bytes, &error) ||
        theater_verifier_key(folder, 1, &key, &error)) {
        result = found(error.message, where, text);
    } else {
        OK(theater_verify(&source, &(theater_check_options){.all = true, .key = it.key}, &report, &error),
           error);
        assert_int_equal(report.status, THEATER_OK);
        expect_the_same(&report, text);
        assert_string_equal((const char *)key.data, it.key);
    }
    theater_bytes_free(&key);
    theater_folder_close(folder);
    return result;
}

static outcome read_bundle(const place *where, const char *text)
{
    theater_error error = {0};
    theater_report report;
    theater_source source = {.path = it.bundle};
    theater_status status =
        theater_verify(&source, &(theater_check_options){.all = true, .key = it.key}, &report, &error);
    if (status)
        return found(error.message, where, text);
    if (report.status)
        return found(report.message, where, text);
    expect_the_same(&report, text);
    return HARMLESS;
}

/* The writer's half: the folder opens, counts on and signs, or says why not. The folder is then put back. */
static outcome use_folder(const place *where, const char *text)
{
    char *kept = fresh("kept");
    theater_error error = {0};
    theater_runtime *runtime;
    outcome result = HARMLESS;
    system_copy_tree(it.folder, kept);
    theater_runtime_options options = {.folder = it.folder, .workers = 1};
    if (theater_runtime_open(&options, &runtime, &error)) {
        result = found(error.message, where, text);
    } else {
        theater_bytes note = {0};
        system_accept(runtime, "counter", text_of("z"));
        if (theater_checkpoint(runtime, "counter", &note, &error))
            result = found(error.message, where, text);
        theater_bytes_free(&note);
        theater_runtime_close(runtime);
        theater_folder *folder;
        theater_report report;
        OK(theater_folder_open(it.folder, &folder, &error), error);
        theater_source source = {.folder = folder};
        const char *key = result == FOUND ? NULL : it.key;
        if (result != FOUND) {
            OK(theater_replay(&source, &(theater_check_options){.key = key, .threads = 1}, &report, &error),
               error);
            if (report.status || report.elements != it.elements + 1)
                fail_msg("%s: goes on wrongly: %s", text, report.message);
        }
        theater_folder_close(folder);
    }
    system_remove_tree(it.folder);
    assert_int_equal(rename(kept, it.folder), 0);
    free(kept);
    return result;
}

/* ---- all of a file ------------------------------------------------------------------------------------- */

static unsigned bits_of_a_byte(uint64_t size)
{
    const char *text = getenv("THEATER_BITROT_BITS");
    if (text)
        return (unsigned)strtoul(text, NULL, 10);
#if defined(__SANITIZE_ADDRESS__)
    return 1;
#else
    return size <= 8192 ? 8 : 1;
#endif
}

static void flip(const char *path, uint64_t offset, unsigned bit)
{
    uint8_t byte;
    int file = open(path, O_RDWR | O_CLOEXEC);
    assert_true(file >= 0);
    assert_int_equal(pread(file, &byte, 1, (off_t)offset), 1);
    byte ^= (uint8_t)(1u << bit);
    assert_int_equal(pwrite(file, &byte, 1, (off_t)offset), 1);
    close(file);
}

/* Flips bits in every `step`-th byte up to `size` (0: the file's), and says what came of it. */
static void rot(const char *path, const place *where, uint64_t size, uint64_t step,
                outcome (*look)(const place *where, const char *text))
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    size = size ? size : (uint64_t)info.st_size;
    unsigned bits = bits_of_a_byte(size);
    uint64_t seen[2] = {0}, first_harmless = UINT64_MAX, last_harmless = 0;
    for (uint64_t offset = 0; offset < size; offset += step) {
        for (unsigned i = 0; i < bits; i++) {
            unsigned bit = (unsigned)(offset + i) % 8;
            char text[128];
            snprintf(text, sizeof text, "%s, byte %llu, bit %u", where->name, (unsigned long long)offset,
                     bit);
            flip(path, offset, bit);
            outcome is = look(where, text);
            flip(path, offset, bit);
            seen[is]++;
            if (is == HARMLESS && (!where->why || (where->may && !where->may(offset, bit))))
                fail_msg("%s: was not found", text);
            if (is == HARMLESS && first_harmless == UINT64_MAX)
                first_harmless = offset;
            if (is == HARMLESS)
                last_harmless = offset;
        }
    }
    print_message("%-10s %6llu flips: %6llu found, %6llu harmless", where->name,
                  (unsigned long long)(seen[FOUND] + seen[HARMLESS]), (unsigned long long)seen[FOUND],
                  (unsigned long long)seen[HARMLESS]);
    if (seen[HARMLESS])
        print_message(" (bytes %llu to %llu: %s)", (unsigned long long)first_harmless,
                      (unsigned long long)last_harmless, where->why);
    print_message("\n");
}

static const char *only_file(const char *sub)
{
    return system_first_file(it.folder, sub);
}

static uint8_t *log_copy; /* of the segment, to know where its frames are */

/* Between the end of a record and the next multiple of 8 (docs/data-folder.md). */
static bool is_padding(uint64_t offset, unsigned bit)
{
    uint64_t at = 64, length = 0;
    for (uint64_t next = at; next <= offset && next < it.log_bytes;
         next += (32 + length + 7) & ~UINT64_C(7)) {
        at = next;
        length = 0;
        for (int i = 3; i >= 0; i--)
            length = length << 8 | log_copy[at + 8 + (uint64_t)i];
    }
    return offset >= at + 32 + length;
}

static void the_log(void **state)
{
    const place where = {"log", "segment|log/|record",
                         "zeros behind a record that fill it up to 8 bytes: nothing reads them", is_padding};
    theater_bytes all = system_read(only_file("log"));
    log_copy = all.data;
    rot(only_file("log"), &where, it.log_bytes, 1, read_folder);
    free(all.data);
}

static bool is_case(uint64_t offset, unsigned bit)
{
    return bit == 5;
}

static void the_format(void **state)
{
    const place where = {"format", "format|segment|folder", "a digit of the identity in upper case", is_case};
    rot(system_path(it.folder, "format"), &where, 0, 1, read_folder);
}

static void the_mark_of_a_clean_close(void **state)
{
    const place where = {.name = "closed",
                         .words = NULL,
                         .why = "the index says as much, and the log holds what both say"};
    rot(system_path(it.folder, "closed"), &where, 0, 1, read_folder);
}

static void the_index(void **state)
{
    const place data = {.name = "index",
                        .words = NULL,
                        .why = "its checksum is compared first; it is then made anew from the log"};
    const place sum = {
        .name = "sum", .words = NULL, .why = "without it, or with another, the index is made anew"};
    rot(system_path(it.folder, "index/data.mdb"), &data, 0, 7, read_folder);
    rot(system_path(it.folder, "index/sum"), &sum, 0, 1, read_folder);
    rot(system_path(it.folder, "index/data.mdb"), &data, 0, 499, use_folder);
}

static void the_lock_of_the_index(void **state)
{
    const place where = {
        .name = "lock.mdb", .words = NULL, .why = "who opens it as the only one makes it anew"};
    rot(system_path(it.folder, "index/lock.mdb"), &where, 512, 3, read_folder);
}

static void the_key(void **state)
{
    const place where = {.name = "key", .words = "signing.key", .why = NULL};
    rot(system_path(it.folder, "keys/signing.key"), &where, 0, 1, read_folder);
}

static void the_size_that_was_signed(void **state)
{
    const place where = {.name = "signed", .words = "signed", .why = NULL};
    rot(only_file("keys/signed"), &where, 0, 1, use_folder);
}

static void a_compiled_form(void **state)
{
    const place where = {
        .name = "compiled", .words = NULL, .why = "its hash is compared first; it is then compiled anew"};
    rot(only_file("cache"), &where, 0, 397, use_folder);
}

static void a_bundle(void **state)
{
    const place where = {
        .name = "bundle", .words = "item|element|offset|byte|checkpoint|key|header|bundle", .why = NULL};
    rot(it.bundle, &where, 0, 1, read_bundle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bundle),        cmocka_unit_test(the_log),
        cmocka_unit_test(the_format),      cmocka_unit_test(the_mark_of_a_clean_close),
        cmocka_unit_test(the_index),       cmocka_unit_test(the_lock_of_the_index),
        cmocka_unit_test(the_key),         cmocka_unit_test(the_size_that_was_signed),
        cmocka_unit_test(a_compiled_form),
    };
    return cmocka_run_group_tests(tests, make, done);
}
