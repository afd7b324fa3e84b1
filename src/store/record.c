/* store/record.c: the encoding of records; docs/data-folder.md has the tables.
 *
 * The lengths of an element's parts stand before the parts, and what the index needs (element and effects)
 * before what can be large (input, output, sent): so the index can be derived from the first bytes of a
 * large record. */
#include "store/record_internal.h"

#define HASH THEATER_HASH_SIZE

enum {
    FLAG_CAUSE = 1,
    FLAG_INPUT_DROPPED = 2,
    FLAG_OUTPUT_DROPPED = 4,
    FLAG_EFFECTS_DROPPED = 8,
    FLAGS_ALL = 15,
};

static const char *const kind_names[] = {"",         "component", "compiled form", "element",
                                         "snapshot", "life",      "checkpoint"};

/* ---- encoding: sizes are measured first, so that the room is made once ---- */

static uint8_t *put_bytes(uint8_t *at, th_slice bytes)
{
    if (bytes.size)
        memcpy(at, bytes.data, bytes.size);
    return at + bytes.size;
}

static uint8_t *put_hash(uint8_t *at, const th_hash *hash)
{
    memcpy(at, hash->bytes, HASH);
    return at + HASH;
}

static uint8_t *put_u64(uint8_t *at, uint64_t value)
{
    th_put_u64le(at, value);
    return at + 8;
}

static uint8_t *put_u32(uint8_t *at, uint32_t value)
{
    th_put_u32le(at, value);
    return at + 4;
}

/* The encoded size, or SIZE_MAX when it passes the limit of a record. */
static size_t encoded_size(const th_record *record)
{
    uint64_t fixed = 1, parts[5] = {0};
    switch (record->kind) {
    case TH_RECORD_COMPONENT:
        fixed += HASH;
        parts[0] = record->component.binary.size;
        break;
    case TH_RECORD_COMPILED:
        fixed += 2 * HASH;
        parts[0] = record->compiled.fingerprint.size;
        break;
    case TH_RECORD_ELEMENT:
        fixed += 8 + 1 + (record->element.has_cause ? 12 : 0) + HASH + 5 * 4;
        parts[0] = record->element.element.size;
        parts[1] = record->element.effects.size;
        parts[2] = record->element.input.size;
        parts[3] = record->element.output.size;
        parts[4] = record->element.sent.size;
        break;
    case TH_RECORD_SNAPSHOT:
        fixed += 8 + 8 + 4;
        parts[0] = record->snapshot.tree.size;
        parts[1] = record->snapshot.state.size;
        break;
    case TH_RECORD_LIFE:
        fixed += 8 + 1 + 8;
        parts[0] = record->life.name.size;
        break;
    case TH_RECORD_CHECKPOINT:
        fixed += 8 + 8 + HASH;
        parts[0] = record->checkpoint.note.size;
        break;
    }
    for (int i = 0; i < 5; i++) {
        if (parts[i] > TH_RECORD_MAX)
            return SIZE_MAX;
        fixed += parts[i];
    }
    return fixed > TH_RECORD_MAX ? SIZE_MAX : (size_t)fixed;
}

static uint8_t *put_element(uint8_t *at, const th_record *record)
{
    unsigned flags = (record->element.has_cause ? FLAG_CAUSE : 0) |
                     (record->element.input_dropped ? FLAG_INPUT_DROPPED : 0) |
                     (record->element.output_dropped ? FLAG_OUTPUT_DROPPED : 0) |
                     (record->element.effects_dropped ? FLAG_EFFECTS_DROPPED : 0);
    at = put_u64(at, record->actor);
    *at++ = (uint8_t)flags;
    if (record->element.has_cause) {
        at = put_u64(at, record->element.cause.number);
        at = put_u32(at, record->element.cause.index);
    }
    at = put_hash(at, &record->element.hash);
    at = put_u32(at, (uint32_t)record->element.element.size);
    at = put_u32(at, (uint32_t)record->element.effects.size);
    at = put_u32(at, (uint32_t)record->element.input.size);
    at = put_u32(at, (uint32_t)record->element.output.size);
    at = put_u32(at, (uint32_t)record->element.sent.size);
    at = put_bytes(at, record->element.element);
    at = put_bytes(at, record->element.effects);
    at = put_bytes(at, record->element.input);
    at = put_bytes(at, record->element.output);
    return put_bytes(at, record->element.sent);
}

