/* port/system_file.c: files of the machine.
 *
 * Why th_file_reserve writes zeros. On ext4, extents made by fallocate alone are "unwritten": the first write
 * to each block turns it into a written one, which is metadata, so the fdatasync after it commits the journal
 * as well. Measured with 500 commits of 4 KiB, each a pwrite and an fdatasync, into 64 MiB on a virtual disk
 * with ext4 (mean of two runs, microseconds per commit; 64 KiB commits in brackets):
 *
 *     appending, nothing reserved        178 (182)
 *     fallocate only                     186 (208)
 *     fallocate, then written zeros      144 (162)
 *
 * The zeros cost 0.6 ms per MiB once, and the sync after the reserve writes them out: reserve ahead of need,
 * a few MiB at a time, and not between a write and its sync. fallocate goes first because it finds out that
 * the disk is full before anything is written, and gives the file few extents.
 *
 * Short transfers and signals: every call loops until all is transferred; EINTR is no error. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "port/system_internal.h"

#define ZEROS_SIZE ((size_t)256 << 10)
#define PARTS_MAX 256 /* parts of one system call; at most IOV_MAX, and 4 KiB of stack */
_Static_assert(PARTS_MAX <= IOV_MAX, "the system takes that many parts");

/* Only operations on files are on this type; th_file is its head. */
typedef struct system_file {
    th_file head;
    int descriptor;
    char path[]; /* for messages */
} system_file;

static system_file *cast(th_file *file)
{
    return (system_file *)file;
}

static int open_flags(unsigned flags)
{
    int result = O_CLOEXEC;
    if (flags & TH_FILE_WRITE)
        result |= flags & TH_FILE_READ ? O_RDWR : O_WRONLY;
    else
        result |= O_RDONLY;
    if (flags & TH_FILE_CREATE)
        result |= O_CREAT;
    if (flags & TH_FILE_EXCLUSIVE)
        result |= O_EXCL;
    return result;
}

static theater_status check_private(const system_file *file, theater_error *reterr)
{
    struct stat facts;
    int result;
    TH_SYSTEM_CALL(result, fstat(file->descriptor, &facts));
    if (result < 0)
        return th_system_fail(reterr, errno, "look at", file->path);
    return facts.st_mode & 077
               ? th_fail(reterr, THEATER_PERMISSION,
                         "others than its owner may use %s: chmod 600 it, and think of who may have read it",
                         file->path)
               : THEATER_OK;
}

theater_status th_system_file_open(th_port *port, const char *path, unsigned flags, th_file **ret,
                                   theater_error *reterr)
{
    size_t path_size = strlen(path) + 1;
    system_file *file = th_alloc(sizeof *file + path_size);
    if (!file)
        return th_fail_memory(reterr, "a file handle");
    file->head.operations = port->operations;
    memcpy(file->path, path, path_size);
    TH_SYSTEM_CALL(file->descriptor, open(path, open_flags(flags), flags & TH_FILE_PRIVATE ? 0600 : 0644));
    if (file->descriptor < 0) {
        int error_number = errno;
        th_free(file);
        return th_system_fail(reterr, error_number, "open", path);
    }
    theater_status status =
        (flags & TH_FILE_PRIVATE) && !(flags & TH_FILE_CREATE) ? check_private(file, reterr) : THEATER_OK;
    if (status) {
        (void)close(file->descriptor);
        th_free(file);
        return status;
    }
    *ret = &file->head;
    return THEATER_OK;
}

void th_system_file_close(th_file *head)
{
    system_file *file = cast(head);
    /* What close could report is what a sync would have; without one nothing was promised. Never repeated
     * after EINTR: Linux has closed the descriptor even then, and another thread may own the number. */
    (void)close(file->descriptor);
    th_free(file);
}

theater_status th_system_file_read(th_file *head, uint64_t offset, void *out, size_t size, size_t *ret_size,
                                   theater_error *reterr)
{
    system_file *file = cast(head);
    size_t done = 0;
    while (done < size) {
        ssize_t got;
        TH_SYSTEM_CALL(got, pread(file->descriptor, (uint8_t *)out + done,
                                  th_system_transfer_size(size - done), (off_t)(offset + done)));
        if (got < 0)
            return th_system_fail(reterr, errno, "read", file->path);
        if (got == 0)
            break;
        done += (size_t)got;
    }
    *ret_size = done;
    return THEATER_OK;
}

/* Writes all of the vector, which it uses up. */
static theater_status write_vector(system_file *file, uint64_t offset, struct iovec *vector, int count,
                                   theater_error *reterr)
{
    while (count > 0) {
        ssize_t put;
        size_t most = th_system_transfer_size(SIZE_MAX);
        if (most < SIZE_MAX)
            TH_SYSTEM_CALL(put, pwrite(file->descriptor, vector->iov_base,
                                       most < vector->iov_len ? most : vector->iov_len, (off_t)offset));
        else
            TH_SYSTEM_CALL(put, pwritev(file->descriptor, vector, count, (off_t)offset));
        if (put < 0)
            return th_system_fail(reterr, errno, "write", file->path);
        if (put == 0)
            return th_system_fail(reterr, EIO, "write", file->path);
        offset += (uint64_t)put;
        size_t rest = (size_t)put;
        while (count > 0 && rest >= vector->iov_len) {
            rest -= vector->iov_len;
            vector++, count--;
        }
        if (rest > 0) {
            vector->iov_base = (uint8_t *)vector->iov_base + rest;
            vector->iov_len -= rest;
        }
    }
    return THEATER_OK;
}

