/* chain/rejection.h: why a turn was rejected: codes, their fixed messages, their fuel, and the output payload
 * that says so. */
#ifndef TH_CHAIN_REJECTION_H
#define TH_CHAIN_REJECTION_H

#include "crypto/sha256.h"

typedef enum th_rejection_code {
    TH_REJECTED_BY_ACTOR = 1, /* handle returned an error: the message is the actor's */
    TH_REJECTED_STATE = 2, /* verify-state answered false */
    TH_REJECTED_TRAP = 3,
    TH_REJECTED_FUEL = 4,
    TH_REJECTED_LIMIT = 5,
    TH_REJECTED_STACK = 6,
} th_rejection_code;

/* The messages of code 3. */
typedef enum th_trap {
    TH_TRAP_UNREACHABLE,
    TH_TRAP_MEMORY, /* access out of bounds, by an instruction or a segment */
    TH_TRAP_TABLE, /* access or indirect call out of bounds, to null, or of another type */
    TH_TRAP_DIVISION, /* by zero */
    TH_TRAP_INTEGER, /* overflow, or a float that does not fit */
    TH_TRAP_ABI, /* everything else */
    TH_TRAP_COUNT
} th_trap;

/* The messages of code 5, in the order in which they are tested. */
typedef enum th_turn_limit {
    TH_LIMIT_NONE, /* nothing was passed */
    TH_LIMIT_INPUT,
    TH_LIMIT_ERROR,
    TH_LIMIT_OUTPUT,
    TH_LIMIT_STATE,
    TH_LIMIT_NAME, /* from here on: in a host call */
    TH_LIMIT_PAYLOAD,
    TH_LIMIT_REQUESTS,
    TH_LIMIT_EFFECTS,
    TH_LIMIT_RANDOM,
    TH_LIMIT_COUNT
} th_turn_limit;

/* What stands in the output payload of a rejection; `message` is UTF-8 and borrowed. */
typedef struct th_rejection {
    th_rejection_code code;
    th_slice message;
} th_rejection;

/* Rejections with their fixed messages (static text). */
th_rejection th_rejection_by_actor(th_slice text);
th_rejection th_rejection_state(void);
th_rejection th_rejection_trap(th_trap trap);
th_rejection th_rejection_fuel(void);
th_rejection th_rejection_limit(th_turn_limit limit); /* not NONE */
th_rejection th_rejection_stack(void);

/* All rejections with a fixed message, those of codes 2 to 6, and the hashes of their output payloads: such a
 * payload can be told from its hash after it was dropped. `index` is below TH_REJECTIONS_FIXED. */
#define TH_REJECTIONS_FIXED 18
th_rejection th_rejection_fixed(size_t index);
void th_rejection_hashes(th_hasher *hasher, th_hash ret[TH_REJECTIONS_FIXED]);

/* The fixed rejection whose output payload has this hash, by what th_rejection_hashes gave. False when it is
 * none. */
bool th_rejection_by_hash(const th_hash hashes[TH_REJECTIONS_FIXED], const th_hash *output,
                          th_rejection *ret);

/* Which limit a code 5 names; NONE when it is another code. */
th_turn_limit th_rejection_which_limit(const th_rejection *rejection);

/* The fuel that the element gets: counted for 1 and 2, 0 for 3, 5 and 6, the limit for 4. */
uint64_t th_rejection_element_fuel(th_rejection_code code, uint64_t counted, uint64_t limit);

/* Appends CBOR [code, message]. Errors: INVALID_ARGUMENT for a message that its code does not allow,
 * TOO_LARGE, NO_MEMORY. */
THEATER_CHECKED theater_status th_rejection_encode(const th_rejection *rejection, th_buf *out,
                                                   theater_error *reterr);

/* Strict, the table of fixed messages included. Errors: CORRUPT. */
THEATER_CHECKED theater_status th_rejection_decode(th_slice output, th_rejection *ret, theater_error *reterr);

#endif
