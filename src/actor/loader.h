/* actor/loader.h: the component loader: components by hash, compiled once, shared by the actors that use
 * them.
 *
 * Compiled forms are kept by the callbacks (the runtime puts them in the cache folder and their SHA-256 in
 * the log); a form whose hash does not match is dropped and compiled anew. At most `keep` components stay
 * loaded without an actor that uses them. Any thread. */
#ifndef TH_ACTOR_LOADER_H
#define TH_ACTOR_LOADER_H

#include "actor/machine.h"
#include "port/port.h"

typedef struct th_loader th_loader;
typedef struct th_loaded th_loaded; /* a component in memory, counted */

/* What a loader works with. Several threads may call the callbacks at once, for different components. */
typedef struct th_loader_options {
    const th_machine *machine; /* outlives the loader */
    th_port *port;             /* for the mutex */
    size_t keep;               /* components without users that stay in memory; 0 means 16 */
    void *context;
    /* The binary of a component into `out`. NOT_FOUND. May be NULL: then only th_loader_add brings
     * components. */
    theater_status (*read_binary)(void *context, const th_hash *hash, th_buf *out, theater_error *reterr);
    /* The compiled form, checked against its kept SHA-256; any failure means: compile. May be NULL. */
    theater_status (*read_compiled)(void *context, const th_hash *hash, th_buf *out, theater_error *reterr);
    /* Keeps a compiled form; failures are only logged. May be NULL. */
    void (*write_compiled)(void *context, const th_hash *hash, th_slice compiled);
} th_loader_options;

/* *ret is the caller's; the options are copied. Errors: NO_MEMORY. */
THEATER_CHECKED theater_status th_loader_new(const th_loader_options *options, th_loader **ret,
                                             theater_error *reterr);
void th_loader_free(th_loader *loader); /* after every th_loaded was given back */

/* Compiles and checks a binary, and takes a reference. COMPONENT_REFUSED names everything that is wrong,
 * one finding a line (so the message may hold newlines). TOO_LARGE. */
THEATER_CHECKED theater_status th_loader_add(th_loader *loader, th_slice binary, th_loaded **ret,
                                             theater_error *reterr);
/* The component with this hash, from memory, the compiled form or the binary, and takes a reference.
 * NOT_FOUND. Two threads that ask for the same component compile it once. */
THEATER_CHECKED theater_status th_loader_get(th_loader *loader, const th_hash *hash, th_loaded **ret,
                                             theater_error *reterr);
void th_loaded_unref(th_loaded *loaded); /* accepts NULL */
/* How components were brought since the loader was made: found in memory, from a compiled form, compiled. */
typedef struct th_loader_counts {
    uint64_t hits, loads, compiles;
} th_loader_counts;
th_loader_counts th_loader_count(const th_loader *loader); /* any thread */
void *th_loaded_component(const th_loaded *loaded); /* the machine's; for th_instance_*, while loaded */
const th_hash *th_loaded_hash(const th_loaded *loaded); /* sha(component binary) */

#endif
