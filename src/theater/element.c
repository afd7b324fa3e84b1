#include "chain/rejection.h"
#include "theater/element_internal.h"
#include "theater/folder_internal.h"

static void fill_cause(theater_element *ret, const th_cause *cause)
{
    ret->cause =
        (theater_cause_kind)((int)cause->kind - 1); /* on the chain, and in public, each kind is one less */
    ret->cause_actor = cause->actor;
    ret->cause_sequence = cause->sequence;
    ret->cause_index = cause->index;
    ret->cause_request = cause->request;
    ret->cause_hash = cause->hash;
    ret->cause_failed = cause->failed;
}

static void fill_fields(theater_element *ret, const th_element *element)
{
    ret->sequence = element->sequence;
    ret->type = (theater_element_type)element->type;
    ret->previous = element->previous;
    ret->timestamp_ns = element->timestamp;
    ret->input_hash = element->input;
    ret->output_hash = element->output;
    ret->effects_hash = element->effects;
    ret->state_before = element->state_before;
    ret->state_after = element->state_after;
    ret->state_size = element->state_size;
    ret->fuel = element->fuel;
    ret->has_principal = element->principal.size > 0;
    ret->principal = element->principal;
    ret->has_id = element->id.size > 0;
    ret->id = element->id;
    fill_cause(ret, &element->cause);
}

theater_status th_element_fill(theater_element *ret, const th_record *record, theater_error *reterr)
{
    memset(ret, 0, sizeof *ret);
    th_element element;
    theater_status status = th_element_decode(record->element.element, &element, reterr);
    if (status)
        return status;
    fill_fields(ret, &element);
    ret->hash = record->element.hash;
    ret->encoding = record->element.element;
    th_payloads payloads = th_record_payloads(record);
    ret->input = payloads.input.bytes;
    ret->output = payloads.output.bytes;
    ret->effects = payloads.effects.bytes;
    ret->input_dropped = !payloads.input.present;
    ret->output_dropped = !payloads.output.present;
    ret->effects_dropped = !payloads.effects.present;
    if (element.type != TH_REJECTION || ret->output_dropped)
        return THEATER_OK;
    th_rejection rejection;
    status = th_rejection_decode(ret->output, &rejection, reterr);
    if (status)
        return status;
    ret->reject_code = rejection.code;
    ret->reject_text = rejection.message;
    return THEATER_OK;
}

theater_status theater_element_read(theater_folder *folder, uint64_t actor_id, uint64_t sequence,
                                    theater_element *ret, theater_error *reterr)
{
    memset(ret, 0, sizeof *ret);
    th_buf buf;
    th_buf_init(&buf, TH_READ_MAX);
    th_record record;
    theater_status status =
        th_store_read_element(folder->store, actor_id, sequence, &buf, &record, NULL, reterr);
    if (!status)
        status = th_element_fill(ret, &record, reterr);
    if (status) {
        th_buf_done(&buf);
        memset(ret, 0, sizeof *ret);
        return status;
    }
    ret->memory = th_buf_take(&buf); /* the bytes do not move, so the slices stay good */
    return THEATER_OK;
}

void theater_element_free(theater_element *element)
{
    theater_bytes_free(&element->memory);
    memset(element, 0, sizeof *element);
}

th_payloads th_record_payloads(const th_record *record)
{
    return (th_payloads){
        .input = {!record->element.input_dropped, record->element.input},
        .output = {!record->element.output_dropped, record->element.output},
        .effects = {!record->element.effects_dropped, record->element.effects},
    };
}

bool th_element_component(th_slice encoding, const th_payloads *payloads, th_hash *ret)
{
    th_element_type type;
    if (!th_element_peek_type(encoding, &type) || (type != TH_GENESIS && type != TH_UPGRADE))
        return false;
    th_descriptor descriptor;
    if (!payloads->input.present || th_descriptor_decode(payloads->input.bytes, &descriptor, NULL))
        return false;
    *ret = descriptor.component;
    return true;
}
