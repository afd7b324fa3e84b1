/* Events as server-sent events (the WHATWG's HTML standard, section 9.2). */
#include <stdio.h>

#include "server/feed.h"

#define BACKLOG_MAX ((size_t)256 << 10)

static const char *const type_words[] = {"genesis", "transition", "rejection", "upgrade"};

static void on_opened(void *context)
{
    th_exchange *x = context;
    x->reply.status = 200;
    x->reply.type = "text/event-stream";
    th_exchange_begin(x);
    if (!x->connection)
        return;
    th_exchange_write(x, th_slice_text("retry: 2000\n\n"));
    /* An id without data is no event, but says where the stream begins: a client that loses it before the
     * first event goes on from there, too. */
    const th_subscription *subscription = x->stream;
    char text[32];
    int size = 0;
    if (subscription && subscription->next > 0)
        size = snprintf(text, sizeof text, "id: %llu\n\n", (unsigned long long)subscription->next - 1);
    th_exchange_write(x, th_slice_of(text, (size_t)size));
}

static void end(th_exchange *x)
{
    th_subscription *subscription = x->stream;
    if (!subscription)
        return;
    x->stream = NULL;
    x->on_gone = x->on_drain = NULL;
    th_subscription_close(subscription);
    if (x->connection && x->started)
        th_exchange_end(x);
}

/* The client went away, or the server shuts down. */
static void on_gone(th_exchange *x)
{
    bool pending = x->connection && !x->started;
    end(x); /* frees the exchange when it had begun */
    if (pending) {
        theater_error error;
        th_fail(&error, THEATER_CANCELLED, "the server is shutting down");
        th_exchange_fail(x, &error);
    }
}

static void on_failed(void *context, const theater_error *error)
{
    th_exchange *x = context;
    bool started = x->started;
    end(x);
    if (!started)
        th_exchange_fail(x, error);
}

static void on_deliver(void *context, const th_news *event)
{
    th_exchange *x = context;
    const th_route *route = x->route;
    bool all = !strchr(route->pattern, '{');
    th_buf text;
    th_buf_init(&text, TH_REPLY_MAX);
    theater_status status = th_buf_printf(&text, NULL, "id: %llu\nevent: %s\ndata: ",
                                          (unsigned long long)(all ? event->number : event->sequence),
                                          (unsigned)event->type < 4 ? type_words[event->type] : "element");
    if (!status)
        status = th_buf_append(&text, th_slice_of(event->json.data, event->json.size), NULL);
    if (!status)
        status = th_buf_append(&text, th_slice_text("\n\n"), NULL);
    if (!status)
        th_exchange_write(x, th_buf_slice(&text));
    else if (x->connection)
        th_connection_close(x->connection); /* rather an end than a gap */
    th_buf_done(&text);
}

static bool has_room(void *context)
{
    return th_exchange_backlog(context) < BACKLOG_MAX;
}

static void on_drain(th_exchange *x)
{
    if (x->stream)
        th_subscription_pump(x->stream);
}

/* Where to begin: ?from, or behind the last event that the client has. */
static theater_status read_place(th_exchange *x, th_subscription_request *request, theater_error *reterr)
{
    const char *last = th_exchange_header(x, "last-event-id");
    char text[32];
    theater_status status = th_exchange_query(x, "from", text, sizeof text, &request->has_from, reterr);
    if (!status && request->has_from)
        status = th_exchange_number(x, "from", &request->from, reterr);
    if (status || !last)
        return status;
    if (!th_parse_number(last, &request->from) || request->from == UINT64_MAX)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "Last-Event-ID is no number");
    request->has_from = true;
    request->from++;
    return THEATER_OK;
}

static void begin(th_exchange *x, const char *actor)
{
    theater_error error = {0};
    th_subscription_request request = {.actor = actor};
    th_listener listener = {on_opened, on_failed, on_deliver, has_room, x};
    th_subscription *subscription = NULL;
    theater_status status = read_place(x, &request, &error);
    if (!status && x->method == HTTP_HEAD) {
        th_reply_text(x, 200, "text/event-stream", (th_slice){0});
        th_exchange_reply(x);
        return;
    }
    if (!status)
        status = th_subscription_new(x->server, &request, &listener, &subscription, &error);
    if (status) {
        th_exchange_fail(x, &error);
        return;
    }
    x->stream = subscription;
    x->on_drain = on_drain;
    x->on_gone = on_gone;
}

void th_api_events(th_exchange *x)
{
    begin(x, NULL);
}

void th_api_actor_events(th_exchange *x)
{
    begin(x, x->segments[0]);
}
