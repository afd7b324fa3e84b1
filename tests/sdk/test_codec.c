/* The C SDK's CBOR and its codec of values: the vectors of RFC 8949, what other languages write for the same
 * value, and random values and damaged bytes, each in a block of its own for the address sanitizer. */
#include <setjmp.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <theater.h>

/* Bytes of hex, in a block of exactly that size. */
static theater_slice from_hex(const char *hex)
{
    theater_bytes bytes = {malloc(strlen(hex) / 2 + (*hex == 0)), strlen(hex) / 2};
    assert_true(theater_parse_hex(theater_slice_text(hex), bytes));
    return theater_slice_bytes(bytes);
}

static const char *to_hex(theater_slice bytes)
{
    theater_writer text = theater_writer_new(2 * bytes.size + 1);
    theater_put_hex(&text, bytes);
    theater_put_byte(&text, 0);
    return (const char *)text.data;
}

static const char *to_text(theater_slice bytes)
{
    theater_writer text = theater_writer_new(bytes.size + 1);
    theater_put_slice(&text, bytes);
    theater_put_byte(&text, 0);
    return (const char *)text.data;
}

/* ---- item by item -------------------------------------------------------------------------------------- */

/* Reads one item of any kind, and writes it again. */
static void recode(theater_cbor *in, theater_writer *out, int depth)
{
    theater_cbor_type type = theater_cbor_next(in);
    uint8_t head;
    uint64_t argument;
    if (depth == 0 || type == THEATER_CBOR_END) {
        theater_cbor_fail(in, in->at, "too deep for this test, or nothing");
    } else if (type == THEATER_CBOR_BYTES) {
        theater_cbor_put_bytes(out, theater_cbor_bytes(in));
    } else if (type == THEATER_CBOR_TEXT) {
        theater_cbor_put_text(out, theater_cbor_text(in));
    } else if (type == THEATER_CBOR_ARRAY) {
        size_t count = theater_cbor_array(in);
        theater_cbor_put_array(out, count);
        for (; count > 0 && !in->wrong; count--)
            recode(in, out, depth - 1);
    } else if (type == THEATER_CBOR_MAP) {
        size_t count = theater_cbor_map(in).left;
        theater_cbor_put_map(out, count);
        for (count *= 2; count > 0 && !in->wrong; count--)
            recode(in, out, depth - 1);
    } else if (type == THEATER_CBOR_SIMPLE && *in->at >= 0xf9 && *in->at <= 0xfb) {
        theater_cbor_put_double(out, theater_cbor_double(in));
    } else if (theater_cbor_take_head(in, &head, &argument)) {
        theater_cbor_put_head(out, type, argument);
    }
}

/* Whether the bytes are one item in the deterministic form. What is taken has to be written as it stands
 * there. */
static bool is_taken(theater_slice bytes)
{
    theater_cbor whole = theater_cbor_of(bytes), in = whole;
    theater_cbor_skip(&whole);
    if (!theater_cbor_done(&whole)) {
        assert_true(whole.at >= whole.start && whole.at <= whole.end);
        return false;
    }
    theater_writer out = theater_writer_new(bytes.size);
    recode(&in, &out, THEATER_CBOR_DEPTH + 2);
    if (!theater_cbor_done(&in) || !theater_slice_equal(theater_writer_slice(&out), bytes))
        fail_msg("%s is written as %s", to_hex(bytes), to_hex(theater_writer_slice(&out)));
    free(out.data);
    return true;
}

/* RFC 8949, appendix A: those in the deterministic form of values that it has without tags. */
static const char *const vectors[] = {
    "00",
    "01",
    "0a",
    "17",
    "1818",
    "1819",
    "1864",
    "1903e8",
    "1a000f4240",
    "1b000000e8d4a51000",
    "1bffffffffffffffff",
    "3bffffffffffffffff",
    "20",
    "29",
    "3863",
    "3903e7",
    "f90000",
    "f98000",
    "f93c00",
    "fb3ff199999999999a",
    "f93e00",
    "f97bff",
    "fa47c35000",
    "fa7f7fffff",
    "fb7e37e43c8800759c",
    "f90001",
    "f90400",
    "f9c400",
    "fbc010666666666666",
    "f97c00",
    "f97e00",
    "f9fc00",
    "f4",
    "f5",
    "f6",
    "f7",
    "40",
    "4401020304",
    "60",
    "6161",
    "6449455446",
    "62225c",
    "62c3bc",
    "63e6b0b4",
    "64f0908591",
    "80",
    "83010203",
    "8301820203820405",
    "98190102030405060708090a0b0c0d0e0f101112131415161718181819",
    "a0",
    "a201020304",
    "a26161016162820203",
    "826161a161626163",
    "a56161614161626142616361436164614461656145",
};

