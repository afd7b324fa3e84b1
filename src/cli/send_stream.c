/* send --lines over a server: one request whose body is the lines and whose answer the answers, both while they
 * come. It runs on one thread: the client reads a piece of the file when it has room, and gives each answer
 * back as it arrives, in the order of the lines. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/send.h"

#define READ_BYTES ((size_t)64 << 10)

typedef struct stream {
    cli_run *cli;
    const char *name; /* of the file, for people */
    th_buf rest; /* the line that is not whole yet */
    uint64_t sent, answered, read_bytes, all_bytes;
    cli_tally tally;
    cli_progress progress;
} stream;

static theater_status add_line(stream *self, th_slice line, th_buf *out, theater_error *reterr)
{
    self->sent++;
    return th_client_batch_add(out, line, reterr);
}

/* The whole lines of what was read; the rest is kept. */
static theater_status add_lines(stream *self, th_slice bytes, th_buf *out, theater_error *reterr)
{
    theater_status status = THEATER_OK;
    while (!status && bytes.size > 0) {
        const uint8_t *end = memchr(bytes.data, '\n', bytes.size);
        size_t size = end ? (size_t)(end - bytes.data) : bytes.size;
        th_slice part = th_slice_of(bytes.data, size);
        if (self->rest.size > 0 || !end) {
            status = th_buf_append(&self->rest, part, reterr);
            part = th_buf_slice(&self->rest);
        }
        if (status == THEATER_TOO_LARGE)
            return th_fail(reterr, status, "%s, line %llu is longer than %zu bytes", self->name,
                           (unsigned long long)self->sent + 1, CLI_LINE_MAX);
        if (status || !end)
            return status;
        status = add_line(self, part, out, reterr);
        th_buf_clear(&self->rest);
        bytes = th_slice_of(end + 1, bytes.size - size - 1);
    }
    return status;
}

static void show_progress(stream *self)
{
    if (self->answered % 1024 == 0)
        cli_progress_step(
            &self->progress, self->answered,
            self->all_bytes && self->read_bytes
                ? (uint64_t)((double)self->sent * (double)self->all_bytes / (double)self->read_bytes)
                : 0);
}

static theater_status fill(void *context, int fd, th_buf *out, bool *ret_end, theater_error *reterr)
{
    stream *self = context;
    uint8_t bytes[READ_BYTES];
    /* Answers that came must be seen before anyone waits for more lines. */
    cli_flush(&self->cli->out);
    ssize_t got = read(fd, bytes, sizeof bytes);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return THEATER_OK;
    if (got < 0)
        return th_fail(reterr, THEATER_IO, "%s: %s", self->name, strerror(errno));
    self->read_bytes += (uint64_t)got;
    *ret_end = got == 0;
    if (got > 0)
        return add_lines(self, th_slice_of(bytes, (size_t)got), out, reterr);
    /* What has no newline at the end is a line too. */
    return self->rest.size > 0 ? add_line(self, th_buf_slice(&self->rest), out, reterr) : THEATER_OK;
}

static bool take_answer(void *context, theater_answer *answer)
{
    stream *self = context;
    bool more = cli_line_answer(self->cli, &self->tally, self->answered++, answer);
    show_progress(self);
    return more && !cli_output_ended(&self->cli->out);
}

static void idle(void *context)
{
    stream *self = context;
    cli_flush(&self->cli->out);
}

/* What is lost when the way to the server breaks, or it reads no further: lines without an answer may have run
 * or not. */
static theater_status name_loss(const stream *self, theater_status status, theater_error *reterr)
{
    theater_error why = self->tally.first;
    if (self->sent == self->answered)
        return status;
    if (status && reterr)
        why = *reterr;
    else if (!status && self->tally.refused == 0)
        th_fail(&why, THEATER_IO, "the server ended its answers");
    status = status ? status : why.status;
    return th_fail(
        reterr, status,
        "%s; %llu of %llu lines sent were answered, the others may have run or not (with --id it is "
        "safe to send them again)",
        why.message, (unsigned long long)self->answered, (unsigned long long)self->sent);
}

theater_status cli_stream_lines(cli_run *cli, th_client *client, const char *actor, const char *path,
                                theater_error *reterr)
{
    stream self = {.cli = cli, .name = strcmp(path, "-") == 0 ? "standard input" : path};
    int fd;
    theater_status status = cli_lines_open(path, &fd, &self.all_bytes, reterr);
    if (status)
        return status;
    th_buf_init(&self.rest, CLI_LINE_MAX);
    th_client_batch batch = {.actor = actor,
                             .id = cli_value(cli, "--id"),
                             .principal = cli_value(cli, "--principal"),
                             .fd = fd,
                             .fill = fill,
                             .answer = take_answer,
                             .idle = idle,
                             .context = &self};
    cli_progress_begin(&self.progress, "sending");
    status = th_client_batch_run(client, &batch, reterr);
    cli_progress_end(&self.progress);
    if (fd != STDIN_FILENO)
        close(fd);
    th_buf_done(&self.rest);
    if (status || self.answered < self.sent)
        return name_loss(&self, status, reterr);
    return cli_line_judge(&self.tally, self.sent, reterr);
}
