/* A counter: the smallest actor with a job.
 *
 * Configuration: nothing, or {"start":41}. Inputs: "inc", "add N" (N may be negative), "get"; spaces around
 * the words do not matter. The output is the counter in decimal. The state is the counter, 8 bytes
 * little-endian, two's complement.
 *
 * It calls no host function, so its component holds one module and its turns are as short as turns can be:
 * the benchmarks use it.
 */
#include <theater.h>

enum { STATE_SIZE = 8 };

static theater_result init(theater_slice config)
{
    int64_t start = 0;
    if (theater_trim(config).size > 0) {
        theater_json json = theater_json_of(config);
        theater_slice key;
        theater_json_object(&json);
        while (theater_json_member(&json, &key)) {
            theater_slice number = theater_json_number(&json);
            if (!theater_slice_is(key, "start") || !theater_parse_i64(number, &start))
                return theater_reject("the configuration is {\"start\":N} or nothing");
        }
        if (!theater_json_done(&json))
            return theater_reject("the configuration is {\"start\":N} or nothing");
    }
    theater_bytes state = theater_bytes_new(STATE_SIZE);
    theater_put_u64le(state.data, (uint64_t)start);
    return theater_start(state);
}

static theater_result handle(theater_slice input, theater_bytes state)
{
    theater_slice word = theater_next_word(&input), number = theater_next_word(&input);
    int64_t count = (int64_t)theater_get_u64le(state.data), step = 0;
    bool add = theater_slice_is(word, "add");
    if (theater_slice_is(word, "inc"))
        step = 1;
    else if (!add && !theater_slice_is(word, "get"))
        return theater_reject("unknown input: say inc, add N or get");
    if (add && !theater_parse_i64(number, &step))
        return theater_reject("add needs a number");
    if ((!add && number.size > 0) || theater_next_word(&input).size > 0)
        return theater_reject("there is more than one input");
    if (__builtin_add_overflow(count, step, &count))
        return theater_reject("the counter would overflow");
    theater_put_u64le(state.data, (uint64_t)count);

    theater_writer output = theater_writer_new(24);
    theater_put_i64(&output, count);
    return theater_reply(theater_writer_slice(&output), state);
}

static bool verify_state(theater_slice state)
{
    return state.size == STATE_SIZE;
}

THEATER_ACTOR(init, handle, verify_state)
