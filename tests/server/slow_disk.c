/* Preloaded into the program: a disk whose syncs take SLOW_SYNC_MS each, and what they sync is on its way to the
 * disk for so long. The path of each file that is synced becomes a line of the file SYNCED_FILES. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

__attribute__((visibility("default"))) int fdatasync(int descriptor);

static void note_path(int descriptor, const char *notes)
{
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t size = readlink(link, path, sizeof path - 1);
    FILE *file = fopen(notes, "a");
    if (size > 0 && file)
        fprintf(file, "%.*s\n", (int)size, path);
    if (file)
        fclose(file);
}

int fdatasync(int descriptor)
{
    const char *text = getenv("SLOW_SYNC_MS");
    const char *notes = getenv("SYNCED_FILES");
    long ms = text ? strtol(text, NULL, 10) : 0;
    int (*real)(int);
    *(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
    if (notes)
        note_path(descriptor, notes);
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
    return real(descriptor);
}
