/* chain/verifier.h: the inside of chain/verify.h, shared by the two files that implement it. */
#ifndef TH_CHAIN_VERIFIER_H
#define TH_CHAIN_VERIFIER_H

#include <stdarg.h>

#include "chain/cause_book.h"
#include "chain/effects.h"
#include "chain/hash_store.h"
#include "chain/rejection.h"
#include "chain/verify.h"

#define TH_RECENT_STATES 4096u /* elements whose state root is remembered for a snapshot; a power of two */
#define TH_WAITING_COMPONENTS 256u /* components that no element has named yet */

typedef struct th_recent_state {
    th_hash root;
    uint64_t size;
} th_recent_state;

struct th_verifier {
    th_hasher *hasher;
    uint8_t actor_bytes[TH_NAME_MAX];
    th_slice actor;
    const th_verifier_key *keys; /* the user's */
    size_t key_count;
    th_verify_report report; /* elements, head, state_root, ... are those of what was taken so far */
    bool links_only; /* an element of a later version was seen */
    bool descriptor_known; /* `limits` are those in force */
    th_limits limits;
    th_hash_store hashes;
    th_cause_book causes;
    th_recent_state *recent; /* by sequence modulo TH_RECENT_STATES */
    th_hash waiting[TH_WAITING_COMPONENTS];
    size_t waiting_count;
    bool key_seen;
    char bundle_key[TH_VERIFIER_KEY_MAX + 1]; /* the bundle's, empty without one */
    th_hash rejections[TH_REJECTIONS_FIXED]; /* outputs that their hash gives away */
    th_hash no_effects; /* sha of the empty array */
    th_hash no_actor; /* sha("no such actor") */
    th_hash removed; /* sha("removed") */
};

/* Notes the finding and returns VERIFY_FAILED with its message. The place "element N of actor A" comes in
 * front when `has_element`. */
theater_status th_verifier_find(th_verifier *verifier, th_check check, bool has_element, uint64_t sequence,
                                theater_error *reterr, const char *format, ...) THEATER_PRINTF(6, 7);

/* Fills a finding; the place, "element N of actor A" or "actor A", comes in front of the message, which stays
 * UTF-8 when it is cut. */
void th_finding_set(th_finding *finding, th_check check, th_slice actor, bool has_element, uint64_t sequence,
                    const char *format, va_list arguments) THEATER_PRINTF(6, 0);

/* The rules of one element's payloads and cause, given that the element itself and its place in the chain are
 * right. */
THEATER_CHECKED theater_status th_verifier_check_payloads(th_verifier *verifier, const th_element *element,
                                                          const th_payloads *payloads,
                                                          const th_element_hashes *hashes,
                                                          theater_error *reterr);

/* Empty, or the effects of a turn that has none: the hash is known. */
static inline bool th_payload_trivial(th_slice bytes)
{
    return bytes.size == 0 || (bytes.size == 1 && bytes.data[0] == (uint8_t)TH_EFFECTS_NONE[0]);
}

#endif
