/* A bundle file as a source of chains.
 *
 * The walk reads the file once from the beginning to the end, through the strict reader of chain/bundle.h,
 * and notes on the way where each element, snapshot and component lies: 16 bytes an element. Afterwards
 * single items are read from their places, so a bundle may be much larger than the memory, and threads may
 * read at once.
 *
 * A walk of a pinned source reads the file in blocks. The first one notes their hashes, 32 bytes a block, and
 * later ones hand no byte on of a block that has another. */
#include <stdio.h>

#include "chain/bundle.h"
#include "chain/cbor.h"
#include "port/system.h"
#include "theater/folder_internal.h"
#include "theater/source_internal.h"

#define BLOCK_BYTES ((size_t)1 << 20)

/* What a pinned source keeps. */
typedef struct blocks {
    uint8_t *bytes; /* of the block that is being read; NULL: not pinned */
    size_t size, used; /* bytes in it, and how many of them were handed on */
    th_hash *hashes; /* of the whole file, when `whole`; the last block is the one that is not full */
    size_t count, capacity;
    bool whole;
} blocks;

/* Where an item lies in the file. */
typedef struct span {
    uint64_t offset;
    uint64_t size;
} span;

typedef struct snapshot_span {
    uint64_t sequence;
    span span;
} snapshot_span;

typedef struct component_span {
    th_hash hash;
    span span;
} component_span;

typedef struct bundle_chain {
    char name[TH_NAME_MAX + 1];
    span *elements;
    size_t element_count, element_capacity;
    snapshot_span *snapshots;
    size_t snapshot_count, snapshot_capacity;
} bundle_chain;

typedef struct bundle_source {
    th_source source;
    char *path;
    th_file *file;
    uint64_t size;
    bundle_chain *chains;
    size_t chain_count, chain_capacity;
    component_span *components;
    size_t component_count, component_capacity;
    blocks pinned;
} bundle_source;

/* Makes room for one more entry of `size` bytes in an array that doubles. NULL: out of memory. */
static void *grow(void *entries, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return entries;
    size_t more = *capacity ? *capacity * 2 : 16;
    void *grown = th_realloc(entries, more * size);
    if (grown)
        *capacity = more;
    return grown;
}

static void forget(bundle_source *self)
{
    for (size_t i = 0; i < self->chain_count; i++) {
        th_free(self->chains[i].elements);
        th_free(self->chains[i].snapshots);
    }
    th_free(self->chains);
    th_free(self->components);
    self->chains = NULL;
    self->components = NULL;
    self->chain_count = self->chain_capacity = self->component_count = self->component_capacity = 0;
}

static void close_source(th_source *source)
{
    bundle_source *self = (bundle_source *)source;
    forget(self);
    th_free(self->pinned.bytes);
    th_free(self->pinned.hashes);
    th_file_close(self->file);
    th_free(self->path);
    th_free(self);
}

/* ---- reading at a place -------------------------------------------------------------------------------- */

static theater_status read_span(bundle_source *self, const span *place, th_buf *buf, theater_error *reterr)
{
    uint8_t *room;
    th_buf_clear(buf);
    theater_status status = th_buf_extend(buf, place->size, &room, reterr);
    size_t got = 0;
    if (!status)
        status = th_file_read(self->file, place->offset, room, place->size, &got, reterr);
    if (!status && got != place->size)
        return th_fail(reterr, THEATER_CORRUPT, "bundle %s became shorter while it was read", self->path);
    return status;
}

static theater_status not_there(const bundle_source *self, const char *what, uint64_t sequence,
                                theater_error *reterr)
{
    return th_fail(reterr, THEATER_NOT_FOUND, "bundle %s has no %s %llu", self->path, what,
                   (unsigned long long)sequence);
}

static theater_status changed(const bundle_source *self, theater_error *reterr)
{
    return th_fail(reterr, THEATER_CORRUPT, "bundle %s changed while it was read", self->path);
}

