/* store/kv_lmdb_file.h: LMDB's file in a folder, without LMDB. The note in kv_lmdb.c says what for. */
#ifndef TH_STORE_KV_LMDB_FILE_H
#define TH_STORE_KV_LMDB_FILE_H

#include "port/port.h"

/* Checks the file before it is mapped: against `sum`, if that is there, and against its own head. NOT_FOUND
 * without a file, CORRUPT, NO_MEMORY, the port's errors. */
THEATER_CHECKED theater_status th_lmdb_file_check(th_port *port, const char *folder, bool *ret_has_sum,
                                                  theater_error *reterr);
/* Before the first change, durably: from then on a killed writer leaves no `sum` that could seem to hold. */
THEATER_CHECKED theater_status th_lmdb_file_remove_sum(th_port *port, const char *folder,
                                                       theater_error *reterr);
/* After the last change. Failure leaves no `sum`, which is always right. */
void th_lmdb_file_write_sum(th_port *port, const char *folder);

#endif
