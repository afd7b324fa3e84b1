#include "other.h"

theater_slice other_join_strings(theater_slice text)
{
    theater_json json = theater_json_of(text);
    theater_writer w = theater_writer_new(8);
    theater_json_array(&json);
    while (theater_json_item(&json))
        theater_put_slice(&w, theater_json_string(&json));
    return theater_json_done(&json) ? theater_writer_slice(&w) : theater_slice_text("failed");
}

theater_bytes other_grow(theater_bytes state)
{
    state = theater_bytes_resize(state, state.size + 50000);
    theater_alloc(1);
    state = theater_bytes_resize(state, state.size + 50000);
    state.data[state.size - 1] = 1;
    return state;
}
