/* The component loader: counted references, compiled once, compiled forms, the bound of idle ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <pthread.h>

#include "actor/loader.h"
#include "crypto/sha256.h"
#include "port/system.h"
#include "standin.h"

/* A store of a few binaries and compiled forms. */
typedef struct shelf {
    th_standin standin;
    th_machine machine;
    th_loader *loader;
    const char *binary;  /* what read_binary gives, NULL for nothing */
    char compiled[256];  /* what was written, or what read_compiled gives */
    size_t compiled_size;
    atomic_uint reads, writes;
} shelf;

static shelf S;

static theater_status read_binary(void *context, const th_hash *hash, th_buf *out, theater_error *reterr)
{
    atomic_fetch_add(&S.reads, 1);
    if (!S.binary)
        return th_fail(reterr, THEATER_NOT_FOUND, "no such component");
    return th_buf_append(out, th_slice_text(S.binary), reterr);
}

static theater_status read_compiled(void *context, const th_hash *hash, th_buf *out, theater_error *reterr)
{
    if (S.compiled_size == 0)
        return th_fail(reterr, THEATER_NOT_FOUND, "no compiled form");
    return th_buf_append(out, th_slice_of(S.compiled, S.compiled_size), reterr);
}

static void write_compiled(void *context, const th_hash *hash, th_slice compiled)
{
    atomic_fetch_add(&S.writes, 1);
    assert_true(compiled.size < sizeof S.compiled);
    memcpy(S.compiled, compiled.data, compiled.size);
    S.compiled_size = compiled.size;
}

static int open_shelf(void **state)
{
    memset(&S, 0, sizeof S);
    th_standin_init(&S.standin, &S.machine);
    th_loader_options options = {
        .machine = &S.machine, .port = th_port_system(), .keep = 2, .read_binary = read_binary,
        .read_compiled = read_compiled, .write_compiled = write_compiled,
    };
    return th_loader_new(&options, &S.loader, NULL);
}

static int close_shelf(void **state)
{
    th_loader_free(S.loader);
    return (int)atomic_load(&S.standin.components);
}

static th_hash sha(const char *text)
{
    th_hash hash;
    th_hasher *hasher;
    assert_int_equal(th_hasher_new(&hasher, NULL), THEATER_OK);
    th_sha256_of(hasher, th_slice_text(text), &hash);
    th_hasher_free(hasher);
    return hash;
}

static th_loaded *add(const char *text)
{
    th_loaded *loaded;
    S.compiled_size = 0;
    assert_int_equal(th_loader_add(S.loader, th_slice_text(text), &loaded, NULL), THEATER_OK);
    return loaded;
}

static void one_component_is_shared(void **state)
{
    th_loaded *a = add("standin:echo"), *b, *c = add("standin:echo");
    th_hash hash = sha("standin:echo");
    assert_true(th_hash_equal(th_loaded_hash(a), &hash));
    assert_int_equal(th_loader_get(S.loader, &hash, &b, NULL), THEATER_OK);
    assert_ptr_equal(a, b);
    assert_ptr_equal(a, c);
    assert_non_null(th_loaded_component(a));
    assert_int_equal(atomic_load(&S.standin.compiles), 1);
    th_loaded_unref(a);
    th_loaded_unref(b);
    th_loaded_unref(c);
    th_loaded_unref(NULL);
    assert_int_equal(atomic_load(&S.standin.components), 1);
}

static void a_refused_component_says_all_that_is_wrong(void **state)
{
    th_loaded *loaded;
    theater_error error = {0};
    assert_int_equal(th_loader_add(S.loader, th_slice_text("standin:clock fast=1 max=x"), &loaded, &error),
                     THEATER_COMPONENT_REFUSED);
    assert_string_equal(error.message,
                        "unknown kind 'clock'\nunknown option 'fast=1'\nunknown option 'max=x'");
    assert_int_equal(th_loader_add(S.loader, th_slice_of("\0asm", 4), &loaded, &error),
                     THEATER_COMPONENT_REFUSED);
    assert_int_equal(S.writes, 0);
    /* It leaves nothing behind: the same bytes are refused again. */
    assert_int_equal(th_loader_add(S.loader, th_slice_of("\0asm", 4), &loaded, &error),
                     THEATER_COMPONENT_REFUSED);
}

static void a_binary_comes_from_the_store(void **state)
{
    th_loaded *loaded;
    theater_error error = {0};
    th_hash hash = sha("standin:counter");
    assert_int_equal(th_loader_get(S.loader, &hash, &loaded, &error), THEATER_NOT_FOUND);
    S.binary = "standin:echo";
    assert_int_equal(th_loader_get(S.loader, &hash, &loaded, &error), THEATER_CORRUPT);
    assert_non_null(strstr(error.message, "another hash"));
    S.binary = "standin:counter";
    assert_int_equal(th_loader_get(S.loader, &hash, &loaded, &error), THEATER_OK);
    assert_int_equal(atomic_load(&S.reads), 3);
    assert_int_equal(atomic_load(&S.writes), 1);
    th_loaded_unref(loaded);
}

