/* Actors in C: every .c file that lies directly in the folder, compiled by clang and linked by wasm-ld with
 * the headers of sdk/c (see tool/compile.c for the flags and why). */
#include <stdio.h>

#include "guest/languages.h"
#include "tool/compiler.h"
#include "tool/files.h"
#include "tool/tool.h"

/* Joins the folder to each name. *ret is one block, freed with th_free. */
static theater_status source_paths(const char *folder, const th_tool_names *names, const char ***ret,
                                   theater_error *reterr)
{
    size_t count = names->count, bytes = count * sizeof(char *);
    for (size_t i = 0; i < count; i++)
        bytes += strlen(folder) + strlen(names->names[i]) + 2;
    char *block = th_alloc(bytes);
    if (!block)
        return th_fail_memory(reterr, "a list of files");
    const char **paths = (const char **)(void *)block;
    char *at = block + count * sizeof(char *), *end = block + bytes;
    for (size_t i = 0; i < count; i++) {
        paths[i] = at;
        at += snprintf(at, (size_t)(end - at), "%s/%s", folder, names->names[i]) + 1;
    }
    *ret = paths;
    return THEATER_OK;
}

static theater_status build(const th_guest_job *job, char *ret_tool, theater_error *reterr)
{
    th_tool_names names;
    theater_status status = th_tool_list(job->folder, ".c", &names, reterr);
    if (status != THEATER_OK)
        return status;
    const char **paths = NULL;
    status = source_paths(job->folder, &names, &paths, reterr);
    if (status == THEATER_OK) {
        th_tool_sources sources = {.paths = paths, .count = names.count, .base = job->folder};
        status = th_tool_compile(&sources, job->module, ret_tool, reterr);
    }
    th_free(paths);
    th_tool_names_done(&names);
    return status ? status : th_guest_componentize(job, false, reterr);
}

static theater_status find_clang(char *ret, theater_error *reterr)
{
    th_tool_compiler compiler;
    theater_status status = th_tool_find_compiler(&compiler, reterr);
    if (status == THEATER_OK)
        memcpy(ret, compiler.clang, sizeof compiler.clang);
    return status;
}

static theater_status find_linker(char *ret, theater_error *reterr)
{
    th_tool_compiler compiler;
    theater_status status = th_tool_find_compiler(&compiler, reterr);
    if (status == THEATER_OK)
        memcpy(ret, compiler.linker, sizeof compiler.linker);
    return status;
}

static const char *const extensions[] = {".c", NULL};
static const char *const markers[] = {"*.c", NULL};
static const th_guest_tool tools[] = {
    {.program = "clang", .find = find_clang},
    {.program = "wasm-ld", .find = find_linker},
    {0},
};

const th_guest_language th_guest_c = {
    .name = "c",
    .title = "C",
    .extensions = extensions,
    .markers = markers,
    .sdk = "c",
    .tools = tools,
    .build = build,
};
