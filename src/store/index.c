/* store/index.c: the rules by which the index follows from the log.
 *
 * The index is a function of the records in the order of their numbers. What it holds: who holds which
 * name; a row for each actor; the positions of elements in blocks; undelivered entries; idempotency ids;
 * positions of components, snapshots and checkpoints; who consumed which message. Below, n is the record's
 * number, and an actor is alive while it is RUNNING or STOPPED.
 *
 * LIFE of x
 *   L1. STARTED makes an actor and gives it the name, which nobody may hold. IMPORTED makes an archive,
 *       which holds no name. An id is taken when a start begins and used once; starts may end in another
 *       order.
 *   L2. STOPPED and RESUMED set the status of a living actor.
 *   L3. REMOVED: each undelivered MESSAGE of x with a request, in the order of the keys, whose sender is
 *       alive and is not x, becomes an entry for its sender: NOTICE "removed" with the key (n, k), k = 0,
 *       1, .. counting these notices, the request, and x's name. Then all entries of x are deleted, the
 *       name is free, and the status is REMOVED. An archive gets the status ARCHIVE_REMOVED, no more.
 *
 * ELEMENT of x, an archive's: E1 only.
 *   E1. It is the next of its chain. Head, position, and with a genesis or an upgrade the descriptor in
 *       force.
 *   E2. An idempotency id is noted; beyond the bounds of number and age the oldest go. Age is counted by
 *       element timestamps.
 *   E3. With a cause: the entry (x, cause.number, cause.index) must be there; it is deleted, and x's
 *       element is its consumer. If it was a MESSAGE with a request, and its sender is alive, the sender
 *       gets an entry REPLY with the key (n, TH_MESSAGE_ANSWER): from x, this sequence, the request, and
 *       failed if the element is a rejection.
 *   E4. Each message effect, i its index in the effects, to a living actor that holds the name `to`: an
 *       entry for that one, MESSAGE with the key (n, i), from x, this sequence, the request (0 of an
 *       upgrade). If nobody holds the name: with a request, an entry for x itself, NOTICE "no such actor"
 *       with the key (n, i), the request and the name; without, nothing.
 *
 * E3 and E4 read what the same transaction wrote: an entry may be put and consumed in one.
 *
 * What contradicts these rules is CORRUPT, and the transaction is dropped: the log says something that no
 * runtime does. */
#include "store/index.h"

#include "chain/descriptor.h"
#include "chain/effects.h"
#include "chain/element.h"
#include "store/actor_cache.h"

static bool is_alive(const th_cached_actor *actor)
{
    return actor &&
           (actor->row.info.status == TH_ACTOR_RUNNING || actor->row.info.status == TH_ACTOR_STOPPED);
}

static theater_status contradiction(const th_journal_item *item, const char *what, theater_error *reterr)
{
    return th_fail(reterr, THEATER_CORRUPT, "record %llu contradicts the records before it: %s",
                   (unsigned long long)item->number, what);
}

static theater_status put(th_index_change *change, const th_key *key, th_slice value, theater_error *reterr)
{
    return th_kv_map_put(change->kv.changes, th_key_slice(key), value, reterr);
}

static theater_status put_position(th_index_change *change, const th_key *key, uint64_t position,
                                   theater_error *reterr)
{
    uint8_t bytes[8];
    th_put_u64le(bytes, position);
    return put(change, key, th_slice_of(bytes, sizeof bytes), reterr);
}

/* ---- undelivered entries ---- */

static void entry_key(th_key *key, uint64_t actor, const th_message_key *message)
{
    th_key_begin(key, TH_TABLE_WAITING);
    th_key_number(key, actor);
    if (!message)
        return;
    th_key_number(key, message->number);
    th_key_number(key, message->index);
}

static theater_status put_entry(th_index_change *change, th_cached_actor *target, const th_undelivered *entry,
                                theater_error *reterr)
{
    th_key key;
    uint8_t bytes[TH_ENTRY_MAX];
    entry_key(&key, target->row.info.id, &entry->key);
    size_t size = th_entry_encode(entry, bytes);
    target->row.info.undelivered++;
    target->dirty = true;
    return put(change, &key, th_slice_of(bytes, size), reterr);
}

