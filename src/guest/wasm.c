/* What another tool chain made: a core module is wrapped, its calls of WASI preview 1 answered inside; a
 * component is only checked. For languages that Theater does not know. */
#include "guest/languages.h"
#include "tool/files.h"
#include "tool/tool.h"

enum { MODULE_MAX = 256 << 20 };

/* Both begin with a zero, "asm" and a version; the layer in the last two bytes tells them apart. */
static theater_status build(const th_guest_job *job, char *ret_tool, theater_error *reterr)
{
    th_buf bytes;
    th_buf_init(&bytes, MODULE_MAX);
    ret_tool[0] = 0;
    theater_status status = th_tool_read(job->entry, &bytes, reterr);
    bool is_wasm = bytes.size >= 8 && memcmp(bytes.data, "\0asm", 4) == 0;
    bool is_component = is_wasm && bytes.data[6] == 1;
    if (status == THEATER_OK && !is_wasm)
        status = th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s is no WebAssembly", job->entry);
    if (status == THEATER_OK)
        status = th_tool_replace(is_component ? job->output : job->module, th_buf_slice(&bytes), reterr);
    th_buf_done(&bytes);
    if (status == THEATER_OK && !is_component)
        status = th_guest_componentize(job, true, reterr);
    return status;
}

static const char *const extensions[] = {".wasm", NULL};
static const char *const markers[] = {NULL};
static const th_guest_tool tools[] = {{0}};

const th_guest_language th_guest_wasm = {
    .name = "wasm",
    .title = "WebAssembly",
    .extensions = extensions,
    .markers = markers,
    .tools = tools,
    .build = build,
};
