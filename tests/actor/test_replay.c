/* Replay of a chain in ranges: from snapshots, across an upgrade, and what is missing or wrong. */
#include "turns.h"

#include "actor/replay.h"
#include "port/system.h"

#define ELEMENTS 60
#define UPGRADE 25

/* A chain in memory, as a store or a bundle would have it. */
typedef struct archive {
    th_buf parts[ELEMENTS][4];
    th_buf states[ELEMENTS];
    bool has_snapshot[ELEMENTS];
    uint64_t missing;      /* an element whose input was dropped; UINT64_MAX for none */
    const bool *stop_flag; /* see stops */
    bool stopped;
    uint64_t asked;
} archive;

static bench B;
static archive A;
static th_loader *loader;
static th_workspace *workspace;
static th_replay_result result;

static theater_status give_element(void *context, uint64_t sequence, th_buf *buf, th_recorded *ret,
                                   theater_error *reterr)
{
    A.asked++;
    if (sequence == A.missing)
        return th_fail(reterr, THEATER_NOT_FOUND, "the input was dropped");
    /* All in the caller's buffer, as from a file: what was given before is gone. */
    th_slice slices[4];
    size_t total = 0;
    for (int i = 0; i < 4; i++)
        total += A.parts[sequence][i].size;
    th_buf_clear(buf);
    theater_status status = th_buf_reserve(buf, total, reterr);
    if (status)
        return status;
    for (int i = 0; i < 4; i++) {
        size_t at = buf->size;
        assert_ok(th_buf_append(buf, th_buf_slice(&A.parts[sequence][i]), reterr));
        slices[i] = th_slice_of(buf->data + at, buf->size - at);
    }
    *ret = (th_recorded){slices[0], slices[1], slices[2], slices[3]};
    if (A.stop_flag)
        A.stopped = true;
    return THEATER_OK;
}

static theater_status give_snapshot(void *context, uint64_t sequence, th_buf *buf, th_slice *ret_state,
                                    theater_error *reterr)
{
    if (!A.has_snapshot[sequence])
        return th_fail(reterr, THEATER_NOT_FOUND, "no snapshot");
    th_buf_clear(buf);
    theater_status status = th_buf_append(buf, th_buf_slice(&A.states[sequence]), reterr);
    *ret_state = th_buf_slice(buf);
    return status;
}

static const th_replay_source source = {.element = give_element, .snapshot = give_snapshot};

static void keep(uint64_t sequence)
{
    th_slice parts[4] = {B.produced.element, B.produced.input, B.produced.output, B.produced.effects};
    for (int i = 0; i < 4; i++) {
        th_buf_init(&A.parts[sequence][i], SIZE_MAX);
        assert_ok(th_buf_append(&A.parts[sequence][i], parts[i], NULL));
    }
    th_buf_init(&A.states[sequence], SIZE_MAX);
    assert_ok(th_buf_append(&A.states[sequence], th_instance_state(B.instance), NULL));
}

#define FIRST "standin:counter"
#define SECOND "standin:counter max=100000"

static int record(void **state)
{
    bench_open(&B);
    memset(&A, 0, sizeof A);
    A.missing = UINT64_MAX;
    assert_ok(bench_genesis(&B, FIRST, "set 41"));
    keep(0);
    void *second = bench_compile(&B, SECOND);
    for (uint64_t i = 1; i < ELEMENTS; i++) {
        static const char *const inputs[] = {"add 3", "fail no", "grow 5000", "touch 100; log 1 x",
                                             "send bob {add 1}",
                                             "random 9", "trap table", "recurse 1500"};
        if (i == UPGRADE) {
            th_descriptor descriptor = bench_descriptor(&B, SECOND, "");
            assert_ok(th_instance_upgrade(B.instance, second, &descriptor, ++B.now_ns, B.workspace,
                                          &B.produced, NULL));
        } else {
            assert_ok(bench_handle(&B, inputs[i % 8]));
        }
        keep(i);
    }
    A.has_snapshot[9] = A.has_snapshot[24] = A.has_snapshot[39] = true;
    th_loader_options options = {.machine = &B.machine, .port = th_port_system()};
    assert_ok(th_loader_new(&options, &loader, NULL));
    th_loaded *loaded;
    assert_ok(th_loader_add(loader, th_slice_text(FIRST), &loaded, NULL));
    th_loaded_unref(loaded);
    assert_ok(th_loader_add(loader, th_slice_text(SECOND), &loaded, NULL));
    th_loaded_unref(loaded);
    assert_ok(th_workspace_new(&workspace, NULL));
    B.machine.release(B.component);
    B.component = second;
    return 0;
}

