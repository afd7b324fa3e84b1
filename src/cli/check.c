#include "cli/check.h"

#include <inttypes.h>
#include <sys/stat.h>

/* What the operand means. An actor of the data folder comes before a file of the same name; a path with a
 * slash is always a file. */
static theater_status find_source(cli_run *cli, theater_folder **ret_folder, theater_source *ret,
                                  theater_error *reterr)
{
    const char *operand = cli->operand_count ? cli->operands[0] : NULL;
    struct stat info;
    bool is_file = operand && stat(operand, &info) == 0 && !S_ISDIR(info.st_mode);
    *ret = (theater_source){0};
    if (is_file && (strchr(operand, '/') || !cli->data)) {
        ret->path = operand;
        return THEATER_OK;
    }
    theater_status status = cli_open_folder(cli, ret_folder, reterr);
    if (status == THEATER_NOT_FOUND && is_file) {
        ret->path = operand; /* THEATER_DATA may name a folder that is not made yet */
        return THEATER_OK;
    }
    if (status)
        return status;
    ret->folder = *ret_folder;
    if (!operand)
        return THEATER_OK;
    theater_actor_info actor;
    status = theater_folder_actor(*ret_folder, operand, &actor, reterr);
    if (!status) {
        ret->actor_id = actor.id;
    } else if (is_file) {
        *ret = (theater_source){.path = operand};
        status = THEATER_OK;
    } else if (status == THEATER_NOT_FOUND) {
        status =
            th_fail(reterr, status, "%s is neither an actor of %s nor a bundle file", operand, cli->data);
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

theater_status cli_check(cli_run *cli, cli_checker checker, const char *what, theater_check_options *options,
                         theater_error *reterr)
{
    theater_folder *folder = NULL;
    theater_source source;
    theater_report report;
    cli_progress progress;
    theater_status status = find_source(cli, &folder, &source, reterr);
    if (!status) {
        cli_progress_begin(&progress, what);
        options->progress = progress.shown ? cli_progress_step : NULL;
        options->context = &progress;
        status = checker(&source, options, &report, reterr);
        cli_progress_end(&progress);
    }
    theater_folder_close(folder);
    if (status)
        return status;
    if (cli->json)
        print_json(&cli->out, &report);
    else if (report.status != THEATER_VERIFY_FAILED)
        print_text(&cli->out, &report);
    return report.status ? th_fail(reterr, report.status, "%s", report.message) : THEATER_OK;
}
