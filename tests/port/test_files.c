/* The contract of files and folders, which both ports keep. */
#include "port/helpers.h"
#include "port/internal.h"

#include <stdlib.h>

static void what_is_written_is_read(void **state)
{
    machine *m = *state;
    theater_error error;
    th_file *file = open_file(m->port, in(m, "a"));
    th_slice parts[] = {th_slice_text("one"), th_slice_text(""), th_slice_text("two"),
                        th_slice_text("three")};
    OK(th_file_write(file, 5, parts, 4, &error));
    uint64_t size;
    OK(th_file_size(file, &size, &error));
    assert_int_equal(size, 16);
    expect_text(file, 5, "onetwothree");
    char bytes[32];
    size_t got;
    OK(th_file_read(file, 0, bytes, 5, &got, &error));
    assert_memory_equal(bytes, "\0\0\0\0\0", 5);
    OK(th_file_read(file, 10, bytes, sizeof bytes, &got, &error));
    assert_int_equal(got, 6);
    OK(th_file_read(file, 16, bytes, sizeof bytes, &got, &error));
    assert_int_equal(got, 0);
    OK(th_file_read(file, UINT64_MAX, bytes, sizeof bytes, &got, &error));
    assert_int_equal(got, 0);
    OK(th_file_sync(file, &error));
    th_file_close(file);
    th_file_close(NULL);
}

static void many_parts_are_one_write(void **state)
{
    machine *m = *state;
    theater_error error;
    enum { COUNT = 3000 };
    static uint8_t bytes[COUNT * 3], back[COUNT * 3];
    static th_slice parts[COUNT];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7);
    for (size_t i = 0; i < COUNT; i++)
        parts[i] = th_slice_of(bytes + 3 * i, 3);
    th_file *file = open_file(m->port, in(m, "a"));
    OK(th_file_write(file, 1, parts, COUNT, &error));
    size_t got;
    OK(th_file_read(file, 1, back, sizeof back, &got, &error));
    assert_int_equal(got, sizeof back);
    assert_memory_equal(bytes, back, sizeof back);
    th_file_close(file);
}

static void an_offset_past_the_largest_is_refused(void **state)
{
    machine *m = *state;
    theater_error error;
    th_file *file = open_file(m->port, in(m, "a"));
    th_slice part = th_slice_text("x");
    EXPECT(TOO_LARGE, th_file_write(file, UINT64_MAX, &part, 1, &error));
    EXPECT(TOO_LARGE, th_file_write(file, INT64_MAX, &part, 1, &error));
    EXPECT(TOO_LARGE, th_file_reserve(file, UINT64_MAX, &error));
    EXPECT(TOO_LARGE, th_file_truncate(file, UINT64_MAX, &error));
    th_file_close(file);
}

static void opening_tells_what_is_wrong(void **state)
{
    machine *m = *state;
    theater_error error;
    th_file *file;
    EXPECT(NOT_FOUND, th_file_open(m->port, in(m, "none"), TH_FILE_READ, &file, &error));
    assert_non_null(strstr(error.message, "/none"));
    assert_null(file);
    EXPECT(NOT_FOUND,
           th_file_open(m->port, in(m, "none/deep"), TH_FILE_WRITE | TH_FILE_CREATE, &file, &error));
    th_file_close(open_file(m->port, in(m, "there")));
    EXPECT(EXISTS, th_file_open(m->port, in(m, "there"), TH_FILE_WRITE | TH_FILE_CREATE | TH_FILE_EXCLUSIVE,
                                &file, &error));
    OK(th_file_open(m->port, in(m, "there"), TH_FILE_READ, &file, &error));
    th_file_close(file);
    EXPECT(NOT_FOUND, th_file_open(m->port, in(m, "there/deep"), TH_FILE_READ, &file, &error));
    EXPECT(INVALID_ARGUMENT, th_file_open(m->port, m->folder, TH_FILE_WRITE, &file, &error));
}

static void reserve_grows_with_zeros_and_keeps_what_is_there(void **state)
{
    machine *m = *state;
    theater_error error;
    th_file *file = open_file(m->port, in(m, "a"));
    write_text(file, 0, "begin");
    const size_t size = 700001;
    OK(th_file_reserve(file, size, &error));
    uint64_t got_size;
    OK(th_file_size(file, &got_size, &error));
    assert_int_equal(got_size, size);
    expect_text(file, 0, "begin");
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    size_t got;
    OK(th_file_read(file, 5, bytes, size, &got, &error));
    assert_int_equal(got, size - 5);
    for (size_t i = 0; i < got; i++)
        assert_int_equal(bytes[i], 0);
    free(bytes);
    /* Less than the size changes nothing. */
    OK(th_file_reserve(file, 10, &error));
    OK(th_file_size(file, &got_size, &error));
    assert_int_equal(got_size, size);
    th_file_close(file);
}

