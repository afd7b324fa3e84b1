/* Messages between actors, from the log alone and without the index or a line of the router: what was sent to
 * somebody who was there was taken in once, what was asked was answered once, and with nothing left to do
 * nothing is left out. A second model, so that a rule that router and index break in the same way shows. */
#include "world.h"

#include <stdio.h>

#include "chain/effects.h"

typedef struct actor_row {
    uint64_t id;
    th_slice name;  /* of world_names */
    bool removed;
} actor_row;

typedef struct message {
    unsigned from, to; /* rows; `to` is NOBODY when no such actor lived */
    uint64_t sequence, index, request;
    unsigned taken, answered, noticed; /* how often */
} message;

#define NOBODY UINT32_MAX
#define ACTORS_MAX 64

typedef struct model {
    sim_world *world;
    actor_row actors[ACTORS_MAX];
    unsigned count;
    message *messages;
    size_t message_count, capacity;
} model;

static unsigned row_of(const model *self, uint64_t id)
{
    for (unsigned i = 0; i < self->count; i++) {
        if (self->actors[i].id == id)
            return i;
    }
    return NOBODY;
}

static unsigned living(const model *self, th_slice name)
{
    for (unsigned i = 0; i < self->count; i++) {
        if (!self->actors[i].removed && th_slice_equal(self->actors[i].name, name))
            return i;
    }
    return NOBODY;
}

static unsigned row_named(const model *self, th_slice name)
{
    for (unsigned i = 0; i < self->count; i++) {
        if (th_slice_equal(self->actors[i].name, name))
            return i;
    }
    return NOBODY;
}

static void add_message(model *self, message added)
{
    if (self->message_count == self->capacity) {
        self->capacity = self->capacity ? 2 * self->capacity : 256;
        self->messages = realloc(self->messages, self->capacity * sizeof *self->messages);
    }
    self->messages[self->message_count++] = added;
}

/* The newest first: what is taken in was mostly sent a short while ago. */
static message *sent_as(model *self, unsigned from, uint64_t sequence, uint64_t index)
{
    for (size_t i = self->message_count; i > 0; i--) {
        message *sent = &self->messages[i - 1];
        if (sent->from == from && sent->sequence == sequence && sent->index == index)
            return sent;
    }
    return NULL;
}

static message *asked_as(model *self, unsigned from, uint64_t request)
{
    for (size_t i = self->message_count; i > 0; i--) {
        message *sent = &self->messages[i - 1];
        if (sent->from == from && sent->request == request && sent->sequence == request >> 16)
            return sent;
    }
    return NULL;
}

static void take_cause(model *self, unsigned by, const th_element *element)
{
    const th_cause *cause = &element->cause;
    if (cause->kind == TH_CAUSE_NONE)
        return;
    message *sent = cause->kind == TH_CAUSE_MESSAGE
                        ? sent_as(self, row_named(self, cause->actor), cause->sequence, cause->index)
                        : asked_as(self, by, cause->request);
    unsigned *count = !sent                                  ? NULL
                      : cause->kind == TH_CAUSE_MESSAGE      ? &sent->taken
                      : cause->kind == TH_CAUSE_UNDELIVERED  ? &sent->noticed
                                                             : &sent->answered;
    const char *problem = !sent                                                ? "was never sent"
                          : cause->kind == TH_CAUSE_MESSAGE && sent->to != by  ? "was sent to another"
                          : ++*count > 1                                       ? "came before"
                          : sent->answered && sent->noticed ? "was answered and not delivered"
                                                            : NULL;
    self->world->messages++;
    if (problem)
        world_fail(self->world, "what element %llu of %s took in %s", (unsigned long long)element->sequence,
                   (const char *)self->actors[by].name.data, problem);
}

static void take_effects(model *self, unsigned by, const th_element *element, th_slice effects)
{
    th_effects_reader reader;
    th_effect effect;
    bool more = true;
    if (element->type == TH_REJECTION || th_effects_read(effects, element->sequence, &reader, NULL))
        return;
    while (!th_effects_next(&reader, &effect, &more, NULL) && more) {
        if (effect.kind != TH_EFFECT_MESSAGE)
            continue;
        add_message(self, (message){.from = by,
                                    .to = living(self, effect.to),
                                    .sequence = element->sequence,
                                    .index = effect.index,
                                    .request = element->type == TH_UPGRADE ? 0 : effect.request});
    }
}

static void take_life(model *self, const th_record *record)
{
    if (record->life.life == TH_LIFE_STARTED) {
        for (unsigned i = 0; i < WORLD_NAMES && self->count < ACTORS_MAX; i++) {
            if (th_slice_equal(record->life.name, th_slice_text(world_names[i])))
                self->actors[self->count++] =
                    (actor_row){.id = record->actor, .name = th_slice_text(world_names[i])};
        }
    } else if (record->life.life == TH_LIFE_REMOVED) {
        self->actors[row_of(self, record->actor)].removed = true;
    }
}

static bool take_record(void *context, uint64_t number, const th_record *record)
{
    model *self = context;
    th_element element;
    if (record->kind == TH_RECORD_LIFE)
        take_life(self, record);
    if (record->kind != TH_RECORD_ELEMENT)
        return true;
    unsigned by = row_of(self, record->actor);
    if (by == NOBODY || self->actors[by].removed ||
        th_element_decode(record->element.element, &element, NULL)) {
        world_fail(self->world, "record %llu is an element of nobody", (unsigned long long)number);
        return false;
    }
    take_cause(self, by, &element);
    take_effects(self, by, &element, record->element.effects);
    return !self->world->failure[0];
}

/* With nothing left to do. Who was removed takes nothing in and hears nothing. */
static const char *left_out(const model *self, const message *sent)
{
    bool asker_lives = !self->actors[sent->from].removed;
    if (sent->to == NOBODY)
        return sent->request && asker_lives && !sent->noticed ? "nobody was there, and the asker was not told"
                                                              : NULL;
    bool target_lives = !self->actors[sent->to].removed;
    if (target_lives && !sent->taken)
        return "was never taken in";
    if (!sent->request || !asker_lives)
        return NULL;
    if (sent->taken && !sent->answered)
        return "was taken in and never answered";
    if (!sent->taken && !sent->noticed && sent->to != sent->from)
        return "its target was removed, and the asker was not told";
    return NULL;
}

void world_check_delivery(sim_world *world, th_store *store, bool drained)
{
    model self = {.world = world};
    theater_error error = {0};
    world->messages = 0;
    if (th_store_scan(store, 0, take_record, &self, &error))
        world_fail(world, "reading the log: %s", error.message);
    unsigned alive = 0;
    for (unsigned i = 0; i < self.count; i++)
        alive += !self.actors[i].removed;
    for (size_t i = 0; drained && i < self.message_count && !world->failure[0]; i++) {
        const message *sent = &self.messages[i];
        const char *problem = left_out(&self, sent);
        if (problem)
            world_fail(world, "effect %llu of element %llu of %s: %s", (unsigned long long)sent->index,
                       (unsigned long long)sent->sequence, (const char *)self.actors[sent->from].name.data,
                       problem);
    }
    if (drained && alive > 1 && world->messages == 0)
        world_fail(world, "no actor wrote to another");
    free(self.messages);
}
