#include "chain/element.h"

#include "chain/cbor.h"
#include "chain/merkle.h"

const char *th_element_type_name(th_element_type type)
{
    static const char *const names[] = {"genesis", "transition", "rejection", "upgrade"};
    return (unsigned)type < 4 ? names[type] : "unknown";
}

bool th_principal_valid(th_slice principal)
{
    return principal.size >= 1 && principal.size <= TH_PRINCIPAL_MAX && th_utf8_valid(principal);
}

bool th_id_valid(th_slice id)
{
    return id.size >= 1 && id.size <= TH_ID_MAX;
}

void th_element_hash(th_hasher *hasher, th_slice encoding, th_hash *ret)
{
    th_leaf_hash(hasher, encoding, ret);
}

/* ---- encoding -------------------------------------------------------------------------------- */

static uint8_t *put_hash(uint8_t *at, uint8_t key, const th_hash *hash)
{
    at[0] = key;
    at[1] = TH_CBOR_BYTES << 5 | 24;
    at[2] = THEATER_HASH_SIZE;
    memcpy(at + 3, hash->bytes, THEATER_HASH_SIZE);
    return at + 3 + THEATER_HASH_SIZE;
}

static uint8_t *put_number(uint8_t *at, uint8_t key, uint64_t value)
{
    *at++ = key;
    return th_cbor_put_uint(at, value);
}

static uint8_t *put_cause(uint8_t *at, const th_cause *cause)
{
    th_assert(th_name_valid(cause->actor));
    static const uint8_t sizes[] = {0, 5, 6, 3};
    *at++ = 12;
    at = th_cbor_put_head(at, TH_CBOR_ARRAY, sizes[cause->kind]);
    at = th_cbor_put_uint(at, (uint64_t)cause->kind - 1);
    at = th_cbor_put_string(at, TH_CBOR_TEXT, cause->actor);
    if (cause->kind == TH_CAUSE_UNDELIVERED)
        return th_cbor_put_uint(at, cause->request);
    at = th_cbor_put_uint(at, cause->sequence);
    if (cause->kind == TH_CAUSE_MESSAGE)
        at = th_cbor_put_uint(at, cause->index);
    at = th_cbor_put_string(at, TH_CBOR_BYTES, th_slice_of(cause->hash.bytes, sizeof cause->hash.bytes));
    if (cause->kind == TH_CAUSE_ANSWER) {
        at = th_cbor_put_uint(at, cause->request);
        *at++ = cause->failed ? TH_CBOR_TRUE : TH_CBOR_FALSE;
    }
    return at;
}

size_t th_element_encode(const th_element *element, uint8_t *room)
{
    bool caused = element->cause.kind != TH_CAUSE_NONE;
    th_assert(element->type <= TH_UPGRADE && element->cause.kind <= TH_CAUSE_UNDELIVERED);
    th_assert((element->type == TH_GENESIS) == (element->sequence == 0));
    th_assert(!caused || (element->type != TH_GENESIS && element->type != TH_UPGRADE));
    th_assert(!caused || (element->principal.size == 0 && element->id.size == 0));
    th_assert(element->principal.size <= TH_PRINCIPAL_MAX && element->id.size <= TH_ID_MAX);
    uint8_t *at = room;
    size_t fields = 12u + caused + (element->principal.size > 0) + (element->id.size > 0);
    at = th_cbor_put_head(at, TH_CBOR_MAP, fields);
    at = put_number(at, 0, TH_ELEMENT_VERSION);
    at = put_number(at, 1, element->sequence);
    at = put_hash(at, 2, &element->previous);
    at = put_number(at, 3, element->type);
    at = put_number(at, 4, element->timestamp);
    at = put_hash(at, 5, &element->input);
    at = put_hash(at, 6, &element->state_before);
    at = put_hash(at, 7, &element->state_after);
    at = put_hash(at, 8, &element->output);
    at = put_hash(at, 9, &element->effects);
    at = put_number(at, 10, element->fuel);
    at = put_number(at, 11, element->state_size);
    if (caused)
        at = put_cause(at, &element->cause);
    if (element->principal.size) {
        *at++ = 13;
        at = th_cbor_put_string(at, TH_CBOR_TEXT, element->principal);
    }
    if (element->id.size) {
        *at++ = 14;
        at = th_cbor_put_string(at, TH_CBOR_BYTES, element->id);
    }
    return (size_t)(at - room);
}

