/* Every value of vectors.json holds, in both directions where there are two. */
#include "fixture.h"

#include <stdio.h>

#include "chain/log_tree.h"
#include "chain/turn_random.h"
#include "vectors.h"

static json_t *root;

static int load(void **state)
{
    root = vectors_load();
    return 0;
}

static int unload(void **state)
{
    json_decref(root);
    vectors_free_bytes();
    return 0;
}

static void elements_decode_encode_and_hash(void **state)
{
    json_t *chain = json_object_get(root, "chain");
    assert_int_equal(json_array_size(chain), 12);
    for (size_t i = 0; i < json_array_size(chain); i++) {
        json_t *vector = json_array_get(chain, i);
        th_slice encoding = vectors_bytes(vector, "element");
        th_element element;
        assert_ok(th_element_decode(encoding, &element, reterr));
        assert_int_equal(element.sequence, i);
        uint8_t room[TH_ELEMENT_MAX];
        size_t size = th_element_encode(&element, room);
        assert_int_equal(size, encoding.size);
        assert_memory_equal(room, encoding.data, size);
        th_hash hash, expected = vectors_hash(vector, "hash");
        th_element_hash(fixture_hasher(), encoding, &hash);
        assert_hash_equal(&hash, &expected);

        th_slice state_bytes = vectors_bytes(vector, "state");
        expected = vectors_hash(vector, "state_root");
        assert_hash_equal(&element.state_after, &expected);
        th_state_root(fixture_hasher(), state_bytes, &hash);
        assert_hash_equal(&hash, &expected);
        assert_int_equal(element.state_size, state_bytes.size);
    }
}

static void state_trees_follow_the_chain(void **state)
{
    json_t *chain = json_object_get(root, "chain");
    th_state_tree tree;
    th_state_tree_init(&tree);
    th_slice before = th_slice_of(NULL, 0);
    for (size_t i = 0; i < json_array_size(chain); i++) {
        json_t *vector = json_array_get(chain, i);
        th_slice after = vectors_bytes(vector, "state");
        th_hash hash, expected = vectors_hash(vector, "state_root");
        assert_ok(th_state_tree_update(&tree, fixture_hasher(), before, after, &hash, reterr));
        assert_hash_equal(&hash, &expected);
        before = after;
    }
    th_state_tree_done(&tree);
}

static void random_streams_are_as_published(void **state)
{
    json_t *chain = json_object_get(root, "chain");
    for (size_t i = 0; i < json_array_size(chain); i++) {
        json_t *vector = json_array_get(chain, i);
        th_element element;
        assert_ok(th_element_decode(vectors_bytes(vector, "element"), &element, reterr));
        th_turn_random random;
        th_turn_random_init(&random, fixture_hasher(), &element.previous, element.sequence, element.timestamp,
                            &element.input);
        uint8_t bytes[100];
        assert_true(th_turn_random_read(&random, fixture_hasher(), bytes, 20));
        assert_memory_equal(bytes, vectors_bytes(vector, "random_first_20").data, 20);
        assert_true(th_turn_random_read(&random, fixture_hasher(), bytes, 80));
        assert_memory_equal(bytes, vectors_bytes(vector, "random_next_80").data, 80);
    }
}

static void effects_are_rebuilt_byte_for_byte(void **state)
{
    json_t *chain = json_object_get(root, "chain");
    size_t messages = 0, lines = 0;
    for (size_t i = 0; i < json_array_size(chain); i++) {
        json_t *vector = json_array_get(chain, i);
        th_slice payload = vectors_bytes(vector, "effects");
        th_effects_reader reader;
        assert_ok(th_effects_read(payload, i, &reader, reterr));
        for (bool more = true; more;) {
            th_effect effect;
            assert_ok(th_effects_next(&reader, &effect, &more, reterr));
            if (more)
                *(effect.kind == TH_EFFECT_LOG ? &lines : &messages) += 1;
        }
    }
    assert_true(messages >= 2);
    assert_true(lines >= 2);
}

