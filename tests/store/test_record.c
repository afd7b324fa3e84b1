/* Records: what is written is read back, and nothing else is accepted. */
#include "store/record_internal.h"
#include "store/support.h"

static th_hash hash_of(uint8_t byte)
{
    th_hash hash;
    memset(hash.bytes, byte, sizeof hash.bytes);
    return hash;
}

static th_record element_record(void)
{
    th_record record = {.kind = TH_RECORD_ELEMENT, .actor = 0x0123456789abcdef};
    record.element.has_cause = true;
    record.element.cause = (th_message_key){0xfedcba9876543210, 0x89abcdef};
    record.element.hash = hash_of(5);
    record.element.element = th_slice_text("the element");
    record.element.effects = th_slice_text("effects");
    record.element.input = th_slice_text("in");
    record.element.output = th_slice_text("");
    record.element.sent = th_slice_of("\3\0\0\0abc\0\0\0\0\1\0\0\0x", 16);
    return record;
}

/* One of each kind, and elements with each flag. */
enum { SAMPLES = 12 };
static th_record sample(int which)
{
    th_record record = {0};
    switch (which) {
    case 0:
        record.kind = TH_RECORD_COMPONENT;
        record.component.hash = hash_of(1);
        record.component.binary = th_slice_text("binary");
        return record;
    case 1:
        record.kind = TH_RECORD_COMPILED;
        record.compiled.component = hash_of(2);
        record.compiled.hash = hash_of(3);
        record.compiled.fingerprint = th_slice_text("fingerprint");
        return record;
    case 2:
        return element_record();
    case 3:
        record = element_record();
        record.element.has_cause = false;
        return record;
    case 4:
    case 5:
    case 6:
        record = element_record();
        record.element.input_dropped = which == 4;
        record.element.output_dropped = which == 5;
        record.element.effects_dropped = which == 6;
        *(which == 4   ? &record.element.input
          : which == 5 ? &record.element.output
                       : &record.element.effects) = (th_slice){0};
        return record;
    case 7:
        record.kind = TH_RECORD_SNAPSHOT;
        record.actor = 7;
        record.snapshot.sequence = UINT64_MAX;
        record.snapshot.tree = th_slice_text("tree");
        record.snapshot.state = th_slice_text("state");
        return record;
    case 8:
    case 9:
        record.kind = TH_RECORD_LIFE;
        record.actor = 8;
        record.life.life = which == 8 ? TH_LIFE_STARTED : TH_LIFE_IMPORTED;
        record.life.time_ns = 123;
        record.life.name = th_slice_text("name.of-actor");
        return record;
    case 10:
        record.kind = TH_RECORD_LIFE;
        record.actor = 9;
        record.life.life = TH_LIFE_REMOVED;
        return record;
    default:
        record.kind = TH_RECORD_CHECKPOINT;
        record.actor = 10;
        record.checkpoint.size = 11;
        record.checkpoint.head = hash_of(4);
        record.checkpoint.note = th_slice_text("note");
        return record;
    }
}

static void assert_same_element(const th_record *a, const th_record *b)
{
    assert_int_equal(a->element.has_cause, b->element.has_cause);
    if (b->element.has_cause) {
        assert_int_equal(a->element.cause.number, b->element.cause.number);
        assert_int_equal(a->element.cause.index, b->element.cause.index);
    }
    assert_true(th_hash_equal(&a->element.hash, &b->element.hash));
    assert_true(th_slice_equal(a->element.element, b->element.element));
    assert_true(th_slice_equal(a->element.effects, b->element.effects));
    assert_true(th_slice_equal(a->element.input, b->element.input));
    assert_true(th_slice_equal(a->element.output, b->element.output));
    assert_true(th_slice_equal(a->element.sent, b->element.sent));
    assert_int_equal(a->element.input_dropped, b->element.input_dropped);
    assert_int_equal(a->element.output_dropped, b->element.output_dropped);
    assert_int_equal(a->element.effects_dropped, b->element.effects_dropped);
}

