/* Runs turns of the fixtures for the engine's tests, with callbacks that write down what they are given. */
#ifndef TH_TESTS_ENGINE_SUPPORT_H
#define TH_TESTS_ENGINE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "theater_engine.h"

/* Engines that live as long as the program: Cranelift and Pulley with the pool, and Cranelift without it. */
enum test_engine { TEST_CRANELIFT, TEST_PULLEY, TEST_ON_DEMAND, TEST_ENGINES };
th_engine *test_engine(enum test_engine which);
void test_engines_free(void);

/* Compiles the fixture `name`, which must succeed. */
th_engine_component *test_component(th_engine *engine, const char *name);
/* Reads a whole file into memory that the caller frees. */
th_engine_bytes test_read(const char *path);
th_engine_bytes test_fixture(const char *name);
th_engine_bytes test_text(const char *text);

/* One turn, as it is asked for and as it came out. */
typedef struct test_run {
    th_engine_turn_options options; /* set by test_run_begin; change it before test_run_... */
    unsigned stop_at; /* the callback that returns false, from 1; 0 for none */
    unsigned callbacks;
    char notes[4096]; /* "log 2 text|send to payload-size|" ... */
    size_t notes_size;
    uint8_t random_next;
    uint8_t *random;

    th_engine_turn *turn;
    th_engine_outcome outcome;
    th_engine_result result;
    uint64_t fuel;
} test_run;

/* Options that let a fixture do what it does: much fuel, 64 MiB of memory, sequence 7, self "me", source
 * genesis. */
void test_run_begin(test_run *run);
/* A whole turn: begin, then init or handle, then verify_state of the new state if they succeed. The results
 * stay until test_run_end. */
void test_run_init(test_run *run, th_engine_component *component, th_engine_bytes config);
void test_run_handle(test_run *run, th_engine_component *component, th_engine_bytes input,
                     th_engine_bytes state);
void test_run_end(test_run *run);

void test_assert_bytes(th_engine_bytes bytes, const void *data, size_t size);

#endif
