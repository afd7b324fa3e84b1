/* store/store.c: opening, closing, appending, scanning. Look-ups are in lookup.c. */
#include "store/record_internal.h"
#include "store/store_internal.h"

#define SEGMENT_BYTES ((uint64_t)64 << 20)
#define SEGMENT_BYTES_MAX ((uint64_t)1 << 39) /* half of what a position has room for */
#define IDS_MAX ((uint64_t)100000)
#define IDS_AGE_NS ((uint64_t)24 * 3600 * 1000000000u)

static theater_status open_log(th_store *store, const th_store_options *options,
                               const th_journal_mark *index_proof, theater_error *reterr)
{
    if (!options->folder)
        return th_journal_memory_new(store->port, &store->log, reterr);
    th_journal_options log = {.port = store->port,
                              .folder = store->folder.log,
                              .read_only = options->read_only,
                              .segment_bytes =
                                  options->segment_bytes ? options->segment_bytes : SEGMENT_BYTES,
                              .proofs = {store->folder.closed, *index_proof}};
    if (log.segment_bytes > SEGMENT_BYTES_MAX)
        log.segment_bytes = SEGMENT_BYTES_MAX;
    memcpy(log.identity, store->identity, 16);
    return th_journal_file_open(&log, &store->log, reterr);
}

static theater_status open_folder(th_store *store, const th_store_options *options, theater_error *reterr)
{
    if (!options->folder)
        return th_port_entropy(store->port, store->identity, 16, reterr);
    th_folder_options folder = {.port = options->port,
                                .path = options->folder,
                                .create = options->create,
                                .read_only = options->read_only,
                                .lock_wait_ms = options->lock_wait_ms};
    theater_status status = th_folder_open(&folder, &store->folder, reterr);
    if (!status)
        memcpy(store->identity, store->folder.identity, 16);
    return status;
}

/* The index counts only if the log has the mark's last record: a copy of the folder may have gone another
 * way. */
static theater_status match_index(th_store *store, theater_error *reterr)
{
    bool same;
    theater_status status = th_journal_matches(store->log, &store->mark.log, &same, reterr);
    if (status || same)
        return status;
    store->mark.log.number = 0;
    return store->read_only ? th_store_renew_overlay(store, false, reterr)
                            : th_store_reset_index(store, reterr);
}

static theater_status open_parts(th_store *store, const th_store_options *options, theater_error *reterr)
{
    th_journal_mark proof = {0};
    theater_status status = open_folder(store, options, reterr);
    if (!status && options->read_only)
        status = th_store_open_overlay(store, options, &proof, reterr);
    else if (!status)
        status = th_store_open_index(store, options, &proof, reterr);
    if (!status)
        status = open_log(store, options, &proof, reterr);
    if (!status)
        status = match_index(store, reterr);
    return status ? status : th_store_catch_up(store, reterr);
}

theater_status th_store_open(const th_store_options *options, th_store **ret, theater_error *reterr)
{
    th_store *store = th_alloc_zero(1, sizeof *store);
    if (!store)
        return th_fail_memory(reterr, "a store");
    store->port = options->port;
    store->read_only = options->read_only;
    store->ids_max = options->ids_max ? options->ids_max : IDS_MAX;
    store->ids_age_ns = options->ids_age_ns ? options->ids_age_ns : IDS_AGE_NS;
    store->progress = options->progress;
    store->progress_context = options->progress_context;
    theater_status status = open_parts(store, options, reterr);
    if (status) {
        store->log_failed = true; /* so that closing leaves no mark */
        th_store_close(store);
    } else {
        *ret = store;
    }
    return status;
}

/* What a writer leaves behind when nothing failed: an index that covers everything, and the mark. Neither
 * is needed to open again. */
static void leave_marks(th_store *store)
{
    theater_status status = THEATER_OK;
    bool more = true;
    while (!status && more)
        status = th_store_index_step(store, UINT64_MAX, &more, NULL);
    if (!store->folder.path)
        return;
    th_journal_mark end = th_journal_end(store->log);
    if (end.number > 0) {
        status = th_folder_mark_closed(&store->folder, &end, NULL);
        (void)status;
    }
}

