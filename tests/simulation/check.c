/* What must hold of a data folder, whatever happened to it. */
#include "world.h"

#include <stdio.h>

#include "chain/causes.h"
#include "chain/verify.h"
#include "runtime/keys.h"

#define READ_MAX ((size_t)1 << 30)

typedef struct check_run {
    sim_world *world;
    th_store *store;
    th_hasher *hasher;
    th_loader *loader;
    th_workspace *workspace;
    bool drained;
    th_buf lookup_buf;
    uint64_t turns;
} check_run;

static theater_status read_binary(void *context, const th_hash *hash, th_buf *out, theater_error *reterr)
{
    check_run *check = context;
    th_slice binary;
    theater_status status = th_store_read_component(check->store, hash, out, &binary, reterr);
    if (!status) {
        memmove(out->data, binary.data, binary.size);
        out->size = binary.size;
    }
    return status;
}

static th_payloads payloads_of(const th_record *record)
{
    return (th_payloads){.input = th_payload_of(record->element.input),
                         .output = th_payload_of(record->element.output),
                         .effects = th_payload_of(record->element.effects)};
}

/* ---- links, roots, rules ------------------------------------------------------------------------------- */

/* The same id is not run twice (the bounds of age and number are not reached here). */
static void check_id(check_run *check, const th_actor_info *info, th_slice encoding, bool *seen)
{
    th_element element;
    if (th_element_decode(encoding, &element, NULL) || element.id.size == 0)
        return;
    unsigned which = 0;
    char text[TH_ID_MAX + 1] = "";
    memcpy(text, element.id.data, element.id.size);
    if (sscanf(text, "id-%u", &which) != 1 || which >= WORLD_IDS)
        world_fail(check->world, "element %llu of %s has an id that nobody sent: %s",
                   (unsigned long long)element.sequence, info->name, text);
    else if (seen[which])
        world_fail(check->world, "element %llu of %s runs %s again", (unsigned long long)element.sequence,
                   info->name, text);
    seen[which % WORLD_IDS] = true;
}

/* The verifier key of the folder for the log that a note names. */
static theater_status key_of(check_run *check, const world_note *note, th_verifier_key *ret,
                             theater_error *reterr)
{
    th_signing_key *key;
    th_checkpoint checkpoint;
    theater_status status =
        th_checkpoint_parse(th_slice_of(note->text.data, note->text.size), &checkpoint, reterr);
    if (!status)
        status =
            th_keys_open(th_simulation_port(check->world->simulation), WORLD_FOLDER, false, &key, reterr);
    if (status)
        return status;
    const uint8_t *public = th_signing_key_public(key);
    ret->name = checkpoint.name;
    ret->id = th_key_id(check->hasher, checkpoint.name, public);
    memcpy(ret->public_key, public, sizeof ret->public_key);
    th_signing_key_free(key);
    return THEATER_OK;
}

/* Every checkpoint that left the process is one of this chain, by the key that the folder still has. */
static theater_status verify_notes(check_run *check, th_verifier *verifier, const world_note *first,
                                   const char *actor, theater_error *reterr)
{
    theater_status status = THEATER_OK;
    for (const world_note *note = first; note && !status; note = world_next_note(note->next, actor))
        status = th_verifier_checkpoint(verifier, th_slice_of(note->text.data, note->text.size), reterr);
    return status;
}

static void verify_chain(check_run *check, const th_actor_info *info)
{
    theater_error error = {0};
    th_verifier_key key;
    const world_note *notes = world_next_note(check->world->notes, info->name);
    th_verify_options options = {
        .actor = th_slice_text(info->name), .keys = &key, .key_count = notes ? 1 : 0};
    th_verifier *verifier = NULL;
    bool seen[WORLD_IDS] = {false};
    th_buf buf;
    th_buf_init(&buf, READ_MAX);
    theater_status status = notes ? key_of(check, notes, &key, &error) : THEATER_OK;
    if (!status)
        status = th_verifier_new(&options, check->hasher, &verifier, &error);
    for (uint64_t i = 0; i < info->elements && !status; i++) {
        th_record record;
        status = th_store_read_element(check->store, info->id, i, &buf, &record, NULL, &error);
        if (!status) {
            check_id(check, info, record.element.element, seen);
            th_payloads payloads = payloads_of(&record);
            status = th_verifier_element(verifier, record.element.element, &payloads, &error);
        }
    }
    th_verify_report report;
    if (!status)
        status = verify_notes(check, verifier, notes, info->name, &error);
    if (!status)
        status = th_verifier_finish(verifier, &report, &error);
    if (status)
        world_fail(check->world, "the chain of %s#%llu does not verify: %s", info->name,
                   (unsigned long long)info->id, error.message);
    th_verifier_free(verifier);
    th_buf_done(&buf);
}

/* ---- re-execution -------------------------------------------------------------------------------------- */

static theater_status replay_element(check_run *check, th_instance **instance, th_loaded **component,
                                     const th_record *record, th_difference *ret, theater_error *reterr)
{
    th_element element;
    theater_status status = th_element_decode(record->element.element, &element, reterr);
    th_loaded *fresh = NULL;
    if (!status && (element.type == TH_GENESIS || element.type == TH_UPGRADE)) {
        th_descriptor descriptor;
        status = th_descriptor_decode(record->element.input, &descriptor, reterr);
        if (!status)
            status = th_loader_get(check->loader, &descriptor.component, &fresh, reterr);
    }
    if (status)
        return status;
    th_recorded recorded = {record->element.element, record->element.input, record->element.output,
                            record->element.effects};
    void *code = fresh ? th_loaded_component(fresh) : NULL;
    if (element.type == TH_GENESIS)
        status = th_instance_replay_genesis(&check->world->machine, code, &recorded, check->workspace,
                                            instance, ret, reterr);
    else
        status = th_instance_replay(*instance, &recorded, code, check->workspace, ret, reterr);
    if (fresh) {
        th_loaded_unref(*component);
        *component = fresh;
    }
    th_workspace_clear(check->workspace);
    check->turns++;
    return status;
}

