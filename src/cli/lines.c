/* What the two ways of `send --lines` share: printing answers, and judging the whole. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/send.h"

/* Keeps the answer to one line: a line break inside it would look like another answer. */
static void put_one_line(cli_output *out, th_slice bytes)
{
    while (bytes.size > 0) {
        const uint8_t *line_end = memchr(bytes.data, '\n', bytes.size);
        const uint8_t *cr = memchr(bytes.data, '\r', line_end ? (size_t)(line_end - bytes.data) : bytes.size);
        const uint8_t *end = cr ? cr : line_end;
        size_t size = end ? (size_t)(end - bytes.data) : bytes.size;
        cli_put(out, th_slice_of(bytes.data, size));
        if (!end)
            return;
        cli_puts(out, *end == '\n' ? "\\n" : "\\r");
        bytes = th_slice_of(end + 1, bytes.size - size - 1);
    }
}

static void note_failure(cli_tally *self, uint64_t number, const theater_answer *answer)
{
    if (answer->status == THEATER_REJECTED)
        self->rejected++;
    else
        self->refused++;
    if (self->first_line == 0) {
        self->first_line = number + 1;
        self->first = answer->error;
        if (answer->status == THEATER_REJECTED)
            cli_reason(answer, self->first.message, sizeof self->first.message);
    }
    if (answer->status != THEATER_REJECTED && answer->status != THEATER_TOO_LARGE && !self->fatal.status) {
        self->fatal = answer->error;
        self->fatal.status = answer->status;
    }
}

bool cli_line_answer(cli_run *cli, cli_tally *tally, uint64_t number, const theater_answer *answer)
{
    cli_output *out = &cli->out;
    if (answer->status != THEATER_OK)
        note_failure(tally, number, answer);
    if (cli->json) {
        cli_json_answer(out, answer);
        cli_json_line(out);
    } else {
        if (answer->status == THEATER_OK)
            put_one_line(out, th_slice_of(answer->output.data, answer->output.size));
        cli_put(out, th_slice_of("\n", 1));
    }
    return tally->fatal.status == THEATER_OK;
}

theater_status cli_line_judge(const cli_tally *self, uint64_t sent, theater_error *reterr)
{
    unsigned long long failed = self->rejected + self->refused, all = sent, line = self->first_line;
    if (self->fatal.status)
        return th_fail(reterr, self->fatal.status, "%s (%llu of %llu lines sent were answered)",
                       self->fatal.message, all - (unsigned long long)self->refused, all);
    if (cli_interrupted())
        return th_fail(reterr, THEATER_INTERRUPTED, "interrupted after %llu lines, which were all answered",
                       all);
    if (failed == 0)
        return THEATER_OK;
    return th_fail(reterr, self->refused ? THEATER_TOO_LARGE : THEATER_REJECTED,
                   "%llu of %llu inputs were rejected; the first is line %llu: %s", failed, all, line,
                   self->first.message);
}

theater_status cli_lines_open(const char *path, int *ret_fd, uint64_t *ret_size, theater_error *reterr)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return cli_fail_errno(path, reterr);
    struct stat info;
    *ret_fd = fd;
    *ret_size = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) ? (uint64_t)info.st_size : 0;
    return THEATER_OK;
}
