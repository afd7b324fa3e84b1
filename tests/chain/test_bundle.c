/* Bundles: what is written is read back in whatever pieces it comes, order and kinds are strict, items are
 * bounded. */
#include "fixture.h"

static th_buf bundle;
static th_bundle_writer writer;

static int begin(void **state)
{
    th_buf_init(&bundle, 1 << 24);
    th_bundle_writer_init(&writer, buffer_sink, &bundle);
    return 0;
}

static int end(void **state)
{
    th_buf_done(&bundle);
    return 0;
}

/* Reads everything; the kinds that came go to `kinds` as digits. */
static theater_status read_all(th_slice bytes, size_t max_item, size_t step, char kinds[32],
                               theater_error *error)
{
    slice_source source = {.bytes = bytes, .step = step};
    th_bundle_reader *reader;
    bool more = true;
    size_t count = 0;
    assert_ok(th_bundle_reader_new(slice_source_read, &source, max_item, &reader, reterr));
    theater_status status = THEATER_OK;
    while (!status && more) {
        th_bundle_item item;
        status = th_bundle_reader_next(reader, &item, &more, error);
        if (!status && more && count < 31)
            kinds[count++] = (char)('0' + item.kind);
    }
    kinds[count] = 0;
    if (status) { /* an error stays one */
        th_bundle_item item;
        assert_int_not_equal(th_bundle_reader_next(reader, &item, &more, NULL), THEATER_OK);
        assert_false(more);
    }
    th_bundle_reader_free(reader);
    return status;
}

static void write_two_chains(void)
{
    th_payloads all = {th_payload_of(th_slice_text("in")), th_payload_of(th_slice_text("")),
                       th_payload_of(th_slice_text("\x80"))};
    th_payloads none = {0};
    assert_ok(th_bundle_write_header(&writer, th_slice_text("first"), reterr));
    assert_ok(th_bundle_write_component(&writer, th_slice_text("component"), reterr));
    assert_ok(th_bundle_write_element(&writer, th_slice_text("element 0"), &all, reterr));
    assert_ok(th_bundle_write_snapshot(&writer, 0, th_slice_text("state"), reterr));
    assert_ok(th_bundle_write_element(&writer, th_slice_text("element 1"), &none, reterr));
    assert_ok(th_bundle_write_key(&writer, th_slice_text("key"), reterr));
    assert_ok(th_bundle_write_checkpoint(&writer, th_slice_text("note"), reterr));
    assert_ok(th_bundle_write_checkpoint(&writer, th_slice_text("note 2"), reterr));
    assert_ok(th_bundle_write_header(&writer, th_slice_text("second"), reterr));
    assert_ok(th_bundle_write_element(&writer, th_slice_text("element"), &all, reterr));
    assert_ok(th_bundle_write_checkpoint(&writer, th_slice_text("note"), reterr));
}

static void items_come_back_whatever_the_pieces(void **state)
{
    write_two_chains();
    for (size_t step = 1; step < bundle.size; step += 1 + step / 4) {
        char kinds[32];
        assert_ok(read_all(th_buf_slice(&bundle), 0, step, kinds, reterr));
        assert_string_equal(kinds, "01323544034");
    }
}

static void fields_come_back(void **state)
{
    write_two_chains();
    slice_source source = {.bytes = th_buf_slice(&bundle)};
    th_bundle_reader *reader;
    th_bundle_item item;
    bool more;
    uint64_t offset = 0;
    assert_ok(th_bundle_reader_new(slice_source_read, &source, 0, &reader, reterr));
    assert_ok(th_bundle_reader_next(reader, &item, &more, reterr));
    assert_true(th_slice_equal(item.actor, th_slice_text("first")));
    assert_int_equal(item.offset, 0);
    assert_ok(th_bundle_reader_next(reader, &item, &more, reterr));
    assert_true(th_slice_equal(item.component, th_slice_text("component")));
    assert_true(item.offset > offset);
    assert_ok(th_bundle_reader_next(reader, &item, &more, reterr));
    assert_true(th_slice_equal(item.element, th_slice_text("element 0")));
    assert_true(item.payloads.input.present &&
                th_slice_equal(item.payloads.input.bytes, th_slice_text("in")));
    assert_true(item.payloads.output.present && item.payloads.output.bytes.size == 0);
    assert_ok(th_bundle_reader_next(reader, &item, &more, reterr));
    assert_true(item.sequence == 0 && th_slice_equal(item.state, th_slice_text("state")));
    assert_ok(th_bundle_reader_next(reader, &item, &more, reterr));
    assert_false(item.payloads.input.present || item.payloads.output.present ||
                 item.payloads.effects.present);
    assert_ok(th_bundle_reader_next(reader, &item, &more, reterr));
    assert_true(th_slice_equal(item.text, th_slice_text("key")));
    th_bundle_reader_free(reader);
}

#define HEADER "\xa3\x00\x6etheater-bundle\x01\x01\x02\x61x"
#define KEY "\x82\x05\x61k"
#define NOTE "\x82\x04\x61n"
#define COMPONENT "\x82\x01\x41\x63"

