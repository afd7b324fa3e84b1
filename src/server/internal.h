/* server/internal.h: what the files of the server share.
 *
 * One thread runs an event loop (libuv) and owns every connection and exchange. A request is parsed into an
 * exchange; a route's handler fills its reply at once, or after work on libuv's thread pool (reading the
 * folder, starting an actor), or when the runtime's completion was posted back to the loop. Replies leave a
 * connection in the order of its requests, whatever the order in which they are ready.
 *
 * Invariants
 *   1. Connections, exchanges, subscriptions and jobs are touched by the loop's thread only. What other
 *      threads have is: an exchange's request and reply while its work function runs; posts (post.c);
 *      folders (folders.c).
 *   2. An exchange lives while anything holds it: its connection's queue, and each operation on the way.
 *      When the client goes away `connection` becomes NULL, and what was begun ends without a reply: a
 *      message that was accepted runs.
 *   3. Everything that a client can make grow has a bound: head, headers, body, bodies of all requests
 *      together, requests in line, bytes on their way out, work in line, subscriptions. Past it the client
 *      gets an error, or is read no further.
 *   4. A shutdown stops accepting, ends streams, and waits for `operations` to come to nothing before the
 *      runtime is closed.
 */
#ifndef TH_SERVER_INTERNAL_H
#define TH_SERVER_INTERNAL_H

#include <llhttp.h>
#include <openssl/ssl.h>
#include <uv.h>

#include "port/system.h"
#include "runtime/histogram.h"
#include "runtime/submissions.h"
#include "server/json.h"
#include "server/server.h"

#define TH_HEAD_MAX ((size_t)32 << 10)       /* request line and headers */
#define TH_HEADERS_MAX 64
#define TH_SEGMENTS_MAX 3                    /* variable parts of a path */
#define TH_SEGMENT_MAX 160
#define TH_PRINCIPAL_MAX 128
#define TH_PIPELINE_MAX 64                   /* requests of one connection that wait for their replies */
/* bytes on their way out of a connection, past which nothing more is handed over */
#define TH_WRITE_HIGH ((size_t)512 << 10)
#define TH_WRITE_PIECE ((size_t)256 << 10)
#define TH_REPLY_MAX ((size_t)1 << 30)
#define TH_WORKS_MAX 1024                    /* work in line for the thread pool */
#define TH_BUNDLES_MAX 64                    /* that are made or sent: each is a file until the client has it */
#define TH_EXCHANGES_KEPT 512                /* to be used again */
#define TH_EXCHANGE_ROOM ((size_t)2048)      /* of each of their buffers, that is kept */
#define TH_PAGE_DEFAULT 100
#define TH_PAGE_MAX 1000                     /* of actors, elements */
#define TH_PAGE_BYTES ((size_t)8 << 20)      /* of JSON, after which a page ends early */

typedef struct th_server th_server;
typedef struct th_connection th_connection;
typedef struct th_exchange th_exchange;
typedef struct th_websocket th_websocket;

/* ---- posts: from any thread to the loop (post.c) ------------------------------------------------------- */

typedef struct th_post {
    struct th_post *next;
    void (*run)(struct th_post *post); /* on the loop's thread; the post is then the function's */
} th_post;
/* Any thread, until the loop ended. Allocates nothing and cannot fail. */
void th_post_to(th_server *server, th_post *post);
/* The same without waking the loop: for the runtime's completions, behind which th_posts_wake is called. */
void th_post_quietly(th_server *server, th_post *post);
void th_posts_wake(void *server);
void th_posts_run(th_server *server); /* all that came; the loop's thread */

/* ---- folders (folders.c) ------------------------------------------------------------------------------- */

/* A folder handle for one thread at a time, that sees what is committed now. Given back with
 * th_folders_put. Any thread. */
THEATER_CHECKED theater_status th_folders_get(th_server *server, theater_folder **ret, theater_error *reterr);
void th_folders_put(th_server *server, theater_folder *folder); /* accepts NULL */
void th_folders_done(th_server *server);
#define TH_FOLDERS_KEPT 32

/* ---- routes (route.c) ---------------------------------------------------------------------------------- */

typedef enum th_scope { TH_SCOPE_NONE, TH_SCOPE_READ, TH_SCOPE_WRITE } th_scope;

