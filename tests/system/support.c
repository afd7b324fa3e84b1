#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/signals.h"

void system_ok(theater_status status, const theater_error *error, const char *call, int line)
{
    if (status != THEATER_OK)
        fail_msg("line %d: %s: %s: %s", line, call, theater_status_name(status), error->message);
}

void system_expect_error(theater_status status, const theater_error *error, theater_status want,
                         const char *what, ...)
{
    if (status != want)
        fail_msg("%s: %s expected, not %s: %s", what, theater_status_name(want), theater_status_name(status),
                 error->message);
    assert_int_equal(error->status, want);
    assert_true(error->message[0] != 0);
    for (const unsigned char *at = (const unsigned char *)error->message; *at; at++)
        if (*at < ' ' && *at != '\n')
            fail_msg("%s: a control character in \"%s\"", what, error->message);
    va_list words;
    va_start(words, what);
    for (const char *word; (word = va_arg(words, const char *));)
        if (!strstr(error->message, word))
            fail_msg("%s: '%s' is missing in \"%s\"", what, word, error->message);
    va_end(words);
}

/* ---- one runtime --------------------------------------------------------------------------------------- */

static void open_bench(system_bench *bench, const theater_runtime_options *options)
{
    theater_runtime_options all = options ? *options : (theater_runtime_options){0};
    theater_error error;
    all.folder = bench->folder;
    all.workers = all.workers ? all.workers : 2;
    OK(theater_runtime_open(&all, &bench->runtime, &error), error);
    test_keep_signals();
}

void system_begin(system_bench *bench, const char *name, const theater_runtime_options *options)
{
    *bench = (system_bench){.folder = strdup(system_fresh(name))};
    open_bench(bench, options);
    system_start(bench->runtime, "witness", "counter", "");
    system_witness(bench);
}

void system_reopen(system_bench *bench, const theater_runtime_options *options)
{
    theater_runtime_close(bench->runtime);
    open_bench(bench, options);
}

void system_witness(system_bench *bench)
{
    theater_answer answer;
    theater_error error;
    OK(system_send(bench->runtime, "witness", text_of("x"), &answer, &error), error);
    bench->witnessed++;
    assert_int_equal(answer.sequence, bench->witnessed);
    assert_int_equal(answer.output.size, 8);
    assert_memory_equal(answer.output.data, &bench->witnessed, 8);
    theater_answer_done(&answer);
}

void system_end(system_bench *bench)
{
    theater_error error;
    system_witness(bench);
    OK(theater_drain(bench->runtime, 60000, &error), error);
    OK(theater_runtime_health(bench->runtime, &error), error);
    theater_runtime_close(bench->runtime);
    system_check_folder(bench->folder);
    system_remove_tree(bench->folder);
    free((char *)bench->folder);
}

static void expect_good(const theater_report *report, const char *what, const char *folder)
{
    if (report->status != THEATER_OK)
        fail_msg("%s of %s: %s: %s", what, folder, theater_status_name(report->status), report->message);
    assert_true(report->chains > 0);
    assert_int_equal(report->missing_causes, 0);
    assert_int_equal(report->skipped, 0);
    assert_int_equal(report->undecided, 0);
}

void system_check_folder(const char *path)
{
    theater_folder *folder;
    theater_error error;
    theater_report report;
    uint64_t records, bytes;
    OK(theater_folder_open(path, &folder, &error), error);
    OK(theater_folder_check(folder, &records, &bytes, &error), error);
    theater_source source = {.folder = folder};
    OK(theater_verify(&source, &(theater_check_options){.all = true}, &report, &error), error);
    expect_good(&report, "verification", path);
    OK(theater_replay(&source, &(theater_check_options){.threads = 2}, &report, &error), error);
    expect_good(&report, "replay", path);
    theater_folder_close(folder);
}

/* ---- actors -------------------------------------------------------------------------------------------- */

theater_status system_try_start(theater_runtime *runtime, const char *name, const char *component,
                                theater_slice config,
                                const theater_limits *limits, theater_error *reterr)
{
    theater_actor_options options =
        {.name = name, .component = system_component(component), .config = config};
    if (limits)
        options.limits = *limits;
    *reterr = (theater_error){0};
    return theater_actor_start(runtime, &options, NULL, reterr);
}

void system_start(theater_runtime *runtime, const char *name, const char *component, const char *config)
{
    theater_error error;
    OK(system_try_start(runtime, name, component, text_of(config), NULL, &error), error);
}

theater_status system_send(theater_runtime *runtime, const char *name, theater_slice input,
                           theater_answer *ret,
                           theater_error *reterr)
{
    theater_message message = {.actor = name, .input = input};
    *reterr = (theater_error){0};
    return theater_send(runtime, &message, ret, reterr);
}

uint64_t system_accept(theater_runtime *runtime, const char *name, theater_slice input)
{
    theater_answer answer;
    theater_error error;
    OK(system_send(runtime, name, input, &answer, &error), error);
    uint64_t sequence = answer.sequence;
    theater_answer_done(&answer);
    return sequence;
}

void system_info(const char *path, const char *name, theater_actor_info *ret)
{
    theater_folder *folder;
    theater_error error;
    OK(theater_folder_open(path, &folder, &error), error);
    OK(theater_folder_actor(folder, name, ret, &error), error);
    theater_folder_close(folder);
}
