/* Taking the chains of a bundle in as archives: read-only, with an id of their own, never run.
 *
 * An import that was cut off leaves the beginning of an archive; importing the same bundle again goes on
 * where it ended. Two that went on with one archive at the same time would write its elements twice, so imports and
 * removals of archives go one after the other. */
#include "chain/log_tree.h"
#include "runtime/core.h"
#include "theater/folder_internal.h"
#include "theater/pass.h"

#define BATCH_BYTES ((size_t)8 << 20) /* records of one commit */

typedef struct import_run {
    theater_runtime *runtime;
    const char *rename; /* NULL: names as in the bundle */
    th_hasher *hasher;
    th_batch *batch;
    char name[TH_NAME_MAX + 1]; /* of the chain being read */
    uint64_t id;
    bool known; /* the archive is there already, up to `skip` elements */
    uint64_t skip, elements;
    uint64_t added; /* elements, over all chains */
    th_hash last; /* of the element read last */
    th_log_tree tree;
} import_run;

static theater_status flush(import_run *run, theater_error *reterr)
{
    if (run->batch->record_count == 0)
        return THEATER_OK;
    th_batch *batch = run->batch;
    run->batch = th_batch_new();
    if (!run->batch) {
        th_batch_free(batch);
        return th_fail_memory(reterr, "an import");
    }
    return th_runtime_commit(run->runtime, batch, reterr);
}

static theater_status add(import_run *run, const th_record *record, theater_error *reterr)
{
    theater_status status = th_batch_add(run->batch, record, reterr);
    if (!status && run->batch->bytes.size >= BATCH_BYTES)
        status = flush(run, reterr);
    return status;
}

static theater_status begin(void *context, const th_source_chain *chain, theater_error *reterr)
{
    import_run *run = context;
    const char *name = run->rename ? run->rename : chain->name;
    memcpy(run->name, name, strlen(name) + 1);
    run->id = 0;
    run->elements = 0;
    th_log_tree_init(&run->tree);
    return THEATER_OK;
}

typedef struct archive_search {
    const char *name;
    const th_hash *genesis;
    th_actor_info found;
} archive_search;

static bool is_archive(void *context, const th_actor_info *info)
{
    archive_search *search = context;
    if (info->status == TH_ACTOR_ARCHIVE && info->elements > 0 && strcmp(info->name, search->name) == 0 &&
        th_hash_equal(&info->genesis_hash, search->genesis))
        search->found = *info;
    return true;
}

/* The first element says whether the archive is there already. */
static theater_status find_or_make(import_run *run, const th_hash *genesis, theater_error *reterr)
{
    archive_search search = {.name = run->name, .genesis = genesis};
    theater_status status = th_runtime_wait_index(run->runtime, reterr);
    if (!status)
        status = th_store_list_actors(run->runtime->store, 0, is_archive, &search, reterr);
    if (status)
        return status;
    run->known = search.found.id != 0;
    run->skip = search.found.elements;
    run->id = run->known ? search.found.id : th_runtime_take_actor_id(run->runtime);
    if (run->known)
        return THEATER_OK;
    th_record record = {.kind = TH_RECORD_LIFE, .actor = run->id};
    record.life.life = TH_LIFE_IMPORTED;
    record.life.time_ns = th_port_wall_ns(run->runtime->port);
    record.life.name = th_slice_text(run->name);
    return add(run, &record, reterr);
}

/* What is here already and is not read again must be the same chain, up to the last element that both have:
 * by its links, all before it are the same, too. */
static theater_status check_known(import_run *run, theater_error *reterr)
{
    th_buf buf;
    th_record record;
    th_buf_init(&buf, (size_t)2 << 30);
    theater_status status =
        th_store_read_element(run->runtime->store, run->id, run->elements - 1, &buf, &record, NULL, reterr);
    bool same = !status && th_hash_equal(&record.element.hash, &run->last);
    th_buf_done(&buf);
    if (status || same)
        return status;
    return th_fail(reterr, THEATER_VERIFY_FAILED,
                   "element %llu of actor %s is not that of the archive here: two histories of one chain",
                   (unsigned long long)run->elements - 1, run->name);
}

static theater_status component(void *context, th_slice binary, theater_error *reterr)
{
    import_run *run = context;
    th_record record = {.kind = TH_RECORD_COMPONENT};
    th_sha256_of(run->hasher, binary, &record.component.hash);
    record.component.binary = binary;
    return th_store_has_component(run->runtime->store, &record.component.hash) ? THEATER_OK
                                                                               : add(run, &record, reterr);
}

static theater_status element(void *context, const th_source_element *source, theater_error *reterr)
{
    import_run *run = context;
    th_record record = {.kind = TH_RECORD_ELEMENT};
    th_element_hash(run->hasher, source->encoding, &record.element.hash);
    if (run->elements == 0) {
        theater_status status = find_or_make(run, &record.element.hash, reterr);
        if (status)
            return status;
    }
    th_log_tree_append(&run->tree, run->hasher, &record.element.hash);
    run->last = record.element.hash;
    if (run->elements++ < run->skip)
        return run->elements == run->skip ? check_known(run, reterr) : THEATER_OK;
    record.actor = run->id;
    record.element.element = source->encoding;
    record.element.input = source->payloads.input.bytes;
    record.element.output = source->payloads.output.bytes;
    record.element.effects = source->payloads.effects.bytes;
    record.element.input_dropped = !source->payloads.input.present;
    record.element.output_dropped = !source->payloads.output.present;
    record.element.effects_dropped = !source->payloads.effects.present;
    run->added++;
    return add(run, &record, reterr);
}

/* Kept where it follows its element at once, as an export writes it: the tree's compact range is known only
 * there. */
