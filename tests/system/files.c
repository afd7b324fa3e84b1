/* Files, folders and processes of the tests. */
#include "support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATH_SIZE 1024
#define COMPONENTS_MAX 64
#define ARGUMENTS_MAX 8

theater_slice text_of(const char *text)
{
    return (theater_slice){(const uint8_t *)text, strlen(text)};
}

theater_bytes system_read(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("%s: %s", path, strerror(errno));
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    theater_bytes bytes = {.size = (size_t)ftell(file)};
    rewind(file);
    bytes.data = malloc(bytes.size + 1);
    assert_non_null(bytes.data);
    assert_int_equal(fread(bytes.data, 1, bytes.size, file), bytes.size);
    fclose(file);
    return bytes;
}

void system_write(const char *path, theater_slice bytes)
{
    FILE *file = fopen(path, "wb");
    if (!file)
        fail_msg("%s: %s", path, strerror(errno));
    assert_int_equal(fwrite(bytes.data, 1, bytes.size, file), bytes.size);
    assert_int_equal(fclose(file), 0);
}

theater_slice system_component(const char *name)
{
    static struct {
        char name[64];
        theater_bytes bytes;
    } known[COMPONENTS_MAX];
    size_t i = 0;
    for (; i < COMPONENTS_MAX && known[i].bytes.data; i++)
        if (strcmp(known[i].name, name) == 0)
            return (theater_slice){known[i].bytes.data, known[i].bytes.size};
    assert_true(i < COMPONENTS_MAX);
    char path[PATH_SIZE];
    if (strncmp(name, "actors/", 7) == 0)
        snprintf(path, sizeof path, "%s/%s.wasm", TH_BINARY_DIR, name);
    else
        snprintf(path, sizeof path, "%s/%s.wasm", TH_FIXTURES, name);
    snprintf(known[i].name, sizeof known[i].name, "%s", name);
    known[i].bytes = system_read(path);
    return (theater_slice){known[i].bytes.data, known[i].bytes.size};
}

/* ---- paths and trees ----------------------------------------------------------------------------------- */

const char *system_path(const char *folder, const char *name)
{
    static char paths[8][PATH_SIZE];
    static unsigned turn;
    char *path = paths[turn++ % 8];
    assert_true((size_t)snprintf(path, PATH_SIZE, "%s/%s", folder, name) < PATH_SIZE);
    return path;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *place)
{
    return remove(path);
}

void system_remove_tree(const char *path)
{
    struct stat info;
    if (lstat(path, &info) == 0 && nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
        fail_msg("%s cannot be removed: %s", path, strerror(errno));
}

const char *system_fresh(const char *name)
{
    char unique[128];
    snprintf(unique, sizeof unique, "system-%s.%d", name, (int)getpid());
    const char *path = system_path(TH_BINARY_DIR, unique);
    system_remove_tree(path);
    return path;
}

static const char *copy_from, *copy_to;

static int copy_one(const char *path, const struct stat *info, int type, struct FTW *place)
{
    char to[PATH_SIZE];
    snprintf(to, sizeof to, "%s%s", copy_to, path + strlen(copy_from));
    if (type == FTW_D)
        return mkdir(to, 0755);
    theater_bytes bytes = system_read(path);
    system_write(to, (theater_slice){bytes.data, bytes.size});
    free(bytes.data);
    return chmod(to, info->st_mode & 0777);
}

void system_copy_tree(const char *from, const char *to)
{
    system_remove_tree(to);
    copy_from = from;
    copy_to = to;
    assert_int_equal(nftw(from, copy_one, 16, FTW_PHYS), 0);
}

const char *system_first_file(const char *folder, const char *sub)
{
    char path[PATH_SIZE], first[256] = "";
    snprintf(path, sizeof path, "%s/%s", folder, sub);
    DIR *entries = opendir(path);
    if (!entries)
        fail_msg("%s: %s", path, strerror(errno));
    for (struct dirent *entry; (entry = readdir(entries));)
        if (entry->d_name[0] != '.' && (!first[0] || strcmp(entry->d_name, first) < 0))
            snprintf(first, sizeof first, "%s", entry->d_name);
    closedir(entries);
    assert_true(first[0] != 0);
    return system_path(path, first);
}

/* ---- processes ----------------------------------------------------------------------------------------- */

void system_spawn(system_child *child, const char *mode, ...)
{
    const char *arguments[ARGUMENTS_MAX] = {"/proc/self/exe", mode};
    va_list more;
    va_start(more, mode);
    size_t count = 2;
    while ((arguments[count] = va_arg(more, const char *)))
        assert_true(++count < ARGUMENTS_MAX);
    va_end(more);
    int in[2], out[2];
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    /* Between fork and exec only what is safe in a process with threads. */
    child->pid = fork();
    assert_true(child->pid >= 0);
    if (child->pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        execv(arguments[0], (char *const *)arguments);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    child->to = in[1];
    child->from = out[0];
}

int system_wait(system_child *child)
{
    int result;
    close(child->to);
    char rest[256];
    while (read(child->from, rest, sizeof rest) > 0)
        ;
    close(child->from);
    assert_int_equal(waitpid(child->pid, &result, 0), child->pid);
    return WIFSIGNALED(result) ? 1000 + WTERMSIG(result) : WEXITSTATUS(result);
}

bool system_line(system_child *child, char *out, size_t size)
{
    size_t used = 0;
    char byte;
    while (read(child->from, &byte, 1) == 1) {
        if (byte == '\n') {
            out[used] = 0;
            return true;
        }
        if (used + 1 < size)
            out[used++] = byte;
    }
    out[used] = 0;
    return false;
}
