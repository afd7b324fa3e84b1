#include "cli/element_print.h"

#include <inttypes.h>
#include <stdio.h>

#include "chain/descriptor.h"

#define PREVIEW 28

/* ---- JSON ---------------------------------------------------------------------------------------------- */

static void put_descriptor(cli_output *out, const th_descriptor *descriptor)
{
    const struct {
        const char *name;
        uint64_t value;
    } limits[] = {{"fuel", descriptor->limits.fuel},
                  {"memory", descriptor->limits.memory},
                  {"state", descriptor->limits.state},
                  {"message", descriptor->limits.message},
                  {"effects", descriptor->limits.effects}};
    cli_json_object(out);
    cli_json_key(out, "name");
    cli_json_text(out, descriptor->name);
    cli_json_key(out, "component");
    cli_json_hash(out, &descriptor->component);
    cli_json_key(out, "config");
    cli_json_bytes(out, descriptor->config);
    cli_json_key(out, "limits");
    cli_json_object(out);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        cli_json_key(out, limits[i].name);
        cli_json_uint(out, limits[i].value);
    }
    cli_json_end(out, '}');
    cli_json_key(out, "engine");
    cli_json_text(out, descriptor->engine);
    cli_json_key(out, "world");
    cli_json_string(out, TH_WORLD);
    cli_json_end(out, '}');
}

static bool holds_descriptor(const theater_element *element)
{
    return element->type == THEATER_GENESIS || element->type == THEATER_UPGRADE;
}

static void put_input(cli_output *out, const theater_element *element)
{
    th_descriptor descriptor;
    if (element->input_dropped) {
        cli_json_null(out);
    } else if (holds_descriptor(element) && !th_descriptor_decode(element->input, &descriptor, NULL)) {
        cli_json_object(out);
        cli_json_key(out, "descriptor");
        put_descriptor(out, &descriptor);
        cli_json_end(out, '}');
    } else {
        cli_json_bytes(out, element->input);
    }
}

static void put_output(cli_output *out, const theater_element *element)
{
    if (element->output_dropped) {
        cli_json_null(out);
    } else if (element->type == THEATER_REJECTION) {
        cli_json_object(out);
        cli_json_key(out, "code");
        cli_json_uint(out, element->reject_code);
        cli_json_key(out, "message");
        cli_json_text(out, element->reject_text);
        cli_json_end(out, '}');
    } else {
        cli_json_bytes(out, element->output);
    }
}

static void put_cause(cli_output *out, const theater_element *element)
{
    static const char *const kinds[] = {"message", "reply", "notice"};
    if (element->cause == THEATER_CAUSE_NONE) {
        cli_json_null(out);
        return;
    }
    cli_json_object(out);
    cli_json_key(out, "kind");
    cli_json_string(out, kinds[element->cause]);
    cli_json_key(out, "actor");
    cli_json_text(out, element->cause_actor);
    if (element->cause != THEATER_CAUSE_NOTICE) {
        cli_json_key(out, "sequence");
        cli_json_uint(out, element->cause_sequence);
        cli_json_key(out, "hash");
        cli_json_hash(out, &element->cause_hash);
    }
    if (element->cause == THEATER_CAUSE_MESSAGE) {
        cli_json_key(out, "index");
        cli_json_uint(out, element->cause_index);
    } else {
        cli_json_key(out, "request");
        cli_json_uint(out, element->cause_request);
    }
    if (element->cause == THEATER_CAUSE_REPLY) {
        cli_json_key(out, "failed");
        cli_json_bool(out, element->cause_failed);
    }
    cli_json_end(out, '}');
}

void cli_element_json_fields(cli_output *out, const theater_element *element)
{
    cli_json_key(out, "sequence");
    cli_json_uint(out, element->sequence);
    cli_json_key(out, "hash");
    cli_json_hash(out, &element->hash);
    cli_json_key(out, "previous");
    cli_json_hash(out, &element->previous);
    cli_json_key(out, "type");
    cli_json_string(out, cli_type_word(element->type));
    cli_json_key(out, "timestamp");
    cli_json_uint(out, element->timestamp_ns);
    cli_json_key(out, "input");
    put_input(out, element);
    cli_json_key(out, "output");
    put_output(out, element);
    cli_json_key(out, "state_before");
    cli_json_hash(out, &element->state_before);
    cli_json_key(out, "state_after");
    cli_json_hash(out, &element->state_after);
    cli_json_key(out, "state_size");
    cli_json_uint(out, element->state_size);
    cli_json_key(out, "fuel");
    cli_json_uint(out, element->fuel);
    cli_json_key(out, "cause");
    put_cause(out, element);
    cli_json_key(out, "principal");
    if (element->has_principal)
        cli_json_text(out, element->principal);
    else
        cli_json_null(out);
    cli_json_key(out, "id");
    if (element->has_id)
        cli_json_bytes(out, element->id);
    else
        cli_json_null(out);
}

void cli_element_json(cli_output *out, const theater_element *element)
{
    cli_json_object(out);
    cli_element_json_fields(out, element);
    cli_json_end(out, '}');
    cli_json_line(out);
}

/* ---- the table ----------------------------------------------------------------------------------------- */

void cli_element_head(cli_output *out)
{
    cli_printf(out, "%8s  %-24s  %-10s  %-8s  %10s  %12s  %s\n", "SEQUENCE", "TIME", "TYPE", "HASH", "FUEL",
               "STATE", "INPUT -> OUTPUT");
}

static void put_preview(cli_output *out, th_slice bytes)
{
    if (cli_printable(bytes))
        cli_put_safe(out, bytes, PREVIEW);
    else
        cli_printf(out, "<%zu bytes>", bytes.size);
}

static void put_row_payloads(cli_output *out, const theater_element *element)
{
    th_descriptor descriptor;
    if (element->input_dropped)
        cli_puts(out, "<dropped>");
    else if (holds_descriptor(element) && !th_descriptor_decode(element->input, &descriptor, NULL))
        put_preview(out, descriptor.config);
    else
        put_preview(out, element->input);
    if (holds_descriptor(element))
        return;
    cli_puts(out, " -> ");
    if (element->output_dropped)
        cli_puts(out, "<dropped>");
    else if (element->type == THEATER_REJECTION)
        cli_put_safe(out, element->reject_text, PREVIEW);
    else
        put_preview(out, element->output);
}

void cli_element_row(cli_output *out, const theater_element *element)
{
    char time[CLI_TIME_SIZE], hex[9];
    cli_format_time(element->timestamp_ns, time);
    th_hex_encode(th_slice_of(element->hash.bytes, 4), hex);
    const char *colour = element->type == THEATER_REJECTION ? "31" : holds_descriptor(element) ? "36" : NULL;
    cli_printf(out, "%8" PRIu64 "  %-24s  ", element->sequence, time);
    if (colour)
        cli_colour(out, colour);
    cli_printf(out, "%-10s", cli_type_word(element->type));
    if (colour)
        cli_colour(out, "0");
    cli_printf(out, "  %s  %10" PRIu64 "  %12" PRIu64 "  ", hex, element->fuel, element->state_size);
    if (element->cause != THEATER_CAUSE_NONE)
        cli_printf(out, "[%.*s] ", (int)element->cause_actor.size, (const char *)element->cause_actor.data);
    put_row_payloads(out, element);
    cli_puts(out, "\n");
}
