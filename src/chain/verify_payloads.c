/* What the verifier asks of the payloads and the cause of one element. */
#include "chain/verifier.h"

#define FIND(check, ...)                                                                                     \
    th_verifier_find(verifier, TH_CHECK_##check, true, element->sequence, reterr, __VA_ARGS__)

/* A payload's decoder refused it: the message says why. Other errors are the check's own. */
static theater_status refused(th_verifier *verifier, const th_element *element, th_check check,
                              theater_status status, const theater_error *inner, theater_error *reterr)
{
    if (status == THEATER_CORRUPT)
        return th_verifier_find(verifier, check, true, element->sequence, reterr, "%s", inner->message);
    return th_fail(reterr, status, "%s", inner->message);
}

void th_element_hashes_of(th_hasher *hasher, th_slice encoding, const th_payloads *payloads,
                          th_element_hashes *ret)
{
    const th_payload *from[] = {&payloads->input, &payloads->output, &payloads->effects};
    th_hash *to[] = {&ret->input, &ret->output, &ret->effects};
    th_element_hash(hasher, encoding, &ret->element);
    for (size_t i = 0; i < sizeof to / sizeof *to; i++) {
        if (from[i]->present && !th_payload_trivial(from[i]->bytes))
            th_sha256_of(hasher, from[i]->bytes, to[i]);
    }
}

static bool matches(const th_verifier *verifier, const th_payload *payload, const th_hash *hash,
                    const th_hash *expected)
{
    if (!payload->present)
        return true;
    if (th_payload_trivial(payload->bytes))
        hash = payload->bytes.size == 0 ? &th_sha256_empty : &verifier->no_effects;
    return th_hash_equal(hash, expected);
}

static theater_status check_hashes(th_verifier *verifier, const th_element *element,
                                   const th_payloads *payloads, const th_element_hashes *hashes,
                                   theater_error *reterr)
{
    if (!matches(verifier, &payloads->input, &hashes->input, &element->input))
        return FIND(INPUT, "the input payload has another hash");
    if (!matches(verifier, &payloads->output, &hashes->output, &element->output))
        return FIND(OUTPUT, "the output payload has another hash");
    if (!matches(verifier, &payloads->effects, &hashes->effects, &element->effects))
        return FIND(EFFECTS, "the effects payload has another hash");
    verifier->report.absent_inputs += !payloads->input.present;
    verifier->report.absent_outputs += !payloads->output.present;
    verifier->report.absent_effects += !payloads->effects.present;
    return THEATER_OK;
}

/* Strikes the component off those that wait for an element to name them. */
static void name_component(th_verifier *verifier, const th_hash *component)
{
    size_t kept = 0;
    for (size_t i = 0; i < verifier->waiting_count; i++) {
        if (!th_hash_equal(&verifier->waiting[i], component))
            verifier->waiting[kept++] = verifier->waiting[i];
    }
    verifier->waiting_count = kept;
}

static theater_status check_descriptor(th_verifier *verifier, const th_element *element,
                                       const th_payload *input, theater_error *reterr)
{
    verifier->descriptor_known = input->present;
    if (!input->present) {
        verifier->waiting_count = 0; /* it may name any of them */
        return THEATER_OK;
    }
    th_descriptor descriptor;
    theater_error inner;
    theater_status status = th_descriptor_decode(input->bytes, &descriptor, &inner);
    if (status)
        return refused(verifier, element, TH_CHECK_DESCRIPTOR, status, &inner, reterr);
    if (!th_slice_equal(descriptor.name, verifier->actor))
        return FIND(DESCRIPTOR, "the descriptor is of actor %.*s", (int)descriptor.name.size,
                    (const char *)descriptor.name.data);
    verifier->limits = descriptor.limits;
    name_component(verifier, &descriptor.component);
    return THEATER_OK;
}

/* What every element keeps to, whatever it is. */
static theater_status check_limits(th_verifier *verifier, const th_element *element, theater_error *reterr)
{
    if (!verifier->descriptor_known)
        return THEATER_OK;
    if (element->fuel > verifier->limits.fuel)
        return FIND(FUEL, "fuel %llu is over the limit of %llu", (unsigned long long)element->fuel,
                    (unsigned long long)verifier->limits.fuel);
    if (element->type != TH_REJECTION && element->state_size > verifier->limits.state)
        return FIND(LIMIT, "the state of %llu bytes is over the limit of %llu",
                    (unsigned long long)element->state_size, (unsigned long long)verifier->limits.state);
    return THEATER_OK;
}

static bool over_message_limit(const th_verifier *verifier, const th_payload *payload)
{
    return verifier->descriptor_known && payload->present && payload->bytes.size > verifier->limits.message;
}

static theater_status check_transition(th_verifier *verifier, const th_element *element,
                                       const th_payloads *payloads, theater_error *reterr)
{
    if (over_message_limit(verifier, &payloads->input))
        return FIND(LIMIT, "an input over the message limit must be a rejection");
    if (over_message_limit(verifier, &payloads->output))
        return FIND(LIMIT, "the output is over the message limit");
    return THEATER_OK;
}

/* An input over the limit is refused to a client and rejected for an actor, without a run, and nothing else
 * says "input". */
static theater_status check_input_limit(th_verifier *verifier, const th_element *element,
                                        const th_payloads *payloads, const th_rejection *rejection,
                                        theater_error *reterr)
{
    bool over = over_message_limit(verifier, &payloads->input);
    bool named = th_rejection_which_limit(rejection) == TH_LIMIT_INPUT;
    if (over && !named)
        return FIND(LIMIT, "an input over the message limit must be rejected as such");
    if (!named)
        return THEATER_OK;
    if (element->cause.kind == TH_CAUSE_NONE)
        return FIND(LIMIT, "a client's input over the message limit makes no element");
    if (!over && payloads->input.present && verifier->descriptor_known)
        return FIND(LIMIT, "the input was rejected as over the message limit and is not");
    if (!th_hash_equal(&element->effects, &verifier->no_effects))
        return FIND(EFFECTS, "an input that was not run has no effects");
    return THEATER_OK;
}

/* The reason, from the output payload or, when that was dropped, from its hash. *ret_known is false for a
 * text of the actor's own that was dropped. */
static theater_status read_rejection(th_verifier *verifier, const th_element *element,
                                     const th_payload *output, th_rejection *ret, bool *ret_known,
                                     theater_error *reterr)
{
    *ret_known = output->present || th_rejection_by_hash(verifier->rejections, &element->output, ret);
    if (!output->present)
        return THEATER_OK;
    theater_error inner;
    theater_status status = th_rejection_decode(output->bytes, ret, &inner);
    return status ? refused(verifier, element, TH_CHECK_OUTPUT, status, &inner, reterr) : THEATER_OK;
}

static theater_status check_rejection(th_verifier *verifier, const th_element *element,
                                      const th_payloads *payloads, theater_error *reterr)
{
    th_rejection rejection;
    bool known;
    theater_status status = read_rejection(verifier, element, &payloads->output, &rejection, &known, reterr);
    if (status || !known)
        return status;
    bool counted = rejection.code == TH_REJECTED_BY_ACTOR || rejection.code == TH_REJECTED_STATE;
    bool limit_known = rejection.code != TH_REJECTED_FUEL || verifier->descriptor_known;
    uint64_t fuel = th_rejection_element_fuel(rejection.code, element->fuel, verifier->limits.fuel);
    if (!counted && limit_known && element->fuel != fuel)
        return FIND(FUEL, "fuel %llu of a rejection with code %d, which has %llu",
                    (unsigned long long)element->fuel, (int)rejection.code, (unsigned long long)fuel);
    if (rejection.code == TH_REJECTED_BY_ACTOR && verifier->descriptor_known &&
        rejection.message.size > verifier->limits.message)
        return FIND(LIMIT, "the error's text is over the message limit");
    if (rejection.code == TH_REJECTED_STACK && !th_hash_equal(&element->effects, &verifier->no_effects))
        return FIND(EFFECTS, "a stack overflow leaves no effects");
    return check_input_limit(verifier, element, payloads, &rejection, reterr);
}

static theater_status check_effect(th_verifier *verifier, const th_element *element, const th_effect *effect,
                                   theater_error *reterr)
{
    if (effect->kind == TH_EFFECT_LOG)
        return THEATER_OK;
    if (element->type == TH_REJECTION)
        return FIND(EFFECTS, "effect %llu is a message, which a rejection drops",
                    (unsigned long long)effect->index);
    /* The format lets an answer name a request of a genesis or a transition. */
    if (effect->request == 0 || element->type == TH_UPGRADE)
        return THEATER_OK;
    return th_cause_book_request(&verifier->causes, effect->request, effect->to, reterr);
}

static theater_status check_effects(th_verifier *verifier, const th_element *element,
                                    const th_payload *payload, theater_error *reterr)
{
    if (th_hash_equal(&element->effects, &verifier->no_effects))
        return THEATER_OK;
    if (!payload->present)
        return element->type == TH_GENESIS || element->type == TH_TRANSITION
                   ? th_cause_book_dropped(&verifier->causes, element->sequence, reterr)
                   : THEATER_OK;
    th_effects_reader reader;
    theater_error inner;
    theater_status status = th_effects_read(payload->bytes, element->sequence, &reader, &inner);
    uint64_t size = 0;
    while (!status) {
        th_effect effect;
        bool more;
        status = th_effects_next(&reader, &effect, &more, &inner);
        if (status || !more)
            break;
        size += effect.encoding.size;
        theater_status checked = check_effect(verifier, element, &effect, reterr);
        if (checked)
            return checked;
    }
    if (status)
        return refused(verifier, element, TH_CHECK_EFFECTS, status, &inner, reterr);
    if (verifier->descriptor_known && size > verifier->limits.effects)
        return FIND(LIMIT, "%llu bytes of effects are over the limit of %llu", (unsigned long long)size,
                    (unsigned long long)verifier->limits.effects);
    return THEATER_OK;
}

/* An actor may write to itself: then this chain is the other one, and what the cause names must be behind us.
 */
static theater_status check_own_cause(th_verifier *verifier, const th_element *element, theater_error *reterr)
{
    const th_cause *cause = &element->cause;
    if (cause->kind == TH_CAUSE_UNDELIVERED || !th_slice_equal(cause->actor, verifier->actor))
        return THEATER_OK;
    if (cause->sequence >= element->sequence)
        return FIND(CAUSE, "the cause is element %llu of this chain, which comes later",
                    (unsigned long long)cause->sequence);
    if (th_hash_store_kept(&verifier->hashes) &&
        !th_hash_equal(&cause->hash, &verifier->hashes.leaves[cause->sequence]))
        return FIND(CAUSE, "the cause names element %llu of this chain with another hash",
                    (unsigned long long)cause->sequence);
    return THEATER_OK;
}

static theater_status check_cause(th_verifier *verifier, const th_element *element, theater_error *reterr)
{
    const th_cause *cause = &element->cause;
    if (cause->kind == TH_CAUSE_NONE)
        return THEATER_OK;
    if (cause->kind == TH_CAUSE_UNDELIVERED && !th_hash_equal(&element->input, &verifier->no_actor) &&
        !th_hash_equal(&element->input, &verifier->removed))
        return FIND(INPUT, "the input of an undelivered request is neither `no such actor` nor `removed`");
    theater_status status = check_own_cause(verifier, element, reterr);
    if (status)
        return status;
    const char *problem;
    bool unchecked;
    status = th_cause_book_take(&verifier->causes, cause, &problem, &unchecked, reterr);
    if (status)
        return status;
    verifier->report.unchecked_answers += unchecked;
    return problem ? FIND(CAUSE, "%s", problem) : THEATER_OK;
}

theater_status th_verifier_check_payloads(th_verifier *verifier, const th_element *element,
                                          const th_payloads *payloads, const th_element_hashes *hashes,
                                          theater_error *reterr)
{
    theater_status status = check_hashes(verifier, element, payloads, hashes, reterr);
    bool describes = element->type == TH_GENESIS || element->type == TH_UPGRADE;
    if (!status && describes)
        status = check_descriptor(verifier, element, &payloads->input, reterr);
    if (!status)
        status = check_limits(verifier, element, reterr);
    if (!status && element->type == TH_TRANSITION)
        status = check_transition(verifier, element, payloads, reterr);
    if (!status && element->type == TH_REJECTION)
        status = check_rejection(verifier, element, payloads, reterr);
    /* The cause before the effects: an element cannot answer its own request. */
    if (!status)
        status = check_cause(verifier, element, reterr);
    return status ? status : check_effects(verifier, element, &payloads->effects, reterr);
}
