#include "chain/request_table.h"

/* A request: the place of its effect. */
typedef struct place {
    uint64_t offset;
    uint64_t index;
} place;

/* The requests of one element, in their order: the first has the number 1. */
typedef struct requests {
    bool filled;
    th_hash hash; /* of the effects payload */
    uint64_t sequence;
    uint64_t used; /* tick of the last use */
    place *places;
    uint32_t count, capacity;
} requests;

struct th_request_table {
    requests entries[TH_REQUEST_TABLES];
    uint64_t tick;
};

theater_status th_request_table_new(th_request_table **ret, theater_error *reterr)
{
    *ret = th_alloc_zero(1, sizeof **ret);
    return *ret ? THEATER_OK : th_fail_memory(reterr, "a table of requests");
}

void th_request_table_free(th_request_table *table)
{
    for (size_t i = 0; table && i < TH_REQUEST_TABLES; i++)
        th_free(table->entries[i].places);
    th_free(table);
}

static theater_status add(requests *entry, const place *where, theater_error *reterr)
{
    if (entry->count == entry->capacity) {
        uint32_t capacity = entry->capacity ? 2 * entry->capacity : 16;
        place *places = th_realloc(entry->places, capacity * sizeof *places);
        if (!places)
            return th_fail_memory(reterr, "a table of requests");
        entry->places = places;
        entry->capacity = capacity;
    }
    entry->places[entry->count++] = *where;
    return THEATER_OK;
}

static theater_status fill(requests *entry, th_slice payload, theater_error *reterr)
{
    th_effects_reader reader;
    theater_status status = THEATER_OK;
    bool more = !th_effects_read(payload, entry->sequence, &reader, NULL);
    while (!status && more) {
        th_effect effect;
        place where = {(uint64_t)(reader.in.at - reader.in.begin), reader.index};
        if (th_effects_next(&reader, &effect, &more, NULL))
            break; /* the chain's own verification names what is not sound */
        if (more && effect.kind == TH_EFFECT_MESSAGE && effect.request != 0)
            status = add(entry, &where, reterr);
    }
    entry->filled = !status;
    return status;
}

/* The element's entry, or the one that was not used for longest. */
static requests *choose(th_request_table *table, const th_hash *hash, uint64_t sequence)
{
    requests *oldest = &table->entries[0];
    for (size_t i = 0; i < TH_REQUEST_TABLES; i++) {
        requests *entry = &table->entries[i];
        if (entry->filled && entry->sequence == sequence && th_hash_equal(&entry->hash, hash))
            return entry;
        if (entry->used < oldest->used)
            oldest = entry;
    }
    oldest->filled = false;
    return oldest;
}

theater_status th_request_table_find(th_request_table *table, const th_hash *hash, th_slice payload,
                                     uint64_t request, th_effect *ret, bool *ret_found, theater_error *reterr)
{
    uint64_t sequence = request >> 16, number = request & TH_REQUESTS_MAX;
    requests *entry = choose(table, hash, sequence);
    *ret_found = false;
    entry->used = ++table->tick;
    if (!entry->filled) {
        entry->hash = *hash;
        entry->sequence = sequence;
        entry->count = 0;
        theater_status status = fill(entry, payload, reterr);
        if (status)
            return status;
    }
    if (number == 0 || number > entry->count)
        return THEATER_OK;
    th_effects_reader reader;
    const place *where = &entry->places[number - 1];
    bool more;
    *ret_found = !th_effects_read(payload, sequence, &reader, NULL) &&
                 where->offset < (uint64_t)(reader.in.end - reader.in.begin);
    if (!*ret_found)
        return THEATER_OK;
    reader.in.at = reader.in.begin + where->offset;
    reader.index = where->index;
    reader.requests = (uint32_t)number - 1;
    *ret_found = !th_effects_next(&reader, ret, &more, NULL) && more && ret->request == request;
    return THEATER_OK;
}
