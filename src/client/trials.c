/* Turns that are looked at: run again, or tried. */
#include "client/internal.h"

#include <stdio.h>

static bool decode_logs(const th_value *list, th_arena *arena, theater_trial *ret)
{
    static const char *const levels[] = {"trace", "debug", "info", "warn", "error"};
    size_t count = 0;
    if (!list || list->type != TH_VALUE_ARRAY)
        return false;
    for (const th_value *at = list->first; at; at = at->next)
        count++;
    theater_turn_log *logs = th_arena_alloc(arena, count * sizeof *logs);
    ret->logs = logs;
    ret->log_count = count;
    for (const th_value *at = list->first; logs && at; at = at->next, logs++) {
        th_slice level;
        if (!th_value_text(at, "level", &level) || !th_value_text(at, "message", &logs->text))
            return false;
        logs->level = 2;
        for (unsigned i = 0; i < 5; i++)
            if (th_slice_equal(level, th_slice_text(levels[i])))
                logs->level = i;
    }
    return ret->logs != NULL;
}

static bool decode_messages(const th_value *list, th_arena *arena, theater_trial *ret)
{
    size_t count = 0;
    if (!list || list->type != TH_VALUE_ARRAY)
        return false;
    for (const th_value *at = list->first; at; at = at->next)
        count++;
    theater_turn_message *messages = th_arena_alloc(arena, count * sizeof *messages);
    ret->messages = messages;
    ret->message_count = count;
    for (const th_value *at = list->first; messages && at; at = at->next, messages++) {
        messages->request = 0;
        (void)th_value_uint(at, "request", &messages->request);
        if (!th_value_text(at, "to", &messages->to) ||
            !th_value_bytes(th_value_member(at, "payload"), arena, &messages->payload))
            return false;
    }
    return ret->messages != NULL;
}

/* The bits of the texts that the server names. */
static bool decode_differences(const th_value *list, theater_trial *ret)
{
    if (!list)
        return true; /* of an input that was tried */
    for (const th_value *at = list->first; at; at = at->next)
        for (unsigned bit = THEATER_DIFFERS_TYPE; bit <= THEATER_DIFFERS_UNDECIDED; bit <<= 1) {
            const char *text = theater_difference_text((theater_turn_difference)bit);
            if (text && at->type == TH_VALUE_STRING && th_slice_equal(at->text, th_slice_text(text)))
                ret->differences |= bit;
        }
    return (list->first != NULL) == (ret->differences != 0);
}

static bool decode_trial(const th_value *root, th_arena *arena, theater_trial *ret)
{
    th_slice outcome;
    const th_value *state = th_value_member(root, "state");
    *ret = (theater_trial){0};
    if (!th_value_text(root, "outcome", &outcome))
        return false;
    ret->rejected = th_slice_equal(outcome, th_slice_text("rejected"));
    (void)th_value_text(root, "detail", &ret->detail);
    if (ret->rejected ? !th_value_uint(root, "code", &ret->reject_code) ||
                            !th_value_text(root, "message", &ret->reject_text)
                      : !th_value_bytes(th_value_member(root, "output"), arena, &ret->output))
        return false;
    return th_value_uint(root, "sequence", &ret->sequence) &&
           th_value_uint(root, "timestamp", &ret->timestamp_ns) && th_value_uint(root, "fuel", &ret->fuel) &&
           th_value_hash(root, "state_root", &ret->state_root) &&
           th_value_uint(root, "state_size", &ret->state_size) &&
           decode_logs(th_value_member(root, "log"), arena, ret) &&
           decode_messages(th_value_member(root, "effects"), arena, ret) &&
           decode_differences(th_value_member(root, "differs"), ret) &&
           (!state || th_value_bytes(state, arena, &ret->state));
}

static theater_status run(th_client *client, const char *path, const char *type, th_slice body,
                          th_client_trial *ret, theater_error *reterr)
{
    const th_value *root;
    th_call call = {.method = "POST", .path = path, .type = type, .body = body};
    *ret = (th_client_trial){0};
    th_arena_init(&ret->arena, TH_ANSWER_MAX);
    theater_status status = th_call_run(client, &call, reterr);
    if (!status)
        status = th_call_json(client, &call, &ret->arena, &root, reterr);
    if (!status && !decode_trial(root, &ret->arena, &ret->trial))
        status = th_answer_unknown(client, "a turn", reterr);
    ret->text = th_buf_take(&call.answer);
    th_call_done(&call);
    if (status)
        th_client_trial_done(ret);
    return status;
}

theater_status th_client_rerun(th_client *client, const char *name, uint64_t sequence, th_client_trial *ret,
                               theater_error *reterr)
{
    char path[TH_PATH_MAX];
    theater_status status =
        th_actor_path(path, name, reterr, "/elements/%llu/rerun", (unsigned long long)sequence);
    return status ? status : run(client, path, NULL, (th_slice){0}, ret, reterr);
}

theater_status th_client_try(th_client *client, const char *name, uint64_t after, bool with_state,
                             theater_slice input, th_client_trial *ret, theater_error *reterr)
{
    char path[TH_PATH_MAX];
    theater_status status = th_actor_path(path, name, reterr, "/try?at=%llu%s", (unsigned long long)after,
                                          with_state ? "&state=true" : "");
    return status ? status : run(client, path, "application/octet-stream", input, ret, reterr);
}

void th_client_trial_done(th_client_trial *trial)
{
    theater_bytes_free(&trial->text);
    th_arena_done(&trial->arena);
    trial->trial = (theater_trial){0};
}