static void replay_chain(check_run *check, const th_actor_info *info)
{
    th_buf buf;
    th_buf_init(&buf, READ_MAX);
    th_instance *instance = NULL;
    th_loaded *component = NULL;
    theater_error error = {0};
    theater_status status = THEATER_OK;
    th_difference difference = TH_SAME;
    for (uint64_t i = 0; i < info->elements && !status && difference == TH_SAME; i++) {
        th_record record;
        status = th_store_read_element(check->store, info->id, i, &buf, &record, NULL, &error);
        if (!status)
            status = replay_element(check, &instance, &component, &record, &difference, &error);
    }
    if (status || difference != TH_SAME)
        world_fail(check->world, "the chain of %s#%llu does not re-execute: %s", info->name,
                   (unsigned long long)info->id, error.message);
    else if (instance && !th_hash_equal(th_instance_head(instance), &info->head_hash))
        world_fail(check->world, "the head of %s#%llu differs from the index", info->name,
                   (unsigned long long)info->id);
    th_instance_free(instance);
    th_loaded_unref(component);
    th_buf_done(&buf);
}

/* ---- causes across chains ------------------------------------------------------------------------------ */

static theater_status find_element(void *context, th_slice actor, uint64_t sequence, th_found_element *ret,
                                   theater_error *reterr)
{
    check_run *check = context;
    th_actor_info info;
    theater_status status = th_store_find_actor(check->store, actor, &info, reterr);
    th_record record;
    if (!status)
        status =
            th_store_read_element(check->store, info.id, sequence, &check->lookup_buf, &record, NULL, reterr);
    if (!status) {
        ret->encoding = record.element.element;
        ret->payloads = payloads_of(&record);
    }
    return status;
}

static void check_causes(check_run *check, const th_actor_info *info)
{
    th_causes *causes = NULL;
    th_buf buf;
    th_buf_init(&buf, READ_MAX);
    theater_error error = {0};
    theater_status status =
        th_causes_new(th_slice_text(info->name), check->hasher, find_element, check, 0, 0, &causes, &error);
    for (uint64_t i = 0; i < info->elements && !status; i++) {
        th_record record;
        th_element element;
        status = th_store_read_element(check->store, info->id, i, &buf, &record, NULL, &error);
        if (!status)
            status = th_element_decode(record.element.element, &element, &error);
        if (!status)
            status = th_causes_element(causes, &element, &error);
    }
    if (status)
        world_fail(check->world, "the causes of %s#%llu do not hold: %s", info->name,
                   (unsigned long long)info->id, error.message);
    th_causes_free(causes);
    th_buf_done(&buf);
}

/* ---- all actors ---------------------------------------------------------------------------------------- */

static bool check_actor(void *context, const th_actor_info *info)
{
    check_run *check = context;
    sim_world *world = check->world;
    if (info->elements == 0 && info->status != TH_ACTOR_REMOVED) {
        world_fail(world, "actor %s#%llu has no genesis", info->name, (unsigned long long)info->id);
        return false;
    }
    verify_chain(check, info);
    if (!world->failure[0])
        replay_chain(check, info);
    if (!world->failure[0])
        check_causes(check, info);
    if (check->drained && info->status == TH_ACTOR_RUNNING && info->undelivered)
        world_fail(world, "%llu messages for %s#%llu were never delivered",
                   (unsigned long long)info->undelivered, info->name, (unsigned long long)info->id);
    return !world->failure[0];
}

void world_check(sim_world *world, bool drained)
{
    check_run check = {.world = world, .drained = drained};
    th_buf_init(&check.lookup_buf, READ_MAX);
    theater_error error = {0};
    th_store_options options = {.port = th_simulation_port(world->simulation),
                                .folder = WORLD_FOLDER,
                                .read_only = true,
                                .index = world->index};
    theater_status status = th_store_open(&options, &check.store, &error);
    /* The machine may have stopped before there was a whole folder; then nobody got an answer. */
    if ((status == THEATER_NOT_FOUND || status == THEATER_INVALID_ARGUMENT) && world->promise_count == 0 &&
        !drained)
        return;
    th_loader_options loader = {
        .machine = &world->machine, .port = options.port, .context = &check, .read_binary = read_binary};
    if (!status)
        status = th_hasher_new(&check.hasher, &error);
    if (!status)
        status = th_workspace_new(&check.workspace, &error);
    if (!status)
        status = th_loader_new(&loader, &check.loader, &error);
    if (!status)
        status = th_store_list_actors(check.store, 0, check_actor, &check, &error);
    if (status)
        world_fail(world, "reading the folder: %s", error.message);
    else
        world_check_promises(world, check.store);
    if (!world->failure[0])
        world_check_delivery(world, check.store, drained);
    th_loader_free(check.loader);
    th_workspace_free(check.workspace);
    th_hasher_free(check.hasher);
    th_store_close(check.store);
    th_buf_done(&check.lookup_buf);
}
