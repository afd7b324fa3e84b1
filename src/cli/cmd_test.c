/* test: what an actor should answer, tried without a server and without a data folder. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "actor/manifest.h"
#include "cli/build_watch.h"
#include "cli/commands.h"
#include "guest/script_run.h"
#include "tool/files.h"

enum { SHOWN_MAX = 600 };

typedef struct testing {
    cli_run *cli;
    char folder[PATH_MAX]; /* of the actor: where its manifest or its sources are */
    char component[PATH_MAX];
    char cache[PATH_MAX];
    th_manifest manifest;
    bool has_manifest;
    th_buf binary, config;
    th_script_actor actor;
    char name[129];
    th_script_counts all;
    uint64_t files;
} testing;

/* ---- showing ------------------------------------------------------------------------------------------- */

/* A value on one line, cut where nobody would read on. */
static void put_shown(cli_output *out, th_slice text)
{
    cli_put_safe(out, text, SHOWN_MAX);
    cli_puts(out, "\n");
}

static void put_difference(cli_output *out, const th_script_difference *difference)
{
    th_slice a = difference->expected, b = difference->got;
    size_t same = 0;
    while (same < a.size && same < b.size && a.data[same] == b.data[same])
        same++;
    cli_printf(out, "    %-9s expected  ", difference->what);
    cli_colour(out, "32");
    put_shown(out, a);
    cli_colour(out, "0");
    cli_printf(out, "              got       ");
    cli_colour(out, "31");
    put_shown(out, b);
    cli_colour(out, "0");
    /* A mark under the first byte that differs, where the eye would have to look for it. */
    if (same >= 8 && same < 100)
        cli_printf(out, "%*s^\n", (int)(24 + same), "");
    else if (same >= 100)
        cli_printf(out, "%24s(the first %zu bytes are the same)\n", "", same);
}

static void print_step(void *context, const th_script *script, const th_script_step *step)
{
    testing *self = context;
    cli_output *out = &self->cli->out;
    if (step->difference_count == 0)
        return;
    unsigned number = step->line ? step->line->number : 1;
    if (step->line) {
        cli_printf(out, "%s:%u  ", script->path, number);
        put_shown(out, step->line->raw);
    } else {
        cli_printf(out, "%s  the beginning\n", script->path);
    }
    for (size_t i = 0; i < step->difference_count; i++)
        put_difference(out, &step->differences[i]);
}

static void json_step(void *context, const th_script *script, const th_script_step *step)
{
    testing *self = context;
    cli_output *out = &self->cli->out;
    cli_json_object(out);
    cli_json_key(out, "file");
    cli_json_string(out, script->path);
    cli_json_key(out, "line");
    cli_json_uint(out, step->line ? step->line->number : 1);
    cli_json_key(out, "passed");
    cli_json_bool(out, step->difference_count == 0);
    cli_json_key(out, "fuel");
    cli_json_uint(out, step->fuel);
    cli_json_key(out, "differences");
    cli_json_array(out);
    for (size_t i = 0; i < step->difference_count; i++) {
        cli_json_object(out);
        cli_json_key(out, "what");
        cli_json_string(out, step->differences[i].what);
        cli_json_key(out, "line");
        cli_json_uint(out, step->differences[i].number);
        cli_json_key(out, "expected");
        cli_json_bytes(out, step->differences[i].expected);
        cli_json_key(out, "got");
        cli_json_bytes(out, step->differences[i].got);
        cli_json_end(out, '}');
    }
    cli_json_end(out, ']');
    cli_json_end(out, '}');
    cli_json_line(out);
}

static void print_file(testing *self, const char *path, const th_script_counts *counts)
{
    cli_output *out = &self->cli->out;
    if (self->cli->json)
        return;
    bool updated = counts->updated;
    cli_colour(out, counts->failed && !updated ? "31" : "32");
    cli_puts(out, updated ? "updated" : counts->failed ? "failed " : "ok     ");
    cli_colour(out, "0");
    cli_printf(out, "  %s: %" PRIu64 " steps in %" PRIu64 " case%s", path, counts->steps, counts->cases,
               counts->cases == 1 ? "" : "s");
    if (counts->failed)
        cli_printf(out, ", %" PRIu64 " %s", counts->failed, updated ? "changed" : "not as expected");
    cli_puts(out, "\n");
}

