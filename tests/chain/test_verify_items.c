/* What stands between and behind the elements: components, snapshots, keys and checkpoints. */
#include "fixture.h"

#define COUNT 20

static made_chain chain;
static th_verifier *verifier;
static th_signing_key *key, *other_key;
static th_buf log_name, key_text;
static th_verifier_key user_key;

static int make(void **state)
{
    uint8_t seed[32] = {1}, second[32] = {2};
    chain_begin(&chain, "cart");
    for (int i = 1; i < COUNT; i++) {
        char text[2] = {(char)('a' + i), 0};
        chain_transition(&chain, text, "", i % 3 ? text : "", NULL, NULL);
    }
    assert_ok(th_signing_key_new(seed, &key, reterr));
    assert_ok(th_signing_key_new(second, &other_key, reterr));
    th_buf_init(&log_name, TH_LOG_NAME_MAX);
    th_buf_init(&key_text, TH_VERIFIER_KEY_MAX);
    assert_ok(th_log_name(th_slice_text("theater.local"), th_slice_text("cart"), &chain.elements[0].hash,
                          &log_name, reterr));
    assert_ok(th_verifier_key_format(fixture_hasher(), th_buf_slice(&log_name), th_signing_key_public(key),
                                     &key_text, reterr));
    assert_ok(th_verifier_key_parse(fixture_hasher(), th_buf_slice(&key_text), &user_key, reterr));
    return 0;
}

static int drop(void **state)
{
    chain_free(&chain);
    th_signing_key_free(key);
    th_signing_key_free(other_key);
    th_buf_done(&log_name);
    th_buf_done(&key_text);
    return 0;
}

static void begin_with(th_verify_options options)
{
    options.actor = th_slice_text("cart");
    assert_ok(th_verifier_new(&options, fixture_hasher(), &verifier, reterr));
}

static int begin(void **state)
{
    begin_with((th_verify_options){0});
    return 0;
}

static int end(void **state)
{
    th_verifier_free(verifier);
    verifier = NULL;
    return 0;
}

static void feed(size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        th_payloads payloads = chain_payloads(&chain.elements[i]);
        assert_ok(th_verifier_element(
            verifier, th_slice_of(chain.elements[i].encoding, chain.elements[i].size), &payloads, reterr));
    }
}

static th_verify_report finish_ok(void)
{
    th_verify_report report;
    assert_ok(th_verifier_finish(verifier, &report, reterr));
    return report;
}

/* The call must have found this, and everything after it finds the same. */
static void must_find(theater_status status, th_check check)
{
    theater_error error;
    th_verify_report report;
    assert_int_equal(status, THEATER_VERIFY_FAILED);
    const th_finding *finding = th_verifier_finding(verifier);
    if (finding->check != check)
        fail_msg("found %s, not %s: %s", th_check_name(finding->check), th_check_name(check),
                 finding->message);
    assert_int_equal(th_verifier_component(verifier, th_slice_text("x"), &error), THEATER_VERIFY_FAILED);
    assert_string_equal(error.message, finding->message);
    char first[sizeof error.message];
    strcpy(first, error.message);
    assert_int_equal(th_verifier_snapshot(verifier, 0, th_slice_text("x"), &error), THEATER_VERIFY_FAILED);
    assert_string_equal(error.message, first);
    assert_int_equal(th_verifier_key_text(verifier, th_slice_text("x"), &error), THEATER_VERIFY_FAILED);
    assert_string_equal(error.message, first);
    assert_int_equal(th_verifier_checkpoint(verifier, th_slice_text("x"), &error), THEATER_VERIFY_FAILED);
    assert_string_equal(error.message, first);
    assert_int_equal(th_verifier_element(verifier, th_slice_text("x"), &(th_payloads){0}, &error),
                     THEATER_VERIFY_FAILED);
    assert_string_equal(error.message, first);
    assert_int_equal(th_verifier_finish(verifier, &report, &error), THEATER_VERIFY_FAILED);
    assert_int_equal(report.verdict, THEATER_VERIFY_FAILED);
    assert_string_equal(report.finding.message, error.message);
}