/* Those of appendix A that have tags, another form, or a simple value without a meaning; and others. */
static const char *const refused[] = {
    "c249010000000000000000",
    "c349010000000000000000",
    "fa7f800000",
    "fa7fc00000",
    "faff800000",
    "fb7ff0000000000000",
    "fb7ff8000000000000",
    "fbfff0000000000000",
    "f0",
    "f8ff",
    "f8f5",
    "f818",
    "c074323031332d30332d32315432303a30343a30305a",
    "c11a514b67b0",
    "d74401020304",
    "d818456449455446",
    "5f42010243030405ff",
    "7f657374726561646d696e67ff",
    "9fff",
    "9f018202039f0405ffff",
    "83018202039f0405ff",
    "bf61610161629f0203ffff",
    "826161bf61626163ff",
    "ff",
    /* Longer than need be. */
    "1800",
    "1817",
    "1900ff",
    "1a0000ffff",
    "1b00000000ffffffff",
    "3817",
    "580100",
    "7801",
    "9817",
    "b800",
    "fa3fc00000",
    "fb3ff0000000000000",
    "fb40f86a0000000000",
    "fa00000000",
    "fa33800000",
    "fb36a0000000000000",
    "f97e01",
    "f9fe00",
    "f97c01",
    /* Keys out of order and twice; a longer one comes later. */
    "a2616201616101",
    "a2616101616102",
    "a262616101616201",
    "a2200001f4",
    "a2016000f4",
    /* Reserved, cut off, not UTF-8, more behind it, nothing. */
    "1c",
    "3d",
    "5e",
    "7c",
    "9d",
    "bc",
    "fc",
    "fe",
    "18",
    "19ff",
    "1affffff",
    "1b00",
    "41",
    "6261",
    "81",
    "a1",
    "a161",
    "a16161",
    "f9",
    "f97e",
    "fa0000",
    "61ff",
    "61c0",
    "62c080",
    "63eda080",
    "63e08080",
    "64f0808080",
    "64f4908080",
    "64f8808080",
    "62c3",
    "0101",
    "",
    "5bffffffffffffffff",
    "7bffffffffffffffff",
    "9bffffffffffffffff",
    "bbffffffffffffffff",
    "9a7fffffff00",
    "ba7fffffff00",
};

static void test_the_vectors_of_rfc_8949_have_one_form(void **unused)
{
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        theater_slice bytes = from_hex(vectors[i]);
        if (!is_taken(bytes))
            fail_msg("%s is refused", vectors[i]);
        for (size_t cut = 0; cut < bytes.size; cut++)
            assert_false(is_taken(from_hex(to_hex(theater_slice_of(bytes.data, cut)))));
    }
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        if (is_taken(from_hex(refused[i])))
            fail_msg("%s is taken", refused[i]);
    }
}

static void test_floats_are_what_the_vectors_say(void **unused)
{
    static const struct {
        const char *hex;
        double value;
    } floats[] = {
        {"f90000", 0.0},
        {"f98000", -0.0},
        {"f93c00", 1.0},
        {"fb3ff199999999999a", 1.1},
        {"f93e00", 1.5},
        {"f97bff", 65504.0},
        {"fa47c35000", 100000.0},
        {"fa7f7fffff", 3.4028234663852886e+38},
        {"fb7e37e43c8800759c", 1.0e+300},
        {"f90001", 5.960464477539063e-8},
        {"f90400", 0.00006103515625},
        {"f9c400", -4.0},
        {"fbc010666666666666", -4.1},
        {"f97c00", INFINITY},
        {"f9fc00", -INFINITY},
        /* The least of each kind, and the first that the shorter kinds do not have. */
        {"fa00000001", 0x1p-149},
        {"fb3690000000000000", 0x1p-150},
        {"fb0000000000000001", 0x1p-1074},
        {"fa33000000", 0x1p-25},
        {"f903ff", 0x1.ff8p-15},
        {"fa38801000", 0x1.002p-14},
        {"fa477ff000", 65520.0},
        {"fb47f0000000000000", 0x1p128},
        {"fb000000000000fc00", 0x7e00p-1073},
        {"fa007fffff", 0x1.fffffcp-127},
        {"fb380fffffd0000000", 0x1.fffffdp-127},
    };
    for (size_t i = 0; i < sizeof floats / sizeof *floats; i++) {
        theater_writer out = theater_writer_new(9);
        theater_cbor_put_double(&out, floats[i].value);
        assert_string_equal(to_hex(theater_writer_slice(&out)), floats[i].hex);
        theater_cbor in = theater_cbor_of(from_hex(floats[i].hex));
        double back = theater_cbor_double(&in);
        assert_true(theater_cbor_done(&in));
        assert_memory_equal(&back, &floats[i].value, sizeof back);
    }
    theater_writer out = theater_writer_new(9);
    theater_cbor_put_double(&out, -NAN);
    assert_string_equal(to_hex(theater_writer_slice(&out)), "f97e00");
}

