/* Causes against the other chains.
 *
 * Invariants
 *  1. What a lookup gave is used up, or copied, before the next lookup: its slices do not live longer.
 *  2. A cause is counted once: checked, missing (the chain or element is not there) or unchecked (what it
 *     takes was
 *     dropped or is of a later version). Only a contradiction is a finding.
 *  3. last[n] is the newest message of sender n that was taken in, and says which message of the same
 *     element must come next, so that one that was left out is found without reading anything twice. */
#include "chain/causes.h"

#include <stdarg.h>
#include <stdio.h>

#include "chain/effects.h"
#include "chain/name_table.h"
#include "chain/request_table.h"
#include "chain/verifier.h"

#define DEFAULT_SENDERS ((uint64_t)1 << 20)

/* Payloads whose hash is not made again: chains' elements come back once for each of their effects. */
#define USABLE 64

#define NONE UINT64_MAX /* no effect has this index: a payload of so many has no room in memory */

/* The newest message of a sender. */
typedef struct last_message {
    bool any;
    uint64_t sequence;
    uint64_t index;
    uint64_t next; /* index of the next message to this chain in the same element, or NONE */
    size_t offset; /* of the effect behind it in that element's effects; 0: not known */
    uint32_t requests; /* in that element up to there */
} last_message;

struct th_causes {
    th_slice actor;
    th_hasher *hasher;
    th_element_lookup lookup;
    void *context;
    uint64_t max_senders;
    th_name_table senders;
    last_message *last;
    uint32_t last_capacity;
    th_hash rejections[TH_REJECTIONS_FIXED]; /* outputs that their hash gives away */
    th_hash usable[USABLE]; /* payloads that were found right last */
    size_t usable_sizes[USABLE];
    size_t usable_next;
    th_request_table *requests; /* of this chain */
    th_undelivered_request *undelivered;
    size_t undelivered_count, undelivered_capacity;
    th_causes_report report;
};

/* How looking at one cause ended; what was found is a status. */
typedef enum cause_outcome { CHECKED, MISSING, UNCHECKED } cause_outcome;

theater_status th_causes_new(th_slice actor, th_hasher *hasher, th_element_lookup lookup, void *context,
                             uint64_t max_senders, uint64_t table_seed, th_causes **ret,
                             theater_error *reterr)
{
    th_causes *causes = th_alloc_zero(1, sizeof *causes);
    if (!causes)
        return th_fail_memory(reterr, "a check of causes");
    causes->actor = actor;
    causes->hasher = hasher;
    causes->lookup = lookup;
    causes->context = context;
    causes->max_senders = max_senders ? max_senders : DEFAULT_SENDERS;
    th_name_table_init(&causes->senders, table_seed);
    th_rejection_hashes(hasher, causes->rejections);
    theater_status status = th_request_table_new(&causes->requests, reterr);
    if (status)
        th_causes_free(causes);
    else
        *ret = causes;
    return status;
}

void th_causes_free(th_causes *causes)
{
    if (!causes)
        return;
    th_name_table_done(&causes->senders);
    th_request_table_free(causes->requests);
    th_free(causes->last);
    th_free(causes->undelivered);
    th_free(causes);
}

const th_undelivered_request *th_causes_undelivered(const th_causes *causes, size_t *ret_count)
{
    *ret_count = causes->undelivered_count;
    return causes->undelivered;
}

const th_causes_report *th_causes_report_of(const th_causes *causes)
{
    return &causes->report;
}

static theater_status found(th_causes *causes, const th_element *element, theater_error *reterr,
                            const char *format, ...) THEATER_PRINTF(4, 5);

static theater_status found(th_causes *causes, const th_element *element, theater_error *reterr,
                            const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    th_finding_set(&causes->report.finding, TH_CHECK_CAUSE, causes->actor, true, element->sequence, format,
                   arguments);
    va_end(arguments);
    causes->report.verdict = THEATER_VERIFY_FAILED;
    return th_fail(reterr, THEATER_VERIFY_FAILED, "%s", causes->report.finding.message);
}

/* ---- looking things up ----------------------------------------------------------------------- */

/* Element `sequence` of an actor, decoded. *ret_outcome is CHECKED when it is there and is understood. With
 * `hash` it must be the element with that hash, else there is a finding about `element`. */
