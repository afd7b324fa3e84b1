/* Turns run again and inputs tried, over a data folder that the real runtime makes. */
#include "theater/support.h"

static void every_turn_comes_out_as_recorded(void **state)
{
    (void)state;
    char *folder = test_folder();
    test_make_counter(folder, 30, 64);
    theater_folder *read = test_read(folder);
    theater_actor_info info = test_actor(read, "counter");
    for (uint64_t sequence = 0; sequence < info.elements; sequence++) {
        theater_trial trial;
        theater_element element;
        assert_ok(theater_rerun(read, info.id, sequence, &trial, &error));
        assert_ok(theater_element_read(read, info.id, sequence, &element, &error));
        assert_int_equal(trial.differences, 0);
        assert_int_equal(trial.sequence, sequence);
        assert_int_equal(trial.timestamp_ns, element.timestamp_ns);
        assert_int_equal(trial.fuel, element.fuel);
        assert_memory_equal(&trial.state_root, &element.state_after, sizeof element.state_after);
        assert_int_equal(trial.rejected, element.type == THEATER_REJECTION);
        if (trial.rejected) {
            assert_int_equal(trial.reject_code, element.reject_code);
            assert_true(th_slice_equal(trial.reject_text, element.reject_text));
        } else {
            assert_true(th_slice_equal(trial.output, element.output));
        }
        theater_element_free(&element);
        theater_trial_done(&trial);
        theater_trial_done(&trial); /* an empty one */
    }
    theater_trial trial;
    assert_status(theater_rerun(read, info.id, info.elements, &trial, &error), THEATER_NOT_FOUND);
    theater_folder_close(read);
    test_remove(folder);
}

static void an_input_runs_on_any_state_and_is_not_recorded(void **state)
{
    (void)state;
    char *folder = test_folder();
    theater_runtime *runtime = test_open(folder, 0);
    test_start(runtime, "counter", "counter.wasm", "");
    for (int i = 0; i < 5; i++)
        test_send(runtime, "counter", "inc");
    theater_folder *read = test_read(folder);
    theater_actor_info info = test_actor(read, "counter");
    for (uint64_t after = 0; after < 6; after++) {
        theater_trial trial;
        char wanted[8] = {(char)('0' + after + 3)};
        theater_try_options options = {
            .after = after, .input = th_slice_text("add 3"), .principal = "alice", .timestamp_ns = 1};
        assert_ok(theater_try(read, info.id, &options, &trial, &error));
        assert_true(th_slice_equal(trial.output, th_slice_text(wanted)));
        assert_int_equal(trial.sequence, after + 1);
        assert_true(trial.timestamp_ns > 1); /* never before the element that it follows */
        assert_int_equal(trial.state_size, trial.state.size);
        theater_trial_done(&trial);
    }
    theater_trial trial;
    theater_try_options options = {.after = 5, .input = th_slice_text("nonsense")};
    assert_ok(theater_try(read, info.id, &options, &trial, &error));
    assert_true(trial.rejected);
    assert_int_equal(trial.reject_code, 1);
    assert_int_equal(trial.output.size, 0);
    theater_trial_done(&trial);
    options.after = 6;
    assert_status(theater_try(read, info.id, &options, &trial, &error), THEATER_NOT_FOUND);
    options.after = 5;
    options.principal = "";
    assert_status(theater_try(read, info.id, &options, &trial, &error), THEATER_INVALID_ARGUMENT);
    test_send(runtime, "counter", "inc");
    assert_ok(theater_folder_refresh(read, &error));
    assert_int_equal(test_actor(read, "counter").elements, 7);
    theater_folder_close(read);
    theater_runtime_close(runtime);
    test_remove(folder);
}

static void messages_come_with_their_payloads(void **state)
{
    (void)state;
    char *folder = test_folder();
    theater_runtime *runtime = test_open(folder, 0);
    test_start(runtime, "pong", "pong.wasm", "");
    test_start(runtime, "ping", "ping.wasm", "pong");
    test_send(runtime, "ping", "play 3");
    assert_ok(theater_drain(runtime, 10000, &error));
    theater_runtime_close(runtime);
    theater_folder *read = test_read(folder);
    uint64_t id = test_actor(read, "ping").id;
    theater_trial trial;
    assert_ok(theater_rerun(read, id, 1, &trial, &error));
    assert_int_equal(trial.differences, 0);
    assert_int_equal(trial.message_count, 1);
    assert_true(th_slice_equal(trial.messages[0].to, th_slice_text("pong")));
    assert_true(trial.messages[0].payload.size > 0);
    theater_trial_done(&trial);
    theater_folder_close(read);
    test_remove(folder);
}

