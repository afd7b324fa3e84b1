#include "chain/bundle.h"
#include "port/system.h"
#include "theater/element_internal.h"
#include "theater/folder_internal.h"
#include "theater/part_file.h"
#include "theater/source.h"

#define BUFFER_BYTES ((size_t)1 << 20)

/* A chain that was asked for. */
typedef struct export_chain {
    uint64_t id, elements;
    th_hash genesis;
    size_t order; /* in which it was asked for */
    bool left_out; /* another one holds all of it */
} export_chain;

/* A bundle that is being written. */
typedef struct exporter {
    const theater_export_options *options;
    th_file *file;
    uint64_t offset; /* bytes in the file */
    th_buf buffer; /* bytes that go there next */
    th_bundle_writer writer;
    export_chain *chains; /* as many as actors were named */
    uint64_t done; /* elements of the actors before this one */
} exporter;

static theater_status flush(exporter *self, theater_error *reterr)
{
    if (self->buffer.size == 0)
        return THEATER_OK;
    th_slice bytes = th_buf_slice(&self->buffer);
    theater_status status = th_file_write(self->file, self->offset, &bytes, 1, reterr);
    self->offset += bytes.size;
    th_buf_clear(&self->buffer);
    return status;
}

static theater_status write_parts(void *context, const th_slice *parts, size_t count, theater_error *reterr)
{
    exporter *self = context;
    for (size_t i = 0; i < count; i++) {
        if (self->buffer.size + parts[i].size > BUFFER_BYTES) {
            theater_status status = flush(self, reterr);
            if (status)
                return status;
        }
        theater_status status = THEATER_OK;
        if (parts[i].size > BUFFER_BYTES) {
            status = th_file_write(self->file, self->offset, &parts[i], 1, reterr);
            self->offset += parts[i].size;
        } else {
            status = th_buf_append(&self->buffer, parts[i], reterr);
        }
        if (status)
            return status;
    }
    return THEATER_OK;
}

/* ---- one chain, as the walk gives it ------------------------------------------------------------------- */

static theater_status begin_chain(void *context, const th_source_chain *chain, theater_error *reterr)
{
    exporter *self = context;
    return th_bundle_write_header(&self->writer, th_slice_text(chain->name), reterr);
}

static theater_status put_component(void *context, th_slice component, theater_error *reterr)
{
    exporter *self = context;
    return self->options->without_components ? THEATER_OK
                                             : th_bundle_write_component(&self->writer, component, reterr);
}

static theater_status put_element(void *context, const th_source_element *element, theater_error *reterr)
{
    exporter *self = context;
    static const th_payloads none;
    return th_bundle_write_element(&self->writer, element->encoding,
                                   self->options->without_payloads ? &none : &element->payloads, reterr);
}

static theater_status put_snapshot(void *context, uint64_t sequence, th_slice state, theater_error *reterr)
{
    exporter *self = context;
    return self->options->without_snapshots
               ? THEATER_OK
               : th_bundle_write_snapshot(&self->writer, sequence, state, reterr);
}

static theater_status put_key(void *context, th_slice text, theater_error *reterr)
{
    exporter *self = context;
    return th_bundle_write_key(&self->writer, text, reterr);
}

static theater_status put_checkpoint(void *context, th_slice note, theater_error *reterr)
{
    exporter *self = context;
    return th_bundle_write_checkpoint(&self->writer, note, reterr);
}

static theater_status end_chain(void *context, theater_error *reterr)
{
    (void)context, (void)reterr;
    return THEATER_OK;
}

static void put_progress(void *context, uint64_t done, uint64_t all)
{
    exporter *self = context;
    (void)all;
    self->options->progress(self->options->context, self->done + done, 0);
}

/* ---- which chains -------------------------------------------------------------------------------------- */

/* Copies of one chain side by side, the longest first. */
static int compare_chains(const void *left, const void *right)
{
    const export_chain *a = left, *b = right;
    int order = memcmp(a->genesis.bytes, b->genesis.bytes, sizeof a->genesis.bytes);
    if (order == 0)
        order = (a->elements < b->elements) - (a->elements > b->elements);
    return order ? order : (a->order > b->order) - (a->order < b->order);
}

static int compare_order(const void *left, const void *right)
{
    const export_chain *a = left, *b = right;
    return (a->order > b->order) - (a->order < b->order);
}

