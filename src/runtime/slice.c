#include "runtime/slice.h"

#include "base/log.h"
#include "runtime/control.h"
#include "runtime/ids.h"

#define RECENT_IDS_MAX 100000 /* the index has the older ones */

void th_item_set_error(th_item *item, const theater_error *error)
{
    theater_answer_done(&item->answer);
    item->answer.status = error->status;
    item->answer.error = *error;
}

void th_item_set_produced(th_item *item, const th_produced *produced)
{
    theater_answer *answer = &item->answer;
    bool rejected = produced->type == TH_REJECTION;
    th_slice output = rejected ? produced->reject_text : produced->output;
    if (output.size) {
        answer->output.data = th_alloc(output.size);
        if (!answer->output.data) {
            answer->status = th_fail_memory(&answer->error, "an answer");
            return;
        }
        memcpy(answer->output.data, output.data, output.size);
        answer->output.size = output.size;
    }
    answer->status = rejected ? THEATER_REJECTED : THEATER_OK;
    answer->reject_code = rejected ? produced->reject_code : 0;
    answer->sequence = produced->sequence;
    answer->element = produced->hash;
    answer->state_root = produced->state_root;
    answer->fuel = produced->fuel;
}

/* ---- records ------------------------------------------------------------------------------------------- */

static theater_status frame_sent(const th_produced *produced, th_buf *out, theater_error *reterr)
{
    for (size_t i = 0; i < produced->sent_count; i++) {
        uint8_t head[4];
        th_put_u32le(head, (uint32_t)produced->sent[i].payload.size);
        theater_status status = th_buf_append(out, th_slice_of(head, sizeof head), reterr);
        if (!status)
            status = th_buf_append(out, produced->sent[i].payload, reterr);
        if (status)
            return status;
    }
    return THEATER_OK;
}

/* A message on its way to `sent->to`. */
static theater_status route_sent(th_activity *activity, th_batch *batch, const th_produced *produced,
                                 const th_sent *sent, theater_error *reterr)
{
    const th_entry *entry = activity->entry;
    th_item *item = th_item_new(TH_ITEM_CAUSE, sent->payload.size + sent->to.size + entry->name_size);
    if (!item)
        return th_fail_memory(reterr, "a message");
    size_t used = 0;
    item->payload = th_item_keep(item, &used, sent->payload);
    item->to = th_item_keep(item, &used, sent->to);
    item->cause = (th_cause){
        .kind = TH_CAUSE_MESSAGE,
        .actor = th_item_keep(item, &used, th_slice_of(entry->name, entry->name_size)),
        .sequence = produced->sequence,
        .index = sent->index,
        .hash = produced->hash,
    };
    item->from = entry->id;
    /* The chain format knows answers to a genesis and to transitions; an upgrade's verify-state gets none. */
    item->request = produced->type == TH_UPGRADE ? 0 : sent->request;
    item->key.index = sent->index;
    item->route_record = (uint32_t)batch->record_count;
    th_item_push(&batch->routes, item);
    return THEATER_OK;
}

/* The answer to the request that `cause` was. */
static theater_status route_answer(th_activity *activity, th_batch *batch, const th_produced *produced,
                                   const th_item *cause, theater_error *reterr)
{
    const th_entry *entry = activity->entry;
    bool failed = produced->type == TH_REJECTION;
    th_slice payload = failed ? produced->reject_text : produced->output;
    th_item *item = th_item_new(TH_ITEM_CAUSE, payload.size + entry->name_size);
    if (!item)
        return th_fail_memory(reterr, "an answer");
    size_t used = 0;
    item->payload = th_item_keep(item, &used, payload);
    item->cause = (th_cause){
        .kind = TH_CAUSE_ANSWER,
        .actor = th_item_keep(item, &used, th_slice_of(entry->name, entry->name_size)),
        .sequence = produced->sequence,
        .request = cause->request,
        .failed = failed,
        .hash = produced->hash,
    };
    item->from = entry->id;
    item->key.index = TH_MESSAGE_ANSWER;
    item->route_record = (uint32_t)batch->record_count;
    item->route_to = cause->from;
    th_item_push(&batch->routes, item);
    return THEATER_OK;
}

