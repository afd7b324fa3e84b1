/* chain/log_tree.h: the tree over the element hashes of one chain (RFC 9162), kept as a compact range.
 *
 * A compact range holds the roots of the complete subtrees that a tree of this size is made of, one for each
 * bit of the size. It is all that appending and computing the head take. Proofs need old hashes, which come
 * from a callback. */
#ifndef TH_CHAIN_LOG_TREE_H
#define TH_CHAIN_LOG_TREE_H

#include "chain/merkle.h"

typedef struct th_log_tree {
    uint64_t size;
    th_hash nodes[64]; /* the first popcount(size) are used: largest subtree first */
} th_log_tree;

/* The empty tree. The structure holds no memory; it may be copied. */
static inline void th_log_tree_init(th_log_tree *tree)
{
    tree->size = 0;
}

/* Appends an element hash: one node hash in the mean, log2(size) at most. */
void th_log_tree_append(th_log_tree *tree, th_hasher *hasher, const th_hash *element);

/* The tree head; sha("") of the empty tree. */
void th_log_tree_head(const th_log_tree *tree, th_hasher *hasher, th_hash *ret);

/* Into a snapshot and back: CBOR [size, bytes]. Decoding is strict. Errors: NO_MEMORY, TOO_LARGE; CORRUPT. */
THEATER_CHECKED theater_status th_log_tree_encode(const th_log_tree *tree, th_buf *out,
                                                  theater_error *reterr);
THEATER_CHECKED theater_status th_log_tree_decode(th_slice bytes, th_log_tree *ret, theater_error *reterr);

/* Gives the hash of the complete subtree `index` of 2^level leaves: leaves index * 2^level and on. Level 0
 * are the element hashes, and must be known. Above, *ret_known may be set to false; then it is computed from
 * its halves. Errors end the proof and are returned as they are. */
typedef theater_status (*th_log_node_source)(void *context, unsigned level, uint64_t index, bool *ret_known,
                                             th_hash *ret, theater_error *reterr);

/* MTH over the leaves begin..end-1 by the source; sha("") when there are none. */
THEATER_CHECKED theater_status th_log_range_hash(th_hasher *hasher, uint64_t begin, uint64_t end,
                                                 th_log_node_source source, void *context, th_hash *ret,
                                                 theater_error *reterr);

/* The inclusion proof of leaf `index` in the tree of `size`. Errors: INVALID_ARGUMENT when index >= size; the
 * source's. */
THEATER_CHECKED theater_status th_log_prove_inclusion(th_hasher *hasher, uint64_t index, uint64_t size,
                                                      th_log_node_source source, void *context, th_proof *ret,
                                                      theater_error *reterr);

/* The proof that the tree of `size` begins with the tree of `old_size`; empty when they are equal or the old
 * one is empty. Errors: INVALID_ARGUMENT when old_size > size; the source's. */
THEATER_CHECKED theater_status th_log_prove_consistency(th_hasher *hasher, uint64_t old_size, uint64_t size,
                                                        th_log_node_source source, void *context,
                                                        th_proof *ret, theater_error *reterr);

#endif