theater_status th_record_encode(const th_record *record, th_buf *out, theater_error *reterr)
{
    size_t size = encoded_size(record);
    if (size == SIZE_MAX)
        return th_fail(reterr, THEATER_TOO_LARGE, "a record of the log (%s) is at most %u bytes",
                       kind_names[record->kind], TH_RECORD_MAX);
    uint8_t *at;
    theater_status status = th_buf_extend(out, size, &at, reterr);
    if (status)
        return status;
    const uint8_t *end = at + size;
    *at++ = (uint8_t)record->kind;
    switch (record->kind) {
    case TH_RECORD_COMPONENT:
        at = put_bytes(put_hash(at, &record->component.hash), record->component.binary);
        break;
    case TH_RECORD_COMPILED:
        at = put_hash(put_hash(at, &record->compiled.component), &record->compiled.hash);
        at = put_bytes(at, record->compiled.fingerprint);
        break;
    case TH_RECORD_ELEMENT:
        at = put_element(at, record);
        break;
    case TH_RECORD_SNAPSHOT:
        at = put_u64(put_u64(at, record->actor), record->snapshot.sequence);
        at = put_u32(at, (uint32_t)record->snapshot.tree.size);
        at = put_bytes(put_bytes(at, record->snapshot.tree), record->snapshot.state);
        break;
    case TH_RECORD_LIFE:
        at = put_u64(at, record->actor);
        *at++ = (uint8_t)record->life.life;
        at = put_bytes(put_u64(at, record->life.time_ns), record->life.name);
        break;
    case TH_RECORD_CHECKPOINT:
        at = put_u64(put_u64(at, record->actor), record->checkpoint.size);
        at = put_bytes(put_hash(at, &record->checkpoint.head), record->checkpoint.note);
        break;
    }
    th_assert(at == end);
    return THEATER_OK;
}

/* ---- decoding ---- */

/* Unread bytes of a record. `total` counts what the record has from `at` on, of which `here` bytes are in
 * memory. */
typedef struct reader {
    const uint8_t *at;
    size_t here;
    uint64_t total;
    const char *problem;
} reader;

static const uint8_t *take(reader *in, uint64_t size)
{
    if (in->problem || in->here < size) {
        if (!in->problem)
            in->problem = "it ends too early";
        return NULL;
    }
    const uint8_t *at = in->at;
    in->at += size;
    in->here -= (size_t)size;
    in->total -= size;
    return at;
}

static uint64_t take_u64(reader *in)
{
    const uint8_t *at = take(in, 8);
    return at ? th_get_u64le(at) : 0;
}

static uint32_t take_u32(reader *in)
{
    const uint8_t *at = take(in, 4);
    return at ? th_get_u32le(at) : 0;
}

static unsigned take_u8(reader *in)
{
    const uint8_t *at = take(in, 1);
    return at ? *at : 0;
}

static void take_hash(reader *in, th_hash *ret)
{
    const uint8_t *at = take(in, HASH);
    if (at)
        memcpy(ret->bytes, at, HASH);
}

static th_slice take_bytes(reader *in, uint64_t size)
{
    const uint8_t *at = take(in, size);
    return th_slice_of(at, at ? (size_t)size : 0);
}

/* All that is left. Of a record that is not whole in memory, only what is there. */
static th_slice take_rest(reader *in)
{
    th_slice rest = take_bytes(in, in->here);
    in->total = 0;
    return rest;
}

static void refuse(reader *in, bool condition, const char *problem)
{
    if (condition && !in->problem)
        in->problem = problem;
}

static void decode_element(reader *in, th_record *ret)
{
    ret->actor = take_u64(in);
    unsigned flags = take_u8(in);
    refuse(in, flags & ~(unsigned)FLAGS_ALL, "it has an unknown flag");
    ret->element.has_cause = flags & FLAG_CAUSE;
    ret->element.input_dropped = flags & FLAG_INPUT_DROPPED;
    ret->element.output_dropped = flags & FLAG_OUTPUT_DROPPED;
    ret->element.effects_dropped = flags & FLAG_EFFECTS_DROPPED;
    if (ret->element.has_cause) {
        ret->element.cause.number = take_u64(in);
        ret->element.cause.index = take_u32(in);
    }
    take_hash(in, &ret->element.hash);
    uint64_t element = take_u32(in), effects = take_u32(in), input = take_u32(in), output = take_u32(in),
             sent = take_u32(in);
    refuse(in, element == 0, "it has no element");
    refuse(in, ret->element.input_dropped && input, "its input is dropped and there");
    refuse(in, ret->element.output_dropped && output, "its output is dropped and there");
    refuse(in, ret->element.effects_dropped && effects, "its effects are dropped and there");
    refuse(in, in->total != element + effects + input + output + sent, "its parts do not add up to its size");
    ret->element.element = take_bytes(in, element);
    ret->element.effects = take_bytes(in, effects);
    if (in->here < in->total)
        return; /* only the first part of the record was asked for */
    ret->element.input = take_bytes(in, input);
    ret->element.output = take_bytes(in, output);
    ret->element.sent = take_bytes(in, sent);
    th_slice left = ret->element.sent, payload;
    while (!in->problem && th_record_next_sent(&left, &payload))
        ;
    refuse(in, left.size != 0, "its payloads sent are not well-formed");
}