static theater_status read_element(th_source *source, uint64_t place, uint64_t sequence, th_buf *buf,
                                   th_source_element *ret, theater_error *reterr)
{
    bundle_source *self = (bundle_source *)source;
    bundle_chain *chain = &self->chains[place];
    if (sequence >= chain->element_count)
        return not_there(self, "element", sequence, reterr);
    theater_status status = read_span(self, &chain->elements[sequence], buf, reterr);
    if (status)
        return status;
    th_cbor_reader in = th_cbor_read(th_buf_slice(buf));
    uint64_t count;
    th_payloads *payloads = &ret->payloads;
    bool good = th_cbor_read_array(&in, &count) && count == 5 &&
                th_cbor_expect_uint(&in, TH_BUNDLE_ELEMENT, "kind") &&
                th_cbor_read_bytes(&in, &ret->encoding) &&
                th_cbor_read_bytes_or_null(&in, &payloads->input.present, &payloads->input.bytes) &&
                th_cbor_read_bytes_or_null(&in, &payloads->output.present, &payloads->output.bytes) &&
                th_cbor_read_bytes_or_null(&in, &payloads->effects.present, &payloads->effects.bytes) &&
                th_cbor_read_end(&in);
    return good ? THEATER_OK : changed(self, reterr);
}

static theater_status read_snapshot(th_source *source, uint64_t place, uint64_t sequence, th_buf *buf,
                                    th_slice *ret_state, theater_error *reterr)
{
    bundle_source *self = (bundle_source *)source;
    bundle_chain *chain = &self->chains[place];
    size_t low = 0, high = chain->snapshot_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (chain->snapshots[middle].sequence < sequence)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == chain->snapshot_count || chain->snapshots[low].sequence != sequence)
        return not_there(self, "snapshot after element", sequence, reterr);
    theater_status status = read_span(self, &chain->snapshots[low].span, buf, reterr);
    if (status)
        return status;
    th_cbor_reader in = th_cbor_read(th_buf_slice(buf));
    uint64_t count;
    bool good = th_cbor_read_array(&in, &count) && count == 3 &&
                th_cbor_expect_uint(&in, TH_BUNDLE_SNAPSHOT, "kind") &&
                th_cbor_expect_uint(&in, sequence, "sequence") && th_cbor_read_bytes(&in, ret_state) &&
                th_cbor_read_end(&in);
    return good ? THEATER_OK : changed(self, reterr);
}

static theater_status read_binary(void *source, const th_hash *hash, th_buf *out, theater_error *reterr)
{
    bundle_source *self = source;
    for (size_t i = 0; i < self->component_count; i++) {
        if (!th_hash_equal(&self->components[i].hash, hash))
            continue;
        th_buf buf;
        th_buf_init(&buf, TH_READ_MAX);
        theater_status status = read_span(self, &self->components[i].span, &buf, reterr);
        th_cbor_reader in = th_cbor_read(th_buf_slice(&buf));
        uint64_t count;
        th_slice binary = {0};
        if (!status &&
            !(th_cbor_read_array(&in, &count) && count == 2 &&
              th_cbor_expect_uint(&in, TH_BUNDLE_COMPONENT, "kind") && th_cbor_read_bytes(&in, &binary)))
            status = changed(self, reterr);
        if (!status)
            status = th_buf_append(out, binary, reterr);
        th_buf_done(&buf);
        return status;
    }
    char hex[2 * THEATER_HASH_SIZE + 1];
    th_hex_encode(th_slice_of(hash->bytes, sizeof hash->bytes), hex);
    return th_fail(reterr, THEATER_NOT_FOUND, "component %.16s is not in bundle %s", hex, self->path);
}

static theater_status list_names(th_source *source, th_name_table *table, theater_error *reterr)
{
    bundle_source *self = (bundle_source *)source;
    theater_status status = THEATER_OK;
    for (size_t i = 0; !status && i < self->chain_count; i++)
        status = th_name_table_add(table, self->chains[i].name, i, reterr);
    return status;
}

