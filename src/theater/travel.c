#include "theater/travel.h"

#include "theater/element_internal.h"

static theater_status load_component(th_travel *self, const th_hash *hash, theater_error *reterr)
{
    th_loaded *loaded;
    theater_status status = th_loader_get(th_execution_loader(self->execution), hash, &loaded, reterr);
    if (!status) {
        th_loaded_unref(self->component);
        self->component = loaded;
    }
    return status;
}

static theater_status need_payloads(const th_record *record, uint64_t sequence, theater_error *reterr)
{
    if (!record->element.input_dropped && !record->element.output_dropped && !record->element.effects_dropped)
        return THEATER_OK;
    return th_fail(
        reterr, THEATER_NOT_FOUND,
        "element %llu cannot be run again, because a payload of it was dropped; only states from the next "
        "snapshot on can be had",
        (unsigned long long)sequence);
}

static theater_status differs(th_difference difference, uint64_t sequence, theater_error *reterr)
{
    char words[sizeof reterr->message] = "";
    if (reterr)
        memcpy(words, reterr->message, sizeof words);
    words[sizeof words - 1] = 0;
    theater_status status = difference == TH_DIFFERS_UNDECIDED ? THEATER_UNDECIDED : THEATER_VERIFY_FAILED;
    return th_fail(reterr, status, "element %llu comes out otherwise when it is run again (%s): %s",
                   (unsigned long long)sequence, th_difference_text(difference), words);
}

theater_status th_travel_read(th_travel *self, uint64_t sequence, th_recorded *ret, void **ret_component,
                              th_loaded **ret_before, theater_error *reterr)
{
    th_record record;
    *ret_component = NULL;
    *ret_before = NULL;
    theater_status status = th_store_read_element(self->folder->store, self->actor, sequence, &self->element,
                                                  &record, NULL, reterr);
    if (!status)
        status = need_payloads(&record, sequence, reterr);
    if (status)
        return status;
    *ret = (th_recorded){record.element.element, record.element.input, record.element.output,
                         record.element.effects};
    th_payloads payloads = th_record_payloads(&record);
    th_hash component;
    if (!th_element_component(record.element.element, &payloads, &component))
        return THEATER_OK;
    *ret_before = self->component; /* the instance may look at it until it has moved on */
    self->component = NULL;
    status = load_component(self, &component, reterr);
    if (status) {
        self->component = *ret_before;
        *ret_before = NULL;
        return status;
    }
    *ret_component = th_loaded_component(self->component);
    return THEATER_OK;
}

/* Runs element `sequence` again, which follows where the instance stands (or is the genesis). */
static theater_status run_element(th_travel *self, uint64_t sequence, theater_error *reterr)
{
    th_recorded recorded;
    void *component;
    th_loaded *before;
    theater_status status = th_travel_read(self, sequence, &recorded, &component, &before, reterr);
    if (status)
        return status;
    th_difference difference = TH_SAME;
    if (sequence == 0)
        status = th_instance_replay_genesis(th_execution_machine(self->execution), component, &recorded,
                                            self->workspace, &self->instance, &difference, reterr);
    else
        status =
            th_instance_replay(self->instance, &recorded, component, self->workspace, &difference, reterr);
    /* An undecided rejection leaves the instance behind it, in the state that both agree on. */
    bool goes_on = difference == TH_SAME ||
                   (difference == TH_DIFFERS_UNDECIDED && self->instance &&
                    th_instance_elements(self->instance) == sequence + 1);
    if (!status && !goes_on)
        status = differs(difference, sequence, reterr);
    th_workspace_clear(self->workspace);
    th_loaded_unref(before);
    return status;
}

/* Begins at the snapshot at or before `sequence`, or at the genesis. *ret_next is the element to run next. */
static theater_status begin(th_travel *self, uint64_t sequence, uint64_t *ret_next, theater_error *reterr)
{
    th_record snapshot;
    theater_status status =
        th_store_read_snapshot(self->folder->store, self->actor, sequence, &self->other, &snapshot, reterr);
    *ret_next = 0;
    if (status == THEATER_NOT_FOUND)
        return THEATER_OK;
    if (status)
        return status;
    th_buf buf;
    th_buf_init(&buf, TH_READ_MAX);
    th_descriptor descriptor;
    th_record element;
    uint64_t at = snapshot.snapshot.sequence;
    status = th_folder_descriptor(self->folder, self->actor, at, &buf, &descriptor, NULL, reterr);
    if (!status)
        status = load_component(self, &descriptor.component, reterr);
    if (!status)
        status = th_store_read_element(self->folder->store, self->actor, at, &self->element, &element, NULL,
                                       reterr);
    if (!status)
        status = th_instance_load(th_execution_machine(self->execution), th_loaded_component(self->component),
                                  &descriptor, element.element.element, snapshot.snapshot.tree,
                                  snapshot.snapshot.state, self->workspace, &self->instance, reterr);
    th_buf_done(&buf);
    *ret_next = at + 1;
    return status ? th_fail_in(reterr, status, "snapshot after element %llu", (unsigned long long)at)
                  : THEATER_OK;
}

theater_status th_travel_to(th_travel *self, uint64_t sequence, theater_error *reterr)
{
    uint64_t next;
    theater_status status = th_workspace_new(&self->workspace, reterr);
    if (!status)
        status = begin(self, sequence, &next, reterr);
    for (; !status && next <= sequence; next++)
        status = run_element(self, next, reterr);
    return status;
}

theater_status th_travel_init(th_travel *self, theater_folder *folder, uint64_t actor, theater_error *reterr)
{
    *self = (th_travel){.folder = folder, .actor = actor};
    th_buf_init(&self->element, TH_READ_MAX);
    th_buf_init(&self->other, TH_READ_MAX);
    return th_folder_execution(folder, &self->execution, reterr);
}

void th_travel_done(th_travel *self)
{
    th_instance_free(self->instance);
    if (self->workspace)
        th_workspace_free(self->workspace);
    th_loaded_unref(self->component);
    th_buf_done(&self->element);
    th_buf_done(&self->other);
}
