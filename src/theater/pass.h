/* theater/pass.h: the pass of the chain verifier over a source, and what a re-execution has to know from it.
 */
#ifndef TH_THEATER_PASS_H
#define TH_THEATER_PASS_H

#include "theater/source.h"

/* Ascending sequences. */
typedef struct th_sequences {
    uint64_t *values;
    size_t count, capacity;
} th_sequences;

THEATER_CHECKED theater_status th_sequences_add(th_sequences *list, uint64_t value, theater_error *reterr);

/* What the pass saw of one chain. */
typedef struct th_pass_chain {
    uint64_t place;
    char name[TH_NAME_MAX + 1];
    uint64_t elements;
    uint64_t caused; /* elements with a cause */
    th_sequences descriptors; /* genesis and upgrades */
    th_sequences snapshots;
} th_pass_chain;

typedef struct th_pass {
    th_pass_chain *chains;
    size_t count, capacity;
} th_pass;

/* Verifies every chain that `source` walks over, in order, and stops at the first finding. With OK the
 * verdict is in *report (the caller has zeroed it), and with the verdict OK *pass describes the chains; free
 * it with th_pass_done in any case. VERSION: an element or bundle of a later version. CORRUPT: the folder's
 * log is damaged. Others: the check itself failed. */
THEATER_CHECKED theater_status th_pass_run(th_source *source, bool is_bundle,
                                           const theater_check_options *options, th_pass *pass,
                                           theater_report *report, theater_error *reterr);
void th_pass_done(th_pass *pass);

/* CANCELLED when whoever asked for the check wants no more of it. */
THEATER_CHECKED theater_status th_check_cancelled(const bool *cancel, theater_error *reterr);

/* Fills the verdict of a report: the first finding of a check. */
void th_report_finding(theater_report *report, theater_status status, const char *actor, uint64_t sequence,
                       const char *what, const char *message);

#endif
