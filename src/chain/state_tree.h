/* chain/state_tree.h: the state root, kept so that a turn costs what it changed.
 *
 * The tree holds the hashes of the chunks of one state and of the nodes above them: 64 bytes a chunk of
 * 4,096, so 1/64 of the state. The state's bytes stay with the caller, who gives the state before and after
 * at each update; chunks that compare equal are not hashed. */
#ifndef TH_CHAIN_STATE_TREE_H
#define TH_CHAIN_STATE_TREE_H

#include "chain/merkle.h"

#define TH_CHUNK_SIZE 4096u
/* Levels of a tree over 2^32 chunks (16 TiB); no state is larger. */
#define TH_STATE_TREE_LEVELS 33

/* How many chunks a state of `size` bytes has. */
static inline uint64_t th_chunk_count(uint64_t size)
{
    return size / TH_CHUNK_SIZE + (size % TH_CHUNK_SIZE != 0);
}

typedef struct th_state_tree {
    /* Level 0: chunks; above: nodes, where an odd last one moves up as it is. They lie in `hashes`. */
    th_hash *levels[TH_STATE_TREE_LEVELS];
    size_t capacity; /* chunks that there is room for */
    size_t chunks; /* of the state that the tree describes */
    uint64_t size; /* bytes of that state */
    th_hash *hashes;
    uint32_t *changed; /* scratch: places that changed on the level in work */
} th_state_tree;

/* The tree of the empty state; allocates nothing. Not for sharing between threads. */
void th_state_tree_init(th_state_tree *tree);
void th_state_tree_done(th_state_tree *tree);

/* Moves the tree from the state that it describes, `before`, to `after`, and gives the new root. `before`
 * must be that state byte for byte (its size is asserted); it is only compared. With an empty tree and an
 * empty `before` this hashes `after` whole. To undo a turn, update from `after` to `before`. Errors:
 * NO_MEMORY, TOO_LARGE (2^32 chunks or more): then the tree still describes `before`. */
THEATER_CHECKED theater_status th_state_tree_update(th_state_tree *tree, th_hasher *hasher, th_slice before,
                                                    th_slice after, th_hash *ret_root, theater_error *reterr);

/* The same, and makes `held`, which holds the state before, hold `after`: only chunks that changed are copied, while
 * they are at hand. `held` has room for the larger of the two and does not overlap `after`; when it fails it
 * is as it was. */
THEATER_CHECKED theater_status th_state_tree_take(th_state_tree *tree, th_hasher *hasher, uint8_t *held,
                                                  th_slice after, th_hash *ret_root, theater_error *reterr);

/* The root of the state that the tree describes. */
void th_state_tree_root(const th_state_tree *tree, th_hash *ret);

/* The inclusion proof of chunk `index` (below the chunk count). Verify it with th_state_chunk_verify. */
void th_state_tree_prove(const th_state_tree *tree, uint64_t index, th_proof *ret);

/* The root of a state without a tree, in memory of a fixed size. */
void th_state_root(th_hasher *hasher, th_slice state, th_hash *ret);

/* Whether `chunk` is chunk `index` of the state with this root and size, both of which an element states. */
bool th_state_chunk_verify(th_hasher *hasher, uint64_t index, th_slice chunk, uint64_t state_size,
                           const th_proof *proof, const th_hash *root);

#endif
