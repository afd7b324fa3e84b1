/* chain/hash_store.h: the element hashes of a chain in memory, with the nodes that make old tree heads cheap.
 *
 * It keeps the hash of every element and every node of level 8 and above: 32.25 bytes an element. The head of
 * any older size then takes a few hundred hashes at most, however long the chain is. */
#ifndef TH_CHAIN_HASH_STORE_H
#define TH_CHAIN_HASH_STORE_H

#include "chain/log_tree.h"

#define TH_HASH_STORE_LEVEL 8

typedef struct th_hash_store {
    th_log_tree tree; /* of all elements, whether they are kept or not */
    uint64_t max; /* elements that are kept; one more and all are given up */
    bool given_up; /* `leaves` and `nodes` are gone */
    th_hash *leaves; /* tree.size of them */
    uint64_t capacity;
    th_hash *nodes; /* levels 8 and up in the order in which they became complete */
    uint64_t node_count;
    uint64_t node_capacity;
} th_hash_store;

/* Allocates nothing. `max` of 0 keeps no hashes, only the tree. */
void th_hash_store_init(th_hash_store *store, uint64_t max);
void th_hash_store_done(th_hash_store *store);

/* Appends the hash of the next element. Errors: NO_MEMORY; then nothing changed. */
THEATER_CHECKED theater_status th_hash_store_append(th_hash_store *store, th_hasher *hasher,
                                                    const th_hash *element, theater_error *reterr);

/* Whether old hashes are there. */
static inline bool th_hash_store_kept(const th_hash_store *store)
{
    return !store->given_up;
}

/* The tree head at `size`, which is at most the store's. Errors: NOT_FOUND when it is an old size and hashes
 * were not kept. */
THEATER_CHECKED theater_status th_hash_store_head(const th_hash_store *store, th_hasher *hasher,
                                                  uint64_t size, th_hash *ret, theater_error *reterr);

/* A th_log_node_source whose context is a store that is kept. */
theater_status th_hash_store_node(void *store, unsigned level, uint64_t index, bool *ret_known, th_hash *ret,
                                  theater_error *reterr);

#endif
