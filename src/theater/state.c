#include "theater/travel.h"

/* A state that is asked for. */
typedef struct visit {
    th_travel travel;
    uint64_t sequence; /* where to */
    th_buf state;
} visit;

static theater_status go(void *context, theater_error *reterr)
{
    visit *self = context;
    theater_status status = th_travel_to(&self->travel, self->sequence, reterr);
    return status ? status : th_buf_append(&self->state, th_instance_state(self->travel.instance), reterr);
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
    visit self = {.sequence = sequence};
    th_buf_init(&self.state, TH_READ_MAX);
    status = th_travel_init(&self.travel, folder, actor_id, reterr);
    if (!status)
        status = th_execution_call(self.travel.execution, go, &self, reterr);
    if (!status)
        *ret = th_buf_take(&self.state);
    th_travel_done(&self.travel);
    th_buf_done(&self.state);
    return status ? th_fail_in(reterr, status, "actor %s", info.name) : THEATER_OK;
}
