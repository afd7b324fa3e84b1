#include "tool/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAMES_MAX = 1000 };

theater_status th_tool_fail_errno(theater_error *reterr, int error, const char *what)
{
    theater_status status = THEATER_IO;
    if (error == ENOENT || error == ENOTDIR)
        status = THEATER_NOT_FOUND;
    else if (error == EEXIST)
        status = THEATER_EXISTS;
    else if (error == EACCES || error == EPERM)
        status = THEATER_PERMISSION;
    else if (error == EROFS)
        status = THEATER_READ_ONLY;
    else if (error == ENOSPC || error == EDQUOT)
        status = THEATER_NO_SPACE;
    else if (error == ENOMEM)
        status = THEATER_NO_MEMORY;
    char reason[128];
    return th_fail(reterr, status, "%s: %s", what, strerror_r(error, reason, sizeof reason));
}

theater_status th_tool_join(const char *folder, const char *name, char *ret, theater_error *reterr)
{
    if (snprintf(ret, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s: the path is too long", name);
    return THEATER_OK;
}

theater_status th_tool_read(const char *path, th_buf *out, theater_error *reterr)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return th_tool_fail_errno(reterr, errno, path);
    theater_status status = THEATER_OK;
    uint8_t block[16384];
    for (;;) {
        ssize_t got = read(file, block, sizeof block);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            status = th_tool_fail_errno(reterr, errno, path);
        if (got <= 0)
            break;
        status = th_buf_append(out, th_slice_of(block, (size_t)got), reterr);
        if (status != THEATER_OK) {
            status = th_fail_in(reterr, status, "%s", path);
            break;
        }
    }
    close(file);
    return status;
}

static theater_status write_all(int file, th_slice contents, const char *path, theater_error *reterr)
{
    while (contents.size > 0) {
        ssize_t put = write(file, contents.data, contents.size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return th_tool_fail_errno(reterr, errno, path);
        contents = th_slice_of(contents.data + put, contents.size - (size_t)put);
    }
    return THEATER_OK;
}

/* A close that fails can be the first word of a full disk, so it counts. */
static theater_status write_and_close(int file, th_slice contents, const char *path, theater_error *reterr)
{
    theater_status status = write_all(file, contents, path, reterr);
    if (close(file) != 0 && status == THEATER_OK)
        status = th_tool_fail_errno(reterr, errno, path);
    return status;
}

theater_status th_tool_write_new(const char *path, th_slice contents, theater_error *reterr)
{
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file < 0)
        return th_tool_fail_errno(reterr, errno, path);
    return write_and_close(file, contents, path, reterr);
}

theater_status th_tool_replaceable(const char *path, theater_error *reterr)
{
    struct stat info;
    if (lstat(path, &info) != 0 || S_ISREG(info.st_mode))
        return THEATER_OK;
    return th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s is no regular file, and nothing else is replaced",
                   path);
}

theater_status th_tool_replace(const char *path, th_slice contents, theater_error *reterr)
{
    char beside[PATH_MAX];
    theater_status status = th_tool_replaceable(path, reterr);
    if (status != THEATER_OK)
        return status;
    if (snprintf(beside, sizeof beside, "%s.XXXXXX", path) >= (int)sizeof beside)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s: the path is too long", path);
    int file = mkstemp(beside);
    if (file < 0)
        return th_tool_fail_errno(reterr, errno, path);
    fchmod(file, 0644);
    status = write_and_close(file, contents, path, reterr);
    if (status == THEATER_OK && rename(beside, path) != 0)
        status = th_tool_fail_errno(reterr, errno, path);
    if (status != THEATER_OK)
        unlink(beside);
    return status;
}

theater_status th_tool_make_folder(const char *path, theater_error *reterr)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return THEATER_OK;
    return th_tool_fail_errno(reterr, errno, path);
}

theater_status th_tool_make_scratch(const char *parent, char *ret, theater_error *reterr)
{
    theater_status status = th_tool_join(parent, ".work-XXXXXX", ret, reterr);
    if (status != THEATER_OK)
        return status;
    if (!mkdtemp(ret))
        return th_tool_fail_errno(reterr, errno, parent);
    return THEATER_OK;
}

void th_tool_remove_scratch(const char *path)
{
    DIR *folder = opendir(path);
    if (!folder)
        return;
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(folder), entry->d_name, 0);
    }
    closedir(folder);
    rmdir(path);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static theater_status add_name(th_tool_names *names, const char *name, const char *folder,
                               theater_error *reterr)
{
    if (names->count == NAMES_MAX)
        return th_fail(reterr, THEATER_TOO_LARGE, "%s: more than %d source files", folder, NAMES_MAX);
    char **larger = th_realloc(names->names, (names->count + 1) * sizeof *larger);
    if (!larger)
        return th_fail_memory(reterr, "a list of files");
    names->names = larger;
    size_t size = strlen(name) + 1;
    char *copy = th_alloc(size);
    if (!copy)
        return th_fail_memory(reterr, "a list of files");
    memcpy(copy, name, size);
    names->names[names->count++] = copy;
    return THEATER_OK;
}

theater_status th_tool_list(const char *path, const char *suffix, th_tool_names *ret, theater_error *reterr)
{
    *ret = (th_tool_names){0};
    DIR *folder = opendir(path);
    if (!folder)
        return th_tool_fail_errno(reterr, errno, path);
    theater_status status = THEATER_OK;
    size_t end = strlen(suffix);
    for (struct dirent *entry; status == THEATER_OK && (entry = readdir(folder));) {
        size_t size = strlen(entry->d_name);
        if (entry->d_name[0] != '.' && size > end && strcmp(entry->d_name + size - end, suffix) == 0)
            status = add_name(ret, entry->d_name, path, reterr);
    }
    closedir(folder);
    if (status != THEATER_OK)
        th_tool_names_done(ret);
    else if (ret->count > 1)
        qsort(ret->names, ret->count, sizeof *ret->names, compare_names);
    return status;
}

void th_tool_names_done(th_tool_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        th_free(names->names[i]);
    th_free(names->names);
    *names = (th_tool_names){0};
}
