/* The incremental root against the plain one: at all sizes, growing, shrinking and changing at random. */
#include "fixture.h"

/* A fixed sequence of numbers (xorshift), so that a failure can be repeated. */
static uint64_t numbers;

static uint64_t next_number(uint64_t below)
{
    numbers ^= numbers << 13;
    numbers ^= numbers >> 7;
    numbers ^= numbers << 17;
    return numbers % below;
}

/* By the definition: leaf hashes of all chunks, then the recursive tree hash. */
static void naive_root(th_slice state, th_hash *ret)
{
    static th_hash leaves[4096];
    uint64_t count = th_chunk_count(state.size);
    assert_true(count <= sizeof leaves / sizeof *leaves);
    for (uint64_t i = 0; i < count; i++) {
        size_t offset = i * TH_CHUNK_SIZE, left = state.size - offset;
        th_leaf_hash(fixture_hasher(),
                     th_slice_of(state.data + offset, left < TH_CHUNK_SIZE ? left : TH_CHUNK_SIZE),
                     &leaves[i]);
    }
    th_merkle_root(fixture_hasher(), leaves, count, ret);
}

static void must_have_root(const th_state_tree *tree, th_slice state, const th_hash *root)
{
    th_hash expected, other;
    naive_root(state, &expected);
    assert_hash_equal(root, &expected);
    th_state_root(fixture_hasher(), state, &other);
    assert_hash_equal(&other, &expected);
    th_state_tree_root(tree, &other);
    assert_hash_equal(&other, &expected);
    assert_int_equal(tree->size, state.size);
}

/* th_state_tree_take makes the bytes that it holds the new ones, wherever it began. */
static void takes_the_same(th_slice before, th_slice after, const th_hash *root)
{
    size_t room = before.size > after.size ? before.size : after.size;
    uint8_t *held = malloc(room + 1);
    if (before.size)
        memcpy(held, before.data, before.size);
    held[room] = 0xa5;
    th_state_tree tree;
    th_hash taken;
    th_state_tree_init(&tree);
    assert_ok(th_state_tree_update(&tree, fixture_hasher(), th_slice_of(NULL, 0), before, &taken, reterr));
    assert_ok(th_state_tree_take(&tree, fixture_hasher(), held, after, &taken, reterr));
    assert_hash_equal(&taken, root);
    if (after.size)
        assert_memory_equal(held, after.data, after.size);
    assert_int_equal(held[room], 0xa5);
    th_state_tree_done(&tree);
    free(held);
}

static void every_size_from_every_size(void **state)
{
    const size_t max = 20 * TH_CHUNK_SIZE;
    uint8_t *bytes = malloc(max);
    for (size_t i = 0; i < max; i++)
        bytes[i] = (uint8_t)(i * 31 + (i >> 12));
    /* One byte short of, at, and one past each border of chunks. */
    for (size_t from = 0; from < 54; from++) {
        for (size_t to = 0; to < 54; to++) {
            size_t a = from / 3 * TH_CHUNK_SIZE + from % 3, b = to / 3 * TH_CHUNK_SIZE + to % 3;
            th_slice before = th_slice_of(bytes, a ? a - 1 : 0), after = th_slice_of(bytes, b ? b - 1 : 0);
            th_state_tree tree;
            th_hash root;
            th_state_tree_init(&tree);
            assert_ok(
                th_state_tree_update(&tree, fixture_hasher(), th_slice_of(NULL, 0), before, &root, reterr));
            must_have_root(&tree, before, &root);
            assert_ok(th_state_tree_update(&tree, fixture_hasher(), before, after, &root, reterr));
            takes_the_same(before, after, &root);
            must_have_root(&tree, after, &root);
            th_state_tree_done(&tree);
        }
    }
    free(bytes);
}

/* Changes some bytes and often the size. */
static size_t mutate(uint8_t *bytes, size_t size, size_t max)
{
    size_t changed = size;
    if (next_number(2))
        changed = next_number(4) ? next_number(max) : next_number(3 * TH_CHUNK_SIZE);
    if (next_number(8) == 0)
        changed = changed / TH_CHUNK_SIZE * TH_CHUNK_SIZE;
    for (size_t i = size; i < changed; i++)
        bytes[i] = (uint8_t)next_number(256);
    for (uint64_t i = next_number(5); i > 0 && changed > 0; i--)
        bytes[next_number(changed)]++;
    return changed;
}

static void random_histories(void **state)
{
    const size_t max = 70 * TH_CHUNK_SIZE;
    uint8_t *before = calloc(1, max), *after = calloc(1, max);
    for (uint64_t seed = 1; seed <= 12; seed++) {
        th_state_tree tree;
        th_hash root;
        size_t size = 0;
        numbers = seed * 0x9e3779b97f4a7c15;
        th_state_tree_init(&tree);
        for (int turn = 0; turn < 60; turn++) {
            memcpy(after, before, size);
            size_t changed = mutate(after, size, max);
            th_slice old = th_slice_of(before, size), new = th_slice_of(after, changed);
            assert_ok(th_state_tree_update(&tree, fixture_hasher(), old, new, &root, reterr));
            takes_the_same(old, new, &root);
            must_have_root(&tree, new, &root);
            if (next_number(3) == 0) { /* the turn is discarded */
                assert_ok(th_state_tree_update(&tree, fixture_hasher(), new, old, &root, reterr));
                must_have_root(&tree, old, &root);
            } else {
                memcpy(before, after, changed);
                size = changed;
            }
        }
        th_state_tree_done(&tree);
    }
    free(before);
    free(after);
}

