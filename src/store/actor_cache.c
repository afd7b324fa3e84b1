#include "store/actor_cache.h"

/* Names that are looked up in the table of the transaction first; a power of two. */
#define NAMES 4096

struct th_actor_cache {
    th_cached_actor **actors; /* open addressing by id; `capacity` is a power of two */
    size_t capacity;
    size_t count;
    th_cached_actor *names[NAMES]; /* by the checksum of the name: an actor that may hold it */
};

static const size_t first_capacity = 64;

theater_status th_actor_cache_new(th_actor_cache **ret, theater_error *reterr)
{
    th_actor_cache *cache = th_alloc_zero(1, sizeof *cache);
    if (cache)
        cache->actors = th_alloc_zero(first_capacity, sizeof *cache->actors);
    if (!cache || !cache->actors) {
        th_free(cache);
        return th_fail_memory(reterr, "the index");
    }
    cache->capacity = first_capacity;
    *ret = cache;
    return THEATER_OK;
}

void th_actor_cache_free(th_actor_cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < cache->capacity; i++)
        th_free(cache->actors[i]);
    th_free(cache->actors);
    th_free(cache);
}

uint64_t th_actor_cache_bytes(const th_actor_cache *cache)
{
    return cache->count * sizeof(th_cached_actor) + cache->capacity * sizeof(void *);
}

/* Where the actor stands, or where it would. */
static size_t place_of(const th_actor_cache *cache, uint64_t id)
{
    size_t place = (size_t)(id * 0x9e3779b97f4a7c15u >> 20) & (cache->capacity - 1);
    while (cache->actors[place] && cache->actors[place]->row.info.id != id)
        place = (place + 1) & (cache->capacity - 1);
    return place;
}

static theater_status grow(th_actor_cache *cache, theater_error *reterr)
{
    if ((cache->count + 1) * 2 <= cache->capacity)
        return THEATER_OK;
    th_actor_cache grown = {.capacity = cache->capacity * 2};
    grown.actors = th_alloc_zero(grown.capacity, sizeof *grown.actors);
    if (!grown.actors)
        return th_fail_memory(reterr, "the index");
    for (size_t i = 0; i < cache->capacity; i++) {
        if (cache->actors[i])
            grown.actors[place_of(&grown, cache->actors[i]->row.info.id)] = cache->actors[i];
    }
    th_free(cache->actors);
    cache->actors = grown.actors;
    cache->capacity = grown.capacity;
    return THEATER_OK;
}

static theater_status add(th_actor_cache *cache, uint64_t id, th_cached_actor **ret, theater_error *reterr)
{
    theater_status status = grow(cache, reterr);
    if (status)
        return status;
    th_cached_actor *actor = th_alloc(sizeof *actor);
    if (!actor)
        return th_fail_memory(reterr, "the index");
    actor->row = (th_actor_row){.info = {.id = id}};
    actor->dirty = actor->block_loaded = actor->block_dirty = false;
    cache->actors[place_of(cache, id)] = actor;
    cache->count++;
    *ret = actor;
    return THEATER_OK;
}

theater_status th_actor_load(th_index_change *change, uint64_t id, th_cached_actor **ret,
                             theater_error *reterr)
{
    th_actor_cache *cache = change->cache;
    *ret = cache->actors[place_of(cache, id)];
    if (*ret)
        return THEATER_OK;
    th_key key;
    th_slice value;
    bool found;
    th_actor_row row;
    th_key_begin(&key, TH_TABLE_ACTOR);
    th_key_number(&key, id);
    theater_status status = th_kv_change_get(&change->kv, th_key_slice(&key), &found, &value, reterr);
    if (status || !found)
        return status;
    if (!th_actor_row_decode(id, value, &row))
        return th_index_damaged("an actor", reterr);
    th_cached_actor *actor;
    status = add(cache, id, &actor, reterr);
    if (status)
        return status;
    actor->row = row;
    *ret = actor;
    return THEATER_OK;
}

/* ---- names ---- */

static void name_key(th_key *key, th_slice name)
{
    th_key_begin(key, TH_TABLE_NAME);
    th_key_bytes(key, name);
}

bool th_name_value_decode(th_slice bytes, uint64_t *ret_holder, uint64_t *ret_past)
{
    if (bytes.size != TH_NAME_VALUE_SIZE)
        return false;
    *ret_holder = th_get_u64le(bytes.data);
    *ret_past = th_get_u64le(bytes.data + 8);
    return true;
}

static bool is_alive(const th_actor_info *info)
{
    return info->status == TH_ACTOR_RUNNING || info->status == TH_ACTOR_STOPPED;
}

