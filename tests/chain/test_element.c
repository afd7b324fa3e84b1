/* One element alone: what may be encoded comes back, everything else is refused. */
#include "fixture.h"

#include "chain/cbor.h"

static th_element base(void)
{
    th_element element = {
        .sequence = 5,
        .timestamp = 1700000000000000000u,
        .fuel = 457,
        .state_size = 3,
        .type = TH_TRANSITION,
        .output = th_sha256_empty,
    };
    memset(element.previous.bytes, 1, THEATER_HASH_SIZE);
    memset(element.state_before.bytes, 2, THEATER_HASH_SIZE);
    memset(element.state_after.bytes, 2, THEATER_HASH_SIZE);
    return element;
}

static void must_come_back(const th_element *element)
{
    uint8_t room[TH_ELEMENT_MAX], again[TH_ELEMENT_MAX];
    th_element back;
    size_t size = th_element_encode(element, room);
    assert_in_range(size, 200, TH_ELEMENT_MAX);
    assert_ok(th_element_decode(th_slice_of(room, size), &back, reterr));
    assert_int_equal(th_element_encode(&back, again), size);
    assert_memory_equal(room, again, size);
    assert_true(back.sequence == element->sequence && back.timestamp == element->timestamp);
    assert_true(back.fuel == element->fuel && back.state_size == element->state_size);
    assert_int_equal(back.type, element->type);
    assert_int_equal(back.cause.kind, element->cause.kind);
    assert_true(th_slice_equal(back.principal, element->principal));
    assert_true(th_slice_equal(back.id, element->id));
    if (back.cause.kind) {
        assert_true(th_slice_equal(back.cause.actor, element->cause.actor));
        assert_true(back.cause.sequence == element->cause.sequence);
        assert_true(back.cause.request == element->cause.request);
        assert_true(back.cause.index == element->cause.index);
        assert_true(back.cause.failed == element->cause.failed);
    }
    /* No part of an encoding is one, and none may have something behind it. */
    for (size_t cut = 0; cut < size; cut++)
        assert_int_equal(th_element_decode(th_slice_of(room, cut), &back, NULL), THEATER_CORRUPT);
}

static void all_kinds_come_back(void **state)
{
    th_element element = base();
    must_come_back(&element);
    element.principal = th_slice_text("alice");
    must_come_back(&element);
    element.id = th_slice_of("\x00\x01", 2);
    must_come_back(&element);
    element.principal = th_slice_of(NULL, 0);
    must_come_back(&element);
    element = base();
    element.cause =
        (th_cause){.kind = TH_CAUSE_MESSAGE, .actor = th_slice_text("other"), .sequence = 9, .index = 3};
    must_come_back(&element);
    element.type = TH_REJECTION;
    must_come_back(&element);
    element.cause =
        (th_cause){.kind = TH_CAUSE_ANSWER, .actor = th_slice_text("a.b"), .request = 70000, .failed = true};
    must_come_back(&element);
    element.cause =
        (th_cause){.kind = TH_CAUSE_UNDELIVERED, .actor = th_slice_text("x"), .request = UINT64_MAX};
    must_come_back(&element);
    element = base();
    element.type = TH_UPGRADE;
    element.principal = th_slice_text("root");
    must_come_back(&element);
}

static void the_largest_element_fits_exactly(void **state)
{
    char text[128];
    memset(text, 'p', sizeof text);
    th_element element = base();
    element.sequence = element.timestamp = element.fuel = element.state_size = UINT64_MAX;
    element.principal = th_slice_of(text, TH_PRINCIPAL_MAX);
    element.id = th_slice_of(text, TH_ID_MAX);
    uint8_t room[TH_ELEMENT_MAX];
    assert_int_equal(th_element_encode(&element, room), TH_ELEMENT_MAX);
    must_come_back(&element);
    element.principal = element.id = th_slice_of(NULL, 0);
    element.cause = (th_cause){
        .kind = TH_CAUSE_ANSWER,
        .actor = th_slice_of(text, TH_NAME_MAX),
        .sequence = UINT64_MAX,
        .request = UINT64_MAX,
        .failed = true,
    };
    must_come_back(&element);
}

/* What the fields of one element contradict: each is changed in a sound one, encoded without the encoder's
 * assertions by changing the bytes, and refused. */
