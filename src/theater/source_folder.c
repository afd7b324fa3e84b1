#include <stdio.h>

#include "chain/checkpoint.h"
#include "theater/element_internal.h"
#include "theater/folder_internal.h"
#include "theater/source_internal.h"

typedef struct folder_source {
    th_source source;
    theater_folder *folder;
    uint64_t actor; /* 0: all */
} folder_source;

/* What a walk carries from chain to chain. */
typedef struct folder_walk {
    theater_folder *folder;
    const th_walker *walker;
    th_element_reader *reader;
    th_buf element, other, key;
    uint64_t done, all;
    th_hash *components; /* that this walk has handed out already: each is checked once */
    size_t component_count, component_capacity;
} folder_walk;

static void close_source(th_source *source)
{
    th_free(source);
}

static theater_status read_element(th_source *source, uint64_t place, uint64_t sequence, th_buf *buf,
                                   th_source_element *ret, theater_error *reterr)
{
    theater_folder *folder = ((folder_source *)source)->folder;
    th_record record;
    theater_status status = th_store_read_element(folder->store, place, sequence, buf, &record, NULL, reterr);
    if (!status)
        *ret = (th_source_element){record.element.element, th_record_payloads(&record)};
    return status;
}

static theater_status open_reader(th_source_reader *reader, theater_error *reterr)
{
    folder_source *self = (folder_source *)reader->source;
    return th_element_reader_new(self->folder->store, &reader->elements, reterr);
}

static theater_status read_near(th_source_reader *reader, uint64_t place, uint64_t sequence,
                                th_source_element *ret, theater_error *reterr)
{
    th_record record;
    theater_status status = th_element_reader_get(reader->elements, place, sequence, &record, NULL, reterr);
    if (!status)
        *ret = (th_source_element){record.element.element, th_record_payloads(&record)};
    return status;
}

static theater_status read_snapshot(th_source *source, uint64_t place, uint64_t sequence, th_buf *buf,
                                    th_slice *ret_state, theater_error *reterr)
{
    theater_folder *folder = ((folder_source *)source)->folder;
    th_record record;
    theater_status status = th_store_read_snapshot(folder->store, place, sequence, buf, &record, reterr);
    if (!status && record.snapshot.sequence != sequence)
        return th_fail(reterr, THEATER_NOT_FOUND, "there is no snapshot after element %llu",
                       (unsigned long long)sequence);
    if (!status)
        *ret_state = record.snapshot.state;
    return status;
}

static theater_status read_binary(void *source, const th_hash *hash, th_buf *out, theater_error *reterr)
{
    return th_folder_binary(((folder_source *)source)->folder, hash, out, reterr);
}

static theater_status read_compiled(void *source, const th_hash *hash, const char *fingerprint, th_buf *out,
                                    theater_error *reterr)
{
    return th_folder_compiled(((folder_source *)source)->folder, hash, fingerprint, out, reterr);
}

/* What the chain calls its actor. An archive may have another name in the folder; all other chains have their
 * actor's. */
static theater_status chain_name(theater_folder *folder, const th_actor_info *info, char ret[TH_NAME_MAX + 1],
                                 theater_error *reterr)
{
    memcpy(ret, info->name, TH_NAME_MAX + 1);
    if (!th_actor_imported(info))
        return THEATER_OK;
    th_buf buf;
    th_buf_init(&buf, TH_READ_MAX);
    th_descriptor descriptor;
    theater_status status = th_folder_descriptor(folder, info->id, 0, &buf, &descriptor, NULL, reterr);
    if (!status) {
        memset(ret, 0, TH_NAME_MAX + 1);
        memcpy(ret, descriptor.name.data, descriptor.name.size);
    } else if (status == THEATER_NOT_FOUND) {
        status = THEATER_OK; /* the descriptor was dropped, so nothing contradicts the name */
    }
    th_buf_done(&buf);
    return status;
}

