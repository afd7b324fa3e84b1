/* theater-componentize: makes the example actors' components while the project itself is built.
 *
 *   theater-componentize OUTPUT.wasm [-I FOLDER] BASE FILE.c...
 *
 * The same steps as `theater build`, in a program that needs no engine to run and no manifest. Paths in the
 * result are relative to BASE. */
#include <stdio.h>

#include "tool/files.h"
#include "tool/tool.h"

/* The module's file name is in the component, so it is the output's, as with `theater build`: both give the
 * same bytes for the same actor. */
static theater_status make_in(const char *scratch, const char *output, const th_tool_sources *sources,
                              theater_error *reterr)
{
    char module[PATH_MAX];
    const char *slash = strrchr(output, '/');
    theater_status status = th_tool_join(scratch, slash ? slash + 1 : output, module, reterr);
    if (status == THEATER_OK)
        status = th_tool_compile(sources, module, NULL, reterr);
    if (status == THEATER_OK)
        status = th_tool_componentize(module, output, false, NULL, reterr);
    return status;
}

static theater_status make(const char *output, const th_tool_sources *sources, theater_error *reterr)
{
    char folder[PATH_MAX], scratch[PATH_MAX];
    const char *slash = strrchr(output, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - output) : 1, slash ? output : ".");
    theater_status status = th_tool_make_scratch(folder, scratch, reterr);
    if (status == THEATER_OK) {
        status = make_in(scratch, output, sources, reterr);
        th_tool_remove_scratch(scratch);
    }
    return status;
}

int main(int argc, char **argv)
{
    int at = 2;
    th_tool_sources sources = {0};
    if (argc > at + 1 && strcmp(argv[at], "-I") == 0) {
        sources.include = argv[at + 1];
        at += 2;
    }
    if (argc < at + 2) {
        fprintf(stderr, "usage: theater-componentize OUTPUT.wasm [-I FOLDER] BASE FILE.c...\n");
        return theater_status_exit_code(THEATER_INVALID_ARGUMENT);
    }
    sources.base = argv[at];
    sources.paths = (const char *const *)&argv[at + 1];
    sources.count = (size_t)(argc - at - 1);
    theater_error error = {0};
    theater_status status = make(argv[1], &sources, &error);
    if (status != THEATER_OK)
        fprintf(stderr, "theater-componentize: %s\n", error.message);
    return theater_status_exit_code(status);
}
