/* theater/finder.h: finds the elements that causes name, for `verify --all`. */
#ifndef TH_THEATER_FINDER_H
#define TH_THEATER_FINDER_H

#include "crypto/sha256.h"
#include "theater/source.h"

typedef struct th_finder th_finder;

/* Over the chains of a source, which was walked. `hasher` and `source` are borrowed while it lives; `seed` as in
 * th_verify_options. *ret is the caller's. For one thread. NO_MEMORY. */
THEATER_CHECKED theater_status th_finder_new(th_source *source, th_hasher *hasher, uint64_t seed,
                                             th_finder **ret, theater_error *reterr);
void th_finder_free(th_finder *finder); /* accepts NULL */

/* The chain that a cause means with `actor`. Among those of this name it is the one whose element has the cause's
 * hash: a name may have been given to a new actor after the first was removed. When none has, or the cause has no
 * hash, the newest, so that the check finds the difference. The first time that a name of several chains is asked
 * for, their elements are all read; then it costs a look into a table. Errors: NOT_FOUND when no chain has the
 * name, NO_MEMORY, the source's. */
THEATER_CHECKED theater_status th_finder_chain(th_finder *finder, th_slice actor, const th_cause *cause,
                                               uint64_t *ret_place, theater_error *reterr);

/* As th_source_read_element; *ret is valid until the next call on the finder. The elements that were read last are
 * kept, within a bound: an element of many messages is the cause of as many. */
THEATER_CHECKED theater_status th_finder_read(th_finder *finder, uint64_t place, uint64_t sequence,
                                              th_source_element *ret, theater_error *reterr);

#endif
