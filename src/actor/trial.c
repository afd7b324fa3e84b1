/* Turns without consequences: the same turn of turn.c, whose result is copied out and compared, and an
 * instance that is only read. */
#include "actor/trial.h"

#include "actor/internal.h"

/* Copies the state after the turn and takes its root. */
static theater_status take_state(const th_instance *instance, const th_turn *turn,
                                 const th_turn_result *result, th_workspace *workspace, th_trial *ret,
                                 theater_error *reterr)
{
    bool kept = result->rejected || turn->type == TH_UPGRADE;
    th_slice state = kept ? turn->state : result->state;
    ret->produced.state_size = state.size;
    ret->produced.state_root = instance->root;
    if (!kept)
        th_state_root(workspace->hasher, state, &ret->produced.state_root);
    if (state.size == 0)
        return THEATER_OK;
    ret->state = th_arena_copy(&workspace->arena, state);
    return ret->state.data ? THEATER_OK : th_fail_memory(reterr, "the state after a turn");
}

static unsigned bit(th_difference difference)
{
    return difference == TH_SAME ? 0 : 1u << difference;
}

/* All that differs, where replay stops at the first. */
static unsigned differences(const th_compared *compared, const th_trial *trial, bool foreign)
{
    const th_element *recorded = compared->recorded, *came_out = compared->came_out;
    unsigned found = bit(th_compare(compared, foreign, NULL)) & bit(TH_DIFFERS_UNDECIDED);
    bool failed = trial->rejected && came_out->type != TH_REJECTION;
    bool counted = !trial->rejected || compared->result->rejection.code <= TH_REJECTED_STATE;
    if (failed || recorded->type != came_out->type)
        found |= bit(TH_DIFFERS_TYPE);
    else if (!th_hash_equal(&recorded->output, &came_out->output))
        found |= bit(recorded->type == TH_REJECTION ? TH_DIFFERS_REASON : TH_DIFFERS_OUTPUT);
    if (!th_hash_equal(&recorded->effects, &came_out->effects))
        found |= bit(TH_DIFFERS_EFFECTS);
    if (!th_hash_equal(&recorded->state_after, &trial->produced.state_root) ||
        recorded->state_size != trial->produced.state_size)
        found |= bit(TH_DIFFERS_STATE);
    if (recorded->fuel != compared->result->fuel && !(foreign && counted))
        found |= bit(TH_DIFFERS_FUEL);
    return found;
}

/* Runs the turn; `recorded` may be NULL: then nothing is compared. */
static theater_status run(const th_instance *instance, const th_turn *turn, const th_element *element,
                          const th_recorded *recorded, th_workspace *workspace, th_trial *ret,
                          theater_error *reterr)
{
    *ret = (th_trial){.rejected = false};
    th_turn_result result;
    theater_status status = th_turn_run(workspace, turn, &result, reterr);
    if (status)
        return status;
    th_element came_out;
    status = th_turn_produce(workspace, turn, &result, &came_out, &ret->produced, reterr);
    ret->rejected = result.rejected;
    if (!status)
        status = take_state(instance, turn, &result, workspace, ret, reterr);
    if (!status && recorded) {
        th_compared compared = {instance,  element,        recorded,         &result,
                                &came_out, &ret->produced, workspace->hasher};
        ret->differences = differences(&compared, ret, turn->foreign);
    }
    th_turn_end(workspace, &result);
    return status;
}

theater_status th_trial_input(const th_instance *instance, const th_input *input, th_workspace *workspace,
                              th_trial *ret, theater_error *reterr)
{
    th_turn turn = th_instance_next(instance, TH_TRANSITION, input->timestamp_ns);
    turn.cause = input->cause;
    if (input->has_principal)
        turn.principal = input->principal;
    turn.input = input->payload;
    th_sha256_of(workspace->hasher, input->payload, &turn.input_hash);
    return run(instance, &turn, NULL, NULL, workspace, ret, reterr);
}

/* Gives the turn what the recorded element observed. */
static theater_status observe(const th_instance *instance, th_turn *turn, const th_element *element,
                              const th_recorded *recorded, th_workspace *workspace, theater_error *reterr)
{
    turn->timestamp_ns = element->timestamp;
    turn->cause = &element->cause;
    turn->principal = element->principal;
    turn->input = recorded->input;
    th_sha256_of(workspace->hasher, recorded->input, &turn->input_hash);
    const char *what = element->sequence != instance->elements ? "it does not follow the element before"
                       : !th_hash_equal(&element->previous, &instance->head) ? "previous hash differs"
                       : !th_hash_equal(&element->input, &turn->input_hash)
                           ? "its input payload has another hash"
                           : NULL;
    return what ? th_fail(reterr, THEATER_CORRUPT, "element %llu of actor %.*s: %s",
                          (unsigned long long)element->sequence, TH_SHOW(instance->descriptor.name), what)
                : THEATER_OK;
}

static theater_status run_upgrade(const th_instance *instance, const th_element *element,
                                  const th_recorded *recorded, void *component, th_workspace *workspace,
                                  th_trial *ret, theater_error *reterr)
{
    th_descriptor descriptor;
    theater_status status = th_descriptor_decode(recorded->input, &descriptor, reterr);
    if (status)
        return status;
    th_turn turn = th_instance_next(instance, TH_UPGRADE, 0);
    turn.component = component;
    turn.descriptor = &descriptor;
    turn.foreign = !th_slice_equal(descriptor.engine, th_slice_text(instance->machine->name));
    status = observe(instance, &turn, element, recorded, workspace, reterr);
    return status ? status : run(instance, &turn, element, recorded, workspace, ret, reterr);
}

theater_status th_trial_recorded(const th_instance *instance, const th_recorded *recorded, void *component,
                                 th_workspace *workspace, th_trial *ret, theater_error *reterr)
{
    th_element element;
    theater_status status = th_element_decode(recorded->element, &element, reterr);
    if (status)
        return status;
    if (element.type == TH_UPGRADE)
        return run_upgrade(instance, &element, recorded, component, workspace, ret, reterr);
    th_turn turn = th_instance_next(instance, TH_TRANSITION, 0);
    status = observe(instance, &turn, &element, recorded, workspace, reterr);
    return status ? status : run(instance, &turn, &element, recorded, workspace, ret, reterr);
}

theater_status th_trial_genesis(const th_machine *machine, void *component, const th_recorded *recorded,
                                th_workspace *workspace, th_trial *ret, theater_error *reterr)
{
    th_element element;
    th_descriptor descriptor;
    theater_status status = th_element_decode(recorded->element, &element, reterr);
    if (!status)
        status = th_descriptor_decode(recorded->input, &descriptor, reterr);
    if (status)
        return th_fail_in(reterr, status, "element 0");
    th_instance *instance;
    status = th_instance_make(machine, component, &descriptor, &instance, reterr);
    if (status)
        return status;
    th_turn turn = th_instance_next(instance, TH_GENESIS, 0);
    status = observe(instance, &turn, &element, recorded, workspace, reterr);
    if (!status)
        status = run(instance, &turn, &element, recorded, workspace, ret, reterr);
    th_instance_free(instance);
    return status;
}
