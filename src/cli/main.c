#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/cli.h"

static void print_log(void *context, int level, const char *message)
{
    static const char *const words[] = {"trace", "debug", "info", "warning", "error"};
    (void)context;
    fprintf(stderr, "theater: %s: %s\n", level >= 0 && level <= TH_LOG_ERROR ? words[level] : "log", message);
}

static theater_status run(cli_run *cli, int argc, char **argv, theater_error *reterr)
{
    theater_status status = cli_parse(cli, argc, argv, reterr);
    if (status)
        return status;
    theater_set_log(print_log, NULL, cli->verbose ? TH_LOG_DEBUG : TH_LOG_ERROR);
    if (cli->help && cli->command)
        cli_help_command(cli, cli->command);
    else if (cli->help || !cli->command)
        cli_help(cli);
    else
        status = cli->command->run(cli, reterr);
    if (!cli->command && !cli->help)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "a command is missing");
    return status;
}

/* A standard stream that the parent has closed would be the first file that is opened, one of the data folder:
 * what is printed would stand in it. It is taken by a descriptor that fails as a closed one does. */
static bool occupy_closed_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            return false;
    return true;
}

int main(int argc, char **argv)
{
    static cli_run cli;
    if (!occupy_closed_streams())
        return theater_status_exit_code(THEATER_IO);
    /* A reader that goes away is seen by write, so that a data folder is closed in good order first. */
    signal(SIGPIPE, SIG_IGN);
    cli_output_init(&cli.out, STDOUT_FILENO);
    theater_error error = {.status = THEATER_OK};
    theater_status status = run(&cli, argc, argv, &error);
    cli_flush(&cli.out);
    if (!status)
        status = cli_output_status(&cli.out, &error);
    if (status && error.message[0])
        cli_note("%s", error.message);
    th_free(cli.operands);
    th_free(cli.repeated);
    if (cli.out.closed) {
        /* What a program that does not know of SIGPIPE would have done. */
        signal(SIGPIPE, SIG_DFL);
        raise(SIGPIPE);
    }
    return theater_status_exit_code(status);
}
