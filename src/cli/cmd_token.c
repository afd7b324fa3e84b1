#include <sys/stat.h>

#include "cli/commands.h"
#include "server/server.h"

static void print_token(cli_run *cli, const th_token *token, const char *secret)
{
    cli_output *out = &cli->out;
    char time[CLI_TIME_SIZE];
    cli_format_time(token->created_ns, time);
    if (cli->json) {
        cli_json_object(out);
        cli_json_key(out, "id");
        cli_json_string(out, token->id);
        cli_json_key(out, "name");
        cli_json_string(out, token->name);
        cli_json_key(out, "scope");
        cli_json_string(out, token->write ? "write" : "read");
        cli_json_key(out, "created");
        cli_json_uint(out, token->created_ns);
        if (secret) {
            cli_json_key(out, "token");
            cli_json_string(out, secret);
        }
        cli_json_end(out, '}');
        cli_json_line(out);
    } else if (secret) {
        cli_printf(out, "%s\n", secret);
    } else {
        cli_printf(out, "%-20s  %-5s  %s  %s\n", token->id, token->write ? "write" : "read", time,
                   token->name);
    }
}

static theater_status make(cli_run *cli, theater_error *reterr)
{
    th_token token;
    char secret[TH_TOKEN_TEXT_SIZE];
    bool read_only = cli_flag(cli, "--read");
    if (cli->operand_count != 2)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "say: theater token new NAME");
    theater_status status = th_token_new(cli->data, cli->operands[1], !read_only, &token, secret, reterr);
    if (status)
        return status;
    print_token(cli, &token, secret);
    if (!cli->json)
        cli_note("this is the only time the token is shown; its id is %s, which stands on the chain as the "
                 "principal",
                 token.id);
    return THEATER_OK;
}

static theater_status list(cli_run *cli, theater_error *reterr)
{
    th_tokens tokens;
    theater_status status = th_tokens_read(cli->data, &tokens, reterr);
    if (status)
        return status;
    if (!cli->json)
        cli_printf(&cli->out, "%-20s  %-5s  %-24s  %s\n", "ID", "SCOPE", "CREATED", "NAME");
    for (size_t i = 0; i < tokens.count; i++)
        print_token(cli, &tokens.list[i], NULL);
    th_tokens_done(&tokens);
    return THEATER_OK;
}

static theater_status run(cli_run *cli, theater_error *reterr)
{
    const char *what = cli->operands[0], *data;
    /* Tokens may be made before the first start. */
    theater_status status = cli_data(cli, false, &data, reterr);
    if (status)
        return status;
    if (strcmp(what, "new") == 0) {
        mkdir(data, 0777);
        return make(cli, reterr);
    }
    if (strcmp(what, "list") == 0 && cli->operand_count == 1)
        return list(cli, reterr);
    if (strcmp(what, "revoke") == 0 && cli->operand_count == 2)
        return th_token_revoke(data, cli->operands[1], reterr);
    return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                   "say: theater token new NAME, token list, or token revoke ID");
}

static const cli_option options[] = {
    {"--read", NULL, "With new: the token may only read; otherwise it may read and write"},
    {NULL, NULL, NULL},
};

static const cli_example examples[] = {
    {"--data data token new alice", "prints a token that may read and write"},
    {"--data data token new dashboard --read", "one that may only read"},
    {"--data data token list", "ids, scopes and names; the tokens themselves are kept nowhere"},
    {"--data data token revoke tok-0123456789abcdef", "a running server refuses it within a second"},
    {NULL, NULL},
};

const cli_command cli_cmd_token = {
    .name = "token",
    .operands = "new NAME | list | revoke ID",
    .summary = "Makes, lists and revokes the tokens of a server's clients",
    .description = "A token lets a client in over TCP (Authorization: Bearer TOKEN). Only its SHA-256 is "
                   "kept, in FOLDER/tokens (mode 0600). Its id becomes the principal of "
                   "messages on the chain, for good; its name is shown by this command only.",
    .options = options,
    .examples = examples,
    .operands_min = 1,
    .operands_max = 2,
    .no_server = true,
    .run = run,
};
