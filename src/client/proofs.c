/* Checkpoints, keys, proofs; bundles out and in. */
#include "client/internal.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static theater_status text(th_client *client, const char *method, const char *path, const char *type,
                           th_slice body, theater_bytes *ret, theater_error *reterr)
{
    th_call call = {.method = method, .path = path, .type = type, .body = body};
    theater_status status = th_call_run(client, &call, reterr);
    if (!status)
        *ret = th_buf_take(&call.answer);
    th_call_done(&call);
    return status;
}

theater_status th_client_checkpoint(th_client *client, const char *name, theater_bytes *ret_note,
                                    theater_error *reterr)
{
    char path[TH_PATH_MAX];
    theater_status status = th_actor_path(path, name, reterr, "/checkpoints");
    return status ? status : text(client, "POST", path, NULL, (th_slice){0}, ret_note, reterr);
}

theater_status th_client_key(th_client *client, const char *name, theater_bytes *ret, theater_error *reterr)
{
    char path[TH_PATH_MAX];
    theater_status status = th_actor_path(path, name, reterr, "/key");
    return status ? status : text(client, "GET", path, NULL, (th_slice){0}, ret, reterr);
}

theater_status th_client_prove_inclusion(th_client *client, const char *name, uint64_t sequence,
                                         theater_slice note, theater_bytes *ret, theater_error *reterr)
{
    char path[TH_PATH_MAX];
    theater_status status =
        th_actor_path(path, name, reterr, "/elements/%llu/proof", (unsigned long long)sequence);
    if (status)
        return status;
    return note.size > 0 ? text(client, "POST", path, "text/plain", note, ret, reterr)
                         : text(client, "GET", path, NULL, note, ret, reterr);
}

/* The older checkpoint is the body, and the newer one stands behind it, where one is given. */
theater_status th_client_prove_consistency(th_client *client, const char *name, theater_slice older,
                                           theater_slice newer, theater_bytes *ret, theater_error *reterr)
{
    char path[TH_PATH_MAX];
    th_buf body;
    th_buf_init(&body, TH_PROBLEM_MAX * 4);
    theater_status status = newer.size > 0
                                ? th_actor_path(path, name, reterr, "/consistency?older=%zu", older.size)
                                : th_actor_path(path, name, reterr, "/consistency");
    if (!status)
        status = th_buf_append(&body, older, reterr);
    if (!status)
        status = th_buf_append(&body, newer, reterr);
    if (!status)
        status = text(client, "POST", path, "text/plain", th_buf_slice(&body), ret, reterr);
    th_buf_done(&body);
    return status;
}

/* ---- bundles ------------------------------------------------------------------------------------------- */

typedef struct receiver {
    const th_client_bundle *spec;
    int fd, failure;
    uint64_t bytes;
} receiver;

static bool on_bytes(void *context, const th_call *call, th_slice bytes)
{
    receiver *self = context;
    while (bytes.size > 0) {
        ssize_t wrote = write(self->fd, bytes.data, bytes.size);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0) {
            self->failure = errno;
            return false;
        }
        bytes = th_slice_of(bytes.data + wrote, bytes.size - (size_t)wrote);
        self->bytes += (uint64_t)wrote;
    }
    if (self->spec->progress)
        self->spec->progress(self->spec->context, self->bytes, call->headers.bundle_size);
    return true;
}

/* "/v1/bundle?actors=a,b&payloads=false": one path for one chain, several, or all. Ends with a zero. */
static theater_status bundle_path(th_buf *out, const th_client_bundle *spec, theater_error *reterr)
{
    theater_status status = th_buf_append(out, th_slice_text("/v1/bundle?"), reterr);
    for (size_t i = 0; !status && i < spec->count; i++) {
        char escaped[512];
        char checked[TH_PATH_MAX];
        status = th_actor_path(checked, spec->names[i], reterr, "%s", "");
        if (!status)
            status = th_escape(th_slice_text(spec->names[i]), escaped, sizeof escaped, reterr);
        if (!status)
            status = th_buf_printf(out, reterr, "%s%s", i ? "," : "actors=", escaped);
    }
    if (!status)
        status = th_buf_printf(out, reterr, "%s%s%s%s", spec->count ? "&" : "",
                               spec->without_payloads ? "payloads=false&" : "",
                               spec->without_components ? "components=false&" : "",
                               spec->without_snapshots ? "snapshots=false&" : "");
    return status ? status : th_buf_append_byte(out, 0, reterr);
}

theater_status th_client_export(th_client *client, const th_client_bundle *spec, int fd,
                                theater_error *reterr)
{
    receiver self = {.spec = spec, .fd = fd};
    th_buf path;
    th_buf_init(&path, (size_t)1 << 20);
    theater_status status = bundle_path(&path, spec, reterr);
    if (!status) {
        th_call call = {.method = "GET", .path = (const char *)path.data, .sink = on_bytes, .context = &self};
        status = th_call_run(client, &call, reterr);
        if (!status && self.failure)
            status = th_fail(reterr, self.failure == ENOSPC ? THEATER_NO_SPACE : THEATER_IO,
                             "the bundle cannot be written: %s", strerror(self.failure));
        if (!status && call.headers.bundle_size && call.headers.bundle_size != self.bytes)
            status = th_fail(reterr, THEATER_IO, "the server at %s sent %llu of the bundle's %llu bytes",
                             client->server, (unsigned long long)self.bytes,
                             (unsigned long long)call.headers.bundle_size);
        th_call_done(&call);
    }
    th_buf_done(&path);
    return status;
}

theater_status th_client_import(th_client *client, theater_slice bundle, const char *name,
                                theater_error *reterr)
{
    char path[TH_PATH_MAX] = "/v1/archives", escaped[512];
    theater_status status = THEATER_OK;
    if (name) {
        status = th_escape(th_slice_text(name), escaped, sizeof escaped, reterr);
        if (!status)
            snprintf(path, sizeof path, "/v1/archives?name=%s", escaped);
    }
    if (status)
        return status;
    th_call call = {.method = "POST", .path = path, .type = "application/vnd.theater.bundle", .body = bundle};
    status = th_call_run(client, &call, reterr);
    th_call_done(&call);
    return status;
}