/* Takes an entry away; *ret_found says whether it was there. */
static theater_status take_entry(th_index_change *change, th_cached_actor *target,
                                 const th_message_key *message, th_undelivered *ret, bool *ret_found,
                                 theater_error *reterr)
{
    th_key key;
    th_slice value;
    entry_key(&key, target->row.info.id, message);
    theater_status status = th_kv_change_get(&change->kv, th_key_slice(&key), ret_found, &value, reterr);
    if (status || !*ret_found)
        return status;
    if (!th_entry_decode(value, ret))
        return th_index_damaged("an undelivered message", reterr);
    ret->key = *message;
    target->row.info.undelivered--;
    target->dirty = true;
    return th_kv_map_delete(change->kv.changes, th_key_slice(&key), reterr);
}

/* ---- elements ---- */

/* E1. The descriptor may be dropped in an archive: then the component is not known. */
static theater_status note_descriptor(th_index_change *change, const th_journal_item *item,
                                      th_cached_actor *actor, const th_record *record,
                                      const th_element *element, theater_error *reterr)
{
    th_actor_info *info = &actor->row.info;
    info->descriptor_sequence = element->sequence;
    info->component = (th_hash){0};
    th_key key;
    th_key_begin(&key, TH_TABLE_DESCRIPTOR);
    th_key_number(&key, record->actor);
    th_key_number(&key, element->sequence);
    theater_status status = put_position(change, &key, item->position, reterr);
    if (status || record->element.input_dropped)
        return status;
    th_descriptor descriptor;
    if (th_descriptor_decode(record->element.input, &descriptor, reterr))
        return contradiction(item, "its descriptor does not decode", reterr);
    info->component = descriptor.component;
    return THEATER_OK;
}

static theater_status note_element(th_index_change *change, const th_journal_item *item,
                                   th_cached_actor *actor, const th_record *record, const th_element *element,
                                   theater_error *reterr)
{
    th_actor_info *info = &actor->row.info;
    if (element->sequence != info->elements)
        return contradiction(item, "its element is not the next of its actor", reterr);
    info->head_hash = record->element.hash;
    info->head_number = item->number;
    info->head_timestamp_ns = element->timestamp;
    if (element->sequence == 0)
        info->genesis_hash = record->element.hash;
    theater_status status = THEATER_OK;
    if (element->type == TH_GENESIS || element->type == TH_UPGRADE)
        status = note_descriptor(change, item, actor, record, element, reterr);
    return status ? status : th_actor_add_element(change, actor, item->position, reterr);
}

static void id_key(th_key *key, uint64_t actor, th_slice id)
{
    th_key_begin(key, TH_TABLE_ID);
    th_key_number(key, actor);
    th_key_bytes(key, id);
}

static void order_key(th_key *key, uint64_t actor, uint64_t sequence)
{
    th_key_begin(key, TH_TABLE_ID_ORDER);
    th_key_number(key, actor);
    th_key_number(key, sequence);
}

/* Deletes the id that element `sequence` brought, unless a later element brought the same one. `value`:
 * that id's value now. */
static theater_status forget_id(th_index_change *change, const th_key *id, uint64_t sequence, th_slice value,
                                theater_error *reterr)
{
    if (value.size != 16 || th_get_u64le(value.data) != sequence)
        return THEATER_OK;
    return th_kv_map_delete(change->kv.changes, th_key_slice(id), reterr);
}

