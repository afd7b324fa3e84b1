/* store/journal_file.c: the log in segments: opening, copying, and what is told of it. Appending is
 * journal_append.c's, reading journal_read.c's, the end and its repair recover.c's, files segment.c's. */
#include "store/journal_file.h"

#include <stdio.h>

#include "store/path.h"
#include "store/recover.h"

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
        if (!status && bytes.size == 0) /* a copy that is shorter would look like one whose end was torn */
            status = th_fail(reterr, THEATER_CORRUPT, "a segment of the log ends at offset %llu, and had %llu bytes",
                             (unsigned long long)offset, (unsigned long long)size);
        if (status)
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
    .append = th_journal_file_append,
    .probe = th_journal_file_probe,
    .refresh = file_refresh,
    .bytes = file_bytes,
    .read = th_journal_file_read,
    .next = th_journal_file_next,
    .seek = th_journal_file_seek,
    .cursor_done = th_journal_file_cursor_done,
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