static int drop(void **state)
{
    th_workspace_free(workspace);
    th_loader_free(loader);
    for (int i = 0; i < ELEMENTS; i++) {
        for (int part = 0; part < 4; part++)
            th_buf_done(&A.parts[i][part]);
        th_buf_done(&A.states[i]);
    }
    bench_close(&B);
    return 0;
}

static theater_status run(th_replay_range range)
{
    B.error = (theater_error){0};
    return th_replay_run(&B.machine, loader, &source, &range, workspace, NULL, &result, &B.error);
}

static void same(th_replay_range range)
{
    theater_status status = run(range);
    if (status)
        fail_msg("%s", B.error.message);
    assert_int_equal(result.difference, TH_SAME);
    assert_string_equal(result.message, "");
    assert_int_equal(result.turns, range.end - range.first);
}

static void a_whole_chain_replays(void **state)
{
    same((th_replay_range){.first = 0, .end = ELEMENTS});
    same((th_replay_range){.first = 0, .end = 1});
    same((th_replay_range){.first = 0, .end = 0});
}

static void its_ranges_replay_each_alone(void **state)
{
    uint64_t snapshots[] = {9, 24, 39}, descriptors[] = {0, UPGRADE};
    th_replay_range *ranges;
    size_t count;
    assert_ok(th_replay_cut(ELEMENTS, snapshots, 3, descriptors, 2, &ranges, &count, NULL));
    assert_int_equal(count, 4);
    uint64_t next = 0;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(ranges[i].first, next);
        assert_int_equal(ranges[i].check_end, i < 3);
        assert_int_equal(ranges[i].descriptor, i < 3 ? 0 : UPGRADE);
        next = ranges[i].end;
        same(ranges[i]);
    }
    assert_int_equal(next, ELEMENTS);
    th_free(ranges);
}

static void cutting(void **state)
{
    th_replay_range *ranges;
    size_t count;
    uint64_t zero = 0, last = 9, descriptors[] = {0, 4, 5}, snapshots[] = {0, 3, 3, 4, 9, 20};
    assert_ok(th_replay_cut(0, NULL, 0, NULL, 0, &ranges, &count, NULL));
    assert_int_equal(count, 0);
    th_free(ranges);
    assert_ok(th_replay_cut(10, NULL, 0, &zero, 1, &ranges, &count, NULL));
    assert_int_equal(count, 1);
    assert_int_equal(ranges[0].end, 10);
    assert_false(ranges[0].check_end);
    th_free(ranges);
    assert_ok(th_replay_cut(10, &last, 1, &zero, 1, &ranges, &count, NULL));
    assert_int_equal(count, 1);
    assert_true(ranges[0].check_end);
    th_free(ranges);
    assert_ok(th_replay_cut(10, snapshots, 6, descriptors, 3, &ranges, &count, NULL));
    assert_int_equal(count, 4);
    assert_int_equal(ranges[1].first, 1);
    assert_int_equal(ranges[1].end, 4);
    assert_int_equal(ranges[2].descriptor, 0); /* element 4 is in it, and changes the descriptor there */
    assert_int_equal(ranges[3].first, 5);
    assert_int_equal(ranges[3].descriptor, 4); /* element 5 likewise */
    assert_true(ranges[3].check_end);
    th_free(ranges);
    /* A snapshot of an element that is not there yet ends nothing. */
    assert_ok(th_replay_cut(10, &snapshots[5], 1, &zero, 1, &ranges, &count, NULL));
    assert_int_equal(count, 1);
    assert_false(ranges[0].check_end);
    th_free(ranges);
    assert_int_equal(th_replay_cut(10, NULL, 0, &last, 1, &ranges, &count, NULL), THEATER_INVALID_ARGUMENT);
}

