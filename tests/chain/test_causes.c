/* Causes against the other chains: two actors that write to and ask each other, and every way in which their
 * chains can disagree. */
#include "fixture.h"

#include "chain/causes.h"

static made_chain a, b;
static unsigned lookups;
static uint64_t hidden_effects; /* bit i: the lookup gives element i of `a` without effects */
static bool hide_b, hide_outputs;

static theater_status look_up(void *context, th_slice actor, uint64_t sequence, th_found_element *ret,
                              theater_error *reterr)
{
    const made_chain *chain = th_slice_equal(actor, th_slice_text("a"))              ? &a
                              : !hide_b && th_slice_equal(actor, th_slice_text("b")) ? &b
                                                                                     : NULL;
    lookups++;
    if (!chain || sequence >= chain->count)
        return th_fail(reterr, THEATER_NOT_FOUND, "not here");
    const made_element *element = &chain->elements[sequence];
    ret->encoding = th_slice_of(element->encoding, element->size);
    ret->payloads = chain_payloads(element);
    if (chain == &a && (hidden_effects >> sequence & 1))
        ret->payloads.effects.present = false;
    if (hide_outputs)
        ret->payloads.output.present = false;
    return THEATER_OK;
}

static theater_status failing_lookup(void *context, th_slice actor, uint64_t sequence, th_found_element *ret,
                                     theater_error *reterr)
{
    return th_fail(reterr, THEATER_IO, "the disk is gone");
}

/* Effects of element `sequence`: for each text of three, "l:text" a line, "s:to:payload" a send,
 * "r:to:payload" a request. */
static void set_effects(made_chain *chain, size_t sequence, const char *const *texts)
{
    th_effects effects;
    th_turn_limit passed;
    th_hash hash;
    uint64_t id;
    th_slice payload;
    th_effects_init(&effects);
    th_effects_begin(&effects, sequence, 100, 1000);
    for (; *texts; texts++) {
        const char *text = *texts, *colon = strchr(text + 2, ':');
        if (text[0] == 'l')
            assert_ok(th_effects_log(&effects, 1, th_slice_text(text + 2), &passed, reterr));
        else
            assert_ok(th_effects_message(
                &effects, fixture_hasher(), th_slice_of(text + 2, (size_t)(colon - text - 2)),
                th_slice_text(colon + 1), text[0] == 'r', &id, &hash, &passed, reterr));
    }
    assert_ok(th_effects_finish(&effects, &payload, reterr));
    th_buf *out = &chain->elements[sequence].effects;
    th_buf_clear(out);
    assert_ok(th_buf_append(out, payload, reterr));
    th_effects_done(&effects);
    chain_seal(chain, sequence);
}

static th_cause message(const made_chain *from, uint64_t sequence, uint64_t index)
{
    return (th_cause){.kind = TH_CAUSE_MESSAGE,
                      .actor = th_slice_text(from->actor),
                      .sequence = sequence,
                      .index = index,
                      .hash = from->elements[sequence].hash};
}

static th_cause answer(const made_chain *from, uint64_t sequence, uint32_t place, bool failed)
{
    return (th_cause){.kind = TH_CAUSE_ANSWER,
                      .actor = th_slice_text(from->actor),
                      .sequence = sequence,
                      .request = th_request_id(1, place),
                      .failed = failed,
                      .hash = from->elements[sequence].hash};
}

static int begin(void **state)
{
    hidden_effects = 0;
    hide_b = hide_outputs = false;
    lookups = 0;
    chain_begin(&a, "a");
    chain_begin(&b, "b");
    chain_transition(&a, "go", "", "1", NULL, NULL);
    set_effects(
        &a, 1, (const char *const[]){"l:line", "s:b:m1", "r:b:q1", "r:b:q2", "r:ghost:x", "s:c:other", NULL});
    th_cause cause = message(&a, 1, 1);
    chain_transition(&b, "m1", "", "1", NULL, &cause);
    cause = message(&a, 1, 2);
    chain_transition(&b, "q1", "r1", "1", NULL, &cause);
    cause = message(&a, 1, 3);
    chain_rejection(&b, "q2", th_rejection_by_actor(th_slice_text("no")), &cause);
    cause = answer(&b, 2, 1, false);
    chain_transition(&a, "r1", "", "1", NULL, &cause);
    cause = answer(&b, 3, 2, true);
    chain_transition(&a, "no", "", "1", NULL, &cause);
    cause = (th_cause){
        .kind = TH_CAUSE_UNDELIVERED, .actor = th_slice_text("ghost"), .request = th_request_id(1, 3)};
    chain_transition(&a, "no such actor", "", "1", NULL, &cause);
    set_effects(&a, 4, (const char *const[]){"s:c:x", "s:b:m2", NULL});
    cause = message(&a, 4, 1);
    chain_transition(&b, "m2", "", "1", NULL, &cause);
    return 0;
}

