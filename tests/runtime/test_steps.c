/* Workers, committer and indexer, whose steps the test takes one by one: what holds in the orders that threads take
 * seldom. Over the simulated machine, of which a call that waits runs the tasks by lot, and nothing else does. */
#include "bench.h"

#include <stdio.h>
#include <string.h>

#include "port/simulation.h"
#include "standin.h"
#include "store/store_internal.h"

typedef struct bench_steps {
    th_simulation *simulation;
    th_index_memory *index;
    th_standin standin;
    th_machine machine; /* the stand-in, but for `in_turn` */
    theater_runtime_options options;
    theater_runtime *runtime;
} bench_steps;

static bench_steps *in_turn_context;
static void (*in_turn)(bench_steps *self); /* called once, in the next turn that handles a message */
static bool other_output;                  /* a turn gives another output than its input says */
static th_machine standin_machine;

static th_engine_outcome handle(void *turn, th_engine_bytes input, th_engine_bytes state, th_engine_result *ret)
{
    void (*call)(bench_steps *self) = in_turn;
    in_turn = NULL;
    if (call)
        call(in_turn_context);
    th_engine_outcome outcome = standin_machine.handle(turn, input, state, ret);
    if (other_output)
        ret->output = (th_engine_bytes){(const uint8_t *)"other", 5};
    return outcome;
}

static void open_runtime(bench_steps *self)
{
    theater_error error = {0};
    th_runtime_config config = {
        .options = self->options,
        .port = th_simulation_port(self->simulation),
        .machine = &self->machine,
        .index = self->index,
        .segment_bytes = 1, /* each commit takes new room on the disk */
    };
    config.options.folder = "data";
    config.options.workers = 1;
    if (th_runtime_open(&config, &self->runtime, &error))
        fail_msg("open: %s", error.message);
}

static void close_runtime(bench_steps *self)
{
    theater_runtime_close(self->runtime);
    self->runtime = NULL;
}

static void begin(bench_steps *self, const theater_runtime_options *options)
{
    theater_error error = {0};
    *self = (bench_steps){.options = options ? *options : (theater_runtime_options){0}};
    th_standin_init(&self->standin, &standin_machine);
    self->machine = standin_machine;
    self->machine.handle = handle;
    in_turn_context = self;
    other_output = false;
    assert_int_equal(th_simulation_new(1, &self->simulation, &error), THEATER_OK);
    assert_int_equal(th_index_memory_new(&self->index, &error), THEATER_OK);
    open_runtime(self);
}

static void done(bench_steps *self)
{
    close_runtime(self);
    th_index_memory_free(self->index);
    th_simulation_free(self->simulation);
}

/* Runs the tasks until none has anything to do. */
static void settle(bench_steps *self)
{
    const uint64_t most = 100000;
    assert_true(th_simulation_run(self->simulation, most) < most);
}

static th_step work(bench_steps *self)
{
    uint64_t deadline = 0;
    return th_worker_step(&self->runtime->workers[0], &deadline);
}

static th_step commit(bench_steps *self)
{
    uint64_t deadline = 0;
    return th_committer_step(self->runtime, &deadline);
}

static th_step index_some(bench_steps *self)
{
    uint64_t deadline = 0;
    return th_indexer_step(self->runtime, &deadline);
}

/* With counters "a" and, if there are two, "b", all of whose records are committed. */
static void begin_counters(bench_steps *self, unsigned count)
{
    static const char *const names[] = {"a", "b"};
    begin(self, NULL);
    for (unsigned i = 0; i < count; i++)
        bench_counter(self->runtime, names[i]);
    settle(self);
}

static void set_disk_full(bench_steps *self, bool full)
{
    th_simulation_set_faults(self->simulation, &(th_simulation_faults){.disk_bytes = full});
}

/* The next commit finds no room; afterwards there is some. */
static void fail_commit(bench_steps *self)
{
    set_disk_full(self, true);
    assert_int_equal(commit(self), TH_STEP_AGAIN);
    assert_int_equal(theater_runtime_health(self->runtime, NULL), THEATER_NO_SPACE);
    set_disk_full(self, false);
}

/* ---- messages of which nobody waits for the answer ------------------------------------------------------ */

typedef struct told {
    bool answered, repeated;
    theater_status status;
    uint64_t sequence;
    char text[sizeof(((theater_error *)NULL)->message)]; /* the output, or the words of the error */
} told;

