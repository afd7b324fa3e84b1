/* Checkpoints and keys: what is refused, which signature counts, and whose name it must bear. */
#include "fixture.h"

#include <stdio.h>

#include "crypto/base64.h"

static th_signing_key *key, *other;
static th_hash genesis;
static th_buf name, note, key_text;
static th_verifier_key verifier_key;

static int make(void **state)
{
    uint8_t seed[32] = {1}, second[32] = {2};
    memset(genesis.bytes, 0xab, sizeof genesis.bytes);
    th_buf_init(&name, TH_LOG_NAME_MAX);
    th_buf_init(&note, TH_NOTE_MAX);
    th_buf_init(&key_text, TH_VERIFIER_KEY_MAX);
    assert_ok(th_signing_key_new(seed, &key, reterr));
    assert_ok(th_signing_key_new(second, &other, reterr));
    assert_ok(th_log_name(th_slice_text("example.org"), th_slice_text("cart"), &genesis, &name, reterr));
    assert_ok(th_verifier_key_format(fixture_hasher(), th_buf_slice(&name), th_signing_key_public(key),
                                     &key_text, reterr));
    assert_ok(th_verifier_key_parse(fixture_hasher(), th_buf_slice(&key_text), &verifier_key, reterr));
    th_checkpoint checkpoint = {.name = th_buf_slice(&name), .size = 42};
    assert_ok(th_checkpoint_sign(fixture_hasher(), key, &checkpoint, &note, reterr));
    return 0;
}

static int drop(void **state)
{
    th_signing_key_free(key);
    th_signing_key_free(other);
    th_buf_done(&name);
    th_buf_done(&note);
    th_buf_done(&key_text);
    return 0;
}

static void a_note_is_text_and_signature(void **state)
{
    th_checkpoint checkpoint;
    assert_true(th_slice_equal(th_buf_slice(&name), th_slice_text("example.org/cart/abababababababab")));
    assert_ok(
        th_checkpoint_verify(fixture_hasher(), th_buf_slice(&note), &verifier_key, &checkpoint, reterr));
    assert_int_equal(checkpoint.size, 42);
    assert_ok(th_checkpoint_parse(th_buf_slice(&note), &checkpoint, reterr));
    assert_true(th_slice_equal(checkpoint.name, th_buf_slice(&name)));
}

static void every_flipped_bit_of_a_note_is_refused(void **state)
{
    th_checkpoint checkpoint;
    for (size_t bit = 0; bit < note.size * 8; bit++) {
        note.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(
            th_checkpoint_verify(fixture_hasher(), th_buf_slice(&note), &verifier_key, &checkpoint, NULL),
            THEATER_OK);
        note.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t size = 0; size < note.size; size++)
        assert_int_not_equal(th_checkpoint_verify(fixture_hasher(), th_slice_of(note.data, size),
                                                  &verifier_key, &checkpoint, NULL),
                             THEATER_OK);
}

static void every_flipped_bit_of_a_key_is_refused(void **state)
{
    th_verifier_key parsed;
    for (size_t bit = 0; bit < key_text.size * 8; bit++) {
        key_text.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(th_verifier_key_parse(fixture_hasher(), th_buf_slice(&key_text), &parsed, NULL),
                         THEATER_INVALID_ARGUMENT);
        key_text.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t size = 0; size < key_text.size; size++)
        assert_int_equal(
            th_verifier_key_parse(fixture_hasher(), th_slice_of(key_text.data, size), &parsed, NULL),
            THEATER_INVALID_ARGUMENT);
}

/* Takes the first three lines of the note and the rest apart. */
static th_slice text_part(void)
{
    const char *end = strstr((const char *)note.data, "\n\n");
    assert_non_null(end);
    return th_slice_of(note.data, (size_t)(end - (const char *)note.data) + 1);
}

static theater_status verify_with(const char *lines, th_slice own, bool own_too)
{
    th_checkpoint checkpoint;
    th_buf changed;
    th_buf_init(&changed, TH_NOTE_MAX * 4);
    assert_ok(th_buf_append(&changed, text_part(), reterr));
    assert_ok(th_buf_append(&changed, th_slice_text("\n"), reterr));
    assert_ok(th_buf_append(&changed, th_slice_text(lines), reterr));
    if (own_too)
        assert_ok(th_buf_append(&changed, own, reterr));
    theater_status status =
        th_checkpoint_verify(fixture_hasher(), th_buf_slice(&changed), &verifier_key, &checkpoint, NULL);
    th_buf_done(&changed);
    return status;
}