typedef struct name_walk {
    theater_folder *folder;
    th_name_table *table;
    theater_error *reterr;
    theater_status status;
} name_walk;

static bool add_name(void *context, const th_actor_info *info)
{
    name_walk *walk = context;
    char name[TH_NAME_MAX + 1];
    if (info->elements == 0)
        return true;
    walk->status = chain_name(walk->folder, info, name, walk->reterr);
    if (!walk->status)
        walk->status = th_name_table_add(walk->table, name, info->id, walk->reterr);
    return walk->status == THEATER_OK;
}

static theater_status list_names(th_source *source, th_name_table *table, theater_error *reterr)
{
    theater_folder *folder = ((folder_source *)source)->folder;
    name_walk walk = {folder, table, reterr, THEATER_OK};
    theater_status status = th_folder_list(folder, add_name, &walk, reterr);
    return status ? status : walk.status;
}

/* ---- walking ------------------------------------------------------------------------------------------- */

typedef struct sequence_list {
    uint64_t *values;
    size_t count, capacity;
    bool failed;
} sequence_list;

static bool add_sequence(void *context, uint64_t sequence)
{
    sequence_list *list = context;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 64;
        uint64_t *values = th_realloc(list->values, capacity * sizeof *values);
        list->failed = !values;
        if (!values)
            return false;
        list->values = values;
        list->capacity = capacity;
    }
    list->values[list->count++] = sequence;
    return true;
}

/* Hands out the component that a genesis or upgrade names, unless this walk did so before. One that the
 * folder has lost is left out here, and missed by whoever wants to run the chain. */
static theater_status walk_component(folder_walk *walk, const th_source_element *element,
                                     theater_error *reterr)
{
    th_hash hash;
    if (!th_element_component(element->encoding, &element->payloads, &hash))
        return THEATER_OK;
    for (size_t i = 0; i < walk->component_count; i++)
        if (th_hash_equal(&walk->components[i], &hash))
            return THEATER_OK;
    th_slice binary;
    theater_status status =
        th_store_read_component(walk->folder->store, &hash, &walk->other, &binary, reterr);
    if (status == THEATER_NOT_FOUND)
        return THEATER_OK;
    if (status)
        return status;
    if (walk->component_count == walk->component_capacity) {
        size_t capacity = walk->component_capacity ? walk->component_capacity * 2 : 16;
        th_hash *components = th_realloc(walk->components, capacity * sizeof *components);
        if (!components)
            return th_fail_memory(reterr, "the list of components");
        walk->components = components;
        walk->component_capacity = capacity;
    }
    walk->components[walk->component_count++] = hash;
    return walk->walker->component(walk->walker->context, binary, reterr);
}

static theater_status walk_snapshot(folder_walk *walk, uint64_t actor, uint64_t sequence,
                                    theater_error *reterr)
{
    th_record record;
    theater_status status =
        th_store_read_snapshot(walk->folder->store, actor, sequence, &walk->other, &record, reterr);
    return status ? status
                  : walk->walker->snapshot(walk->walker->context, sequence, record.snapshot.state, reterr);
}

static theater_status walk_element(folder_walk *walk, const th_record *record, theater_error *reterr)
{
    const th_walker *walker = walk->walker;
    th_source_element element = {record->element.element, th_record_payloads(record)};
    theater_status status = walk_component(walk, &element, reterr);
    if (!status)
        status = walker->element(walker->context, &element, reterr);
    if (!status && ++walk->done % 1024 == 0 && walker->progress)
        walker->progress(walker->context, walk->done, walk->all);
    return status;
}

/* One chain read in the order of the log. */
typedef struct log_walk {
    folder_walk *walk;
    const th_actor_info *info;
    uint64_t next; /* sequence of the next element */
    size_t snapshots; /* handed out */
    theater_status status;
    theater_error *reterr;
} log_walk;