/* On the loop's thread: fills x->reply and calls th_exchange_reply, or begins something that will. */
typedef void (*th_handler)(th_exchange *x);
/* On the pool: reads the request and the folder, and fills x->reply. */
typedef void (*th_worker_handler)(th_exchange *x, theater_folder *folder);

typedef struct th_route {
    llhttp_method_t method;
    const char *pattern; /* "/v1/actors/{name}" */
    th_scope scope;
    const char *id; /* operationId, also the name in metrics */
    const char *summary;
    const char *request; /* media type of the body, NULL: none */
    const char *response; /* media type of success */
    unsigned success; /* its status */
    const char *query; /* names of query parameters with what they mean: "from=First sequence;limit=..." */
    th_handler handler; /* one of the two */
    th_worker_handler work;
    /* the handler is called when the head is there, and takes the body piece by piece */
    bool streams;
} th_route;

extern const th_route th_routes[];
extern const size_t th_route_count;
/* The route of the exchange's method and path, with its variable segments decoded. NULL: *ret_allow says
 * which methods the path has (llhttp_method bits), 0 for an unknown path. */
const th_route *th_route_find(th_exchange *x, uint64_t *ret_allow);
/* Decodes %xx of `size` characters; false for a bad escape, a zero, or no room. */
bool th_percent_decode(const char *text, size_t size, char *out, size_t room);
/* The same of a query's parameter, where + is a space, as forms and URLSearchParams write it. */
bool th_query_decode(const char *text, size_t size, char *out, size_t room);
/* Writes "GET, HEAD, POST". */
void th_route_allow(uint64_t methods, char *out, size_t room);

/* ---- exchanges (exchange.c, reply.c) ------------------------------------------------------------------- */

typedef struct th_span {
    uint32_t at, size;
} th_span;

typedef struct th_reply {
    unsigned status; /* 0: 500 */
    const char *type; /* static; NULL: no Content-Type */
    bool immutable; /* can be cached for good; `etag` is set */
    char etag[72]; /* without quotes; empty: none */
    const char *cache; /* static: Cache-Control; NULL: as `immutable` says */
    const char *policy; /* static: Content-Security-Policy; NULL: that of the API, which allows nothing */
    bool packed; /* the body is a gzip stream already */
    th_buf headers; /* further lines, each with CRLF */
    th_buf body;
} th_reply;

struct th_exchange {
    th_exchange *next;
    th_server *server;
    th_connection *connection; /* NULL: the client went away */
    unsigned holds;

    /* The request. */
    uint8_t method;
    bool minor_0; /* HTTP/1.0 */
    bool keep_alive, head_complete, complete, refused; /* refused: answered before its body was read */
    bool gone; /* atomic: the client went away, for work that would be long */
    th_buf head; /* target and headers; each ends with a zero */
    th_span target;
    unsigned header_count;
    bool in_value;
    char *path, *query; /* into `head`; query NULL: none */
    th_buf body;
    size_t body_counted; /* in server->body_bytes */
    const th_route *route;
    bool has_principal, has_token; /* has_token: the principal is a token's id */
    bool may_write; /* false: by a token that may only read */
    uint64_t began_ns;

    /* The reply. */
    th_reply reply;
    th_buf out; /* bytes for the connection */
    size_t out_at;
    bool started, chunked, ended, close_after;
    unsigned logged_status;

    /* Of streaming routes; NULL: none. */
    void (*on_body)(th_exchange *x, th_slice bytes);
    void (*on_complete)(th_exchange *x);
    void (*on_drain)(th_exchange *x); /* there is room again */
    void (*on_gone)(th_exchange *x); /* the client went away, or the server wants streams to end */
    bool throttled; /* read no further for now */
    bool told_gone; /* on_gone was called by the end of input or a shutdown */
    void *stream;

    uv_work_t work;
    th_worker_handler work_run;

    /* Of a message or query on its way (api_messages.c). */
    th_post answered;

    /* Large, so not zeroed as a whole when an exchange is used again (exchange.c). */
    struct {
        th_span name, value;
    } headers[TH_HEADERS_MAX];
    char segments[TH_SEGMENTS_MAX][TH_SEGMENT_MAX + 1];
    char principal[TH_PRINCIPAL_MAX + 1]; /* the token's id, or what a client of the Unix socket said */
    theater_error error;
    theater_answer answer;
};

