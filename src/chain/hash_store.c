#include "chain/hash_store.h"

void th_hash_store_init(th_hash_store *store, uint64_t max)
{
    *store = (th_hash_store){.max = max, .given_up = max == 0};
    th_log_tree_init(&store->tree);
}

static void give_up(th_hash_store *store)
{
    th_free(store->leaves);
    th_free(store->nodes);
    store->leaves = store->nodes = NULL;
    store->capacity = store->node_capacity = store->node_count = 0;
    store->given_up = true;
}

void th_hash_store_done(th_hash_store *store)
{
    give_up(store);
}

static theater_status reserve(th_hash **array, uint64_t *capacity, uint64_t need, theater_error *reterr)
{
    if (need <= *capacity)
        return THEATER_OK;
    uint64_t grown = *capacity < 512 ? 1024 : *capacity * 2;
    th_hash *moved =
        grown > SIZE_MAX / sizeof *moved ? NULL : th_realloc(*array, (size_t)grown * sizeof *moved);
    if (!moved)
        return th_fail_memory(reterr, "the element hashes of a chain");
    *array = moved;
    *capacity = grown;
    return THEATER_OK;
}

/* Nodes of level 8 and up that are complete after `blocks` subtrees of level 8: blocks + blocks/2 + blocks/4
 * + ... */
static uint64_t nodes_after(uint64_t blocks)
{
    return 2 * blocks - (uint64_t)__builtin_popcountll(blocks);
}

theater_status th_hash_store_append(th_hash_store *store, th_hasher *hasher, const th_hash *element,
                                    theater_error *reterr)
{
    th_log_tree *tree = &store->tree;
    if (!store->given_up && tree->size == store->max)
        give_up(store);
    uint64_t blocks = (tree->size + 1) >> TH_HASH_STORE_LEVEL;
    if (!store->given_up) {
        theater_status status = reserve(&store->leaves, &store->capacity, tree->size + 1, reterr);
        if (!status)
            status = reserve(&store->nodes, &store->node_capacity, nodes_after(blocks), reterr);
        if (status)
            return status;
        store->leaves[tree->size] = *element;
    }
    /* As th_log_tree_append, and what is merged on the way up is a complete node. */
    unsigned count = (unsigned)__builtin_popcountll(tree->size), level = 0;
    tree->nodes[count++] = *element;
    for (uint64_t bits = tree->size; bits & 1; bits >>= 1, count--) {
        th_hash *left = &tree->nodes[count - 2];
        th_node_hash(hasher, left, left + 1, left);
        if (++level >= TH_HASH_STORE_LEVEL && !store->given_up)
            store->nodes[store->node_count++] = *left;
    }
    tree->size++;
    return THEATER_OK;
}

theater_status th_hash_store_node(void *context, unsigned level, uint64_t index, bool *ret_known,
                                  th_hash *ret, theater_error *reterr)
{
    const th_hash_store *store = context;
    *ret_known = level == 0 || level >= TH_HASH_STORE_LEVEL;
    if (level == 0) {
        *ret = store->leaves[index];
    } else if (*ret_known) {
        /* It became complete with block (index + 1) << above, as the last but so many of that block's nodes.
         */
        unsigned above = level - TH_HASH_STORE_LEVEL;
        uint64_t blocks = (index + 1) << above;
        *ret = store->nodes[nodes_after(blocks - 1) + above];
    }
    return THEATER_OK;
}

theater_status th_hash_store_head(const th_hash_store *store, th_hasher *hasher, uint64_t size, th_hash *ret,
                                  theater_error *reterr)
{
    th_assert(size <= store->tree.size);
    if (size == store->tree.size) {
        th_log_tree_head(&store->tree, hasher, ret);
        return THEATER_OK;
    }
    if (size > 0 && store->given_up)
        return th_fail(reterr, THEATER_NOT_FOUND, "the hashes of so long a chain were not kept");
    return th_log_range_hash(hasher, 0, size, th_hash_store_node, (void *)store, ret, reterr);
}
