#include <signal.h>

#include "cli/cli.h"

static volatile sig_atomic_t caught;

static void on_signal(int number)
{
    (void)number;
    caught = 1;
}

void cli_catch_interrupt(void)
{
    /* No SA_RESTART, so that a read from a terminal or pipe ends; reset, so that a second signal ends the
     * process: the log can bear that at any moment. */
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool cli_interrupted(void)
{
    return caught != 0;
}
