/* chain/verify.h: checks one chain from its first element to its last, without running anything.
 *
 * The verifier is fed in the order of a bundle: components, elements with what payloads there are, snapshots,
 * a key, checkpoints. It checks all that the format lets a reader check without an engine: encoding,
 * sequence, links, timestamps, continuity of the state, the rules of each type, payload hashes, descriptors,
 * limits, reasons and fuel of rejections, effects, request ids, answers, order of causes, snapshots, tree
 * heads, signatures. What needs other chains is chain/causes.h, what needs the engine is the replay. It stops
 * at the first finding. */
#ifndef TH_CHAIN_VERIFY_H
#define TH_CHAIN_VERIFY_H

#include "chain/checkpoint.h"
#include "chain/descriptor.h"
#include "chain/element.h"

/* What a finding is about: X(NAME, name for machines). */
#define TH_CHECK_LIST(X)                                                                                     \
    X(NONE, "none")                                                                                          \
    X(ENCODING, "encoding") /* an element, payload or note that does not decode */                           \
    X(VERSION, "version") /* an element of a later version */                                                \
    X(SEQUENCE, "sequence") /* not one more than the element before */                                       \
    X(PREVIOUS, "previous") /* not the hash of the element before */                                         \
    X(TIMESTAMP, "timestamp") /* less than the element before has */                                         \
    X(STATE, "state") /* state-before, or the size of a state */                                             \
    X(INPUT, "input") /* payload and hash differ, or an input that cannot be */                              \
    X(OUTPUT, "output") /* the same of an output */                                                          \
    X(EFFECTS, "effects") /* the same of effects */                                                          \
    X(FUEL, "fuel") /* not what the type or the reason prescribes */                                         \
    X(LIMIT, "limit") /* something passes a limit of the descriptor */                                       \
    X(DESCRIPTOR, "descriptor") /* another name, or not a descriptor */                                      \
    X(COMPONENT, "component") /* one that no later element names */                                          \
    X(CAUSE, "cause") /* order, repetition, or a request that was not made */                                \
    X(SNAPSHOT, "snapshot") /* not the state after its element */                                            \
    X(CHECKPOINT, "checkpoint") /* head, size, name or signature */                                          \
    X(KEY, "key") /* a key that is none or of another chain */                                               \
    X(EMPTY, "empty") /* a chain without elements */                                                         \
    X(ORDER, "order") /* fed in an order that the bundle format forbids */

typedef enum th_check {
#define TH_CHECK_ENUM(name, text) TH_CHECK_##name,
    TH_CHECK_LIST(TH_CHECK_ENUM)
#undef TH_CHECK_ENUM
        TH_CHECK_COUNT
} th_check;

/* The name of the list; never NULL. */
const char *th_check_name(th_check check);

/* The first thing that was wrong. */
typedef struct th_finding {
    th_check check;
    bool has_element; /* whether `sequence` names an element */
    uint64_t sequence; /* the first bad element; of a snapshot or checkpoint, what it names */
    char message[512]; /* "element 41 of actor cart: previous hash differs"; empty without a finding */
} th_finding;

/* Where the key that checkpoints were verified with came from. */
typedef enum th_key_source {
    TH_KEY_NONE, /* no key: heads were compared, signatures were not */
    TH_KEY_USER, /* from the options */
    TH_KEY_BUNDLE, /* from the bundle: shows only that the bundle agrees with itself */
} th_key_source;

typedef struct th_verify_options {
    /* The name that the bundle's header or the store says; borrowed while the verifier lives. */
    th_slice actor;
    /* The user's keys, of which the one with the chain's log name is used; a checkpoint of a log that none of
     * them is for is found. Whether one signed anything is the report's key_source. Borrowed likewise. */
    const th_verifier_key *keys;
    size_t key_count;
    /* Bounds, 0 for the defaults. Element hashes kept for the heads of checkpoints (32 bytes each; beyond,
     * only checkpoints of the size reached when they come are compared, others are counted as unchecked). */
    uint64_t max_kept_hashes; /* default 2^24 */
    /* Senders, open requests, answers and gaps remembered (about 32 bytes each); beyond: TOO_LARGE. */
    uint64_t max_kept_causes; /* default 2^24 */
    /* A number that whoever made the chain does not know, so that a hostile chain cannot make this slow; 0
     * when it is trusted. */
    uint64_t table_seed;
} th_verify_options;

