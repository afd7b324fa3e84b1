/* Preloaded into the server: a disk whose syncs take SLOW_SYNC_MS each, and what they sync is on its way to the
 * disk for so long. */
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

__attribute__((visibility("default"))) int fdatasync(int descriptor);

int fdatasync(int descriptor)
{
    const char *text = getenv("SLOW_SYNC_MS");
    long ms = text ? strtol(text, NULL, 10) : 0;
    int (*real)(int);
    *(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
    return real(descriptor);
}
