#include "store/segment.h"

#include <stdio.h>

#include "store/path.h"
#include "store/tail.h"

static const char magic[8] = {'T', 'H', 'E', 'A', 'T', 'L', 'O', 'G'};

void th_segment_name(uint64_t first_number, char out[TH_SEGMENT_NAME_SIZE])
{
    snprintf(out, TH_SEGMENT_NAME_SIZE, "%020llu.log", (unsigned long long)first_number);
}

bool th_segment_name_read(const char *name, uint64_t *ret_first_number)
{
    uint64_t value = 0;
    for (int i = 0; i < 20; i++) {
        if (name[i] < '0' || name[i] > '9' || value > (UINT64_MAX - 9) / 10)
            return false;
        value = value * 10 + (uint64_t)(name[i] - '0');
    }
    *ret_first_number = value;
    return strcmp(name + 20, ".log") == 0;
}

char *th_segment_path(const th_journal_file *log, uint64_t first_number)
{
    char name[TH_SEGMENT_NAME_SIZE];
    th_segment_name(first_number, name);
    return th_path_join(log->folder, name);
}

static void encode_header(const th_journal_file *log, const th_segment *segment,
                          uint8_t out[TH_SEGMENT_HEADER])
{
    memcpy(out, magic, 8);
    th_put_u32le(out + 8, TH_SEGMENT_VERSION);
    th_put_u32le(out + 12, 0);
    memcpy(out + 16, log->identity, 16);
    th_put_u64le(out + 32, segment->ordinal);
    th_put_u64le(out + 40, segment->first_number);
    th_put_u64le(out + 48, segment->bytes_before);
    th_put_u64le(out + 56, th_checksum(th_slice_of(out, 56), 0));
}

/* What is wrong with a header that was read, or NULL. */
static const char *header_problem(const th_journal_file *log, const th_segment *segment, const uint8_t *in,
                                  size_t size)
{
    if (size < TH_SEGMENT_HEADER || memcmp(in, magic, 8) != 0)
        return "it does not begin as a segment does";
    if (th_get_u64le(in + 56) != th_checksum(th_slice_of(in, 56), 0))
        return "the checksum of its header differs";
    if (memcmp(in + 16, log->identity, 16) != 0)
        return "it belongs to another data folder";
    if (th_get_u64le(in + 40) != segment->first_number)
        return "its name is not that of its first record";
    if (th_get_u64le(in + 32) != segment->ordinal)
        return "a segment before it is missing";
    return NULL;
}

static theater_status check_header(const th_journal_file *log, const th_segment *segment, th_file *file,
                                   uint64_t *ret_bytes_before, theater_error *reterr)
{
    uint8_t header[TH_SEGMENT_HEADER];
    size_t size;
    theater_status status = th_file_read(file, 0, header, sizeof header, &size, reterr);
    if (status)
        return status;
    char name[TH_SEGMENT_NAME_SIZE];
    th_segment_name(segment->first_number, name);
    const char *problem = header_problem(log, segment, header, size);
    if (problem)
        return th_fail(reterr, THEATER_CORRUPT, "segment %s, offset 0: %s", name, problem);
    if (th_get_u32le(header + 8) != TH_SEGMENT_VERSION)
        return th_fail(reterr, THEATER_VERSION, "segment %s is of version %u, this program reads version %u",
                       name, th_get_u32le(header + 8), TH_SEGMENT_VERSION);
    *ret_bytes_before = th_get_u64le(header + 48);
    return THEATER_OK;
}

