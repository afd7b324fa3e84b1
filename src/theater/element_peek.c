#include "chain/cbor.h"
#include "theater/element_internal.h"

bool th_element_peek_type(th_slice encoding, th_element_type *ret)
{
    th_cbor_reader in = th_cbor_read(encoding);
    uint64_t pairs, version, sequence, type;
    th_hash previous;
    bool good = th_cbor_read_map(&in, &pairs) && th_cbor_expect_uint(&in, 0, "key 0") &&
                th_cbor_read_uint(&in, &version) && version == TH_ELEMENT_VERSION &&
                th_cbor_expect_uint(&in, 1, "key 1") && th_cbor_read_uint(&in, &sequence) &&
                th_cbor_expect_uint(&in, 2, "key 2") && th_cbor_read_hash(&in, &previous) &&
                th_cbor_expect_uint(&in, 3, "key 3") && th_cbor_read_uint(&in, &type) && type <= TH_UPGRADE;
    if (good)
        *ret = (th_element_type)type;
    return good;
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
