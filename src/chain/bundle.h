/* chain/bundle.h: chains as one file: a CBOR sequence (RFC 8742) of headers and items. */
#ifndef TH_CHAIN_BUNDLE_H
#define TH_CHAIN_BUNDLE_H

#include "chain/element.h"

/* ---- writing --------------------------------------------------------------------------------- */

/* Takes the parts, one after the other; they are borrowed for the call. Errors end the writing and are
 * returned as they are. */
typedef theater_status (*th_bundle_sink)(void *context, const th_slice *parts, size_t count,
                                         theater_error *reterr);

/* What was written last, so that an order which the format forbids asserts. */
typedef struct th_bundle_writer {
    th_bundle_sink sink;
    void *context;
    int stage; /* 0 nothing, 1 a header, 2 items, 3 a key, 4 checkpoints */
} th_bundle_writer;

void th_bundle_writer_init(th_bundle_writer *writer, th_bundle_sink sink, void *context);
/* Begins a chain; several may follow one another. `actor` is a name. All of these return the sink's errors.
 */
THEATER_CHECKED theater_status th_bundle_write_header(th_bundle_writer *writer, th_slice actor,
                                                      theater_error *reterr);
/* Before the element that names it. */
THEATER_CHECKED theater_status th_bundle_write_component(th_bundle_writer *writer, th_slice component,
                                                         theater_error *reterr);
/* After its element: the state after it. */
THEATER_CHECKED theater_status th_bundle_write_snapshot(th_bundle_writer *writer, uint64_t sequence,
                                                        th_slice state, theater_error *reterr);
/* In ascending sequence from 0. A payload that is not present becomes null. */
THEATER_CHECKED theater_status th_bundle_write_element(th_bundle_writer *writer, th_slice encoding,
                                                       const th_payloads *payloads, theater_error *reterr);
/* At most one, after all elements. */
THEATER_CHECKED theater_status th_bundle_write_key(th_bundle_writer *writer, th_slice verifier_key,
                                                   theater_error *reterr);
/* Any number, last. */
THEATER_CHECKED theater_status th_bundle_write_checkpoint(th_bundle_writer *writer, th_slice note,
                                                          theater_error *reterr);

/* ---- reading --------------------------------------------------------------------------------- */

/* Fills up to `size` bytes; *ret_size 0 means the end. Errors end the reading and are returned as they are.
 */
typedef theater_status (*th_bundle_source)(void *context, uint8_t *out, size_t size, size_t *ret_size,
                                           theater_error *reterr);

typedef enum th_bundle_kind {
    TH_BUNDLE_HEADER = 0,
    TH_BUNDLE_COMPONENT = 1,
    TH_BUNDLE_SNAPSHOT = 2,
    TH_BUNDLE_ELEMENT = 3,
    TH_BUNDLE_CHECKPOINT = 4,
    TH_BUNDLE_KEY = 5,
} th_bundle_kind;

/* One item; slices are borrowed from the reader until its next call. */
typedef struct th_bundle_item {
    th_bundle_kind kind;
    uint64_t offset; /* bytes of the file before this item */
    th_slice actor; /* HEADER */
    th_slice component; /* COMPONENT */
    uint64_t sequence; /* SNAPSHOT */
    th_slice state; /* SNAPSHOT */
    th_slice element; /* ELEMENT: the encoding, not yet decoded */
    th_payloads payloads; /* ELEMENT */
    th_slice text; /* CHECKPOINT: the note; KEY: the verifier key */
} th_bundle_item;

typedef struct th_bundle_reader th_bundle_reader;

/* A reader that refuses items of more than `max_item` bytes (65,536 at the least) and never holds more. *ret
 * is the caller's. Errors: NO_MEMORY. */
THEATER_CHECKED theater_status th_bundle_reader_new(th_bundle_source source, void *context, size_t max_item,
                                                    th_bundle_reader **ret, theater_error *reterr);
void th_bundle_reader_free(th_bundle_reader *reader); /* accepts NULL */

/* The next item, or *ret_more false at the end of the file. Strict about encoding, kinds and their order (a
 * header first; at most one key, then checkpoints, last); what is inside the items is the verifier's
 * (chain/verify.h). Errors: CORRUPT with the offset, VERSION for a bundle of a later version, TOO_LARGE,
 * NO_MEMORY, the source's. After an error every call gives an error. */
THEATER_CHECKED theater_status th_bundle_reader_next(th_bundle_reader *reader, th_bundle_item *ret,
                                                     bool *ret_more, theater_error *reterr);

#endif
