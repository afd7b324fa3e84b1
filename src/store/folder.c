#include "store/folder.h"

#include <stdio.h>

#include "store/path.h"

#define FORMAT_MAX ((size_t)4096)
#define CLOSED_SIZE 64

/* ---- the format file ---- */

static theater_status write_format(th_port *port, const char *folder, const uint8_t identity[16],
                                   theater_error *reterr)
{
    char text[128], hex[33];
    th_hex_encode(th_slice_of(identity, 16), hex);
    int size =
        snprintf(text, sizeof text, "theater data folder\nformat %d\nstore %s\n", TH_FOLDER_VERSION, hex);
    char *path = th_path_join(folder, "format");
    if (!path)
        return th_fail_memory(reterr, "a path");
    theater_status status = th_port_replace_file(port, path, 0, th_slice_of(text, (size_t)size), reterr);
    th_free(path);
    return status;
}

static theater_status parse_format(const char *folder, th_slice text, uint8_t ret_identity[16],
                                   theater_error *reterr)
{
    static const char first[] = "theater data folder\nformat ";
    size_t at = sizeof first - 1;
    uint64_t version = 0;
    bool good =
        text.size > at && memcmp(text.data, first, at) == 0 && text.data[at] >= '0' && text.data[at] <= '9';
    for (; good && at < text.size && text.data[at] >= '0' && text.data[at] <= '9'; at++)
        version = version > 100000 ? version : version * 10 + (text.data[at] - '0');
    if (good && version != TH_FOLDER_VERSION)
        return th_fail(reterr, THEATER_VERSION,
                       "the data folder %s is of format %llu, this program works with format %d", folder,
                       (unsigned long long)version, TH_FOLDER_VERSION);
    static const char second[] = "\nstore ";
    good = good && text.size == at + sizeof second - 1 + 32 + 1 &&
           memcmp(text.data + at, second, sizeof second - 1) == 0 && text.data[text.size - 1] == '\n' &&
           th_hex_decode((const char *)text.data + at + sizeof second - 1, 32, ret_identity, 16);
    if (!good)
        return th_fail(reterr, THEATER_CORRUPT, "the file 'format' of the data folder %s is damaged", folder);
    return THEATER_OK;
}

static theater_status read_format(th_folder *folder, theater_error *reterr)
{
    char *path = th_path_join(folder->path, "format");
    if (!path)
        return th_fail_memory(reterr, "a path");
    th_buf text;
    th_buf_init(&text, FORMAT_MAX);
    theater_status status = th_port_read_file(folder->port, path, FORMAT_MAX, &text, reterr);
    if (status == THEATER_TOO_LARGE)
        status = th_fail(reterr, THEATER_CORRUPT, "the file 'format' of the data folder %s is damaged",
                         folder->path);
    if (!status)
        status = parse_format(folder->path, th_buf_slice(&text), folder->identity, reterr);
    th_buf_done(&text);
    th_free(path);
    return status;
}

/* ---- the mark of a clean close ---- */

static char *closed_path(const th_folder *folder)
{
    return th_path_join(folder->path, "closed");
}

/* A mark that is missing or damaged says nothing; that is safe. */
static theater_status read_closed(th_folder *folder, theater_error *reterr)
{
    char *path = closed_path(folder);
    if (!path)
        return th_fail_memory(reterr, "a path");
    th_buf buf;
    th_buf_init(&buf, FORMAT_MAX);
    theater_status status = th_port_read_file(folder->port, path, FORMAT_MAX, &buf, reterr);
    const uint8_t *in = buf.data;
    if (!status && buf.size == CLOSED_SIZE && memcmp(in, "THEATEND", 8) == 0 &&
        memcmp(in + 8, folder->identity, 16) == 0 &&
        th_get_u64le(in + 56) == th_checksum(th_slice_of(in, 56), 0))
        folder->closed = (th_journal_mark){th_get_u64le(in + 24), th_get_u64le(in + 32),
                                           th_get_u64le(in + 40), th_get_u64le(in + 48)};
    th_buf_done(&buf);
    th_free(path);
    return status == THEATER_NO_MEMORY || status == THEATER_IO ? status : THEATER_OK;
}

theater_status th_folder_mark_closed(th_folder *folder, const th_journal_mark *mark, theater_error *reterr)
{
    if (mark->number == folder->closed.number && mark->last_sum == folder->closed.last_sum)
        return THEATER_OK;
    uint8_t out[CLOSED_SIZE];
    memcpy(out, "THEATEND", 8);
    memcpy(out + 8, folder->identity, 16);
    th_put_u64le(out + 24, mark->number);
    th_put_u64le(out + 32, mark->position);
    th_put_u64le(out + 40, mark->last_position);
    th_put_u64le(out + 48, mark->last_sum);
    th_put_u64le(out + 56, th_checksum(th_slice_of(out, 56), 0));
    char *path = closed_path(folder);
    if (!path)
        return th_fail_memory(reterr, "a path");
    theater_status status = th_port_replace_file(folder->port, path, 0, th_slice_of(out, sizeof out), reterr);
    th_free(path);
    return status;
}

/* ---- opening ---- */

static bool note_segment(void *context, const char *name)
{
    size_t size = strlen(name);
    if (size == 24 && strcmp(name + 20, ".log") == 0)
        *(bool *)context = true;
    return true;
}

