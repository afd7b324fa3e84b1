/* Live turns: an element comes out of each, and the instance stands after it.
 *
 * Invariants:
 *   1. All that can fail comes before the instance changes; the state tree, which changes last, undoes
 *      itself when it fails.
 *   2. A turn runs only under the engine and limits of the descriptor in force, for an upgrade its own.
 *
 * The hot path makes no allocation of its own: output, effects and element go to the workspace's arena, the
 * state to the buffer that the instance has. */
#include "actor/internal.h"

static theater_status foreign_engine(const th_instance *instance, const th_descriptor *descriptor,
                                     theater_error *reterr)
{
    return th_fail(reterr, THEATER_VERSION,
                   "actor %.*s runs under the engine '%.*s' and this is '%s': upgrade the actor",
                   TH_SHOW(descriptor->name), TH_SHOW(descriptor->engine), instance->machine->name);
}

/* The element of a turn that succeeded or was rejected, and the instance after it. */
static theater_status record(th_instance *instance, const th_turn *turn, th_turn_result *result,
                             th_slice id, th_workspace *workspace, th_produced *ret, theater_error *reterr)
{
    th_element element;
    theater_status status = th_turn_produce(workspace, turn, result, &element, ret, reterr);
    if (status)
        return status;
    element.id = id;
    element.state_before = instance->root;
    uint8_t *room = th_arena_alloc(&workspace->arena, TH_ELEMENT_MAX);
    if (!room)
        return th_fail_memory(reterr, "an element");
    if (!result->rejected && turn->type != TH_UPGRADE)
        status = th_instance_take_state(instance, workspace->hasher, result->state, reterr);
    if (status)
        return status;
    element.state_after = instance->root;
    element.state_size = instance->state.size;
    th_lap(workspace, &workspace->times.hash_ns);
    ret->element = th_slice_of(room, th_element_encode(&element, room));
    th_lap(workspace, &workspace->times.encode_ns);
    th_element_hash(workspace->hasher, ret->element, &ret->hash);
    th_instance_advance(instance, workspace->hasher, &ret->hash, turn->timestamp_ns);
    th_lap(workspace, &workspace->times.hash_ns);
    ret->state_root = element.state_after;
    ret->state_size = element.state_size;
    return THEATER_OK;
}

/* A genesis or an upgrade that fails is an error to its caller. */
static theater_status actor_failed(const th_turn *turn, const th_turn_result *result, theater_error *reterr)
{
    char words[800];
    th_turn_words(&result->rejection, result->detail, words, sizeof words);
    return th_fail(reterr, THEATER_ACTOR_FAILED, "%s of actor %.*s %s",
                   turn->type == TH_GENESIS ? "init" : "the upgrade", TH_SHOW(turn->descriptor->name), words);
}

/* ---- genesis and upgrade --------------------------------------------------------------------- */

/* Runs a turn whose input is the descriptor in `turn`, encoded as `input`. */
static theater_status run_descriptor(th_instance *instance, th_turn *turn, th_slice input,
                                     th_workspace *workspace, th_produced *ret, theater_error *reterr)
{
    th_lap_begin(workspace);
    turn->input = th_arena_copy(&workspace->arena, input);
    if (!turn->input.data)
        return th_fail_memory(reterr, "a descriptor");
    th_sha256_of(workspace->hasher, turn->input, &turn->input_hash);
    th_lap(workspace, &workspace->times.hash_ns);
    th_turn_result result;
    theater_status status = th_turn_run(workspace, turn, &result, reterr);
    if (status)
        return status;
    if (result.rejected)
        status = actor_failed(turn, &result, reterr);
    else
        status = record(instance, turn, &result, (th_slice){0}, workspace, ret, reterr);
    th_turn_end(workspace, &result);
    return status;
}

