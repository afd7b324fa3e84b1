/* Elements and actors as JSON: the same keys as the command line prints (docs/cli.md). */
#include "chain/descriptor.h"
#include "server/json.h"

static const char *type_word(theater_element_type type)
{
    static const char *const words[] = {"genesis", "transition", "rejection", "upgrade"};
    return (unsigned)type < 4 ? words[type] : "unknown";
}

static const char *status_word(theater_actor_status status)
{
    static const char *const words[] = {"starting", "running", "stopped", "removed", "archive"};
    return (unsigned)status < 5 ? words[status] : "unknown";
}

static void put_limits(th_json *json, const theater_limits *limits)
{
    th_json_key(json, "limits");
    th_json_open(json, '{');
    th_json_field_uint(json, "fuel", limits->fuel);
    th_json_field_uint(json, "memory", limits->memory_bytes);
    th_json_field_uint(json, "state", limits->state_bytes);
    th_json_field_uint(json, "message", limits->message_bytes);
    th_json_field_uint(json, "effects", limits->effects_bytes);
    th_json_close(json, '}');
}

static void put_descriptor(th_json *json, const th_descriptor *descriptor)
{
    theater_limits limits = {descriptor->limits.fuel, descriptor->limits.memory, descriptor->limits.state,
                             descriptor->limits.message, descriptor->limits.effects};
    th_json_open(json, '{');
    th_json_key(json, "descriptor");
    th_json_open(json, '{');
    th_json_key(json, "name");
    th_json_text(json, descriptor->name);
    th_json_field_hash(json, "component", &descriptor->component);
    th_json_key(json, "config");
    th_json_bytes(json, descriptor->config);
    put_limits(json, &limits);
    th_json_key(json, "engine");
    th_json_text(json, descriptor->engine);
    th_json_field_string(json, "world", TH_WORLD);
    th_json_close(json, '}');
    th_json_close(json, '}');
}

static void put_input(th_json *json, const theater_element *element)
{
    bool described = element->type == THEATER_GENESIS || element->type == THEATER_UPGRADE;
    th_descriptor descriptor;
    th_json_key(json, "input");
    if (element->input_dropped)
        th_json_null(json);
    else if (described && !th_descriptor_decode(element->input, &descriptor, NULL))
        put_descriptor(json, &descriptor);
    else
        th_json_bytes(json, element->input);
}

static void put_output(th_json *json, const theater_element *element)
{
    th_json_key(json, "output");
    if (element->output_dropped) {
        th_json_null(json);
    } else if (element->type == THEATER_REJECTION) {
        th_json_open(json, '{');
        th_json_field_uint(json, "code", element->reject_code);
        th_json_key(json, "message");
        th_json_text(json, element->reject_text);
        th_json_close(json, '}');
    } else {
        th_json_bytes(json, element->output);
    }
}

static void put_cause(th_json *json, const theater_element *element)
{
    static const char *const kinds[] = {"message", "reply", "notice"};
    th_json_key(json, "cause");
    if (element->cause == THEATER_CAUSE_NONE) {
        th_json_null(json);
        return;
    }
    th_json_open(json, '{');
    th_json_field_string(json, "kind", kinds[element->cause]);
    th_json_key(json, "actor");
    th_json_text(json, element->cause_actor);
    if (element->cause != THEATER_CAUSE_NOTICE) {
        th_json_field_uint(json, "sequence", element->cause_sequence);
        th_json_field_hash(json, "hash", &element->cause_hash);
    }
    if (element->cause == THEATER_CAUSE_MESSAGE)
        th_json_field_uint(json, "index", element->cause_index);
    else
        th_json_field_uint(json, "request", element->cause_request);
    if (element->cause == THEATER_CAUSE_REPLY) {
        th_json_key(json, "failed");
        th_json_bool(json, element->cause_failed);
    }
    th_json_close(json, '}');
}

void th_json_element_fields(th_json *json, const theater_element *element)
{
    th_json_field_uint(json, "sequence", element->sequence);
    th_json_field_hash(json, "hash", &element->hash);
    th_json_field_hash(json, "previous", &element->previous);
    th_json_field_string(json, "type", type_word(element->type));
    th_json_field_uint(json, "timestamp", element->timestamp_ns);
    put_input(json, element);
    put_output(json, element);
    th_json_field_hash(json, "state_before", &element->state_before);
    th_json_field_hash(json, "state_after", &element->state_after);
    th_json_field_uint(json, "state_size", element->state_size);
    th_json_field_uint(json, "fuel", element->fuel);
    put_cause(json, element);
    th_json_key(json, "principal");
    if (element->has_principal)
        th_json_text(json, element->principal);
    else
        th_json_null(json);
    th_json_key(json, "id");
    if (element->has_id)
        th_json_bytes(json, element->id);
    else
        th_json_null(json);
}

void th_json_element(th_json *json, const theater_element *element)
{
    th_json_open(json, '{');
    th_json_element_fields(json, element);
    th_json_close(json, '}');
}

void th_json_actor(th_json *json, const theater_actor_info *info)
{
    th_json_open(json, '{');
    th_json_field_string(json, "name", info->name);
    th_json_field_uint(json, "id", info->id);
    th_json_field_string(json, "status", status_word(info->elements ? info->status : 0));
    th_json_field_uint(json, "elements", info->elements);
    if (info->elements) {
        th_json_field_hash(json, "genesis", &info->genesis);
        th_json_field_hash(json, "head", &info->head);
        th_json_field_uint(json, "timestamp", info->head_timestamp_ns);
        th_json_field_uint(json, "state_size", info->state_size);
        th_json_field_hash(json, "state_root", &info->state_root);
        th_json_field_hash(json, "component", &info->component);
        th_json_field_string(json, "engine", info->engine);
        put_limits(json, &info->limits);
        th_json_key(json, "snapshot");
        if (info->has_snapshot)
            th_json_uint(json, info->snapshot_sequence);
        else
            th_json_null(json);
        th_json_field_uint(json, "checkpoint_size", info->checkpoint_size);
        th_json_field_uint(json, "undelivered", info->undelivered);
    }
    th_json_close(json, '}');
}
