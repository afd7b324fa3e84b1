/* store/recover.c: where a log of files ends, and what of its end may be cut off.
 *
 * What the appending side promises (journal_append.c)
 *   A1. Commit n is written only after the sync of commit n - 1 returned OK. So when the machine stops, at
 *       most one commit, the last, is not durable, and of that one any part may be there.
 *   A2. A segment is made, with its name, only after the last commit of the segment before it is durable.
 *   A3. After a write that failed for want of space the file is cut back, and the cut is synced, before
 *       anything is written again; a segment that could not be made for want of space is removed, and the
 *       removal is synced. After any other failure nothing is written any more.
 *
 * What follows for the end of a log
 *   R1. The records end behind the last whole commit. What stands behind it is a torn tail only if it is of
 *       the one commit that A1 allows: if a valid frame of a commit that began later stands anywhere behind
 *       it, or a later segment exists, or a proof (the index's mark, the mark of a clean close) says that a
 *       record behind it was durable, then records were lost. That is CORRUPT with the place of the first
 *       unreadable frame, and nothing is changed.
 *   R2. A torn tail is cut off durably, by truncating and syncing, before the log takes a new commit.
 *       Otherwise a frame of the torn commit, say its third, could stand behind a new shorter commit of the
 *       same numbers, or make a later tear look like damage. If the machine stops during the repair, the
 *       next one finds the same tail or a part of it: R1 holds again.
 *   R3. The last whole commit may never have been synced: the process was killed between write and sync, or
 *       the sync failed, after which Linux takes the pages for clean. So it is written again, byte for
 *       byte, and synced, unless a proof covers it. Writing the same bytes over themselves can tear nothing
 *       that was durable.
 *       Nor may the cut be durable by which a process took its failed append back. So recovery always ends
 *       with a sync: what it found to be there, and what it found not to be there, stays so.
 *   R4. The header of the last segment may be missing only if no frame stands behind it and no record at or
 *       behind its first number is proven: the machine stopped in A2. The file is removed, and the segment
 *       before it is the last again. Its records must then reach the first number that the file's name
 *       tells, by A2.
 *   R5. Only the last segment is read at opening, from the newest proof on. Damage before that shows when
 *       it is read.
 *
 * A frame is valid only at its position in this store, so bytes left from other files or places never count
 * (frame.h).
 *
 * What this cannot tell: a last commit that was durable, and was damaged later, while no proof of it is
 * left. It looks like a torn one. The proofs make that window small: the index is seldom more than one step
 * behind.
 *
 * A reader (read_only) runs beside a writer. It repairs nothing, leaves out what R1 calls a torn tail, and
 * looks again before it calls something damage, because the writer may be just writing it. */
#include "store/recover.h"

#include "store/path.h"
#include "store/tail.h"

/* How often a reader looks again. */
#define READER_TRIES 20

static theater_status damaged(th_journal_file *log, uint64_t ordinal, const th_tail *tail, const char *why,
                              theater_error *reterr)
{
    char place[TH_JOURNAL_PLACE_SIZE];
    th_journal_describe(&log->head, th_position(ordinal, tail->stop), place);
    return th_fail(reterr, THEATER_CORRUPT, "%s: record %llu is damaged or lost, but %s", place,
                   (unsigned long long)tail->number, why);
}

/* ---- the list of segments ---- */

typedef struct listing {
    th_journal_file *log;
    theater_status status;
    theater_error *reterr;
} listing;

static bool list_entry(void *context, const char *name)
{
    listing *list = context;
    th_journal_file *log = list->log;
    uint64_t first;
    if (!th_segment_name_read(name, &first))
        return true;
    /* Names come in ascending order; a reader that follows knows the first ones already. */
    if (log->count > 0 && first <= log->segments[log->count - 1]->first_number)
        return true;
    list->status = th_segment_list(log, first, list->reterr);
    return !list->status;
}

static theater_status list_segments(th_journal_file *log, theater_error *reterr)
{
    listing list = {log, THEATER_OK, reterr};
    theater_status status = th_port_list_folder(log->head.port, log->folder, list_entry, &list, reterr);
    return status ? status : list.status;
}

