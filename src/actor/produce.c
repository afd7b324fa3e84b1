/* From an ended turn to what stands on the chain: payloads that outlive the machine's turn, and the
 * element's fields. */
#include "actor/internal.h"

#include <stdio.h>

static theater_status no_room(const th_turn *turn, theater_error *reterr)
{
    return th_fail(reterr, THEATER_NO_MEMORY,
                   "element %llu of actor %.*s: no memory for what the turn produced",
                   (unsigned long long)turn->sequence, TH_SHOW(turn->descriptor->name));
}

static theater_status take_output(th_workspace *workspace, const th_turn *turn,
                                  const th_turn_result *result, th_produced *ret, theater_error *reterr)
{
    th_slice output = result->output;
    if (result->rejected) {
        th_buf_clear(&workspace->scratch);
        theater_status status = th_rejection_encode(&result->rejection, &workspace->scratch, reterr);
        if (status)
            return status;
        output = th_buf_slice(&workspace->scratch);
        ret->reject_code = result->rejection.code;
        ret->reject_text = th_arena_copy(&workspace->arena, result->rejection.message);
        if (!ret->reject_text.data)
            return no_room(turn, reterr);
    }
    ret->output = th_arena_copy(&workspace->arena, output);
    return ret->output.data ? THEATER_OK : no_room(turn, reterr);
}

static theater_status take_effects(th_workspace *workspace, const th_turn *turn,
                                   const th_turn_result *result, th_produced *ret, theater_error *reterr)
{
    th_slice effects;
    theater_status status =
        result->rejected
            ? th_effects_finish_rejection(&workspace->effects, result->rejection.code, &effects, reterr)
            : th_effects_finish(&workspace->effects, &effects, reterr);
    if (status)
        return status;
    ret->effects = th_slice_text(TH_EFFECTS_NONE);
    if (effects.size > ret->effects.size)
        ret->effects = th_arena_copy(&workspace->arena, effects);
    if (!ret->effects.data)
        return no_room(turn, reterr);
    if (result->rejected || workspace->sent_count == 0)
        return THEATER_OK;
    size_t size = workspace->sent_count * sizeof *workspace->sent;
    th_slice sent = th_arena_copy(&workspace->arena, th_slice_of(workspace->sent, size));
    if (!sent.data)
        return no_room(turn, reterr);
    ret->sent = (const th_sent *)sent.data;
    ret->sent_count = workspace->sent_count;
    return THEATER_OK;
}

static th_element_type element_type(const th_turn *turn, const th_turn_result *result)
{
    if (turn->type == TH_GENESIS || turn->type == TH_UPGRADE)
        return turn->type;
    return result->rejected ? TH_REJECTION : TH_TRANSITION;
}

theater_status th_turn_produce(th_workspace *workspace, const th_turn *turn, const th_turn_result *result,
                               th_element *ret_element, th_produced *ret, theater_error *reterr)
{
    *ret = (th_produced){
        .sequence = turn->sequence,
        .type = element_type(turn, result),
        .input = turn->input,
        .timestamp_ns = turn->timestamp_ns,
        .fuel = result->fuel,
    };
    theater_status status = take_output(workspace, turn, result, ret, reterr);
    if (!status)
        status = take_effects(workspace, turn, result, ret, reterr);
    if (status)
        return status;
    if (result->detail) {
        th_slice detail = th_arena_copy(&workspace->arena, th_slice_of(result->detail,
                                                                       strlen(result->detail) + 1));
        ret->detail = (const char *)detail.data;
    }
    th_lap(workspace, &workspace->times.encode_ns);
    *ret_element = (th_element){
        .sequence = turn->sequence,
        .timestamp = turn->timestamp_ns,
        .fuel = result->fuel,
        .type = ret->type,
        .previous = *turn->previous,
        .input = turn->input_hash,
        .output = th_sha256_empty,
        .effects = workspace->no_effects,
        .principal = turn->principal,
    };
    if (turn->cause)
        ret_element->cause = *turn->cause;
    if (ret->output.size)
        th_sha256_of(workspace->hasher, ret->output, &ret_element->output);
    if (ret->effects.size > 1)
        th_sha256_of(workspace->hasher, ret->effects, &ret_element->effects);
    th_lap(workspace, &workspace->times.hash_ns);
    return THEATER_OK;
}

void th_shown(th_slice text, size_t most, char *out)
{
    size_t size = text.size < most ? text.size : most;
    /* Not in the middle of a character. */
    while (size < text.size && size > 0 && (text.data[size] & 0xc0) == 0x80)
        size--;
    for (size_t i = 0; i < size; i++)
        out[i] = text.data[i] < ' ' || text.data[i] == 0x7f ? ' ' : (char)text.data[i];
    out[size] = '\0';
}

void th_turn_words(const th_rejection *rejection, const char *detail, char *out, size_t size)
{
    char text[401], more[401] = "";
    th_shown(rejection->message, 400, text);
    if (detail)
        th_shown(th_slice_text(detail), 400, more);
    switch (rejection->code) {
    case TH_REJECTED_BY_ACTOR:
        snprintf(out, size, "returned an error: %s", text);
        break;
    case TH_REJECTED_STATE:
        snprintf(out, size, "made an invalid state");
        break;
    case TH_REJECTED_TRAP:
        snprintf(out, size, "trapped: %s%s%s", text, detail ? ": " : "", more);
        break;
    case TH_REJECTED_FUEL:
        snprintf(out, size, "ran out of fuel");
        break;
    case TH_REJECTED_LIMIT:
        snprintf(out, size, "passed the limit '%s'", text);
        break;
    case TH_REJECTED_STACK:
        snprintf(out, size, "overflowed the stack");
        break;
    }
}
