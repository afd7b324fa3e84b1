/* theater/slice.h: borrowed and owned bytes, and hashes. */
#ifndef THEATER_SLICE_H
#define THEATER_SLICE_H

#include <stddef.h>
#include <stdint.h>

#include "theater/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Borrowed bytes: who made the slice keeps them alive for as long as the function it is given to runs,
 * unless that function says otherwise. `data` may be NULL only when `size` is 0. */
typedef struct theater_slice {
    const uint8_t *data;
    size_t size;
} theater_slice;

/* Bytes that the holder owns and gives back with theater_bytes_free. */
typedef struct theater_bytes {
    uint8_t *data;
    size_t size;
} theater_bytes;

/* A SHA-256 value: an element hash, a state root, a component hash. */
#define THEATER_HASH_SIZE 32
typedef struct theater_hash {
    uint8_t bytes[THEATER_HASH_SIZE];
} theater_hash;

/* Frees what a function gave as theater_bytes and empties it. Accepts an empty one. */
THEATER_API void theater_bytes_free(theater_bytes *bytes);

#ifdef __cplusplus
}
#endif

#endif
