/* Figures: the text format of Prometheus, version 0.0.4, a sample a line. */
#include "client/internal.h"

#include <stdlib.h>

#define NAME_MAX_BYTES 128

/* "name{labels} value" or "name value"; false for comments and what is neither. */
static bool take_sample(char *line, const char **ret_labels, double *ret_value)
{
    char *brace = strchr(line, '{'), *space = strchr(line, ' ');
    *ret_labels = "";
    if (line[0] == '#' || !space)
        return false;
    if (brace && brace < space) {
        char *end = strchr(brace, '}');
        if (!end || end[1] != ' ')
            return false;
        *brace = *end = 0;
        *ret_labels = brace + 1;
        space = end + 1;
    }
    char *rest;
    *ret_value = strtod(space + 1, &rest);
    *space = 0;
    return rest != space + 1 && strlen(line) < NAME_MAX_BYTES;
}

theater_status th_client_metrics(th_client *client,
                                 void (*each)(void *context, const char *name, const char *labels,
                                              double value),
                                 void *context, theater_error *reterr)
{
    th_call call = {.method = "GET", .path = "/metrics"};
    theater_status status = th_call_run(client, &call, reterr);
    if (!status)
        status = th_buf_append_byte(&call.answer, 0, reterr);
    char *at = status ? NULL : (char *)call.answer.data;
    while (at && *at) {
        char *end = strchr(at, '\n');
        const char *labels;
        double value;
        if (end)
            *end = 0;
        if (take_sample(at, &labels, &value))
            each(context, at, labels, value);
        at = end ? end + 1 : NULL;
    }
    th_call_done(&call);
    return status;
}
