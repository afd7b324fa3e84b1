/* tests/port/helpers.h: what the tests of the ports share. */
#ifndef TH_TESTS_PORT_HELPERS_H
#define TH_TESTS_PORT_HELPERS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "port/port.h"
#include "port/simulation.h"
#include "port/system.h"

/* Fails the test with the message of the error when the status is not the one expected. */
void expect_status(theater_status status, theater_status expected, const theater_error *error,
                   const char *file, int line);
#define EXPECT(expected, call) expect_status((call), THEATER_##expected, &error, __FILE__, __LINE__)
#define OK(call) EXPECT(OK, call)

/* One machine to run a test on: a port, and an empty folder in it. */
typedef struct machine {
    th_port *port;
    th_simulation *simulation; /* NULL on the system */
    char folder[128];
} machine;

/* Setup and teardown of cmocka; the state is a machine. */
int setup_system(void **state);
int teardown_system(void **state);
int setup_simulation(void **state);
int teardown_simulation(void **state);

/* "<folder>/<name>", in one of a few static buffers. */
const char *in(const machine *m, const char *name);

/* Opens with READ, WRITE and CREATE. */
th_file *open_file(th_port *port, const char *path);
void write_text(th_file *file, uint64_t offset, const char *text);
void expect_text(th_file *file, uint64_t offset, const char *text);
void write_byte_run(th_file *file, uint64_t offset, uint8_t byte, size_t size);

#endif
