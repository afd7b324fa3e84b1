#include "store/frame.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t th_checksum(th_slice bytes, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes.data, bytes.size, seed);
}

struct th_checksum_stream {
    XXH3_state_t *state;
};

theater_status th_checksum_begin(th_checksum_stream **ret, theater_error *reterr)
{
    /* The state asks for 64-byte alignment, which th_alloc does not promise: make room to align it by hand.
     */
    th_checksum_stream *stream = th_alloc(sizeof *stream + sizeof(XXH3_state_t) + 64);
    if (!stream)
        return th_fail_memory(reterr, "a checksum");
    uintptr_t place = ((uintptr_t)(stream + 1) + 63) & ~(uintptr_t)63;
    stream->state = (XXH3_state_t *)place;
    XXH3_INITSTATE(stream->state);
    XXH3_64bits_reset(stream->state);
    *ret = stream;
    return THEATER_OK;
}

void th_checksum_add(th_checksum_stream *stream, th_slice bytes)
{
    XXH3_64bits_update(stream->state, bytes.data, bytes.size);
}

uint64_t th_checksum_end(th_checksum_stream *stream)
{
    uint64_t sum = XXH3_64bits_digest(stream->state);
    th_free(stream);
    return sum;
}

/* The hash that binds a header to its place: the first 20 bytes of the header, then the position. */
static uint64_t header_hash(uint64_t key, uint64_t position, const uint8_t *fields)
{
    uint8_t bound[28];
    memcpy(bound, fields, 20);
    th_put_u64le(bound + 20, position);
    return XXH3_64bits_withSeed(bound, sizeof bound, key);
}

uint64_t th_frame_encode(uint64_t key, uint64_t position, uint64_t number, uint32_t place, uint32_t count,
                         th_slice payload, uint8_t *out)
{
    th_put_u64le(out, number);
    th_put_u32le(out + 8, (uint32_t)payload.size);
    th_put_u32le(out + 12, place);
    th_put_u32le(out + 16, count);
    uint64_t header = header_hash(key, position, out);
    uint64_t sum = XXH3_64bits(payload.data, payload.size) ^ header;
    th_put_u32le(out + 20, (uint32_t)header);
    th_put_u64le(out + 24, sum);
    return sum;
}

bool th_frame_decode(uint64_t key, uint64_t position, const uint8_t *in, th_frame *ret)
{
    ret->number = th_get_u64le(in);
    ret->length = th_get_u32le(in + 8);
    ret->place = th_get_u32le(in + 12);
    ret->count = th_get_u32le(in + 16);
    ret->sum = th_get_u64le(in + 24);
    /* Cheap tests first: a search for frames looks at many places that are none. */
    if (ret->place >= ret->count || ret->number < ret->place || ret->length > TH_APPEND_MAX - TH_FRAME_HEADER)
        return false;
    ret->header = header_hash(key, position, in);
    return (uint32_t)ret->header == th_get_u32le(in + 20);
}

bool th_frame_holds(const th_frame *frame, const uint8_t *payload)
{
    return (XXH3_64bits(payload, frame->length) ^ frame->header) == frame->sum;
}