static int end(void **state)
{
    chain_free(&a);
    chain_free(&b);
    return 0;
}

static theater_status check(const made_chain *chain, th_causes_report *ret, theater_error *error)
{
    th_causes *causes;
    theater_status status = THEATER_OK;
    assert_ok(
        th_causes_new(th_slice_text(chain->actor), fixture_hasher(), look_up, NULL, 0, 0, &causes, reterr));
    for (size_t i = 0; !status && i < chain->count; i++)
        status = th_causes_element(causes, &chain->elements[i].fields, error);
    if (status == THEATER_VERIFY_FAILED) /* and it stays found */
        assert_int_equal(th_causes_element(causes, &chain->elements[0].fields, NULL), status);
    *ret = *th_causes_report_of(causes);
    th_causes_free(causes);
    return status;
}

static void must_find(const made_chain *chain, uint64_t sequence, const char *text)
{
    th_causes_report report;
    theater_error error = {0};
    theater_status status = check(chain, &report, &error);
    if (status != THEATER_VERIFY_FAILED || report.finding.sequence != sequence ||
        !strstr(error.message, text))
        fail_msg("status %d, %s; not element %llu, %s", status, error.message, (unsigned long long)sequence,
                 text);
    assert_int_equal(report.verdict, THEATER_VERIFY_FAILED);
    assert_string_equal(report.finding.message, error.message);
}

static void sound_chains_agree(void **state)
{
    th_causes_report report;
    theater_error error = {0};
    assert_int_equal(check(&a, &report, &error), THEATER_OK);
    assert_int_equal(report.answers, 2);
    assert_int_equal(report.undelivered, 1);
    assert_int_equal(report.missing + report.unchecked, 0);
    if (check(&b, &report, &error))
        fail_msg("%s", error.message);
    assert_int_equal(report.messages, 4);
    assert_int_equal(report.missing + report.unchecked, 0);
    chain_must_hold(&a);
    chain_must_hold(&b);
}

static void spoil(made_chain *chain, size_t at, th_cause cause)
{
    chain->elements[at].fields.cause = cause;
    chain_seal(chain, at);
}

static void a_message_that_was_not_sent_is_found(void **state)
{
    spoil(&b, 4, message(&a, 4, 0));
    must_find(&b, 4, "to actor c");
    set_effects(&a, 4, (const char *const[]){"s:c:x", NULL});
    spoil(&b, 4, message(&a, 4, 2));
    must_find(&b, 4, "no message as effect 2");
    spoil(&b, 1, message(&a, 1, 0)); /* a log line */
    must_find(&b, 1, "no message as effect 0");
}

static void another_input_is_found(void **state)
{
    chain_set(&b.elements[4].input, "m3");
    chain_seal(&b, 4);
    must_find(&b, 4, "not what its cause sent");
}

static void another_element_is_found(void **state)
{
    th_cause cause = message(&a, 4, 1);
    cause.hash.bytes[0] ^= 1;
    spoil(&b, 4, cause);
    must_find(&b, 4, "another hash");
    cause = answer(&b, 2, 1, false);
    cause.hash.bytes[0] ^= 1;
    spoil(&a, 2, cause);
    must_find(&a, 2, "another hash");
}

static void a_rewritten_sender_is_found(void **state)
{
    a.elements[4].fields.timestamp++;
    chain_seal(&a, 4);
    must_find(&b, 4, "another hash");
}

static void a_message_that_was_left_out_is_found(void **state)
{
    /* b does not take in q1 (within one element), then not m2' (in an element between). */
    spoil(&b, 2, message(&a, 1, 3));
    chain_set(&b.elements[2].input, "q2");
    chain_seal(&b, 2);
    must_find(&b, 2, "effect 2 of element 1 of actor a was left out");
    end(NULL);
    begin(NULL);
    set_effects(&a, 2, (const char *const[]){"l:x", "s:b:lost", NULL});
    spoil(&a, 2, answer(&b, 2, 1, false));
    spoil(&b, 4, message(&a, 4, 1));
    must_find(&b, 4, "effect 1 of element 2 of actor a was left out");
    hidden_effects = 4; /* what was dropped cannot be missed */
    th_causes_report report;
    assert_int_equal(check(&b, &report, NULL), THEATER_OK);
}

