/* Re-execution of chains on all processors.
 *
 * A verification comes first, so what is run again is known to be consistent. Then every chain is cut at its
 * snapshots into ranges (actor/replay.h), and the ranges of all chains, in the order of chains and sequences,
 * are the jobs that the threads take one by one.
 *
 * Invariants
 *   1. Jobs are handed out in their order, and never one behind a job that is known to be bad. So all jobs
 *      before the first bad one are run to their end, and which finding is reported does not depend on the
 *      threads.
 *   2. A job behind the first bad one is told to stop; what it finds is dropped.
 *   3. A cancelled replay has no verdict: whatever its jobs found is dropped.
 *   4. Everything in `replay` that workers change is guarded by `lock`, but `turns`, which is atomic and only
 *      for progress, and a worker's `stop`, which is written under the lock and polled without. */
#include "actor/replay.h"

#include <stdio.h>

#include "port/system.h"
#include "theater/folder_internal.h"
#include "theater/pass.h"

#define THREADS_MAX 256
#define PROGRESS_NS UINT64_C(100000000)

typedef struct job {
    const th_pass_chain *chain;
    th_replay_range range;
} job;

typedef struct replay replay;

typedef struct worker {
    replay *owner;
    th_task *task;
    th_workspace *workspace;
    th_source_reader *reader;
    const job *job; /* what it runs now */
    bool stop;
    bool dropped; /* the job asked for a payload that is not there */
} worker;

struct replay {
    th_source *source;
    th_execution *execution;
    job *jobs;
    size_t job_count, job_capacity;

    th_mutex lock;
    size_t next;
    size_t first_bad; /* a job's number, or job_count */
    theater_status bad_status; /* OK: the finding is in `bad`; otherwise the job failed as `bad_error` says */
    theater_error bad_error;
    th_replay_result bad;
    size_t first_undecided; /* a job's number, or SIZE_MAX, and what it found */
    th_replay_result open_question;
    uint64_t undecided;
    uint64_t skipped; /* turns that could not be run: payloads were dropped */
    unsigned running;
    th_event *ended;

    worker *workers;
    unsigned worker_count;
    uint64_t turns;
};

/* ---- what a job reads ---------------------------------------------------------------------------------- */

static theater_status give_element(void *context, uint64_t sequence, th_buf *buf, th_recorded *ret,
                                   theater_error *reterr)
{
    worker *self = context;
    th_source_element found;
    const th_pass_chain *chain = self->job->chain;
    const th_replay_range *range = &self->job->range;
    /* Before its first element a range only looks at the one that its snapshot follows, and at the
     * descriptor, both at the same time. */
    bool to_run = sequence >= range->first;
    theater_status status =
        to_run ? th_source_reader_get(self->reader, chain->place, sequence, &found, reterr)
               : th_source_read_element(self->owner->source, chain->place, sequence, buf, &found, reterr);
    if (status)
        return status;
    const th_payloads *payloads = &found.payloads;
    bool all = payloads->input.present && payloads->output.present && payloads->effects.present;
    if ((to_run && !all) || (sequence == range->descriptor && !payloads->input.present)) {
        self->dropped = true;
        return th_fail(reterr, THEATER_NOT_FOUND, "element %llu of actor %s: a payload was dropped",
                       (unsigned long long)sequence, chain->name);
    }
    *ret =
        (th_recorded){found.encoding, payloads->input.bytes, payloads->output.bytes, payloads->effects.bytes};
    if (to_run)
        __atomic_add_fetch(&self->owner->turns, 1, __ATOMIC_RELAXED);
    return THEATER_OK;
}

static theater_status give_snapshot(void *context, uint64_t sequence, th_buf *buf, th_slice *ret_state,
                                    theater_error *reterr)
{
    worker *self = context;
    return th_source_read_snapshot(self->owner->source, self->job->chain->place, sequence, buf, ret_state,
                                   reterr);
}

/* ---- workers ------------------------------------------------------------------------------------------- */

/* Notes that job `number` is bad, unless an earlier one is, and stops those behind it. */
static void note_bad(replay *self, size_t number, theater_status status, const theater_error *why,
                     const th_replay_result *result)
{
    if (number >= self->first_bad)
        return;
    self->first_bad = number;
    self->bad_status = status;
    self->bad_error = *why;
    self->bad = *result;
    for (unsigned i = 0; i < self->worker_count; i++) {
        worker *other = &self->workers[i];
        if (other->job && (size_t)(other->job - self->jobs) > number)
            __atomic_store_n(&other->stop, true, __ATOMIC_RELAXED);
    }
}

/* No further job is handed out, and those that run end behind the turn that they are at. */
static void stop_all(replay *self)
{
    th_mutex_lock(&self->lock);
    self->next = self->job_count;
    for (unsigned i = 0; i < self->worker_count; i++)
        __atomic_store_n(&self->workers[i].stop, true, __ATOMIC_RELAXED);
    th_mutex_unlock(&self->lock);
}

