#include "actor/machine.h"
#include "base/log.h"
#include "theater/theater.h"

const char *theater_version(void)
{
    return TH_VERSION;
}

const char *theater_engine_name(void)
{
    return th_engine_name();
}

theater_status theater_engine_describe(theater_bytes *ret, theater_error *reterr)
{
    *ret = (theater_bytes){0};
    th_engine_options options = {.turns = 1, .keep_resident_bytes = UINT64_MAX};
    th_machine machine;
    theater_status status = th_machine_engine(&options, &machine, reterr);
    if (status)
        return status;
    th_buf words;
    th_buf_init(&words, 4096);
    status = th_buf_append(&words, th_slice_text(th_engine_describe(machine.context)), reterr);
    if (!status)
        status = th_buf_append_byte(&words, 0, reterr);
    if (!status) {
        *ret = th_buf_take(&words);
        ret->size--;
    }
    th_buf_done(&words);
    th_machine_done(&machine);
    return status;
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
