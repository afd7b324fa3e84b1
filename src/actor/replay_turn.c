/* Re-execution of recorded elements: the turn of turn.c, and a comparison in the place of a new element.
 *
 * Invariants:
 *   1. What the guest observes comes from the recorded element: its timestamp, cause and principal.
 *   2. The element must follow the one before (sequence, link, time, state) and its input must be the
 *      payload: otherwise there is nothing to compare, and the chain is corrupt.
 *   3. Every field of the element is either checked to follow, given to the turn, or compared; the decoder
 *      is strict. So an element that passes is, byte for byte, the one that a live turn would have made,
 *      and its recorded bytes are what is hashed.
 *   4. An undecided rejection moves the instance on as recorded: a rejection keeps the state, whatever its
 *      reason. */
#include "actor/internal.h"

static theater_status corrupt(const th_instance *instance, const th_element *element, const char *what,
                              theater_error *reterr)
{
    const th_descriptor *descriptor = &instance->descriptor;
    return th_fail(reterr, THEATER_CORRUPT, "element %llu of actor %.*s: %s",
                   (unsigned long long)element->sequence, TH_SHOW(descriptor->name), what);
}

static theater_status check_follows(const th_instance *instance, const th_element *element,
                                    const th_hash *input, theater_error *reterr)
{
    if (element->sequence != instance->elements)
        return th_fail(reterr, THEATER_CORRUPT,
                       "element %llu of actor %.*s: element %llu stands in its place",
                       (unsigned long long)instance->elements, TH_SHOW(instance->descriptor.name),
                       (unsigned long long)element->sequence);
    if (!th_hash_equal(&element->previous, &instance->head))
        return corrupt(instance, element, "previous hash differs", reterr);
    if (element->timestamp < instance->timestamp_ns)
        return corrupt(instance, element, "its timestamp is before that of the element before", reterr);
    if (!th_hash_equal(&element->state_before, &instance->root))
        return corrupt(instance, element, "its state before is not the state after the element before",
                       reterr);
    if (!th_hash_equal(&element->input, input))
        return corrupt(instance, element, "its input payload has another hash", reterr);
    return THEATER_OK;
}

/* Moves the instance on to the recorded element. */
static void follow(th_instance *instance, const th_element *element, const th_recorded *recorded,
                   th_workspace *workspace)
{
    th_hash hash;
    th_element_hash(workspace->hasher, recorded->element, &hash);
    th_instance_advance(instance, workspace->hasher, &hash, element->timestamp);
}

static theater_status compare(th_instance *instance, const th_turn *turn, th_turn_result *result,
                              const th_element *element, const th_recorded *recorded,
                              th_workspace *workspace, th_difference *ret, theater_error *reterr)
{
    th_element came_out;
    th_produced produced;
    theater_status status = th_turn_produce(workspace, turn, result, &came_out, &produced, reterr);
    if (status)
        return status;
    th_compared compared = {instance, element, recorded, result, &came_out, &produced, workspace->hasher};
    *ret = th_compare(&compared, turn->foreign, reterr);
    if (*ret == TH_SAME) {
        if (!result->rejected && turn->type != TH_UPGRADE)
            status = th_instance_take_state(instance, workspace->hasher, result->state, reterr);
        if (status)
            return status;
        *ret = th_compare_after(&compared, turn->foreign, reterr);
    }
    if (*ret == TH_SAME || (*ret == TH_DIFFERS_UNDECIDED && element->type == TH_REJECTION))
        follow(instance, element, recorded, workspace);
    th_lap(workspace, &workspace->times.hash_ns);
    return THEATER_OK;
}