theater_status th_segment_list(th_journal_file *log, uint64_t first_number, theater_error *reterr)
{
    if (log->count == TH_SEGMENTS_MAX)
        return th_fail(reterr, THEATER_TOO_LARGE, "a log has at most %zu segments", TH_SEGMENTS_MAX);
    th_segment *segment = th_alloc_zero(1, sizeof *segment);
    if (!segment)
        return th_fail_memory(reterr, "a segment of the log");
    segment->first_number = first_number;
    th_mutex_lock(&log->head.lock);
    bool room = log->count < log->capacity;
    if (!room) {
        size_t capacity = log->capacity ? log->capacity * 2 : 16;
        th_segment **grown = th_realloc(log->segments, capacity * sizeof *grown);
        if (grown) {
            log->segments = grown;
            log->capacity = capacity;
            room = true;
        }
    }
    if (room) {
        segment->ordinal = log->count;
        log->segments[log->count++] = segment;
    }
    th_mutex_unlock(&log->head.lock);
    if (!room)
        th_free(segment);
    return room ? THEATER_OK : th_fail_memory(reterr, "the list of segments");
}

void th_segment_unlist(th_journal_file *log)
{
    th_mutex_lock(&log->head.lock);
    th_segment *segment = log->segments[--log->count];
    if (segment->file)
        log->open--;
    th_mutex_unlock(&log->head.lock);
    th_assert(segment->users == 0);
    th_file_close(segment->file);
    th_free(segment);
}

bool th_segment_first_number(th_journal_file *log, uint64_t ordinal, uint64_t *ret)
{
    th_mutex_lock(&log->head.lock);
    bool found = ordinal < log->count;
    if (found)
        *ret = log->segments[ordinal]->first_number;
    th_mutex_unlock(&log->head.lock);
    return found;
}

/* Makes room, writes the header and makes both, and the name, durable. Only the first step may fail for
 * want of space and leave nothing: a header that is there, but not durable, next to a segment that goes on
 * growing, would contradict it after a crash. */
static theater_status write_new(th_journal_file *log, const th_segment *segment, th_file *file,
                                uint64_t reserve, theater_error *reterr)
{
    uint8_t header[TH_SEGMENT_HEADER];
    encode_header(log, segment, header);
    th_slice part = th_slice_of(header, sizeof header);
    theater_status status = th_file_reserve(file, reserve, reterr);
    if (status)
        return status;
    status = th_file_write(file, 0, &part, 1, reterr);
    if (!status)
        status = th_file_sync(file, reterr);
    if (!status)
        status = th_port_sync_folder(log->head.port, log->folder, reterr);
    return status ? th_fail_in(reterr, THEATER_STORAGE_FAILED, "a new segment of the log") : THEATER_OK;
}

/* Half a segment must not stay, not even after a crash: the log may go on in the segment before, and would
 * then pass the number in the name. `status` is why it was not made. */
static theater_status remove_half(th_journal_file *log, const char *path, th_file *file,
                                  theater_status status, theater_error *reterr)
{
    th_file_close(file);
    theater_status removed = th_port_remove(log->head.port, path, NULL);
    if (!removed)
        removed = th_port_sync_folder(log->head.port, log->folder, NULL);
    return removed ? th_fail_in(reterr, THEATER_STORAGE_FAILED, "a new segment of the log") : status;
}

theater_status th_segment_create(th_journal_file *log, uint64_t first_number, uint64_t bytes_before,
                                 uint64_t reserve, th_segment **ret, theater_error *reterr)
{
    *ret = NULL;
    char *path = th_segment_path(log, first_number);
    if (!path)
        return th_fail_memory(reterr, "a path");
    theater_status status = th_segment_list(log, first_number, reterr);
    if (status) {
        th_free(path);
        return status;
    }
    th_segment *segment = log->segments[log->count - 1];
    segment->bytes_before = bytes_before;
    th_file *file = NULL;
    status = th_file_open(log->head.port, path,
                          TH_FILE_READ | TH_FILE_WRITE | TH_FILE_CREATE | TH_FILE_EXCLUSIVE, &file, reterr);
    if (!status)
        status = write_new(log, segment, file, reserve, reterr);
    if (status) {
        if (file)
            status = remove_half(log, path, file, status, reterr);
        th_segment_unlist(log);
    } else {
        th_mutex_lock(&log->head.lock);
        segment->file = file;
        segment->users++; /* before anybody could close it again */
        segment->used = ++log->tick;
        log->open++;
        th_mutex_unlock(&log->head.lock);
        *ret = segment;
    }
    th_free(path);
    return status;
}