th_exchange *th_exchange_new(th_connection *connection); /* NULL: out of memory */
void th_exchange_hold(th_exchange *x);
void th_exchange_drop(th_exchange *x);
void th_exchanges_done(th_server *server); /* frees those that are kept */
/* A header's value, or NULL. `name` in lower case. */
const char *th_exchange_header(const th_exchange *x, const char *name);
/* A query parameter, decoded. NULL: not given. INVALID_ARGUMENT when it is too long or badly encoded. */
THEATER_CHECKED theater_status th_exchange_query(const th_exchange *x, const char *name, char *out,
                                                 size_t room, bool *ret_given, theater_error *reterr);
THEATER_CHECKED theater_status th_exchange_number(const th_exchange *x, const char *name, uint64_t *ret,
                                                  theater_error *reterr);
THEATER_CHECKED theater_status th_exchange_flag(const th_exchange *x, const char *name, bool *ret,
                                                theater_error *reterr);
bool th_parse_number(const char *text, uint64_t *ret);
/* 503: tells the client to try again in a second. */
void th_exchange_overloaded(th_exchange *x, const char *detail);
/* Runs the route's work on the pool, then sends the reply. */
void th_exchange_work(th_exchange *x, th_worker_handler run);

/* Formatted header line; without CR or LF in its arguments. */
void th_reply_header(th_exchange *x, const char *format, ...) THEATER_PRINTF(2, 3);
void th_reply_text(th_exchange *x, unsigned status, const char *type, th_slice body);
/* Whether the client takes a body in gzip. */
bool th_accepts_gzip(const th_exchange *x);
/* A problem document (RFC 9457) of a status. */
void th_reply_error(th_exchange *x, const theater_error *error);
void th_reply_problem(th_exchange *x, unsigned http, const char *name, const char *title, const char *detail);
/* A JSON reply: the writer appends to the body; end it with th_reply_json_end. */
th_json th_reply_json(th_exchange *x, unsigned status);
void th_reply_json_end(th_exchange *x, const th_json *json);
/* Sets the ETag; true when the client has it: the reply is then 304. */
bool th_reply_etag(th_exchange *x, const char *etag);
bool th_reply_etag_hash(th_exchange *x, const theater_hash *hash, const char *suffix);
/* Sends what `reply` holds. */
void th_exchange_reply(th_exchange *x);
/* th_reply_error and th_exchange_reply. */
void th_exchange_fail(th_exchange *x, const theater_error *error);
/* A reply in pieces: the head now, then any number of pieces, then the end. */
void th_exchange_begin(th_exchange *x);
void th_exchange_write(th_exchange *x, th_slice bytes);
void th_exchange_end(th_exchange *x);
/* Bytes that wait to go out, here and in the connection. */
size_t th_exchange_backlog(const th_exchange *x);
const char *th_http_reason(unsigned status);

/* ---- connections (connection.c, crowd.c, parse.c, tls.c) -------------------------------------------------------- */

struct th_connection {
    th_server *server;
    th_connection *prev, *next;
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } socket;
    SSL *tls; /* NULL: none */
    BIO *tls_in, *tls_out; /* the connection's side of it; owned by `tls` */
    bool handshaken;
    bool local, loopback; /* came by the Unix socket, or by a loopback address */
    bool guarded; /* its listener wants a token */
    llhttp_t parser;
    unsigned parse_status; /* of a callback that refused; 0: none */
    th_exchange *reading; /* whose request is being read */
    th_exchange *first, *last;
    size_t exchanges;
    th_buf pending; /* read and not parsed yet */
    bool stopped; /* reads are off */
    bool ended_input; /* the client sends no more, or what it sends is not looked at any more */
    bool close_after; /* when the queue is empty */
    bool closing, lingering, flushing, parsing;
    bool told; /* one too many: it hears that, and ends */
    bool throttled; /* the WebSocket has enough messages on their way */
    size_t writing;
    uint64_t deadline_ms; /* for the client to do something; 0: none */
    uint64_t write_deadline_ms;
    uint64_t body_progress;
    th_websocket *websocket; /* NULL: HTTP */
};

