/* The interface's JSON (docs/http-api.md) as the library's types. */
#include "chain/descriptor.h"
#include "client/internal.h"

bool th_decode_status(th_slice name, theater_status *ret)
{
    for (int i = 0; i < THEATER_STATUS_COUNT; i++)
        if (th_slice_equal(name, th_slice_text(theater_status_name((theater_status)i)))) {
            *ret = (theater_status)i;
            return true;
        }
    return false;
}

static bool find_word(const th_value *value, const char *key, const char *const *words, size_t count,
                      size_t *ret)
{
    th_slice text;
    if (!th_value_text(value, key, &text))
        return false;
    for (size_t i = 0; i < count; i++)
        if (th_slice_equal(text, th_slice_text(words[i]))) {
            *ret = i;
            return true;
        }
    return false;
}

static bool decode_limits(const th_value *value, theater_limits *ret)
{
    return th_value_uint(value, "fuel", &ret->fuel) && th_value_uint(value, "memory", &ret->memory_bytes) &&
           th_value_uint(value, "state", &ret->state_bytes) &&
           th_value_uint(value, "message", &ret->message_bytes) &&
           th_value_uint(value, "effects", &ret->effects_bytes);
}

/* ---- actors -------------------------------------------------------------------------------------------- */

bool th_decode_actor(const th_value *value, theater_actor_info *ret)
{
    static const char *const words[] = {"starting", "running", "stopped", "removed", "archive"};
    size_t word;
    *ret = (theater_actor_info){0};
    if (!th_value_copy(value, "name", ret->name, sizeof ret->name) || !th_value_uint(value, "id", &ret->id) ||
        !find_word(value, "status", words, 5, &word) || !th_value_uint(value, "elements", &ret->elements))
        return false;
    ret->status = word == 0 ? THEATER_ACTOR_RUNNING : (theater_actor_status)word;
    if (ret->elements == 0)
        return true;
    ret->has_snapshot = th_value_uint(value, "snapshot", &ret->snapshot_sequence);
    return th_value_hash(value, "genesis", &ret->genesis) && th_value_hash(value, "head", &ret->head) &&
           th_value_uint(value, "timestamp", &ret->head_timestamp_ns) &&
           th_value_uint(value, "state_size", &ret->state_size) &&
           th_value_hash(value, "state_root", &ret->state_root) &&
           th_value_hash(value, "component", &ret->component) &&
           th_value_copy(value, "engine", ret->engine, sizeof ret->engine) &&
           decode_limits(th_value_member(value, "limits"), &ret->limits) &&
           th_value_uint(value, "checkpoint_size", &ret->checkpoint_size) &&
           th_value_uint(value, "undelivered", &ret->undelivered);
}

/* ---- elements ------------------------------------------------------------------------------------------ */

/* The bytes of a descriptor again, from its fields. */
static bool decode_descriptor(const th_value *value, th_arena *arena, th_slice *ret)
{
    th_descriptor descriptor;
    theater_limits limits;
    if (!th_value_text(value, "name", &descriptor.name) ||
        !th_value_hash(value, "component", &descriptor.component) ||
        !th_value_bytes(th_value_member(value, "config"), arena, &descriptor.config) ||
        !th_value_text(value, "engine", &descriptor.engine) ||
        !decode_limits(th_value_member(value, "limits"), &limits))
        return false;
    descriptor.limits = (th_limits){limits.fuel, limits.memory_bytes, limits.state_bytes,
                                    limits.message_bytes, limits.effects_bytes};
    th_buf bytes;
    th_buf_init(&bytes, TH_ANSWER_MAX);
    bool good = th_descriptor_encode(&descriptor, &bytes, NULL) == THEATER_OK;
    if (good)
        *ret = th_arena_copy(arena, th_buf_slice(&bytes));
    th_buf_done(&bytes);
    return good && ret->data;
}

static bool decode_payloads(const th_value *value, th_arena *arena, theater_element *ret)
{
    const th_value *input = th_value_member(value, "input"), *output = th_value_member(value, "output");
    const th_value *descriptor = th_value_member(input, "descriptor");
    if (!input || !output)
        return false;
    ret->input_dropped = input->type == TH_VALUE_NULL;
    ret->output_dropped = output->type == TH_VALUE_NULL;
    if (descriptor ? !decode_descriptor(descriptor, arena, &ret->input)
                   : !ret->input_dropped && !th_value_bytes(input, arena, &ret->input))
        return false;
    if (ret->output_dropped)
        return true;
    if (ret->type == THEATER_REJECTION)
        return th_value_uint(output, "code", &ret->reject_code) &&
               th_value_text(output, "message", &ret->reject_text);
    return th_value_bytes(output, arena, &ret->output);
}

