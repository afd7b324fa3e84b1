/* store/lookup.c: single questions to the index, and reading the records that it points to.
 *
 * The index is derived and says only where things are. Whatever is read there is checked: the frame's
 * checksum, which binds it to its position, and that the record is the one that was asked for. */
#include "chain/element.h"
#include "store/actor_cache.h"
#include "store/store_internal.h"

/* ---- actors ---- */

static theater_status get_row(th_kv_view *view, uint64_t id, th_actor_row *ret, bool *ret_found,
                              theater_error *reterr)
{
    th_key key;
    th_slice value;
    th_key_begin(&key, TH_TABLE_ACTOR);
    th_key_number(&key, id);
    theater_status status = th_kv_get(view, th_key_slice(&key), ret_found, &value, reterr);
    if (!status && *ret_found && !th_actor_row_decode(id, value, ret))
        return th_index_damaged("an actor", reterr);
    return status;
}

static theater_status no_actor_id(uint64_t id, theater_error *reterr)
{
    return th_fail(reterr, THEATER_NOT_FOUND, "there is no actor with the id %llu", (unsigned long long)id);
}

theater_status th_store_find_actor_id(th_store *store, uint64_t id, th_actor_info *ret, theater_error *reterr)
{
    th_kv_view view;
    theater_status status = th_kv_begin(store->kv, &view, reterr);
    if (status)
        return status;
    th_actor_row row;
    bool found;
    status = get_row(&view, id, &row, &found, reterr);
    th_kv_end(&view);
    if (status)
        return status;
    if (!found)
        return no_actor_id(id, reterr);
    *ret = row.info;
    return THEATER_OK;
}

static theater_status get_name(th_kv_view *view, th_slice name, uint64_t *ret_id, theater_error *reterr)
{
    th_key key;
    th_slice value;
    bool found = false;
    uint64_t holder, past;
    theater_status status = THEATER_OK;
    if (th_name_valid(name)) {
        th_key_begin(&key, TH_TABLE_NAME);
        th_key_bytes(&key, name);
        status = th_kv_get(view, th_key_slice(&key), &found, &value, reterr);
    }
    if (status)
        return status;
    if (!found) {
        size_t shown = name.size < 128 ? name.size : 128;
        return th_fail(reterr, THEATER_NOT_FOUND, "there is no actor named %.*s", (int)shown,
                       (const char *)name.data);
    }
    if (!th_name_value_decode(value, &holder, &past))
        return th_index_damaged("a name", reterr);
    *ret_id = holder ? holder : past;
    return THEATER_OK;
}

theater_status th_store_find_actor(th_store *store, th_slice name, th_actor_info *ret, theater_error *reterr)
{
    th_kv_view view;
    theater_status status = th_kv_begin(store->kv, &view, reterr);
    if (status)
        return status;
    uint64_t id = 0;
    th_actor_row row;
    bool found = true;
    status = get_name(&view, name, &id, reterr);
    if (!status)
        status = get_row(&view, id, &row, &found, reterr);
    th_kv_end(&view);
    if (!status && !found)
        status = th_index_damaged("a name without its actor", reterr);
    if (!status)
        *ret = row.info;
    return status;
}

/* ---- records ---- */

static theater_status read_record(th_store *store, uint64_t position, th_buf *buf, th_record *ret,
                                  uint64_t *ret_number, theater_error *reterr)
{
    th_slice payload;
    theater_status status = th_journal_read(store->log, position, buf, ret_number, &payload, reterr);
    return status ? status : th_record_decode(payload, ret, reterr);
}

static theater_status no_element(uint64_t actor, uint64_t sequence, theater_error *reterr)
{
    return th_fail(reterr, THEATER_NOT_FOUND, "actor %llu has no element %llu", (unsigned long long)actor,
                   (unsigned long long)sequence);
}

/* The positions of the elements of the block that `sequence` is in, as far as there are any: 8 bytes each. */
static theater_status get_block(th_kv_view *view, uint64_t actor, uint64_t sequence, th_slice *ret,
                                theater_error *reterr)
{
    th_key key;
    bool found;
    th_key_begin(&key, TH_TABLE_BLOCK);
    th_key_number(&key, actor);
    th_key_number(&key, sequence / TH_BLOCK);
    theater_status status = th_kv_get(view, th_key_slice(&key), &found, ret, reterr);
    if (!status && !found)
        *ret = (th_slice){0};
    return status;
}

