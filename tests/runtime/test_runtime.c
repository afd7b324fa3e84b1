/* What the runtime promises to those who start actors and send messages, over the stand-in machine. */
#include "bench.h"

#include "runtime/submissions.h"
#include "runtime/subscribe.h"

#include <stdio.h>
#include <stdlib.h>

static void test_message_gets_its_answer(void **state)
{
    theater_runtime *runtime = bench_open(NULL);
    bench_counter(runtime, "a");
    bench_expect(runtime, "a", "add 3", "3");
    bench_expect(runtime, "a", "add 4", "7");
    assert_int_equal(bench_count(runtime, "a"), 7);
    theater_runtime_close(runtime);
}

static void test_rejection_names_code_and_text_and_keeps_the_state(void **state)
{
    theater_runtime *runtime = bench_open(NULL);
    bench_counter(runtime, "a");
    theater_answer answer;
    theater_error error = {0};
    theater_message message = {.actor = "a", .input = {(const uint8_t *)"add 5; fail not today", 21}};
    assert_int_equal(theater_send(runtime, &message, &answer, &error), THEATER_REJECTED);
    assert_int_equal(answer.reject_code, 1);
    assert_string_equal(error.message, "not today");
    assert_int_equal(answer.sequence, 1);
    theater_answer_done(&answer);
    char out[256];
    assert_int_equal(bench_send(runtime, "a", "trap memory", out), THEATER_REJECTED);
    assert_string_equal(out, "memory");
    assert_int_equal(bench_send(runtime, "a", "loop", out), THEATER_REJECTED);
    assert_string_equal(out, "out of fuel");
    assert_int_equal(bench_send(runtime, "a", "invalid", out), THEATER_REJECTED);
    assert_string_equal(out, "invalid state");
    assert_int_equal(bench_count(runtime, "a"), 0);
    theater_runtime_close(runtime);
}

static void test_bad_names_and_ids_are_refused(void **state)
{
    theater_runtime *runtime = bench_open(NULL);
    theater_error error = {0};
    assert_int_equal(bench_start(runtime, "No Name", "standin:counter", "", &error),
                     THEATER_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "No Name"));
    bench_counter(runtime, "a");
    assert_int_equal(bench_start(runtime, "a", "standin:counter", "", &error), THEATER_EXISTS);
    char out[256];
    assert_int_equal(bench_send(runtime, "nobody", "add 1", out), THEATER_NOT_FOUND);
    assert_int_equal(bench_send(runtime, "a..b", "add 1", out), THEATER_INVALID_ARGUMENT);
    uint8_t id[65] = {1};
    theater_answer answer;
    theater_message message = {.actor = "a", .id = {id, sizeof id}};
    assert_int_equal(theater_send(runtime, &message, &answer, &error), THEATER_INVALID_ARGUMENT);
    theater_runtime_close(runtime);
}

static void test_start_that_fails_leaves_no_actor(void **state)
{
    theater_runtime *runtime = bench_open(NULL);
    theater_error error = {0};
    assert_int_equal(bench_start(runtime, "a", "standin:counter init=error", "", &error),
                     THEATER_ACTOR_FAILED);
    assert_int_equal(bench_start(runtime, "a", "standin:counter init=trap", "", &error),
                     THEATER_ACTOR_FAILED);
    assert_int_equal(bench_start(runtime, "a", "standin:counter init=invalid", "", &error),
                     THEATER_ACTOR_FAILED);
    assert_int_equal(bench_start(runtime, "a", "standin:counter init=loop", "", &error),
                     THEATER_ACTOR_FAILED);
    assert_int_equal(bench_start(runtime, "a", "no component", "", &error), THEATER_COMPONENT_REFUSED);
    char out[256];
    assert_int_equal(bench_send(runtime, "a", "add 1", out), THEATER_NOT_FOUND);
    bench_counter(runtime, "a");
    bench_expect(runtime, "a", "add 1", "1");
    theater_runtime_close(runtime);
}

