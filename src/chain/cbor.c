#include "chain/cbor.h"

/* ---- encoding -------------------------------------------------------------------------------- */

/* The value of a head that says "the next 1, 2, 4 or 8 bytes are the value". */
enum { FOLLOWS_1 = 24, FOLLOWS_2 = 25, FOLLOWS_4 = 26, FOLLOWS_8 = 27 };

uint8_t *th_cbor_put_head(uint8_t *at, th_cbor_major major, uint64_t value)
{
    uint8_t first = (uint8_t)(major << 5);
    if (value < FOLLOWS_1) {
        *at++ = (uint8_t)(first | value);
    } else if (value <= UINT8_MAX) {
        *at++ = first | FOLLOWS_1;
        *at++ = (uint8_t)value;
    } else if (value <= UINT16_MAX) {
        *at++ = first | FOLLOWS_2;
        *at++ = (uint8_t)(value >> 8);
        *at++ = (uint8_t)value;
    } else if (value <= UINT32_MAX) {
        *at++ = first | FOLLOWS_4;
        th_put_u32be(at, (uint32_t)value);
        at += 4;
    } else {
        *at++ = first | FOLLOWS_8;
        th_put_u64be(at, value);
        at += 8;
    }
    return at;
}

uint8_t *th_cbor_put_string(uint8_t *at, th_cbor_major major, th_slice bytes)
{
    at = th_cbor_put_head(at, major, bytes.size);
    if (bytes.size)
        memcpy(at, bytes.data, bytes.size);
    return at + bytes.size;
}

theater_status th_cbor_append_head(th_buf *out, th_cbor_major major, uint64_t value, theater_error *reterr)
{
    uint8_t *room;
    theater_status status = th_buf_extend(out, th_cbor_head_size(value), &room, reterr);
    if (!status)
        th_cbor_put_head(room, major, value);
    return status;
}

theater_status th_cbor_append_uint(th_buf *out, uint64_t value, theater_error *reterr)
{
    return th_cbor_append_head(out, TH_CBOR_UINT, value, reterr);
}

static theater_status append_string(th_buf *out, th_cbor_major major, th_slice bytes, theater_error *reterr)
{
    uint8_t *room;
    size_t head = th_cbor_head_size(bytes.size);
    theater_status status = bytes.size > SIZE_MAX - head
                                ? th_fail(reterr, THEATER_TOO_LARGE, "a string of %zu bytes", bytes.size)
                                : th_buf_extend(out, head + bytes.size, &room, reterr);
    if (!status)
        th_cbor_put_string(room, major, bytes);
    return status;
}

theater_status th_cbor_append_bytes(th_buf *out, th_slice bytes, theater_error *reterr)
{
    return append_string(out, TH_CBOR_BYTES, bytes, reterr);
}

theater_status th_cbor_append_text(th_buf *out, th_slice text, theater_error *reterr)
{
    return append_string(out, TH_CBOR_TEXT, text, reterr);
}

/* ---- decoding -------------------------------------------------------------------------------- */

bool th_cbor_refuse(th_cbor_reader *in, const char *problem)
{
    if (!in->problem)
        in->problem = problem;
    return false;
}

static const char *const wrong_type[] = {
    "not an unsigned integer",
    "not an unsigned integer",
    "not a byte string",
    "not a text",
    "not an array",
    "not a map",
    "not a simple value",
    "not a simple value",
};

/* Reads a head of the given major type. The reader does not move when it fails, so that `problem` is about
 * the head. */
