/* store/actor_cache.h: the rows of actors that a transaction of the index touches, decoded, with their last
 * block of positions. An element of an actor that is here costs a look into a table; rows and blocks are
 * encoded once, at the commit. */
#ifndef TH_STORE_ACTOR_CACHE_H
#define TH_STORE_ACTOR_CACHE_H

#include "store/index.h"

typedef struct th_cached_actor {
    th_actor_row row;
    bool dirty;
    bool block_loaded;
    bool block_dirty;
    uint8_t
        block[TH_BLOCK * 8]; /* positions of the elements from `row.info.elements` rounded down to a block */
} th_cached_actor;

THEATER_CHECKED theater_status th_actor_cache_new(th_actor_cache **ret, theater_error *reterr);
void th_actor_cache_free(th_actor_cache *cache); /* accepts NULL */
uint64_t th_actor_cache_bytes(const th_actor_cache *cache);

/* The actor with this id; *ret is NULL when there is none. Valid until the end of the transaction. */
THEATER_CHECKED theater_status th_actor_load(th_index_change *change, uint64_t id, th_cached_actor **ret,
                                             theater_error *reterr);
/* The actor that holds the name now, or NULL. */
THEATER_CHECKED theater_status th_actor_holder(th_index_change *change, th_slice name, th_cached_actor **ret,
                                               theater_error *reterr);
/* A new actor, dirty, with a status and nothing else. The id is not in use. */
THEATER_CHECKED theater_status th_actor_add(th_index_change *change, uint64_t id, th_slice name,
                                            th_actor_status actor_status, th_cached_actor **ret,
                                            theater_error *reterr);
/* Sets who holds a name: `holder` now, or, when that is 0, nobody; `past` (unless 0) was the newest one
 * before. */
THEATER_CHECKED theater_status th_actor_set_name(th_index_change *change, th_slice name, uint64_t holder,
                                                 uint64_t past, theater_error *reterr);
/* Notes the position of the actor's next element and counts it. */
THEATER_CHECKED theater_status th_actor_add_element(th_index_change *change, th_cached_actor *actor,
                                                    uint64_t position, theater_error *reterr);
/* Puts everything that is dirty into the changes. */
THEATER_CHECKED theater_status th_actor_cache_flush(th_index_change *change, theater_error *reterr);

/* A value of the table of names. */
#define TH_NAME_VALUE_SIZE 16
/* False for a value of another size. */
bool th_name_value_decode(th_slice bytes, uint64_t *ret_holder, uint64_t *ret_past);

#endif
