#include "fixture.h"

#include <stdio.h>

static th_hasher *the_hasher;

static void free_hasher(void)
{
    th_hasher_free(the_hasher);
}

th_hasher *fixture_hasher(void)
{
    if (!the_hasher) {
        assert_ok(th_hasher_new(&the_hasher, reterr));
        atexit(free_hasher);
    }
    return the_hasher;
}

#ifdef TH_FAULTS
bool fixture_allocation_failed(uint64_t place)
{
    bool left = false;
    for (uint64_t i = 0; i < place && !left; i++) {
        void *memory = th_alloc(1);
        left = memory == NULL;
        th_free(memory);
    }
    th_allocation_fail_at(0);
    return !left;
}
#endif

theater_status slice_source_read(void *context, uint8_t *out, size_t size, size_t *ret_size,
                                 theater_error *reterr)
{
    slice_source *source = context;
    size_t left = source->bytes.size - source->at;
    if (source->step && size > source->step)
        size = source->step;
    if (size > left)
        size = left;
    if (size)
        memcpy(out, source->bytes.data + source->at, size);
    source->at += size;
    *ret_size = size;
    return THEATER_OK;
}

theater_status buffer_sink(void *buffer, const th_slice *parts, size_t count, theater_error *reterr)
{
    theater_status status = THEATER_OK;
    for (size_t i = 0; !status && i < count; i++)
        status = th_buf_append(buffer, parts[i], reterr);
    return status;
}

static theater_status feed(th_verifier *verifier, const th_bundle_item *item, theater_error *reterr)
{
    switch (item->kind) {
    case TH_BUNDLE_COMPONENT:
        return th_verifier_component(verifier, item->component, reterr);
    case TH_BUNDLE_SNAPSHOT:
        return th_verifier_snapshot(verifier, item->sequence, item->state, reterr);
    case TH_BUNDLE_ELEMENT:
        return th_verifier_element(verifier, item->element, &item->payloads, reterr);
    case TH_BUNDLE_CHECKPOINT:
        return th_verifier_checkpoint(verifier, item->text, reterr);
    default:
        return th_verifier_key_text(verifier, item->text, reterr);
    }
}

theater_status fixture_verify_bundle(th_slice bundle, const th_verify_options *options, th_verify_report *ret,
                                     theater_error *reterr)
{
    slice_source source = {.bytes = bundle};
    th_bundle_reader *reader = NULL;
    th_verifier *verifier = NULL;
    bool more = true;
    memset(ret, 0, sizeof *ret);
    theater_status status = th_bundle_reader_new(slice_source_read, &source, 1 << 24, &reader, reterr);
    while (!status && more) {
        th_bundle_item item;
        status = th_bundle_reader_next(reader, &item, &more, reterr);
        if (status)
            break;
        if (verifier && (!more || item.kind == TH_BUNDLE_HEADER)) {
            status = th_verifier_finish(verifier, ret, reterr);
            th_verifier_free(verifier);
            verifier = NULL;
        }
        if (status || !more)
            break;
        if (item.kind == TH_BUNDLE_HEADER) {
            th_verify_options mine = options ? *options : (th_verify_options){0};
            mine.actor = item.actor;
            status = th_verifier_new(&mine, fixture_hasher(), &verifier, reterr);
        } else {
            status = feed(verifier, &item, reterr);
            if (status == THEATER_VERIFY_FAILED)
                ret->finding = *th_verifier_finding(verifier);
        }
    }
    th_verifier_free(verifier);
    th_bundle_reader_free(reader);
    return status;
}

/* ---- chains made to order -------------------------------------------------------------------- */

static made_element *append(made_chain *chain, th_element_type type)
{
    assert_true(chain->count < MADE_MAX);
    made_element *element = &chain->elements[chain->count];
    memset(element, 0, sizeof *element);
    th_buf_init(&element->input, SIZE_MAX / 2);
    th_buf_init(&element->output, SIZE_MAX / 2);
    th_buf_init(&element->effects, SIZE_MAX / 2);
    th_buf_init(&element->state, SIZE_MAX / 2);
    element->fields.type = type;
    element->fields.timestamp = 1700000000000000000u + 1000 * chain->count;
    element->fields.fuel = 10;
    chain->count++;
    return element;
}

static void set(th_buf *buffer, th_slice bytes)
{
    th_buf_clear(buffer);
    assert_ok(th_buf_append(buffer, bytes, reterr));
}

static void hash_of(const th_buf *buffer, th_hash *ret)
{
    th_sha256_of(fixture_hasher(), th_buf_slice(buffer), ret);
}

void chain_set(th_buf *payload, const char *text)
{
    set(payload, th_slice_text(text));
}

void chain_relink(made_chain *chain, size_t from)
{
    for (size_t i = from; i < chain->count; i++) {
        made_element *element = &chain->elements[i];
        if (i > 0)
            element->fields.previous = chain->elements[i - 1].hash;
        element->size = th_element_encode(&element->fields, element->encoding);
        th_element_hash(fixture_hasher(), th_slice_of(element->encoding, element->size), &element->hash);
    }
}

void chain_seal(made_chain *chain, size_t from)
{
    for (size_t i = from; i < chain->count; i++) {
        made_element *element = &chain->elements[i];
        th_element *fields = &element->fields;
        fields->sequence = i;
        fields->state_before = i > 0 ? chain->elements[i - 1].fields.state_after : th_sha256_empty;
        th_state_root(fixture_hasher(), th_buf_slice(&element->state), &fields->state_after);
        fields->state_size = element->state.size;
        hash_of(&element->input, &fields->input);
        hash_of(&element->output, &fields->output);
        hash_of(&element->effects, &fields->effects);
    }
    chain_relink(chain, from);
}