/* Where element `sequence` stands. NOT_FOUND past the head. */
static theater_status find_element(th_store *store, uint64_t actor, uint64_t sequence, uint64_t *ret_position,
                                   theater_error *reterr)
{
    th_kv_view view;
    theater_status status = th_kv_begin(store->kv, &view, reterr);
    if (status)
        return status;
    th_slice block;
    size_t place = (size_t)(sequence % TH_BLOCK) * 8;
    status = get_block(&view, actor, sequence, &block, reterr);
    bool found = !status && block.size >= place + 8;
    if (found)
        *ret_position = th_get_u64le(block.data + place);
    th_kv_end(&view);
    return status || found ? status : no_element(actor, sequence, reterr);
}

/* Whether a record that was found by the index is the one that was asked for. */
static theater_status check_element(const th_record *record, uint64_t actor, uint64_t sequence,
                                    theater_error *reterr)
{
    th_element_link link;
    if (record->kind != TH_RECORD_ELEMENT || record->actor != actor)
        return th_index_damaged("the position of an element", reterr);
    theater_status status = th_element_links(record->element.element, &link, reterr);
    if (!status && link.sequence != sequence)
        status = th_index_damaged("the position of an element", reterr);
    return status;
}

/* How a reading of an element ends: that it is the one that was asked for is part of it. */
static theater_status end_reading(theater_status status, const th_record *record, uint64_t number,
                                  uint64_t actor, uint64_t sequence, uint64_t *ret_number,
                                  theater_error *reterr)
{
    if (!status)
        status = check_element(record, actor, sequence, reterr);
    if (status)
        return th_fail_in(reterr, status, "element %llu of actor %llu", (unsigned long long)sequence,
                          (unsigned long long)actor);
    if (ret_number)
        *ret_number = number;
    return THEATER_OK;
}

theater_status th_store_read_element(th_store *store, uint64_t actor, uint64_t sequence, th_buf *buf,
                                     th_record *ret, uint64_t *ret_number, theater_error *reterr)
{
    uint64_t position = 0, number = 0;
    theater_status status = find_element(store, actor, sequence, &position, reterr);
    if (status)
        return status;
    status = read_record(store, position, buf, ret, &number, reterr);
    return end_reading(status, ret, number, actor, sequence, ret_number, reterr);
}

/* ---- many elements ---- */

struct th_element_reader {
    th_store *store;
    th_journal_cursor cursor;
    uint64_t actor, block; /* whose positions are known */
    size_t known; /* how many: as many as the block had when it was read */
    uint64_t positions[TH_BLOCK];
};

theater_status th_element_reader_new(th_store *store, th_element_reader **ret, theater_error *reterr)
{
    th_element_reader *reader = th_alloc_zero(1, sizeof *reader);
    if (!reader)
        return th_fail_memory(reterr, "a reader of elements");
    reader->store = store;
    th_journal_cursor_roam(&reader->cursor, store->log);
    *ret = reader;
    return THEATER_OK;
}

void th_element_reader_free(th_element_reader *reader)
{
    if (!reader)
        return;
    th_journal_cursor_done(&reader->cursor);
    th_free(reader);
}

static theater_status know_block(th_element_reader *reader, uint64_t actor, uint64_t sequence,
                                 theater_error *reterr)
{
    th_kv_view view;
    theater_status status = th_kv_begin(reader->store->kv, &view, reterr);
    if (status)
        return status;
    th_slice block;
    status = get_block(&view, actor, sequence, &block, reterr);
    if (!status) {
        reader->actor = actor;
        reader->block = sequence / TH_BLOCK;
        reader->known = block.size / 8 < TH_BLOCK ? block.size / 8 : TH_BLOCK;
        for (size_t i = 0; i < reader->known; i++)
            reader->positions[i] = th_get_u64le(block.data + 8 * i);
    }
    th_kv_end(&view);
    return status;
}

theater_status th_element_reader_get(th_element_reader *reader, uint64_t actor, uint64_t sequence,
                                     th_record *ret, uint64_t *ret_number, theater_error *reterr)
{
    size_t place = (size_t)(sequence % TH_BLOCK);
    bool known = reader->actor == actor && reader->block == sequence / TH_BLOCK && place < reader->known;
    theater_status status = known ? THEATER_OK : know_block(reader, actor, sequence, reterr);
    if (status)
        return status;
    if (place >= reader->known)
        return no_element(actor, sequence, reterr);
    th_journal_item item = {0};
    status = th_journal_seek(&reader->cursor, reader->positions[place], &item, reterr);
    if (!status)
        status = th_record_decode(item.payload, ret, reterr);
    return end_reading(status, ret, item.number, actor, sequence, ret_number, reterr);
}

/* The newest pair (actor, sequence) of a table at or before `sequence`. Pairs can only be sought upwards,
 * so it is found by halving: each probe asks for the first pair at or after a sequence. */
