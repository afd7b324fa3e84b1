/* chain/descriptor.h: what an actor is: the input of a genesis and of an upgrade. */
#ifndef TH_CHAIN_DESCRIPTOR_H
#define TH_CHAIN_DESCRIPTOR_H

#include "base/bytes.h"

/* The one world of this version. */
#define TH_WORLD "theater:actor/guest@0.1.0"

/* The limits of an actor's turns, each at least 1. */
typedef struct th_limits {
    uint64_t fuel; /* per turn */
    uint64_t memory; /* bytes of each linear memory */
    uint64_t state; /* bytes */
    uint64_t message; /* bytes of an input, an output, a payload sent, the config, an error's text */
    uint64_t effects; /* bytes: encoded effects and payloads sent, in sum */
} th_limits;

/* Slices are borrowed: by the encoder for the call, from the bytes by the decoder. */
typedef struct th_descriptor {
    th_slice name;
    th_hash component; /* sha(component binary) */
    th_slice config;
    th_limits limits;
    th_slice engine; /* UTF-8; two runtimes with the same text must agree on every result and fuel count */
} th_descriptor;

/* Appends the encoding. Errors: INVALID_ARGUMENT when a field is not allowed (no name, a limit of 0, a config
 * over the message limit, an engine that is not UTF-8), TOO_LARGE, NO_MEMORY. */
THEATER_CHECKED theater_status th_descriptor_encode(const th_descriptor *descriptor, th_buf *out,
                                                    theater_error *reterr);

/* Strict. Errors: CORRUPT with the field's name. */
THEATER_CHECKED theater_status th_descriptor_decode(th_slice bytes, th_descriptor *ret,
                                                    theater_error *reterr);

#endif
