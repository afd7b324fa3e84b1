/* Ed25519 against the test vectors of RFC 8032, section 7.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crypto/ed25519.h"

typedef struct known_signature {
    const char *seed;
    const char *public_key;
    const char *message;
    const char *signature;
} known_signature;

static const known_signature known[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f"
     "0595bbe2465"
     "5141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2ea"
     "eb4302aeeb0"
     "0d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e"
     "9716ed28dc0"
     "27beceea1ec40a"},
};

static void read_hex(const char *text, uint8_t *out, size_t size)
{
    assert_true(th_hex_decode(text, strlen(text), out, size));
}

static void known_keys_make_known_signatures(void **state)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint8_t seed[32], public_key[32], message[8], expected[64], signature[64];
        size_t size = strlen(known[i].message) / 2;
        bool valid = false;
        th_signing_key *key;
        read_hex(known[i].seed, seed, 32);
        read_hex(known[i].public_key, public_key, 32);
        read_hex(known[i].message, message, size);
        read_hex(known[i].signature, expected, 64);
        assert_int_equal(th_signing_key_new(seed, &key, NULL), THEATER_OK);
        assert_memory_equal(th_signing_key_public(key), public_key, 32);
        assert_int_equal(th_ed25519_sign(key, th_slice_of(message, size), signature, NULL), THEATER_OK);
        assert_memory_equal(signature, expected, 64);
        assert_int_equal(th_ed25519_verify(public_key, th_slice_of(message, size), signature, &valid, NULL),
                         THEATER_OK);
        assert_true(valid);
        th_signing_key_free(key);
    }
}

static void every_flipped_bit_of_a_signature_is_refused(void **state)
{
    uint8_t public_key[32], signature[64], message[2];
    read_hex(known[2].public_key, public_key, 32);
    read_hex(known[2].signature, signature, 64);
    read_hex(known[2].message, message, 2);
    for (size_t bit = 0; bit < 512; bit++) {
        bool valid = true;
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(th_ed25519_verify(public_key, th_slice_of(message, 2), signature, &valid, NULL),
                         THEATER_OK);
        assert_false(valid);
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void another_message_or_key_is_refused(void **state)
{
    uint8_t public_key[32], other[32], signature[64];
    bool valid = true;
    read_hex(known[1].public_key, public_key, 32);
    read_hex(known[0].public_key, other, 32);
    read_hex(known[1].signature, signature, 64);
    assert_int_equal(th_ed25519_verify(public_key, th_slice_text("s"), signature, &valid, NULL), THEATER_OK);
    assert_false(valid);
    valid = true;
    assert_int_equal(th_ed25519_verify(other, th_slice_text("r"), signature, &valid, NULL), THEATER_OK);
    assert_false(valid);
}

#ifdef TH_FAULTS
static void a_key_without_memory_is_an_error(void **state)
{
    uint8_t seed[32] = {0};
    th_signing_key *key;
    th_allocation_fail_at(1);
    assert_int_equal(th_signing_key_new(seed, &key, NULL), THEATER_NO_MEMORY);
    th_allocation_fail_at(0);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_keys_make_known_signatures),
        cmocka_unit_test(every_flipped_bit_of_a_signature_is_refused),
        cmocka_unit_test(another_message_or_key_is_refused),
#ifdef TH_FAULTS
        cmocka_unit_test(a_key_without_memory_is_an_error),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