static void answered(void *context, theater_answer *answer)
{
    told *self = context;
    assert_false(self->answered);
    *self = (told){.answered = true,
                   .repeated = answer->repeated,
                   .status = answer->status,
                   .sequence = answer->sequence};
    if (answer->status)
        snprintf(self->text, sizeof self->text, "%s", answer->error.message);
    else
        snprintf(self->text, sizeof self->text, "%.*s", (int)answer->output.size,
                 (const char *)answer->output.data);
}

static void submit_with_id(bench_steps *self, const char *actor, const char *input, const char *id, told *ret)
{
    theater_error error = {0};
    *ret = (told){0};
    theater_message message = {.actor = actor, .input = th_slice_text(input), .id = th_slice_text(id)};
    if (theater_submit(self->runtime, &message, answered, ret, &error))
        fail_msg("submit to %s: %s", actor, error.message);
}

static void submit(bench_steps *self, const char *actor, const char *input, told *ret)
{
    submit_with_id(self, actor, input, "", ret);
}

static void expect_told(const told *answer, uint64_t sequence, const char *output)
{
    assert_true(answer->answered);
    if (answer->status)
        fail_msg("%s: %s", theater_status_name(answer->status), answer->text);
    assert_int_equal(answer->sequence, sequence);
    assert_string_equal(answer->text, output);
}

/* ---- after a commit that failed ------------------------------------------------------------------------- */

static void test_slice_that_a_failed_commit_overtook_is_discarded(void **state)
{
    bench_steps self;
    told first, second, third;
    begin_counters(&self, 1);
    submit(&self, "a", "add 1", &first);
    assert_int_equal(work(&self), TH_STEP_AGAIN);
    submit(&self, "a", "add 2", &second);
    in_turn = fail_commit;
    assert_int_equal(work(&self), TH_STEP_AGAIN);
    /* The element of the first is gone, so that of the second, which names it, must not come. */
    assert_int_equal(first.status, THEATER_NO_SPACE);
    assert_true(second.answered);
    assert_int_equal(second.status, THEATER_NO_SPACE);
    settle(&self);
    submit(&self, "a", "add 4", &third);
    settle(&self);
    expect_told(&third, 1, "4");
    done(&self);
}

static void test_start_whose_commit_failed_leaves_no_actor(void **state)
{
    bench_steps self;
    theater_error error = {0};
    char out[256];
    begin_counters(&self, 1);
    set_disk_full(&self, true);
    assert_int_equal(bench_start(self.runtime, "b", "standin:counter", "", &error), THEATER_NO_SPACE);
    set_disk_full(&self, false);
    settle(&self);
    assert_int_equal(bench_send(self.runtime, "b", "add 1", out), THEATER_NOT_FOUND);
    assert_int_equal(bench_send(self.runtime, "a", "request b {add 1}", out), THEATER_OK);
    bench_counter(self.runtime, "b");
    bench_expect(self.runtime, "b", "add 1", "1");
    done(&self);
}

static void test_stop_and_removal_whose_commit_failed_did_not_happen(void **state)
{
    bench_steps self;
    theater_error error = {0};
    begin_counters(&self, 2);
    set_disk_full(&self, true);
    assert_int_equal(theater_actor_stop(self.runtime, "a", &error), THEATER_NO_SPACE);
    set_disk_full(&self, false);
    settle(&self);
    bench_expect(self.runtime, "a", "add 1", "1");
    settle(&self);
    set_disk_full(&self, true);
    assert_int_equal(theater_actor_remove(self.runtime, "b", &error), THEATER_NO_SPACE);
    set_disk_full(&self, false);
    settle(&self);
    bench_expect(self.runtime, "b", "add 2", "2");
    done(&self);
}

static void test_message_whose_commit_failed_was_not_sent(void **state)
{
    bench_steps self;
    told answer;
    begin_counters(&self, 2);
    submit(&self, "a", "send b {add 1}", &answer);
    assert_int_equal(work(&self), TH_STEP_AGAIN);
    fail_commit(&self);
    settle(&self);
    assert_int_equal(answer.status, THEATER_NO_SPACE);
    bench_drain(self.runtime); /* nothing counts as undelivered */
    assert_int_equal(bench_count(self.runtime, "b"), 0);
    done(&self);
}

