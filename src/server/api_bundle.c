/* A chain as a bundle file: written to the data folder on the pool, then sent piece by piece as the client
 * takes it. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/internal.h"

#define PIECE 65536

typedef struct bundle {
    uv_work_t work;
    th_exchange *x; /* held */
    uint64_t number;
    int fd;
    bool reading, gone;
    uint8_t piece[PIECE];
    ssize_t size;
    theater_error error;
} bundle;

static uint64_t next_number;

static void bundle_end(bundle *self)
{
    th_exchange *x = self->x;
    th_server *server = x->server;
    x->on_drain = x->on_gone = NULL;
    x->stream = NULL;
    if (self->fd >= 0)
        close(self->fd);
    th_free(self);
    server->operations--;
    th_exchange_drop(x);
    th_drain_continue(server);
}

/* ---- on the pool --------------------------------------------------------------------------------------- */

static theater_status export_chain(bundle *self, theater_folder *folder, theater_error *reterr)
{
    th_exchange *x = self->x;
    char path[4200];
    theater_actor_info info;
    bool payloads = true, components = true, snapshots = true;
    theater_status status = th_find_actor(x, folder, &info, reterr);
    if (!status)
        status = th_exchange_flag(x, "payloads", &payloads, reterr);
    if (!status)
        status = th_exchange_flag(x, "components", &components, reterr);
    if (!status)
        status = th_exchange_flag(x, "snapshots", &snapshots, reterr);
    if (status)
        return status;
    theater_export_options options = {.actor_ids = &info.id,
                                      .actor_count = 1,
                                      .without_components = !components,
                                      .without_snapshots = !snapshots,
                                      .without_payloads = !payloads};
    snprintf(path, sizeof path, "%s/export-%d-%llu.tmp", x->server->options.runtime.folder, (int)getpid(),
             (unsigned long long)self->number);
    status = theater_export(folder, &options, path, reterr);
    if (status)
        return status;
    self->fd = open(path, O_RDONLY | O_CLOEXEC);
    unlink(path);
    return self->fd >= 0 ? THEATER_OK : th_fail(reterr, THEATER_IO, "the bundle cannot be read back");
}

static void work_export(uv_work_t *work)
{
    bundle *self = work->data;
    theater_folder *folder = NULL;
    theater_status status = th_folders_get(self->x->server, &folder, &self->error);
    if (!status)
        status = export_chain(self, folder, &self->error);
    th_folders_put(self->x->server, folder);
    self->error.status = status; /* an error that a callee got over may have filled it */
    if (!status)
        self->size = read(self->fd, self->piece, sizeof self->piece);
}

static void work_read(uv_work_t *work)
{
    bundle *self = work->data;
    self->size = read(self->fd, self->piece, sizeof self->piece);
}

/* ---- on the loop --------------------------------------------------------------------------------------- */

static void bundle_go_on(bundle *self);

/* Sends the piece. `reading` stays set meanwhile, so that nothing reads over it or frees the bundle. */
static void send_piece(bundle *self)
{
    th_exchange *x = self->x;
    bool last = self->size <= 0;
    if (x->connection && self->size < 0)
        th_connection_close(x->connection); /* so that the client sees that it is not whole */
    if (self->size > 0)
        th_exchange_write(x, th_slice_of(self->piece, (size_t)self->size));
    else
        th_exchange_end(x);
    self->reading = false;
    if (last || !x->connection)
        bundle_end(self);
    else
        bundle_go_on(self);
}

static void after_read(uv_work_t *work, int result)
{
    (void)result;
    bundle *self = work->data;
    self->x->server->works--;
    send_piece(self);
}

static void bundle_go_on(bundle *self)
{
    th_exchange *x = self->x;
    if (self->reading || !x->connection || th_exchange_backlog(x) > TH_WRITE_HIGH)
        return;
    self->reading = true;
    x->server->works++;
    uv_queue_work(&x->server->loop, &self->work, work_read, after_read);
}

static void on_drain(th_exchange *x)
{
    bundle_go_on(x->stream);
}

static void on_gone(th_exchange *x)
{
    bundle *self = x->stream;
    if (!x->connection && !self->reading)
        bundle_end(self);
}

static void after_export(uv_work_t *work, int result)
{
    (void)result;
    bundle *self = work->data;
    th_exchange *x = self->x;
    struct stat info;
    x->server->works--;
    if (!x->connection) {
        bundle_end(self);
        return;
    }
    if (self->error.status) {
        x->on_gone = NULL;
        th_exchange_fail(x, &self->error);
        bundle_end(self);
        return;
    }
    if (fstat(self->fd, &info) == 0)
        th_reply_header(x, "Theater-Bundle-Size: %llu", (unsigned long long)info.st_size);
    th_reply_header(x, "Content-Disposition: attachment; filename=\"%s.bundle\"", x->segments[0]);
    x->reply.status = 200;
    x->reply.type = "application/vnd.theater.bundle";
    x->on_drain = on_drain;
    th_exchange_begin(x);
    send_piece(self);
}

void th_api_bundle(th_exchange *x)
{
    theater_error error = {0};
    bundle *self = th_alloc_zero(1, sizeof *self);
    if (!self) {
        th_fail_memory(&error, "a bundle");
        th_exchange_fail(x, &error);
        return;
    }
    self->x = x;
    self->fd = -1;
    self->number = next_number++;
    self->work.data = self;
    self->reading = true;
    th_exchange_hold(x);
    x->stream = self;
    x->on_gone = on_gone;
    x->server->works++;
    uv_queue_work(&x->server->loop, &self->work, work_export, after_export);
}
