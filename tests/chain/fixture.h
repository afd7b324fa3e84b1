/* tests/chain/fixture.h: chains made to order, and a whole verification in one call. */
#ifndef TH_TESTS_CHAIN_FIXTURE_H
#define TH_TESTS_CHAIN_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "chain/bundle.h"
#include "chain/descriptor.h"
#include "chain/effects.h"
#include "chain/state_tree.h"
#include "chain/verify.h"

#define assert_ok(call)                                                                                      \
    do {                                                                                                     \
        theater_error assert_error = {0};                                                                    \
        theater_error *reterr = &assert_error;                                                               \
        if (call)                                                                                            \
            fail_msg("%s:%d: %s", __FILE__, __LINE__, reterr->message);                                      \
    } while (0)

#define assert_hash_equal(a, b) assert_memory_equal((a)->bytes, (b)->bytes, THEATER_HASH_SIZE)

/* The one hasher of a test program; freed at exit. */
th_hasher *fixture_hasher(void);

#ifdef TH_FAULTS
/* Whether the allocation that th_allocation_fail_at(place) named was reached and failed; turns it off. A call
 * that succeeds although one failed in it has swallowed an error. */
bool fixture_allocation_failed(uint64_t place);
#endif

/* A source that gives a slice in pieces of `step` bytes (0: all at once). */
typedef struct slice_source {
    th_slice bytes;
    size_t at;
    size_t step;
} slice_source;
theater_status slice_source_read(void *context, uint8_t *out, size_t size, size_t *ret_size,
                                 theater_error *reterr);

/* A sink into a buffer. */
theater_status buffer_sink(void *buffer, const th_slice *parts, size_t count, theater_error *reterr);

/* Verifies every chain of a bundle in memory, the way a program would; the report is the last chain's.
 * `options.actor` is taken from the header. */
theater_status fixture_verify_bundle(th_slice bundle, const th_verify_options *options, th_verify_report *ret,
                                     theater_error *reterr);

/* One link of a chain in memory. */
typedef struct made_element {
    th_element fields; /* slices borrow from where the maker got them */
    uint8_t encoding[TH_ELEMENT_MAX];
    size_t size;
    th_hash hash;
    th_buf input;
    th_buf output;
    th_buf effects;
    th_buf state; /* after it */
} made_element;

#define MADE_MAX 64

/* A chain under construction. Every element is sound when it is appended with the functions below; a test
 * then spoils what it is about and calls chain_seal from there on. */
typedef struct made_chain {
    char actor[64];
    th_limits limits;
    made_element elements[MADE_MAX];
    size_t count;
} made_chain;

void chain_begin(made_chain *chain, const char *actor); /* with its genesis: state "0" */
void chain_free(made_chain *chain);
/* A turn that answered `output` and has this state after it; `effects` is a payload or NULL for none. Slices
 * of `cause` are borrowed. */
made_element *chain_transition(made_chain *chain, const char *input, const char *output, const char *state,
                               const th_slice *effects, const th_cause *cause);
made_element *chain_rejection(made_chain *chain, const char *input, th_rejection rejection,
                              const th_cause *cause);
made_element *chain_upgrade(made_chain *chain, const th_limits *limits);
/* Makes hashes, links and encodings from `from` on anew, so that only what a test spoiled is wrong. */
void chain_seal(made_chain *chain, size_t from);
/* Only links and encodings from `from` on: hashes of payloads and states stay as a test set them. */
void chain_relink(made_chain *chain, size_t from);
/* Puts other bytes in a payload (and not its hash). */
void chain_set(th_buf *payload, const char *text);
th_payloads chain_payloads(const made_element *element);
/* Feeds the elements to a fresh verifier and ends it. */
theater_status chain_verify(const made_chain *chain, th_verify_report *ret, theater_error *reterr);
/* As chain_verify, and it must fail at element `sequence` with this check. */
void chain_must_fail(const made_chain *chain, th_check check, uint64_t sequence);
void chain_must_hold(const made_chain *chain);

#endif
