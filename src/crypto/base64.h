/* crypto/base64.h: base64 as in RFC 4648, section 4: the standard alphabet, with padding. */
#ifndef TH_CRYPTO_BASE64_H
#define TH_CRYPTO_BASE64_H

#include "base/bytes.h"

/* Characters that `size` bytes take, without a terminating zero. `size` is at most SIZE_MAX / 2. */
static inline size_t th_base64_size(size_t size)
{
    return (size + 2) / 3 * 4;
}

/* Writes th_base64_size(bytes.size) characters and no zero. */
void th_base64_encode(th_slice bytes, char *out);

/* Reads text that is the one encoding of its bytes: full groups of four, padding where it belongs, unused
 * bits zero, nothing else (no spaces or newlines). False when it is not, or when it does not fit into `room`
 * bytes. */
bool th_base64_decode(th_slice text, uint8_t *out, size_t room, size_t *ret_size);

#endif
