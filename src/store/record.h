/* store/record.h: what stands in the log, one record a fact.
 *
 * A record is a payload inside one frame of the log; every record has a number, 0 for the first of a data
 * folder and one more each time, without a gap. Numbers order everything that happened in a data folder,
 * across all actors: what the index derives is a function of the records in the order of their numbers.
 *
 * Encoded by hand, little-endian; docs/data-folder.md is the page that describes it.
 * */
#ifndef TH_STORE_RECORD_H
#define TH_STORE_RECORD_H

#include "base/bytes.h"

typedef enum th_record_kind {
    TH_RECORD_COMPONENT = 1, /* a component's binary */
    TH_RECORD_COMPILED = 2, /* the SHA-256 of a compiled form that stands in the cache folder */
    TH_RECORD_ELEMENT = 3, /* one element with its payloads */
    TH_RECORD_SNAPSHOT = 4, /* the state after an element */
    TH_RECORD_LIFE = 5, /* an actor was started, stopped, resumed, removed or imported */
    TH_RECORD_CHECKPOINT = 6, /* a checkpoint was signed */
} th_record_kind;

/* What happened to an actor. STARTED and IMPORTED give the id its name and come before the actor's first
 * element. */
typedef enum th_life {
    TH_LIFE_STARTED = 1,
    TH_LIFE_STOPPED = 2,
    TH_LIFE_RESUMED = 3,
    TH_LIFE_REMOVED = 4,
    TH_LIFE_IMPORTED =
        5, /* a read-only archive: never runs, gets no message, and its effects are delivered to nobody */
} th_life;

/* Which message, answer or notice an input with a cause was: the key of the undelivered entry that it
 * consumes. `number` is the record that produced the message: the sender's element for a message, the
 * target's element for an answer, the requester's own element or the removal for a notice. `index` is the
 * effect's index for a message and for a notice "no such actor", TH_MESSAGE_ANSWER for an answer, and
 * counts from 0 through the removed actor's undelivered requests for a notice "removed". */
#define TH_MESSAGE_ANSWER UINT32_MAX
typedef struct th_message_key {
    uint64_t number;
    uint32_t index;
} th_message_key;

/* A record in memory. Slices are borrowed: from the caller when encoding, from the encoded bytes when
 * decoding. */
typedef struct th_record {
    th_record_kind kind;
    uint64_t actor; /* ELEMENT, SNAPSHOT, LIFE, CHECKPOINT: the actor's id in this data folder, ascending from
                       1, never used again */
    union {
        struct {
            th_hash hash;
            th_slice binary;
        } component;
        struct {
            th_hash component;
            th_slice fingerprint; /* th_engine_fingerprint */
            th_hash hash; /* sha(compiled form) */
        } compiled;
        struct {
            bool has_cause;
            th_message_key cause; /* which undelivered entry the input was */
            th_hash hash; /* the element hash, so that no reader must hash to know it */
            th_slice element; /* encoding by the chain format */
            th_slice input, output, effects;
            bool input_dropped, output_dropped, effects_dropped; /* archives only: the payload is not known */
            th_slice sent; /* payloads of the message effects, in their order, each with a 4-byte length
                              before it */
        } element;
        struct {
            uint64_t sequence;
            th_slice tree; /* compact range of the log tree of size sequence + 1: th_log_tree_encode */
            th_slice state;
        } snapshot;
        struct {
            th_life life;
            uint64_t time_ns;
            th_slice name; /* STARTED and IMPORTED */
        } life;
        struct {
            uint64_t size;
            th_hash head;
            th_slice note;
        } checkpoint;
    };
} th_record;

/* Appends the record's encoding to `out`. TOO_LARGE, NO_MEMORY. Pure. */
THEATER_CHECKED theater_status th_record_encode(const th_record *record, th_buf *out, theater_error *reterr);
/* Strict: every byte is accounted for, else CORRUPT. The slices of *ret point into `bytes`. */
THEATER_CHECKED theater_status th_record_decode(th_slice bytes, th_record *ret, theater_error *reterr);

/* Walks the payloads in `sent`: takes the next off the front of *sent; false at the end or when it is not
 * well-formed. */
bool th_record_next_sent(th_slice *sent, th_slice *ret_payload);

#endif