/* Whether `part` is how `whole` begins: by their links all elements are the same when the last of `part` is. */
static theater_status check_beginning(theater_folder *folder, const export_chain *part,
                                      const export_chain *whole, theater_error *reterr)
{
    th_actor_info info;
    th_record record;
    th_buf buf;
    th_buf_init(&buf, TH_READ_MAX);
    theater_status status = th_store_find_actor_id(folder->store, part->id, &info, reterr);
    if (!status)
        status =
            th_store_read_element(folder->store, whole->id, part->elements - 1, &buf, &record, NULL, reterr);
    if (!status && !th_hash_equal(&record.element.hash, &info.head_hash))
        status = th_fail(reterr, THEATER_INVALID_ARGUMENT,
                         "%s#%llu and #%llu are two histories of one chain, which no bundle can hold: export "
                         "each to a file of its own",
                         info.name, (unsigned long long)part->id, (unsigned long long)whole->id);
    th_buf_done(&buf);
    return status;
}

/* A bundle holds a chain once. A folder may have it twice, as an actor and as an archive that was imported: then the
 * longer one says all that the other does. */
static theater_status leave_copies_out(exporter *self, theater_folder *folder, theater_error *reterr)
{
    size_t count = self->options->actor_count;
    theater_status status = THEATER_OK;
    qsort(self->chains, count, sizeof *self->chains, compare_chains);
    for (size_t i = 1, whole = 0; !status && i < count; i++) {
        export_chain *chain = &self->chains[i];
        if (th_hash_equal(&chain->genesis, &self->chains[whole].genesis)) {
            chain->left_out = true;
            status = check_beginning(folder, chain, &self->chains[whole], reterr);
        } else {
            whole = i;
        }
    }
    qsort(self->chains, count, sizeof *self->chains, compare_order);
    return status;
}

static theater_status choose(exporter *self, theater_folder *folder, theater_error *reterr)
{
    size_t count = self->options->actor_count;
    self->chains = th_alloc_zero(count, sizeof *self->chains);
    if (!self->chains)
        return th_fail_memory(reterr, "the list of chains");
    for (size_t i = 0; i < count; i++) {
        th_actor_info info;
        theater_status status =
            th_store_find_actor_id(folder->store, self->options->actor_ids[i], &info, reterr);
        if (!status && info.elements == 0)
            status = th_fail(reterr, THEATER_NOT_FOUND, "actor %s has no chain yet", info.name);
        if (status)
            return status;
        self->chains[i] = (export_chain){
            .id = info.id, .elements = info.elements, .genesis = info.genesis_hash, .order = i};
    }
    return leave_copies_out(self, folder, reterr);
}

/* ---- the file ------------------------------------------------------------------------------------------ */

static theater_status write_chain(exporter *self, theater_folder *folder, const export_chain *chain,
                                  theater_error *reterr)
{
    theater_source which = {.folder = folder, .actor_id = chain->id};
    th_source *source;
    theater_status status = th_source_open(&which, &source, reterr);
    if (status)
        return status;
    th_walker walker = {
        .context = self,
        .begin = begin_chain,
        .component = put_component,
        .element = put_element,
        .snapshot = put_snapshot,
        .key = put_key,
        .checkpoint = put_checkpoint,
        .end = end_chain,
        .progress = self->options->progress ? put_progress : NULL,
    };
    status = th_source_walk(source, &walker, reterr);
    th_source_close(source);
    self->done += chain->elements;
    return status;
}

static theater_status write_chains(exporter *self, theater_folder *folder, theater_error *reterr)
{
    th_bundle_writer_init(&self->writer, write_parts, self);
    theater_status status = th_folder_sync_log(folder, reterr);
    if (!status)
        status = choose(self, folder, reterr);
    for (size_t i = 0; !status && i < self->options->actor_count; i++) {
        if (!self->chains[i].left_out)
            status = write_chain(self, folder, &self->chains[i], reterr);
    }
    if (!status)
        status = flush(self, reterr);
    return status ? status : th_file_sync(self->file, reterr);
}

theater_status theater_export(theater_folder *folder, const theater_export_options *options, const char *path,
                              theater_error *reterr)
{
    if (options->actor_count == 0)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "no actor was named for %s", path);
    exporter self = {.options = options};
    th_buf_init(&self.buffer, BUFFER_BYTES);
    th_part_file part;
    theater_status status = th_part_file_open(&part, folder->port, path, reterr);
    self.file = part.file;
    if (!status)
        status = write_chains(&self, folder, reterr);
    status = th_part_file_finish(&part, path, status, reterr);
    th_buf_done(&self.buffer);
    th_free(self.chains);
    return status;
}
