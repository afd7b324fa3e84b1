/* store/index_values.c: keys and values of the index. They are private to one machine's folder and can be
 * rebuilt, so TH_INDEX_VERSION is all the compatibility that they need. */
#include "store/index.h"

void th_key_begin(th_key *key, uint8_t table)
{
    key->bytes[0] = table;
    key->size = 1;
}

void th_key_number(th_key *key, uint64_t number)
{
    uint8_t bytes[8];
    th_put_u64be(bytes, number);
    unsigned skip = 0;
    while (skip < 8 && bytes[skip] == 0)
        skip++;
    key->bytes[key->size++] = (uint8_t)(8 - skip);
    memcpy(key->bytes + key->size, bytes + skip, 8 - skip);
    key->size += 8 - skip;
}

void th_key_bytes(th_key *key, th_slice bytes)
{
    th_assert(bytes.size <= TH_KEY_MAX - key->size);
    if (bytes.size)
        memcpy(key->bytes + key->size, bytes.data, bytes.size);
    key->size += bytes.size;
}

bool th_key_has_prefix(th_slice found, const th_key *prefix)
{
    return found.size >= prefix->size && memcmp(found.data, prefix->bytes, prefix->size) == 0;
}

bool th_key_read_number(th_slice *key, uint64_t *ret)
{
    if (key->size < 1 || key->data[0] > 8 || key->size - 1 < key->data[0])
        return false;
    size_t size = key->data[0];
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | key->data[1 + i];
    *ret = value;
    *key = th_slice_of(key->data + 1 + size, key->size - 1 - size);
    return true;
}

/* ---- values ---- */

static uint8_t *put(uint8_t *at, uint64_t value)
{
    th_put_u64le(at, value);
    return at + 8;
}

static const uint8_t *get(const uint8_t *at, uint64_t *ret)
{
    *ret = th_get_u64le(at);
    return at + 8;
}

void th_index_mark_encode(const th_index_mark *mark, uint8_t out[TH_INDEX_MARK_SIZE])
{
    th_put_u32le(out, TH_INDEX_VERSION);
    memcpy(out + 4, mark->identity, 16);
    uint8_t *at = out + 20;
    at = put(at, mark->log.number);
    at = put(at, mark->log.position);
    at = put(at, mark->log.last_position);
    at = put(at, mark->log.last_sum);
    at = put(at, mark->next_actor_id);
    at = put(at, mark->ids_max);
    at = put(at, mark->ids_age_ns);
    at = put(at, 0); /* room for one more */
    at = put(at, 0);
    put(at, th_checksum(th_slice_of(out, (size_t)(at - out)), TH_INDEX_VERSION));
}

bool th_index_mark_decode(th_slice bytes, th_index_mark *ret)
{
    uint64_t sum;
    if (bytes.size != TH_INDEX_MARK_SIZE || th_get_u32le(bytes.data) != TH_INDEX_VERSION)
        return false;
    get(bytes.data + TH_INDEX_MARK_SIZE - 8, &sum);
    if (sum != th_checksum(th_slice_of(bytes.data, TH_INDEX_MARK_SIZE - 8), TH_INDEX_VERSION))
        return false;
    memcpy(ret->identity, bytes.data + 4, 16);
    const uint8_t *at = bytes.data + 20;
    at = get(at, &ret->log.number);
    at = get(at, &ret->log.position);
    at = get(at, &ret->log.last_position);
    at = get(at, &ret->log.last_sum);
    at = get(at, &ret->next_actor_id);
    at = get(at, &ret->ids_max);
    get(at, &ret->ids_age_ns);
    return true;
}

size_t th_actor_row_encode(const th_actor_row *row, uint8_t out[TH_ACTOR_ROW_MAX])
{
    const th_actor_info *info = &row->info;
    size_t name = strlen(info->name);
    uint8_t *at = out;
    *at++ = (uint8_t)info->status;
    *at++ = info->has_snapshot;
    *at++ = (uint8_t)name;
    memcpy(at, info->name, name);
    at += name;
    memcpy(at, info->genesis_hash.bytes, 32);
    memcpy(at + 32, info->head_hash.bytes, 32);
    memcpy(at + 64, info->component.bytes, 32);
    at += 96;
    at = put(at, info->elements);
    at = put(at, info->head_number);
    at = put(at, info->head_timestamp_ns);
    at = put(at, info->descriptor_sequence);
    at = put(at, info->snapshot_sequence);
    at = put(at, info->checkpoint_size);
    at = put(at, info->undelivered);
    at = put(at, row->ids);
    at = put(at, row->ids_first);
    return (size_t)(at - out);
}

bool th_actor_row_decode(uint64_t id, th_slice bytes, th_actor_row *ret)
{
    th_actor_info *info = &ret->info;
    const uint8_t *at = bytes.data;
    if (bytes.size < 3 || at[2] > 128 || bytes.size != 3 + (size_t)at[2] + 96 + 72)
        return false;
    info->id = id;
    info->status = (th_actor_status)at[0];
    info->has_snapshot = at[1] != 0;
    size_t name = at[2];
    memcpy(info->name, at + 3, name);
    info->name[name] = 0;
    at += 3 + name;
    memcpy(info->genesis_hash.bytes, at, 32);
    memcpy(info->head_hash.bytes, at + 32, 32);
    memcpy(info->component.bytes, at + 64, 32);
    at += 96;
    at = get(at, &info->elements);
    at = get(at, &info->head_number);
    at = get(at, &info->head_timestamp_ns);
    at = get(at, &info->descriptor_sequence);
    at = get(at, &info->snapshot_sequence);
    at = get(at, &info->checkpoint_size);
    at = get(at, &info->undelivered);
    at = get(at, &ret->ids);
    get(at, &ret->ids_first);
    return info->status >= TH_ACTOR_RUNNING && info->status <= TH_ACTOR_ARCHIVE_REMOVED;
}

size_t th_entry_encode(const th_undelivered *entry, uint8_t out[TH_ENTRY_MAX])
{
    size_t to = strlen(entry->to);
    uint8_t *at = out;
    *at++ = (uint8_t)entry->kind;
    *at++ = entry->failed;
    at = put(at, entry->from);
    at = put(at, entry->sequence);
    at = put(at, entry->request);
    memcpy(at, entry->to, to);
    return (size_t)(at - out) + to;
}

bool th_entry_decode(th_slice bytes, th_undelivered *ret)
{
    if (bytes.size < 26 || bytes.size > TH_ENTRY_MAX || bytes.data[0] > TH_MESSAGE_NOTICE)
        return false;
    ret->kind = (th_message_kind)bytes.data[0];
    ret->failed = bytes.data[1] != 0;
    const uint8_t *at = bytes.data + 2;
    at = get(at, &ret->from);
    at = get(at, &ret->sequence);
    at = get(at, &ret->request);
    size_t to = bytes.size - 26;
    if (to)
        memcpy(ret->to, at, to);
    ret->to[to] = 0;
    return true;
}

theater_status th_index_damaged(const char *what, theater_error *reterr)
{
    return th_fail(reterr, THEATER_CORRUPT,
                   "the index is damaged (%s); it is made anew when the data folder is opened without it",
                   what);
}
