/* Watching a project's folder.
 *
 * The folder is looked at three times a second: names, sizes and times of change of all files but what builds
 * and runs make go into one number, and a build begins when it changed and then stayed the same for one look,
 * so that an editor that writes several files causes one build. Looking needs no support of the file system,
 * and the bound on files keeps it cheap. */
#include "cli/build_watch.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "cli/limits.h"
#include "cli/place.h"

enum { LOOK_MS = 300, FILES_MAX = 10000, DEPTH_MAX = 16 };

/* What a build or its actor writes, wherever its user wants it: looked at, each build would cause the next. */
typedef struct own_files {
    const char *output; /* the component; NULL: in build/ */
    const char *data; /* the data folder; NULL: none */
} own_files;

typedef struct look {
    uint64_t number;
    struct timespec newest;
    unsigned files;
    struct stat output, data; /* st_ino is 0 where there is none */
} look;

/* Folders that are made, not written. */
static bool is_made(const char *name)
{
    static const char *const names[] = {"build", "data", "target", "node_modules", "__pycache__", NULL};
    if (name[0] == '.')
        return true;
    for (size_t i = 0; names[i]; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* Mixes a value into the number; the order of the files does not matter, because a folder gives them in
 * any. */
static uint64_t mix(uint64_t value)
{
    value = (value ^ value >> 32) * UINT64_C(0xd6e8feb86659fd93);
    return (value ^ value >> 32) * UINT64_C(0xd6e8feb86659fd93);
}

static uint64_t number_of(const char *path, const struct stat *info)
{
    uint64_t number = (uint64_t)info->st_mtim.tv_sec * 1000000000u + (uint64_t)info->st_mtim.tv_nsec;
    number = mix(number) + mix((uint64_t)info->st_size) * 3 + mix((uint64_t)info->st_ino) * 5;
    for (const char *at = path; *at; at++)
        number = mix(number + (uint8_t)*at);
    return number;
}

static bool is_later(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

static void look_at(look *self, const char *path, unsigned depth)
{
    DIR *folder = depth <= DEPTH_MAX ? opendir(path) : NULL;
    if (!folder)
        return;
    for (struct dirent *entry; (entry = readdir(folder)) && self->files < FILES_MAX;) {
        char below[PATH_MAX];
        struct stat info;
        if (is_made(entry->d_name) ||
            snprintf(below, sizeof below, "%s/%s", path, entry->d_name) >= PATH_MAX ||
            stat(below, &info) != 0 || is_same(&info, &self->output) || is_same(&info, &self->data))
            continue;
        if (S_ISDIR(info.st_mode)) {
            look_at(self, below, depth + 1);
        } else {
            self->files++;
            self->number += number_of(below, &info);
            if (is_later(&info.st_mtim, &self->newest))
                self->newest = info.st_mtim;
        }
    }
    closedir(folder);
}

static uint64_t look_once(const th_guest_project *project, const own_files *written)
{
    look self = {0};
    /* Asked for anew each time: the component is another file after each build. */
    if (written->output)
        (void)stat(written->output, &self.output);
    if (written->data)
        (void)stat(written->data, &self.data);
    look_at(&self, project->folder, 0);
    return self.number;
}

bool cli_build_is_due(const th_guest_project *project, const char *component)
{
    struct stat info;
    look self = {0};
    if (stat(component, &info) != 0)
        return true;
    look_at(&self, project->folder, 0);
    return is_later(&self.newest, &info.st_mtim);
}

/* ---- the actor ----------------------------------------------------------------------------------------- */

/* What the project's manifest says of the configuration and the limits; defaults without one. */
static theater_status read_manifest(const th_guest_project *project, theater_actor_options *ret, th_buf *config,
                                    theater_error *reterr)
{
    char path[PATH_MAX];
    struct stat info;
    th_manifest manifest;
    if (snprintf(path, sizeof path, "%s/actor.yaml", project->folder) >= PATH_MAX || stat(path, &info) != 0)
        return THEATER_OK;
    th_buf text;
    th_buf_init(&text, 1 << 20);
    theater_status status = cli_read_file(path, 1 << 20, &text, reterr);
    if (!status)
        status = th_manifest_parse(th_buf_slice(&text), path, &manifest, reterr);
    th_buf_done(&text);
    if (status)
        return status;
    ret->limits = (theater_limits){manifest.limits.fuel, manifest.limits.memory, manifest.limits.state,
                                   manifest.limits.message, manifest.limits.effects};
    if (manifest.config) {
        status = th_buf_append(config, th_slice_text(manifest.config), reterr);
    } else if (manifest.config_file) {
        if (snprintf(path, sizeof path, "%.2000s/%.2000s", project->folder, manifest.config_file) > 0)
            status = cli_read_file(path, CLI_FILE_MAX, config, reterr);
    }
    ret->config = th_buf_slice(config);
    th_manifest_done(&manifest);
    return status;
}

/* Starts the actor, or upgrades it when it is there, in the folder or on the server that has it open. */
static theater_status run_actor(cli_run *cli, const th_guest_project *project, const char *actor,
                                const char *component, bool *ret_started, theater_error *reterr)
{
    theater_actor_options options = {.name = actor};
    cli_place place;
    th_buf config, binary;
    th_buf_init(&config, CLI_FILE_MAX);
    th_buf_init(&binary, CLI_FILE_MAX);
    theater_status status = cli_read_file(component, CLI_FILE_MAX, &binary, reterr);
    if (!status)
        status = read_manifest(project, &options, &config, reterr);
    if (!status)
        status = cli_place_open(cli, CLI_CREATE, NULL, &place, reterr);
    if (!status) {
        theater_hash element;
        options.component = th_buf_slice(&binary);
        status = cli_place_start(&place, &options, &element, reterr);
        *ret_started = status == THEATER_OK;
        if (status == THEATER_EXISTS) {
            theater_upgrade_options upgrade = {.component = options.component,
                                               .keep_config = true,
                                               .keep_limits = true};
            status = cli_place_upgrade(&place, actor, &upgrade, &element, reterr);
        }
        cli_place_close(&place);
    }
    th_buf_done(&config);
    th_buf_done(&binary);
    return status;
}

static void build_and_run(cli_run *cli, const th_guest_project *project, const char *actor,
                          cli_build_once *build)
{
    th_guest_built built;
    theater_error error = {0};
    theater_status status = build(cli, project, &built, &error);
    bool started = false;
    if (!status && actor)
        status = run_actor(cli, project, actor, built.component, &started, &error);
    if (status)
        cli_note("%s", error.message);
    else if (actor && !cli->json)
        cli_printf(&cli->out, "%s %s\n", started ? "started" : "upgraded", actor);
    cli_flush(&cli->out);
}

theater_status cli_build_watch(cli_run *cli, const th_guest_project *project, const char *actor,
                               cli_build_once *build, theater_error *reterr)
{
    own_files written = {.output = cli_value(cli, "--output"), .data = cli->data};
    if (actor) {
        theater_status status = cli_data(cli, false, &written.data, reterr);
        if (status)
            return status;
    }
    cli_catch_interrupt();
    uint64_t built = look_once(project, &written), before = built;
    build_and_run(cli, project, actor, build);
    cli_note("watching %s; Ctrl-C ends it", project->folder);
    while (!cli_interrupted()) {
        nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000L}, NULL);
        uint64_t now = look_once(project, &written);
        if (now != built && now == before && !cli_interrupted()) {
            built = now;
            build_and_run(cli, project, actor, build);
        }
        before = now;
    }
    return THEATER_OK;
}