static void what_is_cut_reads_as_zero_when_the_file_grows_again(void **state)
{
    machine *m = *state;
    theater_error error;
    th_file *file = open_file(m->port, in(m, "a"));
    write_byte_run(file, 0, 0xaa, 10000);
    OK(th_file_truncate(file, 3, &error));
    OK(th_file_truncate(file, 9000, &error));
    uint8_t bytes[9000];
    size_t got;
    OK(th_file_read(file, 0, bytes, sizeof bytes, &got, &error));
    assert_int_equal(got, sizeof bytes);
    for (size_t i = 0; i < got; i++)
        assert_int_equal(bytes[i], i < 3 ? 0xaa : 0);
    th_file_close(file);
}

static void a_lock_excludes_other_handles(void **state)
{
    machine *m = *state;
    theater_error error;
    th_file *one = open_file(m->port, in(m, "lock"));
    th_file *two = open_file(m->port, in(m, "lock"));
    OK(th_file_lock(one, 0, &error));
    OK(th_file_lock(one, 0, &error));
    EXPECT(BUSY, th_file_lock(two, 0, &error));
    uint64_t before = th_port_monotonic_ns(m->port);
    EXPECT(BUSY, th_file_lock(two, 20, &error));
    assert_true(th_port_monotonic_ns(m->port) - before >= 20000000);
    th_file_close(one);
    OK(th_file_lock(two, 0, &error));
    th_file_close(two);
}

typedef struct listing {
    char text[256];
    int left; /* stops after as many */
} listing;

static bool append_name(void *context, const char *name)
{
    listing *list = context;
    strcat(list->text, name);
    strcat(list->text, " ");
    return --list->left > 0;
}

static void folders_list_in_order(void **state)
{
    machine *m = *state;
    theater_error error;
    static const char *const names[] = {"b", "a", "\xc3\xa9", "B", "a0", "c"};
    OK(th_port_make_folder(m->port, in(m, "f"), &error));
    OK(th_port_make_folder(m->port, in(m, "f"), &error));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[16] = "f/";
        th_file_close(open_file(m->port, in(m, strcat(path, names[i]))));
    }
    listing list = {.left = 100};
    OK(th_port_list_folder(m->port, in(m, "f"), append_name, &list, &error));
    assert_string_equal(list.text, "B a a0 b c \xc3\xa9 ");
    list = (listing){.left = 2};
    OK(th_port_list_folder(m->port, in(m, "f"), append_name, &list, &error));
    assert_string_equal(list.text, "B a ");
    EXPECT(NOT_FOUND, th_port_list_folder(m->port, in(m, "none"), append_name, &list, &error));
    EXPECT(EXISTS, th_port_remove(m->port, in(m, "f"), &error));
    EXPECT(EXISTS, th_port_make_folder(m->port, in(m, "f/a"), &error));
}

static void names_of_a_folder_are_bounded(void **state)
{
    theater_error error;
    char name[256];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = 0;
    th_names names;
    th_names_init(&names);
    for (size_t i = 0; i < TH_NAMES_MAX / sizeof name; i++)
        OK(th_names_add(&names, name, &error));
    EXPECT(TOO_LARGE, th_names_add(&names, name, &error));
    assert_int_equal(names.count, TH_NAMES_MAX / sizeof name);
    th_names_done(&names);
}

static void a_removed_file_lives_until_it_is_closed(void **state)
{
    machine *m = *state;
    theater_error error;
    th_file *file = open_file(m->port, in(m, "a"));
    write_text(file, 0, "still here");
    OK(th_port_remove(m->port, in(m, "a"), &error));
    EXPECT(NOT_FOUND, th_port_remove(m->port, in(m, "a"), &error));
    expect_text(file, 0, "still here");
    th_file_close(open_file(m->port, in(m, "a")));
    expect_text(file, 0, "still here");
    th_file_close(file);
    OK(th_port_make_folder(m->port, in(m, "g"), &error));
    OK(th_port_remove(m->port, in(m, "g"), &error));
}