static theater_status reads_with(const char *bytes, size_t size, const char *text)
{
    char kinds[32];
    theater_error error = {0};
    theater_status status = read_all(th_slice_of(bytes, size), 0, 0, kinds, &error);
    if (status && text && !strstr(error.message, text))
        fail_msg("\"%s\" is not in: %s", text, error.message);
    return status;
}
#define READS(bytes, text) reads_with(bytes, sizeof bytes - 1, text)

static void order_is_strict(void **state)
{
    assert_int_equal(READS(HEADER COMPONENT KEY NOTE NOTE HEADER COMPONENT NOTE, NULL), THEATER_OK);
    assert_int_equal(READS(HEADER HEADER, NULL), THEATER_OK);
    assert_int_equal(READS("", "no bundle"), THEATER_CORRUPT);
    assert_int_equal(READS(COMPONENT, "no bundle"), THEATER_CORRUPT);
    assert_int_equal(READS(HEADER KEY KEY, "a key behind"), THEATER_CORRUPT);
    assert_int_equal(READS(HEADER NOTE KEY, "a key behind"), THEATER_CORRUPT);
    assert_int_equal(READS(HEADER KEY COMPONENT, "behind the key"), THEATER_CORRUPT);
    assert_int_equal(READS(HEADER NOTE COMPONENT, "behind the key"), THEATER_CORRUPT);
}

static void items_are_strict(void **state)
{
    assert_int_equal(READS(HEADER "\x82\x06\x61x", "unknown kind"), THEATER_CORRUPT);
    assert_int_equal(READS(HEADER "\x82\x00\x61x", "unknown kind"), THEATER_CORRUPT);
    assert_int_equal(READS(HEADER "\x83\x01\x41x\x00", "number of fields"), THEATER_CORRUPT);
    assert_int_equal(READS(HEADER "\x82\x01\x61x", "byte string"), THEATER_CORRUPT);
    assert_int_equal(READS(HEADER "\x82\x01\xf6", "byte string"), THEATER_CORRUPT);
    assert_int_equal(READS(HEADER "\x82\x18\x01\x41x", "long form"), THEATER_CORRUPT);
    assert_int_equal(READS(HEADER "\x98\x02\x01\x41x", "long form"), THEATER_CORRUPT);
    assert_int_equal(READS(HEADER "\x82\x01\x58\x01x", "long form"), THEATER_CORRUPT);
    assert_int_equal(READS(HEADER "\x82\x04\x61\xff", "UTF-8"), THEATER_CORRUPT);
    assert_int_equal(READS(HEADER "\x9f\x01\x41x\xff", "indefinite"), THEATER_CORRUPT);
    assert_int_equal(READS(HEADER "\x82\x01\x5f\x41x\xff", "indefinite"), THEATER_CORRUPT);
    assert_int_equal(READS(HEADER "\x82\x01\x81\x00", "byte string"), THEATER_CORRUPT);
    assert_int_equal(READS(HEADER "\x00", NULL), THEATER_CORRUPT);
    assert_int_equal(READS(HEADER "\x82\x01\x43x", "ends"), THEATER_CORRUPT);
    assert_int_equal(READS(HEADER "\x82", "ends"), THEATER_CORRUPT);
    assert_int_equal(READS(HEADER "\x80", NULL), THEATER_CORRUPT);
    assert_int_equal(READS(HEADER "\x9b\xff\xff\xff\xff\xff\xff\xff\xff", NULL), THEATER_CORRUPT);
}

static void headers_are_strict(void **state)
{
    assert_int_equal(READS("\xa3\x00\x6etheater-bundlf\x01\x01\x02\x61x", "no bundle"), THEATER_CORRUPT);
    assert_int_equal(READS("\xa3\x00\x6etheater-bundle\x01\x02\x02\x61x", "not known"), THEATER_VERSION);
    assert_int_equal(READS("\xa3\x00\x6etheater-bundle\x01\x00\x02\x61x", "not known"), THEATER_CORRUPT);
    assert_int_equal(READS("\xa3\x00\x6etheater-bundle\x01\x01\x02\x61X", "no name"), THEATER_CORRUPT);
    assert_int_equal(READS("\xa3\x00\x6etheater-bundle\x02\x61x\x01\x01", "version"), THEATER_CORRUPT);
    assert_int_equal(READS("\xa4\x00\x6etheater-bundle\x01\x01\x02\x61x\x03\x00", "three"), THEATER_CORRUPT);
    assert_int_equal(READS("not a bundle at all", "no bundle"), THEATER_CORRUPT);
}

