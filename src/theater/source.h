/* theater/source.h: chains to be checked, from a data folder or from a bundle file, behind one interface.
 *
 * A source has chains, each with a place: in a folder the actor's id, in a bundle its number in the order of
 * the file. A walk goes over all of them, or over the one actor that was asked for; reading by place reaches
 * every chain of the folder or bundle. Chains do not change while the source is open. All functions that read
 * may be called from several threads at once, each with a buffer of its own. */
#ifndef TH_THEATER_SOURCE_H
#define TH_THEATER_SOURCE_H

#include "chain/element.h"
#include "port/port.h"
#include "theater/execution.h"
#include "theater/folder.h"

typedef struct th_source th_source;

/* One element with what payloads there are; slices point into the buffer that it was read with. */
typedef struct th_source_element {
    th_slice encoding;
    th_payloads payloads;
} th_source_element;

/* A chain as its source names it, before anything was checked. */
typedef struct th_source_chain {
    uint64_t place;
    char name[TH_NAME_MAX + 1];
    th_slice key; /* the verifier key that a folder has for the chain; empty in a bundle, whose key comes as
                     an item */
} th_source_chain;

/* Takes the items of one chain in a bundle's order; see th_verifier. Any failure ends the walk and is
 * returned as it is. */
typedef struct th_walker {
    void *context;
    theater_status (*begin)(void *context, const th_source_chain *chain, theater_error *reterr);
    theater_status (*component)(void *context, th_slice component, theater_error *reterr);
    theater_status (*element)(void *context, const th_source_element *element, theater_error *reterr);
    theater_status (*snapshot)(void *context, uint64_t sequence, th_slice state, theater_error *reterr);
    theater_status (*key)(void *context, th_slice text, theater_error *reterr);
    theater_status (*checkpoint)(void *context, th_slice note, theater_error *reterr);
    theater_status (*end)(void *context, theater_error *reterr);
    /* Whether a snapshot may come some elements after the one that it follows, which lets a folder be read in
     * the order of its log. */
    bool late_snapshots;
    /* How far the walk is; may be NULL. `all` is an estimate for a bundle. */
    void (*progress)(void *context, uint64_t done, uint64_t all);
} th_walker;

/* Opens what `source` names. A bundle is only opened; it is read by th_source_walk, and the functions that
 * read by place need one walk that came to the end. Errors: NOT_FOUND (no such file or actor), PERMISSION,
 * IO, NO_MEMORY. */
THEATER_CHECKED theater_status th_source_open(const theater_source *source, th_source **ret,
                                              theater_error *reterr);
void th_source_close(th_source *source); /* accepts NULL */

/* Walks over the chains. CORRUPT: the bundle's frame or the folder's log is damaged; the message has the
 * place. */
THEATER_CHECKED theater_status th_source_walk(th_source *source, const th_walker *walker,
                                              theater_error *reterr);

/* From here on each walk gives the bytes that the first one gives, or ends with CORRUPT where they differ: so what was
 * verified is what is used, whoever writes to the bundle's file meanwhile. Before the first walk. A folder's chains
 * do not change. NO_MEMORY. */
THEATER_CHECKED theater_status th_source_pin(th_source *source, theater_error *reterr);

/* Reads many elements, each near to the one before: several times as fast as th_source_read_element. For one thread;
 * ends before its source. */
typedef struct th_source_reader th_source_reader;
THEATER_CHECKED theater_status th_source_reader_new(th_source *source, th_source_reader **ret,
                                                    theater_error *reterr);
void th_source_reader_free(th_source_reader *reader); /* accepts NULL */
/* As th_source_read_element; *ret is valid until the next call. */
THEATER_CHECKED theater_status th_source_reader_get(th_source_reader *reader, uint64_t place,
                                                    uint64_t sequence, th_source_element *ret,
                                                    theater_error *reterr);

/* NOT_FOUND past the end of the chain. */
THEATER_CHECKED theater_status th_source_read_element(th_source *source, uint64_t place, uint64_t sequence,
                                                      th_buf *buf, th_source_element *ret,
                                                      theater_error *reterr);
/* The state after exactly this element. NOT_FOUND when there is no snapshot of it. */
THEATER_CHECKED theater_status th_source_read_snapshot(th_source *source, uint64_t place, uint64_t sequence,
                                                       th_buf *buf, th_slice *ret_state,
                                                       theater_error *reterr);
/* The components of the source, for an engine. The source must outlive its use. */
th_component_source th_source_components(th_source *source);
/* What the chains are read from, for messages: "data", "ledger.bundle". */
const char *th_source_path(const th_source *source);

/* The places of all chains with this name, ascending: an actor that was removed and one that took its name
 * later both have it. *ret points into the source. Not for several threads at once. Errors: NO_MEMORY, the
 * store's. */
THEATER_CHECKED theater_status th_source_named(th_source *source, th_slice name, const uint64_t **ret,
                                               size_t *ret_count, theater_error *reterr);

#endif
