/* Turns that are run to be looked at. What came of one lies in its workspace, which the public result keeps. */
#include "theater/debugger.h"

#include "actor/trial.h"
#include "chain/effects.h"
#include "theater/travel.h"

_Static_assert(THEATER_DIFFERS_TYPE == 1 << TH_DIFFERS_TYPE, "the bits are those of th_difference");
_Static_assert(THEATER_DIFFERS_REASON == 1 << TH_DIFFERS_REASON, "the bits are those of th_difference");
_Static_assert(THEATER_DIFFERS_OUTPUT == 1 << TH_DIFFERS_OUTPUT, "the bits are those of th_difference");
_Static_assert(THEATER_DIFFERS_EFFECTS == 1 << TH_DIFFERS_EFFECTS, "the bits are those of th_difference");
_Static_assert(THEATER_DIFFERS_STATE == 1 << TH_DIFFERS_STATE, "the bits are those of th_difference");
_Static_assert(THEATER_DIFFERS_FUEL == 1 << TH_DIFFERS_FUEL, "the bits are those of th_difference");
_Static_assert(THEATER_DIFFERS_UNDECIDED == 1 << TH_DIFFERS_UNDECIDED, "the bits are those of th_difference");

/* One turn that is asked for. */
typedef struct visit {
    th_travel travel;
    uint64_t sequence; /* the element to run again, or the one before the input */
    const theater_try_options *input; /* NULL: run again */
    th_trial trial;
} visit;

static theater_status run_again(visit *self, theater_error *reterr)
{
    th_travel *travel = &self->travel;
    th_recorded recorded;
    void *component;
    th_loaded *before;
    theater_status status = self->sequence == 0 ? th_workspace_new(&travel->workspace, reterr)
                                                : th_travel_to(travel, self->sequence - 1, reterr);
    if (!status)
        status = th_travel_read(travel, self->sequence, &recorded, &component, &before, reterr);
    if (status)
        return status;
    if (self->sequence == 0)
        status = th_trial_genesis(th_execution_machine(travel->execution), component, &recorded,
                                  travel->workspace, &self->trial, reterr);
    else
        status = th_trial_recorded(travel->instance, &recorded, component, travel->workspace, &self->trial,
                                   reterr);
    if (before) { /* the instance still refers to it */
        th_instance_free(travel->instance);
        travel->instance = NULL;
        th_loaded_unref(before);
    }
    return status;
}

static theater_status try_input(visit *self, theater_error *reterr)
{
    th_travel *travel = &self->travel;
    const theater_try_options *options = self->input;
    theater_status status = th_travel_to(travel, self->sequence, reterr);
    if (status)
        return status;
    th_input input = {.payload = options->input,
                      .timestamp_ns = options->timestamp_ns ? options->timestamp_ns
                                                            : th_port_wall_ns(travel->folder->port),
                      .has_principal = options->principal != NULL};
    if (options->principal)
        input.principal = th_slice_text(options->principal);
    return th_trial_input(travel->instance, &input, travel->workspace, &self->trial, reterr);
}

static theater_status go(void *context, theater_error *reterr)
{
    visit *self = context;
    return self->input ? try_input(self, reterr) : run_again(self, reterr);
}

/* ---- the public form ----------------------------------------------------------------------------------- */

static theater_status count_logs(const th_produced *produced, theater_turn_log *to, size_t *ret,
                                 theater_error *reterr)
{
    th_effects_reader reader;
    th_effect effect;
    bool more = true;
    *ret = 0;
    theater_status status = th_effects_read(produced->effects, produced->sequence, &reader, reterr);
    while (!status && !(status = th_effects_next(&reader, &effect, &more, reterr)) && more) {
        if (effect.kind != TH_EFFECT_LOG)
            continue;
        if (to)
            to[*ret] = (theater_turn_log){effect.level, effect.text};
        ++*ret;
    }
    return status;
}

