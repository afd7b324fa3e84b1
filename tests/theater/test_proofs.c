/* Proofs, made and checked, and texts that are none. */
#include "theater/support.h"

#include <stdio.h>
#include <stdlib.h>

#include "theater/proof_text.h"

#define SIZES 5

/* A chain with checkpoints at several sizes. */
typedef struct signed_chain {
    char *path;
    theater_folder *folder;
    theater_bytes notes[SIZES];
    uint64_t sizes[SIZES];
    theater_bytes key;
} signed_chain;

static void make(signed_chain *chain)
{
    chain->path = test_folder();
    theater_runtime *runtime = test_open(chain->path, 128);
    test_start(runtime, "counter", "counter.wasm", "");
    const unsigned turns[SIZES] = {0, 1, 14, 17, 100};
    uint64_t size = 1;
    for (int i = 0; i < SIZES; i++) {
        for (unsigned t = 0; t < turns[i]; t++)
            test_send(runtime, "counter", "inc");
        chain->sizes[i] = size += turns[i];
        assert_ok(theater_checkpoint(runtime, "counter", &chain->notes[i], &error));
    }
    theater_runtime_close(runtime);
    chain->folder = test_read(chain->path);
    assert_ok(theater_verifier_key(chain->folder, 1, &chain->key, &error));
}

static void done(signed_chain *chain)
{
    for (int i = 0; i < SIZES; i++)
        theater_bytes_free(&chain->notes[i]);
    theater_bytes_free(&chain->key);
    theater_folder_close(chain->folder);
    test_remove(chain->path);
}

static th_slice slice(const theater_bytes *bytes)
{
    return th_slice_of(bytes->data, bytes->size);
}

static theater_status check(const signed_chain *chain, th_slice proof)
{
    theater_bytes text;
    theater_status status = theater_verify_proof(proof, (const char *)chain->key.data, &text, &error);
    theater_bytes_free(&text);
    return status;
}

static void every_element_is_proved_against_every_checkpoint(void **state)
{
    (void)state;
    signed_chain chain;
    make(&chain);
    for (int i = 0; i < SIZES; i++) {
        for (uint64_t sequence = 0; sequence < chain.sizes[i]; sequence++) {
            theater_bytes proof;
            assert_ok(
                theater_prove_inclusion(chain.folder, 1, sequence, slice(&chain.notes[i]), &proof, &error));
            assert_ok(check(&chain, slice(&proof)));
            theater_bytes_free(&proof);
        }
        theater_bytes proof;
        assert_status(
            theater_prove_inclusion(chain.folder, 1, chain.sizes[i], slice(&chain.notes[i]), &proof, &error),
            THEATER_NOT_FOUND);
    }
    done(&chain);
}

static void every_checkpoint_is_consistent_with_those_before(void **state)
{
    (void)state;
    signed_chain chain;
    make(&chain);
    for (int i = 0; i < SIZES; i++)
        for (int k = 0; k < SIZES; k++) {
            theater_bytes proof;
            theater_status status = theater_prove_consistency(chain.folder, 1, slice(&chain.notes[i]),
                                                              slice(&chain.notes[k]), &proof, &error);
            assert_int_equal(status,
                             chain.sizes[i] <= chain.sizes[k] ? THEATER_OK : THEATER_INVALID_ARGUMENT);
            if (!status)
                assert_ok(check(&chain, slice(&proof)));
            theater_bytes_free(&proof);
        }
    done(&chain);
}

static void an_altered_proof_does_not_hold(void **state)
{
    (void)state;
    signed_chain chain;
    make(&chain);
    theater_bytes proofs[2];
    assert_ok(theater_prove_inclusion(chain.folder, 1, 9, (th_slice){0}, &proofs[0], &error));
    assert_ok(theater_prove_consistency(chain.folder, 1, slice(&chain.notes[2]), (th_slice){0}, &proofs[1],
                                        &error));
    for (int p = 0; p < 2; p++) {
        for (size_t i = 0; i < proofs[p].size; i++)
            for (int bit = 0; bit < 8; bit += 3) {
                proofs[p].data[i] ^= (uint8_t)(1u << bit);
                assert_int_not_equal(check(&chain, slice(&proofs[p])), THEATER_OK);
                proofs[p].data[i] ^= (uint8_t)(1u << bit);
            }
        for (size_t cut = 0; cut < proofs[p].size; cut++)
            assert_int_not_equal(check(&chain, th_slice_of(proofs[p].data, cut)), THEATER_OK);
        assert_ok(check(&chain, slice(&proofs[p])));
        theater_bytes_free(&proofs[p]);
    }
    done(&chain);
}

