#include "chain/name_table.h"

#define CAPACITY_MAX ((uint32_t)1 << 28)

void th_name_table_init(th_name_table *table, uint64_t seed)
{
    *table = (th_name_table){.seed = seed};
}

void th_name_table_done(th_name_table *table)
{
    th_free(table->names);
    th_free(table->slots);
    th_name_table_init(table, table->seed);
}

/* The slot of the name, or the free one where it would stand. At most half of the slots are taken. */
static uint32_t *slot_of(const th_name_table *table, th_slice name)
{
    uint64_t hash = table->seed;
    for (size_t i = 0; i < name.size; i++)
        hash = (hash ^ name.data[i]) * 0x100000001b3u;
    uint32_t mask = table->capacity * 2 - 1;
    for (uint32_t at = (uint32_t)th_mix(hash) & mask;; at = (at + 1) & mask) {
        uint32_t *slot = &table->slots[at];
        if (*slot == 0)
            return slot;
        const th_name_entry *entry = &table->names[*slot - 1];
        if (th_slice_equal(name, th_slice_of(entry->bytes, entry->size)))
            return slot;
    }
}

/* Twice as many names have room afterwards. */
static theater_status grow(th_name_table *table, theater_error *reterr)
{
    uint32_t capacity = table->capacity ? table->capacity * 2 : 16;
    if (capacity > CAPACITY_MAX)
        return th_fail(reterr, THEATER_TOO_LARGE, "more than %u names to remember", CAPACITY_MAX);
    uint32_t *slots = th_alloc_zero((size_t)capacity * 2, sizeof *slots);
    th_name_entry *names = slots ? th_realloc(table->names, capacity * sizeof *names) : NULL;
    if (!names) {
        th_free(slots);
        return th_fail_memory(reterr, "the names in a chain");
    }
    th_free(table->slots);
    table->names = names;
    table->slots = slots;
    table->capacity = capacity;
    for (uint32_t i = 0; i < table->count; i++)
        *slot_of(table, th_slice_of(names[i].bytes, names[i].size)) = i + 1;
    return THEATER_OK;
}

theater_status th_name_table_number(th_name_table *table, th_slice name, uint64_t max, uint32_t *ret_number,
                                    bool *ret_new, theater_error *reterr)
{
    th_assert(name.size >= 1 && name.size <= TH_NAME_MAX);
    theater_status status = table->count == table->capacity ? grow(table, reterr) : THEATER_OK;
    if (status)
        return status;
    uint32_t *slot = slot_of(table, name);
    *ret_new = *slot == 0;
    if (*ret_new) {
        if (table->count >= max)
            return th_fail(reterr, THEATER_TOO_LARGE, "more than %llu names to remember",
                           (unsigned long long)max);
        th_name_entry *entry = &table->names[table->count++];
        entry->size = (uint8_t)name.size;
        memcpy(entry->bytes, name.data, name.size);
        *slot = table->count;
    }
    *ret_number = *slot - 1;
    return THEATER_OK;
}