/* Every half, and singles and doubles by chance: the bits come back, unless a shorter form has the value. */
static void test_every_float_has_one_form(void **unused)
{
    uint64_t random = 1;
    for (uint32_t i = 0; i < 300000; i++) {
        uint8_t bytes[9];
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        unsigned size = i < 65536 ? 2 : i % 2 ? 4 : 8;
        uint64_t bits = i < 65536 ? i : random >> (64 - 8 * size);
        if (i > 65536 && random & 0x700)
            bits &= ~UINT64_C(0) << (random >> 11 & 31);
        bytes[0] = size == 2 ? 0xf9 : size == 4 ? 0xfa : 0xfb;
        for (unsigned at = size; at > 0; at--, bits >>= 8)
            bytes[at] = (uint8_t)bits;
        theater_slice all = theater_slice_of(bytes, 1 + size);
        bool nan = size == 2 && (i & 0x7fff) > 0x7c00;
        assert_true(is_taken(all) || size > 2 || (nan && i != 0x7e00));
    }
}

static void test_integers_are_bounded_by_their_type(void **unused)
{
    theater_cbor in = theater_cbor_of(from_hex("3b7fffffffffffffff"));
    assert_true(theater_cbor_i64(&in) == INT64_MIN && theater_cbor_done(&in));
    in = theater_cbor_of(from_hex("1b7fffffffffffffff"));
    assert_true(theater_cbor_i64(&in) == INT64_MAX && theater_cbor_done(&in));
    in = theater_cbor_of(from_hex("3b8000000000000000"));
    theater_cbor_i64(&in);
    assert_string_equal(to_text(theater_cbor_error(&in)),
                        "this is not deterministic CBOR as expected: an integer does not fit into 64 bits "
                        "with a sign at byte 0");
    in = theater_cbor_of(from_hex("20"));
    assert_true(theater_cbor_u64(&in) == 0 && !theater_cbor_done(&in));
    /* As a float, where it is one exactly. */
    static const char *const exact[] = {"02", "1b0020000000000000", "3b001fffffffffffff"};
    static const char *const inexact[] = {
        "1b0020000000000001", "3b0020000000000000", "3bffffffffffffffff", "60", "f5", "f6"};
    static const double values[] = {2, 0x1p53, -0x1p53};
    for (size_t i = 0; i < 3; i++) {
        in = theater_cbor_of(from_hex(exact[i]));
        assert_true(theater_cbor_double(&in) == values[i] && theater_cbor_done(&in));
    }
    for (size_t i = 0; i < sizeof inexact / sizeof *inexact; i++) {
        in = theater_cbor_of(from_hex(inexact[i]));
        assert_true(theater_cbor_double(&in) == 0 && !theater_cbor_done(&in));
    }
}

static void test_nesting_is_bounded(void **unused)
{
    char deep[2 * THEATER_CBOR_DEPTH + 8] = "";
    for (size_t i = 0; i < THEATER_CBOR_DEPTH; i++)
        strcat(deep, "81");
    strcat(deep, "00");
    assert_true(is_taken(from_hex(deep)));
    memmove(deep + 2, deep, strlen(deep) + 1);
    assert_false(is_taken(from_hex(deep)));
}