/* A cause may name any number; what is there decides how much is read. */
static void a_number_past_the_end_costs_nothing(void **state)
{
    th_causes_report report;
    set_effects(&a, 4, (const char *const[]){"l:x", NULL});
    th_cause cause = message(&a, 4, 1);
    cause.sequence = UINT64_MAX;
    spoil(&b, 4, cause);
    lookups = 0;
    assert_int_equal(check(&b, &report, NULL), THEATER_OK);
    assert_int_equal(report.missing, 1);
    assert_in_range(lookups, 1, 20);
    set_effects(&a, 2, (const char *const[]){"s:b:lost", NULL});
    must_find(&b, 4, "effect 0 of element 2 of actor a was left out");
}

/* Each of many messages in one element is reached from the one before, whatever stands between. */
static void many_messages_of_one_element(void **state)
{
    static const char *const texts[] = {"s:b:1", "l:x", "s:c:2", "s:b:3", "r:b:4",
                                        "s:b:5", "l:y", "s:b:6", NULL};
    const uint64_t mine[] = {0, 3, 4, 5, 7};
    static const char *const inputs[] = {"1", "3", "4", "5", "6"};
    for (unsigned left_out = 0; left_out < 6; left_out++) {
        for (unsigned dropped = 0; dropped < 2; dropped++) {
            hidden_effects = 0;
            chain_free(&b);
            chain_begin(&b, "b");
            set_effects(&a, 1, texts);
            for (unsigned i = 0; i < 5; i++) {
                th_cause cause = message(&a, 1, mine[i]);
                if (i != left_out)
                    chain_transition(&b, inputs[i], "", "1", NULL, &cause);
            }
            /* And one of a later element, so that the last of this one can be missed. */
            th_cause later = message(&a, 4, 1);
            chain_transition(&b, "m2", "", "1", NULL, &later);
            hidden_effects = dropped ? 2 : 0;
            th_causes_report report;
            theater_error error = {0};
            theater_status status = check(&b, &report, &error);
            /* What stands before the first is no gap. */
            bool gap = left_out > 0 && left_out < 5 && !dropped;
            if ((status == THEATER_VERIFY_FAILED) != gap)
                fail_msg("left out %u, dropped %u: %s", left_out, dropped, error.message);
            if (gap)
                assert_int_equal(report.finding.sequence, left_out + 1);
            assert_true(gap || report.unchecked == (dropped ? b.count - 2 : 0));
        }
    }
}

static void a_rejection_sends_nothing(void **state)
{
    th_causes_report report;
    set_effects(&a, 4, (const char *const[]){"l:x", NULL});
    chain_rejection(&a, "x", th_rejection_trap(TH_TRAP_ABI), NULL);
    spoil(&b, 4, message(&a, 5, 0));
    must_find(&b, 4, "a rejection, which sends nothing");
    hidden_effects = 1 << 5; /* and needs no effects to show it */
    must_find(&b, 4, "a rejection, which sends nothing");
    hidden_effects = 0;
    assert_int_equal(check(&a, &report, NULL), THEATER_OK);
}

static void messages_before_the_first_may_be_missing(void **state)
{
    /* b did not exist when a sent them. */
    th_causes_report report;
    spoil(&b, 1, message(&a, 4, 1));
    chain_set(&b.elements[1].input, "m2");
    b.count = 2;
    chain_seal(&b, 1);
    assert_int_equal(check(&b, &report, NULL), THEATER_OK);
    b.count = 5;
}

static void order_is_checked_here_too(void **state)
{
    spoil(&b, 2, message(&a, 1, 1));
    chain_set(&b.elements[2].input, "m1");
    chain_seal(&b, 2);
    must_find(&b, 2, "do not ascend");
}

static void another_answer_is_found(void **state)
{
    chain_set(&a.elements[2].input, "r2");
    chain_seal(&a, 2);
    must_find(&a, 2, "not what its cause answered");
    chain_set(&a.elements[2].input, "r1");
    chain_set(&a.elements[3].input, "yes");
    chain_seal(&a, 2);
    must_find(&a, 3, "not what its cause answered");
}

