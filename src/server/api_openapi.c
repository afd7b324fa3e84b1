/* GET /v1/openapi.json: OpenAPI 3.1, printed from the table of routes. */
#include <stdio.h>

#include "server/internal.h"

static void put_parameter(th_json *json, const char *where, th_slice name, th_slice meaning)
{
    th_json_open(json, '{');
    th_json_key(json, "name");
    th_json_text(json, name);
    th_json_field_string(json, "in", where);
    th_json_key(json, "required");
    th_json_bool(json, strcmp(where, "path") == 0);
    if (meaning.size) {
        th_json_key(json, "description");
        th_json_text(json, meaning);
    }
    th_json_key(json, "schema");
    th_json_open(json, '{');
    th_json_field_string(json, "type", "string");
    th_json_close(json, '}');
    th_json_close(json, '}');
}

static void put_parameters(th_json *json, const th_route *route)
{
    th_json_key(json, "parameters");
    th_json_open(json, '[');
    for (const char *at = strchr(route->pattern, '{'); at; at = strchr(at + 1, '{'))
        put_parameter(json, "path", th_slice_of(at + 1, strcspn(at + 1, "}")), (th_slice){0});
    for (const char *at = route->query; at && *at;) {
        size_t size = strcspn(at, ";"), name = strcspn(at, "=;"), meaning = name + (name < size);
        put_parameter(json, "query", th_slice_of(at, name), th_slice_of(at + meaning, size - meaning));
        at += size;
        at += *at == ';';
    }
    if (strcmp(route->id, "message") == 0)
        put_parameter(
            json, "header", th_slice_text("Idempotency-Key"),
            th_slice_text("1 to 64 bytes: the same key runs once and gives the first answer again"));
    th_json_close(json, ']');
}

static void put_content(th_json *json, const char *types)
{
    th_json_key(json, "content");
    th_json_open(json, '{');
    while (types && *types) {
        size_t size = strcspn(types, ",");
        char type[64];
        snprintf(type, sizeof type, "%.*s", (int)size, types);
        th_json_key(json, type);
        th_json_open(json, '{');
        th_json_close(json, '}');
        types += size;
        types += strspn(types, ", ");
    }
    th_json_close(json, '}');
}

static void put_operation(th_json *json, const th_route *route)
{
    static const char *const methods[] = {[HTTP_GET] = "get", [HTTP_POST] = "post", [HTTP_DELETE] = "delete"};
    char success[8];
    snprintf(success, sizeof success, "%u", route->success);
    th_json_key(json, methods[route->method]);
    th_json_open(json, '{');
    th_json_field_string(json, "operationId", route->id);
    th_json_field_string(json, "summary", route->summary);
    put_parameters(json, route);
    if (route->request) {
        th_json_key(json, "requestBody");
        th_json_open(json, '{');
        put_content(json, route->request);
        th_json_close(json, '}');
    }
    th_json_key(json, "responses");
    th_json_open(json, '{');
    th_json_key(json, success);
    th_json_open(json, '{');
    th_json_field_string(json, "description", th_http_reason(route->success));
    if (route->response)
        put_content(json, route->response);
    th_json_close(json, '}');
    th_json_key(json, "default");
    th_json_open(json, '{');
    th_json_field_string(json, "$ref", "#/components/responses/Problem");
    th_json_close(json, '}');
    th_json_close(json, '}');
    th_json_key(json, "security");
    th_json_open(json, '[');
    if (route->scope != TH_SCOPE_NONE) {
        th_json_open(json, '{');
        th_json_key(json, "token");
        th_json_open(json, '[');
        th_json_string(json, route->scope == TH_SCOPE_READ ? "read" : "write");
        th_json_close(json, ']');
        th_json_close(json, '}');
    }
    th_json_close(json, ']');
    th_json_close(json, '}');
}

static void put_paths(th_json *json)
{
    th_json_key(json, "paths");
    th_json_open(json, '{');
    for (size_t i = 0; i < th_route_count; i++) {
        size_t first = 0;
        while (strcmp(th_routes[first].pattern, th_routes[i].pattern) != 0)
            first++;
        if (first < i)
            continue;
        th_json_key(json, th_routes[i].pattern);
        th_json_open(json, '{');
        for (size_t k = i; k < th_route_count; k++)
            if (strcmp(th_routes[k].pattern, th_routes[i].pattern) == 0)
                put_operation(json, &th_routes[k]);
        th_json_close(json, '}');
    }
    th_json_close(json, '}');
}

static void put_components(th_json *json)
{
    static const char text[] =
        "{\"securitySchemes\":{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\"}},"
        "\"responses\":{\"Problem\":{\"description\":\"A problem document (RFC "
        "9457)\",\"content\":{\"application/problem+json\":"
        "{\"schema\":{\"$ref\":\"#/components/schemas/Problem\"}}}}},"
        "\"schemas\":{\"Problem\":{\"type\":\"object\",\"required\":[\"type\",\"title\",\"status\","
        "\"detail\"],\"properties\":{"
        "\"type\":{\"type\":\"string\"},\"title\":{\"type\":\"string\"},\"status\":{\"type\":\"integer\"},"
        "\"detail\":{\"type\":\"string\"},"
        "\"code\":{\"type\":\"integer\",\"description\":\"Of a rejection: the code of the chain format\"},"
        "\"sequence\":{\"type\":\"integer\"},\"element\":{\"type\":\"string\"},\"state_root\":{\"type\":"
        "\"string\"},"
        "\"fuel\":{\"type\":\"integer\"}}}}}";
    th_json_key(json, "components");
    if (!json->status)
        json->status = th_buf_append(json->out, th_slice_text(text), NULL);
    json->comma = true;
}

void th_api_openapi(th_exchange *x)
{
    th_json json = th_reply_json(x, 200);
    th_json_open(&json, '{');
    th_json_field_string(&json, "openapi", "3.1.0");
    th_json_key(&json, "info");
    th_json_open(&json, '{');
    th_json_field_string(&json, "title", "Theater");
    th_json_field_string(&json, "version", theater_version());
    th_json_field_string(
        &json, "description",
        "Verifiable deterministic actors over HTTP; docs/http-api.md explains it with examples");
    th_json_close(&json, '}');
    put_paths(&json);
    put_components(&json);
    th_json_close(&json, '}');
    th_reply_json_end(x, &json);
    th_exchange_reply(x);
}