/* ---- the actor ----------------------------------------------------------------------------------------- */

static theater_status read_manifest(testing *self, theater_error *reterr)
{
    char path[PATH_MAX];
    struct stat info;
    theater_status status = th_tool_join(self->folder, "actor.yaml", path, reterr);
    if (status || stat(path, &info) != 0)
        return status;
    th_buf text;
    th_buf_init(&text, 1 << 20);
    status = cli_read_file(path, 1 << 20, &text, reterr);
    if (!status)
        status = th_manifest_parse(th_buf_slice(&text), path, &self->manifest, reterr);
    th_buf_done(&text);
    self->has_manifest = status == THEATER_OK;
    if (status)
        return status;
    self->actor.limits = self->manifest.limits;
    snprintf(self->name, sizeof self->name, "%s", self->manifest.name);
    if (self->manifest.config)
        return th_buf_append(&self->config, th_slice_text(self->manifest.config), reterr);
    if (!self->manifest.config_file)
        return THEATER_OK;
    status = th_tool_join(self->folder, self->manifest.config_file, path, reterr);
    return status ? status : cli_read_file(path, CLI_FILE_MAX, &self->config, reterr);
}

/* The component: what was given, or what the project builds, which is built when that is due. */
static theater_status find_component(testing *self, theater_error *reterr)
{
    cli_run *cli = self->cli;
    const char *given = cli_value(cli, "--component");
    if (given)
        return snprintf(self->component, PATH_MAX, "%s", given) < PATH_MAX
                   ? THEATER_OK
                   : th_fail(reterr, THEATER_INVALID_ARGUMENT, "--component: the path is too long");
    th_guest_project project;
    th_guest_built built;
    theater_error none;
    if (th_guest_project_find(self->folder, NULL, &project, &none)) {
        if (!self->has_manifest)
            return th_fail(reterr, none.status, "%s", none.message);
        return th_tool_join(self->folder, self->manifest.component, self->component, reterr);
    }
    snprintf(self->name, sizeof self->name, "%s", project.name);
    if (snprintf(self->component, PATH_MAX, "%s/build/%s.wasm", self->folder, project.name) >= PATH_MAX)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s: the path is too long", self->folder);
    if (cli_flag(cli, "--no-build") || !cli_build_is_due(&project, self->component))
        return THEATER_OK;
    cli_catch_interrupt(); /* the tool that runs ends by itself; what it left has to go */
    theater_status status = th_guest_build(&project, NULL, &built, reterr);
    cli_release_interrupt();
    return cli_interrupted() ? th_fail(reterr, THEATER_INTERRUPTED, "interrupted") : status;
}

static theater_status load(testing *self, theater_error *reterr)
{
    self->actor.limits = th_limits_default;
    snprintf(self->name, sizeof self->name, "actor");
    theater_status status = read_manifest(self, reterr);
    if (!status)
        status = find_component(self, reterr);
    if (!status)
        status = cli_read_file(self->component, CLI_FILE_MAX, &self->binary, reterr);
    self->actor.name = self->name;
    self->actor.component = th_buf_slice(&self->binary);
    self->actor.config = th_buf_slice(&self->config);
    return status;
}

/* ---- the files ----------------------------------------------------------------------------------------- */

static theater_status run_file(testing *self, const char *path, theater_error *reterr)
{
    th_script script;
    th_script_counts counts;
    theater_status status = th_script_read(path, &script, reterr);
    if (status)
        return status;
    bool update = cli_flag(self->cli, "--update");
    th_script_run_options options = {
        .each = self->cli->json ? json_step : update ? NULL : print_step,
        .context = self,
        .update = update,
        .cache = th_script_cache_folder(self->cache) ? self->cache : NULL,
    };
    status = th_script_run(&script, &self->actor, &options, &counts, reterr);
    if (!status)
        print_file(self, path, &counts);
    th_script_done(&script);
    self->files++;
    self->all.steps += counts.steps;
    self->all.failed += update ? 0 : counts.failed;
    return status;
}

