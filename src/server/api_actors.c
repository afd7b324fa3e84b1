/* Starting, stopping, upgrading and removing actors: on the pool, because each waits until it is durable. */
#include <jansson.h>
#include <stdio.h>
#include <strings.h>

#include "crypto/base64.h"
#include "server/internal.h"

/* What a start or an upgrade asks for. */
typedef struct actor_request {
    char name[TH_SEGMENT_MAX];
    theater_bytes component; /* owned; empty: none */
    bool has_component;      /* `component` or the body */
    theater_slice binary;
    th_buf config;
    bool has_config, has_limits;
    theater_limits limits;
} actor_request;

static void request_done(actor_request *self)
{
    theater_bytes_free(&self->component);
    th_buf_done(&self->config);
}

typedef struct limit_name {
    const char *name;
    uint64_t *value;
} limit_name;

static void limit_names(theater_limits *limits, limit_name out[5])
{
    out[0] = (limit_name){"fuel", &limits->fuel};
    out[1] = (limit_name){"memory", &limits->memory_bytes};
    out[2] = (limit_name){"state", &limits->state_bytes};
    out[3] = (limit_name){"message", &limits->message_bytes};
    out[4] = (limit_name){"effects", &limits->effects_bytes};
}

/* ---- from JSON ----------------------------------------------------------------------------------------- */

static theater_status read_bytes(const json_t *value, const char *what, th_buf *out, theater_error *reterr)
{
    const json_t *coded = json_is_object(value) ? json_object_get(value, "base64") : NULL;
    if (json_is_string(value))
        return th_buf_append(out, th_slice_of(json_string_value(value), json_string_length(value)), reterr);
    if (!json_is_string(coded) || json_object_size(value) != 1)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "\"%s\" is a string or {\"base64\": \"...\"}", what);
    uint8_t *room;
    size_t size, most = json_string_length(coded) / 4 * 3;
    theater_status status = th_buf_extend(out, most, &room, reterr);
    if (status)
        return status;
    if (!th_base64_decode(th_slice_of(json_string_value(coded), json_string_length(coded)), room, most,
                          &size))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "\"%s\" holds what is no base64", what);
    out->size -= most - size;
    return THEATER_OK;
}

static theater_status read_limits(const json_t *value, actor_request *self, theater_error *reterr)
{
    limit_name names[5];
    limit_names(&self->limits, names);
    const char *key;
    json_t *number;
    if (!json_is_object(value))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "\"limits\" is an object");
    self->has_limits = true;
    json_object_foreach((json_t *)value, key, number)
    {
        size_t i = 0;
        while (i < 5 && strcmp(names[i].name, key) != 0)
            i++;
        if (i == 5 || !json_is_integer(number) || json_integer_value(number) <= 0)
            return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                           "\"limits\" has numbers above 0 named fuel, memory, state, message and effects");
        *names[i].value = (uint64_t)json_integer_value(number);
    }
    return THEATER_OK;
}

static theater_status read_member(th_exchange *x, theater_folder *folder, const char *key,
                                  const json_t *value, actor_request *self, theater_error *reterr)
{
    const char *text = json_string_value(value);
    if (strcmp(key, "config") == 0) {
        self->has_config = true;
        return read_bytes(value, "config", &self->config, reterr);
    }
    if (strcmp(key, "limits") == 0)
        return read_limits(value, self, reterr);
    if (strcmp(key, "name") == 0 && text && strlen(text) < sizeof self->name) {
        snprintf(self->name, sizeof self->name, "%s", text);
        return THEATER_OK;
    }
    if (strcmp(key, "component") == 0 && text) {
        self->has_component = true;
        theater_status status = th_component_get(x->server, folder, text, &self->component, reterr);
        self->binary = th_slice_of(self->component.data, self->component.size);
        return status;
    }
    return th_fail(reterr, THEATER_INVALID_ARGUMENT, "\"%.40s\" is not known here, or not of the right kind",
                   key);
}

static theater_status from_json(th_exchange *x, theater_folder *folder, actor_request *self,
                                theater_error *reterr)
{
    json_error_t place;
    json_t *root = json_loadb((const char *)x->body.data, x->body.size, JSON_REJECT_DUPLICATES, &place);
    if (!root)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "the body is no JSON: line %d: %s", place.line,
                       place.text);
    theater_status status = THEATER_OK;
    const char *key;
    json_t *value;
    if (!json_is_object(root))
        status = th_fail(reterr, THEATER_INVALID_ARGUMENT, "the body is a JSON object");
    json_object_foreach(root, key, value)
    {
        if (!status)
            status = read_member(x, folder, key, value, self, reterr);
    }
    json_decref(root);
    return status;
}

