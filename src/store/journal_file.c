/* store/journal_file.c: the log in segments: appending, reading, walking. Opening and repair are
 * recover.c's, files are segment.c's.
 *
 * Invariants of appending (recover.c builds on them)
 *   A1. A commit is written only after the sync of the one before returned OK.
 *   A2. A commit lies in one segment. A new segment is made, named and synced only when the last commit is
 *       durable.
 *   A3. When a write fails for want of space, the file is cut back and synced; when a segment cannot be
 *       made for want of space, it is removed and the folder synced; only then may anything be written.
 *       After any other failure, or when that fails, nothing is ever written again by this log: it must be
 *       opened anew.
 *
 * Room is reserved some MiB ahead, because writing into bytes that are there already makes a sync cheaper
 * (port/system_file.c has the figures), and because a commit into reserved room cannot find the disk full. */
#include <stdio.h>

#include "store/path.h"
#include "store/recover.h"

/* How far ahead room is reserved. */
#define RESERVE_STEP ((uint64_t)4 << 20)
/* Payloads from this size on are written from where they are; smaller ones are copied together, which is
 * cheaper than a part each. */
#define SMALL_PAYLOAD ((size_t)16 << 10)
/* Memory for copying that is kept between appends. */
#define STAGING_KEPT ((size_t)8 << 20)
/* Read at once for one record. */
#define READ_AHEAD ((size_t)4096)

static th_journal_file *cast(th_journal *log)
{
    return (th_journal_file *)log;
}

static void file_free(th_journal *head)
{
    th_journal_file *log = cast(head);
    th_segment_release(log, log->last);
    while (log->count > 0)
        th_segment_unlist(log);
    th_buf_done(&log->staging);
    th_free(log->parts);
    th_free(log->segments);
    th_free(log->folder);
    th_mutex_done(&log->head.lock);
    th_free(log);
}

/* ---- appending ---- */

/* Ends appending for good. What the failed commit wrote is taken back as far as that goes; it may still be
 * there afterwards, whole. */
static theater_status fail_for_good(th_journal_file *log, uint64_t offset, theater_error *reterr)
{
    log->failed = true;
    theater_status ignored = th_file_truncate(log->last->file, offset, NULL);
    (void)ignored;
    return th_fail_in(reterr, THEATER_STORAGE_FAILED,
                      "the log takes no more records until it is opened anew");
}

/* A3. */
static theater_status take_back(th_journal_file *log, uint64_t offset, theater_error *reterr)
{
    theater_status status = th_file_truncate(log->last->file, offset, NULL);
    if (!status)
        status = th_file_sync(log->last->file, NULL);
    if (status)
        return fail_for_good(log, offset, reterr);
    log->reserved = offset;
    return THEATER_NO_SPACE;
}

/* Makes the next segment the last, with room for `need` bytes of frames at least. */
static theater_status roll_over(th_journal_file *log, uint64_t need, theater_error *reterr)
{
    th_segment *old = log->last, *segment;
    uint64_t used = th_position_offset(log->head.end.position);
    uint64_t bytes_before = old->bytes_before + used - TH_SEGMENT_HEADER, least = TH_SEGMENT_HEADER + need;
    uint64_t reserve = TH_SEGMENT_HEADER + RESERVE_STEP;
    if (reserve > log->segment_bytes)
        reserve = log->segment_bytes;
    if (reserve < least)
        reserve = least;
    theater_status status = th_segment_create(log, log->head.end.number, bytes_before, reserve, reterr);
    if (status == THEATER_NO_SPACE && reserve > least)
        status = th_segment_create(log, log->head.end.number, bytes_before, reserve = least, reterr);
    if (!status)
        status = th_segment_acquire(log, log->count - 1, &segment, reterr);
    if (status == THEATER_NO_SPACE || status == THEATER_NO_MEMORY)
        return status; /* nothing was changed */
    if (status)
        return fail_for_good(log, used, reterr);
    log->last = segment;
    log->reserved = reserve;
    th_mutex_lock(&log->head.lock);
    log->head.end.position = th_position(segment->ordinal, TH_SEGMENT_HEADER);
    th_mutex_unlock(&log->head.lock);
    /* What was reserved and not used goes back to the disk. Only a courtesy: zeros there would do no harm. */
    theater_status ignored = th_file_truncate(old->file, used, NULL);
    (void)ignored;
    th_segment_release(log, old);
    return THEATER_OK;
}

