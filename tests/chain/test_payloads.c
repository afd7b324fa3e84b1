/* Descriptors, rejections and the random stream. */
#include "fixture.h"

#include "chain/turn_random.h"

static th_descriptor sound(void)
{
    th_descriptor descriptor = {
        .name = th_slice_text("cart"),
        .config = th_slice_text("{}"),
        .limits = {1, 2, 3, 4, 5},
        .engine = th_slice_text("wasmtime-48"),
    };
    return descriptor;
}

static void descriptors_come_back(void **state)
{
    th_descriptor descriptor = sound(), back;
    th_buf out;
    th_buf_init(&out, 1000);
    assert_ok(th_descriptor_encode(&descriptor, &out, reterr));
    assert_ok(th_descriptor_decode(th_buf_slice(&out), &back, reterr));
    assert_true(th_slice_equal(back.name, descriptor.name));
    assert_true(th_slice_equal(back.config, descriptor.config));
    assert_true(th_slice_equal(back.engine, descriptor.engine));
    assert_memory_equal(&back.limits, &descriptor.limits, sizeof back.limits);
    assert_hash_equal(&back.component, &descriptor.component);
    for (size_t cut = 0; cut < out.size; cut++)
        assert_int_equal(th_descriptor_decode(th_slice_of(out.data, cut), &back, NULL), THEATER_CORRUPT);
    assert_ok(th_buf_append_byte(&out, 0, reterr));
    assert_int_equal(th_descriptor_decode(th_buf_slice(&out), &back, NULL), THEATER_CORRUPT);
    th_buf_done(&out);
}

static void must_refuse(const th_descriptor *descriptor)
{
    th_buf out;
    th_buf_init(&out, 1000);
    assert_int_equal(th_descriptor_encode(descriptor, &out, NULL), THEATER_INVALID_ARGUMENT);
    assert_int_equal(out.size, 0);
    th_buf_done(&out);
}

static void fields_that_are_not_allowed_are_not_encoded(void **state)
{
    th_descriptor descriptor = sound();
    descriptor.name = th_slice_text("Cart");
    must_refuse(&descriptor);
    for (int i = 0; i < 5; i++) {
        descriptor = sound();
        (&descriptor.limits.fuel)[i] = 0;
        must_refuse(&descriptor);
    }
    descriptor = sound();
    descriptor.config = th_slice_text("12345");
    must_refuse(&descriptor);
    descriptor = sound();
    descriptor.engine = th_slice_text("\xff");
    must_refuse(&descriptor);
}

static void a_full_buffer_stays_as_it_was(void **state)
{
    th_descriptor descriptor = sound();
    for (size_t max = 0; max < 100; max++) {
        th_buf out;
        th_buf_init(&out, max);
        theater_status status = th_descriptor_encode(&descriptor, &out, NULL);
        assert_true(status == THEATER_OK || (status == THEATER_TOO_LARGE && out.size == 0));
        th_buf_done(&out);
    }
}

/* Every single-byte change decodes to what encodes to the same bytes, or is refused. */
static void the_encoding_is_the_only_one(void **state)
{
    th_descriptor descriptor = sound(), back;
    th_buf out, again;
    th_buf_init(&out, 1000);
    th_buf_init(&again, 1000);
    assert_ok(th_descriptor_encode(&descriptor, &out, reterr));
    for (size_t i = 0; i < out.size; i++) {
        uint8_t right = out.data[i];
        for (int value = 0; value < 256; value++) {
            out.data[i] = (uint8_t)value;
            if (th_descriptor_decode(th_buf_slice(&out), &back, NULL))
                continue;
            th_buf_clear(&again);
            assert_ok(th_descriptor_encode(&back, &again, reterr));
            assert_true(th_slice_equal(th_buf_slice(&out), th_buf_slice(&again)));
        }
        out.data[i] = right;
    }
    th_buf_done(&out);
    th_buf_done(&again);
}

static void must_be_rejection(th_rejection rejection, const char *bytes)
{
    th_buf out;
    th_rejection back;
    th_buf_init(&out, 100);
    assert_ok(th_rejection_encode(&rejection, &out, reterr));
    assert_true(th_slice_equal(th_buf_slice(&out), th_slice_text(bytes)));
    assert_ok(th_rejection_decode(th_buf_slice(&out), &back, reterr));
    assert_int_equal(back.code, rejection.code);
    assert_true(th_slice_equal(back.message, rejection.message));
    th_buf_done(&out);
}