static void test_message_between_actors_arrives(void **state)
{
    theater_runtime *runtime = bench_open(NULL);
    bench_counter(runtime, "a");
    bench_counter(runtime, "b");
    char out[256];
    for (int i = 0; i < 100; i++)
        assert_int_equal(bench_send(runtime, "a", "add 1; send b {add 2; send a {add 10}}", out), THEATER_OK);
    bench_drain(runtime);
    assert_int_equal(bench_count(runtime, "a"), 1100);
    assert_int_equal(bench_count(runtime, "b"), 200);
    theater_runtime_close(runtime);
}

static uint64_t elements_of(theater_runtime *runtime, const char *name)
{
    theater_answer answer;
    theater_error error = {0};
    theater_message message = {.actor = name, .input = {(const uint8_t *)"add 0", 5}};
    assert_int_equal(theater_query(runtime, &message, &answer, &error), THEATER_OK);
    uint64_t sequence = answer.sequence;
    theater_answer_done(&answer);
    return sequence + 1;
}

static void test_request_gets_its_answer_also_a_rejection_and_nobody(void **state)
{
    theater_runtime *runtime = bench_open(NULL);
    bench_counter(runtime, "a");
    bench_counter(runtime, "b");
    char out[256];
    assert_int_equal(bench_send(runtime, "a", "request b {add 2}", out), THEATER_OK);
    assert_int_equal(bench_send(runtime, "a", "request b {fail no}", out), THEATER_OK);
    assert_int_equal(bench_send(runtime, "a", "request nobody {add 1}", out), THEATER_OK);
    assert_int_equal(bench_send(runtime, "a", "send nobody {add 1}", out), THEATER_OK);
    bench_drain(runtime);
    /* Genesis, four messages, three answers. */
    assert_int_equal(elements_of(runtime, "a"), 8);
    assert_int_equal(elements_of(runtime, "b"), 3);
    theater_runtime_close(runtime);
}

static void test_stopped_actor_keeps_messages_and_refuses_clients(void **state)
{
    theater_runtime *runtime = bench_open(NULL);
    theater_error error = {0};
    bench_counter(runtime, "a");
    bench_counter(runtime, "b");
    assert_int_equal(theater_actor_stop(runtime, "b", &error), THEATER_OK);
    assert_int_equal(theater_actor_stop(runtime, "b", &error), THEATER_OK);
    char out[256];
    assert_int_equal(bench_send(runtime, "b", "add 1", out), THEATER_STOPPED);
    assert_int_equal(bench_send(runtime, "a", "send b {add 7}", out), THEATER_OK);
    bench_drain(runtime);
    assert_int_equal(bench_count(runtime, "b"), 0);
    assert_int_equal(theater_actor_resume(runtime, "b", &error), THEATER_OK);
    bench_drain(runtime);
    assert_int_equal(bench_count(runtime, "b"), 7);
    theater_runtime_close(runtime);
}

static void test_removed_actor_answers_requests_and_keeps_its_name(void **state)
{
    theater_runtime *runtime = bench_open(NULL);
    theater_error error = {0};
    bench_counter(runtime, "a");
    bench_counter(runtime, "b");
    assert_int_equal(theater_actor_stop(runtime, "b", &error), THEATER_OK);
    char out[256];
    assert_int_equal(bench_send(runtime, "a", "request b {add 1}; request b {add 2}; send b {add 3}", out),
                     THEATER_OK);
    bench_drain(runtime);
    assert_int_equal(elements_of(runtime, "a"), 2);
    assert_int_equal(theater_actor_remove(runtime, "b", &error), THEATER_OK);
    bench_drain(runtime);
    assert_int_equal(elements_of(runtime, "a"), 4);
    assert_int_equal(bench_send(runtime, "b", "add 1", out), THEATER_NOT_FOUND);
    assert_int_equal(theater_actor_remove(runtime, "b", &error), THEATER_NOT_FOUND);
    assert_int_equal(bench_start(runtime, "b", "standin:counter", "", &error), THEATER_EXISTS);
    assert_non_null(strstr(error.message, "removed"));
    theater_runtime_close(runtime);
}

