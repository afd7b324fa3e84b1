/* chain/request_table.h: finds requests in effects payloads without reading the effects before them.
 *
 * An element may make 65,535 requests, and each of them may be answered. So the effects of an element are gone
 * through once, and where each request stands is kept, for the elements that were asked for last: at most
 * TH_REQUEST_TABLES of them, 1 MiB each. */
#ifndef TH_CHAIN_REQUEST_TABLE_H
#define TH_CHAIN_REQUEST_TABLE_H

#include "chain/effects.h"

#define TH_REQUEST_TABLES 64

typedef struct th_request_table th_request_table;

/* *ret is the caller's. For one thread. NO_MEMORY. */
THEATER_CHECKED theater_status th_request_table_new(th_request_table **ret, theater_error *reterr);
void th_request_table_free(th_request_table *table); /* accepts NULL */

/* The effect that makes this request, in the payload whose hash is `hash`, of the element that the request's id
 * begins with. *ret_found is false when there is none before the payload ends or stops being sound. *ret is
 * borrowed from the payload. NO_MEMORY. */
THEATER_CHECKED theater_status th_request_table_find(th_request_table *table, const th_hash *hash,
                                                     th_slice payload, uint64_t request, th_effect *ret,
                                                     bool *ret_found, theater_error *reterr);

#endif
