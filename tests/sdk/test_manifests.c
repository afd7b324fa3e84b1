/* The manifests of the examples, and of a new actor, are what the runtime reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "actor/manifest.h"
#include "tool/files.h"
#include "guest/languages.h"

static theater_error error;

/* Reads the manifest of the actor `name` in `folder` and checks that it names what a build of it makes. */
static void check(const char *folder, const char *name)
{
    char path[PATH_MAX], component[256];
    assert_int_equal(th_tool_join(folder, "actor.yaml", path, &error), THEATER_OK);
    th_buf text;
    th_buf_init(&text, 1 << 20);
    if (th_tool_read(path, &text, &error) != THEATER_OK)
        fail_msg("%s", error.message);
    th_manifest manifest;
    if (th_manifest_parse(th_buf_slice(&text), path, &manifest, &error) != THEATER_OK)
        fail_msg("%s", error.message);
    assert_string_equal(manifest.name, name);
    snprintf(component, sizeof component, "build/%s.wasm", name);
    assert_string_equal(manifest.component, component);
    th_manifest_done(&manifest);
    th_buf_done(&text);
}

static void test_the_examples_have_manifests(void **unused)
{
    static const char *const names[] = {"counter", "ledger", "order-book", "ping", "pong", "ring"};
    char folder[PATH_MAX];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(folder, sizeof folder, "%s/examples/%s", TH_SOURCE_DIR, names[i]);
        check(folder, names[i]);
    }
}

static void test_a_new_actor_has_one(void **unused)
{
    char parent[PATH_MAX / 2], folder[PATH_MAX], command[PATH_MAX];
    snprintf(parent, sizeof parent, "%s/test-manifest-XXXXXX", TH_BINARY_DIR);
    assert_non_null(mkdtemp(parent));
    snprintf(folder, sizeof folder, "%s/tea.time", parent);
    assert_int_equal(th_guest_new(&th_guest_c, folder, &error), THEATER_OK);
    check(folder, "tea.time");
    snprintf(command, sizeof command, "rm -r '%s'", parent);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_examples_have_manifests),
        cmocka_unit_test(test_a_new_actor_has_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
