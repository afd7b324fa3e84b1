#include "cli/commands.h"

#define PROOF_MAX ((size_t)1 << 20)

static theater_status check(cli_run *cli, th_slice proof, theater_error *reterr)
{
    theater_bytes text;
    theater_status status = theater_verify_proof(proof, cli_value(cli, "--key"), &text, reterr);
    if (status)
        return status;
    cli_output *out = &cli->out;
    th_slice words = th_slice_of(text.data, text.size);
    if (cli->json) {
        cli_json_object(out);
        cli_json_key(out, "verdict");
        cli_json_string(out, "ok");
        cli_json_key(out, "message");
        cli_json_text(out, words);
        cli_json_end(out, '}');
        cli_json_line(out);
    } else {
        cli_colour(out, "32");
        cli_puts(out, "ok");
        cli_colour(out, "0");
        cli_puts(out, "  ");
        cli_put(out, words);
        cli_puts(out, "\n");
    }
    theater_bytes_free(&text);
    return THEATER_OK;
}

static theater_status run(cli_run *cli, theater_error *reterr)
{
    if (!cli_flag(cli, "--key"))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "--key VKEY is missing: a proof shows nothing without a key that one trusts "
                       "(\"theater keys NAME\" prints it)");
    th_buf buf;
    th_buf_init(&buf, PROOF_MAX);
    theater_status status = cli_read_file(cli->operands[0], PROOF_MAX, &buf, reterr);
    if (!status)
        status = check(cli, th_buf_slice(&buf), reterr);
    th_buf_done(&buf);
    return status;
}

static const cli_option options[] = {
    {"--key", "VKEY", "The verifier key of the chain, from somebody one trusts"},
    {NULL, NULL, NULL},
};

static const cli_example examples[] = {
    {"verify-proof 41.tlog-proof --key \"$(cat counter.vkey)\"",
     "says what was proved, or fails with exit code 21"},
    {NULL, NULL},
};

const cli_command cli_cmd_verify_proof = {
    .name = "verify-proof",
    .operands = "FILE",
    .summary = "Checks a proof offline",
    .description = "Checks a proof that \"theater prove\" has made, of either kind, with the verifier key of "
                   "the chain. It needs no data folder and no network. "
                   "FILE may be - for standard input.",
    .options = options,
    .examples = examples,
    .operands_min = 1,
    .operands_max = 1,
    .no_data = true,
    .no_server = true,
    .run = run,
};
