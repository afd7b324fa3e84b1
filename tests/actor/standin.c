#include "standin_internal.h"

#include <stdio.h>
#include <stdlib.h>

#define BEGIN_FUEL 100
#define FINGERPRINT "standin-1 text"

void standin_resize(standin_bytes *bytes, size_t size, uint8_t fill)
{
    if (size > bytes->capacity) {
        size_t capacity = size < 64 ? 64 : size + size / 2;
        bytes->data = realloc(bytes->data, capacity);
        if (!bytes->data)
            abort();
        bytes->capacity = capacity;
    }
    if (size > bytes->size)
        memset(bytes->data + bytes->size, fill, size - bytes->size);
    bytes->size = size;
}

void standin_set(standin_bytes *bytes, const void *data, size_t size)
{
    standin_resize(bytes, size, 0);
    if (size)
        memmove(bytes->data, data, size);
}

uint64_t standin_digest(uint64_t digest, const void *data, size_t size)
{
    const uint8_t *p = data;
    for (size_t i = 0; i < size; i++)
        digest = (digest ^ p[i]) * 0x100000001b3u;
    return (digest ^ size) * 0x100000001b3u;
}

bool standin_burn(standin_turn *turn, uint64_t amount)
{
    uint64_t limit = turn->options.fuel, factor = turn->component->machine->fuel_factor;
    uint64_t left = limit - turn->fuel;
    if (amount > left / factor) {
        turn->fuel = limit;
        return false;
    }
    turn->fuel += amount * factor;
    return true;
}

th_engine_outcome standin_trap(th_engine_result *ret, const char *kind)
{
    ret->trap = kind;
    ret->detail = "stand-in trap";
    return TH_ENGINE_TRAP;
}

/* ---- components -------------------------------------------------------------------------------------- */

static bool parse_act(th_slice value, standin_act *ret)
{
    static const char *const words[] = {"", "error", "trap", "loop", "false"};
    for (int act = ACT_ERROR; act <= ACT_FALSE; act++) {
        if (th_slice_equal(value, th_slice_text(words[act]))) {
            *ret = (standin_act)act;
            return true;
        }
    }
    if (th_slice_equal(value, th_slice_text("invalid"))) {
        *ret = ACT_FALSE;
        return true;
    }
    return false;
}

static bool starts(th_slice text, const char *prefix, th_slice *ret_rest)
{
    size_t size = strlen(prefix);
    if (text.size < size || memcmp(text.data, prefix, size))
        return false;
    *ret_rest = th_slice_of(text.data + size, text.size - size);
    return true;
}

static bool parse_option(standin_component *component, th_slice word)
{
    th_slice value;
    if (starts(word, "init=", &value))
        return parse_act(value, &component->init);
    if (starts(word, "verify=", &value))
        return parse_act(value, &component->verify);
    if (starts(word, "max=", &value))
        return component->has_max = standin_number(value, &component->max);
    return starts(word, "version=", &value);
}

/* Adds a finding to the text of all that is wrong, one a line. */
static void finding(char *reterr, size_t size, const char *what, th_slice word)
{
    size_t used = strlen(reterr);
    snprintf(reterr + used, size - used, "%s%s '%.*s'", used ? "\n"
             : "", what, (int)word.size, (const char *)word.data);
}

static void *compile(void *context, th_engine_bytes binary, char *reterr, size_t reterr_size)
{
    th_slice rest, text = {binary.data, binary.size};
    reterr[0] = '\0';
    if (!starts(text, "standin:", &rest)) {
        snprintf(reterr, reterr_size, "not a component of the stand-in");
        return NULL;
    }
    standin_component *component = calloc(1, sizeof *component + binary.size);
    if (!component)
        abort();
    component->machine = context;
    component->size = binary.size;
    memcpy(component->binary, binary.data, binary.size);
    for (size_t at = 0, place = 0; at < rest.size; place++) {
        size_t end = at;
        while (end < rest.size && rest.data[end] != ' ')
            end++;
        th_slice word = {rest.data + at, end - at};
        if (place == 0) {
            component->echo = th_slice_equal(word, th_slice_text("echo"));
            if (!component->echo && !th_slice_equal(word, th_slice_text("counter")))
                finding(reterr, reterr_size, "unknown kind", word);
        } else if (word.size && !parse_option(component, word)) {
            finding(reterr, reterr_size, "unknown option", word);
        }
        at = end + 1;
    }
    if (reterr[0] || rest.size == 0) {
        if (!reterr[0])
            snprintf(reterr, reterr_size, "no kind");
        free(component);
        return NULL;
    }
    atomic_fetch_add(&component->machine->compiles, 1);
    atomic_fetch_add(&component->machine->components, 1);
    return component;
}

