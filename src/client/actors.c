/* Actors: reading them, starting them, changing them. */
#include "client/internal.h"

#include <stdio.h>

#include "crypto/base64.h"

#define PAGE 1000
#define CONFIG_IN_QUERY 2048 /* bytes; a longer one, or one with a zero, goes into a JSON body */

static theater_status run_json(th_client *client, th_call *call, th_arena *arena, const th_value **ret,
                               theater_error *reterr)
{
    theater_status status = th_call_run(client, call, reterr);
    return status ? status : th_call_json(client, call, arena, ret, reterr);
}

theater_status th_client_actor(th_client *client, const char *name, theater_actor_info *ret,
                               theater_error *reterr)
{
    char path[TH_PATH_MAX];
    th_call call = {.method = "GET", .path = path};
    th_arena arena;
    const th_value *root;
    th_arena_init(&arena, TH_ANSWER_MAX);
    theater_status status = th_actor_path(path, name, reterr, "%s", "");
    if (!status)
        status = run_json(client, &call, &arena, &root, reterr);
    if (!status && !th_decode_actor(root, ret))
        status = th_answer_unknown(client, "an actor", reterr);
    if (!status && ret->elements == 0)
        status = th_fail(reterr, THEATER_NOT_FOUND, "actor %s has no chain yet", name);
    th_arena_done(&arena);
    th_call_done(&call);
    return status;
}

/* ---- the list ------------------------------------------------------------------------------------------ */

typedef struct walk {
    bool (*each)(void *context, const theater_actor_info *info);
    void *context;
    uint64_t from;
    bool more;
} walk;

static theater_status give_page(th_client *client, walk *self, const th_value *root, theater_error *reterr)
{
    const th_value *list = th_value_member(root, "actors");
    if (!list || list->type != TH_VALUE_ARRAY)
        return th_answer_unknown(client, "actors", reterr);
    uint64_t before = self->from;
    self->more = th_value_uint(root, "next", &self->from) && self->from > before;
    for (const th_value *at = list->first; at; at = at->next) {
        theater_actor_info info;
        if (!th_decode_actor(at, &info))
            return th_answer_unknown(client, "an actor", reterr);
        if (!self->each(self->context, &info)) {
            self->more = false;
            return THEATER_OK;
        }
    }
    return THEATER_OK;
}

theater_status th_client_actors(th_client *client,
                                bool (*each)(void *context, const theater_actor_info *info), void *context,
                                theater_error *reterr)
{
    walk self = {each, context, 0, true};
    theater_status status = THEATER_OK;
    while (!status && self.more) {
        char path[TH_PATH_MAX];
        th_arena arena;
        const th_value *root;
        snprintf(path, sizeof path, "/v1/actors?from=%llu&limit=%d", (unsigned long long)self.from, PAGE);
        th_call call = {.method = "GET", .path = path};
        th_arena_init(&arena, TH_ANSWER_MAX);
        status = run_json(client, &call, &arena, &root, reterr);
        if (!status)
            status = give_page(client, &self, root, reterr);
        th_arena_done(&arena);
        th_call_done(&call);
    }
    return status;
}

/* ---- starting and upgrading ---------------------------------------------------------------------------- */

/* What a start and an upgrade have in common. */
typedef struct descriptor {
    const char *name; /* NULL: an upgrade */
    th_slice component;
    bool has_component;
    th_slice config;
    bool has_config;
    const theater_limits *limits; /* NULL: keep them */
} descriptor;

/* Those that are not 0, as parameters or as members of an object. */
static theater_status put_limits(th_buf *out, const theater_limits *limits, bool json, theater_error *reterr)
{
    const struct {
        const char *name;
        uint64_t value;
    } all[] = {{"fuel", limits->fuel},
               {"memory", limits->memory_bytes},
               {"state", limits->state_bytes},
               {"message", limits->message_bytes},
               {"effects", limits->effects_bytes}};
    theater_status status = THEATER_OK;
    for (size_t i = 0; !status && i < 5; i++)
        if (all[i].value)
            status = th_buf_printf(out, reterr, "%s%s%s%llu%s", json ? "\"" : "", all[i].name,
                                   json ? "\":" : "=", (unsigned long long)all[i].value, json ? "," : "&");
    return status;
}

/* "?name=...&config=...&fuel=...", ends with a zero. */
static theater_status put_query(th_buf *out, const descriptor *self, theater_error *reterr)
{
    char escaped[CONFIG_IN_QUERY * 3 + 1];
    theater_status status = th_buf_append(out, th_slice_text("?"), reterr);
    if (!status && self->name) {
        status = th_escape(th_slice_text(self->name), escaped, sizeof escaped, reterr);
        if (!status)
            status = th_buf_printf(out, reterr, "name=%s&", escaped);
    }
    if (!status && self->has_config) {
        status = th_escape(self->config, escaped, sizeof escaped, reterr);
        if (!status)
            status = th_buf_printf(out, reterr, "config=%s&", escaped);
    }
    if (!status && self->limits)
        status = put_limits(out, self->limits, false, reterr);
    return status ? status : th_buf_append_byte(out, 0, reterr);
}

static theater_status put_base64(th_buf *out, th_slice bytes, theater_error *reterr)
{
    uint8_t *room;
    theater_status status = th_buf_append(out, th_slice_text("{\"base64\":\""), reterr);
    if (!status)
        status = th_buf_extend(out, th_base64_size(bytes.size), &room, reterr);
    if (status)
        return status;
    th_base64_encode(bytes, (char *)room);
    return th_buf_append(out, th_slice_text("\"}"), reterr);
}

