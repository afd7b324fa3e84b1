/* `theater new`: a small project from the template of a language, sdk/LANGUAGE/template.
 *
 * In each file {{name}} stands for the actor's name. A file called dot-NAME becomes .NAME, so that it does
 * not act in Theater's own sources. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "guest/guest.h"
#include "tool/files.h"

enum { TEMPLATE_FILE_MAX = 1 << 20, TEMPLATE_DEPTH_MAX = 8 };

static const char placeholder[] = "{{name}}";

/* Writes one file with the actor's name filled in. */
static theater_status write_file(const char *from, const char *to, th_slice name, theater_error *reterr)
{
    th_buf text, filled;
    th_buf_init(&text, TEMPLATE_FILE_MAX);
    th_buf_init(&filled, 2 * TEMPLATE_FILE_MAX);
    theater_status status = th_tool_read(from, &text, reterr);
    for (size_t at = 0; status == THEATER_OK && at < text.size;) {
        const uint8_t *found = memmem(text.data + at, text.size - at, placeholder, sizeof placeholder - 1);
        size_t end = found ? (size_t)(found - text.data) : text.size;
        status = th_buf_append(&filled, th_slice_of(text.data + at, end - at), reterr);
        if (status == THEATER_OK && found)
            status = th_buf_append(&filled, name, reterr);
        at = end + (found ? sizeof placeholder - 1 : 0);
    }
    if (status == THEATER_OK)
        status = th_tool_write_new(to, th_buf_slice(&filled), reterr);
    th_buf_done(&text);
    th_buf_done(&filled);
    return status;
}

static theater_status write_folder(const char *from, const char *to, th_slice name, unsigned depth,
                                   theater_error *reterr);

static theater_status write_entry(const char *from, const char *to, const char *entry, th_slice name,
                                  unsigned depth, theater_error *reterr)
{
    static const char dot[] = "dot-";
    char source[PATH_MAX], target[PATH_MAX], shown[NAME_MAX + 2];
    bool hidden = strncmp(entry, dot, sizeof dot - 1) == 0;
    snprintf(shown, sizeof shown, "%s%s", hidden ? "." : "", hidden ? entry + sizeof dot - 1 : entry);
    theater_status status = th_tool_join(from, entry, source, reterr);
    if (status == THEATER_OK)
        status = th_tool_join(to, shown, target, reterr);
    if (status != THEATER_OK)
        return status;
    struct stat info;
    if (stat(source, &info) != 0)
        return th_tool_fail_errno(reterr, errno, source);
    if (!S_ISDIR(info.st_mode))
        return write_file(source, target, name, reterr);
    status = th_tool_make_folder(target, reterr);
    return status ? status : write_folder(source, target, name, depth + 1, reterr);
}

static theater_status write_folder(const char *from, const char *to, th_slice name, unsigned depth,
                                   theater_error *reterr)
{
    if (depth > TEMPLATE_DEPTH_MAX)
        return th_fail(reterr, THEATER_TOO_LARGE, "%s: folders are more than %d deep", from,
                       TEMPLATE_DEPTH_MAX);
    DIR *folder = opendir(from);
    if (!folder)
        return th_tool_fail_errno(reterr, errno, from);
    theater_status status = THEATER_OK;
    for (struct dirent *entry; status == THEATER_OK && (entry = readdir(folder));) {
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, "__pycache__") != 0)
            status = write_entry(from, to, entry->d_name, name, depth, reterr);
    }
    closedir(folder);
    return status;
}

theater_status th_guest_new(const th_guest_language *language, const char *path, theater_error *reterr)
{
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/')
        size--;
    if (size >= PATH_MAX)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "the path is too long");
    char folder[PATH_MAX], sdk[PATH_MAX], template[PATH_MAX];
    memcpy(folder, path, size);
    folder[size] = 0;
    const char *slash = strrchr(folder, '/');
    th_slice name = th_slice_text(slash ? slash + 1 : folder);
    if (!th_name_valid(name))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "\"%.*s\" is no name for an actor: use a-z 0-9 - _ and single dots",
                       (int)(name.size < 128 ? name.size : 128), (const char *)name.data);
    theater_status status = th_guest_find_sdk(language->sdk, sdk, reterr);
    if (status == THEATER_OK) {
        /* A language that shares another's SDK has its template beside it. */
        char own[64];
        snprintf(own, sizeof own, "template-%.40s", language->name);
        status = th_tool_join(sdk, own, template, reterr);
        struct stat info;
        if (status == THEATER_OK && stat(template, &info) != 0)
            status = th_tool_join(sdk, "template", template, reterr);
    }
    if (status != THEATER_OK)
        return status;
    if (mkdir(folder, 0777) != 0)
        return th_tool_fail_errno(reterr, errno, folder);
    status = write_folder(template, folder, name, 0, reterr);
    return status || !language->place_sdk ? status : th_guest_place_sdk(language, folder, reterr);
}
