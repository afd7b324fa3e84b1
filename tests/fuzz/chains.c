/* Bundles: as they are, and with every hash made to fit, so that fuzzing comes past the hashes. */
#include "fuzz/targets.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "chain/bundle.h"
#include "chain/verify.h"
#include "theater/theater.h"

/* The whole way of `theater verify FILE --all`, over a file in memory. */
void fuzz_bundle(th_slice input)
{
    char path[64];
    theater_report report;
    theater_error error = {0};
    int file = memfd_create("fuzz", MFD_CLOEXEC);
    FUZZ_HOLDS(file >= 0);
    FUZZ_HOLDS(write(file, input.data, input.size) == (ssize_t)input.size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    theater_source source = {.path = path};
    theater_status status =
        theater_verify(&source, &(theater_check_options){.all = true, .threads = 1}, &report, &error);
    if (status)
        fuzz_refused(status, &error);
    else if (report.status)
        FUZZ_HOLDS(report.message[0] != 0 && report.what != NULL);
    else
        FUZZ_HOLDS(report.chains > 0 && report.elements >= report.chains);
    close(file);
}

typedef struct memory_source {
    th_slice left;
} memory_source;

static theater_status read_memory(void *context, uint8_t *out, size_t size, size_t *ret_size,
                                  theater_error *reterr)
{
    memory_source *self = context;
    *ret_size = size < self->left.size ? size : self->left.size;
    if (*ret_size)
        memcpy(out, self->left.data, *ret_size);
    self->left = th_slice_of(self->left.data + *ret_size, self->left.size - *ret_size);
    return THEATER_OK;
}

/* What is known of the chain that is being relinked. */
typedef struct relinking {
    th_hasher *hasher;
    th_verifier *verifier;
    th_buf name;
    uint64_t sequence;
    th_hash previous, state;
    uint64_t timestamp, state_size;
} relinking;

static void finish_chain(relinking *self)
{
    if (!self->verifier)
        return;
    th_verify_report report;
    theater_error error = {0};
    theater_status status = th_verifier_finish(self->verifier, &report, &error);
    if (status)
        fuzz_refused(status, &error);
    else
        FUZZ_HOLDS(report.elements == self->sequence && th_hash_equal(&report.head, &self->previous));
    th_verifier_free(self->verifier);
    self->verifier = NULL;
}

static void begin_chain(relinking *self, th_slice actor)
{
    theater_error error = {0};
    finish_chain(self);
    th_buf_clear(&self->name);
    FUZZ_HOLDS(th_buf_append(&self->name, actor, &error) == THEATER_OK);
    th_verify_options options = {
        .actor = th_buf_slice(&self->name), .max_kept_causes = 1000, .max_kept_hashes = 1000};
    theater_status status = th_verifier_new(&options, self->hasher, &self->verifier, &error);
    if (status)
        fuzz_refused(status, &error);
    self->sequence = 0;
    memset(&self->previous, 0, sizeof self->previous);
}

static void fit_payload(relinking *self, const th_payload *payload, th_hash *hash)
{
    if (payload->present)
        th_sha256_of(self->hasher, payload->bytes, hash);
}

static theater_status relink_element(relinking *self, const th_bundle_item *item, theater_error *reterr)
{
    th_element element;
    uint8_t encoding[TH_ELEMENT_MAX];
    theater_status status = th_element_decode(item->element, &element, reterr);
    if (status || (element.sequence == 0) != (self->sequence == 0))
        return status ? status : th_fail(reterr, THEATER_CORRUPT, "a genesis at the wrong place");
    element.sequence = self->sequence;
    if (self->sequence > 0) {
        element.previous = self->previous;
        element.state_before = self->state;
        if (element.type == TH_REJECTION || element.type == TH_UPGRADE) {
            element.state_after = self->state;
            element.state_size = self->state_size;
        }
        if (element.timestamp < self->timestamp)
            element.timestamp = self->timestamp;
    }
    fit_payload(self, &item->payloads.input, &element.input);
    fit_payload(self, &item->payloads.effects, &element.effects);
    if (element.type == TH_TRANSITION || element.type == TH_REJECTION)
        fit_payload(self, &item->payloads.output, &element.output);
    th_slice fitted = th_slice_of(encoding, th_element_encode(&element, encoding));
    status = th_verifier_element(self->verifier, fitted, &item->payloads, reterr);
    th_element_hash(self->hasher, fitted, &self->previous);
    self->state = element.state_after;
    self->state_size = element.state_size;
    self->timestamp = element.timestamp;
    self->sequence++;
    return status;
}

void fuzz_relinked(th_slice input)
{
    memory_source source = {input};
    relinking self = {0};
    theater_error error = {0};
    th_bundle_reader *reader;
    FUZZ_HOLDS(th_hasher_new(&self.hasher, &error) == THEATER_OK);
    FUZZ_HOLDS(th_bundle_reader_new(read_memory, &source, 65536, &reader, &error) == THEATER_OK);
    th_buf_init(&self.name, 1000);
    theater_status status = THEATER_OK;
    for (bool more = true; !status && more;) {
        th_bundle_item item;
        status = th_bundle_reader_next(reader, &item, &more, &error);
        if (status || !more)
            break;
        if (item.kind == TH_BUNDLE_HEADER)
            begin_chain(&self, item.actor);
        if (!self.verifier)
            break;
        if (item.kind == TH_BUNDLE_ELEMENT)
            status = relink_element(&self, &item, &error);
        else if (item.kind == TH_BUNDLE_COMPONENT)
            status = th_verifier_component(self.verifier, item.component, &error);
        else if (item.kind == TH_BUNDLE_SNAPSHOT)
            status = th_verifier_snapshot(self.verifier, item.sequence, item.state, &error);
        else if (item.kind == TH_BUNDLE_KEY)
            status = th_verifier_key_text(self.verifier, item.text, &error);
        else if (item.kind == TH_BUNDLE_CHECKPOINT)
            status = th_verifier_checkpoint(self.verifier, item.text, &error);
    }
    if (status)
        fuzz_refused(status, &error);
    else
        finish_chain(&self);
    th_verifier_free(self.verifier);
    th_bundle_reader_free(reader);
    th_buf_done(&self.name);
    th_hasher_free(self.hasher);
}