static bool take_record(void *context, uint64_t number, const th_record *record)
{
    (void)number;
    log_walk *self = context;
    if (record->actor != self->info->id)
        return true;
    if (record->kind == TH_RECORD_ELEMENT) {
        self->next++;
        self->status = walk_element(self->walk, record, self->reterr);
    } else if (record->kind == TH_RECORD_SNAPSHOT) {
        self->snapshots++;
        self->status = self->walk->walker->snapshot(self->walk->walker->context, record->snapshot.sequence,
                                                    record->snapshot.state, self->reterr);
    }
    return !self->status && self->next < self->info->elements;
}

/* Reads the log from the chain's first element on: several times as fast as looking up each element, where
 * most of the log is this chain's. */
static theater_status walk_log(folder_walk *walk, const th_actor_info *info, uint64_t from,
                               const sequence_list *snapshots, theater_error *reterr)
{
    log_walk self = {.walk = walk, .info = info, .reterr = reterr};
    theater_status status = th_store_scan(walk->folder->store, from, take_record, &self, reterr);
    status = status ? status : self.status;
    for (size_t i = self.snapshots; !status && i < snapshots->count;
         i++) /* behind the last element in the log */
        status = walk_snapshot(walk, info->id, snapshots->values[i], reterr);
    if (!status && self.next < info->elements)
        status = th_fail(reterr, THEATER_CORRUPT, "the log of %s ends before element %llu of actor %s",
                         walk->folder->path, (unsigned long long)self.next, info->name);
    return status;
}

static theater_status walk_elements(folder_walk *walk, const th_actor_info *info,
                                    const sequence_list *snapshots, theater_error *reterr)
{
    size_t next_snapshot = 0;
    for (uint64_t sequence = 0; sequence < info->elements; sequence++) {
        th_record record;
        theater_status status =
            th_element_reader_get(walk->reader, info->id, sequence, &record, NULL, reterr);
        if (!status)
            status = walk_element(walk, &record, reterr);
        if (!status && next_snapshot < snapshots->count && snapshots->values[next_snapshot] == sequence) {
            next_snapshot++;
            status = walk_snapshot(walk, info->id, sequence, reterr);
        }
        if (status)
            return status;
    }
    return THEATER_OK;
}

/* Whether to read the log rather than look up: when at least a quarter of what lies behind the genesis
 * belongs to the chain. *ret_from is the record of the genesis. */
static theater_status reads_log(folder_walk *walk, const th_actor_info *info, bool *ret, uint64_t *ret_from,
                                theater_error *reterr)
{
    th_record record;
    *ret = false;
    if (!walk->walker->late_snapshots)
        return THEATER_OK;
    theater_status status =
        th_store_read_element(walk->folder->store, info->id, 0, &walk->element, &record, ret_from, reterr);
    if (!status)
        *ret = info->elements >= (info->head_number - *ret_from) / 4;
    return status;
}

typedef struct note_walk {
    const th_walker *walker;
    theater_error *reterr;
    theater_status status;
} note_walk;

static bool walk_note(void *context, uint64_t size, const th_hash *head, th_slice note)
{
    (void)size, (void)head;
    note_walk *walk = context;
    walk->status = walk->walker->checkpoint(walk->walker->context, note, walk->reterr);
    return walk->status == THEATER_OK;
}

