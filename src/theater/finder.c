#include "theater/finder.h"

#include "chain/name_table.h"
#include "theater/folder_internal.h"

/* Elements that are kept. */
#define KEPT 64
#define KEPT_BYTES ((size_t)256 << 20)

typedef struct kept_element {
    uint64_t place, sequence;
    uint64_t used; /* tick of the last use; 0: nothing is kept here */
    th_buf buf;
    th_source_element element; /* points into it */
} kept_element;

/* An element by the beginning of its hash, and the chain that has it. */
typedef struct element_entry {
    uint64_t hash;
    uint64_t place;
} element_entry;

/* The elements of all chains with one name, sorted. */
typedef struct element_table {
    element_entry *entries;
    size_t count, capacity;
    bool made;
} element_table;

struct th_finder {
    th_source *source;
    th_hasher *hasher;
    th_name_table names; /* those that several chains have */
    element_table *tables; /* of each */
    uint32_t table_capacity;
    kept_element kept[KEPT];
    size_t kept_bytes;
    uint64_t tick;
};

theater_status th_finder_new(th_source *source, th_hasher *hasher, uint64_t seed, th_finder **ret,
                             theater_error *reterr)
{
    th_finder *finder = th_alloc_zero(1, sizeof *finder);
    if (!finder)
        return th_fail_memory(reterr, "a check of causes");
    finder->source = source;
    finder->hasher = hasher;
    th_name_table_init(&finder->names, seed);
    for (size_t i = 0; i < KEPT; i++)
        th_buf_init(&finder->kept[i].buf, TH_READ_MAX);
    *ret = finder;
    return THEATER_OK;
}

void th_finder_free(th_finder *finder)
{
    if (!finder)
        return;
    for (uint32_t i = 0; i < finder->table_capacity; i++)
        th_free(finder->tables[i].entries);
    for (size_t i = 0; i < KEPT; i++)
        th_buf_done(&finder->kept[i].buf);
    th_name_table_done(&finder->names);
    th_free(finder->tables);
    th_free(finder);
}

/* ---- elements ------------------------------------------------------------------------------------------ */

static void forget(th_finder *finder, kept_element *kept)
{
    finder->kept_bytes -= kept->buf.capacity;
    th_buf_done(&kept->buf);
    kept->used = 0;
}

/* The element, if it is kept; else the place for it, which is the one that was not used for longest. */
static kept_element *choose(th_finder *finder, uint64_t place, uint64_t sequence)
{
    kept_element *oldest = &finder->kept[0];
    for (size_t i = 0; i < KEPT; i++) {
        kept_element *kept = &finder->kept[i];
        if (kept->used && kept->place == place && kept->sequence == sequence)
            return kept;
        if (kept->used < oldest->used)
            oldest = kept;
    }
    return oldest;
}

/* Forgets old elements while all of them take too much memory, but for the one that was just read. */
static void keep_bound(th_finder *finder, const kept_element *newest)
{
    while (finder->kept_bytes > KEPT_BYTES) {
        kept_element *oldest = NULL;
        for (size_t i = 0; i < KEPT; i++) {
            kept_element *kept = &finder->kept[i];
            if (kept != newest && kept->used && (!oldest || kept->used < oldest->used))
                oldest = kept;
        }
        if (!oldest)
            return;
        forget(finder, oldest);
    }
}

theater_status th_finder_read(th_finder *finder, uint64_t place, uint64_t sequence, th_source_element *ret,
                              theater_error *reterr)
{
    kept_element *kept = choose(finder, place, sequence);
    bool found = kept->used && kept->place == place && kept->sequence == sequence;
    if (!found) {
        finder->kept_bytes -= kept->buf.capacity;
        kept->used = 0;
        theater_status status = th_source_read_element(finder->source, place, sequence, &kept->buf,
                                                       &kept->element, reterr);
        finder->kept_bytes += kept->buf.capacity;
        if (status)
            return status;
        kept->place = place;
        kept->sequence = sequence;
    }
    kept->used = ++finder->tick;
    keep_bound(finder, kept);
    *ret = kept->element;
    return THEATER_OK;
}

/* ---- chains -------------------------------------------------------------------------------------------- */

static uint64_t beginning(const th_hash *hash)
{
    return th_get_u64be(hash->bytes);
}

