/* Re-execution of a range of a chain, and cutting a chain into ranges.
 *
 * Invariants:
 *   1. A range is self-contained: it begins with the genesis or at a snapshot that the element before
 *      vouches for.
 *   2. What differs is a result; what is missing or cannot be read is a status, with the element in its
 *      message.
 *   3. At most two components are held at a time: that of the descriptor in force and that of an upgrade. */
#include "actor/replay.h"

#include "actor/internal.h"

#include <stdio.h>

#define RECORD_MAX ((size_t)8 << 30)

/* A range while it runs. */
typedef struct walk {
    const th_machine *machine;
    th_loader *loader;
    const th_replay_source *source;
    const th_replay_range *range;
    th_workspace *workspace;
    th_instance *instance;
    th_loaded *loaded; /* component of the descriptor in force */
    th_buf record;     /* what the source gives */
    th_replay_result *result;
} walk;

static theater_status read_element(walk *w, uint64_t sequence, th_recorded *ret, theater_error *reterr)
{
    theater_status status = w->source->element(w->source->context, sequence, &w->record, ret, reterr);
    return status ? th_fail_in(reterr, status, "element %llu", (unsigned long long)sequence) : THEATER_OK;
}

/* The component that the descriptor in the input of element `sequence` names. */
static theater_status load_component(walk *w, uint64_t sequence, th_slice input, th_loaded **ret,
                                     theater_error *reterr)
{
    th_descriptor descriptor;
    theater_status status = th_descriptor_decode(input, &descriptor, reterr);
    if (!status)
        status = th_loader_get(w->loader, &descriptor.component, ret, reterr);
    return status ? th_fail_in(reterr, status, "element %llu", (unsigned long long)sequence) : THEATER_OK;
}

/* Notes what came out of one element. `error` holds the words when it is not the same. */
static void note(walk *w, uint64_t sequence, th_difference difference, const theater_error *error)
{
    th_replay_result *result = w->result;
    result->turns++;
    if (difference == TH_SAME)
        return;
    result->undecided += difference == TH_DIFFERS_UNDECIDED;
    /* The first undecided element is named only as long as nothing differs for certain. */
    if (result->difference == TH_SAME || difference != TH_DIFFERS_UNDECIDED) {
        result->difference = difference;
        result->sequence = sequence;
        snprintf(result->message, sizeof result->message, "%s", error->message);
    }
}

/* ---- the beginning of a range ------------------------------------------------------------------- */

static theater_status begin_at_genesis(walk *w, theater_error *reterr)
{
    th_recorded recorded;
    th_difference difference = TH_SAME;
    theater_error words = {0};
    theater_status status = read_element(w, 0, &recorded, reterr);
    if (!status)
        status = load_component(w, 0, recorded.input, &w->loaded, reterr);
    if (status)
        return status;
    status = th_instance_replay_genesis(w->machine, th_loaded_component(w->loaded), &recorded, w->workspace,
                                        &w->instance, &difference, &words);
    if (status) {
        if (reterr)
            *reterr = words;
        return status;
    }
    note(w, 0, difference, &words);
    return THEATER_OK;
}

/* From a snapshot: needs the descriptor in force, the element before and the state after it. */
static theater_status begin_at_snapshot(walk *w, theater_error *reterr)
{
    uint64_t before = w->range->first - 1;
    th_buf descriptor_record, state_record;
    th_buf_init(&descriptor_record, RECORD_MAX);
    th_buf_init(&state_record, RECORD_MAX);
    th_recorded origin, recorded;
    th_descriptor descriptor;
    th_slice state;
    const th_replay_source *source = w->source;
    theater_status status =
        source->element(source->context, w->range->descriptor, &descriptor_record, &origin, reterr);
    if (!status)
        status = th_descriptor_decode(origin.input, &descriptor, reterr);
    if (!status)
        status = th_loader_get(w->loader, &descriptor.component, &w->loaded, reterr);
    if (status)
        status = th_fail_in(reterr, status, "element %llu", (unsigned long long)w->range->descriptor);
    if (!status)
        status = read_element(w, before, &recorded, reterr);
    if (!status) {
        status = source->snapshot(source->context, before, &state_record, &state, reterr);
        if (status)
            status = th_fail_in(reterr, status, "snapshot after element %llu", (unsigned long long)before);
    }
    if (!status)
        status = th_instance_load(w->machine, th_loaded_component(w->loaded), &descriptor, recorded.element,
                                  (th_slice){0}, state, w->workspace, &w->instance, reterr);
    th_buf_done(&descriptor_record);
    th_buf_done(&state_record);
    return status;
}

/* ---- running ---------------------------------------------------------------------------------------- */

