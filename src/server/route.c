/* The table of routes: what the server answers, and what /v1/openapi.json says. */
#include <stdio.h>

#include "server/page.h"

#define JSON "application/json"
#define BYTES "application/octet-stream"
#define TEXT "text/plain"
#define NDJSON "application/x-ndjson"
#define ACTOR "/v1/actors/{name}"
#define ELEMENT ACTOR "/elements/{sequence}"
#define FROM_LIMIT "from=Where the page begins;limit=How many at the most"
#define LIMITS                                                                                               \
    "fuel=Fuel of one turn;memory=Bytes of each linear memory;state=Bytes of the state;message=Bytes of an " \
    "input or output;effects=Bytes of the effects of a turn"

#define LOOP(method, pattern, scope, name, summary, request, response, success, query)                       \
    {HTTP_##method, pattern, TH_SCOPE_##scope, #name, summary, request, response,                            \
     success,       query,   th_api_##name,    NULL,  false}
#define POOL(method, pattern, scope, name, summary, request, response, success, query)                       \
    {HTTP_##method, pattern, TH_SCOPE_##scope, #name, summary, request, response, success,                   \
     query,         NULL,    th_work_##name,   false}
#define STREAM(method, pattern, scope, name, summary, request, response, success, query)                     \
    {HTTP_##method, pattern, TH_SCOPE_##scope, #name, summary, request, response,                            \
     success,       query,   th_api_##name,    NULL,  true}

const th_route th_routes[] = {
    LOOP(GET, "/v1/health", NONE, health, "Whether the server runs", NULL, JSON, 200, NULL),
    LOOP(GET, "/v1/ready", NONE, ready, "Whether it takes messages: 503 while it is read-only or shuts down",
         NULL, JSON, 200, NULL),
    LOOP(GET, "/v1/version", NONE, version, "The version of the server", NULL, JSON, 200, NULL),
    LOOP(GET, "/v1/openapi.json", NONE, openapi, "This document", NULL, JSON, 200, NULL),
    LOOP(GET, "/metrics", READ, metrics, "Figures for Prometheus", NULL, TEXT, 200, NULL),
    POOL(GET, "/v1/components", READ, component_list, "The components that were uploaded or are used", NULL,
         JSON, 200, NULL),
    POOL(POST, "/v1/components", WRITE, component_add, "Checks a component and keeps it, under its SHA-256",
         "application/wasm", JSON, 201, NULL),
    POOL(GET, "/v1/components/{hash}", READ, component_get, "The binary of a component", NULL,
         "application/wasm", 200, NULL),
    POOL(GET, "/v1/actors", READ, actor_list, "The actors, by ascending id", NULL, JSON, 200, FROM_LIMIT),
    LOOP(POST, "/v1/actors", WRITE, actor_start,
         "Starts an actor: from JSON that names an uploaded component, or from the component itself with the "
         "rest as parameters",
         "application/json, application/wasm", JSON, 201,
         "name=The actor's name;config=Configuration for init;" LIMITS),
    POOL(GET, ACTOR, READ, actor_get, "What an actor is and where its chain stands", NULL, JSON, 200, NULL),
    LOOP(DELETE, ACTOR, WRITE, actor_remove, "Ends an actor for good, or removes an archive; its chain stays", NULL, NULL, 204,
         NULL),
    LOOP(POST, ACTOR "/stop", WRITE, actor_stop, "Lets it run no more turns", NULL, NULL, 204, NULL),
    LOOP(POST, ACTOR "/resume", WRITE, actor_resume, "Lets it go on", NULL, NULL, 204, NULL),
    LOOP(POST, ACTOR "/upgrade", WRITE, actor_upgrade, "Goes on under another component, config or limits",
         "application/json, application/wasm", JSON, 200, "config=Configuration;" LIMITS),
    LOOP(POST, ACTOR "/messages", WRITE, message,
         "Runs one turn: the body is the input, the answer's body the output", BYTES, BYTES, 200, NULL),
    STREAM(POST, ACTOR "/messages/stream", WRITE, messages,
           "Many messages in one request, answered in order as they are durable: a line each, or with a "
           "length of 4 bytes (big-endian) before each",
           "application/x-ndjson, text/plain, application/vnd.theater.messages", NDJSON, 200,
           "id=Idempotency keys are ID-1, ID-2 and so on"),
    LOOP(POST, ACTOR "/query", READ, query, "Runs handle on the last committed state and records nothing",
         BYTES, BYTES, 200, NULL),
    POOL(POST, ACTOR "/try", READ, try,
         "Runs an input, the body, on any state of the actor, and says what came of it; records nothing",
         BYTES, JSON, 200,
         "at=The state after this element, else the newest;state=true: with the state after the turn"),
    POOL(GET, ACTOR "/elements", READ, elements,
         "A page of the chain. A request reads a bounded part of it, so with filters a page may be short or "
         "empty: go on at next until that is null",
         NULL, JSON, 200,
         FROM_LIMIT
         ";reverse=From the newest on;type=Only genesis, transition, rejection or upgrade, several "
         "parted by commas;principal=Only of this client;text=Only with this in input, output or "
         "reason, whatever the case of ASCII letters"),
    POOL(GET, ELEMENT, READ, element, "One element", NULL, JSON, 200, NULL),
    POOL(GET, ELEMENT "/encoding", READ, element_encoding, "The exact bytes that the element hash is of",
         NULL, "application/cbor", 200, NULL),
    POOL(GET, ELEMENT "/input", READ, element_input, "Its input's bytes", NULL, BYTES, 200, NULL),
    POOL(GET, ELEMENT "/output", READ, element_output, "Its output's bytes", NULL, BYTES, 200, NULL),
    POOL(GET, ELEMENT "/effects", READ, element_effects, "Its effects' bytes", NULL, "application/cbor", 200,
         NULL),
    POOL(GET, ELEMENT "/state", READ, state_at, "The state after it, by running again from a snapshot", NULL,
         BYTES, 200, NULL),
    POOL(POST, ELEMENT "/rerun", READ, rerun,
         "Runs its turn again on the state before it, and says what came of it and whether that is what is "
         "recorded; records nothing",
         NULL, JSON, 200, NULL),
    POOL(GET, ELEMENT "/trace", READ, trace, "What caused it and what it caused, across actors", NULL, JSON,
         200, "limit=How many steps at the most"),
    POOL(GET, ELEMENT "/proof", READ, inclusion,
         "A proof that it stands under the newest checkpoint that covers it", NULL, TEXT, 200, NULL),
    POOL(POST, ELEMENT "/proof", READ, inclusion_under,
         "A proof that it stands under the checkpoint in the body", TEXT, TEXT, 200, NULL),
    POOL(GET, ACTOR "/state", READ, state_now, "The state after the newest element", NULL, BYTES, 200, NULL),
    POOL(GET, ACTOR "/key", READ, key, "The verifier key of its checkpoints", NULL, TEXT, 200, NULL),
    LOOP(POST, ACTOR "/checkpoints", WRITE, checkpoint, "Signs the chain as it is now", NULL, TEXT, 201,
         NULL),
    POOL(POST, ACTOR "/consistency", READ, consistency,
         "A proof that the newest checkpoint continues the one in the body", TEXT, TEXT, 200,
         "older=Bytes of the body that are the older checkpoint, behind which stands the newer one"),
    LOOP(GET, ACTOR "/bundle", READ, bundle, "The chain as a bundle file", NULL,
         "application/vnd.theater.bundle", 200,
         "payloads=false leaves them out;components=false leaves them out;snapshots=false leaves them out"),
    LOOP(GET, "/v1/bundle", READ, bundles, "Several chains, or all, as one bundle file", NULL,
         "application/vnd.theater.bundle", 200,
         "actors=Names parted by commas, else every chain;payloads=false leaves them out;components=false "
         "leaves them out;snapshots=false leaves them out"),
    LOOP(POST, "/v1/archives", WRITE, archive_add,
         "Verifies the bundle in the body and takes its chains in as archives, which can only be read",
         "application/vnd.theater.bundle", NULL, 204, "name=Another name, for a bundle with one chain"),
    LOOP(POST, "/v1/drain", WRITE, drain,
         "Waits until no message waits or runs anywhere: 504 when some still do", NULL, NULL, 204,
         "timeout=Milliseconds to wait, at most 250, and then ask again to wait longer"),
    LOOP(GET, "/v1/jobs", READ, job_list, "Verifications and replays of this server's run", NULL, JSON, 200,
         NULL),
    LOOP(POST, "/v1/jobs", READ, job_new, "Begins a verification or a replay", JSON, JSON, 202, NULL),
    LOOP(GET, "/v1/jobs/{id}", READ, job_get, "How far it is, and its report", NULL, JSON, 200, NULL),
    LOOP(DELETE, "/v1/jobs/{id}", READ, job_cancel, "Ends it early: it fails as cancelled", NULL, NULL, 204,
         NULL),
    LOOP(GET, "/v1/events", READ, events,
         "The elements of all actors as they are committed: server-sent events", NULL, "text/event-stream",
         200, "from=Number in the log to begin at, else from now on"),
    LOOP(GET, ACTOR "/events", READ, actor_events, "The elements of one actor: server-sent events", NULL,
         "text/event-stream", 200, "from=Sequence to begin at, else from now on"),
    LOOP(GET, "/v1/websocket", READ, websocket, "Events and messages over a WebSocket", NULL, NULL, 101,
         NULL),
};
const size_t th_route_count = sizeof th_routes / sizeof *th_routes;

static int digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool decode(const char *text, size_t size, bool plus_is_space, char *out, size_t room)
{
    size_t used = 0;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (c == '%') {
            if (i + 2 >= size || digit(text[i + 1]) < 0 || digit(text[i + 2]) < 0)
                return false;
            c = (char)(digit(text[i + 1]) * 16 + digit(text[i + 2]));
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        if (c == 0 || used + 1 >= room)
            return false;
        out[used++] = c;
    }
    out[used] = 0;
    return true;
}

bool th_percent_decode(const char *text, size_t size, char *out, size_t room)
{
    return decode(text, size, false, out, room);
}

bool th_query_decode(const char *text, size_t size, char *out, size_t room)
{
    return decode(text, size, true, out, room);
}

/* Whether the path is of the pattern; its variable segments are then decoded into `x`. */
static bool match(const char *pattern, const char *path, th_exchange *x)
{
    th_slice found[TH_SEGMENTS_MAX];
    unsigned count = 0;
    for (;;) {
        while (*pattern && *pattern != '{' && *pattern == *path) {
            pattern++;
            path++;
        }
        if (*pattern != '{')
            break;
        size_t size = strcspn(path, "/");
        if (size == 0)
            return false;
        found[count++] = th_slice_of(path, size);
        pattern = strchr(pattern, '}') + 1;
        path += size;
    }
    if (*pattern || *path)
        return false;
    for (unsigned i = 0; i < count; i++)
        if (!th_percent_decode((const char *)found[i].data, found[i].size, x->segments[i],
                               sizeof x->segments[i]))
            return false;
    return true;
}

static const th_route *find_in(const th_route *routes, size_t count, th_exchange *x)
{
    llhttp_method_t method = x->method == HTTP_HEAD ? HTTP_GET : (llhttp_method_t)x->method;
    for (size_t i = 0; i < count; i++)
        if (routes[i].method == method && match(routes[i].pattern, x->path, x))
            return &routes[i];
    return NULL;
}

static uint64_t methods_in(const th_route *routes, size_t count, th_exchange *x)
{
    uint64_t methods = 0;
    for (size_t i = 0; i < count; i++)
        if (match(routes[i].pattern, x->path, x))
            methods |= UINT64_C(1) << routes[i].method;
    return methods;
}

const th_route *th_route_find(th_exchange *x, uint64_t *ret_allow)
{
    const th_route *route = find_in(th_routes, th_route_count, x);
    if (!route)
        route = find_in(th_page_routes, th_page_route_count, x);
    *ret_allow = route ? 0
                       : methods_in(th_routes, th_route_count, x) |
                             methods_in(th_page_routes, th_page_route_count, x);
    return route;
}

void th_route_allow(uint64_t methods, char *out, size_t room)
{
    size_t used = 0;
    out[0] = 0;
    for (unsigned i = 0; i < 64 && used < room; i++) {
        if (!(methods & (UINT64_C(1) << i)))
            continue;
        int size = snprintf(out + used, room - used, "%s%s%s", used ? ", " : "",
                            llhttp_method_name((llhttp_method_t)i), i == HTTP_GET ? ", HEAD" : "");
        used += size > 0 ? (size_t)size : 0;
    }
}
