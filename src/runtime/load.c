/* Bringing an actor and its messages from the log into memory. By a worker, without the lock but where it
 * says so. */
#include "runtime/core.h"

#define READ_MAX ((size_t)2 << 30)

static theater_status corrupt(const th_entry *entry, uint64_t sequence, theater_status status,
                              theater_error *reterr)
{
    return th_fail_in(reterr, status, "actor %s, element %llu", entry->name, (unsigned long long)sequence);
}

/* The descriptor that an element (a genesis or an upgrade) holds, in `buf`. */
static theater_status read_descriptor(theater_runtime *runtime, const th_entry *entry, uint64_t sequence,
                                      th_buf *buf, th_record *ret_record, th_descriptor *ret,
                                      theater_error *reterr)
{
    theater_status status =
        th_store_read_element(runtime->store, entry->id, sequence, buf, ret_record, NULL, reterr);
    if (!status) {
        status = th_descriptor_decode(ret_record->element.input, ret, reterr);
        if (status)
            corrupt(entry, sequence, status, reterr);
    }
    return status;
}

static th_recorded recorded_of(const th_record *record)
{
    return (th_recorded){.element = record->element.element,
                         .input = record->element.input,
                         .output = record->element.output,
                         .effects = record->element.effects};
}

static theater_status differs(const th_entry *entry, uint64_t sequence, const theater_error *words,
                              theater_error *reterr)
{
    return th_fail(reterr, THEATER_CORRUPT,
                   "actor %s does not come out as its chain says at element %llu: %s", entry->name,
                   (unsigned long long)sequence, words->message);
}

/* Replays the genesis, for a chain without a snapshot. */
static theater_status load_genesis(theater_runtime *runtime, th_activity *activity, const th_actor_info *info,
                                   th_buf *buf, th_workspace *workspace, theater_error *reterr)
{
    th_record record;
    th_descriptor descriptor;
    theater_status status = read_descriptor(runtime, activity->entry, 0, buf, &record, &descriptor, reterr);
    if (!status)
        status = th_loader_get(runtime->loader, &descriptor.component, &activity->component, reterr);
    if (status)
        return status;
    th_recorded recorded = recorded_of(&record);
    th_difference difference;
    theater_error words = {0};
    status = th_instance_replay_genesis(&runtime->machine, th_loaded_component(activity->component),
                                        &recorded, workspace, &activity->instance, &difference, &words);
    if (status) {
        if (reterr)
            *reterr = words;
        return status;
    }
    return difference == TH_SAME ? THEATER_OK : differs(activity->entry, 0, &words, reterr);
}

static theater_status load_snapshot(theater_runtime *runtime, th_activity *activity,
                                    const th_actor_info *info, th_buf *buf, th_workspace *workspace,
                                    theater_error *reterr)
{
    const th_entry *entry = activity->entry;
    th_buf element_buf, descriptor_buf;
    th_buf_init(&element_buf, READ_MAX);
    th_buf_init(&descriptor_buf, READ_MAX);
    th_record snapshot, element, start;
    th_descriptor descriptor;
    uint64_t in_force = 0;
    theater_status status =
        th_store_read_snapshot(runtime->store, entry->id, info->snapshot_sequence, buf, &snapshot, reterr);
    if (!status)
        status = th_store_find_descriptor(runtime->store, entry->id, snapshot.snapshot.sequence, &in_force,
                                          reterr);
    if (!status)
        status = read_descriptor(runtime, entry, in_force, &descriptor_buf, &start, &descriptor, reterr);
    if (!status)
        status = th_loader_get(runtime->loader, &descriptor.component, &activity->component, reterr);
    if (!status)
        status = th_store_read_element(runtime->store, entry->id, snapshot.snapshot.sequence, &element_buf,
                                       &element, NULL, reterr);
    if (!status)
        status = th_instance_load(&runtime->machine, th_loaded_component(activity->component), &descriptor,
                                  element.element.element, snapshot.snapshot.tree, snapshot.snapshot.state,
                                  workspace, &activity->instance, reterr);
    th_buf_done(&element_buf);
    th_buf_done(&descriptor_buf);
    return status;
}