/* Puts other bytes into the stored part of an element. */
static void replace(uint64_t sequence, int part, th_slice with)
{
    th_buf_clear(&A.parts[sequence][part]);
    assert_ok(th_buf_append(&A.parts[sequence][part], with, NULL));
}

static void the_first_element_that_differs_is_named(void **state)
{
    th_element e;
    uint8_t room[TH_ELEMENT_MAX];
    assert_ok(th_element_decode(th_buf_slice(&A.parts[33][0]), &e, NULL));
    e.fuel += 7;
    replace(33, 0, th_slice_of(room, th_element_encode(&e, room)));
    assert_ok(run((th_replay_range){.first = 25, .end = 40, .check_end = true, .descriptor = 0}));
    assert_int_equal(result.difference, TH_DIFFERS_FUEL);
    assert_int_equal(result.sequence, 33);
    assert_int_equal(result.turns, 9);
    assert_non_null(strstr(result.message, "element 33 of actor cart: fuel differs: recorded "));
}

static void a_wrong_snapshot_is_found_by_both_ranges(void **state)
{
    A.states[24].data[5000]++;
    assert_ok(run((th_replay_range){.first = 10, .end = 25, .check_end = true}));
    assert_int_equal(result.difference, TH_DIFFERS_STATE);
    assert_int_equal(result.sequence, 24);
    assert_non_null(strstr(result.message,
                           "snapshot after element 24 of actor cart: state differs from byte 5000 on"));
    assert_int_equal(run((th_replay_range){.first = 25, .end = 40}), THEATER_CORRUPT);
    assert_non_null(strstr(B.error.message, "snapshot after element 24"));
}

static void what_is_missing_is_a_status_that_names_it(void **state)
{
    A.missing = 30;
    assert_int_equal(run((th_replay_range){.first = 25, .end = 40}), THEATER_NOT_FOUND);
    assert_non_null(strstr(B.error.message, "element 30: the input was dropped"));
    A.missing = 24;
    assert_int_equal(run((th_replay_range){.first = 25, .end = 40}), THEATER_NOT_FOUND);
    A.missing = 0;
    assert_int_equal(run((th_replay_range){.first = 25, .end = 40}), THEATER_NOT_FOUND);
    assert_non_null(strstr(B.error.message, "element 0"));
    assert_int_equal(run((th_replay_range){.first = 0, .end = 40}), THEATER_NOT_FOUND);
    A.missing = UINT64_MAX;
    assert_int_equal(run((th_replay_range){.first = 21, .end = 25}), THEATER_NOT_FOUND);
    assert_non_null(strstr(B.error.message, "snapshot after element 20"));
    assert_int_equal(run((th_replay_range){.first = 0, .end = 6, .check_end = true}), THEATER_NOT_FOUND);
    assert_non_null(strstr(B.error.message, "snapshot after element 5"));
}

static void a_missing_component_is_named_with_its_element(void **state)
{
    th_loaded *loaded;
    th_loader_free(loader);
    th_loader_options options = {.machine = &B.machine, .port = th_port_system()};
    assert_ok(th_loader_new(&options, &loader, NULL));
    assert_int_equal(run((th_replay_range){.first = 0, .end = ELEMENTS}), THEATER_NOT_FOUND);
    assert_non_null(strstr(B.error.message, "element 0: component "));
    assert_ok(th_loader_add(loader, th_slice_text(FIRST), &loaded, NULL));
    th_loaded_unref(loaded);
    assert_int_equal(run((th_replay_range){.first = 0, .end = ELEMENTS}), THEATER_NOT_FOUND);
    assert_non_null(strstr(B.error.message, "element 25: component "));
    same((th_replay_range){.first = 0, .end = 25, .check_end = true});
}

