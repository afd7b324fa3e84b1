/* port/simulation_task.c: the simulated scheduler, its tasks and events.
 *
 * One step runs at a time, of a task picked at random among those that can run: READY (new, asked to go on,
 * or woken) or IDLE with a deadline that has passed. When none can run, the clock moves to the earliest
 * deadline. Waiting for an event or for the end of a task runs steps until it is so: that is why neither may
 * be called inside a step.
 *
 * A step that holds no mutex and waits in a call on a file, or computes for long, may have others run meanwhile, as
 * on a machine with threads: a commit is written while turns go on, an actor runs while a commit fails. The task that
 * waits is RUNNING and is not picked, so a step is never inside itself. */
#include "port/simulation_internal.h"

/* How many steps may wait at one time. */
#define OVERLAPS_MAX 3
#define OVERLAP_STEPS 12 /* at most, that run in one call */

typedef enum task_state { READY, RUNNING, IDLE, ENDED } task_state;

struct th_sim_task {
    th_task head;
    th_simulation *simulation;
    uint64_t id;
    task_state state;
    bool woken;            /* during its own step */
    uint64_t deadline_ns;  /* of an IDLE task; UINT64_MAX is none */
    th_step_function step;
    void *context;
};

typedef struct sim_event {
    th_event head;
    th_simulation *simulation;
    bool set;
} sim_event;

/* ---- scheduler ---- */

static bool can_run(const th_sim_task *task, uint64_t now_ns)
{
    return task->state == READY || (task->state == IDLE && task->deadline_ns <= now_ns);
}

static th_sim_task *pick(th_simulation *simulation)
{
    size_t count = 0;
    for (size_t i = 0; i < simulation->task_count; i++)
        count += can_run(simulation->tasks[i], simulation->now_ns);
    if (count == 0)
        return NULL;
    uint64_t left = th_simulation_below(simulation, count);
    for (size_t i = 0;; i++) {
        if (can_run(simulation->tasks[i], simulation->now_ns) && left-- == 0)
            return simulation->tasks[i];
    }
}

static uint64_t earliest_deadline(const th_simulation *simulation)
{
    uint64_t earliest = UINT64_MAX;
    for (size_t i = 0; i < simulation->task_count; i++) {
        const th_sim_task *task = simulation->tasks[i];
        if (task->state == IDLE && task->deadline_ns < earliest)
            earliest = task->deadline_ns;
    }
    return earliest;
}

static void run_step(th_simulation *simulation, th_sim_task *task)
{
    uint64_t deadline_ns = 0;
    bool outer = simulation->in_step;
    task->woken = false;
    task->state = RUNNING;
    simulation->in_step = true;
    th_step result = task->step(task->context, &deadline_ns);
    simulation->in_step = outer;
    th_assert(simulation->held_mutexes == 0);
    if (result == TH_STEP_DONE) {
        task->state = ENDED;
    } else if (result == TH_STEP_AGAIN || task->woken) {
        task->state = READY;
    } else {
        task->state = IDLE;
        task->deadline_ns = deadline_ns ? deadline_ns : UINT64_MAX;
    }
    th_sim_pass_time(simulation, 20000);
    th_sim_note(simulation, TH_SIM_STEP);
    th_sim_note(simulation, task->id);
    th_sim_note(simulation, (uint64_t)result);
    th_sim_note(simulation, simulation->now_ns);
}

void th_simulation_overlap(th_simulation *simulation)
{
    if (!simulation->in_step || simulation->held_mutexes || simulation->crashed ||
        simulation->overlapping == OVERLAPS_MAX || !th_sim_chance(simulation, simulation->faults.overlaps))
        return;
    simulation->overlapping++;
    th_sim_task *task;
    for (uint64_t steps = 1 + th_simulation_below(simulation, OVERLAP_STEPS);
         steps > 0 && !simulation->crashed && (task = pick(simulation)); steps--)
        run_step(simulation, task);
    simulation->overlapping--;
}

/* Runs one step, moving the clock up to `limit_ns` for it when need be; false when there was none to run by
 * then. */