static void test_message_whose_turn_was_discarded_is_delivered_again(void **state)
{
    bench_steps self;
    told answer;
    begin_counters(&self, 2);
    submit(&self, "a", "request b {add 1}", &answer);
    assert_int_equal(work(&self), TH_STEP_AGAIN);
    assert_int_equal(commit(&self), TH_STEP_AGAIN);
    assert_int_equal(answer.status, THEATER_OK);
    assert_int_equal(work(&self), TH_STEP_AGAIN); /* b's turn */
    fail_commit(&self);
    settle(&self);
    bench_drain(self.runtime);
    assert_int_equal(bench_count(self.runtime, "b"), 1);
    told next;
    submit(&self, "b", "add 1", &next);
    settle(&self);
    expect_told(&next, 2, "2");
    done(&self);
}

/* ---- before the index covers it ------------------------------------------------------------------------- */

static void test_known_id_is_answered_when_the_index_covers_its_element(void **state)
{
    bench_steps self;
    told first, again, other;
    begin_counters(&self, 2);
    submit(&self, "b", "add 1", &other);
    assert_int_equal(work(&self), TH_STEP_AGAIN);
    assert_int_equal(commit(&self), TH_STEP_AGAIN);
    submit_with_id(&self, "a", "add 5", "k", &first);
    assert_int_equal(work(&self), TH_STEP_AGAIN);
    submit_with_id(&self, "a", "add 5", "k", &again);
    assert_int_equal(work(&self), TH_STEP_AGAIN);
    /* Of the two only b's element is committed. */
    assert_int_equal(index_some(&self), TH_STEP_AGAIN);
    assert_int_equal(index_some(&self), TH_STEP_IDLE);
    assert_false(again.answered);
    assert_int_equal(commit(&self), TH_STEP_AGAIN);
    expect_told(&first, 1, "5");
    assert_false(again.answered);
    assert_int_equal(index_some(&self), TH_STEP_AGAIN);
    expect_told(&again, 1, "5");
    assert_true(again.repeated);
    done(&self);
}

static void test_messages_with_known_ids_that_wait_for_the_index_are_bounded(void **state)
{
    const size_t count = TH_REPEATS_MAX + 1;
    bench_steps self;
    told first, *again = calloc(count, sizeof *again);
    assert_non_null(again);
    begin_counters(&self, 1);
    submit_with_id(&self, "a", "add 5", "k", &first);
    assert_int_equal(work(&self), TH_STEP_AGAIN);
    for (size_t i = 0; i < count; i++) {
        submit_with_id(&self, "a", "add 5", "k", &again[i]);
        if (i % TH_SLICE_ITEMS == 0 || i + 1 == count)
            assert_int_equal(work(&self), TH_STEP_AGAIN);
    }
    assert_false(again[count - 2].answered);
    assert_int_equal(again[count - 1].status, THEATER_MAILBOX_FULL);
    settle(&self);
    for (size_t i = 0; i + 1 < count; i++) {
        expect_told(&again[i], 1, "5");
        assert_true(again[i].repeated);
    }
    free(again);
    done(&self);
}

/* In one slice an element of the actor is recorded, and a turn fails in the machine: its instance is dropped. */
static void drop_instance(bench_steps *self, told *ret_good, told *ret_bad)
{
    bench_counter(self->runtime, "a");
    settle(self);
    submit(self, "a", "add 1", ret_good);
    submit(self, "a", "engine-fail", ret_bad);
    assert_int_equal(work(self), TH_STEP_AGAIN);
}

static void test_instance_that_was_dropped_is_loaded_when_the_index_covers_its_last_element(void **state)
{
    bench_steps self;
    theater_error error = {0};
    told good, bad, next;
    begin(&self, NULL);
    drop_instance(&self, &good, &bad);
    assert_int_equal(work(&self), TH_STEP_AGAIN);
    assert_int_equal(bad.status, THEATER_ENGINE_FAILED);
    assert_int_equal(theater_actor_resume(self.runtime, "a", &error), THEATER_OK);
    submit(&self, "a", "add 2", &next);
    settle(&self);
    expect_told(&good, 1, "1");
    expect_told(&next, 2, "3");
    done(&self);
}

