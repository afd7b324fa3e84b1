/* What cannot become an actor: components that are refused, an `init` that fails, names, limits and
 * configurations that cannot be. Each is told in one error that names it, leaves the name free, and disturbs
 * nobody. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *fixture;
    const char *words[8];
} refused[] = {
    {"core_module", {"core WebAssembly module, not a component"}},
    {"empty", {"init", "handle", "verify-state"}},
    {"missing_function", {"does not export the function verify-state"}},
    {"mistyped_function", {"exports the function handle", "wrong type", "verify-state"}},
    {"wasi_import", {"wasi:cli/environment@0.2.3", "wasi:clocks/wall-clock@0.2.3"}},
    {"unknown_host_function", {"imports the function sleep", "none of that name"}},
    {"mistyped_host_function", {"imports the function now", "expected func() -> u64, found func() -> u32"}},
    {"memory64", {"64-bit memories or tables"}},
    {"table64", {"64-bit memories or tables"}},
    {"shared_memory", {"threads or shared memory"}},
    {"threads", {"threads or shared memory"}},
    {"gc_struct", {"garbage collection"}},
    {"gc_externref", {"garbage collection"}},
    {"gc_recursion", {"garbage collection"}},
    {"exceptions", {"exceptions"}},
    {"relaxed_simd", {"relaxed SIMD"}},
    {"endless_type", {"wrong type", "verify-state"}},
    /* All that is wrong with it is told at once. */
    {"all_wrong", {"wasi:random/random", "imports log", "function now", "function sleep", "function handle",
                   "verify-state", "64-bit", "relaxed SIMD"}},
};

static void each_refused_component_is_named_and_leaves_its_name_free(void **state)
{
    system_bench bench;
    theater_error error;
    system_begin(&bench, "refused", NULL);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        const char *const *w = refused[i].words;
        theater_status status = system_try_start(bench.runtime, "subject", refused[i].fixture, text_of(""),
                                                 NULL, &error);
        system_expect_error(status, &error, THEATER_COMPONENT_REFUSED, refused[i].fixture, w[0], w[1], w[2],
                            w[3], w[4], w[5], w[6], w[7],
                            NULL);
        system_witness(&bench);
    }
    system_start(bench.runtime, "subject", "echo", "");
    system_end(&bench);
}

static void bytes_that_are_no_component_are_refused(void **state)
{
    static const char *const texts[] = {"", "hello", "(component)", "\x7f" "ELF and more"};
    system_bench bench;
    theater_error error;
    system_begin(&bench, "bytes", NULL);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        theater_actor_options options = {.name = "subject", .component = text_of(texts[i])};
        theater_status status = theater_actor_start(bench.runtime, &options, NULL, &error);
        system_expect_error(status, &error, THEATER_COMPONENT_REFUSED, texts[i],
                            "not a WebAssembly component", NULL);
    }
    /* A component that was cut, at many places. */
    theater_slice whole = system_component("echo");
    for (size_t size = 1; size < whole.size / 2; size += 97) {
        theater_actor_options options = {.name = "subject", .component = {whole.data, size}};
        theater_status status = theater_actor_start(bench.runtime, &options, NULL, &error);
        system_expect_error(status, &error, THEATER_COMPONENT_REFUSED, "a cut component", NULL);
    }
    system_end(&bench);
}

static void each_failing_init_is_told_and_leaves_no_actor(void **state)
{
    static const struct {
        const char *fixture, *config, *words;
    } failing[] = {
        {"init_error", "", "returned an error"},
        {"init_trap", "", "trapped: unreachable"},
        {"init_loop", "", "ran out of fuel"},
        {"init_invalid", "", "made an invalid state"},
        {"start_trap", "", "trapped: unreachable"},
        {"start_segment", "", "trapped: memory"},
        {"start_text", "", "trapped: abi"},
        {"verify_trap", "", "trapped: unreachable"},
        {"set_state", "!no", "made an invalid state"},
        {"echo", "0123456789", "passed the limit 'state'"},
    };
    system_bench bench;
    theater_error error;
    theater_limits limits = {.fuel = 10000000, .state_bytes = 9};
    system_begin(&bench, "init", NULL);
    for (size_t i = 0; i < sizeof failing / sizeof *failing; i++) {
        theater_status status =
            system_try_start(bench.runtime, "subject", failing[i].fixture, text_of(failing[i].config),
                             &limits, &error);
        system_expect_error(status, &error, THEATER_ACTOR_FAILED, failing[i].fixture,
                            "init of actor subject", failing[i].words, NULL);
        theater_answer answer;
        status = system_send(bench.runtime, "subject", text_of("x"), &answer, &error);
        system_expect_error(status, &error, THEATER_NOT_FOUND, failing[i].fixture, "subject", NULL);
        system_witness(&bench);
    }
    /* Nothing of them is on disk either: the next id goes to who is started now. */
    system_start(bench.runtime, "subject", "echo", "");
    system_accept(bench.runtime, "subject", text_of("x"));
    system_reopen(&bench, NULL);
    system_accept(bench.runtime, "subject", text_of("x"));
    system_end(&bench);
}

