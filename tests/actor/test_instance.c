/* Genesis, upgrade and loading, and what each of them refuses. */
#include "turns.h"

static bench B;

static int open_bench(void **state)
{
    bench_open(&B);
    return 0;
}

static int close_bench(void **state)
{
    bench_close(&B);
    return 0;
}

static void genesis_fails(const char *component, const char *config, const char *words)
{
    B.error = (theater_error){0};
    assert_int_equal(bench_genesis(&B, component, config), THEATER_ACTOR_FAILED);
    assert_null(B.instance);
    if (!strstr(B.error.message, words))
        fail_msg("'%s' does not say '%s'", B.error.message, words);
}

static void a_failing_init_makes_no_actor_and_says_why(void **state)
{
    genesis_fails("standin:counter", "fail not today", "init of actor cart returned an error: not today");
    genesis_fails("standin:counter", "fail two\twords\x7f", "returned an error: two words ");
    genesis_fails("standin:counter init=error", "", "init of actor cart returned an error: no init");
    genesis_fails("standin:counter init=trap", "", "init of actor cart trapped: unreachable");
    genesis_fails("standin:counter init=loop", "", "init of actor cart ran out of fuel");
    genesis_fails("standin:counter init=invalid", "", "init of actor cart made an invalid state");
    genesis_fails("standin:counter verify=false", "", "made an invalid state");
    genesis_fails("standin:counter verify=trap", "", "trapped");
    genesis_fails("standin:counter verify=loop", "", "ran out of fuel");
    genesis_fails("standin:counter", "recurse 5000", "overflowed the stack");
    genesis_fails("standin:counter", "state 2000000", "passed the limit 'state'");
    genesis_fails("standin:counter", "random 65537", "passed the limit 'random'");
    genesis_fails("standin:counter", "send A b", "passed the limit 'name'");
    genesis_fails("standin:counter", "fail-size 4097", "passed the limit 'error'");
    assert_int_equal(bench_genesis(&B, "standin:counter", "engine-fail"), THEATER_ENGINE_FAILED);
}

static void a_genesis_may_have_effects(void **state)
{
    assert_ok(bench_genesis(&B, "standin:counter", "send bob hi; request bob ho"));
    assert_int_equal(B.produced.sent_count, 2);
    assert_int_equal(B.produced.sent[1].request, 1);
    assert_int_equal(B.produced.output.size, 0);
}

static void a_descriptor_must_be_allowed(void **state)
{
    B.component = bench_compile(&B, "standin:counter");
    th_descriptor descriptor = bench_descriptor(&B, "standin:counter", "");
    descriptor.name = th_slice_text("Cart");
    assert_int_equal(th_instance_genesis(&B.machine, B.component, &descriptor, 0, B.workspace, &B.instance,
                                         &B.produced,
                                         &B.error),
                     THEATER_INVALID_ARGUMENT);
    descriptor = bench_descriptor(&B, "standin:counter", "");
    descriptor.limits.message = 0;
    assert_int_equal(th_instance_genesis(&B.machine, B.component, &descriptor, 0, B.workspace, &B.instance,
                                         &B.produced,
                                         &B.error),
                     THEATER_INVALID_ARGUMENT);
    descriptor = bench_descriptor(&B, "standin:counter", "");
    descriptor.engine = th_slice_text("wasmtime-48");
    assert_int_equal(th_instance_genesis(&B.machine, B.component, &descriptor, 0, B.workspace, &B.instance,
                                         &B.produced,
                                         &B.error),
                     THEATER_VERSION);
    assert_non_null(strstr(B.error.message, "wasmtime-48"));
    assert_null(B.instance);
}

/* ---- upgrade ---- */

static theater_status upgrade(const char *component, const char *config, void **ret_component)
{
    th_descriptor descriptor = bench_descriptor(&B, component, config);
    *ret_component = bench_compile(&B, component);
    return th_instance_upgrade(B.instance, *ret_component, &descriptor, ++B.now_ns, B.workspace, &B.produced,
                               &B.error);
}