static void release(void *opaque)
{
    standin_component *component = opaque;
    if (component)
        atomic_fetch_sub(&component->machine->components, 1);
    free(component);
}

static bool serialize(const void *opaque, th_engine_bytes *ret, char *reterr, size_t reterr_size)
{
    const standin_component *component = opaque;
    uint8_t *data = malloc(9 + component->size);
    if (!data)
        abort();
    memcpy(data, "compiled:", 9);
    memcpy(data + 9, component->binary, component->size);
    *ret = (th_engine_bytes){data, 9 + component->size};
    return true;
}

static void *deserialize(void *context, th_engine_bytes compiled, char *reterr, size_t reterr_size)
{
    th_slice rest;
    if (!starts((th_slice){compiled.data, compiled.size}, "compiled:", &rest)) {
        snprintf(reterr, reterr_size, "not a compiled form of the stand-in");
        return NULL;
    }
    th_standin *standin = context;
    void *component = compile(context, (th_engine_bytes){rest.data, rest.size}, reterr, reterr_size);
    if (component) {
        atomic_fetch_sub(&standin->compiles, 1);
        atomic_fetch_add(&standin->deserializes, 1);
    }
    return component;
}

static void free_bytes(th_engine_bytes bytes)
{
    free((void *)bytes.data);
}

/* ---- turns ------------------------------------------------------------------------------------------- */

static th_engine_outcome begin(void *opaque, const th_engine_turn_options *options, void **ret_turn,
                               th_engine_result *ret)
{
    standin_turn *turn = calloc(1, sizeof *turn);
    if (!turn)
        abort();
    turn->component = opaque;
    turn->options = *options;
    turn->verify = turn->component->verify;
    atomic_fetch_add(&turn->component->machine->turns, 1);
    atomic_fetch_add(&turn->component->machine->ran, 1);
    *ret = (th_engine_result){0};
    *ret_turn = turn;
    return standin_burn(turn, BEGIN_FUEL) ? TH_ENGINE_OK : TH_ENGINE_OUT_OF_FUEL;
}

static void read_state(standin_turn *turn, th_slice state)
{
    turn->header = th_standin_read(state);
    if (state.size > TH_STANDIN_HEADER)
        standin_set(&turn->filler, state.data + TH_STANDIN_HEADER, state.size - TH_STANDIN_HEADER);
}

static void write_state(standin_turn *turn)
{
    standin_resize(&turn->state, TH_STANDIN_HEADER + turn->filler.size, 0);
    uint8_t *p = turn->state.data;
    memset(p, 0, TH_STANDIN_HEADER);
    th_put_u64le(p, turn->header.counter);
    th_put_u64le(p + 8, turn->header.digest);
    th_put_u64le(p + 16, turn->header.inputs);
    th_put_u32le(p + 24, turn->header.replies);
    p[28] = turn->header.invalid;
    if (turn->filler.size)
        memcpy(p + TH_STANDIN_HEADER, turn->filler.data, turn->filler.size);
}

th_standin_state th_standin_read(th_slice state)
{
    if (state.size < TH_STANDIN_HEADER)
        return (th_standin_state){0};
    return (th_standin_state){
        .counter = th_get_u64le(state.data),
        .digest = th_get_u64le(state.data + 8),
        .inputs = th_get_u64le(state.data + 16),
        .replies = th_get_u32le(state.data + 24),
        .invalid = state.data[28],
    };
}

static th_engine_outcome act_out(standin_turn *turn, standin_act act, th_engine_result *ret)
{
    switch (act) {
    case ACT_ERROR:
        ret->output = (th_engine_bytes){(const uint8_t *)"no init", 7};
        return TH_ENGINE_ERROR;
    case ACT_TRAP:
        return standin_trap(ret, "unreachable");
    case ACT_LOOP:
        turn->fuel = turn->options.fuel;
        return TH_ENGINE_OUT_OF_FUEL;
    default:
        return TH_ENGINE_OK;
    }
}

