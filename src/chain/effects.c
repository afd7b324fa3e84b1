#include "chain/effects.h"

/* How the payload is built: the array's head depends on the number of effects, so room for the longest head
 * is left in front, and finishing writes the head directly before the first effect. */
#define HEAD_ROOM TH_CBOR_HEAD_MAX

void th_effects_init(th_effects *effects)
{
    *effects = (th_effects){0};
    th_buf_init(&effects->bytes,
                SIZE_MAX / 2); /* the real bound is effects_limit, tested before anything is added */
}

void th_effects_done(th_effects *effects)
{
    th_buf_done(&effects->bytes);
}

void th_effects_begin(th_effects *effects, uint64_t sequence, uint64_t message_limit, uint64_t effects_limit)
{
    th_buf_clear(&effects->bytes);
    effects->count = effects->messages = effects->charged = 0;
    effects->requests = 0;
    effects->sequence = sequence;
    effects->message_limit = message_limit;
    effects->effects_limit = effects_limit;
}

/* Room for an effect of `size` bytes behind the others. */
static theater_status extend(th_effects *effects, size_t size, uint8_t **ret_room, theater_error *reterr)
{
    if (effects->bytes.size == 0) {
        uint8_t *head;
        theater_status status = th_buf_reserve(&effects->bytes, HEAD_ROOM + size, reterr);
        if (!status)
            status = th_buf_extend(&effects->bytes, HEAD_ROOM, &head, reterr);
        if (status)
            return status;
    }
    return th_buf_extend(&effects->bytes, size, ret_room, reterr);
}

/* Whether `encoded` and `payload` bytes more stay within the limit. */
static bool fits(const th_effects *effects, size_t encoded, size_t payload)
{
    uint64_t left = effects->effects_limit - effects->charged;
    return encoded <= left && payload <= left - encoded;
}

theater_status th_effects_log(th_effects *effects, unsigned level, th_slice text, th_turn_limit *ret_passed,
                              theater_error *reterr)
{
    th_assert(level <= TH_LOG_LEVEL_MAX);
    size_t size = 3 + th_cbor_head_size(text.size) + text.size;
    *ret_passed = fits(effects, size, 0) ? TH_LIMIT_NONE : TH_LIMIT_EFFECTS;
    if (*ret_passed)
        return THEATER_OK;
    uint8_t *at;
    theater_status status = extend(effects, size, &at, reterr);
    if (status)
        return status;
    at = th_cbor_put_head(at, TH_CBOR_ARRAY, 3);
    at = th_cbor_put_uint(at, TH_EFFECT_LOG);
    at = th_cbor_put_uint(at, level);
    th_cbor_put_string(at, TH_CBOR_TEXT, text);
    effects->count++;
    effects->charged += size;
    return THEATER_OK;
}

/* The limits of a message in the order in which the format tests them. */
static th_turn_limit passed_by_message(const th_effects *effects, th_slice to, th_slice payload, bool request,
                                       size_t size)
{
    if (!th_name_valid(to))
        return TH_LIMIT_NAME;
    if (payload.size > effects->message_limit)
        return TH_LIMIT_PAYLOAD;
    if (request && (effects->requests == TH_REQUESTS_MAX || effects->sequence >> 48))
        return TH_LIMIT_REQUESTS;
    return fits(effects, size, payload.size) ? TH_LIMIT_NONE : TH_LIMIT_EFFECTS;
}

theater_status th_effects_message(th_effects *effects, th_hasher *hasher, th_slice to, th_slice payload,
                                  bool request, uint64_t *ret_request, th_hash *ret_payload,
                                  th_turn_limit *ret_passed, theater_error *reterr)
{
    uint64_t id = request ? th_request_id(effects->sequence, effects->requests + 1) : 0;
    size_t size = 2 + th_cbor_head_size(to.size) + to.size + 2 + THEATER_HASH_SIZE + th_cbor_head_size(id);
    *ret_passed = passed_by_message(effects, to, payload, request, size);
    if (*ret_passed)
        return THEATER_OK;
    uint8_t *at;
    theater_status status = extend(effects, size, &at, reterr);
    if (status)
        return status;
    th_sha256_of(hasher, payload, ret_payload);
    at = th_cbor_put_head(at, TH_CBOR_ARRAY, 4);
    at = th_cbor_put_uint(at, TH_EFFECT_MESSAGE);
    at = th_cbor_put_string(at, TH_CBOR_TEXT, to);
    at = th_cbor_put_string(at, TH_CBOR_BYTES, th_slice_of(ret_payload->bytes, THEATER_HASH_SIZE));
    th_cbor_put_uint(at, id);
    *ret_request = id;
    effects->requests += request;
    effects->count++;
    effects->messages++;
    effects->charged += size + payload.size;
    return THEATER_OK;
}

