/* Random actors (generate.py) and random inputs: one result, whatever runs them.
 *
 *  - Two runtimes, one with one worker and one with four and other mailboxes, windows and snapshots, give the
 *    same answers, state roots and fuel, as far as an actor asks for no time and no random numbers.
 *  - Every chain comes out the same when it is run again: on Cranelift and on Pulley, by one thread and by
 *    several, from the snapshots and, out of a bundle without any, from the genesis.
 *  - With the fuel ending at every single point of a turn, both engines stop there with the same effects.
 *  - A small component, whose memory the engine makes itself, does what it does with a memory of Wasmtime's.
 *  - What differs between engines, how deep the stack reaches, differs to the safe side: whoever verifies goes
 *    deeper than any recorder did, and a turn that overflowed is undecided and not broken.
 *
 * `test_determinism FOLDER` takes the components of that folder. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine_support.h"
#include "engine/signals.h"
#include "system/support.h"

enum { ACTORS_MAX = 4096, INPUTS = 24, POINTS_MAX = 6000 };

static const char *folder_of_actors = TH_GENERATED;
static char names[ACTORS_MAX][64];
static size_t actor_count;

static uint64_t next_random(uint64_t *seed)
{
    *seed += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *seed;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static bool is_plain(const char *name)
{
    return strncmp(name, "plain-", 6) == 0;
}

static th_engine_outcome recurse(th_engine_component *component, uint32_t depth, uint64_t *ret_fuel)
{
    uint8_t input[4] = {(uint8_t)depth, (uint8_t)(depth >> 8), (uint8_t)(depth >> 16),
                        (uint8_t)(depth >> 24)};
    test_run run;
    test_run_begin(&run);
    run.options.fuel = 1000000000;
    test_run_handle(&run, component, (th_engine_bytes){input, 4}, test_text(""));
    th_engine_outcome how = run.outcome;
    *ret_fuel = run.fuel;
    test_run_end(&run);
    return how;
}

static int find_actors(void **state)
{
    struct dirent **entries;
    int count = scandir(folder_of_actors, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        const char *end = strstr(entries[i]->d_name, ".wasm");
        if (end && actor_count < ACTORS_MAX)
            snprintf(names[actor_count++], sizeof names[0], "%.*s", (int)(end - entries[i]->d_name),
                     entries[i]->d_name);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    /* The first engine, and with it the handlers of signals that every test sets again. */
    uint64_t fuel;
    th_engine_component *component = test_component(test_engine(TEST_CRANELIFT), "recursion");
    test_keep_signals();
    bool runs = recurse(component, 1, &fuel) == TH_ENGINE_OK;
    th_engine_component_free(component);
    return actor_count > 0 && runs ? 0 : -1;
}

static theater_bytes component_of(const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s.wasm", folder_of_actors, name);
    return system_read(path);
}

/* The inputs of an actor are the same in every run. */
static theater_slice input_of(size_t actor, unsigned number, uint8_t room[32])
{
    uint64_t seed = actor * 1000003 + number;
    for (int i = 0; i < 32; i++)
        room[i] = (uint8_t)next_random(&seed);
    if (number % 5 == 4) /* floats that are none, and large ones */
        memset(room + 4, number % 2 ? 0xff : 0x7f, 12);
    return (theater_slice){room, 16 + next_random(&seed) % 17};
}

/* ---- chains -------------------------------------------------------------------------------------------- */

/* What came of one message, without what hangs on the time. */
typedef struct outcome {
    theater_status status;
    uint64_t code, fuel;
    theater_hash root;
    uint8_t output[512];
    size_t output_size;
} outcome;