static void test_instance_that_was_dropped_is_signed_when_the_index_covers_its_last_element(void **state)
{
    bench_steps self;
    theater_error error = {0};
    told good, bad;
    theater_bytes note;
    char text[512];
    begin(&self, NULL);
    drop_instance(&self, &good, &bad);
    assert_int_equal(theater_checkpoint(self.runtime, "a", &note, &error), THEATER_OK);
    snprintf(text, sizeof text, "%.*s", (int)note.size, (const char *)note.data);
    assert_non_null(strstr(text, "\n2\n")); /* elements */
    theater_bytes_free(&note);
    settle(&self);
    expect_told(&good, 1, "1");
    assert_int_equal(bad.status, THEATER_ENGINE_FAILED);
    done(&self);
}

/* ---- loading -------------------------------------------------------------------------------------------- */

static void expect_refused(bench_steps *self, const char *words)
{
    told answer;
    submit(self, "a", "add 1", &answer);
    settle(self);
    assert_int_equal(answer.status, THEATER_CORRUPT);
    if (!strstr(answer.text, words))
        fail_msg("\"%s\" does not say \"%s\"", answer.text, words);
}

static void test_actor_whose_tail_comes_out_otherwise_is_not_loaded(void **state)
{
    bench_steps self;
    begin(&self, NULL);
    bench_counter(self.runtime, "a");
    bench_expect(self.runtime, "a", "add 1", "1");
    close_runtime(&self);
    other_output = true;
    open_runtime(&self);
    expect_refused(&self, "actor a does not come out as its chain says at element 1");
    close_runtime(&self);
    other_output = false;
    self.standin.fuel_factor = 2;
    open_runtime(&self);
    expect_refused(&self, "actor a does not come out as its chain says at element 0");
    close_runtime(&self);
    self.standin.fuel_factor = 1;
    open_runtime(&self);
    bench_expect(self.runtime, "a", "add 1", "2");
    done(&self);
}

/* Flips a bit of the head that the index has of the actor with the id 1. */
static void change_head(bench_steps *self)
{
    theater_error error = {0};
    th_kv_change change;
    th_key key;
    th_slice value;
    th_actor_row row;
    uint8_t bytes[TH_ACTOR_ROW_MAX];
    bool found;
    th_key_begin(&key, TH_TABLE_ACTOR);
    th_key_number(&key, 1);
    assert_int_equal(th_kv_change_begin(self->runtime->store->kv, 1 << 20, &change, &error), THEATER_OK);
    assert_int_equal(th_kv_change_get(&change, th_key_slice(&key), &found, &value, &error), THEATER_OK);
    assert_true(found && th_actor_row_decode(1, value, &row));
    row.info.head_hash.bytes[7] ^= 1;
    size_t size = th_actor_row_encode(&row, bytes);
    assert_int_equal(th_kv_map_put(change.changes, th_key_slice(&key), th_slice_of(bytes, size), &error),
                     THEATER_OK);
    assert_int_equal(th_kv_change_commit(&change, &error), THEATER_OK);
    th_kv_change_end(&change);
}

static void test_actor_whose_head_is_not_what_the_index_says_is_not_loaded(void **state)
{
    for (int snapshots = 0; snapshots < 2; snapshots++) {
        bench_steps self;
        begin(&self, &(theater_runtime_options){.snapshot_bytes = snapshots});
        bench_counter(self.runtime, "a");
        bench_expect(self.runtime, "a", "add 1", "1");
        close_runtime(&self);
        open_runtime(&self);
        change_head(&self);
        expect_refused(&self, "actor a: the head of its chain is not what the index says");
        change_head(&self);
        theater_error error = {0};
        assert_int_equal(theater_actor_resume(self.runtime, "a", &error), THEATER_OK);
        bench_expect(self.runtime, "a", "add 1", "2");
        done(&self);
    }
}

/* ---- bounds --------------------------------------------------------------------------------------------- */

static void test_clients_of_a_sender_wait_while_its_receiver_is_behind(void **state)
{
    bench_steps self;
    theater_error error = {0};
    told first, waits, other;
    begin(&self, &(theater_runtime_options){.undelivered_max = 4});
    bench_counter(self.runtime, "a");
    bench_counter(self.runtime, "b");
    bench_counter(self.runtime, "c");
    assert_int_equal(theater_actor_stop(self.runtime, "b", &error), THEATER_OK);
    submit(&self, "a", "repeat 5 {send b {add 1}}", &first);
    settle(&self);
    expect_told(&first, 1, "0");
    submit(&self, "a", "add 1", &waits);
    submit(&self, "c", "send a {add 10}", &other);
    settle(&self);
    assert_false(waits.answered);
    assert_int_equal(bench_count(self.runtime, "a"), 10); /* what has a cause runs, and queries do */
    assert_int_equal(theater_actor_resume(self.runtime, "b", &error), THEATER_OK);
    settle(&self);
    expect_told(&waits, 3, "11");
    assert_int_equal(bench_count(self.runtime, "b"), 5);
    done(&self);
}

