#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/place.h"
#include "tool/files.h"

#define NAMES_MAX 1024

typedef struct id_list {
    uint64_t *ids;
    theater_hash *geneses; /* of each */
    size_t count, capacity;
    bool failed;
} id_list;

static bool add_id(void *context, const theater_actor_info *info)
{
    id_list *list = context;
    if (info->elements == 0)
        return true;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 64;
        uint64_t *ids = th_realloc(list->ids, capacity * sizeof *ids);
        if (ids)
            list->ids = ids;
        theater_hash *geneses = ids ? th_realloc(list->geneses, capacity * sizeof *geneses) : NULL;
        list->failed = !geneses;
        if (!geneses)
            return false;
        list->geneses = geneses;
        list->capacity = capacity;
    }
    list->ids[list->count] = info->id;
    list->geneses[list->count++] = info->genesis;
    return true;
}

static int compare_hashes(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(theater_hash));
}

/* Copies of one chain are exported once. Sorts the geneses. */
static size_t count_chains(id_list *list)
{
    size_t chains = 1;
    qsort(list->geneses, list->count, sizeof *list->geneses, compare_hashes);
    for (size_t i = 1; i < list->count; i++)
        chains += compare_hashes(&list->geneses[i - 1], &list->geneses[i]) != 0;
    return chains;
}

static theater_status choose(const cli_run *cli, cli_place *place, id_list *list, theater_error *reterr)
{
    theater_status status = THEATER_OK;
    if (cli_flag(cli, "--all"))
        status = cli_place_actors(place, add_id, list, reterr);
    for (size_t i = 0; !status && i + 1 < cli->operand_count; i++) {
        theater_actor_info info;
        status = cli_place_actor(place, cli->operands[i], &info, reterr);
        if (!status)
            add_id(list, &info);
    }
    if (!status && list->failed)
        status = th_fail_memory(reterr, "the list of actors");
    if (!status && list->count == 0)
        status = th_fail(reterr, THEATER_NOT_FOUND, "there is no chain to export");
    return status;
}

static theater_status export_local(const cli_run *cli, cli_place *place, const id_list *list,
                                   const char *path, theater_error *reterr)
{
    cli_progress progress;
    cli_progress_begin(&progress, "exporting");
    theater_export_options options = {
        .actor_ids = list->ids,
        .actor_count = list->count,
        .without_components = cli_flag(cli, "--without-components"),
        .without_snapshots = cli_flag(cli, "--without-snapshots"),
        .without_payloads = cli_flag(cli, "--without-payloads"),
        .progress = progress.shown ? cli_progress_step : NULL,
        .context = &progress,
    };
    theater_status status = theater_export(place->folder, &options, path, reterr);
    cli_progress_end(&progress);
    return status;
}

/* Into a file beside, which replaces the old one when the whole is there. */
static theater_status export_remote(const cli_run *cli, cli_place *place, const char *path,
                                    theater_error *reterr)
{
    char temporary[4200];
    int size = snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    if (size < 0 || (size_t)size >= sizeof temporary)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "the path of the bundle is too long");
    /* A name that nobody can have made before, also in a folder that others write to. */
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return cli_fail_errno(path, reterr);
    mode_t mask = umask(0);
    umask(mask);
    (void)fchmod(fd, 0644 & ~mask);
    cli_progress progress;
    cli_progress_begin(&progress, "exporting");
    bool all = cli_flag(cli, "--all");
    th_client_bundle bundle = {
        .names = all ? NULL : cli->operands,
        .count = all ? 0 : cli->operand_count - 1,
        .without_components = cli_flag(cli, "--without-components"),
        .without_snapshots = cli_flag(cli, "--without-snapshots"),
        .without_payloads = cli_flag(cli, "--without-payloads"),
        .progress = progress.shown ? cli_progress_step : NULL,
        .context = &progress,
    };
    theater_status status = th_client_export(place->client, &bundle, fd, reterr);
    cli_progress_end(&progress);
    if (!status && fsync(fd))
        status = th_fail(reterr, THEATER_IO, "%s: %s", path, strerror(errno));
    close(fd);
    if (!status && rename(temporary, path))
        status = th_fail(reterr, THEATER_IO, "%s: %s", path, strerror(errno));
    if (status)
        unlink(temporary);
    return status;
}

static void print(cli_run *cli, const char *path, size_t chains)
{
    cli_output *out = &cli->out;
    struct stat info = {0};
    (void)stat(path, &info);
    if (cli->json) {
        cli_json_object(out);
        cli_json_key(out, "file");
        cli_json_string(out, path);
        cli_json_key(out, "chains");
        cli_json_uint(out, chains);
        cli_json_key(out, "bytes");
        cli_json_uint(out, (uint64_t)info.st_size);
        cli_json_end(out, '}');
        cli_json_line(out);
    } else {
        cli_printf(out, "%s: %zu chain%s, %lld bytes\n", path, chains, chains == 1 ? "" : "s",
                   (long long)info.st_size);
    }
}

static theater_status run(cli_run *cli, theater_error *reterr)
{
    bool all = cli_flag(cli, "--all");
    if (all != (cli->operand_count == 1))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       all ? "--all names every actor already: theater export --all FILE"
                           : "an actor or the file is missing: theater export NAME FILE");
    const char *path = cli->operands[cli->operand_count - 1];
    cli_place place;
    id_list list = {0};
    theater_status status = th_tool_replaceable(path, reterr);
    if (!status)
        status = cli_place_open(cli, CLI_READ, NULL, &place, reterr);
    if (status)
        return status;
    if (place.client)
        cli_catch_interrupt(); /* so that half a file is removed */
    status = choose(cli, &place, &list, reterr);
    if (!status)
        status = place.client ? export_remote(cli, &place, path, reterr)
                              : export_local(cli, &place, &list, path, reterr);
    cli_place_close(&place);
    if (!status)
        print(cli, path, count_chains(&list));
    th_free(list.ids);
    th_free(list.geneses);
    return status;
}

static const cli_option options[] = {
    {"--all", NULL, "Exports every chain of the data folder"},
    {"--without-components", NULL,
     "Leaves components out: the turns cannot be run again from the bundle alone"},
    {"--without-snapshots", NULL,
     "Leaves snapshots out: the bundle is smaller, and a replay runs from the beginning"},
    {"--without-payloads", NULL, "Leaves payloads out: links and proofs still hold"},
    {NULL, NULL, NULL},
};

static const cli_example examples[] = {
    {"--data data export ledger ledger.bundle", "one chain as one file, with all that is needed to check it"},
    {"--data data export --all everything.bundle", "all chains"},
    {NULL, NULL},
};

const cli_command cli_cmd_export = {
    .name = "export",
    .operands = "NAME... FILE",
    .summary = "Writes chains to a bundle file",
    .description = "Writes one or more chains to one file: components, elements with their payloads, "
                   "snapshots, the verifier key and the checkpoints. "
                   "\"theater verify FILE\" and \"theater replay FILE\" check it anywhere. A file that is "
                   "there is replaced when the whole was written. A chain that the folder has twice, as "
                   "an actor and as an archive, is written once, the longer one.",
    .options = options,
    .examples = examples,
    .operands_min = 1,
    .operands_max = NAMES_MAX,
    .run = run,
};