/* The body of a request that names an uploaded component. */
static theater_status put_json(th_buf *out, const descriptor *self, const char *component,
                               theater_error *reterr)
{
    theater_status status = th_buf_append(out, th_slice_text("{"), reterr);
    if (!status && self->name)
        status = th_buf_printf(out, reterr, "\"name\":\"%s\",", self->name);
    if (!status && component)
        status = th_buf_printf(out, reterr, "\"component\":\"%s\",", component);
    if (!status && self->limits) {
        status = th_buf_append(out, th_slice_text("\"limits\":{"), reterr);
        if (!status)
            status = put_limits(out, self->limits, true, reterr);
        if (!status) {
            out->size -= out->data[out->size - 1] == ',';
            status = th_buf_append(out, th_slice_text("},"), reterr);
        }
    }
    if (!status)
        status = th_buf_append(out, th_slice_text("\"config\":"), reterr);
    if (!status)
        status = put_base64(out, self->config, reterr);
    return status ? status : th_buf_append_byte(out, '}', reterr);
}

static theater_status upload(th_client *client, th_slice component, char hash[65], theater_error *reterr)
{
    th_call call = {
        .method = "POST", .path = "/v1/components", .type = "application/wasm", .body = component};
    th_arena arena;
    const th_value *root;
    th_arena_init(&arena, TH_ANSWER_MAX);
    theater_status status = run_json(client, &call, &arena, &root, reterr);
    if (!status && !th_value_copy(root, "hash", hash, 65))
        status = th_answer_unknown(client, "a component", reterr);
    th_arena_done(&arena);
    th_call_done(&call);
    return status;
}

static theater_status run_descriptor(th_client *client, th_call *call, const char *key, theater_hash *ret,
                                     theater_error *reterr)
{
    th_arena arena;
    const th_value *root;
    th_arena_init(&arena, TH_ANSWER_MAX);
    theater_status status = run_json(client, call, &arena, &root, reterr);
    if (!status && ret && !th_value_hash(root, key, ret))
        status = th_answer_unknown(client, "an actor's element", reterr);
    th_arena_done(&arena);
    th_call_done(call);
    return status;
}

/* One request with the component as its body and the rest as parameters, where the configuration can be a
 * parameter; otherwise two: the component, then JSON that names it. */
static theater_status submit(th_client *client, const char *path, const descriptor *self, const char *key,
                             theater_hash *ret, theater_error *reterr)
{
    bool in_query = self->config.size <= CONFIG_IN_QUERY &&
                    (self->config.size == 0 || !memchr(self->config.data, 0, self->config.size)) &&
                    !(self->has_component && self->component.size == 0);
    char hash[65] = "";
    th_buf target, body;
    th_buf_init(&target, (size_t)64 << 10);
    th_buf_init(&body, TH_ANSWER_MAX);
    theater_status status = THEATER_OK;
    if (!in_query && self->name && !th_name_valid(th_slice_text(self->name)))
        status =
            th_fail(reterr, THEATER_INVALID_ARGUMENT,
                    "\"%.140s\" is no name for an actor: labels of a-z 0-9 - _ joined by dots", self->name);
    if (!status)
        status = th_buf_append(&target, th_slice_text(path), reterr);
    if (!status && in_query)
        status = put_query(&target, self, reterr);
    else if (!status)
        status = th_buf_append_byte(&target, 0, reterr);
    if (!status && !in_query && self->has_component)
        status = upload(client, self->component, hash, reterr);
    if (!status && !in_query)
        status = put_json(&body, self, self->has_component ? hash : NULL, reterr);
    if (!status) {
        th_call call = {.method = "POST",
                        .path = (const char *)target.data,
                        .type = in_query ? "application/wasm" : "application/json",
                        .body = in_query ? self->component : th_buf_slice(&body)};
        status = run_descriptor(client, &call, key, ret, reterr);
    }
    th_buf_done(&target);
    th_buf_done(&body);
    return status;
}

theater_status th_client_start(th_client *client, const theater_actor_options *options,
                               theater_hash *ret_genesis, theater_error *reterr)
{
    descriptor self = {options->name,   options->component,       true,
                       options->config, options->config.size > 0, &options->limits};
    return submit(client, "/v1/actors", &self, "genesis", ret_genesis, reterr);
}

theater_status th_client_upgrade(th_client *client, const char *name, const theater_upgrade_options *options,
                                 theater_hash *ret_element, theater_error *reterr)
{
    char path[TH_PATH_MAX];
    descriptor self = {NULL,
                       options->component,
                       options->component.size > 0,
                       options->keep_config ? (th_slice){0} : options->config,
                       !options->keep_config,
                       options->keep_limits ? NULL : &options->limits};
    theater_status status = th_actor_path(path, name, reterr, "/upgrade");
    return status ? status : submit(client, path, &self, "element", ret_element, reterr);
}

/* ---- stopping ------------------------------------------------------------------------------------------ */

static theater_status change(th_client *client, const char *method, const char *name, const char *what,
                             theater_error *reterr)
{
    char path[TH_PATH_MAX];
    th_call call = {.method = method, .path = path};
    theater_status status = th_actor_path(path, name, reterr, "%s", what);
    if (!status)
        status = th_call_run(client, &call, reterr);
    th_call_done(&call);
    return status;
}

theater_status th_client_stop(th_client *client, const char *name, theater_error *reterr)
{
    return change(client, "POST", name, "/stop", reterr);
}

theater_status th_client_resume(th_client *client, const char *name, theater_error *reterr)
{
    return change(client, "POST", name, "/resume", reterr);
}

theater_status th_client_remove(th_client *client, const char *name, theater_error *reterr)
{
    return change(client, "DELETE", name, "", reterr);
}
