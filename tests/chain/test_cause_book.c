/* What a verifier remembers, against a model that forgets nothing: many actors, requests answered in any
 * order, dropped effects. */
#include "fixture.h"

#include <stdio.h>

#include "chain/cause_book.h"

#define REQUESTS 3000u
#define ACTORS 60u

/* A fixed sequence of numbers (xorshift), so that a failure can be repeated. */
static uint64_t numbers;

static uint64_t next_number(uint64_t below)
{
    numbers ^= numbers << 13;
    numbers ^= numbers >> 7;
    numbers ^= numbers << 17;
    return numbers % below;
}

static th_slice name_of(unsigned actor)
{
    static char text[32];
    snprintf(text, sizeof text, "actor-%u", actor);
    return th_slice_text(text);
}

/* Asks the book about a cause; whether it found nothing wrong. */
static bool takes(th_cause_book *book, th_cause cause, bool *ret_unchecked)
{
    const char *problem;
    assert_ok(th_cause_book_take(book, &cause, &problem, ret_unchecked, reterr));
    return !problem;
}

/* Requests are open, answered or of an element whose effects were dropped; each is answered in a random
 * order, some twice, some by the wrong actor. */
static void answers_agree_with_a_model(void **state)
{
    for (uint64_t seed = 0; seed < 6; seed++) {
        static bool answered[REQUESTS];
        static unsigned target[REQUESTS];
        th_cause_book book;
        numbers = seed + 1;
        memset(answered, 0, sizeof answered);
        th_cause_book_init(&book, 1 << 20, seed * 77);
        /* Request i is of element i / 10; of each fifth element the effects were dropped. */
        for (unsigned i = 0; i < REQUESTS; i++) {
            target[i] = (unsigned)next_number(ACTORS);
            uint64_t sequence = i / 10;
            if (sequence % 5 < 2 && i % 10 == 0)
                assert_ok(th_cause_book_dropped(&book, sequence, reterr));
            if (sequence % 5 >= 2)
                assert_ok(th_cause_book_request(&book, th_request_id(sequence, i % 10 + 1),
                                                name_of(target[i]), reterr));
        }
        for (unsigned round = 0; round < 3 * REQUESTS; round++) {
            unsigned i = (unsigned)next_number(REQUESTS);
            bool dropped = i / 10 % 5 < 2, wrong = next_number(8) == 0, unchecked;
            th_cause cause = {
                .kind = next_number(2) ? TH_CAUSE_ANSWER : TH_CAUSE_UNDELIVERED,
                .actor = name_of(wrong ? (target[i] + 1) % ACTORS : target[i]),
                .sequence = round,
                .request = th_request_id(i / 10, i % 10 + 1),
            };
            bool expected = !answered[i] && (dropped || !wrong);
            assert_int_equal(takes(&book, cause, &unchecked), expected);
            assert_int_equal(unchecked, dropped);
            answered[i] = answered[i] || expected;
        }
        th_cause_book_done(&book);
    }
}

static void no_element_answers_twice(void **state)
{
    th_cause_book book;
    bool unchecked;
    th_cause_book_init(&book, 1 << 20, 5);
    for (unsigned i = 0; i < 1000; i++)
        assert_ok(th_cause_book_request(&book, th_request_id(i, 1), name_of(i % 3), reterr));
    for (unsigned i = 0; i < 1000; i++) {
        th_cause cause = {.kind = TH_CAUSE_ANSWER,
                          .actor = name_of(i % 3),
                          .sequence = i / 2 * 7,
                          .request = th_request_id(i, 1)};
        /* Elements i and i + 1 of a pair name the same sequence, but of different actors unless they are one.
         */
        assert_true(takes(&book, cause, &unchecked));
        cause.request = th_request_id((i + 3) % 1000, 1);
        if (i < 997)
            assert_false(takes(&book, cause, &unchecked));
    }
    th_cause_book_done(&book);
}