static void signatures_of_others_are_passed_over(void **state)
{
    size_t at = text_part().size + 1;
    th_slice own = th_slice_of(note.data + at, note.size - at);
    assert_int_equal(verify_with("", own, true), THEATER_OK);
    assert_int_equal(verify_with("\xe2\x80\x94 witness.example AAAAAAAA\n", own, true), THEATER_OK);
    assert_int_equal(verify_with("\xe2\x80\x94 witness.example AAAAAAAA\n", own, false), THEATER_CORRUPT);
    assert_int_equal(verify_with("\xe2\x80\x94 example.org/cart/abababababababab AAAAAAAA\n", own, false),
                     THEATER_VERIFY_FAILED);
    assert_int_equal(verify_with("", own, false), THEATER_CORRUPT);
    /* The same name with another key's id is another key. */
    assert_int_equal(verify_with("\xe2\x80\x94 example.org/cart/abababababababab AAAAAAAA\n", own, true),
                     THEATER_OK);
}

static void a_signature_that_claims_the_key_must_be_good(void **state)
{
    size_t at = text_part().size + 1;
    th_slice own = th_slice_of(note.data + at, note.size - at);
    uint8_t bytes[68] = {0};
    char line[200], encoded[93] = {0};
    th_put_u32be(bytes, verifier_key.id);
    th_base64_encode(th_slice_of(bytes, sizeof bytes), encoded);
    snprintf(line, sizeof line, "\xe2\x80\x94 example.org/cart/abababababababab %s\n", encoded);
    assert_int_equal(verify_with(line, own, true), THEATER_VERIFY_FAILED);
}

static void malformed_signature_lines_are_refused(void **state)
{
    static const char *const bad[] = {
        "\xe2\x80\x94 witness AAAA\n", /* fewer than five bytes */
        "\xe2\x80\x94 witness AAAAAAA\n", /* no base64 */
        "\xe2\x80\x94 witness\n", /* no signature */
        "\xe2\x80\x94  AAAAAAAA\n", /* no name */
        "\xe2\x80\x94 wit+ness AAAAAAAA\n", /* a plus in a name */
        "- witness AAAAAAAA\n", /* another dash */
        "\n", /* an empty line */
        "\xe2\x80\x94 a\xc2\xa0z AAAAAAAA\n", /* a Unicode space */
    };
    size_t at = text_part().size + 1;
    th_slice own = th_slice_of(note.data + at, note.size - at);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(verify_with(bad[i], own, true), THEATER_CORRUPT);
}

static void the_number_of_signatures_is_bounded(void **state)
{
    char lines[TH_NOTE_SIGNATURES_MAX * 32 + 1] = "";
    size_t at = text_part().size + 1;
    th_slice own = th_slice_of(note.data + at, note.size - at);
    for (int i = 0; i < TH_NOTE_SIGNATURES_MAX - 1; i++)
        strcat(lines, "\xe2\x80\x94 w AAAAAAAA\n");
    assert_int_equal(verify_with(lines, own, true), THEATER_OK);
    strcat(lines, "\xe2\x80\x94 w AAAAAAAA\n");
    assert_int_equal(verify_with(lines, own, true), THEATER_CORRUPT);
}

/* A sound note with one more signature of another kind, so long that the note has `size` bytes. */
static theater_status parse_of_size(size_t size)
{
    th_checkpoint checkpoint;
    th_buf changed;
    th_buf_init(&changed, TH_NOTE_MAX * 2);
    assert_ok(th_buf_append(&changed, th_buf_slice(&note), reterr));
    /* dash, space, name of three or more, space, groups of four, newline */
    size_t left = size - note.size - 4 - 1 - 1, name_size = 3 + (left - 3) % 4;
    assert_ok(th_buf_append(&changed, th_slice_text("\xe2\x80\x94 "), reterr));
    for (size_t i = 0; i < name_size; i++)
        assert_ok(th_buf_append_byte(&changed, 'w', reterr));
    assert_ok(th_buf_append_byte(&changed, ' ', reterr));
    for (size_t i = name_size; i < left; i++)
        assert_ok(th_buf_append_byte(&changed, 'A', reterr));
    assert_ok(th_buf_append_byte(&changed, '\n', reterr));
    assert_int_equal(changed.size, size);
    theater_status status = th_checkpoint_parse(th_buf_slice(&changed), &checkpoint, NULL);
    th_buf_done(&changed);
    return status;
}

static void names_that_no_key_has_are_not_used(void **state)
{
    th_buf out;
    th_checkpoint checkpoint = {.name = th_slice_text("a b")};
    th_buf_init(&out, 10000);
    assert_int_equal(th_verifier_key_format(fixture_hasher(), th_slice_text("a+b"),
                                            th_signing_key_public(key), &out, NULL),
                     THEATER_INVALID_ARGUMENT);
    assert_int_equal(th_checkpoint_sign(fixture_hasher(), key, &checkpoint, &out, NULL),
                     THEATER_INVALID_ARGUMENT);
    assert_int_equal(out.size, 0);
    th_buf_done(&out);
}