/* Takes a connection that was accepted by a listener. */
void th_connection_accept(th_server *server, uv_stream_t *listener, bool local, bool guarded);
/* Bytes that the client sent, out of TLS where there is one. */
void th_connection_input(th_connection *c, const uint8_t *data, size_t size);
void th_connection_ended(th_connection *c); /* the client sends no more */
/* Parses (or hands to the WebSocket) what was read: returns how much was used. */
size_t th_connection_parse(th_connection *c, const uint8_t *data, size_t size);
/* Goes on reading, when there is room again. */
void th_connection_resume(th_connection *c);
bool th_connection_may_parse(const th_connection *c);
/* Hands over what is ready, in order. */
void th_connection_flush(th_connection *c);
/* Sends bytes. `take` is emptied in any case. */
void th_connection_send(th_connection *c, th_buf *take);
void th_connection_close(th_connection *c); /* at once; does nothing when it is closing */
/* Sends what was written, then shuts the sending side and waits a little for the client to close. */
void th_connection_linger(th_connection *c);
/* Deadlines; once in a while. */
void th_connection_tick(th_connection *c, uint64_t now_ms);
void th_connection_drain(th_connection *c); /* a shutdown begins */
/* Ends streams and the WebSocket that were opened with a token which is not known any more. */
void th_connection_check_tokens(th_connection *c);
uint64_t th_now_ms(const th_server *server);

/* crowd.c: raises the process's bound on files, and derives that of connections. */
void th_crowd_begin(th_server *server);
/* Whether the connection that was just counted is one too many. */
bool th_crowd_full(const th_server *server, bool local);
/* Tells it so, or closes it at once. */
void th_crowd_refuse(th_connection *c);

void th_parser_init(th_connection *c);
/* Sets request_timeout or idle_timeout from now. */
void th_connection_expect(th_connection *c, bool idle);

THEATER_CHECKED theater_status th_tls_context(const th_server_options *options, SSL_CTX **ret,
                                              theater_error *reterr);
THEATER_CHECKED bool th_tls_begin(th_connection *c);
void th_tls_done(th_connection *c);
void th_tls_input(th_connection *c, const uint8_t *data, size_t size);
/* Tells the client that nothing more is sent, so that it sees whether all has come. */
void th_tls_end(th_connection *c);
/* Encrypts `plain` into `out`. False: the connection is to be closed. */
bool th_tls_seal(th_connection *c, th_slice plain, th_buf *out);

/* ---- the loop (server.c, listen.c, auth.c) ------------------------------------------------------------- */

typedef struct th_figures {
    uint64_t connections_total, refused_connections, bytes_in, bytes_out;
    uint64_t responses[6]; /* by the first digit */
    uint64_t events_sent, messages_in_flight;
    theater_histogram requests, messages; /* the loop's thread adds and reads */
} th_figures;

typedef struct th_feed th_feed;
typedef struct th_jobs th_jobs;

struct th_server {
    th_server_options options;
    theater_runtime *runtime;
    uv_loop_t loop;
    uv_async_t wake;
    uv_prepare_t before_poll;
    uv_check_t after_poll;
    uv_signal_t interrupt, terminate;
    uv_timer_t tick;
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } listeners[2];
    size_t listener_count;
    bool tcp_guarded; /* requests over TCP need a token */
    bool tcp_loopback;
    SSL_CTX *tls;
    char socket_path[108];
    char address[300];
    th_mutex lock; /* of folders */
    th_mutex files_lock; /* one upload is written at a time */
    th_post *posts; /* atomic; the newest first */
    th_submissions *submissions; /* messages of this round of the loop (api_messages.c) */
    bool submitting;
    th_submissions *batch_submissions; /* of the batch that is at work (api_batch.c); empty otherwise */
    struct batch *answered_batches; /* that got answers in this round, likewise */
    theater_folder *folders[TH_FOLDERS_KEPT];
    size_t folder_count;
    th_connection *connections;
    size_t connection_count;
    uint64_t connection_limit, told_limit; /* crowd.c */
    size_t told; /* of the connections: those that only hear that there are too many */
    th_exchange *exchanges_kept;
    size_t exchanges_kept_count;
    size_t body_bytes, works, bundles, operations;
    uint64_t began_ms, drain_deadline_ms;
    bool draining, stopped, looping;
    th_tokens tokens;
    uint64_t tokens_stamp; /* of the file, to see that it changed */
    bool tokens_changed; /* what was opened with one that is gone is still open */
    th_feed *feed;
    th_jobs *jobs;
    th_figures figures;
    uint8_t buffer[65536]; /* for reads; used within one callback */
};

