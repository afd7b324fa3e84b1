/* Targets of single values: elements, payloads, notes, keys, proofs, manifests. */
#include "fuzz/targets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actor/manifest.h"
#include "chain/checkpoint.h"
#include "chain/descriptor.h"
#include "chain/effects.h"
#include "chain/element.h"
#include "chain/rejection.h"
#include "theater/proof_text.h"
#include "theater/theater.h"

_Noreturn void fuzz_broken(const char *condition, const char *file, int line)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

void fuzz_refused(theater_status status, const theater_error *error)
{
    FUZZ_HOLDS(error->status == status);
    FUZZ_HOLDS(error->message[0] != 0);
    FUZZ_HOLDS(memchr(error->message, 0, sizeof error->message) != NULL);
}

static th_hasher *hasher(void)
{
    static th_hasher *only;
    theater_error error;
    if (!only)
        FUZZ_HOLDS(th_hasher_new(&only, &error) == THEATER_OK);
    return only;
}

static void fuzz_element(th_slice input)
{
    th_element element;
    th_element_link link;
    theater_error error = {0};
    uint8_t again[TH_ELEMENT_MAX];
    theater_status links = th_element_links(input, &link, &error);
    if (links)
        fuzz_refused(links, &error);
    theater_status status = th_element_decode(input, &element, &error);
    if (status) {
        fuzz_refused(status, &error);
        return;
    }
    FUZZ_HOLDS(links == THEATER_OK && link.version == 1 && link.sequence == element.sequence);
    FUZZ_HOLDS(th_element_encode(&element, again) == input.size);
    FUZZ_HOLDS(memcmp(again, input.data, input.size) == 0);
}

static void fuzz_descriptor(th_slice input)
{
    th_descriptor descriptor;
    theater_error error = {0};
    theater_status status = th_descriptor_decode(input, &descriptor, &error);
    if (status) {
        fuzz_refused(status, &error);
        return;
    }
    th_buf again;
    th_buf_init(&again, input.size + 1);
    FUZZ_HOLDS(th_descriptor_encode(&descriptor, &again, &error) == THEATER_OK);
    FUZZ_HOLDS(th_slice_equal(th_buf_slice(&again), input));
    th_buf_done(&again);
}

static void fuzz_rejection(th_slice input)
{
    th_rejection rejection;
    theater_error error = {0};
    theater_status status = th_rejection_decode(input, &rejection, &error);
    if (status) {
        fuzz_refused(status, &error);
        return;
    }
    th_buf again;
    th_buf_init(&again, input.size + 1);
    FUZZ_HOLDS(th_rejection_encode(&rejection, &again, &error) == THEATER_OK);
    FUZZ_HOLDS(th_slice_equal(th_buf_slice(&again), input));
    th_buf_done(&again);
}

/* The first two bytes are the sequence that request ids hang on. */
static void fuzz_effects(th_slice input)
{
    th_effects_reader reader;
    theater_error error = {0};
    if (input.size < 2)
        return;
    uint64_t sequence = input.data[0] | (uint64_t)input.data[1] << 8, seen = 0;
    theater_status status =
        th_effects_read(th_slice_of(input.data + 2, input.size - 2), sequence, &reader, &error);
    for (bool more = true; !status && more; seen += more) {
        th_effect effect;
        status = th_effects_next(&reader, &effect, &more, &error);
        if (!status && more) {
            FUZZ_HOLDS(effect.index == seen);
            FUZZ_HOLDS(effect.kind == TH_EFFECT_LOG || effect.request == 0 || effect.request >> 16 == sequence);
            FUZZ_HOLDS(effect.encoding.data >= input.data &&
                       effect.encoding.data + effect.encoding.size <= input.data + input.size);
        }
    }
    if (status)
        fuzz_refused(status, &error);
}

static void fuzz_checkpoint(th_slice input)
{
    th_checkpoint checkpoint;
    theater_error error = {0};
    theater_status status = th_checkpoint_parse(input, &checkpoint, &error);
    if (status) {
        fuzz_refused(status, &error);
        return;
    }
    /* A key that nobody has: the name is right, the signature cannot be. */
    th_verifier_key key = {.name = checkpoint.name, .public_key = {1, 2, 3}};
    key.id = th_key_id(hasher(), key.name, key.public_key);
    status = th_checkpoint_verify(hasher(), input, &key, &checkpoint, &error);
    FUZZ_HOLDS(status == THEATER_VERIFY_FAILED || status == THEATER_CORRUPT);
    fuzz_refused(status, &error);
}

static void fuzz_key(th_slice input)
{
    th_verifier_key key;
    theater_error error = {0};
    theater_status status = th_verifier_key_parse(hasher(), input, &key, &error);
    if (status) {
        fuzz_refused(status, &error);
        return;
    }
    th_buf again;
    th_buf_init(&again, TH_VERIFIER_KEY_MAX);
    FUZZ_HOLDS(th_verifier_key_format(hasher(), key.name, key.public_key, &again, &error) == THEATER_OK);
    FUZZ_HOLDS(th_slice_equal(th_buf_slice(&again), input));
    th_buf_done(&again);
}

static void fuzz_proof(th_slice input)
{
    static th_proof_text proof;
    theater_error error = {0};
    theater_status status = th_proof_text_parse(input, &proof, &error);
    if (status) {
        fuzz_refused(status, &error);
        return;
    }
    theater_bytes text = {0};
    static const char key[] = "theater.local/a/0011223344556677+00000000+AQAA";
    status = theater_verify_proof(input, key, &text, &error);
    FUZZ_HOLDS(status != THEATER_OK);
    fuzz_refused(status, &error);
}

static void fuzz_manifest(th_slice input)
{
    th_manifest manifest;
    theater_error error = {0};
    theater_status status = th_manifest_parse(input, "actor.yaml", &manifest, &error);
    if (status) {
        fuzz_refused(status, &error);
        return;
    }
    FUZZ_HOLDS(th_name_valid(th_slice_text(manifest.name)));
    FUZZ_HOLDS(manifest.component[0] != 0 && !(manifest.config && manifest.config_file));
    th_manifest_done(&manifest);
}

const fuzz_target fuzz_targets[] = {
    {"element", fuzz_element, 2048},       {"descriptor", fuzz_descriptor, 4096},
    {"rejection", fuzz_rejection, 4096},   {"effects", fuzz_effects, 4096},
    {"checkpoint", fuzz_checkpoint, 4096}, {"key", fuzz_key, 1024},
    {"proof", fuzz_proof, 8192},           {"manifest", fuzz_manifest, 4096},
    {"bundle", fuzz_bundle, 16384},        {"relinked", fuzz_relinked, 16384},
    {"records", fuzz_records, 8192},       {"segment", fuzz_segment, 64},
    {"component", fuzz_component, 16384},  {"json", fuzz_json, 4096},
    {"tokens", fuzz_tokens, 4096},         {"script", fuzz_script, 4096},
    {"http", fuzz_http, 8192},             {"websocket", fuzz_websocket, 4096},
    {"commands", fuzz_commands, 4096},
};
const size_t fuzz_target_count = sizeof fuzz_targets / sizeof *fuzz_targets;

const fuzz_target *fuzz_find(const char *name)
{
    for (size_t i = 0; i < fuzz_target_count; i++)
        if (strcmp(fuzz_targets[i].name, name) == 0)
            return &fuzz_targets[i];
    return NULL;
}