static theater_status find_newest(th_kv_view *view, uint8_t table, uint64_t actor, uint64_t sequence,
                                  uint64_t *ret_sequence, uint64_t *ret_position, bool *ret_found,
                                  theater_error *reterr)
{
    th_key prefix, key;
    uint64_t low = 0, high = sequence;
    th_key_begin(&prefix, table);
    th_key_number(&prefix, actor);
    *ret_found = false;
    while (low <= high) {
        uint64_t middle = low + (high - low) / 2, at;
        th_slice found_key, value;
        bool found;
        key = prefix;
        th_key_number(&key, middle);
        theater_status status = th_kv_seek(view, th_key_slice(&key), &found, &found_key, &value, reterr);
        if (status)
            return status;
        if (found && th_key_has_prefix(found_key, &prefix)) {
            th_slice rest = th_slice_of(found_key.data + prefix.size, found_key.size - prefix.size);
            if (!th_key_read_number(&rest, &at) || value.size != 8)
                return th_index_damaged("a snapshot or a descriptor", reterr);
            if (at <= sequence) {
                *ret_found = true;
                *ret_sequence = at;
                *ret_position = th_get_u64le(value.data);
                if (at == sequence)
                    return THEATER_OK;
                low = at + 1;
                continue;
            }
        }
        if (middle == 0)
            return THEATER_OK;
        high = middle - 1;
    }
    return THEATER_OK;
}

theater_status th_store_read_snapshot(th_store *store, uint64_t actor, uint64_t sequence, th_buf *buf,
                                      th_record *ret, theater_error *reterr)
{
    th_kv_view view;
    theater_status status = th_kv_begin(store->kv, &view, reterr);
    if (status)
        return status;
    th_actor_row row;
    bool found;
    uint64_t position = 0, number, at;
    status = get_row(&view, actor, &row, &found, reterr);
    if (!status && found && row.info.has_snapshot) {
        if (sequence > row.info.snapshot_sequence)
            sequence = row.info.snapshot_sequence;
        status = find_newest(&view, TH_TABLE_SNAPSHOT, actor, sequence, &at, &position, &found, reterr);
    } else {
        found = false;
    }
    th_kv_end(&view);
    if (status)
        return status;
    if (!found)
        return th_fail(reterr, THEATER_NOT_FOUND, "actor %llu has no snapshot at or before element %llu",
                       (unsigned long long)actor, (unsigned long long)sequence);
    status = read_record(store, position, buf, ret, &number, reterr);
    if (!status &&
        (ret->kind != TH_RECORD_SNAPSHOT || ret->actor != actor || ret->snapshot.sequence > sequence))
        status = th_index_damaged("the position of a snapshot", reterr);
    return status ? th_fail_in(reterr, status, "a snapshot of actor %llu", (unsigned long long)actor)
                  : THEATER_OK;
}

theater_status th_store_find_descriptor(th_store *store, uint64_t actor, uint64_t sequence,
                                        uint64_t *ret_sequence, theater_error *reterr)
{
    th_kv_view view;
    theater_status status = th_kv_begin(store->kv, &view, reterr);
    if (status)
        return status;
    th_actor_row row;
    bool found;
    uint64_t position;
    status = get_row(&view, actor, &row, &found, reterr);
    if (!status && found && sequence < row.info.elements)
        status =
            find_newest(&view, TH_TABLE_DESCRIPTOR, actor, sequence, ret_sequence, &position, &found, reterr);
    else
        found = false;
    th_kv_end(&view);
    if (!status && !found)
        status = th_fail(reterr, THEATER_NOT_FOUND, "actor %llu has no element %llu",
                         (unsigned long long)actor, (unsigned long long)sequence);
    return status;
}

/* ---- single values ---- */

#define SMALL_VALUE 32

/* A value that was copied out of its view. Of one that is larger only the size is true. */
typedef struct small_value {
    bool found;
    size_t size;
    uint8_t bytes[SMALL_VALUE];
} small_value;

static theater_status get_small(th_store *store, const th_key *key, small_value *ret, theater_error *reterr)
{
    th_kv_view view;
    th_slice value;
    *ret = (small_value){0};
    theater_status status = th_kv_begin(store->kv, &view, reterr);
    if (status)
        return status;
    status = th_kv_get(&view, th_key_slice(key), &ret->found, &value, reterr);
    if (!status && ret->found) {
        ret->size = value.size;
        memcpy(ret->bytes, value.data, value.size < SMALL_VALUE ? value.size : SMALL_VALUE);
    }
    th_kv_end(&view);
    return status;
}

/* ---- components ---- */

