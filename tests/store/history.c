#include "store/history.h"

#include <stdio.h>
#include <stdlib.h>

#include "chain/descriptor.h"
#include "crypto/sha256.h"

history *history_new(uint64_t seed)
{
    theater_error error;
    history *h = calloc(1, sizeof *h);
    assert_non_null(h);
    h->d.state = seed;
    h->next_id = 1;
    h->payload_max = 200;
    OK(th_hasher_new(&h->hasher, &error));
    th_effects_init(&h->effects);
    th_buf_init(&h->scratch, 1 << 20);
    return h;
}

void history_free(history *h)
{
    th_hasher_free(h->hasher);
    th_effects_done(&h->effects);
    th_buf_done(&h->scratch);
    free(h);
}

static th_slice text(const char *s)
{
    return th_slice_text(s);
}

static bool alive(const model_actor *a)
{
    return a && (a->status == TH_ACTOR_RUNNING || a->status == TH_ACTOR_STOPPED);
}

static model_actor *by_id(history *h, uint64_t id)
{
    for (size_t i = 0; i < h->actor_count; i++) {
        if (h->actors[i].id == id)
            return &h->actors[i];
    }
    return NULL;
}

static model_actor *holder(history *h, const char *name)
{
    for (size_t i = 0; i < h->actor_count; i++) {
        if (alive(&h->actors[i]) && strcmp(h->actors[i].name, name) == 0)
            return &h->actors[i];
    }
    return NULL;
}

static th_hash any_hash(history *h)
{
    th_hash hash;
    for (int i = 0; i < 32; i++)
        hash.bytes[i] = (uint8_t)roll(&h->d, 256);
    return hash;
}