static void test_members_are_read_one_by_one(void **unused)
{
    theater_cbor in = theater_cbor_of(from_hex("a36161016162f663616263820102"));
    theater_cbor_members map = theater_cbor_map(&in);
    assert_true(theater_cbor_member(&in, &map) && theater_slice_is(map.key, "a"));
    assert_true(theater_cbor_u64(&in) == 1);
    assert_true(theater_cbor_member(&in, &map) && theater_slice_is(map.key, "b"));
    assert_true(theater_cbor_null(&in));
    assert_true(theater_cbor_member(&in, &map) && theater_slice_is(map.key, "abc"));
    theater_cbor_skip(&in);
    assert_false(theater_cbor_member(&in, &map));
    assert_true(theater_cbor_done(&in));
    in = theater_cbor_of(from_hex("a2616201616101"));
    map = theater_cbor_map(&in);
    while (theater_cbor_member(&in, &map))
        theater_cbor_skip(&in);
    assert_string_equal(to_text(theater_cbor_error(&in)),
                        "this is not deterministic CBOR as expected: keys are out of order at byte 4");
}

/* ---- values -------------------------------------------------------------------------------------------- */

typedef struct shelf {
    theater_slice name;
    uint64_t left;
} shelf;

struct stock {
    theater_slice title;
    int64_t left;
    double price;
    shelf *shelves;
    size_t shelf_count;
    bool has_note;
    theater_slice note;
    bool *open;
    size_t open_count;
    bool in_json; /* without the price, which JSON has not */
};

static void stock_parts(theater_codec *codec, struct stock *stock)
{
    theater_codec_object(codec, NULL);
    theater_codec_text(codec, "title", &stock->title);
    theater_codec_i64(codec, "left", &stock->left);
    if (!stock->in_json)
        theater_codec_double(codec, "price", &stock->price);
    stock->shelves = theater_codec_map(codec, "shelves", stock->shelves, &stock->shelf_count, sizeof(shelf));
    for (size_t i = 0; i < stock->shelf_count; i++) {
        theater_codec_key(codec, &stock->shelves[i].name);
        theater_codec_u64(codec, NULL, &stock->shelves[i].left);
    }
    theater_codec_end(codec);
    if (theater_codec_optional(codec, "note", &stock->has_note))
        theater_codec_text(codec, NULL, &stock->note);
    stock->open = theater_codec_array(codec, "open", stock->open, &stock->open_count, sizeof(bool));
    for (size_t i = 0; i < stock->open_count; i++)
        theater_codec_bool(codec, NULL, &stock->open[i]);
    theater_codec_end(codec);
    theater_codec_end(codec);
}

static shelf some_shelves[3];
static bool some_open[2] = {true, false};

static struct stock a_stock(bool in_json)
{
    some_shelves[0] = (shelf){theater_slice_text("b"), 300};
    some_shelves[1] = (shelf){theater_slice_text("aa"), UINT64_MAX};
    some_shelves[2] = (shelf){theater_slice_text("a"), 70000};
    return (struct stock){.title = theater_slice_text("\xc3\xa9<"),
                          .left = -5,
                          .price = 1.1,
                          .shelves = some_shelves,
                          .shelf_count = 3,
                          .open = some_open,
                          .open_count = 2,
                          .in_json = in_json};
}

static theater_slice written(theater_format format, struct stock *stock)
{
    theater_codec codec = theater_codec_writer(format);
    stock_parts(&codec, stock);
    if (!theater_codec_done(&codec))
        fail_msg("%s", to_text(theater_codec_error(&codec)));
    return theater_slice_bytes(theater_codec_written(&codec));
}

static bool is_read(theater_format format, theater_slice bytes, struct stock *ret)
{
    theater_codec codec = theater_codec_reader(format, bytes);
    *ret = (struct stock){.in_json = format == THEATER_JSON};
    stock_parts(&codec, ret);
    bool done = theater_codec_done(&codec);
    assert_true(done || theater_codec_error(&codec).size > 0);
    return done;
}

/* What the SDK for Go writes for this value (sdk/go/cbor_test.go), and in JSON those for Rust, JavaScript
 * and Python. */
static const char stock_cbor[] = "a6646c65667424646e6f7465f6646f70656e82f5f4657072696365fb3ff199999999999a657"
                                 "469746c6563c3a93c677368656c766573a361"
                                 "611a00011170616219012c6261611bffffffffffffffff";
static const char stock_json[] = "{\"left\":-5,\"note\":null,\"open\":[true,false],\"shelves\":{\"a\":70000,"
                                 "\"aa\":18446744073709551615,\"b\":300},"
                                 "\"title\":\"\xc3\xa9<\"}";