static bool decode_cause(const th_value *cause, theater_element *ret)
{
    static const char *const kinds[] = {"message", "reply", "notice"};
    size_t kind;
    ret->cause = THEATER_CAUSE_NONE;
    if (!cause)
        return false;
    if (cause->type == TH_VALUE_NULL)
        return true;
    if (!find_word(cause, "kind", kinds, 3, &kind) || !th_value_text(cause, "actor", &ret->cause_actor))
        return false;
    ret->cause = (theater_cause_kind)kind;
    if (ret->cause != THEATER_CAUSE_NOTICE && (!th_value_uint(cause, "sequence", &ret->cause_sequence) ||
                                               !th_value_hash(cause, "hash", &ret->cause_hash)))
        return false;
    if (ret->cause == THEATER_CAUSE_REPLY && !th_value_bool(cause, "failed", &ret->cause_failed))
        return false;
    return ret->cause == THEATER_CAUSE_MESSAGE ? th_value_uint(cause, "index", &ret->cause_index)
                                               : th_value_uint(cause, "request", &ret->cause_request);
}

bool th_decode_element(const th_value *value, th_arena *arena, theater_element *ret)
{
    static const char *const types[] = {"genesis", "transition", "rejection", "upgrade"};
    const th_value *id = th_value_member(value, "id");
    size_t type;
    *ret = (theater_element){0};
    if (!find_word(value, "type", types, 4, &type) || !id)
        return false;
    ret->type = (theater_element_type)type;
    ret->has_principal = th_value_text(value, "principal", &ret->principal);
    ret->has_id = id->type != TH_VALUE_NULL;
    return (!ret->has_id || th_value_bytes(id, arena, &ret->id)) &&
           th_value_uint(value, "sequence", &ret->sequence) && th_value_hash(value, "hash", &ret->hash) &&
           th_value_hash(value, "previous", &ret->previous) &&
           th_value_uint(value, "timestamp", &ret->timestamp_ns) && decode_payloads(value, arena, ret) &&
           th_value_hash(value, "state_before", &ret->state_before) &&
           th_value_hash(value, "state_after", &ret->state_after) &&
           th_value_uint(value, "state_size", &ret->state_size) && th_value_uint(value, "fuel", &ret->fuel) &&
           decode_cause(th_value_member(value, "cause"), ret);
}

/* ---- answers and reports ------------------------------------------------------------------------------- */

static bool copy_output(th_slice bytes, theater_answer *ret)
{
    th_buf copy;
    th_buf_init(&copy, TH_ANSWER_MAX);
    if (th_buf_append(&copy, bytes, NULL))
        return false;
    ret->output = th_buf_take(&copy);
    return true;
}

bool th_decode_answer(const th_value *value, th_arena *arena, theater_answer *ret)
{
    th_slice status, text = {0};
    *ret = (theater_answer){.status = THEATER_OK};
    if (!th_value_text(value, "status", &status) || !th_decode_status(status, &ret->status))
        return false;
    if (ret->status == THEATER_OK && !th_value_bytes(th_value_member(value, "output"), arena, &text))
        return false;
    if (ret->status != THEATER_OK && !th_value_text(value, "message", &text))
        return false;
    bool element = ret->status == THEATER_OK || ret->status == THEATER_REJECTED;
    if (!element) {
        (void)th_fail(&ret->error, ret->status, "%.*s", (int)(text.size < 1023 ? text.size : 1023),
                      (const char *)text.data);
        return true;
    }
    if (ret->status == THEATER_REJECTED && !th_value_uint(value, "code", &ret->reject_code))
        return false;
    return th_value_uint(value, "sequence", &ret->sequence) &&
           th_value_hash(value, "element", &ret->element) &&
           th_value_hash(value, "state_root", &ret->state_root) && th_value_uint(value, "fuel", &ret->fuel) &&
           th_value_bool(value, "repeated", &ret->repeated) && copy_output(text, ret);
}

bool th_decode_report(th_client *client, const th_value *value, theater_report *ret)
{
    th_slice text;
    *ret = (theater_report){0};
    const struct {
        const char *key;
        uint64_t *place;
    } numbers[] = {{"sequence", &ret->sequence},
                   {"chains", &ret->chains},
                   {"elements", &ret->elements},
                   {"payload_bytes", &ret->payload_bytes},
                   {"dropped_payloads", &ret->dropped_payloads},
                   {"checkpoints", &ret->checkpoints},
                   {"undecided", &ret->undecided},
                   {"skipped", &ret->skipped},
                   {"causes", &ret->causes},
                   {"missing_causes", &ret->missing_causes},
                   {"nanoseconds", &ret->nanoseconds}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!th_value_uint(value, numbers[i].key, numbers[i].place))
            return false;
    if (th_value_copy(value, "what", client->what, sizeof client->what))
        ret->what = client->what;
    ret->key_from_source = ret->checkpoints > 0; /* the server checks with its folder's own key */
    return th_value_text(value, "verdict", &text) && th_decode_status(text, &ret->status) &&
           th_value_copy(value, "message", ret->message, sizeof ret->message) &&
           th_value_copy(value, "actor", ret->actor, sizeof ret->actor) &&
           th_value_hash(value, "head", &ret->head) && th_value_hash(value, "tree_head", &ret->tree_head) &&
           th_value_hash(value, "state_root", &ret->state_root);
}