static void run_job(worker *self)
{
    replay *owner = self->owner;
    th_replay_source source = {self, give_element, give_snapshot};
    th_replay_result result = {0};
    theater_error why = {.status = THEATER_OK};
    self->dropped = false;
    theater_status status =
        th_replay_run(th_execution_machine(owner->execution), th_execution_loader(owner->execution), &source,
                      &self->job->range, self->workspace, &self->stop, &result, &why);
    th_mutex_lock(&owner->lock);
    size_t number = (size_t)(self->job - owner->jobs);
    if (self->dropped)
        owner->skipped += self->job->range.end - self->job->range.first - result.turns;
    else if (status || (result.difference != TH_SAME && result.difference != TH_DIFFERS_UNDECIDED))
        note_bad(owner, number, status, &why, &result);
    else if (result.difference == TH_DIFFERS_UNDECIDED && number < owner->first_undecided) {
        owner->first_undecided = number;
        owner->open_question = result;
    }
    owner->undecided += result.undecided;
    self->job = NULL;
    th_mutex_unlock(&owner->lock);
}

static th_step worker_step(void *context, uint64_t *ret_deadline_ns)
{
    (void)ret_deadline_ns;
    worker *self = context;
    replay *owner = self->owner;
    th_mutex_lock(&owner->lock);
    bool more = owner->next < owner->job_count && owner->next < owner->first_bad;
    if (more)
        self->job = &owner->jobs[owner->next++];
    else if (--owner->running == 0)
        th_event_set(owner->ended);
    th_mutex_unlock(&owner->lock);
    if (!more)
        return TH_STEP_DONE;
    run_job(self);
    return TH_STEP_AGAIN;
}

static theater_status start_workers(replay *self, unsigned count, theater_error *reterr)
{
    self->workers = th_alloc_zero(count, sizeof *self->workers);
    if (!self->workers)
        return th_fail_memory(reterr, "the threads of a replay");
    size_t stack = th_execution_machine(self->execution)->stack_bytes + TH_STACK_FOR_C;
    for (unsigned i = 0; i < count; i++) {
        worker *next = &self->workers[i];
        next->owner = self;
        theater_status status = th_workspace_new(&next->workspace, reterr);
        if (!status)
            status = th_source_reader_new(self->source, &next->reader, reterr);
        if (status) {
            th_workspace_free(next->workspace);
            return status;
        }
        th_mutex_lock(&self->lock);
        self->worker_count = i + 1;
        self->running++;
        th_mutex_unlock(&self->lock);
        status =
            th_task_start(th_port_system(), "theater-replay", stack, worker_step, next, &next->task, reterr);
        if (status) {
            th_mutex_lock(&self->lock);
            self->running--;
            self->first_bad = 0; /* the threads that were started end as soon as they can */
            th_mutex_unlock(&self->lock);
            return status;
        }
    }
    return THEATER_OK;
}

static void join_workers(replay *self)
{
    for (unsigned i = 0; self->workers && i < self->worker_count; i++) {
        th_task_join(self->workers[i].task);
        th_workspace_free(self->workers[i].workspace);
        th_source_reader_free(self->workers[i].reader);
    }
    th_free(self->workers);
    self->workers = NULL;
}

static theater_status run_jobs(replay *self, const theater_check_options *options, uint64_t all,
                               theater_error *reterr)
{
    unsigned threads = options->threads ? options->threads : th_port_processors(th_port_system());
    threads = threads > THREADS_MAX ? THREADS_MAX : threads;
    threads = threads > self->job_count ? (unsigned)self->job_count : threads;
    theater_status status = th_event_new(th_port_system(), &self->ended, reterr);
    if (status)
        return status;
    th_mutex_init(th_port_system(), &self->lock);
    status = start_workers(self, threads, reterr);
    bool cancelled = false;
    while (!status && !th_event_wait(self->ended, PROGRESS_NS)) {
        if (options->progress)
            options->progress(options->context, __atomic_load_n(&self->turns, __ATOMIC_RELAXED), all);
        if (!cancelled && th_check_cancelled(options->cancel, NULL)) {
            cancelled = true;
            stop_all(self);
        }
    }
    join_workers(self);
    if (!status)
        status = th_check_cancelled(options->cancel, reterr);
    if (!status && options->progress)
        options->progress(options->context, self->turns, all);
    th_mutex_done(&self->lock);
    th_event_free(self->ended);
    return status;
}

/* ---- jobs ---------------------------------------------------------------------------------------------- */

