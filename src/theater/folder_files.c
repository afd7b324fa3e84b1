/* What stands beside the log in a data folder: the signing key and the compiled forms of components. Both are
 * only read here. */
#include <stdio.h>

#include "chain/checkpoint.h"
#include "runtime/keys.h"
#include "theater/folder_internal.h"

#define PATH_SIZE 4096

/* ---- components ---------------------------------------------------------------------------------------- */

theater_status th_folder_binary(void *context, const th_hash *hash, th_buf *out, theater_error *reterr)
{
    theater_folder *folder = context;
    th_slice binary;
    theater_status status = th_store_read_component(folder->store, hash, out, &binary, reterr);
    if (status == THEATER_NOT_FOUND) {
        char hex[2 * THEATER_HASH_SIZE + 1];
        th_hex_encode(th_slice_of(hash->bytes, sizeof hash->bytes), hex);
        return th_fail(reterr, status, "component %.16s is not in %s", hex, folder->path);
    }
    if (status)
        return status;
    /* The binary stands somewhere in the record that `out` holds. */
    memmove(out->data, binary.data, binary.size);
    out->size = binary.size;
    return THEATER_OK;
}

/* The runtime writes FOLDER/cache/COMPONENT-FINGERPRINT (runtime/cache.h). */
static theater_status read_form(theater_folder *folder, th_hasher *hasher, const th_hash *hash,
                                const char *fingerprint, th_buf *out, theater_error *reterr)
{
    th_hash kept, seen, print;
    char component_hex[2 * THEATER_HASH_SIZE + 1], print_hex[17], path[PATH_SIZE];
    theater_status status =
        th_store_find_compiled(folder->store, hash, th_slice_text(fingerprint), &kept, reterr);
    if (status)
        return status;
    th_sha256_of(hasher, th_slice_text(fingerprint), &print);
    th_hex_encode(th_slice_of(hash->bytes, THEATER_HASH_SIZE), component_hex);
    th_hex_encode(th_slice_of(print.bytes, 8), print_hex);
    snprintf(path, sizeof path, "%s/cache/%s-%s", folder->path, component_hex, print_hex);
    status = th_port_read_file(folder->port, path, TH_READ_MAX, out, reterr);
    if (status)
        return status;
    th_sha256_of(hasher, th_buf_slice(out), &seen);
    return th_hash_equal(&kept, &seen) ? THEATER_OK
                                       : th_fail(reterr, THEATER_CORRUPT, "%s is not what was written", path);
}

theater_status th_folder_compiled(void *context, const th_hash *hash, const char *fingerprint, th_buf *out,
                                  theater_error *reterr)
{
    th_hasher *hasher;
    theater_status status = th_hasher_new(&hasher, reterr);
    if (!status)
        status = read_form(context, hasher, hash, fingerprint, out, reterr);
    th_hasher_free(hasher);
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
    if (info->status == TH_ACTOR_ARCHIVE)
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
