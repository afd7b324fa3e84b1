#include "crypto/sha256.h"

#include <openssl/evp.h>

const th_hash th_sha256_empty = {{0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4,
                                  0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b,
                                  0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55}};

struct th_hasher {
    EVP_MD *digest;
    EVP_MD_CTX *context;
};

/* Runs the digest once: the context allocates its state now, and later rounds only reset it. */
static bool warm_up(th_hasher *hasher)
{
    th_hash hash;
    unsigned size = 0;
    return EVP_DigestInit_ex2(hasher->context, hasher->digest, NULL) == 1 &&
           EVP_DigestFinal_ex(hasher->context, hash.bytes, &size) == 1 && size == sizeof hash.bytes &&
           th_hash_equal(&hash, &th_sha256_empty);
}

theater_status th_hasher_new(th_hasher **ret, theater_error *reterr)
{
    th_hasher *hasher = th_alloc_zero(1, sizeof *hasher);
    if (!hasher)
        return th_fail_memory(reterr, "a hash context");
    hasher->context = EVP_MD_CTX_new();
    hasher->digest = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (!hasher->context || !hasher->digest || !warm_up(hasher)) {
        th_hasher_free(hasher);
        return th_fail(reterr, THEATER_ENGINE_FAILED, "OpenSSL offers no SHA-256");
    }
    *ret = hasher;
    return THEATER_OK;
}

void th_hasher_free(th_hasher *hasher)
{
    if (!hasher)
        return;
    EVP_MD_CTX_free(hasher->context);
    EVP_MD_free(hasher->digest);
    th_free(hasher);
}

/* After the warm-up none of these allocates, so a failure would be a broken OpenSSL: wrong hashes must not get out. */
void th_sha256_begin(th_hasher *hasher)
{
    int done = EVP_DigestInit_ex2(hasher->context, NULL, NULL);
    th_assert(done == 1);
}

void th_sha256_add(th_hasher *hasher, th_slice bytes)
{
    int done = bytes.size == 0 || EVP_DigestUpdate(hasher->context, bytes.data, bytes.size) == 1;
    th_assert(done);
}

void th_sha256_end(th_hasher *hasher, th_hash *ret)
{
    int done = EVP_DigestFinal_ex(hasher->context, ret->bytes, NULL);
    th_assert(done == 1);
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