/* Looks at the oldest id of the actor; drops it when it is past a bound. *ret_dropped. */
static theater_status drop_oldest_id(th_index_change *change, th_cached_actor *actor, uint64_t now,
                                     bool *ret_dropped, theater_error *reterr)
{
    th_key from, table, id;
    th_slice key, value;
    bool found;
    uint64_t sequence;
    *ret_dropped = false;
    order_key(&from, actor->row.info.id, actor->row.ids_first);
    th_key_begin(&table, TH_TABLE_ID_ORDER);
    th_key_number(&table, actor->row.info.id);
    theater_status status = th_kv_change_seek(&change->kv, th_key_slice(&from), &found, &key, &value, reterr);
    if (status)
        return status;
    th_slice rest = found && th_key_has_prefix(key, &table)
                        ? th_slice_of(key.data + table.size, key.size - table.size)
                        : (th_slice){0};
    if (!th_key_read_number(&rest, &sequence) || value.size < 8 || value.size > 8 + TH_ID_MAX)
        return th_index_damaged("an idempotency id", reterr);
    uint64_t timestamp = th_get_u64le(value.data);
    bool aged = now > timestamp && now - timestamp > change->mark.ids_age_ns;
    actor->row.ids_first = sequence;
    if (actor->row.ids <= change->mark.ids_max && !aged)
        return THEATER_OK;
    id_key(&id, actor->row.info.id, th_slice_of(value.data + 8, value.size - 8));
    order_key(&from, actor->row.info.id, sequence);
    status = th_kv_change_get(&change->kv, th_key_slice(&id), &found, &value, reterr);
    if (!status && found)
        status = forget_id(change, &id, sequence, value, reterr);
    if (!status)
        status = th_kv_map_delete(change->kv.changes, th_key_slice(&from), reterr);
    actor->row.ids--;
    actor->row.ids_first = sequence + 1;
    *ret_dropped = true;
    return status;
}

/* E2. */
static theater_status note_id(th_index_change *change, th_cached_actor *actor, const th_element *element,
                              theater_error *reterr)
{
    th_key key;
    uint8_t bytes[16 + TH_ID_MAX];
    th_put_u64le(bytes, element->sequence);
    th_put_u64le(bytes + 8, element->timestamp);
    id_key(&key, actor->row.info.id, element->id);
    theater_status status = put(change, &key, th_slice_of(bytes, 16), reterr);
    memcpy(bytes + 16, element->id.data, element->id.size);
    order_key(&key, actor->row.info.id, element->sequence);
    if (!status)
        status = put(change, &key, th_slice_of(bytes + 8, 8 + element->id.size), reterr);
    actor->row.ids++;
    bool dropped = true;
    while (!status && dropped && actor->row.ids > 0)
        status = drop_oldest_id(change, actor, element->timestamp, &dropped, reterr);
    return status;
}

static theater_status note_consumer(th_index_change *change, const th_cached_actor *actor,
                                    const th_element *element, const th_undelivered *entry,
                                    theater_error *reterr)
{
    if (entry->kind == TH_MESSAGE_NOTICE)
        return THEATER_OK; /* it came from no element of another actor */
    th_key key;
    uint8_t bytes[16];
    th_key_begin(&key, TH_TABLE_CONSUMER);
    th_key_number(&key, entry->from);
    th_key_number(&key, entry->sequence);
    th_key_number(&key, entry->key.index);
    th_put_u64le(bytes, actor->row.info.id);
    th_put_u64le(bytes + 8, element->sequence);
    return put(change, &key, th_slice_of(bytes, sizeof bytes), reterr);
}

/* E3. */
static theater_status consume(th_index_change *change, const th_journal_item *item, th_cached_actor *actor,
                              const th_record *record, const th_element *element, theater_error *reterr)
{
    th_undelivered entry;
    bool found;
    theater_status status = take_entry(change, actor, &record->element.cause, &entry, &found, reterr);
    if (!status && !found)
        return contradiction(item, "its cause is no undelivered message of its actor", reterr);
    if (!status)
        status = note_consumer(change, actor, element, &entry, reterr);
    if (status || entry.kind != TH_MESSAGE || entry.request == 0)
        return status;
    th_cached_actor *sender;
    status = th_actor_load(change, entry.from, &sender, reterr);
    if (status || !is_alive(sender))
        return status;
    th_undelivered reply = {.key = {item->number, TH_MESSAGE_ANSWER},
                            .kind = TH_MESSAGE_REPLY,
                            .from = actor->row.info.id,
                            .sequence = element->sequence,
                            .request = entry.request,
                            .failed = element->type == TH_REJECTION};
    return put_entry(change, sender, &reply, reterr);
}

