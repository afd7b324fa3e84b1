/* store/lists.c: walks over the index.
 *
 * A callback may call anything of the store, and may be slow; a view must be neither held meanwhile nor for
 * long. So each walk reads some items into memory, closes the view, calls back, and goes on behind the
 * last. What is appended during a walk may be seen or not. */
#include "store/actor_cache.h"
#include "store/store_internal.h"

/* Items read at once. */
#define ITEMS 32

/* A walk over the keys that begin with `prefix`. */
typedef struct walk {
    th_kv *kv;
    th_key prefix;
    th_key next; /* where to go on */
    bool ended;
    size_t count;
    th_slice rest[ITEMS]; /* of the keys, behind the prefix; in `bytes` */
    th_slice value[ITEMS];
    th_buf bytes;
} walk;

static void walk_init(walk *walk_, th_kv *kv, uint8_t table)
{
    walk_->kv = kv;
    walk_->ended = false;
    walk_->count = 0;
    th_buf_init(&walk_->bytes, ITEMS * (TH_KEY_MAX + 4096));
    th_key_begin(&walk_->prefix, table);
    walk_->next = walk_->prefix;
}

static void walk_done(walk *walk_)
{
    th_buf_done(&walk_->bytes);
}

/* Makes the walk one over the keys of an actor. */
static void walk_actor(walk *walk_, uint64_t actor)
{
    th_key_number(&walk_->prefix, actor);
    walk_->next = walk_->prefix;
}

static theater_status take_item(walk *walk_, th_slice key, th_slice value, theater_error *reterr)
{
    if (value.size > 4096 || key.size > TH_KEY_MAX)
        return th_index_damaged("a value is too long", reterr);
    /* Room for all items was made, so what the slices point to stays. */
    size_t at = walk_->bytes.size;
    theater_status status = th_buf_append(&walk_->bytes, key, reterr);
    if (!status)
        status = th_buf_append(&walk_->bytes, value, reterr);
    if (status)
        return status;
    const uint8_t *copy = walk_->bytes.data + at;
    walk_->rest[walk_->count] = th_slice_of(copy + walk_->prefix.size, key.size - walk_->prefix.size);
    walk_->value[walk_->count++] = th_slice_of(copy + key.size, value.size);
    memcpy(walk_->next.bytes, key.data, key.size);
    walk_->next.bytes[key.size] = 0;
    walk_->next.size = key.size + 1;
    return THEATER_OK;
}

/* Reads the next items; a count of 0 is the end. */
static theater_status walk_more(walk *walk_, theater_error *reterr)
{
    th_kv_view view;
    walk_->count = 0;
    th_buf_clear(&walk_->bytes);
    if (walk_->ended)
        return THEATER_OK;
    theater_status status = th_buf_reserve(&walk_->bytes, ITEMS * (TH_KEY_MAX + 4096), reterr);
    if (!status)
        status = th_kv_begin(walk_->kv, &view, reterr);
    if (status)
        return status;
    while (!status && !walk_->ended && walk_->count < ITEMS) {
        th_slice key, value;
        bool found;
        status = th_kv_seek(&view, th_key_slice(&walk_->next), &found, &key, &value, reterr);
        if (status)
            break;
        if (!found || !th_key_has_prefix(key, &walk_->prefix))
            walk_->ended = true;
        else
            status = take_item(walk_, key, value, reterr);
    }
    th_kv_end(&view);
    return status;
}

theater_status th_store_list_actors(th_store *store, uint64_t from_id,
                                    bool (*each)(void *context, const th_actor_info *info), void *context,
                                    theater_error *reterr)
{
    walk actors;
    walk_init(&actors, store->kv, TH_TABLE_ACTOR);
    th_key_number(&actors.next, from_id);
    theater_status status;
    bool more = true;
    while (!(status = walk_more(&actors, reterr)) && more && actors.count > 0) {
        for (size_t i = 0; i < actors.count && more && !status; i++) {
            uint64_t id;
            th_actor_row row;
            if (!th_key_read_number(&actors.rest[i], &id) || !th_actor_row_decode(id, actors.value[i], &row))
                status = th_index_damaged("an actor", reterr);
            else
                more = each(context, &row.info);
        }
        if (status || !more)
            break;
    }
    walk_done(&actors);
    return status;
}