theater_status th_effects_finish(th_effects *effects, th_slice *ret, theater_error *reterr)
{
    if (effects->count == 0) {
        *ret = th_slice_of(TH_EFFECTS_NONE, 1);
        return THEATER_OK;
    }
    size_t head = th_cbor_head_size(effects->count);
    uint8_t *at = effects->bytes.data + HEAD_ROOM - head;
    th_cbor_put_head(at, TH_CBOR_ARRAY, effects->count);
    *ret = th_slice_of(at, effects->bytes.size - HEAD_ROOM + head);
    return THEATER_OK;
}

theater_status th_effects_finish_rejection(th_effects *effects, th_rejection_code code, th_slice *ret,
                                           theater_error *reterr)
{
    if (code == TH_REJECTED_STACK)
        th_effects_begin(effects, effects->sequence, effects->message_limit, effects->effects_limit);
    if (effects->messages == 0)
        return th_effects_finish(effects, ret, reterr);
    th_effects_reader reader;
    theater_status status = th_effects_finish(effects, ret, reterr);
    if (!status)
        status = th_effects_read(*ret, effects->sequence, &reader, reterr);
    uint8_t *kept = effects->bytes.data + HEAD_ROOM;
    uint64_t lines = 0;
    while (!status) {
        th_effect effect;
        bool more;
        status = th_effects_next(&reader, &effect, &more, reterr);
        if (status || !more)
            break;
        if (effect.kind == TH_EFFECT_LOG) {
            memmove(kept, effect.encoding.data, effect.encoding.size);
            kept += effect.encoding.size;
            lines++;
        }
    }
    th_assert(!status); /* these bytes were made above */
    effects->bytes.size = lines ? (size_t)(kept - effects->bytes.data) : 0;
    effects->charged = lines ? effects->bytes.size - HEAD_ROOM : 0;
    effects->count = lines;
    effects->messages = 0;
    effects->requests = 0;
    return th_effects_finish(effects, ret, reterr);
}

/* ---- reading --------------------------------------------------------------------------------- */

theater_status th_effects_read(th_slice payload, uint64_t sequence, th_effects_reader *ret,
                               theater_error *reterr)
{
    *ret = (th_effects_reader){.in = th_cbor_read(payload), .sequence = sequence};
    if (!th_cbor_read_array(&ret->in, &ret->count))
        return th_cbor_fail(&ret->in, "effects", reterr);
    return THEATER_OK;
}

static bool read_log(th_cbor_reader *in, th_effect *ret)
{
    uint64_t level;
    if (!th_cbor_read_uint(in, &level))
        return false;
    if (level > TH_LOG_LEVEL_MAX)
        return th_cbor_refuse(in, "a log level over 4");
    ret->level = (unsigned)level;
    return th_cbor_read_text(in, &ret->text);
}

static bool read_message(th_effects_reader *reader, th_effect *ret)
{
    th_cbor_reader *in = &reader->in;
    if (!th_cbor_read_text(in, &ret->to))
        return false;
    if (!th_name_valid(ret->to))
        return th_cbor_refuse(in, "a message to what is no name");
    if (!th_cbor_read_hash(in, &ret->payload) || !th_cbor_read_uint(in, &ret->request))
        return false;
    if (ret->request == 0)
        return true;
    if (reader->sequence >> 48 || reader->requests == TH_REQUESTS_MAX ||
        ret->request != th_request_id(reader->sequence, reader->requests + 1))
        return th_cbor_refuse(in, "a request id that is not the next one of its element");
    reader->requests++;
    return true;
}

static bool read_effect(th_effects_reader *reader, th_effect *ret)
{
    th_cbor_reader *in = &reader->in;
    uint64_t count, kind;
    if (!th_cbor_read_array(in, &count) || !th_cbor_read_uint(in, &kind))
        return false;
    if (kind > TH_EFFECT_MESSAGE)
        return th_cbor_refuse(in, "an effect of unknown kind");
    ret->kind = (th_effect_kind)kind;
    if (count != (kind == TH_EFFECT_LOG ? 3 : 4))
        return th_cbor_refuse(in, "an effect of wrong length");
    return kind == TH_EFFECT_LOG ? read_log(in, ret) : read_message(reader, ret);
}

theater_status th_effects_next(th_effects_reader *reader, th_effect *ret, bool *ret_more,
                               theater_error *reterr)
{
    *ret_more = reader->index < reader->count;
    if (!*ret_more)
        return th_cbor_read_end(&reader->in) ? THEATER_OK : th_cbor_fail(&reader->in, "effects", reterr);
    const uint8_t *begin = reader->in.at;
    if (!read_effect(reader, ret))
        return th_cbor_fail(&reader->in, "effects", reterr);
    ret->encoding = th_slice_of(begin, (size_t)(reader->in.at - begin));
    ret->index = reader->index++;
    return THEATER_OK;
}
