#include "base/log.h"
#include "theater/theater.h"

const char *theater_version(void)
{
    return TH_VERSION;
}

/* The public sink takes an int so that the header needs no enumeration of the library's inside. */
static struct {
    void (*sink)(void *context, int level, const char *message);
    void *context;
} outlet;

static void pass_on(void *context, th_log_level level, const char *message)
{
    (void)context;
    outlet.sink(outlet.context, (int)level, message);
}

void theater_set_log(void (*sink)(void *context, int level, const char *message), void *context, int minimum)
{
    outlet.sink = sink;
    outlet.context = context;
    th_log_set_sink(sink ? pass_on : NULL, NULL, (th_log_level)minimum);
}
