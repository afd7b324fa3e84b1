/* The log tree: heads, proofs of inclusion and consistency for all small sizes, and what must not verify. */
#include "fixture.h"

#include "chain/hash_store.h"

#define LEAVES 600

static th_hash leaves[LEAVES];

static int make_leaves(void **state)
{
    for (size_t i = 0; i < LEAVES; i++)
        th_sha256_of(fixture_hasher(), th_slice_of(&i, sizeof i), &leaves[i]);
    return 0;
}

/* A source that knows only elements and counts what it is asked. */
static uint64_t asked;

static theater_status plain_source(void *context, unsigned level, uint64_t index, bool *ret_known,
                                   th_hash *ret, theater_error *reterr)
{
    *ret_known = level == 0;
    if (level == 0) {
        assert_true(index < LEAVES);
        *ret = leaves[index];
        asked++;
    }
    return THEATER_OK;
}

static theater_status failing_source(void *context, unsigned level, uint64_t index, bool *ret_known,
                                     th_hash *ret, theater_error *reterr)
{
    *ret_known = false;
    return level == 0 ? th_fail(reterr, THEATER_IO, "no disk") : THEATER_OK;
}

static void heads_are_those_of_the_definition(void **state)
{
    th_log_tree tree;
    th_log_tree_init(&tree);
    for (uint64_t size = 0; size < LEAVES; size++) {
        th_hash head, expected;
        th_merkle_root(fixture_hasher(), leaves, size, &expected);
        th_log_tree_head(&tree, fixture_hasher(), &head);
        assert_hash_equal(&head, &expected);
        assert_ok(th_log_range_hash(fixture_hasher(), 0, size, plain_source, NULL, &head, reterr));
        assert_hash_equal(&head, &expected);
        th_log_tree_append(&tree, fixture_hasher(), &leaves[size]);
    }
}

static void compact_ranges_come_back(void **state)
{
    th_log_tree tree, back;
    th_buf out;
    th_buf_init(&out, 4096);
    th_log_tree_init(&tree);
    for (uint64_t size = 0; size < 300; size++) {
        th_buf_clear(&out);
        assert_ok(th_log_tree_encode(&tree, &out, reterr));
        assert_ok(th_log_tree_decode(th_buf_slice(&out), &back, reterr));
        assert_true(back.size == tree.size);
        th_hash a, b;
        th_log_tree_append(&back, fixture_hasher(), &leaves[size]);
        th_log_tree_append(&tree, fixture_hasher(), &leaves[size]);
        th_log_tree_head(&back, fixture_hasher(), &a);
        th_log_tree_head(&tree, fixture_hasher(), &b);
        assert_hash_equal(&a, &b);
        for (size_t cut = 0; cut < out.size; cut++)
            assert_int_equal(th_log_tree_decode(th_slice_of(out.data, cut), &back, NULL), THEATER_CORRUPT);
    }
    /* One hash too few for its size. */
    assert_int_equal(th_log_tree_decode(th_slice_of("\x82\x01\x40", 3), &back, NULL), THEATER_CORRUPT);
    assert_int_equal(th_log_tree_decode(th_slice_of("\x83\x00\x40\x00", 4), &back, NULL), THEATER_CORRUPT);
    assert_ok(th_log_tree_decode(th_slice_of("\x82\x00\x40", 3), &back, reterr));
    th_buf_done(&out);
}

static void every_element_can_be_proved(void **state)
{
    for (uint64_t size = 1; size < 70; size++) {
        th_hash root;
        th_merkle_root(fixture_hasher(), leaves, size, &root);
        for (uint64_t i = 0; i < size; i++) {
            th_proof proof;
            assert_ok(th_log_prove_inclusion(fixture_hasher(), i, size, plain_source, NULL, &proof, reterr));
            assert_int_equal(proof.count, th_inclusion_proof_size(i, size));
            assert_true(th_inclusion_verify(fixture_hasher(), i, size, &leaves[i], &proof, &root));
            for (uint64_t k = 0; k < size + 2; k++) {
                if (k != i)
                    assert_false(th_inclusion_verify(fixture_hasher(), k, size, &leaves[i], &proof, &root));
            }
            assert_false(
                th_inclusion_verify(fixture_hasher(), i, size, &leaves[(i + 1) % LEAVES], &proof, &root));
            for (size_t k = 0; k < proof.count; k++) {
                proof.hashes[k].bytes[k % 32] ^= 1;
                assert_false(th_inclusion_verify(fixture_hasher(), i, size, &leaves[i], &proof, &root));
                proof.hashes[k].bytes[k % 32] ^= 1;
            }
            proof.hashes[proof.count++] = root;
            assert_false(th_inclusion_verify(fixture_hasher(), i, size, &leaves[i], &proof, &root));
            proof.count -= 2;
            assert_false(th_inclusion_verify(fixture_hasher(), i, size, &leaves[i], &proof, &root));
        }
    }
}

