#include "store/tail.h"

static theater_status read_frame(th_journal_file *log, uint64_t ordinal, th_file *file, th_window *window,
                                 uint64_t offset, th_frame *ret, bool *ret_valid, theater_error *reterr)
{
    th_slice bytes;
    *ret_valid = false;
    theater_status status = th_window_get(window, file, offset, TH_FRAME_HEADER, &bytes, reterr);
    if (status || bytes.size < TH_FRAME_HEADER ||
        !th_frame_decode(log->key, th_position(ordinal, offset), bytes.data, ret))
        return status;
    uint64_t need = TH_FRAME_HEADER + (uint64_t)ret->length;
    status = th_window_get(window, file, offset, (size_t)need, &bytes, reterr);
    *ret_valid = !status && bytes.size >= need && th_frame_holds(ret, bytes.data + TH_FRAME_HEADER);
    return status;
}

theater_status th_tail_frame(th_journal_file *log, uint64_t ordinal, th_file *file, uint64_t offset,
                             th_frame *ret, bool *ret_valid, theater_error *reterr)
{
    th_window window;
    th_window_init(&window);
    theater_status status = read_frame(log, ordinal, file, &window, offset, ret, ret_valid, reterr);
    th_window_done(&window);
    return status;
}

theater_status th_tail_scan(th_journal_file *log, th_segment *segment, uint64_t offset, uint64_t number,
                            th_tail *ret, theater_error *reterr)
{
    *ret = (th_tail){.number = number, .offset = offset, .stop = offset};
    th_window window;
    th_window_init(&window);
    uint32_t first = 0, place = 0,
             count = 0; /* frames of the commit in work: its first here, how many, of how many */
    uint64_t begin = offset; /* of the commit in work */
    theater_status status;
    while (true) {
        th_frame frame;
        bool valid;
        status = read_frame(log, segment->ordinal, segment->file, &window, ret->stop, &frame, &valid, reterr);
        /* The scan may begin behind a proof, in the midst of a commit. */
        if (ret->stop == offset && valid)
            first = frame.place;
        if (status || !valid || frame.number != ret->number + place || frame.place != first + place ||
            (place > 0 && frame.count != count))
            break;
        count = frame.count;
        uint64_t at = ret->stop;
        ret->stop += th_frame_size(frame.length);
        if (first + ++place < count)
            continue;
        ret->has_last = true;
        ret->number += place;
        ret->commit_offset = begin;
        ret->last_offset = at;
        ret->last_sum = frame.sum;
        ret->offset = begin = ret->stop;
        first = place = 0;
    }
    th_window_done(&window);
    return status;
}

/* Where the bytes from `at` on stop being zero, in steps of eight; `size` when they do not. */
static size_t skip_zeros(const uint8_t *bytes, size_t at, size_t size)
{
    while (at + 8 <= size) {
        uint64_t word;
        memcpy(&word, bytes + at, 8);
        if (word != 0)
            return at;
        at += 8;
    }
    for (size_t i = at; i < size; i++) {
        if (bytes[i] != 0)
            return at;
    }
    return size;
}

theater_status th_tail_search(th_journal_file *log, uint64_t ordinal, th_file *file, uint64_t offset,
                              uint64_t from_number, bool *ret_found, bool *ret_dirty, theater_error *reterr)
{
    th_window window, second;
    th_window_init(&window);
    th_window_init(&second);
    bool dirty = false;
    *ret_found = false;
    theater_status status = THEATER_OK;
    while (!status && !*ret_found) {
        th_slice bytes;
        status = th_window_get(&window, file, offset, TH_FRAME_HEADER, &bytes, reterr);
        if (status || bytes.size == 0)
            break;
        size_t at = skip_zeros(bytes.data, 0, bytes.size);
        dirty = dirty || at < bytes.size;
        th_frame frame;
        /* A record's number may be 0 and its frame then begins with zeros; the words behind them are looked
         * at with the eight bytes before each. */
        for (at = at >= 8 ? at - 8 : 0; !status && at + TH_FRAME_HEADER <= bytes.size; at += 8) {
            bool valid =
                th_frame_decode(log->key, th_position(ordinal, offset + at), bytes.data + at, &frame) &&
                frame.number - frame.place >= from_number;
            if (valid)
                status = read_frame(log, ordinal, file, &second, offset + at, &frame, &valid, reterr);
            if (!status && valid) {
                *ret_found = true;
                break;
            }
        }
        /* The last bytes are too few for a header: they are looked at again with what follows, if something
         * does. */
        offset += bytes.size > TH_FRAME_HEADER ? (bytes.size - TH_FRAME_HEADER + 8) & ~(size_t)7 : bytes.size;
    }
    th_window_done(&window);
    th_window_done(&second);
    if (ret_dirty)
        *ret_dirty = dirty;
    return status;
}
