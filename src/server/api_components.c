/* Components: uploaded ones stand in FOLDER/components/HASH.wasm, those that actors use stand in the log. */
#include <stdio.h>

#include "crypto/sha256.h"
#include "server/internal.h"

#define PATH_SIZE 4200
#define COMPONENT_MAX ((size_t)1 << 30)
#define LIST_MAX 10000

static void component_path(const th_server *server, const char *hex, char out[PATH_SIZE])
{
    snprintf(out, PATH_SIZE, "%s/components%s%s%s", server->options.runtime.folder, hex ? "/" : "",
             hex ? hex : "", hex ? ".wasm" : "");
}

static theater_status read_uploaded(th_server *server, const char *hex, const theater_hash *hash,
                                    theater_bytes *ret, theater_error *reterr)
{
    char path[PATH_SIZE];
    component_path(server, hex, path);
    th_buf binary;
    th_buf_init(&binary, COMPONENT_MAX);
    theater_status status = th_port_read_file(th_port_system(), path, COMPONENT_MAX, &binary, reterr);
    th_hasher *hasher = NULL;
    theater_hash found;
    if (!status)
        status = th_hasher_new(&hasher, reterr);
    if (!status) {
        th_sha256_of(hasher, th_buf_slice(&binary), &found);
        if (!th_hash_equal(&found, hash))
            status = th_fail(reterr, THEATER_CORRUPT, "%s is not the component that was uploaded", path);
    }
    th_hasher_free(hasher);
    if (!status)
        *ret = th_buf_take(&binary);
    th_buf_done(&binary);
    return status;
}

theater_status th_component_get(th_server *server, theater_folder *folder, const char *hex,
                                theater_bytes *ret, theater_error *reterr)
{
    theater_hash hash;
    char canonical[65];
    if (strlen(hex) != 64 || !th_hex_decode(hex, 64, hash.bytes, sizeof hash.bytes))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "a component is named by its SHA-256: 64 hex digits");
    th_hex_encode(th_slice_of(hash.bytes, 32), canonical);
    theater_status status = read_uploaded(server, canonical, &hash, ret, reterr);
    if (status == THEATER_NOT_FOUND)
        status = theater_component_read(folder, &hash, ret, reterr);
    return status;
}

void th_work_component_get(th_exchange *x, theater_folder *folder)
{
    theater_bytes binary;
    theater_error error = {0};
    if (th_component_get(x->server, folder, x->segments[0], &binary, &error)) {
        th_reply_error(x, &error);
        return;
    }
    if (!th_reply_etag(x, x->segments[0]))
        th_reply_text(x, 200, "application/wasm", th_slice_of(binary.data, binary.size));
    theater_bytes_free(&binary);
}

/* Durable when it returns OK. */
static theater_status keep(th_server *server, const theater_hash *hash, th_slice binary,
                           theater_error *reterr)
{
    char path[PATH_SIZE], hex[65];
    th_port *port = th_port_system();
    component_path(server, NULL, path);
    theater_status status = th_port_make_folder(port, path, reterr);
    if (!status)
        status = th_port_sync_folder(port, server->options.runtime.folder, reterr);
    th_hex_encode(th_slice_of(hash->bytes, 32), hex);
    component_path(server, hex, path);
    if (!status)
        status = th_port_replace_file(port, path, 0, binary, reterr);
    return status;
}

void th_work_component_add(th_exchange *x, theater_folder *folder)
{
    (void)folder;
    theater_hash hash;
    theater_error error = {0};
    theater_status status =
        theater_component_check(x->server->runtime, th_buf_slice(&x->body), &hash, &error);
    if (!status) {
        th_mutex_lock(&x->server->files_lock);
        status = keep(x->server, &hash, th_buf_slice(&x->body), &error);
        th_mutex_unlock(&x->server->files_lock);
    }
    if (status) {
        th_reply_error(x, &error);
        return;
    }
    char hex[65];
    th_hex_encode(th_slice_of(hash.bytes, 32), hex);
    th_reply_header(x, "Location: /v1/components/%s", hex);
    th_json json = th_reply_json(x, 201);
    th_json_open(&json, '{');
    th_json_field_hash(&json, "hash", &hash);
    th_json_field_uint(&json, "size", x->body.size);
    th_json_close(&json, '}');
    th_reply_json_end(x, &json);
}

/* ---- the list ------------------------------------------------------------------------------------------ */

typedef struct entry {
    theater_hash hash;
    bool uploaded;
    uint64_t actors;
} entry;

typedef struct listing {
    entry *entries;
    size_t count;
} listing;

static entry *find(listing *self, const theater_hash *hash)
{
    for (size_t i = 0; i < self->count; i++)
        if (th_hash_equal(&self->entries[i].hash, hash))
            return &self->entries[i];
    if (self->count == LIST_MAX)
        return NULL;
    self->entries[self->count] = (entry){.hash = *hash};
    return &self->entries[self->count++];
}

static bool add_file(void *context, const char *name)
{
    theater_hash hash;
    entry *found = NULL;
    if (strlen(name) == 69 && strcmp(name + 64, ".wasm") == 0 && th_hex_decode(name, 64, hash.bytes, 32))
        found = find(context, &hash);
    if (found)
        found->uploaded = true;
    return true;
}

static bool add_actor(void *context, const theater_actor_info *info)
{
    entry *found = info->elements ? find(context, &info->component) : NULL;
    if (found)
        found->actors++;
    return true;
}

void th_work_component_list(th_exchange *x, theater_folder *folder)
{
    char path[PATH_SIZE];
    theater_error error = {0};
    listing self = {.entries = th_alloc(LIST_MAX * sizeof(entry))};
    theater_status status = self.entries ? THEATER_OK : th_fail_memory(&error, "a list");
    component_path(x->server, NULL, path);
    if (!status)
        status = th_port_list_folder(th_port_system(), path, add_file, &self, &error);
    if (status == THEATER_NOT_FOUND)
        status = THEATER_OK;
    if (!status)
        status = theater_folder_actors(folder, add_actor, &self, &error);
    th_json json = th_reply_json(x, 200);
    th_json_open(&json, '{');
    th_json_key(&json, "components");
    th_json_open(&json, '[');
    for (size_t i = 0; i < self.count; i++) {
        th_json_open(&json, '{');
        th_json_field_hash(&json, "hash", &self.entries[i].hash);
        th_json_key(&json, "uploaded");
        th_json_bool(&json, self.entries[i].uploaded);
        th_json_field_uint(&json, "actors", self.entries[i].actors);
        th_json_close(&json, '}');
    }
    th_json_close(&json, ']');
    th_json_close(&json, '}');
    th_free(self.entries);
    if (status)
        th_reply_error(x, &error);
    else
        th_reply_json_end(x, &json);
}