/* E4. */
static theater_status deliver(th_index_change *change, const th_journal_item *item, th_cached_actor *actor,
                              const th_element *element, const th_effect *effect, theater_error *reterr)
{
    th_cached_actor *target;
    /* The chain format knows answers to a genesis and to transitions, so an upgrade waits for none. */
    uint64_t request = element->type == TH_UPGRADE ? 0 : effect->request;
    theater_status status = th_actor_holder(change, effect->to, &target, reterr);
    if (status || (!target && request == 0))
        return status;
    if (effect->index >= TH_MESSAGE_ANSWER)
        return contradiction(item, "it has too many effects", reterr);
    th_undelivered entry = {.key = {item->number, (uint32_t)effect->index}, .request = request};
    if (target) {
        entry.kind = TH_MESSAGE;
        entry.from = actor->row.info.id;
        entry.sequence = element->sequence;
    } else {
        entry.kind = TH_MESSAGE_NOTICE;
        memcpy(entry.to, effect->to.data, effect->to.size);
        entry.to[effect->to.size] = 0;
    }
    return put_entry(change, target ? target : actor, &entry, reterr);
}

static theater_status deliver_all(th_index_change *change, const th_journal_item *item,
                                  th_cached_actor *actor, const th_record *record, const th_element *element,
                                  theater_error *reterr)
{
    th_slice payload = record->element.effects;
    if (payload.size == 1 && payload.data[0] == (uint8_t)TH_EFFECTS_NONE[0])
        return THEATER_OK;
    th_effects_reader reader;
    theater_status status = th_effects_read(payload, element->sequence, &reader, reterr);
    bool more = true;
    while (!status && more) {
        th_effect effect;
        status = th_effects_next(&reader, &effect, &more, reterr);
        if (!status && more && effect.kind == TH_EFFECT_MESSAGE)
            status = deliver(change, item, actor, element, &effect, reterr);
    }
    return status;
}

static theater_status apply_element(th_index_change *change, const th_journal_item *item,
                                    const th_record *record, theater_error *reterr)
{
    th_cached_actor *actor;
    theater_status status = th_actor_load(change, record->actor, &actor, reterr);
    if (status)
        return status;
    if (!actor || actor->row.info.status == TH_ACTOR_REMOVED ||
        actor->row.info.status == TH_ACTOR_ARCHIVE_REMOVED)
        return contradiction(item, "an element of an actor that is not there", reterr);
    bool archive = actor->row.info.status == TH_ACTOR_ARCHIVE;
    th_element element = {0};
    status = th_element_decode(record->element.element, &element, reterr);
    if (status == THEATER_VERSION && archive) {
        /* A chain of a later version may be kept, and its links be read. */
        th_element_link link;
        status = th_element_links(record->element.element, &link, reterr);
        element = (th_element){.sequence = link.sequence, .type = TH_TRANSITION};
    }
    if (!status)
        status = note_element(change, item, actor, record, &element, reterr);
    if (status || archive)
        return status;
    if (record->element.has_cause != (element.cause.kind != TH_CAUSE_NONE))
        return contradiction(item, "its cause and that of its element differ", reterr);
    if (element.id.size)
        status = note_id(change, actor, &element, reterr);
    if (!status && record->element.has_cause)
        status = consume(change, item, actor, record, &element, reterr);
    if (!status && !record->element.effects_dropped)
        status = deliver_all(change, item, actor, record, &element, reterr);
    return status;
}

/* ---- life ---- */

/* L3, for one entry of the actor that goes. */
static theater_status drop_entry(th_index_change *change, const th_journal_item *item, th_cached_actor *actor,
                                 const th_undelivered *entry, uint32_t *notices, theater_error *reterr)
{
    if (entry->kind != TH_MESSAGE || entry->request == 0 || entry->from == actor->row.info.id)
        return THEATER_OK;
    th_cached_actor *sender;
    theater_status status = th_actor_load(change, entry->from, &sender, reterr);
    if (status || !is_alive(sender))
        return status;
    if (*notices == TH_MESSAGE_ANSWER)
        return contradiction(item, "it leaves too many requests without an answer", reterr);
    th_undelivered notice = {.key = {item->number, (*notices)++},
                             .kind = TH_MESSAGE_NOTICE,
                             .request = entry->request,
                             .failed = true};
    memcpy(notice.to, actor->row.info.name, sizeof notice.to);
    return put_entry(change, sender, &notice, reterr);
}

