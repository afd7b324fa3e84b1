#include <signal.h>

#include "cli/cli.h"

static volatile sig_atomic_t caught;

static void on_signal(int number)
{
    (void)number;
    caught = 1;
}

static void handle(void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

void cli_catch_interrupt(void)
{
    /* No SA_RESTART, so that a read from a terminal or pipe ends; reset, so that a second signal ends the
     * process: the log can bear that at any moment. */
    handle(on_signal, (int)SA_RESETHAND);
}

void cli_release_interrupt(void)
{
    handle(SIG_DFL, 0);
}

bool cli_interrupted(void)
{
    return caught != 0;
}
