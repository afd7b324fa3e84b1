#include "chain/checkpoint.h"

#include <inttypes.h>
#include <stdio.h>

#include "crypto/base64.h"

#define EM_DASH "\xe2\x80\x94"
#define KEY_TYPE_ED25519 1
#define SIGNATURE_BYTES (4 + TH_ED25519_SIGNATURE_SIZE)

/* ---- names and keys -------------------------------------------------------------------------- */

/* The characters that Unicode calls White_Space, and the control characters (C0, DEL, C1). `text` is valid
 * UTF-8. */
static bool has_space_or_control(th_slice text)
{
    const uint8_t *p = text.data;
    for (size_t i = 0; i < text.size; i++) {
        size_t left = text.size - i;
        if (p[i] <= 0x20 || p[i] == 0x7f)
            return true;
        if (p[i] == 0xc2 && left > 1 && (p[i + 1] <= 0xa0))
            return true; /* U+0080 to U+009F, U+00A0 */
        if (left < 3)
            continue;
        uint32_t c = (uint32_t)p[i] << 16 | (uint32_t)p[i + 1] << 8 | p[i + 2];
        /* U+1680; U+2000 to U+200A; U+2028, U+2029; U+202F; U+205F; U+3000 */
        if (c == 0xe19a80 || (c >= 0xe28080 && c <= 0xe2808a) || c == 0xe280a8 || c == 0xe280a9 ||
            c == 0xe280af || c == 0xe2819f || c == 0xe38080)
            return true;
    }
    return false;
}

/* Whether the text may name a key of a signed note; an origin is held to the same. */
static bool key_name_valid(th_slice name, size_t max)
{
    return name.size >= 1 && name.size <= max && th_utf8_valid(name) && !memchr(name.data, '+', name.size) &&
           !has_space_or_control(name);
}

bool th_origin_valid(th_slice origin)
{
    return key_name_valid(origin, TH_ORIGIN_MAX);
}

theater_status th_log_name(th_slice origin, th_slice actor, const th_hash *genesis, th_buf *out,
                           theater_error *reterr)
{
    if (!th_origin_valid(origin))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "an origin is 1 to %d bytes of UTF-8 without spaces, + or control characters",
                       TH_ORIGIN_MAX);
    if (!th_name_valid(actor))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "the actor's name is no name");
    char digits[17];
    th_hex_encode(th_slice_of(genesis->bytes, 8), digits);
    return th_buf_printf(out, reterr, "%.*s/%.*s/%s", (int)origin.size, (const char *)origin.data,
                         (int)actor.size, (const char *)actor.data, digits);
}

bool th_log_name_of_chain(th_slice log_name, th_slice actor, const th_hash *genesis)
{
    char digits[17];
    size_t tail = 1 + actor.size + 1 + 16;
    if (log_name.size <= tail || !th_origin_valid(th_slice_of(log_name.data, log_name.size - tail)))
        return false;
    const uint8_t *at = log_name.data + log_name.size - tail;
    th_hex_encode(th_slice_of(genesis->bytes, 8), digits);
    return at[0] == '/' && memcmp(at + 1, actor.data, actor.size) == 0 && at[1 + actor.size] == '/' &&
           memcmp(at + 2 + actor.size, digits, 16) == 0;
}

uint32_t th_key_id(th_hasher *hasher, th_slice name, const uint8_t public_key[TH_ED25519_PUBLIC_SIZE])
{
    th_slice parts[] = {name, th_slice_of("\n\x01", 2), th_slice_of(public_key, TH_ED25519_PUBLIC_SIZE)};
    th_hash hash;
    th_sha256(hasher, parts, 3, &hash);
    return th_get_u32be(hash.bytes);
}

theater_status th_verifier_key_format(th_hasher *hasher, th_slice name,
                                      const uint8_t public_key[TH_ED25519_PUBLIC_SIZE], th_buf *out,
                                      theater_error *reterr)
{
    if (!key_name_valid(name, TH_LOG_NAME_MAX))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "this cannot be the name of a key");
    uint8_t typed[1 + TH_ED25519_PUBLIC_SIZE] = {KEY_TYPE_ED25519};
    memcpy(typed + 1, public_key, TH_ED25519_PUBLIC_SIZE);
    char text[(sizeof typed + 2) / 3 * 4];
    th_base64_encode(th_slice_of(typed, sizeof typed), text);
    return th_buf_printf(out, reterr, "%.*s+%08" PRIx32 "+%.*s", (int)name.size, (const char *)name.data,
                         th_key_id(hasher, name, public_key), (int)sizeof text, text);
}