static void assert_same(const th_record *a, const th_record *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->actor, b->actor);
    switch (a->kind) {
    case TH_RECORD_COMPONENT:
        assert_true(th_hash_equal(&a->component.hash, &b->component.hash));
        assert_true(th_slice_equal(a->component.binary, b->component.binary));
        break;
    case TH_RECORD_COMPILED:
        assert_true(th_hash_equal(&a->compiled.component, &b->compiled.component));
        assert_true(th_hash_equal(&a->compiled.hash, &b->compiled.hash));
        assert_true(th_slice_equal(a->compiled.fingerprint, b->compiled.fingerprint));
        break;
    case TH_RECORD_ELEMENT:
        assert_same_element(a, b);
        break;
    case TH_RECORD_SNAPSHOT:
        assert_int_equal(a->snapshot.sequence, b->snapshot.sequence);
        assert_true(th_slice_equal(a->snapshot.tree, b->snapshot.tree));
        assert_true(th_slice_equal(a->snapshot.state, b->snapshot.state));
        break;
    case TH_RECORD_LIFE:
        assert_int_equal(a->life.life, b->life.life);
        assert_int_equal(a->life.time_ns, b->life.time_ns);
        assert_true(th_slice_equal(a->life.name, b->life.name));
        break;
    case TH_RECORD_CHECKPOINT:
        assert_int_equal(a->checkpoint.size, b->checkpoint.size);
        assert_true(th_hash_equal(&a->checkpoint.head, &b->checkpoint.head));
        assert_true(th_slice_equal(a->checkpoint.note, b->checkpoint.note));
        break;
    }
}

static void records_come_back_as_they_were(void **state)
{
    theater_error error;
    th_buf buf;
    th_buf_init(&buf, 1 << 16);
    for (int i = 0; i < SAMPLES; i++) {
        th_record record = sample(i), back;
        th_buf_clear(&buf);
        OK(th_record_encode(&record, &buf, &error));
        OK(th_record_decode(th_buf_slice(&buf), &back, &error));
        assert_same(&back, &record);
    }
    th_buf_done(&buf);
}

/* Kinds whose last field takes what is left can be cut or continued there; all others must be exact. */
static bool open_ended(const th_record *record)
{
    return record->kind != TH_RECORD_ELEMENT && record->kind != TH_RECORD_LIFE;
}

static void cut_and_continued_records_are_refused(void **state)
{
    theater_error error;
    th_buf buf;
    th_buf_init(&buf, 1 << 16);
    for (int i = 0; i < SAMPLES; i++) {
        th_record record = sample(i), back;
        th_buf_clear(&buf);
        OK(th_record_encode(&record, &buf, &error));
        size_t size = buf.size;
        for (size_t cut = 0; cut < size; cut++) {
            theater_status status = th_record_decode(th_slice_of(buf.data, cut), &back, &error);
            if (record.kind == TH_RECORD_ELEMENT)
                assert_int_equal(status, THEATER_CORRUPT);
            else
                assert_true(status == THEATER_CORRUPT || status == THEATER_OK);
        }
        OK(th_buf_append_byte(&buf, '!', &error));
        if (!open_ended(&record))
            EXPECT(CORRUPT, th_record_decode(th_buf_slice(&buf), &back, &error));
    }
    th_buf_done(&buf);
}

