/* One turn, from its fresh instance to its last post-return: the same for live turns, replay and queries.
 *
 * Invariants:
 *   1. The order is the chain format's: instantiate; init, handle or nothing; limits (input before all,
 *      then error, output, state); verify-state. The first failure ends the turn.
 *   2. What the guest can observe is in th_turn and nowhere else.
 *   3. When OK is returned the machine's turn is open, because output, state and the error's text lie in
 *      it; else nothing is.
 *   4. TH_ENGINE_FAILED and whatever the host lacks is a status, never a rejection.
 *
 * Threads: those of the workspace. Callers: live.c, replay_turn.c. */
#include "actor/internal.h"

static void set_source(const th_turn *turn, th_engine_turn_options *options)
{
    const th_cause *cause = turn->cause;
    if (turn->sequence == 0) {
        options->source_kind = TH_ENGINE_SOURCE_GENESIS;
        return;
    }
    switch (cause ? cause->kind : TH_CAUSE_NONE) {
    case TH_CAUSE_NONE:
        options->source_kind = TH_ENGINE_SOURCE_CLIENT;
        options->has_principal = turn->principal.size > 0;
        options->source_name = th_to_engine(turn->principal);
        break;
    case TH_CAUSE_MESSAGE:
        options->source_kind = TH_ENGINE_SOURCE_ACTOR;
        options->source_name = th_to_engine(cause->actor);
        break;
    case TH_CAUSE_ANSWER:
    case TH_CAUSE_UNDELIVERED:
        options->source_kind = TH_ENGINE_SOURCE_REPLY;
        options->reply_request = cause->request;
        options->reply_failed = cause->kind == TH_CAUSE_UNDELIVERED || cause->failed;
        break;
    }
}

static uint64_t fuel_limit(const th_turn *turn)
{
    uint64_t limit = turn->descriptor->limits.fuel;
    if (!turn->foreign)
        return limit;
    return limit > UINT64_MAX / RUNAWAY_FACTOR ? UINT64_MAX : limit * RUNAWAY_FACTOR;
}

static th_trap trap_of(const char *text)
{
    for (int trap = 0; text && trap < TH_TRAP_COUNT; trap++) {
        th_rejection rejection = th_rejection_trap((th_trap)trap);
        if (th_slice_equal(rejection.message, th_slice_text(text)))
            return (th_trap)trap;
    }
    return TH_TRAP_ABI;
}

static theater_status engine_failed(const th_turn *turn, const th_engine_result *given, theater_error *reterr)
{
    return th_fail(reterr, THEATER_ENGINE_FAILED, "element %llu of actor %.*s: the engine failed: %s",
                   (unsigned long long)turn->sequence, TH_SHOW(turn->descriptor->name),
                   given->detail ? given->detail : "no detail");
}

static void reject(th_turn_result *result, th_rejection rejection)
{
    result->rejected = true;
    result->rejection = rejection;
}

/* Turns an outcome of the machine into a rejection; OK leaves the result as it is. */
static theater_status take_outcome(th_workspace *workspace, const th_turn *turn, th_engine_outcome outcome,
                                   const th_engine_result *given, th_turn_result *result,
                                   theater_error *reterr)
{
    result->detail = outcome == TH_ENGINE_OK ? NULL : given->detail;
    switch (outcome) {
    case TH_ENGINE_OK:
        return THEATER_OK;
    case TH_ENGINE_ERROR:
        if (given->output.size > turn->descriptor->limits.message)
            reject(result, th_rejection_limit(TH_LIMIT_ERROR));
        else
            reject(result, th_rejection_by_actor(th_from_engine(given->output)));
        return THEATER_OK;
    case TH_ENGINE_TRAP:
        reject(result, th_rejection_trap(trap_of(given->trap)));
        return THEATER_OK;
    case TH_ENGINE_OUT_OF_FUEL:
        reject(result, th_rejection_fuel());
        return THEATER_OK;
    case TH_ENGINE_STACK:
        reject(result, th_rejection_stack());
        return THEATER_OK;
    case TH_ENGINE_STOPPED:
        if (workspace->host_status)
            return th_fail(reterr, workspace->host_status,
                           "element %llu of actor %.*s: a host call could not be served",
                           (unsigned long long)turn->sequence, TH_SHOW(turn->descriptor->name));
        if (workspace->passed == TH_LIMIT_NONE)
            break;
        reject(result, th_rejection_limit(workspace->passed));
        return THEATER_OK;
    case TH_ENGINE_FAILED:
        break;
    }
    return engine_failed(turn, given, reterr);
}