static void test_a_value_is_written_as_in_other_languages(void **unused)
{
    struct stock stock = a_stock(false), back;
    assert_string_equal(to_hex(written(THEATER_CBOR, &stock)), stock_cbor);
    assert_true(is_read(THEATER_CBOR, from_hex(stock_cbor), &back));
    assert_true(theater_slice_is(back.title, "\xc3\xa9<") && back.left == -5 && back.price == 1.1);
    assert_true(back.shelf_count == 3 && theater_slice_is(back.shelves[2].name, "aa") &&
                back.shelves[2].left == UINT64_MAX);
    assert_true(!back.has_note && back.open_count == 2 && back.open[0] && !back.open[1]);
    stock = a_stock(true);
    assert_string_equal(to_text(written(THEATER_JSON, &stock)), stock_json);
    assert_true(is_read(THEATER_JSON, theater_slice_text(stock_json), &back));
    assert_true(back.shelf_count == 3 && theater_slice_is(back.shelves[1].name, "aa") && !back.has_note);
    stock.has_note = true;
    stock.note = theater_slice_text("\"\\/\b\f\n\r\t\v\x1f\x7f");
    assert_non_null(strstr(to_text(written(THEATER_JSON, &stock)),
                           "\"note\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u000b\\u001f\x7f\",\"open\""));
    assert_true(is_read(THEATER_JSON, written(THEATER_JSON, &stock), &back));
    assert_true(theater_slice_equal(back.note, stock.note));
}

static void test_what_is_read_in_another_order_is_found(void **unused)
{
    struct stock back;
    assert_true(
        is_read(THEATER_JSON,
                theater_slice_text(
                    " { \"title\" : \"x\" , \"shelves\" : { \"b\" : 1, \"a\" : 2 } , \"open\" : [ true ] ,"
                    "\"note\":\"n\",\"left\":7 } "),
                &back));
    assert_true(back.shelf_count == 2 && back.shelves[0].left == 1 && back.has_note && back.left == 7);
    assert_string_equal(
        to_text(written(THEATER_JSON, &back)),
        "{\"left\":7,\"note\":\"n\",\"open\":[true],\"shelves\":{\"a\":2,\"b\":1},\"title\":\"x\"}");
}

static void assert_error(theater_format format, theater_slice bytes, const char *want)
{
    theater_codec codec = theater_codec_reader(format, bytes);
    struct stock back = {.in_json = format == THEATER_JSON};
    stock_parts(&codec, &back);
    assert_false(theater_codec_done(&codec));
    assert_string_equal(to_text(theater_codec_error(&codec)), want);
}

static void test_what_is_not_the_value_is_refused_with_its_place(void **unused)
{
#define TEXT(text) theater_slice_text(text)
    assert_error(THEATER_CBOR, TEXT(""), "this cannot be read as CBOR: it ends early at byte 0");
    assert_error(THEATER_CBOR, from_hex("a0ff"),
                 "this cannot be read as CBOR: there is more behind it at byte 1");
    assert_error(THEATER_CBOR, from_hex("a0"),
                 "this cannot be read as CBOR: title: the member is missing at byte 1");
    assert_error(THEATER_CBOR, from_hex("a1657469746c65f4"),
                 "this cannot be read as CBOR: title: a text is wanted at byte 7");
    assert_error(THEATER_CBOR, from_hex("a2657469746c6560646c65667400"),
                 "this cannot be read as CBOR: keys are out of order at byte 8");
    assert_error(THEATER_CBOR, from_hex("a2646c6566746130657469746c6560"),
                 "this cannot be read as CBOR: left: an integer is wanted at byte 6");
    assert_error(THEATER_JSON, TEXT("{\"title\":\"\xff\"}"),
                 "this cannot be read as JSON: it is not UTF-8 at byte 0");
    assert_error(THEATER_JSON, TEXT("{\"title\":\"\",\"left\":1.0}"),
                 "this cannot be read as JSON: left: an integer of 64 bits with a sign is wanted at byte 22");
    assert_error(THEATER_JSON, TEXT("{\"title\":\"\",\"left\":9223372036854775808}"),
                 "this cannot be read as JSON: left: an integer of 64 bits with a sign is wanted at byte 38");
    assert_error(
        THEATER_JSON,
        TEXT("{\"title\":\"\",\"left\":0,\"shelves\":{\"a\":1,\"b\":1,\"a\":1},\"note\":null,\"open\":[]}"),
        "this cannot be read as JSON: shelves: a key is there twice at byte 48");
    assert_error(THEATER_JSON,
                 TEXT("{\"title\":\"\",\"left\":0,\"shelves\":{},\"note\":null,\"open\":[],\"left\":1}"),
                 "this cannot be read as JSON: open: an object from there on has a member that is not asked "
                 "for at byte 1");
    assert_error(THEATER_JSON, TEXT("{\"title\":\"\",\"left\":0,\"shelves\":{},\"note\":null,\"open\":[]}x"),
                 "this cannot be read as JSON: open: there is more behind it at byte 56");
    assert_error(
        THEATER_JSON, TEXT("{\"title\":\"\",\"left\":0,\"shelves\":{},\"note\":null,\"open\":[1]}"),
        "this cannot be read as JSON: open: what stands there is not what is wanted, or no JSON at byte 55");
    assert_error(
        THEATER_JSON, TEXT("[]"),
        "this cannot be read as JSON: what stands there is not what is wanted, or no JSON at byte 0");
}