static void failed_must_be_so(void **state)
{
    spoil(&a, 2, answer(&b, 2, 1, true));
    must_find(&a, 2, "is a transition");
    spoil(&a, 2, answer(&b, 2, 1, false));
    spoil(&a, 3, answer(&b, 3, 2, false));
    must_find(&a, 3, "is a rejection");
}

static void an_answer_must_be_to_that_request(void **state)
{
    spoil(&a, 2, answer(&b, 2, 2, false)); /* b2 handled request 1 */
    must_find(&a, 2, "another effect");
    spoil(&a, 2, answer(&b, 2, 9, false));
    must_find(&a, 2, "no such request");
    spoil(&a, 2, answer(&b, 1, 1, false)); /* b1 handled a plain message, whose output is empty */
    chain_set(&a.elements[2].input, "");
    chain_seal(&a, 2);
    must_find(&a, 2, "another effect");
    spoil(&a, 2, answer(&b, 0, 1, false)); /* a genesis answers nothing */
    must_find(&a, 2, "neither a transition nor a rejection");
    th_cause cause = answer(&b, 2, 1, false);
    cause.request = th_request_id(0, 1);
    chain_set(&a.elements[2].input, "r1");
    spoil(&a, 2, cause);
    must_find(&a, 2, "does not answer this actor's request");
    cause.request = th_request_id(1, 0);
    spoil(&a, 2, cause);
    must_find(&a, 2, "not made before");
}

/* An element that an answer of this chain caused answers nothing, though it names the same element. */
static void only_a_message_is_answered(void **state)
{
    set_effects(&a, 1, (const char *const[]){"r:b:q1", NULL});
    th_cause cause = {.kind = TH_CAUSE_ANSWER,
                      .actor = th_slice_text("a"),
                      .sequence = 1,
                      .request = th_request_id(1, 1),
                      .hash = a.elements[1].hash};
    spoil(&b, 2, cause);
    spoil(&a, 2, answer(&b, 2, 1, false));
    must_find(&a, 2, "does not answer this actor's request");
}

static void an_answer_to_somebody_else_is_found(void **state)
{
    /* b handled a client's input there. */
    spoil(&b, 2, (th_cause){0});
    spoil(&a, 2, answer(&b, 2, 1, false));
    must_find(&a, 2, "does not answer this actor's request");
}

static void undelivered_needs_its_request(void **state)
{
    th_cause cause = {
        .kind = TH_CAUSE_UNDELIVERED, .actor = th_slice_text("phantom"), .request = th_request_id(1, 3)};
    spoil(&a, 4, cause);
    must_find(&a, 4, "no such request to actor phantom");
    cause.actor = th_slice_text("ghost"), cause.request = th_request_id(4, 1);
    spoil(&a, 4, cause);
    must_find(&a, 4, "not made before");
}

static void what_is_not_there_is_counted(void **state)
{
    th_causes_report report;
    hide_b = true;
    assert_int_equal(check(&a, &report, NULL), THEATER_OK);
    assert_int_equal(report.missing, 2);
    assert_int_equal(report.undelivered, 1);
    hide_b = false;
    hide_outputs = true;
    assert_int_equal(check(&a, &report, NULL), THEATER_OK);
    assert_int_equal(report.unchecked,
                     1); /* the rejection's message; an output's hash stands in the element */
    assert_int_equal(report.answers, 1);
    hidden_effects = 2;
    assert_int_equal(check(&a, &report, NULL), THEATER_OK);
    assert_int_equal(report.unchecked, 3);
    assert_int_equal(check(&b, &report, NULL), THEATER_OK);
    assert_int_equal(report.unchecked, 3);
    assert_int_equal(report.messages, 1);
    a.count = 2; /* the sender's chain is shorter here */
    assert_int_equal(check(&b, &report, NULL), THEATER_OK);
    assert_int_equal(report.missing, 1);
    a.count = 5;
}

static void a_payload_that_is_not_the_elements_counts_as_dropped(void **state)
{
    th_causes_report report;
    chain_set(&a.elements[4].effects, "not these");
    assert_int_equal(check(&b, &report, NULL), THEATER_OK);
    assert_int_equal(report.unchecked, 1);
    chain_set(&b.elements[3].output, "not this");
    assert_int_equal(check(&a, &report, NULL), THEATER_OK);
    assert_int_equal(report.unchecked, 1);
}