/* Takes back the routes of a record that was not added in the end. */
static void drop_routes(th_batch *batch)
{
    th_item_queue all = batch->routes;
    batch->routes = (th_item_queue){0};
    th_item *item;
    while ((item = th_item_pop(&all))) {
        if (item->route_record < batch->record_count)
            th_item_push(&batch->routes, item);
        else
            th_item_free(item);
    }
}

theater_status th_slice_add_produced(theater_runtime *runtime, th_activity *activity, th_batch *batch,
                                     const th_produced *produced, const th_item *cause, theater_error *reterr)
{
    th_buf sent;
    th_buf_init(&sent, SIZE_MAX / 2);
    theater_status status = frame_sent(produced, &sent, reterr);
    for (size_t i = 0; i < produced->sent_count && !status; i++)
        status = route_sent(activity, batch, produced, &produced->sent[i], reterr);
    if (!status && cause && cause->cause.kind == TH_CAUSE_MESSAGE && cause->request)
        status = route_answer(activity, batch, produced, cause, reterr);
    if (!status) {
        th_record record = {.kind = TH_RECORD_ELEMENT, .actor = activity->entry->id};
        record.element.has_cause = cause != NULL;
        if (cause)
            record.element.cause = cause->key;
        record.element.hash = produced->hash;
        record.element.element = produced->element;
        record.element.input = produced->input;
        record.element.output = produced->output;
        record.element.effects = produced->effects;
        record.element.sent = th_buf_slice(&sent);
        status = th_batch_add(batch, &record, reterr);
    }
    if (status)
        drop_routes(batch);
    activity->tail_bytes += produced->element.size + produced->input.size + produced->output.size +
                            produced->effects.size + sent.size;
    activity->tail_fuel += produced->fuel + TH_TURN_OVERHEAD_FUEL;
    th_buf_done(&sent);
    return status;
}

theater_status th_slice_add_snapshot(theater_runtime *runtime, th_activity *activity, th_batch *batch,
                                     theater_error *reterr)
{
    th_buf tree;
    th_buf_init(&tree, 4096);
    theater_status status = th_log_tree_encode(th_instance_tree(activity->instance), &tree, reterr);
    if (!status) {
        th_record record = {.kind = TH_RECORD_SNAPSHOT, .actor = activity->entry->id};
        record.snapshot.sequence = th_instance_elements(activity->instance) - 1;
        record.snapshot.tree = th_buf_slice(&tree);
        record.snapshot.state = th_instance_state(activity->instance);
        status = th_batch_add(batch, &record, reterr);
    }
    th_buf_done(&tree);
    if (!status) {
        activity->tail_bytes = activity->tail_fuel = 0;
        batch->counted.snapshots++;
    }
    return status;
}

static bool snapshot_due(const theater_runtime *runtime, const th_activity *activity)
{
    uint64_t bytes = 2 * (uint64_t)th_instance_state(activity->instance).size;
    if (bytes < runtime->options.snapshot_bytes)
        bytes = runtime->options.snapshot_bytes;
    return activity->tail_bytes >= bytes || activity->tail_fuel >= runtime->options.snapshot_fuel;
}

/* ---- turns --------------------------------------------------------------------------------------------- */

/* What the engine or the machine could not do is nobody's turn: the actor stands still until it is resumed,
 * upgraded or loaded anew, and the message stays undelivered. */
static void break_actor(theater_runtime *runtime, th_activity *activity, const theater_error *error)
{
    th_log(TH_LOG_ERROR, "actor %s stands still: %s", activity->entry->name, error->message);
    th_activity_set_broken(runtime, activity, error);
}

static void count_turn(th_batch *batch, const th_produced *produced)
{
    th_counters *counted = &batch->counted;
    counted->turns++;
    counted->fuel += produced->fuel;
    if (produced->type == TH_REJECTION) {
        counted->rejections++;
        counted->rejections_by_code[produced->reject_code < 7 ? produced->reject_code : 0]++;
    }
}

