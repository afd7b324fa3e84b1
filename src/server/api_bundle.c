/* Chains as a bundle file: written to the data folder on the pool, then sent piece by piece as the client
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
    server->bundles--;
    server->operations--;
    th_exchange_drop(x);
    th_drain_continue(server);
}

/* ---- on the pool --------------------------------------------------------------------------------------- */

/* The chains that a bundle is to have. */
typedef struct id_list {
    uint64_t *ids;
    size_t count, capacity;
    bool failed;
} id_list;

static bool add_id(void *context, const theater_actor_info *info)
{
    id_list *list = context;
    if (info->elements == 0)
        return true;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 16;
        uint64_t *ids = th_realloc(list->ids, capacity * sizeof *ids);
        list->failed = !ids;
        if (!ids)
            return false;
        list->ids = ids;
        list->capacity = capacity;
    }
    list->ids[list->count++] = info->id;
    return true;
}

/* "a,b#7": each by its name, as far as the request's head reaches. */
static theater_status add_named(char *names, theater_folder *folder, id_list *list, theater_error *reterr)
{
    theater_status status = THEATER_OK;
    char *rest = NULL;
    for (char *name = strtok_r(names, ",", &rest); !status && name; name = strtok_r(NULL, ",", &rest)) {
        theater_actor_info info;
        status = theater_folder_actor(folder, name, &info, reterr);
        if (!status && info.elements == 0)
            status = th_fail(reterr, THEATER_NOT_FOUND, "actor %s has no chain yet", name);
        if (!status)
            add_id(list, &info);
    }
    return status;
}

/* The actor of the path, those of the parameter, or all. */
static theater_status choose(th_exchange *x, theater_folder *folder, id_list *list, theater_error *reterr)
{
    theater_actor_info info;
    theater_status status;
    bool given = false;
    if (strchr(x->route->pattern, '{')) {
        status = th_find_actor(x, folder, &info, reterr);
        if (!status)
            add_id(list, &info);
    } else {
        char *names = th_alloc(TH_HEAD_MAX);
        status = names ? th_exchange_query(x, "actors", names, TH_HEAD_MAX, &given, reterr)
                       : th_fail_memory(reterr, "names");
        if (!status)
            status = given ? add_named(names, folder, list, reterr)
                           : theater_folder_actors(folder, add_id, list, reterr);
        th_free(names);
    }
    if (!status && list->failed)
        status = th_fail_memory(reterr, "a list of actors");
    if (!status && list->count == 0)
        status = th_fail(reterr, THEATER_NOT_FOUND, "there is no chain to export");
    return status;
}

static theater_status read_options(th_exchange *x, theater_export_options *options, theater_error *reterr)
{
    bool payloads = true, components = true, snapshots = true;
    theater_status status = th_exchange_flag(x, "payloads", &payloads, reterr);
    if (!status)
        status = th_exchange_flag(x, "components", &components, reterr);
    if (!status)
        status = th_exchange_flag(x, "snapshots", &snapshots, reterr);
    options->without_payloads = !payloads;
    options->without_components = !components;
    options->without_snapshots = !snapshots;
    return status;
}

static theater_status export_chains(bundle *self, theater_folder *folder, theater_error *reterr)
{
    th_exchange *x = self->x;
    char path[4200];
    id_list list = {0};
    theater_export_options options = {0};
    theater_status status = choose(x, folder, &list, reterr);
    if (!status)
        status = read_options(x, &options, reterr);
    if (!status) {
        options.actor_ids = list.ids;
        options.actor_count = list.count;
        snprintf(path, sizeof path, "%s/export-%d-%llu.tmp", x->server->options.runtime.folder, (int)getpid(),
                 (unsigned long long)self->number);
        status = theater_export(folder, &options, path, reterr);
    }
    th_free(list.ids);
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
        status = export_chains(self, folder, &self->error);
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
    th_reply_header(x, "Content-Disposition: attachment; filename=\"%s.bundle\"",
                    x->segments[0][0] ? x->segments[0] : "chains");
    x->reply.status = 200;
    x->reply.type = "application/vnd.theater.bundle";
    x->on_drain = on_drain;
    th_exchange_begin(x);
    send_piece(self);
}

void th_api_bundle(th_exchange *x)
{
    theater_error error = {0};
    if (x->server->bundles >= TH_BUNDLES_MAX) {
        th_exchange_overloaded(x, "as many bundles as may be are under way; try again in a second");
        return;
    }
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
    x->server->bundles++;
    x->server->works++;
    uv_queue_work(&x->server->loop, &self->work, work_export, after_export);
}

void th_api_bundles(th_exchange *x)
{
    th_api_bundle(x);
}
