/* `theater new` and `theater build`: what a person at a terminal does, and does wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "sdk/actor_run.h"
#include "guest/languages.h"
#include "tool/files.h"

static char scratch[PATH_MAX / 2];
static theater_error error;
static th_guest_project project; /* of the last build */

static const char *at(const char *name)
{
    static char paths[4][PATH_MAX];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, PATH_MAX, "%s/%s", scratch, name);
    return path;
}

static void write_text(const char *name, const char *text)
{
    assert_int_equal(th_tool_replace(at(name), th_slice_text(text), &error), THEATER_OK);
}

static void make_folder(const char *name)
{
    assert_int_equal(th_tool_make_folder(at(name), &error), THEATER_OK);
}

static void read_file(const char *path, th_buf *ret)
{
    th_buf_init(ret, 16 << 20);
    assert_int_equal(th_tool_read(path, ret, &error), THEATER_OK);
}

static theater_status make_new(const char *path, theater_error *reterr)
{
    return th_guest_new(&th_guest_c, path, reterr);
}

static theater_status build_folder(const char *path, th_guest_built *ret, theater_error *reterr)
{
    theater_status status = th_guest_project_find(path, NULL, &project, reterr);
    return status ? status : th_guest_build(&project, NULL, ret, reterr);
}

static int make_scratch(void **unused)
{
    snprintf(scratch, sizeof scratch, "%s/test-build-XXXXXX", TH_BINARY_DIR);
    return mkdtemp(scratch) ? 0 : -1;
}

static void assert_mentions(const char *part)
{
    if (!strstr(error.message, part))
        fail_msg("\"%s\" does not mention \"%s\"", error.message, part);
}

static void test_a_new_actor_builds_and_runs(void **unused)
{
    th_guest_built built;
    assert_int_equal(make_new(at("vote.tea/"), &error), THEATER_OK);
    assert_int_equal(access(at("vote.tea/README.md"), R_OK) | access(at("vote.tea/inputs.txt"), R_OK), 0);
    assert_int_equal(build_folder(at("vote.tea"), &built, &error), THEATER_OK);
    assert_string_equal(project.name, "vote.tea");
    assert_string_equal(built.component, at("vote.tea/build/vote.tea.wasm"));
    assert_int_equal(access(built.tool, X_OK), 0);

    th_buf manifest;
    read_file(at("vote.tea/actor.yaml"), &manifest);
    assert_int_equal(th_buf_append_byte(&manifest, 0, &error), THEATER_OK);
    assert_non_null(strstr((const char *)manifest.data, "name: vote.tea\ncomponent: build/vote.tea.wasm\n"));
    th_buf_done(&manifest);

    actor_run run;
    assert_int_equal(actor_run_start_file(&run, built.component, "tea coffee water"), TH_ENGINE_OK);
    assert_true(actor_run_gives(&run, "vote tea", "1"));
    assert_true(actor_run_gives(&run, "vote tea", "2"));
    assert_true(actor_run_gives(&run, "vote water", "1"));
    assert_true(actor_run_gives(&run, "result", "tea=2 coffee=0 water=1"));
    assert_true(actor_run_rejects(&run, "vote wine", "there is no such choice"));
    actor_run_done(&run);
    assert_int_equal(actor_run_start_file(&run, built.component, ""), TH_ENGINE_ERROR);
    actor_run_done(&run);
}

