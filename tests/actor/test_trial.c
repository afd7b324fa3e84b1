/* Turns that are looked at and not kept: recorded ones run again, with everything that differs, and inputs
 * that are tried. */
#include "turns.h"

#include "actor/trial.h"

#define MOST 24

static bench B;
static th_buf bytes[MOST][4];
static th_recorded recorded[MOST];
static size_t count;

static void keep(void)
{
    th_slice parts[4] = {B.produced.element, B.produced.input, B.produced.output, B.produced.effects};
    for (int i = 0; i < 4; i++) {
        th_buf_init(&bytes[count][i], SIZE_MAX);
        assert_ok(th_buf_append(&bytes[count][i], parts[i], NULL));
        parts[i] = th_buf_slice(&bytes[count][i]);
    }
    recorded[count++] = (th_recorded){parts[0], parts[1], parts[2], parts[3]};
}

static int open_bench(void **state)
{
    bench_open(&B);
    count = 0;
    return 0;
}

static int close_bench(void **state)
{
    for (size_t i = 0; i < count; i++)
        for (int part = 0; part < 4; part++)
            th_buf_done(&bytes[i][part]);
    bench_close(&B);
    return 0;
}

/* An instance behind the recorded genesis; the bench's own goes on recording. */
static th_instance *begin(void)
{
    th_instance *instance;
    th_difference difference;
    assert_ok(bench_genesis(&B, "standin:counter", "set 41; send bob x"));
    keep();
    assert_ok(th_instance_replay_genesis(&B.machine, B.component, &recorded[0], B.workspace, &instance,
                                         &difference, &B.error));
    assert_int_equal(difference, TH_SAME);
    return instance;
}

static unsigned differences(const th_instance *instance, size_t i)
{
    th_trial trial;
    assert_ok(th_trial_recorded(instance, &recorded[i], NULL, B.workspace, &trial, &B.error));
    return trial.differences;
}

static void recorded_turns_come_out_the_same_and_move_nothing(void **state)
{
    static const char *const inputs[] = {
        "add 1",
        "fail no",
        "grow 9000; touch 8000",
        "shrink 9000",
        "trap table",
        "send bob hi; log 1 x",
        "request c d",
        "verify-loop",
        "loop",
        "random 3",
        "observe",
        "invalid",
        "recurse 2000",
        "log 2 b; send a b; fail x",
        "out 5000",
        "random 65537",
    };
    th_instance *instance = begin();
    for (size_t i = 1; i <= sizeof inputs / sizeof *inputs; i++) {
        th_difference difference;
        th_trial trial;
        assert_ok(bench_handle(&B, inputs[i - 1]));
        keep();
        th_hash head = *th_instance_head(instance), root = *th_instance_state_root(instance);
        assert_ok(th_trial_recorded(instance, &recorded[i], NULL, B.workspace, &trial, &B.error));
        assert_int_equal(trial.differences, 0);
        assert_memory_equal(th_instance_head(instance), &head, sizeof head);
        assert_memory_equal(th_instance_state_root(instance), &root, sizeof root);
        assert_int_equal(th_instance_elements(instance), i);
        assert_true(th_slice_equal(trial.produced.output, recorded[i].output));
        assert_true(th_slice_equal(trial.produced.effects, recorded[i].effects));
        assert_true(th_slice_equal(trial.state, th_instance_state(B.instance)));
        assert_memory_equal(&trial.produced.state_root, th_instance_state_root(B.instance), sizeof root);
        assert_int_equal(trial.produced.state_size, th_instance_state(B.instance).size);
        assert_int_equal(trial.rejected, trial.produced.reject_code != 0);
        assert_ok(th_instance_replay(instance, &recorded[i], NULL, B.workspace, &difference, &B.error));
        assert_int_equal(difference, TH_SAME);
    }
    th_instance_free(instance);
}

static void a_genesis_and_an_upgrade_are_run_again(void **state)
{
    th_trial trial;
    th_instance *instance = begin();
    assert_ok(th_trial_genesis(&B.machine, B.component, &recorded[0], B.workspace, &trial, &B.error));
    assert_int_equal(trial.differences, 0);
    assert_int_equal(trial.produced.sent_count, 1);
    assert_memory_equal(&trial.produced.state_root, th_instance_state_root(instance), sizeof(th_hash));
    void *component = bench_compile(&B, "standin:counter max=41");
    void *other = bench_compile(&B, "standin:counter max=40");
    th_descriptor descriptor = bench_descriptor(&B, "standin:counter max=41", "");
    assert_ok(
        th_instance_upgrade(B.instance, component, &descriptor, ++B.now_ns, B.workspace, &B.produced, NULL));
    keep();
    assert_ok(th_trial_recorded(instance, &recorded[1], component, B.workspace, &trial, &B.error));
    assert_int_equal(trial.differences, 0);
    assert_false(trial.rejected);
    assert_ok(th_trial_recorded(instance, &recorded[1], other, B.workspace, &trial, &B.error));
    assert_true(trial.differences & (1u << TH_DIFFERS_TYPE));
    assert_true(trial.rejected);
    th_instance_free(instance);
    th_instance_free(B.instance);
    B.instance = NULL;
    B.machine.release(component);
    B.machine.release(other);
}

