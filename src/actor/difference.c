/* What came out of a re-executed turn against what is recorded: by the hashes in the element, so that
 * dropped payloads do no harm, and in words with both values.
 *
 * Undecided (chain format, Fuel): a stack overflow depends on the verifier's stack, so a recorded code 6
 * that comes out otherwise says nothing. With an engine that counts fuel otherwise the same holds for a
 * recorded code 4, and for a turn that this engine did not end within its bound for runaways. */
#include "actor/internal.h"

#include <stdio.h>

const char *th_difference_text(th_difference difference)
{
    static const char *const texts[] = {
        [TH_SAME] = "same",           [TH_DIFFERS_TYPE] = "type",       [TH_DIFFERS_REASON] = "reason",
        [TH_DIFFERS_OUTPUT] = "output", [TH_DIFFERS_EFFECTS] = "effects", [TH_DIFFERS_STATE] = "state",
        [TH_DIFFERS_FUEL] = "fuel",   [TH_DIFFERS_ELEMENT] = "element", [TH_DIFFERS_UNDECIDED] = "undecided",
    };
    return (unsigned)difference < sizeof texts / sizeof texts[0] ? texts[difference] : "unknown";
}

#define WORDS_SIZE 440
#define SHORT_HEX 16
#define SHORT_TEXT 48

typedef struct words {
    char text[WORDS_SIZE];
} words;

static th_difference say(const th_compared *compared, th_difference difference, theater_error *reterr,
                         const char *recorded, const char *came_out)
{
    const th_descriptor *descriptor = &compared->instance->descriptor;
    bool undecided = difference == TH_DIFFERS_UNDECIDED;
    const char *verb = undecided ? "" : difference == TH_DIFFERS_EFFECTS ? " differ" : " differs";
    th_fail(reterr, undecided ? THEATER_UNDECIDED : THEATER_VERIFY_FAILED,
            "element %llu of actor %.*s: %s%s: recorded %s, came out %s",
            (unsigned long long)compared->recorded->sequence, TH_SHOW(descriptor->name),
            th_difference_text(difference), verb, recorded, came_out);
    return difference;
}

static words hash_words(const th_hash *hash)
{
    words out;
    char hex[2 * THEATER_HASH_SIZE + 1];
    th_hex_encode(th_slice_of(hash->bytes, sizeof hash->bytes), hex);
    snprintf(out.text, sizeof out.text, "sha %.*s", SHORT_HEX, hex);
    return out;
}

/* Whether a payload can be shown as it is. */
static bool is_short_text(th_slice payload)
{
    for (size_t i = 0; i < payload.size; i++) {
        if (payload.data[i] < ' ' || payload.data[i] == 0x7f || payload.data[i] == '"')
            return false;
    }
    return payload.size <= SHORT_TEXT && th_utf8_valid(payload);
}

/* A payload by its hash and, when it is there (and not dropped or another), by what it says. */
static words payload_words(const th_compared *compared, const th_hash *hash, th_slice payload, bool effects)
{
    words sha = hash_words(hash), out = sha;
    th_hash found;
    th_effects_reader reader;
    th_sha256_of(compared->hasher, payload, &found);
    if (!th_hash_equal(&found, hash))
        return out;
    if (effects) {
        if (!th_effects_read(payload, compared->recorded->sequence, &reader, NULL))
            snprintf(out.text, sizeof out.text, "%llu %s in %zu bytes (%.40s)",
                     (unsigned long long)reader.count, reader.count == 1 ? "effect" : "effects", payload.size,
                     sha.text);
    } else if (is_short_text(payload)) {
        snprintf(out.text, sizeof out.text, "\"%.*s\" (%.40s)", TH_SHOW(payload), sha.text);
    } else {
        snprintf(out.text, sizeof out.text, "%zu bytes (%.40s)", payload.size, sha.text);
    }
    return out;
}

static words reason_words(const th_rejection *rejection)
{
    words out;
    char text[201];
    th_shown(rejection->message, 200, text);
    snprintf(out.text, sizeof out.text, "a rejection [%d, \"%s\"]", (int)rejection->code, text);
    return out;
}

/* The recorded event, with its reason where the payload is there. */
static words recorded_words(const th_compared *compared)
{
    words out;
    th_hash hash;
    th_rejection rejection;
    const th_element *recorded = compared->recorded;
    if (recorded->type == TH_REJECTION) {
        th_sha256_of(compared->hasher, compared->payloads->output, &hash);
        if (th_hash_equal(&hash, &recorded->output) &&
            !th_rejection_decode(compared->payloads->output, &rejection, NULL))
            return reason_words(&rejection);
    }
    snprintf(out.text, sizeof out.text, "%s %s", recorded->type == TH_UPGRADE ? "an" : "a",
             th_element_type_name(recorded->type));
    return out;
}

