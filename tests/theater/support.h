/* Data folders for the tests, made by the real runtime and the example actors. */
#ifndef TEST_THEATER_SUPPORT_H
#define TEST_THEATER_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "theater/theater.h"

#define assert_ok(call)                                                                                      \
    do {                                                                                                     \
        theater_status test_status = (call);                                                                 \
        if (test_status)                                                                                     \
            fail_msg("%s: %s: %s", #call, theater_status_name(test_status), error.message);                  \
    } while (0)
#define assert_status(call, wanted)                                                                          \
    do {                                                                                                     \
        theater_status test_status = (call);                                                                 \
        if (test_status != (wanted))                                                                         \
            fail_msg("%s: %s instead of %s: %s", #call, theater_status_name(test_status),                    \
                     theater_status_name(wanted), error.message);                                            \
    } while (0)

extern theater_error error; /* of the call that was made last */

/* A folder of the test's own, ends with a slash less; removed by test_remove. */
char *test_folder(void);
void test_remove(char *take_folder);
/* "FOLDER/NAME" in a buffer that lives until the fourth next call. */
const char *test_path(const char *folder, const char *name);

/* Opens a runtime on FOLDER/data. `snapshot_bytes` 0: the default. */
theater_runtime *test_open(const char *folder, uint64_t snapshot_bytes);
void test_start(theater_runtime *runtime, const char *name, const char *component, const char *config);
/* Sends and expects OK, or a rejection. */
void test_send(theater_runtime *runtime, const char *actor, const char *input);
void test_reject(theater_runtime *runtime, const char *actor, const char *input);
/* The folder with one counter of `turns` turns, every seventh of which is rejected. */
void test_make_counter(const char *folder, unsigned turns, uint64_t snapshot_bytes);

theater_folder *test_read(const char *folder);
theater_actor_info test_actor(theater_folder *folder, const char *name);
void test_export(theater_folder *folder, const char *name, const char *path);

/* A whole file; the caller's (th_free). */
uint8_t *test_file(const char *path, size_t *ret_size);
void test_write(const char *path, const void *bytes, size_t size);
/* How many parts of files (theater/part_file.h) there are in a folder. */
unsigned test_parts(const char *folder);

#endif
