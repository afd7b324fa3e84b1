#include "chain/merkle.h"

void th_leaf_hash(th_hasher *hasher, th_slice bytes, th_hash *ret)
{
    th_slice parts[] = {th_slice_of("\x00", 1), bytes};
    th_sha256(hasher, parts, 2, ret);
}

void th_node_hash(th_hasher *hasher, const th_hash *left, const th_hash *right, th_hash *ret)
{
    uint8_t bytes[1 + 2 * THEATER_HASH_SIZE];
    bytes[0] = 1;
    memcpy(bytes + 1, left->bytes, THEATER_HASH_SIZE);
    memcpy(bytes + 1 + THEATER_HASH_SIZE, right->bytes, THEATER_HASH_SIZE);
    th_sha256_of(hasher, th_slice_of(bytes, sizeof bytes), ret);
}

/* The largest power of two below `count`, which is at least 2. */
static uint64_t split(uint64_t count)
{
    return (uint64_t)1 << (63 - __builtin_clzll(count - 1));
}

void th_merkle_root(th_hasher *hasher, const th_hash *leaves, uint64_t count, th_hash *ret)
{
    if (count == 0) {
        *ret = th_sha256_empty;
        return;
    }
    if (count == 1) {
        *ret = leaves[0];
        return;
    }
    uint64_t left = split(count);
    th_hash left_root, right_root;
    th_merkle_root(hasher, leaves, left, &left_root);
    th_merkle_root(hasher, leaves + left, count - left, &right_root);
    th_node_hash(hasher, &left_root, &right_root, ret);
}

static unsigned bits_of(uint64_t x)
{
    return (unsigned)__builtin_popcountll(x);
}

static unsigned width_of(uint64_t x)
{
    return x ? 64 - (unsigned)__builtin_clzll(x) : 0;
}

/* Below the level where the paths of `index` and of the last leaf meet, each level has a sibling; above it,
 * only those where the path is a right child. */
size_t th_inclusion_proof_size(uint64_t index, uint64_t size)
{
    unsigned inner = width_of(index ^ (size - 1));
    return inner + bits_of(inner == 64 ? 0 : index >> inner);
}

bool th_inclusion_verify(th_hasher *hasher, uint64_t index, uint64_t size, const th_hash *leaf,
                         const th_proof *proof, const th_hash *root)
{
    if (index >= size || proof->count != th_inclusion_proof_size(index, size))
        return false;
    uint64_t place = index, last = size - 1;
    th_hash hash = *leaf;
    for (size_t i = 0; i < proof->count; i++) {
        /* An odd last node moves up without a sibling. */
        while (place == last && !(place & 1))
            place >>= 1, last >>= 1;
        if (place & 1)
            th_node_hash(hasher, &proof->hashes[i], &hash, &hash);
        else
            th_node_hash(hasher, &hash, &proof->hashes[i], &hash);
        place >>= 1, last >>= 1;
    }
    return th_hash_equal(&hash, root);
}

bool th_consistency_verify(th_hasher *hasher, uint64_t old_size, uint64_t size, const th_hash *old_root,
                           const th_hash *root, const th_proof *proof)
{
    if (old_size > size || proof->count > TH_PROOF_MAX)
        return false;
    if (old_size == 0)
        return proof->count == 0 && th_hash_equal(old_root, &th_sha256_empty);
    if (old_size == size)
        return proof->count == 0 && th_hash_equal(old_root, root);
    uint64_t place = old_size - 1, last = size - 1;
    while (place & 1)
        place >>= 1, last >>= 1;
    size_t at = 0;
    /* A complete old tree is itself a node of the new one, and the proof leaves it out. */
    th_hash old_hash = *old_root, new_hash = *old_root;
    if (place > 0) {
        if (proof->count == 0)
            return false;
        old_hash = new_hash = proof->hashes[at++];
    }
    for (; last > 0; place >>= 1, last >>= 1) {
        if (place & 1) {
            if (at == proof->count)
                return false;
            th_node_hash(hasher, &proof->hashes[at], &old_hash, &old_hash);
            th_node_hash(hasher, &proof->hashes[at], &new_hash, &new_hash);
            at++;
        } else if (place < last) {
            if (at == proof->count)
                return false;
            th_node_hash(hasher, &new_hash, &proof->hashes[at], &new_hash);
            at++;
        }
    }
    return at == proof->count && th_hash_equal(&old_hash, old_root) && th_hash_equal(&new_hash, root);
}