/* ---- decoding -------------------------------------------------------------------------------- */

static bool read_key(th_cbor_reader *in, uint64_t key)
{
    static const char *const missing[] = {
        "the version (key 0) is missing",   "the sequence (key 1) is missing",
        "previous (key 2) is missing",      "the type (key 3) is missing",
        "the timestamp (key 4) is missing", "the input (key 5) is missing",
        "state-before (key 6) is missing",  "state-after (key 7) is missing",
        "the output (key 8) is missing",    "the effects (key 9) are missing",
        "the fuel (key 10) is missing",     "the state size (key 11) is missing",
    };
    return th_cbor_expect_uint(in, key, missing[key]);
}

static bool read_number(th_cbor_reader *in, uint64_t key, uint64_t *ret)
{
    return read_key(in, key) && th_cbor_read_uint(in, ret);
}

static bool read_hash(th_cbor_reader *in, uint64_t key, th_hash *ret)
{
    /* The only form that is right, in one step; anything else takes the long way to its message. */
    const uint8_t *at = in->at;
    if (!in->problem && in->end - at >= 3 + THEATER_HASH_SIZE && at[0] == key &&
        at[1] == (TH_CBOR_BYTES << 5 | 24) && at[2] == THEATER_HASH_SIZE) {
        memcpy(ret->bytes, at + 3, THEATER_HASH_SIZE);
        in->at += 3 + THEATER_HASH_SIZE;
        return true;
    }
    return read_key(in, key) && th_cbor_read_hash(in, ret);
}

/* Keys 0 to 2, which every version has. */
static bool read_link(th_cbor_reader *in, uint64_t *ret_fields, th_element_link *ret)
{
    return th_cbor_read_map(in, ret_fields) && read_number(in, 0, &ret->version) &&
           read_number(in, 1, &ret->sequence) && read_hash(in, 2, &ret->previous);
}

static bool read_cause(th_cbor_reader *in, th_cause *ret)
{
    uint64_t count, kind;
    if (!th_cbor_read_array(in, &count) || !th_cbor_read_uint(in, &kind))
        return false;
    if (kind > 2)
        return th_cbor_refuse(in, "a cause of unknown kind");
    if (count != (kind == 0 ? 5u : kind == 1 ? 6u : 3u))
        return th_cbor_refuse(in, "a cause of wrong length");
    ret->kind = (th_cause_kind)(kind + 1);
    if (!th_cbor_read_text(in, &ret->actor))
        return false;
    if (!th_name_valid(ret->actor))
        return th_cbor_refuse(in, "a cause from what is no name");
    switch (ret->kind) {
    case TH_CAUSE_MESSAGE:
        return th_cbor_read_uint(in, &ret->sequence) && th_cbor_read_uint(in, &ret->index) &&
               th_cbor_read_hash(in, &ret->hash);
    case TH_CAUSE_ANSWER:
        return th_cbor_read_uint(in, &ret->sequence) && th_cbor_read_hash(in, &ret->hash) &&
               th_cbor_read_uint(in, &ret->request) && th_cbor_read_bool(in, &ret->failed);
    default:
        return th_cbor_read_uint(in, &ret->request);
    }
}

/* Keys 12 to 14, each of which may be missing; `fields` says how many there are. */
static bool read_optional(th_cbor_reader *in, uint64_t fields, th_element *ret)
{
    uint64_t last = 11;
    for (uint64_t i = 12; i < fields; i++) {
        uint64_t key;
        if (!th_cbor_read_uint(in, &key))
            return false;
        if (key <= last)
            return th_cbor_refuse(in, "keys that do not ascend");
        last = key;
        switch (key) {
        case 12:
            if (!read_cause(in, &ret->cause))
                return false;
            break;
        case 13:
            if (!th_cbor_read_text(in, &ret->principal))
                return false;
            if (ret->principal.size < 1 || ret->principal.size > TH_PRINCIPAL_MAX)
                return th_cbor_refuse(in, "a principal that is not 1 to 128 bytes");
            break;
        case 14:
            if (!th_cbor_read_bytes(in, &ret->id))
                return false;
            if (!th_id_valid(ret->id))
                return th_cbor_refuse(in, "an id that is not 1 to 64 bytes");
            break;
        default:
            return th_cbor_refuse(in, "an unknown key");
        }
    }
    return true;
}

static bool hash_is_zero(const th_hash *hash)
{
    static const th_hash zero;
    return th_hash_equal(hash, &zero);
}