/* Under the lock: takes the file of the segment that nobody has used for longest out of the table, when too
 * many are open. */
static th_file *evict(th_journal_file *log)
{
    if (log->open <= TH_SEGMENTS_OPEN)
        return NULL;
    th_segment *oldest = NULL;
    for (size_t i = 0; i < log->count; i++) {
        th_segment *segment = log->segments[i];
        if (segment->file && segment->users == 0 && (!oldest || segment->used < oldest->used))
            oldest = segment;
    }
    if (!oldest)
        return NULL;
    th_file *file = oldest->file;
    oldest->file = NULL;
    log->open--;
    return file;
}

static theater_status open_file(th_journal_file *log, const th_segment *segment, th_file **ret,
                                uint64_t *ret_bytes_before, theater_error *reterr)
{
    char *path = th_segment_path(log, segment->first_number);
    if (!path)
        return th_fail_memory(reterr, "a path");
    unsigned flags = log->read_only ? TH_FILE_READ : TH_FILE_READ | TH_FILE_WRITE;
    theater_status status = th_file_open(log->head.port, path, flags, ret, reterr);
    if (!status) {
        status = check_header(log, segment, *ret, ret_bytes_before, reterr);
        if (status)
            th_file_close(*ret);
    }
    th_free(path);
    return status;
}

theater_status th_segment_acquire(th_journal_file *log, uint64_t ordinal, th_segment **ret,
                                  theater_error *reterr)
{
    *ret = NULL;
    th_mutex_lock(&log->head.lock);
    th_segment *segment = ordinal < log->count ? log->segments[ordinal] : NULL;
    if (segment) {
        segment->users++; /* also while it is being opened, so that nobody closes it */
        segment->used = ++log->tick;
    }
    bool closed = segment && !segment->file;
    th_mutex_unlock(&log->head.lock);
    if (!segment)
        return th_fail(reterr, THEATER_CORRUPT, "the log has no segment %llu", (unsigned long long)ordinal);
    th_file *file = NULL, *spare = NULL;
    uint64_t bytes_before = 0;
    theater_status status = closed ? open_file(log, segment, &file, &bytes_before, reterr) : THEATER_OK;
    th_mutex_lock(&log->head.lock);
    if (status) {
        segment->users--;
    } else if (closed && segment->file) {
        spare = file; /* another thread was faster */
    } else if (closed) {
        segment->file = file;
        segment->bytes_before = bytes_before;
        log->open++;
        spare = evict(log);
    }
    th_mutex_unlock(&log->head.lock);
    th_file_close(spare);
    if (!status)
        *ret = segment;
    return status;
}

void th_segment_release(th_journal_file *log, th_segment *segment)
{
    if (!segment)
        return;
    th_mutex_lock(&log->head.lock);
    segment->users--;
    th_mutex_unlock(&log->head.lock);
}

theater_status th_segment_torn(th_journal_file *log, uint64_t ordinal, bool *ret, theater_error *reterr)
{
    char *path = th_segment_path(log, log->segments[ordinal]->first_number);
    if (!path)
        return th_fail_memory(reterr, "a path");
    th_file *file;
    theater_status status = th_file_open(log->head.port, path, TH_FILE_READ, &file, reterr);
    th_free(path);
    if (status)
        return status;
    uint8_t header[TH_SEGMENT_HEADER];
    size_t size = 0;
    status = th_file_read(file, 0, header, sizeof header, &size, reterr);
    *ret = size < sizeof header || memcmp(header, magic, 8) != 0 ||
           th_get_u64le(header + 56) != th_checksum(th_slice_of(header, 56), 0);
    bool found = false;
    if (!status && *ret)
        status = th_tail_search(log, ordinal, file, TH_SEGMENT_HEADER, 0, &found, NULL, reterr);
    *ret = *ret && !found;
    th_file_close(file);
    return status;
}
