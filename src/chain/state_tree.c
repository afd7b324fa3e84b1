/* The state root, kept incrementally.
 *
 * Level 0 holds the hashes of the chunks; each level above has half as many places, rounded up. Place i above
 * two children is their node hash; above one child (the odd last one) it is that child, unchanged. This is
 * the tree of RFC 9162: its split at the largest power of two makes the same complete subtrees.
 *
 * Invariants
 *  1. Between calls every place of every level holds the hash that belongs to the state of `size` bytes.
 *  2. All memory is taken before the first place is written, so an update that fails has changed nothing.
 *  3. `changed` holds ascending places of one level, each once; a place of the level above changes only if
 *     a child changed or the number of its children did. The latter can only be the last place of the
 *     shorter of the two levels and places behind it. */
#include "chain/state_tree.h"

void th_state_tree_init(th_state_tree *tree)
{
    memset(tree, 0, sizeof *tree);
}

void th_state_tree_done(th_state_tree *tree)
{
    th_free(tree->hashes);
    th_free(tree->changed);
    th_state_tree_init(tree);
}

static size_t level_size(size_t chunks, unsigned level)
{
    return (size_t)(((uint64_t)chunks + ((uint64_t)1 << level) - 1) >> level);
}

/* How many levels a tree of so many chunks has; 0 without chunks. */
static unsigned level_count(size_t chunks)
{
    return chunks == 0 ? 0 : chunks == 1 ? 1 : 65 - (unsigned)__builtin_clzll((uint64_t)chunks - 1);
}

/* Moves the levels into memory for `capacity` chunks. */
static theater_status grow(th_state_tree *tree, size_t capacity, theater_error *reterr)
{
    size_t total = 0;
    unsigned levels = level_count(capacity);
    for (unsigned level = 0; level < levels; level++)
        total += level_size(capacity, level);
    th_hash *hashes = th_alloc(total * sizeof *hashes);
    uint32_t *changed = th_alloc(capacity * sizeof *changed);
    if (!hashes || !changed) {
        th_free(hashes);
        th_free(changed);
        return th_fail_memory(reterr, "a state's tree");
    }
    th_hash *place = hashes;
    for (unsigned level = 0; level < levels; level++) {
        if (level < level_count(tree->chunks))
            memcpy(place, tree->levels[level], level_size(tree->chunks, level) * sizeof *place);
        tree->levels[level] = place;
        place += level_size(capacity, level);
    }
    th_free(tree->hashes);
    th_free(tree->changed);
    tree->hashes = hashes;
    tree->changed = changed;
    tree->capacity = capacity;
    return THEATER_OK;
}

static theater_status make_room(th_state_tree *tree, size_t chunks, theater_error *reterr)
{
    if (chunks > UINT32_MAX)
        return th_fail(reterr, THEATER_TOO_LARGE, "a state of %zu chunks", chunks);
    if (chunks <= tree->capacity)
        return THEATER_OK;
    /* A state that grows chunk by chunk must not be copied each time. */
    size_t capacity = chunks < 4 ? chunks : chunks + chunks / 2;
    return grow(tree, capacity > UINT32_MAX ? chunks : capacity, reterr);
}

static th_slice chunk_of(th_slice state, size_t index)
{
    size_t offset = index * TH_CHUNK_SIZE, left = state.size - offset;
    return th_slice_of(state.data + offset, left < TH_CHUNK_SIZE ? left : TH_CHUNK_SIZE);
}

/* Hashes the chunks of `after` that `before` does not have at the same place, lists them, and copies them to `held`
 * where that is not NULL. */
static size_t update_chunks(th_state_tree *tree, th_hasher *hasher, th_slice before, th_slice after,
                            uint8_t *held)
{
    size_t chunks = (size_t)th_chunk_count(after.size), old = tree->chunks, count = 0;
    for (size_t i = 0; i < chunks; i++) {
        th_slice chunk = chunk_of(after, i);
        if (i < old && th_slice_equal(chunk, chunk_of(before, i)))
            continue;
        th_leaf_hash(hasher, chunk, &tree->levels[0][i]);
        if (held)
            memcpy(held + i * TH_CHUNK_SIZE, chunk.data, chunk.size);
        tree->changed[count++] = (uint32_t)i;
    }
    return count;
}

/* Turns the list of changed children into the list of places above them that must be made again (invariant
 * 3). */
