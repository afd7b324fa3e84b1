#include "runtime/cache.h"

#include <stdio.h>

#include "base/log.h"

#define COMPILED_MAX ((size_t)1 << 30)
#define PATH_SIZE 4096

theater_status th_cache_binary(th_store *store, const th_hash *hash, th_buf *out, theater_error *reterr)
{
    th_slice binary;
    theater_status status = th_store_read_component(store, hash, out, &binary, reterr);
    if (status == THEATER_NOT_FOUND) {
        char hex[2 * THEATER_HASH_SIZE + 1];
        th_hex_encode(th_slice_of(hash->bytes, sizeof hash->bytes), hex);
        return th_fail(reterr, status, "component %.16s is not in the log", hex);
    }
    if (status)
        return status;
    /* The binary stands somewhere in the record that `out` holds. */
    memmove(out->data, binary.data, binary.size);
    out->size = binary.size;
    return THEATER_OK;
}

theater_status th_cache_read_binary(void *context, const th_hash *hash, th_buf *out, theater_error *reterr)
{
    theater_runtime *runtime = context;
    return th_cache_binary(runtime->store, hash, out, reterr);
}

static theater_status hash_of(th_slice bytes, th_hash *ret, theater_error *reterr)
{
    th_hasher *hasher;
    theater_status status = th_hasher_new(&hasher, reterr);
    if (!status) {
        th_sha256_of(hasher, bytes, ret);
        th_hasher_free(hasher);
    }
    return status;
}

static theater_status cache_path(const char *folder, const th_hash *hash, const char *fingerprint, char *path,
                                 theater_error *reterr)
{
    th_hash print;
    theater_status status = hash_of(th_slice_text(fingerprint), &print, reterr);
    char component_hex[2 * THEATER_HASH_SIZE + 1], print_hex[17];
    th_hex_encode(th_slice_of(hash->bytes, THEATER_HASH_SIZE), component_hex);
    th_hex_encode(th_slice_of(print.bytes, 8), print_hex);
    snprintf(path, PATH_SIZE, "%s/cache/%s-%s", folder, component_hex, print_hex);
    return status;
}

theater_status th_cache_load(th_store *store, th_port *port, const char *folder, const th_hash *hash,
                             const char *fingerprint, th_buf *out, theater_error *reterr)
{
    th_hash kept, seen;
    char path[PATH_SIZE];
    theater_status status = th_store_find_compiled(store, hash, th_slice_text(fingerprint), &kept, reterr);
    if (!status)
        status = cache_path(folder, hash, fingerprint, path, reterr);
    if (!status)
        status = th_port_read_file(port, path, COMPILED_MAX, out, reterr);
    if (!status)
        status = hash_of(th_buf_slice(out), &seen, reterr);
    if (!status && !th_hash_equal(&kept, &seen)) {
        th_log(TH_LOG_WARN, "%s is not what was written: compiling anew", path);
        status = th_fail(reterr, THEATER_CORRUPT, "%s is not what was written", path);
    }
    return status;
}

theater_status th_cache_read(void *context, const th_hash *hash, th_buf *out, theater_error *reterr)
{
    theater_runtime *runtime = context;
    if (!runtime->folder)
        return th_fail(reterr, THEATER_NOT_FOUND, "there is no cache");
    return th_cache_load(runtime->store, runtime->port, runtime->folder, hash, runtime->machine.fingerprint,
                         out, reterr);
}

static theater_status write_form(theater_runtime *runtime, const th_hash *hash, th_slice compiled,
                                 theater_error *reterr)
{
    char path[PATH_SIZE], folder[PATH_SIZE];
    th_record record = {.kind = TH_RECORD_COMPILED};
    record.compiled.component = *hash;
    record.compiled.fingerprint = th_slice_text(runtime->machine.fingerprint);
    snprintf(folder, sizeof folder, "%s/cache", runtime->folder);
    theater_status status = hash_of(compiled, &record.compiled.hash, reterr);
    if (!status)
        status = cache_path(runtime->folder, hash, runtime->machine.fingerprint, path, reterr);
    if (!status)
        status = th_port_make_folder(runtime->port, folder, reterr);
    if (!status)
        status = th_port_replace_file(runtime->port, path, 0, compiled, reterr);
    if (status)
        return status;
    th_batch *batch = th_batch_new();
    if (!batch)
        return th_fail_memory(reterr, "a record");
    status = th_batch_add(batch, &record, reterr);
    th_mutex_lock(&runtime->lock);
    if (!status && !runtime->resetting && !runtime->health.status && !runtime->closing) {
        th_batch_enqueue(runtime, batch);
        batch = NULL;
    }
    th_mutex_unlock(&runtime->lock);
    th_batch_free(batch);
    return status;
}

void th_cache_write(void *context, const th_hash *hash, th_slice compiled)
{
    theater_runtime *runtime = context;
    theater_error error;
    if (runtime->folder && write_form(runtime, hash, compiled, &error))
        th_log(TH_LOG_WARN, "the compiled form is not kept: %s", error.message);
}
