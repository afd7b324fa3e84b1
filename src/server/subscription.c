#include <stdio.h>

#include "runtime/subscribe.h"
#include "server/feed.h"

#define CATCH_UP_EVENTS 128
#define CATCH_UP_BYTES ((size_t)1 << 20)

/* ---- the lists of live ones ---------------------------------------------------------------------------- */

static void unlink_live(th_subscription *self)
{
    if (!self->live)
        return;
    self->live = false;
    if (self->prev)
        self->prev->next_in_list = self->next_in_list;
    else
        *self->list = self->next_in_list;
    if (self->next_in_list)
        self->next_in_list->prev = self->prev;
    th_feed *feed = self->server->feed;
    if (feed->at == self)
        feed->at = self->next_in_list;
    self->prev = NULL;
}

static void link_live(th_subscription *self)
{
    th_feed *feed = self->server->feed;
    self->list = self->all ? &feed->all : &feed->by_actor[self->actor_id % TH_FEED_BUCKETS];
    self->live = true;
    self->prev = NULL;
    self->next_in_list = *self->list;
    if (self->next_in_list)
        self->next_in_list->prev = self;
    *self->list = self;
}

/* ---- giving -------------------------------------------------------------------------------------------- */

static void give(th_subscription *self, const th_news *event)
{
    self->next = (self->all ? event->number : event->sequence) + 1;
    self->server->figures.events_sent++;
    self->listener.deliver(self->listener.context, event);
}

void th_subscription_offer(th_subscription *self, th_news *event)
{
    uint64_t place = self->all ? event->number : event->sequence;
    if (self->closed || place < self->next)
        return;
    bool gap = !self->all && place > self->next;
    if (!gap && self->listener.has_room(self->listener.context)) {
        give(self, event);
        return;
    }
    unlink_live(self);
    if (gap)
        th_subscription_pump(self);
}

/* Whether it is live now: all from `floor` on was given or is in the ring. */
static bool go_live(th_subscription *self)
{
    th_feed *feed = self->server->feed;
    if (feed->scanned > self->floor && feed->ring_from > self->floor)
        return false;
    for (size_t i = 0; i < feed->ring_count && !self->closed; i++) {
        th_news *event = feed->ring[(feed->ring_first + i) % TH_RING_EVENTS];
        uint64_t place = self->all ? event->number : event->sequence;
        if ((!self->all && event->actor_id != self->actor_id) || place < self->next)
            continue;
        if (!self->listener.has_room(self->listener.context))
            return false;
        give(self, event);
    }
    if (!self->closed)
        link_live(self);
    return true;
}

/* ---- catching up, on the pool -------------------------------------------------------------------------- */

typedef struct collector {
    th_subscription *self;
    th_news **end;
    size_t count, bytes;
    bool failed;
} collector;

static bool collect(void *context, const theater_log_element *element)
{
    collector *into = context;
    if (into->count >= CATCH_UP_EVENTS || into->bytes >= CATCH_UP_BYTES)
        return false;
    th_news *event = th_news_new(element);
    into->failed = !event;
    if (!event)
        return false;
    *into->end = event;
    into->end = &event->next;
    into->count++;
    into->bytes += event->json.size;
    return true;
}

static theater_status resolve(th_subscription *self, theater_folder *folder, uint64_t *ret_elements,
                              theater_error *reterr)
{
    theater_actor_info info;
    char id[TH_SEGMENT_MAX + 24];
    /* By its id once that is known: the name may go to another. */
    if (self->resolved)
        snprintf(id, sizeof id, "%s#%llu", self->actor, (unsigned long long)self->actor_id);
    theater_status status = theater_folder_actor(folder, self->resolved ? id : self->actor, &info, reterr);
    if (status == THEATER_INVALID_ARGUMENT)
        status = th_fail(reterr, THEATER_NOT_FOUND, "there is no actor of that name");
    if (status)
        return status;
    *ret_elements = info.elements;
    if (!self->resolved) {
        self->actor_id = info.id;
        snprintf(self->actor, sizeof self->actor, "%s", info.name);
        if (!self->has_from)
            self->next = info.elements;
    }
    return THEATER_OK;
}

static theater_status read_actor(th_subscription *self, theater_folder *folder, collector *into,
                                 theater_error *reterr)
{
    uint64_t elements = 0;
    theater_status status = resolve(self, folder, &elements, reterr);
    uint64_t sequence = self->next;
    bool more = true;
    while (!status && more && sequence < elements) {
        theater_log_element element = {.actor_id = self->actor_id, .actor = self->actor};
        status = theater_element_read(folder, self->actor_id, sequence, &element.element, reterr);
        if (status)
            break;
        more = collect(into, &element);
        theater_element_free(&element.element);
        sequence += more;
    }
    self->caught_up = sequence >= elements;
    return status;
}

