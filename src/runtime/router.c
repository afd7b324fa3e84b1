/* The message router: from the effects of enqueued records to mailboxes. All under the lock, at the moment
 * when the record gets its number, so what is decided here is what the index derives from the log
 * (store/index.c holds the rules; a test compares the two).
 *
 * A mailbox is a window: the first messages wait in memory, what comes past its bound waits in the log and
 * is read from there when the window has been worked off (load.c). */
#include "runtime/core.h"

static bool counts(const th_entry *entry, uint8_t status)
{
    return status == TH_ACTOR_RUNNING && !(entry->activity && entry->activity->broken.status);
}

void th_route_count_status(theater_runtime *runtime, th_entry *entry, uint8_t new_status)
{
    if (counts(entry, entry->status))
        runtime->undelivered_running -= entry->undelivered;
    entry->status = new_status;
    if (counts(entry, new_status))
        runtime->undelivered_running += entry->undelivered;
}

void th_route_consumed(theater_runtime *runtime, th_entry *entry, uint64_t count)
{
    if (count == 0)
        return;
    th_assert(entry->undelivered >= count);
    uint64_t half = runtime->options.undelivered_max / 2;
    bool was_over = entry->undelivered > half;
    entry->undelivered -= count;
    if (counts(entry, entry->status))
        runtime->undelivered_running -= count;
    if (was_over && entry->undelivered <= half)
        th_activity_ungate(runtime, entry->id);
}

static void keep_in_log(th_entry *target, uint64_t number)
{
    th_activity *activity = target->activity;
    if (activity) {
        activity->overflow = true;
        activity->overflow_number = number;
    } else {
        target->backlog = number + 1;
    }
}

void th_route_deliver(theater_runtime *runtime, th_entry *target, th_item *take_item)
{
    uint64_t number = take_item->key.number;
    target->undelivered++;
    target->last_routed = number;
    if (counts(target, target->status))
        runtime->undelivered_running++;
    /* A stopped actor that is parked stays parked. Without memory for an activity the message waits in the
     * log too. */
    th_activity *activity = target->activity;
    if (!activity && target->status == TH_ACTOR_RUNNING)
        activity = th_activity_get(runtime, target);
    if (!activity || activity->overflow || activity->causes.count >= runtime->window_items ||
        activity->causes_bytes + take_item->payload.size > TH_WINDOW_BYTES) {
        keep_in_log(target, number);
        th_item_free(take_item);
    } else {
        activity->has_loaded = true;
        activity->loaded = take_item->key;
        activity->causes_bytes += take_item->payload.size;
        th_item_push(&activity->causes, take_item);
    }
    if (activity)
        th_activity_schedule(runtime, activity);
}

/* Turns the message into the notice that its request could not be delivered. */
static void make_notice(th_item *item)
{
    static const char text[] = "no such actor";
    uint64_t request = item->request;
    item->cause = (th_cause){.kind = TH_CAUSE_UNDELIVERED, .actor = item->to, .request = request};
    item->request = 0;
    item->payload = th_slice_of(text, sizeof text - 1);
}

static void gate_clients(theater_runtime *runtime, th_entry *sender, const th_entry *target)
{
    if (target->undelivered <= runtime->options.undelivered_max || !sender->activity ||
        sender->activity->gate)
        return;
    th_activity *activity = sender->activity;
    activity->gate = target->id;
    if (!activity->gated) {
        activity->gated = true;
        activity->gated_next = runtime->gated_first;
        runtime->gated_first = activity;
    }
}

void th_route_message(theater_runtime *runtime, th_entry *sender, th_item *take_item)
{
    th_entry *target = th_directory_living(&runtime->directory, take_item->to);
    if (!target && !take_item->request) {
        th_item_free(take_item);
        return;
    }
    if (!target) {
        make_notice(take_item);
        target = sender;
    }
    th_route_deliver(runtime, target, take_item);
    gate_clients(runtime, sender, target);
}

void th_route_reply(theater_runtime *runtime, th_item *take_item)
{
    th_entry *requester = th_directory_by_id(&runtime->directory, take_item->route_to);
    if (requester)
        th_route_deliver(runtime, requester, take_item);
    else
        th_item_free(take_item);
}