/* Sees to room for `size` bytes behind the end, in this segment or the next. */
static theater_status make_room(th_journal_file *log, uint64_t size, theater_error *reterr)
{
    uint64_t end = th_position_offset(log->head.end.position) + size;
    if (end > log->segment_bytes && end - size > TH_SEGMENT_HEADER)
        return roll_over(log, size, reterr);
    if (end <= log->reserved)
        return THEATER_OK;
    uint64_t reserve = log->reserved + RESERVE_STEP;
    if (reserve > log->segment_bytes)
        reserve = log->segment_bytes;
    if (reserve < end)
        reserve = end;
    theater_status status = th_file_reserve(log->last->file, reserve, reterr);
    if (status == THEATER_NO_SPACE && reserve > end)
        status = th_file_reserve(log->last->file, reserve = end, reterr);
    if (!status)
        log->reserved = reserve;
    else if (status == THEATER_NO_SPACE)
        return take_back(log, end - size, reterr);
    else
        return fail_for_good(log, end - size, reterr);
    return status;
}

/* Lays the commit out: `parts` of the write, headers and small payloads in `staging`. *ret_last: of the
 * last frame. */
static size_t lay_out(th_journal_file *log, const th_slice *records, size_t count,
                      uint64_t *ret_last_position, uint64_t *ret_last_sum)
{
    static const uint8_t zeros[TH_FRAME_ALIGN];
    uint64_t position = log->head.end.position;
    uint8_t *at = log->staging.data, *begin = at;
    size_t parts = 0;
    for (size_t i = 0; i < count; i++) {
        th_slice record = records[i];
        *ret_last_position = position;
        *ret_last_sum = th_frame_encode(log->key, position, log->head.end.number + i, (uint32_t)i,
                                        (uint32_t)count, record, at);
        at += TH_FRAME_HEADER;
        if (record.size >= SMALL_PAYLOAD) {
            log->parts[parts++] = th_slice_of(begin, (size_t)(at - begin));
            log->parts[parts++] = record;
            begin = at;
        } else if (record.size) {
            memcpy(at, record.data, record.size);
            at += record.size;
        }
        size_t padding = (size_t)(th_frame_size(record.size) - TH_FRAME_HEADER - record.size);
        memcpy(at, zeros, padding);
        at += padding;
        position += th_frame_size(record.size);
    }
    if (at != begin)
        log->parts[parts++] = th_slice_of(begin, (size_t)(at - begin));
    return parts;
}

/* Memory for lay_out. */
static theater_status prepare(th_journal_file *log, const th_slice *records, size_t count, uint64_t *ret_size,
                              theater_error *reterr)
{
    uint64_t total = 0, staged = 0;
    size_t parts = 1;
    if (count > UINT32_MAX / 2)
        return th_fail(reterr, THEATER_TOO_LARGE, "an append of %zu records", count);
    for (size_t i = 0; i < count; i++) {
        bool small = records[i].size < SMALL_PAYLOAD;
        total += th_frame_size(records[i].size);
        staged += small ? th_frame_size(records[i].size) : TH_FRAME_HEADER + TH_FRAME_ALIGN;
        parts += small ? 0 : 2;
        if (total > TH_APPEND_MAX)
            return th_fail(reterr, THEATER_TOO_LARGE, "an append is at most %u bytes with its frames",
                           TH_APPEND_MAX);
    }
    if (parts > log->parts_capacity) {
        th_slice *grown = th_realloc(log->parts, parts * sizeof *grown);
        if (!grown)
            return th_fail_memory(reterr, "an append");
        log->parts = grown;
        log->parts_capacity = parts;
    }
    th_buf_clear(&log->staging);
    *ret_size = total;
    return th_buf_reserve(&log->staging, (size_t)staged, reterr);
}

