/* Verify and replay as jobs: on the pool, two at a time, with progress that is asked for. The last hundred
 * are remembered. */
#include <jansson.h>
#include <stdio.h>

#include "server/internal.h"

#define JOBS_MAX 100
#define RUNNING_MAX 2

typedef enum state { WAITING, RUNNING, DONE, FAILED } state;

typedef struct job {
    struct job *next; /* newest first */
    uint64_t id;
    bool replay, all, pulley;
    bool cancel; /* atomic */
    char actor[TH_SEGMENT_MAX + 1]; /* empty: every chain */
    state state;
    uint64_t done, total; /* atomic */
    theater_report report;
    theater_error error;
    th_server *server;
    uv_work_t work;
} job;

struct th_jobs {
    job *first;
    size_t count, running;
    uint64_t next_id;
};

theater_status th_jobs_new(th_server *server, theater_error *reterr)
{
    server->jobs = th_alloc_zero(1, sizeof *server->jobs);
    if (!server->jobs)
        return th_fail_memory(reterr, "jobs");
    server->jobs->next_id = 1;
    return THEATER_OK;
}

void th_jobs_free(th_server *server)
{
    if (!server->jobs)
        return;
    while (server->jobs->first) {
        job *first = server->jobs->first;
        server->jobs->first = first->next;
        th_free(first);
    }
    th_free(server->jobs);
    server->jobs = NULL;
}

size_t th_jobs_running(const th_server *server)
{
    return server->jobs->running;
}

/* ---- running ------------------------------------------------------------------------------------------- */

static void on_progress(void *context, uint64_t done, uint64_t all)
{
    job *self = context;
    __atomic_store_n(&self->done, done, __ATOMIC_RELAXED);
    __atomic_store_n(&self->total, all, __ATOMIC_RELAXED);
}

static void work_job(uv_work_t *work)
{
    job *self = work->data;
    theater_folder *folder;
    theater_actor_info info = {0};
    theater_status status = th_folders_get(self->server, &folder, &self->error);
    if (status)
        return;
    if (self->actor[0])
        status = theater_folder_actor(folder, self->actor, &info, &self->error);
    theater_source source = {.folder = folder, .actor_id = info.id};
    theater_check_options options = {.all = self->all,
                                     .pulley = self->pulley,
                                     .threads = 1,
                                     .progress = on_progress,
                                     .context = self,
                                     .cancel = &self->cancel};
    if (!status)
        status = self->replay ? theater_replay(&source, &options, &self->report, &self->error)
                              : theater_verify(&source, &options, &self->report, &self->error);
    self->error.status = status; /* an error that a callee got over may have filled it */
    th_folders_put(self->server, folder);
}

static void begin_waiting(th_server *server);

static void after_job(uv_work_t *work, int result)
{
    (void)result;
    job *self = work->data;
    self->state = self->error.status ? FAILED : DONE;
    self->server->jobs->running--;
    if (!self->server->stopped)
        begin_waiting(self->server);
}

static void begin_waiting(th_server *server)
{
    while (server->jobs->running < RUNNING_MAX && !server->draining) {
        job *oldest = NULL;
        for (job *at = server->jobs->first; at; at = at->next)
            if (at->state == WAITING)
                oldest = at;
        if (!oldest)
            return;
        oldest->state = RUNNING;
        oldest->work.data = oldest;
        server->jobs->running++;
        uv_queue_work(&server->loop, &oldest->work, work_job, after_job);
    }
}

/* Ends one that runs soon, and one that waits at once. */
static void cancel_job(job *self)
{
    __atomic_store_n(&self->cancel, true, __ATOMIC_RELAXED);
    if (self->state != WAITING)
        return;
    self->state = FAILED;
    th_fail(&self->error, THEATER_CANCELLED, "the check was cancelled");
}

void th_jobs_cancel(th_server *server)
{
    for (job *at = server->jobs->first; at; at = at->next)
        if (at->state == WAITING || at->state == RUNNING)
            cancel_job(at);
}

/* Forgets the oldest that has ended; false when all are under way. */
static bool make_room(th_jobs *jobs)
{
    if (jobs->count < JOBS_MAX)
        return true;
    job **oldest = NULL;
    for (job **at = &jobs->first; *at; at = &(*at)->next)
        if ((*at)->state == DONE || (*at)->state == FAILED)
            oldest = at;
    if (!oldest)
        return false;
    job *gone = *oldest;
    *oldest = gone->next;
    th_free(gone);
    jobs->count--;
    return true;
}

/* ---- telling ------------------------------------------------------------------------------------------- */

static void put_report(th_json *json, const theater_report *report)
{
    th_json_key(json, "report");
    th_json_open(json, '{');
    th_json_field_string(json, "verdict", theater_status_name(report->status));
    th_json_field_string(json, "message", report->message);
    th_json_key(json, "what");
    if (report->what)
        th_json_string(json, report->what);
    else
        th_json_null(json);
    th_json_field_string(json, "actor", report->actor);
    th_json_field_uint(json, "sequence", report->sequence);
    th_json_field_uint(json, "chains", report->chains);
    th_json_field_uint(json, "elements", report->elements);
    th_json_field_uint(json, "payload_bytes", report->payload_bytes);
    th_json_field_uint(json, "dropped_payloads", report->dropped_payloads);
    th_json_field_uint(json, "checkpoints", report->checkpoints);
    th_json_field_uint(json, "undecided", report->undecided);
    th_json_field_uint(json, "skipped", report->skipped);
    th_json_field_uint(json, "causes", report->causes);
    th_json_field_uint(json, "missing_causes", report->missing_causes);
    th_json_field_uint(json, "nanoseconds", report->nanoseconds);
    th_json_field_hash(json, "head", &report->head);
    th_json_field_hash(json, "tree_head", &report->tree_head);
    th_json_field_hash(json, "state_root", &report->state_root);
    th_json_close(json, '}');
}

