/* Actors, elements and states of a data folder. */
#include "theater/support.h"

#include <stdio.h>

static void an_actor_is_found_by_name_and_by_id(void **state)
{
    (void)state;
    char *path = test_folder();
    test_make_counter(path, 20, 0);
    theater_folder *folder = test_read(path);
    theater_actor_info info = test_actor(folder, "counter");
    assert_int_equal(info.id, 1);
    assert_int_equal(info.elements, 21);
    assert_int_equal(info.status, THEATER_ACTOR_RUNNING);
    assert_int_equal(info.state_size, 8);
    assert_int_equal(info.limits.fuel, 1000000000);
    assert_string_equal(info.engine, "wasmtime-48");
    assert_int_equal(test_actor(folder, "counter#1").elements, 21);
    theater_actor_info other;
    assert_status(theater_folder_actor(folder, "counter#2", &other, &error), THEATER_NOT_FOUND);
    assert_status(theater_folder_actor(folder, "other#1", &other, &error), THEATER_NOT_FOUND);
    assert_status(theater_folder_actor(folder, "nobody", &other, &error), THEATER_NOT_FOUND);
    assert_non_null(strstr(error.message, "nobody"));
    const char *bad[] = {"", "#1", "counter#", "counter#x", "counter#99999999999999999999", "No Name"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_status(theater_folder_actor(folder, bad[i], &other, &error), THEATER_INVALID_ARGUMENT);
    theater_folder_close(folder);
    test_remove(path);
}

typedef struct seen {
    uint64_t ids[512];
    size_t count, stop_at;
} seen;

static bool see(void *context, const theater_actor_info *info)
{
    seen *self = context;
    self->ids[self->count++] = info->id;
    return self->count != self->stop_at;
}

static void all_actors_come_in_the_order_of_their_ids(void **state)
{
    (void)state;
    char *path = test_folder();
    theater_runtime *runtime = test_open(path, 0);
    for (int i = 0; i < 300; i++) { /* more than one group of a walk */
        char name[32];
        snprintf(name, sizeof name, "actor-%d", i);
        test_start(runtime, name, "counter.wasm", "");
    }
    theater_runtime_close(runtime);
    theater_folder *folder = test_read(path);
    seen all = {.count = 0}, some = {.stop_at = 130};
    assert_ok(theater_folder_actors(folder, see, &all, &error));
    assert_int_equal(all.count, 300);
    for (size_t i = 0; i < all.count; i++)
        assert_int_equal(all.ids[i], i + 1);
    assert_ok(theater_folder_actors(folder, see, &some, &error));
    assert_int_equal(some.count, 130);
    theater_folder_close(folder);
    test_remove(path);
}

static void an_element_has_its_fields_and_payloads(void **state)
{
    (void)state;
    char *path = test_folder();
    test_make_counter(path, 8, 0);
    theater_folder *folder = test_read(path);
    theater_element genesis, turn, rejection;
    assert_ok(theater_element_read(folder, 1, 0, &genesis, &error));
    assert_ok(theater_element_read(folder, 1, 1, &turn, &error));
    assert_ok(theater_element_read(folder, 1, 7, &rejection, &error));
    assert_int_equal(genesis.type, THEATER_GENESIS);
    assert_int_equal(turn.type, THEATER_TRANSITION);
    assert_int_equal(turn.cause, THEATER_CAUSE_NONE);
    assert_true(th_hash_equal(&turn.previous, &genesis.hash));
    assert_true(th_hash_equal(&turn.state_before, &genesis.state_after));
    assert_memory_equal(turn.input.data, "inc", 3);
    assert_memory_equal(turn.output.data, "1", 1);
    assert_int_equal(rejection.type, THEATER_REJECTION);
    assert_int_equal(rejection.reject_code, 1);
    assert_non_null(memmem(rejection.reject_text.data, rejection.reject_text.size, "unknown input", 13));
    theater_element_free(&genesis);
    theater_element_free(&turn);
    theater_element_free(&rejection);
    assert_status(theater_element_read(folder, 1, 9, &turn, &error), THEATER_NOT_FOUND);
    assert_status(theater_element_read(folder, 7, 0, &turn, &error), THEATER_NOT_FOUND);
    theater_folder_close(folder);
    test_remove(path);
}

static uint64_t state_at(theater_folder *folder, uint64_t sequence)
{
    theater_bytes bytes;
    assert_ok(theater_state_at(folder, 1, sequence, &bytes, &error));
    assert_int_equal(bytes.size, 8);
    uint64_t value = th_get_u64le(bytes.data);
    theater_bytes_free(&bytes);
    return value;
}

static void the_state_after_any_element_is_computed(void **state)
{
    (void)state;
    char *path = test_folder();
    test_make_counter(path, 100, 256); /* a snapshot after some turns each */
    theater_folder *folder = test_read(path);
    assert_true(test_actor(folder, "counter").has_snapshot);
    uint64_t count = 0;
    for (uint64_t i = 0; i <= 100; i++) {
        count += i > 0 && (i - 1) % 7 != 6;
        assert_int_equal(state_at(folder, i), count);
    }
    theater_bytes bytes;
    assert_status(theater_state_at(folder, 1, 101, &bytes, &error), THEATER_NOT_FOUND);
    assert_status(theater_state_at(folder, 9, 0, &bytes, &error), THEATER_NOT_FOUND);
    theater_folder_close(folder);
    test_remove(path);
}

static void a_reader_sees_what_was_committed_when_it_refreshes(void **state)
{
    (void)state;
    char *path = test_folder();
    theater_runtime *runtime = test_open(path, 0);
    test_start(runtime, "counter", "counter.wasm", "");
    theater_folder *folder = test_read(path);
    assert_int_equal(test_actor(folder, "counter").elements, 1);
    for (int i = 0; i < 5; i++)
        test_send(runtime, "counter", "inc");
    assert_ok(theater_folder_refresh(folder, &error));
    assert_int_equal(test_actor(folder, "counter").elements, 6);
    assert_int_equal(state_at(folder, 5), 5);
    theater_runtime_close(runtime);
    theater_folder_close(folder);
    test_remove(path);
}

static void a_folder_that_is_none(void **state)
{
    (void)state;
    char *path = test_folder();
    theater_folder *folder = NULL;
    assert_status(theater_folder_open(test_path(path, "missing"), &folder, &error), THEATER_NOT_FOUND);
    assert_null(folder);
    theater_folder_close(NULL);
    test_remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_actor_is_found_by_name_and_by_id),
        cmocka_unit_test(all_actors_come_in_the_order_of_their_ids),
        cmocka_unit_test(an_element_has_its_fields_and_payloads),
        cmocka_unit_test(the_state_after_any_element_is_computed),
        cmocka_unit_test(a_reader_sees_what_was_committed_when_it_refreshes),
        cmocka_unit_test(a_folder_that_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