static theater_status add_jobs(replay *self, const th_pass_chain *chain, theater_error *reterr)
{
    th_replay_range *ranges = NULL;
    size_t count = 0;
    theater_status status =
        th_replay_cut(chain->elements, chain->snapshots.values, chain->snapshots.count,
                      chain->descriptors.values, chain->descriptors.count, &ranges, &count, reterr);
    if (status)
        return status;
    if (self->job_capacity - self->job_count < count) {
        size_t capacity = 2 * (self->job_count + count);
        job *jobs = th_realloc(self->jobs, capacity * sizeof *jobs);
        if (!jobs) {
            th_free(ranges);
            return th_fail_memory(reterr, "the ranges of a replay");
        }
        self->jobs = jobs;
        self->job_capacity = capacity;
    }
    for (size_t i = 0; i < count; i++)
        self->jobs[self->job_count++] = (job){chain, ranges[i]};
    th_free(ranges);
    return THEATER_OK;
}

static const char *difference_word(th_difference difference)
{
    switch (difference) {
    case TH_DIFFERS_TYPE:
        return "type";
    case TH_DIFFERS_REASON:
        return "reason";
    case TH_DIFFERS_OUTPUT:
        return "output";
    case TH_DIFFERS_EFFECTS:
        return "effects";
    case TH_DIFFERS_STATE:
        return "state";
    case TH_DIFFERS_FUEL:
        return "fuel";
    default:
        return "element";
    }
}

/* The verdict after all jobs. */
static theater_status judge(replay *self, const th_pass *pass, theater_report *report, theater_error *reterr)
{
    if (self->first_bad < self->job_count) {
        const char *name = self->jobs[self->first_bad].chain->name;
        if (self->bad_status) {
            if (reterr)
                *reterr = self->bad_error;
            return th_fail_in(reterr, self->bad_status, "actor %s", name);
        }
        th_report_finding(report, THEATER_VERIFY_FAILED, name, self->bad.sequence,
                          difference_word(self->bad.difference), self->bad.message);
        return THEATER_OK;
    }
    report->undecided = self->undecided;
    char chains[64], notes[128] = "";
    snprintf(chains, sizeof chains, "%zu chains", pass->count);
    if (self->skipped)
        snprintf(notes, sizeof notes, ", %llu could not be run: payloads were dropped",
                 (unsigned long long)self->skipped);
    else if (self->undecided)
        snprintf(notes, sizeof notes, ", %llu came out otherwise, which decides nothing (stack or fuel)",
                 (unsigned long long)self->undecided);
    snprintf(report->message, sizeof report->message, "%s: %llu element%s run again with the same result%s",
             pass->count == 1 ? pass->chains[0].name : chains,
             (unsigned long long)(report->elements - self->skipped - self->undecided),
             report->elements == 1 ? "" : "s", notes);
    report->skipped = self->skipped;
    if (self->undecided == 0 && self->skipped == 0)
        return THEATER_OK;
    report->status = THEATER_UNDECIDED;
    if (self->undecided > 0) {
        snprintf(report->actor, sizeof report->actor, "%s", self->jobs[self->first_undecided].chain->name);
        report->sequence = self->open_question.sequence;
        report->what = "undecided";
    }
    return THEATER_OK;
}

static theater_status run_again(th_source *source, const th_pass *pass, const theater_check_options *options,
                                theater_report *report, theater_error *reterr)
{
    replay self = {.source = source, .first_undecided = SIZE_MAX};
    th_component_source components = th_source_components(source);
    theater_status status = THEATER_OK;
    for (size_t i = 0; !status && i < pass->count; i++)
        status = add_jobs(&self, &pass->chains[i], reterr);
    self.first_bad = self.job_count;
    unsigned turns = options->threads ? options->threads : th_port_processors(th_port_system());
    if (!status)
        status = th_execution_new(th_port_system(), &components, options->pulley,
                                  turns > THREADS_MAX ? THREADS_MAX : turns, &self.execution, reterr);
    if (!status && self.job_count > 0)
        status = run_jobs(&self, options, report->elements, reterr);
    if (!status)
        status = judge(&self, pass, report, reterr);
    th_execution_free(self.execution);
    th_free(self.jobs);
    return status;
}

theater_status theater_replay(const theater_source *source, const theater_check_options *options,
                              theater_report *ret, theater_error *reterr)
{
    static const theater_check_options defaults = {0};
    options = options ? options : &defaults;
    memset(ret, 0, sizeof *ret);
    uint64_t begin = th_port_monotonic_ns(th_port_system());
    th_source *opened;
    theater_status status = th_source_open(source, &opened, reterr);
    if (status)
        return status;
    th_pass pass = {0};
    theater_check_options quiet = *options;
    quiet.progress = NULL; /* the turns are what takes time, and they are counted from 0 */
    status = th_pass_run(opened, source->path != NULL, &quiet, &pass, ret, reterr);
    if (!status && ret->status == THEATER_OK)
        status = run_again(opened, &pass, options, ret, reterr);
    th_pass_done(&pass);
    th_source_close(opened);
    ret->nanoseconds = th_port_monotonic_ns(th_port_system()) - begin;
    return status;
}
