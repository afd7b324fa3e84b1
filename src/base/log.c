#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/bytes.h"

static th_log_sink current_sink;
static void *current_context;
static th_log_level current_minimum;

void th_log_set_sink(th_log_sink sink, void *context, th_log_level minimum)
{
    current_context = context;
    current_minimum = minimum;
    current_sink = sink;
}

void th_log(th_log_level level, const char *format, ...)
{
    if (!current_sink || level < current_minimum)
        return;
    char line[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    th_blank_controls(line, false);
    current_sink(current_context, level, line);
}
