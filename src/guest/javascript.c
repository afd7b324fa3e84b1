/* Actors in JavaScript and TypeScript: actor.js or actor.ts, bundled by esbuild with the SDK and whatever the
 * project imports, and put beside QuickJS by componentize-qjs. sdk/js/build.mjs does both in one process.
 *
 * The tool's component links three modules and answers WASI by traps; merged to one module a turn costs a third
 * and clocks are the host's (encoder/src/merge.rs).
 *
 * In a project in TypeScript with a tsconfig.json the types are checked first, where tsc is there: esbuild only
 * removes them. */
#include <stdio.h>
#include <unistd.h>

#include "guest/languages.h"
#include "tool/files.h"
#include "tool/tool.h"

static theater_status check_types(const th_guest_job *job, theater_error *reterr)
{
    char config[PATH_MAX], tsc[PATH_MAX];
    theater_status status = th_tool_join(job->folder, "tsconfig.json", config, reterr);
    if (status != THEATER_OK || access(config, R_OK) != 0 || !th_guest_find("tsc", tsc))
        return status;
    const char *const arguments[] = {tsc, "--noEmit", "--pretty", "false", "--project", config, NULL};
    return th_guest_run(&(th_guest_command){.arguments = arguments, .folder = job->folder, .what = "tsc"},
                        reterr);
}

static theater_status make(const th_guest_language *language, const th_guest_job *job, char *ret_tool,
                           theater_error *reterr)
{
    char node[PATH_MAX], esbuild[PATH_MAX], script[PATH_MAX], sdk[PATH_MAX], bundle[PATH_MAX],
        linked[PATH_MAX];
    theater_status status = th_guest_need(language, "node", node, reterr);
    if (status == THEATER_OK)
        status = th_guest_need(language, "esbuild", esbuild, reterr);
    if (status == THEATER_OK)
        status = th_guest_need(language, "componentize-qjs", ret_tool, reterr);
    if (status == THEATER_OK)
        status = th_guest_make_folders(job->cache, reterr);
    if (status == THEATER_OK)
        status = th_tool_join(job->cache, "actor.js", bundle, reterr);
    if (status == THEATER_OK)
        status = th_tool_join(job->scratch, "linked.wasm", linked, reterr);
    /* The copy in the project, so that its places in the bundle are the same wherever Theater is. */
    if (status == THEATER_OK)
        status = th_tool_join(job->folder, ".theater/js", sdk, reterr);
    if (status == THEATER_OK)
        status = th_tool_join(job->sdk, "build.mjs", script, reterr);
    if (status != THEATER_OK)
        return status;
    const char *const arguments[] = {node, script, esbuild, ret_tool, job->entry, sdk, bundle, linked, NULL};
    status = th_guest_run(
        &(th_guest_command){.arguments = arguments, .folder = job->folder, .what = "the JavaScript build"},
        reterr);
    if (status == THEATER_OK)
        status = th_tool_merge(linked, job->module, reterr);
    return status ? status : th_guest_componentize(job, false, reterr);
}

static theater_status build(const th_guest_job *job, char *ret_tool, theater_error *reterr)
{
    return make(&th_guest_javascript, job, ret_tool, reterr);
}

static theater_status build_typescript(const th_guest_job *job, char *ret_tool, theater_error *reterr)
{
    theater_status status = check_types(job, reterr);
    return status ? status : make(&th_guest_typescript, job, ret_tool, reterr);
}

static theater_status find_node(char *ret, theater_error *reterr)
{
    return th_guest_find_node("JavaScript", "tools/guest-tools js", ret, reterr);
}

static const th_guest_tool tools[] = {
    {.program = "node", .variable = "THEATER_NODE", .find = find_node},
    {.program = "esbuild", .remedy = "tools/guest-tools js"},
    {.program = "componentize-qjs", .remedy = "tools/guest-tools js"},
    {0},
};

static const char *const extensions[] = {".js", ".mjs", NULL};
static const char *const markers[] = {"actor.js", "actor.mjs", NULL};

const th_guest_language th_guest_javascript = {
    .name = "javascript",
    .other_name = "js",
    .title = "JavaScript",
    .extensions = extensions,
    .markers = markers,
    .sdk = "js",
    .place_sdk = true,
    .link = "node_modules/theater",
    .tools = tools,
    .build = build,
};

static const char *const typescript_extensions[] = {".ts", ".mts", NULL};
static const char *const typescript_markers[] = {"actor.ts", "actor.mts", NULL};

const th_guest_language th_guest_typescript = {
    .name = "typescript",
    .other_name = "ts",
    .title = "TypeScript",
    .extensions = typescript_extensions,
    .markers = typescript_markers,
    .sdk = "js",
    .place_sdk = true,
    .link = "node_modules/theater",
    .tools = tools,
    .build = build_typescript,
};
