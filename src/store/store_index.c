/* store/store_index.c: which index a store uses, and bringing it up to the log.
 *
 * A writer's index is LMDB, or memory that a test keeps. It counts only if its mark is whole, of this
 * version, this store and these bounds of ids, and if the log has the mark's last record where the mark
 * says; otherwise it is dropped and made anew from the log.
 *
 * A reader must not write. It takes a snapshot of the writer's index, if that can be read, and applies what
 * the log has beyond it to pairs in memory that lie over the snapshot. The snapshot stays until the next
 * refresh, because memory and snapshot belong together. (An index that a test keeps in memory is no
 * snapshot: its reader is refreshed after each step of the writer.) */
#include "base/log.h"
#include "chain/element.h"
#include "store/record_internal.h"
#include "store/store_internal.h"

/* Size of the map of a new index: address space, not memory or disk. */
#define MAP_BYTES ((uint64_t)64 << 30)
/* Pairs of a reader, or of a test's index, in memory. */
#define MEMORY_MAX ((uint64_t)8 << 30)
/* Of a larger record only the first bytes are read, when they are enough. */
#define FRONT_BYTES ((size_t)16 << 10)
/* Log in one transaction while catching up. */
#define CATCH_UP_BYTES ((uint64_t)32 << 20)

theater_status th_index_memory_new(th_index_memory **ret, theater_error *reterr)
{
    th_index_memory *memory = th_alloc_zero(1, sizeof *memory);
    if (!memory)
        return th_fail_memory(reterr, "an index in memory");
    *ret = memory;
    return THEATER_OK;
}

void th_index_memory_free(th_index_memory *memory)
{
    if (!memory)
        return;
    th_kv_free(memory->kv);
    th_free(memory);
}

th_index_mark th_store_first_mark(const th_store *store)
{
    th_index_mark mark = {.next_actor_id = 1, .ids_max = store->ids_max, .ids_age_ns = store->ids_age_ns};
    memcpy(mark.identity, store->identity, 16);
    uint64_t number;
    store->log->operations->find(store->log, 0, &number, &mark.log.position);
    return mark;
}

theater_status th_store_read_mark(th_store *store, th_kv_view *view, th_index_mark *ret, bool *ret_usable,
                                  theater_error *reterr)
{
    th_key key;
    th_slice value;
    bool found;
    th_key_begin(&key, TH_TABLE_MARK);
    theater_status status = th_kv_get(view, th_key_slice(&key), &found, &value, reterr);
    *ret_usable =
        !status && found && th_index_mark_decode(value, ret) &&
        memcmp(ret->identity, store->identity, 16) == 0 &&
        (store->read_only || (ret->ids_max == store->ids_max && ret->ids_age_ns == store->ids_age_ns));
    return status;
}

/* ---- the writer's ---- */

static theater_status open_memory(th_store *store, th_index_memory *memory, theater_error *reterr)
{
    if (!memory)
        return th_kv_memory_new(store->port, NULL, MEMORY_MAX, &store->kv, reterr);
    theater_status status = THEATER_OK;
    if (!memory->kv)
        status = th_kv_memory_new(store->port, NULL, MEMORY_MAX, &memory->kv, reterr);
    store->kv = memory->kv;
    store->kv_borrowed = true;
    return status;
}

static theater_status open_lmdb(th_store *store, theater_error *reterr)
{
    th_kv_lmdb_options options = {
        .port = store->port, .folder = store->folder.index, .read_only = false, .map_bytes = MAP_BYTES};
    theater_status status = th_kv_lmdb_open(&options, &store->kv, reterr);
    if (status != THEATER_CORRUPT)
        return status;
    th_log(TH_LOG_WARN, "%s; it is made anew", reterr ? reterr->message : "the index is damaged");
    status = th_kv_lmdb_remove(store->port, store->folder.index, reterr);
    return status ? status : th_kv_lmdb_open(&options, &store->kv, reterr);
}

theater_status th_store_reset_index(th_store *store, theater_error *reterr)
{
    if (!store->folder.path || store->kv_borrowed) {
        th_kv_memory_clear(store->kv);
        return THEATER_OK;
    }
    th_kv_free(store->kv);
    store->kv = NULL;
    theater_status status = th_kv_lmdb_remove(store->port, store->folder.index, reterr);
    return status ? status : open_lmdb(store, reterr);
}