static theater_status run_folder(testing *self, theater_error *reterr)
{
    th_tool_names names;
    char path[PATH_MAX];
    theater_status status = th_tool_list(self->folder, ".test", &names, reterr);
    for (size_t i = 0; !status && i < names.count; i++) {
        bool here = strcmp(self->folder, ".") == 0;
        status = here ? (snprintf(path, sizeof path, "%.255s", names.names[i]), THEATER_OK)
                      : th_tool_join(self->folder, names.names[i], path, reterr);
        if (!status)
            status = run_file(self, path, reterr);
    }
    if (!status && names.count == 0)
        status = th_fail(reterr, THEATER_NOT_FOUND,
                         "%s: no file of tests (NAME.test); docs/actor-tests.md shows what stands in one",
                         self->folder);
    th_tool_names_done(&names);
    return status;
}

/* A folder, or a file whose actor is in its folder. */
static theater_status run_path(testing *self, const char *path, theater_error *reterr)
{
    struct stat info;
    if (strlen(path) >= PATH_MAX || stat(path, &info) != 0)
        return th_fail(reterr, THEATER_NOT_FOUND, "%.512s: there is no such file or folder", path);
    bool is_file = !S_ISDIR(info.st_mode);
    const char *slash = strrchr(path, '/');
    size_t size = strlen(path);
    while (!is_file && size > 1 && path[size - 1] == '/')
        size--;
    if (is_file)
        size = slash ? (size_t)(slash - path) + (slash == path) : 0;
    snprintf(self->folder, PATH_MAX, "%.*s", size ? (int)size : 1, size ? path : ".");
    theater_status status = load(self, reterr);
    if (status)
        return status;
    return is_file ? run_file(self, path, reterr) : run_folder(self, reterr);
}

static theater_status run(cli_run *cli, theater_error *reterr)
{
    testing *self = th_alloc_zero(1, sizeof *self);
    if (!self)
        return th_fail_memory(reterr, "the tests");
    self->cli = cli;
    th_buf_init(&self->binary, CLI_FILE_MAX);
    th_buf_init(&self->config, CLI_FILE_MAX);
    theater_status status = run_path(self, cli->operand_count ? cli->operands[0] : ".", reterr);
    if (!status && self->all.failed)
        status = th_fail(reterr, THEATER_ACTOR_FAILED, "%" PRIu64 " of %" PRIu64 " steps %s not as expected",
                         self->all.failed, self->all.steps, self->all.failed == 1 ? "is" : "are");
    if (self->has_manifest)
        th_manifest_done(&self->manifest);
    th_buf_done(&self->binary);
    th_buf_done(&self->config);
    th_free(self);
    return status;
}

static const cli_option options[] = {
    {"--component", "FILE", "Another component than the one that the project builds"},
    {"--update", NULL, "Writes what was seen into the files, in the place of what was expected"},
    {"--no-build", NULL, "Takes the component as it is, also when a source is newer"},
    {NULL, NULL, NULL},
};

static const cli_example examples[] = {
    {"test", "runs every .test file of this folder against the actor in it"},
    {"test counter/actor.test", "runs one file"},
    {"test --update", "accepts what the actor does now; look at the difference before you keep it"},
    {NULL, NULL},
};

const cli_command cli_cmd_test = {
    .name = "test",
    .operands = "[PATH]",
    .summary = "Tries an actor's inputs and compares what it answers",
    .description =
        "Runs the files *.test of the folder PATH (this folder when none is given), or the one file PATH, "
        "against the actor in that "
        "folder: each line is an input, or what is expected of it (docs/actor-tests.md). The component is built "
        "first when a source is newer. Nothing is stored and no server is needed; the turns are the same as "
        "the runtime's, so outputs, state roots and fuel are what a chain would hold. Differences are shown "
        "with their lines, and give the exit code 7. With --json each step is one object a line.",
    .options = options,
    .examples = examples,
    .operands_max = 1,
    .no_data = true,
    .run = run,
};
