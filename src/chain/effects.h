/* chain/effects.h: the effects of a turn: collecting them while it runs, and reading them strictly. */
#ifndef TH_CHAIN_EFFECTS_H
#define TH_CHAIN_EFFECTS_H

#include "chain/cbor.h"
#include "chain/element.h"
#include "chain/rejection.h"
#include "crypto/sha256.h"

/* The effects payload of a turn without effects: the empty array. */
#define TH_EFFECTS_NONE "\x80"
#define TH_REQUESTS_MAX 65535u /* requests of one turn */
#define TH_LOG_LEVEL_MAX 4u /* error */

/* Effects of one turn while it runs. Not for sharing between threads; used again for the next turn without
 * allocating. */
typedef struct th_effects {
    th_buf bytes; /* room for the array's head, then the encoded effects */
    uint64_t count; /* effects so far */
    uint64_t messages; /* of these, messages */
    uint64_t charged; /* what counts against the effects limit: encoded effects and payloads sent */
    uint64_t sequence; /* of the element that the turn will become */
    uint32_t requests; /* the turn's requests so far */
    uint64_t message_limit; /* bytes of one payload */
    uint64_t effects_limit; /* bound of `charged` */
} th_effects;

/* Allocates nothing. */
void th_effects_init(th_effects *effects);
void th_effects_done(th_effects *effects);

/* Empties it for the turn that makes element `sequence` under these limits; keeps the memory. */
void th_effects_begin(th_effects *effects, uint64_t sequence, uint64_t message_limit, uint64_t effects_limit);

/* Adds a log line. `level` is at most TH_LOG_LEVEL_MAX and `text` UTF-8, which the canonical ABI has seen to.
 * *ret_passed is EFFECTS when it does not fit the limit, otherwise NONE; a call that passes a limit leaves no
 * effect. Errors: NO_MEMORY. */
THEATER_CHECKED theater_status th_effects_log(th_effects *effects, unsigned level, th_slice text,
                                              th_turn_limit *ret_passed, theater_error *reterr);

/* Adds a message, or a request whose id goes to *ret_request (0 for a plain send). *ret_payload gets
 * sha(payload), which the log keeps the payload under. *ret_passed is NAME, PAYLOAD, REQUESTS or EFFECTS, the
 * first that applies in this order, otherwise NONE. The payload itself is not kept here. Errors: NO_MEMORY.
 */
THEATER_CHECKED theater_status th_effects_message(th_effects *effects, th_hasher *hasher, th_slice to,
                                                  th_slice payload, bool request, uint64_t *ret_request,
                                                  th_hash *ret_payload, th_turn_limit *ret_passed,
                                                  theater_error *reterr);

/* The effects payload of a turn that succeeded. Borrowed until the next call on `effects`. Errors: NO_MEMORY.
 */
THEATER_CHECKED theater_status th_effects_finish(th_effects *effects, th_slice *ret, theater_error *reterr);

/* The effects payload of a rejection: the log lines stay, the messages go; with code 6 nothing stays.
 * Afterwards count, messages and requests are those of what stayed. Errors: NO_MEMORY. */
THEATER_CHECKED theater_status th_effects_finish_rejection(th_effects *effects, th_rejection_code code,
                                                           th_slice *ret, theater_error *reterr);

/* ---- reading --------------------------------------------------------------------------------- */

typedef enum th_effect_kind { TH_EFFECT_LOG = 0, TH_EFFECT_MESSAGE = 1 } th_effect_kind;

typedef struct th_effect {
    th_effect_kind kind;
    uint64_t index; /* from 0, log lines counted */
    unsigned level; /* LOG */
    th_slice text; /* LOG; borrowed */
    th_slice to; /* MESSAGE: a name; borrowed */
    th_hash payload; /* MESSAGE: the receiver's input hash */
    uint64_t request; /* MESSAGE: the request's id, 0 for a plain send */
    th_slice encoding; /* the effect as it stands in the payload; borrowed */
} th_effect;

typedef struct th_effects_reader {
    th_cbor_reader in;
    uint64_t count; /* effects in the payload */
    uint64_t index; /* of the next one */
    uint64_t sequence; /* of the element, which requests' ids begin with */
    uint32_t requests; /* so far */
} th_effects_reader;

/* Begins to read the effects payload of element `sequence`. Errors: CORRUPT. */
THEATER_CHECKED theater_status th_effects_read(th_slice payload, uint64_t sequence, th_effects_reader *ret,
                                               theater_error *reterr);
/* The next effect, or *ret_more false at the end. Strict: levels, names, hash sizes, request ids in their
 * order, nothing behind the last one. What only a rejection forbids is the verifier's. Errors: CORRUPT. */
THEATER_CHECKED theater_status th_effects_next(th_effects_reader *reader, th_effect *ret, bool *ret_more,
                                               theater_error *reterr);

#endif
