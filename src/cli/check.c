#include "cli/check.h"

#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/place.h"

/* What is checked, and what must be closed or removed afterwards. */
typedef struct subject {
    cli_place place; /* opened unless the source is the user's file */
    theater_source source;
    const char *remote_actor; /* of --remote; NULL: every chain */
    char fetched[CLI_TEMPORARY_SIZE]; /* a bundle that came from the server; empty: none */
} subject;

static void subject_done(subject *self)
{
    if (self->fetched[0])
        unlink(self->fetched);
    cli_place_close(&self->place);
}

/* Of a server: its actor, or all it has; a file when there is no such actor but a file of that name. */
static theater_status find_remote(cli_run *cli, const char *operand, bool is_file, bool remote, subject *ret,
                                  theater_error *reterr)
{
    theater_actor_info actor;
    theater_status status = cli_place_open(cli, CLI_READ, NULL, &ret->place, reterr);
    if (!status && operand) {
        status = cli_place_actor(&ret->place, operand, &actor, reterr);
        if (is_file && (status == THEATER_NOT_FOUND || status == THEATER_INVALID_ARGUMENT)) {
            ret->source.path = operand;
            return THEATER_OK;
        }
        if (status == THEATER_NOT_FOUND || status == THEATER_INVALID_ARGUMENT)
            return th_fail(reterr, THEATER_NOT_FOUND, "%s is neither an actor of %s nor a bundle file",
                           operand, cli->server);
    }
    ret->remote_actor = operand;
    if (status || remote)
        return status;
    cli_catch_interrupt(); /* so that what was fetched is removed */
    status = cli_place_fetch(&ret->place, operand ? &operand : NULL, operand ? 1 : 0, ret->fetched, reterr);
    if (status)
        ret->fetched[0] = 0;
    ret->source.path = ret->fetched;
    return status;
}

/* What the operand means. An actor of the data folder comes before a file of the same name; a path with a
 * slash is always a file. */
static theater_status find_source(cli_run *cli, bool remote, subject *ret, theater_error *reterr)
{
    const char *operand = cli->operand_count ? cli->operands[0] : NULL;
    struct stat info;
    bool is_path = operand && strchr(operand, '/');
    bool is_there = operand && stat(operand, &info) == 0;
    bool is_file = is_there && !S_ISDIR(info.st_mode);
    *ret = (subject){.place = {.cli = cli}};
    if (is_file && (is_path || (!cli->data && !cli->server))) {
        ret->source.path = operand;
        return THEATER_OK;
    }
    if (is_path && is_there)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s is a folder, not a bundle file", operand);
    if (is_path)
        return cli_fail_errno(operand, reterr);
    if (operand && !cli->data && !cli->server)
        return th_fail(reterr, THEATER_NOT_FOUND,
                       "there is no file %s, and for an actor no data folder: give --data DIR, or set "
                       "THEATER_DATA",
                       operand);
    if (cli->server)
        return find_remote(cli, operand, is_file, remote, ret, reterr);
    theater_status status = cli_place_open(cli, CLI_READ, NULL, &ret->place, reterr);
    if (status == THEATER_NOT_FOUND && is_file) {
        ret->source.path = operand; /* THEATER_DATA may name a folder that is not made yet */
        return THEATER_OK;
    }
    if (status)
        return status;
    ret->source.folder = ret->place.folder;
    if (!operand)
        return THEATER_OK;
    theater_actor_info actor;
    status = theater_folder_actor(ret->place.folder, operand, &actor, reterr);
    if (!status) {
        ret->source.actor_id = actor.id;
    } else if (is_file) {
        ret->source = (theater_source){.path = operand};
        status = THEATER_OK;
    } else if (status == THEATER_NOT_FOUND || status == THEATER_INVALID_ARGUMENT) {
        status = th_fail(reterr, THEATER_NOT_FOUND, "%s is neither an actor of %s nor a bundle file", operand,
                         cli->data);
    }
    return status;
}