static words came_out_words(const th_compared *compared)
{
    words out;
    if (compared->result->rejected)
        return reason_words(&compared->result->rejection);
    snprintf(out.text, sizeof out.text, "%s %s", compared->recorded->type == TH_UPGRADE ? "an" : "a",
             th_element_type_name(compared->came_out->type));
    return out;
}

/* Whether the recorded element is a rejection with this reason of fixed words. */
static bool recorded_reason_is(const th_compared *compared, th_rejection rejection)
{
    uint8_t room[64];
    th_hash hash;
    if (compared->recorded->type != TH_REJECTION)
        return false;
    uint8_t *at = th_cbor_put_head(room, TH_CBOR_ARRAY, 2);
    at = th_cbor_put_uint(at, rejection.code);
    at = th_cbor_put_string(at, TH_CBOR_TEXT, rejection.message);
    th_sha256_of(compared->hasher, th_slice_of(room, (size_t)(at - room)), &hash);
    return th_hash_equal(&hash, &compared->recorded->output);
}

static bool undecided(const th_compared *compared, bool foreign)
{
    if (recorded_reason_is(compared, th_rejection_stack()))
        return true;
    if (!foreign)
        return false;
    return recorded_reason_is(compared, th_rejection_fuel()) ||
           (compared->result->rejected && compared->result->rejection.code == TH_REJECTED_FUEL);
}

/* Which field differs first, state and fuel aside. */
static th_difference first_difference(const th_compared *compared)
{
    const th_element *recorded = compared->recorded, *came_out = compared->came_out;
    bool failed = compared->result->rejected && came_out->type != TH_REJECTION;
    if (failed || recorded->type != came_out->type)
        return TH_DIFFERS_TYPE;
    if (!th_hash_equal(&recorded->output, &came_out->output))
        return recorded->type == TH_REJECTION ? TH_DIFFERS_REASON : TH_DIFFERS_OUTPUT;
    return th_hash_equal(&recorded->effects, &came_out->effects) ? TH_SAME : TH_DIFFERS_EFFECTS;
}

th_difference th_compare(const th_compared *compared, bool foreign, theater_error *reterr)
{
    const th_element *recorded = compared->recorded, *came_out = compared->came_out;
    th_difference difference = first_difference(compared);
    words was, is;
    switch (difference) {
    case TH_SAME:
        return TH_SAME;
    case TH_DIFFERS_OUTPUT:
        was = payload_words(compared, &recorded->output, compared->payloads->output, false);
        is = payload_words(compared, &came_out->output, compared->produced->output, false);
        break;
    case TH_DIFFERS_EFFECTS:
        was = payload_words(compared, &recorded->effects, compared->payloads->effects, true);
        is = payload_words(compared, &came_out->effects, compared->produced->effects, true);
        break;
    default:
        was = recorded_words(compared), is = came_out_words(compared);
    }
    /* An engine that counts otherwise may also have logged more or less before its fuel was spent. */
    if (undecided(compared, foreign))
        difference = TH_DIFFERS_UNDECIDED;
    return say(compared, difference, reterr, was.text, is.text);
}

static words state_words(const th_hash *root, uint64_t size)
{
    words out = hash_words(root);
    size_t used = strlen(out.text);
    snprintf(out.text + used, sizeof out.text - used, " of %llu bytes", (unsigned long long)size);
    return out;
}

static words fuel_words(uint64_t fuel)
{
    words out;
    snprintf(out.text, sizeof out.text, "%llu", (unsigned long long)fuel);
    return out;
}

th_difference th_compare_after(const th_compared *compared, bool foreign, theater_error *reterr)
{
    const th_element *recorded = compared->recorded;
    const th_instance *instance = compared->instance;
    if (!th_hash_equal(&recorded->state_after, &instance->root) ||
        recorded->state_size != instance->state.size) {
        words was = state_words(&recorded->state_after, recorded->state_size);
        words is = state_words(&instance->root, instance->state.size);
        return say(compared, TH_DIFFERS_STATE, reterr, was.text, is.text);
    }
    /* Of most reasons the fuel is fixed, whoever counts. */
    bool counted = !compared->result->rejected || compared->result->rejection.code <= TH_REJECTED_STATE;
    if (recorded->fuel != compared->result->fuel && !(foreign && counted)) {
        words was = fuel_words(recorded->fuel), is = fuel_words(compared->result->fuel);
        return say(compared, TH_DIFFERS_FUEL, reterr, was.text, is.text);
    }
    return TH_SAME;
}
