#include <stdio.h>

#include "cli/commands.h"
#include "server/server.h"

static void on_ready(void *context, const char *address)
{
    cli_run *cli = context;
    if (cli->json) {
        cli_json_object(&cli->out);
        cli_json_key(&cli->out, "address");
        cli_json_string(&cli->out, address);
        cli_json_end(&cli->out, '}');
        cli_json_line(&cli->out);
    } else {
        cli_printf(&cli->out, "serving %s at %s\n", cli->data, address);
    }
    cli_flush(&cli->out);
}

static theater_status read_options(cli_run *cli, th_server_options *options, theater_error *reterr)
{
    const char *log = cli_value(cli, "--log");
    uint64_t mailbox = 0;
    options->listen = cli_flag(cli, "--no-tcp") ? "" : cli_value(cli, "--listen");
    options->no_socket = cli_flag(cli, "--no-socket");
    options->tls_certificate = cli_value(cli, "--tls-certificate");
    options->tls_key = cli_value(cli, "--tls-key");
    options->insecure = cli_flag(cli, "--insecure");
    options->require_token = cli_flag(cli, "--require-token");
    options->allow_origin = cli_value(cli, "--allow-origin");
    options->log_requests = cli_flag(cli, "--log-requests");
    options->log_json = log && strcmp(log, "json") == 0;
    options->runtime.durability = cli_flag(cli, "--async") ? THEATER_ASYNC : THEATER_SYNC;
    if (log && strcmp(log, "json") != 0 && strcmp(log, "text") != 0)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "--log is text or json");
    theater_status status = cli_size(cli, "--max-body", &options->max_body_bytes, reterr);
    if (!status)
        status = cli_size(cli, "--body-memory", &options->body_memory_bytes, reterr);
    if (!status)
        status = cli_duration(cli, "--timeout", &options->request_timeout_ms, reterr);
    if (!status)
        status = cli_number(cli, "--mailbox", &mailbox, reterr);
    if (!status && mailbox > 1000000)
        status = th_fail(reterr, THEATER_INVALID_ARGUMENT, "--mailbox is at most 1000000");
    options->runtime.mailbox_messages = (uint32_t)mailbox;
    if (!status)
        status = cli_number(cli, "--max-connections", &options->max_connections, reterr);
    if (!status && options->max_connections > 1000000)
        status = th_fail(reterr, THEATER_INVALID_ARGUMENT, "--max-connections is at most 1000000");
    return status;
}

static theater_status run(cli_run *cli, theater_error *reterr)
{
    th_server_options options = {.ready = on_ready, .ready_context = cli};
    theater_status status = cli_data(cli, false, &options.runtime.folder, reterr);
    if (!status)
        status = read_options(cli, &options, reterr);
    return status ? status : th_server_run(&options, reterr);
}

static const cli_option options_table[] = {
    {"--listen", "HOST:PORT", "The TCP address; 127.0.0.1:8080 when not given; port 0 takes any free one"},
    {"--no-tcp", NULL, "Only the Unix socket server.sock in the data folder"},
    {"--no-socket", NULL, "No Unix socket"},
    {"--tls-certificate", "FILE", "Certificate chain (PEM) for TLS"},
    {"--tls-key", "FILE", "Its key (PEM)"},
    {"--insecure", NULL, "Listens beyond loopback without TLS"},
    {"--require-token", NULL, "Wants a token on loopback too"},
    {"--allow-origin", "ORIGIN", "Lets pages of one more origin use the server"},
    {"--mailbox", "N", "Client messages that may wait for one actor; 1024 when not given"},
    {"--max-connections", "N", "Connections at a time; one more is answered 503; 12000 when not given"},
    {"--max-body", "SIZE", "Bytes of one request's body; 64MiB when not given"},
    {"--body-memory", "SIZE",
     "Bytes of all bodies, batches and WebSocket messages that are not done; 512MiB when not given"},
    {"--timeout", "TIME", "For a request to come, and for progress on either side; 30s when not given"},
    {"--log", "FORM", "Log lines as text or json"},
    {"--log-requests", NULL, "A log line for each request"},
    {"--async", NULL, "Answers may come before they are on disk"},
    {NULL, NULL, NULL},
};

static const cli_example examples[] = {
    {"--data data serve", "HTTP on 127.0.0.1:8080 and on the Unix socket data/server.sock"},
    {"--data data serve --listen 0.0.0.0:8443 --tls-certificate c.pem --tls-key k.pem",
     "for others, who need a token"},
    {NULL, NULL},
};

const cli_command cli_cmd_serve = {
    .name = "serve",
    .operands = "",
    .summary = "Makes the data folder a service over HTTP and WebSocket",
    .description = "Opens the data folder for writing (it is made when missing) and answers until it is "
                   "interrupted. Then it takes no more connections, finishes "
                   "what it has accepted, and closes the folder; a second interrupt ends it at once, which "
                   "loses nothing that was answered.\n\n"
                   "On a loopback address no token is needed, unless --require-token says so. Any other "
                   "address needs a token for every request (theater token) and TLS, or "
                   "--insecure. The Unix socket is guarded by its file mode. docs/http-api.md has the "
                   "interface; the server describes it at /v1/openapi.json.",
    .options = options_table,
    .examples = examples,
    .operands_max = 0,
    .no_server = true,
    .run = run,
};
