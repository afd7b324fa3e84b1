/* assert.h of actors: what does not hold is logged with its place, and ends the turn as a rejection. Included
 * as <assert.h>. With NDEBUG it is nothing, as everywhere. */
#include "theater_host.h"

#undef assert
#ifdef NDEBUG
#define assert(condition) ((void)0)
#else
#define THEATER_ASSERT_TEXT_(value) #value
#define THEATER_ASSERT_TEXT(value) THEATER_ASSERT_TEXT_(value)
#define assert(condition)                                                                                    \
    ((condition) ? (void)0                                                                                   \
                 : (theater_log(THEATER_ERROR, theater_slice_text(__FILE__ ":" THEATER_ASSERT_TEXT(          \
                                                   __LINE__) ": assertion failed: " #condition)),            \
                    theater_trap()))
#endif
#ifndef static_assert
#define static_assert _Static_assert
#endif
