#include "server/internal.h"

void th_api_health(th_exchange *x)
{
    th_json json = th_reply_json(x, 200);
    th_json_open(&json, '{');
    th_json_field_string(&json, "status", "ok");
    th_json_close(&json, '}');
    th_reply_json_end(x, &json);
    th_exchange_reply(x);
}

void th_api_ready(th_exchange *x)
{
    theater_error error = {0};
    theater_status status = theater_runtime_health(x->server->runtime, &error);
    if (x->server->draining)
        status = th_fail(&error, THEATER_CANCELLED, "the server is shutting down");
    if (status) {
        error.status = THEATER_READ_ONLY;
        th_exchange_fail(x, &error);
        return;
    }
    th_json json = th_reply_json(x, 200);
    th_json_open(&json, '{');
    th_json_field_string(&json, "status", "ready");
    th_json_close(&json, '}');
    th_reply_json_end(x, &json);
    th_exchange_reply(x);
}

void th_api_version(th_exchange *x)
{
    th_json json = th_reply_json(x, 200);
    th_json_open(&json, '{');
    th_json_field_string(&json, "name", "theater");
    th_json_field_string(&json, "version", theater_version());
    th_json_field_string(&json, "api", "v1");
    th_json_close(&json, '}');
    th_reply_json_end(x, &json);
    th_exchange_reply(x);
}
