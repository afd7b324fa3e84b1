/* Actors in AssemblyScript: assembly/index.ts, compiled by asc with the SDK as the package `theater`. */
#include <stdio.h>

#include "guest/languages.h"
#include "tool/files.h"

static theater_status build(const th_guest_job *job, char *ret_tool, theater_error *reterr)
{
    char node[PATH_MAX];
    theater_status status = th_guest_need(&th_guest_assemblyscript, "node", node, reterr);
    if (status == THEATER_OK)
        status = th_guest_need(&th_guest_assemblyscript, "asc", ret_tool, reterr);
    if (status != THEATER_OK)
        return status;
    /* The names of files that asc leaves in what it makes, for what is thrown, begin at the project's folder, so
     * where that lies does not matter. The SDK is found as .theater/assemblyscript, which place_sdk made. */
    const char *const arguments[] = {ret_tool,
                                     "assembly/index.ts",
                                     "-Oz",
                                     "--runtime",
                                     "stub",
                                     "--use",
                                     "abort=.theater/assemblyscript/theater/aborted",
                                     "--exportRuntime",
                                     "--path",
                                     ".theater",
                                     "--outFile",
                                     job->module,
                                     NULL};
    status = th_guest_run(&(th_guest_command){.arguments = arguments, .folder = job->folder, .what = "asc"},
                          reterr);
    return status ? status : th_guest_componentize(job, false, reterr);
}

static const char *const extensions[] = {NULL};
static const char *const markers[] = {"asconfig.json", NULL};
static theater_status find_node(char *ret, theater_error *reterr)
{
    return th_guest_find_node("AssemblyScript", "tools/guest-tools assemblyscript", ret, reterr);
}

/* asc is a script, which runs in the node of the path. */
static const th_guest_tool tools[] = {
    {.program = "node", .find = find_node},
    {.program = "asc", .variable = "THEATER_ASC", .remedy = "tools/guest-tools assemblyscript"},
    {0},
};

const th_guest_language th_guest_assemblyscript = {
    .name = "assemblyscript",
    .other_name = "as",
    .title = "AssemblyScript",
    .extensions = extensions,
    .markers = markers,
    .sdk = "assemblyscript",
    .place_sdk = true,
    .tools = tools,
    .build = build,
};
