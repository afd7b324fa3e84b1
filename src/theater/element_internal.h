/* theater/element_internal.h: small readings of elements that several files need. */
#ifndef TH_THEATER_ELEMENT_INTERNAL_H
#define TH_THEATER_ELEMENT_INTERNAL_H

#include "chain/descriptor.h"
#include "chain/element.h"
#include "store/record.h"
#include "theater/folder.h"

/* The public form of an element's record; its slices point into what the record's point into. */
THEATER_CHECKED theater_status th_element_fill(theater_element *ret, const th_record *record,
                                               theater_error *reterr);

/* The payloads of an element's record as the chain code takes them. */
th_payloads th_record_payloads(const th_record *record);

/* The component that a genesis or an upgrade names. False for other elements, and where the descriptor is not
 * known or does not decode. */
bool th_element_component(th_slice encoding, const th_payloads *payloads, th_hash *ret);

#endif