theater_status th_store_open_index(th_store *store, const th_store_options *options,
                                   th_journal_mark *ret_proof, theater_error *reterr)
{
    theater_status status = options->folder && !options->index ? open_lmdb(store, reterr)
                                                               : open_memory(store, options->index, reterr);
    if (status)
        return status;
    th_kv_view view;
    bool usable = false;
    status = th_kv_begin(store->kv, &view, reterr);
    if (!status) {
        status = th_store_read_mark(store, &view, &store->mark, &usable, reterr);
        th_kv_end(&view);
    }
    if (usable)
        *ret_proof = store->mark.log;
    else
        store->mark.log.number = 0;
    if (!status || status == THEATER_CORRUPT)
        status = usable ? THEATER_OK : th_store_reset_index(store, reterr);
    return status;
}

/* ---- a reader's ---- */

static theater_status open_base(th_store *store, const th_store_options *options, theater_error *reterr)
{
    store->base_borrowed = options->index != NULL;
    if (options->index) {
        store->base = options->index->kv;
        return store->base ? THEATER_OK : th_fail(reterr, THEATER_NOT_FOUND, "there is no index yet");
    }
    th_kv_lmdb_options lmdb = {
        .port = store->port, .folder = store->folder.index, .read_only = true, .map_bytes = MAP_BYTES};
    return th_kv_lmdb_open(&lmdb, &store->base, reterr);
}

/* Ends the snapshot. */
static void leave_base(th_store *store)
{
    if (store->kv)
        th_kv_memory_set_base(store->kv, NULL);
    if (store->has_base)
        th_kv_end(&store->base_view);
    store->has_base = false;
}

theater_status th_store_renew_overlay(th_store *store, bool keep, theater_error *reterr)
{
    leave_base(store);
    th_kv_memory_clear(store->kv);
    store->mark = (th_index_mark){.log = {0}};
    if (!store->base || !keep)
        return THEATER_OK;
    bool usable = false;
    theater_status status = th_kv_begin(store->base, &store->base_view, reterr);
    if (status)
        return status == THEATER_NO_MEMORY ? status : THEATER_OK; /* then all comes from the log */
    store->has_base = true;
    status = th_store_read_mark(store, &store->base_view, &store->mark, &usable, reterr);
    if (usable) {
        th_kv_memory_set_base(store->kv, &store->base_view);
    } else {
        leave_base(store);
        store->mark = (th_index_mark){.log = {0}};
    }
    return status == THEATER_CORRUPT ? THEATER_OK : status;
}

theater_status th_store_open_overlay(th_store *store, const th_store_options *options,
                                     th_journal_mark *ret_proof, theater_error *reterr)
{
    theater_status status = th_kv_memory_new(store->port, NULL, MEMORY_MAX, &store->kv, reterr);
    if (status)
        return status;
    theater_error error;
    status = open_base(store, options, &error);
    if (status) {
        store->base = NULL;
        if (status == THEATER_NO_MEMORY)
            return th_fail(reterr, status, "%s", error.message);
        th_log(TH_LOG_INFO, "%s; reading the whole log instead", error.message);
    }
    status = th_store_renew_overlay(store, true, reterr);
    *ret_proof = store->mark.log;
    return status;
}

void th_store_close_index(th_store *store)
{
    if (store->base || store->has_base)
        leave_base(store);
    if (!store->kv_borrowed)
        th_kv_free(store->kv);
    if (!store->base_borrowed)
        th_kv_free(store->base);
    store->kv = store->base = NULL;
}

/* ---- steps ---- */

/* Whether the index needs what is behind the front of an element: the input of a genesis or an upgrade,
 * which is the descriptor. */
static bool needs_input(const th_record *record)
{
    th_element element;
    return th_element_decode(record->element.element, &element, NULL) || element.type == TH_GENESIS ||
           element.type == TH_UPGRADE;
}