static void head_at(uint64_t size, th_hash *ret)
{
    th_hash hashes[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        hashes[i] = chain.elements[i].hash;
    th_merkle_root(fixture_hasher(), hashes, size, ret);
}

static theater_status checkpoint_with(const th_signing_key *signer, th_slice name, uint64_t size,
                                      const th_hash *head)
{
    th_buf note;
    th_buf_init(&note, TH_NOTE_MAX);
    th_checkpoint checkpoint = {.name = name, .size = size, .head = *head};
    assert_ok(th_checkpoint_sign(fixture_hasher(), signer, &checkpoint, &note, reterr));
    theater_status status = th_verifier_checkpoint(verifier, th_buf_slice(&note), NULL);
    th_buf_done(&note);
    return status;
}

static theater_status checkpoint_of(uint64_t size)
{
    th_hash head;
    head_at(size, &head);
    return checkpoint_with(key, th_buf_slice(&log_name), size, &head);
}

static void checkpoints_of_every_size_are_compared(void **state)
{
    feed(0, COUNT);
    assert_ok(th_verifier_key_text(verifier, th_buf_slice(&key_text), reterr));
    for (uint64_t size = COUNT; size > 0; size--)
        assert_int_equal(checkpoint_of(size), THEATER_OK);
    th_verify_report report = finish_ok();
    assert_int_equal(report.checkpoints, COUNT);
    assert_int_equal(report.checkpoint_size, COUNT);
    assert_int_equal(report.key_source, TH_KEY_BUNDLE);
    assert_true(th_slice_equal(th_slice_text(report.key), th_buf_slice(&key_text)));
}

static void checkpoints_may_come_between_elements(void **state)
{
    for (size_t i = 0; i < COUNT; i++) {
        feed(i, i + 1);
        assert_int_equal(checkpoint_of(i + 1), THEATER_OK);
    }
    th_verify_report report = finish_ok();
    assert_int_equal(report.checkpoints, COUNT);
    assert_int_equal(report.key_source, TH_KEY_NONE); /* no key was there */
    assert_string_equal(report.key, "");
}

static void another_head_is_found(void **state)
{
    th_hash head;
    feed(0, COUNT);
    head_at(7, &head);
    must_find(checkpoint_with(key, th_buf_slice(&log_name), 8, &head), TH_CHECK_CHECKPOINT);
}

static void a_cut_off_chain_is_found(void **state)
{
    feed(0, COUNT - 1);
    must_find(checkpoint_of(COUNT), TH_CHECK_CHECKPOINT);
}

static void a_checkpoint_of_another_chain_is_found(void **state)
{
    th_hash head;
    feed(0, COUNT);
    head_at(8, &head);
    must_find(checkpoint_with(key, th_slice_text("theater.local/cart/0000000000000000"), 8, &head),
              TH_CHECK_CHECKPOINT);
}

static void a_checkpoint_before_all_elements_is_found(void **state)
{
    must_find(checkpoint_of(1), TH_CHECK_CHECKPOINT);
}

static void what_is_no_checkpoint_is_found(void **state)
{
    feed(0, COUNT);
    must_find(th_verifier_checkpoint(verifier, th_slice_text("theater.local/cart\n"), NULL),
              TH_CHECK_CHECKPOINT);
}

static void another_signer_is_found(void **state)
{
    th_hash head;
    feed(0, COUNT);
    head_at(8, &head);
    assert_ok(th_verifier_key_text(verifier, th_buf_slice(&key_text), reterr));
    must_find(checkpoint_with(other_key, th_buf_slice(&log_name), 8, &head), TH_CHECK_CHECKPOINT);
}

static void the_users_key_is_the_one_that_counts(void **state)
{
    /* The bundle brings its own key and notes signed with it; the user trusts another. */
    th_hash head;
    th_buf text;
    th_buf_init(&text, TH_VERIFIER_KEY_MAX);
    assert_ok(th_verifier_key_format(fixture_hasher(), th_buf_slice(&log_name),
                                     th_signing_key_public(other_key), &text, reterr));
    head_at(8, &head);
    begin_with((th_verify_options){.keys = &user_key, .key_count = 1});
    feed(0, COUNT);
    assert_ok(th_verifier_key_text(verifier, th_buf_slice(&text), reterr));
    must_find(checkpoint_with(other_key, th_buf_slice(&log_name), 8, &head), TH_CHECK_CHECKPOINT);
    th_verifier_free(verifier);
    begin_with((th_verify_options){.keys = &user_key, .key_count = 1});
    feed(0, COUNT);
    assert_ok(th_verifier_key_text(verifier, th_buf_slice(&text), reterr));
    assert_int_equal(checkpoint_of(8), THEATER_OK);
    th_verify_report report = finish_ok();
    assert_int_equal(report.key_source, TH_KEY_USER);
    assert_true(th_slice_equal(th_slice_text(report.key), th_buf_slice(&key_text)));
    th_buf_done(&text);
    th_verifier_free(verifier);
    verifier = NULL;
}

static void a_users_key_of_another_log_is_found(void **state)
{
    th_verifier_key other = user_key;
    other.name = th_slice_text("theater.local/cart/0000000000000000");
    begin_with((th_verify_options){.keys = &other, .key_count = 1});
    feed(0, COUNT);
    must_find(checkpoint_of(8), TH_CHECK_KEY);
}

static void a_key_that_signed_nothing_shows_in_the_report(void **state)
{
    begin_with((th_verify_options){.keys = &user_key, .key_count = 1});
    feed(0, COUNT);
    assert_int_equal(finish_ok().key_source, TH_KEY_NONE);
}

static void bad_keys_are_found(void **state)
{
    feed(0, COUNT);
    must_find(th_verifier_key_text(verifier, th_slice_text("no key"), NULL), TH_CHECK_KEY);
}

static void a_key_of_another_chain_is_found(void **state)
{
    th_buf text;
    th_buf_init(&text, TH_VERIFIER_KEY_MAX);
    assert_ok(th_verifier_key_format(fixture_hasher(), th_slice_text("theater.local/cars/0000000000000000"),
                                     th_signing_key_public(key), &text, reterr));
    feed(0, COUNT);
    must_find(th_verifier_key_text(verifier, th_buf_slice(&text), NULL), TH_CHECK_KEY);
    th_buf_done(&text);
}

static void a_second_key_is_found(void **state)
{
    feed(0, COUNT);
    assert_ok(th_verifier_key_text(verifier, th_buf_slice(&key_text), reterr));
    must_find(th_verifier_key_text(verifier, th_buf_slice(&key_text), NULL), TH_CHECK_ORDER);
}

static void old_heads_may_be_too_many_to_keep(void **state)
{
    begin_with((th_verify_options){.max_kept_hashes = 5});
    feed(0, COUNT);
    assert_int_equal(checkpoint_of(8), THEATER_OK);
    assert_int_equal(checkpoint_of(COUNT), THEATER_OK);
    th_verify_report report = finish_ok();
    assert_int_equal(report.checkpoints, 1);
    assert_int_equal(report.unchecked_checkpoints, 1);
    assert_int_equal(report.checkpoint_size, COUNT);
}

static void snapshots_are_the_state_after_their_element(void **state)
{
    feed(0, 5);
    for (uint64_t i = 0; i < 5; i++)
        assert_ok(th_verifier_snapshot(verifier, i, th_buf_slice(&chain.elements[i].state), reterr));
    feed(5, COUNT);
    assert_int_equal(finish_ok().snapshots, 5);
}

static void another_state_is_found(void **state)
{
    feed(0, 5);
    must_find(th_verifier_snapshot(verifier, 4, th_slice_text("f"), NULL), TH_CHECK_SNAPSHOT);
}

static void a_state_of_another_size_is_found(void **state)
{
    feed(0, 5);
    must_find(th_verifier_snapshot(verifier, 4, th_slice_text("ee"), NULL), TH_CHECK_SNAPSHOT);
}

static void a_snapshot_before_its_element_is_found(void **state)
{
    feed(0, 5);
    must_find(th_verifier_snapshot(verifier, 5, th_buf_slice(&chain.elements[5].state), NULL),
              TH_CHECK_SNAPSHOT);
}

/* A later version may say something else about the state: nothing is compared, and nothing is counted. */
static void snapshots_of_later_versions_are_passed_over(void **state)
{
    th_verify_report report;
    made_element element = chain.elements[5];
    feed(0, 5);
    element.encoding[2] = 2;
    assert_ok(th_verifier_element(verifier, th_slice_of(element.encoding, element.size), &(th_payloads){0},
                                  reterr));
    assert_ok(th_verifier_snapshot(verifier, 5, th_slice_text("anything"), reterr));
    assert_int_equal(th_verifier_finish(verifier, &report, NULL), THEATER_VERSION);
    assert_int_equal(report.snapshots, 0);
    assert_int_equal(report.unknown_version, 1);
}

static void a_component_must_be_named_by_a_later_element(void **state)
{
    feed(0, COUNT);
    assert_ok(th_verifier_component(verifier, th_slice_text("component"), reterr));
    th_verify_report report;
    must_find(th_verifier_finish(verifier, &report, NULL), TH_CHECK_COMPONENT);
}

/* A descriptor that was dropped may name what stands before it, and nothing behind it. */
static void a_dropped_descriptor_names_what_stands_before_it(void **state)
{
    th_verify_report report;
    made_element *genesis = &chain.elements[0];
    th_payloads without = {.output = th_payload_of(th_slice_of(NULL, 0)),
                           .effects = th_payload_of(th_slice_text(TH_EFFECTS_NONE))};
    assert_ok(th_verifier_component(verifier, th_slice_text("before"), reterr));
    assert_ok(th_verifier_element(verifier, th_slice_of(genesis->encoding, genesis->size), &without, reterr));
    assert_ok(th_verifier_component(verifier, th_slice_text("behind"), reterr));
    must_find(th_verifier_finish(verifier, &report, NULL), TH_CHECK_COMPONENT);
}

static void components_that_wait_are_bounded(void **state)
{
    theater_error error;
    for (int i = 0; i < 256; i++)
        assert_ok(th_verifier_component(verifier, th_slice_of(&i, sizeof i), reterr));
    assert_int_equal(th_verifier_component(verifier, th_slice_text("x"), &error), THEATER_TOO_LARGE);
}

/* A chain of its own, longer than what is remembered of states. */
static void a_snapshot_may_come_4096_elements_late(void **state)
{
    const uint64_t count = 4097;
    feed(0, 1);
    th_element element = chain.elements[0].fields;
    th_hash head = chain.elements[0].hash, x;
    th_slice none = th_slice_of(TH_EFFECTS_NONE, 1);
    th_payloads payloads = {th_payload_of(th_slice_text("")), th_payload_of(th_slice_text("")),
                            th_payload_of(none)};
    th_state_root(fixture_hasher(), th_slice_text("x"), &x);
    element.type = TH_TRANSITION;
    element.input = element.output = th_sha256_empty;
    for (uint64_t i = 1; i < count; i++) {
        uint8_t room[TH_ELEMENT_MAX];
        element.sequence = i;
        element.previous = head;
        element.state_before = element.state_after;
        element.state_after = x;
        th_slice encoding = th_slice_of(room, th_element_encode(&element, room));
        th_element_hash(fixture_hasher(), encoding, &head);
        assert_ok(th_verifier_element(verifier, encoding, &payloads, reterr));
    }
    assert_ok(th_verifier_snapshot(verifier, 1, th_slice_text("x"), reterr));
    assert_int_equal(th_verifier_snapshot(verifier, 0, th_slice_text("0"), NULL), THEATER_TOO_LARGE);
}

/* Several chains in one file are judged one by one. */
static void bundles_of_several_chains_verify(void **state)
{
    th_buf bundle;
    th_bundle_writer writer;
    th_verify_report report;
    static made_chain second;
    th_buf_init(&bundle, 1 << 20);
    th_bundle_writer_init(&writer, buffer_sink, &bundle);
    chain_begin(&second, "second");
    made_chain *chains[] = {&chain, &second};
    for (size_t k = 0; k < 2; k++) {
        assert_ok(th_bundle_write_header(&writer, th_slice_text(chains[k]->actor), reterr));
        for (size_t i = 0; i < chains[k]->count; i++) {
            th_payloads payloads = chain_payloads(&chains[k]->elements[i]);
            assert_ok(th_bundle_write_element(
                &writer, th_slice_of(chains[k]->elements[i].encoding, chains[k]->elements[i].size), &payloads,
                reterr));
        }
    }
    assert_ok(fixture_verify_bundle(th_buf_slice(&bundle), NULL, &report, reterr));
    assert_int_equal(report.elements, 1);
    bundle.data[bundle.size - 1] ^= 1;
    assert_int_not_equal(fixture_verify_bundle(th_buf_slice(&bundle), NULL, &report, NULL), THEATER_OK);
    chain_free(&second);
    th_buf_done(&bundle);
}

#ifdef TH_FAULTS
static void no_memory_at_any_place_is_an_error(void **state)
{
    uint64_t place = 1;
    th_verifier_free(verifier);
    for (theater_status status = THEATER_NO_MEMORY; status; place++) {
        th_verify_options options = {.actor = th_slice_text("cart")};
        th_verify_report report;
        th_hash head;
        th_buf note;
        verifier = NULL;
        th_buf_init(&note, TH_NOTE_MAX);
        head_at(8, &head);
        th_checkpoint checkpoint = {.name = th_buf_slice(&log_name), .size = 8, .head = head};
        assert_ok(th_checkpoint_sign(fixture_hasher(), key, &checkpoint, &note, reterr));
        th_allocation_fail_at(place);
        status = th_verifier_new(&options, fixture_hasher(), &verifier, NULL);
        for (size_t i = 0; !status && i < COUNT; i++) {
            th_payloads payloads = chain_payloads(&chain.elements[i]);
            status = th_verifier_element(
                verifier, th_slice_of(chain.elements[i].encoding, chain.elements[i].size), &payloads, NULL);
        }
        if (!status)
            status = th_verifier_key_text(verifier, th_buf_slice(&key_text), NULL);
        if (!status)
            status = th_verifier_checkpoint(verifier, th_buf_slice(&note), NULL);
        if (!status)
            status = th_verifier_finish(verifier, &report, NULL);
        assert_int_equal(status, fixture_allocation_failed(place) ? THEATER_NO_MEMORY : THEATER_OK);
        th_verifier_free(verifier);
        th_buf_done(&note);
    }
    verifier = NULL;
    assert_true(place > 4);
}
#endif

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
#define BARE(name) cmocka_unit_test_teardown(name, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(checkpoints_of_every_size_are_compared),
        TEST(checkpoints_may_come_between_elements),
        TEST(another_head_is_found),
        TEST(a_cut_off_chain_is_found),
        TEST(a_checkpoint_of_another_chain_is_found),
        TEST(a_checkpoint_before_all_elements_is_found),
        TEST(what_is_no_checkpoint_is_found),
        TEST(another_signer_is_found),
        BARE(the_users_key_is_the_one_that_counts),
        BARE(a_users_key_of_another_log_is_found),
        BARE(a_key_that_signed_nothing_shows_in_the_report),
        TEST(bad_keys_are_found),
        TEST(a_key_of_another_chain_is_found),
        TEST(a_second_key_is_found),
        BARE(old_heads_may_be_too_many_to_keep),
        TEST(snapshots_are_the_state_after_their_element),
        TEST(another_state_is_found),
        TEST(a_state_of_another_size_is_found),
        TEST(a_snapshot_before_its_element_is_found),
        TEST(snapshots_of_later_versions_are_passed_over),
        TEST(a_component_must_be_named_by_a_later_element),
        TEST(a_dropped_descriptor_names_what_stands_before_it),
        TEST(components_that_wait_are_bounded),
        TEST(a_snapshot_may_come_4096_elements_late),
        TEST(bundles_of_several_chains_verify),
#ifdef TH_FAULTS
        TEST(no_memory_at_any_place_is_an_error),
#endif
    };
    return cmocka_run_group_tests(tests, make, drop);
}
