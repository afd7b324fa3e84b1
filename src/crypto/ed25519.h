/* crypto/ed25519.h: signatures (RFC 8032, pure Ed25519). */
#ifndef TH_CRYPTO_ED25519_H
#define TH_CRYPTO_ED25519_H

#include "base/bytes.h"

#define TH_ED25519_SEED_SIZE 32
#define TH_ED25519_PUBLIC_SIZE 32
#define TH_ED25519_SIGNATURE_SIZE 64

/* A private key. May be used by several threads at once; it holds the seed, so it is wiped when freed. */
typedef struct th_signing_key th_signing_key;

/* The key pair of a seed of 32 secret bytes; *ret is the caller's. Errors: NO_MEMORY, ENGINE_FAILED. */
THEATER_CHECKED theater_status th_signing_key_new(const uint8_t seed[TH_ED25519_SEED_SIZE],
                                                  th_signing_key **ret, theater_error *reterr);
void th_signing_key_free(th_signing_key *key); /* accepts NULL */

/* The public key; lives as long as the key. */
const uint8_t *th_signing_key_public(const th_signing_key *key);

/* Signs the message (it is not hashed before). Errors: NO_MEMORY, ENGINE_FAILED. */
THEATER_CHECKED theater_status th_ed25519_sign(const th_signing_key *key, th_slice message,
                                               uint8_t ret[TH_ED25519_SIGNATURE_SIZE], theater_error *reterr);

/* *ret_valid says whether the signature is this key's over the message; bytes that are no key are false, not
 * an error. Errors: NO_MEMORY, ENGINE_FAILED. Any thread. */
THEATER_CHECKED theater_status th_ed25519_verify(const uint8_t public_key[TH_ED25519_PUBLIC_SIZE],
                                                 th_slice message,
                                                 const uint8_t signature[TH_ED25519_SIGNATURE_SIZE],
                                                 bool *ret_valid, theater_error *reterr);

#endif