static void contradictions_are_refused(void **state)
{
    th_element element = base(), back;
    uint8_t room[TH_ELEMENT_MAX];
    theater_error error;
    size_t size = th_element_encode(&element, room);
    assert_int_equal(room[40], 3);
    assert_int_equal(room[41], TH_TRANSITION);
    assert_int_equal(room[3], 1); /* key 1, and the sequence 5 behind it */

    room[4] = 0; /* sequence 0 */
    assert_int_equal(th_element_decode(th_slice_of(room, size), &back, &error), THEATER_CORRUPT);
    assert_non_null(strstr(error.message, "only a genesis"));
    room[4] = 5, room[41] = TH_GENESIS;
    assert_int_equal(th_element_decode(th_slice_of(room, size), &back, &error), THEATER_CORRUPT);
    room[4] = 0;
    assert_int_equal(th_element_decode(th_slice_of(room, size), &back, &error), THEATER_CORRUPT);
    assert_non_null(strstr(error.message, "no previous"));

    element.state_size = 0; /* but the root is not the empty state's */
    size = th_element_encode(&element, room);
    assert_int_equal(th_element_decode(th_slice_of(room, size), &back, &error), THEATER_CORRUPT);
    element.state_size = 1, element.state_after = th_sha256_empty;
    size = th_element_encode(&element, room);
    assert_int_equal(th_element_decode(th_slice_of(room, size), &back, &error), THEATER_CORRUPT);

    element = base();
    element.state_after.bytes[0] ^= 1;
    for (int type = TH_REJECTION; type <= TH_UPGRADE; type++) {
        element.type = (th_element_type)type;
        size = th_element_encode(&element, room);
        assert_int_equal(th_element_decode(th_slice_of(room, size), &back, &error), THEATER_CORRUPT);
    }

    element = base();
    element.type = TH_UPGRADE;
    element.output.bytes[0] ^= 1;
    size = th_element_encode(&element, room);
    assert_int_equal(th_element_decode(th_slice_of(room, size), &back, &error), THEATER_CORRUPT);
    assert_non_null(strstr(error.message, "output"));

    element = base();
    element.cause = (th_cause){.kind = TH_CAUSE_UNDELIVERED, .actor = th_slice_text("x"), .request = 65537};
    size = th_element_encode(&element, room);
    room[41] = TH_UPGRADE;
    assert_int_equal(th_element_decode(th_slice_of(room, size), &back, &error), THEATER_CORRUPT);
    assert_non_null(strstr(error.message, "no cause"));
}

/* Encodes `element` and puts other bytes in place of its optional fields, under a map of `fields` pairs. */
static void must_refuse_tail(const char *tail, size_t tail_size, unsigned fields, const char *text)
{
    th_element element = base(), back;
    theater_error error = {0};
    uint8_t room[TH_ELEMENT_MAX + 100];
    size_t size = th_element_encode(&element, room);
    room[0] = (uint8_t)(0xa0 + fields);
    memcpy(room + size, tail, tail_size);
    assert_int_equal(th_element_decode(th_slice_of(room, size + tail_size), &back, &error), THEATER_CORRUPT);
    if (!strstr(error.message, text))
        fail_msg("\"%s\" is not in: %s", text, error.message);
}
#define REFUSE_TAIL(tail, fields, text) must_refuse_tail(tail, sizeof tail - 1, fields, text)

static void optional_fields_are_strict(void **state)
{
    REFUSE_TAIL("\x0e\x41\x01\x0d\x61x", 14, "ascend"); /* 14 before 13 */
    REFUSE_TAIL("\x0d\x61x\x0d\x61x", 14, "ascend"); /* the same twice */
    REFUSE_TAIL("\x0b\x01", 13, "ascend"); /* a key that was before */
    REFUSE_TAIL("\x0f\x01", 13, "unknown key");
    REFUSE_TAIL("\x0d\x60", 13, "principal");
    REFUSE_TAIL("\x0d\x41x", 13, "not a text");
    REFUSE_TAIL("\x0e\x40", 13, "an id");
    REFUSE_TAIL("\x0e\x61x", 13, "not a byte string");
    REFUSE_TAIL("\x0c\x83\x03\x61x\x01", 13, "unknown kind");
    REFUSE_TAIL("\x0c\x83\x02\x61X\x01", 13, "no name");
    REFUSE_TAIL("\x0c\x84\x02\x61x\x01\x01", 13, "wrong length");
    REFUSE_TAIL("\x0c\x83\x00\x61x\x01", 13, "wrong length");
    REFUSE_TAIL("\x0c\x83\x02\x41x\x01", 13, "not a text");
    REFUSE_TAIL("\x0c\x83\x02\x61x\xf5", 13, "not an unsigned integer");
    REFUSE_TAIL("\x0c\x80", 13, "too early");
    REFUSE_TAIL("\x0c\xf6", 13, "not an array");
    REFUSE_TAIL("\x0c\x83\x02\x61x\x01\x0d\x61p", 14, "neither principal nor id");
    REFUSE_TAIL("\x0c\x83\x02\x61x\x01\x0e\x41i", 14, "neither principal nor id");
    REFUSE_TAIL("", 11, "length that no element has");
    REFUSE_TAIL("", 16, "length that no element has");
    REFUSE_TAIL("\x00", 12, "behind the end");
}

static void a_genesis_has_the_empty_state_before(void **state)
{
    th_element element = base(), back;
    uint8_t room[TH_ELEMENT_MAX];
    theater_error error;
    element.type = TH_GENESIS;
    element.sequence = 0;
    memset(element.previous.bytes, 0, THEATER_HASH_SIZE);
    size_t size = th_element_encode(&element, room);
    assert_int_equal(th_element_decode(th_slice_of(room, size), &back, &error), THEATER_CORRUPT);
    assert_non_null(strstr(error.message, "empty state"));
    element.state_before = th_sha256_empty;
    must_come_back(&element);
}

