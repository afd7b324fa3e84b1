/* send --lines: a reader that submits, the runtime that answers, and a printer that keeps the order.
 *
 * Answers wait in a ring of slots, one for each line in flight. The reader (the main thread) fills the slot
 * `head` and submits; a completion (a thread of the runtime) fills the answer in; the printer (a task) writes
 * the answers from `tail` on, as far as they are there.
 *
 * Invariants
 *   1. A slot belongs to the reader while EMPTY, to the runtime while SENT, to the printer while ANSWERED;
 *      the word `stage` is written last by who gives it away.
 *   2. tail <= head <= tail + RING. Only the reader moves `head`, only the printer `tail`.
 *   3. Nobody sleeps through a change: a completion stores `stage` and then looks at `tail`; the printer
 *      stores `tail` and then looks at `stage`, both sequentially consistent, so one of them sees the other.
 *      The reader's event works the same way.
 *   4. The printer ends, and the pump with it, only after every completion has: the last one may still be
 *      about to wake it.
 *   5. Bytes of inputs in flight are bounded by BYTES_MAX, so a file of long lines needs no more memory than
 *      one of short ones. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/send.h"
#include "port/system.h"

#define RING 4096u
#define BYTES_MAX ((uint64_t)64 << 20)
#define READ_BYTES ((size_t)1 << 20)
#define PRINT_BURST 256
#define WAIT_NS UINT64_C(5000000)

enum { EMPTY, SENT, ANSWERED };

typedef struct pump pump;

typedef struct slot {
    pump *owner;
    uint64_t number; /* of the line, from 0 */
    uint64_t bytes; /* of its input */
    theater_answer answer;
    int stage;
} slot;

struct pump {
    cli_run *cli;
    theater_runtime *runtime;
    const char *actor;
    const char *id;
    slot *slots;
    uint64_t head, tail;
    uint64_t completed; /* completions that have come to their end */
    uint64_t bytes; /* of inputs in flight */
    bool no_more; /* the reader has ended */
    bool reader_waits;
    th_event *room;
    th_task *printer;
    /* The printer's until it has ended. */
    cli_tally tally;
    int stop; /* the reader is to end: an answer said so, or nobody reads the answers */
    cli_progress progress;
    uint64_t all_bytes, read_bytes; /* of the file, when it has a size */
};

/* ---- answers ------------------------------------------------------------------------------------------- */

static void complete(void *context, theater_answer *answer)
{
    slot *self = context;
    pump *owner = self->owner;
    uint64_t number = self->number; /* from the next store on, the slot may be another line's */
    self->answer = *answer;
    answer->output = (theater_bytes){0}; /* taken */
    __atomic_store_n(&self->stage, ANSWERED, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&owner->tail, __ATOMIC_SEQ_CST) == number)
        th_task_wake(owner->printer);
    __atomic_add_fetch(&owner->completed, 1, __ATOMIC_SEQ_CST); /* last: the owner may go away now */
}

static void print_slot(pump *self, slot *at)
{
    if (!cli_line_answer(self->cli, &self->tally, at->number, &at->answer))
        __atomic_store_n(&self->stop, 1, __ATOMIC_SEQ_CST);
    theater_answer_done(&at->answer);
    __atomic_sub_fetch(&self->bytes, at->bytes, __ATOMIC_RELAXED);
    __atomic_store_n(&at->stage, EMPTY, __ATOMIC_SEQ_CST);
    __atomic_store_n(&self->tail, self->tail + 1, __ATOMIC_SEQ_CST);
}

static th_step print_step(void *context, uint64_t *ret_deadline_ns)
{
    (void)ret_deadline_ns;
    pump *self = context;
    bool more = true;
    for (int i = 0; more && i < PRINT_BURST; i++) {
        slot *at = &self->slots[self->tail % RING];
        more = __atomic_load_n(&at->stage, __ATOMIC_SEQ_CST) == ANSWERED && at->number == self->tail;
        if (more)
            print_slot(self, at);
    }
    if (__atomic_load_n(&self->reader_waits, __ATOMIC_SEQ_CST))
        th_event_set(self->room);
    if (more)
        return TH_STEP_AGAIN;
    cli_flush(&self->cli->out);
    if (cli_output_ended(&self->cli->out))
        __atomic_store_n(&self->stop, 1, __ATOMIC_SEQ_CST);
    bool ended = __atomic_load_n(&self->no_more, __ATOMIC_SEQ_CST) &&
                 __atomic_load_n(&self->head, __ATOMIC_SEQ_CST) == self->tail;
    return ended ? TH_STEP_DONE : TH_STEP_IDLE;
}

/* ---- sending ------------------------------------------------------------------------------------------- */

static bool must_stop(const pump *self)
{
    return cli_interrupted() || __atomic_load_n(&self->stop, __ATOMIC_SEQ_CST);
}

static bool has_room(const pump *self, uint64_t size)
{
    uint64_t in_flight = self->head - __atomic_load_n(&self->tail, __ATOMIC_SEQ_CST);
    uint64_t bytes = __atomic_load_n(&self->bytes, __ATOMIC_RELAXED);
    return in_flight == 0 || (in_flight < RING && bytes + size <= BYTES_MAX);
}

/* Sleeps until the printer has moved on, or a short time. */
static void wait_for_printer(pump *self, uint64_t size, bool even_with_room)
{
    th_event_reset(self->room);
    __atomic_store_n(&self->reader_waits, true, __ATOMIC_SEQ_CST);
    if (even_with_room || !has_room(self, size))
        th_event_wait(self->room, WAIT_NS);
    __atomic_store_n(&self->reader_waits, false, __ATOMIC_SEQ_CST);
}

