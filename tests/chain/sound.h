/* tests/chain/sound.h: a sound chain with one of everything, which tests then spoil. */
#ifndef TH_TESTS_CHAIN_SOUND_H
#define TH_TESTS_CHAIN_SOUND_H

#include "fixture.h"

/* What stands at which sequence; 0 is the genesis, 1 the turn that sends. */
enum { MESSAGE_1 = 2, ANSWER = 3, UNDELIVERED = 4, MESSAGE_2 = 5, REJECTED = 6, UPGRADE = 7, LAST = 8 };

/* The chain of actor cart. Element 1 writes to `other`, and asks `other`, `ghost` and `third`. */
void sound_chain(made_chain *chain);

/* The effects payload of element 1. */
th_slice effects_of_one(void);

/* Causes without hashes, which one chain alone cannot check. Requests are those of element 1. */
th_cause message_from(const char *actor, uint64_t sequence, uint64_t index);
th_cause answer_from(const char *actor, uint64_t sequence, uint32_t place);
th_cause undelivered_to(const char *actor, uint32_t place);

/* Puts a cause into an element, which must then hold or be found. */
void spoil_cause(made_chain *chain, size_t at, th_cause cause, bool holds);

#endif
