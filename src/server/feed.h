/* server/feed.h: what is committed, to those who listen.
 *
 * The runtime says only how far the log is durable (runtime/subscribe.h). The feed reads the elements from
 * there once, for all, makes each an event, and hands it to the subscriptions that are live. A subscription
 * that is behind (it begins in the past, or its client reads slowly) reads from the store at its own pace
 * until it has caught up.
 *
 * Invariants
 *   1. A subscription gets the elements of its actor (or of all) in order, from where it begins, each once.
 *      It holds a cursor, and what is before the cursor is never given, what is behind it never skipped: an
 *      actor's elements are counted, so a gap is seen and read from the store.
 *   2. It goes live only when what the feed has given up to now is either before its cursor or still in the
 *      ring of newest events.
 *   3. Nothing waits in memory for a client but what its connection holds (bounded) and the ring (bounded):
 *      who has no room falls behind.
 *   4. No element is read or kept while nobody listens.
 */
#ifndef TH_SERVER_FEED_H
#define TH_SERVER_FEED_H

#include "server/internal.h"

#define TH_RING_EVENTS 1024
#define TH_RING_BYTES ((size_t)16 << 20)
#define TH_SUBSCRIPTIONS_MAX 20000

/* One element as JSON, counted. */
typedef struct th_news {
    struct th_news *next; /* in a list of what was read */
    unsigned refs;         /* the loop's thread only */
    uint64_t number, actor_id, sequence;
    theater_element_type type;
    theater_bytes json;
} th_news;
/* NULL: out of memory. Any thread. */
th_news *th_news_new(const theater_log_element *element);
void th_news_unref(th_news *event); /* accepts NULL */

typedef struct th_subscription th_subscription;

/* Who listens. All are called on the loop's thread; a callback may close the subscription. */
typedef struct th_listener {
    void (*opened)(void *context);                       /* the actor is there: events follow */
    /* it is not, or reading failed; nothing follows */
    void (*failed)(void *context, const theater_error *error);
    void (*deliver)(void *context, const th_news *event);
    bool (*has_room)(void *context);
    void *context;
} th_listener;

typedef struct th_subscription_request {
    const char *actor;  /* NULL: all */
    bool has_from;      /* else from now on */
    uint64_t from;      /* a sequence, or with all a number in the log */
} th_subscription_request;

THEATER_CHECKED theater_status th_subscription_new(th_server *server, const th_subscription_request *request,
                                                   const th_listener *listener, th_subscription **ret,
                                                   theater_error *reterr);
void th_subscription_close(th_subscription *subscription);
/* The client has room again. */
void th_subscription_pump(th_subscription *subscription);

/* ---- between feed.c and subscription.c ----------------------------------------------------------------- */

#define TH_FEED_BUCKETS 1024

struct th_subscription {
    th_subscription *prev, *next_in_list;
    th_subscription **list; /* where it stands while it is live */
    th_server *server;
    th_listener listener;
    bool all, resolved, has_from, live, working, closed;
    char actor[TH_SEGMENT_MAX + 1];
    uint64_t actor_id;
    uint64_t next; /* sequence, or number */
    /* Of its work. */
    uv_work_t work;
    uint64_t floor; /* what is before it was seen by the work */
    bool caught_up;
    th_news *events;
    theater_error error;
};

struct th_feed {
    th_server *server;
    uint64_t committed; /* atomic */
    size_t listeners; /* atomic; subscriptions that exist */
    uint64_t scanned; /* what is before it was given to the live ones */
    uint64_t ring_from; /* every event from here to `scanned` is in the ring */
    th_news *ring[TH_RING_EVENTS];
    size_t ring_first, ring_count, ring_bytes;
    th_subscription *all; /* live ones */
    th_subscription *by_actor[TH_FEED_BUCKETS];
    th_news *giving; /* the event that is being given out; NULL: none */
    th_subscription *at; /* who is offered it next; NULL: the list is through */
    bool to_actor; /* the second of its two lists */
    th_post post; /* to go on with it in the next round of the loop */
    theater_folder *folder; /* of the work, so that it goes on where it stopped */
    uv_work_t work;
    bool working, ended, out_of_memory;
    bool failing; /* the last scan failed: it is tried again with the next tick */
    uint64_t work_end, work_next;
    th_news *events, **events_end;
    theater_error error;
};

THEATER_CHECKED theater_status th_feed_new(th_server *server, theater_error *reterr);
void th_feed_wake(th_server *server); /* something may have been committed */
void th_feed_retry(th_server *server); /* what could not be read is tried again; once in a while */
void th_feed_end(th_server *server); /* a shutdown: nothing more is read */
void th_feed_free(th_server *server); /* accepts a server without one */
void th_feed_joined(th_feed *feed); /* a subscription was made */
void th_feed_left(th_feed *feed);
/* Gives a live subscription one event; when there is no room it falls behind. */
void th_subscription_offer(th_subscription *subscription, th_news *event);

#endif