static void a_name_that_is_none_is_refused(void **state)
{
    char long_name[130];
    memset(long_name, 'a', 129);
    long_name[129] = 0;
    const char *const names[] = {"", "Upper", "a b", "a..b", ".a", "a.", "a/b", "caf\xc3\xa9", "a\nb",
                                 long_name};
    system_bench bench;
    theater_error error;
    theater_answer answer;
    system_begin(&bench, "names", NULL);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        theater_status status = system_try_start(bench.runtime, names[i], "echo", text_of(""), NULL, &error);
        assert_int_equal(status, THEATER_INVALID_ARGUMENT);
        assert_non_null(strstr(error.message, "no name"));
        status = system_send(bench.runtime, names[i], text_of(""), &answer, &error);
        assert_int_equal(status, THEATER_INVALID_ARGUMENT);
    }
    theater_actor_options nameless = {.component = system_component("echo")};
    assert_int_equal(theater_actor_start(bench.runtime, &nameless, NULL, &error), THEATER_INVALID_ARGUMENT);
    long_name[128] = 0;
    system_start(bench.runtime, long_name, "echo", "");
    system_accept(bench.runtime, long_name, text_of("x"));
    system_end(&bench);
}

static void a_name_is_given_once(void **state)
{
    system_bench bench;
    theater_error error;
    system_begin(&bench, "duplicate", NULL);
    for (int i = 0; i < 2; i++) {
        theater_status status = system_try_start(bench.runtime, "witness", "echo", text_of(""), NULL, &error);
        system_expect_error(status, &error, THEATER_EXISTS, "a duplicate", "witness", NULL);
    }
    system_start(bench.runtime, "gone", "echo", "");
    OK(theater_actor_remove(bench.runtime, "gone", &error), error);
    theater_status status = system_try_start(bench.runtime, "gone", "echo", text_of(""), NULL, &error);
    system_expect_error(status, &error, THEATER_EXISTS, "the name of one that was removed", "gone",
                        "removed", NULL);
    system_reopen(&bench, NULL);
    status = system_try_start(bench.runtime, "gone", "echo", text_of(""), NULL, &error);
    system_expect_error(status, &error, THEATER_EXISTS, "the same after a restart", "gone", "removed", NULL);
    system_end(&bench);
}

static void who_is_not_there_is_named_by_every_call(void **state)
{
    system_bench bench;
    theater_error error;
    theater_answer answer;
    theater_bytes note = {0};
    theater_message message = {.actor = "nobody", .input = text_of("x")};
    system_begin(&bench, "unknown", NULL);
    theater_runtime *runtime = bench.runtime;
    system_expect_error(theater_send(runtime, &message, &answer, &error), &error, THEATER_NOT_FOUND, "send",
                        "nobody", NULL);
    system_expect_error(theater_query(runtime, &message, &answer, &error), &error, THEATER_NOT_FOUND,
                        "query", "nobody", NULL);
    system_expect_error(theater_actor_stop(runtime, "nobody", &error), &error, THEATER_NOT_FOUND, "stop",
                        "nobody", NULL);
    system_expect_error(theater_actor_resume(runtime, "nobody", &error), &error, THEATER_NOT_FOUND, "resume",
                        "nobody", NULL);
    system_expect_error(theater_actor_remove(runtime, "nobody", &error), &error, THEATER_NOT_FOUND, "remove",
                        "nobody", NULL);
    theater_upgrade_options upgrade = {.keep_config = true, .keep_limits = true};
    system_expect_error(theater_actor_upgrade(runtime, "nobody", &upgrade, NULL, &error), &error,
                        THEATER_NOT_FOUND, "upgrade", "nobody",
                        NULL);
    system_expect_error(theater_checkpoint(runtime, "nobody", &note, &error), &error, THEATER_NOT_FOUND,
                        "checkpoint", "nobody", NULL);
    theater_folder *folder;
    theater_actor_info info;
    OK(theater_folder_open(bench.folder, &folder, &error), error);
    system_expect_error(theater_folder_actor(folder, "nobody", &info, &error), &error, THEATER_NOT_FOUND,
                        "folder", "nobody", NULL);
    theater_folder_close(folder);
    system_end(&bench);
}

