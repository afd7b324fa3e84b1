/* theater/proof_text.h: proofs as text; docs/proofs.md describes the two forms. */
#ifndef TH_THEATER_PROOF_TEXT_H
#define TH_THEATER_PROOF_TEXT_H

#include "chain/checkpoint.h"
#include "chain/merkle.h"

#define TH_INCLUSION_HEADER "c2sp.org/tlog-proof@v1"
#define TH_CONSISTENCY_HEADER "theater-consistency-proof@v1"

/* A proof holds at most two notes, an element and TH_PROOF_MAX hashes of 44 characters. */
#define TH_PROOF_TEXT_MAX (2 * TH_NOTE_MAX + 8192)

/* Appends the text. Errors: TOO_LARGE, NO_MEMORY. */
THEATER_CHECKED theater_status th_proof_text_inclusion(uint64_t index, th_slice element,
                                                       const th_proof *proof, th_slice note, th_buf *out,
                                                       theater_error *reterr);
THEATER_CHECKED theater_status th_proof_text_consistency(const th_proof *proof, th_slice older,
                                                         th_slice newer, th_buf *out, theater_error *reterr);

/* A text that was read; slices point into it. */
typedef struct th_proof_text {
    bool is_consistency;
    uint64_t index; /* inclusion */
    uint8_t element[TH_ELEMENT_MAX]; /* inclusion: the extra data */
    size_t element_size;
    th_proof proof;
    th_slice note; /* the newer one of a consistency proof */
    th_slice older; /* consistency: the older note, still in base64 */
} th_proof_text;

/* Strict: every line must be there and nothing else. Errors: CORRUPT with the line's number; VERSION for a
 * later version. */
THEATER_CHECKED theater_status th_proof_text_parse(th_slice text, th_proof_text *ret, theater_error *reterr);

#endif
