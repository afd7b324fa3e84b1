/* Proofs against checkpoints; their text forms are in proof_text.c and docs/proofs.md.
 *
 * A proof over a chain of n elements needs about log2(n) hashes, but each may stand for half the chain.
 * Element hashes lie in the log; hashes of whole subtrees lie in the snapshots, whose compact ranges hold one
 * for each bit of their size. The complete subtree `index` of 2^level leaves is part of the range of size s
 * exactly when bit `level` of s is set and s >> level == index + 1, that is for sizes (index + 1) * 2^level
 * and the 2^level - 1 after it, and only for an even index. So a subtree with an even index is looked up in a
 * snapshot of such a size, one with an odd index comes from its halves, and what is read is bounded by the
 * distance of snapshots.
 *
 * A snapshot's range is only a shortcut: the finished proof is checked against the checkpoint before it is
 * given away, and when it does not hold it is made again from the elements alone. */
#include <stdio.h>

#include "chain/checkpoint.h"
#include "chain/log_tree.h"
#include "theater/folder_internal.h"
#include "theater/proof_text.h"

typedef struct prover {
    theater_folder *folder;
    th_actor_info info;
    th_hasher *hasher;
    th_buf buf;
    th_buf note, note_other; /* the checkpoints when they come from the folder */
    bool elements_only;
    th_log_tree tree; /* of the snapshot read last */
    uint64_t tree_sequence; /* its element; UINT64_MAX: none yet */
} prover;

static theater_status prover_init(prover *self, theater_folder *folder, uint64_t actor, theater_error *reterr)
{
    memset(self, 0, sizeof *self);
    self->folder = folder;
    self->tree_sequence = UINT64_MAX;
    th_buf_init(&self->buf, TH_READ_MAX);
    th_buf_init(&self->note, TH_NOTE_MAX);
    th_buf_init(&self->note_other, TH_NOTE_MAX);
    theater_status status = th_store_find_actor_id(folder->store, actor, &self->info, reterr);
    return status ? status : th_hasher_new(&self->hasher, reterr);
}

static void prover_done(prover *self)
{
    th_hasher_free(self->hasher);
    th_buf_done(&self->buf);
    th_buf_done(&self->note);
    th_buf_done(&self->note_other);
}

/* ---- hashes of subtrees -------------------------------------------------------------------------------- */

static bool take_first(void *context, uint64_t sequence)
{
    *(uint64_t *)context = sequence;
    return false;
}

/* Whether a snapshot's compact range holds the subtree. */
static theater_status find_in_snapshot(prover *self, unsigned level, uint64_t index, bool *ret_known,
                                       th_hash *ret, theater_error *reterr)
{
    uint64_t first_size = (index + 1) << level, last_size = first_size + ((uint64_t)1 << level) - 1;
    uint64_t sequence = UINT64_MAX;
    theater_status status = th_store_list_snapshots(self->folder->store, self->info.id, first_size - 1,
                                                    last_size - 1, take_first, &sequence, reterr);
    if (status || sequence == UINT64_MAX)
        return status;
    if (sequence != self->tree_sequence) {
        th_record record;
        status =
            th_store_read_snapshot(self->folder->store, self->info.id, sequence, &self->buf, &record, reterr);
        if (status || record.snapshot.tree.size == 0)
            return status;
        status = th_log_tree_decode(record.snapshot.tree, &self->tree, reterr);
        if (status)
            return status;
        self->tree_sequence = sequence;
    }
    /* Largest subtree first: those above `level` come before it. */
    uint64_t size = self->tree.size;
    if (size >> level != index + 1 || level >= 63)
        return THEATER_OK;
    *ret = self->tree.nodes[__builtin_popcountll(size >> (level + 1))];
    *ret_known = true;
    return THEATER_OK;
}

