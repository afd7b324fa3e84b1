#include "chain/effects.h"
#include "theater/element_internal.h"
#include "theater/folder_internal.h"

/* An element that a trace has reached. */
typedef struct place {
    uint64_t actor, sequence;
    int depth;
    th_cause_kind kind;
} place;

typedef struct tracer {
    theater_folder *folder;
    bool (*each)(void *context, const theater_trace_step *step);
    void *context;
    uint64_t steps_left;
    bool stopped; /* by the callback */
    bool more; /* there would have been more */
    th_buf buf;
    place *queue; /* what was reached forwards, in the order of its finding; its first `head` were walked */
    size_t head, count, capacity;
} tracer;

/* Gives a step to the caller; false when the trace is to end. */
static theater_status give(tracer *self, const place *at, bool *ret_go_on, theater_error *reterr)
{
    *ret_go_on = false;
    if (self->steps_left == 0) {
        self->more = true;
        return THEATER_OK;
    }
    self->steps_left--;
    th_actor_info info;
    theater_trace_step step = {
        .depth = at->depth, .sequence = at->sequence, .kind = (theater_cause_kind)((int)at->kind - 1)};
    theater_status status = th_store_find_actor_id(self->folder->store, at->actor, &info, reterr);
    if (!status)
        status = th_folder_actor_info(self->folder, &info, &step.actor, reterr);
    if (status)
        return status;
    *ret_go_on = self->each(self->context, &step);
    self->stopped = !*ret_go_on;
    return THEATER_OK;
}

/* ---- backwards ----------------------------------------------------------------------------------------- */

typedef struct candidate_search {
    tracer *tracer;
    const th_cause *cause;
    uint64_t found; /* 0: none */
    theater_status status;
    theater_error *reterr;
} candidate_search;

/* The actor whose element has the cause's hash: a name may have had several actors. */
static bool try_candidate(void *context, const th_actor_info *info)
{
    candidate_search *search = context;
    if (search->cause->sequence >= info->elements)
        return true;
    th_buf buf;
    th_buf_init(&buf, TH_READ_MAX);
    th_record record;
    search->status = th_store_read_element(search->tracer->folder->store, info->id, search->cause->sequence,
                                           &buf, &record, NULL, search->reterr);
    if (!search->status && th_hash_equal(&record.element.hash, &search->cause->hash))
        search->found = info->id;
    th_buf_done(&buf);
    return !search->status && !search->found;
}

static theater_status find_named(tracer *self, const th_cause *cause, uint64_t *ret_actor,
                                 theater_error *reterr)
{
    candidate_search search = {.tracer = self, .cause = cause, .reterr = reterr};
    th_actor_info info;
    theater_status status = th_store_find_actor(self->folder->store, cause->actor, &info, reterr);
    if (!status)
        try_candidate(&search, &info);
    else if (status == THEATER_NOT_FOUND)
        status = THEATER_OK;
    if (!status && !search.status && !search.found)
        status = th_folder_named(self->folder, cause->actor, try_candidate, &search, reterr);
    *ret_actor = search.found;
    return status ? status : search.status;
}

/* The cause of the element at *at, which becomes it. *ret_found: false when a client's message, a genesis or
 * an upgrade is reached, or a chain that is not here. */
static theater_status step_back(tracer *self, place *at, bool *ret_found, theater_error *reterr)
{
    th_record record;
    th_element element;
    *ret_found = false;
    theater_status status = th_store_read_element(self->folder->store, at->actor, at->sequence, &self->buf,
                                                  &record, NULL, reterr);
    if (!status)
        status = th_element_decode(record.element.element, &element, reterr);
    if (status)
        return status;
    at->kind = element.cause.kind;
    at->depth--;
    switch (element.cause.kind) {
    case TH_CAUSE_NONE:
        return THEATER_OK;
    case TH_CAUSE_UNDELIVERED: /* caused by the request, which stands in this chain */
        at->sequence = element.cause.request >> 16;
        *ret_found = true;
        return THEATER_OK;
    default:
        at->sequence = element.cause.sequence;
        status = find_named(self, &element.cause, &at->actor, reterr);
        *ret_found = !status && at->actor != 0;
        return status;
    }
}

static theater_status walk_back(tracer *self, place at, theater_error *reterr)
{
    for (;;) {
        bool found, go_on;
        theater_status status = step_back(self, &at, &found, reterr);
        if (status || !found)
            return status;
        status = give(self, &at, &go_on, reterr);
        if (status || !go_on)
            return status;
    }
}

