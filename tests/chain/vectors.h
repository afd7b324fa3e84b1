/* tests/chain/vectors.h: the published values of the chain format, as tests read them. */
#ifndef TH_TESTS_CHAIN_VECTORS_H
#define TH_TESTS_CHAIN_VECTORS_H

#include <jansson.h>

#include "chain/element.h"

/* The whole file; the caller's (json_decref). Fails the test when it cannot be read. */
json_t *vectors_load(void);

/* The bytes of a hex field; freed by vectors_free_bytes. Fails the test when there is none. */
th_slice vectors_bytes(const json_t *object, const char *field);
void vectors_free_bytes(void);
th_hash vectors_hash(const json_t *object, const char *field);
const char *vectors_text(const json_t *object, const char *field);
uint64_t vectors_number(const json_t *object, const char *field);

#endif
