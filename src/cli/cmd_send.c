#include "chain/rejection.h"
#include "cli/commands.h"
#include "cli/place.h"
#include "cli/send.h"

void cli_json_answer(cli_output *out, const theater_answer *answer)
{
    cli_json_object(out);
    cli_json_key(out, "status");
    cli_json_string(out, theater_status_name(answer->status));
    cli_json_key(out, "output");
    if (answer->status == THEATER_OK)
        cli_json_bytes(out, th_slice_of(answer->output.data, answer->output.size));
    else
        cli_json_null(out);
    if (answer->status != THEATER_OK) {
        cli_json_key(out, "code");
        cli_json_uint(out, answer->reject_code);
        cli_json_key(out, "message");
        if (answer->status == THEATER_REJECTED)
            cli_json_text(out, th_slice_of(answer->output.data, answer->output.size));
        else
            cli_json_string(out, answer->error.message);
    }
    if (answer->status == THEATER_OK || answer->status == THEATER_REJECTED) {
        cli_json_key(out, "sequence");
        cli_json_uint(out, answer->sequence);
        cli_json_key(out, "element");
        cli_json_hash(out, &answer->element);
        cli_json_key(out, "state_root");
        cli_json_hash(out, &answer->state_root);
        cli_json_key(out, "fuel");
        cli_json_uint(out, answer->fuel);
        cli_json_key(out, "repeated");
        cli_json_bool(out, answer->repeated);
    }
    cli_json_end(out, '}');
}

static void print_answer(cli_run *cli, const theater_answer *answer)
{
    cli_output *out = &cli->out;
    if (cli->json) {
        cli_json_answer(out, answer);
        cli_json_line(out);
    } else if (answer->status == THEATER_OK) {
        cli_put(out, th_slice_of(answer->output.data, answer->output.size));
        bool ends = answer->output.size > 0 && answer->output.data[answer->output.size - 1] == '\n';
        if (out->terminal && !ends)
            cli_puts(out, "\n");
    }
    cli_flush(out); /* the answer counts from now on: the waiting that follows must not hold it back */
}

/* An actor that says no has said why; one that failed at the input has left one word of the chain format. */
static theater_status name_rejection(const char *actor, const theater_answer *answer, theater_error *reterr)
{
    if (answer->status != THEATER_REJECTED)
        return answer->status;
    unsigned long long sequence = answer->sequence;
    char reason[1000];
    cli_reason(answer, reason, sizeof reason);
    if (answer->reject_code == TH_REJECTED_BY_ACTOR)
        return th_fail(reterr, THEATER_REJECTED, "%s rejected it (element %llu): %s", actor, sequence, reason);
    return th_fail(reterr, THEATER_REJECTED,
                   "%s failed at it (element %llu): %s; \"theater rerun %s %llu\" shows more", actor, sequence,
                   reason, actor, sequence);
}

static theater_status send_one(cli_run *cli, cli_place *place, th_slice input, theater_error *reterr)
{
    const char *id = cli_value(cli, "--id");
    theater_message message = {
        .actor = cli->operands[0],
        .input = input,
        .id = id ? th_slice_text(id) : (th_slice){0},
        .principal = cli_value(cli, "--principal"),
    };
    theater_answer answer = {.status = THEATER_OK};
    theater_status status = cli_place_send(place, &message, &answer, reterr);
    if (status == THEATER_OK || status == THEATER_REJECTED || cli->json)
        print_answer(cli, &answer);
    status = name_rejection(message.actor, &answer, reterr);
    theater_answer_done(&answer);
    return status;
}

/* What to send when it is one input: the operand, a file, or nothing. */
static theater_status read_input(cli_run *cli, th_buf *buf, th_slice *ret, theater_error *reterr)
{
    const char *file = cli_value(cli, "--file");
    *ret = (th_slice){0};
    if (file && cli->operand_count > 1)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "INPUT and --file exclude each other");
    if (cli->operand_count > 1)
        *ret = th_slice_text(cli->operands[1]);
    if (!file)
        return THEATER_OK;
    theater_status status = cli_read_file(file, CLI_FILE_MAX, buf, reterr);
    *ret = th_buf_slice(buf);
    return status;
}

