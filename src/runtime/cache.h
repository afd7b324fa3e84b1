/* runtime/cache.h: compiled forms on disk: FOLDER/cache/COMPONENT-FINGERPRINT. They are native code, so one
 * is used only when its SHA-256 is the one that the log holds; anything else is dropped and compiled anew. */
#ifndef TH_RUNTIME_CACHE_H
#define TH_RUNTIME_CACHE_H

#include "runtime/core.h"

/* Callbacks of the loader; `context` is the runtime. */
theater_status th_cache_read_binary(void *context, const th_hash *hash, th_buf *out, theater_error *reterr);
theater_status th_cache_read(void *context, const th_hash *hash, th_buf *out, theater_error *reterr);
void th_cache_write(void *context, const th_hash *hash, th_slice compiled);

#endif