/* Every single-byte change of an element decodes to something else that encodes to exactly those bytes, or is
 * refused. */
static void the_encoding_is_the_only_one(void **state)
{
    th_element element = base();
    element.principal = th_slice_text("alice");
    element.id = th_slice_text("order-7");
    uint8_t room[TH_ELEMENT_MAX], again[TH_ELEMENT_MAX];
    size_t size = th_element_encode(&element, room);
    for (size_t i = 0; i < size; i++) {
        uint8_t right = room[i];
        for (int value = 0; value < 256; value++) {
            th_element back;
            room[i] = (uint8_t)value;
            if (th_element_decode(th_slice_of(room, size), &back, NULL))
                continue;
            assert_int_equal(th_element_encode(&back, again), size);
            assert_memory_equal(again, room, size);
        }
        room[i] = right;
    }
}

static void a_later_version_shows_its_links(void **state)
{
    th_element element = base(), back;
    th_element_link link;
    theater_error error;
    uint8_t room[TH_ELEMENT_MAX];
    size_t size = th_element_encode(&element, room);
    room[2] = 2;
    assert_int_equal(th_element_decode(th_slice_of(room, size), &back, &error), THEATER_VERSION);
    assert_ok(th_element_links(th_slice_of(room, size), &link, reterr));
    assert_int_equal(link.version, 2);
    assert_int_equal(link.sequence, 5);
    assert_hash_equal(&link.previous, &element.previous);
    /* What stands behind key 2 is not this version's to judge. */
    room[40] = 99;
    assert_ok(th_element_links(th_slice_of(room, 45), &link, reterr));
    room[0] = 0xa2;
    assert_int_equal(th_element_links(th_slice_of(room, size), &link, &error), THEATER_CORRUPT);
    room[0] = 0xac, room[2] = 0;
    assert_int_equal(th_element_links(th_slice_of(room, size), &link, &error), THEATER_CORRUPT);
    assert_int_equal(th_element_decode(th_slice_of(room, size), &back, &error), THEATER_CORRUPT);
    assert_int_equal(th_element_links(th_slice_of(room, 20), &link, &error), THEATER_CORRUPT);
}

static void the_type_is_seen_without_the_rest(void **state)
{
    th_element element = base();
    th_element_type type = TH_GENESIS;
    uint8_t room[TH_ELEMENT_MAX];
    size_t size = th_element_encode(&element, room);
    size_t end = 0; /* behind the type */
    while (end < size && !th_element_peek_type(th_slice_of(room, end), &type))
        end++;
    assert_int_equal(type, element.type);
    assert_in_range(end, 40, 45);
    room[end - 1] = TH_UPGRADE;
    assert_true(th_element_peek_type(th_slice_of(room, size), &type));
    assert_int_equal(type, TH_UPGRADE);
    room[end - 1] = TH_UPGRADE + 1;
    assert_false(th_element_peek_type(th_slice_of(room, size), &type));
    room[end - 1] = TH_UPGRADE, room[2] = 2; /* of a version that may have other types */
    assert_false(th_element_peek_type(th_slice_of(room, size), &type));
    assert_int_equal(type, TH_UPGRADE);
}

static void principals_and_ids_have_their_sizes(void **state)
{
    char text[129];
    memset(text, 'x', sizeof text);
    assert_false(th_principal_valid(th_slice_text("")));
    assert_true(th_principal_valid(th_slice_of(text, 128)));
    assert_false(th_principal_valid(th_slice_of(text, 129)));
    assert_false(th_principal_valid(th_slice_text("\xff")));
    assert_false(th_id_valid(th_slice_text("")));
    assert_true(th_id_valid(th_slice_of("\xff\0", 2)));
    assert_true(th_id_valid(th_slice_of(text, 64)));
    assert_false(th_id_valid(th_slice_of(text, 65)));
}

static void types_have_names(void **state)
{
    assert_string_equal(th_element_type_name(TH_GENESIS), "genesis");
    assert_string_equal(th_element_type_name(TH_UPGRADE), "upgrade");
    assert_string_equal(th_element_type_name((th_element_type)4), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_kinds_come_back),
        cmocka_unit_test(the_largest_element_fits_exactly),
        cmocka_unit_test(contradictions_are_refused),
        cmocka_unit_test(optional_fields_are_strict),
        cmocka_unit_test(a_genesis_has_the_empty_state_before),
        cmocka_unit_test(the_encoding_is_the_only_one),
        cmocka_unit_test(a_later_version_shows_its_links),
        cmocka_unit_test(the_type_is_seen_without_the_rest),
        cmocka_unit_test(principals_and_ids_have_their_sizes),
        cmocka_unit_test(types_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