/* The call of this type, and the limits on what it gave. */
static theater_status call_guest(th_workspace *workspace, const th_turn *turn, th_turn_result *result,
                                 theater_error *reterr)
{
    const th_limits *limits = &turn->descriptor->limits;
    th_engine_result given = {0};
    th_engine_outcome outcome;
    if (turn->type == TH_UPGRADE) {
        result->state = turn->state;
    } else {
        if (turn->type == TH_GENESIS)
            outcome = turn->machine->init(result->open, th_to_engine(turn->descriptor->config), &given);
        else
            outcome = turn->machine->handle(result->open, th_to_engine(turn->input),
                                            th_to_engine(turn->state), &given);
        theater_status status = take_outcome(workspace, turn, outcome, &given, result, reterr);
        if (status || result->rejected)
            return status;
        result->output = turn->type == TH_GENESIS ? (th_slice){0} : th_from_engine(given.output);
        result->state = th_from_engine(given.state);
    }
    if (result->output.size > limits->message)
        reject(result, th_rejection_limit(TH_LIMIT_OUTPUT));
    else if (result->state.size > limits->state)
        reject(result, th_rejection_limit(TH_LIMIT_STATE));
    return THEATER_OK;
}

static theater_status verify_state(th_workspace *workspace, const th_turn *turn, th_turn_result *result,
                                   theater_error *reterr)
{
    th_engine_result given = {0};
    th_engine_outcome outcome = turn->machine->verify_state(result->open, th_to_engine(result->state),
                                                            &given);
    theater_status status = take_outcome(workspace, turn, outcome, &given, result, reterr);
    if (!status && !result->rejected && !given.valid)
        reject(result, th_rejection_state());
    return status;
}

static theater_status run(th_workspace *workspace, const th_turn *turn, th_turn_result *result,
                          theater_error *reterr)
{
    th_engine_turn_options *options = &workspace->options;
    *options = (th_engine_turn_options){
        .fuel = fuel_limit(turn),
        .memory_bytes = turn->descriptor->limits.memory,
        .timestamp_ns = turn->timestamp_ns,
        .sequence = turn->sequence,
        .self_name = th_to_engine(turn->descriptor->name),
    };
    set_source(turn, options);
    th_host_calls_begin(workspace, turn, options);
    th_engine_result given = {0};
    th_engine_outcome outcome = turn->machine->begin(turn->component, options, &result->open, &given);
    theater_status status = take_outcome(workspace, turn, outcome, &given, result, reterr);
    th_lap(workspace, &workspace->times.begin_ns);
    if (!status && !result->rejected)
        status = call_guest(workspace, turn, result, reterr);
    if (!status && !result->rejected)
        status = verify_state(workspace, turn, result, reterr);
    th_lap(workspace, &workspace->times.call_ns);
    return status;
}

theater_status th_turn_run(th_workspace *workspace, const th_turn *turn, th_turn_result *ret,
                           theater_error *reterr)
{
    const th_limits *limits = &turn->descriptor->limits;
    *ret = (th_turn_result){.machine = turn->machine};
    workspace->times.turns++;
    if ((turn->type == TH_TRANSITION || turn->type == TH_REJECTION) && turn->input.size > limits->message) {
        if (!th_has_cause(turn->cause))
            return th_fail(reterr, THEATER_TOO_LARGE,
                           "the input has %zu bytes; actor %.*s takes messages of at most %llu",
                           turn->input.size, TH_SHOW(turn->descriptor->name),
                           (unsigned long long)limits->message);
        /* Nobody can be told to send less, so the refusal goes on the chain, without a run. */
        th_effects_begin(&workspace->effects, turn->sequence, limits->message, limits->effects);
        workspace->sent_count = 0;
        reject(ret, th_rejection_limit(TH_LIMIT_INPUT));
        return THEATER_OK;
    }
    theater_status status = run(workspace, turn, ret, reterr);
    if (status) {
        th_turn_end(workspace, ret);
        return status;
    }
    uint64_t counted = turn->machine->fuel(ret->open);
    ret->fuel = counted;
    if (ret->rejected)
        ret->fuel = th_rejection_element_fuel(ret->rejection.code, counted, limits->fuel);
    return THEATER_OK;
}

void th_turn_end(th_workspace *workspace, th_turn_result *result)
{
    if (result->open)
        result->machine->end(result->open);
    result->open = NULL;
    th_lap(workspace, &workspace->times.end_ns);
}
