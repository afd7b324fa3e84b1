/* theater/error.h: how every function of the library reports failure.
 *
 * There are four kinds of failure and they are never mixed. A programmer's error (a null handle, a
 * broken precondition) asserts. An operating error is a `theater_status`. A guest's failure is data
 * on the chain (a rejection), never a status of the machinery. Corruption is a status of its own,
 * THEATER_CORRUPT, whose message names the place.
 */
#ifndef THEATER_ERROR_H
#define THEATER_ERROR_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define THEATER_API __attribute__((visibility("default"))) /* what the shared library shows */
#define THEATER_CHECKED __attribute__((warn_unused_result))
#define THEATER_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define THEATER_API
#define THEATER_CHECKED
#define THEATER_PRINTF(text, first)
#endif

/* The one list of status codes: X(NAME, text, exit code of the command line, HTTP status).
 * The numeric value of a status is its place in this list; new ones are added at the end. */
#define THEATER_STATUS_LIST(X)                                                                               \
    X(OK, "ok", 0, 200)                                                                                      \
    X(INVALID_ARGUMENT, "invalid argument", 2, 400)                                                          \
    X(REJECTED, "rejected by the actor", 3, 422)                                                             \
    X(NOT_FOUND, "not found", 4, 404)                                                                        \
    X(EXISTS, "exists already", 5, 409)                                                                      \
    X(COMPONENT_REFUSED, "component refused", 6, 422)                                                        \
    X(ACTOR_FAILED, "the actor failed", 7, 422)                                                              \
    X(TOO_LARGE, "too large", 8, 413)                                                                        \
    X(MAILBOX_FULL, "mailbox full", 9, 429)                                                                  \
    X(STOPPED, "the actor is stopped", 10, 409)                                                              \
    X(READ_ONLY, "read-only", 11, 503)                                                                       \
    X(STORAGE_FAILED, "storage failed", 12, 503)                                                             \
    X(NO_SPACE, "no space left", 13, 503)                                                                    \
    X(BUSY, "in use by another process", 14, 503)                                                            \
    X(CORRUPT, "corrupt", 15, 500)                                                                           \
    X(VERSION, "version not supported", 16, 500)                                                             \
    X(NO_MEMORY, "out of memory", 17, 503)                                                                   \
    X(ENGINE_FAILED, "the engine failed", 18, 500)                                                           \
    X(TIMEOUT, "timed out", 19, 504)                                                                         \
    X(IO, "input or output failed", 20, 500)                                                                 \
    X(VERIFY_FAILED, "does not verify", 21, 422)                                                             \
    X(UNDECIDED, "undecided", 22, 422)                                                                       \
    X(CANCELLED, "cancelled", 23, 503)                                                                       \
    X(PERMISSION, "permission denied", 24, 403)                                                              \
    X(TOOL_MISSING, "a tool is missing", 25, 500)                                                            \
    X(INTERRUPTED, "interrupted", 26, 503)

typedef enum theater_status {
#define THEATER_STATUS_ENUM(name, text, exit_code, http) THEATER_##name,
    THEATER_STATUS_LIST(THEATER_STATUS_ENUM)
#undef THEATER_STATUS_ENUM
        THEATER_STATUS_COUNT
} theater_status;

/* What went wrong, in words. Owned by the caller, usually on its stack, and filled by the callee when it
 * returns anything but THEATER_OK. `message` is one line of UTF-8 (with THEATER_COMPONENT_REFUSED: one
 * finding a line) that names the object and, where one helps, the remedy. A function that takes a
 * `theater_error *` accepts NULL: then only the status is known. */
typedef struct theater_error {
    theater_status status;
    char message[1024];
} theater_error;

/* The constant's lower-case name with dashes ("mailbox-full"), for machines; its text, for people; its
 * exit code and HTTP status. Never NULL; a value outside the list is named "unknown". Any thread. */
THEATER_API const char *theater_status_name(theater_status status);
THEATER_API const char *theater_status_text(theater_status status);
THEATER_API int theater_status_exit_code(theater_status status);
THEATER_API int theater_status_http(theater_status status);

#ifdef __cplusplus
}
#endif

#endif
