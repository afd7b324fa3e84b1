/* The start-up of a core module, done once while it is built: encoder/src/snapshot.rs says how. */
#include "theater_encoder.h"
#include "tool/files.h"
#include "tool/tool.h"

enum { MODULE_MAX = 256 << 20 };

theater_status th_tool_snapshot(const char *module, const char *output, theater_error *reterr)
{
    th_buf bytes;
    th_buf_init(&bytes, MODULE_MAX);
    theater_status status = th_tool_read(module, &bytes, reterr);
    th_encoder_bytes started = {0};
    if (status == THEATER_OK) {
        char reason[768];
        if (!th_encoder_snapshot(bytes.data, bytes.size, &started, reason, sizeof reason))
            status = th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s", reason);
    }
    th_buf_done(&bytes);
    if (status == THEATER_OK)
        status = th_tool_replace(output, th_slice_of(started.data, started.size), reterr);
    th_encoder_free(started);
    return status;
}
