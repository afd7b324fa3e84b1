/* store/journal.c: what both logs share. */
#include "store/journal.h"

void th_journal_cursor_init(th_journal_cursor *cursor, th_journal *log, uint64_t number, uint64_t position)
{
    *cursor =
        (th_journal_cursor){.log = log, .number = number, .position = position, .end = th_journal_end(log)};
    th_window_init(&cursor->window);
}

void th_journal_cursor_roam(th_journal_cursor *cursor, th_journal *log)
{
    th_journal_cursor_init(cursor, log, 0, 0);
    cursor->window.roams = true;
}

theater_status th_journal_cursor_at(th_journal_cursor *cursor, th_journal *log, uint64_t number,
                                    theater_error *reterr)
{
    uint64_t start, position;
    log->operations->find(log, number, &start, &position);
    th_journal_cursor_init(cursor, log, start, position);
    theater_status status = THEATER_OK;
    bool more = true;
    while (!status && more && cursor->number < number) {
        th_journal_item item;
        status = th_journal_next(cursor, 1, &item, &more, reterr);
    }
    if (!status && cursor->number != number)
        status = th_fail(reterr, THEATER_NOT_FOUND, "the log has %llu records, none with the number %llu",
                         (unsigned long long)cursor->end.number, (unsigned long long)number);
    if (status)
        th_journal_cursor_done(cursor);
    return status;
}

theater_status th_journal_matches(th_journal *log, const th_journal_mark *mark, bool *ret_same,
                                  theater_error *reterr)
{
    th_journal_mark end = th_journal_end(log);
    *ret_same = true;
    if (mark->number == 0)
        return THEATER_OK;
    if (mark->number > end.number)
        return th_fail(reterr, THEATER_CORRUPT, "the log ends at record %llu, but %llu were durable",
                       (unsigned long long)end.number, (unsigned long long)mark->number);
    th_journal_cursor cursor;
    th_journal_cursor_init(&cursor, log, mark->number - 1, mark->last_position);
    th_journal_item item;
    bool more;
    theater_status status = th_journal_next(&cursor, 1, &item, &more, reterr);
    *ret_same = !status && more && item.position == mark->last_position && item.sum == mark->last_sum;
    th_journal_cursor_done(&cursor);
    return status;
}
