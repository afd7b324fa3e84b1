/* The encoder makes shortest forms only, the decoder takes nothing else. */
#include "fixture.h"

#include "chain/cbor.h"

static const uint64_t borders[] = {
    0, 1, 23, 24, 255, 256, 65535, 65536, UINT32_MAX, 0x100000000, 0x100000001, UINT64_MAX - 1, UINT64_MAX};

static void integers_take_their_shortest_form(void **state)
{
    for (size_t i = 0; i < sizeof borders / sizeof *borders; i++) {
        uint8_t room[TH_CBOR_HEAD_MAX];
        size_t size = (size_t)(th_cbor_put_uint(room, borders[i]) - room);
        assert_int_equal(size, th_cbor_head_size(borders[i]));
        th_cbor_reader in = th_cbor_read(th_slice_of(room, size));
        uint64_t back;
        assert_true(th_cbor_read_uint(&in, &back));
        assert_true(back == borders[i]);
        assert_true(th_cbor_read_end(&in));
        for (size_t cut = 0; cut < size; cut++) {
            in = th_cbor_read(th_slice_of(room, cut));
            assert_false(th_cbor_read_uint(&in, &back));
        }
    }
}

static void known_encodings(void **state)
{
    th_buf out;
    th_buf_init(&out, 100);
    assert_ok(th_cbor_append_head(&out, TH_CBOR_MAP, 1, reterr));
    assert_ok(th_cbor_append_uint(&out, 1000, reterr));
    assert_ok(th_cbor_append_head(&out, TH_CBOR_ARRAY, 2, reterr));
    assert_ok(th_cbor_append_bytes(&out, th_slice_of("\x01\x02", 2), reterr));
    assert_ok(th_cbor_append_text(&out, th_slice_text("IETF"), reterr));
    assert_true(
        th_slice_equal(th_buf_slice(&out), th_slice_of("\xa1\x19\x03\xe8\x82\x42\x01\x02\x64IETF", 13)));
    th_buf_done(&out);
}

/* Every way to write a small number in more bytes than it takes. */
static void long_forms_are_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
    } bad[] = {
        {"\x18\x00", 2},
        {"\x18\x17", 2},
        {"\x19\x00\xff", 3},
        {"\x1a\x00\x00\xff\xff", 5},
        {"\x1b\x00\x00\x00\x00\xff\xff\xff\xff", 9},
        {"\x1c", 1},
        {"\x1d", 1},
        {"\x1e", 1},
        {"\x1f", 1},
        {"\x20", 1}, /* -1 */
        {"\xf5", 1}, /* true */
        {"\xf9\x3c\x00", 3}, /* 1.0 */
        {"\xc1\x01", 2}, /* a tag */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint64_t value;
        th_cbor_reader in = th_cbor_read(th_slice_of(bad[i].bytes, bad[i].size));
        assert_false(th_cbor_read_uint(&in, &value));
        assert_non_null(in.problem);
        assert_ptr_equal(in.at, in.begin);
    }
}

static void other_types_are_refused(void **state)
{
    uint64_t count;
    th_slice bytes;
    bool flag;
    for (int first = 0; first < 256; first++) {
        uint8_t item[40] = {(uint8_t)first};
        th_slice whole = th_slice_of(item, sizeof item);
        th_cbor_reader in = th_cbor_read(whole);
        assert_true(!th_cbor_read_uint(&in, &count) || first < 24);
        in = th_cbor_read(whole);
        assert_true(!th_cbor_read_bytes(&in, &bytes) || (first >= 0x40 && first < 0x58));
        in = th_cbor_read(whole);
        assert_true(!th_cbor_read_text(&in, &bytes) || (first >= 0x60 && first < 0x78));
        in = th_cbor_read(whole);
        assert_true(!th_cbor_read_array(&in, &count) || (first >= 0x80 && first < 0x98));
        in = th_cbor_read(whole);
        assert_true(!th_cbor_read_map(&in, &count) || (first >= 0xa0 && first < 0xb8));
        in = th_cbor_read(whole);
        assert_int_equal(th_cbor_read_bool(&in, &flag), first == TH_CBOR_FALSE || first == TH_CBOR_TRUE);
    }
}

static void strings_may_not_pass_the_end(void **state)
{
    th_slice bytes;
    th_cbor_reader in = th_cbor_read(th_slice_of("\x43xy", 3));
    assert_false(th_cbor_read_bytes(&in, &bytes));
    in = th_cbor_read(th_slice_of("\x5b\xff\xff\xff\xff\xff\xff\xff\xff", 9));
    assert_false(th_cbor_read_bytes(&in, &bytes));
    in = th_cbor_read(th_slice_of("\x5f\x41x\xff", 4));
    assert_false(th_cbor_read_bytes(&in, &bytes));
}

static void text_must_be_utf8(void **state)
{
    th_slice text;
    th_cbor_reader in = th_cbor_read(th_slice_of("\x62\xc3\xa9", 3));
    assert_true(th_cbor_read_text(&in, &text));
    in = th_cbor_read(th_slice_of("\x62\xc3\x28", 3));
    assert_false(th_cbor_read_text(&in, &text));
}

static void null_is_told_from_empty(void **state)
{
    th_slice bytes;
    bool present;
    th_cbor_reader in = th_cbor_read(th_slice_of("\xf6\x40\x00", 3));
    assert_true(th_cbor_read_bytes_or_null(&in, &present, &bytes));
    assert_false(present);
    assert_true(th_cbor_read_bytes_or_null(&in, &present, &bytes));
    assert_true(present);
    assert_int_equal(bytes.size, 0);
    assert_false(th_cbor_read_bytes_or_null(&in, &present, &bytes));
}

static void the_first_problem_stays(void **state)
{
    uint64_t value;
    theater_error error;
    th_cbor_reader in = th_cbor_read(th_slice_of("\x01\x20\x02", 3));
    assert_true(th_cbor_expect_uint(&in, 1, "one is missing"));
    assert_false(th_cbor_expect_uint(&in, 2, "two is missing"));
    assert_false(th_cbor_read_uint(&in, &value));
    assert_false(th_cbor_read_end(&in));
    assert_false(th_cbor_more(&in));
    assert_int_equal(th_cbor_fail(&in, "test", &error), THEATER_CORRUPT);
    assert_string_equal(error.message, "test: two is missing at byte 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_take_their_shortest_form),
        cmocka_unit_test(known_encodings),
        cmocka_unit_test(long_forms_are_refused),
        cmocka_unit_test(other_types_are_refused),
        cmocka_unit_test(strings_may_not_pass_the_end),
        cmocka_unit_test(text_must_be_utf8),
        cmocka_unit_test(null_is_told_from_empty),
        cmocka_unit_test(the_first_problem_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
