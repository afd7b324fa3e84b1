/* tests/store/history.h: random histories that a runtime could have written, with a plain model of what
 * follows from them.
 *
 * The model is written from the rules at the head of store/index.c with arrays and loops, so that index and
 * model err independently. */
#ifndef TH_TESTS_STORE_HISTORY_H
#define TH_TESTS_STORE_HISTORY_H

#include "chain/effects.h"
#include "chain/element.h"
#include "store/support.h"

enum { ACTORS = 60, NAMES = 12, ENTRIES = 4096, CONSUMERS = 8192, MODEL_IDS = 4096 };

typedef struct model_actor {
    uint64_t id;
    char name[16];
    th_actor_status status;
    uint64_t elements;
    uint64_t timestamp;
    th_hash genesis, head, component;
    uint64_t head_number;
    uint64_t descriptor_sequence;
    bool has_snapshot;
    uint64_t snapshot;
    uint64_t checkpoint;
} model_actor;

typedef struct model_entry {
    uint64_t target;
    th_undelivered entry;
} model_entry;

typedef struct model_consumer {
    uint64_t from, sequence;
    uint32_t index;
    uint64_t actor, by;
} model_consumer;

typedef struct model_id {
    uint64_t actor, sequence, timestamp;
    char id[16];
} model_id;

typedef struct history {
    dice d;
    th_hasher *hasher;
    uint64_t next_id;
    size_t actor_count, entry_count, consumer_count, id_count;
    model_actor actors[ACTORS];
    model_entry entries[ENTRIES]; /* by target and key */
    model_consumer consumers[CONSUMERS];
    model_id ids[MODEL_IDS];
    size_t payload_max; /* of random payloads */
    th_effects effects;
    th_buf scratch;
} history;

/* The caller's; free with history_free. */
history *history_new(uint64_t seed);
void history_free(history *h);
/* Encodes the next record, which will get `number`, onto `out`, and moves the model. */
void history_next(history *h, uint64_t number, th_buf *out);
/* Appends `count` records in commits of random sizes. */
void history_append(history *h, th_store *store, size_t count);

/* Fails the test unless the store's index says what the model says. It must cover the whole log. */
void history_check(const history *h, th_store *store);
/* The undelivered entries that the model has for an actor. */
size_t history_waiting(const history *h, uint64_t actor);

#endif
