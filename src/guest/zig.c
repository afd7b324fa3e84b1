/* Actors in Zig: actor.zig, compiled by zig alone, with theater.zig of the SDK as the module `theater`. */
#include <stdio.h>

#include "guest/languages.h"
#include "tool/files.h"

static theater_status build(const th_guest_job *job, char *ret_tool, theater_error *reterr)
{
    char root[PATH_MAX + 32], sdk[PATH_MAX + 32], output[PATH_MAX + 32], cache[PATH_MAX + 32], zig_cache[PATH_MAX];
    theater_status status = th_guest_need(&th_guest_zig, "zig", ret_tool, reterr);
    if (status == THEATER_OK)
        status = th_tool_join(job->cache, "zig", zig_cache, reterr);
    if (status == THEATER_OK)
        status = th_guest_make_folders(zig_cache, reterr);
    if (status != THEATER_OK)
        return status;
    snprintf(root, sizeof root, "-Mroot=%s", job->entry);
    snprintf(sdk, sizeof sdk, "-Mtheater=%s/theater.zig", job->sdk);
    snprintf(output, sizeof output, "-femit-bin=%s", job->module);
    snprintf(cache, sizeof cache, "ZIG_GLOBAL_CACHE_DIR=%s", zig_cache);
    const char *const arguments[] = {
        ret_tool,    "build-exe", "-target", "wasm32-freestanding", "-O",      "ReleaseSmall",
        "-fno-entry", "-rdynamic", "--stack", "63488",               "--cache-dir", zig_cache,
        "--dep",     "theater",   root,      sdk,                   output,    NULL};
    const char *const environment[] = {cache, NULL};
    status = th_guest_run(&(th_guest_command){.arguments = arguments,
                                              .environment = environment,
                                              .folder = job->folder,
                                              .what = "zig"},
                          reterr);
    return status ? status : th_guest_componentize(job, false, reterr);
}

static const char *const extensions[] = {".zig", NULL};
static const char *const markers[] = {"actor.zig", "*.zig", NULL};
static const th_guest_tool tools[] = {
    {.program = "zig", .variable = "THEATER_ZIG", .remedy = "tools/guest-tools zig"},
    {0},
};

const th_guest_language th_guest_zig = {
    .name = "zig",
    .title = "Zig",
    .extensions = extensions,
    .markers = markers,
    .sdk = "zig",
    .tools = tools,
    .build = build,
};
