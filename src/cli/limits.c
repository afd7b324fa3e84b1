#include "cli/limits.h"

#include <stdio.h>
#include <stdlib.h>

/* A path of a manifest is relative to the manifest. */
static theater_status read_beside(const char *manifest, const char *path, th_buf *out, theater_error *reterr)
{
    const char *slash = strrchr(manifest, '/');
    if (path[0] == '/' || !slash)
        return cli_read_file(path, CLI_FILE_MAX, out, reterr);
    char full[8192];
    int size = snprintf(full, sizeof full, "%.*s/%s", (int)(slash - manifest), manifest, path);
    if (size < 0 || (size_t)size >= sizeof full)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s: the path %s is too long", manifest, path);
    return cli_read_file(full, CLI_FILE_MAX, out, reterr);
}

static theater_status read_manifest(const cli_run *cli, cli_actor *actor, theater_error *reterr)
{
    const char *path = cli_value(cli, "--manifest");
    th_buf text;
    th_buf_init(&text, 1 << 20);
    theater_status status = cli_read_file(path, 1 << 20, &text, reterr);
    if (!status)
        status = th_manifest_parse(th_buf_slice(&text), path, &actor->manifest, reterr);
    th_buf_done(&text);
    if (status)
        return status;
    const th_manifest *manifest = &actor->manifest;
    actor->has_manifest = true;
    snprintf(actor->name, sizeof actor->name, "%s", manifest->name);
    if (!cli_flag(cli, "--component"))
        status = read_beside(path, manifest->component, &actor->component, reterr);
    bool config_given = cli_flag(cli, "--config") || cli_flag(cli, "--config-text");
    if (!status && !config_given) {
        actor->has_config = true;
        if (manifest->config)
            status = th_buf_append(&actor->config, th_slice_text(manifest->config), reterr);
        else if (manifest->config_file)
            status = read_beside(path, manifest->config_file, &actor->config, reterr);
    }
    actor->has_limits = true;
    actor->limits = (theater_limits){manifest->limits.fuel, manifest->limits.memory, manifest->limits.state,
                                     manifest->limits.message, manifest->limits.effects};
    return status;
}

static theater_status read_limits(const cli_run *cli, cli_actor *actor, theater_error *reterr)
{
    theater_limits *limits = &actor->limits;
    struct {
        const char *name;
        uint64_t *value;
    } sizes[] = {{"--memory", &limits->memory_bytes},
                 {"--state", &limits->state_bytes},
                 {"--message", &limits->message_bytes},
                 {"--effects", &limits->effects_bytes}};
    theater_status status = cli_number(cli, "--fuel", &limits->fuel, reterr);
    if (!status && cli_flag(cli, "--fuel") && limits->fuel == 0)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "--fuel must be at least 1");
    actor->has_limits = actor->has_limits || cli_flag(cli, "--fuel");
    for (size_t i = 0; !status && i < sizeof sizes / sizeof *sizes; i++) {
        status = cli_size(cli, sizes[i].name, sizes[i].value, reterr);
        if (!status && cli_flag(cli, sizes[i].name) && *sizes[i].value == 0)
            return th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s must be at least 1", sizes[i].name);
        actor->has_limits = actor->has_limits || cli_flag(cli, sizes[i].name);
    }
    return status;
}

theater_status cli_actor_read(const cli_run *cli, cli_actor *ret, theater_error *reterr)
{
    memset(ret, 0, sizeof *ret);
    th_buf_init(&ret->component, CLI_FILE_MAX);
    th_buf_init(&ret->config, CLI_FILE_MAX);
    if (cli_flag(cli, "--config") && cli_flag(cli, "--config-text"))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "--config and --config-text exclude each other");
    theater_status status = cli_flag(cli, "--manifest") ? read_manifest(cli, ret, reterr) : THEATER_OK;
    if (!status)
        status = read_limits(cli, ret, reterr);
    if (!status && cli_flag(cli, "--component"))
        status = cli_read_file(cli_value(cli, "--component"), CLI_FILE_MAX, &ret->component, reterr);
    if (!status && cli_flag(cli, "--config"))
        status = cli_read_file(cli_value(cli, "--config"), CLI_FILE_MAX, &ret->config, reterr);
    if (!status && cli_flag(cli, "--config-text"))
        status = th_buf_append(&ret->config, th_slice_text(cli_value(cli, "--config-text")), reterr);
    ret->has_config = ret->has_config || cli_flag(cli, "--config") || cli_flag(cli, "--config-text");
    return status;
}

void cli_actor_done(cli_actor *actor)
{
    if (actor->has_manifest)
        th_manifest_done(&actor->manifest);
    th_buf_done(&actor->component);
    th_buf_done(&actor->config);
}
