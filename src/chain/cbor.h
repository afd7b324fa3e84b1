/* chain/cbor.h: the core deterministic encoding of CBOR (RFC 8949, section 4.2.1), as far as the chain format
 * uses it.
 *
 * Unsigned integers, byte and text strings, arrays and maps of known length, false, true and null. The
 * encoder cannot make anything else; the decoder refuses anything else: long forms, indefinite lengths,
 * negative integers, tags, floats, text that is not UTF-8. Key order and types are the caller's to ask for,
 * so each format's decoder reads like its description. */
#ifndef TH_CHAIN_CBOR_H
#define TH_CHAIN_CBOR_H

#include "base/bytes.h"

/* Major types as they stand in the first three bits of a head. */
typedef enum th_cbor_major {
    TH_CBOR_UINT = 0,
    TH_CBOR_BYTES = 2,
    TH_CBOR_TEXT = 3,
    TH_CBOR_ARRAY = 4,
    TH_CBOR_MAP = 5,
    TH_CBOR_SIMPLE = 7,
} th_cbor_major;

#define TH_CBOR_HEAD_MAX 9
#define TH_CBOR_FALSE 0xf4
#define TH_CBOR_TRUE 0xf5
#define TH_CBOR_NULL 0xf6

/* ---- encoding into room that the caller has measured: each returns the place behind what it wrote  */

/* How many bytes the head of `value` takes: 1, 2, 3, 5 or 9. */
static inline size_t th_cbor_head_size(uint64_t value)
{
    return value < 24 ? 1 : value <= UINT8_MAX ? 2 : value <= UINT16_MAX ? 3 : value <= UINT32_MAX ? 5 : 9;
}

/* At most TH_CBOR_HEAD_MAX bytes: a major type with its value (an integer, a length or a count). */
uint8_t *th_cbor_put_head(uint8_t *at, th_cbor_major major, uint64_t value);
static inline uint8_t *th_cbor_put_uint(uint8_t *at, uint64_t value)
{
    return th_cbor_put_head(at, TH_CBOR_UINT, value);
}
/* A head and the bytes; `major` is TH_CBOR_BYTES or TH_CBOR_TEXT (then `bytes` is valid UTF-8 already). */
uint8_t *th_cbor_put_string(uint8_t *at, th_cbor_major major, th_slice bytes);

/* ---- encoding onto a buffer; errors are those of th_buf_extend ------------------------------- */

THEATER_CHECKED theater_status th_cbor_append_head(th_buf *out, th_cbor_major major, uint64_t value,
                                                   theater_error *reterr);
THEATER_CHECKED theater_status th_cbor_append_uint(th_buf *out, uint64_t value, theater_error *reterr);
THEATER_CHECKED theater_status th_cbor_append_bytes(th_buf *out, th_slice bytes, theater_error *reterr);
/* `text` is valid UTF-8 already. */
THEATER_CHECKED theater_status th_cbor_append_text(th_buf *out, th_slice text, theater_error *reterr);

/* ---- decoding -------------------------------------------------------------------------------- */

/* A place in borrowed bytes. After a failure `problem` says in words what was wrong at offset `at - begin`,
 * and the reader does not move any more. The first failure stays. */
typedef struct th_cbor_reader {
    const uint8_t *begin;
    const uint8_t *at;
    const uint8_t *end;
    const char *problem;
} th_cbor_reader;

static inline th_cbor_reader th_cbor_read(th_slice bytes)
{
    const uint8_t *begin = bytes.size ? bytes.data : (const uint8_t *)"";
    return (th_cbor_reader){begin, begin, begin + bytes.size, NULL};
}

/* Each reads one item and moves behind it, or returns false and sets `problem`. Strings borrow from the
 * input. */
bool th_cbor_read_uint(th_cbor_reader *in, uint64_t *ret);
bool th_cbor_read_bytes(th_cbor_reader *in, th_slice *ret);
bool th_cbor_read_text(th_cbor_reader *in, th_slice *ret);
bool th_cbor_read_bool(th_cbor_reader *in, bool *ret);
/* The count of elements, or of pairs; the elements follow. */
bool th_cbor_read_array(th_cbor_reader *in, uint64_t *ret_count);
bool th_cbor_read_map(th_cbor_reader *in, uint64_t *ret_count);
/* A byte string of exactly 32 bytes. */
bool th_cbor_read_hash(th_cbor_reader *in, th_hash *ret);
/* An unsigned integer that must be `value`, usually the next key; `problem` becomes `otherwise`. */
bool th_cbor_expect_uint(th_cbor_reader *in, uint64_t value, const char *otherwise);
/* A byte string or null: *ret_present is false for null. */
bool th_cbor_read_bytes_or_null(th_cbor_reader *in, bool *ret_present, th_slice *ret);
/* True at the end of the input; otherwise false, with `problem` set. */
bool th_cbor_read_end(th_cbor_reader *in);
/* Sets `problem` unless one is set, and returns false: for what only the caller can judge. */
bool th_cbor_refuse(th_cbor_reader *in, const char *problem);
/* Whether anything is left. */
static inline bool th_cbor_more(const th_cbor_reader *in)
{
    return !in->problem && in->at < in->end;
}

/* THEATER_CORRUPT with "WHAT: problem at byte N"; the usual end of a decoder that failed. */
theater_status th_cbor_fail(const th_cbor_reader *in, const char *what, theater_error *reterr);

#endif
