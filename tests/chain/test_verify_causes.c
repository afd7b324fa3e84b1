/* What one chain alone shows of its causes: order, answers to requests that were made, nothing twice. */
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

static void messages_of_one_sender_ascend(void **state)
{
    spoil_cause(&chain, MESSAGE_2, message_from("other", 4, 2), false); /* the same again */
    spoil_cause(&chain, MESSAGE_2, message_from("other", 4, 1), false);
    spoil_cause(&chain, MESSAGE_2, message_from("other", 3, 9), false);
    spoil_cause(&chain, MESSAGE_2, message_from("other", 5, 0), true);
    spoil_cause(&chain, MESSAGE_2, message_from("others", 1, 0), true);
}

static void answers_are_to_open_requests(void **state)
{
    spoil_cause(&chain, ANSWER, answer_from("other", 5, 2), false); /* that went to ghost */
    spoil_cause(&chain, ANSWER, answer_from("other", 5, 4), false); /* that was not made */
    spoil_cause(&chain, ANSWER, answer_from("other", 5, 0), false); /* no request has place 0 */
    spoil_cause(&chain, ANSWER, answer_from("third", 5, 1), false); /* another actor's answer */
    spoil_cause(&chain, ANSWER, answer_from("third", 5, 3), true);
}

static void an_answered_request_is_closed(void **state)
{
    chain_set(&chain.elements[MESSAGE_2].input, "removed");
    spoil_cause(&chain, MESSAGE_2, answer_from("other", 6, 1), false);
    spoil_cause(&chain, MESSAGE_2, undelivered_to("ghost", 2), false);
    spoil_cause(&chain, MESSAGE_2, undelivered_to("third", 3), true);
}

static void nothing_is_an_answer_twice(void **state)
{
    static made_chain other;
    th_slice effects = effects_of_one();
    chain_begin(&other, "cart");
    chain_transition(&other, "go", "", "1", &effects, NULL);
    th_cause cause = answer_from("third", 9, 3);
    chain_transition(&other, "a", "", "1", NULL, &cause);
    cause = answer_from("other", 9, 1); /* the same number of another actor */
    chain_transition(&other, "a", "", "1", NULL, &cause);
    chain_must_hold(&other);
    chain_free(&other);

    th_effects two;
    th_turn_limit passed;
    th_hash hash;
    uint64_t id;
    th_effects_init(&two);
    th_effects_begin(&two, 1, 100, 1000);
    for (int i = 0; i < 2; i++)
        assert_ok(th_effects_message(&two, fixture_hasher(), th_slice_text("other"), th_slice_text("x"), true,
                                     &id, &hash, &passed, reterr));
    assert_ok(th_effects_finish(&two, &effects, reterr));
    chain_begin(&other, "cart");
    chain_transition(&other, "go", "", "1", &effects, NULL);
    cause = answer_from("other", 9, 1);
    chain_transition(&other, "a", "", "1", NULL, &cause);
    cause = answer_from("other", 9, 2);
    chain_transition(&other, "a", "", "1", NULL, &cause);
    chain_must_fail(&other, TH_CHECK_CAUSE, 3);
    other.elements[3].fields.cause = answer_from("other", 10, 2);
    chain_seal(&other, 3);
    chain_must_hold(&other);
    chain_free(&other);
    th_effects_done(&two);
}

static void undelivered_says_one_of_two_texts(void **state)
{
    chain_set(&chain.elements[UNDELIVERED].input, "removed");
    chain_seal(&chain, UNDELIVERED);
    chain_must_hold(&chain);
    chain_set(&chain.elements[UNDELIVERED].input, "gone");
    chain_seal(&chain, UNDELIVERED);
    chain_must_fail(&chain, TH_CHECK_INPUT, UNDELIVERED);
}

static void a_message_to_oneself_comes_from_behind(void **state)
{
    th_cause cause = message_from("cart", 1, 0);
    cause.hash = chain.elements[1].hash;
    spoil_cause(&chain, MESSAGE_2, cause, true);
    cause.hash.bytes[0] ^= 1;
    spoil_cause(&chain, MESSAGE_2, cause, false);
    spoil_cause(&chain, MESSAGE_2, message_from("cart", MESSAGE_2, 0), false);
    spoil_cause(&chain, MESSAGE_2, message_from("cart", MESSAGE_2 + 1, 0), false);
}

