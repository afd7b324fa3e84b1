/* chain/checkpoint.h: a signed statement of a chain's size and head: a C2SP signed-note whose text is a C2SP
 * tlog-checkpoint. */
#ifndef TH_CHAIN_CHECKPOINT_H
#define TH_CHAIN_CHECKPOINT_H

#include "chain/element.h"
#include "crypto/ed25519.h"

#define TH_ORIGIN_DEFAULT "theater.local"
#define TH_ORIGIN_MAX 256
/* origin "/" actor "/" 16 hex digits */
#define TH_LOG_NAME_MAX (TH_ORIGIN_MAX + 1 + TH_NAME_MAX + 1 + 16)
/* A note that is longer is refused: it has room for our signature and for those of some witnesses. */
#define TH_NOTE_MAX 16384
#define TH_NOTE_SIGNATURES_MAX 32
#define TH_VERIFIER_KEY_MAX (TH_LOG_NAME_MAX + 1 + 8 + 1 + 44)

/* Whether the bytes may be a runtime's origin: 1 to TH_ORIGIN_MAX bytes of UTF-8 without Unicode spaces, `+`
 * or control characters. */
bool th_origin_valid(th_slice origin);

/* Appends `<origin>/<actor>/<first 16 hex digits of the genesis hash>`: the checkpoint's first line and the
 * name of its key. Errors: INVALID_ARGUMENT for an origin or a name that is none, TOO_LARGE, NO_MEMORY. */
THEATER_CHECKED theater_status th_log_name(th_slice origin, th_slice actor, const th_hash *genesis,
                                           th_buf *out, theater_error *reterr);

/* Whether a log name belongs to the chain of this actor with this genesis, under whatever origin. */
bool th_log_name_of_chain(th_slice log_name, th_slice actor, const th_hash *genesis);

/* The first four bytes of sha(name || 0x0a || 0x01 || public key), big-endian. */
uint32_t th_key_id(th_hasher *hasher, th_slice name, const uint8_t public_key[TH_ED25519_PUBLIC_SIZE]);

/* The public form of a key: `name+8 hex digits+base64(0x01 || public key)`. */
typedef struct th_verifier_key {
    th_slice name; /* borrowed */
    uint32_t id;
    uint8_t public_key[TH_ED25519_PUBLIC_SIZE];
} th_verifier_key;

/* Appends the text form. Errors: INVALID_ARGUMENT for a name that cannot be a key's, TOO_LARGE, NO_MEMORY. */
THEATER_CHECKED theater_status th_verifier_key_format(th_hasher *hasher, th_slice name,
                                                      const uint8_t public_key[TH_ED25519_PUBLIC_SIZE],
                                                      th_buf *out, theater_error *reterr);
/* Strict: the id must be that of name and key. ret->name borrows from the text. Errors: INVALID_ARGUMENT. */
THEATER_CHECKED theater_status th_verifier_key_parse(th_hasher *hasher, th_slice text, th_verifier_key *ret,
                                                     theater_error *reterr);

typedef struct th_checkpoint {
    th_slice name; /* the first line; borrowed */
    uint64_t size;
    th_hash head;
} th_checkpoint;

/* Appends the signed note. `name` is a log name. Errors: INVALID_ARGUMENT, TOO_LARGE, NO_MEMORY,
 * ENGINE_FAILED. */
THEATER_CHECKED theater_status th_checkpoint_sign(th_hasher *hasher, const th_signing_key *key,
                                                  const th_checkpoint *checkpoint, th_buf *out,
                                                  theater_error *reterr);

/* Reads a note without judging its signatures: text of exactly three lines, a blank line, then signature
 * lines, of which at least one bears the name of the first line. The name borrows from the note. Errors:
 * CORRUPT. */
THEATER_CHECKED theater_status th_checkpoint_parse(th_slice note, th_checkpoint *ret, theater_error *reterr);

/* As parse, and the note must carry a good signature of the key, whose name is the checkpoint's. Signatures
 * of other keys are passed over. Errors: CORRUPT when it is no checkpoint; VERIFY_FAILED when the name is
 * another, the signature is missing or does not verify; NO_MEMORY, ENGINE_FAILED. */
THEATER_CHECKED theater_status th_checkpoint_verify(th_hasher *hasher, th_slice note,
                                                    const th_verifier_key *key, th_checkpoint *ret,
                                                    theater_error *reterr);

#endif