static theater_status run(cli_run *cli, theater_error *reterr)
{
    bool lines = cli_flag(cli, "--lines");
    if (lines && cli->operand_count > 1)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "INPUT and --lines exclude each other; lines come from --file "
                       "or standard input");
    th_buf buf;
    th_buf_init(&buf, CLI_FILE_MAX);
    th_slice input = {0};
    uint64_t drain_ms = 0;
    theater_status status = cli_duration(cli, "--drain", &drain_ms, reterr); /* before anything is done */
    if (!status && !lines)
        status = read_input(cli, &buf, &input, reterr);
    theater_runtime_options options = {
        .durability = cli_flag(cli, "--async") ? THEATER_ASYNC : THEATER_SYNC,
        .mailbox_messages = lines ? 16384 : 0,
    };
    cli_place place;
    if (!status)
        status = cli_place_open(cli, CLI_WRITE, &options, &place, reterr);
    if (!status) {
        const char *file = cli_value(cli, "--file");
        if (!lines)
            status = send_one(cli, &place, input, reterr);
        else if (place.client)
            status = cli_stream_lines(cli, place.client, cli->operands[0], file ? file : "-", reterr);
        else
            status = cli_send_lines(cli, place.runtime, cli->operands[0], file ? file : "-", reterr);
        theater_error drain_error = {.status = THEATER_OK};
        theater_status drained = cli_place_drain(&place, &drain_error);
        if (drained && (status == THEATER_OK || status == THEATER_REJECTED)) {
            status = drained;
            if (reterr)
                *reterr = drain_error;
        }
        cli_place_close(&place);
    }
    th_buf_done(&buf);
    return status;
}

static const cli_option options[] = {
    {"--file", "FILE", "Takes the input, or the lines, from a file; - is standard input"},
    {"--lines", NULL,
     "Sends each line as one input, many at once, and prints each answer as one line in order"},
    {"--id", "KEY",
     "Idempotency key: the same key runs once and gives the first answer again; with --lines KEY-1, KEY-2, "
     "..."},
    {"--principal", "NAME", "Who the client is, as it goes on the chain for good"},
    {"--drain", "TIME",
     "How long to wait for the messages that it caused to be handled; when not given 10s, and over a server "
     "not at all"},
    {"--async", NULL, "Answers may come before they are on disk"},
    {NULL, NULL, NULL},
};

static const cli_example examples[] = {
    {"--data data send counter \"add 5\"",
     "prints the answer; a rejection goes to standard error, with exit code 3"},
    {"--data data send ledger --lines --file transfers.txt",
     "one input a line; an empty line is the answer to one that was rejected"},
    {"--data data send counter \"add 5\" --id order-17", "may be repeated: it counts once"},
    {NULL, NULL},
};

const cli_command cli_cmd_send = {
    .name = "send",
    .operands = "NAME [INPUT]",
    .summary = "Sends a message to an actor and prints its answer",
    .description =
        "Runs one turn of the actor with INPUT (nothing when neither INPUT nor --file is given) and prints "
        "the output's bytes when it is on "
        "disk. A rejection is printed to standard error and has exit code 3. Afterwards it waits until the "
        "messages to other actors "
        "that it caused have been handled; what is left goes on with the next command that writes. A server "
        "goes on "
        "with them by itself: there only --drain waits.\n\n"
        "With --lines every line of the file or of standard input is one input, an empty line an empty one. "
        "Answers come in the order of "
        "the lines, each as one line: a line break in an output is written as \\n or \\r. A rejection is an "
        "empty line; the exit code at the "
        "end tells of rejections, and standard error how many there were. With --json each answer is one "
        "object a line.",
    .options = options,
    .examples = examples,
    .operands_min = 1,
    .operands_max = 2,
    .run = run,
};
