#include "runtime/ids.h"

typedef struct id_slot {
    uint64_t sequence;
    uint8_t size; /* 0: empty */
    uint8_t id[64];
} id_slot;

struct th_ids {
    id_slot *slots;
    size_t capacity; /* a power of two, at least twice the count */
    size_t count;
};

th_ids *th_ids_new(void)
{
    return th_alloc_zero(1, sizeof(th_ids));
}

void th_ids_free(th_ids *ids)
{
    if (!ids)
        return;
    th_free(ids->slots);
    th_free(ids);
}

static size_t place_of(const id_slot *slots, size_t capacity, th_slice id)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < id.size; i++)
        hash = (hash ^ id.data[i]) * UINT64_C(1099511628211);
    size_t at = (size_t)(hash ^ hash >> 29) & (capacity - 1);
    while (slots[at].size && !(slots[at].size == id.size && memcmp(slots[at].id, id.data, id.size) == 0))
        at = (at + 1) & (capacity - 1);
    return at;
}

static theater_status grow(th_ids *ids, theater_error *reterr)
{
    if (2 * (ids->count + 1) <= ids->capacity)
        return THEATER_OK;
    size_t capacity = ids->capacity ? 2 * ids->capacity : 64;
    id_slot *slots = th_alloc_zero(capacity, sizeof *slots);
    if (!slots)
        return th_fail_memory(reterr, "idempotency ids");
    for (size_t i = 0; i < ids->capacity; i++) {
        const id_slot *old = &ids->slots[i];
        if (old->size)
            slots[place_of(slots, capacity, th_slice_of(old->id, old->size))] = *old;
    }
    th_free(ids->slots);
    ids->slots = slots;
    ids->capacity = capacity;
    return THEATER_OK;
}

theater_status th_ids_add(th_ids *ids, th_slice id, uint64_t sequence, theater_error *reterr)
{
    th_assert(id.size >= 1 && id.size <= sizeof ids->slots->id);
    theater_status status = grow(ids, reterr);
    if (status)
        return status;
    id_slot *slot = &ids->slots[place_of(ids->slots, ids->capacity, id)];
    if (!slot->size)
        ids->count++;
    slot->sequence = sequence;
    slot->size = (uint8_t)id.size;
    memcpy(slot->id, id.data, id.size);
    return THEATER_OK;
}

bool th_ids_find(const th_ids *ids, th_slice id, uint64_t *ret_sequence)
{
    if (ids->count == 0)
        return false;
    const id_slot *slot = &ids->slots[place_of(ids->slots, ids->capacity, id)];
    if (slot->size)
        *ret_sequence = slot->sequence;
    return slot->size != 0;
}

size_t th_ids_count(const th_ids *ids)
{
    return ids->count;
}

void th_ids_clear(th_ids *ids)
{
    /* The room stays: who filled it once will again, and pieces of many megabytes that threads free and ask for anew stay
     * behind in the allocator, one set for each thread. */
    if (ids->slots)
        memset(ids->slots, 0, ids->capacity * sizeof *ids->slots);
    ids->count = 0;
}