static void test_a_build_gives_the_same_bytes_anywhere(void **unused)
{
    static const char source[] =
        "#include <theater.h>\n"
        "static theater_result init(theater_slice c) { return theater_reject(__FILE__); }\n"
        "static theater_result handle(theater_slice i, theater_bytes s) { return theater_reply(i, s); }\n"
        "static bool verify_state(theater_slice s) { return s.size == 0; }\n"
        "THEATER_ACTOR(init, handle, verify_state)\n";
    th_guest_built built;
    th_buf first, again, elsewhere;
    make_folder("same");
    make_folder("deeper");
    make_folder("deeper/same");
    write_text("same/a.c", source);
    write_text("deeper/same/a.c", source);
    assert_int_equal(build_folder(at("same"), &built, &error), THEATER_OK);
    read_file(built.component, &first);
    assert_int_equal(build_folder(at("same"), &built, &error), THEATER_OK);
    read_file(built.component, &again);
    assert_int_equal(build_folder(at("deeper/same"), &built, &error), THEATER_OK);
    read_file(built.component, &elsewhere);
    assert_int_equal(built.component_bytes, elsewhere.size);
    assert_true(th_slice_equal(th_buf_slice(&first), th_buf_slice(&again)));
    assert_true(th_slice_equal(th_buf_slice(&first), th_buf_slice(&elsewhere)));
    th_buf_done(&first);
    th_buf_done(&again);
    th_buf_done(&elsewhere);

    /* Nothing but the component stays. */
    th_tool_names names;
    assert_int_equal(th_tool_list(at("same/build"), "", &names, &error), THEATER_OK);
    assert_int_equal(names.count, 1);
    th_tool_names_done(&names);
}

/* What `make` built and what `theater build` makes of the same sources are the same component. */
static void test_make_and_theater_build_agree(void **unused)
{
    th_guest_built built;
    th_buf source, made, again;
    make_folder("counter");
    read_file(TH_SOURCE_DIR "/examples/counter/counter.c", &source);
    assert_int_equal(th_tool_replace(at("counter/counter.c"), th_buf_slice(&source), &error), THEATER_OK);
    assert_int_equal(build_folder(at("counter"), &built, &error), THEATER_OK);
    read_file(built.component, &again);
    read_file(TH_BINARY_DIR "/actors/counter.wasm", &made);
    assert_true(th_slice_equal(th_buf_slice(&again), th_buf_slice(&made)));
    th_buf_done(&source);
    th_buf_done(&made);
    th_buf_done(&again);
}

static void test_new_refuses_what_is_no_name_or_is_there(void **unused)
{
    assert_int_equal(make_new(at("Upper"), &error), THEATER_INVALID_ARGUMENT);
    assert_mentions("\"Upper\" is no name for an actor");
    assert_int_equal(make_new("", &error), THEATER_INVALID_ARGUMENT);
    assert_int_equal(make_new("/", &error), THEATER_INVALID_ARGUMENT);
    make_folder("there");
    assert_int_equal(make_new(at("there"), &error), THEATER_EXISTS);
    assert_mentions("there");
    assert_int_equal(make_new(at("no/such/folder"), &error), THEATER_NOT_FOUND);
}

static void test_build_says_what_is_wrong_with_a_folder(void **unused)
{
    th_guest_built built;
    assert_int_equal(build_folder(at("missing"), &built, &error), THEATER_NOT_FOUND);
    assert_mentions("missing");
    make_folder("empty");
    assert_int_equal(build_folder(at("empty"), &built, &error), THEATER_NOT_FOUND);
    assert_mentions("no source file of an actor");
    assert_int_not_equal(access(at("empty/build"), F_OK), 0);
    make_folder("nameless");
    write_text("nameless/a.c", "");
    write_text("nameless/actor.yaml", "component: x.wasm\n  name: inner\n");
    assert_int_equal(build_folder(at("nameless"), &built, &error), THEATER_INVALID_ARGUMENT);
    assert_mentions("actor.yaml: there is no name");
    write_text("nameless/actor.yaml", "# name: no\nname: 'Not A Name' # x\n");
    assert_int_equal(build_folder(at("nameless"), &built, &error), THEATER_INVALID_ARGUMENT);
    assert_mentions("\"Not A Name\" is no name");
}

static theater_status build_text(const char *text)
{
    th_guest_built built;
    make_folder("bad");
    write_text("bad/actor.yaml", "name: \"bad\" # quoted\r\n");
    write_text("bad/bad.c", text);
    return build_folder(at("bad"), &built, &error);
}

static const char actor[] =
    "#include <theater.h>\n"
    "ELSEWHERE void elsewhere(void);\n"
    "static theater_result init(theater_slice c) { return theater_start((theater_bytes){0}); }\n"
    "static theater_result handle(theater_slice i, theater_bytes s) { elsewhere(); return theater_reply(i, "
    "s); }\n"
    "static bool verify_state(theater_slice s) { return true; }\n"
    "THEATER_ACTOR(init, handle, verify_state)\n";