theater_status th_system_file_write(th_file *head, uint64_t offset, const th_slice *parts, size_t count,
                                    theater_error *reterr)
{
    size_t next = 0;
    while (next < count) {
        struct iovec vector[PARTS_MAX];
        int used = 0;
        uint64_t bytes = 0;
        for (; next < count && used < PARTS_MAX; next++) {
            if (parts[next].size == 0)
                continue;
            /* pwritev takes a pointer to non-const but only reads. */
            vector[used++] = (struct iovec){(void *)(uintptr_t)parts[next].data, parts[next].size};
            bytes += parts[next].size;
        }
        theater_status status = write_vector(cast(head), offset, vector, used, reterr);
        if (status != THEATER_OK)
            return status;
        offset += bytes;
    }
    return THEATER_OK;
}

theater_status th_system_file_sync(th_file *head, theater_error *reterr)
{
    system_file *file = cast(head);
    int result;
    TH_SYSTEM_CALL(result, fdatasync(file->descriptor));
    return result == 0 ? THEATER_OK : th_system_fail(reterr, errno, "sync", file->path);
}

theater_status th_system_file_size(th_file *head, uint64_t *ret, theater_error *reterr)
{
    system_file *file = cast(head);
    struct stat facts;
    int result;
    TH_SYSTEM_CALL(result, fstat(file->descriptor, &facts));
    if (result < 0)
        return th_system_fail(reterr, errno, "find the size of", file->path);
    *ret = (uint64_t)facts.st_size;
    return THEATER_OK;
}

static theater_status write_zeros(system_file *file, uint64_t from, uint64_t to, theater_error *reterr)
{
    static const uint8_t zeros[ZEROS_SIZE];
    while (from < to) {
        /* Up to the next multiple of the block, so that all but the first and last write are whole pages. */
        uint64_t end = (from / ZEROS_SIZE + 1) * ZEROS_SIZE;
        size_t size = (size_t)((end < to ? end : to) - from);
        struct iovec vector = {(void *)(uintptr_t)zeros, size};
        theater_status status = write_vector(file, from, &vector, 1, reterr);
        if (status != THEATER_OK)
            return status;
        from += size;
    }
    return THEATER_OK;
}

theater_status th_system_file_reserve(th_file *head, uint64_t size, theater_error *reterr)
{
    system_file *file = cast(head);
    uint64_t before;
    theater_status status = th_system_file_size(head, &before, reterr);
    if (status != THEATER_OK || before >= size)
        return status;
    int result;
    TH_SYSTEM_CALL(result, fallocate(file->descriptor, 0, (off_t)before, (off_t)(size - before)));
    /* Where the file system has no fallocate, the zeros alone make the room. */
    if (result < 0 && errno != EOPNOTSUPP && errno != ENOSYS)
        status = th_system_fail(reterr, errno, "reserve room in", file->path);
    else
        status = write_zeros(file, before, size, reterr);
    if (status != THEATER_OK) {
        /* Half a reservation would read as a longer file. Best effort: what failed first is the error. */
        TH_SYSTEM_CALL(result, ftruncate(file->descriptor, (off_t)before));
    }
    return status;
}

theater_status th_system_file_truncate(th_file *head, uint64_t size, theater_error *reterr)
{
    system_file *file = cast(head);
    int result;
    TH_SYSTEM_CALL(result, ftruncate(file->descriptor, (off_t)size));
    return result == 0 ? THEATER_OK : th_system_fail(reterr, errno, "change the size of", file->path);
}

static void sleep_ns(uint64_t ns)
{
    struct timespec time = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
    /* A signal ends it early: then the lock is tried early, which does no harm. */
    (void)nanosleep(&time, NULL);
}

/* An open file description lock: it belongs to the handle, not to the process, so that two handles of one
 * process exclude each other, and closing another handle of the file does not drop it. Waiting polls, from 1
 * to 16 ms apart: the blocking form (F_OFD_SETLKW) has no timeout. */
theater_status th_system_file_lock(th_file *head, uint32_t wait_ms, theater_error *reterr)
{
    system_file *file = cast(head);
    uint64_t end = th_system_monotonic_ns(NULL) + wait_ms * (uint64_t)1000000;
    for (uint64_t pause = 1000000;;) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        int result;
        TH_SYSTEM_CALL(result, fcntl(file->descriptor, F_OFD_SETLK, &lock));
        if (result == 0)
            return THEATER_OK;
        if (errno != EAGAIN && errno != EACCES)
            return th_system_fail(reterr, errno, "lock", file->path);
        uint64_t now = th_system_monotonic_ns(NULL);
        if (now >= end)
            return th_fail(reterr, THEATER_BUSY, "%s is locked by another process or handle", file->path);
        sleep_ns(pause < end - now ? pause : end - now);
        if (pause < 16000000)
            pause *= 2;
    }
}
