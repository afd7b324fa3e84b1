/* tests/store/support.h: what the tests of the store share. */
#ifndef TH_TESTS_STORE_SUPPORT_H
#define TH_TESTS_STORE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "port/port.h"
#include "port/simulation.h"
#include "port/system.h"
#include "store/store.h"

void expect_status(theater_status status, theater_status expected, const theater_error *error,
                   const char *file, int line);
/* The call's last argument is &error, which the test declares. */
#define EXPECT(expected, call) expect_status((call), THEATER_##expected, &error, __FILE__, __LINE__)
#define OK(call) EXPECT(OK, call)

/* A new empty folder of the system for a test to put things into; in a few static buffers. Everything is
 * removed at exit. */
const char *new_folder(void);
/* "FOLDER/NAME" in one of a few static buffers. */
const char *in(const char *folder, const char *name);

/* A file's size; its bytes changed or cut, on the system. */
size_t file_size(const char *path);
void flip_bit(const char *path, size_t offset, unsigned bit);
void cut_file(const char *path, size_t size);
bool file_exists(const char *path);
void copy_file(const char *from, const char *to);
/* The first file of FOLDER/log, or the last. */
const char *first_segment(const char *folder);
const char *last_segment(const char *folder);

/* Usual options for a writer in a folder of the system. */
th_store_options options_for(const char *folder);

/* A pseudo-random stream of its own for each test. */
typedef struct dice {
    uint64_t state;
} dice;
uint64_t roll(dice *d, uint64_t bound);

#endif