static theater_status look_up(th_causes *causes, const th_element *element, th_slice actor, uint64_t sequence,
                              const th_hash *hash, th_found_element *ret, th_element *ret_element,
                              cause_outcome *ret_outcome, theater_error *reterr)
{
    *ret_outcome = MISSING;
    theater_status status = causes->lookup(causes->context, actor, sequence, ret, reterr);
    if (status)
        return status == THEATER_NOT_FOUND ? THEATER_OK : status;
    th_hash seen;
    th_element_hash(causes->hasher, ret->encoding, &seen);
    unsigned long long number = sequence;
    if (hash && !th_hash_equal(&seen, hash))
        return found(causes, element, reterr, "element %llu of actor %.*s has another hash", number,
                     (int)actor.size, (const char *)actor.data);
    *ret_outcome = CHECKED;
    theater_error inner;
    status = th_element_decode(ret->encoding, ret_element, &inner);
    if (status == THEATER_VERSION)
        *ret_outcome = UNCHECKED;
    else if (status || ret_element->sequence != sequence)
        return found(causes, element, reterr, "element %llu of actor %.*s cannot be its cause: %s", number,
                     (int)actor.size, (const char *)actor.data, status ? inner.message : "another sequence");
    return THEATER_OK;
}

/* Whether the payload is there and is the one that the element names. */
static bool payload_usable(th_causes *causes, const th_payload *payload, const th_hash *hash)
{
    if (!payload->present)
        return false;
    for (size_t i = 0; i < USABLE; i++) {
        if (payload->bytes.size == causes->usable_sizes[i] && th_hash_equal(&causes->usable[i], hash))
            return true;
    }
    th_hash seen;
    th_sha256_of(causes->hasher, payload->bytes, &seen);
    if (!th_hash_equal(&seen, hash))
        return false;
    causes->usable[causes->usable_next] = seen;
    causes->usable_sizes[causes->usable_next] = payload->bytes.size;
    causes->usable_next = (causes->usable_next + 1) % USABLE;
    return true;
}

/* The request effect with this id, when the element's effects are there. *ret_outcome is UNCHECKED when they
 * are not, MISSING when there is no such effect. */
static theater_status find_request(th_causes *causes, const th_found_element *where, const th_element *element,
                                   uint64_t request, th_effect *ret, cause_outcome *ret_outcome,
                                   theater_error *reterr)
{
    *ret_outcome = UNCHECKED;
    if (!payload_usable(causes, &where->payloads.effects, &element->effects))
        return THEATER_OK;
    bool there;
    theater_status status = th_request_table_find(causes->requests, &element->effects,
                                                  where->payloads.effects.bytes, request, ret, &there, reterr);
    *ret_outcome = there ? CHECKED : MISSING;
    return status;
}

/* ---- messages -------------------------------------------------------------------------------- */

static bool is_mine(const th_causes *causes, const th_effect *effect)
{
    return effect->kind == TH_EFFECT_MESSAGE && th_slice_equal(effect->to, causes->actor);
}

static theater_status left_out(th_causes *causes, const th_element *element, uint64_t sequence,
                               uint64_t index, theater_error *reterr)
{
    return found(causes, element, reterr, "effect %llu of element %llu of actor %.*s was left out before it",
                 (unsigned long long)index, (unsigned long long)sequence, (int)element->cause.actor.size,
                 (const char *)element->cause.actor.data);
}

/* The next message to this chain from the reader's place on; index NONE when there is none. What does not
 * decode ends the search: the sender's own verification names it. */
static void next_mine(const th_causes *causes, th_effects_reader *reader, th_effect *ret)
{
    bool more = true;
    while (!th_effects_next(reader, ret, &more, NULL) && more) {
        if (is_mine(causes, ret))
            return;
    }
    ret->index = NONE;
}

/* Elements of the sender between that of its last message and that of this one: none may have a message to
 * this chain. It ends where the sender's chain does, whatever number the cause names. */