static void test_nothing_runs_while_too_much_is_not_committed(void **state)
{
    bench_steps self;
    told first, second;
    begin(&self, &(theater_runtime_options){.inflight_bytes = 1});
    bench_counter(self.runtime, "a");
    bench_counter(self.runtime, "b");
    settle(&self);
    submit(&self, "a", "add 1", &first);
    assert_int_equal(work(&self), TH_STEP_AGAIN);
    submit(&self, "b", "add 2", &second);
    assert_int_equal(work(&self), TH_STEP_IDLE);
    assert_int_equal(commit(&self), TH_STEP_AGAIN);
    expect_told(&first, 1, "1");
    assert_int_equal(work(&self), TH_STEP_AGAIN);
    settle(&self);
    expect_told(&second, 1, "2");
    /* A worker that has nothing to do for that reason is woken by the commit. */
    for (int i = 0; i < 20; i++) {
        submit(&self, "a", "send b {send a {send b {add 1}}}", &first);
        settle(&self);
    }
    assert_int_equal(bench_count(self.runtime, "b"), 22);
    done(&self);
}

/* ---- without memory ------------------------------------------------------------------------------------- */

#ifdef TH_FAULTS
/* Each allocation of a slice fails in turn. */
static void test_state_whose_element_could_not_be_recorded_is_dropped(void **state)
{
    bool failed = true;
    for (uint64_t place = 1; failed; place++) {
        bench_steps self;
        theater_error error = {0};
        told answer, next;
        begin(&self, NULL);
        bench_counter(self.runtime, "a");
        bench_counter(self.runtime, "b");
        settle(&self);
        submit(&self, "a", "add 1; request b {add 1}", &answer);
        (void)th_allocation_fail_at(place);
        (void)work(&self);
        failed = th_allocation_fail_at(0) == 0;
        settle(&self);
        assert_true(answer.answered);
        assert_int_equal(theater_actor_resume(self.runtime, "a", &error), THEATER_OK);
        submit(&self, "a", "add 1", &next);
        settle(&self);
        assert_int_equal(next.status, THEATER_OK);
        /* What is on the disk is what the actor is. */
        uint64_t count = bench_count(self.runtime, "a"), sent = bench_count(self.runtime, "b");
        close_runtime(&self);
        open_runtime(&self);
        assert_int_equal(bench_count(self.runtime, "a"), count);
        assert_int_equal(bench_count(self.runtime, "b"), sent);
        assert_int_equal(count, 1 + sent);
        done(&self);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slice_that_a_failed_commit_overtook_is_discarded),
        cmocka_unit_test(test_start_whose_commit_failed_leaves_no_actor),
        cmocka_unit_test(test_stop_and_removal_whose_commit_failed_did_not_happen),
        cmocka_unit_test(test_message_whose_commit_failed_was_not_sent),
        cmocka_unit_test(test_message_whose_turn_was_discarded_is_delivered_again),
        cmocka_unit_test(test_known_id_is_answered_when_the_index_covers_its_element),
        cmocka_unit_test(test_messages_with_known_ids_that_wait_for_the_index_are_bounded),
        cmocka_unit_test(test_instance_that_was_dropped_is_loaded_when_the_index_covers_its_last_element),
        cmocka_unit_test(test_instance_that_was_dropped_is_signed_when_the_index_covers_its_last_element),
        cmocka_unit_test(test_actor_whose_tail_comes_out_otherwise_is_not_loaded),
        cmocka_unit_test(test_actor_whose_head_is_not_what_the_index_says_is_not_loaded),
        cmocka_unit_test(test_clients_of_a_sender_wait_while_its_receiver_is_behind),
        cmocka_unit_test(test_nothing_runs_while_too_much_is_not_committed),
#ifdef TH_FAULTS
        cmocka_unit_test(test_state_whose_element_could_not_be_recorded_is_dropped),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
