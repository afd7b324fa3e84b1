/* For every test program that runs guests: call it once an engine exists, and again before each turn.
 *
 * The engine catches traps by signals, with handlers that it sets when the first engine of a process is made.
 * cmocka sets its own over them before every test, so that a guest's trap would end the test as a crash. The
 * first call keeps the handlers that it finds, so it must come in the test that makes the first engine and
 * after that; later calls set them again. */
#ifndef TH_TESTS_ENGINE_SIGNALS_H
#define TH_TESTS_ENGINE_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

static inline void test_keep_signals(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
    static struct sigaction kept[4];
    static bool known;
    for (int i = 0; i < 4; i++)
        sigaction(signals[i], known ? &kept[i] : NULL, known ? NULL : &kept[i]);
    known = true;
}

#endif
