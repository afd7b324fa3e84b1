/* Proofs and keys (on the pool), and checkpoints (which wait for the runtime, so on the pool too). */
#include "server/internal.h"

static void reply_bytes(th_exchange *x, unsigned http, theater_bytes *take)
{
    th_reply_text(x, http, "text/plain; charset=utf-8", th_slice_of(take->data, take->size));
    theater_bytes_free(take);
}

/* `note` empty: under the newest checkpoint. */
static void prove_inclusion(th_exchange *x, theater_folder *folder, th_slice note)
{
    theater_actor_info info;
    theater_bytes proof;
    uint64_t sequence;
    theater_error error = {0};
    theater_status status = th_find_actor(x, folder, &info, &error);
    if (!status)
        status = th_find_sequence(x, &info, &sequence, &error);
    if (!status)
        status = theater_prove_inclusion(folder, info.id, sequence, note, &proof, &error);
    if (status)
        th_reply_error(x, &error);
    else
        reply_bytes(x, 200, &proof);
}

void th_work_inclusion(th_exchange *x, theater_folder *folder)
{
    prove_inclusion(x, folder, (th_slice){0});
}

void th_work_inclusion_under(th_exchange *x, theater_folder *folder)
{
    theater_error error;
    if (x->body.size > 0) {
        prove_inclusion(x, folder, th_buf_slice(&x->body));
        return;
    }
    th_fail(&error, THEATER_INVALID_ARGUMENT, "the body is the checkpoint to prove against");
    th_reply_error(x, &error);
}

/* The body is the older checkpoint, or with ?older= its size and behind it the newer one. */
static theater_status split_notes(th_exchange *x, th_slice *ret_older, th_slice *ret_newer,
                                  theater_error *reterr)
{
    uint64_t size = x->body.size;
    theater_status status = th_exchange_number(x, "older", &size, reterr);
    if (!status && size > x->body.size)
        status =
            th_fail(reterr, THEATER_INVALID_ARGUMENT,
                    "the parameter older is the size of the older checkpoint, with which the body begins");
    if (status)
        return status;
    *ret_older = th_slice_of(x->body.data, (size_t)size);
    *ret_newer = th_slice_of(x->body.size ? x->body.data + size : NULL, x->body.size - (size_t)size);
    return THEATER_OK;
}

void th_work_consistency(th_exchange *x, theater_folder *folder)
{
    theater_actor_info info;
    theater_bytes proof;
    theater_error error = {0};
    th_slice older, newer;
    theater_status status = th_find_actor(x, folder, &info, &error);
    if (!status)
        status = split_notes(x, &older, &newer, &error);
    if (!status)
        status = theater_prove_consistency(folder, info.id, older, newer, &proof, &error);
    if (status)
        th_reply_error(x, &error);
    else
        reply_bytes(x, 200, &proof);
}

void th_work_key(th_exchange *x, theater_folder *folder)
{
    theater_actor_info info;
    theater_bytes key;
    theater_error error = {0};
    theater_status status = th_find_actor(x, folder, &info, &error);
    if (!status)
        status = theater_verifier_key(folder, info.id, &key, &error);
    if (status)
        th_reply_error(x, &error);
    else
        reply_bytes(x, 200, &key);
}

static void work_checkpoint(th_exchange *x, theater_folder *folder)
{
    (void)folder;
    theater_bytes note;
    theater_error error = {0};
    if (theater_checkpoint(x->server->runtime, x->segments[0], &note, &error))
        th_reply_error(x, &error);
    else
        reply_bytes(x, 201, &note);
}

void th_api_checkpoint(th_exchange *x)
{
    th_exchange_work(x, work_checkpoint);
}
