/* One build: what is the same for every language.
 *
 * Invariants:
 *   1. Everything between goes to a scratch folder below build/, which is removed whatever happens. The names
 *      of the files in it are the same each time, because some tools put them into what they make.
 *   2. The component is put in its place by one rename, after it was looked at: whoever starts it sees an old
 *      one or a new one that the runtime takes.
 *   3. What stays from build to build (compiler caches) is in build/.cache, and may be removed at any time. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "crypto/sha256.h"
#include "guest/guest.h"
#include "tool/files.h"
#include "tool/tool.h"

enum { COMPONENT_MAX = 1 << 30 };

theater_status th_guest_componentize(const th_guest_job *job, bool wasi, theater_error *reterr)
{
    return th_tool_componentize(job->module, job->output, wasi, NULL, reterr);
}

/* Checks the component, and moves it to its place. */
static theater_status take_output(const th_guest_job *job, const char *output, th_guest_built *ret,
                                  theater_error *reterr)
{
    th_buf component;
    th_buf_init(&component, COMPONENT_MAX);
    theater_status status = th_tool_read(job->output, &component, reterr);
    if (status == THEATER_OK)
        status = th_tool_inspect(th_buf_slice(&component), job->name, reterr);
    th_hasher *hasher = NULL;
    if (status == THEATER_OK)
        status = th_hasher_new(&hasher, reterr);
    if (status == THEATER_OK)
        th_sha256_of(hasher, th_buf_slice(&component), &ret->hash);
    th_hasher_free(hasher);
    if (status == THEATER_OK)
        status = th_tool_replace(output, th_buf_slice(&component), reterr);
    ret->component_bytes = component.size;
    th_buf_done(&component);
    return status;
}

static theater_status build_in(const th_guest_project *project, const char *real, const char *scratch,
                               const char *output, th_guest_built *ret, theater_error *reterr)
{
    const th_guest_language *language = project->language;
    char sdk[PATH_MAX] = "", cache[PATH_MAX], module[PATH_MAX], component[PATH_MAX], file[192];
    snprintf(file, sizeof file, "%s.wasm", project->name);
    theater_status status = th_tool_join(scratch, file, module, reterr);
    if (status == THEATER_OK)
        status = th_tool_join(scratch, "component.wasm", component, reterr);
    if (status == THEATER_OK)
        status = th_tool_join(real, "build/.cache", cache, reterr);
    if (status == THEATER_OK && language->sdk)
        status = th_guest_find_sdk(language->sdk, sdk, reterr);
    if (status == THEATER_OK && language->place_sdk)
        status = th_guest_place_sdk(language, real, reterr);
    if (status != THEATER_OK)
        return status;
    th_guest_job job = {.folder = real,
                        .entry = project->entry,
                        .name = project->name,
                        .sdk = sdk,
                        .scratch = scratch,
                        .cache = cache,
                        .module = module,
                        .output = component};
    status = language->build(&job, ret->tool, reterr);
    return status ? status : take_output(&job, output, ret, reterr);
}

theater_status th_guest_build(const th_guest_project *project, const char *output, th_guest_built *ret,
                              theater_error *reterr)
{
    *ret = (th_guest_built){0};
    char real[PATH_MAX], build[PATH_MAX], scratch[PATH_MAX];
    if (!realpath(project->folder, real))
        return th_tool_fail_errno(reterr, errno, project->folder);
    bool here = strcmp(project->folder, ".") == 0;
    int size = output ? snprintf(ret->component, PATH_MAX, "%s", output)
                      : snprintf(ret->component, PATH_MAX, "%s%sbuild/%s.wasm", here ? "" : project->folder,
                                 here ? "" : "/", project->name);
    if (size >= PATH_MAX)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s: the path is too long", project->folder);
    theater_status status = th_tool_join(real, "build", build, reterr);
    if (status == THEATER_OK)
        status = th_tool_make_folder(build, reterr);
    if (status == THEATER_OK)
        status = th_tool_make_scratch(build, scratch, reterr);
    if (status == THEATER_OK) {
        status = build_in(project, real, scratch, ret->component, ret, reterr);
        th_guest_remove_folder(scratch);
    }
    if (status != THEATER_OK)
        rmdir(build); /* where it was made for nothing; one with files in it stays */
    return status;
}