static void what_could_not_be_read_again_is_refused(void **state)
{
    size_t size = ((size_t)256 << 20) + 1;
    uint8_t *binary = th_alloc_zero(1, size); /* pages that nobody touches */
    assert_non_null(binary);
    th_loaded *loaded;
    theater_error error = {0};
    assert_int_equal(th_loader_add(S.loader, th_slice_of(binary, size), &loaded, &error), THEATER_TOO_LARGE);
    assert_int_equal(th_loader_add(S.loader, th_slice_of(binary, size - 1), &loaded, &error),
                     THEATER_COMPONENT_REFUSED);
    th_free(binary);
}

static void a_compiled_form_is_used_and_a_bad_one_replaced(void **state)
{
    th_loaded *loaded;
    th_hash hash = sha("standin:counter");
    strcpy(S.compiled, "compiled:standin:counter");
    S.compiled_size = strlen(S.compiled);
    assert_int_equal(th_loader_get(S.loader, &hash, &loaded, NULL), THEATER_OK);
    assert_int_equal(atomic_load(&S.standin.deserializes), 1);
    assert_int_equal(atomic_load(&S.standin.compiles), 0);
    th_loaded_unref(loaded);
    strcpy(S.compiled, "damaged");
    S.compiled_size = strlen(S.compiled);
    S.binary = "standin:counter version=2";
    hash = sha(S.binary);
    assert_int_equal(th_loader_get(S.loader, &hash, &loaded, NULL), THEATER_OK);
    assert_int_equal(atomic_load(&S.standin.compiles), 1);
    assert_int_equal(S.compiled_size, strlen("compiled:") + strlen(S.binary));
    th_loaded_unref(loaded);
}

static void at_most_keep_stay_idle_and_the_oldest_goes(void **state)
{
    static const char *const texts[] = {"standin:echo version=0", "standin:echo version=1",
                                        "standin:echo version=2",
                                        "standin:echo version=3"};
    th_loaded *loaded[4];
    for (int i = 0; i < 4; i++)
        loaded[i] = add(texts[i]);
    assert_int_equal(atomic_load(&S.standin.components), 4);
    for (int i = 0; i < 4; i++)
        th_loaded_unref(loaded[i]);
    assert_int_equal(atomic_load(&S.standin.components), 2);
    /* 2 and 3 are left; using 2 makes 3 the oldest. */
    assert_int_equal(atomic_load(&S.standin.compiles), 4);
    th_loaded_unref(add(texts[2]));
    assert_int_equal(atomic_load(&S.standin.compiles), 4);
    th_loaded_unref(add(texts[0]));
    assert_int_equal(atomic_load(&S.standin.compiles), 5);
    th_loaded_unref(add(texts[2]));
    assert_int_equal(atomic_load(&S.standin.compiles), 5);
    th_loaded_unref(add(texts[3]));
    assert_int_equal(atomic_load(&S.standin.compiles), 6);
}

static void *get_often(void *context)
{
    for (int i = 0; i < 400; i++) {
        static const char *const texts[] = {"standin:echo version=0", "standin:echo version=1",
                                            "standin:echo version=2",
                                            "standin:echo version=3", "standin:bad"};
        th_loaded *loaded = NULL;
        int which = i % 5;
        theater_status status = th_loader_add(S.loader, th_slice_text(texts[which]), &loaded, NULL);
        if (status != (which == 4 ? THEATER_COMPONENT_REFUSED : THEATER_OK))
            return (void *)"a wrong status";
        if (loaded && !th_loaded_component(loaded))
            return (void *)"no component";
        th_loaded_unref(loaded);
    }
    return NULL;
}

static void threads_share_it(void **state)
{
    th_loader_free(S.loader);
    th_loader_options options = {.machine = &S.machine, .port = th_port_system(), .keep = 3};
    assert_int_equal(th_loader_new(&options, &S.loader, NULL), THEATER_OK);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, get_often, NULL), 0);
    for (int i = 0; i < 4; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    assert_int_equal(atomic_load(&S.standin.components), 3);
}

#ifdef TH_FAULTS
static void every_allocation_may_fail(void **state)
{
    S.binary = "standin:counter";
    th_hash hash = sha(S.binary);
    theater_status status = THEATER_NO_MEMORY;
    uint64_t place = 1;
    for (; status && place < 50; place++) {
        th_loaded *loaded;
        S.compiled_size = 0;
        th_allocation_fail_at(place);
        status = th_loader_get(S.loader, &hash, &loaded, NULL);
        th_allocation_fail_at(0);
        if (!status)
            th_loaded_unref(loaded);
        else
            assert_int_equal(status, THEATER_NO_MEMORY);
    }
    assert_int_equal(status, THEATER_OK);
    assert_true(place > 3);
}
#endif

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_shelf, close_shelf)
    const struct CMUnitTest tests[] = {
        TEST(one_component_is_shared),
        TEST(a_refused_component_says_all_that_is_wrong),
        TEST(a_binary_comes_from_the_store),
        TEST(what_could_not_be_read_again_is_refused),
        TEST(a_compiled_form_is_used_and_a_bad_one_replaced),
        TEST(at_most_keep_stay_idle_and_the_oldest_goes),
        TEST(threads_share_it),
#ifdef TH_FAULTS
        TEST(every_allocation_may_fail),
#endif
    };
    return cmocka_run_group_tests_name("actor: loader", tests, NULL, NULL);
}