THEATER_CHECKED theater_status th_listen(th_server *server, theater_error *reterr);
void th_drain_begin(th_server *server);
/* After an operation or a connection ended: stops the loop when a shutdown has nothing more to wait for. */
void th_drain_continue(th_server *server);

/* Whether the exchange may do what its route does; otherwise its reply is filled. */
THEATER_CHECKED bool th_authorize(th_exchange *x, th_scope scope);
/* For the pages of --allow-origin: what their browser wants to be told, of every answer and, by OPTIONS,
 * before a request to a path that has these methods. */
void th_allow_origin(th_exchange *x, uint64_t methods);
/* Reads the list anew when its file changed. True: it did. */
bool th_tokens_reload(th_server *server);
bool th_tokens_known(const th_tokens *tokens, const char *id);

/* log.c: a line of text or JSON to standard error. */
void th_server_log(th_server *server, int level, const char *message);
void th_server_log_request(const th_exchange *x, uint64_t nanoseconds);
void th_server_log_begin(th_server *server);

/* ---- parts of the API ---------------------------------------------------------------------------------- */

/* Finds the actor that the first segment names. Any thread. */
THEATER_CHECKED theater_status th_find_actor(th_exchange *x, theater_folder *folder, theater_actor_info *ret,
                                             theater_error *reterr);
/* The second segment as a sequence below the chain's length. */
THEATER_CHECKED theater_status th_find_sequence(th_exchange *x, const theater_actor_info *info, uint64_t *ret,
                                                theater_error *reterr);
/* The component of a hash as text: among the uploaded, then in the log. Any thread. */
THEATER_CHECKED theater_status th_component_get(th_server *server, theater_folder *folder, const char *hex,
                                                theater_bytes *ret, theater_error *reterr);
/* One answer as a JSON object: what batches and the WebSocket send. `extra` (may be NULL) is put first:
 * {"op":"answer","id":...}. */
void th_json_answer(th_json *json, const theater_answer *answer);
/* Gives the runtime the messages that this round of the loop read. */
void th_messages_submit(th_server *server);
/* Lets the batches go on whose answers came in this round. */
void th_batches_go_on(th_server *server);
/* Idempotency-Key, with or without the quotes of a structured field. */
THEATER_CHECKED theater_status th_idempotency_key(const th_exchange *x, theater_slice *ret,
                                                  theater_error *reterr);

THEATER_CHECKED theater_status th_jobs_new(th_server *server, theater_error *reterr);
size_t th_jobs_running(const th_server *server);
void th_jobs_cancel(th_server *server); /* all of them, for a shutdown */
void th_jobs_free(th_server *server);

#define TH_HANDLERS(X)                                                                                       \
    X(health)                                                                                                \
    X(ready) X(version) X(openapi) X(metrics) X(actor_start) X(actor_stop) X(actor_resume) X(actor_remove)   \
        X(actor_upgrade) X(message) X(messages) X(query) X(checkpoint) X(job_new) X(job_list) X(job_get) X(job_cancel)     \
            X(events) X(actor_events) X(websocket) X(archive_add) X(drain)
#define TH_DECLARE(name) void th_api_##name(th_exchange *x);
TH_HANDLERS(TH_DECLARE)
#undef TH_DECLARE

#define TH_WORKS(X)                                                                                          \
    X(component_list)                                                                                        \
    X(component_add) X(component_get) X(actor_list) X(actor_get) X(elements) X(element) X(element_encoding)  \
        X(element_input) X(element_output) X(element_effects) X(state_now) X(state_at) X(trace) X(inclusion) \
            X(inclusion_under) X(consistency) X(key) X(rerun) X(try)
#define TH_DECLARE(name) void th_work_##name(th_exchange *x, theater_folder *folder);
TH_WORKS(TH_DECLARE)
#undef TH_DECLARE
void th_api_bundle(th_exchange *x); /* of one chain */
void th_api_bundles(th_exchange *x); /* of several */

#endif
