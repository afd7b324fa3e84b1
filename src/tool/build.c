/* `theater build`: finds what an actor's folder holds and turns it into build/NAME.wasm. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "tool/files.h"
#include "tool/tool.h"

enum { MANIFEST_MAX = 1 << 20 };

/* Takes a value of YAML's plain or quoted form off a line, without a comment behind it. */
static th_slice scalar(th_slice line)
{
    const char *at = (const char *)line.data, *end = at + line.size;
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    if (at < end && (*at == '"' || *at == '\'')) {
        const char *close = memchr(at + 1, *at, (size_t)(end - at - 1));
        return close ? th_slice_of(at + 1, (size_t)(close - at - 1)) : th_slice_of(at, 0);
    }
    const char *stop = at;
    while (stop < end && *stop != ' ' && *stop != '\t' && *stop != '#' && *stop != '\r')
        stop++;
    return th_slice_of(at, (size_t)(stop - at));
}

/* The top-level `name` of a manifest. What else stands there is for whoever starts the actor: a build needs
 * only the name, and must not fail on a limit that it does not use. */
static th_slice manifest_name(th_slice text)
{
    static const char key[] = "name:";
    for (size_t at = 0; at < text.size;) {
        const uint8_t *newline = memchr(text.data + at, '\n', text.size - at);
        size_t end = newline ? (size_t)(newline - text.data) : text.size;
        if (end - at >= sizeof key - 1 && memcmp(text.data + at, key, sizeof key - 1) == 0)
            return scalar(th_slice_of(text.data + at + sizeof key - 1, end - at - (sizeof key - 1)));
        at = end + 1;
    }
    return th_slice_of(NULL, 0);
}

/* The folder's own name, also when it was given as "." or with a slash at the end. */
static theater_status folder_name(const char *folder, char *ret, size_t ret_size, theater_error *reterr)
{
    char real[PATH_MAX];
    if (!realpath(folder, real))
        return th_tool_fail_errno(reterr, errno, folder);
    const char *slash = strrchr(real, '/');
    if (snprintf(ret, ret_size, "%s", slash ? slash + 1 : real) >= (int)ret_size)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s: too long for an actor's name", folder);
    return THEATER_OK;
}

static theater_status find_name(const char *folder, char *ret, size_t ret_size, theater_error *reterr)
{
    char path[PATH_MAX];
    theater_status status = th_tool_join(folder, "actor.yaml", path, reterr);
    if (status != THEATER_OK)
        return status;
    if (access(path, F_OK) != 0)
        return folder_name(folder, ret, ret_size, reterr);
    th_buf text;
    th_buf_init(&text, MANIFEST_MAX);
    status = th_tool_read(path, &text, reterr);
    if (status == THEATER_OK) {
        th_slice name = manifest_name(th_buf_slice(&text));
        if (name.size == 0 || name.size >= ret_size)
            status =
                th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s: there is no name of 1 to 128 bytes", path);
        else
            snprintf(ret, ret_size, "%.*s", (int)name.size, (const char *)name.data);
    }
    th_buf_done(&text);
    return status;
}

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

static theater_status compile_folder(const char *folder, const char *module, char *ret_compiler,
                                     theater_error *reterr)
{
    th_tool_names names;
    theater_status status = th_tool_list(folder, ".c", &names, reterr);
    if (status != THEATER_OK)
        return status;
    const char **paths = NULL;
    if (names.count == 0)
        status = th_fail(reterr, THEATER_NOT_FOUND,
                         "%s: there is no .c file; `theater new` makes an actor to start from", folder);
    else
        status = source_paths(folder, &names, &paths, reterr);
    if (status == THEATER_OK) {
        th_tool_sources sources = {.paths = paths, .count = names.count, .base = folder};
        status = th_tool_compile(&sources, module, ret_compiler, reterr);
    }
    th_free(paths);
    th_tool_names_done(&names);
    return status;
}

/* Compiles into a scratch folder of `build`, so that the core module, which nobody needs, does not stay. Its
 * file name is in the module, so it must be the same each time. */
static theater_status build_to(const char *folder, const char *build, th_tool_built *ret,
                               theater_error *reterr)
{
    char scratch[PATH_MAX], file[160], module[PATH_MAX];
    snprintf(file, sizeof file, "%s.wasm", ret->name);
    theater_status status = th_tool_join(build, file, ret->component, reterr);
    if (status == THEATER_OK)
        status = th_tool_make_scratch(build, scratch, reterr);
    if (status != THEATER_OK)
        return status;
    status = th_tool_join(scratch, file, module, reterr);
    if (status == THEATER_OK)
        status = compile_folder(folder, module, ret->compiler, reterr);
    if (status == THEATER_OK)
        status = th_tool_componentize(module, ret->component, &ret->component_bytes, reterr);
    th_tool_remove_scratch(scratch);
    return status;
}

theater_status th_tool_build(const char *folder, th_tool_built *ret, theater_error *reterr)
{
    *ret = (th_tool_built){0};
    theater_status status = find_name(folder, ret->name, sizeof ret->name, reterr);
    if (status != THEATER_OK)
        return status;
    if (!th_name_valid(th_slice_text(ret->name)))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "%s: \"%s\" is no name for an actor: use a-z 0-9 - _ and single dots", folder,
                       ret->name);
    char build[PATH_MAX];
    status = th_tool_join(folder, "build", build, reterr);
    if (status == THEATER_OK)
        status = th_tool_make_folder(build, reterr);
    if (status == THEATER_OK)
        status = build_to(folder, build, ret, reterr);
    if (status != THEATER_OK)
        rmdir(build); /* where it was made for nothing; one with files in it stays */
    return status;
}