static void later_versions_are_counted(void **state)
{
    th_causes_report report;
    a.elements[4].encoding[2] = 2;
    th_element_hash(fixture_hasher(), th_slice_of(a.elements[4].encoding, a.elements[4].size),
                    &a.elements[4].hash);
    spoil(&b, 4, message(&a, 4, 1));
    assert_int_equal(check(&b, &report, NULL), THEATER_OK);
    assert_int_equal(report.unchecked, 1);
}

static void an_element_that_does_not_decode_is_found(void **state)
{
    a.elements[4].size--;
    th_element_hash(fixture_hasher(), th_slice_of(a.elements[4].encoding, a.elements[4].size),
                    &a.elements[4].hash);
    spoil(&b, 4, message(&a, 4, 1));
    must_find(&b, 4, "cannot be its cause");
}

static void a_lookup_that_fails_ends_the_check(void **state)
{
    th_causes *causes;
    theater_error error;
    assert_ok(
        th_causes_new(th_slice_text("b"), fixture_hasher(), failing_lookup, NULL, 0, 0, &causes, reterr));
    assert_int_equal(th_causes_element(causes, &b.elements[1].fields, &error), THEATER_IO);
    assert_string_equal(error.message, "the disk is gone");
    th_causes_free(causes);
}

static void senders_are_bounded(void **state)
{
    th_causes *causes;
    th_element element = b.elements[1].fields;
    hide_b = true;
    assert_ok(th_causes_new(th_slice_text("b"), fixture_hasher(), look_up, NULL, 2, 0, &causes, reterr));
    static const char *const names[] = {"x", "y", "x", "z"};
    for (size_t i = 0; i < 4; i++) {
        element.cause.actor = th_slice_text(names[i]);
        element.cause.index = i + 1;
        assert_int_equal(th_causes_element(causes, &element, NULL), i < 3 ? THEATER_OK : THEATER_TOO_LARGE);
    }
    th_causes_free(causes);
}

static void elements_without_a_cause_cost_nothing(void **state)
{
    th_causes *causes;
    assert_ok(th_causes_new(th_slice_text("a"), fixture_hasher(), look_up, NULL, 0, 0, &causes, reterr));
    assert_ok(th_causes_element(causes, &a.elements[0].fields, reterr));
    assert_ok(th_causes_element(causes, &a.elements[1].fields, reterr));
    assert_int_equal(lookups, 0);
    th_causes_free(causes);
}

#ifdef TH_FAULTS
static void no_memory_at_any_place_is_an_error(void **state)
{
    uint64_t place = 1;
    for (theater_status status = THEATER_NO_MEMORY; status; place++) {
        th_causes *causes = NULL;
        th_allocation_fail_at(place);
        status = th_causes_new(th_slice_text("b"), fixture_hasher(), look_up, NULL, 0, 0, &causes, NULL);
        for (size_t i = 0; !status && i < b.count; i++)
            status = th_causes_element(causes, &b.elements[i].fields, NULL);
        assert_int_equal(status, fixture_allocation_failed(place) ? THEATER_NO_MEMORY : THEATER_OK);
        th_causes_free(causes);
    }
    assert_true(place > 4);
}
#endif

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sound_chains_agree),
        TEST(a_message_that_was_not_sent_is_found),
        TEST(another_input_is_found),
        TEST(another_element_is_found),
        TEST(a_rewritten_sender_is_found),
        TEST(a_message_that_was_left_out_is_found),
        TEST(a_number_past_the_end_costs_nothing),
        TEST(many_messages_of_one_element),
        TEST(a_rejection_sends_nothing),
        TEST(messages_before_the_first_may_be_missing),
        TEST(order_is_checked_here_too),
        TEST(another_answer_is_found),
        TEST(failed_must_be_so),
        TEST(an_answer_must_be_to_that_request),
        TEST(only_a_message_is_answered),
        TEST(an_answer_to_somebody_else_is_found),
        TEST(undelivered_needs_its_request),
        TEST(what_is_not_there_is_counted),
        TEST(a_payload_that_is_not_the_elements_counts_as_dropped),
        TEST(later_versions_are_counted),
        TEST(an_element_that_does_not_decode_is_found),
        TEST(a_lookup_that_fails_ends_the_check),
        TEST(senders_are_bounded),
        TEST(elements_without_a_cause_cost_nothing),
#ifdef TH_FAULTS
        TEST(no_memory_at_any_place_is_an_error),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
