#include "store/support.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void expect_status(theater_status status, theater_status expected, const theater_error *error,
                   const char *file, int line)
{
    if (status != expected)
        fail_msg("%s:%d: %s instead of %s: %s", file, line, theater_status_name(status),
                 theater_status_name(expected), status ? error->message : "");
}

/* ---- folders ---- */

static char root[64];

static int remove_one(const char *path, const struct stat *info, int flag, struct FTW *ftw)
{
    return remove(path);
}

static void remove_root(void)
{
    nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *new_folder(void)
{
    static char paths[16][96];
    static unsigned count;
    if (!root[0]) {
        snprintf(root, sizeof root, "/tmp/theater-store-XXXXXX");
        assert_non_null(mkdtemp(root));
        atexit(remove_root);
    }
    char *path = paths[count % 16];
    snprintf(path, sizeof paths[0], "%s/%u", root, count++);
    assert_int_equal(mkdir(path, 0755), 0);
    return path;
}

const char *in(const char *folder, const char *name)
{
    static char paths[16][256];
    static unsigned count;
    char *path = paths[count++ % 16];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

size_t file_size(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return (size_t)info.st_size;
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

void flip_bit(const char *path, size_t offset, unsigned bit)
{
    int fd = open(path, O_RDWR);
    uint8_t byte;
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, (off_t)offset), 1);
    byte ^= (uint8_t)(1u << bit);
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)offset), 1);
    close(fd);
}

void cut_file(const char *path, size_t size)
{
    assert_int_equal(truncate(path, (off_t)size), 0);
}

void copy_file(const char *from, const char *to)
{
    static uint8_t bytes[1 << 16];
    int in_fd = open(from, O_RDONLY), out_fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(in_fd >= 0 && out_fd >= 0);
    ssize_t got;
    while ((got = read(in_fd, bytes, sizeof bytes)) > 0)
        assert_int_equal(write(out_fd, bytes, (size_t)got), got);
    close(in_fd);
    close(out_fd);
}

typedef struct segment_names {
    char first[32], last[32];
} segment_names;

static bool note_segment(void *context, const char *name)
{
    segment_names *names = context;
    if (strlen(name) != 24)
        return true;
    if (!names->first[0])
        snprintf(names->first, sizeof names->first, "%s", name);
    snprintf(names->last, sizeof names->last, "%s", name);
    return true;
}

static segment_names segments_of(const char *folder)
{
    theater_error error;
    segment_names names = {{0}, {0}};
    OK(th_port_list_folder(th_port_system(), in(folder, "log"), note_segment, &names, &error));
    assert_true(names.first[0]);
    return names;
}

const char *first_segment(const char *folder)
{
    segment_names names = segments_of(folder);
    char name[64];
    snprintf(name, sizeof name, "log/%s", names.first);
    return in(folder, name);
}

const char *last_segment(const char *folder)
{
    segment_names names = segments_of(folder);
    char name[64];
    snprintf(name, sizeof name, "log/%s", names.last);
    return in(folder, name);
}

th_store_options options_for(const char *folder)
{
    return (th_store_options){.port = th_port_system(), .folder = folder, .create = true, .lock_wait_ms = 50};
}

uint64_t roll(dice *d, uint64_t bound)
{
    d->state += 0x9e3779b97f4a7c15u;
    uint64_t z = d->state;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (z ^ z >> 31) % bound;
}