static theater_status drop_entries(th_index_change *change, const th_journal_item *item,
                                   th_cached_actor *actor, theater_error *reterr)
{
    th_key prefix, from;
    uint32_t notices = 0;
    entry_key(&prefix, actor->row.info.id, NULL);
    from = prefix;
    while (true) {
        th_slice key, value;
        bool found;
        theater_status status =
            th_kv_change_seek(&change->kv, th_key_slice(&from), &found, &key, &value, reterr);
        if (status || !found || !th_key_has_prefix(key, &prefix))
            return status;
        th_undelivered entry;
        th_message_key message;
        uint64_t index;
        th_slice rest = th_slice_of(key.data + prefix.size, key.size - prefix.size);
        if (!th_key_read_number(&rest, &message.number) || !th_key_read_number(&rest, &index))
            return th_index_damaged("an undelivered message", reterr);
        message.index = (uint32_t)index;
        /* The search goes on behind this key, not over all that were deleted before it. */
        entry_key(&from, actor->row.info.id, &message);
        from.bytes[from.size++] = 0;
        status = take_entry(change, actor, &message, &entry, &found, reterr);
        if (!status)
            status = drop_entry(change, item, actor, &entry, &notices, reterr);
        if (status)
            return status;
    }
}

static theater_status begin_life(th_index_change *change, const th_journal_item *item,
                                 const th_record *record, theater_error *reterr)
{
    bool started = record->life.life == TH_LIFE_STARTED;
    th_cached_actor *holder, *actor;
    theater_status status = th_actor_load(change, record->actor, &actor, reterr);
    if (status)
        return status;
    if (actor)
        return contradiction(item, "the id of a new actor is not a new one", reterr);
    status = th_actor_holder(change, record->life.name, &holder, reterr);
    if (status)
        return status;
    if (started && holder)
        return contradiction(item, "the name of a new actor is in use", reterr);
    status = th_actor_add(change, record->actor, record->life.name,
                          started ? TH_ACTOR_RUNNING : TH_ACTOR_ARCHIVE, &actor, reterr);
    /* Ids are taken when a start begins, and a start that began later may end first. */
    if (change->mark.next_actor_id <= record->actor)
        change->mark.next_actor_id = record->actor + 1;
    if (status)
        return status;
    uint64_t holds = started ? record->actor : holder ? holder->row.info.id : 0;
    return th_actor_set_name(change, record->life.name, holds, started ? 0 : record->actor, reterr);
}

static theater_status apply_life(th_index_change *change, const th_journal_item *item,
                                 const th_record *record, theater_error *reterr)
{
    th_life life = record->life.life;
    if (life == TH_LIFE_STARTED || life == TH_LIFE_IMPORTED)
        return begin_life(change, item, record, reterr);
    th_cached_actor *actor;
    theater_status status = th_actor_load(change, record->actor, &actor, reterr);
    if (status)
        return status;
    bool archive = actor && actor->row.info.status == TH_ACTOR_ARCHIVE;
    if (!is_alive(actor) && !(archive && life == TH_LIFE_REMOVED))
        return contradiction(item, "it is about an actor that is not there", reterr);
    actor->dirty = true;
    if (life != TH_LIFE_REMOVED) {
        actor->row.info.status = life == TH_LIFE_STOPPED ? TH_ACTOR_STOPPED : TH_ACTOR_RUNNING;
        return THEATER_OK;
    }
    status = drop_entries(change, item, actor, reterr);
    actor->row.info.status = archive ? TH_ACTOR_ARCHIVE_REMOVED : TH_ACTOR_REMOVED;
    if (status || archive)
        return status;
    return th_actor_set_name(change, th_slice_text(actor->row.info.name), 0, record->actor, reterr);
}

/* ---- the rest ---- */