static void an_upgrade_changes_component_config_and_limits(void **state)
{
    void *old, *component;
    assert_ok(bench_genesis(&B, "standin:counter", "set 5"));
    th_hash root = *th_instance_state_root(B.instance);
    B.limits.message = 100;
    assert_ok(upgrade("standin:counter max=10", "new config", &component));
    assert_int_equal(B.produced.type, TH_UPGRADE);
    assert_int_equal(B.produced.output.size, 0);
    assert_int_equal(B.produced.fuel, 110);
    th_element e;
    assert_ok(th_element_decode(B.produced.element, &e, NULL));
    assert_memory_equal(&e.state_after, &root, sizeof root);
    assert_int_equal(e.sequence, 1);
    th_descriptor descriptor;
    assert_ok(th_descriptor_decode(B.produced.input, &descriptor, NULL));
    assert_slice(descriptor.config, "new config");
    assert_slice(th_instance_descriptor(B.instance)->config, "new config");
    old = B.component;
    B.component = component;
    B.machine.release(old);
    assert_ok(bench_handle(&B, "add 5"));
    bench_rejected(&B, "add 1", 2, "invalid state");
    bench_rejected(&B, "out 101", 5, "output");
}

static void an_upgrade_that_fails_changes_nothing(void **state)
{
    static const char *const cases[][2] = {
        {"standin:counter verify=false", "the upgrade of actor cart made an invalid state"},
        {"standin:counter verify=trap", "the upgrade of actor cart trapped: unreachable"},
        {"standin:counter verify=loop", "ran out of fuel"},
        {"standin:counter max=4", "made an invalid state"},
    };
    void *component;
    assert_ok(bench_genesis(&B, "standin:counter", "set 5; grow 1000"));
    th_hash head = *th_instance_head(B.instance);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(upgrade(cases[i][0], "", &component), THEATER_ACTOR_FAILED);
        assert_non_null(strstr(B.error.message, cases[i][1]));
        B.machine.release(component);
    }
    B.limits.state = 1031;
    assert_int_equal(upgrade("standin:counter", "", &component), THEATER_ACTOR_FAILED);
    assert_non_null(strstr(B.error.message, "'state'"));
    B.machine.release(component);
    B.limits.state = 1 << 20;
    th_descriptor descriptor = bench_descriptor(&B, "standin:counter", "");
    descriptor.name = th_slice_text("tart");
    assert_int_equal(th_instance_upgrade(B.instance, B.component, &descriptor, 0, B.workspace, &B.produced,
                                         &B.error),
                     THEATER_INVALID_ARGUMENT);
    assert_memory_equal(th_instance_head(B.instance), &head, sizeof head);
    assert_int_equal(th_instance_elements(B.instance), 1);
    assert_int_equal(th_instance_descriptor(B.instance)->limits.state, 1 << 20);
    assert_ok(bench_handle(&B, "add 1"));
    assert_slice(B.produced.output, "6");
}

/* ---- loading ---- */

typedef struct snapshot {
    th_buf element, tree, state, descriptor;
} snapshot;

static void take(snapshot *s)
{
    th_buf *bufs[] = {&s->element, &s->tree, &s->state, &s->descriptor};
    for (int i = 0; i < 4; i++)
        th_buf_init(bufs[i], SIZE_MAX);
    assert_ok(th_buf_append(&s->element, B.produced.element, NULL));
    assert_ok(th_log_tree_encode(th_instance_tree(B.instance), &s->tree, NULL));
    assert_ok(th_buf_append(&s->state, th_instance_state(B.instance), NULL));
    assert_ok(th_descriptor_encode(th_instance_descriptor(B.instance), &s->descriptor, NULL));
}

static void drop(snapshot *s)
{
    th_buf_done(&s->element);
    th_buf_done(&s->tree);
    th_buf_done(&s->state);
    th_buf_done(&s->descriptor);
}