static void rename_replaces(void **state)
{
    machine *m = *state;
    theater_error error;
    th_file *old = open_file(m->port, in(m, "old"));
    write_text(old, 0, "old");
    th_file *new = open_file(m->port, in(m, "new"));
    write_text(new, 0, "new");
    OK(th_port_rename(m->port, in(m, "new"), in(m, "old"), &error));
    EXPECT(NOT_FOUND, th_port_rename(m->port, in(m, "new"), in(m, "old"), &error));
    expect_text(old, 0, "old");
    th_file_close(old);
    th_file_close(new);
    th_file *file = open_file(m->port, in(m, "old"));
    expect_text(file, 0, "new");
    th_file_close(file);
    OK(th_port_make_folder(m->port, in(m, "folder"), &error));
    OK(th_port_rename(m->port, in(m, "folder"), in(m, "moved"), &error));
    OK(th_port_rename(m->port, in(m, "old"), in(m, "moved/old"), &error));
    OK(th_port_make_folder(m->port, in(m, "other"), &error));
    EXPECT(EXISTS, th_port_rename(m->port, in(m, "other"), in(m, "moved"), &error));
    assert_non_null(strstr(error.message, "/other"));
    assert_non_null(strstr(error.message, "/moved"));
    OK(th_port_remove(m->port, in(m, "moved/old"), &error));
    OK(th_port_rename(m->port, in(m, "other"), in(m, "moved"), &error));
    OK(th_port_sync_folder(m->port, in(m, "moved"), &error));
    EXPECT(NOT_FOUND, th_port_sync_folder(m->port, in(m, "folder"), &error));
}

static void a_whole_file_is_replaced_and_read(void **state)
{
    machine *m = *state;
    theater_error error;
    th_buf buf;
    th_buf_init(&buf, 1000);
    EXPECT(NOT_FOUND, th_port_read_file(m->port, in(m, "w"), 100, &buf, &error));
    OK(th_port_replace_file(m->port, in(m, "w"), 0, th_slice_text("first"), &error));
    /* A temporary that a crash left behind is in nobody's way. */
    th_file *stale = open_file(m->port, in(m, "w.new"));
    write_text(stale, 0, "much longer than what comes next");
    th_file_close(stale);
    OK(th_port_replace_file(m->port, in(m, "w"), TH_FILE_PRIVATE, th_slice_text("next"), &error));
    EXPECT(NOT_FOUND, th_port_remove(m->port, in(m, "w.new"), &error));
    OK(th_buf_append(&buf, th_slice_text("> "), &error));
    EXPECT(TOO_LARGE, th_port_read_file(m->port, in(m, "w"), 3, &buf, &error));
    OK(th_port_read_file(m->port, in(m, "w"), 4, &buf, &error));
    assert_true(th_slice_equal(th_buf_slice(&buf), th_slice_text("> next")));
    OK(th_port_replace_file(m->port, in(m, "w"), 0, (th_slice){0}, &error));
    th_buf_clear(&buf);
    OK(th_port_read_file(m->port, in(m, "w"), 4, &buf, &error));
    assert_int_equal(buf.size, 0);
    EXPECT(NOT_FOUND, th_port_replace_file(m->port, in(m, "none/w"), 0, th_slice_text("x"), &error));
    th_buf_done(&buf);
}

static void clocks_and_entropy(void **state)
{
    machine *m = *state;
    theater_error error;
    assert_true(th_port_processors(m->port) >= 1);
    uint64_t wall = th_port_wall_ns(m->port);
    assert_true(wall > 1500000000u * UINT64_C(1000000000) && wall < 4000000000u * UINT64_C(1000000000));
    uint64_t last = th_port_monotonic_ns(m->port);
    for (int i = 0; i < 1000; i++) {
        uint64_t now = th_port_monotonic_ns(m->port);
        assert_true(now >= last);
        last = now;
    }
    uint8_t a[64] = {0}, b[64] = {0};
    OK(th_port_entropy(m->port, a, sizeof a, &error));
    OK(th_port_entropy(m->port, b, sizeof b, &error));
    assert_memory_not_equal(a, b, sizeof a);
}

#define BOTH(test)                                                                                           \
    {"system: " #test, test, setup_system, teardown_system, NULL},                                           \
    {                                                                                                        \
        "simulation: " #test, test, setup_simulation, teardown_simulation, NULL                              \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(what_is_written_is_read),
        BOTH(many_parts_are_one_write),
        BOTH(an_offset_past_the_largest_is_refused),
        BOTH(opening_tells_what_is_wrong),
        BOTH(reserve_grows_with_zeros_and_keeps_what_is_there),
        BOTH(what_is_cut_reads_as_zero_when_the_file_grows_again),
        BOTH(a_lock_excludes_other_handles),
        BOTH(folders_list_in_order),
        cmocka_unit_test(names_of_a_folder_are_bounded),
        BOTH(a_removed_file_lives_until_it_is_closed),
        BOTH(rename_replaces),
        BOTH(a_whole_file_is_replaced_and_read),
        BOTH(clocks_and_entropy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