/* What was seen. Slices and texts are the verifier's. */
typedef struct th_verify_report {
    /* OK, VERIFY_FAILED with a finding, or VERSION: links hold up to the end but not all was understood. */
    theater_status verdict;
    th_finding finding;
    uint64_t elements;
    /* Elements of later versions and those behind them, of which only the links were checked. */
    uint64_t unknown_version;
    uint64_t absent_inputs;
    uint64_t absent_outputs;
    uint64_t absent_effects;
    uint64_t caused; /* elements with a cause: what th_causes has to look at */
    uint64_t unchecked_answers; /* answers to requests whose effects were dropped */
    uint64_t components;
    uint64_t snapshots;
    uint64_t checkpoints; /* compared with the tree head at their size */
    uint64_t unchecked_checkpoints; /* not compared: their size passed max_kept_hashes */
    uint64_t checkpoint_size; /* the largest size that was compared */
    th_key_source key_source;
    char key[TH_VERIFIER_KEY_MAX + 1]; /* the key's text form, for the verdict; empty without one */
    th_hash genesis; /* element hashes of the first and the last */
    th_hash head;
    th_hash tree_head;
    uint64_t timestamp; /* of the last element */
    th_hash state_root; /* after the last element */
    uint64_t state_size;
    uint64_t fuel; /* in sum, capped at UINT64_MAX */
} th_verify_report;

typedef struct th_verifier th_verifier;

/* *ret is the caller's, `hasher` is borrowed while it lives. For one thread. Errors: NO_MEMORY,
 * INVALID_ARGUMENT for an actor that is no name. */
THEATER_CHECKED theater_status th_verifier_new(const th_verify_options *options, th_hasher *hasher,
                                               th_verifier **ret, theater_error *reterr);
void th_verifier_free(th_verifier *verifier); /* accepts NULL */

/* What a verification hashes of an element: a function of these bytes alone. */
typedef struct th_element_hashes {
    th_hash element;
    th_hash input, output,
        effects; /* of payloads that are there; those whose hash is known anyway (nothing, no effects) are left out */
} th_element_hashes;
void th_element_hashes_of(th_hasher *hasher, th_slice encoding, const th_payloads *payloads,
                          th_element_hashes *ret);

/* Each takes the next item. VERIFY_FAILED says that something was found (the message is the finding's, and
 * every later call gives it again); NO_MEMORY and TOO_LARGE are failures of the check, not of the chain:
 * after one the verifier can only be freed. Bytes are borrowed for the call. */
THEATER_CHECKED theater_status th_verifier_component(th_verifier *verifier, th_slice component,
                                                     theater_error *reterr);
THEATER_CHECKED theater_status th_verifier_element(th_verifier *verifier, th_slice encoding,
                                                   const th_payloads *payloads, theater_error *reterr);
/* The same with the element's hashes, which are most of the work and may have been made on another thread. */
THEATER_CHECKED theater_status th_verifier_element_hashed(th_verifier *verifier, th_slice encoding,
                                                          const th_payloads *payloads,
                                                          const th_element_hashes *hashes,
                                                          theater_error *reterr);
/* A snapshot of one of the last 4,096 elements; an older one is TOO_LARGE. */
THEATER_CHECKED theater_status th_verifier_snapshot(th_verifier *verifier, uint64_t sequence, th_slice state,
                                                    theater_error *reterr);
THEATER_CHECKED theater_status th_verifier_key_text(th_verifier *verifier, th_slice text,
                                                    theater_error *reterr);
/* After the elements that it covers; from a store also between elements. */
THEATER_CHECKED theater_status th_verifier_checkpoint(th_verifier *verifier, th_slice note,
                                                      theater_error *reterr);

/* Ends the chain and gives the report; the status is the verdict's. *ret is filled in any case but an
 * operating error. */
THEATER_CHECKED theater_status th_verifier_finish(th_verifier *verifier, th_verify_report *ret,
                                                  theater_error *reterr);

/* The finding so far; check is NONE without one. */
const th_finding *th_verifier_finding(const th_verifier *verifier);

#endif