static theater_status file_append(th_journal *head, const th_slice *records, size_t count,
                                  theater_error *reterr)
{
    th_journal_file *log = cast(head);
    if (log->failed)
        return th_fail(reterr, THEATER_STORAGE_FAILED,
                       "the log in %s failed before and takes no more records until it is opened anew",
                       log->folder);
    if (log->read_only)
        return th_fail(reterr, THEATER_READ_ONLY, "the data folder is open for reading only");
    uint64_t size = 0;
    theater_status status = prepare(log, records, count, &size, reterr);
    if (!status)
        status = make_room(log, size, reterr);
    if (status)
        return status;
    th_journal_mark end = log->head.end;
    uint64_t offset = th_position_offset(end.position);
    size_t parts = lay_out(log, records, count, &end.last_position, &end.last_sum);
    status = th_file_write(log->last->file, offset, log->parts, parts, reterr);
    if (status == THEATER_NO_SPACE)
        return take_back(log, offset, reterr);
    if (!status)
        status = th_file_sync(log->last->file, reterr);
    if (status)
        return fail_for_good(log, offset, reterr);
    end.number += count;
    end.position += size;
    th_mutex_lock(&log->head.lock);
    log->head.end = end;
    th_mutex_unlock(&log->head.lock);
    if (log->staging.capacity > STAGING_KEPT)
        th_buf_done(&log->staging);
    return THEATER_OK;
}

static theater_status file_probe(th_journal *head, theater_error *reterr)
{
    th_journal_file *log = cast(head);
    if (log->failed)
        return th_fail(reterr, THEATER_STORAGE_FAILED, "the log in %s failed and must be opened anew",
                       log->folder);
    char *path = th_path_join(log->folder, "probe");
    if (!path)
        return th_fail_memory(reterr, "a path");
    th_file *file;
    theater_status status =
        th_file_open(head->port, path, TH_FILE_READ | TH_FILE_WRITE | TH_FILE_CREATE, &file, reterr);
    if (!status) {
        status = th_file_reserve(file, RESERVE_STEP + TH_SEGMENT_HEADER, reterr);
        th_file_close(file);
        theater_status removed = th_port_remove(head->port, path, status ? NULL : reterr);
        status = status ? status : removed;
    }
    th_free(path);
    return status;
}

/* ---- reading ---- */

static theater_status file_refresh(th_journal *head, bool *ret_replaced, theater_error *reterr)
{
    return th_recover_follow(cast(head), ret_replaced, reterr);
}

static uint64_t file_bytes(th_journal *head)
{
    th_journal_file *log = cast(head);
    th_mutex_lock(&head->lock);
    uint64_t ordinal = th_position_ordinal(head->end.position);
    uint64_t bytes = ordinal < log->count ? log->segments[ordinal]->bytes_before +
                                                th_position_offset(head->end.position) - TH_SEGMENT_HEADER
                                          : 0;
    th_mutex_unlock(&head->lock);
    return bytes;
}

static void file_describe(th_journal *head, uint64_t position, char *out, size_t size)
{
    uint64_t first = 0;
    if (!th_segment_first_number(cast(head), th_position_ordinal(position), &first)) {
        snprintf(out, size, "segment %llu, which is not there",
                 (unsigned long long)th_position_ordinal(position));
        return;
    }
    char name[TH_SEGMENT_NAME_SIZE];
    th_segment_name(first, name);
    snprintf(out, size, "segment %s, offset %llu", name, (unsigned long long)th_position_offset(position));
}

static theater_status no_frame(th_journal *head, uint64_t position, const char *problem,
                               theater_error *reterr)
{
    char place[TH_JOURNAL_PLACE_SIZE];
    th_journal_describe(head, position, place);
    return th_fail(reterr, THEATER_CORRUPT, "%s: %s", place, problem);
}

/* Reads the frame into `buf`, whose size becomes that of header and payload. */
static theater_status read_into(th_journal *head, th_segment *segment, uint64_t position, th_buf *buf,
                                th_frame *ret, theater_error *reterr)
{
    uint8_t *room;
    size_t got = 0;
    uint64_t offset = th_position_offset(position);
    th_buf_clear(buf);
    theater_status status = th_buf_extend(buf, buf->max < READ_AHEAD ? buf->max : READ_AHEAD, &room, reterr);
    if (!status)
        status = th_file_read(segment->file, offset, room, buf->size, &got, reterr);
    if (status)
        return status;
    if (got < TH_FRAME_HEADER || !th_frame_decode(cast(head)->key, position, buf->data, ret))
        return no_frame(head, position, "no record begins here", reterr);
    size_t need = TH_FRAME_HEADER + (size_t)ret->length;
    if (need > got) {
        size_t more = 0;
        buf->size = got;
        status = th_buf_extend(buf, need - got, &room, reterr);
        if (!status)
            status = th_file_read(segment->file, offset + got, room, need - got, &more, reterr);
        if (status)
            return status;
        if (more < need - got)
            return no_frame(head, position, "the segment ends inside of the record", reterr);
    }
    buf->size = need;
    if (!th_frame_holds(ret, buf->data + TH_FRAME_HEADER))
        return no_frame(head, position, "the checksum of the record differs", reterr);
    return THEATER_OK;
}

