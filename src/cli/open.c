#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

theater_status cli_data(const cli_run *cli, bool must_exist, const char **ret, theater_error *reterr)
{
    if (!cli->data)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       cli->server ? "a data folder is needed here, and a server was named: give --data DIR"
                                   : "no data folder: give --data DIR, or set THEATER_DATA");
    *ret = cli->data;
    struct stat info;
    if (stat(cli->data, &info) == 0)
        return S_ISDIR(info.st_mode)
                   ? THEATER_OK
                   : th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s is a file, not a data folder", cli->data);
    if (errno != ENOENT)
        return th_fail(reterr, errno == EACCES ? THEATER_PERMISSION : THEATER_IO, "%s: %s", cli->data,
                       strerror(errno));
    if (!must_exist)
        return THEATER_OK;
    return th_fail(reterr, THEATER_NOT_FOUND, "there is no data folder %s; \"theater start\" makes one",
                   cli->data);
}

theater_status cli_open_folder(const cli_run *cli, theater_folder **ret, theater_error *reterr)
{
    const char *path;
    theater_status status = cli_data(cli, true, &path, reterr);
    return status ? status : theater_folder_open(path, ret, reterr);
}

theater_status cli_open_actor(const cli_run *cli, const char *name, theater_folder **ret,
                              theater_actor_info *ret_info, theater_error *reterr)
{
    theater_status status = cli_open_folder(cli, ret, reterr);
    if (status)
        return status;
    status = theater_folder_actor(*ret, name, ret_info, reterr);
    if (!status && ret_info->elements == 0)
        status = th_fail(reterr, THEATER_NOT_FOUND, "actor %s has no chain yet", name);
    if (status) {
        theater_folder_close(*ret);
        *ret = NULL;
    }
    return status;
}

theater_status cli_open_runtime(const cli_run *cli, bool create, const theater_runtime_options *options,
                                theater_runtime **ret, theater_error *reterr)
{
    theater_runtime_options own = options ? *options : (theater_runtime_options){0};
    theater_status status = cli_data(cli, !create, &own.folder, reterr);
    if (!status)
        status = theater_runtime_open(&own, ret, reterr);
    if (!status)
        cli_catch_interrupt();
    return status;
}

/* ---- files --------------------------------------------------------------------------------------------- */

theater_status cli_fail_errno(const char *path, theater_error *reterr)
{
    theater_status status = errno == ENOENT   ? THEATER_NOT_FOUND
                            : errno == EACCES ? THEATER_PERMISSION
                                              : THEATER_IO;
    return th_fail(reterr, status, "%s: %s", path, strerror(errno));
}

theater_status cli_read_file(const char *path, size_t max, th_buf *out, theater_error *reterr)
{
    bool is_stdin = strcmp(path, "-") == 0;
    const char *name = is_stdin ? "standard input" : path;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return cli_fail_errno(name, reterr);
    theater_status status = THEATER_OK;
    while (!status) {
        uint8_t chunk[65536];
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got == 0)
            break;
        if (got < 0 && errno == EINTR && !cli_interrupted())
            continue;
        if (got < 0)
            status = errno == EINTR ? th_fail(reterr, THEATER_INTERRUPTED, "interrupted")
                                    : cli_fail_errno(name, reterr);
        else if (out->size + (size_t)got > max)
            status = th_fail(reterr, THEATER_TOO_LARGE, "%s has more than %zu bytes", name, max);
        else
            status = th_buf_append(out, th_slice_of(chunk, (size_t)got), reterr);
    }
    if (!is_stdin)
        close(fd);
    return status;
}

theater_status cli_with_input(cli_run *cli,
                              theater_status (*use)(cli_run *cli, th_slice input, theater_error *reterr),
                              theater_error *reterr)
{
    const char *file = cli_value(cli, "--file");
    if (file && cli->operand_count > 1)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "INPUT and --file exclude each other");
    th_buf buf;
    th_buf_init(&buf, CLI_FILE_MAX);
    theater_status status = file ? cli_read_file(file, CLI_FILE_MAX, &buf, reterr) : THEATER_OK;
    th_slice input = cli->operand_count > 1 ? th_slice_text(cli->operands[1]) : th_buf_slice(&buf);
    if (!status)
        status = use(cli, input, reterr);
    th_buf_done(&buf);
    return status;
}