static void start_all(theater_runtime *runtime)
{
    theater_error error;
    /* Memory of two pages beyond the generator's smallest maxima, and fuel that loops can spend. */
    theater_limits limits = {
        .fuel = 1500, .memory_bytes = 5 << 16, .state_bytes = 16000, .message_bytes = 4000};
    OK(system_try_start(runtime, "peer", "echo", text_of(""), NULL, &error), error);
    for (size_t i = 0; i < actor_count; i++) {
        theater_bytes binary = component_of(names[i]);
        theater_actor_options options = {
            .name = names[i], .component = {binary.data, binary.size}, .limits = limits};
        theater_status status = theater_actor_start(runtime, &options, NULL, &error);
        if (status)
            fail_msg("%s: %s", names[i], error.message);
        free(binary.data);
    }
}

static void completed(void *context, theater_answer *answer)
{
    outcome *kept = context;
    *kept = (outcome){.status = answer->status,
                      .code = answer->reject_code,
                      .fuel = answer->fuel,
                      .root = answer->state_root,
                      .output_size = answer->output.size};
    size_t size = answer->output.size < sizeof kept->output ? answer->output.size : sizeof kept->output;
    if (size)
        memcpy(kept->output, answer->output.data, size);
}

/* All inputs of all actors, in an order of its own; each actor's stay in theirs. */
static void send_all(theater_runtime *runtime, outcome *outcomes)
{
    theater_error error;
    for (unsigned number = 0; number < INPUTS; number++) {
        for (size_t i = 0; i < actor_count; i++) {
            uint8_t room[32];
            theater_message message = {.actor = names[i], .input = input_of(i, number, room)};
            OK(theater_submit(runtime, &message, completed, &outcomes[i * INPUTS + number], &error), error);
        }
    }
    OK(theater_drain(runtime, 300000, &error), error);
}

static void run_folder(const char *folder, unsigned workers, uint64_t snapshot_bytes, outcome *outcomes)
{
    theater_runtime *runtime;
    theater_error error;
    theater_runtime_options options = {.folder = folder,
                                       .workers = workers,
                                       .snapshot_bytes = snapshot_bytes,
                                       .active_actors = workers * 7,
                                       .mailbox_messages = 64};
    OK(theater_runtime_open(&options, &runtime, &error), error);
    test_keep_signals();
    start_all(runtime);
    send_all(runtime, outcomes);
    theater_runtime_close(runtime);
}

static void compare(const outcome *one, const outcome *other, uint64_t codes[8])
{
    for (size_t i = 0; i < actor_count; i++) {
        for (unsigned number = 0; number < INPUTS; number++) {
            const outcome *a = &one[i * INPUTS + number], *b = &other[i * INPUTS + number];
            codes[a->status == THEATER_REJECTED ? a->code : 0]++;
            if (a->status != THEATER_OK && a->status != THEATER_REJECTED)
                fail_msg("%s, input %u: %s", names[i], number, theater_status_name(a->status));
            if (is_plain(names[i]) && memcmp(a, b, sizeof *a) != 0)
                fail_msg("%s, input %u: %s code %llu fuel %llu; then %s code %llu fuel %llu", names[i],
                         number, theater_status_name(a->status), (unsigned long long)a->code,
                         (unsigned long long)a->fuel, theater_status_name(b->status),
                         (unsigned long long)b->code, (unsigned long long)b->fuel);
        }
    }
}

static void replay(const theater_source *source, bool pulley, unsigned threads, uint64_t overflows,
                   const char *what)
{
    theater_error error;
    theater_report report;
    theater_check_options options = {.pulley = pulley, .threads = threads};
    OK(theater_replay(source, &options, &report, &error), error);
    if (report.status != (overflows && report.undecided ? THEATER_UNDECIDED : THEATER_OK) ||
        report.undecided > overflows || report.skipped)
        fail_msg("%s, %s, %u threads: %s", what, pulley ? "pulley" : "cranelift", threads, report.message);
}