/* Also where the hashes of so long a chain were not kept, so that only the numbers can tell. */
static void a_later_cause_is_found_without_hashes(void **state)
{
    for (uint64_t sequence = MESSAGE_2 - 1; sequence <= MESSAGE_2; sequence++) {
        th_verify_options options = {.actor = th_slice_text("cart"), .max_kept_hashes = 1};
        th_verifier *verifier;
        theater_status status = THEATER_OK;
        chain.elements[MESSAGE_2].fields.cause = message_from("cart", sequence, 0);
        chain_seal(&chain, MESSAGE_2);
        assert_ok(th_verifier_new(&options, fixture_hasher(), &verifier, reterr));
        for (size_t i = 0; !status && i <= LAST; i++) {
            th_payloads payloads = chain_payloads(&chain.elements[i]);
            status = th_verifier_element(
                verifier, th_slice_of(chain.elements[i].encoding, chain.elements[i].size), &payloads, NULL);
        }
        assert_int_equal(status, sequence < MESSAGE_2 ? THEATER_OK : THEATER_VERIFY_FAILED);
        th_verifier_free(verifier);
    }
}

static void an_upgrade_makes_no_requests(void **state)
{
    static made_chain other;
    th_slice effects = effects_of_one();
    th_cause cause = answer_from("other", 9, 1);
    chain_begin(&other, "cart");
    made_element *element = chain_upgrade(&other, &(th_limits){1000, 1, 1000, 100, 1000});
    th_buf_clear(&element->effects);
    assert_ok(th_buf_append(&element->effects, effects, reterr));
    chain_seal(&other, 1);
    chain_must_hold(&other);
    chain_transition(&other, "a", "", "1", NULL, &cause);
    chain_must_fail(&other, TH_CHECK_CAUSE, 2);
    chain_free(&other);
}

/* With dropped effects an answer may name a request of that element, once; what is known to have none stays
 * known. */
static void answers_to_dropped_effects_are_counted(void **state)
{
    static const struct {
        uint64_t request;
        bool holds;
    } cases[] = {
        {65536 + 3, true}, {65536 + 4, true}, {65536, false}, {65536 + 1, false}, {2 * 65536 + 1, false}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        th_verifier *verifier;
        theater_status status = THEATER_OK;
        th_cause cause = answer_from("anyone", 5, 1);
        cause.request = cases[k].request; /* of element 3 the first is answered */
        chain.elements[MESSAGE_2].fields.cause = cause;
        chain_seal(&chain, MESSAGE_2);
        assert_ok(th_verifier_new(&(th_verify_options){.actor = th_slice_text("cart")}, fixture_hasher(),
                                  &verifier, reterr));
        for (size_t i = 0; !status && i <= LAST; i++) {
            th_payloads payloads = chain_payloads(&chain.elements[i]);
            payloads.effects = (th_payload){0};
            status = th_verifier_element(
                verifier, th_slice_of(chain.elements[i].encoding, chain.elements[i].size), &payloads, NULL);
        }
        assert_int_equal(status, cases[k].holds ? THEATER_OK : THEATER_VERIFY_FAILED);
        if (status)
            assert_int_equal(th_verifier_finding(verifier)->check, TH_CHECK_CAUSE);
        th_verifier_free(verifier);
    }
}

static void what_is_remembered_is_bounded(void **state)
{
    th_verify_report report;
    for (uint64_t max = 1; max < 12; max++) {
        th_verifier *verifier;
        th_verify_options options = {.actor = th_slice_text("cart"), .max_kept_causes = max};
        theater_status status = THEATER_OK;
        assert_ok(th_verifier_new(&options, fixture_hasher(), &verifier, reterr));
        for (size_t i = 0; !status && i <= LAST; i++) {
            th_payloads payloads = chain_payloads(&chain.elements[i]);
            status = th_verifier_element(
                verifier, th_slice_of(chain.elements[i].encoding, chain.elements[i].size), &payloads, NULL);
        }
        /* Three actors and three open requests; the first answer is noted before its request is struck off.
         */
        assert_int_equal(status, max < 7 ? THEATER_TOO_LARGE : THEATER_OK);
        if (!status)
            assert_ok(th_verifier_finish(verifier, &report, reterr));
        th_verifier_free(verifier);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(messages_of_one_sender_ascend),         TEST(answers_are_to_open_requests),
        TEST(an_answered_request_is_closed),         TEST(nothing_is_an_answer_twice),
        TEST(undelivered_says_one_of_two_texts),     TEST(a_message_to_oneself_comes_from_behind),
        TEST(a_later_cause_is_found_without_hashes), TEST(an_upgrade_makes_no_requests),
        TEST(what_is_remembered_is_bounded),         TEST(answers_to_dropped_effects_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
