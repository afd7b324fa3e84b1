/* Folders as builds need them: made, copied, removed; and where the SDK is. */
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/guest.h"
#include "tool/files.h"

enum { COPY_FILES_MAX = 10000, COPY_FILE_BYTES_MAX = 64 << 20, COPY_DEPTH_MAX = 16, NFTW_FILES = 16 };

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)info, (void)type, (void)place;
    remove(path);
    return 0;
}

void th_guest_remove_folder(const char *path)
{
    nftw(path, remove_one, NFTW_FILES, FTW_DEPTH | FTW_PHYS);
}

theater_status th_guest_make_folders(const char *path, theater_error *reterr)
{
    char part[PATH_MAX];
    if (snprintf(part, sizeof part, "%s", path) >= PATH_MAX)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s: the path is too long", path);
    for (char *at = part + 1; *at; at++) {
        if (*at != '/')
            continue;
        *at = 0;
        theater_status status = th_tool_make_folder(part, reterr);
        if (status != THEATER_OK)
            return status;
        *at = '/';
    }
    return th_tool_make_folder(part, reterr);
}

/* ---- copying ------------------------------------------------------------------------------------------- */

/* What no project needs of the SDK. */
static bool is_left_out(const char *name)
{
    static const char *const names[] = {"node_modules", "target", "tests", "__pycache__", NULL};
    if (name[0] == '.' || strncmp(name, "template", 8) == 0)
        return true;
    for (size_t i = 0; names[i]; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static theater_status copy_file(const char *from, const char *to, theater_error *reterr)
{
    th_buf text, there;
    th_buf_init(&text, COPY_FILE_BYTES_MAX);
    th_buf_init(&there, COPY_FILE_BYTES_MAX);
    theater_status status = th_tool_read(from, &text, reterr);
    bool same = status == THEATER_OK && th_tool_read(to, &there, NULL) == THEATER_OK &&
                th_slice_equal(th_buf_slice(&text), th_buf_slice(&there));
    if (status == THEATER_OK && !same)
        status = th_tool_replace(to, th_buf_slice(&text), reterr);
    th_buf_done(&text);
    th_buf_done(&there);
    return status;
}

static theater_status copy_below(const char *from, const char *to, unsigned depth, unsigned *count,
                                 theater_error *reterr);

static theater_status copy_entry(const char *from, const char *to, const char *name, unsigned depth,
                                 unsigned *count, theater_error *reterr)
{
    char source[PATH_MAX], target[PATH_MAX];
    struct stat info;
    theater_status status = th_tool_join(from, name, source, reterr);
    if (status == THEATER_OK)
        status = th_tool_join(to, name, target, reterr);
    if (status != THEATER_OK)
        return status;
    if (stat(source, &info) != 0)
        return th_tool_fail_errno(reterr, errno, source);
    if (S_ISDIR(info.st_mode))
        return copy_below(source, target, depth + 1, count, reterr);
    if (++*count > COPY_FILES_MAX)
        return th_fail(reterr, THEATER_TOO_LARGE, "%s: more than %d files", from, COPY_FILES_MAX);
    return copy_file(source, target, reterr);
}

static theater_status copy_below(const char *from, const char *to, unsigned depth, unsigned *count,
                                 theater_error *reterr)
{
    if (depth > COPY_DEPTH_MAX)
        return th_fail(reterr, THEATER_TOO_LARGE, "%s: folders are more than %d deep", from, COPY_DEPTH_MAX);
    theater_status status = th_tool_make_folder(to, reterr);
    if (status != THEATER_OK)
        return status;
    DIR *folder = opendir(from);
    if (!folder)
        return th_tool_fail_errno(reterr, errno, from);
    for (struct dirent *entry; status == THEATER_OK && (entry = readdir(folder));) {
        if (!is_left_out(entry->d_name))
            status = copy_entry(from, to, entry->d_name, depth, count, reterr);
    }
    closedir(folder);
    return status;
}

theater_status th_guest_copy_folder(const char *from, const char *to, theater_error *reterr)
{
    unsigned count = 0;
    theater_status status = th_guest_make_folders(to, reterr);
    return status ? status : copy_below(from, to, 0, &count, reterr);
}

/* ---- the SDK ------------------------------------------------------------------------------------------- */

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

theater_status th_guest_find_sdk(const char *name, char *ret, theater_error *reterr)
{
    const char *given = getenv("THEATER_SDK");
    if (given && *given) {
        /* The folder sdk, or sdk/c beside which the others are. */
        if ((snprintf(ret, PATH_MAX, "%s/%s", given, name) < PATH_MAX && is_folder(ret)) ||
            (snprintf(ret, PATH_MAX, "%s/../%s", given, name) < PATH_MAX && is_folder(ret)))
            return THEATER_OK;
        return th_fail(reterr, THEATER_TOOL_MISSING, "THEATER_SDK is %.256s, but there is no folder %s",
                       given, name);
    }
    char program[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
    if (size > 0) {
        program[size] = 0;
        char *slash = strrchr(program, '/');
        if (slash)
            *slash = 0;
        if (snprintf(ret, PATH_MAX, "%s/../share/theater/sdk/%s", program, name) < PATH_MAX && is_folder(ret))
            return THEATER_OK;
    }
    if (snprintf(ret, PATH_MAX, "%s/%s", TH_SDK_ROOT, name) < PATH_MAX && is_folder(ret))
        return THEATER_OK;
    return th_fail(
        reterr, THEATER_TOOL_MISSING,
        "the SDK's folder %s was not found; set THEATER_SDK to the folder sdk of Theater's sources", name);
}

/* Makes the link that Node and editors follow to the placed SDK. What is there already is the project's own. A
 * file system without links has none, and builds need none. */
static theater_status place_link(const th_guest_language *language, const char *folder, theater_error *reterr)
{
    char path[PATH_MAX], above[PATH_MAX], target[PATH_MAX];
    theater_status status = th_tool_join(folder, language->link, path, reterr);
    if (status != THEATER_OK)
        return status;
    snprintf(above, sizeof above, "%.*s", (int)(strrchr(path, '/') - path), path);
    snprintf(target, sizeof target, "../.theater/%.40s", language->sdk);
    status = th_tool_make_folder(above, reterr);
    if (status == THEATER_OK && symlink(target, path) != 0 && errno != EEXIST && errno != EPERM)
        status = th_tool_fail_errno(reterr, errno, path);
    return status;
}

theater_status th_guest_place_sdk(const th_guest_language *language, const char *folder, theater_error *reterr)
{
    char sdk[PATH_MAX], target[PATH_MAX];
    theater_status status = th_guest_find_sdk(language->sdk, sdk, reterr);
    if (status != THEATER_OK)
        return status;
    if (snprintf(target, sizeof target, "%s/.theater/%s", folder, language->sdk) >= PATH_MAX)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s: the path is too long", folder);
    status = th_guest_copy_folder(sdk, target, reterr);
    return status || !language->link ? status : place_link(language, folder, reterr);
}