static theater_status load(const snapshot *s, bool with_tree, th_instance **ret)
{
    th_descriptor descriptor;
    assert_ok(th_descriptor_decode(th_buf_slice(&s->descriptor), &descriptor, NULL));
    return th_instance_load(&B.machine, B.component, &descriptor, th_buf_slice(&s->element),
                            with_tree ? th_buf_slice(&s->tree)
                                : (th_slice){0}, th_buf_slice(&s->state), B.workspace,
                            ret, &B.error);
}

static void a_loaded_actor_goes_on_as_the_one_before(void **state)
{
    for (int turns = 1; turns <= 2; turns++) {
        snapshot s;
        th_instance *loaded;
        assert_ok(bench_genesis(&B, "standin:counter", "set 41; grow 10000"));
        for (int i = 0; i < turns; i++)
            assert_ok(bench_handle(&B, "add 1"));
        take(&s);
        assert_ok(load(&s, true, &loaded));
        drop(&s);
        th_input input = {.payload = th_slice_text("add 1; touch 5000; random 5"),
                          .timestamp_ns = B.now_ns + 9};
        th_produced after;
        assert_ok(th_instance_handle(B.instance, &input, B.workspace, &B.produced, NULL));
        assert_ok(th_instance_handle(loaded, &input, B.workspace, &after, NULL));
        assert_memory_equal(&after.hash, &B.produced.hash, sizeof after.hash);
        th_hash a, b;
        th_hasher *hasher;
        assert_ok(th_hasher_new(&hasher, NULL));
        th_log_tree_head(th_instance_tree(B.instance), hasher, &a);
        th_log_tree_head(th_instance_tree(loaded), hasher, &b);
        th_hasher_free(hasher);
        assert_memory_equal(&a, &b, sizeof a);
        assert_true(th_instance_memory(loaded) > 10000);
        th_instance_free(loaded);
    }
}

static void a_wrong_snapshot_is_corrupt(void **state)
{
    snapshot s;
    th_instance *loaded;
    assert_ok(bench_genesis(&B, "standin:counter", "set 41"));
    assert_ok(bench_handle(&B, "add 1"));
    assert_ok(bench_handle(&B, "add 1"));
    take(&s);
    s.state.data[0]++;
    assert_int_equal(load(&s, true, &loaded), THEATER_CORRUPT);
    assert_non_null(strstr(B.error.message, "actor cart: snapshot after element 2: its root"));
    s.state.data[0]--;
    s.state.size--;
    assert_int_equal(load(&s, true, &loaded), THEATER_CORRUPT);
    s.state.size++;
    s.tree.data[s.tree.size - 1]++;
    assert_int_equal(load(&s, true, &loaded), THEATER_CORRUPT);
    assert_non_null(strstr(B.error.message, "another element"));
    s.tree.data[s.tree.size - 1]--;
    s.tree.size--;
    assert_int_equal(load(&s, true, &loaded), THEATER_CORRUPT);
    th_log_tree shorter = *th_instance_tree(B.instance);
    th_hasher *hasher;
    assert_ok(th_hasher_new(&hasher, NULL));
    th_log_tree_append(&shorter, hasher, th_instance_head(B.instance));
    th_hasher_free(hasher);
    th_buf_clear(&s.tree);
    assert_ok(th_log_tree_encode(&shorter, &s.tree, NULL));
    assert_int_equal(load(&s, true, &loaded), THEATER_CORRUPT);
    assert_non_null(strstr(B.error.message, "log tree is of 4 elements"));
    assert_ok(load(&s, false, &loaded));
    assert_null(th_instance_tree(loaded));
    th_instance_free(loaded);
    s.element.data[s.element.size - 1] ^= 0xff;
    assert_int_not_equal(load(&s, false, &loaded), THEATER_OK);
    drop(&s);
}