static theater_status walk_chain(folder_walk *walk, const th_actor_info *info, theater_error *reterr)
{
    const th_walker *walker = walk->walker;
    th_source_chain chain = {.place = info->id};
    theater_status status = chain_name(walk->folder, info, chain.name, reterr);
    if (status)
        return status;
    status = th_folder_key(walk->folder, info, &walk->key, reterr);
    if (status && status != THEATER_NOT_FOUND && status != THEATER_PERMISSION)
        return status;
    if (!status)
        chain.key = th_buf_slice(&walk->key);
    status = walker->begin(walker->context, &chain, reterr);
    if (status)
        return status;
    sequence_list snapshots = {0};
    status = th_store_list_snapshots(walk->folder->store, info->id, 0, info->elements - 1, add_sequence,
                                     &snapshots, reterr);
    if (!status && snapshots.failed)
        status = th_fail_memory(reterr, "the list of snapshots");
    bool by_log = false;
    uint64_t from = 0;
    if (!status)
        status = reads_log(walk, info, &by_log, &from, reterr);
    if (!status)
        status = by_log ? walk_log(walk, info, from, &snapshots, reterr)
                        : walk_elements(walk, info, &snapshots, reterr);
    th_free(snapshots.values);
    if (status)
        return status;
    if (chain.key.size)
        status = walker->key(walker->context, chain.key, reterr);
    note_walk notes = {walker, reterr, THEATER_OK};
    if (!status)
        status = th_store_list_checkpoints(walk->folder->store, info->id, walk_note, &notes, reterr);
    if (!status)
        status = notes.status;
    return status ? status : walker->end(walker->context, reterr);
}

typedef struct id_walk {
    sequence_list ids;
    uint64_t elements;
} id_walk;

static bool add_id(void *context, const th_actor_info *info)
{
    id_walk *walk = context;
    walk->elements += info->elements;
    return info->elements == 0 || add_sequence(&walk->ids, info->id);
}

/* The ids are taken first, so that no look-up runs inside another. */
static theater_status walk_ids(folder_walk *walk, uint64_t actor, theater_error *reterr)
{
    id_walk ids = {0};
    th_actor_info info;
    theater_status status;
    if (actor) {
        status = th_store_find_actor_id(walk->folder->store, actor, &info, reterr);
        if (!status)
            add_id(&ids, &info);
    } else {
        status = th_store_list_actors(walk->folder->store, 0, add_id, &ids, reterr);
    }
    if (!status && ids.ids.failed)
        status = th_fail_memory(reterr, "the list of actors");
    walk->all = ids.elements;
    for (size_t i = 0; !status && i < ids.ids.count; i++) {
        status = th_store_find_actor_id(walk->folder->store, ids.ids.values[i], &info, reterr);
        if (!status)
            status = walk_chain(walk, &info, reterr);
    }
    th_free(ids.ids.values);
    return status;
}

static theater_status walk_folder(th_source *source, const th_walker *walker, theater_error *reterr)
{
    folder_source *self = (folder_source *)source;
    folder_walk walk = {.folder = self->folder, .walker = walker};
    th_buf_init(&walk.element, TH_READ_MAX);
    th_buf_init(&walk.other, TH_READ_MAX);
    th_buf_init(&walk.key, TH_VERIFIER_KEY_MAX);
    theater_status status = th_element_reader_new(self->folder->store, &walk.reader, reterr);
    if (!status)
        status = walk_ids(&walk, self->actor, reterr);
    th_element_reader_free(walk.reader);
    if (!status && walker->progress)
        walker->progress(walker->context, walk.done, walk.all);
    th_buf_done(&walk.element);
    th_buf_done(&walk.other);
    th_buf_done(&walk.key);
    th_free(walk.components);
    return status;
}

static const th_source_operations operations = {
    close_source, walk_folder,   NULL,        read_element,  open_reader,
    read_near,    read_snapshot, read_binary, read_compiled, list_names,
};

theater_status th_source_open_folder(theater_folder *folder, uint64_t actor, th_source **ret,
                                     theater_error *reterr)
{
    th_actor_info info;
    theater_status status = actor ? th_store_find_actor_id(folder->store, actor, &info, reterr) : THEATER_OK;
    if (status)
        return status;
    folder_source *source = th_alloc_zero(1, sizeof *source);
    if (!source)
        return th_fail_memory(reterr, "a source of chains");
    source->source.operations = &operations;
    source->source.path = folder->path;
    source->folder = folder;
    source->actor = actor;
    *ret = &source->source;
    return THEATER_OK;
}