/* R4: drops a last segment that was only being made. `proven` records were durable. *ret_floor: its name
 * proves as many. */
static theater_status drop_unfinished(th_journal_file *log, uint64_t proven, uint64_t *ret_floor,
                                      theater_error *reterr)
{
    bool torn;
    uint64_t first = log->segments[log->count - 1]->first_number;
    theater_status status = th_segment_torn(log, log->count - 1, &torn, reterr);
    if (status || !torn || proven > first)
        return status; /* a header that is damaged is reported when the segment is opened */
    *ret_floor = first;
    char *path = th_segment_path(log, first);
    if (!path)
        return th_fail_memory(reterr, "a path");
    th_segment_unlist(log);
    if (!log->read_only) {
        status = th_port_remove(log->head.port, path, reterr);
        if (!status)
            status = th_port_sync_folder(log->head.port, log->folder, reterr);
    }
    th_free(path);
    return status;
}

/* ---- the end ---- */

/* Takes the proof as the place to begin when its last record stands where it says, in the last segment, and
 * raises *floor: what is proven is that record's whole commit. A proof whose record is there but another
 * one is of a copy of this store that went another way; it counts for nothing. */
static theater_status use_proof(th_journal_file *log, th_segment *last, const th_journal_mark *proof,
                                uint64_t *floor, theater_error *reterr)
{
    uint64_t ordinal = th_position_ordinal(proof->last_position);
    if (proof->number == 0 || ordinal < last->ordinal)
        return THEATER_OK; /* that a segment came after it proves more */
    uint64_t offset = th_position_offset(proof->last_position);
    th_frame frame;
    bool valid = false;
    if (ordinal == last->ordinal) {
        theater_status status = th_tail_frame(log, ordinal, last->file, offset, &frame, &valid, reterr);
        if (status)
            return status;
    }
    if (!valid || frame.number != proof->number - 1) {
        th_tail tail = {.number = proof->number - 1, .stop = offset};
        return damaged(log, ordinal, &tail, "it was durable", reterr);
    }
    if (frame.sum != proof->last_sum)
        return THEATER_OK;
    uint64_t whole = proof->number + (frame.count - frame.place - 1);
    *floor = whole > *floor ? whole : *floor;
    if (proof->number > log->head.end.number) {
        log->head.end = *proof;
        log->head.end.position = th_position(ordinal, offset + th_frame_size(frame.length));
    }
    return THEATER_OK;
}

/* Moves the end over the whole commits of its segment. */
static theater_status advance(th_journal_file *log, th_tail *ret_tail, bool *ret_dirty, bool *ret_lost,
                              theater_error *reterr)
{
    *ret_lost = *ret_dirty = false;
    th_journal_mark end = th_journal_end(&log->head);
    uint64_t ordinal = th_position_ordinal(end.position);
    th_segment *segment;
    theater_status status = th_segment_acquire(log, ordinal, &segment, reterr);
    if (status)
        return status;
    status = th_tail_scan(log, segment, th_position_offset(end.position), end.number, ret_tail, reterr);
    if (!status && ret_tail->has_last) {
        end = (th_journal_mark){ret_tail->number, th_position(ordinal, ret_tail->offset),
                                th_position(ordinal, ret_tail->last_offset), ret_tail->last_sum};
        th_mutex_lock(&log->head.lock);
        log->head.end = end;
        th_mutex_unlock(&log->head.lock);
    }
    uint64_t next;
    if (!status && th_segment_first_number(log, ordinal + 1, &next))
        *ret_lost = next != end.number;
    else if (!status)
        status = th_tail_search(log, ordinal, segment->file, ret_tail->offset, end.number + 1, ret_lost,
                                ret_dirty, reterr);
    th_segment_release(log, segment);
    return status;
}