static bool advance(th_simulation *simulation, uint64_t limit_ns)
{
    th_assert(!simulation->in_step);
    th_assert(simulation->held_mutexes == 0);
    if (simulation->crashed)
        return false;
    th_sim_task *task = pick(simulation);
    if (!task) {
        uint64_t deadline_ns = earliest_deadline(simulation);
        uint64_t to = deadline_ns < limit_ns ? deadline_ns : limit_ns;
        if (to == UINT64_MAX)
            return false;
        simulation->now_ns = to > simulation->now_ns ? to : simulation->now_ns;
        task = pick(simulation);
    }
    if (task)
        run_step(simulation, task);
    return task != NULL;
}

uint64_t th_simulation_run(th_simulation *simulation, uint64_t steps)
{
    uint64_t done = 0;
    while (done < steps && advance(simulation, UINT64_MAX))
        done++;
    return done;
}

/* ---- tasks ---- */

theater_status th_sim_task_start(th_port *port, const char *name, size_t stack_bytes, th_step_function step,
                                 void *context, th_task **ret, theater_error *reterr)
{
    th_simulation *simulation = th_sim_of(port);
    theater_status status = th_sim_alive(simulation, "start the task", name, reterr);
    if (status != THEATER_OK)
        return status;
    if (simulation->task_count == TH_SIM_TASKS_MAX)
        return th_fail(reterr, THEATER_NO_MEMORY, "cannot start the task %s: %u run already", name,
                       TH_SIM_TASKS_MAX);
    th_sim_task *task = th_alloc_zero(1, sizeof *task);
    th_sim_task **tasks = th_realloc(simulation->tasks, (simulation->task_count + 1) * sizeof *tasks);
    if (tasks)
        simulation->tasks = tasks;
    if (!task || !tasks) {
        th_free(task);
        return th_fail_memory(reterr, "a task");
    }
    *task =
        (th_sim_task){.head = {port->operations}, .simulation = simulation, .step = step, .context = context};
    task->id = simulation->next_task_id++;
    tasks[simulation->task_count++] = task;
    *ret = &task->head;
    return THEATER_OK;
}

void th_sim_task_wake(th_task *head)
{
    th_sim_task *task = (th_sim_task *)head;
    task->woken = true;
    if (task->state == IDLE)
        task->state = READY;
}

void th_sim_task_join(th_task *head)
{
    th_sim_task *task = (th_sim_task *)head;
    th_simulation *simulation = task->simulation;
    while (!simulation->crashed && task->state != ENDED) {
        bool progress = advance(simulation, UINT64_MAX);
        /* Otherwise nothing will ever end it, and the system's port would wait for ever. */
        th_assert(progress || simulation->crashed);
    }
    size_t place = 0;
    while (simulation->tasks[place] != task)
        place++;
    simulation->task_count--;
    memmove(simulation->tasks + place, simulation->tasks + place + 1,
            (simulation->task_count - place) * sizeof *simulation->tasks);
    th_free(task);
}

/* ---- events ---- */

theater_status th_sim_event_new(th_port *port, th_event **ret, theater_error *reterr)
{
    th_simulation *simulation = th_sim_of(port);
    theater_status status = th_sim_alive(simulation, "make", "an event", reterr);
    if (status != THEATER_OK)
        return status;
    sim_event *event = th_alloc(sizeof *event);
    if (!event)
        return th_fail_memory(reterr, "an event");
    *event = (sim_event){{port->operations}, simulation, false};
    simulation->open_events++;
    *ret = &event->head;
    return THEATER_OK;
}

void th_sim_event_free(th_event *head)
{
    ((sim_event *)head)->simulation->open_events--;
    th_free(head);
}

void th_sim_event_set(th_event *head)
{
    ((sim_event *)head)->set = true;
}

void th_sim_event_reset(th_event *head)
{
    ((sim_event *)head)->set = false;
}

bool th_sim_event_wait(th_event *head, uint64_t timeout_ns)
{
    sim_event *event = (sim_event *)head;
    th_simulation *simulation = event->simulation;
    uint64_t limit_ns =
        timeout_ns < UINT64_MAX - simulation->now_ns ? simulation->now_ns + timeout_ns : UINT64_MAX;
    th_assert(!simulation->in_step);
    while (!event->set) {
        if (simulation->crashed || simulation->now_ns >= limit_ns || !advance(simulation, limit_ns))
            break;
    }
    return event->set && !simulation->crashed;
}
