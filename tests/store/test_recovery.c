/* Recovery on the simulated disk: whatever a crash keeps and loses, all that was acknowledged is there,
 * nothing is there by half, and the log goes on. The crash may also hit the recovery itself, and the disk
 * may fail before. */
#include <stdio.h>
#include <stdlib.h>

#include "store/history.h"

/* What the tests must have met, so that they cannot pass by never crashing anywhere interesting. */
static struct {
    unsigned crashes, in_recovery, lost_commits, kept_commits, failures, full;
} met;

typedef struct world {
    th_simulation *simulation;
    th_index_memory *index;
    th_store_options options;
    th_store *store;
    history *now; /* with the commit in work */
    history *before; /* without it */
    uint64_t acknowledged;
    bool pending; /* a commit failed or was cut off: it may be there or not */
} world;

/* The model without its scratch memory, which both share. */
static void save(world *w)
{
    th_effects effects = w->before->effects;
    th_buf scratch = w->before->scratch;
    th_hasher *hasher = w->before->hasher;
    *w->before = *w->now;
    w->before->effects = effects;
    w->before->scratch = scratch;
    w->before->hasher = hasher;
}

static void go_back(world *w)
{
    /* The dice go on: another commit will come than the one that was lost. */
    dice d = w->now->d;
    history *lost = w->now;
    w->now = w->before;
    w->before = lost;
    w->now->d = d;
    save(w);
}

static void boot(world *w, uint64_t seed)
{
    theater_error error;
    *w = (world){0};
    OK(th_simulation_new(seed, &w->simulation, &error));
    OK(th_index_memory_new(&w->index, &error));
    w->now = history_new(seed);
    w->before = history_new(seed);
    w->now->payload_max = 1 + roll(&w->now->d, 3) * 1500;
    save(w);
    w->options = (th_store_options){.folder = "/data", .create = true, .index = w->index};
    w->options.segment_bytes = 1024 << roll(&w->now->d, 8);
}

static void halt(world *w)
{
    th_store_close(w->store);
    history_free(w->now);
    history_free(w->before);
    th_index_memory_free(w->index);
    th_simulation_free(w->simulation);
}

static void restart_machine(world *w)
{
    theater_error error;
    th_store_close(w->store);
    w->store = NULL;
    met.crashes++;
    OK(th_simulation_restart(w->simulation, &error));
}

/* Opens until no crash hits the opening, and settles whether the pending commit is there. */
static void open_world(world *w, bool crashes)
{
    theater_error error;
    while (true) {
        w->options.port = th_simulation_port(w->simulation);
        if (crashes && roll(&w->now->d, 2))
            th_simulation_crash_after(w->simulation, roll(&w->now->d, 12));
        theater_status status = th_store_open(&w->options, &w->store, &error);
        if (!status)
            break;
        w->store = NULL;
        if (!th_simulation_crashed(w->simulation))
            fail_msg("after %u crashes: %s", met.crashes, error.message);
        met.in_recovery++;
        restart_machine(w);
    }
    uint64_t number = th_store_next_number(w->store);
    if (number == w->acknowledged) {
        met.lost_commits += w->pending;
        if (w->pending)
            go_back(w);
    } else {
        /* Only the one commit that was not acknowledged can be more, and it is whole: the model says how
         * long it is. */
        assert_true(w->pending && number > w->acknowledged);
        met.kept_commits++;
    }
    w->pending = false;
    w->acknowledged = number;
    history_check(w->now, w->store);
}

static theater_status append_one(world *w)
{
    theater_error error;
    th_buf bytes[8];
    th_slice records[8];
    size_t count = 1 + (size_t)roll(&w->now->d, 8);
    save(w);
    for (size_t i = 0; i < count; i++) {
        th_buf_init(&bytes[i], 1 << 20);
        history_next(w->now, th_store_next_number(w->store) + i, &bytes[i]);
        records[i] = th_buf_slice(&bytes[i]);
    }
    theater_status status = th_store_append(w->store, records, count, &error);
    for (size_t i = 0; i < count; i++)
        th_buf_done(&bytes[i]);
    if (!status)
        w->acknowledged += count;
    return status;
}

/* Works until the crash, or for a while. */
static void work(world *w)
{
    theater_error error;
    for (int i = 0; i < 30; i++) {
        theater_status status = append_one(w);
        w->pending = status != THEATER_OK;
        if (status)
            return;
        bool more;
        if (roll(&w->now->d, 3) == 0) {
            /* The index is memory, so only reading the log can fail, and only when the machine crashed. */
            status = th_store_index_step(w->store, roll(&w->now->d, 4000), &more, &error);
            assert_true(status == THEATER_OK || th_simulation_crashed(w->simulation));
        }
    }
}

