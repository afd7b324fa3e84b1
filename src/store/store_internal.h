/* store/store_internal.h: an open store. */
#ifndef TH_STORE_INTERNAL_H
#define TH_STORE_INTERNAL_H

#include <stdatomic.h>

#include "store/folder.h"
#include "store/index.h"

struct th_index_memory {
    th_kv *kv;
};

struct th_store {
    th_port *port;
    th_folder folder; /* zeroed for a store in memory */
    bool read_only;
    th_journal *log;
    th_kv *kv; /* what look-ups read */
    bool kv_borrowed; /* from the caller's th_index_memory */
    /* A reader: kv is in memory and holds what the log has beyond `base_view`, a snapshot of the writer's
     * index. */
    th_kv *base;
    bool base_borrowed;
    th_kv_view base_view;
    bool has_base;
    th_index_mark mark; /* the indexing thread's: how far kv goes */
    uint8_t identity[16];
    uint64_t ids_max;
    uint64_t ids_age_ns;
    _Atomic uint64_t covered;
    _Atomic uint64_t next_actor_id;
    bool log_failed; /* the appending thread's */
    void (*progress)(void *context, uint64_t done_bytes, uint64_t all_bytes);
    void *progress_context;
};

/* Reads the mark of an index. *ret_usable: it is one of this version, of this store, and made under its
 * bounds of ids. */
THEATER_CHECKED theater_status th_store_read_mark(th_store *store, th_kv_view *view, th_index_mark *ret,
                                                  bool *ret_usable, theater_error *reterr);
/* Brings kv to the end of the log, checking every byte that is read. */
THEATER_CHECKED theater_status th_store_catch_up(th_store *store, theater_error *reterr);
/* What the index says when it says nothing. */
th_index_mark th_store_first_mark(const th_store *store);

/* Opens the writer's index, dropping one that is doubtful; *ret_proof is what a usable one proves of the
 * log. */
THEATER_CHECKED theater_status th_store_open_index(th_store *store, const th_store_options *options,
                                                   th_journal_mark *ret_proof, theater_error *reterr);
/* Makes the writer's index empty. */
THEATER_CHECKED theater_status th_store_reset_index(th_store *store, theater_error *reterr);
/* A reader's: an index in memory over a snapshot of the writer's, as far as that can be read. */
THEATER_CHECKED theater_status th_store_open_overlay(th_store *store, const th_store_options *options,
                                                     th_journal_mark *ret_proof, theater_error *reterr);
/* A reader's: takes a new snapshot and forgets what was in memory. `keep` false does without the writer's
 * index. */
THEATER_CHECKED theater_status th_store_renew_overlay(th_store *store, bool keep, theater_error *reterr);
void th_store_close_index(th_store *store);

#endif
