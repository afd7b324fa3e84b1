/* The files of a data folder beside what the store reads: the signing key and the compiled forms of components,
 * which are only read here; and the log's, which are only synced. */
#include "chain/checkpoint.h"
#include "runtime/cache.h"
#include "runtime/keys.h"
#include "theater/folder_internal.h"

/* ---- components ---------------------------------------------------------------------------------------- */

theater_status th_folder_binary(void *context, const th_hash *hash, th_buf *out, theater_error *reterr)
{
    theater_folder *folder = context;
    return th_cache_binary(folder->store, hash, out, reterr);
}

theater_status th_folder_compiled(void *context, const th_hash *hash, const char *fingerprint, th_buf *out,
                                  theater_error *reterr)
{
    theater_folder *folder = context;
    return th_cache_load(folder->store, folder->port, folder->path, hash, fingerprint, out, reterr);
}

/* ---- the log's files ----------------------------------------------------------------------------------- */

#define FILE_NAME_ROOM 32 /* a segment's: 20 digits and ".log" */

/* Names come in ascending order, which is that of the segments: the last one stays. */
static bool keep_newest(void *context, const char *name)
{
    char *newest = context;
    size_t size = strlen(name);
    if (size < FILE_NAME_ROOM && size > 4 && strcmp(name + size - 4, ".log") == 0)
        memcpy(newest, name, size + 1);
    return true;
}

static theater_status sync_file(theater_folder *folder, const char *name, th_buf *path, theater_error *reterr)
{
    th_file *file;
    th_buf_clear(path);
    theater_status status = th_buf_printf(path, reterr, "%s/log/%s", folder->path, name);
    if (!status)
        status = th_buf_append_byte(path, 0, reterr);
    if (!status)
        status = th_file_open(folder->port, (const char *)path->data, TH_FILE_READ, &file, reterr);
    if (status == THEATER_NOT_FOUND)
        return THEATER_OK; /* dropped meanwhile by a writer, who synced it */
    if (status)
        return status;
    status = th_file_sync(file, reterr);
    th_file_close(file);
    /* A medium that cannot be written has nothing left to write. */
    return status == THEATER_READ_ONLY || status == THEATER_INVALID_ARGUMENT ? THEATER_OK : status;
}

/* A segment is made only when all that stands in the ones before is durable (store/journal_append.c, A2), so
 * only the newest can hold what is not. */
theater_status th_folder_sync_log(theater_folder *folder, theater_error *reterr)
{
    char newest[FILE_NAME_ROOM] = "";
    th_buf path;
    th_buf_init(&path, 8192);
    theater_status status = th_buf_printf(&path, reterr, "%s/log", folder->path);
    if (!status)
        status = th_buf_append_byte(&path, 0, reterr);
    if (!status)
        status = th_port_list_folder(folder->port, (const char *)path.data, keep_newest, newest, reterr);
    if (!status && newest[0])
        status = sync_file(folder, newest, &path, reterr);
    th_buf_done(&path);
    return status;
}

/* ---- the key ------------------------------------------------------------------------------------------- */

typedef struct name_search {
    th_buf *into;
    theater_status status;
} name_search;

static bool keep_name(void *context, uint64_t size, const th_hash *head, th_slice note)
{
    (void)size, (void)head;
    name_search *search = context;
    th_checkpoint checkpoint;
    search->status = th_checkpoint_parse(note, &checkpoint, NULL);
    th_buf_clear(search->into);
    if (!search->status)
        search->status = th_buf_append(search->into, checkpoint.name, NULL);
    return search->status == THEATER_OK;
}

/* The log name of a chain: that of its newest checkpoint, which holds the origin; before the first, with the
 * usual origin. */
static theater_status log_name_of(theater_folder *folder, const th_actor_info *info, th_buf *name,
                                  theater_error *reterr)
{
    name_search search = {name, THEATER_OK};
    theater_status status = th_store_list_checkpoints(folder->store, info->id, keep_name, &search, reterr);
    if (!status && search.status)
        status = th_fail(reterr, search.status, "a checkpoint of actor %s does not decode", info->name);
    if (!status && name->size == 0)
        status = th_log_name(th_slice_text(TH_ORIGIN_DEFAULT), th_slice_text(info->name), &info->genesis_hash,
                             name, reterr);
    return status;
}

theater_status th_folder_key(theater_folder *folder, const th_actor_info *info, th_buf *ret,
                             theater_error *reterr)
{
    th_buf_clear(ret);
    if (th_actor_imported(info))
        return th_fail(reterr, THEATER_NOT_FOUND,
                       "actor %s was imported: its key is with whoever runs it, not in %s", info->name,
                       folder->path);
    if (info->elements == 0)
        return th_fail(reterr, THEATER_NOT_FOUND, "actor %s has no chain yet", info->name);
    th_signing_key *key;
    theater_status status = th_keys_open(folder->port, folder->path, false, &key, reterr);
    if (status == THEATER_NOT_FOUND)
        return th_fail(reterr, status, "%s has no key yet: the first \"theater checkpoint NAME\" makes it",
                       folder->path);
    if (status)
        return status;
    th_buf name;
    th_buf_init(&name, TH_LOG_NAME_MAX);
    th_hasher *hasher = NULL;
    status = log_name_of(folder, info, &name, reterr);
    if (!status)
        status = th_hasher_new(&hasher, reterr);
    if (!status)
        status = th_verifier_key_format(hasher, th_buf_slice(&name), th_signing_key_public(key), ret, reterr);
    th_hasher_free(hasher);
    th_buf_done(&name);
    th_signing_key_free(key);
    return status;
}

theater_status theater_verifier_key(theater_folder *folder, uint64_t actor_id, theater_bytes *ret,
                                    theater_error *reterr)
{
    *ret = (theater_bytes){0};
    th_actor_info info;
    th_buf key;
    th_buf_init(&key, TH_VERIFIER_KEY_MAX + 1);
    theater_status status = th_store_find_actor_id(folder->store, actor_id, &info, reterr);
    if (!status)
        status = th_folder_key(folder, &info, &key, reterr);
    if (!status)
        status = th_buf_append_byte(&key, 0, reterr);
    if (!status) {
        *ret = th_buf_take(&key);
        ret->size--; /* the zero behind it is for those who print */
    }
    th_buf_done(&key);
    return status;
}
