#include "server/feed.h"

#include <stddef.h>

#include "runtime/subscribe.h"

#define SCAN_BYTES ((uint64_t)4 << 20)
#define OFFERS 256 /* between two rounds of the loop: some 3 ms */

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

/* ---- giving them out ----------------------------------------------------------------------------------- */

/* The next event comes into the ring, and its way over the live ones begins. False: there is none. */
static bool begin_event(th_feed *feed)
{
    th_news *event = feed->events;
    if (!event)
        return false;
    feed->events = event->next;
    event->next = NULL;
    feed->scanned = event->number + 1;
    ring_add(feed, event);
    event->refs++; /* while it is given out */
    feed->giving = event;
    feed->to_actor = false;
    feed->at = feed->all;
    return true;
}

/* Offers the event to one more, or goes on to the next list or to the end of the event. */
static void give_on(th_feed *feed)
{
    th_subscription *subscription = feed->at;
    if (subscription) {
        feed->at = subscription->next_in_list; /* first, because an offer may take it out of the list */
        if (subscription->all || subscription->actor_id == feed->giving->actor_id)
            th_subscription_offer(subscription, feed->giving);
    } else if (!feed->to_actor) {
        feed->to_actor = true;
        feed->at = feed->by_actor[feed->giving->actor_id % TH_FEED_BUCKETS];
    } else {
        th_news_unref(feed->giving);
        feed->giving = NULL;
    }
}

static void drop_events(th_feed *feed)
{
    th_news_unref(feed->giving);
    feed->giving = NULL;
    feed->at = NULL;
    while (feed->events) {
        th_news *event = feed->events;
        feed->events = event->next;
        th_news_unref(event);
    }
}

static void all_given(th_feed *feed)
{
    th_server *server = feed->server;
    feed->working = false;
    server->works--;
    if (feed->work_next > feed->scanned)
        feed->scanned = feed->work_next;
    if (feed->error.status && !feed->failing)
        th_server_log(server, 4, feed->error.message);
    feed->failing = feed->error.status != THEATER_OK;
    th_feed_wake(server);
    th_drain_continue(server);
}

/* With thousands of readers an event takes a while to give out, and answers go by the same loop: so it gets its
 * turn between some offers and the next. A subscription that leaves meanwhile moves `at` on (unlink_live); one
 * that comes has what was begun from the ring. */
static void give_some(th_feed *feed)
{
    if (feed->ended)
        drop_events(feed);
    for (size_t offers = 0; offers < OFFERS && (feed->giving || begin_event(feed)); offers++)
        give_on(feed);
    if (feed->giving || feed->events)
        th_post_to(feed->server, &feed->post);
    else
        all_given(feed);
}

static void on_go_on(th_post *post)
{
    give_some((th_feed *)((char *)post - offsetof(th_feed, post)));
}

static void after_scan(uv_work_t *work, int result)
{
    (void)result;
    give_some(work->data);
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

void th_feed_retry(th_server *server)
{
    th_feed *feed = server->feed;
    if (!feed->failing || feed->working)
        return;
    feed->error.status = THEATER_OK;
    th_feed_wake(server);
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
        feed->failing = false;
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
    feed->post.run = on_go_on;
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
