/* {{name}}: counts votes.
 *
 * The configuration is the list of choices, separated by spaces. Inputs: "vote CHOICE", "result".
 *
 * The state, which is all that an actor remembers: for each choice a record of 32 bytes, 24 for its
 * text, with zeros behind it, and 8 for its votes, little-endian.
 */
#include <theater.h>

enum { NAME = 24, RECORD = 32 };

static theater_slice name_of(const uint8_t *record)
{
    size_t size = 0;
    while (size < NAME && record[size])
        size++;
    return theater_slice_of(record, size);
}

/* Makes the first state. */
static theater_result init(theater_slice config)
{
    theater_bytes state = {0};
    for (theater_slice word; (word = theater_next_word(&config)).size > 0;) {
        if (word.size > NAME)
            return theater_reject("a choice has at most 24 bytes");
        state = theater_bytes_resize(state, state.size + RECORD);
        __builtin_memcpy(state.data + state.size - RECORD, word.data, word.size);
    }
    return state.size > 0 ? theater_start(state) : theater_reject("no choice is configured");
}

static theater_result vote(theater_slice choice, theater_bytes state)
{
    for (size_t at = 0; at < state.size; at += RECORD) {
        uint8_t *record = state.data + at;
        if (!theater_slice_equal(choice, name_of(record)))
            continue;
        uint64_t votes = theater_get_u64le(record + NAME) + 1;
        theater_put_u64le(record + NAME, votes); /* in place: nothing is copied */
        theater_writer output = theater_writer_new(24);
        theater_put_u64(&output, votes);
        return theater_reply(theater_writer_slice(&output), state);
    }
    return theater_reject("there is no such choice");
}

/* One turn: the output and the new state, or why the input is rejected. */
static theater_result handle(theater_slice input, theater_bytes state)
{
    theater_slice word = theater_next_word(&input);
    if (theater_slice_is(word, "vote"))
        return vote(theater_next_word(&input), state);
    if (!theater_slice_is(word, "result"))
        return theater_reject("say: vote CHOICE, or: result");
    theater_writer output = theater_writer_new(256);
    for (size_t at = 0; at < state.size; at += RECORD) {
        if (at > 0)
            theater_put_byte(&output, ' ');
        theater_put_slice(&output, name_of(state.data + at));
        theater_put_byte(&output, '=');
        theater_put_u64(&output, theater_get_u64le(state.data + at + NAME));
    }
    return theater_reply(theater_writer_slice(&output), state);
}

/* Asked of every new state before it is kept: a turn whose state is not valid is rejected. */
static bool verify_state(theater_slice state)
{
    return state.size > 0 && state.size % RECORD == 0;
}

THEATER_ACTOR(init, handle, verify_state)