static size_t places_above(uint32_t *changed, size_t count, size_t old_children, size_t children)
{
    size_t above = (children + 1) / 2, made = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t place = changed[i] / 2;
        if (made == 0 || changed[made - 1] != place)
            changed[made++] = place;
    }
    if (children == old_children)
        return made;
    size_t shorter = children < old_children ? children : old_children;
    size_t first = shorter == 0 ? 0 : (shorter - 1) / 2;
    while (made > 0 && changed[made - 1] >= first)
        made--;
    for (size_t place = first; place < above; place++)
        changed[made++] = (uint32_t)place;
    return made;
}

static theater_status update(th_state_tree *tree, th_hasher *hasher, th_slice before, th_slice after,
                             uint8_t *held, th_hash *ret_root, theater_error *reterr)
{
    th_assert(before.size == tree->size);
    size_t old = tree->chunks, chunks = (size_t)th_chunk_count(after.size);
    theater_status status = make_room(tree, chunks, reterr);
    if (status)
        return status;
    size_t count = update_chunks(tree, hasher, before, after, held);
    for (unsigned level = 1; level < level_count(chunks); level++) {
        size_t children = level_size(chunks, level - 1);
        /* A level that the old tree did not have is all new. */
        size_t old_children = level < level_count(old) ? level_size(old, level - 1) : 0;
        count = places_above(tree->changed, count, old_children, children);
        const th_hash *below = tree->levels[level - 1];
        for (size_t i = 0; i < count; i++) {
            size_t place = tree->changed[i], left = 2 * place;
            if (left + 1 < children)
                th_node_hash(hasher, &below[left], &below[left + 1], &tree->levels[level][place]);
            else
                tree->levels[level][place] = below[left];
        }
    }
    tree->chunks = chunks;
    tree->size = after.size;
    th_state_tree_root(tree, ret_root);
    return THEATER_OK;
}

theater_status th_state_tree_update(th_state_tree *tree, th_hasher *hasher, th_slice before, th_slice after,
                                    th_hash *ret_root, theater_error *reterr)
{
    return update(tree, hasher, before, after, NULL, ret_root, reterr);
}

theater_status th_state_tree_take(th_state_tree *tree, th_hasher *hasher, uint8_t *held, th_slice after,
                                  th_hash *ret_root, theater_error *reterr)
{
    return update(tree, hasher, th_slice_of(held, (size_t)tree->size), after, held, ret_root, reterr);
}

void th_state_tree_root(const th_state_tree *tree, th_hash *ret)
{
    *ret = tree->chunks ? tree->levels[level_count(tree->chunks) - 1][0] : th_sha256_empty;
}

void th_state_tree_prove(const th_state_tree *tree, uint64_t index, th_proof *ret)
{
    th_assert(index < tree->chunks);
    ret->count = 0;
    for (unsigned level = 0; level + 1 < level_count(tree->chunks); level++) {
        uint64_t sibling = (index >> level) ^ 1;
        if (sibling < level_size(tree->chunks, level))
            ret->hashes[ret->count++] = tree->levels[level][sibling];
    }
}

/* The compact way: a stack of complete subtrees, merged as in a binary counter. */
void th_state_root(th_hasher *hasher, th_slice state, th_hash *ret)
{
    th_hash stack[64];
    unsigned depth = 0;
    uint64_t chunks = th_chunk_count(state.size);
    for (uint64_t i = 0; i < chunks; i++) {
        th_leaf_hash(hasher, chunk_of(state, (size_t)i), &stack[depth++]);
        for (uint64_t bits = i; bits & 1; bits >>= 1, depth--)
            th_node_hash(hasher, &stack[depth - 2], &stack[depth - 1], &stack[depth - 2]);
    }
    for (; depth > 1; depth--)
        th_node_hash(hasher, &stack[depth - 2], &stack[depth - 1], &stack[depth - 2]);
    *ret = chunks ? stack[0] : th_sha256_empty;
}

bool th_state_chunk_verify(th_hasher *hasher, uint64_t index, th_slice chunk, uint64_t state_size,
                           const th_proof *proof, const th_hash *root)
{
    uint64_t chunks = th_chunk_count(state_size);
    if (index >= chunks)
        return false;
    uint64_t size = index + 1 < chunks ? TH_CHUNK_SIZE : state_size - index * TH_CHUNK_SIZE;
    if (chunk.size != size)
        return false;
    th_hash leaf;
    th_leaf_hash(hasher, chunk, &leaf);
    return th_inclusion_verify(hasher, index, chunks, &leaf, proof, root);
}
