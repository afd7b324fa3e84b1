/* Actors in Python: actor.py, put beside CPython by componentize-py, which runs the imports and keeps what
 * memory holds then. What is imported later is not there.
 *
 * The tool's component links its libraries in every instance and answers WASI by traps; merged to one module a
 * turn costs a tenth, and clocks and random numbers are the host's (encoder/src/merge.rs). */
#include <stdio.h>

#include "guest/languages.h"
#include "tool/files.h"
#include "tool/tool.h"

/* The module that componentize-py loads: it names the project's own. A name that Python cannot import is said
 * to be one here. */
static theater_status write_start(const th_guest_job *job, theater_error *reterr)
{
    char path[PATH_MAX], text[512];
    const char *slash = strrchr(job->entry, '/'), *file = slash ? slash + 1 : job->entry;
    size_t size = strlen(file) - strlen(".py");
    if (strspn(file, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != size || size > 100)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "%s: Python imports files whose names are letters, digits and _, ending in .py", file);
    snprintf(text, sizeof text, "from theater import start\n\nActor = start.load(\"%.*s\")\nstart.finish()\n",
             (int)size, file);
    theater_status status = th_tool_join(job->scratch, "theater_start.py", path, reterr);
    return status ? status : th_tool_replace(path, th_slice_text(text), reterr);
}

static theater_status build(const th_guest_job *job, char *ret_tool, theater_error *reterr)
{
    char sdk[PATH_MAX], wit[PATH_MAX], linked[PATH_MAX];
    theater_status status = th_guest_need(&th_guest_python, "componentize-py", ret_tool, reterr);
    if (status == THEATER_OK)
        status = th_tool_join(job->folder, ".theater/python", sdk, reterr);
    if (status == THEATER_OK)
        status = th_tool_join(sdk, "wit", wit, reterr);
    if (status == THEATER_OK)
        status = th_tool_join(job->scratch, "linked.wasm", linked, reterr);
    if (status == THEATER_OK)
        status = write_start(job, reterr);
    if (status != THEATER_OK)
        return status;
    const char *const arguments[] = {
        ret_tool,        "--quiet",     "--wit-path",    wit,          "--world",       "guest",
        "componentize",  "--stub-wasi", "--python-path", job->scratch, "--python-path", job->folder,
        "--python-path", sdk,           "theater_start", "--output",   linked,          NULL};
    /* Where the tool itself was when a module could not be loaded helps nobody. */
    const char *const environment[] = {"PYTHONHASHSEED=0", "RUST_BACKTRACE=0", NULL};
    status = th_guest_run(&(th_guest_command){.arguments = arguments,
                                              .environment = environment,
                                              .folder = job->folder,
                                              .what = "componentize-py"},
                          reterr);
    if (status == THEATER_OK)
        status = th_tool_merge(linked, job->module, reterr);
    return status ? status : th_guest_componentize(job, false, reterr);
}

static const char *const extensions[] = {".py", NULL};
static const char *const markers[] = {"actor.py", NULL};
static const th_guest_tool tools[] = {
    {.program = "componentize-py",
     .variable = "THEATER_COMPONENTIZE_PY",
     .remedy = "tools/guest-tools python"},
    {0},
};

const th_guest_language th_guest_python = {
    .name = "python",
    .other_name = "py",
    .title = "Python",
    .extensions = extensions,
    .markers = markers,
    .sdk = "python",
    .place_sdk = true,
    .tools = tools,
    .build = build,
};
