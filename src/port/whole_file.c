/* port/whole_file.c: small files that are read and replaced as a whole, made of the port's other calls. */
#include "port/internal.h"

static theater_status read_open_file(th_file *file, const char *path, size_t max, th_buf *out,
                                     theater_error *reterr)
{
    uint64_t size;
    theater_status status = th_file_size(file, &size, reterr);
    if (status != THEATER_OK)
        return status;
    if (size > max)
        return th_fail(reterr, THEATER_TOO_LARGE, "%s: %llu bytes, at most %zu are read", path,
                       (unsigned long long)size, max);
    size_t before = out->size;
    uint8_t *room;
    status = th_buf_extend(out, (size_t)size, &room, reterr);
    if (status != THEATER_OK)
        return status;
    size_t got;
    status = th_file_read(file, 0, room, (size_t)size, &got, reterr);
    /* Less than the size means that the file was cut meanwhile: what was read is what it holds. */
    out->size = status == THEATER_OK ? before + got : before;
    return status;
}

static theater_status read_file(th_port *port, const char *path, unsigned flags, size_t max, th_buf *out,
                                theater_error *reterr)
{
    th_file *file;
    theater_status status = th_file_open(port, path, flags, &file, reterr);
    if (status != THEATER_OK)
        return status;
    status = read_open_file(file, path, max, out, reterr);
    th_file_close(file);
    return status;
}

theater_status th_port_read_file(th_port *port, const char *path, size_t max, th_buf *out,
                                 theater_error *reterr)
{
    return read_file(port, path, TH_FILE_READ, max, out, reterr);
}

theater_status th_port_read_private_file(th_port *port, const char *path, size_t max, th_buf *out,
                                         theater_error *reterr)
{
    return read_file(port, path, TH_FILE_READ | TH_FILE_PRIVATE, max, out, reterr);
}

static theater_status write_temporary(th_port *port, const char *path, unsigned flags, th_slice contents,
                                      theater_error *reterr)
{
    /* One that a crash left behind may have another mode, so it is not written over but made again. */
    theater_status status = th_port_remove(port, path, reterr);
    if (status != THEATER_OK && status != THEATER_NOT_FOUND)
        return status;
    th_file *file;
    flags = TH_FILE_WRITE | TH_FILE_CREATE | TH_FILE_EXCLUSIVE | (flags & TH_FILE_PRIVATE);
    status = th_file_open(port, path, flags, &file, reterr);
    if (status != THEATER_OK)
        return status;
    status = th_file_write(file, 0, &contents, 1, reterr);
    if (status == THEATER_OK)
        status = th_file_sync(file, reterr);
    th_file_close(file);
    return status;
}

/* The path of the folder that holds `path`, with room for strlen(path) + 2 bytes in `out`. */
static void folder_of(const char *path, char *out)
{
    const char *slash = strrchr(path, '/');
    if (!slash) {
        memcpy(out, ".", 2);
        return;
    }
    size_t size = slash == path ? 1 : (size_t)(slash - path);
    memcpy(out, path, size);
    out[size] = 0;
}

theater_status th_port_replace_file(th_port *port, const char *path, unsigned flags, th_slice contents,
                                    theater_error *reterr)
{
    static const char suffix[] = ".new";
    size_t path_size = strlen(path);
    char *temporary = th_alloc(2 * path_size + sizeof suffix + 2);
    if (!temporary)
        return th_fail_memory(reterr, "a file's path");
    memcpy(temporary, path, path_size);
    memcpy(temporary + path_size, suffix, sizeof suffix);
    char *folder = temporary + path_size + sizeof suffix;
    folder_of(path, folder);

    theater_status status = write_temporary(port, temporary, flags, contents, reterr);
    if (status == THEATER_OK)
        status = th_port_rename(port, temporary, path, reterr);
    if (status == THEATER_OK) {
        status = th_port_sync_folder(port, folder, reterr);
    } else {
        /* Best effort: the first failure is the one to report, and the next replace removes what is left. */
        theater_error ignored;
        (void)!th_port_remove(port, temporary, &ignored);
    }
    th_free(temporary);
    return status;
}
