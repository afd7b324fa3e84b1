/* chain/turn_random.h: the random bytes of a turn, which anyone who has the chain can compute. They are no
 * secret. */
#ifndef TH_CHAIN_TURN_RANDOM_H
#define TH_CHAIN_TURN_RANDOM_H

#include "crypto/sha256.h"

#define TH_RANDOM_MAX 65536u /* bytes of one turn */

/* The stream sha(seed || u64be(0)) || sha(seed || u64be(1)) || ..., read on from call to call. */
typedef struct th_turn_random {
    th_hash seed;
    th_hash block; /* the block that `position` lies in, when it does not lie at its beginning */
    uint32_t position; /* bytes given so far, at most TH_RANDOM_MAX */
} th_turn_random;

/* Begins the stream of the element that will have these fields; `input` is sha(input payload). */
void th_turn_random_init(th_turn_random *random, th_hasher *hasher, const th_hash *previous,
                         uint64_t sequence, uint64_t timestamp, const th_hash *input);

/* The next `size` bytes. False, and nothing is read, when they would pass TH_RANDOM_MAX: then the turn is
 * rejected with TH_LIMIT_RANDOM. */
THEATER_CHECKED bool th_turn_random_read(th_turn_random *random, th_hasher *hasher, uint8_t *out,
                                         size_t size);

#endif