static void an_upgrade_is_run_again_and_states_behind_it_reached(void **state)
{
    (void)state;
    char *folder = test_folder();
    theater_runtime *runtime = test_open(folder, 0);
    test_start(runtime, "counter", "counter.wasm", "");
    test_send(runtime, "counter", "inc");
    theater_upgrade_options upgrade = {.keep_config = true, .limits = {.state_bytes = 100000}};
    assert_ok(theater_actor_upgrade(runtime, "counter", &upgrade, NULL, &error));
    test_send(runtime, "counter", "inc");
    theater_runtime_close(runtime);
    theater_folder *read = test_read(folder);
    uint64_t id = test_actor(read, "counter").id;
    for (uint64_t sequence = 0; sequence < 4; sequence++) {
        theater_trial trial;
        assert_ok(theater_rerun(read, id, sequence, &trial, &error));
        assert_int_equal(trial.differences, 0);
        theater_trial_done(&trial);
    }
    theater_folder_close(read);
    test_remove(folder);
}

/* The stack of a recorder is 1 MiB and that of a reader 4 MiB, so some depths overflow only the first. */
static void states_behind_an_undecided_rejection_are_reached(void **state)
{
    (void)state;
    char *folder = test_folder();
    theater_runtime *runtime = test_open(folder, 0);
    size_t size;
    uint8_t *binary = test_file(TH_FIXTURES "/recursion.wasm", &size);
    theater_actor_options options = {.name = "deep", .component = {binary, size}};
    assert_ok(theater_actor_start(runtime, &options, NULL, &error));
    th_free(binary);
    uint64_t last = 0;
    uint8_t depth[4];
    theater_message message = {.actor = "deep", .input = th_slice_of(depth, sizeof depth)};
    theater_answer answer;
    theater_status status = THEATER_OK;
    for (uint32_t n = 1000; status == THEATER_OK; n += n / 4, last++) {
        th_put_u32le(depth, n);
        status = theater_send(runtime, &message, &answer, &error);
        theater_answer_done(&answer);
    }
    assert_int_equal(status, THEATER_REJECTED);
    th_put_u32le(depth, 5);
    assert_ok(theater_send(runtime, &message, &answer, &error));
    theater_answer_done(&answer);
    theater_runtime_close(runtime);

    theater_folder *read = test_read(folder);
    uint64_t id = test_actor(read, "deep").id;
    theater_trial trial;
    assert_ok(theater_rerun(read, id, last, &trial, &error));
    assert_true(trial.differences & THEATER_DIFFERS_UNDECIDED);
    theater_trial_done(&trial);
    assert_ok(theater_rerun(read, id, last + 1, &trial, &error));
    assert_int_equal(trial.differences, 0);
    theater_trial_done(&trial);
    theater_bytes bytes;
    assert_ok(theater_state_at(read, id, last + 1, &bytes, &error));
    theater_bytes_free(&bytes);
    theater_folder_close(read);
    test_remove(folder);
}

static void differences_have_words(void **state)
{
    (void)state;
    assert_string_equal(theater_difference_text(THEATER_DIFFERS_OUTPUT), "output");
    assert_string_equal(theater_difference_text(THEATER_DIFFERS_UNDECIDED), "undecided");
    assert_null(theater_difference_text(0));
    assert_null(theater_difference_text(THEATER_DIFFERS_OUTPUT | THEATER_DIFFERS_FUEL));
    assert_null(theater_difference_text(1 << 9));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_turn_comes_out_as_recorded),
        cmocka_unit_test(an_input_runs_on_any_state_and_is_not_recorded),
        cmocka_unit_test(messages_come_with_their_payloads),
        cmocka_unit_test(an_upgrade_is_run_again_and_states_behind_it_reached),
        cmocka_unit_test(states_behind_an_undecided_rejection_are_reached),
        cmocka_unit_test(differences_have_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