static theater_status apply_of_actor(th_index_change *change, const th_journal_item *item,
                                     const th_record *record, theater_error *reterr)
{
    th_cached_actor *actor;
    theater_status status = th_actor_load(change, record->actor, &actor, reterr);
    if (status)
        return status;
    bool snapshot = record->kind == TH_RECORD_SNAPSHOT;
    uint64_t number = snapshot ? record->snapshot.sequence : record->checkpoint.size;
    if (!actor || number > actor->row.info.elements || (snapshot && number == actor->row.info.elements))
        return contradiction(item, "it is about an element that is not there", reterr);
    th_actor_info *info = &actor->row.info;
    if (snapshot && (!info->has_snapshot || number > info->snapshot_sequence)) {
        info->has_snapshot = true;
        info->snapshot_sequence = number;
    } else if (!snapshot && number > info->checkpoint_size) {
        info->checkpoint_size = number;
    }
    actor->dirty = true;
    th_key key;
    th_key_begin(&key, snapshot ? TH_TABLE_SNAPSHOT : TH_TABLE_CHECKPOINT);
    th_key_number(&key, record->actor);
    th_key_number(&key, number);
    return put_position(change, &key, item->position, reterr);
}

static theater_status apply_component(th_index_change *change, const th_journal_item *item,
                                      const th_record *record, theater_error *reterr)
{
    th_key key;
    th_key_begin(&key, TH_TABLE_COMPONENT);
    th_key_bytes(&key, th_slice_of(record->component.hash.bytes, THEATER_HASH_SIZE));
    return put_position(change, &key, item->position, reterr);
}

static theater_status apply_compiled(th_index_change *change, const th_record *record, theater_error *reterr)
{
    th_key key;
    th_key_begin(&key, TH_TABLE_COMPILED);
    th_key_bytes(&key, th_slice_of(record->compiled.component.bytes, THEATER_HASH_SIZE));
    th_key_bytes(&key, record->compiled.fingerprint);
    return put(change, &key, th_slice_of(record->compiled.hash.bytes, THEATER_HASH_SIZE), reterr);
}

theater_status th_index_apply(th_index_change *change, const th_journal_item *item, const th_record *record,
                              theater_error *reterr)
{
    th_assert(item->number == change->mark.log.number);
    theater_status status = THEATER_OK;
    switch (record->kind) {
    case TH_RECORD_COMPONENT:
        status = apply_component(change, item, record, reterr);
        break;
    case TH_RECORD_COMPILED:
        status = apply_compiled(change, record, reterr);
        break;
    case TH_RECORD_ELEMENT:
        status = apply_element(change, item, record, reterr);
        break;
    case TH_RECORD_LIFE:
        status = apply_life(change, item, record, reterr);
        break;
    case TH_RECORD_SNAPSHOT:
    case TH_RECORD_CHECKPOINT:
        status = apply_of_actor(change, item, record, reterr);
        break;
    }
    change->mark.log =
        (th_journal_mark){item->number + 1, item->position + item->log_bytes, item->position, item->sum};
    return status;
}

/* ---- transactions ---- */

theater_status th_index_begin(th_kv *kv, const th_index_mark *mark, th_index_change *ret,
                              theater_error *reterr)
{
    *ret = (th_index_change){.mark = *mark};
    theater_status status = th_actor_cache_new(&ret->cache, reterr);
    if (status)
        return status;
    status = th_kv_change_begin(kv, TH_CHANGES_MAX, &ret->kv, reterr);
    if (status)
        th_actor_cache_free(ret->cache);
    return status;
}

void th_index_end(th_index_change *change)
{
    th_kv_change_end(&change->kv);
    th_actor_cache_free(change->cache);
}

uint64_t th_index_bytes(const th_index_change *change)
{
    return th_kv_map_bytes(change->kv.changes) + th_actor_cache_bytes(change->cache);
}

theater_status th_index_commit(th_index_change *change, theater_error *reterr)
{
    uint8_t mark[TH_INDEX_MARK_SIZE];
    th_key key;
    th_key_begin(&key, TH_TABLE_MARK);
    th_index_mark_encode(&change->mark, mark);
    theater_status status = th_actor_cache_flush(change, reterr);
    if (!status)
        status = put(change, &key, th_slice_of(mark, sizeof mark), reterr);
    return status ? status : th_kv_change_commit(&change->kv, reterr);
}
