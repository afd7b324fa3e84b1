/* Hashing elements ahead: order, hashes, and ends, whatever the threads do. */
#include "theater/support.h"

#include <stdlib.h>

#include "theater/hash_ahead.h"

enum { ELEMENTS = 6000 };

typedef struct stream {
    uint64_t made, given; /* elements so far */
    uint64_t fails_at; /* the element at which `give` fails */
    th_hasher *hasher;
    uint8_t *bytes; /* of the largest element */
    size_t size;
} stream;

/* Element `number`: its bytes say which one it is, some have payloads that are missing, empty or large. */
static th_source_element element(const stream *self, uint64_t number)
{
    size_t encoding = 40 + number % 300, input = number % 7 == 0 ? 0 : number % 900;
    size_t output = number % 1000 == 999 ? self->size - 4000 : number % 50;
    memcpy(self->bytes, &number, sizeof number);
    uint8_t *at = self->bytes;
    th_source_element made = {.encoding = th_slice_of(at, encoding)};
    made.payloads.input = (th_payload){number % 11 != 0, th_slice_of(at, number % 11 != 0 ? input : 0)};
    made.payloads.output = (th_payload){true, th_slice_of(at, output)};
    made.payloads.effects = (th_payload){true, th_slice_text(number % 3 ? "\x80" : "effects")};
    return made;
}

static bool same(const th_payload *a, const th_payload *b)
{
    return a->present == b->present && th_slice_equal(a->bytes, b->bytes);
}

static theater_status give(void *context, const th_source_element *got, const th_element_hashes *hashes,
                           theater_error *reterr)
{
    stream *self = context;
    if (self->given == self->fails_at)
        return th_fail(reterr, THEATER_VERIFY_FAILED, "here");
    uint8_t *bytes = self->bytes;
    uint8_t copy[8]; /* the caller may be in the middle of making another one */
    memcpy(copy, bytes, sizeof copy);
    th_source_element wanted = element(self, self->given++);
    assert_true(th_slice_equal(got->encoding, wanted.encoding));
    assert_true(same(&got->payloads.input, &wanted.payloads.input));
    assert_true(same(&got->payloads.output, &wanted.payloads.output));
    assert_true(same(&got->payloads.effects, &wanted.payloads.effects));
    th_element_hashes expected;
    th_element_hashes_of(self->hasher, wanted.encoding, &wanted.payloads, &expected);
    assert_true(th_hash_equal(&hashes->element, &expected.element));
    if (wanted.payloads.input.present && wanted.payloads.input.bytes.size)
        assert_true(th_hash_equal(&hashes->input, &expected.input));
    if (wanted.payloads.effects.bytes.size > 1)
        assert_true(th_hash_equal(&hashes->effects, &expected.effects));
    memcpy(bytes, copy, sizeof copy);
    return THEATER_OK;
}

/* Runs a stream; gives the status that ended it. */
static theater_status run(unsigned helpers, uint64_t elements, uint64_t fails_at, bool flush, stream *ret)
{
    stream self = {.fails_at = fails_at, .size = (size_t)600 << 10};
    self.bytes = calloc(1, self.size);
    assert_ok(th_hasher_new(&self.hasher, &error));
    th_hash_ahead *ahead;
    assert_ok(th_hash_ahead_new(helpers, self.hasher, give, &self, &ahead, &error));
    theater_status status = THEATER_OK;
    for (; !status && self.made < elements; self.made++) {
        th_source_element next = element(&self, self.made);
        status = th_hash_ahead_add(ahead, &next, &error);
        if (!status && self.made % 1777 == 1776) {
            status = th_hash_ahead_flush(ahead, &error);
            assert_true(status || self.given == self.made + 1);
        }
    }
    if (flush && !status)
        status = th_hash_ahead_flush(ahead, &error);
    if (status) /* nothing comes any more */
        assert_ok(th_hash_ahead_flush(ahead, &error));
    th_hash_ahead_free(ahead);
    th_hasher_free(self.hasher);
    free(self.bytes);
    *ret = self;
    return status;
}

static void elements_come_back_in_order_with_their_hashes(void **state)
{
    (void)state;
    static const unsigned helpers[] = {0, 1, 2, 7, 100};
    stream ended;
    for (size_t i = 0; i < sizeof helpers / sizeof *helpers; i++) {
        assert_int_equal(run(helpers[i], ELEMENTS, UINT64_MAX, true, &ended), THEATER_OK);
        assert_int_equal(ended.given, ELEMENTS);
        assert_int_equal(run(helpers[i], 0, UINT64_MAX, true, &ended), THEATER_OK);
    }
}

static void a_failure_ends_it_at_that_element(void **state)
{
    (void)state;
    static const uint64_t at[] = {0, 1, 255, 256, 999, 2000, 5999};
    stream ended;
    for (unsigned helpers = 0; helpers < 3; helpers++) {
        for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
            assert_int_equal(run(helpers, ELEMENTS, at[i], true, &ended), THEATER_VERIFY_FAILED);
            assert_int_equal(ended.given, at[i]);
        }
    }
}

/* What is copied is bounded, so elements are given while others are still added. */
static void no_more_is_kept_than_the_batches_hold(void **state)
{
    (void)state;
    stream ended;
    assert_int_equal(run(1, 30000, UINT64_MAX, false, &ended), THEATER_OK);
    assert_true(ended.made - ended.given <= 8 * 256);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_come_back_in_order_with_their_hashes),
        cmocka_unit_test(a_failure_ends_it_at_that_element),
        cmocka_unit_test(no_more_is_kept_than_the_batches_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