static theater_status file_read(th_journal *head, uint64_t position, th_buf *buf, uint64_t *ret_number,
                                th_slice *ret_payload, theater_error *reterr)
{
    th_segment *segment;
    th_frame frame;
    if (position >= th_journal_end(head).position)
        return no_frame(head, position, "a record behind the end of the log was asked for", reterr);
    theater_status status = th_segment_acquire(cast(head), th_position_ordinal(position), &segment, reterr);
    if (status)
        return status;
    status = read_into(head, segment, position, buf, &frame, reterr);
    th_segment_release(cast(head), segment);
    if (status)
        return status;
    *ret_number = frame.number;
    *ret_payload = th_slice_of(buf->data + TH_FRAME_HEADER, frame.length);
    return THEATER_OK;
}

/* ---- walking ---- */

static void file_cursor_done(th_journal_cursor *cursor)
{
    th_segment_release(cast(cursor->log), cursor->segment);
    cursor->segment = NULL;
    th_window_done(&cursor->window);
}

static theater_status enter_segment(th_journal_cursor *cursor, uint64_t ordinal, theater_error *reterr)
{
    th_journal_file *log = cast(cursor->log);
    th_segment *segment = cursor->segment;
    if (segment && segment->ordinal == ordinal)
        return THEATER_OK;
    th_segment_release(log, segment);
    cursor->segment = NULL;
    th_window_forget(&cursor->window);
    theater_status status = th_segment_acquire(log, ordinal, &segment, reterr);
    if (!status)
        cursor->segment = segment;
    return status;
}

/* Finds the frame of the cursor's record: at its position, or at the beginning of the next segment. */
static theater_status find_frame(th_journal_cursor *cursor, th_frame *ret, theater_error *reterr)
{
    th_journal_file *log = cast(cursor->log);
    while (true) {
        uint64_t ordinal = th_position_ordinal(cursor->position), next;
        th_slice bytes;
        theater_status status = enter_segment(cursor, ordinal, reterr);
        if (status)
            return status;
        th_segment *segment = cursor->segment;
        status = th_window_get(&cursor->window, segment->file, th_position_offset(cursor->position),
                               TH_FRAME_HEADER, &bytes, reterr);
        if (status)
            return status;
        if (bytes.size >= TH_FRAME_HEADER && th_frame_decode(log->key, cursor->position, bytes.data, ret) &&
            ret->number == cursor->number)
            return THEATER_OK;
        if (!th_segment_first_number(log, ordinal + 1, &next) || next != cursor->number)
            return no_frame(cursor->log, cursor->position, "the next record does not begin here", reterr);
        cursor->position = th_position(ordinal + 1, TH_SEGMENT_HEADER);
    }
}

static theater_status file_next(th_journal_cursor *cursor, size_t front, th_journal_item *ret, bool *ret_more,
                                theater_error *reterr)
{
    *ret_more = false;
    if (cursor->number >= cursor->end.number)
        return THEATER_OK;
    th_frame frame;
    theater_status status = find_frame(cursor, &frame, reterr);
    if (status)
        return status;
    size_t want = front && frame.length > front ? front : frame.length;
    th_slice bytes;
    th_segment *segment = cursor->segment;
    status = th_window_get(&cursor->window, segment->file, th_position_offset(cursor->position),
                           TH_FRAME_HEADER + want, &bytes, reterr);
    if (status)
        return status;
    if (bytes.size < TH_FRAME_HEADER + want ||
        (want == frame.length && !th_frame_holds(&frame, bytes.data + TH_FRAME_HEADER)))
        return no_frame(cursor->log, cursor->position, "the checksum of the record differs", reterr);
    *ret = (th_journal_item){.number = cursor->number,
                             .position = cursor->position,
                             .sum = frame.sum,
                             .size = frame.length,
                             .log_bytes = th_frame_size(frame.length),
                             .payload = th_slice_of(bytes.data + TH_FRAME_HEADER, want)};
    cursor->number++;
    cursor->position += th_frame_size(frame.length);
    *ret_more = true;
    return THEATER_OK;
}