static void a_full_buffer_stays_as_it_was(void **state)
{
    th_checkpoint checkpoint = {.name = th_buf_slice(&name), .size = 42};
    for (size_t max = 0; max < note.size + 1; max++) {
        th_buf out;
        th_buf_init(&out, max);
        theater_status status = th_checkpoint_sign(fixture_hasher(), key, &checkpoint, &out, NULL);
        assert_int_equal(status, max >= note.size ? THEATER_OK : THEATER_TOO_LARGE);
        assert_int_equal(out.size, status ? 0 : note.size);
        th_buf_done(&out);
    }
}

static void a_note_is_bounded(void **state)
{
    th_checkpoint checkpoint;
    assert_int_equal(parse_of_size(TH_NOTE_MAX), THEATER_OK);
    assert_int_equal(parse_of_size(TH_NOTE_MAX + 1), THEATER_CORRUPT);
    char *large = calloc(1, TH_NOTE_MAX + 1);
    memset(large, 'a', TH_NOTE_MAX + 1);
    assert_int_equal(th_checkpoint_parse(th_slice_of(large, TH_NOTE_MAX + 1), &checkpoint, NULL),
                     THEATER_CORRUPT);
    free(large);
}

static bool parses(const char *text)
{
    th_checkpoint checkpoint;
    char whole[1000];
    snprintf(whole, sizeof whole, "%s\n\xe2\x80\x94 a/b/c AAAAAAAA\n", text);
    return th_checkpoint_parse(th_slice_text(whole), &checkpoint, NULL) == THEATER_OK;
}

static void the_text_is_three_lines_in_their_only_form(void **state)
{
#define HEAD "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    assert_true(parses("a/b/c\n0\n" HEAD "\n"));
    assert_true(parses("a/b/c\n18446744073709551615\n" HEAD "\n"));
    assert_false(parses("a/b/c\n18446744073709551616\n" HEAD "\n"));
    assert_false(parses("a/b/c\n99999999999999999999\n" HEAD "\n"));
    assert_false(parses("a/b/c\n01\n" HEAD "\n"));
    assert_false(parses("a/b/c\n+1\n" HEAD "\n"));
    assert_false(parses("a/b/c\n\n" HEAD "\n"));
    assert_false(parses("a/b/c\n1 \n" HEAD "\n"));
    assert_false(parses("\n1\n" HEAD "\n"));
    assert_false(parses("a b\n1\n" HEAD "\n"));
    assert_false(parses("a+b\n1\n" HEAD "\n"));
    assert_false(parses("a/b/c\n1\nAAAA\n"));
    assert_false(parses("a/b/c\n1\n" HEAD "\nan extension\n"));
    assert_false(parses("a/b/c\n1\n"));
}