/* One element of the tail. */
static theater_status replay_one(theater_runtime *runtime, th_activity *activity, uint64_t sequence,
                                 th_buf *buf, th_workspace *workspace, theater_error *reterr)
{
    th_record record;
    theater_status status =
        th_store_read_element(runtime->store, activity->entry->id, sequence, buf, &record, NULL, reterr);
    if (status)
        return status;
    th_element element;
    status = th_element_decode(record.element.element, &element, reterr);
    if (status)
        return corrupt(activity->entry, sequence, status, reterr);
    th_loaded *upgraded = NULL;
    if (element.type == TH_UPGRADE) {
        th_descriptor descriptor;
        status = th_descriptor_decode(record.element.input, &descriptor, reterr);
        if (!status)
            status = th_loader_get(runtime->loader, &descriptor.component, &upgraded, reterr);
        if (status)
            return corrupt(activity->entry, sequence, status, reterr);
    }
    th_recorded recorded = recorded_of(&record);
    th_difference difference = TH_SAME;
    theater_error words = {0};
    status =
        th_instance_replay(activity->instance, &recorded, upgraded ? th_loaded_component(upgraded) : NULL,
                           workspace, &difference, &words);
    if (upgraded) {
        th_loaded_unref(activity->component);
        activity->component = upgraded;
    }
    if (status) {
        if (reterr)
            *reterr = words;
        return corrupt(activity->entry, sequence, status, reterr);
    }
    activity->tail_bytes += record.element.input.size + record.element.output.size +
                            record.element.effects.size + record.element.sent.size +
                            record.element.element.size;
    activity->tail_fuel += element.fuel + TH_TURN_OVERHEAD_FUEL;
    /* A rejection that comes out otherwise under an engine with another stack is neither sound nor broken:
     * the chain goes on after it. */
    bool goes_on = difference == TH_SAME || (difference == TH_DIFFERS_UNDECIDED &&
                                             th_instance_elements(activity->instance) == sequence + 1);
    return goes_on ? THEATER_OK : differs(activity->entry, sequence, &words, reterr);
}

/* A chain runs under the engine of its descriptor (decision 12 of the design). */
static theater_status check_engine(theater_runtime *runtime, th_activity *activity, theater_error *reterr)
{
    th_slice engine = th_instance_descriptor(activity->instance)->engine;
    if (th_slice_equal(engine, th_slice_text(runtime->machine.name)))
        return THEATER_OK;
    return th_fail(reterr, THEATER_VERSION,
                   "actor %s runs under engine %.*s and this is %s: `theater upgrade %s` takes it over",
                   activity->entry->name, (int)engine.size, (const char *)engine.data, runtime->machine.name,
                   activity->entry->name);
}

static theater_status load_and_replay(theater_runtime *runtime, th_activity *activity, th_buf *buf,
                                      th_workspace *workspace, theater_error *reterr)
{
    th_actor_info info;
    theater_status status = th_store_find_actor_id(runtime->store, activity->entry->id, &info, reterr);
    if (status)
        return status;
    if (info.elements == 0)
        return th_fail(reterr, THEATER_CORRUPT, "actor %s has no genesis", activity->entry->name);
    activity->tail_bytes = activity->tail_fuel = 0;
    status = info.has_snapshot ? load_snapshot(runtime, activity, &info, buf, workspace, reterr)
                               : load_genesis(runtime, activity, &info, buf, workspace, reterr);
    uint64_t first = status ? info.elements : th_instance_elements(activity->instance);
    __atomic_add_fetch(&runtime->replayed_turns, info.elements - first, __ATOMIC_RELAXED);
    while (!status && th_instance_elements(activity->instance) < info.elements) {
        status =
            replay_one(runtime, activity, th_instance_elements(activity->instance), buf, workspace, reterr);
        th_workspace_clear(workspace);
    }
    if (!status && !th_hash_equal(th_instance_head(activity->instance), &info.head_hash))
        status = th_fail(reterr, THEATER_CORRUPT,
                         "actor %s: the head of its chain is not what the index says", activity->entry->name);
    return status;
}

theater_status th_load_instance(theater_runtime *runtime, th_activity *activity, th_workspace *workspace,
                                theater_error *reterr)
{
    th_buf buf;
    th_buf_init(&buf, READ_MAX);
    theater_status status = load_and_replay(runtime, activity, &buf, workspace, reterr);
    th_buf_done(&buf);
    if (!status)
        status = check_engine(runtime, activity, reterr);
    if (status && status != THEATER_VERSION) {
        th_activity_drop_instance(activity);
    }
    return status;
}

/* ---- the window ---------------------------------------------------------------------------------------- */

typedef struct refill_state {
    theater_runtime *runtime;
    th_buf buf;
    th_item_queue items;
    size_t bytes;
    theater_status status;
    theater_error *reterr;
} refill_state;

/* The payload and the effect index of a message are in the record of its sender. */
static theater_status find_sent(const th_record *record, uint64_t sequence, uint32_t index, th_slice *ret,
                                theater_error *reterr)
{
    th_effects_reader reader;
    theater_status status = th_effects_read(record->element.effects, sequence, &reader, reterr);
    th_slice sent = record->element.sent;
    bool more = true;
    while (!status) {
        th_effect effect;
        status = th_effects_next(&reader, &effect, &more, reterr);
        if (status || !more)
            break;
        if (effect.kind != TH_EFFECT_MESSAGE)
            continue;
        if (!th_record_next_sent(&sent, ret))
            break;
        if (effect.index == index)
            return THEATER_OK;
    }
    return status ? status
                  : th_fail(reterr, THEATER_CORRUPT, "effect %u of element %llu is no message", index,
                            (unsigned long long)sequence);
}

