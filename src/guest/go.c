/* Actors in Go: a module with go.mod, compiled to wasip1 as a library, with the package theater of the SDK at
 * .theater/go by a replace directive, so that nothing is downloaded.
 *
 * A compiler older than 1.24 cannot export functions. A program that says it wants another version of the tools
 * would have them downloaded; GOTOOLCHAIN=local makes that an error that says so.
 *
 * What the runtime asks of WASI is answered inside the component (sdk/wasi-stub). Its start-up, which is a hundred
 * times the work of a small turn, is done once, here (encoder/src/snapshot.rs). */
#include <stdio.h>
#include <unistd.h>

#include "guest/languages.h"
#include "tool/files.h"
#include "tool/tool.h"

enum { GO_MINOR_OLDEST = 24 };

/* Whether a compiler can export functions, by its own word: "go1.26.8". One whose word is of another form, as a
 * development version's is, is believed to be new. */
static bool is_new_enough(const char *go)
{
    char word[64];
    unsigned minor;
    return th_guest_says(go, "env GOVERSION", word, sizeof word) &&
           (sscanf(word, "go1.%u", &minor) != 1 || minor >= GO_MINOR_OLDEST);
}

static theater_status find(char *ret, theater_error *reterr)
{
    static const char *const others[] = {"/usr/local/go/bin/go", "/usr/lib/go/bin/go", NULL};
    bool there = th_guest_find("go", ret);
    if (there && is_new_enough(ret))
        return THEATER_OK;
    for (size_t i = 0; others[i]; i++) {
        snprintf(ret, PATH_MAX, "%s", others[i]);
        if (access(ret, X_OK) == 0 && is_new_enough(ret))
            return THEATER_OK;
    }
    return th_fail(reterr, THEATER_TOOL_MISSING, "actors in Go need Go 1.%d or newer, %s: %s",
                   GO_MINOR_OLDEST, there ? "and the one here is older" : "which is not installed",
                   th_guest_remedy(&(th_guest_tool){.remedy = "tools/guest-tools go"}, ret));
}

static theater_status build(const th_guest_job *job, char *ret_tool, theater_error *reterr)
{
    char cache[PATH_MAX], cache_variable[PATH_MAX + 16], started[PATH_MAX];
    /* Go's own cache is by content and for all projects: the library is compiled once, not for each. */
    bool has_cache = getenv("GOCACHE") || getenv("XDG_CACHE_HOME") || getenv("HOME");
    theater_status status = th_guest_need(&th_guest_go, "go", ret_tool, reterr);
    if (status == THEATER_OK)
        status = th_tool_join(job->cache, "go", cache, reterr);
    if (status == THEATER_OK)
        status = th_tool_join(job->scratch, "go.wasm", started, reterr);
    if (status == THEATER_OK)
        status = th_guest_make_folders(job->cache, reterr);
    if (status != THEATER_OK)
        return status;
    snprintf(cache_variable, sizeof cache_variable, "GOCACHE=%s", cache);
    const char *const arguments[] = {ret_tool,    "build",           "-buildmode=c-shared",
                                     "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=",
                                     "-o",        started,           ".",
                                     NULL};
    const char *const environment[] = {"GOOS=wasip1",
                                       "GOARCH=wasm",
                                       "GOWASM=",
                                       "CGO_ENABLED=0",
                                       "GOPROXY=off",
                                       "GOSUMDB=off",
                                       "GOTOOLCHAIN=local",
                                       "GOWORK=off",
                                       "GO111MODULE=on",
                                       "GOEXPERIMENT=",
                                       "GOFLAGS=-mod=mod",
                                       "GODEBUG=",
                                       has_cache ? NULL : cache_variable,
                                       NULL};
    status = th_guest_run(
        &(th_guest_command){
            .arguments = arguments, .environment = environment, .folder = job->folder, .what = "go"},
        reterr);
    if (status == THEATER_OK)
        status = th_tool_snapshot(started, job->module, reterr);
    return status ? status : th_guest_componentize(job, true, reterr);
}

static const char *const extensions[] = {"go.mod", NULL};
static const char *const markers[] = {"go.mod", NULL};
static const th_guest_tool tools[] = {
    {.program = "go", .variable = "THEATER_GO", .find = find},
    {0},
};

const th_guest_language th_guest_go = {
    .name = "go",
    .other_name = "golang",
    .title = "Go",
    .extensions = extensions,
    .markers = markers,
    .sdk = "go",
    .place_sdk = true,
    .tools = tools,
    .build = build,
};