static void the_same_turns_give_the_same_roots(void **state)
{
    char *one = strdup(system_fresh("determinism-1")), *other = strdup(system_fresh("determinism-2"));
    char bundle[512];
    outcome *first = calloc(actor_count * INPUTS, sizeof *first);
    outcome *second = calloc(actor_count * INPUTS, sizeof *second);
    uint64_t codes[8] = {0};
    assert_true(first && second);
    run_folder(one, 1, 0, first);
    run_folder(other, 4, 3000, second);
    compare(first, second, codes);
    print_message(
        "%zu actors, %zu turns: %llu succeeded, rejections by code 1 to 6: %llu %llu %llu %llu %llu "
        "%llu\n",
        actor_count, actor_count * INPUTS, (unsigned long long)codes[0], (unsigned long long)codes[1],
        (unsigned long long)codes[2], (unsigned long long)codes[3], (unsigned long long)codes[4],
        (unsigned long long)codes[5], (unsigned long long)codes[6]);
    assert_true(codes[0] > actor_count * INPUTS / 4 && codes[3] > 0 && codes[4] > 0);
    theater_error error;
    theater_folder *folder;
    OK(theater_folder_open(other, &folder, &error), error);
    theater_source source = {.folder = folder};
    replay(&source, false, 1, codes[6], "from snapshots");
    replay(&source, true, 4, codes[6], "from snapshots");
    snprintf(bundle, sizeof bundle, "%s.bundle", other);
    for (uint64_t id = 1; id <= actor_count + 1; id += 5) {
        theater_export_options options = {.actor_ids = &id, .actor_count = 1, .without_snapshots = true};
        OK(theater_export(folder, &options, bundle, &error), error);
        theater_source file = {.path = bundle};
        replay(&file, false, 2, codes[6], "from the genesis");
        replay(&file, true, 1, codes[6], "from the genesis");
    }
    theater_folder_close(folder);
    remove(bundle);
    system_remove_tree(one);
    system_remove_tree(other);
    free(one);
    free(other);
    free(first);
    free(second);
}

/* ---- fuel that ends anywhere --------------------------------------------------------------------------- */

static th_engine_component *generated(th_engine *engine, const char *name)
{
    theater_bytes binary = component_of(name);
    char message[1000] = "";
    th_engine_component *component =
        th_engine_compile(engine, (th_engine_bytes){binary.data, binary.size}, message, sizeof message);
    if (!component)
        fail_msg("%s: %s", name, message);
    free(binary.data);
    return component;
}

static void run_with(test_run *run, th_engine_component *component, uint64_t fuel)
{
    static const uint8_t input[24] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4, 6, 2, 6, 4};
    static const uint8_t before[40] = {2, 7, 1, 8, 2, 8};
    test_run_begin(run);
    run->options.fuel = fuel;
    run->options.memory_bytes = 5 << 16;
    test_run_handle(run, component, (th_engine_bytes){input, sizeof input},
                    (th_engine_bytes){before, sizeof before});
}

static uint64_t every_point_of(const char *name)
{
    th_engine_component *native = generated(test_engine(TEST_CRANELIFT), name);
    th_engine_component *pulley = generated(test_engine(TEST_PULLEY), name);
    test_run whole;
    run_with(&whole, native, 1000000);
    uint64_t points = whole.fuel;
    bool fits = whole.outcome == TH_ENGINE_OK && points <= POINTS_MAX;
    for (uint64_t fuel = 1; fits && fuel <= points + 1; fuel++) {
        test_run one, other;
        run_with(&one, native, fuel);
        run_with(&other, pulley, fuel);
        if (one.outcome != other.outcome || strcmp(one.notes, other.notes) != 0)
            fail_msg("%s with %llu of %llu fuel: outcome %d and notes %s; then %d and %s", name,
                     (unsigned long long)fuel, (unsigned long long)points, one.outcome, one.notes,
                     other.outcome, other.notes);
        if (one.outcome != (fuel < points ? TH_ENGINE_OUT_OF_FUEL : TH_ENGINE_OK))
            fail_msg("%s with %llu of %llu fuel: outcome %d", name, (unsigned long long)fuel,
                     (unsigned long long)points, one.outcome);
        test_run_end(&one);
        test_run_end(&other);
    }
    test_run_end(&whole);
    th_engine_component_free(native);
    th_engine_component_free(pulley);
    return fits ? points : 0;
}