static void every_size_is_consistent_with_every_smaller_one(void **state)
{
    for (uint64_t size = 0; size < 70; size++) {
        th_hash root;
        th_merkle_root(fixture_hasher(), leaves, size, &root);
        for (uint64_t old = 0; old <= size; old++) {
            th_hash old_root, other = root;
            th_proof proof;
            th_merkle_root(fixture_hasher(), leaves, old, &old_root);
            assert_ok(
                th_log_prove_consistency(fixture_hasher(), old, size, plain_source, NULL, &proof, reterr));
            assert_true(th_consistency_verify(fixture_hasher(), old, size, &old_root, &root, &proof));
            other.bytes[0] ^= 1;
            if (old > 0)
                assert_false(th_consistency_verify(fixture_hasher(), old, size, &old_root, &other, &proof));
            other = old_root, other.bytes[5] ^= 1;
            assert_false(th_consistency_verify(fixture_hasher(), old, size, &other, &root, &proof));
            for (size_t k = 0; k < proof.count; k++) {
                proof.hashes[k].bytes[k % 32] ^= 1;
                assert_false(th_consistency_verify(fixture_hasher(), old, size, &old_root, &root, &proof));
                proof.hashes[k].bytes[k % 32] ^= 1;
            }
            proof.hashes[proof.count++] = root;
            assert_false(th_consistency_verify(fixture_hasher(), old, size, &old_root, &root, &proof));
            proof.count--;
            if (proof.count) {
                proof.count--;
                assert_false(th_consistency_verify(fixture_hasher(), old, size, &old_root, &root, &proof));
            }
            assert_false(th_consistency_verify(fixture_hasher(), size + 1, size, &old_root, &root, &proof));
        }
    }
}

/* The example of RFC 9162, section 2.1.5: seven leaves. */
static void the_example_of_the_standard(void **state)
{
    th_proof proof;
    th_hash i, j, k, l, g;
    th_node_hash(fixture_hasher(), &leaves[0], &leaves[1], &g);
    th_node_hash(fixture_hasher(), &leaves[2], &leaves[3], &k);
    th_node_hash(fixture_hasher(), &leaves[4], &leaves[5], &i);
    j = leaves[6];
    th_node_hash(fixture_hasher(), &i, &j, &l);
    assert_ok(th_log_prove_inclusion(fixture_hasher(), 0, 7, plain_source, NULL, &proof, reterr));
    assert_int_equal(proof.count, 3);
    assert_hash_equal(&proof.hashes[0], &leaves[1]);
    assert_hash_equal(&proof.hashes[1], &k);
    assert_hash_equal(&proof.hashes[2], &l);
    assert_ok(th_log_prove_inclusion(fixture_hasher(), 6, 7, plain_source, NULL, &proof, reterr));
    assert_int_equal(proof.count, 2);
    assert_hash_equal(&proof.hashes[0], &i);
    assert_ok(th_log_prove_consistency(fixture_hasher(), 3, 7, plain_source, NULL, &proof, reterr));
    assert_int_equal(proof.count, 4); /* c, d, g, l */
    assert_hash_equal(&proof.hashes[0], &leaves[2]);
    assert_hash_equal(&proof.hashes[1], &leaves[3]);
    assert_hash_equal(&proof.hashes[2], &g);
    assert_hash_equal(&proof.hashes[3], &l);
    assert_ok(th_log_prove_consistency(fixture_hasher(), 4, 7, plain_source, NULL, &proof, reterr));
    assert_int_equal(proof.count, 1);
    assert_hash_equal(&proof.hashes[0], &l);
    assert_ok(th_log_prove_consistency(fixture_hasher(), 6, 7, plain_source, NULL, &proof, reterr));
    assert_int_equal(proof.count, 3); /* i, j, and the left half */
    assert_hash_equal(&proof.hashes[0], &i);
    assert_hash_equal(&proof.hashes[1], &j);
}