static void rejections_have_their_messages(void **state)
{
    must_be_rejection(th_rejection_by_actor(th_slice_text("no funds")), "\x82\x01\x68no funds");
    must_be_rejection(th_rejection_by_actor(th_slice_text("")), "\x82\x01\x60");
    must_be_rejection(th_rejection_state(), "\x82\x02\x6dinvalid state");
    must_be_rejection(th_rejection_trap(TH_TRAP_UNREACHABLE), "\x82\x03\x6bunreachable");
    must_be_rejection(th_rejection_trap(TH_TRAP_ABI), "\x82\x03\x63\x61\x62i");
    must_be_rejection(th_rejection_fuel(), "\x82\x04\x6bout of fuel");
    must_be_rejection(th_rejection_limit(TH_LIMIT_INPUT), "\x82\x05\x65input");
    must_be_rejection(th_rejection_limit(TH_LIMIT_RANDOM), "\x82\x05\x66random");
    must_be_rejection(th_rejection_stack(), "\x82\x06\x6estack overflow");
    for (int limit = TH_LIMIT_INPUT; limit < TH_LIMIT_COUNT; limit++) {
        th_rejection rejection = th_rejection_limit((th_turn_limit)limit);
        assert_int_equal(th_rejection_which_limit(&rejection), limit);
    }
    th_rejection other = th_rejection_by_actor(th_slice_text("input"));
    assert_int_equal(th_rejection_which_limit(&other), TH_LIMIT_NONE);
}

static void fixed_rejections_are_known_by_their_hash(void **state)
{
    th_hash hashes[TH_REJECTIONS_FIXED], hash;
    th_rejection rejection;
    unsigned codes = 0;
    th_rejection_hashes(fixture_hasher(), hashes);
    for (size_t i = 0; i < TH_REJECTIONS_FIXED; i++) {
        th_buf out;
        th_buf_init(&out, 100);
        th_rejection fixed = th_rejection_fixed(i);
        assert_ok(th_rejection_encode(&fixed, &out, reterr));
        th_sha256_of(fixture_hasher(), th_buf_slice(&out), &hash);
        assert_hash_equal(&hash, &hashes[i]);
        assert_true(th_rejection_by_hash(hashes, &hash, &rejection));
        assert_int_equal(rejection.code, fixed.code);
        assert_true(th_slice_equal(rejection.message, fixed.message));
        codes |= 1u << fixed.code;
        for (size_t k = 0; k < i; k++)
            assert_false(th_hash_equal(&hashes[i], &hashes[k]));
        th_buf_done(&out);
    }
    assert_int_equal(codes, 0x7c); /* 2 to 6 */
    assert_false(th_rejection_by_hash(hashes, &th_sha256_empty, &rejection));
}

static void messages_of_other_codes_are_refused(void **state)
{
    static const char *const bad[] = {
        "\x82\x02\x65input",
        "\x82\x03\x6dinvalid state",
        "\x82\x04\x6bunreachable",
        "\x82\x05\x66memory",
        "\x82\x05\x60",
        "\x82\x06\x6bout of fuel",
        "\x82\x07\x61x",
        "\x83\x01\x61x\x61x",
        "\x81\x01",
        "\x82\x01\x41x",
        "\x82\x01\x61\xff",
        "\x82\x01\x61xx",
        "\x82\x18\x01\x61x",
    };
    th_rejection rejection;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(th_rejection_decode(th_slice_text(bad[i]), &rejection, NULL), THEATER_CORRUPT);
    assert_int_equal(th_rejection_decode(th_slice_of("\x82\x00\x60", 3), &rejection, NULL), THEATER_CORRUPT);
    th_buf out;
    th_buf_init(&out, 100);
    rejection = (th_rejection){TH_REJECTED_TRAP, th_slice_text("boom")};
    assert_int_equal(th_rejection_encode(&rejection, &out, NULL), THEATER_INVALID_ARGUMENT);
    rejection = (th_rejection){TH_REJECTED_BY_ACTOR, th_slice_text("\xff")};
    assert_int_equal(th_rejection_encode(&rejection, &out, NULL), THEATER_INVALID_ARGUMENT);
    th_buf_done(&out);
}