static void file_find(th_journal *head, uint64_t number, uint64_t *ret_number, uint64_t *ret_position)
{
    th_journal_file *log = cast(head);
    th_mutex_lock(&head->lock);
    *ret_number = head->end.number;
    *ret_position = head->end.position;
    if (number < head->end.number) {
        size_t low = 0, high = log->count;
        while (high - low > 1) {
            size_t middle = low + (high - low) / 2;
            if (log->segments[middle]->first_number <= number)
                low = middle;
            else
                high = middle;
        }
        *ret_number = log->segments[low]->first_number;
        *ret_position = th_position(log->segments[low]->ordinal, TH_SEGMENT_HEADER);
    }
    th_mutex_unlock(&head->lock);
}

/* ---- copying ---- */

static theater_status copy_bytes(th_file *from, th_file *to, uint64_t size, theater_error *reterr)
{
    th_window window;
    th_window_init(&window);
    theater_status status = THEATER_OK;
    for (uint64_t offset = 0; !status && offset < size;) {
        th_slice bytes;
        status = th_window_get(&window, from, offset, 1, &bytes, reterr);
        if (status || bytes.size == 0)
            break;
        if (bytes.size > size - offset)
            bytes.size = (size_t)(size - offset);
        status = th_file_write(to, offset, &bytes, 1, reterr);
        offset += bytes.size;
    }
    th_window_done(&window);
    return status ? status : th_file_sync(to, reterr);
}

static theater_status copy_segment(th_journal_file *log, uint64_t ordinal, uint64_t size, const char *folder,
                                   theater_error *reterr)
{
    th_segment *segment;
    theater_status status = th_segment_acquire(log, ordinal, &segment, reterr);
    if (status)
        return status;
    char name[TH_SEGMENT_NAME_SIZE];
    th_segment_name(segment->first_number, name);
    char *path = th_path_join(folder, name);
    th_file *to = NULL;
    status =
        path ? th_file_open(log->head.port, path,
                            TH_FILE_READ | TH_FILE_WRITE | TH_FILE_CREATE | TH_FILE_EXCLUSIVE, &to, reterr)
             : th_fail_memory(reterr, "a path");
    /* A segment that is full ends where the next begins; bytes that were reserved behind that are zeros and
     * may come along. */
    if (!status && size == 0)
        status = th_file_size(segment->file, &size, reterr);
    if (!status)
        status = copy_bytes(segment->file, to, size, reterr);
    th_file_close(to);
    th_free(path);
    th_segment_release(log, segment);
    return status;
}

static theater_status file_copy(th_journal *head, const char *folder, theater_error *reterr)
{
    th_journal_mark end = th_journal_end(head);
    uint64_t last = th_position_ordinal(end.position);
    theater_status status = THEATER_OK;
    for (uint64_t ordinal = 0; !status && ordinal <= last; ordinal++)
        status = copy_segment(cast(head), ordinal, ordinal == last ? th_position_offset(end.position) : 0,
                              folder, reterr);
    return status ? status : th_port_sync_folder(head->port, folder, reterr);
}

static const th_journal_operations file_operations = {
    .free = file_free,
    .append = file_append,
    .probe = file_probe,
    .refresh = file_refresh,
    .bytes = file_bytes,
    .read = file_read,
    .next = file_next,
    .cursor_done = file_cursor_done,
    .find = file_find,
    .describe = file_describe,
    .copy = file_copy,
};

theater_status th_journal_file_open(const th_journal_options *options, th_journal **ret,
                                    theater_error *reterr)
{
    th_journal_file *log = th_alloc_zero(1, sizeof *log);
    if (!log)
        return th_fail_memory(reterr, "a log");
    log->head.operations = &file_operations;
    log->head.port = options->port;
    th_mutex_init(options->port, &log->head.lock);
    memcpy(log->identity, options->identity, 16);
    log->key = th_checksum(th_slice_of(log->identity, 16), 0);
    log->read_only = options->read_only;
    log->segment_bytes = options->segment_bytes;
    th_buf_init(&log->staging, (size_t)TH_APPEND_MAX + 4096);
    size_t size = strlen(options->folder) + 1;
    log->folder = th_alloc(size);
    theater_status status = log->folder ? THEATER_OK : th_fail_memory(reterr, "a log");
    if (!status) {
        memcpy(log->folder, options->folder, size);
        status = th_recover(log, options->proofs, reterr);
    }
    if (status)
        file_free(&log->head);
    else
        *ret = &log->head;
    return status;
}
