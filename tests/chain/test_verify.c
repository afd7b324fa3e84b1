/* The verifier of one chain: every check has a test that breaks what it holds, and nothing else. */
#include "sound.h"

static made_chain chain;

static int begin(void **state)
{
    sound_chain(&chain);
    return 0;
}

static int end(void **state)
{
    chain_free(&chain);
    return 0;
}

static void the_chain_is_sound(void **state)
{
    th_verify_report report;
    assert_ok(chain_verify(&chain, &report, reterr));
    assert_int_equal(report.verdict, THEATER_OK);
    assert_int_equal(report.elements, LAST + 1);
    assert_int_equal(report.finding.check, TH_CHECK_NONE);
    assert_hash_equal(&report.genesis, &chain.elements[0].hash);
    assert_hash_equal(&report.head, &chain.elements[LAST].hash);
    assert_int_equal(report.state_size, 0);
    assert_int_equal(report.fuel, 10 * (LAST + 1) - 10);
    assert_int_equal(report.absent_inputs + report.absent_outputs + report.absent_effects, 0);
    assert_int_equal(report.key_source, TH_KEY_NONE);
    th_hash hashes[LAST + 1], head;
    for (size_t i = 0; i <= LAST; i++)
        hashes[i] = chain.elements[i].hash;
    th_merkle_root(fixture_hasher(), hashes, LAST + 1, &head);
    assert_hash_equal(&report.tree_head, &head);
}

/* Feeds the elements named by `order`. */
static theater_status verify_order(const size_t *order, size_t count, th_verify_report *ret)
{
    th_verifier *verifier;
    theater_status status = THEATER_OK;
    assert_ok(th_verifier_new(&(th_verify_options){.actor = th_slice_text("cart")}, fixture_hasher(),
                              &verifier, reterr));
    for (size_t i = 0; !status && i < count; i++) {
        const made_element *element = &chain.elements[order[i]];
        th_payloads payloads = chain_payloads(element);
        status =
            th_verifier_element(verifier, th_slice_of(element->encoding, element->size), &payloads, NULL);
    }
    status = th_verifier_finish(verifier, ret, NULL);
    th_verifier_free(verifier);
    return status;
}

static void a_dropped_element_is_found(void **state)
{
    for (size_t gone = 0; gone < LAST; gone++) {
        size_t order[LAST], count = 0;
        th_verify_report report;
        for (size_t i = 0; i <= LAST; i++) {
            if (i != gone)
                order[count++] = i;
        }
        assert_int_equal(verify_order(order, count, &report), THEATER_VERIFY_FAILED);
        assert_int_equal(report.finding.check, TH_CHECK_SEQUENCE);
        assert_int_equal(report.finding.sequence, gone);
    }
}

static void a_repeated_or_swapped_element_is_found(void **state)
{
    for (size_t at = 0; at < LAST; at++) {
        size_t order[LAST + 2];
        th_verify_report report;
        for (size_t i = 0; i < LAST + 2; i++)
            order[i] = i <= at ? i : i - 1;
        assert_int_equal(verify_order(order, LAST + 2, &report), THEATER_VERIFY_FAILED);
        assert_int_equal(report.finding.sequence, at + 1);
        for (size_t i = 0; i <= LAST; i++)
            order[i] = i == at ? at + 1 : i == at + 1 ? at : i;
        assert_int_equal(verify_order(order, LAST + 1, &report), THEATER_VERIFY_FAILED);
        assert_int_equal(report.finding.sequence, at);
    }
}

static void a_spliced_chain_is_found(void **state)
{
    /* The same history under another genesis: every element fits but for its link. */
    static made_chain other;
    chain_begin(&other, "cart");
    other.elements[0].fields.timestamp++;
    chain_seal(&other, 0);
    made_element kept = chain.elements[0];
    chain.elements[0] = other.elements[0];
    chain_must_fail(&chain, TH_CHECK_PREVIOUS, 1);
    chain.elements[0] = kept;
    chain_free(&other);
}

