#include "cli/commands.h"
#include "guest/guest.h"

static theater_status run(cli_run *cli, theater_error *reterr)
{
    const char *path = cli->operands[0], *name = cli_value(cli, "--lang");
    const th_guest_language *language = th_guest_language_named(name ? name : "c");
    if (!language || !language->sdk)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "--lang: \"%s\" is none of %s", name,
                       th_guest_language_names());
    theater_status status = th_guest_new(language, path, reterr);
    if (status)
        return status;
    cli_printf(&cli->out,
               "%s is a small actor in %s. Next:\n"
               "  theater build %s\n"
               "  theater test %s\n"
               "  theater --data data start --manifest %s/actor.yaml\n",
               path, language->title, path, path, path);
    for (const th_guest_tool *tool = language->tools; tool->program; tool++) {
        char found[PATH_MAX];
        theater_error missing;
        if (th_guest_tool_find(language, tool, found, &missing)) {
            cli_flush(&cli->out);
            cli_note("a build will not work yet: %s", missing.message);
            break;
        }
    }
    return THEATER_OK;
}

static const cli_option options[] = {
    {"--lang", "LANGUAGE",
     "What to write it in; c when not given. \"theater doctor\" lists the languages and what each needs"},
    {NULL, NULL, NULL},
};

static const cli_example examples[] = {
    {"new counter", "makes the folder counter with an actor in C that can be built and started as it is"},
    {"new --lang rust counter", "the same in Rust"},
    {NULL, NULL},
};

const cli_command cli_cmd_new = {
    .name = "new",
    .operands = "DIR",
    .summary = "Makes a folder with a small actor",
    .description =
        "Makes the folder DIR with an actor that builds and runs: its source, a manifest, a file of tests, and "
        "a page that "
        "explains them. The last part of DIR becomes the actor's name: labels of a-z 0-9 - _ joined by dots.",
    .options = options,
    .examples = examples,
    .operands_min = 1,
    .operands_max = 1,
    .no_json = true,
    .no_data = true,
    .no_server = true,
    .run = run,
};
