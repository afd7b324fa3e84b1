/* SHA-256 by OpenSSL's direct functions.
 *
 * The generic ones (EVP_Digest...) free and allocate the digest's state at each start in OpenSSL 3.0, also
 * with a fetched digest and a context that is used again: 40 to 60 ns for each hash, of which an element
 * takes five or more, and a failure that a hash would have to return. The direct ones are the same code
 * without that. They are marked as deprecated since 3.0, hence the define; a release that takes them away
 * would change this file only. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/sha256.h"

#include <openssl/sha.h>

const th_hash th_sha256_empty = {{0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4,
                                  0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b,
                                  0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55}};

struct th_hasher {
    SHA256_CTX state;
};

theater_status th_hasher_new(th_hasher **ret, theater_error *reterr)
{
    th_hasher *hasher = th_alloc_zero(1, sizeof *hasher);
    if (!hasher)
        return th_fail_memory(reterr, "a hash context");
    /* A library that hashes wrongly must not get to a chain. */
    th_hash hash;
    th_sha256(hasher, NULL, 0, &hash);
    if (!th_hash_equal(&hash, &th_sha256_empty)) {
        th_hasher_free(hasher);
        return th_fail(reterr, THEATER_ENGINE_FAILED, "OpenSSL's SHA-256 is wrong");
    }
    *ret = hasher;
    return THEATER_OK;
}

void th_hasher_free(th_hasher *hasher)
{
    th_free(hasher);
}

/* None of these can fail: they say so by a result that is always 1. */
void th_sha256_begin(th_hasher *hasher)
{
    SHA256_Init(&hasher->state);
}

void th_sha256_add(th_hasher *hasher, th_slice bytes)
{
    SHA256_Update(&hasher->state, bytes.data, bytes.size);
}

void th_sha256_end(th_hasher *hasher, th_hash *ret)
{
    SHA256_Final(ret->bytes, &hasher->state);
}

void th_sha256(th_hasher *hasher, const th_slice *parts, size_t count, th_hash *ret)
{
    th_sha256_begin(hasher);
    for (size_t i = 0; i < count; i++)
        th_sha256_add(hasher, parts[i]);
    th_sha256_end(hasher, ret);
}

void th_sha256_of(th_hasher *hasher, th_slice bytes, th_hash *ret)
{
    th_sha256(hasher, &bytes, 1, ret);
}
