/* The engine as a machine. The functions differ only in the types of their handles, and a call through a
 * pointer of another type is undefined, so each is wrapped. */
#include "actor/machine.h"

static void *compile(void *context, th_engine_bytes binary, char *reterr, size_t reterr_size)
{
    return th_engine_compile(context, binary, reterr, reterr_size);
}

static void release(void *component)
{
    th_engine_component_free(component);
}

static bool serialize(const void *component, th_engine_bytes *ret, char *reterr, size_t reterr_size)
{
    return th_engine_serialize(component, ret, reterr, reterr_size);
}

static void *deserialize(void *context, th_engine_bytes compiled, char *reterr, size_t reterr_size)
{
    return th_engine_deserialize(context, compiled, reterr, reterr_size);
}

static th_engine_outcome begin(void *component, const th_engine_turn_options *options, void **ret_turn,
                               th_engine_result *ret)
{
    th_engine_turn *turn = NULL;
    th_engine_outcome outcome = th_engine_turn_begin(component, options, &turn, ret);
    *ret_turn = turn;
    return outcome;
}

static th_engine_outcome init(void *turn, th_engine_bytes config, th_engine_result *ret)
{
    return th_engine_turn_init(turn, config, ret);
}

static th_engine_outcome handle(void *turn, th_engine_bytes input, th_engine_bytes state,
                                th_engine_result *ret)
{
    return th_engine_turn_handle(turn, input, state, ret);
}

static th_engine_outcome verify_state(void *turn, th_engine_bytes state, th_engine_result *ret)
{
    return th_engine_turn_verify_state(turn, state, ret);
}

static uint64_t fuel(const void *turn)
{
    return th_engine_turn_fuel(turn);
}

static void end(void *turn)
{
    th_engine_turn_end(turn);
}

static void free_engine(void *context)
{
    th_engine_free(context);
}

theater_status th_machine_engine(const th_engine_options *options, th_machine *ret, theater_error *reterr)
{
    char words[512] = "";
    th_engine *engine = th_engine_new(options, words, sizeof words);
    if (!engine)
        return th_fail(reterr, THEATER_ENGINE_FAILED, "the engine cannot be made: %s", words);
    *ret = (th_machine){
        .context = engine,
        .name = th_engine_name(),
        .fingerprint = th_engine_fingerprint(engine),
        .stack_bytes = th_engine_stack_bytes(engine),
        .compile = compile,
        .release = release,
        .serialize = serialize,
        .deserialize = deserialize,
        .free_bytes = th_engine_bytes_free,
        .begin = begin,
        .init = init,
        .handle = handle,
        .verify_state = verify_state,
        .fuel = fuel,
        .end = end,
        .free = free_engine,
    };
    return THEATER_OK;
}