/* Runs `turn` with the recorded input and compares. */
static theater_status run_again(th_instance *instance, th_turn *turn, const th_element *element,
                                const th_recorded *recorded, th_workspace *workspace, th_difference *ret,
                                theater_error *reterr)
{
    th_lap_begin(workspace);
    turn->timestamp_ns = element->timestamp;
    turn->cause = &element->cause;
    turn->principal = element->principal;
    turn->input = recorded->input;
    th_sha256_of(workspace->hasher, recorded->input, &turn->input_hash);
    theater_status status = check_follows(instance, element, &turn->input_hash, reterr);
    th_lap(workspace, &workspace->times.hash_ns);
    if (status)
        return status;
    th_turn_result result;
    status = th_turn_run(workspace, turn, &result, reterr);
    if (status == THEATER_TOO_LARGE) {
        (void)corrupt(instance, element, "a client's input over the message limit cannot be an element",
                      reterr);
        if (reterr)
            reterr->status = THEATER_VERIFY_FAILED;
        *ret = TH_DIFFERS_ELEMENT;
        return THEATER_OK;
    }
    if (status)
        return status;
    status = compare(instance, turn, &result, element, recorded, workspace, ret, reterr);
    th_turn_end(workspace, &result);
    return status;
}

static theater_status replay_upgrade(th_instance *instance, const th_element *element,
                                     const th_recorded *recorded, void *component, th_workspace *workspace,
                                     th_difference *ret, theater_error *reterr)
{
    th_descriptor descriptor, kept;
    theater_status status = th_descriptor_decode(recorded->input, &descriptor, reterr);
    if (!status && !th_slice_equal(descriptor.name, instance->descriptor.name))
        status = corrupt(instance, element, "its descriptor has another name", reterr);
    if (status)
        return status;
    th_buf bytes;
    status = th_descriptor_keep(&descriptor, &bytes, &kept, reterr);
    if (status)
        return status;
    th_turn turn = th_instance_next(instance, TH_UPGRADE, 0);
    turn.component = component;
    turn.descriptor = &kept;
    turn.foreign = !th_slice_equal(kept.engine, th_slice_text(instance->machine->name));
    status = run_again(instance, &turn, element, recorded, workspace, ret, reterr);
    if (!status && *ret == TH_SAME)
        th_instance_take_descriptor(instance, component, &kept, &bytes);
    th_buf_done(&bytes);
    return status;
}

theater_status th_instance_replay(th_instance *instance, const th_recorded *recorded, void *component,
                                  th_workspace *workspace, th_difference *ret_difference,
                                  theater_error *reterr)
{
    th_element element;
    theater_status status = th_element_decode(recorded->element, &element, reterr);
    if (status)
        return th_fail_in(reterr, status, "element %llu of actor %.*s",
                          (unsigned long long)instance->elements, TH_SHOW(instance->descriptor.name));
    if (element.type == TH_UPGRADE)
        return replay_upgrade(instance, &element, recorded, component, workspace, ret_difference, reterr);
    th_turn turn = th_instance_next(instance, TH_TRANSITION, 0);
    return run_again(instance, &turn, &element, recorded, workspace, ret_difference, reterr);
}

theater_status th_instance_replay_genesis(const th_machine *machine, void *component,
                                          const th_recorded *recorded, th_workspace *workspace,
                                          th_instance **ret, th_difference *ret_difference,
                                          theater_error *reterr)
{
    th_element element;
    th_descriptor descriptor;
    *ret = NULL;
    theater_status status = th_element_decode(recorded->element, &element, reterr);
    if (!status && element.type != TH_GENESIS)
        status = th_fail(reterr, THEATER_CORRUPT, "it is no genesis");
    if (!status)
        status = th_descriptor_decode(recorded->input, &descriptor, reterr);
    if (status)
        return th_fail_in(reterr, status, "element 0");
    th_instance *instance;
    status = th_instance_make(machine, component, &descriptor, &instance, reterr);
    if (status)
        return status;
    th_turn turn = th_instance_next(instance, TH_GENESIS, 0);
    status = run_again(instance, &turn, &element, recorded, workspace, ret_difference, reterr);
    if (status || *ret_difference != TH_SAME) {
        th_instance_free(instance);
        return status;
    }
    *ret = instance;
    return THEATER_OK;
}