static void undecided_elements_are_counted_and_passed(void **state)
{
    B.standin.depth = 5000;
    assert_ok(run((th_replay_range){.first = 0, .end = ELEMENTS}));
    assert_int_equal(result.difference, TH_DIFFERS_UNDECIDED);
    assert_int_equal(result.sequence, 7);
    assert_int_equal(result.turns, ELEMENTS);
    assert_int_equal(result.undecided, 7);
    assert_non_null(strstr(result.message, "element 7 of actor cart: undecided"));
    /* What differs for certain counts for more. */
    th_element e;
    uint8_t room[TH_ELEMENT_MAX];
    assert_ok(th_element_decode(th_buf_slice(&A.parts[12][0]), &e, NULL));
    e.fuel += 7;
    replace(12, 0, th_slice_of(room, th_element_encode(&e, room)));
    assert_ok(run((th_replay_range){.first = 0, .end = ELEMENTS}));
    assert_int_equal(result.difference, TH_DIFFERS_FUEL);
    assert_int_equal(result.sequence, 12);
    assert_int_equal(result.undecided, 1);
}

static void damage_is_corrupt(void **state)
{
    A.parts[5][0].data[40] ^= 1;
    assert_int_equal(run((th_replay_range){.first = 0, .end = ELEMENTS}), THEATER_CORRUPT);
    assert_non_null(strstr(B.error.message, "element 5 of actor cart"));
    A.parts[5][0].data[40] ^= 1;
    A.parts[5][1].data[0] ^= 1;
    assert_int_equal(run((th_replay_range){.first = 0, .end = ELEMENTS}), THEATER_CORRUPT);
    A.parts[5][1].data[0] ^= 1;
    A.parts[UPGRADE][1].data[0] ^= 1;
    assert_int_equal(run((th_replay_range){.first = 0, .end = ELEMENTS}), THEATER_CORRUPT);
    assert_non_null(strstr(B.error.message, "element 25"));
    A.parts[UPGRADE][1].data[0] ^= 1;
    A.parts[0][0].size--;
    assert_int_equal(run((th_replay_range){.first = 0, .end = ELEMENTS}), THEATER_CORRUPT);
    A.parts[0][0].size++;
    same((th_replay_range){.first = 0, .end = ELEMENTS});
}

static void it_stops_when_asked(void **state)
{
    A.stop_flag = &A.stopped;
    th_replay_range range = {.first = 0, .end = ELEMENTS};
    assert_int_equal(th_replay_run(&B.machine, loader, &source, &range, workspace, &A.stopped, &result,
                                   &B.error),
                     THEATER_CANCELLED);
    assert_int_equal(A.asked, 1);
}

#ifdef TH_FAULTS
/* Without memory nothing is said about the chain: neither that it is sound nor that it is not. */
static void every_allocation_may_fail(void **state)
{
    static const th_replay_range ranges[] = {{.first = 0, .end = 26, .check_end = false},
                                             {.first = 25, .end = 40, .check_end = true}};
    for (int i = 0; i < 2; i++) {
        theater_status status = THEATER_NO_MEMORY;
        uint64_t place = 1;
        for (; status && place < 300; place++) {
            th_allocation_fail_at(place);
            status = run(ranges[i]);
            th_allocation_fail_at(0);
            assert_true(status == THEATER_OK || status == THEATER_NO_MEMORY);
            assert_int_equal(result.difference, TH_SAME);
        }
        assert_in_range(place, 8, 299);
    }
}
#endif

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, record, drop)
    const struct CMUnitTest tests[] = {
        TEST(a_whole_chain_replays),
        TEST(its_ranges_replay_each_alone),
        TEST(cutting),
        TEST(the_first_element_that_differs_is_named),
        TEST(a_wrong_snapshot_is_found_by_both_ranges),
        TEST(what_is_missing_is_a_status_that_names_it),
        TEST(a_missing_component_is_named_with_its_element),
        TEST(undecided_elements_are_counted_and_passed),
        TEST(damage_is_corrupt),
        TEST(it_stops_when_asked),
#ifdef TH_FAULTS
        TEST(every_allocation_may_fail),
#endif
    };
    return cmocka_run_group_tests_name("actor: replay", tests, NULL, NULL);
}
