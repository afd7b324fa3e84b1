/* libFuzzer's entry: fuzz_NAME runs the target NAME. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/targets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const fuzz_target *target;
    if (!target) {
        const char *name = strstr(program_invocation_short_name, "fuzz_");
        target = name ? fuzz_find(name + 5) : NULL;
        FUZZ_HOLDS(target != NULL);
    }
    if (size <= target->max_size)
        target->run(th_slice_of(data, size));
    return 0;
}