static void sources_and_places_that_fail(void **state)
{
    th_proof proof;
    theater_error error;
    th_hash hash;
    assert_int_equal(th_log_prove_inclusion(fixture_hasher(), 7, 7, plain_source, NULL, &proof, &error),
                     THEATER_INVALID_ARGUMENT);
    assert_int_equal(th_log_prove_consistency(fixture_hasher(), 8, 7, plain_source, NULL, &proof, &error),
                     THEATER_INVALID_ARGUMENT);
    assert_int_equal(th_log_prove_inclusion(fixture_hasher(), 3, 7, failing_source, NULL, &proof, &error),
                     THEATER_IO);
    assert_int_equal(th_log_prove_consistency(fixture_hasher(), 3, 7, failing_source, NULL, &proof, &error),
                     THEATER_IO);
    assert_int_equal(th_log_range_hash(fixture_hasher(), 0, 5, failing_source, NULL, &hash, &error),
                     THEATER_IO);
}

static theater_status empty_source(void *context, unsigned level, uint64_t index, bool *ret_known,
                                   th_hash *ret, theater_error *reterr)
{
    *ret_known = false;
    return THEATER_OK;
}

static void an_element_that_is_not_known_is_named(void **state)
{
    th_proof proof;
    theater_error error;
    assert_int_equal(th_log_prove_inclusion(fixture_hasher(), 3, 7, empty_source, NULL, &proof, &error),
                     THEATER_NOT_FOUND);
    assert_non_null(strstr(error.message, "element"));
}

static void large_trees_have_proofs_of_the_right_size(void **state)
{
    assert_int_equal(th_inclusion_proof_size(0, 1), 0);
    assert_int_equal(th_inclusion_proof_size(0, UINT64_MAX), 64);
    assert_int_equal(th_inclusion_proof_size(UINT64_MAX - 1, UINT64_MAX), 63);
    assert_int_equal(th_inclusion_proof_size((uint64_t)1 << 63, ((uint64_t)1 << 63) + 1), 1);
}

static void the_store_knows_old_heads(void **state)
{
    th_hash_store store, forgetful;
    th_hash_store_init(&store, 100000);
    th_hash_store_init(&forgetful, 100);
    const uint64_t count = 70000; /* levels 8 to 16 */
    th_hash *all = malloc(count * sizeof *all);
    for (uint64_t i = 0; i < count; i++) {
        th_sha256_of(fixture_hasher(), th_slice_of(&i, sizeof i), &all[i]);
        assert_ok(th_hash_store_append(&store, fixture_hasher(), &all[i], reterr));
        assert_ok(th_hash_store_append(&forgetful, fixture_hasher(), &all[i], reterr));
    }
    const uint64_t sizes[] = {0,   1,   2,    255,  256,   257,   511,   512,   513,
                              767, 768, 1000, 4096, 65535, 65536, 65537, 69999, 70000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        th_hash head, expected;
        th_merkle_root(fixture_hasher(), all, sizes[i], &expected);
        assert_ok(th_hash_store_head(&store, fixture_hasher(), sizes[i], &head, reterr));
        assert_hash_equal(&head, &expected);
        theater_status status = th_hash_store_head(&forgetful, fixture_hasher(), sizes[i], &head, NULL);
        assert_int_equal(status, sizes[i] == 0 || sizes[i] == count ? THEATER_OK : THEATER_NOT_FOUND);
    }
    assert_true(th_hash_store_kept(&store));
    assert_false(th_hash_store_kept(&forgetful));
    /* Proofs from the store are those from the leaves alone. */
    asked = 0;
    for (uint64_t i = 0; i < LEAVES; i += 7) {
        th_proof with, without;
        th_hash_store small;
        th_hash_store_init(&small, 1000);
        for (uint64_t k = 0; k < LEAVES; k++)
            assert_ok(th_hash_store_append(&small, fixture_hasher(), &leaves[k], reterr));
        assert_ok(
            th_log_prove_inclusion(fixture_hasher(), i, LEAVES, th_hash_store_node, &small, &with, reterr));
        assert_ok(th_log_prove_inclusion(fixture_hasher(), i, LEAVES, plain_source, NULL, &without, reterr));
        assert_int_equal(with.count, without.count);
        assert_memory_equal(with.hashes, without.hashes, with.count * sizeof *with.hashes);
        th_hash_store_done(&small);
    }
    free(all);
    th_hash_store_done(&store);
    th_hash_store_done(&forgetful);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_are_those_of_the_definition),
        cmocka_unit_test(compact_ranges_come_back),
        cmocka_unit_test(every_element_can_be_proved),
        cmocka_unit_test(every_size_is_consistent_with_every_smaller_one),
        cmocka_unit_test(the_example_of_the_standard),
        cmocka_unit_test(sources_and_places_that_fail),
        cmocka_unit_test(an_element_that_is_not_known_is_named),
        cmocka_unit_test(large_trees_have_proofs_of_the_right_size),
        cmocka_unit_test(the_store_knows_old_heads),
    };
    return cmocka_run_group_tests(tests, make_leaves, NULL);
}
