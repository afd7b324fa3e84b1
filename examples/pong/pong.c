/* pong: answers "ping N" with "pong N", and counts. The partner of the example `ping`.
 *
 * Inputs: "ping N", from another actor only; "score", from anyone. The state is the number of pings, 8 bytes
 * little-endian.
 */
#include <theater.h>

static theater_result init(theater_slice config)
{
    return config.size == 0 ? theater_start(theater_bytes_new(8))
                            : theater_reject("pong takes no configuration");
}

static theater_result handle(theater_slice input, theater_bytes state)
{
    theater_slice word = theater_next_word(&input), number = theater_next_word(&input);
    uint64_t pings = theater_get_u64le(state.data), n;
    theater_writer output = theater_writer_new(32);
    if (theater_slice_is(word, "score")) {
        theater_put_u64(&output, pings);
        return theater_reply(theater_writer_slice(&output), state);
    }
    if (!theater_slice_is(word, "ping") || !theater_parse_u64(number, &n))
        return theater_reject("say: ping N, or: score");
    if (theater_source_of_input().kind != THEATER_SOURCE_ACTOR)
        return theater_reject("only another actor plays with pong");
    theater_put_u64le(state.data, pings + 1);
    theater_put_text(&output, "pong ");
    theater_put_u64(&output, n);
    return theater_reply(theater_writer_slice(&output), state);
}

static bool verify_state(theater_slice state)
{
    return state.size == 8;
}

THEATER_ACTOR(init, handle, verify_state)
