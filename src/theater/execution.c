#include "theater/execution.h"

#include "base/bytes.h"

struct th_execution {
    th_machine machine;
    th_loader *loader;
    th_component_source source;
    th_port *port;
    bool has_machine;
};

static theater_status read_binary(void *context, const th_hash *hash, th_buf *out, theater_error *reterr)
{
    th_execution *execution = context;
    return execution->source.binary(execution->source.context, hash, out, reterr);
}

static theater_status read_compiled(void *context, const th_hash *hash, th_buf *out, theater_error *reterr)
{
    th_execution *execution = context;
    return execution->source.compiled(execution->source.context, hash, execution->machine.fingerprint, out,
                                      reterr);
}

theater_status th_execution_new(th_port *port, const th_component_source *source, bool pulley, unsigned turns,
                                th_execution **ret, theater_error *reterr)
{
    th_execution *execution = th_alloc_zero(1, sizeof *execution);
    if (!execution)
        return th_fail_memory(reterr, "the engine");
    execution->source = *source;
    execution->port = port;
    th_engine_options options = {
        .pulley = pulley, .verifier = true, .turns = turns, .keep_resident_bytes = UINT64_MAX};
    theater_status status = th_machine_engine(&options, &execution->machine, reterr);
    execution->has_machine = status == THEATER_OK;
    if (!status) {
        th_loader_options loader = {
            .machine = &execution->machine,
            .port = port,
            .context = execution,
            .read_binary = read_binary,
            .read_compiled = source->compiled ? read_compiled : NULL,
        };
        status = th_loader_new(&loader, &execution->loader, reterr);
    }
    if (status) {
        th_execution_free(execution);
        return status;
    }
    *ret = execution;
    return THEATER_OK;
}

void th_execution_free(th_execution *execution)
{
    if (!execution)
        return;
    if (execution->loader)
        th_loader_free(execution->loader);
    if (execution->has_machine)
        th_machine_done(&execution->machine);
    th_free(execution);
}

const th_machine *th_execution_machine(const th_execution *execution)
{
    return &execution->machine;
}

th_loader *th_execution_loader(const th_execution *execution)
{
    return execution->loader;
}

typedef struct call {
    theater_status (*run)(void *context, theater_error *reterr);
    void *context;
    theater_status status;
    theater_error error;
} call;

static th_step call_step(void *context, uint64_t *ret_deadline_ns)
{
    (void)ret_deadline_ns;
    call *self = context;
    self->status = self->run(self->context, &self->error);
    return TH_STEP_DONE;
}

theater_status th_execution_call(th_execution *execution,
                                 theater_status (*run)(void *context, theater_error *reterr), void *context,
                                 theater_error *reterr)
{
    call self = {.run = run, .context = context};
    th_task *task;
    theater_status status =
        th_task_start(execution->port, "theater-turns", execution->machine.stack_bytes + TH_STACK_FOR_C,
                      call_step, &self, &task, reterr);
    if (status)
        return status;
    th_task_join(task);
    if (self.status && reterr)
        *reterr = self.error;
    return self.status;
}