static void test_same_id_runs_once(void **state)
{
    theater_runtime *runtime = bench_open(NULL);
    bench_counter(runtime, "a");
    theater_error error = {0};
    theater_message message = {
        .actor = "a", .input = {(const uint8_t *)"add 5", 5}, .id = {(const uint8_t *)"k1", 2}};
    theater_answer first, again;
    assert_int_equal(theater_send(runtime, &message, &first, &error), THEATER_OK);
    assert_false(first.repeated);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(theater_send(runtime, &message, &again, &error), THEATER_OK);
        assert_true(again.repeated);
        assert_int_equal(again.sequence, first.sequence);
        assert_memory_equal(again.element.bytes, first.element.bytes, 32);
        assert_int_equal(again.output.size, first.output.size);
        assert_memory_equal(again.output.data, first.output.data, first.output.size);
        theater_answer_done(&again);
    }
    theater_answer_done(&first);
    assert_int_equal(bench_count(runtime, "a"), 5);
    theater_runtime_close(runtime);
}

static void test_upgrade_changes_what_runs_and_refuses_a_bad_state(void **state)
{
    theater_runtime *runtime = bench_open(NULL);
    theater_error error = {0};
    bench_counter(runtime, "a");
    bench_expect(runtime, "a", "add 50", "50");
    const char *small = "standin:counter max=10", *large = "standin:counter max=100";
    theater_upgrade_options options = {
        .component = {(const uint8_t *)small, strlen(small)}, .keep_config = true, .keep_limits = true};
    assert_int_equal(theater_actor_upgrade(runtime, "a", &options, NULL, &error), THEATER_ACTOR_FAILED);
    bench_expect(runtime, "a", "add 1", "51");
    options.component = (theater_slice){(const uint8_t *)large, strlen(large)};
    assert_int_equal(theater_actor_upgrade(runtime, "a", &options, NULL, &error), THEATER_OK);
    char out[256];
    assert_int_equal(bench_send(runtime, "a", "add 50", out), THEATER_REJECTED);
    bench_expect(runtime, "a", "add 49", "100");
    theater_runtime_close(runtime);
}

typedef struct flood_count {
    _Atomic int answered, good;
} flood_count;

static void flood_answer(void *context, theater_answer *answer)
{
    flood_count *flood = context;
    flood->good += answer->status == THEATER_OK;
    flood->answered++;
}

static void test_full_mailbox_refuses_and_answers_what_it_took(void **state)
{
    theater_runtime *runtime = bench_open(&(theater_runtime_options){.mailbox_messages = 8, .workers = 1});
    bench_counter(runtime, "a");
    flood_count flood = {0};
    int taken = 0, full = 0;
    for (int i = 0; i < 20000; i++) {
        theater_message message = {.actor = "a", .input = {(const uint8_t *)"burn 100", 8}};
        theater_error error = {0};
        theater_status status = theater_submit(runtime, &message, flood_answer, &flood, &error);
        taken += status == THEATER_OK;
        full += status == THEATER_MAILBOX_FULL;
        assert_true(status == THEATER_OK || status == THEATER_MAILBOX_FULL);
    }
    bench_drain(runtime);
    assert_int_equal(flood.answered, taken);
    assert_int_equal(flood.good, taken);
    assert_true(full > 0);
    theater_runtime_close(runtime);
}

typedef struct group {
    th_submissions *submissions;
    theater_message again; /* what a refusal adds */
    int full, unknown;
    _Atomic int answered, in_order, told, told_of;
    uint64_t last;
} group;

static void group_answer(void *context, theater_answer *answer)
{
    group *all = context;
    assert_int_equal(answer->status, THEATER_OK);
    all->in_order += answer->sequence == ++all->last;
    all->answered++;
}

static void group_told(void *context)
{
    group *all = context;
    all->told_of = all->answered;
    all->told++;
}

static void group_refused(void *context, const theater_error *error)
{
    group *all = context;
    all->full += error->status == THEATER_MAILBOX_FULL;
    all->unknown += error->status == THEATER_NOT_FOUND;
    theater_error none;
    if (all->again.actor)
        assert_int_equal(
            th_submissions_add(all->submissions, false, &all->again, group_answer, all, &none), THEATER_OK);
    all->again.actor = NULL;
}