static void descriptors_are_rebuilt_byte_for_byte(void **state)
{
    json_t *chain = json_object_get(root, "chain");
    const size_t places[] = {0, 11};
    for (size_t i = 0; i < 2; i++) {
        th_slice input = vectors_bytes(json_array_get(chain, places[i]), "input");
        th_descriptor descriptor;
        assert_ok(th_descriptor_decode(input, &descriptor, reterr));
        assert_true(th_slice_equal(descriptor.name, th_slice_text("counter")));
        th_buf out;
        th_buf_init(&out, 4096);
        assert_ok(th_descriptor_encode(&descriptor, &out, reterr));
        assert_true(th_slice_equal(th_buf_slice(&out), input));
        th_buf_done(&out);
    }
}

static void rejections_are_rebuilt_byte_for_byte(void **state)
{
    json_t *chain = json_object_get(root, "chain");
    unsigned codes = 0;
    for (size_t i = 0; i < json_array_size(chain); i++) {
        json_t *vector = json_array_get(chain, i);
        th_element element;
        assert_ok(th_element_decode(vectors_bytes(vector, "element"), &element, reterr));
        if (element.type != TH_REJECTION)
            continue;
        th_slice output = vectors_bytes(vector, "output");
        th_rejection rejection;
        assert_ok(th_rejection_decode(output, &rejection, reterr));
        codes |= 1u << rejection.code;
        th_buf out;
        th_buf_init(&out, 4096);
        assert_ok(th_rejection_encode(&rejection, &out, reterr));
        assert_true(th_slice_equal(th_buf_slice(&out), output));
        th_buf_done(&out);
    }
    assert_int_equal(codes, 0x7e); /* all of 1 to 6 */
}

static void tree_heads_are_as_published(void **state)
{
    json_t *heads = json_object_get(root, "tree_heads"), *chain = json_object_get(root, "chain");
    th_log_tree tree;
    th_hash hashes[12];
    th_log_tree_init(&tree);
    for (size_t i = 0; i < json_array_size(heads); i++) {
        th_hash head, expected;
        assert_true(th_hex_decode(json_string_value(json_array_get(heads, i)), 64, expected.bytes, 32));
        th_log_tree_head(&tree, fixture_hasher(), &head);
        assert_hash_equal(&head, &expected);
        th_merkle_root(fixture_hasher(), hashes, i, &head);
        assert_hash_equal(&head, &expected);
        if (i < 12) {
            hashes[i] = vectors_hash(json_array_get(chain, i), "hash");
            th_log_tree_append(&tree, fixture_hasher(), &hashes[i]);
        }
    }
}

