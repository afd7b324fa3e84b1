#include <inttypes.h>

#include "crypto/base64.h"
#include "theater/folder.h"
#include "theater/proof_text.h"

/* What a check needs beside the proof. */
typedef struct proof_check {
    th_hasher *hasher;
    th_verifier_key key;
    th_proof_text text;
    th_buf older; /* the older note of a consistency proof */
    th_buf words;
} proof_check;

/* The actor in a log name: the part between the last two slashes. */
static th_slice actor_of(th_slice log_name)
{
    size_t end = log_name.size;
    while (end > 0 && log_name.data[end - 1] != '/')
        end--;
    size_t begin = end > 0 ? end - 1 : 0;
    while (begin > 0 && log_name.data[begin - 1] != '/')
        begin--;
    return end > begin ? th_slice_of(log_name.data + begin, end - 1 - begin) : (th_slice){0};
}

static theater_status check_inclusion(proof_check *self, theater_error *reterr)
{
    th_checkpoint checkpoint;
    th_element element;
    const th_proof_text *text = &self->text;
    th_slice encoding = th_slice_of(text->element, text->element_size);
    theater_status status = th_checkpoint_verify(self->hasher, text->note, &self->key, &checkpoint, reterr);
    if (!status)
        status = th_element_decode(encoding, &element, reterr);
    if (status)
        return status == THEATER_CORRUPT ? th_fail_in(reterr, THEATER_VERIFY_FAILED, "proof") : status;
    if (element.sequence != text->index)
        return th_fail(reterr, THEATER_VERIFY_FAILED,
                       "the proof is for index %" PRIu64 ", but its element has sequence %" PRIu64,
                       text->index, element.sequence);
    th_hash leaf;
    th_element_hash(self->hasher, encoding, &leaf);
    if (text->index >= checkpoint.size || !th_inclusion_verify(self->hasher, text->index, checkpoint.size,
                                                               &leaf, &text->proof, &checkpoint.head))
        return th_fail(reterr, THEATER_VERIFY_FAILED,
                       "element %" PRIu64 " does not stand in the tree of the checkpoint of size %" PRIu64,
                       text->index, checkpoint.size);
    th_slice actor = actor_of(checkpoint.name);
    char hex[2 * THEATER_HASH_SIZE + 1];
    th_hex_encode(th_slice_of(leaf.bytes, sizeof leaf.bytes), hex);
    return th_buf_printf(
        &self->words, reterr,
        "element %" PRIu64 " of actor %.*s (%s, %s) is one of the %" PRIu64 " that %.*s has signed",
        element.sequence, (int)actor.size, (const char *)actor.data, th_element_type_name(element.type), hex,
        checkpoint.size, (int)checkpoint.name.size, (const char *)checkpoint.name.data);
}

static theater_status decode_older(proof_check *self, theater_error *reterr)
{
    uint8_t *room;
    size_t size = 0;
    theater_status status = th_buf_extend(&self->older, TH_NOTE_MAX, &room, reterr);
    if (!status && !th_base64_decode(self->text.older, room, TH_NOTE_MAX, &size))
        return th_fail(reterr, THEATER_CORRUPT, "proof, line 2: the older checkpoint is not in base64");
    self->older.size = size;
    return status;
}

static theater_status check_consistency(proof_check *self, theater_error *reterr)
{
    th_checkpoint older, newer;
    theater_status status = decode_older(self, reterr);
    if (!status) {
        status = th_checkpoint_verify(self->hasher, th_buf_slice(&self->older), &self->key, &older, reterr);
        if (status)
            return th_fail_in(reterr, status == THEATER_CORRUPT ? THEATER_VERIFY_FAILED : status,
                              "older checkpoint");
    }
    if (!status) {
        status = th_checkpoint_verify(self->hasher, self->text.note, &self->key, &newer, reterr);
        if (status)
            return th_fail_in(reterr, status == THEATER_CORRUPT ? THEATER_VERIFY_FAILED : status,
                              "newer checkpoint");
    }
    if (status)
        return status;
    if (older.size > newer.size || !th_consistency_verify(self->hasher, older.size, newer.size, &older.head,
                                                          &newer.head, &self->text.proof))
        return th_fail(reterr, THEATER_VERIFY_FAILED,
                       "the chain of size %" PRIu64 " does not begin with the chain of size %" PRIu64,
                       newer.size, older.size);
    return th_buf_printf(&self->words, reterr,
                         "the chain of %" PRIu64
                         " elements that %.*s has signed begins with its chain of %" PRIu64,
                         newer.size, (int)newer.name.size, (const char *)newer.name.data, older.size);
}

theater_status theater_verify_proof(theater_slice proof, const char *key, theater_bytes *ret_text,
                                    theater_error *reterr)
{
    *ret_text = (theater_bytes){0};
    proof_check self = {.hasher = NULL};
    th_buf_init(&self.older, TH_NOTE_MAX);
    th_buf_init(&self.words, 4096);
    theater_status status = th_hasher_new(&self.hasher, reterr);
    if (!status)
        status = th_verifier_key_parse(self.hasher, th_slice_text(key), &self.key, reterr);
    if (!status)
        status = th_proof_text_parse(proof, &self.text, reterr);
    if (!status)
        status = self.text.is_consistency ? check_consistency(&self, reterr) : check_inclusion(&self, reterr);
    if (!status)
        status = th_buf_append_byte(&self.words, 0, reterr);
    if (!status) {
        *ret_text = th_buf_take(&self.words);
        ret_text->size--; /* the zero behind it is for those who print */
    }
    th_buf_done(&self.older);
    th_buf_done(&self.words);
    th_hasher_free(self.hasher);
    return status;
}
