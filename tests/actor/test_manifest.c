/* Manifests: what is read, and that everything else is an error with its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "actor/manifest.h"

#define HEAD "name: ledger\ncomponent: build/ledger.wasm\n"

static void parses_all_keys(void **state)
{
    th_manifest m;
    theater_error error = {0};
    static const char text[] = "# an actor\nname: shop.cart-1\ncomponent: \"a b.wasm\"\n"
                               "config: '{\"start\":41}'\n"
                               "limits: { fuel: 5000, memory: 32MiB, state: 1 GB,"
                               " message: 2048, effects: 3kB }\n";
    assert_int_equal(th_manifest_parse(th_slice_text(text), "actor.yaml", &m, &error), THEATER_OK);
    assert_string_equal(m.name, "shop.cart-1");
    assert_string_equal(m.component, "a b.wasm");
    assert_string_equal(m.config, "{\"start\":41}");
    assert_null(m.config_file);
    assert_int_equal(m.limits.fuel, 5000);
    assert_int_equal(m.limits.memory, 32 << 20);
    assert_int_equal(m.limits.state, 1000000000);
    assert_int_equal(m.limits.message, 2048);
    assert_int_equal(m.limits.effects, 3000);
    th_manifest_done(&m);
    assert_null(m.name);
}

static void defaults_where_it_is_silent(void **state)
{
    th_manifest m;
    assert_int_equal(th_manifest_parse(th_slice_text(HEAD "config-file: c.json\nlimits:\n  fuel: 7\n"),
                                       "actor.yaml",
                                       &m, NULL),
                     THEATER_OK);
    assert_null(m.config);
    assert_string_equal(m.config_file, "c.json");
    assert_int_equal(m.limits.fuel, 7);
    assert_int_equal(m.limits.memory, 64 << 20);
    assert_int_equal(m.limits.state, 16 << 20);
    assert_int_equal(m.limits.message, 1 << 20);
    assert_int_equal(m.limits.effects, 4 << 20);
    th_manifest_done(&m);
    assert_int_equal(th_manifest_parse(th_slice_text(HEAD "config: |\n  two\n  lines\n"), "a", &m, NULL),
                     THEATER_OK);
    assert_string_equal(m.config, "two\nlines\n");
    assert_int_equal(m.limits.fuel, 1000000000);
    th_manifest_done(&m);
    assert_int_equal(th_manifest_parse(th_slice_text(HEAD "config: ''\n"), "a", &m, NULL), THEATER_OK);
    assert_string_equal(m.config, "");
    th_manifest_done(&m);
}

static void refused(th_slice text, const char *words)
{
    th_manifest m;
    theater_error error = {0};
    assert_int_equal(th_manifest_parse(text, "actor.yaml", &m, &error), THEATER_INVALID_ARGUMENT);
    if (!strstr(error.message, words))
        fail_msg("'%s' does not say '%s'", error.message, words);
    assert_null(m.name);
    assert_null(m.config);
}

static void whatever_else_is_refused_with_its_line(void **state)
{
    static const char *const cases[][2] = {
        {"", "actor.yaml:1: the manifest is empty"},
        {"# nothing\n", "the manifest is empty"},
        {"- name\n", "actor.yaml:1: the manifest must be a mapping"},
        {"ledger", "must be a mapping"},
        {HEAD "fuel: 3\n", "actor.yaml:3: unknown key fuel"},
        {HEAD "limits:\n  fuel: 1\n  stack: 2\n", "actor.yaml:5: unknown key stack"},
        {"name: a\nname: b\ncomponent: c\n", "actor.yaml:2: a second name"},
        {HEAD "limits: {fuel: 1, fuel: 2}\n", "actor.yaml:3: a second fuel"},
        {HEAD "limits: {}\nlimits: {}\n", "actor.yaml:4: a second limits"},
        {"name: a\n", "missing key component"},
        {"component: a\n", "missing key name"},
        {"{}", "missing key name"},
        {"name: A\ncomponent: c\n", "actor.yaml:1: A is no name"},
        {"name: a..b\ncomponent: c\n", "is no name"},
        {"name: ''\ncomponent: c\n", "is no name"},
        {"name: a\ncomponent: ''\n", "component has no value"},
        {"name: a\ncomponent:\n", "actor.yaml:2: component has no value"},
        {"name: ~\ncomponent: c\n", "actor.yaml:1: name has no value"},
        {"name: [a]\ncomponent: c\n", "actor.yaml:1: name must be a single value"},
        {HEAD "config: {a: 1}\n", "actor.yaml:3: config must be a single value"},
        {HEAD "config: a\nconfig-file: b\n", "actor.yaml:4: config and config-file exclude each other"},
        {HEAD "limits: 5\n", "actor.yaml:3: limits must be a mapping"},
        {HEAD "limits: ~\n", "limits must be a mapping"},
        {HEAD "limits: {fuel: 0}\n", "actor.yaml:3: fuel must be at least 1"},
        {HEAD "limits:\n  fuel: 1\n  state: 0MiB\n", "actor.yaml:5: state must be at least 1"},
        {HEAD "limits: {fuel: -1}\n", "fuel must be a whole number"},
        {HEAD "limits: {fuel: 1.5}\n", "fuel must be a whole number"},
        {HEAD "limits: {fuel: 1kB}\n", "fuel must be a whole number"},
        {HEAD "limits: {fuel: 18446744073709551616}\n", "fuel must be a whole number"},
        {HEAD "limits: {memory: much}\n", "memory must be a size"},
        {HEAD "limits: {memory: [1]}\n", "memory must be a single value"},
        {"name: a\n\tcomponent: c\n", "actor.yaml:2:"},
        {HEAD "}\n", "actor.yaml:3:"},
        {HEAD "config: 'open\n", "actor.yaml:"},
        {HEAD "? [x]\n: y\n", "actor.yaml:3: a key must be a single value"},
        {HEAD "<<: {config: a}\n", "unknown key <<"},
        {"name: &n a\ncomponent: *n\n", "actor.yaml:1: tags and anchors are not allowed"},
        {"name: a\ncomponent: *n\n", "actor.yaml:2: aliases are not allowed"},
        {"name: !!str a\ncomponent: c\n", "actor.yaml:1: tags and anchors are not allowed"},
        {HEAD "limits: &l {fuel: 1}\n", "actor.yaml:3: tags and anchors are not allowed"},
        {HEAD "---\nname: b\n", "actor.yaml:3: a second document"},
        {"name: \"a\\0b\"\ncomponent: c\n", "name holds a zero byte"},
        {"name: a\n\xff\xfe: c\n", "actor.yaml:2:"},
        {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "must be a mapping"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        refused(th_slice_text(cases[i][0]), cases[i][1]);
    refused(th_slice_of("\0\1\2\3", 4), "actor.yaml:1:");
}

static void a_manifest_is_bounded(void **state)
{
    size_t size = ((size_t)16 << 20) + 1;
    char *text = calloc(1, size);
    memset(text, '#', size);
    refused(th_slice_of(text, size), "at most");
    free(text);
}

/* Whatever bytes stand in it: an error or a manifest, and nothing leaks. */
static void garbage_is_refused_or_read(void **state)
{
    static const char seed[] = HEAD "config: '{\"start\":41}'\nlimits: { fuel: 10, memory: 64MiB }\n";
    uint64_t random = 88172645463325252u;
    for (int round = 0; round < 20000; round++) {
        char text[sizeof seed];
        memcpy(text, seed, sizeof seed);
        for (int changes = 1 + round % 3; changes > 0; changes--) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            text[random % (sizeof seed - 1)] = (char)(random >> 32);
        }
        th_manifest m;
        theater_error error = {0};
        theater_status status = th_manifest_parse(th_slice_of(text, sizeof seed - 1), "a", &m, &error);
        if (!status) {
            assert_true(th_name_valid(th_slice_text(m.name)));
            th_manifest_done(&m);
        } else {
            assert_int_equal(status, THEATER_INVALID_ARGUMENT);
            assert_int_equal(strncmp(error.message, "a:", 2), 0);
        }
    }
}