static void fuel_ends_at_the_same_point_everywhere(void **state)
{
    uint64_t points = 0, turns = 0;
    for (size_t i = 0; i < actor_count && points < 4 * POINTS_MAX; i++) {
        uint64_t more = every_point_of(names[i]);
        points += more;
        turns += more > 0;
    }
    print_message("%llu points of %llu turns\n", (unsigned long long)points, (unsigned long long)turns);
    assert_true(turns >= 3);
}

/* ---- small components ---------------------------------------------------------------------------------- */

static th_engine_component *small_one(th_engine *engine, const char *kind, unsigned number)
{
    char path[1024], message[1000] = "";
    snprintf(path, sizeof path, "%s/../small/%s-%03u.wasm", folder_of_actors, kind, number);
    theater_bytes binary = system_read(path);
    th_engine_component *component =
        th_engine_compile(engine, (th_engine_bytes){binary.data, binary.size}, message, sizeof message);
    if (!component)
        fail_msg("%s: %s", path, message);
    free(binary.data);
    return component;
}

static void compare_runs(const test_run *one, const test_run *other, unsigned number, unsigned turn)
{
    th_engine_bytes a = one->result.output, b = other->result.output;
    if (one->outcome != other->outcome || one->fuel != other->fuel || a.size != b.size)
        fail_msg("small-%03u, turn %u: outcome %d, fuel %llu, %zu bytes; then %d, %llu, %zu", number, turn,
                 one->outcome, (unsigned long long)one->fuel, a.size, other->outcome,
                 (unsigned long long)other->fuel, b.size);
    for (size_t i = 0; i < a.size; i++)
        if (a.data[i] != b.data[i])
            fail_msg("small-%03u, turn %u: byte %zu is %u, then %u", number, turn, i, a.data[i], b.data[i]);
}

/* The same actor with an engine's own memory and with one of Wasmtime: the whole memory is its output. A turn leaves
 * nothing as it found it, every third traps, every fifth has too little fuel. */
static th_engine_outcome same_turns(unsigned number, enum test_engine which)
{
    static const char *const inputs[] = {"abcdef", "!", "twelve bytes"};
    th_engine_component *small = small_one(test_engine(which), "small", number);
    th_engine_component *named = small_one(test_engine(TEST_CRANELIFT), "named", number);
    th_engine_outcome first = TH_ENGINE_FAILED;
    for (unsigned turn = 0; turn < 30; turn++) {
        test_run one, other;
        th_engine_component *both[2] = {small, named};
        test_run *runs[2] = {&one, &other};
        for (int i = 0; i < 2; i++) {
            test_run_begin(runs[i]);
            runs[i]->options.fuel = turn % 5 == 4 ? turn : 10000000;
            test_run_handle(runs[i], both[i], test_text(inputs[turn % 3]), test_text("the state"));
        }
        compare_runs(&one, &other, number, turn);
        if (turn == 0)
            first = one.outcome;
        test_run_end(&one);
        test_run_end(&other);
    }
    th_engine_component_free(small);
    th_engine_component_free(named);
    return first;
}

static void memories_of_small_actors_are_as_those_of_others(void **state)
{
    unsigned good = 0, traps = 0, count = (unsigned)(actor_count < 60 ? actor_count : 60);
    for (unsigned number = 0; number < count; number++) {
        for (int which = 0; which < TEST_ENGINES; which++) {
            th_engine_outcome end = same_turns(number, which);
            good += end == TH_ENGINE_OK;
            traps += end == TH_ENGINE_TRAP;
        }
    }
    print_message("%u small actors ran, %u trapped while they were made\n", good, traps);
    assert_true(good >= count && traps > 0);
}

/* ---- the stack ----------------------------------------------------------------------------------------- */