/* The rules that one element shows alone; NULL when they hold. */
static const char *broken_rule(const th_element *element)
{
    bool genesis = element->type == TH_GENESIS, upgrade = element->type == TH_UPGRADE;
    if (genesis != (element->sequence == 0))
        return genesis ? "a genesis has sequence 0" : "only a genesis has sequence 0";
    if (genesis && !hash_is_zero(&element->previous))
        return "a genesis has no previous element";
    if (genesis && !th_hash_equal(&element->state_before, &th_sha256_empty))
        return "a genesis has the empty state before";
    if ((upgrade || element->type == TH_REJECTION) &&
        !th_hash_equal(&element->state_before, &element->state_after))
        return upgrade ? "an upgrade keeps the state" : "a rejection keeps the state";
    if ((element->state_size == 0) != th_hash_equal(&element->state_after, &th_sha256_empty))
        return "the state size and the root after it contradict each other";
    if ((genesis || upgrade) && element->cause.kind != TH_CAUSE_NONE)
        return "a genesis and an upgrade have no cause";
    if ((genesis || upgrade) && !th_hash_equal(&element->output, &th_sha256_empty))
        return "the output of a genesis and of an upgrade is empty";
    if (element->cause.kind != TH_CAUSE_NONE && (element->principal.size || element->id.size))
        return "an input with a cause has neither principal nor id";
    return NULL;
}

static bool read_element(th_cbor_reader *in, uint64_t fields, th_element *ret)
{
    uint64_t type;
    if (!read_number(in, 3, &type))
        return false;
    if (type > TH_UPGRADE)
        return th_cbor_refuse(in, "an unknown type");
    ret->type = (th_element_type)type;
    return read_number(in, 4, &ret->timestamp) && read_hash(in, 5, &ret->input) &&
           read_hash(in, 6, &ret->state_before) && read_hash(in, 7, &ret->state_after) &&
           read_hash(in, 8, &ret->output) && read_hash(in, 9, &ret->effects) &&
           read_number(in, 10, &ret->fuel) && read_number(in, 11, &ret->state_size) &&
           read_optional(in, fields, ret) && th_cbor_read_end(in);
}

theater_status th_element_decode(th_slice encoding, th_element *ret, theater_error *reterr)
{
    th_cbor_reader in = th_cbor_read(encoding);
    uint64_t fields;
    th_element_link link;
    if (!read_link(&in, &fields, &link))
        return th_cbor_fail(&in, "element", reterr);
    if (link.version != TH_ELEMENT_VERSION)
        return link.version == 0 ? th_fail(reterr, THEATER_CORRUPT, "element: there is no version 0")
                                 : th_fail(reterr, THEATER_VERSION, "element: version %llu is not known",
                                           (unsigned long long)link.version);
    memset(ret, 0, offsetof(th_element, previous));
    ret->cause = (th_cause){0};
    ret->principal = ret->id = th_slice_of(NULL, 0);
    ret->sequence = link.sequence;
    ret->previous = link.previous;
    if (fields < 12 || fields > 15) {
        th_cbor_refuse(&in, "a map of a length that no element has");
        return th_cbor_fail(&in, "element", reterr);
    }
    if (!read_element(&in, fields, ret))
        return th_cbor_fail(&in, "element", reterr);
    const char *rule = broken_rule(ret);
    return rule ? th_fail(reterr, THEATER_CORRUPT, "element: %s", rule) : THEATER_OK;
}

theater_status th_element_links(th_slice encoding, th_element_link *ret, theater_error *reterr)
{
    th_cbor_reader in = th_cbor_read(encoding);
    uint64_t fields;
    if (!read_link(&in, &fields, ret))
        return th_cbor_fail(&in, "element", reterr);
    if (fields < 3)
        return th_fail(reterr, THEATER_CORRUPT, "element: a map without keys 0 to 2");
    if (ret->version == 0)
        return th_fail(reterr, THEATER_CORRUPT, "element: there is no version 0");
    return THEATER_OK;
}

bool th_element_peek_type(th_slice encoding, th_element_type *ret)
{
    th_cbor_reader in = th_cbor_read(encoding);
    th_element_link link;
    uint64_t fields, type;
    bool good = read_link(&in, &fields, &link) && link.version == TH_ELEMENT_VERSION &&
                read_number(&in, 3, &type) && type <= TH_UPGRADE;
    if (good)
        *ret = (th_element_type)type;
    return good;
}