theater_status th_instance_genesis(const th_machine *machine, void *component,
                                   const th_descriptor *descriptor, uint64_t timestamp_ns,
                                   th_workspace *workspace, th_instance **ret, th_produced *ret_produced,
                                   theater_error *reterr)
{
    th_instance *instance;
    theater_status status = th_instance_make(machine, component, descriptor, &instance, reterr);
    if (status)
        return status;
    if (instance->foreign) {
        status = foreign_engine(instance, descriptor, reterr);
    } else {
        th_turn turn = th_instance_next(instance, TH_GENESIS, timestamp_ns);
        status = run_descriptor(instance, &turn, th_buf_slice(&instance->descriptor_bytes), workspace,
                                ret_produced, reterr);
    }
    if (status) {
        th_instance_free(instance);
        return status;
    }
    *ret = instance;
    return THEATER_OK;
}

theater_status th_instance_upgrade(th_instance *instance, void *component, const th_descriptor *descriptor,
                                   uint64_t timestamp_ns, th_workspace *workspace,
                                   th_produced *ret_produced, theater_error *reterr)
{
    if (!th_slice_equal(descriptor->name, instance->descriptor.name))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "an upgrade of actor %.*s cannot name it %.*s",
                       TH_SHOW(instance->descriptor.name), TH_SHOW(descriptor->name));
    if (!th_slice_equal(descriptor->engine, th_slice_text(instance->machine->name)))
        return foreign_engine(instance, descriptor, reterr);
    th_descriptor kept;
    th_buf bytes;
    theater_status status = th_descriptor_keep(descriptor, &bytes, &kept, reterr);
    if (status)
        return status;
    th_turn turn = th_instance_next(instance, TH_UPGRADE, timestamp_ns);
    turn.component = component;
    turn.descriptor = &kept;
    turn.foreign = false;
    status = run_descriptor(instance, &turn, th_buf_slice(&bytes), workspace, ret_produced, reterr);
    if (!status)
        th_instance_take_descriptor(instance, component, &kept, &bytes);
    th_buf_done(&bytes);
    return status;
}

/* ---- handle ---------------------------------------------------------------------------------- */

static th_turn turn_of_input(const th_instance *instance, const th_input *input, th_workspace *workspace)
{
    th_turn turn = th_instance_next(instance, TH_TRANSITION, input->timestamp_ns);
    turn.cause = input->cause;
    if (input->has_principal)
        turn.principal = input->principal;
    turn.input = input->payload;
    th_sha256_of(workspace->hasher, input->payload, &turn.input_hash);
    th_lap(workspace, &workspace->times.hash_ns);
    return turn;
}

theater_status th_instance_handle(th_instance *instance, const th_input *input, th_workspace *workspace,
                                  th_produced *ret_produced, theater_error *reterr)
{
    if (instance->foreign)
        return foreign_engine(instance, &instance->descriptor, reterr);
    th_lap_begin(workspace);
    th_turn turn = turn_of_input(instance, input, workspace);
    th_turn_result result;
    theater_status status = th_turn_run(workspace, &turn, &result, reterr);
    if (status)
        return status;
    th_slice id = input->has_id ? input->id : (th_slice){0};
    status = record(instance, &turn, &result, id, workspace, ret_produced, reterr);
    th_turn_end(workspace, &result);
    return status;
}

theater_status th_instance_query(th_instance *instance, const th_input *input, th_workspace *workspace,
                                 th_produced *ret_produced, theater_error *reterr)
{
    th_lap_begin(workspace);
    th_turn turn = turn_of_input(instance, input, workspace);
    th_turn_result result;
    theater_status status = th_turn_run(workspace, &turn, &result, reterr);
    if (status)
        return status;
    th_element element;
    status = th_turn_produce(workspace, &turn, &result, &element, ret_produced, reterr);
    th_turn_end(workspace, &result);
    if (status)
        return status;
    ret_produced->state_root = instance->root;
    ret_produced->state_size = instance->state.size;
    return THEATER_OK;
}
