#include "cli/commands.h"

/* Reads the copy back: a backup that cannot be used should be known of now. */
static theater_status check_copy(const char *path, theater_error *reterr)
{
    theater_folder *copy;
    uint64_t records, bytes;
    theater_status status = theater_folder_open(path, &copy, reterr);
    if (!status) {
        status = theater_folder_check(copy, &records, &bytes, reterr);
        theater_folder_close(copy);
    }
    return status ? th_fail_in(reterr, status, "the copy is made, but it is damaged as the original must be")
                  : THEATER_OK;
}

static theater_status run(cli_run *cli, theater_error *reterr)
{
    theater_folder *folder;
    theater_status status = cli_open_folder(cli, &folder, reterr);
    if (status)
        return status;
    status = theater_backup(folder, cli->operands[0], reterr);
    theater_folder_close(folder);
    if (!status)
        status = check_copy(cli->operands[0], reterr);
    if (status)
        return status;
    if (cli->json) {
        cli_json_object(&cli->out);
        cli_json_key(&cli->out, "folder");
        cli_json_string(&cli->out, cli->operands[0]);
        cli_json_end(&cli->out, '}');
        cli_json_line(&cli->out);
    } else {
        cli_printf(&cli->out, "copied %s to %s\n", cli->data, cli->operands[0]);
    }
    return THEATER_OK;
}

static const cli_example examples[] = {
    {"--data data backup data-copy", "a whole copy, keys included, also while another process writes"},
    {NULL, NULL},
};

const cli_command cli_cmd_backup = {
    .name = "backup",
    .operands = "DIR",
    .summary = "Copies a data folder, also a live one",
    .description = "Copies what is on disk now into the new folder DIR, the log and the keys, which are "
                   "secret, and reads the copy back. The copy is a data folder of its own, whose index "
                   "is built when it is first opened. Never run the copy and the original at the same time: "
                   "they would sign different pasts, and an older copy "
                   "refuses to sign below what it knows was signed.",
    .examples = examples,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
