/* The stand-in's command language. Each command costs 10 fuel and what it says; see standin.h for what each
 * does. */
#include "standin_internal.h"

#include <stdio.h>
#include <stdlib.h>

#define COMMAND_FUEL 10
#define MOST_NESTING 32
#define MOST_BYTES ((uint64_t)1 << 30)

bool standin_number(th_slice text, uint64_t *ret)
{
    uint64_t value = 0;
    if (text.size == 0 || text.size > 20)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t digit = (uint8_t)(text.data[i] - '0');
        if (digit > 9 || value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *ret = value;
    return true;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static th_slice trim(th_slice text)
{
    while (text.size && is_space(text.data[0]))
        text.data++, text.size--;
    while (text.size && is_space(text.data[text.size - 1]))
        text.size--;
    return text;
}

/* The end of the piece of text that starts at `at`: the first separator outside braces. */
static size_t piece_end(th_slice text, size_t at, bool words)
{
    int depth = 0;
    for (; at < text.size; at++) {
        uint8_t c = text.data[at];
        depth += c == '{' ? 1 : c == '}' && depth > 0 ? -1 : 0;
        if (depth == 0 && (words ? is_space(c) : c == ';' || c == '\n'))
            break;
    }
    return at;
}

/* Takes the braces off a piece that is wholly in one pair. */
static th_slice unwrap(th_slice text)
{
    text = trim(text);
    if (text.size >= 2 && text.data[0] == '{' && text.data[text.size - 1] == '}')
        return th_slice_of(text.data + 1, text.size - 2);
    return text;
}

static th_slice take_word(th_slice *rest)
{
    *rest = trim(*rest);
    size_t end = piece_end(*rest, 0, true);
    th_slice word = th_slice_of(rest->data, end);
    *rest = trim(th_slice_of(rest->data + end, rest->size - end));
    return word;
}

static th_engine_bytes given(th_slice text)
{
    return (th_engine_bytes){text.data, text.size};
}

static th_engine_outcome say_error(standin_turn *turn, th_engine_result *ret, const char *what, th_slice word)
{
    size_t shown = word.size < 100 ? word.size : 100;
    if (!th_utf8_valid(th_slice_of(word.data, shown)))
        return standin_trap(ret, "abi");
    int size = snprintf(turn->text, sizeof turn->text, "%s %.*s", what, (int)shown, (const char *)word.data);
    standin_set(&turn->output, turn->text, (size_t)size);
    ret->output = (th_engine_bytes){turn->output.data, turn->output.size};
    return TH_ENGINE_ERROR;
}

/* What the turn can observe, as text: the output, or in init, which has none, a log line. */
th_engine_outcome standin_observe(standin_turn *turn)
{
    const th_engine_turn_options *o = &turn->options;
    char text[1024], source[512];
    int name = (int)o->source_name.size;
    const char *bytes = (const char *)o->source_name.data;
    switch (o->source_kind) {
    case TH_ENGINE_SOURCE_GENESIS:
        snprintf(source, sizeof source, "genesis");
        break;
    case TH_ENGINE_SOURCE_CLIENT:
        snprintf(source, sizeof source, "client(%.*s)", o->has_principal ? name : 4, o->has_principal
                 ? bytes : "none");
        break;
    case TH_ENGINE_SOURCE_ACTOR:
        snprintf(source, sizeof source, "actor(%.*s)", name, bytes);
        break;
    default:
        snprintf(source, sizeof source, "reply(%llu,%s)", (unsigned long long)o->reply_request,
                 o->reply_failed ? "true" : "false");
    }
    int size = snprintf(text, sizeof text, "now=%llu sequence=%llu self=%.*s source=%s",
                        (unsigned long long)o->timestamp_ns, (unsigned long long)o->sequence,
                        (int)o->self_name.size, (const char *)o->self_name.data, source);
    if (o->source_kind == TH_ENGINE_SOURCE_GENESIS) {
        bool goes_on = o->log(o->context, 2, (th_engine_bytes){(const uint8_t *)text, (size_t)size});
        return goes_on ? TH_ENGINE_OK : TH_ENGINE_STOPPED;
    }
    standin_set(&turn->output, text, (size_t)size);
    turn->has_output = true;
    return TH_ENGINE_OK;
}

static th_engine_outcome take_random(standin_turn *turn, uint64_t count)
{
    th_engine_bytes bytes;
    if (!turn->options.random(turn->options.context, (uint32_t)count, &bytes))
        return TH_ENGINE_STOPPED;
    size_t before = turn->has_output ? turn->output.size : 0;
    standin_resize(&turn->output, before, 0);
    standin_resize(&turn->output, before + bytes.size, 0);
    if (bytes.size)
        memcpy(turn->output.data + before, bytes.data, bytes.size);
    turn->has_output = true;
    turn->header.digest = standin_digest(turn->header.digest, bytes.data, bytes.size);
    return TH_ENGINE_OK;
}

static void filler_resize(standin_turn *turn, uint64_t size)
{
    standin_resize(&turn->filler, (size_t)size, (uint8_t)turn->header.inputs);
}

static th_engine_outcome repeat(standin_turn *turn, uint64_t count, th_slice commands, unsigned depth,
                                th_engine_result *ret)
{
    for (uint64_t i = 0; i < count; i++) {
        th_engine_outcome outcome = standin_run(turn, commands, depth + 1, ret);
        if (outcome != TH_ENGINE_OK)
            return outcome;
    }
    return TH_ENGINE_OK;
}

static bool word_is(th_slice word, const char *name)
{
    return th_slice_equal(word, th_slice_text(name));
}

/* Commands with one number. *ret_known says whether `word` is one. */
static th_engine_outcome run_number(standin_turn *turn, th_slice word, th_slice rest, unsigned depth,
                                    th_engine_result *ret, bool *ret_known)
{
    static const char *const names[] = {"add", "sub", "set", "out", "grow", "shrink", "touch", "state",
                                        "random",
                                        "repeat", "burn", "recurse", "fail-size"};
    enum { ADD, SUB, SET, OUT, GROW, SHRINK, TOUCH, STATE, RANDOM, REPEAT, BURN, RECURSE, FAIL_SIZE, COUNT };
    int which = 0;
    while (which < COUNT && !word_is(word, names[which]))
        which++;
    uint64_t n;
    *ret_known = which < COUNT;
    if (!*ret_known)
        return TH_ENGINE_OK;
    if (!standin_number(take_word(&rest), &n))
        return say_error(turn, ret, "no number after", word);
    if (which >= OUT && which <= RANDOM && n > MOST_BYTES)
        return say_error(turn, ret, "too large a number after", word);
    switch (which) {
    case ADD:
        turn->header.counter += n;
        break;
    case SUB:
        turn->header.counter -= n;
        break;
    case SET:
        turn->header.counter = n;
        break;
    case OUT:
    case FAIL_SIZE:
        turn->output.size = 0;
        standin_resize(&turn->output, (size_t)n, 'o');
        turn->has_output = true;
        if (which == OUT)
            break;
        ret->output = (th_engine_bytes){turn->output.data, turn->output.size};
        return TH_ENGINE_ERROR;
    case GROW:
        filler_resize(turn, turn->filler.size + n);
        break;
    case SHRINK:
        filler_resize(turn, n < turn->filler.size ? turn->filler.size - n : 0);
        break;
    case TOUCH:
        if (n >= turn->filler.size)
            return say_error(turn, ret, "past the state:", word);
        turn->filler.data[n]++;
        break;
    case STATE:
        filler_resize(turn, n > TH_STANDIN_HEADER ? n - TH_STANDIN_HEADER : 0);
        break;
    case RANDOM:
        return take_random(turn, n);
    case REPEAT:
        return repeat(turn, n, unwrap(rest), depth, ret);
    case BURN:
        return standin_burn(turn, n) ? TH_ENGINE_OK : TH_ENGINE_OUT_OF_FUEL;
    default:
        return n > turn->component->machine->depth ? TH_ENGINE_STACK : TH_ENGINE_OK;
    }
    return TH_ENGINE_OK;
}

static th_engine_outcome run_message(standin_turn *turn, th_slice word, th_slice rest, th_engine_result *ret)
{
    th_slice to = unwrap(take_word(&rest));
    th_slice payload = unwrap(rest);
    if (word_is(word, "send-size")) {
        uint64_t size;
        if (!standin_number(payload, &size) || size > MOST_BYTES)
            return say_error(turn, ret, "no number after", word);
        turn->scratch.size = 0;
        standin_resize(&turn->scratch, (size_t)size, 'p');
        payload = th_slice_of(turn->scratch.data, turn->scratch.size);
    }
    if (!th_utf8_valid(to))
        return standin_trap(ret, "abi");
    if (!standin_burn(turn, payload.size))
        return TH_ENGINE_OUT_OF_FUEL;
    uint64_t id;
    bool goes_on = word_is(word, "request")
                       ? turn->options.request(turn->options.context, given(to), given(payload), &id)
                       : turn->options.send(turn->options.context, given(to), given(payload));
    if (goes_on && word_is(word, "request"))
        turn->header.digest = standin_digest(turn->header.digest, &id, sizeof id);
    return goes_on ? TH_ENGINE_OK : TH_ENGINE_STOPPED;
}

static th_engine_outcome run_trap(standin_turn *turn, th_slice kind, th_engine_result *ret)
{
    static const char *const kinds[] = {"unreachable", "memory", "table", "division", "integer", "abi"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (word_is(kind, kinds[i]))
            return standin_trap(ret, kinds[i]);
    }
    return standin_trap(ret, "unreachable");
}

static th_engine_outcome run_log(standin_turn *turn, th_slice rest, th_engine_result *ret)
{
    uint64_t level;
    if (!standin_number(take_word(&rest), &level) || level > 4)
        return say_error(turn, ret, "no level in", rest);
    rest = unwrap(rest);
    if (!th_utf8_valid(rest))
        return standin_trap(ret, "abi");
    bool goes_on = turn->options.log(turn->options.context, (uint32_t)level, given(rest));
    return goes_on ? TH_ENGINE_OK : TH_ENGINE_STOPPED;
}

static th_engine_outcome run_command(standin_turn *turn, th_slice command, unsigned depth,
                                     th_engine_result *ret)
{
    th_slice rest = command, word = take_word(&rest);
    bool known;
    th_engine_outcome outcome = run_number(turn, word, rest, depth, ret, &known);
    if (known)
        return outcome;
    if (word_is(word, "send") || word_is(word, "request") || word_is(word, "send-size"))
        return run_message(turn, word, rest, ret);
    if (word_is(word, "log"))
        return run_log(turn, rest, ret);
    if (word_is(word, "say")) {
        rest = unwrap(rest);
        standin_set(&turn->output, rest.data, rest.size);
        turn->has_output = true;
        return TH_ENGINE_OK;
    }
    if (word_is(word, "observe"))
        return standin_observe(turn);
    if (word_is(word, "fail")) {
        rest = unwrap(rest);
        if (!th_utf8_valid(rest))
            return standin_trap(ret, "abi");
        standin_set(&turn->output, rest.data, rest.size);
        ret->output = (th_engine_bytes){turn->output.data, turn->output.size};
        return TH_ENGINE_ERROR;
    }
    if (word_is(word, "trap"))
        return run_trap(turn, rest, ret);
    if (word_is(word, "loop")) {
        turn->fuel = turn->options.fuel;
        return TH_ENGINE_OUT_OF_FUEL;
    }
    if (word_is(word, "invalid")) {
        turn->header.invalid = 1;
        return TH_ENGINE_OK;
    }
    if (word_is(word, "verify-trap") || word_is(word, "verify-loop")) {
        turn->verify = word_is(word, "verify-trap") ? ACT_TRAP : ACT_LOOP;
        return TH_ENGINE_OK;
    }
    if (word_is(word, "engine-fail"))
        return TH_ENGINE_FAILED;
    return say_error(turn, ret, "unknown command", word);
}

th_engine_outcome standin_run(standin_turn *turn, th_slice text, unsigned depth, th_engine_result *ret)
{
    if (depth > MOST_NESTING)
        return TH_ENGINE_STACK;
    for (size_t at = 0; at < text.size;) {
        size_t end = piece_end(text, at, false);
        th_slice command = trim(th_slice_of(text.data + at, end - at));
        at = end + 1;
        if (command.size == 0)
            continue;
        if (!standin_burn(turn, COMMAND_FUEL))
            return TH_ENGINE_OUT_OF_FUEL;
        th_engine_outcome outcome = run_command(turn, command, depth, ret);
        if (outcome != TH_ENGINE_OK)
            return outcome;
    }
    return TH_ENGINE_OK;
}