static theater_status snapshot(void *context, uint64_t sequence, th_slice state, theater_error *reterr)
{
    import_run *run = context;
    if (sequence + 1 != run->elements || run->elements <= run->skip)
        return THEATER_OK;
    th_buf tree;
    th_buf_init(&tree, 4096);
    theater_status status = th_log_tree_encode(&run->tree, &tree, reterr);
    if (!status) {
        th_record record = {.kind = TH_RECORD_SNAPSHOT, .actor = run->id};
        record.snapshot.sequence = sequence;
        record.snapshot.tree = th_buf_slice(&tree);
        record.snapshot.state = state;
        status = add(run, &record, reterr);
    }
    th_buf_done(&tree);
    return status;
}

/* Keys and checkpoints stay in the bundle: an archive is checked with a key that its user brings. */
static theater_status ignore(void *context, th_slice text, theater_error *reterr)
{
    return THEATER_OK;
}

static theater_status end(void *context, theater_error *reterr)
{
    import_run *run = context;
    theater_status status = run->elements < run->skip ? check_known(run, reterr) : THEATER_OK;
    run->skip = 0;
    return status ? status : flush(run, reterr);
}

static theater_status verify_first(th_source *source, const char *path, const char *name,
                                   theater_error *reterr)
{
    static const theater_check_options options = {0};
    theater_report report = {0};
    th_pass pass = {0};
    theater_status status = th_pass_run(source, true, &options, &pass, &report, reterr);
    th_pass_done(&pass);
    if (status)
        return status;
    if (report.status != THEATER_OK)
        return th_fail(reterr, report.status, "%s: %s", path, report.message);
    if (name && report.chains != 1)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "%s holds %llu chains: a name can be given to one only", path,
                       (unsigned long long)report.chains);
    return THEATER_OK;
}

theater_status theater_import(theater_runtime *runtime, const char *bundle_path, const char *name,
                              theater_error *reterr)
{
    if (name && !th_name_valid(th_slice_text(name)))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "\"%.128s\" is no name", name);
    import_run run = {.runtime = runtime, .rename = name};
    th_source *source = NULL;
    theater_source bundle = {.path = bundle_path};
    theater_status status = th_source_open(&bundle, &source, reterr);
    if (status)
        return status;
    /* What is verified is what is imported. */
    status = th_source_pin(source, reterr);
    if (!status)
        status = verify_first(source, bundle_path, name, reterr);
    if (!status)
        status = th_hasher_new(&run.hasher, reterr);
    if (!status && !(run.batch = th_batch_new()))
        status = th_fail_memory(reterr, "an import");
    const th_walker walker = {.context = &run,
                              .begin = begin,
                              .component = component,
                              .element = element,
                              .snapshot = snapshot,
                              .key = ignore,
                              .checkpoint = ignore,
                              .end = end};
    th_mutex_lock(&runtime->archives_lock);
    if (!status)
        status = th_source_walk(source, &walker, reterr);
    th_mutex_unlock(&runtime->archives_lock);
    if (!status && run.added == 0)
        status = th_fail(reterr, THEATER_EXISTS, "%s: its chains are in this folder already", bundle_path);
    th_batch_free(run.batch);
    th_hasher_free(run.hasher);
    th_source_close(source);
    return status;
}

/* ---- removing ------------------------------------------------------------------------------------------ */

/* Under the lock of the archives. */
static theater_status find_archive(theater_runtime *runtime, const char *name, th_actor_info *ret,
                                   theater_error *reterr)
{
    th_slice base;
    bool has_id;
    uint64_t id = 0;
    if (!th_name_split(name, &base, &has_id, &id) || !th_name_valid(base))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "\"%.140s\" names no archive: NAME or NAME#ID", name);
    theater_status status = th_runtime_wait_index(runtime, reterr);
    if (!status)
        status = has_id ? th_store_find_actor_id(runtime->store, id, ret, reterr)
                        : th_store_find_actor(runtime->store, base, ret, reterr);
    if (!status && !th_slice_equal(th_slice_text(ret->name), base))
        status = THEATER_NOT_FOUND;
    if (status == THEATER_NOT_FOUND)
        return th_fail(reterr, status, "there is no archive %s here", name);
    if (status || ret->status == TH_ACTOR_ARCHIVE)
        return status;
    return th_fail(reterr, THEATER_NOT_FOUND,
                   ret->status == TH_ACTOR_ARCHIVE_REMOVED ? "archive %s#%llu was removed already"
                                                           : "%s#%llu is an actor and no archive",
                   ret->name, (unsigned long long)ret->id);
}

theater_status theater_archive_remove(theater_runtime *runtime, const char *name, theater_error *reterr)
{
    th_actor_info info;
    th_batch *batch = NULL;
    th_mutex_lock(&runtime->archives_lock);
    theater_status status = find_archive(runtime, name, &info, reterr);
    if (!status && !(batch = th_batch_new()))
        status = th_fail_memory(reterr, "a removal");
    if (!status) {
        th_record record = {.kind = TH_RECORD_LIFE, .actor = info.id};
        record.life.life = TH_LIFE_REMOVED;
        record.life.time_ns = th_port_wall_ns(runtime->port);
        status = th_batch_add(batch, &record, reterr);
    }
    if (status)
        th_batch_free(batch);
    else
        status = th_runtime_commit(runtime, batch, reterr);
    th_mutex_unlock(&runtime->archives_lock);
    return status;
}

theater_status theater_remove(theater_runtime *runtime, const char *name, theater_error *reterr)
{
    if (strchr(name, '#'))
        return theater_archive_remove(runtime, name, reterr);
    theater_status status = theater_actor_remove(runtime, name, reterr);
    if (status == THEATER_NOT_FOUND && !theater_archive_remove(runtime, name, NULL))
        status = THEATER_OK;
    return status;
}