static theater_status node_of(void *context, unsigned level, uint64_t index, bool *ret_known, th_hash *ret,
                              theater_error *reterr)
{
    prover *self = context;
    *ret_known = false;
    if (level > 0)
        return index % 2 == 0 && level >= 4 && !self->elements_only
                   ? find_in_snapshot(self, level, index, ret_known, ret, reterr)
                   : THEATER_OK;
    th_record record;
    theater_status status =
        th_store_read_element(self->folder->store, self->info.id, index, &self->buf, &record, NULL, reterr);
    if (!status) {
        *ret = record.element.hash;
        *ret_known = true;
    }
    return status;
}

/* ---- checkpoints --------------------------------------------------------------------------------------- */

typedef struct note_search {
    th_buf *into;
    theater_status status;
    theater_error *reterr;
} note_search;

/* They come by ascending size, so the last one is the newest. */
static bool keep_note(void *context, uint64_t size, const th_hash *head, th_slice note)
{
    (void)size, (void)head;
    note_search *search = context;
    th_buf_clear(search->into);
    search->status = th_buf_append(search->into, note, search->reterr);
    return search->status == THEATER_OK;
}

/* The note that was given, or the newest of the folder; it must be of this chain and not longer than it. */
static theater_status take_note(prover *self, th_slice given, th_buf *buf, th_slice *ret_note,
                                th_checkpoint *ret, theater_error *reterr)
{
    note_search search = {buf, THEATER_OK, reterr};
    *ret_note = given;
    theater_status status = THEATER_OK;
    if (given.size == 0) {
        status = th_store_list_checkpoints(self->folder->store, self->info.id, keep_note, &search, reterr);
        status = status ? status : search.status;
        if (!status && buf->size == 0 && self->info.status == TH_ACTOR_ARCHIVE)
            return th_fail(reterr, THEATER_NOT_FOUND,
                           "%s is an archive, which has no checkpoints here: name one with --checkpoint",
                           self->info.name);
        if (!status && buf->size == 0)
            return th_fail(reterr, THEATER_NOT_FOUND,
                           "actor %s has no checkpoint yet: make one with \"theater checkpoint %s\"",
                           self->info.name, self->info.name);
        *ret_note = th_buf_slice(buf);
    }
    if (!status)
        status = th_checkpoint_parse(*ret_note, ret, reterr);
    if (status)
        return status;
    if (!th_log_name_of_chain(ret->name, th_slice_text(self->info.name), &self->info.genesis_hash))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "the checkpoint is of %.*s, not of actor %s",
                       (int)ret->name.size, (const char *)ret->name.data, self->info.name);
    if (ret->size > self->info.elements)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "the checkpoint is of %llu elements, but the chain of actor %s has only %llu here",
                       (unsigned long long)ret->size, self->info.name,
                       (unsigned long long)self->info.elements);
    return THEATER_OK;
}

static theater_status contradicts(const prover *self, const th_checkpoint *checkpoint, theater_error *reterr)
{
    return th_fail(
        reterr, THEATER_VERIFY_FAILED,
        "the checkpoint of size %llu is not of this chain: actor %s had another tree head at that size",
        (unsigned long long)checkpoint->size, self->info.name);
}

/* ---- the two proofs ------------------------------------------------------------------------------------ */

static theater_status make_inclusion(prover *self, uint64_t sequence, const th_checkpoint *checkpoint,
                                     th_proof *ret, bool *ret_good, theater_error *reterr)
{
    th_hash leaf;
    bool known;
    theater_status status =
        th_log_prove_inclusion(self->hasher, sequence, checkpoint->size, node_of, self, ret, reterr);
    if (!status)
        status = node_of(self, 0, sequence, &known, &leaf, reterr);
    if (!status)
        *ret_good =
            th_inclusion_verify(self->hasher, sequence, checkpoint->size, &leaf, ret, &checkpoint->head);
    return status;
}