static void test_messages_that_go_in_together_are_taken_in_order_or_refused(void **state)
{
    theater_runtime *runtime = bench_open(&(theater_runtime_options){.mailbox_messages = 8});
    bench_counter(runtime, "a");
    theater_error error = {0};
    theater_message message = {.actor = "a", .input = {(const uint8_t *)"add 1", 5}}, nobody = message, bad = message;
    nobody.actor = "nobody";
    bad.actor = "No Name";
    group all = {.again = message};
    th_runtime_on_answers(runtime, group_told, &all);
    assert_int_equal(th_submissions_new(runtime, &all.submissions, &error), THEATER_OK);
    th_submissions_run(all.submissions, group_refused); /* nothing */
    assert_int_equal(th_submissions_add(all.submissions, false, &bad, group_answer, &all, &error), THEATER_INVALID_ARGUMENT);
    assert_int_equal(th_submissions_add(all.submissions, false, &nobody, group_answer, &all, &error), THEATER_OK);
    for (int i = 0; i < 20; i++)
        assert_int_equal(th_submissions_add(all.submissions, false, &message, group_answer, &all, &error), THEATER_OK);
    assert_int_equal(th_submissions_count(all.submissions), 21);
    /* All come under one lock, so no worker can make room in between. */
    th_submissions_run(all.submissions, group_refused);
    assert_int_equal(all.unknown, 1);
    assert_int_equal(all.full, 12);
    assert_int_equal(th_submissions_count(all.submissions), 1); /* added by a refusal: for the next time */
    bench_drain(runtime);
    assert_int_equal(all.answered, 8);
    th_submissions_run(all.submissions, group_refused);
    bench_drain(runtime);
    assert_int_equal(all.answered, 9);
    assert_int_equal(all.in_order, 9);
    assert_int_equal(bench_count(runtime, "a"), 9);
    th_submissions_free(all.submissions);
    theater_runtime_close(runtime);
    /* Told behind the last of them. */
    assert_int_equal(all.told_of, 9);
    assert_true(all.told > 0);
}

/* More messages than the window holds wait in the log and come in order. */
static void test_backlog_past_the_window_is_delivered_once_and_in_order(void **state)
{
    theater_runtime *runtime = bench_open(&(theater_runtime_options){.undelivered_max = 100000});
    theater_error error = {0};
    bench_counter(runtime, "a");
    bench_counter(runtime, "b");
    assert_int_equal(theater_actor_stop(runtime, "b", &error), THEATER_OK);
    char out[256];
    for (int i = 0; i < 50; i++)
        assert_int_equal(bench_send(runtime, "a", "repeat 100 {send b {add 1}}", out), THEATER_OK);
    assert_int_equal(theater_actor_resume(runtime, "b", &error), THEATER_OK);
    bench_drain(runtime);
    assert_int_equal(bench_count(runtime, "b"), 5000);
    theater_runtime_close(runtime);
}

static void test_gated_sender_goes_on_when_the_backlog_falls(void **state)
{
    theater_runtime *runtime = bench_open(&(theater_runtime_options){.undelivered_max = 20});
    bench_counter(runtime, "a");
    bench_counter(runtime, "b");
    flood_count flood = {0};
    for (int i = 0; i < 200; i++) {
        theater_message message = {.actor = "a",
                                   .input = {(const uint8_t *)"repeat 10 {send b {add 1}}", 26}};
        while (theater_submit(runtime, &message, flood_answer, &flood, NULL) == THEATER_MAILBOX_FULL)
            bench_drain(runtime);
    }
    bench_drain(runtime);
    assert_int_equal(flood.good, 200);
    assert_int_equal(bench_count(runtime, "b"), 2000);
    theater_runtime_close(runtime);
}

static void test_everything_is_there_after_a_restart(void **state)
{
    const char *folder = bench_folder("restart");
    theater_runtime_options options = {.folder = folder};
    theater_runtime *runtime = bench_open(&options);
    theater_error error = {0};
    bench_counter(runtime, "a");
    bench_counter(runtime, "b");
    for (int i = 0; i < 500; i++)
        bench_expect(runtime, "a", "set 9; random 4; out 1; grow 10", "o");
    assert_int_equal(theater_actor_stop(runtime, "b", &error), THEATER_OK);
    char out[256];
    assert_int_equal(bench_send(runtime, "a", "request b {add 3}", out), THEATER_OK);
    theater_runtime_close(runtime);
    runtime = bench_open(&options);
    assert_int_equal(bench_count(runtime, "a"), 9);
    assert_int_equal(elements_of(runtime, "a"), 502);
    assert_int_equal(bench_send(runtime, "b", "add 1", out), THEATER_STOPPED);
    assert_int_equal(theater_actor_resume(runtime, "b", &error), THEATER_OK);
    bench_drain(runtime);
    assert_int_equal(bench_count(runtime, "b"), 3);
    assert_int_equal(elements_of(runtime, "a"), 503);
    theater_runtime_close(runtime);
}