static void fuel_is_by_code(void **state)
{
    assert_int_equal(th_rejection_element_fuel(TH_REJECTED_BY_ACTOR, 7, 100), 7);
    assert_int_equal(th_rejection_element_fuel(TH_REJECTED_STATE, 7, 100), 7);
    assert_int_equal(th_rejection_element_fuel(TH_REJECTED_TRAP, 7, 100), 0);
    assert_int_equal(th_rejection_element_fuel(TH_REJECTED_FUEL, 7, 100), 100);
    assert_int_equal(th_rejection_element_fuel(TH_REJECTED_LIMIT, 7, 100), 0);
    assert_int_equal(th_rejection_element_fuel(TH_REJECTED_STACK, 7, 100), 0);
}

static void random_does_not_depend_on_how_it_is_read(void **state)
{
    static uint8_t whole[TH_RANDOM_MAX], parts[TH_RANDOM_MAX];
    th_turn_random random;
    th_hash hash = th_sha256_empty;
    th_turn_random_init(&random, fixture_hasher(), &hash, 3, 4, &hash);
    assert_true(th_turn_random_read(&random, fixture_hasher(), whole, sizeof whole));
    for (size_t step = 1; step < 200; step += 13) {
        th_turn_random_init(&random, fixture_hasher(), &hash, 3, 4, &hash);
        for (size_t at = 0; at < sizeof parts; at += step) {
            size_t size = sizeof parts - at < step ? sizeof parts - at : step;
            assert_true(th_turn_random_read(&random, fixture_hasher(), parts + at, size));
            assert_true(th_turn_random_read(&random, fixture_hasher(), parts, 0));
        }
        assert_memory_equal(whole, parts, sizeof whole);
    }
}

static void random_ends_at_its_limit(void **state)
{
    static uint8_t bytes[TH_RANDOM_MAX];
    th_turn_random random;
    th_hash hash = th_sha256_empty;
    th_turn_random_init(&random, fixture_hasher(), &hash, 3, 4, &hash);
    assert_false(th_turn_random_read(&random, fixture_hasher(), bytes, TH_RANDOM_MAX + 1));
    assert_true(th_turn_random_read(&random, fixture_hasher(), bytes, TH_RANDOM_MAX - 1));
    assert_false(th_turn_random_read(&random, fixture_hasher(), bytes, 2));
    assert_true(th_turn_random_read(&random, fixture_hasher(), bytes, 1));
    assert_false(th_turn_random_read(&random, fixture_hasher(), bytes, 1));
    assert_true(th_turn_random_read(&random, fixture_hasher(), bytes, 0));
    assert_false(th_turn_random_read(&random, fixture_hasher(), bytes, SIZE_MAX));
}

static void random_depends_on_every_field(void **state)
{
    th_hash a = th_sha256_empty, b = th_sha256_empty;
    b.bytes[31] ^= 1;
    th_turn_random random[5];
    th_turn_random_init(&random[0], fixture_hasher(), &a, 3, 4, &a);
    th_turn_random_init(&random[1], fixture_hasher(), &b, 3, 4, &a);
    th_turn_random_init(&random[2], fixture_hasher(), &a, 2, 4, &a);
    th_turn_random_init(&random[3], fixture_hasher(), &a, 3, 5, &a);
    th_turn_random_init(&random[4], fixture_hasher(), &a, 3, 4, &b);
    for (int i = 0; i < 5; i++) {
        for (int k = 0; k < i; k++)
            assert_false(th_hash_equal(&random[i].seed, &random[k].seed));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptors_come_back),
        cmocka_unit_test(fields_that_are_not_allowed_are_not_encoded),
        cmocka_unit_test(a_full_buffer_stays_as_it_was),
        cmocka_unit_test(the_encoding_is_the_only_one),
        cmocka_unit_test(rejections_have_their_messages),
        cmocka_unit_test(fixed_rejections_are_known_by_their_hash),
        cmocka_unit_test(messages_of_other_codes_are_refused),
        cmocka_unit_test(fuel_is_by_code),
        cmocka_unit_test(random_does_not_depend_on_how_it_is_read),
        cmocka_unit_test(random_ends_at_its_limit),
        cmocka_unit_test(random_depends_on_every_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
