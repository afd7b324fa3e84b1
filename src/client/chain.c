/* Chains: elements, states, traces. */
#include "client/internal.h"

#include <stdio.h>

#define PAGE 500

/* ---- elements ------------------------------------------------------------------------------------------ */

typedef struct walk {
    uint64_t from, end;
    bool more;
    bool (*each)(void *context, const theater_element *element);
    void *context;
} walk;

static theater_status give_page(th_client *client, walk *self, const th_value *root, th_arena *arena,
                                theater_error *reterr)
{
    const th_value *list = th_value_member(root, "elements");
    if (!list || list->type != TH_VALUE_ARRAY)
        return th_answer_unknown(client, "elements", reterr);
    self->more = list->first != NULL;
    for (const th_value *at = list->first; at; at = at->next) {
        theater_element element;
        if (!th_decode_element(at, arena, &element) || element.sequence != self->from)
            return th_answer_unknown(client, "an element", reterr);
        if (!self->each(self->context, &element)) {
            self->more = false;
            return THEATER_OK;
        }
        self->from++;
    }
    return THEATER_OK;
}

theater_status th_client_elements(th_client *client, const char *name, uint64_t from, uint64_t end,
                                  bool (*each)(void *context, const theater_element *element), void *context,
                                  theater_error *reterr)
{
    walk self = {from, end, true, each, context};
    theater_status status = THEATER_OK;
    while (!status && self.more && self.from < self.end) {
        char path[TH_PATH_MAX];
        th_arena arena;
        const th_value *root;
        uint64_t left = self.end - self.from;
        th_call call = {.method = "GET", .path = path};
        th_arena_init(&arena, TH_ANSWER_MAX);
        status =
            th_actor_path(path, name, reterr, "/elements?from=%llu&limit=%llu", (unsigned long long)self.from,
                          (unsigned long long)(left < PAGE ? left : PAGE));
        if (!status)
            status = th_call_run(client, &call, reterr);
        if (!status)
            status = th_call_json(client, &call, &arena, &root, reterr);
        if (!status)
            status = give_page(client, &self, root, &arena, reterr);
        th_arena_done(&arena);
        th_call_done(&call);
    }
    return status;
}

/* ---- states -------------------------------------------------------------------------------------------- */

theater_status th_client_state_read(th_client *client, const char *name, const uint64_t *at,
                                    th_client_state *ret, theater_error *reterr)
{
    char path[TH_PATH_MAX];
    th_call call = {.method = "GET", .path = path};
    *ret = (th_client_state){0};
    theater_status status =
        at ? th_actor_path(path, name, reterr, "/elements/%llu/state", (unsigned long long)*at)
           : th_actor_path(path, name, reterr, "/state");
    if (!status)
        status = th_call_run(client, &call, reterr);
    const th_headers *headers = &call.headers;
    if (!status && !(headers->has_sequence && headers->has_element && headers->has_root))
        status = th_answer_unknown(client, "a state", reterr);
    if (!status)
        *ret =
            (th_client_state){headers->sequence, headers->element, headers->root, th_buf_take(&call.answer)};
    th_call_done(&call);
    return status;
}

/* ---- traces -------------------------------------------------------------------------------------------- */

static bool decode_step(const th_value *value, theater_trace_step *ret)
{
    static const struct {
        const char *word;
        theater_cause_kind kind;
    } kinds[] = {{"client", THEATER_CAUSE_NONE},
                 {"message", THEATER_CAUSE_MESSAGE},
                 {"reply", THEATER_CAUSE_REPLY},
                 {"notice", THEATER_CAUSE_NOTICE}};
    th_slice relation, kind;
    uint64_t distance;
    *ret = (theater_trace_step){.kind = THEATER_CAUSE_NONE};
    if (!th_value_text(value, "relation", &relation) || !th_value_uint(value, "distance", &distance) ||
        distance > INT32_MAX || !th_value_copy(value, "actor", ret->actor.name, sizeof ret->actor.name) ||
        !th_value_uint(value, "id", &ret->actor.id) || !th_value_uint(value, "sequence", &ret->sequence))
        return false;
    ret->depth = th_slice_equal(relation, th_slice_text("cause")) ? -(int)distance : (int)distance;
    if (th_value_text(value, "kind", &kind))
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
            if (th_slice_equal(kind, th_slice_text(kinds[i].word)))
                ret->kind = kinds[i].kind;
    return true;
}

static theater_status give_steps(th_client *client, const th_value *root,
                                 bool (*each)(void *context, const theater_trace_step *step), void *context,
                                 bool *ret_more, theater_error *reterr)
{
    const th_value *list = th_value_member(root, "steps");
    if (!list || list->type != TH_VALUE_ARRAY || !th_value_bool(root, "more", ret_more))
        return th_answer_unknown(client, "a trace", reterr);
    for (const th_value *at = list->first; at; at = at->next) {
        theater_trace_step step;
        if (!decode_step(at, &step))
            return th_answer_unknown(client, "a step of a trace", reterr);
        if (!each(context, &step))
            break;
    }
    return THEATER_OK;
}

theater_status th_client_trace(th_client *client, const char *name, uint64_t sequence, uint64_t max_steps,
                               bool (*each)(void *context, const theater_trace_step *step), void *context,
                               bool *ret_more, theater_error *reterr)
{
    char path[TH_PATH_MAX];
    th_arena arena;
    const th_value *root;
    th_call call = {.method = "GET", .path = path};
    uint64_t limit = max_steps < TH_CLIENT_TRACE_MAX ? max_steps : TH_CLIENT_TRACE_MAX;
    th_arena_init(&arena, TH_ANSWER_MAX);
    theater_status status = th_actor_path(path, name, reterr, "/elements/%llu/trace?limit=%llu",
                                          (unsigned long long)sequence, (unsigned long long)limit);
    if (!status)
        status = th_call_run(client, &call, reterr);
    if (!status)
        status = th_call_json(client, &call, &arena, &root, reterr);
    if (!status)
        status = give_steps(client, root, each, context, ret_more, reterr);
    th_arena_done(&arena);
    th_call_done(&call);
    return status;
}