static theater_status check_between(th_causes *causes, const th_element *element, const last_message *last,
                                    theater_error *reterr)
{
    const th_cause *cause = &element->cause;
    if (last->next != NONE)
        return left_out(causes, element, last->sequence, last->next, reterr);
    for (uint64_t sequence = last->sequence + 1; sequence < cause->sequence; sequence++) {
        th_found_element where;
        th_element sender;
        cause_outcome outcome;
        th_effects_reader reader;
        th_effect effect;
        theater_status status =
            look_up(causes, element, cause->actor, sequence, NULL, &where, &sender, &outcome, reterr);
        if (status || outcome == MISSING)
            return status;
        if (outcome == UNCHECKED || sender.type == TH_REJECTION || !where.payloads.effects.present ||
            th_effects_read(where.payloads.effects.bytes, sequence, &reader, NULL))
            continue;
        next_mine(causes, &reader, &effect);
        if (effect.index != NONE)
            return left_out(causes, element, sequence, effect.index, reterr);
    }
    return THEATER_OK;
}

/* The sender's entry, made when it is new. It stays where it is until the next sender comes. */
static theater_status last_of(th_causes *causes, th_slice actor, last_message **ret, theater_error *reterr)
{
    uint32_t number;
    bool is_new;
    theater_status status =
        th_name_table_number(&causes->senders, actor, causes->max_senders, &number, &is_new, reterr);
    if (status)
        return status;
    if (number >= causes->last_capacity) {
        uint32_t capacity = causes->senders.capacity;
        last_message *grown = th_realloc(causes->last, capacity * sizeof *grown);
        if (!grown)
            return th_fail_memory(reterr, "the senders of a chain");
        memset(grown + causes->last_capacity, 0, (capacity - causes->last_capacity) * sizeof *grown);
        causes->last = grown;
        causes->last_capacity = capacity;
    }
    *ret = &causes->last[number];
    return THEATER_OK;
}

static theater_status check_effect(th_causes *causes, const th_element *element, const th_effect *effect,
                                   theater_error *reterr)
{
    if (effect->index != element->cause.index || effect->kind != TH_EFFECT_MESSAGE)
        return found(causes, element, reterr, "its cause has no message as effect %llu",
                     (unsigned long long)element->cause.index);
    if (!is_mine(causes, effect))
        return found(causes, element, reterr, "its cause is a message to actor %.*s", (int)effect->to.size,
                     (const char *)effect->to.data);
    if (!th_hash_equal(&effect->payload, &element->input))
        return found(causes, element, reterr, "its input is not what its cause sent");
    return THEATER_OK;
}

/* Reads the sender's effects from behind its last message in the same element, or else from the beginning, to
 * the one that the cause names, and looks ahead for the one that must come next (invariant 3). */
static theater_status check_effects(th_causes *causes, const th_element *element, th_slice payload,
                                    last_message *last, theater_error *reterr)
{
    const th_cause *cause = &element->cause;
    th_effects_reader reader;
    th_effect effect = {.index = NONE};
    bool more = true, same = last->any && last->sequence == cause->sequence;
    uint64_t first = same ? last->index + 1 : 0;
    if (!th_effects_read(payload, cause->sequence, &reader, NULL)) {
        if (same && last->offset > 0) {
            reader.in.at += last->offset - (size_t)(reader.in.at - reader.in.begin);
            reader.index = last->index + 1;
            reader.requests = last->requests;
        }
        while (!th_effects_next(&reader, &effect, &more, NULL) && more && effect.index < cause->index) {
            if (last->any && effect.index >= first && is_mine(causes, &effect))
                return left_out(causes, element, cause->sequence, effect.index, reterr);
        }
    }
    theater_status status = check_effect(causes, element, &effect, reterr);
    if (status)
        return status;
    last->offset = (size_t)(reader.in.at - reader.in.begin);
    last->requests = reader.requests;
    next_mine(causes, &reader, &effect);
    last->next = effect.index;
    return THEATER_OK;
}

