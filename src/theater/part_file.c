#include "theater/part_file.h"

#define PATH_BYTES ((size_t)8192)
#define DIGITS 16
#define PREFIX "theater-"
#define SUFFIX ".part"
/* Names that are tried: each is taken only by a writer that draws the same number, or removes it as left behind in
 * the moment between its making and its lock. */
#define TRIES 8

static bool is_part(const char *name)
{
    uint8_t number[DIGITS / 2];
    size_t prefix = sizeof PREFIX - 1;
    return strlen(name) == prefix + DIGITS + sizeof SUFFIX - 1 && memcmp(name, PREFIX, prefix) == 0 &&
           th_hex_decode(name + prefix, DIGITS, number, sizeof number) &&
           strcmp(name + prefix + DIGITS, SUFFIX) == 0;
}

static theater_status set_path(th_buf *path, const char *folder, const char *name, theater_error *reterr)
{
    th_buf_clear(path);
    theater_status status = th_buf_printf(path, reterr, "%s%s%s", folder,
                                          folder[strlen(folder) - 1] == '/' ? "" : "/", name);
    return status ? status : th_buf_append_byte(path, 0, reterr);
}

/* The folder that a path lies in: "." when it has no slash. */
static theater_status set_folder(th_part_file *part, const char *target, theater_error *reterr)
{
    const char *slash = strrchr(target, '/');
    size_t size = slash ? (size_t)(slash - target) : 0;
    th_slice folder = !slash      ? th_slice_text(".")
                      : size == 0 ? th_slice_text("/")
                                  : th_slice_of(target, size);
    theater_status status = th_buf_append(&part->folder, folder, reterr);
    return status ? status : th_buf_append_byte(&part->folder, 0, reterr);
}

/* What a writer left that was killed. Only a courtesy: whatever does not work here is left as it is. */
static bool remove_left(void *context, const char *name)
{
    th_part_file *part = context;
    th_file *file;
    if (!is_part(name) || set_path(&part->path, (const char *)part->folder.data, name, NULL) ||
        th_file_open(part->port, (const char *)part->path.data, TH_FILE_READ | TH_FILE_WRITE, &file, NULL))
        return true;
    theater_status status = th_file_lock(file, 0, NULL);
    if (!status)
        status = th_port_remove(part->port, (const char *)part->path.data, NULL);
    (void)status;
    th_file_close(file);
    return true;
}

/* Makes one with a new name and locks it. *ret_taken: somebody took it for one that was left behind. */
static theater_status make(th_part_file *part, bool *ret_taken, theater_error *reterr)
{
    uint8_t number[DIGITS / 2];
    char name[sizeof PREFIX + DIGITS + sizeof SUFFIX] = PREFIX;
    *ret_taken = false;
    theater_status status = th_port_entropy(part->port, number, sizeof number, reterr);
    if (status)
        return status;
    th_hex_encode(th_slice_of(number, sizeof number), name + sizeof PREFIX - 1);
    memcpy(name + sizeof PREFIX - 1 + DIGITS, SUFFIX, sizeof SUFFIX);
    status = set_path(&part->path, (const char *)part->folder.data, name, reterr);
    if (status)
        return status;
    const char *path = (const char *)part->path.data;
    status = th_file_open(part->port, path, TH_FILE_WRITE | TH_FILE_CREATE | TH_FILE_EXCLUSIVE, &part->file, reterr);
    if (status)
        return status;
    /* A file system without locks has none to tell what is left behind, so there nothing is ever removed. */
    *ret_taken = th_file_lock(part->file, 0, NULL) == THEATER_BUSY;
    th_file *again = NULL;
    if (!*ret_taken)
        status = th_file_open(part->port, path, TH_FILE_READ, &again, reterr);
    th_file_close(again);
    *ret_taken = *ret_taken || status == THEATER_NOT_FOUND;
    if (*ret_taken) {
        th_file_close(part->file);
        part->file = NULL;
    }
    return *ret_taken ? THEATER_OK : status;
}

theater_status th_part_file_open(th_part_file *part, th_port *port, const char *target, theater_error *reterr)
{
    *part = (th_part_file){.port = port};
    th_buf_init(&part->path, PATH_BYTES);
    th_buf_init(&part->folder, PATH_BYTES);
    theater_status status = set_folder(part, target, reterr);
    if (!status)
        status = th_port_list_folder(port, (const char *)part->folder.data, remove_left, part, reterr);
    if (status == THEATER_PERMISSION)
        status = THEATER_OK; /* a folder may be written to, and not be read */
    bool taken = true;
    for (int i = 0; !status && taken && i < TRIES; i++)
        status = make(part, &taken, reterr);
    return status || !taken ? status : th_fail(reterr, THEATER_BUSY, "no part of %s stays in place", target);
}

theater_status th_part_file_finish(th_part_file *part, const char *target, theater_status status,
                                   theater_error *reterr)
{
    const char *path = (const char *)part->path.data;
    if (part->file) {
        if (!status)
            status = th_port_rename(part->port, path, target, reterr);
        /* Best effort: the first failure is the one to report, and what stays is removed by the next writer. */
        theater_status removed = status ? th_port_remove(part->port, path, NULL) : THEATER_OK;
        (void)removed;
        if (!status)
            status = th_port_sync_folder(part->port, (const char *)part->folder.data, reterr);
    }
    th_file_close(part->file);
    th_buf_done(&part->path);
    th_buf_done(&part->folder);
    return status;
}
