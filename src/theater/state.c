#include "actor/instance.h"
#include "theater/element_internal.h"
#include "theater/folder_internal.h"

/* An actor that is brought to one of its old states. */
typedef struct travel {
    theater_folder *folder;
    uint64_t actor;
    uint64_t sequence; /* where to */
    th_execution *execution;
    th_workspace *workspace;
    th_instance *instance;
    th_loaded *component; /* that the instance runs, and the one before until it is given back */
    th_buf element, other, state;
} travel;

static theater_status load_component(travel *self, const th_hash *hash, theater_error *reterr)
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

/* Runs element `sequence` again, which follows where the instance stands (or is the genesis). */
static theater_status run_element(travel *self, uint64_t sequence, theater_error *reterr)
{
    th_record record;
    theater_status status = th_store_read_element(self->folder->store, self->actor, sequence, &self->element,
                                                  &record, NULL, reterr);
    if (!status)
        status = need_payloads(&record, sequence, reterr);
    if (status)
        return status;
    th_recorded recorded = {record.element.element, record.element.input, record.element.output,
                            record.element.effects};
    th_payloads payloads = th_record_payloads(&record);
    th_hash component;
    bool is_new = th_element_component(record.element.element, &payloads, &component);
    th_loaded *before = NULL;
    if (is_new) {
        before = self->component; /* the instance may look at it until it has moved on */
        self->component = NULL;
        status = load_component(self, &component, reterr);
    }
    th_difference difference = TH_SAME;
    void *code = is_new && !status ? th_loaded_component(self->component) : NULL;
    if (!status && sequence == 0)
        status = th_instance_replay_genesis(th_execution_machine(self->execution), code, &recorded,
                                            self->workspace, &self->instance, &difference, reterr);
    else if (!status)
        status = th_instance_replay(self->instance, &recorded, code, self->workspace, &difference, reterr);
    if (!status && difference != TH_SAME)
        status = differs(difference, sequence, reterr);
    th_workspace_clear(self->workspace);
    th_loaded_unref(before);
    return status;
}

/* Begins at the snapshot at or before `sequence`, or at the genesis. *ret_next is the element to run next. */
static theater_status begin(travel *self, uint64_t sequence, uint64_t *ret_next, theater_error *reterr)
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

/* Leaves the state in self->state. */
static theater_status go(void *context, theater_error *reterr)
{
    travel *self = context;
    uint64_t next;
    theater_status status = th_workspace_new(&self->workspace, reterr);
    if (!status)
        status = begin(self, self->sequence, &next, reterr);
    for (; !status && next <= self->sequence; next++)
        status = run_element(self, next, reterr);
    if (!status)
        status = th_buf_append(&self->state, th_instance_state(self->instance), reterr);
    th_instance_free(self->instance);
    if (self->workspace)
        th_workspace_free(self->workspace);
    return status;
}

/* A snapshot of exactly this element needs no engine, only its root. */
static theater_status take_snapshot(theater_folder *folder, uint64_t actor, uint64_t sequence,
                                    bool *ret_found, theater_bytes *ret, theater_error *reterr)
{
    th_buf buf, element_buf;
    th_buf_init(&buf, TH_READ_MAX);
    th_buf_init(&element_buf, TH_READ_MAX);
    th_hasher *hasher = NULL;
    th_record snapshot, record;
    th_element element;
    theater_status status = th_store_read_snapshot(folder->store, actor, sequence, &buf, &snapshot, reterr);
    *ret_found = !status && snapshot.snapshot.sequence == sequence;
    if (*ret_found) {
        status = th_store_read_element(folder->store, actor, sequence, &element_buf, &record, NULL, reterr);
        if (!status)
            status = th_element_decode(record.element.element, &element, reterr);
        if (!status)
            status = th_hasher_new(&hasher, reterr);
        if (!status) {
            th_hash root;
            th_state_root(hasher, snapshot.snapshot.state, &root);
            if (!th_hash_equal(&root, &element.state_after))
                status = th_fail(reterr, THEATER_CORRUPT,
                                 "the snapshot after element %llu is not the state of its root",
                                 (unsigned long long)sequence);
        }
        th_buf copy;
        th_buf_init(&copy, TH_READ_MAX);
        if (!status)
            status = th_buf_append(&copy, snapshot.snapshot.state, reterr);
        if (!status)
            *ret = th_buf_take(&copy);
        th_buf_done(&copy);
    } else if (status == THEATER_NOT_FOUND) {
        status = THEATER_OK;
    }
    th_hasher_free(hasher);
    th_buf_done(&buf);
    th_buf_done(&element_buf);
    return status;
}

theater_status theater_state_at(theater_folder *folder, uint64_t actor_id, uint64_t sequence,
                                theater_bytes *ret, theater_error *reterr)
{
    *ret = (theater_bytes){0};
    th_actor_info info;
    theater_status status = th_store_find_actor_id(folder->store, actor_id, &info, reterr);
    if (status)
        return status;
    if (sequence >= info.elements)
        return th_fail(reterr, THEATER_NOT_FOUND, "actor %s has no element %llu; its chain ends at %lld",
                       info.name, (unsigned long long)sequence, (long long)info.elements - 1);
    bool found = false;
    status = take_snapshot(folder, actor_id, sequence, &found, ret, reterr);
    if (status || found)
        return status;
    travel self = {.folder = folder, .actor = actor_id, .sequence = sequence};
    th_buf_init(&self.element, TH_READ_MAX);
    th_buf_init(&self.other, TH_READ_MAX);
    th_buf_init(&self.state, TH_READ_MAX);
    status = th_folder_execution(folder, &self.execution, reterr);
    if (!status)
        status = th_execution_call(self.execution, go, &self, reterr);
    if (!status)
        *ret = th_buf_take(&self.state);
    th_loaded_unref(self.component);
    th_buf_done(&self.element);
    th_buf_done(&self.other);
    th_buf_done(&self.state);
    return status ? th_fail_in(reterr, status, "actor %s", info.name) : THEATER_OK;
}