static bool read_head(th_cbor_reader *in, th_cbor_major major, uint64_t *ret)
{
    if (in->problem)
        return false;
    size_t left = (size_t)(in->end - in->at);
    if (left == 0)
        return th_cbor_refuse(in, "the bytes end too early");
    uint8_t first = *in->at, low = first & 31;
    if (first >> 5 != (int)major)
        return th_cbor_refuse(in, wrong_type[major]);
    if (low < FOLLOWS_1) {
        *ret = low;
        in->at++;
        return true;
    }
    if (low > FOLLOWS_8)
        return th_cbor_refuse(in, low == 31 ? "an indefinite length" : "a head that means nothing");
    size_t size = (size_t)1 << (low - FOLLOWS_1);
    if (left < 1 + size)
        return th_cbor_refuse(in, "the bytes end too early");
    const uint8_t *p = in->at + 1;
    uint64_t value = size == 1   ? p[0]
                     : size == 2 ? (uint64_t)p[0] << 8 | p[1]
                     : size == 4 ? th_get_u32be(p)
                                 : th_get_u64be(p);
    if (th_cbor_head_size(value) != 1 + size)
        return th_cbor_refuse(in, "a number in a long form");
    *ret = value;
    in->at += 1 + size;
    return true;
}

bool th_cbor_read_uint(th_cbor_reader *in, uint64_t *ret)
{
    return read_head(in, TH_CBOR_UINT, ret);
}

static bool read_string(th_cbor_reader *in, th_cbor_major major, th_slice *ret)
{
    uint64_t size;
    if (!read_head(in, major, &size))
        return false;
    if (size > (uint64_t)(in->end - in->at))
        return th_cbor_refuse(in, "the bytes end too early");
    *ret = th_slice_of(in->at, (size_t)size);
    in->at += size;
    return true;
}

bool th_cbor_read_bytes(th_cbor_reader *in, th_slice *ret)
{
    return read_string(in, TH_CBOR_BYTES, ret);
}

bool th_cbor_read_text(th_cbor_reader *in, th_slice *ret)
{
    if (!read_string(in, TH_CBOR_TEXT, ret))
        return false;
    return th_utf8_valid(*ret) || th_cbor_refuse(in, "text that is not UTF-8");
}

bool th_cbor_read_bool(th_cbor_reader *in, bool *ret)
{
    if (in->problem)
        return false;
    if (in->at == in->end)
        return th_cbor_refuse(in, "the bytes end too early");
    if (*in->at != TH_CBOR_FALSE && *in->at != TH_CBOR_TRUE)
        return th_cbor_refuse(in, "neither true nor false");
    *ret = *in->at++ == TH_CBOR_TRUE;
    return true;
}

bool th_cbor_read_array(th_cbor_reader *in, uint64_t *ret_count)
{
    return read_head(in, TH_CBOR_ARRAY, ret_count);
}

bool th_cbor_read_map(th_cbor_reader *in, uint64_t *ret_count)
{
    return read_head(in, TH_CBOR_MAP, ret_count);
}

bool th_cbor_read_hash(th_cbor_reader *in, th_hash *ret)
{
    th_slice bytes;
    if (!th_cbor_read_bytes(in, &bytes))
        return false;
    if (bytes.size != sizeof ret->bytes)
        return th_cbor_refuse(in, "a hash that is not 32 bytes");
    memcpy(ret->bytes, bytes.data, sizeof ret->bytes);
    return true;
}

bool th_cbor_expect_uint(th_cbor_reader *in, uint64_t value, const char *otherwise)
{
    uint64_t seen;
    const uint8_t *before = in->at;
    if (in->problem)
        return false;
    if (th_cbor_read_uint(in, &seen) && seen == value)
        return true;
    in->at = before;
    in->problem = otherwise;
    return false;
}

bool th_cbor_read_bytes_or_null(th_cbor_reader *in, bool *ret_present, th_slice *ret)
{
    *ret_present = !(th_cbor_more(in) && *in->at == TH_CBOR_NULL);
    if (*ret_present)
        return th_cbor_read_bytes(in, ret);
    in->at++;
    *ret = th_slice_of(NULL, 0);
    return true;
}

bool th_cbor_read_end(th_cbor_reader *in)
{
    if (in->problem)
        return false;
    return in->at == in->end || th_cbor_refuse(in, "bytes behind the end");
}

theater_status th_cbor_fail(const th_cbor_reader *in, const char *what, theater_error *reterr)
{
    return th_fail(reterr, THEATER_CORRUPT, "%s: %s at byte %zu", what,
                   in->problem ? in->problem : "not allowed", (size_t)(in->at - in->begin));
}
