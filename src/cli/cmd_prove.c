#include "chain/checkpoint.h"
#include "cli/commands.h"
#include "cli/place.h"

static theater_status read_note(const cli_run *cli, const char *option, th_buf *buf, theater_error *reterr)
{
    const char *path = cli_value(cli, option);
    return path ? cli_read_file(path, TH_NOTE_MAX, buf, reterr) : THEATER_OK;
}

static theater_status prove(cli_run *cli, cli_place *place, theater_bytes *ret, theater_error *reterr)
{
    const char *actor = cli->operands[0];
    th_buf older, note;
    th_buf_init(&older, TH_NOTE_MAX);
    th_buf_init(&note, TH_NOTE_MAX);
    uint64_t sequence = 0;
    theater_status status = cli_number(cli, "--element", &sequence, reterr);
    if (!status)
        status = read_note(cli, "--checkpoint", &note, reterr);
    if (!status)
        status = read_note(cli, "--consistency", &older, reterr);
    if (!status && cli_flag(cli, "--element"))
        status = cli_place_inclusion(place, actor, sequence, th_buf_slice(&note), ret, reterr);
    else if (!status && older.size == 0)
        status = th_fail(reterr, THEATER_INVALID_ARGUMENT, "--consistency: the file is empty");
    else if (!status)
        status = cli_place_consistency(place, actor, th_buf_slice(&older), th_buf_slice(&note), ret, reterr);
    th_buf_done(&older);
    th_buf_done(&note);
    return status;
}

static theater_status run(cli_run *cli, theater_error *reterr)
{
    if (cli_flag(cli, "--element") == cli_flag(cli, "--consistency"))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "give --element SEQ, or --consistency with the file of an older checkpoint");
    cli_place place;
    theater_actor_info info;
    theater_bytes proof = {0};
    theater_status status = cli_place_open(cli, CLI_READ, NULL, &place, reterr);
    if (status)
        return status;
    status = cli_place_actor(&place, cli->operands[0], &info, reterr);
    if (!status)
        status = prove(cli, &place, &proof, reterr);
    cli_place_close(&place);
    if (status)
        return status;
    cli_output *out = &cli->out;
    th_slice text = th_slice_of(proof.data, proof.size);
    if (cli->json) {
        cli_json_object(out);
        cli_json_key(out, "actor");
        cli_json_string(out, info.name);
        cli_json_key(out, "proof");
        cli_json_text(out, text);
        cli_json_end(out, '}');
        cli_json_line(out);
    } else {
        cli_put(out, text);
    }
    theater_bytes_free(&proof);
    return THEATER_OK;
}

static const cli_option options[] = {
    {"--element", "SEQ", "Proves that this element is in the chain that a checkpoint signed"},
    {"--consistency", "FILE", "Proves that the chain goes on from the older checkpoint in FILE"},
    {"--checkpoint", "FILE", "The checkpoint to prove against; the newest of the data folder when not given"},
    {NULL, NULL, NULL},
};

static const cli_example examples[] = {
    {"--data data prove counter --element 41 > 41.tlog-proof",
     "a proof that needs nothing else to be checked"},
    {"--data data prove counter --consistency old.checkpoint",
     "that what was signed in old.checkpoint was not changed since"},
    {NULL, NULL},
};

const cli_command cli_cmd_prove = {
    .name = "prove",
    .operands = "NAME",
    .summary = "Makes a proof that anyone can check offline",
    .description = "Prints a proof as text (docs/proofs.md): that an element is one of those that a "
                   "checkpoint signed (C2SP tlog-proof, with the element "
                   "as extra data), or that the chain of a newer checkpoint begins with that of an older "
                   "one. Its size grows with the logarithm of the chain's.",
    .options = options,
    .examples = examples,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