theater_status th_actor_holder(th_index_change *change, th_slice name, th_cached_actor **ret,
                               theater_error *reterr)
{
    /* A living actor with that name is its holder, so the table needs no upkeep. */
    th_cached_actor **known = &change->cache->names[th_checksum(name, 0) & (NAMES - 1)];
    *ret = *known;
    if (*ret && is_alive(&(*ret)->row.info) && th_slice_equal(th_slice_text((*ret)->row.info.name), name))
        return THEATER_OK;
    *ret = NULL;
    th_key key;
    th_slice value;
    bool found;
    uint64_t holder, past;
    name_key(&key, name);
    theater_status status = th_kv_change_get(&change->kv, th_key_slice(&key), &found, &value, reterr);
    if (status || !found)
        return status;
    if (!th_name_value_decode(value, &holder, &past))
        return th_index_damaged("a name", reterr);
    if (holder == 0)
        return THEATER_OK;
    status = th_actor_load(change, holder, ret, reterr);
    if (!status && (!*ret || !is_alive(&(*ret)->row.info)))
        return th_index_damaged("the holder of a name", reterr);
    if (!status)
        *known = *ret;
    return status;
}

theater_status th_actor_set_name(th_index_change *change, th_slice name, uint64_t holder, uint64_t past,
                                 theater_error *reterr)
{
    th_key key;
    th_slice value;
    bool found;
    uint64_t old_holder = 0, old_past = 0;
    name_key(&key, name);
    theater_status status = th_kv_change_get(&change->kv, th_key_slice(&key), &found, &value, reterr);
    if (status)
        return status;
    if (found && !th_name_value_decode(value, &old_holder, &old_past))
        return th_index_damaged("a name", reterr);
    uint8_t bytes[TH_NAME_VALUE_SIZE];
    th_put_u64le(bytes, holder);
    th_put_u64le(bytes + 8, past ? past : old_past);
    return th_kv_map_put(change->kv.changes, th_key_slice(&key), th_slice_of(bytes, sizeof bytes), reterr);
}

theater_status th_actor_add(th_index_change *change, uint64_t id, th_slice name, th_actor_status actor_status,
                            th_cached_actor **ret, theater_error *reterr)
{
    theater_status status = add(change->cache, id, ret, reterr);
    if (status)
        return status;
    th_cached_actor *actor = *ret;
    memcpy(actor->row.info.name, name.data, name.size);
    actor->row.info.name[name.size] = 0;
    actor->row.info.status = actor_status;
    actor->dirty = true;
    return THEATER_OK;
}

/* ---- positions ---- */

static void block_key(th_key *key, const th_cached_actor *actor, uint64_t block)
{
    th_key_begin(key, TH_TABLE_BLOCK);
    th_key_number(key, actor->row.info.id);
    th_key_number(key, block);
}

static theater_status put_block(th_index_change *change, th_cached_actor *actor, uint64_t block, size_t count,
                                theater_error *reterr)
{
    th_key key;
    block_key(&key, actor, block);
    actor->block_dirty = false;
    return th_kv_map_put(change->kv.changes, th_key_slice(&key), th_slice_of(actor->block, count * 8),
                         reterr);
}

static theater_status load_block(th_index_change *change, th_cached_actor *actor, theater_error *reterr)
{
    size_t count = (size_t)(actor->row.info.elements % TH_BLOCK);
    actor->block_loaded = true;
    if (count == 0)
        return THEATER_OK;
    th_key key;
    th_slice value = {0};
    bool found;
    block_key(&key, actor, actor->row.info.elements / TH_BLOCK);
    theater_status status = th_kv_change_get(&change->kv, th_key_slice(&key), &found, &value, reterr);
    if (status)
        return status;
    if (!found || value.size != count * 8)
        return th_index_damaged("positions of elements", reterr);
    memcpy(actor->block, value.data, value.size);
    return THEATER_OK;
}

theater_status th_actor_add_element(th_index_change *change, th_cached_actor *actor, uint64_t position,
                                    theater_error *reterr)
{
    if (!actor->block_loaded) {
        theater_status status = load_block(change, actor, reterr);
        if (status)
            return status;
    }
    uint64_t sequence = actor->row.info.elements++;
    size_t place = (size_t)(sequence % TH_BLOCK);
    th_put_u64le(actor->block + place * 8, position);
    actor->dirty = actor->block_dirty = true;
    if (place + 1 < TH_BLOCK)
        return THEATER_OK;
    return put_block(change, actor, sequence / TH_BLOCK, TH_BLOCK, reterr);
}

theater_status th_actor_cache_flush(th_index_change *change, theater_error *reterr)
{
    theater_status status = THEATER_OK;
    for (size_t i = 0; i < change->cache->capacity && !status; i++) {
        th_cached_actor *actor = change->cache->actors[i];
        if (!actor || !actor->dirty)
            continue;
        uint8_t row[TH_ACTOR_ROW_MAX];
        th_key key;
        th_key_begin(&key, TH_TABLE_ACTOR);
        th_key_number(&key, actor->row.info.id);
        size_t size = th_actor_row_encode(&actor->row, row);
        status = th_kv_map_put(change->kv.changes, th_key_slice(&key), th_slice_of(row, size), reterr);
        uint64_t elements = actor->row.info.elements;
        if (!status && actor->block_dirty)
            status =
                put_block(change, actor, (elements - 1) / TH_BLOCK, (size_t)(elements % TH_BLOCK), reterr);
        actor->dirty = false;
    }
    return status;
}
