/* chain/name_table.h: actors' names, numbered in the order in which they come. */
#ifndef TH_CHAIN_NAME_TABLE_H
#define TH_CHAIN_NAME_TABLE_H

#include "chain/element.h"

typedef struct th_name_entry {
    uint8_t size;
    uint8_t bytes[TH_NAME_MAX];
} th_name_entry;

typedef struct th_name_table {
    th_name_entry *names;
    uint32_t count;
    uint32_t capacity;
    uint32_t *slots; /* by hash: 0, or a number and one; twice the capacity */
    uint64_t seed;
} th_name_table;

/* A bijection of 64 bits whose output bits all depend on all input bits; what the chain's tables hash with.
 */
static inline uint64_t th_mix(uint64_t x)
{
    x = (x ^ x >> 32) * 0xd6e8feb86659fd93u;
    x = (x ^ x >> 32) * 0xd6e8feb86659fd93u;
    return x ^ x >> 32;
}

/* Allocates nothing. `seed`: a number that whoever chooses the names does not know. */
void th_name_table_init(th_name_table *table, uint64_t seed);
void th_name_table_done(th_name_table *table);

/* The number of the name (which is one), and whether it is new. Errors: NO_MEMORY; TOO_LARGE when it would be
 * more than `max` names. */
THEATER_CHECKED theater_status th_name_table_number(th_name_table *table, th_slice name, uint64_t max,
                                                    uint32_t *ret_number, bool *ret_new,
                                                    theater_error *reterr);

#endif