static void messages_ascend_for_each_sender_alone(void **state)
{
    th_cause_book book;
    uint64_t sequence[ACTORS] = {0}, index[ACTORS] = {0};
    bool any[ACTORS] = {false}, unchecked;
    numbers = 99;
    th_cause_book_init(&book, 1 << 20, 5);
    for (int round = 0; round < 20000; round++) {
        unsigned actor = (unsigned)next_number(ACTORS);
        th_cause cause = {.kind = TH_CAUSE_MESSAGE, .actor = name_of(actor)};
        cause.sequence = sequence[actor] + next_number(3) - (sequence[actor] > 0);
        cause.index = next_number(4);
        bool expected = !any[actor] || cause.sequence > sequence[actor] ||
                        (cause.sequence == sequence[actor] && cause.index > index[actor]);
        assert_int_equal(takes(&book, cause, &unchecked), expected);
        if (expected) {
            any[actor] = true;
            sequence[actor] = cause.sequence;
            index[actor] = cause.index;
        }
    }
    th_cause_book_done(&book);
}

/* Dropped elements in a row take one entry. */
static void rows_of_dropped_effects_are_one_entry(void **state)
{
    th_cause_book book;
    bool unchecked;
    th_cause_book_init(&book, 3, 0);
    for (uint64_t i = 0; i < 100000; i++)
        assert_ok(th_cause_book_dropped(&book, i, reterr));
    assert_int_equal(book.entries, 1);
    assert_ok(th_cause_book_dropped(&book, 100001, reterr));
    assert_ok(th_cause_book_dropped(&book, 100003, reterr));
    assert_int_equal(th_cause_book_dropped(&book, 100005, NULL), THEATER_TOO_LARGE);
    th_cause_book_done(&book);
    th_cause_book_init(&book, 10, 0);
    for (uint64_t i = 10; i < 20; i += i == 14 ? 2 : 1)
        assert_ok(th_cause_book_dropped(&book, i, reterr));
    for (uint64_t i = 9; i < 22; i++) {
        th_cause cause = {
            .kind = TH_CAUSE_UNDELIVERED, .actor = th_slice_text("x"), .request = th_request_id(i, 1)};
        bool dropped = i >= 10 && i < 20 && i != 15;
        if (book.entries < 10)
            assert_int_equal(takes(&book, cause, &unchecked), dropped);
    }
    th_cause_book_done(&book);
}

#ifdef TH_FAULTS
static void no_memory_at_any_place_is_an_error(void **state)
{
    uint64_t place = 1;
    for (theater_status status = THEATER_NO_MEMORY; status; place++) {
        th_cause_book book;
        const char *problem;
        bool unchecked;
        th_cause_book_init(&book, 1 << 20, 5);
        th_allocation_fail_at(place);
        status = THEATER_OK;
        for (unsigned i = 0; !status && i < 200; i++)
            status = th_cause_book_request(&book, th_request_id(i, 1), name_of(i), NULL);
        for (unsigned i = 0; !status && i < 200; i++)
            status = th_cause_book_dropped(&book, 1000 + 2 * i, NULL);
        for (unsigned i = 0; !status && i < 200; i++) {
            th_cause cause = {
                .kind = TH_CAUSE_ANSWER, .actor = name_of(i), .request = th_request_id(1000 + 2 * i, 1)};
            status = th_cause_book_take(&book, &cause, &problem, &unchecked, NULL);
        }
        assert_int_equal(status, fixture_allocation_failed(place) ? THEATER_NO_MEMORY : THEATER_OK);
        th_cause_book_done(&book);
    }
    assert_true(place > 20);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_agree_with_a_model),
        cmocka_unit_test(no_element_answers_twice),
        cmocka_unit_test(messages_ascend_for_each_sender_alone),
        cmocka_unit_test(rows_of_dropped_effects_are_one_entry),
#ifdef TH_FAULTS
        cmocka_unit_test(no_memory_at_any_place_is_an_error),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