static void print_json(cli_output *out, const theater_report *report)
{
    cli_json_object(out);
    cli_json_key(out, "verdict");
    cli_json_string(out, theater_status_name(report->status));
    cli_json_key(out, "message");
    cli_json_string(out, report->message);
    cli_json_key(out, "what");
    if (report->what)
        cli_json_string(out, report->what);
    else
        cli_json_null(out);
    cli_json_key(out, "actor");
    cli_json_string(out, report->actor);
    cli_json_key(out, "sequence");
    if (report->status == THEATER_VERIFY_FAILED)
        cli_json_uint(out, report->sequence);
    else
        cli_json_null(out);
    const struct {
        const char *name;
        uint64_t value;
    } numbers[] = {{"chains", report->chains},
                   {"elements", report->elements},
                   {"payload_bytes", report->payload_bytes},
                   {"dropped_payloads", report->dropped_payloads},
                   {"checkpoints", report->checkpoints},
                   {"causes", report->causes},
                   {"missing_causes", report->missing_causes},
                   {"undecided", report->undecided},
                   {"skipped", report->skipped},
                   {"nanoseconds", report->nanoseconds}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        cli_json_key(out, numbers[i].name);
        cli_json_uint(out, numbers[i].value);
    }
    cli_json_key(out, "key");
    cli_json_string(out, report->key_from_user ? "given" : report->key_from_source ? "own" : "none");
    cli_json_key(out, "head");
    cli_json_hash(out, &report->head);
    cli_json_key(out, "tree_head");
    cli_json_hash(out, &report->tree_head);
    cli_json_key(out, "state_root");
    cli_json_hash(out, &report->state_root);
    cli_json_end(out, '}');
    cli_json_line(out);
}

static void print_text(cli_output *out, const theater_report *report)
{
    char head[2 * THEATER_HASH_SIZE + 1];
    double seconds = (double)report->nanoseconds / 1e9;
    cli_colour(out, report->status == THEATER_OK ? "32" : "33");
    cli_puts(out, report->status == THEATER_OK ? "ok" : "undecided");
    cli_colour(out, "0");
    cli_printf(out, "  %s\n", report->message);
    if (report->chains == 1) {
        th_hex_encode(th_slice_of(report->head.bytes, sizeof report->head.bytes), head);
        cli_printf(out, "    head %s\n", head);
    }
    cli_printf(out, "    %.2f s, %.0f elements a second\n", seconds,
               seconds > 0 ? (double)report->elements / seconds : 0);
}

static theater_status check(cli_run *cli, cli_checker checker, const char *what,
                            theater_check_options *options, theater_error *reterr)
{
    subject self;
    theater_report report;
    cli_progress progress;
    bool remote = cli_flag(cli, "--remote");
    if (remote && !cli->server)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "--remote is for a server: give --server too");
    if (remote && options->key_count)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "--remote and --key exclude each other: the server uses its own key");
    theater_status status = find_source(cli, remote, &self, reterr);
    if (!status) {
        cli_progress_begin(&progress, what);
        options->progress = progress.shown ? cli_progress_step : NULL;
        options->context = &progress;
        status = remote && !self.source.path
                     ? th_client_job(self.place.client, self.remote_actor, checker == theater_replay, options,
                                     &report, reterr)
                     : checker(&self.source, options, &report, reterr);
        cli_progress_end(&progress);
    }
    if (!status && cli->json)
        print_json(&cli->out, &report);
    else if (!status && report.status != THEATER_VERIFY_FAILED)
        print_text(&cli->out, &report);
    subject_done(&self);
    if (status)
        return status;
    return report.status ? th_fail(reterr, report.status, "%s", report.message) : THEATER_OK;
}

/* With the keys that were given. */
theater_status cli_check(cli_run *cli, cli_checker checker, const char *what, theater_check_options *options,
                         theater_error *reterr)
{
    const char **keys = th_alloc((cli->repeated_count + 1) * sizeof *keys);
    if (!keys)
        return th_fail_memory(reterr, "the keys");
    options->keys = keys;
    options->key_count = cli_values(cli, "--key", keys, cli->repeated_count);
    theater_status status = check(cli, checker, what, options, reterr);
    th_free(keys);
    return status;
}
