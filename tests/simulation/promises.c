/* What callers were told, and whether it is so: the element that an answer names holds what was sent and what
 * came back, the element whose state a query saw is on the chain, a genesis and an upgrade that were
 * acknowledged are there, an actor is what its operator was told. */
#include "world.h"

#include <stdio.h>

#define READ_MAX ((size_t)1 << 30)

/* ---- keeping ------------------------------------------------------------------------------------------- */

static th_hash hash_of(const sim_world *world, th_slice bytes)
{
    th_hash hash;
    th_sha256_of(world->hasher, bytes, &hash);
    return hash;
}

static world_promise *keep(sim_world *world, world_told told, const char *actor, const theater_hash *element)
{
    world_promise *promise = calloc(1, sizeof *promise);
    promise->told = told;
    promise->life = (unsigned)world->restarts;
    promise->element = *element;
    snprintf(promise->actor, sizeof promise->actor, "%s", actor);
    promise->next = world->promises;
    world->promises = promise;
    world->promise_count++;
    return promise;
}

/* Messages of one client to one actor run in the order in which they were sent. An answer that was given once
 * before says nothing about that. */
static void check_order(sim_world *world, const world_promise *now)
{
    const world_promise *before = now->next;
    /* An answer may be of a turn that a failed commit discarded. */
    if (world->async && world->storage_fails)
        return;
    for (; before && before->life == now->life; before = before->next) {
        if (before->told != TOLD_ANSWER || before->repeated || strcmp(before->actor, now->actor) != 0)
            continue;
        if ((before->tag < now->tag) != (before->sequence < now->sequence))
            world_fail(world, "messages %llu and %llu to %s ran in another order than they were sent in",
                       (unsigned long long)before->tag, (unsigned long long)now->tag, now->actor);
        return; /* the others were compared with this one */
    }
}

void world_keep_answer(sim_world *world, world_told told, const char *actor, const theater_answer *answer,
                       const world_promise *sent)
{
    world_promise *promise = keep(world, told, actor, &answer->element);
    promise->sequence = answer->sequence;
    promise->state_root = answer->state_root;
    if (!sent)
        return;
    promise->loose = world->async;
    promise->output = hash_of(world, th_slice_of(answer->output.data, answer->output.size));
    promise->rejected = answer->status == THEATER_REJECTED;
    promise->repeated = answer->repeated;
    promise->input = sent->input;
    promise->has_principal = sent->has_principal;
    promise->tag = sent->tag;
    memcpy(promise->id, sent->id, sizeof promise->id);
    if (!promise->repeated)
        check_order(world, promise);
}

void world_keep_element(sim_world *world, const char *actor, const theater_hash *hash)
{
    keep(world, TOLD_ELEMENT, actor, hash);
}

void world_keep_note(sim_world *world, const char *actor, theater_bytes *take_note)
{
    world_note *note = calloc(1, sizeof *note);
    snprintf(note->actor, sizeof note->actor, "%s", actor);
    note->text = *take_note;
    *take_note = (theater_bytes){0};
    note->next = world->notes;
    world->notes = note;
    world->note_count++;
}

const world_note *world_next_note(const world_note *from, const char *actor)
{
    while (from && strcmp(from->actor, actor) != 0)
        from = from->next;
    return from;
}

void world_all_committed(sim_world *world)
{
    for (world_promise *promise = world->promises; promise && promise->life == world->restarts;
         promise = promise->next)
        promise->loose = false;
}

void world_forget(sim_world *world)
{
    while (world->promises) {
        world_promise *next = world->promises->next;
        free(world->promises);
        world->promises = next;
    }
    while (world->notes) {
        world_note *next = world->notes->next;
        theater_bytes_free(&world->notes->text);
        free(world->notes);
        world->notes = next;
    }
}

/* ---- checking ------------------------------------------------------------------------------------------ */

typedef struct search {
    sim_world *world;
    th_store *store;
    th_buf buf;
    const char *name;
    th_actor_info info;
    bool found;
} search;

static bool is_named(void *context, const th_actor_info *info)
{
    search *self = context;
    self->found = strcmp(info->name, self->name) == 0;
    if (self->found)
        self->info = *info;
    return !self->found;
}

/* The actor with this name, a removed one too: a name is used once. */
static bool find_actor(search *self, const char *name)
{
    theater_error error = {0};
    self->name = name;
    self->found = false;
    if (th_store_list_actors(self->store, 0, is_named, self, &error))
        world_fail(self->world, "%s", error.message);
    return self->found;
}

