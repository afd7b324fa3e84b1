#include "server/feed.h"

#include "runtime/subscribe.h"

#define SCAN_BYTES ((uint64_t)4 << 20)

/* ---- events -------------------------------------------------------------------------------------------- */

th_news *th_news_new(const theater_log_element *element)
{
    th_news *event = th_alloc_zero(1, sizeof *event);
    th_buf text;
    th_buf_init(&text, TH_REPLY_MAX);
    th_json json = th_json_begin(&text);
    th_json_open(&json, '{');
    /* Read from one actor's chain it is not known; record 0 is never an element. */
    if (element->number)
        th_json_field_uint(&json, "number", element->number);
    th_json_field_string(&json, "actor", element->actor);
    th_json_field_uint(&json, "actor_id", element->actor_id);
    th_json_element_fields(&json, &element->element);
    th_json_close(&json, '}');
    if (!event || json.status) {
        th_buf_done(&text);
        th_free(event);
        return NULL;
    }
    event->refs = 1;
    event->number = element->number;
    event->actor_id = element->actor_id;
    event->sequence = element->element.sequence;
    event->type = element->element.type;
    event->json = th_buf_take(&text);
    return event;
}

void th_news_unref(th_news *event)
{
    if (!event || --event->refs > 0)
        return;
    theater_bytes_free(&event->json);
    th_free(event);
}

/* ---- the ring ------------------------------------------------------------------------------------------ */

static void ring_drop(th_feed *feed)
{
    th_news *oldest = feed->ring[feed->ring_first];
    feed->ring_from = oldest->number + 1;
    feed->ring_first = (feed->ring_first + 1) % TH_RING_EVENTS;
    feed->ring_count--;
    feed->ring_bytes -= oldest->json.size;
    th_news_unref(oldest);
}

static void ring_clear(th_feed *feed)
{
    while (feed->ring_count > 0)
        ring_drop(feed);
    feed->ring_from = feed->scanned;
}

static void ring_add(th_feed *feed, th_news *take_event)
{
    if (feed->ring_count == TH_RING_EVENTS)
        ring_drop(feed);
    feed->ring[(feed->ring_first + feed->ring_count++) % TH_RING_EVENTS] = take_event;
    feed->ring_bytes += take_event->json.size;
    while (feed->ring_bytes > TH_RING_BYTES && feed->ring_count > 1)
        ring_drop(feed);
}

/* ---- reading what was committed ------------------------------------------------------------------------ */

static bool collect(void *context, const theater_log_element *element)
{
    th_feed *feed = context;
    th_news *event = th_news_new(element);
    feed->out_of_memory = !event;
    if (!event)
        return false;
    *feed->events_end = event;
    feed->events_end = &event->next;
    return true;
}

static void work_scan(uv_work_t *work)
{
    th_feed *feed = work->data;
    const char *path = feed->server->options.runtime.folder;
    theater_log_range range = {feed->scanned, feed->work_end, SCAN_BYTES};
    theater_status status = feed->folder ? theater_folder_refresh(feed->folder, &feed->error)
                                         : theater_folder_open(path, &feed->folder, &feed->error);
    feed->work_next = feed->scanned;
    if (!status)
        status = theater_log_scan(feed->folder, &range, collect, feed, &feed->work_next, &feed->error);
    if (!status && feed->out_of_memory)
        status = th_fail_memory(&feed->error, "an event");
    feed->error.status = status; /* an error that a callee got over may have filled it */
    if (status) {
        theater_folder_close(feed->folder);
        feed->folder = NULL;
    }
}

static void offer_list(th_subscription *list, th_news *event)
{
    th_subscription *next;
    for (th_subscription *at = list; at; at = next) {
        next = at->next_in_list;
        if (at->all || at->actor_id == event->actor_id)
            th_subscription_offer(at, event);
    }
}

static void distribute(th_feed *feed)
{
    th_news *next;
    for (th_news *event = feed->events; event; event = next) {
        next = event->next;
        event->next = NULL;
        feed->scanned = event->number + 1;
        ring_add(feed, event);
        event->refs++; /* while it is given out */
        offer_list(feed->all, event);
        offer_list(feed->by_actor[event->actor_id % TH_FEED_BUCKETS], event);
        th_news_unref(event);
    }
    feed->events = NULL;
    if (feed->work_next > feed->scanned)
        feed->scanned = feed->work_next;
}

static void after_scan(uv_work_t *work, int result)
{
    (void)result;
    th_feed *feed = work->data;
    th_server *server = feed->server;
    feed->working = false;
    server->works--;
    distribute(feed);
    if (feed->error.status)
        th_server_log(server, 4, feed->error.message);
    th_feed_wake(server);
    th_drain_continue(server);
}

void th_feed_wake(th_server *server)
{
    th_feed *feed = server->feed;
    uint64_t committed = __atomic_load_n(&feed->committed, __ATOMIC_ACQUIRE);
    if (feed->working || feed->ended || feed->listeners == 0 || committed <= feed->scanned ||
        feed->error.status)
        return;
    feed->working = true;
    feed->work_end = committed;
    feed->events = NULL;
    feed->out_of_memory = false;
    feed->events_end = &feed->events;
    feed->work.data = feed;
    server->works++;
    uv_queue_work(&server->loop, &feed->work, work_scan, after_scan);
}

/* On the committer's thread. */
static void on_commit(void *context, uint64_t committed)
{
    th_feed *feed = context;
    __atomic_store_n(&feed->committed, committed, __ATOMIC_RELEASE);
    if (__atomic_load_n(&feed->listeners, __ATOMIC_ACQUIRE) > 0)
        uv_async_send(&feed->server->wake);
}

void th_feed_joined(th_feed *feed)
{
    if (feed->listeners == 0 && !feed->working) {
        feed->scanned = th_runtime_committed(feed->server->runtime);
        feed->error.status = THEATER_OK;
        ring_clear(feed);
    }
    __atomic_add_fetch(&feed->listeners, 1, __ATOMIC_SEQ_CST);
    /* A commit that came between the two was not told: look again. */
    uint64_t committed = th_runtime_committed(feed->server->runtime);
    uint64_t known = __atomic_load_n(&feed->committed, __ATOMIC_ACQUIRE);
    while (known < committed && !__atomic_compare_exchange_n(&feed->committed, &known, committed, false,
                                                             __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        ;
    th_feed_wake(feed->server);
}

void th_feed_left(th_feed *feed)
{
    if (__atomic_sub_fetch(&feed->listeners, 1, __ATOMIC_SEQ_CST) == 0)
        ring_clear(feed);
}

theater_status th_feed_new(th_server *server, theater_error *reterr)
{
    th_feed *feed = th_alloc_zero(1, sizeof *feed);
    if (!feed)
        return th_fail_memory(reterr, "the feed");
    feed->server = server;
    feed->committed = feed->scanned = th_runtime_committed(server->runtime);
    server->feed = feed;
    th_runtime_subscribe(server->runtime, on_commit, feed);
    return THEATER_OK;
}

void th_feed_end(th_server *server)
{
    server->feed->ended = true;
}

void th_feed_free(th_server *server)
{
    th_feed *feed = server->feed;
    if (!feed)
        return;
    ring_clear(feed);
    theater_folder_close(feed->folder);
    th_free(feed);
    server->feed = NULL;
}