/* Runs the commands, or counts an answer, and gives output and state. */
static th_engine_outcome accept(standin_turn *turn, th_slice input, th_engine_result *ret)
{
    uint8_t source = (uint8_t)turn->options.source_kind;
    if (source == TH_ENGINE_SOURCE_REPLY) {
        turn->header.replies++;
        standin_observe(turn);
    } else {
        th_engine_outcome outcome = standin_run(turn, input, 0, ret);
        if (outcome != TH_ENGINE_OK)
            return outcome;
    }
    turn->header.inputs++;
    turn->header.digest = standin_digest(turn->header.digest, &source, 1);
    turn->header.digest = standin_digest(turn->header.digest, input.data, input.size);
    if (!turn->has_output) {
        int size = snprintf(turn->text, sizeof turn->text, "%llu", (unsigned long long)turn->header.counter);
        standin_set(&turn->output, turn->text, (size_t)size);
    }
    write_state(turn);
    ret->output = (th_engine_bytes){turn->output.data, turn->output.size};
    ret->state = (th_engine_bytes){turn->state.data, turn->state.size};
    return TH_ENGINE_OK;
}

static th_engine_outcome init(void *opaque, th_engine_bytes config, th_engine_result *ret)
{
    standin_turn *turn = opaque;
    *ret = (th_engine_result){0};
    if (!standin_burn(turn, config.size))
        return TH_ENGINE_OUT_OF_FUEL;
    th_engine_outcome outcome = act_out(turn, turn->component->init, ret);
    if (outcome != TH_ENGINE_OK)
        return outcome;
    turn->header.invalid = turn->component->init == ACT_FALSE;
    if (!turn->component->echo)
        return accept(turn, (th_slice){config.data, config.size}, ret);
    standin_set(&turn->state, config.data, config.size);
    ret->state = (th_engine_bytes){turn->state.data, turn->state.size};
    return TH_ENGINE_OK;
}

static th_engine_outcome handle(void *opaque, th_engine_bytes input, th_engine_bytes state,
                                th_engine_result *ret)
{
    standin_turn *turn = opaque;
    *ret = (th_engine_result){0};
    if (!standin_burn(turn, input.size))
        return TH_ENGINE_OUT_OF_FUEL;
    if (!turn->component->echo) {
        read_state(turn, (th_slice){state.data, state.size});
        return accept(turn, (th_slice){input.data, input.size}, ret);
    }
    standin_set(&turn->output, input.data, input.size);
    standin_set(&turn->state, state.data, state.size);
    ret->output = (th_engine_bytes){turn->output.data, turn->output.size};
    ret->state = (th_engine_bytes){turn->state.data, turn->state.size};
    return TH_ENGINE_OK;
}

static th_engine_outcome verify_state(void *opaque, th_engine_bytes state, th_engine_result *ret)
{
    standin_turn *turn = opaque;
    *ret = (th_engine_result){0};
    if (!standin_burn(turn, 10))
        return TH_ENGINE_OUT_OF_FUEL;
    th_engine_outcome outcome = act_out(turn, turn->verify, ret);
    if (outcome != TH_ENGINE_OK)
        return outcome;
    th_standin_state header = th_standin_read((th_slice){state.data, state.size});
    const standin_component *component = turn->component;
    ret->valid = turn->verify != ACT_FALSE;
    if (!component->echo && (header.invalid || (component->has_max && header.counter > component->max)))
        ret->valid = false;
    return TH_ENGINE_OK;
}

static uint64_t fuel(const void *opaque)
{
    return ((const standin_turn *)opaque)->fuel;
}

static void end(void *opaque)
{
    standin_turn *turn = opaque;
    if (!turn)
        return;
    atomic_fetch_sub(&turn->component->machine->turns, 1);
    free(turn->output.data);
    free(turn->filler.data);
    free(turn->state.data);
    free(turn->scratch.data);
    free(turn);
}

static void free_nothing(void *context)
{
    (void)context;
}

void th_standin_init(th_standin *standin, th_machine *ret)
{
    memset(standin, 0, sizeof *standin);
    standin->fuel_factor = 1;
    standin->depth = 1000;
    *ret = (th_machine){
        .context = standin,
        .name = "standin-1",
        .fingerprint = FINGERPRINT,
        .compile = compile,
        .release = release,
        .serialize = serialize,
        .deserialize = deserialize,
        .free_bytes = free_bytes,
        .begin = begin,
        .init = init,
        .handle = handle,
        .verify_state = verify_state,
        .fuel = fuel,
        .end = end,
        .free = free_nothing,
    };
}