static void put_job(th_json *json, const job *self)
{
    static const char *const states[] = {"waiting", "running", "done", "failed"};
    th_json_open(json, '{');
    th_json_field_uint(json, "id", self->id);
    th_json_field_string(json, "kind", self->replay ? "replay" : "verify");
    th_json_key(json, "actor");
    if (self->actor[0])
        th_json_string(json, self->actor);
    else
        th_json_null(json);
    th_json_field_string(json, "state", states[self->state]);
    th_json_field_uint(json, "done", __atomic_load_n(&self->done, __ATOMIC_RELAXED));
    th_json_field_uint(json, "total", __atomic_load_n(&self->total, __ATOMIC_RELAXED));
    if (self->state == FAILED) {
        th_json_field_string(json, "status", theater_status_name(self->error.status));
        th_json_field_string(json, "message", self->error.message);
    }
    if (self->state == DONE)
        put_report(json, &self->report);
    th_json_close(json, '}');
}

static theater_status read_job(th_exchange *x, job *self, theater_error *reterr)
{
    json_error_t place;
    json_t *root = json_loadb((const char *)x->body.data, x->body.size, JSON_REJECT_DUPLICATES, &place);
    const char *kind = json_string_value(json_object_get(root, "kind"));
    const json_t *actor = json_object_get(root, "actor");
    theater_status status = THEATER_OK;
    if (!kind || (strcmp(kind, "verify") != 0 && strcmp(kind, "replay") != 0))
        status = th_fail(reterr, THEATER_INVALID_ARGUMENT,
                         "the body is {\"kind\": \"verify\" or \"replay\", \"actor\": NAME, \"all\": true}");
    else if (actor && !json_is_null(actor) &&
             (!json_is_string(actor) || json_string_length(actor) > TH_SEGMENT_MAX))
        status = th_fail(reterr, THEATER_INVALID_ARGUMENT, "\"actor\" is a name");
    if (!status) {
        self->replay = strcmp(kind, "replay") == 0;
        self->all = json_is_true(json_object_get(root, "all"));
        self->pulley = json_is_true(json_object_get(root, "pulley"));
        if (json_is_string(actor))
            snprintf(self->actor, sizeof self->actor, "%s", json_string_value(actor));
    }
    json_decref(root);
    return status;
}

void th_api_job_new(th_exchange *x)
{
    th_jobs *jobs = x->server->jobs;
    theater_error error = {0};
    job *self = th_alloc_zero(1, sizeof *self);
    theater_status status = self ? read_job(x, self, &error) : th_fail_memory(&error, "a job");
    if (!status && !make_room(jobs)) {
        status = THEATER_MAILBOX_FULL;
        th_fail(&error, status, "%d jobs wait or run already", JOBS_MAX);
    }
    if (status) {
        th_free(self);
        th_exchange_fail(x, &error);
        return;
    }
    self->server = x->server;
    self->id = jobs->next_id++;
    self->next = jobs->first;
    jobs->first = self;
    jobs->count++;
    begin_waiting(x->server);
    th_reply_header(x, "Location: /v1/jobs/%llu", (unsigned long long)self->id);
    th_json json = th_reply_json(x, 202);
    put_job(&json, self);
    th_reply_json_end(x, &json);
    th_exchange_reply(x);
}

void th_api_job_list(th_exchange *x)
{
    th_json json = th_reply_json(x, 200);
    th_json_open(&json, '{');
    th_json_key(&json, "jobs");
    th_json_open(&json, '[');
    for (const job *at = x->server->jobs->first; at; at = at->next)
        put_job(&json, at);
    th_json_close(&json, ']');
    th_json_close(&json, '}');
    th_reply_json_end(x, &json);
    th_exchange_reply(x);
}

/* The job that the path names; NULL: the exchange was answered. */
static job *find_job(th_exchange *x)
{
    uint64_t id;
    theater_error error;
    if (th_parse_number(x->segments[0], &id))
        for (job *at = x->server->jobs->first; at; at = at->next)
            if (at->id == id)
                return at;
    th_fail(&error, THEATER_NOT_FOUND, "there is no such job in this run of the server");
    th_exchange_fail(x, &error);
    return NULL;
}

void th_api_job_cancel(th_exchange *x)
{
    job *found = find_job(x);
    if (!found)
        return;
    cancel_job(found);
    x->reply.status = 204;
    th_exchange_reply(x);
}

void th_api_job_get(th_exchange *x)
{
    const job *found = find_job(x);
    if (!found)
        return;
    th_json json = th_reply_json(x, 200);
    put_job(&json, found);
    th_reply_json_end(x, &json);
    th_exchange_reply(x);
}
