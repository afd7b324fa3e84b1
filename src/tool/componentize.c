/* theater-componentize: makes the example actors' components while the project itself is built.
 *
 *   theater-componentize OUTPUT.wasm [-I FOLDER] BASE FILE.c...
 *
 * The same steps as `theater build`, in a program that needs no engine to run and no manifest. Paths in the
 * result are relative to BASE. */
#include <stdio.h>
#include <unistd.h>

#include "tool/files.h"
#include "tool/tool.h"

static theater_status make(const char *output, const th_tool_sources *sources, theater_error *reterr)
{
    char module[PATH_MAX];
    if (snprintf(module, sizeof module, "%s.core", output) >= (int)sizeof module)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s: the path is too long", output);
    theater_status status = th_tool_compile(sources, module, NULL, reterr);
    if (status == THEATER_OK)
        status = th_tool_componentize(module, output, NULL, reterr);
    unlink(module);
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