static void test_parked_actors_come_back(void **state)
{
    theater_runtime *runtime = bench_open(&(theater_runtime_options){.active_actors = 5});
    char name[16];
    for (int i = 0; i < 60; i++) {
        snprintf(name, sizeof name, "a%d", i);
        bench_counter(runtime, name);
        bench_expect(runtime, name, "add 2", "2");
    }
    theater_metrics metrics;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 60; i++) {
            snprintf(name, sizeof name, "a%d", i);
            assert_int_equal(bench_count(runtime, name), 2 + round);
            char out[256];
            assert_int_equal(bench_send(runtime, name, "add 1", out), THEATER_OK);
        }
    }
    theater_runtime_metrics(runtime, &metrics);
    assert_true(metrics.parks > 0);
    assert_true(metrics.activations > 0);
    theater_runtime_close(runtime);
}

static void test_close_cancels_what_waits(void **state)
{
    theater_runtime *runtime = bench_open(&(theater_runtime_options){.workers = 1});
    bench_counter(runtime, "a");
    flood_count flood = {0};
    int taken = 0;
    for (int i = 0; i < 1000; i++) {
        theater_message message = {.actor = "a", .input = {(const uint8_t *)"burn 1000", 9}};
        taken += theater_submit(runtime, &message, flood_answer, &flood, NULL) == THEATER_OK;
    }
    theater_runtime_close(runtime);
    assert_int_equal(flood.answered, taken);
}

static void test_checkpoint_is_signed_and_grows(void **state)
{
    const char *folder = bench_folder("checkpoint");
    theater_runtime *runtime =
        bench_open(&(theater_runtime_options){.folder = folder, .origin = "example.org"});
    bench_counter(runtime, "a");
    theater_error error = {0};
    theater_bytes first = {0}, second = {0};
    assert_int_equal(theater_checkpoint(runtime, "a", &first, &error), THEATER_OK);
    bench_expect(runtime, "a", "add 1", "1");
    assert_int_equal(theater_checkpoint(runtime, "a", &second, &error), THEATER_OK);
    char text[512];
    snprintf(text, sizeof text, "%.*s", (int)second.size, (const char *)second.data);
    assert_memory_equal(text, "example.org/a/", 14);
    assert_non_null(strstr(text, "\n2\n"));
    theater_bytes_free(&first);
    theater_bytes_free(&second);
    theater_runtime_close(runtime);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message_gets_its_answer),
        cmocka_unit_test(test_rejection_names_code_and_text_and_keeps_the_state),
        cmocka_unit_test(test_bad_names_and_ids_are_refused),
        cmocka_unit_test(test_start_that_fails_leaves_no_actor),
        cmocka_unit_test(test_message_between_actors_arrives),
        cmocka_unit_test(test_request_gets_its_answer_also_a_rejection_and_nobody),
        cmocka_unit_test(test_stopped_actor_keeps_messages_and_refuses_clients),
        cmocka_unit_test(test_removed_actor_answers_requests_and_keeps_its_name),
        cmocka_unit_test(test_same_id_runs_once),
        cmocka_unit_test(test_upgrade_changes_what_runs_and_refuses_a_bad_state),
        cmocka_unit_test(test_full_mailbox_refuses_and_answers_what_it_took),
        cmocka_unit_test(test_messages_that_go_in_together_are_taken_in_order_or_refused),
        cmocka_unit_test(test_backlog_past_the_window_is_delivered_once_and_in_order),
        cmocka_unit_test(test_gated_sender_goes_on_when_the_backlog_falls),
        cmocka_unit_test(test_everything_is_there_after_a_restart),
        cmocka_unit_test(test_parked_actors_come_back),
        cmocka_unit_test(test_close_cancels_what_waits),
        cmocka_unit_test(test_checkpoint_is_signed_and_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
