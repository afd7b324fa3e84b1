#include "cli/commands.h"
#include "tool/tool.h"

static theater_status run(cli_run *cli, theater_error *reterr)
{
    cli_output *out = &cli->out;
    th_tool_built built;
    theater_status status = th_tool_build(cli->operand_count ? cli->operands[0] : ".", &built, reterr);
    if (status)
        return status;
    if (!cli->json) {
        cli_printf(out, "%s: %zu bytes\n", built.component, built.component_bytes);
        return THEATER_OK;
    }
    cli_json_object(out);
    cli_json_key(out, "name");
    cli_json_string(out, built.name);
    cli_json_key(out, "component");
    cli_json_string(out, built.component);
    cli_json_key(out, "bytes");
    cli_json_uint(out, built.component_bytes);
    cli_json_key(out, "compiler");
    cli_json_string(out, built.compiler);
    cli_json_end(out, '}');
    cli_json_line(out);
    return THEATER_OK;
}

static const cli_example examples[] = {
    {"build", "builds the actor in this folder"},
    {"build counter", "builds counter/build/counter.wasm"},
    {NULL, NULL},
};

const cli_command cli_cmd_build = {
    .name = "build",
    .operands = "[DIR]",
    .summary = "Builds the component of an actor in C",
    .description = "Compiles the C files of DIR (this folder when none is given) and wraps them to a "
                   "component in DIR/build. The only outside "
                   "tools are clang and lld. The same sources and compiler give the same bytes.",
    .examples = examples,
    .operands_max = 1,
    .no_data = true,
    .run = run,
};
