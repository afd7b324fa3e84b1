/* Elements of all actors in the order of the log. */
#include "theater/element_internal.h"
#include "theater/folder_internal.h"

typedef struct scan {
    theater_folder *folder;
    bool (*each)(void *context, const theater_log_element *element);
    void *context;
    uint64_t end, bytes_left;
    th_actor_info actor; /* of the last element: neighbours are often of one actor */
    theater_status status;
    theater_error *reterr;
} scan;

static bool scan_record(void *context, uint64_t number, const th_record *record)
{
    scan *self = context;
    if (number >= self->end || self->bytes_left == 0)
        return false;
    if (record->kind != TH_RECORD_ELEMENT)
        return true;
    if (self->actor.id != record->actor) {
        self->status = th_store_find_actor_id(self->folder->store, record->actor, &self->actor, self->reterr);
        if (self->status)
            return false;
    }
    theater_log_element element = {.number = number, .actor_id = record->actor, .actor = self->actor.name};
    self->status = th_element_fill(&element.element, record, self->reterr);
    if (self->status || !self->each(self->context, &element))
        return false;
    uint64_t size =
        record->element.element.size + record->element.input.size + record->element.output.size + 64;
    self->bytes_left -= size < self->bytes_left ? size : self->bytes_left;
    return true;
}

theater_status theater_log_scan(theater_folder *folder, const theater_log_range *range,
                                bool (*each)(void *context, const theater_log_element *element),
                                void *context, uint64_t *ret_next, theater_error *reterr)
{
    scan self = {.folder = folder,
                 .each = each,
                 .context = context,
                 .end = range->end,
                 .bytes_left = range->max_bytes,
                 .reterr = reterr};
    th_mutex_lock(&folder->lock);
    th_scan_place place = folder->scan;
    th_mutex_unlock(&folder->lock);
    if (!place.known || place.number != range->from)
        place = (th_scan_place){.number = range->from};
    theater_status status = th_store_scan_on(folder->store, &place, scan_record, &self, reterr);
    th_mutex_lock(&folder->lock);
    folder->scan = place;
    th_mutex_unlock(&folder->lock);
    *ret_next = place.number;
    return status ? status : self.status;
}

theater_status theater_component_read(theater_folder *folder, const theater_hash *hash, theater_bytes *ret,
                                      theater_error *reterr)
{
    th_buf binary;
    th_buf_init(&binary, TH_READ_MAX);
    theater_status status = th_folder_binary(folder, hash, &binary, reterr);
    if (!status)
        *ret = th_buf_take(&binary);
    th_buf_done(&binary);
    return status;
}
