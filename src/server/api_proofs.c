/* Proofs and keys (on the pool), and checkpoints (which wait for the runtime, so on the pool too). */
#include "server/internal.h"

static void reply_bytes(th_exchange *x, unsigned http, theater_bytes *take)
{
    th_reply_text(x, http, "text/plain; charset=utf-8", th_slice_of(take->data, take->size));
    theater_bytes_free(take);
}

void th_work_inclusion(th_exchange *x, theater_folder *folder)
{
    theater_actor_info info;
    theater_bytes proof;
    uint64_t sequence;
    theater_error error = {0};
    theater_status status = th_find_actor(x, folder, &info, &error);
    if (!status)
        status = th_find_sequence(x, &info, &sequence, &error);
    if (!status)
        status = theater_prove_inclusion(folder, info.id, sequence, (th_slice){0}, &proof, &error);
    if (status)
        th_reply_error(x, &error);
    else
        reply_bytes(x, 200, &proof);
}

void th_work_consistency(th_exchange *x, theater_folder *folder)
{
    theater_actor_info info;
    theater_bytes proof;
    theater_error error = {0};
    theater_status status = th_find_actor(x, folder, &info, &error);
    if (!status)
        status =
            theater_prove_consistency(folder, info.id, th_buf_slice(&x->body), (th_slice){0}, &proof, &error);
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