/* ---- walking ------------------------------------------------------------------------------------------- */

typedef struct bundle_walk {
    bundle_source *self;
    const th_walker *walker;
    th_hasher *hasher;
    uint64_t position; /* of the next byte to read */
    bool ended; /* of a pinned source: the last block was read */
    uint64_t items; /* elements so far */
    span *open; /* the item whose end is where the next one begins; NULL when it is of no interest */
} bundle_walk;

static theater_status pin(th_source *source, theater_error *reterr)
{
    blocks *pinned = &((bundle_source *)source)->pinned;
    pinned->bytes = th_alloc(BLOCK_BYTES);
    return pinned->bytes ? THEATER_OK : th_fail_memory(reterr, "a block of a bundle");
}

static theater_status note_block(blocks *pinned, const th_hash *hash, theater_error *reterr)
{
    th_hash *hashes = grow(pinned->hashes, pinned->count, &pinned->capacity, sizeof *hashes);
    if (!hashes)
        return th_fail_memory(reterr, "the hashes of a bundle");
    pinned->hashes = hashes;
    hashes[pinned->count++] = *hash;
    return THEATER_OK;
}

/* The next block of a pinned source, noted or compared. */
static theater_status read_block(bundle_walk *walk, theater_error *reterr)
{
    bundle_source *self = walk->self;
    blocks *pinned = &self->pinned;
    size_t number = (size_t)(walk->position / BLOCK_BYTES);
    pinned->used = pinned->size = 0;
    theater_status status =
        th_file_read(self->file, walk->position, pinned->bytes, BLOCK_BYTES, &pinned->size, reterr);
    if (status)
        return status;
    th_hash hash;
    th_sha256_of(walk->hasher, th_slice_of(pinned->bytes, pinned->size), &hash);
    if (!pinned->whole)
        return note_block(pinned, &hash, reterr);
    return number < pinned->count && th_hash_equal(&hash, &pinned->hashes[number]) ? THEATER_OK
                                                                                  : changed(self, reterr);
}

static theater_status read_pinned(bundle_walk *walk, uint8_t *out, size_t size, size_t *ret_size,
                                  theater_error *reterr)
{
    blocks *pinned = &walk->self->pinned;
    theater_status status = THEATER_OK;
    *ret_size = 0;
    while (!status && *ret_size < size) {
        if (pinned->used == pinned->size) {
            if (walk->position % BLOCK_BYTES != 0 || walk->ended)
                break; /* behind the last block */
            status = read_block(walk, reterr);
            walk->ended = pinned->size < BLOCK_BYTES;
        }
        size_t left = pinned->size - pinned->used, want = size - *ret_size, part = left < want ? left : want;
        if (!status && part > 0)
            memcpy(out + *ret_size, pinned->bytes + pinned->used, part);
        pinned->used += part;
        *ret_size += part;
        walk->position += part;
    }
    return status;
}

static theater_status read_more(void *context, uint8_t *out, size_t size, size_t *ret_size,
                                theater_error *reterr)
{
    bundle_walk *walk = context;
    if (walk->self->pinned.bytes)
        return read_pinned(walk, out, size, ret_size, reterr);
    theater_status status = th_file_read(walk->self->file, walk->position, out, size, ret_size, reterr);
    if (!status)
        walk->position += *ret_size;
    return status;
}

static bundle_chain *last_chain(bundle_source *self)
{
    return &self->chains[self->chain_count - 1];
}

