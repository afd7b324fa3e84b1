/* base/status.h: making and passing errors. See theater/error.h for the four kinds of failure. */
#ifndef TH_BASE_STATUS_H
#define TH_BASE_STATUS_H

#include <stdbool.h>
#include <stdlib.h>

#include "theater/error.h"

/* Fills `reterr` (may be NULL) with `status` and the formatted message, and returns `status`, so that a
 * failing function ends with `return th_fail(reterr, THEATER_CORRUPT, "element %llu of ...", ...)`.
 * A message that does not fit is cut at a character's border. `status` is not THEATER_OK. */
theater_status th_fail(theater_error *reterr, theater_status status, const char *format, ...)
    THEATER_PRINTF(3, 4);

/* Puts the formatted text and ": " in front of the message that `reterr` holds, and returns its status:
 * how a caller adds which object the failing step belonged to. */
theater_status th_fail_in(theater_error *reterr, theater_status status, const char *format, ...)
    THEATER_PRINTF(3, 4);

/* THEATER_NO_MEMORY with the usual words; `what` names what the memory was for. */
theater_status th_fail_memory(theater_error *reterr, const char *what);

/* An invariant that stays on in release: prints the place and aborts. For programmer's errors only;
 * nothing that a file, a guest or a client can cause may reach it. */
#define th_assert(condition) ((condition) ? (void)0 : th_assert_failed(#condition, __FILE__, __LINE__))
_Noreturn void th_assert_failed(const char *condition, const char *file, int line);

/* Allocation that tests can make fail: every allocation of the C code goes through these four.
 * th_allocation_fail_at(n) makes the n-th allocation from now on (from 1) fail, once; 0 turns it off. It
 * returns what was left of the place set before: 0 when that allocation failed, or none was set. Only builds
 * with TH_FAULTS have the counter. */
void *th_alloc(size_t size);
void *th_alloc_zero(size_t count, size_t size);
void *th_realloc(void *memory, size_t size);
void th_free(void *memory);
#ifdef TH_FAULTS
uint64_t th_allocation_fail_at(uint64_t place);
#endif

#endif