static void set_descriptor(made_chain *chain, th_buf *input)
{
    th_descriptor descriptor = {
        .name = th_slice_text(chain->actor),
        .config = th_slice_text("config"),
        .limits = chain->limits,
        .engine = th_slice_text("wasmtime-48"),
    };
    memset(descriptor.component.bytes, 7, THEATER_HASH_SIZE);
    th_buf_clear(input);
    assert_ok(th_descriptor_encode(&descriptor, input, reterr));
}

void chain_begin(made_chain *chain, const char *actor)
{
    chain->count = 0;
    snprintf(chain->actor, sizeof chain->actor, "%s", actor);
    chain->limits = (th_limits){1000, 1 << 20, 1 << 20, 100, 1000};
    made_element *element = append(chain, TH_GENESIS);
    set_descriptor(chain, &element->input);
    set(&element->effects, th_slice_of(TH_EFFECTS_NONE, 1));
    set(&element->state, th_slice_text("0"));
    chain_seal(chain, 0);
}

void chain_free(made_chain *chain)
{
    for (size_t i = 0; i < chain->count; i++) {
        made_element *element = &chain->elements[i];
        th_buf_done(&element->input);
        th_buf_done(&element->output);
        th_buf_done(&element->effects);
        th_buf_done(&element->state);
    }
    chain->count = 0;
}

made_element *chain_transition(made_chain *chain, const char *input, const char *output, const char *state,
                               const th_slice *effects, const th_cause *cause)
{
    made_element *element = append(chain, TH_TRANSITION);
    set(&element->input, th_slice_text(input));
    set(&element->output, th_slice_text(output));
    set(&element->effects, effects ? *effects : th_slice_of(TH_EFFECTS_NONE, 1));
    set(&element->state, th_slice_text(state));
    if (cause)
        element->fields.cause = *cause;
    chain_seal(chain, chain->count - 1);
    return element;
}

made_element *chain_rejection(made_chain *chain, const char *input, th_rejection rejection,
                              const th_cause *cause)
{
    made_element *element = append(chain, TH_REJECTION);
    set(&element->input, th_slice_text(input));
    assert_ok(th_rejection_encode(&rejection, &element->output, reterr));
    set(&element->effects, th_slice_of(TH_EFFECTS_NONE, 1));
    set(&element->state, th_buf_slice(&element[-1].state));
    element->fields.fuel = th_rejection_element_fuel(rejection.code, 10, chain->limits.fuel);
    if (cause)
        element->fields.cause = *cause;
    chain_seal(chain, chain->count - 1);
    return element;
}

made_element *chain_upgrade(made_chain *chain, const th_limits *limits)
{
    made_element *element = append(chain, TH_UPGRADE);
    chain->limits = *limits;
    set_descriptor(chain, &element->input);
    set(&element->effects, th_slice_of(TH_EFFECTS_NONE, 1));
    set(&element->state, th_buf_slice(&element[-1].state));
    chain_seal(chain, chain->count - 1);
    return element;
}

th_payloads chain_payloads(const made_element *element)
{
    return (th_payloads){
        .input = th_payload_of(th_buf_slice(&element->input)),
        .output = th_payload_of(th_buf_slice(&element->output)),
        .effects = th_payload_of(th_buf_slice(&element->effects)),
    };
}

theater_status chain_verify(const made_chain *chain, th_verify_report *ret, theater_error *reterr)
{
    th_verify_options options = {.actor = th_slice_text(chain->actor)};
    th_verifier *verifier;
    theater_status status = th_verifier_new(&options, fixture_hasher(), &verifier, reterr);
    if (status)
        return status;
    for (size_t i = 0; !status && i < chain->count; i++) {
        const made_element *element = &chain->elements[i];
        th_payloads payloads = chain_payloads(element);
        status =
            th_verifier_element(verifier, th_slice_of(element->encoding, element->size), &payloads, reterr);
    }
    if (!status || status == THEATER_VERIFY_FAILED)
        status = th_verifier_finish(verifier, ret, reterr);
    th_verifier_free(verifier);
    return status;
}

void chain_must_fail(const made_chain *chain, th_check check, uint64_t sequence)
{
    th_verify_report report;
    theater_error error = {0};
    theater_status status = chain_verify(chain, &report, &error);
    if (status != THEATER_VERIFY_FAILED)
        fail_msg("verified with status %d (%s), not %s", status, error.message, th_check_name(check));
    if (report.finding.check != check || report.finding.sequence != sequence)
        fail_msg("found %s at %llu instead of %s at %llu: %s", th_check_name(report.finding.check),
                 (unsigned long long)report.finding.sequence, th_check_name(check),
                 (unsigned long long)sequence, report.finding.message);
    assert_string_equal(error.message, report.finding.message);
    char place[100];
    snprintf(place, sizeof place, "element %llu of actor %s: ", (unsigned long long)sequence, chain->actor);
    assert_memory_equal(error.message, place, strlen(place));
}

void chain_must_hold(const made_chain *chain)
{
    th_verify_report report;
    assert_ok(chain_verify(chain, &report, reterr));
    assert_int_equal(report.elements, chain->count);
}
