#include "crypto/ed25519.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

struct th_signing_key {
    EVP_PKEY *pair; /* OpenSSL's form of the seed; it wipes what it holds when it is freed */
    uint8_t public_key[TH_ED25519_PUBLIC_SIZE];
};

theater_status th_signing_key_new(const uint8_t seed[TH_ED25519_SEED_SIZE], th_signing_key **ret,
                                  theater_error *reterr)
{
    th_signing_key *key = th_alloc_zero(1, sizeof *key);
    if (!key)
        return th_fail_memory(reterr, "a signing key");
    size_t size = sizeof key->public_key;
    key->pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, TH_ED25519_SEED_SIZE);
    if (!key->pair || EVP_PKEY_get_raw_public_key(key->pair, key->public_key, &size) != 1 ||
        size != sizeof key->public_key) {
        th_signing_key_free(key);
        return th_fail(reterr, THEATER_ENGINE_FAILED, "OpenSSL makes no Ed25519 key");
    }
    *ret = key;
    return THEATER_OK;
}

void th_signing_key_free(th_signing_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->pair);
    OPENSSL_cleanse(key, sizeof *key);
    th_free(key);
}

const uint8_t *th_signing_key_public(const th_signing_key *key)
{
    return key->public_key;
}

theater_status th_ed25519_sign(const th_signing_key *key, th_slice message,
                               uint8_t ret[TH_ED25519_SIGNATURE_SIZE], theater_error *reterr)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context)
        return th_fail_memory(reterr, "a signature");
    size_t size = TH_ED25519_SIGNATURE_SIZE;
    bool done = EVP_DigestSignInit(context, NULL, NULL, NULL, key->pair) == 1 &&
                EVP_DigestSign(context, ret, &size, message.data, message.size) == 1 &&
                size == TH_ED25519_SIGNATURE_SIZE;
    EVP_MD_CTX_free(context);
    return done ? THEATER_OK : th_fail(reterr, THEATER_ENGINE_FAILED, "OpenSSL makes no Ed25519 signature");
}

theater_status th_ed25519_verify(const uint8_t public_key[TH_ED25519_PUBLIC_SIZE], th_slice message,
                                 const uint8_t signature[TH_ED25519_SIGNATURE_SIZE], bool *ret_valid,
                                 theater_error *reterr)
{
    *ret_valid = false;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context)
        return th_fail_memory(reterr, "a signature's check");
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, TH_ED25519_PUBLIC_SIZE);
    bool begun = key && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1;
    if (begun)
        *ret_valid =
            EVP_DigestVerify(context, signature, TH_ED25519_SIGNATURE_SIZE, message.data, message.size) == 1;
    EVP_PKEY_free(key);
    EVP_MD_CTX_free(context);
    return begun ? THEATER_OK : th_fail(reterr, THEATER_ENGINE_FAILED, "OpenSSL checks no Ed25519 signature");
}