static void test_what_could_not_be_read_back_is_not_written(void **unused)
{
    struct stock stock = a_stock(false);
    theater_codec codec = theater_codec_writer(THEATER_CBOR);
    stock.title = theater_slice_text("\xed\xa0\x80");
    stock_parts(&codec, &stock);
    theater_result result = theater_reply_value((theater_slice){0}, &codec);
    assert_true(result.rejected);
    assert_string_equal(to_text(result.output),
                        "the value cannot be written as CBOR: title: a text is not UTF-8");
    for (theater_format format = THEATER_JSON; format <= THEATER_CBOR; format++) {
        stock = a_stock(format == THEATER_JSON);
        some_shelves[2].name = theater_slice_text("b");
        codec = theater_codec_writer(format);
        stock_parts(&codec, &stock);
        assert_false(theater_codec_done(&codec));
        assert_non_null(strstr(to_text(theater_codec_error(&codec)), "shelves: a key is there twice"));
    }
    codec = theater_codec_writer(THEATER_JSON);
    theater_codec_double(&codec, NULL, &stock.price);
    assert_true(theater_start_value(&codec).rejected);
    /* A function that says less or more than it announces. */
    size_t two = 2;
    codec = theater_codec_writer(THEATER_CBOR);
    theater_codec_array(&codec, NULL, NULL, &two, 1);
    theater_codec_u64(&codec, NULL, &(uint64_t){1});
    theater_codec_end(&codec);
    assert_false(theater_codec_done(&codec));
    codec = theater_codec_writer(THEATER_CBOR);
    theater_codec_object(&codec, NULL);
    assert_false(theater_codec_done(&codec));
}

/* More than 23 members, whose head takes two bytes; each an object of its own. */
static void many_parts(theater_codec *codec, uint64_t values[])
{
    static const char *const names[] = {"z", "y", "x", "w", "v", "u", "t", "s", "r", "q", "p", "o", "n",
                                        "m", "l", "k", "j", "i", "h", "g", "f", "e", "d", "c", "b", "a"};
    theater_codec_object(codec, NULL);
    for (size_t i = 0; i < 26; i++) {
        theater_codec_object(codec, names[i]);
        theater_codec_u64(codec, "bb", &values[i]);
        theater_codec_end(codec);
    }
    theater_codec_end(codec);
}

static void test_an_object_of_many_members(void **unused)
{
    for (theater_format format = THEATER_JSON; format <= THEATER_CBOR; format++) {
        uint64_t values[26], back[26];
        for (size_t i = 0; i < 26; i++)
            values[i] = i;
        theater_codec codec = theater_codec_writer(format);
        many_parts(&codec, values);
        assert_true(theater_codec_done(&codec));
        theater_slice bytes = theater_slice_bytes(theater_codec_written(&codec));
        if (format == THEATER_CBOR)
            assert_true(is_taken(bytes) && bytes.data[0] == 0xb8 && bytes.data[1] == 26);
        codec = theater_codec_reader(format, bytes);
        many_parts(&codec, back);
        assert_true(theater_codec_done(&codec));
        assert_memory_equal(values, back, sizeof back);
    }
}