static void every_flipped_bit_of_an_element_is_found(void **state)
{
    for (size_t i = 0; i <= LAST; i++) {
        made_element *element = &chain.elements[i];
        size_t found = 0;
        for (size_t bit = 0; bit < element->size * 8; bit++) {
            th_verify_report report;
            theater_error error;
            element->encoding[bit / 8] ^= (uint8_t)(1u << bit % 8);
            found += chain_verify(&chain, &report, &error) != THEATER_OK;
            element->encoding[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        /* The last element has no other to hold it: a checkpoint does. Its fields that stand for themselves
         * may change: its timestamp up, its fuel within the limit. */
        if (i < LAST)
            assert_int_equal(found, element->size * 8);
        else
            assert_in_range(found, element->size * 8 - 80, element->size * 8);
    }
}

static void swapped_payloads_are_found(void **state)
{
    for (size_t i = 0; i <= LAST; i++) {
        th_buf *payloads[] = {&chain.elements[i].input, &chain.elements[i].output,
                              &chain.elements[i].effects};
        const th_check checks[] = {TH_CHECK_INPUT, TH_CHECK_OUTPUT, TH_CHECK_EFFECTS};
        for (size_t k = 0; k < 3; k++) {
            th_buf kept = *payloads[k];
            th_buf_init(payloads[k], 1000);
            chain_set(payloads[k], "something else");
            chain_must_fail(&chain, checks[k], i);
            th_buf_clear(payloads[k]); /* nothing in place of something */
            if (kept.size)
                chain_must_fail(&chain, checks[k], i);
            assert_ok(th_buf_append_byte(payloads[k], 0x80, reterr));
            if (k != 2 || kept.size != 1)
                chain_must_fail(&chain, checks[k], i);
            th_buf_done(payloads[k]);
            *payloads[k] = kept;
        }
    }
    chain_must_hold(&chain);
}

static void dropped_payloads_leave_the_links(void **state)
{
    for (unsigned dropped = 0; dropped < 8; dropped++) {
        th_verifier *verifier;
        th_verify_report report;
        assert_ok(th_verifier_new(&(th_verify_options){.actor = th_slice_text("cart")}, fixture_hasher(),
                                  &verifier, reterr));
        for (size_t i = 0; i <= LAST; i++) {
            const made_element *element = &chain.elements[i];
            th_payloads payloads = chain_payloads(element);
            if (dropped & 1)
                payloads.input = (th_payload){0};
            if (dropped & 2)
                payloads.output = (th_payload){0};
            if (dropped & 4)
                payloads.effects = (th_payload){0};
            assert_ok(th_verifier_element(verifier, th_slice_of(element->encoding, element->size), &payloads,
                                          reterr));
        }
        assert_ok(th_verifier_finish(verifier, &report, reterr));
        assert_int_equal(report.absent_inputs, dropped & 1 ? LAST + 1 : 0);
        assert_int_equal(report.absent_outputs, dropped & 2 ? LAST + 1 : 0);
        assert_int_equal(report.absent_effects, dropped & 4 ? LAST + 1 : 0);
        assert_int_equal(report.unchecked_answers, dropped & 4 ? 2 : 0);
        th_verifier_free(verifier);
    }
}

static void time_does_not_go_back(void **state)
{
    chain.elements[3].fields.timestamp = chain.elements[2].fields.timestamp;
    chain_seal(&chain, 3);
    chain_must_hold(&chain);
    chain.elements[3].fields.timestamp--;
    chain_seal(&chain, 3);
    chain_must_fail(&chain, TH_CHECK_TIMESTAMP, 3);
}

static void states_are_continuous(void **state)
{
    chain.elements[3].fields.state_before.bytes[9] ^= 1;
    chain_relink(&chain, 3);
    chain_must_fail(&chain, TH_CHECK_STATE, 3);
}

static void the_same_state_has_the_same_size(void **state)
{
    chain.elements[2].fields.state_size++; /* element 2 keeps the state of element 1 */
    chain_relink(&chain, 2);
    chain_must_fail(&chain, TH_CHECK_STATE, 2);
}

static void the_name_is_the_descriptors(void **state)
{
    static made_chain other;
    chain_begin(&other, "cart");
    chain_transition(&other, "a", "", "1", NULL, NULL);
    strcpy(other.actor, "cars");
    chain_must_fail(&other, TH_CHECK_DESCRIPTOR, 0);
    strcpy(other.actor, "cart");
    chain_must_hold(&other);
    /* An upgrade may not change it. */
    strcpy(other.actor, "card");
    chain_upgrade(&other, &(th_limits){1000, 1, 1000, 1000, 1000});
    strcpy(other.actor, "cart");
    chain_must_fail(&other, TH_CHECK_DESCRIPTOR, 2);
    chain_free(&other);
}

static void descriptors_are_strict(void **state)
{
    chain_set(&chain.elements[UPGRADE].input, "not a descriptor");
    chain_seal(&chain, UPGRADE);
    chain_must_fail(&chain, TH_CHECK_DESCRIPTOR, UPGRADE);
}

static void fuel_has_its_limit(void **state)
{
    chain.elements[2].fields.fuel = 1000;
    chain.elements[0].fields.fuel = 1000;
    chain_seal(&chain, 0);
    chain_must_hold(&chain);
    chain.elements[2].fields.fuel = 1001;
    chain_seal(&chain, 2);
    chain_must_fail(&chain, TH_CHECK_FUEL, 2);
    chain.elements[0].fields.fuel = 1001;
    chain_seal(&chain, 0);
    chain_must_fail(&chain, TH_CHECK_FUEL, 0);
}

static void an_upgrade_runs_under_its_own_limits(void **state)
{
    chain.elements[UPGRADE].fields.fuel = 2000;
    chain.elements[LAST].fields.fuel = 2000;
    chain_seal(&chain, UPGRADE);
    chain_must_hold(&chain);
    chain.elements[UPGRADE].fields.fuel = 2001;
    chain_seal(&chain, UPGRADE);
    chain_must_fail(&chain, TH_CHECK_FUEL, UPGRADE);
}

static void rejections_have_the_fuel_of_their_code(void **state)
{
    static const struct {
        th_trap trap;
        int code;
        uint64_t good;
        uint64_t bad;
    } cases[] = {{0, 2, 5, 1001}, {0, 3, 0, 1},  {0, 4, 1000, 999},
                 {0, 4, 1000, 0}, {0, 5, 0, 10}, {0, 6, 0, 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static made_chain short_chain;
        th_rejection rejection = cases[i].code == 2   ? th_rejection_state()
                                 : cases[i].code == 3 ? th_rejection_trap(cases[i].trap)
                                 : cases[i].code == 4 ? th_rejection_fuel()
                                 : cases[i].code == 5 ? th_rejection_limit(TH_LIMIT_OUTPUT)
                                                      : th_rejection_stack();
        chain_begin(&short_chain, "cart");
        made_element *element = chain_rejection(&short_chain, "x", rejection, NULL);
        element->fields.fuel = cases[i].good;
        chain_seal(&short_chain, 1);
        chain_must_hold(&short_chain);
        element->fields.fuel = cases[i].bad;
        chain_seal(&short_chain, 1);
        chain_must_fail(&short_chain, TH_CHECK_FUEL, 1);
        chain_free(&short_chain);
    }
}

/* The payload was dropped, but its hash is that of one of the fixed reasons. */
static void a_dropped_reason_is_known_by_its_hash(void **state)
{
    for (unsigned spoiled = 0; spoiled < 2; spoiled++) {
        th_verifier *verifier;
        chain.elements[REJECTED].fields.fuel = spoiled;
        chain_seal(&chain, REJECTED);
        assert_ok(th_verifier_new(&(th_verify_options){.actor = th_slice_text("cart")}, fixture_hasher(),
                                  &verifier, reterr));
        theater_status status = THEATER_OK;
        for (size_t i = 0; !status && i <= LAST; i++) {
            th_payloads payloads = chain_payloads(&chain.elements[i]);
            payloads.output = (th_payload){0};
            status = th_verifier_element(
                verifier, th_slice_of(chain.elements[i].encoding, chain.elements[i].size), &payloads, NULL);
        }
        assert_int_equal(status, spoiled ? THEATER_VERIFY_FAILED : THEATER_OK);
        assert_int_equal(th_verifier_finding(verifier)->check, spoiled ? TH_CHECK_FUEL : TH_CHECK_NONE);
        th_verifier_free(verifier);
    }
}

static void rejections_say_why_in_the_form_of_the_format(void **state)
{
    chain_set(&chain.elements[REJECTED].output, "\x82\x03\x64"
                                                "boom");
    chain_seal(&chain, REJECTED);
    chain_must_fail(&chain, TH_CHECK_OUTPUT, REJECTED);
}

static const char *letters(size_t count)
{
    static char text[2000];
    memset(text, 'x', count);
    text[count] = 0;
    return text;
}

static void messages_have_their_limit(void **state)
{
    chain_set(&chain.elements[2].input, letters(100));
    chain_set(&chain.elements[2].output, letters(100));
    chain_seal(&chain, 2);
    chain_must_hold(&chain);
    chain_set(&chain.elements[2].input, letters(101));
    chain_seal(&chain, 2);
    chain_must_fail(&chain, TH_CHECK_LIMIT, 2);
    chain_set(&chain.elements[2].input, "x");
    chain_set(&chain.elements[2].output, letters(101));
    chain_seal(&chain, 2);
    chain_must_fail(&chain, TH_CHECK_LIMIT, 2);
    /* From the upgrade on the limit is 200. */
    chain_set(&chain.elements[2].output, "");
    chain_set(&chain.elements[LAST].input, letters(200));
    chain_seal(&chain, 2);
    chain_must_hold(&chain);
    chain_set(&chain.elements[LAST].input, letters(201));
    chain_seal(&chain, LAST);
    chain_must_fail(&chain, TH_CHECK_LIMIT, LAST);
}

static void an_errors_text_has_its_limit(void **state)
{
    static made_chain short_chain;
    chain_begin(&short_chain, "cart");
    chain_rejection(&short_chain, "x", th_rejection_by_actor(th_slice_text(letters(100))), NULL);
    chain_must_hold(&short_chain);
    chain_rejection(&short_chain, "x", th_rejection_by_actor(th_slice_text(letters(101))), NULL);
    chain_must_fail(&short_chain, TH_CHECK_LIMIT, 2);
    chain_free(&short_chain);
}

static void states_have_their_limit(void **state)
{
    static made_chain short_chain;
    chain_begin(&short_chain, "cart");
    chain_transition(&short_chain, "x", "", letters(500), NULL, NULL);
    made_element *upgrade = chain_upgrade(&short_chain, &(th_limits){1000, 1, 500, 100, 1000});
    chain_must_hold(&short_chain);
    chain_transition(&short_chain, "x", "", letters(501), NULL, NULL);
    chain_must_fail(&short_chain, TH_CHECK_LIMIT, 3);
    chain_set(&upgrade[-1].state, letters(501));
    chain_set(&upgrade->state, letters(501));
    chain_seal(&short_chain, 1);
    chain_must_fail(&short_chain, TH_CHECK_LIMIT, 2);
    chain_free(&short_chain);
}

static void an_input_over_the_limit_is_rejected_as_such(void **state)
{
    static made_chain short_chain;
    th_cause cause = message_from("other", 1, 0);
    chain_begin(&short_chain, "cart");
    made_element *element =
        chain_rejection(&short_chain, letters(101), th_rejection_limit(TH_LIMIT_INPUT), &cause);
    chain_must_hold(&short_chain);
    chain_set(&element->input, letters(100)); /* which is not over it */
    chain_seal(&short_chain, 1);
    chain_must_fail(&short_chain, TH_CHECK_LIMIT, 1);
    chain_set(&element->input, letters(101));
    element->fields.cause = (th_cause){0}; /* a client's would have made no element */
    chain_seal(&short_chain, 1);
    chain_must_fail(&short_chain, TH_CHECK_LIMIT, 1);
    element->fields.cause = cause;
    th_buf_clear(&element->effects); /* it was not run, so it said nothing */
    assert_ok(th_buf_append(&element->effects, th_slice_of("\x81\x83\x00\x00\x60", 5), reterr));
    chain_seal(&short_chain, 1);
    chain_must_fail(&short_chain, TH_CHECK_EFFECTS, 1);
    chain_free(&short_chain);

    chain_begin(&short_chain, "cart");
    chain_rejection(&short_chain, letters(101), th_rejection_trap(TH_TRAP_ABI), &cause);
    chain_must_fail(&short_chain, TH_CHECK_LIMIT, 1);
    chain_free(&short_chain);
}

static void set_bytes(th_buf *payload, const char *bytes, size_t size)
{
    th_buf_clear(payload);
    assert_ok(th_buf_append(payload, th_slice_of(bytes, size), reterr));
}

static void effects_are_strict_and_bounded(void **state)
{
    set_bytes(&chain.elements[2].effects, "\x81\x83\x00\x05\x60", 5); /* a level of 5 */
    chain_seal(&chain, 2);
    chain_must_fail(&chain, TH_CHECK_EFFECTS, 2);

    char large[1100] = "\x81\x83\x00\x00\x79\x03\xe2"; /* a line of 994 bytes: 1,000 in sum */
    memset(large + 7, 'x', sizeof large - 7);
    set_bytes(&chain.elements[2].effects, large, 7 + 994);
    chain_seal(&chain, 2);
    chain_must_hold(&chain);
    large[6]++;
    set_bytes(&chain.elements[2].effects, large, 7 + 995);
    chain_seal(&chain, 2);
    chain_must_fail(&chain, TH_CHECK_LIMIT, 2);
}

static void a_rejection_keeps_lines_but_no_messages(void **state)
{
    made_element *element = &chain.elements[REJECTED];
    set_bytes(&element->effects, "\x81\x83\x00\x00\x60", 5);
    chain_seal(&chain, REJECTED);
    chain_must_hold(&chain);
    char message[42] = "\x81\x84\x01\x61x\x58\x20";
    set_bytes(&element->effects, message, 7 + 32 + 1);
    chain_seal(&chain, REJECTED);
    chain_must_fail(&chain, TH_CHECK_EFFECTS, REJECTED);
    chain_set(&element->output, "\x82\x06\x6estack overflow");
    set_bytes(&element->effects, "\x81\x83\x00\x00\x60", 5);
    chain_seal(&chain, REJECTED);
    chain_must_fail(&chain, TH_CHECK_EFFECTS, REJECTED);
}

static void an_empty_chain_is_none(void **state)
{
    static made_chain nothing;
    th_verify_report report;
    strcpy(nothing.actor, "cart");
    nothing.count = 0;
    assert_int_equal(chain_verify(&nothing, &report, NULL), THEATER_VERIFY_FAILED);
    assert_int_equal(report.finding.check, TH_CHECK_EMPTY);
    assert_false(report.finding.has_element);
    assert_string_equal(th_check_name(TH_CHECK_EMPTY), "empty");
    assert_string_equal(th_check_name(TH_CHECK_COUNT), "unknown");
    th_verifier *verifier;
    assert_int_equal(th_verifier_new(&(th_verify_options){.actor = th_slice_text("No Name")},
                                     fixture_hasher(), &verifier, NULL),
                     THEATER_INVALID_ARGUMENT);
}

static void later_versions_leave_the_links(void **state)
{
    th_verify_report report;
    /* The bytes of a version that does not exist yet: keys 0 to 2 as ever, then whatever. */
    for (size_t i = 5; i <= LAST; i++) {
        chain.elements[i].fields.sequence = i;
        if (i > 5)
            chain.elements[i].fields.previous = chain.elements[i - 1].hash;
        chain.elements[i].size = th_element_encode(&chain.elements[i].fields, chain.elements[i].encoding);
        chain.elements[i].encoding[2] = i == 5 || i == LAST ? 2 : 1;
        chain.elements[i].encoding[chain.elements[i].size - 1] ^= 0x40;
        th_element_hash(fixture_hasher(), th_slice_of(chain.elements[i].encoding, chain.elements[i].size),
                        &chain.elements[i].hash);
    }
    theater_error error;
    assert_int_equal(chain_verify(&chain, &report, &error), THEATER_VERSION);
    assert_int_equal(report.verdict, THEATER_VERSION);
    assert_int_equal(report.elements, LAST + 1);
    assert_int_equal(report.unknown_version, LAST - 4);
    assert_int_equal(report.finding.sequence, 5);
    assert_int_equal(report.finding.check, TH_CHECK_VERSION);
    /* A broken link is still a broken link. */
    chain.elements[6].encoding[10] ^= 1;
    chain_must_fail(&chain, TH_CHECK_PREVIOUS, 6);
    chain.elements[6].encoding[10] ^= 1;
    chain.elements[6].encoding[4] ^= 1;
    chain_must_fail(&chain, TH_CHECK_SEQUENCE, 6);
    chain.elements[6].size = 20;
    chain_must_fail(&chain, TH_CHECK_ENCODING, 6);
}

#ifdef TH_FAULTS
static void no_memory_at_any_place_is_an_error(void **state)
{
    uint64_t place = 1;
    for (theater_status status = THEATER_NO_MEMORY; status; place++) {
        th_verify_report report;
        th_allocation_fail_at(place);
        status = chain_verify(&chain, &report, NULL);
        assert_int_equal(status, fixture_allocation_failed(place) ? THEATER_NO_MEMORY : THEATER_OK);
    }
    assert_true(place > 6);
}
#endif

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_chain_is_sound),
        TEST(a_dropped_element_is_found),
        TEST(a_repeated_or_swapped_element_is_found),
        TEST(a_spliced_chain_is_found),
        TEST(every_flipped_bit_of_an_element_is_found),
        TEST(swapped_payloads_are_found),
        TEST(dropped_payloads_leave_the_links),
        TEST(time_does_not_go_back),
        TEST(states_are_continuous),
        TEST(the_same_state_has_the_same_size),
        TEST(the_name_is_the_descriptors),
        TEST(descriptors_are_strict),
        TEST(fuel_has_its_limit),
        TEST(an_upgrade_runs_under_its_own_limits),
        TEST(rejections_have_the_fuel_of_their_code),
        TEST(a_dropped_reason_is_known_by_its_hash),
        TEST(rejections_say_why_in_the_form_of_the_format),
        TEST(messages_have_their_limit),
        TEST(an_errors_text_has_its_limit),
        TEST(states_have_their_limit),
        TEST(an_input_over_the_limit_is_rejected_as_such),
        TEST(effects_are_strict_and_bounded),
        TEST(a_rejection_keeps_lines_but_no_messages),
        TEST(an_empty_chain_is_none),
        TEST(later_versions_leave_the_links),
#ifdef TH_FAULTS
        TEST(no_memory_at_any_place_is_an_error),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
