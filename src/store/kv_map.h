/* store/kv_map.h: changes to pairs, in the order of their keys: a skip list.
 *
 * W. Pugh, "Skip Lists: A Probabilistic Alternative to Balanced Trees", CACM 33(6), 1990. */
#ifndef TH_STORE_KV_MAP_H
#define TH_STORE_KV_MAP_H

#include "base/bytes.h"

typedef struct th_kv_map th_kv_map;

/* A key with its new value, or with `deleted`. */
typedef struct th_kv_node th_kv_node;

/* `max_bytes` bounds the memory of all pairs. *ret is the caller's. For one thread. */
THEATER_CHECKED theater_status th_kv_map_new(uint64_t max_bytes, th_kv_map **ret, theater_error *reterr);
void th_kv_map_free(th_kv_map *map); /* accepts NULL */
void th_kv_map_clear(th_kv_map *map);
/* Memory of all pairs. */
uint64_t th_kv_map_bytes(const th_kv_map *map);

/* Sets a value. TOO_LARGE past max_bytes, NO_MEMORY: then the map is as before. */
THEATER_CHECKED theater_status th_kv_map_put(th_kv_map *map, th_slice key, th_slice value,
                                             theater_error *reterr);
/* Makes room, so that one put of this key with a value of up to `size` bytes, or one delete, cannot fail.
 * Changes nothing that can be read. TOO_LARGE, NO_MEMORY. */
THEATER_CHECKED theater_status th_kv_map_prepare(th_kv_map *map, th_slice key, size_t size,
                                                 theater_error *reterr);
/* Notes that the key is deleted: it hides the key of what lies below. */
THEATER_CHECKED theater_status th_kv_map_delete(th_kv_map *map, th_slice key, theater_error *reterr);
/* Takes the key out of the map, if it is there. */
void th_kv_map_forget(th_kv_map *map, th_slice key);

/* NULL when the map says nothing of the key. */
const th_kv_node *th_kv_map_find(const th_kv_map *map, th_slice key);
/* The first node at or after `key`; NULL at the end. */
const th_kv_node *th_kv_map_seek(const th_kv_map *map, th_slice key);
const th_kv_node *th_kv_map_first(const th_kv_map *map);
const th_kv_node *th_kv_node_next(const th_kv_node *node);

th_slice th_kv_node_key(const th_kv_node *node);
th_slice th_kv_node_value(const th_kv_node *node);
bool th_kv_node_deleted(const th_kv_node *node);

/* Negative, zero or positive, as the keys are ordered. */
int th_key_compare(th_slice a, th_slice b);

#endif