/* Only who holds the key can make this: a tree in which an element stands at another place than it says. */
static void an_element_must_stand_where_it_says(void **state)
{
    (void)state;
    char *path = test_folder();
    test_make_counter(path, 5, 0);
    theater_folder *folder = test_read(path);
    theater_element element;
    assert_ok(theater_element_read(folder, 1, 4, &element, &error));
    static const uint8_t seed[TH_ED25519_SEED_SIZE] = {7};
    th_hasher *hasher;
    th_signing_key *key;
    th_buf vkey, note, proof;
    th_buf_init(&vkey, TH_VERIFIER_KEY_MAX + 1);
    th_buf_init(&note, TH_NOTE_MAX);
    th_buf_init(&proof, TH_PROOF_TEXT_MAX);
    th_slice name = th_slice_text("a/counter/0123456789abcdef");
    assert_ok(th_hasher_new(&hasher, &error));
    assert_ok(th_signing_key_new(seed, &key, &error));
    assert_ok(th_verifier_key_format(hasher, name, th_signing_key_public(key), &vkey, &error));
    assert_ok(th_buf_append_byte(&vkey, 0, &error));
    th_checkpoint checkpoint = {.name = name, .size = 1, .head = element.hash};
    assert_ok(th_checkpoint_sign(hasher, key, &checkpoint, &note, &error));
    th_proof path_of_one = {.count = 0};
    assert_ok(th_proof_text_inclusion(0, element.encoding, &path_of_one, th_buf_slice(&note), &proof,
                                      &error));
    theater_bytes text;
    assert_status(theater_verify_proof(th_buf_slice(&proof), (const char *)vkey.data, &text, &error),
                  THEATER_VERIFY_FAILED);
    assert_non_null(strstr(error.message, "sequence 4"));
    th_buf_done(&vkey);
    th_buf_done(&note);
    th_buf_done(&proof);
    th_signing_key_free(key);
    th_hasher_free(hasher);
    theater_element_free(&element);
    theater_folder_close(folder);
    test_remove(path);
}

static void texts_that_are_no_proofs(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        theater_status status;
    } texts[] = {
        {"", THEATER_CORRUPT},
        {"\n", THEATER_CORRUPT},
        {"hello\n", THEATER_CORRUPT},
        {"c2sp.org/tlog-proof@v1", THEATER_CORRUPT},
        {"c2sp.org/tlog-proof@v1\n", THEATER_CORRUPT},
        {"c2sp.org/tlog-proof@v2\nindex 0\n", THEATER_VERSION},
        {"c2sp.org/tlog-proof@v1\nindex 0\n\n", THEATER_CORRUPT},
        {"c2sp.org/tlog-proof@v1\nextra !\nindex 0\n\n", THEATER_CORRUPT},
        {"c2sp.org/tlog-proof@v1\nextra aGk=\nindex\n\n", THEATER_CORRUPT},
        {"c2sp.org/tlog-proof@v1\nextra aGk=\nindex 01\n\n", THEATER_CORRUPT},
        {"c2sp.org/tlog-proof@v1\nextra aGk=\nindex -1\n\n", THEATER_CORRUPT},
        {"c2sp.org/tlog-proof@v1\nextra aGk=\nindex 99999999999999999999\n\n", THEATER_CORRUPT},
        {"c2sp.org/tlog-proof@v1\nextra aGk=\nindex 1\naGk=\n\n", THEATER_CORRUPT},
        {"c2sp.org/tlog-proof@v1\nextra aGk=\nindex 1\n", THEATER_CORRUPT},
        {"theater-consistency-proof@v1\n", THEATER_CORRUPT},
        {"theater-consistency-proof@v2\n", THEATER_VERSION},
        {"theater-consistency-proof@v1\nolder aGk=\n", THEATER_CORRUPT},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        th_proof_text proof;
        theater_status status = th_proof_text_parse(th_slice_text(texts[i].text), &proof, &error);
        if (status != texts[i].status)
            fail_msg("text %zu: %s", i, theater_status_name(status));
    }
}