/* The state before is only compared: chunks that are the same in both are not hashed, whatever they hold. */
static void what_compares_equal_is_not_hashed(void **state)
{
    static uint8_t one[9 * TH_CHUNK_SIZE], other[9 * TH_CHUNK_SIZE];
    th_state_tree tree;
    th_hash root, kept;
    memset(other, 1, sizeof other);
    th_state_tree_init(&tree);
    assert_ok(th_state_tree_update(&tree, fixture_hasher(), th_slice_of(NULL, 0),
                                   th_slice_of(one, sizeof one), &kept, reterr));
    assert_ok(th_state_tree_update(&tree, fixture_hasher(), th_slice_of(other, sizeof other),
                                   th_slice_of(other, sizeof other), &root, reterr));
    assert_hash_equal(&root, &kept);
    th_state_tree_done(&tree);
}

static void every_chunk_can_be_proved(void **state)
{
    static uint8_t bytes[20 * TH_CHUNK_SIZE];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7 + (i >> 8));
    for (size_t size = 1; size <= sizeof bytes; size += 1337) {
        th_state_tree tree;
        th_hash root;
        th_slice whole = th_slice_of(bytes, size);
        th_state_tree_init(&tree);
        assert_ok(th_state_tree_update(&tree, fixture_hasher(), th_slice_of(NULL, 0), whole, &root, reterr));
        for (uint64_t i = 0; i < th_chunk_count(size); i++) {
            th_proof proof;
            size_t offset = i * TH_CHUNK_SIZE, left = size - offset;
            th_slice chunk = th_slice_of(bytes + offset, left < TH_CHUNK_SIZE ? left : TH_CHUNK_SIZE);
            th_state_tree_prove(&tree, i, &proof);
            assert_int_equal(proof.count, th_inclusion_proof_size(i, th_chunk_count(size)));
            assert_true(th_state_chunk_verify(fixture_hasher(), i, chunk, size, &proof, &root));
            /* Not at another place, not with other bytes, not of another length. */
            assert_false(th_state_chunk_verify(fixture_hasher(), i + 1, chunk, size, &proof, &root));
            assert_false(th_state_chunk_verify(fixture_hasher(), i, th_slice_of(chunk.data, chunk.size - 1),
                                               size, &proof, &root));
            bytes[offset]++;
            assert_false(th_state_chunk_verify(fixture_hasher(), i, chunk, size, &proof, &root));
            bytes[offset]--;
            if (proof.count) {
                proof.count--;
                assert_false(th_state_chunk_verify(fixture_hasher(), i, chunk, size, &proof, &root));
            }
        }
        th_state_tree_done(&tree);
    }
}

static void memory_is_one_sixtyfourth_of_the_state(void **state)
{
    th_state_tree tree;
    th_hash root;
    size_t size = 1000 * TH_CHUNK_SIZE;
    uint8_t *bytes = calloc(1, size);
    th_state_tree_init(&tree);
    assert_ok(th_state_tree_update(&tree, fixture_hasher(), th_slice_of(NULL, 0), th_slice_of(bytes, size),
                                   &root, reterr));
    assert_in_range(tree.capacity, 1000, 1500);
    assert_ok(th_state_tree_update(&tree, fixture_hasher(), th_slice_of(bytes, size), th_slice_of(bytes, 1),
                                   &root, reterr));
    must_have_root(&tree, th_slice_of(bytes, 1), &root);
    th_state_tree_done(&tree);
    free(bytes);
}

#ifdef TH_FAULTS
static void without_memory_the_tree_stays_as_it_was(void **state)
{
    static uint8_t bytes[10 * TH_CHUNK_SIZE];
    th_state_tree tree;
    th_hash root;
    th_slice before = th_slice_of(bytes, 3 * TH_CHUNK_SIZE), after = th_slice_of(bytes, sizeof bytes);
    th_state_tree_init(&tree);
    assert_ok(th_state_tree_update(&tree, fixture_hasher(), th_slice_of(NULL, 0), before, &root, reterr));
    for (uint64_t place = 1; place <= 2; place++) {
        th_allocation_fail_at(place);
        assert_int_equal(th_state_tree_update(&tree, fixture_hasher(), before, after, &root, NULL),
                         THEATER_NO_MEMORY);
        th_allocation_fail_at(0);
        must_have_root(&tree, before, (th_state_tree_root(&tree, &root), &root));
    }
    assert_ok(th_state_tree_update(&tree, fixture_hasher(), before, after, &root, reterr));
    must_have_root(&tree, after, &root);
    th_state_tree_done(&tree);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_from_every_size),
        cmocka_unit_test(random_histories),
        cmocka_unit_test(what_compares_equal_is_not_hashed),
        cmocka_unit_test(every_chunk_can_be_proved),
        cmocka_unit_test(memory_is_one_sixtyfourth_of_the_state),
#ifdef TH_FAULTS
        cmocka_unit_test(without_memory_the_tree_stays_as_it_was),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