static void items_are_bounded(void **state)
{
    static uint8_t state_bytes[300000];
    char kinds[32];
    theater_error error;
    assert_ok(th_bundle_write_header(&writer, th_slice_text("x"), reterr));
    assert_ok(th_bundle_write_snapshot(&writer, 0, th_slice_of(state_bytes, sizeof state_bytes), reterr));
    assert_ok(th_bundle_write_snapshot(&writer, 0, th_slice_of(state_bytes, 70000), reterr));
    /* 1 array, 1 kind, 1 sequence, 5 head */
    assert_ok(read_all(th_buf_slice(&bundle), sizeof state_bytes + 8, 0, kinds, reterr));
    assert_string_equal(kinds, "022");
    assert_int_equal(read_all(th_buf_slice(&bundle), sizeof state_bytes + 7, 0, kinds, &error),
                     THEATER_TOO_LARGE);
    /* What only claims to be large costs nothing. */
    assert_int_equal(READS(HEADER "\x82\x01\x5b\x7f\xff\xff\xff\xff\xff\xff\xff", NULL), THEATER_TOO_LARGE);
    assert_int_equal(READS(HEADER "\x82\x01\x5b\xff\xff\xff\xff\xff\xff\xff\xff", NULL), THEATER_TOO_LARGE);
}

static theater_status failing(void *context, uint8_t *out, size_t size, size_t *ret_size,
                              theater_error *reterr)
{
    return th_fail(reterr, THEATER_IO, "the disk is gone");
}

/* Gives the beginning of an item, then fails once, then would give nonsense. */
static theater_status failing_later(void *context, uint8_t *out, size_t size, size_t *ret_size,
                                    theater_error *reterr)
{
    static const char start[] = "\xa3\x00\x6etheater-bundle\x01\x01";
    unsigned *calls = context;
    if (++*calls == 2)
        return th_fail(reterr, THEATER_IO, "the disk is gone");
    memcpy(out, start, sizeof start - 1);
    *ret_size = sizeof start - 1;
    return THEATER_OK;
}

static theater_status failing_sink(void *context, const th_slice *parts, size_t count, theater_error *reterr)
{
    return th_fail(reterr, THEATER_NO_SPACE, "the disk is full");
}

static void errors_of_source_and_sink_are_returned(void **state)
{
    th_bundle_reader *reader;
    th_bundle_item item;
    bool more;
    theater_error error;
    assert_ok(th_bundle_reader_new(failing, NULL, 0, &reader, reterr));
    assert_int_equal(th_bundle_reader_next(reader, &item, &more, &error), THEATER_IO);
    assert_string_equal(error.message, "the disk is gone");
    th_bundle_reader_free(reader);
    unsigned calls = 0;
    assert_ok(th_bundle_reader_new(failing_later, &calls, 0, &reader, reterr));
    assert_int_equal(th_bundle_reader_next(reader, &item, &more, &error), THEATER_IO);
    assert_int_equal(th_bundle_reader_next(reader, &item, &more, &error), THEATER_CORRUPT);
    assert_int_equal(calls, 2);
    th_bundle_reader_free(reader);
    th_bundle_writer full;
    th_bundle_writer_init(&full, failing_sink, NULL);
    assert_int_equal(th_bundle_write_header(&full, th_slice_text("x"), &error), THEATER_NO_SPACE);
}

/* Random bytes and spoiled bundles end in an error or in items, never elsewhere (the sanitizers watch). */
static void noise_is_survived(void **state)
{
    write_two_chains();
    uint64_t numbers = 88172645463325252u;
    for (int round = 0; round < 20000; round++) {
        uint8_t copy[1024];
        assert_true(bundle.size <= sizeof copy);
        memcpy(copy, bundle.data, bundle.size);
        for (int i = 0; i < 3; i++) {
            numbers ^= numbers << 13, numbers ^= numbers >> 7, numbers ^= numbers << 17;
            copy[numbers % bundle.size] = (uint8_t)(numbers >> 32);
        }
        char kinds[32];
        theater_error error;
        theater_status status = read_all(th_slice_of(copy, bundle.size), 0, 0, kinds, &error);
        assert_true(status == THEATER_OK || status == THEATER_CORRUPT || status == THEATER_TOO_LARGE ||
                    status == THEATER_VERSION);
    }
}

#ifdef TH_FAULTS
static void no_memory_is_an_error(void **state)
{
    write_two_chains();
    for (uint64_t place = 1; place <= 2; place++) {
        slice_source source = {.bytes = th_buf_slice(&bundle)};
        th_bundle_reader *reader = NULL;
        th_bundle_item item;
        bool more;
        th_allocation_fail_at(place);
        theater_status status = th_bundle_reader_new(slice_source_read, &source, 0, &reader, NULL);
        if (!status)
            status = th_bundle_reader_next(reader, &item, &more, NULL);
        th_allocation_fail_at(0);
        assert_int_equal(status, THEATER_NO_MEMORY);
        th_bundle_reader_free(reader);
    }
}
#endif

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(items_come_back_whatever_the_pieces),
        TEST(fields_come_back),
        TEST(order_is_strict),
        TEST(items_are_strict),
        TEST(headers_are_strict),
        TEST(items_are_bounded),
        TEST(errors_of_source_and_sink_are_returned),
        TEST(noise_is_survived),
#ifdef TH_FAULTS
        TEST(no_memory_is_an_error),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