/* Moves the end to the end of the last segment that is listed; `floor` records are known to have been
 * durable. *ret_tail is that of the last segment.
 *
 * A reader may see a later commit behind a frame that the writer was still writing when it looked there. It
 * looks again, and when that frame has become valid, it stands: what it sees behind that is then again only
 * newer. */
static theater_status find_end(th_journal_file *log, uint64_t floor, th_tail *ret_tail, bool *ret_dirty,
                               theater_error *reterr)
{
    uint64_t stop_before = 0;
    for (int tries = 0;;) {
        bool lost;
        theater_status status = advance(log, ret_tail, ret_dirty, &lost, reterr);
        if (status)
            return status;
        uint64_t ordinal = th_position_ordinal(log->head.end.position), next;
        bool is_last = !th_segment_first_number(log, ordinal + 1, &next);
        if (lost && (!log->read_only || tries == READER_TRIES)) {
            return damaged(log, ordinal, ret_tail, "later ones stand behind it", reterr);
        } else if (lost && tries > 0 && is_last && ret_tail->stop > stop_before) {
            return THEATER_OK;
        } else if (lost) {
            stop_before = ret_tail->stop;
            tries++;
        } else if (!is_last) {
            th_mutex_lock(&log->head.lock);
            log->head.end.position = th_position(ordinal + 1, TH_SEGMENT_HEADER);
            th_mutex_unlock(&log->head.lock);
        } else if (ret_tail->number < floor) {
            return damaged(log, ordinal, ret_tail, "it was durable", reterr);
        } else {
            return THEATER_OK;
        }
    }
}

/* ---- repair ---- */

static theater_status rewrite(th_file *file, uint64_t from, uint64_t to, theater_error *reterr)
{
    th_window window;
    th_window_init(&window);
    theater_status status = THEATER_OK;
    while (!status && from < to) {
        th_slice bytes;
        status = th_window_get(&window, file, from, 1, &bytes, reterr);
        if (!status && bytes.size == 0)
            break; /* the file may end within the last frame's padding, which reads as zeros all the same */
        if (bytes.size > to - from)
            bytes.size = (size_t)(to - from);
        if (!status)
            status = th_file_write(file, from, &bytes, 1, reterr);
        from += bytes.size;
    }
    th_window_done(&window);
    return status;
}

/* R2 and R3. `began` is where the scan of the last segment began: what comes before it is proven. */
static theater_status repair(th_journal_file *log, const th_tail *tail, uint64_t began, bool dirty,
                             theater_error *reterr)
{
    th_file *file = log->last->file;
    theater_status status = THEATER_OK;
    if (dirty)
        status = th_file_truncate(file, tail->offset, reterr);
    if (!status && began == TH_SEGMENT_HEADER)
        status = rewrite(file, 0, TH_SEGMENT_HEADER, reterr);
    if (!status && tail->has_last)
        status = rewrite(file, tail->commit_offset, tail->offset, reterr);
    /* Always: a failed append may have been cut off by its own process, and that cut is not durable yet. */
    if (!status)
        status = th_file_sync(file, reterr);
    /* The segment's name may not be durable yet either. */
    if (!status)
        status = th_port_sync_folder(log->head.port, log->folder, reterr);
    if (!status)
        status = th_file_size(file, &log->reserved, reterr);
    return status;
}

/* Where the scan of the last segment begins: behind the newest proof that holds, or at its first frame.
 * *floor grows to what the proofs that hold say. */
static theater_status begin(th_journal_file *log, th_segment *last, const th_journal_mark proofs[2],
                            uint64_t *floor, bool *ret_proven, theater_error *reterr)
{
    log->head.end = (th_journal_mark){.number = 0};
    for (int i = 0; i < 2; i++) {
        theater_status status = use_proof(log, last, &proofs[i], floor, reterr);
        if (status)
            return status;
    }
    *ret_proven = log->head.end.number != 0;
    if (!*ret_proven)
        log->head.end = (th_journal_mark){.number = last->first_number,
                                          .position = th_position(last->ordinal, TH_SEGMENT_HEADER)};
    return THEATER_OK;
}

