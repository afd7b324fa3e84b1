/* theater/theater.h: the whole public interface of libtheater. */
#ifndef THEATER_THEATER_H
#define THEATER_THEATER_H

#include "theater/debugger.h"
#include "theater/error.h"
#include "theater/folder.h"
#include "theater/runtime.h"
#include "theater/slice.h"

#ifdef __cplusplus
extern "C" {
#endif

/* "0.1.0". */
THEATER_API const char *theater_version(void);

/* The engine as it is named in the descriptors of actors that start here: "wasmtime-48". */
THEATER_API const char *theater_engine_name(void);
/* Makes an engine and says, for people, how instances are made on this machine: "pooling, pagemap_scan,
 * ..." (theater_bytes_free; a zero stands behind the text). ENGINE_FAILED, NO_MEMORY. */
THEATER_API THEATER_CHECKED theater_status theater_engine_describe(theater_bytes *ret, theater_error *reterr);

/* Where the library's diagnostic lines go; none by default. Level 0 trace to 4 error; `minimum` drops what
 * is below. The sink may be called from several threads at once. Set it before the first runtime opens. */
THEATER_API void theater_set_log(void (*sink)(void *context, int level, const char *message), void *context,
                                 int minimum);

#ifdef __cplusplus
}
#endif

#endif
