/* server/server.h: a data folder as a service over HTTP and WebSocket. See server/internal.h for how it
 * works. */
#ifndef TH_SERVER_SERVER_H
#define TH_SERVER_SERVER_H

#include "base/bytes.h"
#include "theater/theater.h"

/* How a server is run. Zero means the default everywhere. */
typedef struct th_server_options {
    theater_runtime_options runtime; /* its folder must be set */
    const char *
        listen; /* "HOST:PORT"; NULL: 127.0.0.1:8443 would need TLS, so 127.0.0.1:8080; "" for no TCP at all */
    bool no_socket; /* no Unix socket FOLDER/server.sock */
    const char *tls_certificate; /* PEM files; both or neither */
    const char *tls_key;
    bool insecure; /* an address that is not loopback without TLS */
    bool require_token; /* also on loopback; never on the Unix socket, which its file mode guards */
    const char *allow_origin; /* one more origin of browsers that is let in, besides the server's own */
    uint64_t max_body_bytes; /* of one request; 64 MiB */
    uint64_t body_memory_bytes; /* of all requests at one time; 512 MiB */
    uint64_t max_connections; /* 12,000 */
    uint64_t request_timeout_ms; /* for the head, and for progress of the body and of the answer; 30 s */
    uint64_t idle_timeout_ms; /* of a kept connection without a request; 120 s */
    uint64_t grace_ms; /* how long a shutdown waits for what was accepted; 30 s */
    bool log_json; /* log lines as JSON objects */
    bool log_requests; /* a line for each request */
    void (*ready)(
        void *context,
        const char
            *address); /* called once it listens, e.g. "http://127.0.0.1:8080" or the path of the socket */
    void *ready_context;
} th_server_options;

/* Runs until SIGINT or SIGTERM (or an error at the start), then finishes what was accepted and closes the
 * folder. One server a process. INVALID_ARGUMENT names what may not be; IO: the address cannot be listened
 * on; and what theater_runtime_open gives. */
THEATER_CHECKED theater_status th_server_run(const th_server_options *options, theater_error *reterr);

/* ---- tokens (FOLDER/tokens) ---------------------------------------------------------------------------- */

#define TH_TOKEN_TEXT_SIZE 64 /* of a token with its zero */
#define TH_TOKEN_ID_SIZE 24
#define TH_TOKEN_NAME_MAX 64
#define TH_TOKENS_MAX 4096

/* A token as it is kept: never the secret, only its SHA-256. */
typedef struct th_token {
    char id[TH_TOKEN_ID_SIZE]; /* what becomes the principal on the chain */
    char name[TH_TOKEN_NAME_MAX + 1]; /* shown only here */
    bool write; /* else it may only read */
    uint64_t created_ns;
    theater_hash hash;
} th_token;

typedef struct th_tokens {
    th_token *list;
    size_t count;
} th_tokens;

/* Reads FOLDER/tokens; a file that is not there is an empty list. CORRUPT names the line. */
THEATER_CHECKED theater_status th_tokens_read(const char *folder, th_tokens *ret, theater_error *reterr);
/* The same of the file's text; `path` is for messages. */
THEATER_CHECKED theater_status th_tokens_parse(th_slice text, const char *path, th_tokens *ret,
                                               theater_error *reterr);
void th_tokens_done(th_tokens *tokens);
/* The token whose secret this is, or NULL. Compares in a time that tells nothing of the hashes. */
const th_token *th_tokens_find(const th_tokens *tokens, th_slice secret);
/* Makes a token and writes the file anew (mode 0600, durable). The secret is given once and is nowhere
 * else. INVALID_ARGUMENT: a name that is not 1 to 64 bytes of printable UTF-8; TOO_LARGE: TH_TOKENS_MAX. */
THEATER_CHECKED theater_status th_token_new(const char *folder, const char *name, bool write, th_token *ret,
                                            char ret_secret[TH_TOKEN_TEXT_SIZE], theater_error *reterr);
/* By id. NOT_FOUND. */
THEATER_CHECKED theater_status th_token_revoke(const char *folder, const char *id, theater_error *reterr);

#endif