static void no_proof_has_more_hashes_than_any_can(void **state)
{
    (void)state;
    th_buf text;
    th_buf_init(&text, 65536);
    assert_ok(th_buf_printf(&text, &error, "c2sp.org/tlog-proof@v1\nextra aGk=\nindex 1\n"));
    for (int i = 0; i < TH_PROOF_MAX; i++)
        assert_ok(th_buf_printf(&text, &error, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"));
    th_proof_text proof;
    size_t size = text.size;
    assert_ok(th_buf_printf(&text, &error, "\nnote"));
    assert_ok(th_proof_text_parse(th_buf_slice(&text), &proof, &error));
    assert_int_equal(proof.proof.count, TH_PROOF_MAX);
    text.size = size;
    assert_ok(th_buf_printf(&text, &error, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\nnote"));
    assert_status(th_proof_text_parse(th_buf_slice(&text), &proof, &error), THEATER_CORRUPT);
    th_buf_done(&text);
}

static void the_longest_names_are_signed_and_checked(void **state)
{
    (void)state;
    char origin[256 + 1] = "", actor[128 + 1] = "";
    memset(origin, 'o', 256);
    memset(actor, 'a', 128);
    char *folder = test_folder();
    theater_runtime *runtime;
    theater_runtime_options options = {.folder = test_path(folder, "data"), .origin = origin, .workers = 2};
    assert_ok(theater_runtime_open(&options, &runtime, &error));
    test_start(runtime, actor, "counter.wasm", "");
    theater_bytes note, key;
    assert_ok(theater_checkpoint(runtime, actor, &note, &error));
    theater_runtime_close(runtime);
    theater_folder *read = test_read(folder);
    assert_ok(theater_verifier_key(read, 1, &key, &error));
    theater_source source = {.folder = read, .actor_id = 1};
    theater_report report;
    assert_ok(theater_verify(&source, NULL, &report, &error));
    assert_int_equal(report.status, THEATER_OK);
    assert_int_equal(report.checkpoints, 1);
    theater_folder_close(read);
    theater_bytes_free(&note);
    theater_bytes_free(&key);
    test_remove(folder);
}

static void what_cannot_be_proved(void **state)
{
    (void)state;
    char *path = test_folder();
    test_make_counter(path, 3, 0);
    theater_folder *folder = test_read(path);
    theater_bytes bytes;
    assert_status(theater_verifier_key(folder, 1, &bytes, &error), THEATER_NOT_FOUND);
    assert_status(theater_prove_inclusion(folder, 1, 0, (th_slice){0}, &bytes, &error), THEATER_NOT_FOUND);
    assert_non_null(strstr(error.message, "theater checkpoint"));
    assert_status(theater_prove_inclusion(folder, 5, 0, (th_slice){0}, &bytes, &error), THEATER_NOT_FOUND);
    assert_status(theater_prove_inclusion(folder, 1, 0, th_slice_text("no note"), &bytes, &error),
                  THEATER_CORRUPT);
    theater_folder_close(folder);
    test_remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_element_is_proved_against_every_checkpoint),
        cmocka_unit_test(every_checkpoint_is_consistent_with_those_before),
        cmocka_unit_test(an_altered_proof_does_not_hold),
        cmocka_unit_test(an_element_must_stand_where_it_says),
        cmocka_unit_test(texts_that_are_no_proofs),
        cmocka_unit_test(no_proof_has_more_hashes_than_any_can),
        cmocka_unit_test(the_longest_names_are_signed_and_checked),
        cmocka_unit_test(what_cannot_be_proved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