/* A known id is answered from the log, when the index covers its element (indexer.c). */
static bool repeat_known_id(theater_runtime *runtime, th_slice_work *work, th_item *item)
{
    th_activity *activity = work->activity;
    uint64_t sequence;
    if (item->id.size == 0)
        return false;
    theater_error error;
    if (!(activity->ids && th_ids_find(activity->ids, item->id, &sequence))) {
        theater_status status =
            th_store_find_id(runtime->store, activity->entry->id, item->id, &sequence, &error);
        if (status == THEATER_NOT_FOUND)
            return false;
        if (status) {
            th_item_set_error(item, &error);
            th_item_push(&work->failed, item);
            return true;
        }
    }
    item->from = activity->entry->id;
    item->answer.sequence = sequence;
    th_item_push(&work->repeats, item);
    return true;
}

static theater_status note_id(theater_runtime *runtime, th_activity *activity, th_slice id, uint64_t sequence,
                              theater_error *reterr)
{
    if (id.size == 0)
        return THEATER_OK;
    if (!activity->ids)
        activity->ids = th_ids_new();
    if (!activity->ids)
        return th_fail_memory(reterr, "idempotency ids");
    return th_ids_add(activity->ids, id, sequence, reterr);
}

/* One turn of a message. OK when an element was made or the client was told why not; otherwise the actor
 * must stand still. */
static theater_status run_message(theater_runtime *runtime, th_slice_work *work, th_item *item,
                                  th_workspace *workspace, theater_error *reterr)
{
    th_activity *activity = work->activity;
    th_batch *batch = work->batch;
    bool is_cause = item->kind == TH_ITEM_CAUSE;
    th_input input = {
        .payload = item->payload,
        .timestamp_ns = th_port_wall_ns(runtime->port),
        .cause = is_cause ? &item->cause : NULL,
        .has_principal = item->principal.size > 0,
        .principal = item->principal,
        .has_id = item->id.size > 0,
        .id = item->id,
    };
    th_produced produced;
    theater_error error;
    theater_status status = th_instance_handle(activity->instance, &input, workspace, &produced, &error);
    if (status == THEATER_TOO_LARGE && !is_cause) {
        th_item_set_error(item, &error);
        th_item_push(&work->failed, item);
        return THEATER_OK;
    }
    if (!status)
        status = th_slice_add_produced(runtime, activity, batch, &produced, is_cause ? item : NULL, &error);
    if (!status)
        status = note_id(runtime, activity, item->id, produced.sequence, &error);
    if (status) {
        *reterr = error;
        return status;
    }
    if (produced.detail)
        th_log(TH_LOG_INFO, "actor %s element %llu: %s", activity->entry->name,
               (unsigned long long)produced.sequence, produced.detail);
    count_turn(batch, &produced);
    if (is_cause) {
        batch->consumed++;
        th_item_free(item);
    } else {
        th_item_set_produced(item, &produced);
        th_item_push(&batch->answers, item);
    }
    return THEATER_OK;
}

static void run_query(theater_runtime *runtime, th_slice_work *work, th_item *item, th_workspace *workspace)
{
    th_instance *instance = work->activity->instance;
    th_input input = {
        .payload = item->payload,
        .timestamp_ns = th_port_wall_ns(runtime->port),
        .has_principal = item->principal.size > 0,
        .principal = item->principal,
    };
    th_produced produced;
    theater_error error;
    if (th_instance_query(instance, &input, workspace, &produced, &error)) {
        th_item_set_error(item, &error);
    } else {
        produced.sequence = th_instance_elements(instance) - 1;
        produced.hash = *th_instance_head(instance);
        produced.state_root = *th_instance_state_root(instance);
        th_item_set_produced(item, &produced);
    }
    work->batch->counted.queries++;
    work->fuel += item->answer.fuel + TH_TURN_OVERHEAD_FUEL;
    work->answer_bytes += item->answer.output.size;
    th_item_push(&work->batch->answers, item);
}

/* ---- slices -------------------------------------------------------------------------------------------- */

static void take_some(th_item_queue *from, th_item_queue *to, size_t most)
{
    while (to->count < most && from->first)
        th_item_push(to, th_item_pop(from));
}

