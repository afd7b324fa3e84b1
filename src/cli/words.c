#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "chain/rejection.h"
#include "cli/cli.h"
#include "port/system.h"

void cli_format_time(uint64_t ns, char out[CLI_TIME_SIZE])
{
    time_t seconds = (time_t)(ns / 1000000000u);
    struct tm parts;
    char date[24];
    if (!gmtime_r(&seconds, &parts) || strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts) == 0) {
        snprintf(out, CLI_TIME_SIZE, "%" PRIu64 "ns", ns);
        return;
    }
    snprintf(out, CLI_TIME_SIZE, "%s.%03uZ", date, (unsigned)(ns / 1000000u % 1000u));
}

void cli_note(const char *format, ...)
{
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(stderr, "theater: %s\n", text);
}

void cli_reason(const theater_answer *answer, char *ret, size_t size)
{
    static const char *const kinds[] = {
        [TH_REJECTED_STATE] = "its verify-state says: ",
        [TH_REJECTED_TRAP] = "a trap: ",
        [TH_REJECTED_LIMIT] = "over a limit: ",
    };
    const char *kind = answer->reject_code < sizeof kinds / sizeof *kinds ? kinds[answer->reject_code] : NULL;
    snprintf(ret, size, "%s%.*s", kind ? kind : "", (int)(answer->output.size < 900 ? answer->output.size : 900),
             answer->output.data ? (const char *)answer->output.data : "");
}

const char *cli_status_word(theater_actor_status status)
{
    switch (status) {
    case THEATER_ACTOR_RUNNING:
        return "running";
    case THEATER_ACTOR_STOPPED:
        return "stopped";
    case THEATER_ACTOR_REMOVED:
        return "removed";
    case THEATER_ACTOR_ARCHIVE:
        return "archive";
    }
    return "unknown";
}

const char *cli_type_word(theater_element_type type)
{
    static const char *const words[] = {"genesis", "transition", "rejection", "upgrade"};
    return (unsigned)type < 4 ? words[type] : "unknown";
}

/* ---- progress ------------------------------------------------------------------------------------------ */

#define STEP_NS UINT64_C(100000000)
#define BAR_WIDTH 30

void cli_progress_begin(cli_progress *progress, const char *what)
{
    progress->shown = isatty(STDERR_FILENO) == 1 && isatty(STDOUT_FILENO) != 1;
    progress->began_ns = th_port_monotonic_ns(th_port_system());
    progress->last_ns = 0;
    progress->what = what;
}

void cli_progress_step(void *context, uint64_t done, uint64_t all)
{
    cli_progress *progress = context;
    if (!progress->shown)
        return;
    uint64_t now = th_port_monotonic_ns(th_port_system());
    if (progress->last_ns && now - progress->last_ns < STEP_NS)
        return;
    progress->last_ns = now;
    double seconds = (double)(now - progress->began_ns) / 1e9;
    double rate = seconds > 0 ? (double)done / seconds : 0;
    if (all == 0) {
        fprintf(stderr, "\r\x1b[K%s: %" PRIu64 ", %.0f/s", progress->what, done, rate);
    } else {
        char bar[BAR_WIDTH + 1];
        double part = done >= all ? 1 : (double)done / (double)all;
        int filled = (int)(part * BAR_WIDTH);
        for (int i = 0; i < BAR_WIDTH; i++)
            bar[i] = i < filled ? '#' : '.';
        bar[BAR_WIDTH] = 0;
        fprintf(stderr, "\r\x1b[K%s: [%s] %3.0f%%, %" PRIu64 ", %.0f/s", progress->what, bar, part * 100,
                done, rate);
    }
    fflush(stderr);
}

void cli_progress_end(cli_progress *progress)
{
    if (progress->shown && progress->last_ns) {
        fputs("\r\x1b[K", stderr);
        fflush(stderr);
    }
    progress->shown = false;
}