/* What the element says otherwise than the answer did, or NULL. */
static const char *difference(const sim_world *world, const world_promise *promise, const th_record *record)
{
    th_element element;
    th_rejection rejection = {0};
    if (!th_hash_equal(&record->element.hash, &promise->element))
        return "it has another hash";
    if (th_element_decode(record->element.element, &element, NULL))
        return "it does not decode";
    if (!th_hash_equal(&element.state_after, &promise->state_root))
        return "it has another state after it";
    if (promise->told == TOLD_QUERY)
        return NULL;
    if ((element.type == TH_REJECTION) != promise->rejected)
        return "it is another type of element";
    if (!th_slice_equal(element.id, th_slice_text(promise->id)))
        return "it has another id";
    if (promise->rejected && th_rejection_decode(record->element.output, &rejection, NULL))
        return "its reason does not decode";
    th_hash output = hash_of(world, promise->rejected ? rejection.message : record->element.output);
    if (!th_hash_equal(&output, &promise->output))
        return "it has another output";
    if (promise->repeated)
        return NULL; /* another message with this id was answered */
    if (!th_hash_equal(&element.input, &promise->input))
        return "it has another input";
    if (!th_slice_equal(element.principal, th_slice_text(promise->has_principal ? WORLD_PRINCIPAL : "")))
        return "it has another principal";
    return NULL;
}

static void check_answer(search *self, const world_promise *promise)
{
    th_record record;
    theater_error error = {0};
    const char *problem = "it is not there";
    if (find_actor(self, promise->actor) && self->info.elements > promise->sequence)
        problem = th_store_read_element(self->store, self->info.id, promise->sequence, &self->buf, &record,
                                        NULL, &error)
                      ? error.message
                      : difference(self->world, promise, &record);
    if (problem)
        world_fail(self->world, "element %llu of %s, which %s: %s", (unsigned long long)promise->sequence,
                   promise->actor, promise->told == TOLD_QUERY ? "a query saw" : "was acknowledged", problem);
}

/* A genesis or an upgrade, somewhere on the chain. */
static void check_element(search *self, const world_promise *promise)
{
    bool found = find_actor(self, promise->actor), there = false;
    for (uint64_t i = 0; found && i < self->info.elements && !there; i++) {
        th_record record;
        there = th_store_read_element(self->store, self->info.id, i, &self->buf, &record, NULL, NULL) ==
                    THEATER_OK &&
                th_hash_equal(&record.element.hash, &promise->element);
    }
    if (!there)
        world_fail(self->world, "a start or an upgrade of %s was acknowledged and is not on the chain",
                   promise->actor);
}

static void check_actor(search *self, unsigned i)
{
    const world_actor *told = &self->world->actors[i];
    const char *name = world_names[i];
    if (!told->started)
        return;
    if (!find_actor(self, name)) {
        world_fail(self->world, "actor %s was started and is not there", name);
        return;
    }
    th_actor_status status = self->info.status;
    if (told->removed ? status != TH_ACTOR_REMOVED : !told->remove_tried && status == TH_ACTOR_REMOVED)
        world_fail(self->world, "actor %s is %s", name, told->removed ? "back" : "gone");
    else if (!th_hash_equal(&self->info.genesis_hash, &told->genesis))
        world_fail(self->world, "actor %s has another genesis", name);
    else if (status != TH_ACTOR_REMOVED && told->status && status != told->status)
        world_fail(self->world, "actor %s was last told to be %s and is not", name,
                   told->status == TH_ACTOR_RUNNING ? "running" : "stopped");
}

void world_check_promises(sim_world *world, th_store *store)
{
    search self = {.world = world, .store = store};
    th_buf_init(&self.buf, READ_MAX);
    for (const world_promise *promise = world->promises; promise && !world->failure[0];
         promise = promise->next) {
        if (promise->loose)
            continue;
        if (promise->told == TOLD_ELEMENT)
            check_element(&self, promise);
        else
            check_answer(&self, promise);
    }
    for (unsigned i = 0; i < WORLD_NAMES && !world->failure[0]; i++)
        check_actor(&self, i);
    if (!world->failure[0] && th_store_next_number(store) < world->committed)
        world_fail(world, "record %llu was announced as durable and is not there",
                   (unsigned long long)world->committed - 1);
    th_buf_done(&self.buf);
}