void th_slice_take(theater_runtime *runtime, th_activity *activity, th_slice_work *ret)
{
    *ret = (th_slice_work){
        .activity = activity, .epoch = runtime->epoch, .prefer_clients = activity->prefer_clients};
    if (activity->control.first) {
        ret->control = th_item_pop(&activity->control);
        return;
    }
    take_some(&activity->queries, &ret->queries, runtime->slice_items);
    if (!th_activity_can_run(runtime, activity)) {
        theater_error error;
        if (runtime->health.status)
            error = runtime->health;
        else if (activity->broken.status)
            error = activity->broken;
        else
            th_fail(&error, THEATER_STOPPED, "actor %s is stopped", activity->entry->name);
        th_item *item;
        while ((item = th_item_pop(&activity->clients))) {
            th_item_set_error(item, &error);
            th_item_push(&ret->failed, item);
        }
        return;
    }
    take_some(&activity->causes, &ret->causes, runtime->slice_items);
    for (const th_item *item = ret->causes.first; item; item = item->next)
        activity->causes_bytes -= item->payload.size;
    ret->refill = activity->overflow && !activity->causes.first && !ret->causes.first;
    if (!th_activity_gate_shut(runtime, activity))
        take_some(&activity->clients, &ret->clients, runtime->slice_items);
}

static bool slice_full(const theater_runtime *runtime, const th_slice_work *work, size_t done)
{
    return done >= runtime->slice_items || work->batch->bytes.size + work->answer_bytes >= TH_SLICE_BYTES ||
           work->fuel + work->batch->counted.fuel >= TH_SLICE_FUEL;
}

static void run_messages(theater_runtime *runtime, th_slice_work *work, th_workspace *workspace)
{
    th_activity *activity = work->activity;
    theater_error error;
    uint64_t now = th_port_monotonic_ns(runtime->port); /* one look at the clock a turn: an end is a begin */
    for (size_t done = 0; (work->causes.first || work->clients.first) && !slice_full(runtime, work, done);
         done++) {
        bool client = work->clients.first && (work->prefer_clients || !work->causes.first);
        work->prefer_clients = !client;
        th_item_queue *queue = client ? &work->clients : &work->causes;
        th_item *item = th_item_pop(queue);
        if (client && repeat_known_id(runtime, work, item))
            continue;
        if (client)
            th_histogram_add(&work->latency->queue, now - item->accepted_ns);
        theater_status status = run_message(runtime, work, item, workspace, &error);
        if (!status && snapshot_due(runtime, activity))
            status = th_slice_add_snapshot(runtime, activity, work->batch, &error);
        else if (status)
            th_item_push_front(queue, item);
        if (status) {
            break_actor(runtime, activity, &error);
            return;
        }
        uint64_t end = th_port_monotonic_ns(runtime->port);
        th_histogram_add(&work->latency->turn, end - now);
        now = end;
    }
}

void th_slice_run(theater_runtime *runtime, th_slice_work *work, th_workspace *workspace)
{
    th_activity *activity = work->activity;
    if (work->control) {
        if (th_control_run(runtime, activity, work->control, work->batch, workspace, &work->wait_number))
            work->control = NULL;
        return;
    }
    /* An instance was dropped: what it did last must be in the index before it can be loaded. */
    if (!activity->instance && th_store_covered(runtime->store) < activity->last_number) {
        work->wait_number = activity->last_number;
        return;
    }
    if (activity->ids && th_ids_count(activity->ids) >= RECENT_IDS_MAX &&
        th_store_covered(runtime->store) >= activity->last_number)
        th_ids_clear(activity->ids);
    theater_error error;
    work->batch->counted.instance_hits += activity->instance != NULL;
    if (!activity->instance && (work->queries.first || work->causes.first || work->clients.first)) {
        theater_status status = th_load_instance(runtime, activity, workspace, &error);
        work->batch->counted.activations += status == THEATER_OK;
        if (status && !activity->broken.status)
            break_actor(runtime, activity, &error);
    }
    if (!activity->instance) {
        th_item *item;
        while ((item = th_item_pop(&work->queries)) || (item = th_item_pop(&work->clients))) {
            th_item_set_error(item, &error);
            th_item_push(&work->failed, item);
        }
    }
    while (activity->instance && work->queries.first && !slice_full(runtime, work, 0))
        run_query(runtime, work, th_item_pop(&work->queries), workspace);
    if (activity->instance && !activity->broken.status) {
        run_messages(runtime, work, workspace);
        /* The state of an actor whose element could not be recorded has run ahead of its chain. */
        if (activity->broken.status)
            th_activity_drop_instance(activity);
    }
    if (work->refill && !activity->broken.status && th_refill(runtime, activity, &error))
        break_actor(runtime, activity, &error);
}
