/* chain/cause_book.h: what a verifier must remember of a chain to judge its causes.
 *
 * The last message of each sender (they come in ascending order), the requests that are not answered yet, the
 * elements that were an answer (none is it twice), and which elements' effects were dropped, so that their
 * requests are not known. What is remembered is bounded: past `max` entries in sum every call gives
 * TOO_LARGE. */
#ifndef TH_CHAIN_CAUSE_BOOK_H
#define TH_CHAIN_CAUSE_BOOK_H

#include "chain/name_table.h"

/* A set of pairs of numbers with a small value each: open addressing, removal without marks. */
typedef struct th_pair_entry {
    uint64_t a;
    uint64_t b;
    uint32_t value;
    bool used;
} th_pair_entry;

typedef struct th_pair_table {
    th_pair_entry *entries;
    uint64_t capacity; /* a power of two, or 0 */
    uint64_t count;
} th_pair_table;

/* The last message of an actor. */
typedef struct th_last_message {
    bool any;
    uint64_t sequence;
    uint64_t index;
} th_last_message;

typedef struct th_sequence_range {
    uint64_t first;
    uint64_t last;
} th_sequence_range;

typedef struct th_cause_book {
    uint64_t max;
    uint64_t entries; /* of all kinds */
    uint64_t seed; /* of the tables' hashing */
    th_name_table actors;
    th_last_message *last; /* by number of the sender */
    uint32_t last_capacity;
    th_pair_table requests; /* (request id, 0) -> number of the target */
    th_pair_table answers; /* (sequence, number of the target): elements that were an answer */
    th_pair_table unknown; /* (request id, 0): answered requests of elements whose effects were dropped */
    th_sequence_range *dropped;
    uint64_t dropped_count;
    uint64_t dropped_capacity;
} th_cause_book;

/* Allocates nothing. `seed` is a number that the maker of the chain does not know, so that it cannot make the
 * tables slow; any number for a chain that is trusted. */
void th_cause_book_init(th_cause_book *book, uint64_t max, uint64_t seed);
void th_cause_book_done(th_cause_book *book);

/* Notes a request effect. Errors: NO_MEMORY, TOO_LARGE. */
THEATER_CHECKED theater_status th_cause_book_request(th_cause_book *book, uint64_t request, th_slice to,
                                                     theater_error *reterr);

/* Notes that the effects of this element are not there; sequences ascend. Errors: NO_MEMORY, TOO_LARGE. */
THEATER_CHECKED theater_status th_cause_book_dropped(th_cause_book *book, uint64_t sequence,
                                                     theater_error *reterr);

/* Takes the cause of the next element, which is not NONE. *ret_problem says in words (static) what is wrong
 * with it, NULL when nothing is; *ret_unchecked that the request's effects were dropped. Errors: NO_MEMORY,
 * TOO_LARGE. */
THEATER_CHECKED theater_status th_cause_book_take(th_cause_book *book, const th_cause *cause,
                                                  const char **ret_problem, bool *ret_unchecked,
                                                  theater_error *reterr);

#endif