static void acknowledged_commits_survive_crashes(void **state)
{
    memset(&met, 0, sizeof met);
    for (uint64_t seed = 1; seed <= 400; seed++) {
        world w;
        boot(&w, seed);
        open_world(&w, true);
        for (int round = 0; round < 6; round++) {
            if (!th_simulation_crashed(w.simulation))
                th_simulation_crash_after(w.simulation, roll(&w.now->d, 60));
            work(&w);
            if (!th_simulation_crashed(w.simulation) && roll(&w.now->d, 2)) {
                /* A clean close, or one that the crash hits; what it leaves is proof for the next opening. */
                th_store_close(w.store);
                w.store = NULL;
            }
            if (!th_simulation_crashed(w.simulation))
                th_simulation_crash_after(w.simulation, 0);
            restart_machine(&w);
            open_world(&w, true);
        }
        halt(&w);
    }
    print_message("crashes %u, in recovery %u, commits lost %u, kept %u\n", met.crashes, met.in_recovery,
                  met.lost_commits, met.kept_commits);
    assert_true(met.in_recovery > 100 && met.lost_commits > 100 && met.kept_commits > 20);
}

/* A sync that fails leaves bytes that look written but are not: the store is opened again without a crash,
 * then the machine crashes. */
static void failed_syncs_lose_nothing_acknowledged(void **state)
{
    memset(&met, 0, sizeof met);
    for (uint64_t seed = 1; seed <= 300; seed++) {
        world w;
        boot(&w, seed);
        open_world(&w, false);
        for (int round = 0; round < 6; round++) {
            th_simulation_faults faults = {.write_fails = 10000, .sync_fails = 40000};
            th_simulation_set_faults(w.simulation, &faults);
            work(&w);
            faults = (th_simulation_faults){0};
            th_simulation_set_faults(w.simulation, &faults);
            if (w.pending) {
                /* Nothing is appended any more. */
                theater_error error;
                th_slice record = th_slice_text("x");
                EXPECT(STORAGE_FAILED, th_store_append(w.store, &record, 1, &error));
                met.failures++;
            }
            if (roll(&w.now->d, 2) == 0)
                th_simulation_crash_after(w.simulation, 0);
            if (th_simulation_crashed(w.simulation))
                restart_machine(&w);
            else
                th_store_close(w.store);
            w.store = NULL;
            open_world(&w, false);
        }
        halt(&w);
    }
    print_message("failures %u, crashes %u, commits lost %u, kept %u\n", met.failures, met.crashes,
                  met.lost_commits, met.kept_commits);
    assert_true(met.failures > 100 && met.crashes > 100 && met.kept_commits > 10);
}

/* After NO_SPACE the log is as before, and goes on when there is room, also over a crash. */
static void full_disk_changes_nothing(void **state)
{
    memset(&met, 0, sizeof met);
    for (uint64_t seed = 1; seed <= 200; seed++) {
        world w;
        theater_error error;
        boot(&w, seed);
        w.now->payload_max = 4000;
        w.options.segment_bytes = (uint64_t)8192 << roll(&w.now->d, 4);
        open_world(&w, false);
        uint64_t room = 30000;
        for (int round = 0; round < 40; round++) {
            th_simulation_faults faults = {.disk_bytes = room};
            th_simulation_set_faults(w.simulation, &faults);
            theater_status status = append_one(&w);
            if (status == THEATER_NO_SPACE) {
                met.full++;
                go_back(&w);
                assert_int_equal(th_store_next_number(w.store), w.acknowledged);
                theater_status probe = th_store_probe(w.store, &error);
                assert_true(probe == THEATER_NO_SPACE || probe == THEATER_OK);
                room += 1 << 13;
            } else {
                OK(status);
            }
            if (roll(&w.now->d, 10) == 0) {
                th_simulation_crash_after(w.simulation, 0);
                restart_machine(&w);
                faults.disk_bytes = 0;
                th_simulation_set_faults(w.simulation, &faults);
                open_world(&w, false);
            }
        }
        halt(&w);
    }
    assert_true(met.full > 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acknowledged_commits_survive_crashes),
        cmocka_unit_test(failed_syncs_lose_nothing_acknowledged),
        cmocka_unit_test(full_disk_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
