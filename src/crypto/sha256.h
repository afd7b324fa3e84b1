/* crypto/sha256.h: SHA-256 (FIPS 180-4) with a context that is made once and used again.
 *
 * A hasher belongs to one thread at a time: its owner makes one per worker and hands it down. Only making one
 * allocates; no other call does, or can fail. */
#ifndef TH_CRYPTO_SHA256_H
#define TH_CRYPTO_SHA256_H

#include "base/bytes.h"

typedef struct th_hasher th_hasher;

/* *ret is the caller's. Errors: NO_MEMORY, ENGINE_FAILED when OpenSSL's SHA-256 gives a wrong result. */
THEATER_CHECKED theater_status th_hasher_new(th_hasher **ret, theater_error *reterr);
void th_hasher_free(th_hasher *hasher); /* accepts NULL */

/* The hash of the parts, one after the other. `ret` may lie inside a part: it is written last. Ends a hash
 * that th_sha256_begin left open. */
void th_sha256(th_hasher *hasher, const th_slice *parts, size_t count, th_hash *ret);

/* The hash of one slice. */
void th_sha256_of(th_hasher *hasher, th_slice bytes, th_hash *ret);

/* The same in steps, for bytes that do not lie in memory at once: begin, any number of adds, end. */
void th_sha256_begin(th_hasher *hasher);
void th_sha256_add(th_hasher *hasher, th_slice bytes);
void th_sha256_end(th_hasher *hasher, th_hash *ret);

/* sha(""): the output hash of a genesis and the root of the empty state and of the empty tree. */
extern const th_hash th_sha256_empty;

#endif
