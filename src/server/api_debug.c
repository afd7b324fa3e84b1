/* Turns to be looked at: a recorded one run again, and an input that is tried. Nothing is recorded, so both are
 * reads. On the pool: they take as long as the turns since the snapshot before. */
#include "server/internal.h"

static void put_logs(th_json *json, const theater_trial *trial)
{
    static const char *const levels[] = {"trace", "debug", "info", "warn", "error"};
    th_json_key(json, "log");
    th_json_open(json, '[');
    for (size_t i = 0; i < trial->log_count && !json->status; i++) {
        th_json_open(json, '{');
        th_json_field_string(json, "level", levels[trial->logs[i].level % 5]);
        th_json_key(json, "message");
        th_json_text(json, trial->logs[i].text);
        th_json_close(json, '}');
    }
    th_json_close(json, ']');
}

static void put_messages(th_json *json, const theater_trial *trial)
{
    th_json_key(json, "effects");
    th_json_open(json, '[');
    for (size_t i = 0; i < trial->message_count && !json->status; i++) {
        const theater_turn_message *message = &trial->messages[i];
        th_json_open(json, '{');
        th_json_field_string(json, "kind", message->request ? "request" : "send");
        th_json_key(json, "to");
        th_json_text(json, message->to);
        th_json_key(json, "payload");
        th_json_bytes(json, message->payload);
        th_json_key(json, "request");
        if (message->request)
            th_json_uint(json, message->request);
        else
            th_json_null(json);
        th_json_close(json, '}');
    }
    th_json_close(json, ']');
}

static void put_text_or_null(th_json *json, const char *name, bool there, th_slice text)
{
    th_json_key(json, name);
    if (there)
        th_json_text(json, text);
    else
        th_json_null(json);
}

/* The fields that both documents have. */
static void put_trial(th_json *json, const theater_trial *trial)
{
    th_json_field_string(json, "outcome", trial->rejected ? "rejected" : "ok");
    th_json_key(json, "code");
    if (trial->rejected)
        th_json_uint(json, trial->reject_code);
    else
        th_json_null(json);
    put_text_or_null(json, "message", trial->rejected, trial->reject_text);
    put_text_or_null(json, "detail", trial->detail.size > 0, trial->detail);
    th_json_key(json, "output");
    if (trial->rejected)
        th_json_null(json);
    else
        th_json_bytes(json, trial->output);
    th_json_field_uint(json, "sequence", trial->sequence);
    th_json_field_uint(json, "timestamp", trial->timestamp_ns);
    th_json_field_uint(json, "fuel", trial->fuel);
    th_json_field_hash(json, "state_root", &trial->state_root);
    th_json_field_uint(json, "state_size", trial->state_size);
    put_logs(json, trial);
    put_messages(json, trial);
}

static void put_differences(th_json *json, unsigned differences)
{
    th_json_key(json, "matches");
    th_json_bool(json, differences == 0);
    th_json_key(json, "differs");
    th_json_open(json, '[');
    for (unsigned bit = THEATER_DIFFERS_TYPE; bit <= THEATER_DIFFERS_UNDECIDED; bit <<= 1) {
        const char *text = theater_difference_text((theater_turn_difference)bit);
        if ((differences & bit) && text)
            th_json_string(json, text);
    }
    th_json_close(json, ']');
}

void th_work_rerun(th_exchange *x, theater_folder *folder)
{
    theater_actor_info info;
    uint64_t sequence;
    theater_trial trial;
    theater_error error = {0};
    theater_status status = th_find_actor(x, folder, &info, &error);
    if (!status)
        status = th_find_sequence(x, &info, &sequence, &error);
    if (!status)
        status = theater_rerun(folder, info.id, sequence, &trial, &error);
    if (status) {
        th_reply_error(x, &error);
        return;
    }
    th_json json = th_reply_json(x, 200);
    th_json_open(&json, '{');
    put_trial(&json, &trial);
    put_differences(&json, trial.differences);
    th_json_close(&json, '}');
    th_reply_json_end(x, &json);
    theater_trial_done(&trial);
}

void th_work_try(th_exchange *x, theater_folder *folder)
{
    theater_actor_info info;
    theater_trial trial;
    theater_error error = {0};
    bool with_state = false;
    theater_try_options options = {.input = th_buf_slice(&x->body),
                                   .principal = x->has_principal ? x->principal : NULL};
    theater_status status = th_find_actor(x, folder, &info, &error);
    if (!status) {
        options.after = info.elements - 1;
        status = th_exchange_number(x, "at", &options.after, &error);
    }
    if (!status)
        status = th_exchange_flag(x, "state", &with_state, &error);
    if (!status)
        status = theater_try(folder, info.id, &options, &trial, &error);
    if (status) {
        th_reply_error(x, &error);
        return;
    }
    th_json json = th_reply_json(x, 200);
    th_json_open(&json, '{');
    th_json_field_uint(&json, "at", options.after);
    put_trial(&json, &trial);
    if (with_state) {
        th_json_key(&json, "state");
        th_json_bytes(&json, trial.state);
    }
    th_json_close(&json, '}');
    th_reply_json_end(x, &json);
    theater_trial_done(&trial);
}
