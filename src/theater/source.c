#include "theater/source_internal.h"

theater_status th_source_open(const theater_source *source, th_source **ret, theater_error *reterr)
{
    th_assert((source->folder != NULL) != (source->path != NULL));
    return source->folder ? th_source_open_folder(source->folder, source->actor_id, ret, reterr)
                          : th_source_open_bundle(source->path, ret, reterr);
}

void th_source_close(th_source *source)
{
    if (!source)
        return;
    th_free(source->names.entries);
    th_free(source->names.places);
    source->operations->close(source);
}

theater_status th_source_walk(th_source *source, const th_walker *walker, theater_error *reterr)
{
    return source->operations->walk(source, walker, reterr);
}

theater_status th_source_pin(th_source *source, theater_error *reterr)
{
    return source->operations->pin ? source->operations->pin(source, reterr) : THEATER_OK;
}

theater_status th_source_read_element(th_source *source, uint64_t place, uint64_t sequence, th_buf *buf,
                                      th_source_element *ret, theater_error *reterr)
{
    return source->operations->element(source, place, sequence, buf, ret, reterr);
}

theater_status th_source_reader_new(th_source *source, th_source_reader **ret, theater_error *reterr)
{
    th_source_reader *reader = th_alloc_zero(1, sizeof *reader);
    if (!reader)
        return th_fail_memory(reterr, "a reader of elements");
    reader->source = source;
    th_buf_init(&reader->buf, TH_READ_MAX);
    theater_status status =
        source->operations->open_reader ? source->operations->open_reader(reader, reterr) : THEATER_OK;
    if (status)
        th_source_reader_free(reader);
    else
        *ret = reader;
    return status;
}

void th_source_reader_free(th_source_reader *reader)
{
    if (!reader)
        return;
    th_element_reader_free(reader->elements);
    th_buf_done(&reader->buf);
    th_free(reader);
}

theater_status th_source_reader_get(th_source_reader *reader, uint64_t place, uint64_t sequence,
                                    th_source_element *ret, theater_error *reterr)
{
    th_source *source = reader->source;
    return reader->elements ? source->operations->get(reader, place, sequence, ret, reterr)
                            : source->operations->element(source, place, sequence, &reader->buf, ret, reterr);
}

theater_status th_source_read_snapshot(th_source *source, uint64_t place, uint64_t sequence, th_buf *buf,
                                       th_slice *ret_state, theater_error *reterr)
{
    return source->operations->snapshot(source, place, sequence, buf, ret_state, reterr);
}

th_component_source th_source_components(th_source *source)
{
    return (th_component_source){source, source->operations->binary, source->operations->compiled};
}

const char *th_source_path(const th_source *source)
{
    return source->path;
}

/* ---- names --------------------------------------------------------------------------------------------- */

theater_status th_name_table_add(th_name_table *table, const char *name, uint64_t place,
                                 theater_error *reterr)
{
    if (table->count == table->capacity) {
        size_t capacity = table->capacity ? table->capacity * 2 : 16;
        th_source_name *entries = th_realloc(table->entries, capacity * sizeof *entries);
        if (!entries)
            return th_fail_memory(reterr, "the names of the chains");
        table->entries = entries;
        table->capacity = capacity;
    }
    th_source_name *entry = &table->entries[table->count++];
    memset(entry, 0, sizeof *entry);
    memcpy(entry->name, name, strnlen(name, TH_NAME_MAX));
    entry->place = place;
    return THEATER_OK;
}

static int compare_names(const void *a, const void *b)
{
    const th_source_name *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->place > y->place) - (x->place < y->place);
}

static theater_status make_names(th_source *source, theater_error *reterr)
{
    th_name_table *table = &source->names;
    table->count = 0; /* what an attempt that failed has left */
    theater_status status = source->operations->names(source, table, reterr);
    if (status)
        return status;
    table->places = th_alloc(table->count * sizeof *table->places);
    if (!table->places)
        return th_fail_memory(reterr, "the names of the chains");
    if (table->count)
        qsort(table->entries, table->count, sizeof *table->entries, compare_names);
    for (size_t i = 0; i < table->count; i++)
        table->places[i] = table->entries[i].place;
    table->made = true;
    return THEATER_OK;
}

static int compare_with_slice(const th_source_name *entry, th_slice name)
{
    size_t size = strlen(entry->name);
    int order = memcmp(entry->name, name.data, size < name.size ? size : name.size);
    return order ? order : (size > name.size) - (size < name.size);
}

theater_status th_source_named(th_source *source, th_slice name, const uint64_t **ret, size_t *ret_count,
                               theater_error *reterr)
{
    th_name_table *table = &source->names;
    theater_status status = table->made ? THEATER_OK : make_names(source, reterr);
    if (status)
        return status;
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_with_slice(&table->entries[middle], name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    size_t end = low;
    while (end < table->count && compare_with_slice(&table->entries[end], name) == 0)
        end++;
    *ret = table->places + low;
    *ret_count = end - low;
    return THEATER_OK;
}
