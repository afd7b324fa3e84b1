/* theater/execution.h: the engine as a verifier uses it: a machine and a loader over the components of a data
 * folder or bundle. */
#ifndef TH_THEATER_EXECUTION_H
#define TH_THEATER_EXECUTION_H

#include "actor/instance.h"
#include "actor/loader.h"

/* Where components come from; both are called from several threads at once. */
typedef struct th_component_source {
    void *context;
    /* The binary of a component into `out`. NOT_FOUND. */
    theater_status (*binary)(void *context, const th_hash *hash, th_buf *out, theater_error *reterr);
    /* The compiled form for this fingerprint, already checked against its SHA-256; any failure means:
     * compile. NULL: there is none. */
    theater_status (*compiled)(void *context, const th_hash *hash, const char *fingerprint, th_buf *out,
                               theater_error *reterr);
} th_component_source;

typedef struct th_execution th_execution;

/* `turns`: how many run at once at the most. The second engine with `pulley`. *ret is the caller's. Errors:
 * ENGINE_FAILED, NO_MEMORY. */
THEATER_CHECKED theater_status th_execution_new(th_port *port, const th_component_source *source, bool pulley,
                                                unsigned turns, th_execution **ret, theater_error *reterr);
void th_execution_free(th_execution *execution); /* accepts NULL */

/* Calls `run` on a thread of its own that has the stack which turns need, and waits for it: the caller's
 * thread may have less. Errors: those of `run`, and of the thread's start. */
THEATER_CHECKED theater_status th_execution_call(th_execution *execution,
                                                 theater_status (*run)(void *context, theater_error *reterr),
                                                 void *context, theater_error *reterr);

/* Stack for the C code of a thread that runs turns, beside the machine's. */
#define TH_STACK_FOR_C ((size_t)1 << 20)

const th_machine *th_execution_machine(const th_execution *execution);
th_loader *th_execution_loader(const th_execution *execution);

#endif