static theater_status read_all(th_subscription *self, theater_folder *folder, collector *into,
                               theater_error *reterr)
{
    if (!self->resolved && !self->has_from)
        self->next = self->floor;
    if (self->next >= self->floor) {
        self->caught_up = true;
        return THEATER_OK;
    }
    theater_log_range range = {self->next, self->floor, CATCH_UP_BYTES};
    uint64_t next = self->next;
    theater_status status = theater_log_scan(folder, &range, collect, into, &next, reterr);
    self->caught_up = !status && next >= self->floor;
    if (!into->count && !status)
        self->next = next; /* records that are no elements */
    return status;
}

static void work_catch_up(uv_work_t *work)
{
    th_subscription *self = work->data;
    collector into = {.self = self, .end = &self->events};
    theater_folder *folder = NULL;
    /* Before the folder is refreshed, so that the folder has all that is before it. */
    self->floor = th_runtime_committed(self->server->runtime);
    theater_status status = th_folders_get(self->server, &folder, &self->error);
    if (!status)
        status = self->all ? read_all(self, folder, &into, &self->error)
                           : read_actor(self, folder, &into, &self->error);
    if (!status && into.failed)
        status = th_fail_memory(&self->error, "an event");
    self->error.status = status; /* an error that a callee got over may have filled it */
    th_folders_put(self->server, folder);
}

/* ---- on the loop --------------------------------------------------------------------------------------- */

static void free_events(th_subscription *self)
{
    while (self->events) {
        th_news *event = self->events;
        self->events = event->next;
        th_news_unref(event);
    }
}

static void on_freed(uv_handle_t *handle)
{
    th_free(handle->data);
    th_free(handle);
}

/* Frees it when the loop comes round again: somebody may walk a list that it stood in. */
static void free_later(th_subscription *self)
{
    th_server *server = self->server;
    free_events(self);
    uv_idle_t *idle = th_alloc_zero(1, sizeof *idle);
    if (!idle)
        return; /* lost, rather than used when freed */
    uv_idle_init(&server->loop, idle);
    idle->data = self;
    uv_close((uv_handle_t *)idle, on_freed);
}

static void after_catch_up(uv_work_t *work, int result)
{
    (void)result;
    th_subscription *self = work->data;
    th_server *server = self->server;
    server->works--;
    if (self->closed) {
        self->working = false;
        free_later(self);
        th_drain_continue(server);
        return;
    }
    if (self->error.status) {
        self->listener.failed(self->listener.context, &self->error);
    } else {
        if (!self->resolved)
            self->listener.opened(self->listener.context);
        self->resolved = true;
    }
    while (self->events && !self->closed) {
        th_news *event = self->events;
        self->events = event->next;
        give(self, event);
        th_news_unref(event);
    }
    /* `working` stays set meanwhile: what is given may make room, and that must not begin another round. */
    bool live = !self->closed && !self->error.status && self->caught_up && go_live(self);
    self->working = false;
    if (self->closed)
        free_later(self);
    else if (!self->error.status && !live)
        th_subscription_pump(self);
    th_drain_continue(server);
}

void th_subscription_pump(th_subscription *self)
{
    th_server *server = self->server;
    if (self->live || self->working || self->closed || self->error.status || server->draining ||
        (self->resolved && !self->listener.has_room(self->listener.context)))
        return;
    self->working = true;
    self->work.data = self;
    server->works++;
    uv_queue_work(&server->loop, &self->work, work_catch_up, after_catch_up);
}

theater_status th_subscription_new(th_server *server, const th_subscription_request *request,
                                   const th_listener *listener, th_subscription **ret, theater_error *reterr)
{
    if (server->feed->listeners >= TH_SUBSCRIPTIONS_MAX)
        return th_fail(reterr, THEATER_BUSY, "there are %d subscriptions already", TH_SUBSCRIPTIONS_MAX);
    th_subscription *self = th_alloc_zero(1, sizeof *self);
    if (!self)
        return th_fail_memory(reterr, "a subscription");
    self->server = server;
    self->listener = *listener;
    self->all = !request->actor;
    self->has_from = request->has_from;
    self->next = request->from;
    if (request->actor)
        snprintf(self->actor, sizeof self->actor, "%s", request->actor);
    *ret = self;
    th_feed_joined(server->feed);
    th_subscription_pump(self);
    return THEATER_OK;
}

void th_subscription_close(th_subscription *self)
{
    if (self->closed)
        return;
    self->closed = true;
    unlink_live(self);
    th_feed_left(self->server->feed);
    if (!self->working)
        free_later(self);
}