static void sizes(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {{"0", 0},          {"4096", 4096},       {"1B", 1},         {"1 kB", 1000},
                {"64KiB", 65536},  {"64 MiB", 64 << 20}, {"1GB", 1000000000}, {"2TiB", (uint64_t)2 << 40},
                {"16777215TiB", (uint64_t)16777215 << 40}, {"18446744073709551615", UINT64_MAX}};
    static const char *const bad[] = {"", " ", "MiB", "-1", "+1", "1.5MiB", "1mib", "1  MiB", "1 ", " 1",
                                      "1 MiB ",
                                      "1Mi", "0x10", "16777216TiB", "18446744073709551616", "1e3"};
    uint64_t bytes;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(th_parse_size(good[i].text, &bytes));
        assert_int_equal(bytes, good[i].bytes);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(th_parse_size(bad[i], &bytes));
}

#ifdef TH_FAULTS
static void every_allocation_may_fail(void **state)
{
    for (uint64_t place = 1; place <= 4; place++) {
        th_manifest m;
        th_allocation_fail_at(place);
        theater_status status = th_manifest_parse(th_slice_text(HEAD "config: c\n"), "a", &m, NULL);
        th_allocation_fail_at(0);
        assert_int_equal(status, place <= 3 ? THEATER_NO_MEMORY : THEATER_OK);
        th_manifest_done(&m);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_all_keys),
        cmocka_unit_test(defaults_where_it_is_silent),
        cmocka_unit_test(whatever_else_is_refused_with_its_line),
        cmocka_unit_test(a_manifest_is_bounded),
        cmocka_unit_test(garbage_is_refused_or_read),
        cmocka_unit_test(sizes),
#ifdef TH_FAULTS
        cmocka_unit_test(every_allocation_may_fail),
#endif
    };
    return cmocka_run_group_tests_name("actor: manifest", tests, NULL, NULL);
}
