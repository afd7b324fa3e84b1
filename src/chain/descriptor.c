#include "chain/descriptor.h"

#include "chain/cbor.h"

#define DESCRIPTOR_VERSION 1

/* What no descriptor may have; NULL when all is well. Shared, so that the encoder makes nothing that the
 * decoder refuses. */
static const char *broken_rule(const th_descriptor *descriptor)
{
    const th_limits *limits = &descriptor->limits;
    if (!th_name_valid(descriptor->name))
        return "the actor's name is no name";
    if (!limits->fuel || !limits->memory || !limits->state || !limits->message || !limits->effects)
        return "a limit of 0";
    if (descriptor->config.size > limits->message)
        return "the config is over the message limit";
    return NULL;
}

static theater_status append_limits(const th_limits *limits, th_buf *out, theater_error *reterr)
{
    const uint64_t values[] = {limits->fuel, limits->memory, limits->state, limits->message, limits->effects};
    theater_status status = th_cbor_append_head(out, TH_CBOR_MAP, 5, reterr);
    for (uint64_t key = 0; !status && key < 5; key++) {
        status = th_cbor_append_uint(out, key, reterr);
        if (!status)
            status = th_cbor_append_uint(out, values[key], reterr);
    }
    return status;
}

static theater_status append_field(const th_descriptor *descriptor, uint64_t key, th_buf *out,
                                   theater_error *reterr)
{
    theater_status status = th_cbor_append_uint(out, key, reterr);
    if (status)
        return status;
    switch (key) {
    case 0:
        return th_cbor_append_uint(out, DESCRIPTOR_VERSION, reterr);
    case 1:
        return th_cbor_append_text(out, descriptor->name, reterr);
    case 2:
        return th_cbor_append_bytes(out, th_slice_of(descriptor->component.bytes, THEATER_HASH_SIZE), reterr);
    case 3:
        return th_cbor_append_bytes(out, descriptor->config, reterr);
    case 4:
        return append_limits(&descriptor->limits, out, reterr);
    case 5:
        return th_cbor_append_text(out, descriptor->engine, reterr);
    default:
        return th_cbor_append_text(out, th_slice_text(TH_WORLD), reterr);
    }
}

theater_status th_descriptor_encode(const th_descriptor *descriptor, th_buf *out, theater_error *reterr)
{
    const char *rule = broken_rule(descriptor);
    if (!rule && !th_utf8_valid(descriptor->engine))
        rule = "the engine is not UTF-8";
    if (rule)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "descriptor: %s", rule);
    size_t before = out->size;
    theater_status status = th_cbor_append_head(out, TH_CBOR_MAP, 7, reterr);
    for (uint64_t key = 0; !status && key < 7; key++)
        status = append_field(descriptor, key, out, reterr);
    if (status)
        out->size = before;
    return status;
}

static bool read_limits(th_cbor_reader *in, th_limits *ret)
{
    uint64_t count;
    if (!th_cbor_read_map(in, &count))
        return false;
    if (count != 5)
        return th_cbor_refuse(in, "limits that are not five");
    uint64_t *const fields[] = {&ret->fuel, &ret->memory, &ret->state, &ret->message, &ret->effects};
    for (uint64_t key = 0; key < 5; key++) {
        if (!th_cbor_expect_uint(in, key, "a limit is missing or out of order") ||
            !th_cbor_read_uint(in, fields[key]))
            return false;
    }
    return true;
}

static bool read_descriptor(th_cbor_reader *in, th_descriptor *ret)
{
    uint64_t count;
    th_slice world;
    if (!th_cbor_read_map(in, &count))
        return false;
    if (count != 7)
        return th_cbor_refuse(in, "a map that has not seven fields");
    if (!th_cbor_expect_uint(in, 0, "the version (key 0) is missing") ||
        !th_cbor_expect_uint(in, DESCRIPTOR_VERSION, "a version other than 1") ||
        !th_cbor_expect_uint(in, 1, "the actor's name (key 1) is missing") ||
        !th_cbor_read_text(in, &ret->name) ||
        !th_cbor_expect_uint(in, 2, "the component hash (key 2) is missing") ||
        !th_cbor_read_hash(in, &ret->component) ||
        !th_cbor_expect_uint(in, 3, "the config (key 3) is missing") ||
        !th_cbor_read_bytes(in, &ret->config) ||
        !th_cbor_expect_uint(in, 4, "the limits (key 4) are missing") || !read_limits(in, &ret->limits) ||
        !th_cbor_expect_uint(in, 5, "the engine (key 5) is missing") ||
        !th_cbor_read_text(in, &ret->engine) || !th_cbor_expect_uint(in, 6, "the world (key 6) is missing") ||
        !th_cbor_read_text(in, &world))
        return false;
    if (!th_slice_equal(world, th_slice_text(TH_WORLD)))
        return th_cbor_refuse(in, "another world than " TH_WORLD);
    return th_cbor_read_end(in);
}

theater_status th_descriptor_decode(th_slice bytes, th_descriptor *ret, theater_error *reterr)
{
    th_cbor_reader in = th_cbor_read(bytes);
    if (!read_descriptor(&in, ret))
        return th_cbor_fail(&in, "descriptor", reterr);
    const char *rule = broken_rule(ret);
    return rule ? th_fail(reterr, THEATER_CORRUPT, "descriptor: %s", rule) : THEATER_OK;
}
