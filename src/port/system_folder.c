/* port/system_folder.c: folders of the machine. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "port/system_internal.h"

theater_status th_system_make_folder(th_port *port, const char *path, theater_error *reterr)
{
    int result;
    TH_SYSTEM_CALL(result, mkdir(path, 0755));
    if (result == 0)
        return THEATER_OK;
    if (errno != EEXIST)
        return th_system_fail(reterr, errno, "make the folder", path);
    struct stat facts;
    TH_SYSTEM_CALL(result, stat(path, &facts));
    if (result < 0)
        return th_system_fail(reterr, errno, "make the folder", path);
    if (!S_ISDIR(facts.st_mode))
        return th_fail(reterr, THEATER_EXISTS, "cannot make the folder %s: it is there and no folder", path);
    return THEATER_OK;
}

theater_status th_system_rename(th_port *port, const char *from, const char *to, theater_error *reterr)
{
    int result;
    TH_SYSTEM_CALL(result, rename(from, to));
    if (result == 0)
        return THEATER_OK;
    int error_number = errno;
    theater_status status = th_system_fail(reterr, error_number, "rename", from);
    return th_fail_in(reterr, status, "to %s", to);
}

theater_status th_system_remove(th_port *port, const char *path, theater_error *reterr)
{
    int result;
    TH_SYSTEM_CALL(result, remove(path));
    return result == 0 ? THEATER_OK : th_system_fail(reterr, errno, "remove", path);
}

theater_status th_system_sync_folder(th_port *port, const char *path, theater_error *reterr)
{
    int descriptor;
    TH_SYSTEM_CALL(descriptor, open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (descriptor < 0)
        return th_system_fail(reterr, errno, "open the folder", path);
    int result;
    TH_SYSTEM_CALL(result, fsync(descriptor));
    int error_number = errno;
    (void)close(descriptor);
    return result == 0 ? THEATER_OK : th_system_fail(reterr, error_number, "sync the folder", path);
}

static theater_status gather(DIR *folder, const char *path, th_names *names, theater_error *reterr)
{
    for (;;) {
        /* The end and an error both give NULL; only an error sets errno. */
        errno = 0;
        struct dirent *entry = th_system_call_fails() ? NULL : readdir(folder);
        if (!entry && errno == EINTR)
            continue;
        if (!entry)
            return errno == 0 ? THEATER_OK : th_system_fail(reterr, errno, "list", path);
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        theater_status status = th_names_add(names, entry->d_name, reterr);
        if (status != THEATER_OK)
            return th_fail_in(reterr, status, "cannot list %s", path);
    }
}

theater_status th_system_list_folder(th_port *port, const char *path,
                                     bool (*entry)(void *context, const char *name), void *context,
                                     theater_error *reterr)
{
    DIR *folder;
    do {
        folder = th_system_call_fails() ? NULL : opendir(path);
    } while (!folder && errno == EINTR);
    if (!folder)
        return th_system_fail(reterr, errno, "list", path);
    th_names names;
    th_names_init(&names);
    theater_status status = gather(folder, path, &names, reterr);
    (void)closedir(folder);
    if (status == THEATER_OK)
        th_names_visit(&names, entry, context);
    th_names_done(&names);
    return status;
}
