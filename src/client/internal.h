/* client/internal.h: what the files of the client share. */
#ifndef TH_CLIENT_INTERNAL_H
#define TH_CLIENT_INTERNAL_H

#include <curl/curl.h>

#include "client/client.h"
#include "client/value.h"

#define TH_PATH_MAX 1024 /* of a request, with its parameters; longer ones are built in a buffer */
#define TH_ANSWER_MAX ((size_t)1 << 30) /* of a body that is kept whole */
#define TH_PROBLEM_MAX ((size_t)64 << 10)

struct th_client {
    CURL *easy;
    CURLM *multi;
    char *server; /* as it was given */
    char base[1024]; /* "http://localhost", without a slash at the end */
    char *socket_path; /* NULL: TCP */
    char *authorization; /* the whole header line; NULL: no token */
    char *authority;
    bool (*interrupted)(void);
    char version[64];
    char what[64]; /* of the last report */
    char curl_error[CURL_ERROR_SIZE];
};

/* What an answer's headers say, as far as it matters here. */
typedef struct th_headers {
    bool has_sequence, has_element, has_root, repeated, problem;
    uint64_t sequence, fuel, bundle_size;
    theater_hash element, root;
} th_headers;

/* One request and its answer. Zero what is not said; free with th_call_done. */
typedef struct th_call {
    const char *method; /* "GET" */
    const char *path; /* "/v1/..." with parameters, encoded */
    const char *type; /* of the body; NULL: no body */
    th_slice body;
    const char *extra; /* a further header line, or NULL */
    const char *extra2; /* one more */
    /* With a stream as body: as of libcurl's read callback. */
    size_t (*read)(char *out, size_t size, size_t count, void *context);
    /* Where the body of a 2xx goes; NULL: into `answer`. False ends the call (its status is then OK). */
    bool (*sink)(void *context, const struct th_call *call, th_slice bytes);
    /* Runs beside the transfer, in each round; `ret_fd` -1: nothing to wait for. */
    theater_status (*round)(void *context, int *ret_fd, bool readable, theater_error *reterr);
    void *context;
    bool stream; /* may be silent for as long as it likes */
    bool goes_on; /* an interruption is the round's business */

    long status;
    th_headers headers;
    th_buf answer; /* the body, or of a failure the problem document */
    bool enough; /* the sink said so */
} th_call;

/* Runs it and waits for its end. A 2xx is OK; all else is an error with the status and words of the problem
 * document, which stays in `answer` for who wants more of it. */
THEATER_CHECKED theater_status th_call_run(th_client *client, th_call *call, theater_error *reterr);
void th_call_done(th_call *call);
/* Parses the answer. */
THEATER_CHECKED theater_status th_call_json(th_client *client, const th_call *call, th_arena *arena,
                                            const th_value **ret, theater_error *reterr);
/* VERSION: the answer is JSON, but not what /v1 says. */
theater_status th_answer_unknown(const th_client *client, const char *what, theater_error *reterr);

/* Percent-encodes for a path or a parameter. INVALID_ARGUMENT when it does not fit. */
THEATER_CHECKED theater_status th_escape(th_slice text, char *out, size_t room, theater_error *reterr);
/* "/v1/actors/NAME" and the formatted rest. The name is checked as the library does: INVALID_ARGUMENT. */
THEATER_CHECKED theater_status th_actor_path(char out[TH_PATH_MAX], const char *name, theater_error *reterr,
                                             const char *format, ...) THEATER_PRINTF(4, 5);

/* The header that names the principal, or nothing for NULL. INVALID_ARGUMENT: it is not a header's, or not over
 * a Unix socket. */
THEATER_CHECKED theater_status th_principal_line(const th_client *client, const char *principal, char *out,
                                                 size_t room, theater_error *reterr);

/* JSON as the server writes it, into the library's types; slices point into the tree and the arena. False:
 * something is missing. */
bool th_decode_actor(const th_value *value, theater_actor_info *ret);
bool th_decode_element(const th_value *value, th_arena *arena, theater_element *ret);
bool th_decode_answer(const th_value *value, th_arena *arena, theater_answer *ret); /* the output is copied */
/* The report's `what` is valid until the client's next report. */
bool th_decode_report(th_client *client, const th_value *value, theater_report *ret);
/* A status by its name; false: not one of this version. */
bool th_decode_status(th_slice name, theater_status *ret);

#endif
