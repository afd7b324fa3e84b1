/* chain/causes.h: checks the causes of one chain's elements against the other chains (`verify --all`).
 *
 * What one chain shows alone is chain/verify.h; run that on every chain first. Together they show that every
 * message and answer that a chain took in was sent to it, with that content, once, in order and without a
 * message left out. */
#ifndef TH_CHAIN_CAUSES_H
#define TH_CHAIN_CAUSES_H

#include "chain/verify.h"

/* An element of another chain; slices stay valid until the next call of the lookup. */
typedef struct th_found_element {
    th_slice encoding;
    th_payloads payloads; /* output and effects are looked at */
} th_found_element;

/* Finds element `sequence` of the actor's chain. NOT_FOUND when there is no such chain or it is shorter;
 * other errors end the check and are returned as they are. */
typedef theater_status (*th_element_lookup)(void *context, th_slice actor, uint64_t sequence,
                                            th_found_element *ret, theater_error *reterr);

typedef struct th_causes_report {
    theater_status verdict; /* OK or VERIFY_FAILED */
    th_finding finding;
    uint64_t messages; /* causes of each kind that were checked */
    uint64_t answers;
    uint64_t undelivered;
    uint64_t missing; /* not checked: the named chain or element is not there */
    uint64_t unchecked; /* not checked: a payload that it takes was dropped, or a later version */
} th_causes_report;

typedef struct th_causes th_causes;

/* A check of the chain of `actor` (borrowed while it lives, as hasher and context). The lookup must also find
 * that chain's own earlier elements. At most `max_senders` senders are remembered (0: 2^20; beyond:
 * TOO_LARGE); `table_seed` as in th_verify_options. *ret is the caller's. Errors: NO_MEMORY. */
THEATER_CHECKED theater_status th_causes_new(th_slice actor, th_hasher *hasher, th_element_lookup lookup,
                                             void *context, uint64_t max_senders, uint64_t table_seed,
                                             th_causes **ret, theater_error *reterr);
void th_causes_free(th_causes *causes); /* accepts NULL */

/* Takes the chain's elements in ascending order. Elements without a cause cost nothing. With a message it
 * also reads the sender's elements between its last message and this one, so that a message that was left out
 * is found; over a whole chain that is each sender's chain once. Errors: VERIFY_FAILED with the finding's
 * message, again at every later call; NO_MEMORY, TOO_LARGE, the lookup's. */
THEATER_CHECKED theater_status th_causes_element(th_causes *causes, const th_element *element,
                                                 theater_error *reterr);

/* A request of this chain that one of its elements says was not delivered. */
typedef struct th_undelivered_request {
    th_hash element; /* that made the request, */
    uint64_t index; /* as this effect */
    uint64_t sequence; /* of the element that says so */
} th_undelivered_request;

/* The requests that were found and are said to be undelivered, in the order of the elements that say so: no
 * element of any chain may have one of them as its cause, which only a look at all chains shows. Borrowed
 * until the next element. At most TH_UNDELIVERED_MAX are kept; those past it count as unchecked. */
#define TH_UNDELIVERED_MAX ((size_t)1 << 20)
const th_undelivered_request *th_causes_undelivered(const th_causes *causes, size_t *ret_count);

/* What was checked so far. */
const th_causes_report *th_causes_report_of(const th_causes *causes);

#endif
