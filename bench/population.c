/* Many actors in one data folder: `bench_population --component FILE --folder DIR [--actors N] [--threads
 * N]`. Starts what is missing, opens the folder anew, and says what the idle actors cost in memory and how
 * long it takes until one of them answers. */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "support.h"

static theater_runtime *runtime;
static theater_slice component;
static unsigned actors = 100000, threads = 16;
static _Atomic unsigned next_actor;

/* Resident bytes of this process. */
static double resident(void)
{
    long pages = 0, all = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file) {
        if (fscanf(file, "%ld %ld", &all, &pages) != 2)
            pages = 0;
        fclose(file);
    }
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static void *start_some(void *context)
{
    unsigned i;
    while ((i = next_actor++) < actors) {
        char name[32];
        snprintf(name, sizeof name, "actor-%u", i);
        theater_error error = {0};
        theater_actor_options options = {.name = name, .component = component};
        theater_status status = theater_actor_start(runtime, &options, NULL, &error);
        if (status != THEATER_EXISTS)
            bench_must(status, &error);
    }
    return NULL;
}

static void open_runtime(const char *folder)
{
    theater_error error = {0};
    theater_runtime_options options = {.folder = folder, .active_actors = 1000};
    bench_must(theater_runtime_open(&options, &runtime, &error), &error);
}

static void start_all(void)
{
    pthread_t handles[64];
    for (unsigned i = 0; i < threads; i++)
        pthread_create(&handles[i], NULL, start_some, NULL);
    for (unsigned i = 0; i < threads; i++)
        pthread_join(handles[i], NULL);
}

static double answer_time(unsigned which, bool query)
{
    char name[32];
    snprintf(name, sizeof name, "actor-%u", which);
    theater_error error = {0};
    theater_answer answer;
    theater_message message = {.actor = name, .input = {(const uint8_t *)"inc", 3}};
    double begin = bench_now();
    bench_must((query ? theater_query : theater_send)(runtime, &message, &answer, &error), &error);
    theater_answer_done(&answer);
    return bench_now() - begin;
}

int main(int argc, char **argv)
{
    const char *folder = NULL, *path = NULL;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--component"))
            path = argv[i + 1];
        else if (!strcmp(argv[i], "--folder"))
            folder = argv[i + 1];
        else if (!strcmp(argv[i], "--actors"))
            actors = (unsigned)atoi(argv[i + 1]);
        else if (!strcmp(argv[i], "--threads"))
            threads = (unsigned)atoi(argv[i + 1]) < 64 ? (unsigned)atoi(argv[i + 1]) : 64;
    }
    if (!path || !folder) {
        fprintf(stderr, "bench_population --component FILE --folder DIR [--actors N] [--threads N]\n");
        return 2;
    }
    component = bench_read_file(path);
    open_runtime(folder);
    double begin = bench_now();
    start_all();
    printf("%u actors started in %.1f s\n", actors, bench_now() - begin);
    theater_runtime_close(runtime);

    double before = resident();
    begin = bench_now();
    open_runtime(folder);
    double opened = bench_now() - begin, after = resident();
    printf(
        "opened anew in %.3f s; %.0f bytes of resident memory for each idle actor (engine and all in it)\n",
        opened, (after - before) / actors);
    /* A query waits for no commit: what the first of two takes longer is how the actor came into memory. */
    double cold = 0, query = 0, again = 0;
    for (unsigned i = 0; i < 100; i++)
        cold += answer_time((i * 7919 + 13) % actors, false);
    for (unsigned i = 100; i < 200; i++) {
        query += answer_time((i * 7919 + 13) % actors, true);
        again += answer_time((i * 7919 + 13) % actors, true);
    }
    printf("cold actor: %.0f us from message to durable answer, in the mean of 100\n", cold / 100 * 1e6);
    printf("a query of a cold actor: %.0f us, asked again: %.0f us\n", query / 100 * 1e6, again / 100 * 1e6);
    theater_metrics metrics;
    theater_runtime_metrics(runtime, &metrics);
    printf("%llu actors, %llu in memory\n", (unsigned long long)metrics.actors,
           (unsigned long long)metrics.active_actors);
    theater_runtime_close(runtime);
    return 0;
}
