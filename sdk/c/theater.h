/* theater.h: what an actor in C includes, and all that it needs to know.
 *
 * An actor is three functions over bytes:
 *
 *     #include <theater.h>
 *
 *     static theater_result init(theater_slice config)
 *     {
 *         theater_bytes state = theater_bytes_new(8);
 *         return theater_start(state);
 *     }
 *
 *     static theater_result handle(theater_slice input, theater_bytes state)
 *     {
 *         if (state.size != 8)
 *             return theater_reject("this is not my state");
 *         theater_put_u64le(state.data, theater_get_u64le(state.data) + 1);
 *         return theater_reply(theater_slice_text("done"), state);
 *     }
 *
 *     static bool verify_state(theater_slice state)
 *     {
 *         return state.size == 8;
 *     }
 *
 *     THEATER_ACTOR(init, handle, verify_state)
 *
 * What to know:
 *
 *   1. The state is the only memory. Each turn runs in a fresh instance: a static variable is new each time,
 *      and what was allocated is gone after the turn, so nothing is ever freed.
 *   2. `handle` may change the state's bytes in place and return them: nothing is copied. If it then rejects,
 *      or traps, the state stays as it was before the turn, because only a returned state is kept.
 *   3. Every slice that the runtime gives stays valid until the turn ends.
 *   4. A turn sees only what the chain holds: theater_now, theater_random and the others of theater_host.h
 *      answer the same when the turn is run again by somebody else. There is no other clock, file or network.
 *   5. Running out of memory, of fuel or of stack ends the turn as a rejection.
 *
 * The headers also compile for the machine itself: an actor's functions can then be called by an ordinary
 * test program, which brings the host functions of theater_host.h that the actor calls. A new project has
 * one, tests/test_actor.c.
 */
#ifndef THEATER_H
#define THEATER_H

#include "theater_memory.h"
#include "theater_host.h"
#include "theater_text.h"
#include "theater_json.h"
#include "theater_cbor.h"
#include "theater_codec.h"

/* What `init` and `handle` return. Made by the three functions below. */
typedef struct theater_result {
    bool rejected;
    theater_slice output; /* the output, or why the input is rejected */
    theater_bytes state; /* the new state */
} theater_result;

/* `init`: the first state. */
static inline theater_result theater_start(theater_bytes state)
{
    return (theater_result){.state = state};
}

/* `handle`: the output and the new state, which may be the old one, changed or not. */
static inline theater_result theater_reply(theater_slice output, theater_bytes state)
{
    return (theater_result){.output = output, .state = state};
}

/* Either: the input is refused, and why, as UTF-8. The state stays as it was; messages sent in this turn are
 * dropped. */
static inline theater_result theater_reject_slice(theater_slice reason)
{
    return (theater_result){.rejected = true, .output = reason};
}
THEATER_INLINE theater_result theater_reject(const char *reason)
{
    return theater_reject_slice(theater_slice_text(reason));
}

/* `init` and `handle` with a state that a codec has written. What could not be written is a rejection. */
static inline theater_result theater_start_value(theater_codec *state)
{
    return theater_codec_done(state) ? theater_start(theater_codec_written(state))
                                     : theater_reject_slice(theater_codec_error(state));
}
static inline theater_result theater_reply_value(theater_slice output, theater_codec *state)
{
    return theater_codec_done(state) ? theater_reply(output, theater_codec_written(state))
                                     : theater_reject_slice(theater_codec_error(state));
}

#ifdef __wasm__

/* The canonical ABI of result<list<u8>, string> and result<tuple<list<u8>, list<u8>>, string>: a
 * discriminant, padded to four bytes, then the pointers and lengths of what is there. */
typedef struct theater_lowered {
    uint32_t failed;
    const void *first;
    size_t first_size;
    const void *second;
    size_t second_size;
} theater_lowered;

static inline theater_lowered *theater_lower(theater_lowered *to, bool both, theater_result result)
{
    bool output_first = both || result.rejected;
    to->failed = result.rejected;
    to->first = output_first ? result.output.data : result.state.data;
    to->first_size = output_first ? result.output.size : result.state.size;
    to->second = result.state.data;
    to->second_size = result.state.size;
    theater_heap_finish();
    return to;
}

/* A function that the component finds by this name. Not the attribute export_name: that counts as taking the
 * function's address, and the linker would then give the module a table, which each fresh instance has to
 * make. So the symbol itself has the name, and `theater build` links with --export-dynamic. */
#define THEATER_EXPORT(name) __asm__(name) __attribute__((visibility("default")))

/* Exports the three functions under the names of the world. There is no post-return function: the instance is
 * dropped after the turn, and a call into it that only frees would cost more than it gives. Use it once, in
 * one file, without a semicolon. */
#define THEATER_ACTOR(init_function, handle_function, verify_function)                                       \
    static theater_lowered theater_result_area;                                                              \
    /* Called by the component to place arguments and answers: the one allocator of the actor. */            \
    void *theater_export_realloc(void *old, size_t old_size, size_t align, size_t size)                      \
        THEATER_EXPORT("cabi_realloc");                                                                      \
    void *theater_export_realloc(void *old, size_t old_size, size_t align, size_t size)                      \
    {                                                                                                        \
        (void)align; /* every place is aligned to 16 */                                                      \
        void *room = theater_alloc(size);                                                                    \
        if (old_size > 0)                                                                                    \
            __builtin_memcpy(room, old, old_size < size ? old_size : size);                                  \
        return room;                                                                                         \
    }                                                                                                        \
    theater_lowered *theater_export_init(const uint8_t *config, size_t size)                                 \
        THEATER_EXPORT("theater:actor/actor@0.1.0#init");                                                    \
    theater_lowered *theater_export_init(const uint8_t *config, size_t size)                                 \
    {                                                                                                        \
        return theater_lower(&theater_result_area, false, init_function((theater_slice){config, size}));     \
    }                                                                                                        \
    theater_lowered *theater_export_handle(const uint8_t *input, size_t size, uint8_t *state,                \
                                           size_t state_size)                                                \
        THEATER_EXPORT("theater:actor/actor@0.1.0#handle");                                                  \
    theater_lowered *theater_export_handle(const uint8_t *input, size_t size, uint8_t *state,                \
                                           size_t state_size)                                                \
    {                                                                                                        \
        return theater_lower(                                                                                \
            &theater_result_area, true,                                                                      \
            handle_function((theater_slice){input, size}, (theater_bytes){state, state_size}));              \
    }                                                                                                        \
    bool theater_export_verify_state(const uint8_t *state, size_t size)                                      \
        THEATER_EXPORT("theater:actor/actor@0.1.0#verify-state");                                            \
    bool theater_export_verify_state(const uint8_t *state, size_t size)                                      \
    {                                                                                                        \
        return verify_function((theater_slice){state, size});                                                \
    }

#else

/* On the machine: the three functions under fixed names, for a test program. */
theater_result theater_actor_init(theater_slice config);
theater_result theater_actor_handle(theater_slice input, theater_bytes state);
bool theater_actor_verify_state(theater_slice state);

#define THEATER_ACTOR(init_function, handle_function, verify_function)                                       \
    theater_result theater_actor_init(theater_slice config)                                                  \
    {                                                                                                        \
        return init_function(config);                                                                        \
    }                                                                                                        \
    theater_result theater_actor_handle(theater_slice input, theater_bytes state)                            \
    {                                                                                                        \
        return handle_function(input, state);                                                                \
    }                                                                                                        \
    bool theater_actor_verify_state(theater_slice state)                                                     \
    {                                                                                                        \
        return verify_function(state);                                                                       \
    }

#endif

#endif
