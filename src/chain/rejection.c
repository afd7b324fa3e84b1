#include "chain/rejection.h"

#include "chain/cbor.h"

static const char *const trap_messages[TH_TRAP_COUNT] = {"unreachable", "memory",  "table",
                                                         "division",    "integer", "abi"};
static const char *const limit_messages[TH_LIMIT_COUNT] = {
    "", "input", "error", "output", "state", "name", "payload", "requests", "effects", "random",
};

static th_rejection fixed(th_rejection_code code, const char *message)
{
    return (th_rejection){code, th_slice_text(message)};
}

th_rejection th_rejection_by_actor(th_slice text)
{
    return (th_rejection){TH_REJECTED_BY_ACTOR, text};
}

th_rejection th_rejection_state(void)
{
    return fixed(TH_REJECTED_STATE, "invalid state");
}

th_rejection th_rejection_trap(th_trap trap)
{
    th_assert((unsigned)trap < TH_TRAP_COUNT);
    return fixed(TH_REJECTED_TRAP, trap_messages[trap]);
}

th_rejection th_rejection_fuel(void)
{
    return fixed(TH_REJECTED_FUEL, "out of fuel");
}

th_rejection th_rejection_limit(th_turn_limit limit)
{
    th_assert(limit > TH_LIMIT_NONE && limit < TH_LIMIT_COUNT);
    return fixed(TH_REJECTED_LIMIT, limit_messages[limit]);
}

th_rejection th_rejection_stack(void)
{
    return fixed(TH_REJECTED_STACK, "stack overflow");
}

_Static_assert(TH_REJECTIONS_FIXED == 1 + TH_TRAP_COUNT + 1 + (TH_LIMIT_COUNT - 1) + 1, "all fixed messages");

th_rejection th_rejection_fixed(size_t index)
{
    if (index < TH_TRAP_COUNT)
        return th_rejection_trap((th_trap)index);
    index -= TH_TRAP_COUNT;
    if (index < TH_LIMIT_COUNT - 1)
        return th_rejection_limit((th_turn_limit)(index + 1));
    index -= TH_LIMIT_COUNT - 1;
    return index == 0 ? th_rejection_state() : index == 1 ? th_rejection_fuel() : th_rejection_stack();
}

void th_rejection_hashes(th_hasher *hasher, th_hash ret[TH_REJECTIONS_FIXED])
{
    for (size_t i = 0; i < TH_REJECTIONS_FIXED; i++) {
        th_rejection rejection = th_rejection_fixed(i);
        uint8_t heads[2 + TH_CBOR_HEAD_MAX], *at = heads; /* a code is one byte */
        at = th_cbor_put_head(at, TH_CBOR_ARRAY, 2);
        at = th_cbor_put_uint(at, rejection.code);
        at = th_cbor_put_head(at, TH_CBOR_TEXT, rejection.message.size);
        th_slice parts[] = {th_slice_of(heads, (size_t)(at - heads)), rejection.message};
        th_sha256(hasher, parts, 2, &ret[i]);
    }
}

bool th_rejection_by_hash(const th_hash hashes[TH_REJECTIONS_FIXED], const th_hash *output, th_rejection *ret)
{
    for (size_t i = 0; i < TH_REJECTIONS_FIXED; i++) {
        if (th_hash_equal(&hashes[i], output)) {
            *ret = th_rejection_fixed(i);
            return true;
        }
    }
    return false;
}

th_turn_limit th_rejection_which_limit(const th_rejection *rejection)
{
    if (rejection->code != TH_REJECTED_LIMIT)
        return TH_LIMIT_NONE;
    for (int limit = TH_LIMIT_NONE + 1; limit < TH_LIMIT_COUNT; limit++) {
        if (th_slice_equal(rejection->message, th_slice_text(limit_messages[limit])))
            return (th_turn_limit)limit;
    }
    return TH_LIMIT_NONE;
}

uint64_t th_rejection_element_fuel(th_rejection_code code, uint64_t counted, uint64_t limit)
{
    switch (code) {
    case TH_REJECTED_BY_ACTOR:
    case TH_REJECTED_STATE:
        return counted;
    case TH_REJECTED_FUEL:
        return limit;
    default:
        return 0;
    }
}

/* Whether the message is one that the code may have; its UTF-8 is the caller's. */
static bool allowed(const th_rejection *rejection)
{
    switch (rejection->code) {
    case TH_REJECTED_BY_ACTOR:
        return true;
    case TH_REJECTED_STATE:
        return th_slice_equal(rejection->message, th_rejection_state().message);
    case TH_REJECTED_TRAP:
        for (int trap = 0; trap < TH_TRAP_COUNT; trap++) {
            if (th_slice_equal(rejection->message, th_slice_text(trap_messages[trap])))
                return true;
        }
        return false;
    case TH_REJECTED_FUEL:
        return th_slice_equal(rejection->message, th_rejection_fuel().message);
    case TH_REJECTED_LIMIT:
        return th_rejection_which_limit(rejection) != TH_LIMIT_NONE;
    case TH_REJECTED_STACK:
        return th_slice_equal(rejection->message, th_rejection_stack().message);
    default:
        return false;
    }
}

theater_status th_rejection_encode(const th_rejection *rejection, th_buf *out, theater_error *reterr)
{
    if (!allowed(rejection) || !th_utf8_valid(rejection->message))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "rejection: code %d cannot have this message",
                       (int)rejection->code);
    size_t before = out->size;
    theater_status status = th_cbor_append_head(out, TH_CBOR_ARRAY, 2, reterr);
    if (!status)
        status = th_cbor_append_uint(out, rejection->code, reterr);
    if (!status)
        status = th_cbor_append_text(out, rejection->message, reterr);
    if (status)
        out->size = before;
    return status;
}

theater_status th_rejection_decode(th_slice output, th_rejection *ret, theater_error *reterr)
{
    th_cbor_reader in = th_cbor_read(output);
    uint64_t count, code;
    if (!th_cbor_read_array(&in, &count) ||
        (count != 2 && !th_cbor_refuse(&in, "an array that is not two long")) ||
        !th_cbor_read_uint(&in, &code) ||
        ((code < TH_REJECTED_BY_ACTOR || code > TH_REJECTED_STACK) &&
         !th_cbor_refuse(&in, "an unknown code")) ||
        !th_cbor_read_text(&in, &ret->message) || !th_cbor_read_end(&in))
        return th_cbor_fail(&in, "rejection", reterr);
    ret->code = (th_rejection_code)code;
    if (!allowed(ret))
        return th_fail(reterr, THEATER_CORRUPT, "rejection: a message that code %d does not have",
                       (int)ret->code);
    return THEATER_OK;
}
