/* runtime/ids.h: idempotency ids of one actor whose elements the index may not cover yet. The older ones
 * are found in the index. */
#ifndef TH_RUNTIME_IDS_H
#define TH_RUNTIME_IDS_H

#include "base/bytes.h"

typedef struct th_ids th_ids;

th_ids *th_ids_new(void); /* NULL: out of memory */
void th_ids_free(th_ids *ids); /* accepts NULL */
/* Notes that the element `sequence` has this id. */
THEATER_CHECKED theater_status th_ids_add(th_ids *ids, th_slice id, uint64_t sequence, theater_error *reterr);
bool th_ids_find(const th_ids *ids, th_slice id, uint64_t *ret_sequence);
size_t th_ids_count(const th_ids *ids);
/* Forgets all. */
void th_ids_clear(th_ids *ids);

#endif
