#include "cli/commands.h"

/* Reads the copy back: a backup that cannot be used should be known of now. */
static theater_status check_copy(const char *path, uint64_t wanted, theater_error *reterr)
{
    theater_folder *copy;
    uint64_t records = 0, bytes;
    theater_status status = theater_folder_open(path, &copy, reterr);
    if (!status) {
        status = theater_folder_check(copy, &records, &bytes, reterr);
        theater_folder_close(copy);
    }
    if (!status && records < wanted)
        return th_fail(reterr, THEATER_CORRUPT, "the copy %s has %llu records, and there were %llu to copy",
                       path, (unsigned long long)records, (unsigned long long)wanted);
    return status ? th_fail_in(reterr, status, "the copy was made, but it cannot be used") : THEATER_OK;
}

/* The original is read first: damage near the end of a log looks in a copy like a tail that was never
 * written. */
static theater_status copy_folder(theater_folder *folder, const char *to, theater_error *reterr)
{
    uint64_t records = 0, bytes;
    theater_status status = theater_folder_check(folder, &records, &bytes, reterr);
    if (!status)
        status = theater_backup(folder, to, reterr);
    return status ? status : check_copy(to, records, reterr);
}

static theater_status run(cli_run *cli, theater_error *reterr)
{
    theater_folder *folder;
    theater_status status = cli_open_folder(cli, &folder, reterr);
    if (status)
        return status;
    status = copy_folder(folder, cli->operands[0], reterr);
    theater_folder_close(folder);
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
    .no_server = true,
    .run = run,
};
