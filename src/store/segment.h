/* store/segment.h: the files of a log and what their headers say.
 *
 * A segment is FOLDER/log/NNNNNNNNNNNNNNNNNNNN.log, named by the number of its first record in 20 digits,
 * so that names sort as the records do. Its header:
 *
 *   offset  size
 *        0     8  "THEATLOG"
 *        8     4  version of the format, 1
 *       12     4  zero
 *       16    16  identity of the store
 *       32     8  ordinal: how many segments come before it
 *       40     8  number of its first record
 *       48     8  bytes of frames in all segments before it
 *       56     8  checksum of the bytes above
 *       64        frames, each at a multiple of 8
 *
 * A position is the ordinal, shifted by 40 bits, and the offset in the segment. */
#ifndef TH_STORE_SEGMENT_H
#define TH_STORE_SEGMENT_H

#include "store/journal.h"

#define TH_SEGMENT_HEADER 64
#define TH_SEGMENT_VERSION 1
#define TH_SEGMENT_NAME_SIZE 25 /* 20 digits, ".log" and a zero */
/* Segments that are open at once: a long log must not use up the process's files. */
#define TH_SEGMENTS_OPEN 64
/* Segments of a log at the most: what a position has room for. */
#define TH_SEGMENTS_MAX ((size_t)1 << 24)

typedef struct th_segment {
    uint64_t ordinal;
    uint64_t first_number;
    uint64_t bytes_before; /* known once it was opened */
    th_file *file; /* NULL while closed */
    unsigned users; /* while not 0 the file stays open */
    uint64_t used; /* tick of the last use */
} th_segment;

/* A log in files. `segments` and their files, users and ticks are guarded by head.lock; the rest is the
 * appending thread's or does not change. */
typedef struct th_journal_file {
    th_journal head;
    char *folder;
    uint8_t identity[16];
    uint64_t key; /* for the checks of frames: a hash of the identity */
    bool read_only;
    uint64_t segment_bytes;
    th_segment **segments; /* ascending; addresses stay */
    size_t count;
    size_t capacity;
    size_t open;
    uint64_t tick;
    th_segment *last; /* held for appending; NULL in a reader */
    uint64_t reserved; /* bytes of the last segment's file */
    bool failed; /* a write or sync failed: nothing is appended any more */
    th_buf staging; /* headers and small payloads of one append */
    th_slice *parts; /* and the parts of its write */
    size_t parts_capacity;
} th_journal_file;

static inline uint64_t th_position(uint64_t ordinal, uint64_t offset)
{
    return ordinal << 40 | offset;
}
static inline uint64_t th_position_ordinal(uint64_t position)
{
    return position >> 40;
}
static inline uint64_t th_position_offset(uint64_t position)
{
    return position & (((uint64_t)1 << 40) - 1);
}

void th_segment_name(uint64_t first_number, char out[TH_SEGMENT_NAME_SIZE]);
/* Whether an entry of the folder is a segment's name, and whose. */
bool th_segment_name_read(const char *name, uint64_t *ret_first_number);

/* Adds a segment behind the last one to the list. NO_MEMORY, TOO_LARGE. */
THEATER_CHECKED theater_status th_segment_list(th_journal_file *log, uint64_t first_number,
                                               theater_error *reterr);
/* Takes the last one off the list and closes it. Nobody may use it. */
void th_segment_unlist(th_journal_file *log);
/* Makes the file of the next segment with its header, durably, and lists it; it is acquired. An error removes
 * what was made. */
THEATER_CHECKED theater_status th_segment_create(th_journal_file *log, uint64_t first_number,
                                                 uint64_t bytes_before, uint64_t reserve, th_segment **ret,
                                                 theater_error *reterr);

/* Opens segment `ordinal` if it is closed and checks its header; it stays open until the release. CORRUPT
 * when the header is not the one that must stand there, VERSION, the port's errors. Any thread. */
THEATER_CHECKED theater_status th_segment_acquire(th_journal_file *log, uint64_t ordinal, th_segment **ret,
                                                  theater_error *reterr);
/* Accepts NULL. */
void th_segment_release(th_journal_file *log, th_segment *segment);
/* The number of the first record of segment `ordinal`; false when there is none. Any thread. */
bool th_segment_first_number(th_journal_file *log, uint64_t ordinal, uint64_t *ret);

/* Whether segment `ordinal` was only being made when the machine stopped: its header never came to be, and
 * no frame stands in it. */
THEATER_CHECKED theater_status th_segment_torn(th_journal_file *log, uint64_t ordinal, bool *ret,
                                               theater_error *reterr);

/* "FOLDER/NAME" for the segment; the caller's (th_free). NULL without memory. */
char *th_segment_path(const th_journal_file *log, uint64_t first_number);

#endif
