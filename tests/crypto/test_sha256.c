/* SHA-256 against the values of FIPS 180-4, in one step and in many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crypto/sha256.h"

static th_hasher *hasher;

static int make(void **state)
{
    return th_hasher_new(&hasher, NULL);
}

static int drop(void **state)
{
    th_hasher_free(hasher);
    return 0;
}

static void expect(const th_hash *hash, const char *hex)
{
    char text[65];
    th_hex_encode(th_slice_of(hash->bytes, sizeof hash->bytes), text);
    assert_string_equal(text, hex);
}

static void known_messages_have_known_hashes(void **state)
{
    th_hash hash;
    th_sha256_of(hasher, th_slice_text(""), &hash);
    expect(&hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_memory_equal(hash.bytes, th_sha256_empty.bytes, sizeof hash.bytes);
    th_sha256_of(hasher, th_slice_text("abc"), &hash);
    expect(&hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    th_sha256_of(hasher, th_slice_text("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), &hash);
    expect(&hash, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void a_million_letters_in_pieces(void **state)
{
    char piece[1000];
    memset(piece, 'a', sizeof piece);
    th_hash hash;
    th_sha256_begin(hasher);
    for (int i = 0; i < 1000; i++)
        th_sha256_add(hasher, th_slice_of(piece, sizeof piece));
    th_sha256_end(hasher, &hash);
    expect(&hash, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void parts_hash_like_the_whole(void **state)
{
    uint8_t bytes[300];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    th_hash whole, parts;
    th_sha256_of(hasher, th_slice_of(bytes, sizeof bytes), &whole);
    for (size_t cut = 0; cut <= sizeof bytes; cut++) {
        th_slice two[] = {th_slice_of(bytes, cut), th_slice_of(NULL, 0),
                          th_slice_of(bytes + cut, sizeof bytes - cut)};
        th_sha256(hasher, two, 3, &parts);
        assert_memory_equal(parts.bytes, whole.bytes, sizeof whole.bytes);
    }
}

static void the_result_may_lie_in_the_input(void **state)
{
    th_hash hash, again;
    th_sha256_of(hasher, th_slice_text("x"), &hash);
    th_sha256_of(hasher, th_slice_of(hash.bytes, sizeof hash.bytes), &again);
    th_sha256_of(hasher, th_slice_of(hash.bytes, sizeof hash.bytes), &hash);
    assert_memory_equal(hash.bytes, again.bytes, sizeof hash.bytes);
}

static void a_hash_that_was_left_open_is_forgotten(void **state)
{
    th_hash hash;
    th_sha256_begin(hasher);
    th_sha256_add(hasher, th_slice_text("left open"));
    th_sha256_of(hasher, th_slice_text("abc"), &hash);
    expect(&hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#ifdef TH_FAULTS
static void a_hasher_without_memory_is_an_error(void **state)
{
    th_hasher *other;
    theater_error error;
    th_allocation_fail_at(1);
    assert_int_equal(th_hasher_new(&other, &error), THEATER_NO_MEMORY);
    th_allocation_fail_at(0);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_messages_have_known_hashes),
        cmocka_unit_test(a_million_letters_in_pieces),
        cmocka_unit_test(parts_hash_like_the_whole),
        cmocka_unit_test(the_result_may_lie_in_the_input),
        cmocka_unit_test(a_hash_that_was_left_open_is_forgotten),
#ifdef TH_FAULTS
        cmocka_unit_test(a_hasher_without_memory_is_an_error),
#endif
    };
    return cmocka_run_group_tests(tests, make, drop);
}