/* Makes what a data folder has; the format comes last, so that half a folder is none. */
static theater_status make_contents(th_folder *folder, theater_error *reterr)
{
    bool has_segments = false;
    theater_status status = th_port_make_folder(folder->port, folder->log, reterr);
    if (!status)
        status = th_port_list_folder(folder->port, folder->log, note_segment, &has_segments, reterr);
    if (!status && has_segments)
        return th_fail(reterr, THEATER_CORRUPT,
                       "the data folder %s has a log but no file 'format': restore that file from a copy",
                       folder->path);
    if (!status)
        status = th_port_sync_folder(folder->port, folder->path, reterr);
    if (!status)
        status = th_port_entropy(folder->port, folder->identity, 16, reterr);
    if (!status)
        status = write_format(folder->port, folder->path, folder->identity, reterr);
    return status;
}

static theater_status make_folder(const th_folder *folder, theater_error *reterr)
{
    theater_status status = th_port_make_folder(folder->port, folder->path, reterr);
    char *parent = status ? NULL : th_path_parent(folder->path);
    if (!status && !parent)
        status = th_fail_memory(reterr, "a path");
    if (!status)
        status = th_port_sync_folder(folder->port, parent, reterr);
    th_free(parent);
    return status;
}

static theater_status take_lock(th_folder *folder, bool create, uint32_t wait_ms, theater_error *reterr)
{
    char *path = th_path_join(folder->path, "lock");
    if (!path)
        return th_fail_memory(reterr, "a path");
    theater_status status = th_file_open(folder->port, path, TH_FILE_READ | TH_FILE_WRITE | TH_FILE_CREATE,
                                         &folder->lock, reterr);
    th_free(path);
    if (!status)
        status = th_file_lock(folder->lock, wait_ms, reterr);
    if (status == THEATER_BUSY)
        return th_fail(reterr, THEATER_BUSY,
                       "the data folder %s is in use by another process; reading commands work meanwhile",
                       folder->path);
    return status;
}

static theater_status join_paths(const th_folder_options *options, th_folder *folder, theater_error *reterr)
{
    size_t size = strlen(options->path) + 1;
    folder->path = th_alloc(size);
    folder->log = th_path_join(options->path, "log");
    folder->index = th_path_join(options->path, "index");
    if (!folder->path || !folder->log || !folder->index)
        return th_fail_memory(reterr, "a path");
    memcpy(folder->path, options->path, size);
    return THEATER_OK;
}

static theater_status no_folder(const th_folder *folder, theater_error *reterr)
{
    return th_fail(reterr, THEATER_NOT_FOUND, "%s is no data folder", folder->path);
}

/* Whoever made the folder may have failed or stopped before its entries were durable: what is visible now
 * could be gone after the next crash, with all that was acknowledged since. */
static theater_status sync_entries(const th_folder *folder, theater_error *reterr)
{
    char *parent = th_path_parent(folder->path);
    if (!parent)
        return th_fail_memory(reterr, "a path");
    theater_status status = th_port_sync_folder(folder->port, parent, reterr);
    th_free(parent);
    if (!status)
        status = th_port_make_folder(folder->port, folder->log, reterr);
    if (!status)
        status = th_port_sync_folder(folder->port, folder->path, reterr);
    return status ? status : th_port_sync_folder(folder->port, folder->log, reterr);
}

static theater_status open_existing(th_folder *folder, const th_folder_options *options,
                                    theater_error *reterr)
{
    theater_status status = read_format(folder, reterr);
    if (status == THEATER_NOT_FOUND && (!options->create || options->read_only))
        return no_folder(folder, reterr);
    if (options->read_only)
        return status;
    bool fresh = status == THEATER_NOT_FOUND;
    if (status && !fresh)
        return status;
    status = fresh ? make_folder(folder, reterr) : THEATER_OK;
    if (!status)
        status = take_lock(folder, options->create, options->lock_wait_ms, reterr);
    if (status)
        return status;
    /* Another process may have made it while this one waited for the lock. */
    if (fresh)
        status = read_format(folder, reterr);
    return status == THEATER_NOT_FOUND ? make_contents(folder, reterr)
           : status                    ? status
                                       : sync_entries(folder, reterr);
}

theater_status th_folder_open(const th_folder_options *options, th_folder *ret, theater_error *reterr)
{
    *ret = (th_folder){.port = options->port};
    theater_status status = join_paths(options, ret, reterr);
    if (!status)
        status = open_existing(ret, options, reterr);
    if (!status)
        status = read_closed(ret, reterr);
    if (status)
        th_folder_close(ret);
    return status;
}

void th_folder_close(th_folder *folder)
{
    th_file_close(folder->lock);
    th_free(folder->path);
    th_free(folder->log);
    th_free(folder->index);
    *folder = (th_folder){0};
}

/* ---- copies ---- */

theater_status th_folder_begin_copy(const th_folder *from, const char *path, theater_error *reterr)
{
    /* Making a folder that is there is no error to the port, so its entries are asked for first. */
    bool any = false;
    theater_status status = th_port_list_folder(from->port, path, note_segment, &any, reterr);
    if (status != THEATER_NOT_FOUND)
        return status ? status : th_fail(reterr, THEATER_EXISTS, "%s exists already", path);
    th_folder to = {.port = from->port, .path = (char *)path};
    status = make_folder(&to, reterr);
    char *log = th_path_join(path, "log");
    if (!status)
        status = log ? th_port_make_folder(from->port, log, reterr) : th_fail_memory(reterr, "a path");
    th_free(log);
    return status;
}

theater_status th_folder_finish_copy(const th_folder *from, const char *path, theater_error *reterr)
{
    theater_status status = th_port_sync_folder(from->port, path, reterr);
    return status ? status : write_format(from->port, path, from->identity, reterr);
}
