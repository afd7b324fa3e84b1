/* store/index.h: what the index holds of each actor, its keys, and applying records to it. The rules stand
 * in index.c. */
#ifndef TH_STORE_INDEX_H
#define TH_STORE_INDEX_H

#include "store/kv.h"
#include "store/journal.h"
#include "store/store.h"

/* Version of what stands in the index: another one is rebuilt. */
#define TH_INDEX_VERSION 1
/* Positions of elements in one pair of the index. */
#define TH_BLOCK 64
/* Memory of the changes of one transaction: a step ends when it passes half of it. */
#define TH_CHANGES_MAX ((uint64_t)1 << 30)
#define TH_CHANGES_STEP ((uint64_t)64 << 20)

/* ---- keys: a letter for the table, then its parts
 * ---------------------------------------------------------------------- */

enum {
    TH_TABLE_MARK = '#', /* how far the index goes */
    TH_TABLE_ACTOR = 'a', /* id -> row */
    TH_TABLE_CONSUMER = 'c', /* id, sequence, index -> who consumed it */
    TH_TABLE_DESCRIPTOR = 'd', /* id, sequence of a genesis or an upgrade -> position */
    TH_TABLE_COMPILED = 'f', /* component, fingerprint -> hash */
    TH_TABLE_CHECKPOINT = 'h', /* id, size -> position */
    TH_TABLE_ID = 'i', /* id, idempotency id -> sequence, timestamp */
    TH_TABLE_COMPONENT = 'k', /* hash -> position */
    TH_TABLE_NAME = 'n', /* name -> ids of the holder and of the newest one before */
    TH_TABLE_ID_ORDER = 'o', /* id, sequence -> idempotency id */
    TH_TABLE_BLOCK = 'p', /* id, sequence / 64 -> positions of elements */
    TH_TABLE_SNAPSHOT = 's', /* id, sequence -> position */
    TH_TABLE_WAITING = 'u', /* id, number, index -> undelivered entry */
};

typedef struct th_key {
    size_t size;
    uint8_t bytes[TH_KEY_MAX + 1];
} th_key;

void th_key_begin(th_key *key, uint8_t table);
/* 1 to 9 bytes that sort as the numbers do: how many bytes follow, then those, the highest first. */
void th_key_number(th_key *key, uint64_t number);
void th_key_bytes(th_key *key, th_slice bytes);
static inline th_slice th_key_slice(const th_key *key)
{
    return th_slice_of(key->bytes, key->size);
}
/* Whether `found` begins with all of `prefix`; then the numbers behind it are read. */
bool th_key_has_prefix(th_slice found, const th_key *prefix);
/* Reads a number off the front. */
bool th_key_read_number(th_slice *key, uint64_t *ret);

/* ---- values
 * ------------------------------------------------------------------------------------------------------- */

/* How far the index goes, and what it is of. */
typedef struct th_index_mark {
    uint8_t identity[16];
    th_journal_mark log; /* records below log.number are in the index */
    uint64_t next_actor_id;
    uint64_t ids_max; /* the bounds under which it was made */
    uint64_t ids_age_ns;
} th_index_mark;

#define TH_INDEX_MARK_SIZE 100
void th_index_mark_encode(const th_index_mark *mark, uint8_t out[TH_INDEX_MARK_SIZE]);
/* False for anything that th_index_mark_encode of this version did not make. */
bool th_index_mark_decode(th_slice bytes, th_index_mark *ret);

/* A row of the table of actors. */
typedef struct th_actor_row {
    th_actor_info info;
    uint64_t ids; /* idempotency ids kept */
    uint64_t ids_first; /* no kept one belongs to an element before this */
} th_actor_row;

#define TH_ACTOR_ROW_MAX 320
size_t th_actor_row_encode(const th_actor_row *row, uint8_t out[TH_ACTOR_ROW_MAX]);
bool th_actor_row_decode(uint64_t id, th_slice bytes, th_actor_row *ret);

#define TH_ENTRY_MAX (26 + 128)
size_t th_entry_encode(const th_undelivered *entry, uint8_t out[TH_ENTRY_MAX]);
/* The key is the caller's. */
bool th_entry_decode(th_slice bytes, th_undelivered *ret);

/* CORRUPT for a value that does not decode: the index is damaged. */
theater_status th_index_damaged(const char *what, theater_error *reterr);

/* ---- applying records
 * ------------------------------------------------------------------------------------------------ */

typedef struct th_actor_cache th_actor_cache;

/* One transaction of the index. For one thread. */
typedef struct th_index_change {
    th_kv_change kv;
    th_index_mark mark; /* moves with each record */
    th_actor_cache *cache; /* actors that were touched */
} th_index_change;

/* Begins behind `mark`. */
THEATER_CHECKED theater_status th_index_begin(th_kv *kv, const th_index_mark *mark, th_index_change *ret,
                                              theater_error *reterr);
/* Drops what was not committed. */
void th_index_end(th_index_change *change);
/* Applies the record of `item`, whose number is the next. CORRUPT when it contradicts what came before:
 * then the transaction must be dropped. */
THEATER_CHECKED theater_status th_index_apply(th_index_change *change, const th_journal_item *item,
                                              const th_record *record, theater_error *reterr);
/* Memory that the changes take so far. */
uint64_t th_index_bytes(const th_index_change *change);
THEATER_CHECKED theater_status th_index_commit(th_index_change *change, theater_error *reterr);

#endif