static int compare_entries(const void *left, const void *right)
{
    const element_entry *a = left, *b = right;
    if (a->hash != b->hash)
        return a->hash > b->hash ? 1 : -1;
    return (a->place > b->place) - (a->place < b->place);
}

static theater_status add_entry(element_table *table, const th_hash *hash, uint64_t place, theater_error *reterr)
{
    if (table->count == table->capacity) {
        size_t capacity = table->capacity ? 2 * table->capacity : 64;
        element_entry *entries = th_realloc(table->entries, capacity * sizeof *entries);
        if (!entries)
            return th_fail_memory(reterr, "a table of elements");
        table->entries = entries;
        table->capacity = capacity;
    }
    table->entries[table->count++] = (element_entry){beginning(hash), place};
    return THEATER_OK;
}

static theater_status add_chain(th_finder *finder, th_source_reader *reader, element_table *table, uint64_t place,
                                theater_error *reterr)
{
    theater_status status = THEATER_OK;
    for (uint64_t sequence = 0; !status; sequence++) {
        th_source_element found;
        th_hash hash;
        status = th_source_reader_get(reader, place, sequence, &found, reterr);
        if (status == THEATER_NOT_FOUND)
            return THEATER_OK;
        if (status)
            break;
        th_element_hash(finder->hasher, found.encoding, &hash);
        status = add_entry(table, &hash, place, reterr);
    }
    return status;
}

static theater_status make_table(th_finder *finder, element_table *table, const uint64_t *places, size_t count,
                                 theater_error *reterr)
{
    th_source_reader *reader;
    theater_status status = th_source_reader_new(finder->source, &reader, reterr);
    if (status)
        return status;
    table->count = 0; /* what an attempt that failed has left */
    for (size_t i = 0; !status && i < count; i++)
        status = add_chain(finder, reader, table, places[i], reterr);
    th_source_reader_free(reader);
    if (!status && table->count > 0)
        qsort(table->entries, table->count, sizeof *table->entries, compare_entries);
    table->made = !status;
    return status;
}

/* The table of a name. *ret stays where it is until the next name comes. */
static theater_status table_of(th_finder *finder, th_slice actor, element_table **ret, theater_error *reterr)
{
    uint32_t number;
    bool is_new;
    theater_status status =
        th_name_table_number(&finder->names, actor, UINT32_MAX, &number, &is_new, reterr);
    if (status)
        return status;
    if (number >= finder->table_capacity) {
        uint32_t capacity = finder->names.capacity;
        element_table *grown = th_realloc(finder->tables, capacity * sizeof *grown);
        if (!grown)
            return th_fail_memory(reterr, "tables of elements");
        memset(grown + finder->table_capacity, 0, (capacity - finder->table_capacity) * sizeof *grown);
        finder->tables = grown;
        finder->table_capacity = capacity;
    }
    *ret = &finder->tables[number];
    return THEATER_OK;
}

static size_t first_entry(const element_table *table, uint64_t hash)
{
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table->entries[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

theater_status th_finder_chain(th_finder *finder, th_slice actor, const th_cause *cause, uint64_t *ret_place,
                               theater_error *reterr)
{
    const uint64_t *places;
    size_t count;
    theater_status status = th_source_named(finder->source, actor, &places, &count, reterr);
    if (!status && count == 0)
        status = th_fail(reterr, THEATER_NOT_FOUND, "no chain of this name");
    if (status)
        return status;
    *ret_place = places[count - 1];
    if (count == 1 || (cause->kind != TH_CAUSE_MESSAGE && cause->kind != TH_CAUSE_ANSWER))
        return THEATER_OK;
    element_table *table = NULL;
    status = table_of(finder, actor, &table, reterr);
    if (!status && !table->made)
        status = make_table(finder, table, places, count, reterr);
    uint64_t wanted = beginning(&cause->hash);
    for (size_t i = status ? 0 : first_entry(table, wanted);
         !status && i < table->count && table->entries[i].hash == wanted; i++) {
        th_source_element found;
        th_hash hash;
        status = th_finder_read(finder, table->entries[i].place, cause->sequence, &found, reterr);
        if (status == THEATER_NOT_FOUND) {
            status = THEATER_OK;
            continue;
        }
        if (status)
            break;
        th_element_hash(finder->hasher, found.encoding, &hash);
        if (th_hash_equal(&hash, &cause->hash)) {
            *ret_place = table->entries[i].place;
            break;
        }
    }
    return status;
}