static void limits_that_cannot_be_are_named(void **state)
{
    system_bench bench;
    theater_error error;
    system_begin(&bench, "limits", NULL);
    static const struct {
        const char *name;
        theater_limits limits;
    } wrong[] = {
        {"fuel", {.fuel = UINT64_MAX}},
        {"memory", {.memory_bytes = UINT64_MAX}},
        {"state", {.state_bytes = UINT64_MAX}},
        {"message", {.message_bytes = UINT64_MAX}},
        {"effects", {.effects_bytes = UINT64_MAX}},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        theater_status status = system_try_start(bench.runtime, "subject", "echo", text_of(""),
                                                 &wrong[i].limits, &error);
        system_expect_error(status, &error, THEATER_INVALID_ARGUMENT, wrong[i].name, "limit", wrong[i].name,
                            NULL);
    }
    theater_status status =
        system_try_start(bench.runtime, "subject", "echo", text_of("0123456789"),
                         &(theater_limits){.message_bytes = 9}, &error);
    system_expect_error(status, &error, THEATER_TOO_LARGE, "a config over the message limit", "config", "10",
                        "9", NULL);
    system_start(bench.runtime, "subject", "echo", "");
    system_end(&bench);
}

/* An upgrade that fails changes nothing, and its error says why. */
static void an_upgrade_that_fails_leaves_the_actor_as_it_was(void **state)
{
    system_bench bench;
    theater_error error;
    system_begin(&bench, "upgrade", NULL);
    system_start(bench.runtime, "subject", "echo", "!kept state");
    static const struct {
        const char *component;
        theater_limits limits;
        theater_status status;
        const char *words;
    } failing[] = {
        {"wasi_import", {0}, THEATER_COMPONENT_REFUSED, "wasi:cli"},
        {"core_module", {0}, THEATER_COMPONENT_REFUSED, "not a component"},
        {"set_state", {0}, THEATER_ACTOR_FAILED, "invalid state"},
        {"verify_trap", {0}, THEATER_ACTOR_FAILED, "unreachable"},
        {"verify_loop", {.fuel = 1000000}, THEATER_ACTOR_FAILED, "out of fuel"},
        {"echo", {.state_bytes = 5}, THEATER_ACTOR_FAILED, "state"},
    };
    for (size_t i = 0; i < sizeof failing / sizeof *failing; i++) {
        theater_upgrade_options options = {
            .component = system_component(failing[i].component),
            .limits = failing[i].limits,
            .keep_config = true,
        };
        theater_status status = theater_actor_upgrade(bench.runtime, "subject", &options, NULL, &error);
        system_expect_error(status, &error, failing[i].status, failing[i].component, failing[i].words, NULL);
        assert_int_equal(system_accept(bench.runtime, "subject", text_of("x")), i + 1);
    }
    theater_upgrade_options good = {.component = system_component("observe"), .keep_config = true,
                                    .keep_limits = true};
    OK(theater_actor_upgrade(bench.runtime, "subject", &good, NULL, &error), error);
    system_accept(bench.runtime, "subject", text_of("x"));
    system_end(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_refused_component_is_named_and_leaves_its_name_free),
        cmocka_unit_test(bytes_that_are_no_component_are_refused),
        cmocka_unit_test(each_failing_init_is_told_and_leaves_no_actor),
        cmocka_unit_test(a_name_that_is_none_is_refused),
        cmocka_unit_test(a_name_is_given_once),
        cmocka_unit_test(who_is_not_there_is_named_by_every_call),
        cmocka_unit_test(limits_that_cannot_be_are_named),
        cmocka_unit_test(an_upgrade_that_fails_leaves_the_actor_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