/* ---- forwards ------------------------------------------------------------------------------------------ */

static theater_status push(tracer *self, place at, theater_error *reterr)
{
    /* What cannot be given any more need not be remembered. */
    if (self->count - self->head > self->steps_left) {
        self->more = true;
        return THEATER_OK;
    }
    if (self->count == self->capacity) {
        size_t capacity = self->capacity ? self->capacity * 2 : 64;
        place *queue = th_realloc(self->queue, capacity * sizeof *queue);
        if (!queue)
            return th_fail_memory(reterr, "a trace");
        self->queue = queue;
        self->capacity = capacity;
    }
    self->queue[self->count++] = at;
    return THEATER_OK;
}

static theater_status push_consumer(tracer *self, const place *from, uint32_t index, th_cause_kind kind,
                                    theater_error *reterr)
{
    place to = {.depth = from->depth + 1, .kind = kind};
    theater_status status = th_store_find_consumer(self->folder->store, from->actor, from->sequence, index,
                                                   &to.actor, &to.sequence, reterr);
    if (status == THEATER_NOT_FOUND)
        return THEATER_OK; /* not handled yet, or dropped */
    if (!status && kind == TH_CAUSE_MESSAGE && to.actor == from->actor && to.sequence > from->sequence) {
        /* Its own element consumed it: a message to itself, or the notice that the target was not there. */
        th_buf buf;
        th_buf_init(&buf, TH_READ_MAX);
        th_record record;
        th_element element;
        status =
            th_store_read_element(self->folder->store, to.actor, to.sequence, &buf, &record, NULL, reterr);
        if (!status)
            status = th_element_decode(record.element.element, &element, reterr);
        if (!status)
            to.kind = element.cause.kind;
        th_buf_done(&buf);
    }
    return status ? status : push(self, to, reterr);
}

/* What one element caused: the consumers of its messages, and of the answer that it gave. */
static theater_status step_on(tracer *self, const place *from, theater_error *reterr)
{
    th_record record;
    theater_status status = th_store_read_element(self->folder->store, from->actor, from->sequence,
                                                  &self->buf, &record, NULL, reterr);
    if (status || record.element.effects_dropped)
        return status;
    th_effects_reader effects;
    status = th_effects_read(record.element.effects, from->sequence, &effects, reterr);
    while (!status) {
        th_effect effect;
        bool more;
        status = th_effects_next(&effects, &effect, &more, reterr);
        if (status || !more)
            break;
        if (effect.kind == TH_EFFECT_MESSAGE)
            status = push_consumer(self, from, (uint32_t)effect.index, TH_CAUSE_MESSAGE, reterr);
    }
    return status ? status : push_consumer(self, from, TH_MESSAGE_ANSWER, TH_CAUSE_ANSWER, reterr);
}

static theater_status walk_on(tracer *self, place at, theater_error *reterr)
{
    theater_status status = step_on(self, &at, reterr);
    while (!status && self->head < self->count) {
        at = self->queue[self->head++];
        bool go_on;
        status = give(self, &at, &go_on, reterr);
        if (status || !go_on)
            break;
        status = step_on(self, &at, reterr);
    }
    return status;
}

theater_status theater_trace(theater_folder *folder, uint64_t actor_id, uint64_t sequence, uint64_t max_steps,
                             bool (*each)(void *context, const theater_trace_step *step), void *context,
                             bool *ret_more, theater_error *reterr)
{
    tracer self = {.folder = folder, .each = each, .context = context, .steps_left = max_steps};
    th_buf_init(&self.buf, TH_READ_MAX);
    *ret_more = false;
    place at = {.actor = actor_id, .sequence = sequence, .kind = TH_CAUSE_NONE};
    th_record record;
    theater_status status =
        th_store_read_element(folder->store, actor_id, sequence, &self.buf, &record, NULL, reterr);
    bool go_on = false;
    if (!status)
        status = give(&self, &at, &go_on, reterr);
    if (!status && go_on)
        status = walk_back(&self, at, reterr);
    if (!status && go_on && !self.stopped)
        status = walk_on(&self, at, reterr);
    *ret_more = self.more;
    th_buf_done(&self.buf);
    th_free(self.queue);
    return status;
}