static theater_status note_header(bundle_walk *walk, const th_bundle_item *item, theater_error *reterr)
{
    bundle_source *self = walk->self;
    bundle_chain *chains = grow(self->chains, self->chain_count, &self->chain_capacity, sizeof *chains);
    if (!chains)
        return th_fail_memory(reterr, "the chains of a bundle");
    self->chains = chains;
    bundle_chain *chain = &chains[self->chain_count];
    memset(chain, 0, sizeof *chain);
    memcpy(chain->name, item->actor.data, item->actor.size < TH_NAME_MAX ? item->actor.size : TH_NAME_MAX);
    th_source_chain description = {.place = self->chain_count++};
    memcpy(description.name, chain->name, sizeof chain->name);
    return walk->walker->begin(walk->walker->context, &description, reterr);
}

static theater_status note_component(bundle_walk *walk, const th_bundle_item *item, theater_error *reterr)
{
    bundle_source *self = walk->self;
    component_span *components =
        grow(self->components, self->component_count, &self->component_capacity, sizeof *components);
    if (!components)
        return th_fail_memory(reterr, "the components of a bundle");
    self->components = components;
    component_span *entry = &components[self->component_count++];
    th_sha256_of(walk->hasher, item->component, &entry->hash);
    entry->span = (span){item->offset, 0};
    walk->open = &entry->span;
    return walk->walker->component(walk->walker->context, item->component, reterr);
}

static theater_status note_snapshot(bundle_walk *walk, const th_bundle_item *item, theater_error *reterr)
{
    bundle_chain *chain = last_chain(walk->self);
    snapshot_span *snapshots =
        grow(chain->snapshots, chain->snapshot_count, &chain->snapshot_capacity, sizeof *snapshots);
    if (!snapshots)
        return th_fail_memory(reterr, "the snapshots of a bundle");
    chain->snapshots = snapshots;
    snapshot_span *entry = &snapshots[chain->snapshot_count++];
    *entry = (snapshot_span){item->sequence, {item->offset, 0}};
    walk->open = &entry->span;
    return walk->walker->snapshot(walk->walker->context, item->sequence, item->state, reterr);
}

static theater_status note_element(bundle_walk *walk, const th_bundle_item *item, theater_error *reterr)
{
    bundle_chain *chain = last_chain(walk->self);
    span *elements = grow(chain->elements, chain->element_count, &chain->element_capacity, sizeof *elements);
    if (!elements)
        return th_fail_memory(reterr, "the elements of a bundle");
    chain->elements = elements;
    walk->open = &elements[chain->element_count++];
    *walk->open = (span){item->offset, 0};
    th_source_element element = {item->element, item->payloads};
    theater_status status = walk->walker->element(walk->walker->context, &element, reterr);
    const th_walker *walker = walk->walker;
    /* How many elements there will be is not known before the end: guessed from the bytes. */
    if (!status && ++walk->items % 1024 == 0 && walker->progress && item->offset > 0)
        walker->progress(walker->context, walk->items,
                         (uint64_t)((double)walk->items * (double)walk->self->size / (double)item->offset));
    return status;
}

static int compare_snapshots(const void *left, const void *right)
{
    const snapshot_span *a = left, *b = right;
    return (a->sequence > b->sequence) - (a->sequence < b->sequence);
}

/* The chain that was read last is whole. A bundle may have its snapshots in any order behind their elements. */
static theater_status end_chain(bundle_walk *walk, theater_error *reterr)
{
    bundle_chain *chain = last_chain(walk->self);
    if (chain->snapshot_count > 0)
        qsort(chain->snapshots, chain->snapshot_count, sizeof *chain->snapshots, compare_snapshots);
    return walk->walker->end(walk->walker->context, reterr);
}

static theater_status take_item(bundle_walk *walk, const th_bundle_item *item, theater_error *reterr)
{
    const th_walker *walker = walk->walker;
    theater_status status = THEATER_OK;
    if (walk->open)
        walk->open->size = item->offset - walk->open->offset;
    walk->open = NULL;
    switch (item->kind) {
    case TH_BUNDLE_HEADER:
        if (walk->self->chain_count > 0)
            status = end_chain(walk, reterr);
        return status ? status : note_header(walk, item, reterr);
    case TH_BUNDLE_COMPONENT:
        return note_component(walk, item, reterr);
    case TH_BUNDLE_SNAPSHOT:
        return note_snapshot(walk, item, reterr);
    case TH_BUNDLE_ELEMENT:
        return note_element(walk, item, reterr);
    case TH_BUNDLE_CHECKPOINT:
        return walker->checkpoint(walker->context, item->text, reterr);
    case TH_BUNDLE_KEY:
        return walker->key(walker->context, item->text, reterr);
    }
    return th_fail(reterr, THEATER_CORRUPT, "an item of unknown kind %d", (int)item->kind);
}