/* The deepest recursion that this engine runs. */
static uint32_t deepest(th_engine_component *component, uint64_t *ret_fuel)
{
    uint32_t good = 1, bad = 1 << 24;
    uint64_t fuel;
    while (bad - good > 1) {
        uint32_t middle = good + (bad - good) / 2;
        th_engine_outcome how = recurse(component, middle, &fuel);
        assert_true(how == TH_ENGINE_OK || how == TH_ENGINE_STACK);
        *(how == TH_ENGINE_OK ? &good : &bad) = middle;
    }
    assert_int_equal(recurse(component, good, ret_fuel), TH_ENGINE_OK);
    return good;
}

static void who_verifies_goes_deeper_than_who_recorded(void **state)
{
    for (int recorder = 0; recorder < 2; recorder++) {
        uint64_t fuel, again;
        char message[1000] = "";
        th_engine_component *recording =
            test_component(test_engine(recorder ? TEST_PULLEY : TEST_CRANELIFT), "recursion");
        uint32_t depth = deepest(recording, &fuel);
        for (int verifier = 0; verifier < 2; verifier++) {
            th_engine *engine =
                th_engine_new(&(th_engine_options){.turns = 1, .verifier = true, .pulley = verifier == 1},
                              message, sizeof message);
            assert_non_null(engine);
            th_engine_component *verifying = test_component(engine, "recursion");
            assert_int_equal(recurse(verifying, depth, &again), TH_ENGINE_OK);
            assert_int_equal(again, fuel);
            uint32_t reach = deepest(verifying, &again);
            print_message("recorded on %s: %u deep; verified on %s: up to %u\n",
                          recorder ? "pulley" : "cranelift", depth, verifier ? "pulley" : "cranelift", reach);
            assert_true(reach > depth + depth / 4);
            th_engine_component_free(verifying);
            th_engine_free(engine);
        }
        th_engine_component_free(recording);
    }
}

static void an_overflow_is_undecided_and_not_broken(void **state)
{
    char *path = strdup(system_fresh("determinism-3"));
    theater_runtime *runtime;
    theater_error error;
    theater_folder *folder;
    theater_answer answer;
    theater_limits limits = {.fuel = UINT64_C(1) << 40};
    OK(theater_runtime_open(&(theater_runtime_options){.folder = path, .workers = 1}, &runtime, &error),
       error);
    test_keep_signals();
    OK(system_try_start(runtime, "deep", "recursion", text_of(""), &limits, &error), error);
    /* Far too deep for anybody; too deep for a recorder only; not deep. */
    const uint32_t depths[] = {100000000, 33000, 100};
    for (size_t i = 0; i < 3; i++) {
        theater_status status =
            system_send(runtime, "deep", (theater_slice){(const uint8_t *)&depths[i], 4}, &answer, &error);
        print_message("%u deep: %s\n", depths[i], theater_status_name(status));
        assert_true(i == 2 ? status == THEATER_OK : i == 1 || answer.reject_code == 6);
        theater_answer_done(&answer);
    }
    theater_runtime_close(runtime);
    OK(theater_folder_open(path, &folder, &error), error);
    theater_source source = {.folder = folder};
    for (int pulley = 0; pulley < 2; pulley++) {
        theater_report report;
        OK(theater_verify(&source, NULL, &report, &error), error);
        assert_int_equal(report.status, THEATER_OK);
        OK(theater_replay(&source, &(theater_check_options){.pulley = pulley, .threads = 1}, &report, &error),
           error);
        if (report.status != THEATER_OK && (report.status != THEATER_UNDECIDED || report.undecided == 0))
            fail_msg("replay: %s", report.message);
    }
    theater_folder_close(folder);
    system_remove_tree(path);
    free(path);
}

static int done(void **state)
{
    test_engines_free();
    return 0;
}

int main(int count, char **arguments)
{
    if (count > 1)
        folder_of_actors = arguments[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_turns_give_the_same_roots),
        cmocka_unit_test(fuel_ends_at_the_same_point_everywhere),
        cmocka_unit_test(memories_of_small_actors_are_as_those_of_others),
        cmocka_unit_test(who_verifies_goes_deeper_than_who_recorded),
        cmocka_unit_test(an_overflow_is_undecided_and_not_broken),
    };
    return cmocka_run_group_tests(tests, find_actors, done);
}
