/* For the benchmarks: a state of a given size of which each turn changes one byte in one place, and reads nothing else. Configuration: the size
 * in decimal. Input: any bytes; the output is empty. */
#include <theater.h>

static theater_result init(theater_slice config)
{
    int64_t size = 0;
    if (!theater_parse_i64(theater_trim(config), &size) || size < 16)
        return theater_reject("the configuration is a size of at least 16");
    theater_bytes state = theater_bytes_new((size_t)size);
    for (size_t i = 0; i < state.size; i++)
        state.data[i] = (uint8_t)(i * 31 >> 3);
    return theater_start(state);
}

static theater_result handle(theater_slice input, theater_bytes state)
{
    uint64_t turns = theater_get_u64le(state.data) + 1;
    (void)input;
    theater_put_u64le(state.data, turns);
    return theater_reply((theater_slice){0, 0}, state);
}

static bool verify_state(theater_slice state)
{
    return state.size >= 16;
}

THEATER_ACTOR(init, handle, verify_state)