static void under_another_engine_it_reads_and_does_not_append(void **state)
{
    snapshot s;
    th_instance *loaded;
    assert_ok(bench_genesis(&B, "standin:counter", "set 41"));
    take(&s);
    B.machine.name = "standin-2";
    assert_ok(load(&s, true, &loaded));
    drop(&s);
    th_instance_free(B.instance);
    B.instance = loaded;
    assert_int_equal(bench_handle(&B, "add 1"), THEATER_VERSION);
    assert_string_equal(B.error.message,
                        "actor cart runs under the engine 'standin-1' and this is 'standin-2': "
                        "upgrade the actor");
    assert_ok(bench_query(&B, "add 1"));
    assert_slice(B.produced.output, "42");
    th_descriptor descriptor = bench_descriptor(&B, "standin:counter", "");
    descriptor.engine = th_slice_text("standin-1");
    assert_int_equal(th_instance_upgrade(B.instance, B.component, &descriptor, 0, B.workspace, &B.produced,
                                         &B.error),
                     THEATER_VERSION);
    descriptor.engine = th_slice_text("standin-2");
    assert_ok(th_instance_upgrade(B.instance, B.component, &descriptor, 0, B.workspace, &B.produced,
                                  &B.error));
    assert_ok(bench_handle(&B, "add 1"));
    assert_slice(B.produced.output, "42");
}

/* ---- shortage ---- */

#ifdef TH_FAULTS
/* Makes each allocation of a turn fail in turn: the actor stands as before, and the same input then makes
 * the same element. */
static void a_turn_without_memory_changes_nothing(void **state)
{
    static const char input[] = "grow 9000; log 1 x; request bob {add 1}; random 9; out 3000";
    th_hash expected = {0};
    uint64_t place = 1;
    for (bool ran = false; !ran && place < 200; place++) {
        bench_close(&B);
        bench_open(&B);
        assert_ok(bench_genesis(&B, "standin:counter", "set 41"));
        th_hash head = *th_instance_head(B.instance), root = *th_instance_state_root(B.instance);
        th_allocation_fail_at(place);
        theater_status status = bench_handle(&B, input);
        th_allocation_fail_at(0);
        ran = !status;
        if (!ran) {
            assert_int_equal(status, THEATER_NO_MEMORY);
            assert_memory_equal(th_instance_head(B.instance), &head, sizeof head);
            assert_memory_equal(th_instance_state_root(B.instance), &root, sizeof root);
            assert_int_equal(bench_state(&B).counter, 41);
            B.now_ns--;
            assert_ok(bench_handle(&B, input));
        }
        if (place > 1)
            assert_memory_equal(&B.produced.hash, &expected, sizeof expected);
        expected = B.produced.hash;
    }
    assert_in_range(place, 6, 199);
}

static void a_genesis_without_memory_leaves_nothing(void **state)
{
    theater_status status = THEATER_NO_MEMORY;
    uint64_t place = 1;
    for (; status && place < 200; place++) {
        bench_close(&B);
        bench_open(&B);
        B.component = bench_compile(&B, "standin:counter");
        th_descriptor descriptor = bench_descriptor(&B, "standin:counter", "grow 9000; send bob x");
        th_allocation_fail_at(place);
        status = th_instance_genesis(&B.machine, B.component, &descriptor, 1, B.workspace, &B.instance,
                                     &B.produced,
                                     NULL);
        th_allocation_fail_at(0);
        assert_true(status == THEATER_OK || status == THEATER_NO_MEMORY);
    }
    assert_in_range(place, 6, 199);
}
#endif

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_bench, close_bench)
    const struct CMUnitTest tests[] = {
        TEST(a_failing_init_makes_no_actor_and_says_why),
        TEST(a_genesis_may_have_effects),
        TEST(a_descriptor_must_be_allowed),
        TEST(an_upgrade_changes_component_config_and_limits),
        TEST(an_upgrade_that_fails_changes_nothing),
        TEST(a_loaded_actor_goes_on_as_the_one_before),
        TEST(a_wrong_snapshot_is_corrupt),
        TEST(under_another_engine_it_reads_and_does_not_append),
#ifdef TH_FAULTS
        TEST(a_turn_without_memory_changes_nothing),
        TEST(a_genesis_without_memory_leaves_nothing),
#endif
    };
    return cmocka_run_group_tests_name("actor: instance", tests, NULL, NULL);
}
