/* store/record_internal.h: limits of records, and reading only the front of one. */
#ifndef TH_STORE_RECORD_INTERNAL_H
#define TH_STORE_RECORD_INTERNAL_H

#include "store/record.h"

/* Bytes of one record at the most: what fits into one append of 1 GiB with its frame. */
#define TH_RECORD_MAX ((1u << 30) - 64)
/* Bytes of an engine's fingerprint at the most: it is part of a key of the index. */
#define TH_FINGERPRINT_MAX 256

/* Decodes a record of `size` bytes of which only the first `front.size` are there. Of an ELEMENT it fills
 * all but input, output and sent, of a SNAPSHOT all but tree and state, and of the others only what is
 * there; CORRUPT also when the front is too short for that. With the whole record this is th_record_decode.
 */
THEATER_CHECKED theater_status th_record_decode_front(th_slice front, uint64_t size, th_record *ret,
                                                      theater_error *reterr);

#endif
