/* store/frame.h: the frame around a record in the log, and the checksum of everything in the store.
 *
 *   offset  size
 *        0     8  number of the record
 *        8     4  length of the payload (the encoded record)
 *       12     4  place in its commit, from 0
 *       16     4  records of its commit
 *       20     4  header check: the low half of a hash over the fields above, the frame's position and the
 *                 store's identity
 *       24     8  payload check: hash of the payload, combined with the whole hash of the header
 *       32        payload, then zeros up to a multiple of 8
 *
 * A frame is valid only at its own position in its own data folder: bytes that were moved, or that stem
 * from another folder, are never taken for a record. The header has its own check, so a search for frames
 * hashes no payload in vain. */
#ifndef TH_STORE_FRAME_H
#define TH_STORE_FRAME_H

#include "base/bytes.h"

#define TH_FRAME_HEADER 32
#define TH_FRAME_ALIGN 8
/* Bytes of one append with its frames at the most. */
#define TH_APPEND_MAX (1u << 30)

/* A header's fields. */
typedef struct th_frame {
    uint64_t number;
    uint32_t length;
    uint32_t place;
    uint32_t count;
    uint64_t sum; /* the payload check as it stands there */
    uint64_t header; /* the whole hash of the header */
} th_frame;

/* Bytes that a frame takes with its padding. */
static inline uint64_t th_frame_size(uint64_t length)
{
    return (TH_FRAME_HEADER + length + TH_FRAME_ALIGN - 1) & ~(uint64_t)(TH_FRAME_ALIGN - 1);
}

/* XXH3 with 64 bits (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md). Guards against
 * accidents, not against people. Pure, any thread. */
uint64_t th_checksum(th_slice bytes, uint64_t seed);

/* The same hash over parts that come one after the other. */
typedef struct th_checksum_stream th_checksum_stream;
THEATER_CHECKED theater_status th_checksum_begin(th_checksum_stream **ret, theater_error *reterr);
void th_checksum_add(th_checksum_stream *stream, th_slice bytes);
uint64_t th_checksum_end(th_checksum_stream *stream); /* frees the stream */

/* Writes the header of the frame at `position` to `out` (TH_FRAME_HEADER bytes). `key` is derived from the
 * store's identity. Returns the payload check. */
uint64_t th_frame_encode(uint64_t key, uint64_t position, uint64_t number, uint32_t place, uint32_t count,
                         th_slice payload, uint8_t *out);
/* Whether a header of this store stands at `in` for that position. The payload is not looked at. */
bool th_frame_decode(uint64_t key, uint64_t position, const uint8_t *in, th_frame *ret);
/* Whether the payload is the one that the header was made for. */
bool th_frame_holds(const th_frame *frame, const uint8_t *payload);

#endif
