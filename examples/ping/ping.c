/* ping: plays rounds with another actor, one request after the other.
 *
 * The configuration is the partner's name, usually "pong". Inputs: "play N" starts a game of N rounds (1 to
 * 1,000,000); each round is a request "ping K" whose answer must be "pong K"; "score" tells how it stands. A
 * round that the partner rejects, or that finds no partner, ends the game.
 *
 * The state, little-endian: rounds won in all, games lost, this game's round, this game's rounds, the request
 * that is open (0: none), 8 bytes each; then the partner's name.
 */
#include <theater.h>

enum { WON = 0, LOST = 8, ROUND = 16, ROUNDS = 24, OPEN = 32, PARTNER = 40, ROUNDS_MAX = 1000000 };

static uint64_t get(theater_bytes state, int field)
{
    return theater_get_u64le(state.data + field);
}

static void put(theater_bytes state, int field, uint64_t value)
{
    theater_put_u64le(state.data + field, value);
}

static theater_result reply_score(theater_bytes state)
{
    theater_writer output = theater_writer_new(64);
    theater_put_text(&output, "won ");
    theater_put_u64(&output, get(state, WON));
    theater_put_text(&output, " lost ");
    theater_put_u64(&output, get(state, LOST));
    theater_put_text(&output, get(state, OPEN) ? " playing" : " idle");
    return theater_reply(theater_writer_slice(&output), state);
}

static void serve(theater_bytes state, uint64_t round)
{
    theater_writer ball = theater_writer_new(32);
    theater_put_text(&ball, "ping ");
    theater_put_u64(&ball, round);
    theater_slice partner = theater_slice_of(state.data + PARTNER, state.size - PARTNER);
    put(state, ROUND, round);
    put(state, OPEN, theater_request(partner, theater_writer_slice(&ball)));
}

/* The partner's answer, or why there is none. */
static theater_result take_answer(theater_source source, theater_slice input, theater_bytes state)
{
    if (source.request != get(state, OPEN))
        return theater_reject("an answer that nobody waits for");
    theater_writer want = theater_writer_new(32);
    theater_put_text(&want, "pong ");
    theater_put_u64(&want, get(state, ROUND));
    put(state, OPEN, 0);
    if (source.failed || !theater_slice_equal(input, theater_writer_slice(&want))) {
        theater_log(THEATER_WARN, theater_slice_text("the partner missed"));
        put(state, LOST, get(state, LOST) + 1);
        put(state, ROUND, get(state, ROUNDS));
        return reply_score(state);
    }
    put(state, WON, get(state, WON) + 1);
    if (get(state, ROUND) < get(state, ROUNDS))
        serve(state, get(state, ROUND) + 1);
    return reply_score(state);
}

static theater_result init(theater_slice config)
{
    theater_slice partner = theater_trim(config);
    if (partner.size == 0)
        return theater_reject("the configuration is the name of the partner");
    theater_bytes state = theater_bytes_new(PARTNER + partner.size);
    theater_copy(state.data + PARTNER, partner.data, partner.size);
    return theater_start(state);
}

static theater_result handle(theater_slice input, theater_bytes state)
{
    theater_source source = theater_source_of_input();
    if (source.kind == THEATER_SOURCE_REPLY)
        return take_answer(source, input, state);
    theater_slice word = theater_next_word(&input), number = theater_next_word(&input);
    uint64_t rounds;
    if (theater_slice_is(word, "score"))
        return reply_score(state);
    if (!theater_slice_is(word, "play") || !theater_parse_u64(number, &rounds) || rounds < 1 ||
        rounds > ROUNDS_MAX)
        return theater_reject("say: play N, with N from 1 to 1000000, or: score");
    if (get(state, OPEN))
        return theater_reject("a game is being played");
    put(state, ROUNDS, rounds);
    serve(state, 1);
    return reply_score(state);
}

/* A game that is not over waits for an answer, and only such a game. */
static bool verify_state(theater_slice state)
{
    if (state.size <= PARTNER)
        return false;
    theater_bytes s = {(uint8_t *)state.data, state.size};
    return get(s, ROUND) <= get(s, ROUNDS) && get(s, ROUNDS) <= ROUNDS_MAX &&
           (get(s, OPEN) || get(s, ROUND) == get(s, ROUNDS));
}

THEATER_ACTOR(init, handle, verify_state)
