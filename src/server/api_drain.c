/* POST /v1/drain: waits, for a short time, until no message waits or runs anywhere. A client that wants to wait
 * longer asks again, so that no thread of the pool is held for long. */
#include "server/internal.h"

#define DRAIN_MAX_MS 250

static void work_drain(th_exchange *x, theater_folder *folder)
{
    (void)folder;
    uint64_t timeout_ms = DRAIN_MAX_MS;
    theater_error error = {0};
    theater_status status = th_exchange_number(x, "timeout", &timeout_ms, &error);
    if (!status && timeout_ms > DRAIN_MAX_MS)
        timeout_ms = DRAIN_MAX_MS;
    if (!status)
        status = theater_drain(x->server->runtime, timeout_ms, &error);
    if (status)
        th_reply_error(x, &error);
    else
        th_reply_text(x, 204, NULL, (th_slice){0});
}

void th_api_drain(th_exchange *x)
{
    th_exchange_work(x, work_drain);
}
