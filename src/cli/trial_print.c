#include "cli/trial_print.h"

#include <inttypes.h>
#include <stdio.h>

static const char *level_word(unsigned level)
{
    static const char *const words[] = {"trace", "debug", "info", "warn", "error"};
    return level < 5 ? words[level] : "unknown";
}

/* ---- JSON ---------------------------------------------------------------------------------------------- */

static void text_or_null(cli_output *out, const char *key, bool there, th_slice text)
{
    cli_json_key(out, key);
    if (there)
        cli_json_text(out, text);
    else
        cli_json_null(out);
}

static void put_lists(cli_output *out, const theater_trial *trial)
{
    cli_json_key(out, "log");
    cli_json_array(out);
    for (size_t i = 0; i < trial->log_count; i++) {
        cli_json_object(out);
        cli_json_key(out, "level");
        cli_json_string(out, level_word(trial->logs[i].level));
        cli_json_key(out, "message");
        cli_json_text(out, trial->logs[i].text);
        cli_json_end(out, '}');
    }
    cli_json_end(out, ']');
    cli_json_key(out, "effects");
    cli_json_array(out);
    for (size_t i = 0; i < trial->message_count; i++) {
        const theater_turn_message *message = &trial->messages[i];
        cli_json_object(out);
        cli_json_key(out, "kind");
        cli_json_string(out, message->request ? "request" : "send");
        cli_json_key(out, "to");
        cli_json_text(out, message->to);
        cli_json_key(out, "payload");
        cli_json_bytes(out, message->payload);
        cli_json_key(out, "request");
        if (message->request)
            cli_json_uint(out, message->request);
        else
            cli_json_null(out);
        cli_json_end(out, '}');
    }
    cli_json_end(out, ']');
}

void cli_trial_json(cli_output *out, const theater_trial *trial)
{
    cli_json_key(out, "outcome");
    cli_json_string(out, trial->rejected ? "rejected" : "ok");
    cli_json_key(out, "code");
    if (trial->rejected)
        cli_json_uint(out, trial->reject_code);
    else
        cli_json_null(out);
    text_or_null(out, "message", trial->rejected, trial->reject_text);
    text_or_null(out, "detail", trial->detail.size > 0, trial->detail);
    cli_json_key(out, "output");
    if (trial->rejected)
        cli_json_null(out);
    else
        cli_json_bytes(out, trial->output);
    cli_json_key(out, "sequence");
    cli_json_uint(out, trial->sequence);
    cli_json_key(out, "timestamp");
    cli_json_uint(out, trial->timestamp_ns);
    cli_json_key(out, "fuel");
    cli_json_uint(out, trial->fuel);
    cli_json_key(out, "state_root");
    cli_json_hash(out, &trial->state_root);
    cli_json_key(out, "state_size");
    cli_json_uint(out, trial->state_size);
    put_lists(out, trial);
}

/* ---- for people ---------------------------------------------------------------------------------------- */

#define SHOWN ((size_t)2000) /* of one payload */

static void put_payload(cli_output *out, th_slice bytes)
{
    if (cli_printable(bytes))
        cli_put_safe(out, bytes, SHOWN);
    else
        cli_printf(out, "<%zu bytes>", bytes.size);
    cli_puts(out, "\n");
}

void cli_trial_text(cli_output *out, const theater_trial *trial)
{
    char time[CLI_TIME_SIZE], root[2 * THEATER_HASH_SIZE + 1];
    cli_format_time(trial->timestamp_ns, time);
    th_hex_encode(th_slice_of(trial->state_root.bytes, sizeof trial->state_root.bytes), root);
    if (trial->rejected) {
        cli_colour(out, "31");
        cli_printf(out, "rejected");
        cli_colour(out, "0");
        cli_printf(out, "    code %" PRIu64 ": ", trial->reject_code);
        put_payload(out, trial->reject_text);
    } else {
        cli_puts(out, "output      ");
        put_payload(out, trial->output);
    }
    for (size_t from = 0; from < trial->detail.size;) {
        th_slice rest = th_slice_of(trial->detail.data + from, trial->detail.size - from);
        const uint8_t *end = memchr(rest.data, '\n', rest.size);
        size_t size = end ? (size_t)(end - rest.data) : rest.size;
        cli_puts(out, "            ");
        cli_put_safe(out, th_slice_of(rest.data, size), SHOWN);
        cli_puts(out, "\n");
        from += size + 1;
    }
    for (size_t i = 0; i < trial->log_count; i++) {
        cli_printf(out, "log         %s: ", level_word(trial->logs[i].level));
        put_payload(out, trial->logs[i].text);
    }
    for (size_t i = 0; i < trial->message_count; i++) {
        const theater_turn_message *message = &trial->messages[i];
        cli_printf(out, "%-11s to %.*s: ", message->request ? "request" : "send", (int)message->to.size,
                   (const char *)message->to.data);
        put_payload(out, message->payload);
    }
    cli_printf(out, "state       %" PRIu64 " bytes, root %s\n", trial->state_size, root);
    cli_printf(out, "fuel        %" PRIu64 "\n", trial->fuel);
    cli_printf(out, "sequence    %" PRIu64 ", at %s\n", trial->sequence, time);
}

void cli_trial_differences(const theater_trial *trial, char *out, size_t room)
{
    size_t used = 0;
    out[0] = 0;
    for (unsigned bit = THEATER_DIFFERS_TYPE; bit <= THEATER_DIFFERS_UNDECIDED; bit <<= 1) {
        const char *text = theater_difference_text((theater_turn_difference)bit);
        if ((trial->differences & bit) && text && used < room)
            used += (size_t)snprintf(out + used, room - used, "%s%s", used ? ", " : "", text);
    }
}
