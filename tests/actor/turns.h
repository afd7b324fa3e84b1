/* What the tests of turns share: a stand-in machine, a workspace, one actor named "cart". */
#ifndef TH_TESTS_ACTOR_TURNS_H
#define TH_TESTS_ACTOR_TURNS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "actor/instance.h"
#include "standin.h"

#define START_NS 1700000000000000000u

typedef struct bench {
    th_standin standin;
    th_machine machine;
    th_workspace *workspace;
    void *component;
    th_instance *instance;
    th_limits limits;
    const char *engine; /* NULL: the machine's */
    uint64_t now_ns;
    th_produced produced; /* of the last turn */
    theater_error error;
} bench;

void bench_open(bench *b);
void bench_close(bench *b);
/* The component with this text; fails the test when it is refused. */
void *bench_compile(bench *b, const char *text);
th_descriptor bench_descriptor(const bench *b, const char *component, const char *config);
/* Makes the actor; the component is kept in the bench and released by bench_close. */
theater_status bench_genesis(bench *b, const char *component, const char *config);
/* A client's input, an input with a cause, a query. */
theater_status bench_handle(bench *b, const char *text);
theater_status bench_handle_cause(bench *b, const char *text, const th_cause *cause);
theater_status bench_query(bench *b, const char *text);
/* Handles and asserts a rejection with this code and message. */
void bench_rejected(bench *b, const char *text, int code, const char *message);
th_standin_state bench_state(const bench *b);

#define assert_ok(status) assert_int_equal(status, THEATER_OK)
void assert_slice(th_slice slice, const char *text);
/* The same with a literal that may hold zeroes. */
#define assert_bytes(slice, literal)                                                                        \
    do {                                                                                                    \
        assert_int_equal((slice).size, sizeof(literal) - 1);                                                \
        assert_memory_equal((slice).data, literal, sizeof(literal) - 1);                                    \
    } while (0)

#endif
