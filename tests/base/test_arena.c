/* The arena: alignment, addresses that stay, bounds, and memory that is kept for the next round. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"

static void places_are_aligned_and_stay(void **state)
{
    th_arena arena;
    uint8_t *places[2000];
    th_arena_init(&arena, 1 << 26);
    for (size_t i = 0; i < 2000; i++) {
        size_t size = i % 7 == 0 ? 70000 : i % 300;
        places[i] = th_arena_alloc(&arena, size);
        assert_non_null(places[i]);
        assert_int_equal((uintptr_t)places[i] % 16, 0);
        memset(places[i], (int)(i & 255), size);
    }
    for (size_t i = 0; i < 2000; i++) {
        size_t size = i % 7 == 0 ? 70000 : i % 300;
        for (size_t k = 0; k < size; k += 97)
            assert_int_equal(places[i][k], i & 255);
    }
    th_arena_done(&arena);
}

static void the_bound_holds_and_clearing_lifts_it(void **state)
{
    th_arena arena;
    th_arena_init(&arena, 1000);
    assert_non_null(th_arena_alloc(&arena, 600));
    assert_null(th_arena_alloc(&arena, 401));
    assert_non_null(th_arena_alloc(&arena, 400));
    assert_null(th_arena_alloc(&arena, 1));
    assert_null(th_arena_alloc(&arena, SIZE_MAX));
    th_arena_clear(&arena, 1 << 20);
    assert_int_equal(arena.used, 0);
    assert_non_null(th_arena_alloc(&arena, 1000));
    th_arena_done(&arena);
}

static void cleared_blocks_are_used_again_up_to_keep(void **state)
{
    th_arena arena;
    th_arena_init(&arena, 1 << 26);
    void *first = th_arena_alloc(&arena, 100);
    assert_non_null(th_arena_alloc(&arena, 1 << 20));
    th_arena_clear(&arena, 100000); /* the small block stays, the large one does not */
    assert_ptr_equal(th_arena_alloc(&arena, 100), first);
    th_arena_clear(&arena, 0);
    assert_null(arena.first);
    th_arena_done(&arena);
}

static void copies_are_of_their_own(void **state)
{
    char text[] = "text";
    th_arena arena;
    th_arena_init(&arena, 100);
    th_slice copy = th_arena_copy(&arena, th_slice_text(text));
    text[0] = 'n';
    assert_true(th_slice_equal(copy, th_slice_text("text")));
    assert_int_equal(th_arena_copy(&arena, th_slice_of(NULL, 0)).size, 0);
    char large[200] = {0};
    th_slice none = th_arena_copy(&arena, th_slice_of(large, sizeof large));
    assert_null(none.data);
    assert_int_equal(none.size, sizeof large);
    th_arena_done(&arena);
}

#ifdef TH_FAULTS
static void no_memory_is_null(void **state)
{
    th_arena arena;
    th_arena_init(&arena, 1 << 20);
    th_allocation_fail_at(1);
    assert_null(th_arena_alloc(&arena, 10));
    th_allocation_fail_at(0);
    assert_non_null(th_arena_alloc(&arena, 10));
    th_arena_done(&arena);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_aligned_and_stay),
        cmocka_unit_test(the_bound_holds_and_clearing_lifts_it),
        cmocka_unit_test(cleared_blocks_are_used_again_up_to_keep),
        cmocka_unit_test(copies_are_of_their_own),
#ifdef TH_FAULTS
        cmocka_unit_test(no_memory_is_null),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