/* ---- from a component with parameters ------------------------------------------------------------------ */

static theater_status from_query(th_exchange *x, actor_request *self, theater_error *reterr)
{
    limit_name names[5];
    limit_names(&self->limits, names);
    bool given;
    char config[8192];
    self->binary = th_buf_slice(&x->body);
    self->has_component = x->body.size > 0;
    theater_status status = th_exchange_query(x, "name", self->name, sizeof self->name, &given, reterr);
    if (!status)
        status = th_exchange_query(x, "config", config, sizeof config, &self->has_config, reterr);
    if (!status && self->has_config)
        status = th_buf_append(&self->config, th_slice_text(config), reterr);
    for (size_t i = 0; !status && i < 5; i++) {
        status = th_exchange_number(x, names[i].name, names[i].value, reterr);
        self->has_limits |= *names[i].value != 0;
    }
    return status;
}

static theater_status read_request(th_exchange *x, theater_folder *folder, actor_request *self,
                                   theater_error *reterr)
{
    memset(self, 0, sizeof *self);
    th_buf_init(&self->config, (size_t)x->server->options.max_body_bytes);
    const char *type = th_exchange_header(x, "content-type");
    if (type && strncasecmp(type, "application/json", 16) == 0)
        return from_json(x, folder, self, reterr);
    if (type && (strncasecmp(type, "application/wasm", 16) == 0 ||
                 strncasecmp(type, "application/octet-stream", 24) == 0))
        return from_query(x, self, reterr);
    return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                   "the Content-Type is application/json or application/wasm");
}

static void reply_element(th_exchange *x, unsigned http, const char *name, const char *key,
                          const theater_hash *hash)
{
    th_json json = th_reply_json(x, http);
    th_json_open(&json, '{');
    th_json_field_string(&json, "actor", name);
    th_json_field_hash(&json, key, hash);
    th_json_close(&json, '}');
    th_reply_json_end(x, &json);
}

static void work_start(th_exchange *x, theater_folder *folder)
{
    actor_request request;
    theater_error error = {0};
    theater_hash genesis;
    theater_status status = read_request(x, folder, &request, &error);
    if (!status && !request.has_component)
        status = th_fail(&error, THEATER_INVALID_ARGUMENT, "a component is missing");
    if (!status) {
        theater_actor_options options = {request.name, request.binary, th_buf_slice(&request.config),
                                         request.limits};
        status = theater_actor_start(x->server->runtime, &options, &genesis, &error);
    }
    if (status) {
        th_reply_error(x, &error);
    } else {
        th_reply_header(x, "Location: /v1/actors/%s", request.name);
        reply_element(x, 201, request.name, "genesis", &genesis);
    }
    request_done(&request);
}

static void work_upgrade(th_exchange *x, theater_folder *folder)
{
    actor_request request;
    theater_error error = {0};
    theater_hash element;
    theater_status status = read_request(x, folder, &request, &error);
    if (!status && request.name[0])
        status = th_fail(&error, THEATER_INVALID_ARGUMENT, "an upgrade keeps the name");
    if (!status) {
        theater_upgrade_options options = {request.binary, th_buf_slice(&request.config), request.limits,
                                           !request.has_config, !request.has_limits};
        status = theater_actor_upgrade(x->server->runtime, x->segments[0], &options, &element, &error);
    }
    if (status)
        th_reply_error(x, &error);
    else
        reply_element(x, 200, x->segments[0], "element", &element);
    request_done(&request);
}

/* ---- the others ---------------------------------------------------------------------------------------- */

static void change(th_exchange *x, theater_status (*run)(theater_runtime *, const char *, theater_error *))
{
    theater_error error = {0};
    if (run(x->server->runtime, x->segments[0], &error))
        th_reply_error(x, &error);
    else
        th_reply_text(x, 204, NULL, (th_slice){0});
}

static void work_stop(th_exchange *x, theater_folder *folder)
{
    (void)folder;
    change(x, theater_actor_stop);
}

static void work_resume(th_exchange *x, theater_folder *folder)
{
    (void)folder;
    change(x, theater_actor_resume);
}

static void work_remove(th_exchange *x, theater_folder *folder)
{
    (void)folder;
    change(x, theater_remove);
}

void th_api_actor_start(th_exchange *x)
{
    th_exchange_work(x, work_start);
}

void th_api_actor_upgrade(th_exchange *x)
{
    th_exchange_work(x, work_upgrade);
}

void th_api_actor_stop(th_exchange *x)
{
    th_exchange_work(x, work_stop);
}

void th_api_actor_resume(th_exchange *x)
{
    th_exchange_work(x, work_resume);
}

void th_api_actor_remove(th_exchange *x)
{
    th_exchange_work(x, work_remove);
}
