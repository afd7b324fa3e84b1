/* Finding what causes name: how often a source is read for it. */
#include "theater/support.h"

#include <stdio.h>
#include <stdlib.h>

#include "theater/finder.h"
#include "theater/source_internal.h"

enum { CHAINS = 400, ELEMENTS = 5 };

/* A source of CHAINS chains, all with one name, and how often its elements were read. */
typedef struct fake {
    th_source source;
    unsigned reads;
    size_t element_bytes; /* room that the buffer of an element takes */
} fake;

/* The encoding of an element is only its place and its sequence. */
static theater_status read_element(th_source *source, uint64_t place, uint64_t sequence, th_buf *buf,
                                   th_source_element *ret, theater_error *reterr)
{
    fake *self = (fake *)source;
    self->reads++;
    if (place >= CHAINS || sequence >= ELEMENTS)
        return th_fail(reterr, THEATER_NOT_FOUND, "no such element");
    uint64_t words[] = {place, sequence};
    th_buf_clear(buf);
    theater_status status = th_buf_reserve(buf, self->element_bytes, reterr);
    if (!status)
        status = th_buf_append(buf, th_slice_of(words, sizeof words), reterr);
    *ret = (th_source_element){.encoding = th_buf_slice(buf)};
    return status;
}

static theater_status list_names(th_source *source, th_name_table *table, theater_error *reterr)
{
    theater_status status = THEATER_OK;
    for (uint64_t place = 0; !status && place < CHAINS; place++)
        status = th_name_table_add(table, "same", place, reterr);
    return status ? status : th_name_table_add(table, "single", CHAINS, reterr);
}

static const th_source_operations operations = {.element = read_element, .names = list_names};

static th_finder *begin(fake *self, th_hasher **ret_hasher)
{
    th_finder *finder;
    *self = (fake){.source = {.operations = &operations}, .element_bytes = 64};
    assert_ok(th_hasher_new(ret_hasher, &error));
    assert_ok(th_finder_new(&self->source, *ret_hasher, 1, &finder, &error));
    return finder;
}

static void end(fake *self, th_finder *finder, th_hasher *hasher)
{
    th_finder_free(finder);
    th_hasher_free(hasher);
    th_free(self->source.names.entries);
    th_free(self->source.names.places);
}

static th_cause cause_of(th_hasher *hasher, uint64_t place, uint64_t sequence)
{
    uint64_t words[] = {place, sequence};
    th_cause cause = {.kind = TH_CAUSE_MESSAGE, .sequence = sequence};
    th_element_hash(hasher, th_slice_of(words, sizeof words), &cause.hash);
    return cause;
}

/* Each cause would else read an element of each chain. */
static void chains_of_one_name_are_read_once(void **state)
{
    (void)state;
    fake source;
    th_hasher *hasher;
    th_finder *finder = begin(&source, &hasher);
    for (uint64_t sequence = 0; sequence < ELEMENTS; sequence++) {
        for (uint64_t i = 0; i < CHAINS; i++) {
            uint64_t wanted = i * 7 % CHAINS, place;
            th_cause cause = cause_of(hasher, wanted, sequence);
            assert_ok(th_finder_chain(finder, th_slice_text("same"), &cause, &place, &error));
            assert_int_equal(place, wanted);
        }
    }
    /* All once for the table, the ends of the chains included, and one for each cause. */
    assert_true(source.reads <= CHAINS * (ELEMENTS + 1) + CHAINS * ELEMENTS);
    end(&source, finder, hasher);
}

static void a_cause_that_no_chain_has_means_the_newest(void **state)
{
    (void)state;
    fake source;
    th_hasher *hasher;
    th_finder *finder = begin(&source, &hasher);
    uint64_t place;
    th_cause cause = cause_of(hasher, CHAINS + 5, 1);
    assert_ok(th_finder_chain(finder, th_slice_text("same"), &cause, &place, &error));
    assert_int_equal(place, CHAINS - 1);
    cause = cause_of(hasher, 3, 1);
    cause.sequence = 2; /* the hash is that of another element */
    assert_ok(th_finder_chain(finder, th_slice_text("same"), &cause, &place, &error));
    assert_int_equal(place, CHAINS - 1);
    cause.kind = TH_CAUSE_UNDELIVERED;
    assert_ok(th_finder_chain(finder, th_slice_text("same"), &cause, &place, &error));
    assert_int_equal(place, CHAINS - 1);
    cause.kind = TH_CAUSE_MESSAGE;
    unsigned before = source.reads;
    assert_ok(th_finder_chain(finder, th_slice_text("single"), &cause, &place, &error));
    assert_int_equal(place, CHAINS);
    assert_int_equal(source.reads, before);
    assert_status(th_finder_chain(finder, th_slice_text("nobody"), &cause, &place, &error), THEATER_NOT_FOUND);
    end(&source, finder, hasher);
}

static th_source_element read_one(th_finder *finder, uint64_t place, uint64_t sequence)
{
    th_source_element found;
    assert_ok(th_finder_read(finder, place, sequence, &found, &error));
    uint64_t words[] = {place, sequence};
    assert_true(th_slice_equal(found.encoding, th_slice_of(words, sizeof words)));
    return found;
}

/* An element of 65,535 messages is the cause of as many elements, and may have some MiB. */
static void an_element_that_many_causes_name_is_read_once(void **state)
{
    (void)state;
    fake source;
    th_hasher *hasher;
    th_finder *finder = begin(&source, &hasher);
    source.element_bytes = 8 << 20;
    for (unsigned i = 0; i < 65535; i++)
        read_one(finder, i % 10, 1);
    assert_int_equal(source.reads, 10);
    end(&source, finder, hasher);
}

static void the_elements_that_are_kept_have_a_bound(void **state)
{
    (void)state;
    fake source;
    th_hasher *hasher;
    th_finder *finder = begin(&source, &hasher);
    source.element_bytes = 100 << 20;
    for (uint64_t i = 0; i < 4; i++)
        read_one(finder, i, 0);
    read_one(finder, 3, 0);
    assert_int_equal(source.reads, 4);
    read_one(finder, 0, 0); /* was forgotten */
    assert_int_equal(source.reads, 5);
    source.element_bytes = 400 << 20; /* one that passes the bound alone */
    read_one(finder, 1, 1);
    read_one(finder, 1, 1);
    assert_int_equal(source.reads, 6);
    source.element_bytes = 64;
    for (uint64_t i = 0; i < CHAINS; i++)
        read_one(finder, i, 3);
    read_one(finder, 1, 1);
    assert_int_equal(source.reads, 6 + CHAINS + 1);
    end(&source, finder, hasher);
}

static void what_cannot_be_read_is_not_kept(void **state)
{
    (void)state;
    fake source;
    th_hasher *hasher;
    th_source_element found;
    th_finder *finder = begin(&source, &hasher);
    read_one(finder, 2, 0);
    assert_status(th_finder_read(finder, 2, ELEMENTS, &found, &error), THEATER_NOT_FOUND);
    assert_status(th_finder_read(finder, 2, ELEMENTS, &found, &error), THEATER_NOT_FOUND);
    read_one(finder, 2, 0);
    assert_int_equal(source.reads, 3);
    end(&source, finder, hasher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains_of_one_name_are_read_once),
        cmocka_unit_test(a_cause_that_no_chain_has_means_the_newest),
        cmocka_unit_test(an_element_that_many_causes_name_is_read_once),
        cmocka_unit_test(the_elements_that_are_kept_have_a_bound),
        cmocka_unit_test(what_cannot_be_read_is_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