static theater_status check_message(th_causes *causes, const th_element *element, cause_outcome *ret,
                                    theater_error *reterr)
{
    const th_cause *cause = &element->cause;
    th_found_element where;
    th_element sender;
    last_message *last = NULL;
    theater_status status = last_of(causes, cause->actor, &last, reterr);
    if (status)
        return status;
    if (last->any && (cause->sequence < last->sequence ||
                      (cause->sequence == last->sequence && cause->index <= last->index)))
        return found(causes, element, reterr, "the messages of one sender do not ascend");
    if (last->any && cause->sequence > last->sequence)
        status = check_between(causes, element, last, reterr);
    if (!status)
        status = look_up(causes, element, cause->actor, cause->sequence, &cause->hash, &where, &sender, ret,
                         reterr);
    if (status)
        return status;
    if (*ret == CHECKED && sender.type == TH_REJECTION)
        return found(causes, element, reterr, "its cause is a rejection, which sends nothing");
    if (*ret == CHECKED && !payload_usable(causes, &where.payloads.effects, &sender.effects))
        *ret = UNCHECKED;
    last_message now = *last;
    if (*ret == CHECKED)
        status = check_effects(causes, element, where.payloads.effects.bytes, &now, reterr);
    else
        now.offset = 0, now.next = NONE; /* what comes behind it is not known either */
    now.any = true;
    now.sequence = cause->sequence;
    now.index = cause->index;
    *last = now;
    return status;
}

/* ---- answers --------------------------------------------------------------------------------- */

/* This chain's own request, which is effect `index` of the element that the request's id begins with, or any
 * of its effects with UINT64_MAX. With `hash` that element must have it. *ret_request (may be NULL) is filled
 * when it was found. */
static theater_status check_own_request(th_causes *causes, const th_element *element, const th_hash *hash,
                                        uint64_t index, th_undelivered_request *ret_request,
                                        cause_outcome *ret, theater_error *reterr)
{
    const th_cause *cause = &element->cause;
    th_found_element where;
    th_element own;
    uint64_t sequence = cause->request >> 16;
    if (sequence >= element->sequence || (cause->request & 0xffff) == 0)
        return found(causes, element, reterr, "it answers a request that was not made before it");
    theater_status status =
        look_up(causes, element, causes->actor, sequence, hash, &where, &own, ret, reterr);
    if (status || *ret != CHECKED)
        return status;
    th_effect effect;
    status = find_request(causes, &where, &own, cause->request, &effect, ret, reterr);
    if (status || *ret == UNCHECKED)
        return status;
    if (*ret == MISSING || !th_slice_equal(effect.to, cause->actor))
        return found(causes, element, reterr, "element %llu has no such request to actor %.*s",
                     (unsigned long long)sequence, (int)cause->actor.size, (const char *)cause->actor.data);
    if (index != UINT64_MAX && index != effect.index)
        return found(causes, element, reterr, "its cause answers another effect of element %llu",
                     (unsigned long long)sequence);
    if (ret_request) {
        *ret_request = (th_undelivered_request){.index = effect.index, .sequence = element->sequence};
        th_element_hash(causes->hasher, where.encoding, &ret_request->element);
    }
    return THEATER_OK;
}

static theater_status check_undelivered(th_causes *causes, const th_element *element, cause_outcome *ret,
                                        theater_error *reterr)
{
    th_undelivered_request request;
    theater_status status = check_own_request(causes, element, NULL, UINT64_MAX, &request, ret, reterr);
    if (status || *ret != CHECKED)
        return status;
    if (causes->undelivered_count == TH_UNDELIVERED_MAX) {
        *ret = UNCHECKED;
        return THEATER_OK;
    }
    if (causes->undelivered_count == causes->undelivered_capacity) {
        size_t capacity = causes->undelivered_capacity ? 2 * causes->undelivered_capacity : 16;
        th_undelivered_request *grown = th_realloc(causes->undelivered, capacity * sizeof *grown);
        if (!grown)
            return th_fail_memory(reterr, "the undelivered requests of a chain");
        causes->undelivered = grown;
        causes->undelivered_capacity = capacity;
    }
    causes->undelivered[causes->undelivered_count++] = request;
    return THEATER_OK;
}

/* The reason of a rejection was dropped, and its hash is of none of the fixed ones: then it is the actor's own
 * text, which this element has as its input. The lookup uses up what was found before (invariant 1). */
