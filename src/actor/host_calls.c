/* The host functions that have an effect or need bytes. The first one that fails ends the turn at that call
 * and leaves no effect; the reason stays in the workspace: `passed` when a limit was passed, `host_status`
 * when the host itself failed. */
#include "actor/internal.h"

static bool failed(th_workspace *workspace, theater_status status)
{
    workspace->host_status = status;
    return false;
}

static bool host_log(void *context, uint32_t level, th_engine_bytes text)
{
    th_workspace *workspace = context;
    theater_status status =
        th_effects_log(&workspace->effects, level, th_from_engine(text), &workspace->passed, NULL);
    if (status)
        return failed(workspace, status);
    return workspace->passed == TH_LIMIT_NONE;
}

static bool host_random(void *context, uint32_t length, th_engine_bytes *ret)
{
    th_workspace *workspace = context;
    const th_turn *turn = workspace->turn;
    if (!workspace->random_begun) {
        th_turn_random_init(&workspace->random, workspace->hasher, turn->previous, turn->sequence,
                            turn->timestamp_ns, &turn->input_hash);
        workspace->random_begun = true;
    }
    /* Before room is made for them: the length is the guest's. */
    if (length > TH_RANDOM_MAX) {
        workspace->passed = TH_LIMIT_RANDOM;
        return false;
    }
    uint8_t *room = NULL;
    th_buf_clear(&workspace->scratch);
    theater_status status = th_buf_extend(&workspace->scratch, length, &room, NULL);
    if (status)
        return failed(workspace, status);
    if (!th_turn_random_read(&workspace->random, workspace->hasher, room, length)) {
        workspace->passed = TH_LIMIT_RANDOM;
        return false;
    }
    *ret = (th_engine_bytes){room, length};
    return true;
}

static th_sent *sent_place(th_workspace *workspace)
{
    if (workspace->sent_count == workspace->sent_capacity) {
        size_t capacity = workspace->sent_capacity ? workspace->sent_capacity * 2 : 64;
        th_sent *sent = th_realloc(workspace->sent, capacity * sizeof *sent);
        if (!sent)
            return NULL;
        workspace->sent = sent;
        workspace->sent_capacity = capacity;
    }
    return &workspace->sent[workspace->sent_count];
}

static bool message(th_workspace *workspace, th_slice to, th_slice payload, bool request, uint64_t *ret_id)
{
    th_hash hash;
    theater_status status = th_effects_message(&workspace->effects, workspace->hasher, to, payload, request,
                                               ret_id, &hash, &workspace->passed, NULL);
    if (status)
        return failed(workspace, status);
    if (workspace->passed != TH_LIMIT_NONE)
        return false;
    th_sent *sent = sent_place(workspace);
    if (!sent)
        return failed(workspace, THEATER_NO_MEMORY);
    /* The guest's memory is gone after the call, so the copies are made now; a rejected turn has made them
     * for nothing. */
    *sent = (th_sent){
        .index = (uint32_t)(workspace->effects.count - 1),
        .to = th_arena_copy(&workspace->arena, to),
        .payload = th_arena_copy(&workspace->arena, payload),
        .payload_hash = hash,
        .request = *ret_id,
    };
    if (!sent->to.data || !sent->payload.data)
        return failed(workspace, THEATER_NO_MEMORY);
    workspace->sent_count++;
    return true;
}

static bool host_send(void *context, th_engine_bytes to, th_engine_bytes payload)
{
    uint64_t id = 0;
    return message(context, th_from_engine(to), th_from_engine(payload), false, &id);
}

static bool host_request(void *context, th_engine_bytes to, th_engine_bytes payload, uint64_t *ret_id)
{
    *ret_id = 0;
    return message(context, th_from_engine(to), th_from_engine(payload), true, ret_id);
}

void th_host_calls_begin(th_workspace *workspace, const th_turn *turn, th_engine_turn_options *options)
{
    workspace->turn = turn;
    workspace->random_begun = false;
    workspace->passed = TH_LIMIT_NONE;
    workspace->host_status = THEATER_OK;
    workspace->sent_count = 0;
    th_effects_begin(&workspace->effects, turn->sequence, turn->descriptor->limits.message,
                     turn->descriptor->limits.effects);
    options->context = workspace;
    options->log = host_log;
    options->random = host_random;
    options->send = host_send;
    options->request = host_request;
}