static theater_status answer_text(const th_record *record, bool failed, th_slice *ret, theater_error *reterr)
{
    *ret = record->element.output;
    if (!failed)
        return THEATER_OK;
    th_rejection rejection;
    theater_status status = th_rejection_decode(record->element.output, &rejection, reterr);
    *ret = rejection.message;
    return status;
}

/* A message or an answer: its payload and its hash come from the record of `entry->from`. */
static th_item *item_from_record(refill_state *refilling, const th_undelivered *entry)
{
    th_actor_info from;
    th_record record;
    th_slice payload = {0};
    theater_status status =
        th_store_find_actor_id(refilling->runtime->store, entry->from, &from, refilling->reterr);
    if (!status)
        status = th_store_read_element(refilling->runtime->store, entry->from, entry->sequence,
                                       &refilling->buf, &record, NULL, refilling->reterr);
    if (!status)
        status = entry->kind == TH_MESSAGE
                     ? find_sent(&record, entry->sequence, entry->key.index, &payload, refilling->reterr)
                     : answer_text(&record, entry->failed, &payload, refilling->reterr);
    refilling->status = status;
    if (status)
        return NULL;
    th_slice name = th_slice_text(from.name);
    th_item *item = th_item_new(TH_ITEM_CAUSE, payload.size + name.size);
    if (!item) {
        refilling->status = th_fail_memory(refilling->reterr, "a message");
        return NULL;
    }
    size_t used = 0;
    item->payload = th_item_keep(item, &used, payload);
    item->from = entry->from;
    item->cause = (th_cause){
        .actor = th_item_keep(item, &used, name), .sequence = entry->sequence, .hash = record.element.hash};
    if (entry->kind == TH_MESSAGE) {
        item->cause.kind = TH_CAUSE_MESSAGE;
        item->cause.index = entry->key.index;
        item->request = entry->request;
    } else {
        item->cause.kind = TH_CAUSE_ANSWER;
        item->cause.request = entry->request;
        item->cause.failed = entry->failed;
    }
    return item;
}

static th_item *item_from_notice(refill_state *refilling, const th_undelivered *entry)
{
    th_slice to = th_slice_text(entry->to);
    th_item *item = th_item_new(TH_ITEM_CAUSE, to.size);
    if (!item) {
        refilling->status = th_fail_memory(refilling->reterr, "a notice");
        return NULL;
    }
    size_t used = 0;
    item->payload = th_slice_text(entry->failed ? "removed" : "no such actor");
    item->cause = (th_cause){
        .kind = TH_CAUSE_UNDELIVERED, .actor = th_item_keep(item, &used, to), .request = entry->request};
    return item;
}

static bool refill_one(void *context, const th_undelivered *entry)
{
    refill_state *refilling = context;
    if (refilling->items.count >= refilling->runtime->window_items || refilling->bytes >= TH_WINDOW_BYTES)
        return false;
    th_item *item = entry->kind == TH_MESSAGE_NOTICE ? item_from_notice(refilling, entry)
                                                     : item_from_record(refilling, entry);
    if (!item)
        return false;
    item->key = entry->key;
    refilling->bytes += item->payload.size;
    th_item_push(&refilling->items, item);
    return true;
}

theater_status th_refill(theater_runtime *runtime, th_activity *activity, theater_error *reterr)
{
    uint64_t covered = th_store_covered(runtime->store);
    refill_state refilling = {.runtime = runtime, .reterr = reterr};
    th_buf_init(&refilling.buf, READ_MAX);
    th_message_key after = activity->loaded;
    theater_status status =
        th_store_list_undelivered(runtime->store, activity->entry->id, activity->has_loaded ? &after : NULL,
                                  refill_one, &refilling, reterr);
    th_buf_done(&refilling.buf);
    if (!status)
        status = refilling.status;
    th_mutex_lock(&runtime->lock);
    if (refilling.items.last) {
        activity->has_loaded = true;
        activity->loaded = refilling.items.last->key;
        activity->causes_bytes += refilling.bytes;
        th_item_append(&activity->causes, &refilling.items);
    } else if (!status && activity->overflow_number < covered) {
        /* Everything up to the last message that went past the window has been through it, and none came
         * since. */
        activity->overflow = false;
    } else if (!status) {
        th_activity_wait_index(runtime, activity, activity->overflow_number + 1);
    }
    th_mutex_unlock(&runtime->lock);
    return status;
}