static theater_status find_component(th_store *store, const th_hash *hash, uint64_t *ret_position,
                                     bool *ret_found, theater_error *reterr)
{
    th_key key;
    small_value value;
    th_key_begin(&key, TH_TABLE_COMPONENT);
    th_key_bytes(&key, th_slice_of(hash->bytes, THEATER_HASH_SIZE));
    theater_status status = get_small(store, &key, &value, reterr);
    if (!status && value.found && value.size != 8)
        status = th_index_damaged("a component", reterr);
    *ret_found = !status && value.found;
    if (*ret_found)
        *ret_position = th_get_u64le(value.bytes);
    return status;
}

theater_status th_store_read_component(th_store *store, const th_hash *hash, th_buf *buf,
                                       th_slice *ret_binary, theater_error *reterr)
{
    uint64_t position = 0, number;
    bool found;
    theater_status status = find_component(store, hash, &position, &found, reterr);
    if (status)
        return status;
    char hex[2 * THEATER_HASH_SIZE + 1];
    th_hex_encode(th_slice_of(hash->bytes, THEATER_HASH_SIZE), hex);
    if (!found)
        return th_fail(reterr, THEATER_NOT_FOUND, "the data folder has no component %s", hex);
    th_record record;
    status = read_record(store, position, buf, &record, &number, reterr);
    if (!status && (record.kind != TH_RECORD_COMPONENT || !th_hash_equal(&record.component.hash, hash)))
        status = th_index_damaged("the position of a component", reterr);
    if (status)
        return th_fail_in(reterr, status, "component %s", hex);
    *ret_binary = record.component.binary;
    return THEATER_OK;
}

bool th_store_has_component(th_store *store, const th_hash *hash)
{
    uint64_t position;
    bool found = false;
    return !find_component(store, hash, &position, &found, NULL) && found;
}

theater_status th_store_find_compiled(th_store *store, const th_hash *component, th_slice fingerprint,
                                      th_hash *ret, theater_error *reterr)
{
    th_key key;
    small_value value = {0};
    theater_status status = THEATER_OK;
    th_key_begin(&key, TH_TABLE_COMPILED);
    th_key_bytes(&key, th_slice_of(component->bytes, THEATER_HASH_SIZE));
    if (fingerprint.size <= TH_KEY_MAX - key.size) {
        th_key_bytes(&key, fingerprint);
        status = get_small(store, &key, &value, reterr);
    }
    if (!status && !value.found)
        status = th_fail(reterr, THEATER_NOT_FOUND, "the component was not compiled for this engine yet");
    else if (!status && value.size != THEATER_HASH_SIZE)
        status = th_index_damaged("a compiled form", reterr);
    if (!status)
        memcpy(ret->bytes, value.bytes, THEATER_HASH_SIZE);
    return status;
}

/* ---- ids and consumers ---- */

theater_status th_store_find_id(th_store *store, uint64_t actor, th_slice id, uint64_t *ret_sequence,
                                theater_error *reterr)
{
    th_kv_view view;
    theater_status status = th_kv_begin(store->kv, &view, reterr);
    if (status)
        return status;
    th_key key;
    th_slice value;
    th_actor_row row;
    bool found;
    status = get_row(&view, actor, &row, &found, reterr);
    th_key_begin(&key, TH_TABLE_ID);
    th_key_number(&key, actor);
    if (!status && found && id.size <= TH_ID_MAX) {
        th_key_bytes(&key, id);
        status = th_kv_get(&view, th_key_slice(&key), &found, &value, reterr);
        if (!status && found && value.size != 16)
            status = th_index_damaged("an idempotency id", reterr);
    } else {
        found = false;
    }
    if (!status && found) {
        uint64_t timestamp = th_get_u64le(value.data + 8), now = row.info.head_timestamp_ns;
        *ret_sequence = th_get_u64le(value.data);
        /* One that is past its age is dropped with the next id only. */
        found = now < timestamp || now - timestamp <= store->mark.ids_age_ns;
    }
    th_kv_end(&view);
    if (!status && !found)
        return th_fail(reterr, THEATER_NOT_FOUND, "actor %llu has no element with that id",
                       (unsigned long long)actor);
    return status;
}

theater_status th_store_find_consumer(th_store *store, uint64_t actor, uint64_t sequence, uint32_t index,
                                      uint64_t *ret_actor, uint64_t *ret_sequence, theater_error *reterr)
{
    th_key key;
    small_value value;
    th_key_begin(&key, TH_TABLE_CONSUMER);
    th_key_number(&key, actor);
    th_key_number(&key, sequence);
    th_key_number(&key, index);
    theater_status status = get_small(store, &key, &value, reterr);
    if (!status && !value.found)
        status = th_fail(reterr, THEATER_NOT_FOUND, "no element has consumed that message");
    else if (!status && value.size != 16)
        status = th_index_damaged("a consumer", reterr);
    if (!status) {
        *ret_actor = th_get_u64le(value.bytes);
        *ret_sequence = th_get_u64le(value.bytes + 8);
    }
    return status;
}
