/* store/journal_memory.c: a log that lives as long as its store. A position is a record number. */
#include <stdatomic.h>
#include <stdio.h>

#include "store/journal.h"

/* Bytes of all records at the most. */
#define MEMORY_LOG_MAX ((uint64_t)8 << 30)

typedef struct memory_log {
    th_journal head;
    th_slice *records; /* each owns its bytes; the array is guarded by the lock, the bytes never change */
    size_t capacity;
    _Atomic uint64_t bytes;
} memory_log;

static memory_log *cast(th_journal *log)
{
    return (memory_log *)log;
}

static void memory_free(th_journal *head)
{
    memory_log *log = cast(head);
    for (uint64_t i = 0; i < log->head.end.number; i++)
        th_free((void *)log->records[i].data);
    th_free(log->records);
    th_mutex_done(&log->head.lock);
    th_free(log);
}

static bool grow(memory_log *log, size_t count)
{
    uint64_t need = log->head.end.number + count;
    if (need <= log->capacity)
        return true;
    size_t capacity = log->capacity ? log->capacity * 2 : 64;
    while (capacity < need)
        capacity *= 2;
    th_slice *records = th_realloc(log->records, capacity * sizeof *records);
    if (!records)
        return false;
    log->records = records;
    log->capacity = capacity;
    return true;
}

/* A commit in memory has no half: the copies are made first, then all of them count at once. */
static theater_status memory_append(th_journal *head, const th_slice *records, size_t count,
                                    theater_error *reterr)
{
    memory_log *log = cast(head);
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += th_frame_size(records[i].size);
    if (total > TH_APPEND_MAX)
        return th_fail(reterr, THEATER_TOO_LARGE, "an append is at most %u bytes, this one has %llu",
                       TH_APPEND_MAX, (unsigned long long)total);
    if (total > MEMORY_LOG_MAX - log->bytes)
        return th_fail(reterr, THEATER_NO_SPACE, "the log in memory is full");
    th_mutex_lock(&log->head.lock);
    size_t done = 0;
    bool room = grow(log, count);
    for (; room && done < count; done++) {
        uint8_t *copy = th_alloc(records[done].size + 1);
        if (!copy)
            break;
        if (records[done].size)
            memcpy(copy, records[done].data, records[done].size);
        log->records[log->head.end.number + done] = th_slice_of(copy, records[done].size);
    }
    if (room && done == count) {
        log->head.end.number += count;
        log->head.end.position = log->head.end.number;
        log->head.end.last_position = log->head.end.number - 1;
        log->head.end.last_sum = 0;
        log->bytes += total;
    } else {
        while (done > 0)
            th_free((void *)log->records[log->head.end.number + --done].data);
        room = false;
    }
    th_mutex_unlock(&log->head.lock);
    return room ? THEATER_OK : th_fail_memory(reterr, "records of the log in memory");
}

static theater_status memory_probe(th_journal *log, theater_error *reterr)
{
    return cast(log)->bytes < MEMORY_LOG_MAX ? THEATER_OK
                                             : th_fail(reterr, THEATER_NO_SPACE, "the log in memory is full");
}

static theater_status memory_refresh(th_journal *log, bool *ret_replaced, theater_error *reterr)
{
    *ret_replaced = false;
    return THEATER_OK;
}

static uint64_t memory_bytes(th_journal *log)
{
    return cast(log)->bytes;
}

static bool record_at(th_journal *head, uint64_t number, th_slice *ret)
{
    th_mutex_lock(&head->lock);
    bool found = number < head->end.number;
    if (found)
        *ret = cast(head)->records[number];
    th_mutex_unlock(&head->lock);
    return found;
}

static theater_status no_record(uint64_t position, theater_error *reterr)
{
    return th_fail(reterr, THEATER_CORRUPT, "the log in memory has no record %llu",
                   (unsigned long long)position);
}

static theater_status memory_read(th_journal *log, uint64_t position, th_buf *buf, uint64_t *ret_number,
                                  th_slice *ret_payload, theater_error *reterr)
{
    th_slice record;
    if (!record_at(log, position, &record))
        return no_record(position, reterr);
    th_buf_clear(buf);
    theater_status status = th_buf_append(buf, record, reterr);
    if (status)
        return status;
    *ret_number = position;
    *ret_payload = th_buf_slice(buf);
    return THEATER_OK;
}

static theater_status memory_next(th_journal_cursor *cursor, size_t front, th_journal_item *ret,
                                  bool *ret_more, theater_error *reterr)
{
    th_slice record = {0};
    *ret_more = cursor->number < cursor->end.number && record_at(cursor->log, cursor->number, &record);
    if (!*ret_more)
        return THEATER_OK;
    *ret = (th_journal_item){.number = cursor->number,
                             .position = cursor->number,
                             .size = record.size,
                             .log_bytes = th_frame_size(record.size),
                             .payload = record};
    if (front && record.size > front)
        ret->payload.size = front;
    cursor->position = ++cursor->number;
    return THEATER_OK;
}

static theater_status memory_seek(th_journal_cursor *cursor, uint64_t position, th_journal_item *ret,
                                  theater_error *reterr)
{
    bool more;
    cursor->number = position;
    cursor->end = th_journal_end(cursor->log);
    theater_status status = memory_next(cursor, 0, ret, &more, reterr);
    return status || more ? status : no_record(position, reterr);
}

static void memory_cursor_done(th_journal_cursor *cursor)
{
    th_window_done(&cursor->window);
}

static void memory_find(th_journal *log, uint64_t number, uint64_t *ret_number, uint64_t *ret_position)
{
    uint64_t end = th_journal_end(log).number;
    *ret_number = *ret_position = number < end ? number : end;
}

static void memory_describe(th_journal *log, uint64_t position, char *out, size_t size)
{
    snprintf(out, size, "record %llu in memory", (unsigned long long)position);
}

static theater_status memory_copy(th_journal *log, const char *folder, theater_error *reterr)
{
    return th_fail(reterr, THEATER_INVALID_ARGUMENT, "a log in memory has no folder that could be copied");
}

static const th_journal_operations memory_operations = {
    memory_free, memory_append, memory_probe,       memory_refresh, memory_bytes,    memory_read,
    memory_next, memory_seek,   memory_cursor_done, memory_find,    memory_describe, memory_copy,
};

theater_status th_journal_memory_new(th_port *port, th_journal **ret, theater_error *reterr)
{
    memory_log *log = th_alloc_zero(1, sizeof *log);
    if (!log)
        return th_fail_memory(reterr, "a log in memory");
    log->head.operations = &memory_operations;
    log->head.port = port;
    th_mutex_init(port, &log->head.lock);
    *ret = &log->head;
    return THEATER_OK;
}