static void test_build_passes_on_what_the_compiler_says(void **unused)
{
    char text[4096];
    assert_int_equal(build_text("int x = ;\n"), THEATER_INVALID_ARGUMENT);
    assert_mentions("bad.c failed");
    snprintf(text, sizeof text, "#define ELSEWHERE extern\n%s", actor);
    assert_int_equal(build_text(text), THEATER_INVALID_ARGUMENT);
    assert_mentions("linking failed");
    assert_int_equal(build_text("int lonely(void); int lonely(void) { return 1; }\n"),
                     THEATER_COMPONENT_REFUSED);
    assert_mentions("theater:actor/actor@0.1.0");
    snprintf(text, sizeof text,
             "#define ELSEWHERE __attribute__((import_module(\"env\"), import_name(\"clock\")))\n%s", actor);
    assert_int_equal(build_text(text), THEATER_COMPONENT_REFUSED);
    assert_mentions("env");
    assert_int_not_equal(access(at("bad/build/bad.wasm"), F_OK), 0);
}

static void test_build_says_what_to_install(void **unused)
{
    char path[4096], clang[4096], linker[4096];
    snprintf(path, sizeof path, "%s", getenv("PATH"));
    snprintf(clang, sizeof clang, "%s", getenv("THEATER_CLANG") ? getenv("THEATER_CLANG") : "");
    snprintf(linker, sizeof linker, "%s", getenv("THEATER_WASM_LD") ? getenv("THEATER_WASM_LD") : "");
    setenv("THEATER_CLANG", "", 1); /* empty is as if it were not set */
    setenv("THEATER_WASM_LD", "", 1);
    th_guest_built built;
    assert_int_equal(make_new(at("tools"), &error), THEATER_OK);
    setenv("PATH", scratch, 1);
    assert_int_equal(build_folder(at("tools"), &built, &error), THEATER_TOOL_MISSING);
    assert_mentions("apt install clang lld");
    setenv("PATH", path, 1);
    setenv("THEATER_CLANG", "/no/such/clang", 1);
    assert_int_equal(build_folder(at("tools"), &built, &error), THEATER_TOOL_MISSING);
    assert_mentions("/no/such/clang");
    setenv("THEATER_CLANG", clang, 1);
    setenv("THEATER_WASM_LD", linker, 1);
    setenv("THEATER_SDK", scratch, 1);
    assert_int_equal(build_folder(at("tools"), &built, &error), THEATER_TOOL_MISSING);
    assert_mentions("THEATER_SDK");
    unsetenv("THEATER_SDK");
    assert_int_equal(build_folder(at("tools"), &built, &error), THEATER_OK);
}

#ifdef TH_FAULTS
/* Every allocation of a build fails once: an error, no crash, and the next build works. */
static void test_a_build_without_memory_is_an_error(void **unused)
{
    th_guest_built built;
    assert_int_equal(make_new(at("faults"), &error), THEATER_OK);
    for (uint64_t place = 1;; place++) {
        th_allocation_fail_at(place);
        theater_status status = build_folder(at("faults"), &built, &error);
        th_allocation_fail_at(0);
        if (status == THEATER_OK)
            break;
        assert_int_equal(status, THEATER_NO_MEMORY);
        assert_true(place < 100);
    }
}
#endif

static int remove_scratch(void **unused)
{
    char command[PATH_MAX];
    snprintf(command, sizeof command, "rm -rf '%s'", scratch);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_new_actor_builds_and_runs),
        cmocka_unit_test(test_a_build_gives_the_same_bytes_anywhere),
        cmocka_unit_test(test_make_and_theater_build_agree),
        cmocka_unit_test(test_new_refuses_what_is_no_name_or_is_there),
        cmocka_unit_test(test_build_says_what_is_wrong_with_a_folder),
        cmocka_unit_test(test_build_passes_on_what_the_compiler_says),
        cmocka_unit_test(test_build_says_what_to_install),
#ifdef TH_FAULTS
        cmocka_unit_test(test_a_build_without_memory_is_an_error),
#endif
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
