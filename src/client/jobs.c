/* Verification and replay on the server itself: begun, then asked for until the report is there. */
#include "client/internal.h"

#include <poll.h>
#include <stdio.h>

#define ASK_FIRST_MS 20
#define ASK_MAX_MS 500

static theater_status begin(th_client *client, const char *name, bool replay,
                            const theater_check_options *options, uint64_t *ret_id, theater_error *reterr)
{
    char body[512], path[TH_PATH_MAX];
    th_arena arena;
    const th_value *root;
    th_arena_init(&arena, TH_ANSWER_MAX);
    theater_status status = name ? th_actor_path(path, name, reterr, "%s", "") : THEATER_OK;
    /* A name that passed has nothing that JSON would escape. */
    snprintf(body, sizeof body, "{\"kind\":\"%s\",\"all\":%s,\"pulley\":%s,\"actor\":%s%s%s}",
             replay ? "replay" : "verify", options->all ? "true" : "false",
             options->pulley ? "true" : "false", name ? "\"" : "", name ? name : "null", name ? "\"" : "");
    th_call call = {
        .method = "POST", .path = "/v1/jobs", .type = "application/json", .body = th_slice_text(body)};
    if (!status)
        status = th_call_run(client, &call, reterr);
    if (!status)
        status = th_call_json(client, &call, &arena, &root, reterr);
    if (!status && !th_value_uint(root, "id", ret_id))
        status = th_answer_unknown(client, "a job", reterr);
    th_arena_done(&arena);
    th_call_done(&call);
    return status;
}

/* *ret_ended: there is a report, or a failure (the status). */
static theater_status look(th_client *client, const th_value *root, const theater_check_options *options,
                           bool *ret_ended, theater_report *ret, theater_error *reterr)
{
    th_slice state, name, message;
    uint64_t done = 0, total = 0;
    theater_status failure = THEATER_IO;
    if (!th_value_text(root, "state", &state) || !th_value_uint(root, "done", &done) ||
        !th_value_uint(root, "total", &total))
        return th_answer_unknown(client, "a job", reterr);
    if (options->progress && total)
        options->progress(options->context, done, total);
    *ret_ended = true;
    if (th_slice_equal(state, th_slice_text("failed"))) {
        if (!th_value_text(root, "status", &name) || !th_decode_status(name, &failure) ||
            !th_value_text(root, "message", &message))
            return th_answer_unknown(client, "a job", reterr);
        return th_fail(reterr, failure, "%.*s", (int)(message.size < 1023 ? message.size : 1023),
                       (const char *)message.data);
    }
    if (th_slice_equal(state, th_slice_text("done")))
        return th_decode_report(client, th_value_member(root, "report"), ret)
                   ? THEATER_OK
                   : th_answer_unknown(client, "a report", reterr);
    *ret_ended = false;
    return THEATER_OK;
}

theater_status th_client_job(th_client *client, const char *name, bool replay,
                             const theater_check_options *options, theater_report *ret, theater_error *reterr)
{
    uint64_t id;
    bool over = false;
    char path[64];
    int pause = ASK_FIRST_MS;
    theater_status status = begin(client, name, replay, options, &id, reterr);
    while (!status && !over) {
        th_arena arena;
        const th_value *root;
        poll(NULL, 0, pause);
        pause = pause * 2 < ASK_MAX_MS ? pause * 2 : ASK_MAX_MS;
        snprintf(path, sizeof path, "/v1/jobs/%llu", (unsigned long long)id);
        th_call call = {.method = "GET", .path = path};
        th_arena_init(&arena, TH_ANSWER_MAX);
        status = th_call_run(client, &call, reterr);
        if (!status)
            status = th_call_json(client, &call, &arena, &root, reterr);
        if (!status)
            status = look(client, root, options, &over, ret, reterr);
        th_arena_done(&arena);
        th_call_done(&call);
    }
    return status;
}