/* Whether the range can go on behind this element. */
static theater_status run_one(walk *w, uint64_t sequence, bool *ret_goes_on, theater_error *reterr)
{
    th_recorded recorded;
    th_element_type type;
    th_loaded *loaded = NULL;
    th_difference difference = TH_SAME;
    theater_error words = {0};
    *ret_goes_on = false;
    theater_status status = read_element(w, sequence, &recorded, reterr);
    if (status)
        return status;
    if (th_element_peek_type(recorded.element, &type) && type == TH_UPGRADE) {
        status = load_component(w, sequence, recorded.input, &loaded, reterr);
        if (status)
            return status;
    }
    status = th_instance_replay(w->instance, &recorded, loaded ? th_loaded_component(loaded)
                                : NULL, w->workspace,
                                &difference, &words);
    if (!status && difference == TH_SAME && loaded) {
        th_loaded *old = w->loaded;
        w->loaded = loaded;
        loaded = old;
    }
    th_loaded_unref(loaded);
    th_workspace_clear(w->workspace);
    if (status) {
        if (reterr)
            *reterr = words;
        return status;
    }
    note(w, sequence, difference, &words);
    *ret_goes_on = th_instance_elements(w->instance) == sequence + 1;
    return THEATER_OK;
}

/* Compares the state that came out with the snapshot that the next range begins with. */
static theater_status check_end(walk *w, theater_error *reterr)
{
    uint64_t last = w->range->end - 1;
    th_slice state;
    theater_status status = w->source->snapshot(w->source->context, last, &w->record, &state, reterr);
    if (status)
        return th_fail_in(reterr, status, "snapshot after element %llu", (unsigned long long)last);
    th_slice came_out = th_instance_state(w->instance);
    if (th_slice_equal(state, came_out))
        return THEATER_OK;
    th_replay_result *result = w->result;
    const th_descriptor *descriptor = th_instance_descriptor(w->instance);
    size_t at = 0;
    while (at < state.size && at < came_out.size && state.data[at] == came_out.data[at])
        at++;
    result->difference = TH_DIFFERS_STATE;
    result->sequence = last;
    snprintf(result->message, sizeof result->message,
             "snapshot after element %llu of actor %.*s: state differs from byte %zu on: "
             "recorded %zu bytes, came out %zu", (unsigned long long)last, TH_SHOW(descriptor->name), at,
             state.size, came_out.size);
    return THEATER_OK;
}

static theater_status run(walk *w, const bool *stop, theater_error *reterr)
{
    uint64_t next = w->range->first;
    theater_status status = next == 0 ? begin_at_genesis(w, reterr) : begin_at_snapshot(w, reterr);
    next += next == 0;
    bool goes_on = !status && w->instance;
    while (goes_on && !status && next < w->range->end) {
        if (stop && __atomic_load_n(stop, __ATOMIC_RELAXED))
            return th_fail(reterr, THEATER_CANCELLED, "the replay was stopped before element %llu",
                           (unsigned long long)next);
        status = run_one(w, next++, &goes_on, reterr);
    }
    if (!status && goes_on && w->range->check_end)
        status = check_end(w, reterr);
    return status;
}

theater_status th_replay_run(const th_machine *machine, th_loader *loader, const th_replay_source *source,
                             const th_replay_range *range, th_workspace *workspace, const bool *stop,
                             th_replay_result *ret, theater_error *reterr)
{
    walk w = {.machine = machine, .loader = loader, .source = source, .range = range, .workspace = workspace,
              .result = ret};
    *ret = (th_replay_result){0};
    th_buf_init(&w.record, RECORD_MAX);
    theater_status status = range->first < range->end ? run(&w, stop, reterr) : THEATER_OK;
    th_instance_free(w.instance);
    th_loaded_unref(w.loaded);
    th_buf_done(&w.record);
    th_workspace_clear(workspace);
    return status;
}

/* ---- cutting ------------------------------------------------------------------------------------------ */

theater_status th_replay_cut(uint64_t elements, const uint64_t *snapshots, size_t snapshot_count,
                             const uint64_t *descriptors, size_t descriptor_count,
                             th_replay_range **ret_ranges, size_t *ret_count, theater_error *reterr)
{
    if (elements > 0 && (descriptor_count == 0 || descriptors[0] != 0))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "a chain whose first descriptor is not the genesis");
    th_replay_range *ranges = th_alloc((snapshot_count + 1) * sizeof *ranges);
    if (!ranges)
        return th_fail_memory(reterr, "the ranges of a replay");
    size_t count = 0, descriptor = 0;
    uint64_t first = 0;
    for (size_t i = 0; i <= snapshot_count && first < elements; i++) {
        bool last = i == snapshot_count || snapshots[i] + 1 >= elements;
        uint64_t end = last ? elements : snapshots[i] + 1;
        if (end <= first)
            continue;
        while (descriptor + 1 < descriptor_count && descriptors[descriptor + 1] < first)
            descriptor++;
        ranges[count++] = (th_replay_range){
            .first = first,
            .end = end,
            .check_end = i < snapshot_count && snapshots[i] + 1 == end,
            .descriptor = descriptor_count ? descriptors[descriptor] : 0,
        };
        first = end;
    }
    *ret_ranges = ranges;
    *ret_count = count;
    return THEATER_OK;
}