/* Finds and repairs the end of a log whose segments are listed. */
static theater_status recover_end(th_journal_file *log, const th_journal_mark proofs[2], uint64_t floor,
                                  theater_error *reterr)
{
    th_segment *last;
    uint64_t ordinal = log->count - 1;
    theater_status status = th_segment_acquire(log, ordinal, &last, reterr);
    if (status)
        return status;
    bool proven = false, dirty = false;
    th_tail tail = {0};
    status = begin(log, last, proofs, &floor, &proven, reterr);
    uint64_t began = th_position_offset(log->head.end.position);
    if (!status)
        status = find_end(log, floor, &tail, &dirty, reterr);
    if (!status && !proven && !tail.has_last && ordinal > 0) {
        /* The last segment is empty: the last record is in the one before. */
        uint64_t number;
        (void)th_segment_first_number(log, ordinal - 1, &number);
        log->head.end =
            (th_journal_mark){.number = number, .position = th_position(ordinal - 1, TH_SEGMENT_HEADER)};
        status = find_end(log, floor, &tail, &dirty, reterr);
    }
    if (!status && !log->read_only) {
        log->last = last;
        return repair(log, &tail, began, dirty, reterr);
    }
    th_segment_release(log, last);
    return status;
}

theater_status th_recover(th_journal_file *log, const th_journal_mark proofs[2], theater_error *reterr)
{
    uint64_t floor = 0, proven = proofs[0].number > proofs[1].number ? proofs[0].number : proofs[1].number;
    theater_status status = list_segments(log, reterr);
    if (!status && log->count > 0)
        status = drop_unfinished(log, proven, &floor, reterr);
    if (status)
        return status;
    if (log->count > 0)
        return recover_end(log, proofs, floor, reterr);
    if (proven > 0 || floor > 0)
        return th_fail(reterr, THEATER_CORRUPT,
                       "the log in %s has no segments, but %llu records were durable", log->folder,
                       (unsigned long long)(proven > floor ? proven : floor));
    log->head.end = (th_journal_mark){.position = th_position(0, TH_SEGMENT_HEADER)};
    if (log->read_only)
        return THEATER_OK;
    status = th_segment_create(log, 0, 0, TH_SEGMENT_HEADER, &log->last, reterr);
    log->reserved = TH_SEGMENT_HEADER;
    return status;
}

/* Whether the last record that was known still stands where it did. */
static theater_status end_holds(th_journal_file *log, bool *ret, theater_error *reterr)
{
    th_journal_mark end = th_journal_end(&log->head);
    *ret = true;
    if (end.number == 0)
        return THEATER_OK;
    th_segment *segment;
    theater_status status = th_segment_acquire(log, th_position_ordinal(end.last_position), &segment, reterr);
    if (status)
        return status;
    uint8_t header[TH_FRAME_HEADER];
    size_t size;
    th_frame frame;
    status = th_file_read(segment->file, th_position_offset(end.last_position), header, sizeof header, &size,
                          reterr);
    *ret = !status && size == sizeof header && th_frame_decode(log->key, end.last_position, header, &frame) &&
           frame.number == end.number - 1 && frame.sum == end.last_sum;
    th_segment_release(log, segment);
    return status;
}

theater_status th_recover_follow(th_journal_file *log, bool *ret_replaced, theater_error *reterr)
{
    bool holds;
    uint64_t floor = 0;
    theater_status status = end_holds(log, &holds, reterr);
    *ret_replaced = !status && !holds;
    if (!status && !holds) {
        while (log->count > 0)
            th_segment_unlist(log);
        const th_journal_mark none[2] = {{0}};
        return th_recover(log, none, reterr);
    }
    if (!status)
        status = list_segments(log, reterr);
    if (!status && log->count > 0 && log->count - 1 > th_position_ordinal(log->head.end.position))
        status = drop_unfinished(log, 0, &floor, reterr);
    th_tail tail;
    bool dirty;
    if (!status && log->count > 0)
        status = find_end(log, floor, &tail, &dirty, reterr);
    return status;
}