/* Eight lower-case hex digits; other cases would be a second form of the same key. */
static bool read_key_id(const uint8_t *text, uint32_t *ret)
{
    uint8_t bytes[4];
    for (int i = 0; i < 8; i++) {
        if (text[i] >= 'A' && text[i] <= 'F')
            return false;
    }
    if (!th_hex_decode((const char *)text, 8, bytes, 4))
        return false;
    *ret = th_get_u32be(bytes);
    return true;
}

theater_status th_verifier_key_parse(th_hasher *hasher, th_slice text, th_verifier_key *ret,
                                     theater_error *reterr)
{
    const uint8_t *plus = text.size ? memchr(text.data, '+', text.size) : NULL;
    size_t name_size = plus ? (size_t)(plus - text.data) : 0;
    uint8_t typed[1 + TH_ED25519_PUBLIC_SIZE];
    size_t size = 0;
    ret->name = th_slice_of(text.data, name_size);
    if (!key_name_valid(ret->name, TH_LOG_NAME_MAX) || text.size < name_size + 10 || plus[9] != '+' ||
        !read_key_id(plus + 1, &ret->id) ||
        !th_base64_decode(th_slice_of(plus + 10, text.size - name_size - 10), typed, sizeof typed, &size) ||
        size != sizeof typed)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "not a verifier key (name+hash+key)");
    if (typed[0] != KEY_TYPE_ED25519)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "a verifier key of type %u; only Ed25519 (1) is known", typed[0]);
    memcpy(ret->public_key, typed + 1, TH_ED25519_PUBLIC_SIZE);
    if (ret->id != th_key_id(hasher, ret->name, ret->public_key))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "a verifier key whose hash is not that of its name and key");
    return THEATER_OK;
}

/* ---- signing --------------------------------------------------------------------------------- */

static theater_status append_note(th_hasher *hasher, const th_signing_key *key,
                                  const th_checkpoint *checkpoint, th_buf *out, theater_error *reterr)
{
    char head[(THEATER_HASH_SIZE + 2) / 3 * 4], signature[(SIGNATURE_BYTES + 2) / 3 * 4];
    uint8_t bytes[SIGNATURE_BYTES];
    size_t begin = out->size;
    int name_size = (int)checkpoint->name.size;
    const char *name = (const char *)checkpoint->name.data;
    th_base64_encode(th_slice_of(checkpoint->head.bytes, THEATER_HASH_SIZE), head);
    theater_status status = th_buf_printf(out, reterr, "%.*s\n%" PRIu64 "\n%.*s\n", name_size, name,
                                          checkpoint->size, (int)sizeof head, head);
    if (status)
        return status;
    th_put_u32be(bytes, th_key_id(hasher, checkpoint->name, th_signing_key_public(key)));
    status = th_ed25519_sign(key, th_slice_of(out->data + begin, out->size - begin), bytes + 4, reterr);
    if (status)
        return status;
    th_base64_encode(th_slice_of(bytes, sizeof bytes), signature);
    return th_buf_printf(out, reterr, "\n" EM_DASH " %.*s %.*s\n", name_size, name, (int)sizeof signature,
                         signature);
}

theater_status th_checkpoint_sign(th_hasher *hasher, const th_signing_key *key,
                                  const th_checkpoint *checkpoint, th_buf *out, theater_error *reterr)
{
    if (!key_name_valid(checkpoint->name, TH_LOG_NAME_MAX))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "this cannot be the name of a log");
    size_t before = out->size;
    theater_status status = append_note(hasher, key, checkpoint, out, reterr);
    if (status)
        out->size = before;
    return status;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* The bytes up to the next newline, which is taken too. False when there is none. */
static bool next_line(th_slice *rest, th_slice *ret)
{
    const uint8_t *end = rest->size ? memchr(rest->data, '\n', rest->size) : NULL;
    if (!end)
        return false;
    *ret = th_slice_of(rest->data, (size_t)(end - rest->data));
    *rest = th_slice_of(end + 1, rest->size - ret->size - 1);
    return true;
}

