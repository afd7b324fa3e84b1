/* store/journal_append.c: appending to the log in segments.
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
#include "store/journal_file.h"
#include "store/path.h"
#include "store/segment.h"

/* How far ahead room is reserved. */
#define RESERVE_STEP ((uint64_t)4 << 20)
/* Payloads from this size on are written from where they are; smaller ones are copied together, which is
 * cheaper than a part each. */
#define SMALL_PAYLOAD ((size_t)16 << 10)
/* Memory for copying that is kept between appends. */
#define STAGING_KEPT ((size_t)8 << 20)

static th_journal_file *cast(th_journal *log)
{
    return (th_journal_file *)log;
}

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
    theater_status status =
        th_segment_create(log, log->head.end.number, bytes_before, reserve, &segment, reterr);
    if (status == THEATER_NO_SPACE && reserve > least)
        status =
            th_segment_create(log, log->head.end.number, bytes_before, reserve = least, &segment, reterr);
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

theater_status th_journal_file_append(th_journal *head, const th_slice *records, size_t count,
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

theater_status th_journal_file_probe(th_journal *head, theater_error *reterr)
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