static void decoding_any_bytes_is_safe(void **state)
{
    theater_error error;
    th_buf buf;
    th_buf_init(&buf, 1 << 16);
    dice d = {42};
    unsigned accepted = 0;
    for (int round = 0; round < 20000; round++) {
        th_record record = sample((int)roll(&d, SAMPLES)), back;
        th_buf_clear(&buf);
        OK(th_record_encode(&record, &buf, &error));
        for (uint64_t flips = 1 + roll(&d, 3); flips > 0; flips--)
            buf.data[roll(&d, buf.size)] = (uint8_t)roll(&d, 256);
        theater_status status = th_record_decode(th_buf_slice(&buf), &back, &error);
        assert_true(status == THEATER_OK || status == THEATER_CORRUPT);
        if (!status) {
            /* What is accepted is encoded to the same bytes again. */
            th_buf again;
            th_buf_init(&again, 1 << 16);
            OK(th_record_encode(&back, &again, &error));
            assert_true(th_slice_equal(th_buf_slice(&again), th_buf_slice(&buf)));
            th_buf_done(&again);
            accepted++;
        }
    }
    assert_true(accepted > 1000 && accepted < 19000);
    th_buf_done(&buf);
}

static void expect_refused(const th_record *record)
{
    theater_error error;
    th_record back;
    th_buf buf;
    th_buf_init(&buf, 1 << 16);
    OK(th_record_encode(record, &buf, &error));
    EXPECT(CORRUPT, th_record_decode(th_buf_slice(&buf), &back, &error));
    th_buf_done(&buf);
}

static void records_that_make_no_sense_are_refused(void **state)
{
    th_record record = element_record();
    record.actor = 0;
    expect_refused(&record);
    record = element_record();
    record.element.element = (th_slice){0};
    expect_refused(&record);
    record = element_record();
    record.element.input_dropped = true; /* and there */
    expect_refused(&record);
    record = element_record();
    record.element.sent = th_slice_text("\4\0\0\0abc");
    expect_refused(&record);
    record = sample(8);
    record.life.name = th_slice_text("No Name");
    expect_refused(&record);
    record = sample(10);
    record.life.name = th_slice_text("name");
    expect_refused(&record);
    record = sample(10);
    record.life.life = (th_life)6;
    expect_refused(&record);
    record = sample(1);
    record.compiled.fingerprint = (th_slice){0};
    expect_refused(&record);
    static uint8_t long_fingerprint[TH_FINGERPRINT_MAX + 1];
    record.compiled.fingerprint = th_slice_of(long_fingerprint, sizeof long_fingerprint);
    expect_refused(&record);
}

static void records_over_the_limit_are_too_large(void **state)
{
    theater_error error;
    th_buf buf;
    static const uint8_t byte;
    th_buf_init(&buf, SIZE_MAX);
    th_record record = sample(0);
    record.component.binary = th_slice_of(&byte, TH_RECORD_MAX); /* never read: the size is asked first */
    EXPECT(TOO_LARGE, th_record_encode(&record, &buf, &error));
    record = element_record();
    record.element.input = record.element.output = th_slice_of(&byte, TH_RECORD_MAX / 2 + 1);
    EXPECT(TOO_LARGE, th_record_encode(&record, &buf, &error));
    assert_int_equal(buf.size, 0);
    th_buf_done(&buf);
}

static void front_of_an_element_tells_what_the_index_needs(void **state)
{
    theater_error error;
    static uint8_t payload[100000];
    th_buf buf;
    th_buf_init(&buf, 1 << 20);
    th_record record = element_record(), back;
    record.element.input = th_slice_of(payload, sizeof payload);
    OK(th_record_encode(&record, &buf, &error));
    OK(th_record_decode_front(th_slice_of(buf.data, 200), buf.size, &back, &error));
    assert_true(th_slice_equal(back.element.element, record.element.element));
    assert_true(th_slice_equal(back.element.effects, record.element.effects));
    assert_true(th_hash_equal(&back.element.hash, &record.element.hash));
    EXPECT(CORRUPT, th_record_decode_front(th_slice_of(buf.data, 80), buf.size, &back, &error));
    th_buf_done(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_back_as_they_were),
        cmocka_unit_test(cut_and_continued_records_are_refused),
        cmocka_unit_test(decoding_any_bytes_is_safe),
        cmocka_unit_test(records_that_make_no_sense_are_refused),
        cmocka_unit_test(records_over_the_limit_are_too_large),
        cmocka_unit_test(front_of_an_element_tells_what_the_index_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