static theater_status prove_inclusion(prover *self, uint64_t sequence, th_slice note, th_buf *out,
                                      theater_error *reterr)
{
    th_checkpoint checkpoint;
    bool given = note.size > 0;
    if (sequence >= self->info.elements)
        return th_fail(reterr, THEATER_NOT_FOUND, "actor %s has no element %llu: its last one is %llu",
                       self->info.name, (unsigned long long)sequence,
                       (unsigned long long)self->info.elements - 1);
    theater_status status = take_note(self, note, &self->note, &note, &checkpoint, reterr);
    if (!status && sequence >= checkpoint.size && given)
        return th_fail(reterr, THEATER_NOT_FOUND,
                       "the checkpoint that was given covers the elements before %llu of actor %s",
                       (unsigned long long)checkpoint.size, self->info.name);
    if (!status && sequence >= checkpoint.size)
        return th_fail(
            reterr, THEATER_NOT_FOUND,
            "the newest checkpoint of actor %s covers the elements before %llu: make one with \"theater "
            "checkpoint %s\"",
            self->info.name, (unsigned long long)checkpoint.size, self->info.name);
    th_proof proof;
    bool good = false;
    if (!status)
        status = make_inclusion(self, sequence, &checkpoint, &proof, &good, reterr);
    if (!status && !good) {
        self->elements_only = true;
        status = make_inclusion(self, sequence, &checkpoint, &proof, &good, reterr);
    }
    if (!status && !good)
        status = contradicts(self, &checkpoint, reterr);
    th_record record;
    if (!status)
        status = th_store_read_element(self->folder->store, self->info.id, sequence, &self->buf, &record,
                                       NULL, reterr);
    return status ? status
                  : th_proof_text_inclusion(sequence, record.element.element, &proof, note, out, reterr);
}

static theater_status make_consistency(prover *self, const th_checkpoint *older, const th_checkpoint *newer,
                                       th_proof *ret, bool *ret_good, theater_error *reterr)
{
    theater_status status =
        th_log_prove_consistency(self->hasher, older->size, newer->size, node_of, self, ret, reterr);
    if (!status)
        *ret_good =
            th_consistency_verify(self->hasher, older->size, newer->size, &older->head, &newer->head, ret);
    return status;
}

static theater_status prove_consistency(prover *self, th_slice older_note, th_slice newer_note, th_buf *out,
                                        theater_error *reterr)
{
    th_checkpoint older, newer;
    theater_status status = take_note(self, older_note, &self->note_other, &older_note, &older, reterr);
    if (!status)
        status = take_note(self, newer_note, &self->note, &newer_note, &newer, reterr);
    if (!status && older.size > newer.size)
        return th_fail(
            reterr, THEATER_INVALID_ARGUMENT,
            "the older checkpoint is of %llu elements, the newer of only %llu: give them the other way round",
            (unsigned long long)older.size, (unsigned long long)newer.size);
    th_proof proof;
    bool good = false;
    if (!status)
        status = make_consistency(self, &older, &newer, &proof, &good, reterr);
    if (!status && !good) {
        self->elements_only = true;
        status = make_consistency(self, &older, &newer, &proof, &good, reterr);
    }
    if (!status && !good)
        status = contradicts(self, &older, reterr);
    return status ? status : th_proof_text_consistency(&proof, older_note, newer_note, out, reterr);
}

theater_status theater_prove_inclusion(theater_folder *folder, uint64_t actor_id, uint64_t sequence,
                                       theater_slice note, theater_bytes *ret, theater_error *reterr)
{
    *ret = (theater_bytes){0};
    prover self;
    th_buf out;
    th_buf_init(&out, TH_PROOF_TEXT_MAX);
    theater_status status = prover_init(&self, folder, actor_id, reterr);
    if (!status)
        status = prove_inclusion(&self, sequence, note, &out, reterr);
    if (!status)
        *ret = th_buf_take(&out);
    th_buf_done(&out);
    prover_done(&self);
    return status;
}

theater_status theater_prove_consistency(theater_folder *folder, uint64_t actor_id, theater_slice older,
                                         theater_slice newer, theater_bytes *ret, theater_error *reterr)
{
    *ret = (theater_bytes){0};
    prover self;
    th_buf out;
    th_buf_init(&out, TH_PROOF_TEXT_MAX);
    theater_status status = prover_init(&self, folder, actor_id, reterr);
    if (!status)
        status = prove_consistency(&self, older, newer, &out, reterr);
    if (!status)
        *ret = th_buf_take(&out);
    th_buf_done(&out);
    prover_done(&self);
    return status;
}
