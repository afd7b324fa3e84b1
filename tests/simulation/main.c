/* The simulation: `test_simulation [COUNT [FIRST]]`. Each seed from FIRST on is run; a part of them twice,
 * to see that the same seed gives the same bytes, and a part with the real engine. A seed that fails prints
 * the command that repeats it. */
#include <stdio.h>
#include <stdlib.h>

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

int main(int argc, char **argv)
{
    uint64_t first = 0, count = 500;
    bool verbose = false;
    if (argc > 1)
        count = strtoull(argv[1], NULL, 10);
    if (argc > 2) {
        first = strtoull(argv[2], NULL, 10);
        verbose = count == 1;
    }
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
    uint64_t failed = 0;
    for (uint64_t i = 0; i < count && failed < 5; i++)
        failed +=
            !run_seed(first + i, (first + i) % ENGINE_EVERY == ENGINE_EVERY - 1 ? &engine_options : &options);
    th_machine_done(&engine);
    printf("%llu seeds passed, %llu failed\n", (unsigned long long)(count - failed),
           (unsigned long long)failed);
    return failed ? 1 : 0;
}
