/* theater/hash_ahead.h: hashes elements on other processors while the ones before are being verified.
 *
 * Four fifths of what a verification costs are hashes of bytes that depend on nothing else. So whoever reads a chain
 * hands its elements over here; they are gathered in batches, hashed by helper threads, and given back one by one, in
 * the order in which they came, on the caller's thread. */
#ifndef TH_THEATER_HASH_AHEAD_H
#define TH_THEATER_HASH_AHEAD_H

#include "chain/verify.h"
#include "theater/source.h"

typedef struct th_hash_ahead th_hash_ahead;

/* Takes an element with its hashes; both are valid during the call. A failure ends everything: what was handed over
 * behind the element is dropped. */
typedef theater_status (*th_hashed_function)(void *context, const th_source_element *element,
                                             const th_element_hashes *hashes, theater_error *reterr);

/* `helpers` threads besides the caller's, which hashes too when it would wait; 0: each element is hashed and given at
 * once. `hasher` is the caller's and is used on its thread. One thread calls all functions. NO_MEMORY, IO. */
THEATER_CHECKED theater_status th_hash_ahead_new(unsigned helpers, th_hasher *hasher, th_hashed_function give,
                                                 void *context, th_hash_ahead **ret, theater_error *reterr);
void th_hash_ahead_free(th_hash_ahead *ahead); /* accepts NULL; what was not given is dropped */

/* Hands an element over; its bytes are copied. Gives some of those before. Errors: NO_MEMORY, and what `give`
 * returned. */
THEATER_CHECKED theater_status th_hash_ahead_add(th_hash_ahead *ahead, const th_source_element *element,
                                                 theater_error *reterr);
/* Gives all that was handed over. OK when `give` has failed before: then there is nothing any more. */
THEATER_CHECKED theater_status th_hash_ahead_flush(th_hash_ahead *ahead, theater_error *reterr);

#endif