/* A decimal number in its only form. */
static bool read_size(th_slice line, uint64_t *ret)
{
    if (line.size < 1 || line.size > 20 || (line.size > 1 && line.data[0] == '0'))
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < line.size; i++) {
        unsigned digit = line.data[i] - (unsigned)'0';
        if (digit > 9 || value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *ret = value;
    return true;
}

typedef struct signature_line {
    th_slice name;
    uint32_t id;
    bool ed25519; /* whether the size is that of an Ed25519 signature */
    uint8_t signature[TH_ED25519_SIGNATURE_SIZE];
} signature_line;

/* `— name base64`: four bytes of key id and a signature of whatever kind. */
static bool read_signature(th_slice line, signature_line *ret)
{
    static const char lead[] = EM_DASH " ";
    size_t lead_size = sizeof lead - 1;
    if (line.size <= lead_size || memcmp(line.data, lead, lead_size) != 0)
        return false;
    const uint8_t *name = line.data + lead_size, *end = line.data + line.size;
    const uint8_t *space = memchr(name, ' ', (size_t)(end - name));
    if (!space)
        return false;
    ret->name = th_slice_of(name, (size_t)(space - name));
    /* A witness may sign with a longer scheme; such bytes are only checked for their form. */
    uint8_t bytes[TH_NOTE_MAX];
    size_t size;
    th_slice text = th_slice_of(space + 1, (size_t)(end - space - 1));
    if (!key_name_valid(ret->name, line.size) || !th_base64_decode(text, bytes, sizeof bytes, &size) ||
        size < 5)
        return false;
    ret->id = th_get_u32be(bytes);
    ret->ed25519 = size == SIGNATURE_BYTES;
    if (ret->ed25519)
        memcpy(ret->signature, bytes + 4, sizeof ret->signature);
    return true;
}

/* Splits a note into its fields; *ret_text is what was signed, *ret_signatures the lines behind the blank
 * one. */
static const char *problem_of(th_slice note, th_checkpoint *ret, th_slice *ret_text, th_slice *ret_signatures)
{
    th_slice rest = note, size, head, blank;
    size_t decoded = 0;
    if (note.size > TH_NOTE_MAX)
        return "too long";
    if (!next_line(&rest, &ret->name) || !next_line(&rest, &size) || !next_line(&rest, &head))
        return "fewer than three lines";
    *ret_text = th_slice_of(note.data, note.size - rest.size);
    if (!key_name_valid(ret->name, TH_LOG_NAME_MAX))
        return "the first line is no log's name";
    if (!read_size(size, &ret->size))
        return "the second line is no size";
    if (!th_base64_decode(head, ret->head.bytes, sizeof ret->head.bytes, &decoded) ||
        decoded != THEATER_HASH_SIZE)
        return "the third line is no hash";
    if (!next_line(&rest, &blank) || blank.size != 0)
        return "no blank line behind the third";
    *ret_signatures = rest;
    unsigned count = 0;
    bool own = false;
    for (th_slice line; rest.size > 0; count++) {
        signature_line signature;
        if (count == TH_NOTE_SIGNATURES_MAX)
            return "too many signatures";
        if (!next_line(&rest, &line) || !read_signature(line, &signature))
            return "a signature line that is none";
        own = own || th_slice_equal(signature.name, ret->name);
    }
    return count == 0 ? "no signature" : own ? NULL : "no signature by the key that the first line names";
}

theater_status th_checkpoint_parse(th_slice note, th_checkpoint *ret, theater_error *reterr)
{
    th_slice text, signatures;
    const char *problem = problem_of(note, ret, &text, &signatures);
    return problem ? th_fail(reterr, THEATER_CORRUPT, "checkpoint: %s", problem) : THEATER_OK;
}

theater_status th_checkpoint_verify(th_hasher *hasher, th_slice note, const th_verifier_key *key,
                                    th_checkpoint *ret, theater_error *reterr)
{
    th_slice text, signatures, line;
    const char *problem = problem_of(note, ret, &text, &signatures);
    if (problem)
        return th_fail(reterr, THEATER_CORRUPT, "checkpoint: %s", problem);
    if (!th_slice_equal(ret->name, key->name))
        return th_fail(reterr, THEATER_VERIFY_FAILED, "checkpoint: it is of the log %.*s, the key of %.*s",
                       (int)ret->name.size, (const char *)ret->name.data, (int)key->name.size,
                       (const char *)key->name.data);
    unsigned good = 0;
    while (next_line(&signatures, &line)) {
        signature_line signature;
        if (!read_signature(line, &signature) || !th_slice_equal(signature.name, key->name) ||
            signature.id != key->id)
            continue;
        bool valid = false;
        theater_status status =
            signature.ed25519 ? th_ed25519_verify(key->public_key, text, signature.signature, &valid, reterr)
                              : THEATER_OK;
        if (status)
            return status;
        if (!valid)
            return th_fail(reterr, THEATER_VERIFY_FAILED, "checkpoint: the signature does not verify");
        good++;
    }
    return good
               ? THEATER_OK
               : th_fail(reterr, THEATER_VERIFY_FAILED, "checkpoint: no signature of the key %.*s+%08" PRIx32,
                         (int)key->name.size, (const char *)key->name.data, key->id);
}
