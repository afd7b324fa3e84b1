/* store/journal_read.c: reading the log in segments, at a position or from one record to the next. */
#include "store/journal_file.h"
#include "store/segment.h"

/* Read at once for one record. */
#define READ_AHEAD ((size_t)4096)

static th_journal_file *cast(th_journal *log)
{
    return (th_journal_file *)log;
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

theater_status th_journal_file_read(th_journal *head, uint64_t position, th_buf *buf, uint64_t *ret_number,
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

void th_journal_file_cursor_done(th_journal_cursor *cursor)
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

/* What stands behind the header at the cursor's position. */
static theater_status read_payload(th_journal_cursor *cursor, const th_frame *frame, size_t front,
                                   th_journal_item *ret, theater_error *reterr)
{
    size_t want = front && frame->length > front ? front : frame->length;
    th_slice bytes;
    th_segment *segment = cursor->segment;
    theater_status status =
        th_window_get(&cursor->window, segment->file, th_position_offset(cursor->position),
                      TH_FRAME_HEADER + want, &bytes, reterr);
    if (status)
        return status;
    if (bytes.size < TH_FRAME_HEADER + want ||
        (want == frame->length && !th_frame_holds(frame, bytes.data + TH_FRAME_HEADER)))
        return no_frame(cursor->log, cursor->position, "the checksum of the record differs", reterr);
    *ret = (th_journal_item){.number = cursor->number,
                             .position = cursor->position,
                             .sum = frame->sum,
                             .size = frame->length,
                             .log_bytes = th_frame_size(frame->length),
                             .payload = th_slice_of(bytes.data + TH_FRAME_HEADER, want)};
    return THEATER_OK;
}

theater_status th_journal_file_next(th_journal_cursor *cursor, size_t front, th_journal_item *ret,
                                    bool *ret_more, theater_error *reterr)
{
    *ret_more = false;
    if (cursor->number >= cursor->end.number)
        return THEATER_OK;
    th_frame frame;
    theater_status status = find_frame(cursor, &frame, reterr);
    if (status)
        return status;
    status = read_payload(cursor, &frame, front, ret, reterr);
    if (status)
        return status;
    cursor->number++;
    cursor->position += th_frame_size(frame.length);
    *ret_more = true;
    return THEATER_OK;
}

theater_status th_journal_file_seek(th_journal_cursor *cursor, uint64_t position, th_journal_item *ret,
                                    theater_error *reterr)
{
    th_journal_file *log = cast(cursor->log);
    if (position >= cursor->end.position) {
        cursor->end = th_journal_end(cursor->log);
        th_window_forget(&cursor->window); /* it may show what stood there before */
        if (position >= cursor->end.position)
            return no_frame(cursor->log, position, "a record behind the end of the log was asked for",
                            reterr);
    }
    th_frame frame;
    th_slice bytes;
    theater_status status = enter_segment(cursor, th_position_ordinal(position), reterr);
    if (status)
        return status;
    th_segment *segment = cursor->segment;
    cursor->position = position;
    status = th_window_get(&cursor->window, segment->file, th_position_offset(position), TH_FRAME_HEADER,
                           &bytes, reterr);
    if (status)
        return status;
    if (bytes.size < TH_FRAME_HEADER || !th_frame_decode(log->key, position, bytes.data, &frame))
        return no_frame(cursor->log, position, "no record begins here", reterr);
    cursor->number = frame.number;
    return read_payload(cursor, &frame, 0, ret, reterr);
}