/* Arrays in arrays, as deep as is asked for. */
static void nest(theater_codec *codec, size_t depth)
{
    size_t one = 1;
    uint64_t value = 7;
    for (size_t i = 0; i < depth; i++)
        theater_codec_array(codec, NULL, NULL, &one, 0);
    theater_codec_u64(codec, NULL, &value);
    for (size_t i = 0; i < depth; i++)
        theater_codec_end(codec);
}

static void test_what_is_written_nests_no_deeper_than_what_is_read(void **unused)
{
    for (theater_format format = THEATER_JSON; format <= THEATER_CBOR; format++) {
        theater_codec codec = theater_codec_writer(format);
        nest(&codec, THEATER_CODEC_DEPTH);
        assert_true(theater_codec_done(&codec));
        theater_codec back = theater_codec_reader(format, theater_slice_bytes(theater_codec_written(&codec)));
        nest(&back, THEATER_CODEC_DEPTH);
        assert_true(theater_codec_done(&back));
        codec = theater_codec_writer(format);
        nest(&codec, THEATER_CODEC_DEPTH + 1);
        assert_false(theater_codec_done(&codec));
    }
}

/* Values by chance come back, and are written as they were; damaged bytes are refused, or are another value
 * that is written as it stands there. */
static void test_random_values_come_back_and_damage_is_found(void **unused)
{
    uint64_t random = 7;
    unsigned taken = 0;
    for (unsigned round = 0; round < 4000; round++) {
        theater_format format = round % 2 ? THEATER_CBOR : THEATER_JSON;
        shelf shelves[40];
        char names[40][8];
        struct stock stock = a_stock(format == THEATER_JSON), back;
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        stock.shelves = shelves;
        stock.shelf_count = random >> 40 & 31;
        stock.left = (int64_t)(random >> (random >> 58));
        stock.has_note = random >> 33 & 1;
        stock.note = theater_slice_of("a\xf0\x9f\x98\x80 z\n\"\\", (random >> 20 & 1) ? 10 : 1);
        for (size_t i = 0; i < stock.shelf_count; i++) {
            int size =
                snprintf(names[i], sizeof names[i], "%x", (unsigned)((i * 37 + (random >> 50)) % 4099 * 7));
            shelves[i] = (shelf){theater_slice_of(names[i], (size_t)size), random >> (i + 20)};
        }
        theater_slice bytes = written(format, &stock);
        assert_true(is_read(format, bytes, &back));
        assert_true(theater_slice_equal(written(format, &back), bytes));
        assert_true(format == THEATER_JSON || is_taken(bytes));
        for (unsigned change = 0; change < 8; change++) {
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
            size_t size = random & 0x300 ? bytes.size : (random >> 32) % (bytes.size + 1);
            uint8_t *damaged = malloc(size + (size == 0));
            memcpy(damaged, bytes.data, size);
            if (size > 0)
                damaged[(random >> 24) % size] ^= (uint8_t)(1u << (random >> 60 & 7));
            if (is_read(format, theater_slice_of(damaged, size), &back)) {
                theater_slice again = written(format, &back);
                assert_true(format == THEATER_JSON ||
                            theater_slice_equal(again, theater_slice_of(damaged, size)));
                assert_true(is_read(format, again, &back));
                assert_true(theater_slice_equal(written(format, &back), again));
                taken++;
            }
            free(damaged);
        }
    }
    assert_in_range(taken, 1000, 31000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_vectors_of_rfc_8949_have_one_form),
        cmocka_unit_test(test_floats_are_what_the_vectors_say),
        cmocka_unit_test(test_every_float_has_one_form),
        cmocka_unit_test(test_integers_are_bounded_by_their_type),
        cmocka_unit_test(test_nesting_is_bounded),
        cmocka_unit_test(test_members_are_read_one_by_one),
        cmocka_unit_test(test_a_value_is_written_as_in_other_languages),
        cmocka_unit_test(test_what_is_read_in_another_order_is_found),
        cmocka_unit_test(test_what_is_not_the_value_is_refused_with_its_place),
        cmocka_unit_test(test_what_could_not_be_read_back_is_not_written),
        cmocka_unit_test(test_an_object_of_many_members),
        cmocka_unit_test(test_what_is_written_nests_no_deeper_than_what_is_read),
        cmocka_unit_test(test_random_values_come_back_and_damage_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Under the address sanitizer the turn's memory counts as lost: an actor never frees. */
const char *__asan_default_options(void);
__attribute__((visibility("default"), used)) const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}
