/* Runs every kept input through its target, and some hundred simple changes of each: `test_fuzz [TARGET
 * [FILE...]]`. What a fuzzer found once stays found, without clang. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/targets.h"

#define CHANGES 60 /* of each input; those of slow targets are fewer */

static uint64_t next_random(uint64_t *seed)
{
    *seed += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *seed;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    return z ^ (z >> 27);
}

/* A copy of exactly the size, so that the sanitizer sees each byte that is read too far. */
static void run_exactly(const fuzz_target *target, const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    FUZZ_HOLDS(copy != NULL);
    memcpy(copy, bytes, size);
    target->run(th_slice_of(copy, size));
    free(copy);
}

static void run_changed(const fuzz_target *target, const uint8_t *bytes, size_t size, uint64_t seed)
{
    uint8_t *copy = malloc(size + 8);
    FUZZ_HOLDS(copy != NULL);
    memcpy(copy, bytes, size);
    size_t length = size;
    for (uint64_t changes = 1 + next_random(&seed) % 3; changes > 0 && length > 0; changes--) {
        size_t place = next_random(&seed) % length;
        switch (next_random(&seed) % 5) {
        case 0:
            copy[place] ^= (uint8_t)(1u << next_random(&seed) % 8);
            break;
        case 1:
            copy[place] = (uint8_t)next_random(&seed);
            break;
        case 2:
            length = place;
            break;
        case 3:
            memmove(copy + place, copy + place + 1, length - place - 1);
            length--;
            break;
        default:
            if (length < size + 8) {
                memmove(copy + place + 1, copy + place, length - place);
                length++;
            }
            break;
        }
    }
    run_exactly(target, copy, length);
    free(copy);
}

static void run_file(const fuzz_target *target, const char *path)
{
    static uint8_t bytes[1 << 20];
    FILE *file = fopen(path, "rb");
    if (!file) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        exit(1);
    }
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    run_exactly(target, bytes, size);
    unsigned changes = target->run == fuzz_component || target->run == fuzz_http ||
                               target->run == fuzz_websocket || target->run == fuzz_commands
                           ? CHANGES / 10
                           : CHANGES;
    for (unsigned i = 0; i < changes; i++)
        run_changed(target, bytes, size, i);
}

static unsigned run_folder(const fuzz_target *target, const char *folder)
{
    unsigned files = 0;
    struct dirent **names;
    int count = scandir(folder, &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
        if (names[i]->d_name[0] != '.') {
            run_file(target, path);
            files++;
        }
        free(names[i]);
    }
    if (count >= 0)
        free(names);
    return files;
}

int main(int count, char **arguments)
{
    for (size_t i = 0; i < fuzz_target_count; i++) {
        const fuzz_target *target = &fuzz_targets[i];
        if (count > 1 && strcmp(arguments[1], target->name) != 0)
            continue;
        if (count > 2) {
            for (int k = 2; k < count; k++)
                run_file(target, arguments[k]);
            continue;
        }
        char folder[4096];
        snprintf(folder, sizeof folder, "%s/%s", TH_CORPUS, target->name);
        unsigned files = run_folder(target, folder);
        if (strcmp(target->name, "component") == 0)
            files += run_folder(target, TH_FIXTURES);
        printf("%-12s %u inputs\n", target->name, files);
        if (files == 0) {
            fprintf(stderr, "%s has no input\n", folder);
            return 1;
        }
    }
    return 0;
}