theater_status th_store_list_snapshots(th_store *store, uint64_t actor, uint64_t from, uint64_t to,
                                       bool (*each)(void *context, uint64_t sequence), void *context,
                                       theater_error *reterr)
{
    walk snapshots;
    walk_init(&snapshots, store->kv, TH_TABLE_SNAPSHOT);
    walk_actor(&snapshots, actor);
    th_key_number(&snapshots.next, from);
    theater_status status;
    bool more = true;
    while (!(status = walk_more(&snapshots, reterr)) && snapshots.count > 0) {
        for (size_t i = 0; i < snapshots.count && more && !status; i++) {
            uint64_t sequence;
            if (!th_key_read_number(&snapshots.rest[i], &sequence))
                status = th_index_damaged("a snapshot", reterr);
            else
                more = sequence <= to && each(context, sequence);
        }
        if (status || !more)
            break;
    }
    walk_done(&snapshots);
    return status;
}

static theater_status give_checkpoint(th_store *store, th_slice value, th_buf *buf,
                                      bool (*each)(void *context, uint64_t size, const th_hash *head,
                                                   th_slice note),
                                      void *context, bool *ret_more, theater_error *reterr)
{
    if (value.size != 8)
        return th_index_damaged("a checkpoint", reterr);
    uint64_t number;
    th_slice payload;
    th_record record;
    theater_status status =
        th_journal_read(store->log, th_get_u64le(value.data), buf, &number, &payload, reterr);
    if (!status)
        status = th_record_decode(payload, &record, reterr);
    if (!status && record.kind != TH_RECORD_CHECKPOINT)
        status = th_index_damaged("the position of a checkpoint", reterr);
    if (!status)
        *ret_more = each(context, record.checkpoint.size, &record.checkpoint.head, record.checkpoint.note);
    return status;
}

theater_status th_store_list_checkpoints(th_store *store, uint64_t actor,
                                         bool (*each)(void *context, uint64_t size, const th_hash *head,
                                                      th_slice note),
                                         void *context, theater_error *reterr)
{
    walk checkpoints;
    walk_init(&checkpoints, store->kv, TH_TABLE_CHECKPOINT);
    walk_actor(&checkpoints, actor);
    th_buf buf;
    th_buf_init(&buf, (size_t)TH_APPEND_MAX + 4096);
    theater_status status;
    bool more = true;
    while (!(status = walk_more(&checkpoints, reterr)) && checkpoints.count > 0) {
        for (size_t i = 0; i < checkpoints.count && more && !status; i++)
            status = give_checkpoint(store, checkpoints.value[i], &buf, each, context, &more, reterr);
        if (status || !more)
            break;
    }
    th_buf_done(&buf);
    walk_done(&checkpoints);
    return status;
}

static bool read_entry(th_slice rest, th_slice value, th_undelivered *ret)
{
    uint64_t index;
    if (!th_key_read_number(&rest, &ret->key.number) || !th_key_read_number(&rest, &index) ||
        index > UINT32_MAX)
        return false;
    ret->key.index = (uint32_t)index;
    return th_entry_decode(value, ret);
}

theater_status th_store_list_undelivered(th_store *store, uint64_t actor, const th_message_key *after,
                                         bool (*each)(void *context, const th_undelivered *entry),
                                         void *context, theater_error *reterr)
{
    walk entries;
    walk_init(&entries, store->kv, TH_TABLE_WAITING);
    walk_actor(&entries, actor);
    if (after) {
        th_key_number(&entries.next, after->number);
        th_key_number(&entries.next, after->index);
        entries.next.bytes[entries.next.size++] = 0;
    }
    theater_status status;
    bool more = true;
    while (!(status = walk_more(&entries, reterr)) && entries.count > 0) {
        for (size_t i = 0; i < entries.count && more && !status; i++) {
            th_undelivered entry;
            if (!read_entry(entries.rest[i], entries.value[i], &entry))
                status = th_index_damaged("an undelivered message", reterr);
            else
                more = each(context, &entry);
        }
        if (status || !more)
            break;
    }
    walk_done(&entries);
    return status;
}

theater_status th_store_list_waiting(th_store *store, bool (*each)(void *context, uint64_t actor),
                                     void *context, theater_error *reterr)
{
    th_key table, from;
    th_key_begin(&table, TH_TABLE_WAITING);
    from = table;
    while (true) {
        /* The first entry of the next actor that has one. */
        th_kv_view view;
        th_slice key, value;
        bool found;
        uint64_t actor = 0;
        theater_status status = th_kv_begin(store->kv, &view, reterr);
        if (status)
            return status;
        status = th_kv_seek(&view, th_key_slice(&from), &found, &key, &value, reterr);
        found = !status && found && th_key_has_prefix(key, &table);
        if (found) {
            th_slice rest = th_slice_of(key.data + table.size, key.size - table.size);
            if (!th_key_read_number(&rest, &actor))
                status = th_index_damaged("an undelivered message", reterr);
        }
        th_kv_end(&view);
        if (status || !found || !each(context, actor) || actor == UINT64_MAX)
            return status;
        from = table;
        th_key_number(&from, actor + 1);
    }
}
