#include "chain/log_tree.h"

#include "chain/cbor.h"

static unsigned count_of(uint64_t size)
{
    return (unsigned)__builtin_popcountll(size);
}

void th_log_tree_append(th_log_tree *tree, th_hasher *hasher, const th_hash *element)
{
    th_assert(tree->size < UINT64_MAX);
    unsigned count = count_of(tree->size);
    tree->nodes[count++] = *element;
    for (uint64_t bits = tree->size; bits & 1; bits >>= 1, count--)
        th_node_hash(hasher, &tree->nodes[count - 2], &tree->nodes[count - 1], &tree->nodes[count - 2]);
    tree->size++;
}

void th_log_tree_head(const th_log_tree *tree, th_hasher *hasher, th_hash *ret)
{
    unsigned count = count_of(tree->size);
    if (count == 0) {
        *ret = th_sha256_empty;
        return;
    }
    th_hash hash = tree->nodes[count - 1];
    for (unsigned i = count - 1; i > 0; i--)
        th_node_hash(hasher, &tree->nodes[i - 1], &hash, &hash);
    *ret = hash;
}

theater_status th_log_tree_encode(const th_log_tree *tree, th_buf *out, theater_error *reterr)
{
    size_t before = out->size;
    th_slice nodes = th_slice_of(tree->nodes, count_of(tree->size) * sizeof *tree->nodes);
    theater_status status = th_cbor_append_head(out, TH_CBOR_ARRAY, 2, reterr);
    if (!status)
        status = th_cbor_append_uint(out, tree->size, reterr);
    if (!status)
        status = th_cbor_append_bytes(out, nodes, reterr);
    if (status)
        out->size = before;
    return status;
}

theater_status th_log_tree_decode(th_slice bytes, th_log_tree *ret, theater_error *reterr)
{
    th_cbor_reader in = th_cbor_read(bytes);
    uint64_t count;
    th_slice nodes;
    if (!th_cbor_read_array(&in, &count) ||
        (count != 2 && !th_cbor_refuse(&in, "an array that is not two long")) ||
        !th_cbor_read_uint(&in, &ret->size) || !th_cbor_read_bytes(&in, &nodes) ||
        (nodes.size != count_of(ret->size) * sizeof *ret->nodes &&
         !th_cbor_refuse(&in, "hashes that do not fit the size")) ||
        !th_cbor_read_end(&in))
        return th_cbor_fail(&in, "log tree", reterr);
    if (nodes.size)
        memcpy(ret->nodes, nodes.data, nodes.size);
    return THEATER_OK;
}

/* ---- proofs ---------------------------------------------------------------------------------- */

/* What a proof reads from. */
typedef struct tree_source {
    th_hasher *hasher;
    th_log_node_source node;
    void *context;
} tree_source;

/* The largest power of two below `count`, which is at least 2. */
static uint64_t split(uint64_t count)
{
    return (uint64_t)1 << (63 - __builtin_clzll(count - 1));
}

/* MTH over begin..end-1, at least one leaf; `begin` is a multiple of the largest power of two that is not
 * above the count, which every split of a tree keeps. The recursion is at most 64 deep. */
static theater_status range(const tree_source *source, uint64_t begin, uint64_t end, th_hash *ret,
                            theater_error *reterr)
{
    uint64_t count = end - begin;
    if ((count & (count - 1)) == 0) {
        unsigned level = (unsigned)__builtin_ctzll(count);
        bool known = true;
        theater_status status = source->node(source->context, level, begin >> level, &known, ret, reterr);
        if (status || known)
            return status;
        if (level == 0)
            return th_fail(reterr, THEATER_NOT_FOUND, "the hash of element %llu is not known",
                           (unsigned long long)begin);
    }
    uint64_t middle = begin + split(count);
    th_hash right;
    theater_status status = range(source, begin, middle, ret, reterr);
    if (!status)
        status = range(source, middle, end, &right, reterr);
    if (!status)
        th_node_hash(source->hasher, ret, &right, ret);
    return status;
}

theater_status th_log_range_hash(th_hasher *hasher, uint64_t begin, uint64_t end, th_log_node_source source,
                                 void *context, th_hash *ret, theater_error *reterr)
{
    if (begin >= end) {
        *ret = th_sha256_empty;
        return THEATER_OK;
    }
    /* Only an aligned range is made of nodes that the source can know. */
    th_assert(begin == 0 || (begin & ((end - begin == 1 ? 1 : 2 * split(end - begin)) - 1)) == 0);
    return range(&(tree_source){hasher, source, context}, begin, end, ret, reterr);
}

/* Both proofs walk from the root down and collect the hash of the half that the walk leaves, so they come out
 * upside down. */
static void reverse(th_proof *proof)
{
    for (size_t i = 0; i < proof->count / 2; i++) {
        th_hash hash = proof->hashes[i];
        proof->hashes[i] = proof->hashes[proof->count - 1 - i];
        proof->hashes[proof->count - 1 - i] = hash;
    }
}

theater_status th_log_prove_inclusion(th_hasher *hasher, uint64_t index, uint64_t size,
                                      th_log_node_source source, void *context, th_proof *ret,
                                      theater_error *reterr)
{
    if (index >= size)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "element %llu is not in a tree of %llu",
                       (unsigned long long)index, (unsigned long long)size);
    tree_source tree = {hasher, source, context};
    uint64_t begin = 0, end = size;
    ret->count = 0;
    while (end - begin > 1) {
        uint64_t middle = begin + split(end - begin);
        bool left = index < middle;
        theater_status status =
            range(&tree, left ? middle : begin, left ? end : middle, &ret->hashes[ret->count++], reterr);
        if (status)
            return status;
        if (left)
            end = middle;
        else
            begin = middle;
    }
    reverse(ret);
    return THEATER_OK;
}

theater_status th_log_prove_consistency(th_hasher *hasher, uint64_t old_size, uint64_t size,
                                        th_log_node_source source, void *context, th_proof *ret,
                                        theater_error *reterr)
{
    if (old_size > size)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "a tree of %llu has no older tree of %llu",
                       (unsigned long long)size, (unsigned long long)old_size);
    ret->count = 0;
    if (old_size == 0 || old_size == size)
        return THEATER_OK;
    tree_source tree = {hasher, source, context};
    uint64_t begin = 0, end = size;
    /* Down to the place where the old tree ends at a border of subtrees. */
    while (old_size != end) {
        uint64_t middle = begin + split(end - begin);
        bool left = old_size <= middle;
        theater_status status =
            range(&tree, left ? middle : begin, left ? end : middle, &ret->hashes[ret->count++], reterr);
        if (status)
            return status;
        if (left)
            end = middle;
        else
            begin = middle;
    }
    /* A complete old tree is known to the verifier; otherwise the proof begins with its last subtree. */
    theater_status status =
        begin == 0 ? THEATER_OK : range(&tree, begin, end, &ret->hashes[ret->count++], reterr);
    reverse(ret);
    return status;
}
