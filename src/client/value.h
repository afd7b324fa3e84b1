/* client/value.h: reading JSON (RFC 8259) as the server writes it.
 *
 * The interface has whole numbers up to 2^64 - 1 (limits, fuel, timestamps), which common readers keep as
 * signed or as floating point. This one keeps them exactly. A document becomes a tree in an arena; strings
 * without escapes point into the text, so the text must live as long as the tree. */
#ifndef TH_CLIENT_VALUE_H
#define TH_CLIENT_VALUE_H

#include "base/bytes.h"

#define TH_VALUE_DEPTH_MAX 32 /* of objects and arrays in one another */

typedef enum th_value_type {
    TH_VALUE_NULL,
    TH_VALUE_BOOL,
    TH_VALUE_NUMBER,
    TH_VALUE_STRING,
    TH_VALUE_ARRAY,
    TH_VALUE_OBJECT,
} th_value_type;

typedef struct th_value th_value;
struct th_value {
    th_value_type type;
    bool truth; /* of a BOOL */
    bool whole; /* a NUMBER that is whole, not negative and below 2^64: it is `number` */
    uint64_t number;
    th_slice text; /* of a STRING, decoded; of a NUMBER, as it stands in the text */
    th_slice key; /* of an object's member */
    const th_value *first; /* of an ARRAY or OBJECT, in order; NULL: empty */
    const th_value *next; /* behind it in the same array or object; NULL: the last */
};

/* Reads one document, with nothing but white space around it. The tree is the arena's. IO: it is no JSON,
 * with the byte where that shows; NO_MEMORY. */
THEATER_CHECKED theater_status th_value_parse(th_slice text, th_arena *arena, const th_value **ret,
                                              theater_error *reterr);

/* A member of an object; NULL when there is none, or `value` is NULL or no object. */
const th_value *th_value_member(const th_value *value, const char *key);
/* A member as what it must be; false (and *ret untouched) when it is missing or of another kind. */
bool th_value_uint(const th_value *value, const char *key, uint64_t *ret);
bool th_value_bool(const th_value *value, const char *key, bool *ret);
bool th_value_text(const th_value *value, const char *key, th_slice *ret);
bool th_value_hash(const th_value *value, const char *key, theater_hash *ret); /* 64 hex digits */
/* Bytes as the interface writes them: a string, or {"base64": "..."}, decoded into the arena. False: neither,
 * or no memory. */
bool th_value_bytes(const th_value *value, th_arena *arena, th_slice *ret);
/* Copies a text member with a zero behind it; false when it does not fit. */
bool th_value_copy(const th_value *value, const char *key, char *out, size_t room);

#endif
