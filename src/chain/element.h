/* chain/element.h: one element of a chain: its fields, its encoding, its hash. */
#ifndef TH_CHAIN_ELEMENT_H
#define TH_CHAIN_ELEMENT_H

#include "crypto/sha256.h"

#define TH_ELEMENT_VERSION 1
#define TH_NAME_MAX 128
#define TH_PRINCIPAL_MAX 128
#define TH_ID_MAX 64

/* No encoding is longer: head 1, keys and heads of fourteen fields, six hashes, and principal with id (which
 * take more than a cause). */
#define TH_ELEMENT_MAX 453

/* The values of key 3. */
typedef enum th_element_type {
    TH_GENESIS = 0,
    TH_TRANSITION = 1,
    TH_REJECTION = 2,
    TH_UPGRADE = 3,
} th_element_type;

/* "genesis", "transition", "rejection", "upgrade"; "unknown" otherwise. Never NULL. */
const char *th_element_type_name(th_element_type type);

/* What in another chain an input came from. On the chain each kind is one less. */
typedef enum th_cause_kind {
    TH_CAUSE_NONE = 0, /* a client's input, a genesis or an upgrade */
    TH_CAUSE_MESSAGE = 1, /* [0, actor, sequence, index, hash] */
    TH_CAUSE_ANSWER = 2, /* [1, actor, sequence, hash, request, failed] */
    TH_CAUSE_UNDELIVERED = 3, /* [2, actor, request] */
} th_cause_kind;

typedef struct th_cause {
    th_cause_kind kind;
    th_slice actor; /* a name, borrowed; not of NONE */
    uint64_t sequence; /* MESSAGE, ANSWER: which element of that actor */
    uint64_t index; /* MESSAGE: which effect of it, from 0, log lines counted */
    uint64_t request; /* ANSWER, UNDELIVERED: the request's id */
    bool failed; /* ANSWER: the target's element is a rejection */
    th_hash hash; /* MESSAGE, ANSWER: that element's hash */
} th_cause;

/* The fields of version 1. Slices are borrowed: by the encoder for the call, from the bytes by the decoder.
 */
typedef struct th_element {
    uint64_t sequence;
    uint64_t timestamp; /* nanoseconds since the Unix epoch */
    uint64_t fuel;
    uint64_t state_size; /* bytes of the state after */
    th_element_type type;
    th_hash previous;
    th_hash input;
    th_hash state_before;
    th_hash state_after;
    th_hash output;
    th_hash effects;
    th_cause cause;
    th_slice principal; /* size 0: none */
    th_slice id; /* size 0: none */
} th_element;

/* A payload that lies beside its element, or was dropped. */
typedef struct th_payload {
    bool present;
    th_slice bytes; /* when present */
} th_payload;

typedef struct th_payloads {
    th_payload input;
    th_payload output;
    th_payload effects;
} th_payloads;

static inline th_payload th_payload_of(th_slice bytes)
{
    return (th_payload){true, bytes};
}

/* Whether the bytes may be a principal (1 to 128 bytes of UTF-8) or an idempotency key (1 to 64 bytes): asked
 * at the border, before an input is taken. */
bool th_principal_valid(th_slice principal);
bool th_id_valid(th_slice id);

/* The id of the `place`-th request (1 to 65,535) of the turn that makes element `sequence` (below 2^48). */
static inline uint64_t th_request_id(uint64_t sequence, uint32_t place)
{
    return sequence << 16 | place;
}

/* Writes the encoding into `room` (TH_ELEMENT_MAX bytes) and returns its size. The fields must be what an
 * element of their type may have (sizes, names, which optional fields): the caller made them, so anything
 * else asserts. Costs well under 300 ns. */
size_t th_element_encode(const th_element *element, uint8_t *room);

/* Strict: accepts exactly what th_element_encode can make, and all the rules that one element alone shows:
 * the genesis has sequence 0, no previous and the empty state before, and no other element has sequence 0; a
 * rejection and an upgrade keep the state; genesis and upgrade have no cause and an empty output; a cause
 * excludes principal and id; equal roots are of equal sizes as far as one element shows it. Slices of *ret
 * borrow from `encoding`. Errors: VERSION for another version (see th_element_links), CORRUPT for all else,
 * with the field's name. */
THEATER_CHECKED theater_status th_element_decode(th_slice encoding, th_element *ret, theater_error *reterr);

/* What holds in every version: keys 0 to 2 of the map. Nothing behind key 2 is looked at. Errors: CORRUPT. */
typedef struct th_element_link {
    uint64_t version;
    uint64_t sequence;
    th_hash previous;
} th_element_link;
THEATER_CHECKED theater_status th_element_links(th_slice encoding, th_element_link *ret,
                                                theater_error *reterr);

/* The type of an element, without looking at what stands behind it: for walks that look for genesis and upgrades. False
 * when there is none, which th_element_decode names. */
bool th_element_peek_type(th_slice encoding, th_element_type *ret);

/* leaf(encoding): the `previous` of the next element and the leaf of the log tree. */
void th_element_hash(th_hasher *hasher, th_slice encoding, th_hash *ret);

#endif