static void submit_line(pump *self, th_slice line)
{
    while (!has_room(self, line.size) && !must_stop(self))
        wait_for_printer(self, line.size, false);
    if (must_stop(self))
        return;
    slot *at = &self->slots[self->head % RING];
    at->number = self->head;
    at->bytes = line.size;
    char id[128];
    theater_message message = {
        .actor = self->actor,
        .input = line,
        .principal = cli_value(self->cli, "--principal"),
    };
    if (self->id) {
        int size = snprintf(id, sizeof id, "%.100s-%llu", self->id, (unsigned long long)self->head + 1);
        message.id = th_slice_of(id, (size_t)size);
    }
    __atomic_add_fetch(&self->bytes, line.size, __ATOMIC_RELAXED);
    __atomic_store_n(&at->stage, SENT, __ATOMIC_SEQ_CST);
    __atomic_store_n(&self->head, self->head + 1, __ATOMIC_SEQ_CST);
    theater_error error = {.status = THEATER_OK};
    theater_status status;
    while ((status = theater_submit(self->runtime, &message, complete, at, &error)) == THEATER_MAILBOX_FULL &&
           !must_stop(self))
        wait_for_printer(self, 0, true);
    if (status) {
        error.status = status;
        theater_answer refused = {.status = status, .error = error};
        complete(at, &refused);
    }
}

/* ---- reading ------------------------------------------------------------------------------------------- */

/* Submits the whole lines in `buf` and moves what is left to its front. `last`: what has no newline is a line
 * too. */
static void submit_buffer(pump *self, th_buf *buf, bool last)
{
    size_t begin = 0;
    while (begin < buf->size && !must_stop(self)) {
        const uint8_t *end = memchr(buf->data + begin, '\n', buf->size - begin);
        if (!end && !last)
            break;
        size_t size = end ? (size_t)(end - (buf->data + begin)) : buf->size - begin;
        submit_line(self, th_slice_of(buf->data + begin, size));
        begin += size + (end != NULL);
        if (self->head % 1024 == 0)
            cli_progress_step(
                &self->progress, self->head,
                self->all_bytes && self->read_bytes
                    ? (uint64_t)((double)self->head * (double)self->all_bytes / (double)self->read_bytes)
                    : 0);
    }
    memmove(buf->data, buf->data + begin, buf->size - begin);
    buf->size -= begin;
}

static theater_status read_lines(pump *self, int fd, const char *name, theater_error *reterr)
{
    th_buf buf;
    th_buf_init(&buf, CLI_LINE_MAX);
    theater_status status = THEATER_OK;
    bool last = false;
    while (!status && !last && !must_stop(self)) {
        size_t more = buf.size < READ_BYTES ? READ_BYTES : buf.size;
        more = more < CLI_LINE_MAX - buf.size ? more : CLI_LINE_MAX - buf.size;
        if (more == 0)
            status = th_fail(reterr, THEATER_TOO_LARGE, "%s, line %llu is longer than %zu bytes", name,
                             (unsigned long long)self->head + 1, CLI_LINE_MAX);
        else
            status = th_buf_reserve(&buf, more, reterr);
        if (status)
            break;
        ssize_t got = read(fd, buf.data + buf.size, buf.capacity - buf.size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            status = th_fail(reterr, THEATER_IO, "%s: %s", name, strerror(errno));
            break;
        }
        last = got == 0;
        buf.size += (size_t)got;
        self->read_bytes += (uint64_t)got;
        submit_buffer(self, &buf, last);
    }
    th_buf_done(&buf);
    return status;
}

static theater_status read_from(pump *self, const char *path, theater_error *reterr)
{
    int fd;
    theater_status status = cli_lines_open(path, &fd, &self->all_bytes, reterr);
    if (status)
        return status;
    cli_progress_begin(&self->progress, "sending");
    status = read_lines(self, fd, strcmp(path, "-") == 0 ? "standard input" : path, reterr);
    if (fd != STDIN_FILENO)
        close(fd);
    return status;
}

static theater_status pump_lines(pump *self, const char *path, theater_error *reterr)
{
    theater_status status =
        th_task_start(th_port_system(), "theater-print", 0, print_step, self, &self->printer, reterr);
    if (status)
        return status;
    status = read_from(self, path, reterr);
    while (__atomic_load_n(&self->completed, __ATOMIC_SEQ_CST) < self->head)
        wait_for_printer(self, 0, true);
    __atomic_store_n(&self->no_more, true, __ATOMIC_SEQ_CST);
    th_task_wake(self->printer);
    th_task_join(self->printer);
    cli_progress_end(&self->progress);
    return status ? status : cli_line_judge(&self->tally, self->head, reterr);
}

theater_status cli_send_lines(cli_run *cli, theater_runtime *runtime, const char *actor, const char *path,
                              theater_error *reterr)
{
    pump self = {.cli = cli, .runtime = runtime, .actor = actor, .id = cli_value(cli, "--id")};
    self.slots = th_alloc_zero(RING, sizeof *self.slots);
    if (!self.slots)
        return th_fail_memory(reterr, "the lines in flight");
    for (size_t i = 0; i < RING; i++)
        self.slots[i].owner = &self;
    theater_status status = th_event_new(th_port_system(), &self.room, reterr);
    if (!status)
        status = pump_lines(&self, path, reterr);
    if (self.room)
        th_event_free(self.room);
    th_free(self.slots);
    return status;
}