void th_store_close(th_store *store)
{
    if (!store)
        return;
    if (store->log && !store->read_only && !store->log_failed)
        leave_marks(store);
    th_store_close_index(store);
    th_journal_free(store->log);
    th_folder_close(&store->folder);
    th_free(store);
}

theater_status th_store_refresh(th_store *store, theater_error *reterr)
{
    if (!store->read_only)
        return THEATER_OK;
    /* The snapshot first: the log then has all that the index covers. */
    bool replaced;
    theater_status status = th_store_renew_overlay(store, true, reterr);
    if (!status)
        status = th_journal_refresh(store->log, &replaced, reterr);
    if (!status)
        status = match_index(store, reterr);
    return status ? status : th_store_catch_up(store, reterr);
}

/* ---- the log ------------------------------------------------------------------------------------------- */

theater_status th_store_append(th_store *store, const th_slice *records, size_t count, theater_error *reterr)
{
    if (store->read_only)
        return th_fail(reterr, THEATER_READ_ONLY, "the data folder is open for reading only");
    if (count == 0)
        return THEATER_OK;
    theater_status status = th_journal_append(store->log, records, count, reterr);
    store->log_failed = store->log_failed || status == THEATER_STORAGE_FAILED;
    return status;
}

uint64_t th_store_next_number(const th_store *store)
{
    return th_journal_end(store->log).number;
}

theater_status th_store_probe(th_store *store, theater_error *reterr)
{
    return th_journal_probe(store->log, reterr);
}

uint64_t th_store_log_bytes(const th_store *store)
{
    return th_journal_bytes(store->log);
}

theater_status th_store_scan_on(th_store *store, th_scan_place *place,
                                bool (*each)(void *context, uint64_t number, const th_record *record),
                                void *context, theater_error *reterr)
{
    th_journal_cursor cursor;
    theater_status status = THEATER_OK;
    if (place->known)
        th_journal_cursor_init(&cursor, store->log, place->number, place->position);
    else
        status = th_journal_cursor_at(&cursor, store->log, place->number, reterr);
    if (status)
        return status;
    bool more = true;
    while (!status && more) {
        th_journal_item item;
        th_record record;
        status = th_journal_next(&cursor, 0, &item, &more, reterr);
        if (!status && more)
            status = th_record_decode(item.payload, &record, reterr);
        if (status || !more)
            break;
        more = each(context, item.number, &record);
        if (more)
            *place = (th_scan_place){.known = true, .number = cursor.number, .position = cursor.position};
    }
    th_journal_cursor_done(&cursor);
    return status;
}

theater_status th_store_scan(th_store *store, uint64_t from_number,
                             bool (*each)(void *context, uint64_t number, const th_record *record),
                             void *context, theater_error *reterr)
{
    th_scan_place place = {.number = from_number};
    return th_store_scan_on(store, &place, each, context, reterr);
}

theater_status th_store_check(th_store *store, uint64_t *ret_records, uint64_t *ret_bytes,
                              theater_error *reterr)
{
    th_journal_cursor cursor;
    *ret_records = *ret_bytes = 0;
    theater_status status = th_journal_cursor_at(&cursor, store->log, 0, reterr);
    if (status)
        return status;
    bool more = true;
    while (!status && more) {
        th_journal_item item;
        th_record record;
        status = th_journal_next(&cursor, 0, &item, &more, reterr);
        if (status || !more)
            break;
        status = th_record_decode(item.payload, &record, reterr);
        if (status) {
            char place[TH_JOURNAL_PLACE_SIZE];
            th_journal_describe(store->log, item.position, place);
            status = th_fail_in(reterr, status, "%s", place);
        }
        ++*ret_records;
        *ret_bytes += item.log_bytes;
    }
    th_journal_cursor_done(&cursor);
    return status;
}

theater_status th_store_drop_index(th_port *port, const char *folder, theater_error *reterr)
{
    th_folder_options options = {.port = port, .path = folder};
    th_folder open;
    theater_status status = th_folder_open(&options, &open, reterr);
    if (status)
        return status;
    status = th_kv_lmdb_remove(port, open.index, reterr);
    th_folder_close(&open);
    return status;
}