/* Decodes what the index needs of a record whose front was read; *ret_whole: that takes all of it. */
static theater_status decode_item(const th_journal_item *item, th_record *ret, bool *ret_whole,
                                  theater_error *reterr)
{
    *ret_whole = false;
    theater_status status = th_record_decode_front(item->payload, item->size, ret, reterr);
    if (item->payload.size == item->size)
        return status;
    /* Effects may be cut off, too. */
    *ret_whole = status || (ret->kind == TH_RECORD_ELEMENT && needs_input(ret));
    return THEATER_OK;
}

static theater_status apply_item(th_store *store, th_index_change *change, const th_journal_item *item,
                                 th_buf *buf, theater_error *reterr)
{
    th_record record;
    bool whole;
    theater_status status = decode_item(item, &record, &whole, reterr);
    if (!status && whole) {
        uint64_t number;
        th_slice payload;
        status = th_journal_read(store->log, item->position, buf, &number, &payload, reterr);
        if (!status)
            status = th_record_decode(payload, &record, reterr);
    }
    if (!status)
        status = th_index_apply(change, item, &record, reterr);
    if (status) {
        char place[TH_JOURNAL_PLACE_SIZE];
        th_journal_describe(store->log, item->position, place);
        return th_fail_in(reterr, status, "%s", place);
    }
    return THEATER_OK;
}

/* One transaction over at most about `max_bytes` of log, at least one record. */
static theater_status step(th_store *store, uint64_t max_bytes, size_t front, uint64_t *ret_bytes,
                           theater_error *reterr)
{
    th_index_change change;
    theater_status status = th_index_begin(store->kv, &store->mark, &change, reterr);
    if (status)
        return status;
    th_journal_cursor cursor;
    th_journal_cursor_init(&cursor, store->log, store->mark.log.number, store->mark.log.position);
    th_buf buf;
    th_buf_init(&buf, (size_t)TH_APPEND_MAX + 4096);
    bool more = true;
    *ret_bytes = 0;
    while (!status && *ret_bytes < max_bytes && th_index_bytes(&change) < TH_CHANGES_STEP) {
        th_journal_item item;
        status = th_journal_next(&cursor, front, &item, &more, reterr);
        if (status || !more)
            break;
        status = apply_item(store, &change, &item, &buf, reterr);
        *ret_bytes += item.log_bytes;
    }
    th_buf_done(&buf);
    th_journal_cursor_done(&cursor);
    if (!status && *ret_bytes > 0)
        status = th_index_commit(&change, reterr);
    if (!status) {
        store->mark = change.mark;
        atomic_store(&store->next_actor_id, change.mark.next_actor_id);
        atomic_store(&store->covered, change.mark.log.number);
    }
    th_index_end(&change);
    return status;
}

theater_status th_store_catch_up(th_store *store, theater_error *reterr)
{
    uint64_t end = th_journal_end(store->log).number, all = th_journal_bytes(store->log);
    if (store->mark.log.number == 0)
        store->mark = th_store_first_mark(store);
    /* How much of the log lies before the mark is only estimated: it is for people. */
    uint64_t done = end ? (uint64_t)((double)all * (double)store->mark.log.number / (double)end) : 0;
    atomic_store(&store->covered, store->mark.log.number);
    atomic_store(&store->next_actor_id, store->mark.next_actor_id);
    while (store->mark.log.number < end) {
        uint64_t bytes;
        theater_status status = step(store, CATCH_UP_BYTES, 0, &bytes, reterr);
        if (status)
            return status;
        done = done + bytes < all ? done + bytes : all;
        if (store->progress)
            store->progress(store->progress_context, done, all);
    }
    return THEATER_OK;
}

theater_status th_store_index_step(th_store *store, uint64_t max_bytes, bool *ret_more, theater_error *reterr)
{
    *ret_more = false;
    if (store->read_only || store->mark.log.number >= th_journal_end(store->log).number)
        return THEATER_OK;
    uint64_t bytes;
    theater_status status = step(store, max_bytes, FRONT_BYTES, &bytes, reterr);
    if (status == THEATER_BUSY)
        status = THEATER_OK; /* the map of the index cannot grow while others read it: try again */
    *ret_more = !status && store->mark.log.number < th_journal_end(store->log).number;
    return status;
}

uint64_t th_store_covered(const th_store *store)
{
    return atomic_load(&store->covered);
}

uint64_t th_store_next_actor_id(th_store *store)
{
    return atomic_load(&store->next_actor_id);
}