/* The words of damage in the file's frame say behind which element it lies. */
static theater_status name_damage(bundle_source *self, theater_status status, theater_error *reterr)
{
    if (status != THEATER_CORRUPT && status != THEATER_VERSION && status != THEATER_TOO_LARGE)
        return status;
    if (self->chain_count == 0)
        return th_fail_in(reterr, status, "bundle %s", self->path);
    const bundle_chain *chain = last_chain(self);
    if (chain->element_count == 0)
        return th_fail_in(reterr, status, "bundle %s, before element 0 of actor %s", self->path, chain->name);
    return th_fail_in(reterr, status, "bundle %s, behind element %zu of actor %s", self->path,
                      chain->element_count - 1, chain->name);
}

static theater_status walk_items(bundle_walk *walk, th_bundle_reader *reader, theater_error *reterr)
{
    bundle_source *self = walk->self;
    for (;;) {
        th_bundle_item item;
        bool more;
        theater_status status = th_bundle_reader_next(reader, &item, &more, reterr);
        if (status)
            return name_damage(self, status, reterr);
        if (!more)
            break;
        status = take_item(walk, &item, reterr);
        if (status)
            return status;
    }
    if (walk->open)
        walk->open->size = walk->position - walk->open->offset;
    if (self->chain_count == 0)
        return th_fail(reterr, THEATER_CORRUPT, "bundle %s is empty", self->path);
    theater_status status = end_chain(walk, reterr);
    if (!status && walk->walker->progress)
        walk->walker->progress(walk->walker->context, walk->items, walk->items);
    return status;
}

static theater_status walk_bundle(th_source *source, const th_walker *walker, theater_error *reterr)
{
    bundle_walk walk = {.self = (bundle_source *)source, .walker = walker};
    forget(walk.self);
    walk.self->pinned.used = walk.self->pinned.size = 0;
    theater_status status = th_file_size(walk.self->file, &walk.self->size, reterr);
    if (!status)
        status = th_hasher_new(&walk.hasher, reterr);
    th_bundle_reader *reader = NULL;
    if (!status)
        status = th_bundle_reader_new(read_more, &walk, TH_READ_MAX, &reader, reterr);
    if (!status)
        status = walk_items(&walk, reader, reterr);
    walk.self->pinned.whole = walk.self->pinned.whole || (walk.self->pinned.bytes && !status);
    th_bundle_reader_free(reader);
    th_hasher_free(walk.hasher);
    return status;
}

static const th_source_operations operations = {
    close_source, walk_bundle, pin, read_element, NULL, NULL, read_snapshot, read_binary, NULL, list_names,
};

theater_status th_source_open_bundle(const char *path, th_source **ret, theater_error *reterr)
{
    bundle_source *self = th_alloc_zero(1, sizeof *self);
    size_t size = strlen(path) + 1;
    char *copy = th_alloc(size);
    if (!self || !copy) {
        th_free(self);
        th_free(copy);
        return th_fail_memory(reterr, "a bundle");
    }
    memcpy(copy, path, size);
    theater_status status = th_file_open(th_port_system(), path, TH_FILE_READ, &self->file, reterr);
    if (status) {
        th_free(self);
        th_free(copy);
        return status;
    }
    self->path = copy;
    self->source.path = copy;
    self->source.operations = &operations;
    *ret = &self->source;
    return THEATER_OK;
}