static theater_status check_own_text(th_causes *causes, const th_element *element, const th_hash *output,
                                     cause_outcome *ret, theater_error *reterr)
{
    th_found_element self;
    th_element again;
    theater_status status =
        look_up(causes, element, causes->actor, element->sequence, NULL, &self, &again, ret, reterr);
    if (status || *ret != CHECKED)
        return status;
    *ret = UNCHECKED;
    if (!payload_usable(causes, &self.payloads.input, &element->input))
        return THEATER_OK;
    th_buf text;
    th_hash expected = {{0}};
    th_buf_init(&text, self.payloads.input.bytes.size + 64);
    if (th_utf8_valid(self.payloads.input.bytes)) {
        th_rejection rejection = th_rejection_by_actor(self.payloads.input.bytes);
        status = th_rejection_encode(&rejection, &text, reterr);
        th_sha256_of(causes->hasher, th_buf_slice(&text), &expected);
    }
    th_buf_done(&text);
    if (!status && !th_hash_equal(&expected, output))
        return found(causes, element, reterr, "its input is not the text that rejected its request");
    return status;
}

/* What the input of an answer must be: the target's output, or the message of its rejection. */
static theater_status check_answer_input(th_causes *causes, const th_element *element,
                                         const th_found_element *where, const th_element *target,
                                         cause_outcome *ret, theater_error *reterr)
{
    th_hash expected = target->output;
    if (target->type == TH_REJECTION) {
        th_rejection rejection;
        if (!th_rejection_by_hash(causes->rejections, &target->output, &rejection) &&
            (!payload_usable(causes, &where->payloads.output, &target->output) ||
             th_rejection_decode(where->payloads.output.bytes, &rejection, NULL)))
            return check_own_text(causes, element, &target->output, ret, reterr);
        th_sha256_of(causes->hasher, rejection.message, &expected);
    }
    if (!th_hash_equal(&expected, &element->input))
        return found(causes, element, reterr, "its input is not what its cause answered");
    return THEATER_OK;
}

static theater_status check_answer(th_causes *causes, const th_element *element, cause_outcome *ret,
                                   theater_error *reterr)
{
    const th_cause *cause = &element->cause;
    th_found_element where;
    th_element target;
    theater_status status =
        look_up(causes, element, cause->actor, cause->sequence, &cause->hash, &where, &target, ret, reterr);
    if (status || *ret != CHECKED)
        return status;
    if (target.type != TH_TRANSITION && target.type != TH_REJECTION)
        return found(causes, element, reterr, "its cause is neither a transition nor a rejection");
    if (cause->failed != (target.type == TH_REJECTION))
        return found(causes, element, reterr, "its cause is a %s", th_element_type_name(target.type));
    if (target.cause.kind != TH_CAUSE_MESSAGE || !th_slice_equal(target.cause.actor, causes->actor) ||
        target.cause.sequence != cause->request >> 16)
        return found(causes, element, reterr, "its cause does not answer this actor's request");
    cause_outcome input = CHECKED;
    th_hash own = target.cause.hash; /* invariant 1 */
    uint64_t index = target.cause.index;
    status = check_answer_input(causes, element, &where, &target, &input, reterr);
    if (status)
        return status;
    status = check_own_request(causes, element, &own, index, NULL, ret, reterr);
    if (!status && *ret == CHECKED)
        *ret = input;
    return status;
}

/* ---- one element ----------------------------------------------------------------------------- */

theater_status th_causes_element(th_causes *causes, const th_element *element, theater_error *reterr)
{
    th_causes_report *report = &causes->report;
    cause_outcome outcome = CHECKED;
    theater_status status = THEATER_OK;
    uint64_t *count = NULL;
    if (report->verdict)
        return th_fail(reterr, report->verdict, "%s", report->finding.message);
    switch (element->cause.kind) {
    case TH_CAUSE_NONE:
        return THEATER_OK;
    case TH_CAUSE_MESSAGE:
        count = &report->messages;
        status = check_message(causes, element, &outcome, reterr);
        break;
    case TH_CAUSE_ANSWER:
        count = &report->answers;
        status = check_answer(causes, element, &outcome, reterr);
        break;
    case TH_CAUSE_UNDELIVERED:
        count = &report->undelivered;
        status = check_undelivered(causes, element, &outcome, reterr);
        break;
    }
    if (status)
        return status;
    *(outcome == CHECKED ? count : outcome == MISSING ? &report->missing : &report->unchecked) += 1;
    return THEATER_OK;
}
