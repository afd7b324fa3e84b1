/* The second file of the test's actor. */
#ifndef OTHER_H
#define OTHER_H

#include <theater.h>

/* All strings of an array, joined. "failed" when it is no array of strings. */
theater_slice other_join_strings(theater_slice text);
/* The state with 100,000 bytes more, whose last is 1. */
theater_bytes other_grow(theater_bytes state);

#endif
