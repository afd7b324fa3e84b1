/* The simulation: `test_simulation [COUNT [FIRST]]`. Each seed from FIRST on is run; a part of them twice,
 * to see that the same seed gives the same bytes, and a part with the real engine. A seed that fails prints
 * the command that repeats it. Many seeds are shared out among a process for each processor; one seed runs in
 * this one, for a debugger. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "standin.h"
#include "world.h"

/* One seed in this many runs real components under the real engine. */
#define ENGINE_EVERY 25

static th_slice read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    static uint8_t bytes[1 << 20];
    size_t size = file ? fread(bytes, 1, sizeof bytes, file) : 0;
    if (size == 0) {
        fprintf(stderr, "%s cannot be read\n", path);
        exit(1);
    }
    fclose(file);
    return th_slice_of(bytes, size);
}

static bool run_seed(uint64_t seed, const world_options *options)
{
    char failure[1200];
    uint64_t digest = 0, again = 0;
    bool good = world_run(seed, options, &digest, failure, sizeof failure);
    if (good && seed % 10 >= 8) {
        good = world_run(seed, options, &again, failure, sizeof failure) && digest == again;
        if (digest != again)
            snprintf(failure, sizeof failure, "two runs differ: %016llx and %016llx",
                     (unsigned long long)digest, (unsigned long long)again);
    }
    if (!good)
        printf("seed %llu failed: %s\n  repeat it by: make sim SEED=%llu\n", (unsigned long long)seed,
               failure, (unsigned long long)seed);
    return good;
}

/* What the processes of one run have done, in memory that they share. */
typedef struct tally {
    uint64_t next, passed, failed;
} tally;

#define FAILURES_MAX 5 /* then no more seeds are begun */

/* Takes seeds until none is left. The engine has threads, so each process makes its own, after the fork. */
static int run_seeds(tally *shared, uint64_t first, uint64_t count, bool verbose)
{
    th_standin standin = {0};
    th_machine machine;
    th_standin_init(&standin, &machine);
    static const char v1[] = "standin:counter", v2[] = "standin:counter version=2";
    const th_slice components[2] = {th_slice_of(v1, sizeof v1 - 1), th_slice_of(v2, sizeof v2 - 1)};
    th_machine engine;
    theater_error error;
    if (th_machine_engine(&(th_engine_options){.turns = 4, .keep_resident_bytes = UINT64_MAX}, &engine,
                          &error)) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    const th_slice ring = read_file(TH_RING_COMPONENT), rings[2] = {ring, ring};
    world_options engine_options = {
        .machine = &engine, .components = rings, .verbose = verbose, .real_engine = true};
    world_options options = {.machine = &machine, .components = components, .verbose = verbose};
    while (__atomic_load_n(&shared->failed, __ATOMIC_RELAXED) < FAILURES_MAX) {
        uint64_t place = __atomic_fetch_add(&shared->next, 1, __ATOMIC_RELAXED), seed = first + place;
        if (place >= count)
            break;
        bool good = run_seed(seed, seed % ENGINE_EVERY == ENGINE_EVERY - 1 ? &engine_options : &options);
        __atomic_fetch_add(good ? &shared->passed : &shared->failed, 1, __ATOMIC_RELAXED);
        if (!good)
            fflush(stdout);
    }
    th_machine_done(&engine);
    return 0;
}

/* True when every process came to its end. */
static bool share_out(tally *shared, uint64_t first, uint64_t count)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    bool good = true;
    for (long i = 0; i < processors; i++) {
        pid_t child = fork();
        if (child == 0) {
            int result = run_seeds(shared, first, count, false);
            fflush(stdout);
            exit(result);
        }
        good &= child > 0;
    }
    int result;
    while (wait(&result) > 0) {
        if (WIFSIGNALED(result))
            printf("a process died by signal %d, at a seed before %llu; one by one: test_simulation 1 SEED\n",
                   WTERMSIG(result), (unsigned long long)(first + shared->next));
        good &= WIFEXITED(result) && WEXITSTATUS(result) == 0;
    }
    return good;
}

int main(int argc, char **argv)
{
    uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
    uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 500;
    tally *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    bool good = count == 1 ? run_seeds(shared, first, 1, argc > 2) == 0 : share_out(shared, first, count);
    printf("%llu seeds passed, %llu failed\n", (unsigned long long)shared->passed,
           (unsigned long long)shared->failed);
    return good && shared->failed == 0 && shared->passed == count ? 0 : 1;
}