/* Everything that differs is named, not the first alone. */
static void all_differences_are_found(void **state)
{
    uint8_t room[TH_ELEMENT_MAX];
    th_element fields, good;
    th_instance *instance = begin();
    assert_ok(bench_handle(&B, "add 1; log 1 x"));
    keep();
    assert_ok(th_element_decode(recorded[1].element, &good, NULL));
    const struct {
        void *at;
        size_t size;
        th_difference difference;
    } cases[] = {
        {&fields.output, sizeof fields.output, TH_DIFFERS_OUTPUT},
        {&fields.effects, sizeof fields.effects, TH_DIFFERS_EFFECTS},
        {&fields.state_after, sizeof fields.state_after, TH_DIFFERS_STATE},
        {&fields.fuel, 1, TH_DIFFERS_FUEL},
    };
    unsigned all = 0;
    for (size_t i = 0; i < 4; i++) {
        fields = good;
        for (size_t j = 0; j < 4; j++)
            if (j == i)
                memset(cases[j].at, 0xab, cases[j].size);
        recorded[1].element = th_slice_of(room, th_element_encode(&fields, room));
        assert_int_equal(differences(instance, 1), 1u << cases[i].difference);
        all |= 1u << cases[i].difference;
    }
    fields = good;
    for (size_t i = 0; i < 4; i++)
        memset(cases[i].at, 0xab, cases[i].size);
    recorded[1].element = th_slice_of(room, th_element_encode(&fields, room));
    assert_int_equal(differences(instance, 1), all);
    fields = good;
    fields.type = TH_REJECTION;
    fields.state_after = fields.state_before;
    fields.state_size = 1;
    recorded[1].element = th_slice_of(room, th_element_encode(&fields, room));
    assert_true(differences(instance, 1) & (1u << TH_DIFFERS_TYPE));
    th_instance_free(instance);
}

static void a_stack_overflow_that_does_not_come_again_decides_nothing(void **state)
{
    uint8_t room[TH_ELEMENT_MAX];
    th_element fields;
    th_instance *instance = begin();
    assert_ok(bench_handle(&B, "recurse 2000"));
    keep();
    assert_int_equal(B.produced.reject_code, TH_REJECTED_STACK);
    recorded[1].input = th_slice_text("add 1");
    assert_ok(th_element_decode(recorded[1].element, &fields, NULL));
    th_hasher *hasher;
    assert_ok(th_hasher_new(&hasher, NULL));
    th_sha256_of(hasher, recorded[1].input, &fields.input);
    th_hasher_free(hasher);
    recorded[1].element = th_slice_of(room, th_element_encode(&fields, room));
    unsigned found = differences(instance, 1);
    assert_true(found & (1u << TH_DIFFERS_UNDECIDED));
    assert_true(found & (1u << TH_DIFFERS_TYPE));
    th_instance_free(instance);
}

static void what_does_not_follow_is_corrupt(void **state)
{
    th_trial trial;
    th_instance *instance = begin();
    assert_ok(bench_handle(&B, "add 1"));
    keep();
    assert_ok(bench_handle(&B, "add 2"));
    keep();
    assert_int_equal(th_trial_recorded(instance, &recorded[2], NULL, B.workspace, &trial, &B.error),
                     THEATER_CORRUPT);
    recorded[1].input = th_slice_text("add 7");
    assert_int_equal(th_trial_recorded(instance, &recorded[1], NULL, B.workspace, &trial, &B.error),
                     THEATER_CORRUPT);
    assert_non_null(strstr(B.error.message, "its input payload has another hash"));
    th_instance_free(instance);
}

static void inputs_are_tried_and_leave_nothing(void **state)
{
    th_trial trial;
    th_instance *instance = begin();
    th_hash root = *th_instance_state_root(instance);
    th_input input = {.payload = th_slice_text("add 1; log 2 seen; send bob hi"),
                      .timestamp_ns = START_NS + 5};
    for (int i = 0; i < 2; i++) {
        assert_ok(th_trial_input(instance, &input, B.workspace, &trial, &B.error));
        assert_slice(trial.produced.output, "42");
        assert_int_equal(trial.produced.sent_count, 1);
        assert_slice(trial.produced.sent[0].payload, "hi");
        assert_false(th_hash_equal(&trial.produced.state_root, &root));
        assert_int_equal(th_instance_elements(instance), 1);
        assert_memory_equal(th_instance_state_root(instance), &root, sizeof root);
    }
    input.payload = th_slice_text("add 1; fail no");
    assert_ok(th_trial_input(instance, &input, B.workspace, &trial, &B.error));
    assert_true(trial.rejected);
    assert_slice(trial.produced.reject_text, "no");
    assert_memory_equal(&trial.produced.state_root, &root, sizeof root);
    assert_true(th_slice_equal(trial.state, th_instance_state(instance)));
    static char large[5000];
    memset(large, 'x', sizeof large - 1);
    input.payload = th_slice_text(large);
    assert_int_equal(th_trial_input(instance, &input, B.workspace, &trial, &B.error), THEATER_TOO_LARGE);
    th_instance_free(instance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(recorded_turns_come_out_the_same_and_move_nothing, open_bench,
                                        close_bench),
        cmocka_unit_test_setup_teardown(a_genesis_and_an_upgrade_are_run_again, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(all_differences_are_found, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(a_stack_overflow_that_does_not_come_again_decides_nothing, open_bench,
                                        close_bench),
        cmocka_unit_test_setup_teardown(what_does_not_follow_is_corrupt, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(inputs_are_tried_and_leave_nothing, open_bench, close_bench),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
