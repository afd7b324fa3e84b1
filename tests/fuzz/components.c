/* The check of components: the first thing that sees what a stranger wrote. */
#include "fuzz/targets.h"

#include <string.h>

#include "theater_engine.h"

void fuzz_component(th_slice input)
{
    static th_engine *engine;
    char message[4096] = "";
    if (!engine)
        engine = th_engine_new(&(th_engine_options){.turns = 1, .pulley = true}, message, sizeof message);
    FUZZ_HOLDS(engine != NULL);
    th_engine_component *component =
        th_engine_compile(engine, (th_engine_bytes){input.data, input.size}, message, sizeof message);
    if (!component)
        FUZZ_HOLDS(message[0] != 0 && memchr(message, 0, sizeof message) != NULL);
    th_engine_component_free(component);
}