static void state_roots_are_as_published(void **state)
{
    static uint8_t bytes[100000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(7 * i + (i >> 8));
    const char *size;
    json_t *value;
    size_t seen = 0;
    json_object_foreach(json_object_get(json_object_get(root, "state_roots"), "roots"), size, value)
    {
        th_hash hash, expected;
        assert_true(th_hex_decode(json_string_value(value), 64, expected.bytes, 32));
        th_slice whole = th_slice_of(bytes, strtoull(size, NULL, 10));
        th_state_root(fixture_hasher(), whole, &hash);
        assert_hash_equal(&hash, &expected);
        th_state_tree tree;
        th_state_tree_init(&tree);
        assert_ok(th_state_tree_update(&tree, fixture_hasher(), th_slice_of(NULL, 0), whole, &hash, reterr));
        assert_hash_equal(&hash, &expected);
        th_state_tree_done(&tree);
        seen++;
    }
    assert_int_equal(seen, 9);
}

static void the_checkpoint_is_signed_and_read(void **state)
{
    json_t *vector = json_object_get(root, "checkpoint");
    th_slice note = th_slice_text(vectors_text(vector, "note"));
    th_slice key_text = th_slice_text(vectors_text(vector, "verifier_key"));
    th_hash genesis = vectors_hash(json_array_get(json_object_get(root, "chain"), 0), "hash");
    th_signing_key *key;
    assert_ok(th_signing_key_new(vectors_bytes(vector, "private_key_seed").data, &key, reterr));
    th_buf name, out;
    th_buf_init(&name, TH_LOG_NAME_MAX);
    th_buf_init(&out, TH_NOTE_MAX);
    assert_ok(
        th_log_name(th_slice_text(TH_ORIGIN_DEFAULT), th_slice_text("counter"), &genesis, &name, reterr));
    assert_true(th_log_name_of_chain(th_buf_slice(&name), th_slice_text("counter"), &genesis));

    th_verifier_key verifier_key;
    assert_ok(th_verifier_key_parse(fixture_hasher(), key_text, &verifier_key, reterr));
    assert_ok(th_verifier_key_format(fixture_hasher(), th_buf_slice(&name), th_signing_key_public(key), &out,
                                     reterr));
    assert_true(th_slice_equal(th_buf_slice(&out), key_text));

    th_checkpoint checkpoint;
    assert_ok(th_checkpoint_verify(fixture_hasher(), note, &verifier_key, &checkpoint, reterr));
    assert_int_equal(checkpoint.size, 12);
    th_buf_clear(&out);
    assert_ok(th_checkpoint_sign(fixture_hasher(), key, &checkpoint, &out, reterr));
    assert_true(th_slice_equal(th_buf_slice(&out), note));
    th_buf_done(&name);
    th_buf_done(&out);
    th_signing_key_free(key);
}

static void the_bundle_verifies(void **state)
{
    th_slice bundle = vectors_bytes(root, "bundle");
    th_verify_report report;
    assert_ok(fixture_verify_bundle(bundle, NULL, &report, reterr));
    assert_int_equal(report.verdict, THEATER_OK);
    assert_int_equal(report.elements, 12);
    assert_int_equal(report.checkpoints, 1);
    assert_int_equal(report.checkpoint_size, 12);
    assert_int_equal(report.key_source, TH_KEY_BUNDLE);
    assert_string_equal(report.key, vectors_text(json_object_get(root, "checkpoint"), "verifier_key"));
    th_hash head = vectors_hash(json_array_get(json_object_get(root, "chain"), 11), "hash");
    assert_hash_equal(&report.head, &head);

    th_verifier_key key;
    th_slice text = th_slice_text(vectors_text(json_object_get(root, "checkpoint"), "verifier_key"));
    assert_ok(th_verifier_key_parse(fixture_hasher(), text, &key, reterr));
    assert_ok(
        fixture_verify_bundle(bundle, &(th_verify_options){.keys = &key, .key_count = 1}, &report, reterr));
    assert_int_equal(report.key_source, TH_KEY_USER);
}

static theater_status write_item(th_bundle_writer *writer, const th_bundle_item *item, theater_error *reterr)
{
    switch (item->kind) {
    case TH_BUNDLE_HEADER:
        return th_bundle_write_header(writer, item->actor, reterr);
    case TH_BUNDLE_COMPONENT:
        return th_bundle_write_component(writer, item->component, reterr);
    case TH_BUNDLE_SNAPSHOT:
        return th_bundle_write_snapshot(writer, item->sequence, item->state, reterr);
    case TH_BUNDLE_ELEMENT:
        return th_bundle_write_element(writer, item->element, &item->payloads, reterr);
    case TH_BUNDLE_CHECKPOINT:
        return th_bundle_write_checkpoint(writer, item->text, reterr);
    default:
        return th_bundle_write_key(writer, item->text, reterr);
    }
}

static void the_bundle_is_rewritten_byte_for_byte(void **state)
{
    th_slice bundle = vectors_bytes(root, "bundle");
    for (size_t step = 1; step < 20000; step = step * 3 + 1) {
        slice_source source = {.bytes = bundle, .step = step};
        th_bundle_reader *reader;
        th_bundle_writer writer;
        th_buf out;
        th_buf_init(&out, 1 << 20);
        th_bundle_writer_init(&writer, buffer_sink, &out);
        assert_ok(th_bundle_reader_new(slice_source_read, &source, 1 << 20, &reader, reterr));
        for (bool more = true; more;) {
            th_bundle_item item;
            assert_ok(th_bundle_reader_next(reader, &item, &more, reterr));
            if (more)
                assert_ok(write_item(&writer, &item, reterr));
        }
        assert_true(th_slice_equal(th_buf_slice(&out), bundle));
        th_bundle_reader_free(reader);
        th_buf_done(&out);
    }
}

/* The verifier of the published chain with its genesis taken in. */
static th_verifier *after_genesis(void)
{
    json_t *genesis = json_array_get(json_object_get(root, "chain"), 0);
    th_verifier *verifier;
    th_payloads payloads = {
        .input = th_payload_of(vectors_bytes(genesis, "input")),
        .output = th_payload_of(vectors_bytes(genesis, "output")),
        .effects = th_payload_of(vectors_bytes(genesis, "effects")),
    };
    assert_ok(th_verifier_new(&(th_verify_options){.actor = th_slice_text("counter")}, fixture_hasher(),
                              &verifier, reterr));
    assert_ok(th_verifier_element(verifier, vectors_bytes(genesis, "element"), &payloads, reterr));
    return verifier;
}

static void refused_elements_are_refused(void **state)
{
    json_t *refused = json_object_get(root, "refused_as_element_1");
    assert_int_equal(json_array_size(refused), 27);
    for (size_t i = 0; i < json_array_size(refused); i++) {
        json_t *vector = json_array_get(refused, i);
        th_verifier *verifier = after_genesis();
        th_payloads dropped = {0};
        theater_error error = {0};
        th_verify_report report;
        theater_status status =
            th_verifier_element(verifier, vectors_bytes(vector, "element"), &dropped, &error);
        if (!status)
            status = th_verifier_finish(verifier, &report, &error);
        theater_status expected = i == 0 ? THEATER_VERSION : THEATER_VERIFY_FAILED;
        if (status != expected)
            fail_msg("%s: status %d %s", vectors_text(vector, "why"), status, error.message);
        assert_int_equal(th_verifier_finding(verifier)->sequence, 1);
        th_verifier_free(verifier);
    }
}

/* All but those that only their place in the chain makes wrong are refused by the decoder itself. */
static void refused_encodings_do_not_decode(void **state)
{
    static const char *const by_place[] = {"sequence one too far", "another previous hash",
                                           "timestamp before the genesis", "another state before"};
    json_t *refused = json_object_get(root, "refused_as_element_1");
    size_t decoded = 0;
    for (size_t i = 0; i < json_array_size(refused); i++) {
        json_t *vector = json_array_get(refused, i);
        th_element element;
        if (th_element_decode(vectors_bytes(vector, "element"), &element, NULL))
            continue;
        bool known = false;
        for (size_t k = 0; k < 4; k++)
            known = known || strcmp(by_place[k], vectors_text(vector, "why")) == 0;
        if (!known)
            fail_msg("%s: decoded", vectors_text(vector, "why"));
        decoded++;
    }
    assert_int_equal(decoded, 4);
}

static void the_element_that_they_vary_is_accepted(void **state)
{
    json_t *good = json_array_get(json_object_get(root, "chain"), 1);
    th_verifier *verifier = after_genesis();
    th_payloads dropped = {0};
    assert_ok(th_verifier_element(verifier, vectors_bytes(good, "element"), &dropped, reterr));
    th_verifier_free(verifier);
}

static void refused_payloads_are_refused(void **state)
{
    json_t *refused = json_object_get(root, "refused_as_payload");
    assert_int_equal(json_array_size(refused), 17);
    for (size_t i = 0; i < json_array_size(refused); i++) {
        json_t *vector = json_array_get(refused, i);
        th_element element = {
            .sequence = vectors_number(vector, "sequence"),
            .type = (th_element_type)vectors_number(vector, "element_type"),
            .fuel = vectors_number(vector, "fuel"),
        };
        th_payloads payloads = {
            .input = th_payload_of(vectors_bytes(vector, "input")),
            .output = th_payload_of(vectors_bytes(vector, "output")),
            .effects = th_payload_of(vectors_bytes(vector, "effects")),
        };
        th_verifier *verifier;
        assert_ok(th_verifier_new(&(th_verify_options){.actor = th_slice_text("counter")}, fixture_hasher(),
                                  &verifier, reterr));
        if (element.sequence > 0) {
            th_verifier_free(verifier);
            verifier = after_genesis();
            json_t *genesis = json_array_get(json_object_get(root, "chain"), 0);
            element.previous = vectors_hash(genesis, "hash");
            element.timestamp = UINT64_MAX;
            element.state_before = vectors_hash(genesis, "state_root");
            element.state_size = 8;
        } else {
            element.state_before = th_sha256_empty;
        }
        element.state_after = element.state_before;
        th_sha256_of(fixture_hasher(), payloads.input.bytes, &element.input);
        th_sha256_of(fixture_hasher(), payloads.output.bytes, &element.output);
        th_sha256_of(fixture_hasher(), payloads.effects.bytes, &element.effects);
        uint8_t room[TH_ELEMENT_MAX];
        th_slice encoding = th_slice_of(room, th_element_encode(&element, room));
        theater_error error = {0};
        theater_status status = th_verifier_element(verifier, encoding, &payloads, &error);
        if (status != THEATER_VERIFY_FAILED)
            fail_msg("%s: status %d %s", vectors_text(vector, "why"), status, error.message);
        th_verifier_free(verifier);
    }
}

/* A flipped bit is found wherever it stands, or what it changed was never stated. The one such place would be
 * a dropped payload's null; this bundle has none. */
static void every_flipped_bit_of_the_bundle_is_found(void **state)
{
    th_slice bundle = vectors_bytes(root, "bundle");
    uint8_t *copy = malloc(bundle.size);
    memcpy(copy, bundle.data, bundle.size);
    th_verify_report report;
    for (size_t i = 0; i < bundle.size; i++) {
        /* The long states only get one bit in each byte flipped. */
        for (unsigned bit = 0; bit < 8; bit += bundle.size - i < 8000 || i < 2000 ? 1 : 8) {
            copy[i] ^= (uint8_t)(1u << bit);
            theater_error error = {0};
            if (!fixture_verify_bundle(th_slice_of(copy, bundle.size), NULL, &report, &error))
                fail_msg("bit %u of byte %zu changed and nothing was found", bit, i);
            copy[i] = bundle.data[i];
        }
    }
    free(copy);
}

static void every_cut_of_the_bundle_is_found_or_ends_at_an_item(void **state)
{
    th_slice bundle = vectors_bytes(root, "bundle");
    th_verify_report report;
    size_t whole = 0;
    for (size_t size = 0; size < bundle.size; size++) {
        theater_error error = {0};
        theater_status status = fixture_verify_bundle(th_slice_of(bundle.data, size), NULL, &report, &error);
        assert_true(status == THEATER_OK || status == THEATER_CORRUPT || status == THEATER_VERIFY_FAILED);
        whole += status == THEATER_OK;
    }
    /* A cut between two items leaves a shorter chain that is sound: that is what checkpoints are for. */
    assert_in_range(whole, 11, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_decode_encode_and_hash),
        cmocka_unit_test(state_trees_follow_the_chain),
        cmocka_unit_test(random_streams_are_as_published),
        cmocka_unit_test(effects_are_rebuilt_byte_for_byte),
        cmocka_unit_test(descriptors_are_rebuilt_byte_for_byte),
        cmocka_unit_test(rejections_are_rebuilt_byte_for_byte),
        cmocka_unit_test(tree_heads_are_as_published),
        cmocka_unit_test(state_roots_are_as_published),
        cmocka_unit_test(the_checkpoint_is_signed_and_read),
        cmocka_unit_test(the_bundle_verifies),
        cmocka_unit_test(the_bundle_is_rewritten_byte_for_byte),
        cmocka_unit_test(refused_elements_are_refused),
        cmocka_unit_test(refused_encodings_do_not_decode),
        cmocka_unit_test(the_element_that_they_vary_is_accepted),
        cmocka_unit_test(refused_payloads_are_refused),
        cmocka_unit_test(every_flipped_bit_of_the_bundle_is_found),
        cmocka_unit_test(every_cut_of_the_bundle_is_found_or_ends_at_an_item),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