static void decode_life(reader *in, th_record *ret)
{
    ret->actor = take_u64(in);
    unsigned life = take_u8(in);
    refuse(in, life < TH_LIFE_STARTED || life > TH_LIFE_IMPORTED, "it says something unknown of an actor");
    ret->life.life = (th_life)life;
    ret->life.time_ns = take_u64(in);
    ret->life.name = take_rest(in);
    bool named = ret->life.life == TH_LIFE_STARTED || ret->life.life == TH_LIFE_IMPORTED;
    refuse(in, named ? !th_name_valid(ret->life.name) : ret->life.name.size != 0, "its name is not allowed");
}

static void decode_body(reader *in, th_record *ret)
{
    switch (ret->kind) {
    case TH_RECORD_COMPONENT:
        take_hash(in, &ret->component.hash);
        ret->component.binary = take_rest(in);
        break;
    case TH_RECORD_COMPILED:
        take_hash(in, &ret->compiled.component);
        take_hash(in, &ret->compiled.hash);
        ret->compiled.fingerprint = take_rest(in);
        refuse(in, ret->compiled.fingerprint.size == 0 || ret->compiled.fingerprint.size > TH_FINGERPRINT_MAX,
               "its fingerprint's size is not allowed");
        break;
    case TH_RECORD_ELEMENT:
        decode_element(in, ret);
        break;
    case TH_RECORD_SNAPSHOT:
        ret->actor = take_u64(in);
        ret->snapshot.sequence = take_u64(in);
        uint32_t tree = take_u32(in);
        if (in->here < in->total)
            return;
        ret->snapshot.tree = take_bytes(in, tree);
        ret->snapshot.state = take_rest(in);
        break;
    case TH_RECORD_LIFE:
        decode_life(in, ret);
        break;
    case TH_RECORD_CHECKPOINT:
        ret->actor = take_u64(in);
        ret->checkpoint.size = take_u64(in);
        take_hash(in, &ret->checkpoint.head);
        ret->checkpoint.note = take_rest(in);
        break;
    }
}

static theater_status decode(th_slice bytes, uint64_t total, th_record *ret, theater_error *reterr)
{
    *ret = (th_record){0};
    if (bytes.size == 0)
        return th_fail(reterr, THEATER_CORRUPT, "a record of the log is empty");
    unsigned kind = bytes.data[0];
    if (kind < TH_RECORD_COMPONENT || kind > TH_RECORD_CHECKPOINT)
        return th_fail(reterr, THEATER_CORRUPT, "a record of the log is of the unknown kind %u", kind);
    ret->kind = (th_record_kind)kind;
    reader in = {bytes.data + 1, bytes.size - 1, total - 1, NULL};
    decode_body(&in, ret);
    bool of_actor = ret->kind != TH_RECORD_COMPONENT && ret->kind != TH_RECORD_COMPILED;
    refuse(&in, of_actor && ret->actor == 0, "it names actor 0");
    refuse(&in, in.here == in.total && in.total != 0, "bytes are left behind it");
    if (in.problem)
        return th_fail(reterr, THEATER_CORRUPT, "a record of the log (%s) is malformed: %s", kind_names[kind],
                       in.problem);
    return THEATER_OK;
}

theater_status th_record_decode(th_slice bytes, th_record *ret, theater_error *reterr)
{
    return decode(bytes, bytes.size, ret, reterr);
}

theater_status th_record_decode_front(th_slice front, uint64_t size, th_record *ret, theater_error *reterr)
{
    return decode(front, size, ret, reterr);
}

bool th_record_next_sent(th_slice *sent, th_slice *ret_payload)
{
    if (sent->size < 4)
        return false;
    uint32_t size = th_get_u32le(sent->data);
    if (size > sent->size - 4)
        return false;
    *ret_payload = th_slice_of(sent->data + 4, size);
    *sent = th_slice_of(sent->data + 4 + size, sent->size - 4 - size);
    return true;
}
