/* chain/merkle.h: hashes of leaves and nodes, and proofs over the tree that they make (RFC 9162,
 * section 2.1).
 *
 * The tree over the chunks of a state and the tree over the elements of a chain are the same kind of tree, so
 * their proofs are verified by the same code. */
#ifndef TH_CHAIN_MERKLE_H
#define TH_CHAIN_MERKLE_H

#include "crypto/sha256.h"

/* leaf(x) = sha(0x00 || x). */
void th_leaf_hash(th_hasher *hasher, th_slice bytes, th_hash *ret);
/* node(l, r) = sha(0x01 || l || r). `ret` may be one of the two. */
void th_node_hash(th_hasher *hasher, const th_hash *left, const th_hash *right, th_hash *ret);

/* MTH over `count` leaf hashes; sha("") for none. Recomputes everything: for small trees and for tests. */
void th_merkle_root(th_hasher *hasher, const th_hash *leaves, uint64_t count, th_hash *ret);

/* No tree of fewer than 2^64 leaves has a longer path, and no consistency proof is longer. */
#define TH_PROOF_MAX 65

/* Hashes from the leaf upwards. */
typedef struct th_proof {
    size_t count;
    th_hash hashes[TH_PROOF_MAX];
} th_proof;

/* How many hashes the inclusion proof of leaf `index` in a tree of `size` has; index < size. */
size_t th_inclusion_proof_size(uint64_t index, uint64_t size);

/* Whether the proof shows that the leaf hash stands at `index` in the tree of `size` leaves with this root
 * (RFC 9162, section 2.1.3.2). False for anything that does not fit, a wrong length too. */
bool th_inclusion_verify(th_hasher *hasher, uint64_t index, uint64_t size, const th_hash *leaf,
                         const th_proof *proof, const th_hash *root);

/* Whether the proof shows that the tree of `size` begins with the tree of `old_size` (RFC 9162,
 * section 2.1.4.2). An old size of 0 is consistent with everything: then the old root must be sha("") and the
 * proof empty. */
bool th_consistency_verify(th_hasher *hasher, uint64_t old_size, uint64_t size, const th_hash *old_root,
                           const th_hash *root, const th_proof *proof);

#endif
