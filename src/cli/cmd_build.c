#include "cli/build_watch.h"
#include "cli/commands.h"
#include "guest/guest.h"

static void print(cli_run *cli, const th_guest_project *project, const th_guest_built *built)
{
    cli_output *out = &cli->out;
    if (!cli->json) {
        cli_printf(out, "%s: %zu bytes\n", built->component, built->component_bytes);
        return;
    }
    cli_json_object(out);
    cli_json_key(out, "name");
    cli_json_string(out, project->name);
    cli_json_key(out, "language");
    cli_json_string(out, project->language->name);
    cli_json_key(out, "component");
    cli_json_string(out, built->component);
    cli_json_key(out, "bytes");
    cli_json_uint(out, built->component_bytes);
    cli_json_key(out, "hash");
    cli_json_hash(out, &built->hash);
    cli_json_key(out, "compiler");
    cli_json_string(out, built->tool);
    cli_json_end(out, '}');
    cli_json_line(out);
}

static theater_status build_once(void *context, const th_guest_project *project, th_guest_built *ret,
                                 theater_error *reterr)
{
    cli_run *cli = context;
    theater_status status = th_guest_build(project, cli_value(cli, "--output"), ret, reterr);
    if (!status)
        print(cli, project, ret);
    return status;
}

static theater_status run(cli_run *cli, theater_error *reterr)
{
    const char *path = cli->operand_count ? cli->operands[0] : ".", *name = cli_value(cli, "--lang");
    const th_guest_language *language = name ? th_guest_language_named(name) : NULL;
    if (name && !language)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "--lang: \"%s\" is none of %s", name,
                       th_guest_language_names());
    const char *actor = cli_value(cli, "--actor");
    if (actor && !cli_flag(cli, "--watch"))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "--actor is for --watch");
    th_guest_project project;
    th_guest_built built;
    theater_status status = th_guest_project_find(path, language, &project, reterr);
    if (status)
        return status;
    if (!cli_flag(cli, "--watch")) {
        cli_catch_interrupt(); /* the tool that runs ends by itself; what it left has to go */
        status = build_once(cli, &project, &built, reterr);
        return status && cli_interrupted() ? th_fail(reterr, THEATER_INTERRUPTED, "interrupted") : status;
    }
    return cli_build_watch(cli, &project, actor, build_once, reterr);
}

static const cli_option options[] = {
    {"--lang", "LANGUAGE", "The language; found out by the files when not given"},
    {"--output", "FILE", "Where the component goes; build/NAME.wasm beside the sources when not given"},
    {"--watch", NULL, "Builds again whenever a file of the folder changes, until it is interrupted"},
    {"--actor", "NAME",
     "With --watch and --data: starts the actor, and upgrades it to what was built after each change; on the "
     "folder's server when one runs"},
    {NULL, NULL, NULL},
};

static const cli_example examples[] = {
    {"build", "builds the actor in this folder"},
    {"build counter", "builds counter/build/counter.wasm"},
    {"build module.wasm --output actor.wasm",
     "makes a component of what another compiler made, and answers its calls of WASI preview 1 inside"},
    {"--data data build counter --watch --actor counter", "develops: each change runs at once"},
    {NULL, NULL},
};

const cli_command cli_cmd_build = {
    .name = "build",
    .operands = "[PATH]",
    .summary = "Builds the component of an actor",
    .description =
        "Builds the project in the folder PATH (this folder when none is given), or the one source file PATH, "
        "to a component in "
        "build/. The language is known by the files. The compilers are those of \"theater doctor\"; they are "
        "looked for in THEATER_TOOLS (~/.local/share/theater/tools when it is not set), then in the PATH. What "
        "they say is shown as it is.\n\n"
        "A component that still imports WASI is refused, with the list. docs/languages.md says where the same "
        "sources give the same bytes.",
    .options = options,
    .examples = examples,
    .operands_max = 1,
    .no_server = true,
    .run = run,
};
