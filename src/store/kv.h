/* store/kv.h: ordered pairs of bytes, of which the index is made: committed pairs behind one interface, and
 * changes to them.
 *
 * Keys are 1 to 511 bytes, compared byte by byte, a prefix before what continues it. Changes are always
 * gathered in a th_kv_map first and then applied at once, in the order of their keys: that makes a
 * transaction cheap in LMDB and trivial elsewhere. */
#ifndef TH_STORE_KV_H
#define TH_STORE_KV_H

#include "port/port.h"
#include "store/kv_map.h"

#define TH_KEY_MAX 511

typedef struct th_kv th_kv;

/* Reads committed pairs. A view of LMDB is a snapshot; a view of memory sees each transaction as soon as it
 * is applied. For one thread. Views are short: a callback of a caller never runs while one is open. */
typedef struct th_kv_view {
    th_kv *kv;
    void *transaction; /* the implementation's */
    void *cursor;
    th_buf key; /* copies of what was found, where the implementation must copy */
    th_buf value;
} th_kv_view;

typedef struct th_kv_operations {
    void (*free)(th_kv *kv);
    theater_status (*begin)(th_kv_view *view, theater_error *reterr);
    void (*end)(th_kv_view *view);
    theater_status (*get)(th_kv_view *view, th_slice key, bool *ret_found, th_slice *ret_value,
                          theater_error *reterr);
    theater_status (*seek)(th_kv_view *view, th_slice key, bool *ret_found, th_slice *ret_key,
                           th_slice *ret_value, theater_error *reterr);
    theater_status (*apply)(th_kv *kv, const th_kv_map *changes, theater_error *reterr);
} th_kv_operations;

struct th_kv {
    const th_kv_operations *operations;
};

/* Accepts NULL. No view is open. */
static inline void th_kv_free(th_kv *kv)
{
    if (kv)
        kv->operations->free(kv);
}

/* Opens a view; end it with th_kv_end. BUSY, NO_MEMORY, IO, CORRUPT. Any thread. */
THEATER_CHECKED theater_status th_kv_begin(th_kv *kv, th_kv_view *ret, theater_error *reterr);
void th_kv_end(th_kv_view *view);
/* The value of a key; valid until the next call on the view. */
THEATER_CHECKED static inline theater_status th_kv_get(th_kv_view *view, th_slice key, bool *ret_found,
                                                       th_slice *ret_value, theater_error *reterr)
{
    return view->kv->operations->get(view, key, ret_found, ret_value, reterr);
}
/* The first pair whose key is `key` or comes after it; valid until the next call on the view. */
THEATER_CHECKED static inline theater_status th_kv_seek(th_kv_view *view, th_slice key, bool *ret_found,
                                                        th_slice *ret_key, th_slice *ret_value,
                                                        theater_error *reterr)
{
    return view->kv->operations->seek(view, key, ret_found, ret_key, ret_value, reterr);
}
/* Applies all changes or, with an error, none. One thread at a time. NO_SPACE, NO_MEMORY, IO, CORRUPT.
 * BUSY: nothing was applied and the same may be tried again later. */
THEATER_CHECKED static inline theater_status th_kv_apply(th_kv *kv, const th_kv_map *changes,
                                                         theater_error *reterr)
{
    return kv->operations->apply(kv, changes, reterr);
}

/* ---- in memory
 * ------------------------------------------------------------------------------------------------------ */

/* Pairs in memory, up to `max_bytes`. `base` (may be NULL) is a view of pairs that shine through where
 * memory says nothing; it is borrowed and used under the lock of this one. Any number of threads may read. */
THEATER_CHECKED theater_status th_kv_memory_new(th_port *port, th_kv_view *base, uint64_t max_bytes,
                                                th_kv **ret, theater_error *reterr);
/* Forgets everything in memory. Nobody else uses it meanwhile. */
void th_kv_memory_clear(th_kv *kv);
/* Gives it another base, which may be NULL. Nobody else uses it meanwhile. */
void th_kv_memory_set_base(th_kv *kv, th_kv_view *base);

/* ---- in LMDB
 * -------------------------------------------------------------------------------------------------------- */

typedef struct th_kv_lmdb_options {
    th_port *port;
    const char *folder; /* FOLDER/index; made when missing, unless read_only */
    bool read_only;
    uint64_t map_bytes; /* size of the map to begin with; it grows by itself */
} th_kv_lmdb_options;

/* Opens the environment. CORRUPT when its files are not those that were closed, or are damaged as far as
 * that can be told before mapping them (see kv_lmdb.c); NOT_FOUND for a reader when there are none; BUSY. */
THEATER_CHECKED theater_status th_kv_lmdb_open(const th_kv_lmdb_options *options, th_kv **ret,
                                               theater_error *reterr);
/* Removes the environment's files; nobody has it open. */
THEATER_CHECKED theater_status th_kv_lmdb_remove(th_port *port, const char *folder, theater_error *reterr);

/* ---- a transaction: changes over committed pairs
 * ------------------------------------------------------------------------ */

/* Reads its own changes. For one thread. */
typedef struct th_kv_change {
    th_kv_view view;
    th_kv_map *changes;
    th_buf seek_key; /* scratch of th_kv_change_seek */
} th_kv_change;

THEATER_CHECKED theater_status th_kv_change_begin(th_kv *kv, uint64_t max_bytes, th_kv_change *ret,
                                                  theater_error *reterr);
/* Without a commit before, drops the changes. */
void th_kv_change_end(th_kv_change *change);
THEATER_CHECKED theater_status th_kv_change_get(th_kv_change *change, th_slice key, bool *ret_found,
                                                th_slice *ret_value, theater_error *reterr);
THEATER_CHECKED theater_status th_kv_change_seek(th_kv_change *change, th_slice key, bool *ret_found,
                                                 th_slice *ret_key, th_slice *ret_value,
                                                 theater_error *reterr);
/* Closes the view and applies the changes; th_kv_change_end must still follow. */
THEATER_CHECKED theater_status th_kv_change_commit(th_kv_change *change, theater_error *reterr);

#endif
