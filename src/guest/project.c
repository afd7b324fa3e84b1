/* Finding out what a path is: whose project, by which file, under which name. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/guest.h"
#include "tool/files.h"

enum { MANIFEST_MAX = 1 << 20 };

/* ---- the name ------------------------------------------------------------------------------------------ */

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

static theater_status read_manifest_name(const char *path, char *ret, size_t ret_size, theater_error *reterr)
{
    th_buf text;
    th_buf_init(&text, MANIFEST_MAX);
    theater_status status = th_tool_read(path, &text, reterr);
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

/* The last part of a path, without the ending of a file. */
static theater_status path_name(const char *path, bool is_file, char *ret, size_t ret_size,
                                theater_error *reterr)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *dot = is_file ? strrchr(name, '.') : NULL;
    size_t size = dot ? (size_t)(dot - name) : strlen(name);
    if (snprintf(ret, ret_size, "%.*s", (int)size, name) >= (int)ret_size)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s: too long for an actor's name", path);
    return THEATER_OK;
}

static theater_status find_name(const char *real, const char *file, th_guest_project *ret,
                                theater_error *reterr)
{
    char path[PATH_MAX];
    theater_status status = th_tool_join(real, "actor.yaml", path, reterr);
    if (status != THEATER_OK)
        return status;
    if (access(path, F_OK) == 0)
        status = read_manifest_name(path, ret->name, sizeof ret->name, reterr);
    else
        status = path_name(file ? file : real, file != NULL, ret->name, sizeof ret->name, reterr);
    if (status == THEATER_OK && !th_name_valid(th_slice_text(ret->name)))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "%s: \"%s\" is no name for an actor: use a-z 0-9 - _ and single dots", ret->folder,
                       ret->name);
    return status;
}

/* ---- the language -------------------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);
    return size > end_size && strcmp(text + size - end_size, end) == 0;
}

/* The first file of the folder, by name, with an ending; *ret stays "" when there is none. */
static theater_status find_ending(const char *folder, const char *ending, char *ret, theater_error *reterr)
{
    th_tool_names names;
    theater_status status = th_tool_list(folder, ending, &names, reterr);
    if (status == THEATER_OK && names.count > 0)
        status = th_tool_join(folder, names.names[0], ret, reterr);
    th_tool_names_done(&names);
    return status;
}

/* The file that makes the folder a project of the language, or "". */
static theater_status find_marker(const char *folder, const th_guest_language *language, char *ret,
                                  theater_error *reterr)
{
    theater_status status = THEATER_OK;
    ret[0] = 0;
    for (size_t i = 0; status == THEATER_OK && !ret[0] && language->markers[i]; i++) {
        const char *marker = language->markers[i];
        if (marker[0] == '*') {
            status = find_ending(folder, marker + 1, ret, reterr);
            continue;
        }
        status = th_tool_join(folder, marker, ret, reterr);
        if (status == THEATER_OK && access(ret, R_OK) != 0)
            ret[0] = 0;
    }
    return status;
}

static theater_status find_in_folder(const char *real, const th_guest_language *language,
                                     th_guest_project *ret, theater_error *reterr)
{
    for (size_t i = 0; th_guest_languages[i]; i++) {
        if (language && th_guest_languages[i] != language)
            continue;
        ret->language = th_guest_languages[i];
        theater_status status = find_marker(real, ret->language, ret->entry, reterr);
        if (status != THEATER_OK || ret->entry[0])
            return status;
    }
    if (language)
        return th_fail(reterr, THEATER_NOT_FOUND,
                       "%s: no project in %s; `theater new --lang %s NAME` makes one to start from",
                       ret->folder, language->title, language->name);
    return th_fail(reterr, THEATER_NOT_FOUND,
                   "%s: no source file of an actor (%s); `theater new` makes an actor to start from",
                   ret->folder, th_guest_language_names());
}

static theater_status find_by_file(const char *file, const th_guest_language *language, th_guest_project *ret,
                                   theater_error *reterr)
{
    if (!realpath(file, ret->entry))
        return th_tool_fail_errno(reterr, errno, file);
    ret->language = language;
    for (size_t i = 0; !ret->language && th_guest_languages[i]; i++)
        for (size_t j = 0; th_guest_languages[i]->extensions[j]; j++)
            if (ends_with(file, th_guest_languages[i]->extensions[j]))
                ret->language = th_guest_languages[i];
    if (!ret->language)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "%s: no language has files with this ending; give its folder, or --lang: %s", file,
                       th_guest_language_names());
    return THEATER_OK;
}

/* The folder of a file, as short as it can be said. */
static void folder_of(const char *file, char *ret)
{
    const char *slash = strrchr(file, '/');
    if (slash)
        snprintf(ret, PATH_MAX, "%.*s", slash == file ? 1 : (int)(slash - file), file);
    else
        snprintf(ret, PATH_MAX, ".");
}

theater_status th_guest_project_find(const char *path, const th_guest_language *language,
                                     th_guest_project *ret, theater_error *reterr)
{
    *ret = (th_guest_project){0};
    struct stat info;
    if (strlen(path) >= PATH_MAX)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "the path is too long");
    if (stat(path, &info) != 0)
        return th_tool_fail_errno(reterr, errno, path);
    bool is_file = !S_ISDIR(info.st_mode);
    char real[PATH_MAX];
    if (is_file)
        folder_of(path, ret->folder);
    else
        snprintf(ret->folder, sizeof ret->folder, "%s", path);
    if (!realpath(ret->folder, real))
        return th_tool_fail_errno(reterr, errno, ret->folder);
    theater_status status = is_file ? find_by_file(path, language, ret, reterr)
                                    : find_in_folder(real, language, ret, reterr);
    return status ? status : find_name(real, is_file ? ret->entry : NULL, ret, reterr);
}
