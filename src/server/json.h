/* server/json.h: writing JSON into a bounded buffer, and the forms in which the API shows hashes and bytes.
 *
 * The forms are those of the command line (docs/cli.md): a hash is 64 hex digits, bytes are a string when
 * they are printable UTF-8 and {"base64": "..."} otherwise. A writer remembers its first failure, so a
 * caller checks once, at the end. */
#ifndef TH_SERVER_JSON_H
#define TH_SERVER_JSON_H

#include "base/bytes.h"
#include "theater/theater.h"

typedef struct th_json {
    th_buf *out;
    theater_status status; /* of the first append that failed */
    bool comma;            /* the next value needs one before it */
} th_json;

th_json th_json_begin(th_buf *out); /* appends to it; the buffer is the caller's and outlives the writer */
void th_json_open(th_json *json, char bracket); /* '{' or '[' */
void th_json_close(th_json *json, char bracket);
void th_json_key(th_json *json, const char *name);
void th_json_uint(th_json *json, uint64_t value);
void th_json_bool(th_json *json, bool value);
void th_json_null(th_json *json);
void th_json_string(th_json *json, const char *text);
void th_json_text(th_json *json, th_slice text);   /* bytes that are no UTF-8 are written as U+FFFD */
void th_json_bytes(th_json *json, th_slice bytes); /* a string, or {"base64": ...} */
void th_json_hash(th_json *json, const theater_hash *hash);
/* A key with its value. */
void th_json_field_uint(th_json *json, const char *name, uint64_t value);
void th_json_field_string(th_json *json, const char *name, const char *text);
void th_json_field_hash(th_json *json, const char *name, const theater_hash *hash);

/* An element, and an actor, as objects. */
void th_json_element(th_json *json, const theater_element *element);
/* The fields of an element without the braces around them, for objects that hold more. */
void th_json_element_fields(th_json *json, const theater_element *element);
void th_json_actor(th_json *json, const theater_actor_info *info);

#endif
