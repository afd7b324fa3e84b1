/* From a component of many core modules, as the tool chains for Python and JavaScript make it, back to one
 * core module: encoder/src/merge.rs says why. */
#include "theater_encoder.h"
#include "tool/files.h"
#include "tool/tool.h"

enum { COMPONENT_MAX = 256 << 20 };

theater_status th_tool_merge(const char *component, const char *output, theater_error *reterr)
{
    th_buf bytes;
    th_buf_init(&bytes, COMPONENT_MAX);
    theater_status status = th_tool_read(component, &bytes, reterr);
    th_encoder_bytes module = {0};
    if (status == THEATER_OK) {
        char reason[768];
        if (!th_encoder_merge(bytes.data, bytes.size, &module, reason, sizeof reason))
            status = th_fail(reterr, THEATER_COMPONENT_REFUSED, "%s is no actor: %s", component, reason);
    }
    th_buf_done(&bytes);
    if (status == THEATER_OK)
        status = th_tool_replace(output, th_slice_of(module.data, module.size), reterr);
    th_encoder_free(module);
    return status;
}