static theater_status fill_logs(const th_produced *produced, theater_trial *ret, theater_error *reterr)
{
    theater_status status = count_logs(produced, NULL, &ret->log_count, reterr);
    if (status || ret->log_count == 0)
        return status;
    theater_turn_log *logs = th_alloc(ret->log_count * sizeof *logs);
    if (!logs)
        return th_fail_memory(reterr, "the log lines of a turn");
    ret->logs = logs;
    return count_logs(produced, logs, &ret->log_count, reterr);
}

static theater_status fill_messages(const th_produced *produced, theater_trial *ret, theater_error *reterr)
{
    if (produced->sent_count == 0)
        return THEATER_OK;
    theater_turn_message *messages = th_alloc(produced->sent_count * sizeof *messages);
    if (!messages)
        return th_fail_memory(reterr, "the messages of a turn");
    for (size_t i = 0; i < produced->sent_count; i++)
        messages[i] = (theater_turn_message){produced->sent[i].to, produced->sent[i].payload,
                                             produced->sent[i].request};
    ret->messages = messages;
    ret->message_count = produced->sent_count;
    return THEATER_OK;
}

static theater_status fill(const th_trial *trial, theater_trial *ret, theater_error *reterr)
{
    const th_produced *produced = &trial->produced;
    ret->sequence = produced->sequence;
    ret->timestamp_ns = produced->timestamp_ns;
    ret->rejected = trial->rejected;
    ret->reject_code = produced->reject_code;
    ret->reject_text = produced->reject_text;
    ret->detail = produced->detail ? th_slice_text(produced->detail) : (th_slice){0};
    ret->output = trial->rejected ? (th_slice){0} : produced->output;
    ret->fuel = produced->fuel;
    ret->state_root = produced->state_root;
    ret->state_size = produced->state_size;
    ret->state = trial->state;
    ret->differences = trial->differences;
    theater_status status = fill_logs(produced, ret, reterr);
    return status ? status : fill_messages(produced, ret, reterr);
}

void theater_trial_done(theater_trial *trial)
{
    th_free((void *)trial->logs);
    th_free((void *)trial->messages);
    th_workspace_free(trial->memory);
    *trial = (theater_trial){0};
}

static theater_status run(theater_folder *folder, uint64_t actor_id, visit *self, theater_trial *ret,
                          theater_error *reterr)
{
    th_actor_info info;
    theater_status status = th_store_find_actor_id(folder->store, actor_id, &info, reterr);
    if (status)
        return status;
    if (self->sequence >= info.elements)
        return th_fail(reterr, THEATER_NOT_FOUND, "actor %s has no element %llu; its chain ends at %lld",
                       info.name, (unsigned long long)self->sequence, (long long)info.elements - 1);
    status = th_travel_init(&self->travel, folder, actor_id, reterr);
    if (!status)
        status = th_execution_call(self->travel.execution, go, self, reterr);
    if (!status) {
        ret->memory = self->travel.workspace;
        self->travel.workspace = NULL;
        status = fill(&self->trial, ret, reterr);
    }
    th_travel_done(&self->travel);
    if (status)
        theater_trial_done(ret);
    return status ? th_fail_in(reterr, status, "actor %s", info.name) : THEATER_OK;
}

theater_status theater_rerun(theater_folder *folder, uint64_t actor_id, uint64_t sequence, theater_trial *ret,
                             theater_error *reterr)
{
    visit self = {.sequence = sequence};
    *ret = (theater_trial){0};
    return run(folder, actor_id, &self, ret, reterr);
}

theater_status theater_try(theater_folder *folder, uint64_t actor_id, const theater_try_options *options,
                           theater_trial *ret, theater_error *reterr)
{
    visit self = {.sequence = options->after, .input = options};
    *ret = (theater_trial){0};
    if (options->principal && !th_principal_valid(th_slice_text(options->principal)))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "a principal is 1 to 128 bytes of UTF-8");
    return run(folder, actor_id, &self, ret, reterr);
}

const char *theater_difference_text(theater_turn_difference difference)
{
    unsigned bits = (unsigned)difference;
    if (bits < 2 || bits > THEATER_DIFFERS_UNDECIDED || __builtin_popcount(bits) != 1)
        return NULL;
    return th_difference_text((th_difference)__builtin_ctz(bits));
}
