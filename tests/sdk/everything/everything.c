/* A test's actor: calls every part of the SDK, chosen by the input's first word. Two files, so that what the
 * headers share between files is linked once. */
#include <theater.h>

#include "other.h"

static theater_slice line_of_source(void)
{
    theater_source source = theater_source_of_input();
    theater_writer w = theater_writer_new(1); /* too small, so that it grows */
    theater_put_u64(&w, source.kind);
    theater_put_text(&w, source.has_principal ? " principal " : " ");
    theater_put_json(&w, source.name);
    theater_put_byte(&w, ' ');
    theater_put_u64(&w, source.request);
    theater_put_text(&w, source.failed ? " failed" : " fine");
    return theater_writer_slice(&w);
}

static theater_slice line_of_numbers(theater_slice rest)
{
    theater_writer w = theater_writer_new(0);
    for (theater_slice word; (word = theater_next_word(&rest)).size > 0;) {
        uint64_t fixed;
        int64_t whole;
        uint8_t hex[4];
        theater_put_text(&w, w.size ? " | " : "");
        if (theater_parse_fixed(word, 3, &fixed))
            theater_put_fixed(&w, fixed, 3);
        theater_put_byte(&w, ',');
        if (theater_parse_i64(word, &whole))
            theater_put_i64(&w, whole);
        theater_put_byte(&w, ',');
        if (theater_parse_hex(word, (theater_bytes){hex, sizeof hex}))
            theater_put_hex(&w, theater_slice_of(hex, sizeof hex));
    }
    return theater_writer_slice(&w);
}

static theater_result init(theater_slice config)
{
    theater_log(THEATER_INFO, line_of_source());
    return theater_start(
        theater_bytes_resize((theater_bytes){(uint8_t *)config.data, config.size}, config.size));
}

static theater_result handle(theater_slice input, theater_bytes state)
{
    theater_slice word = theater_next_word(&input);
    theater_writer w = theater_writer_new(16);
    if (theater_slice_is(word, "source"))
        return theater_reply(line_of_source(), state);
    if (theater_slice_is(word, "numbers"))
        return theater_reply(line_of_numbers(input), state);
    if (theater_slice_is(word, "json"))
        return theater_reply(other_join_strings(input), state);
    if (theater_slice_is(word, "turn")) {
        theater_put_u64(&w, theater_now());
        theater_put_byte(&w, ' ');
        theater_put_u64(&w, theater_sequence());
        theater_put_byte(&w, ' ');
        theater_put_slice(&w, theater_self_name());
        return theater_reply(theater_writer_slice(&w), state);
    }
    if (theater_slice_is(word, "random"))
        return theater_reply(theater_random(5), state);
    if (theater_slice_is(word, "talk")) {
        theater_log(THEATER_TRACE, theater_slice_text("low"));
        theater_send(theater_slice_text("a.b"), theater_slice_text("one"));
        theater_put_u64(&w, theater_request(theater_slice_text("c"), theater_slice_text("two")));
        theater_log(THEATER_ERROR, theater_slice_text("high"));
        return theater_reply(theater_writer_slice(&w), state);
    }
    if (theater_slice_is(word, "grow")) /* in place, then a copy because something lies behind */
        return theater_reply(theater_slice_bytes(state), other_grow(state));
    if (theater_slice_is(word, "dirty")) { /* for verify_state, which comes to the same memory */
        theater_bytes spoilt = theater_bytes_new(65536);
        __builtin_memset(spoilt.data, 0xff, spoilt.size);
        return theater_reply(theater_slice_text("spoilt"), state);
    }
    if (theater_slice_is(word, "empty"))
        return theater_reply((theater_slice){0}, (theater_bytes){0});
    if (theater_slice_is(word, "trap"))
        theater_trap();
    if (theater_slice_is(word, "fill"))
        for (;;)
            theater_bytes_new(1 << 20);
    return theater_reject("\xc3\xa9"); /* an e with an accent: a reason is UTF-8 */
}

/* New bytes are zero also where the turn left others. */
static bool verify_state(theater_slice state)
{
    theater_bytes fresh = theater_bytes_new(1000);
    fresh = theater_bytes_resize(fresh, 20000);
    for (size_t i = 0; i < fresh.size; i++) {
        if (fresh.data[i])
            return false;
    }
    return state.size != 3;
}

THEATER_ACTOR(init, handle, verify_state)
