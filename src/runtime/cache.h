/* runtime/cache.h: compiled forms on disk: FOLDER/cache/COMPONENT-FINGERPRINT. They are native code, so one
 * is used only when its SHA-256 is the one that the log holds; anything else is dropped and compiled anew. */
#ifndef TH_RUNTIME_CACHE_H
#define TH_RUNTIME_CACHE_H

#include "runtime/core.h"

/* The binary of a component, from the log. NOT_FOUND. */
THEATER_CHECKED theater_status th_cache_binary(th_store *store, const th_hash *hash, th_buf *out,
                                               theater_error *reterr);
/* The compiled form of a component for an engine with this fingerprint. NOT_FOUND; CORRUPT when it is not
 * what was written. */
THEATER_CHECKED theater_status th_cache_load(th_store *store, th_port *port, const char *folder,
                                             const th_hash *hash, const char *fingerprint, th_buf *out,
                                             theater_error *reterr);

/* Callbacks of the loader; `context` is the runtime. */
theater_status th_cache_read_binary(void *context, const th_hash *hash, th_buf *out, theater_error *reterr);
theater_status th_cache_read(void *context, const th_hash *hash, th_buf *out, theater_error *reterr);
void th_cache_write(void *context, const th_hash *hash, th_slice compiled);

#endif