static int key_order(const th_message_key *a, const th_message_key *b)
{
    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

static void add_entry(history *h, uint64_t target, const th_undelivered *entry)
{
    assert_true(h->entry_count < ENTRIES);
    size_t at = h->entry_count++;
    while (at > 0 && (h->entries[at - 1].target > target ||
                      (h->entries[at - 1].target == target &&
                       key_order(&h->entries[at - 1].entry.key, &entry->key) > 0))) {
        h->entries[at] = h->entries[at - 1];
        at--;
    }
    h->entries[at] = (model_entry){target, *entry};
}

static void drop_entry(history *h, size_t at)
{
    memmove(&h->entries[at], &h->entries[at + 1], (--h->entry_count - at) * sizeof h->entries[0]);
}

size_t history_waiting(const history *h, uint64_t actor)
{
    size_t count = 0;
    for (size_t i = 0; i < h->entry_count; i++)
        count += h->entries[i].target == actor;
    return count;
}

/* ---- records ---- */

static void encode(const th_record *record, th_buf *out)
{
    theater_error error;
    OK(th_record_encode(record, out, &error));
}

static void life(history *h, uint64_t number, uint64_t actor, th_life what, const char *name, th_buf *out)
{
    th_record record = {.kind = TH_RECORD_LIFE, .actor = actor};
    record.life.life = what;
    record.life.time_ns = number;
    record.life.name = text(name);
    encode(&record, out);
}

static void start(history *h, uint64_t number, bool archive, th_buf *out)
{
    char name[16];
    snprintf(name, sizeof name, "actor-%u", (unsigned)roll(&h->d, NAMES));
    if (!archive && holder(h, name))
        archive = true;
    model_actor *a = &h->actors[h->actor_count++];
    *a = (model_actor){.id = h->next_id++, .status = archive ? TH_ACTOR_ARCHIVE : TH_ACTOR_RUNNING};
    memcpy(a->name, name, sizeof name);
    life(h, number, a->id, archive ? TH_LIFE_IMPORTED : TH_LIFE_STARTED, name, out);
}

static bool removed(const model_actor *a)
{
    return a->status == TH_ACTOR_REMOVED || a->status == TH_ACTOR_ARCHIVE_REMOVED;
}

static void remove_actor(history *h, uint64_t number, model_actor *a, th_buf *out)
{
    uint32_t notices = 0;
    bool archive = a->status == TH_ACTOR_ARCHIVE;
    for (size_t i = 0; i < h->entry_count && !archive;) {
        model_entry entry = h->entries[i];
        if (entry.target != a->id) {
            i++;
            continue;
        }
        drop_entry(h, i);
        if (entry.entry.kind != TH_MESSAGE || entry.entry.request == 0 || entry.entry.from == a->id ||
            !alive(by_id(h, entry.entry.from)))
            continue;
        th_undelivered notice = {.key = {number, notices++},
                                 .kind = TH_MESSAGE_NOTICE,
                                 .request = entry.entry.request,
                                 .failed = true};
        memcpy(notice.to, a->name, sizeof a->name);
        add_entry(h, entry.entry.from, &notice);
        i = 0; /* what was added may stand before */
    }
    a->status = archive ? TH_ACTOR_ARCHIVE_REMOVED : TH_ACTOR_REMOVED;
    life(h, number, a->id, TH_LIFE_REMOVED, "", out);
}

/* Sends up to three messages and requests, of which the model takes note. */
static th_slice random_effects(history *h, uint64_t number, model_actor *a, th_element_type type)
{
    theater_error error;
    th_slice payload;
    th_turn_limit passed;
    th_effects_begin(&h->effects, a->elements, 1 << 20, 1 << 20);
    uint64_t count = roll(&h->d, 4);
    bool rejected = type == TH_REJECTION;
    for (uint64_t i = 0; i < count; i++) {
        if (roll(&h->d, 3) == 0) {
            OK(th_effects_log(&h->effects, 1, text("a line"), &passed, &error));
            continue;
        }
        char name[16];
        uint64_t request = 0;
        th_hash hash;
        /* Some go to the sender itself, and some to names that nobody holds. */
        if (roll(&h->d, 4) == 0)
            memcpy(name, a->name, sizeof name);
        else
            snprintf(name, sizeof name, "actor-%u", (unsigned)roll(&h->d, NAMES + 2));
        bool wants = roll(&h->d, 2);
        OK(th_effects_message(&h->effects, h->hasher, text(name), text("hello"), wants, &request, &hash,
                              &passed, &error));
        model_actor *target = holder(h, name);
        /* An upgrade's requests get no answer. */
        request = type == TH_UPGRADE ? 0 : request;
        th_undelivered entry = {.key = {number, (uint32_t)i}, .request = request};
        if (rejected || (!target && !request))
            continue;
        if (target) {
            entry.from = a->id;
            entry.sequence = a->elements;
        } else {
            entry.kind = TH_MESSAGE_NOTICE;
            memcpy(entry.to, name, sizeof name);
        }
        add_entry(h, target ? target->id : a->id, &entry);
    }
    if (rejected)
        OK(th_effects_finish_rejection(&h->effects, TH_REJECTED_BY_ACTOR, &payload, &error));
    else
        OK(th_effects_finish(&h->effects, &payload, &error));
    return payload;
}

static void note_cause(history *h, uint64_t number, model_actor *a, th_record *record, th_element *element)
{
    size_t first = 0;
    while (first < h->entry_count && h->entries[first].target != a->id)
        first++;
    if (first == h->entry_count || roll(&h->d, 4) == 0)
        return;
    /* Senders' messages are taken in order, but between senders any may come first; any entry will do for
     * the index. */
    size_t at = first + (size_t)roll(&h->d, history_waiting(h, a->id));
    th_undelivered entry = h->entries[at].entry;
    drop_entry(h, at);
    record->element.has_cause = true;
    record->element.cause = entry.key;
    element->cause.actor = text("actor-0");
    element->cause.sequence = entry.sequence;
    element->cause.request = entry.request;
    element->cause.failed = entry.failed;
    element->cause.index = entry.key.index;
    element->cause.kind = entry.kind == TH_MESSAGE         ? TH_CAUSE_MESSAGE
                          : entry.kind == TH_MESSAGE_REPLY ? TH_CAUSE_ANSWER
                                                           : TH_CAUSE_UNDELIVERED;
    if (entry.kind != TH_MESSAGE_NOTICE) {
        assert_true(h->consumer_count < CONSUMERS);
        h->consumers[h->consumer_count++] =
            (model_consumer){entry.from, entry.sequence, entry.key.index, a->id, element->sequence};
    }
    if (entry.kind == TH_MESSAGE && entry.request && alive(by_id(h, entry.from))) {
        th_undelivered reply = {.key = {number, TH_MESSAGE_ANSWER},
                                .kind = TH_MESSAGE_REPLY,
                                .from = a->id,
                                .sequence = element->sequence,
                                .request = entry.request,
                                .failed = element->type == TH_REJECTION};
        add_entry(h, entry.from, &reply);
    }
}

static void note_id(history *h, const model_actor *a, th_element *element, char id[16])
{
    snprintf(id, 16, "id-%u", (unsigned)roll(&h->d, 5000));
    element->id = text(id);
    assert_true(h->id_count < MODEL_IDS);
    model_id *kept = &h->ids[h->id_count++];
    *kept = (model_id){a->id, element->sequence, element->timestamp, {0}};
    memcpy(kept->id, id, 16);
}

static void fill_payload(history *h, th_record *record)
{
    static uint8_t bytes[1 << 16];
    size_t size = (size_t)roll(&h->d, h->payload_max + 1);
    for (size_t i = 0; i < size; i += 7)
        bytes[i] = (uint8_t)roll(&h->d, 256);
    record->element.output = th_slice_of(bytes, size);
    if (!record->element.input.size)
        record->element.input = th_slice_of(bytes, size / 2);
}

static void set_descriptor(history *h, model_actor *a, th_record *record, uint64_t sequence)
{
    theater_error error;
    th_descriptor descriptor = {
        .name = text(a->name), .component = any_hash(h), .limits = {1, 1, 1, 1, 1}, .engine = text("engine")};
    th_buf_clear(&h->scratch);
    OK(th_descriptor_encode(&descriptor, &h->scratch, &error));
    record->element.input = th_buf_slice(&h->scratch);
    a->component = descriptor.component;
    a->descriptor_sequence = sequence;
}

static void element_of(history *h, uint64_t number, model_actor *a, th_buf *out)
{
    th_record record = {.kind = TH_RECORD_ELEMENT, .actor = a->id};
    th_element element = {.sequence = a->elements, .previous = a->head, .state_size = 8};
    uint8_t encoding[TH_ELEMENT_MAX];
    char id[16];
    uint64_t kind = roll(&h->d, 20);
    element.type = a->elements == 0 ? TH_GENESIS
                   : kind == 0      ? TH_UPGRADE
                   : kind < 4       ? TH_REJECTION
                                    : TH_TRANSITION;
    element.timestamp = a->timestamp += roll(&h->d, 50);
    memset(element.state_after.bytes, 7, 32);
    element.state_before = element.state_after;
    if (element.type == TH_GENESIS || element.type == TH_UPGRADE) {
        th_sha256_of(h->hasher, (th_slice){0}, &element.output);
        set_descriptor(h, a, &record, element.sequence);
    }
    if (element.type == TH_GENESIS)
        th_sha256_of(h->hasher, (th_slice){0}, &element.state_before);
    bool archive = a->status == TH_ACTOR_ARCHIVE;
    if (!archive && (element.type == TH_TRANSITION || element.type == TH_REJECTION)) {
        note_cause(h, number, a, &record, &element);
        if (!record.element.has_cause && roll(&h->d, 2))
            note_id(h, a, &element, id);
    }
    th_slice none = th_slice_text(TH_EFFECTS_NONE);
    record.element.effects = archive ? none : random_effects(h, number, a, element.type);
    if (element.type != TH_GENESIS && element.type != TH_UPGRADE)
        fill_payload(h, &record);
    record.element.hash = any_hash(h);
    record.element.element = th_slice_of(encoding, th_element_encode(&element, encoding));
    encode(&record, out);
    a->head = record.element.hash;
    a->head_number = number;
    if (a->elements++ == 0)
        a->genesis = a->head;
}

static void other(history *h, model_actor *a, th_buf *out)
{
    th_record record = {.actor = a->id};
    if (a->elements == 0 || roll(&h->d, 4) == 0) {
        record.kind = TH_RECORD_COMPONENT;
        record.component.hash = any_hash(h);
        record.component.binary = text("not really a component");
    } else if (roll(&h->d, 2)) {
        record.kind = TH_RECORD_SNAPSHOT;
        record.snapshot.sequence = a->elements - 1;
        record.snapshot.state = text("state");
        a->has_snapshot = true;
        a->snapshot = a->elements - 1;
    } else {
        record.kind = TH_RECORD_CHECKPOINT;
        record.checkpoint.size = a->elements;
        record.checkpoint.note = text("note");
        a->checkpoint = a->elements;
    }
    encode(&record, out);
}

void history_next(history *h, uint64_t number, th_buf *out)
{
    uint64_t kind = roll(&h->d, 100);
    if (h->actor_count == 0 || (h->actor_count < ACTORS && kind < 4)) {
        start(h, number, kind == 0, out);
        return;
    }
    model_actor *a = &h->actors[roll(&h->d, h->actor_count)];
    for (int tries = 0; removed(a) && tries < 1000; tries++)
        a = &h->actors[roll(&h->d, h->actor_count)];
    if (removed(a)) {
        th_record record = {.kind = TH_RECORD_COMPONENT};
        encode(&record, out);
    } else if (kind < 6 && h->actor_count > 4 && (a->elements > 0)) {
        remove_actor(h, number, a, out);
    } else if (kind < 9 && alive(a)) {
        bool stop = a->status == TH_ACTOR_RUNNING;
        a->status = stop ? TH_ACTOR_STOPPED : TH_ACTOR_RUNNING;
        life(h, number, a->id, stop ? TH_LIFE_STOPPED : TH_LIFE_RESUMED, "", out);
    } else if (kind < 14) {
        other(h, a, out);
    } else {
        element_of(h, number, a, out);
    }
}

void history_append(history *h, th_store *store, size_t count)
{
    theater_error error;
    th_buf bytes[16];
    th_slice records[16];
    while (count > 0) {
        size_t batch = 1 + (size_t)roll(&h->d, 16);
        batch = batch < count ? batch : count;
        for (size_t i = 0; i < batch; i++) {
            th_buf_init(&bytes[i], 1 << 20);
            history_next(h, th_store_next_number(store) + i, &bytes[i]);
            records[i] = th_buf_slice(&bytes[i]);
        }
        OK(th_store_append(store, records, batch, &error));
        for (size_t i = 0; i < batch; i++)
            th_buf_done(&bytes[i]);
        count -= batch;
    }
}