static void origins_have_no_spaces_or_controls(void **state)
{
    static const char *const good[] = {
        "theater.local", "a", "example.org/x", "\xc3\xa9.example", "a:80", "\xe2\x80\x94", "\xe3\x81\x82"};
    static const char *const bad[] = {"",
                                      " ",
                                      "a b",
                                      "a+b",
                                      "a\tb",
                                      "a\n",
                                      "\x7f",
                                      "\xc2\x85",
                                      "\xc2\xa0",
                                      "\xc2\x9f",
                                      "\xff",
                                      "\xe1\x9a\x80",
                                      "\xe2\x80\x80",
                                      "\xe2\x80\x8a",
                                      "\xe2\x80\xa8",
                                      "\xe2\x80\xa9",
                                      "\xe2\x80\xaf",
                                      "\xe2\x81\x9f",
                                      "\xe3\x80\x80",
                                      "x\xe3\x80\x80"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(th_origin_valid(th_slice_text(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(th_origin_valid(th_slice_text(bad[i])));
    char longest[TH_ORIGIN_MAX + 1];
    memset(longest, 'o', sizeof longest);
    assert_true(th_origin_valid(th_slice_of(longest, TH_ORIGIN_MAX)));
    assert_false(th_origin_valid(th_slice_of(longest, TH_ORIGIN_MAX + 1)));
    assert_false(th_origin_valid(th_slice_of("a\0b", 3)));
}

static void log_names_belong_to_one_chain(void **state)
{
    th_hash another = genesis;
    another.bytes[7] ^= 1;
    th_slice log = th_buf_slice(&name);
    assert_true(th_log_name_of_chain(log, th_slice_text("cart"), &genesis));
    assert_false(th_log_name_of_chain(log, th_slice_text("cart"), &another));
    assert_false(th_log_name_of_chain(log, th_slice_text("car"), &genesis));
    assert_false(th_log_name_of_chain(log, th_slice_text("art"), &genesis));
    assert_false(
        th_log_name_of_chain(th_slice_text("/cart/abababababababab"), th_slice_text("cart"), &genesis));
    assert_true(
        th_log_name_of_chain(th_slice_text("x/cart/abababababababab"), th_slice_text("cart"), &genesis));
    assert_false(
        th_log_name_of_chain(th_slice_text("x/cart/ABABABABABABABAB"), th_slice_text("cart"), &genesis));
    th_buf out;
    th_buf_init(&out, 1000);
    assert_int_equal(th_log_name(th_slice_text("a b"), th_slice_text("cart"), &genesis, &out, NULL),
                     THEATER_INVALID_ARGUMENT);
    assert_int_equal(th_log_name(th_slice_text("a"), th_slice_text("Cart"), &genesis, &out, NULL),
                     THEATER_INVALID_ARGUMENT);
    th_buf_done(&out);
}

static void another_key_or_name_does_not_verify(void **state)
{
    th_checkpoint checkpoint;
    th_verifier_key changed = verifier_key;
    memcpy(changed.public_key, th_signing_key_public(other), sizeof changed.public_key);
    assert_int_equal(th_checkpoint_verify(fixture_hasher(), th_buf_slice(&note), &changed, &checkpoint, NULL),
                     THEATER_VERIFY_FAILED);
    changed.id = th_key_id(fixture_hasher(), changed.name, changed.public_key);
    assert_int_equal(th_checkpoint_verify(fixture_hasher(), th_buf_slice(&note), &changed, &checkpoint, NULL),
                     THEATER_VERIFY_FAILED);
    changed = verifier_key;
    changed.name = th_slice_text("example.org/cart/0000000000000000");
    assert_int_equal(th_checkpoint_verify(fixture_hasher(), th_buf_slice(&note), &changed, &checkpoint, NULL),
                     THEATER_VERIFY_FAILED);
}

static void the_longest_names_fit(void **state)
{
    char origin[TH_ORIGIN_MAX], actor[TH_NAME_MAX];
    th_buf longest, text, signed_note;
    th_verifier_key parsed;
    th_checkpoint checkpoint;
    memset(origin, 'o', sizeof origin);
    memset(actor, 'a', sizeof actor);
    th_buf_init(&longest, TH_LOG_NAME_MAX);
    th_buf_init(&text, TH_VERIFIER_KEY_MAX);
    th_buf_init(&signed_note, TH_NOTE_MAX);
    assert_ok(th_log_name(th_slice_of(origin, sizeof origin), th_slice_of(actor, sizeof actor), &genesis,
                          &longest, reterr));
    assert_int_equal(longest.size, TH_LOG_NAME_MAX);
    assert_ok(th_verifier_key_format(fixture_hasher(), th_buf_slice(&longest), th_signing_key_public(key),
                                     &text, reterr));
    assert_int_equal(text.size, TH_VERIFIER_KEY_MAX);
    assert_ok(th_verifier_key_parse(fixture_hasher(), th_buf_slice(&text), &parsed, reterr));
    checkpoint = (th_checkpoint){.name = th_buf_slice(&longest), .size = UINT64_MAX};
    assert_ok(th_checkpoint_sign(fixture_hasher(), key, &checkpoint, &signed_note, reterr));
    assert_ok(
        th_checkpoint_verify(fixture_hasher(), th_buf_slice(&signed_note), &parsed, &checkpoint, reterr));
    th_buf_done(&longest);
    th_buf_done(&text);
    th_buf_done(&signed_note);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_note_is_text_and_signature),
        cmocka_unit_test(every_flipped_bit_of_a_note_is_refused),
        cmocka_unit_test(every_flipped_bit_of_a_key_is_refused),
        cmocka_unit_test(signatures_of_others_are_passed_over),
        cmocka_unit_test(a_signature_that_claims_the_key_must_be_good),
        cmocka_unit_test(malformed_signature_lines_are_refused),
        cmocka_unit_test(the_number_of_signatures_is_bounded),
        cmocka_unit_test(names_that_no_key_has_are_not_used),
        cmocka_unit_test(a_full_buffer_stays_as_it_was),
        cmocka_unit_test(a_note_is_bounded),
        cmocka_unit_test(the_text_is_three_lines_in_their_only_form),
        cmocka_unit_test(origins_have_no_spaces_or_controls),
        cmocka_unit_test(log_names_belong_to_one_chain),
        cmocka_unit_test(another_key_or_name_does_not_verify),
        cmocka_unit_test(the_longest_names_fit),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
