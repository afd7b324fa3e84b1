/* From C files to a core module, and from that to a component.
 *
 * The flags make an actor cheap to start, because every turn starts it anew:
 *   - The stack lies first in memory and ends at 62 KiB, the static data follow, then the heap. So a small
 *     actor's stack, data and heap share one 4 KiB page, and a turn touches one page.
 *   - Only features that clang 14 knows are used, whatever the compiler, so that versions differ as little as
 *     they can.
 *   - The linker is called directly: the compiler's driver would run wasm-opt where it is installed, and the
 *     result would depend on it.
 *   - Function names stay in the module: they cost no turn anything, and the backtrace of a trap shows them.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "theater_encoder.h"
#include "tool/compiler.h"
#include "tool/files.h"
#include "tool/tool.h"

enum { MODULE_MAX = 256 << 20 };

static const char *const compile_flags[] = {
    "--target=wasm32-unknown-unknown",
    "-std=c17",
    "-Os",
    "-ffreestanding",
    "-nostdlib",
    "-nostdlibinc",
    "-fvisibility=hidden",
    "-mcpu=mvp",
    "-mbulk-memory",
    "-msign-ext",
    "-mnontrapping-fptoint",
    "-mmutable-globals",
    "-Wall",
    "-Wextra",
    "-Werror=implicit-function-declaration", /* or the linker would say it, without the line */
    "-Wno-unused-parameter", /* an actor without a configuration has one that it does not read */
};

static const char *const link_flags[] = {
    "--no-entry",       "--export-dynamic", "--stack-first",    "-z",
    "stack-size=63488", "--gc-sections",    "--fatal-warnings",
};

enum {
    COMPILE_FLAGS = sizeof compile_flags / sizeof *compile_flags,
    LINK_FLAGS = sizeof link_flags / sizeof *link_flags,
};

static bool has_header(const char *folder)
{
    char path[PATH_MAX];
    return snprintf(path, sizeof path, "%s/theater.h", folder) < (int)sizeof path && access(path, R_OK) == 0;
}

theater_status th_tool_find_sdk(char *ret, theater_error *reterr)
{
    const char *given = getenv("THEATER_SDK");
    if (given && *given) {
        /* The folder sdk, or sdk/c in it. */
        if ((snprintf(ret, PATH_MAX, "%s", given) < PATH_MAX && has_header(ret)) ||
            (snprintf(ret, PATH_MAX, "%s/c", given) < PATH_MAX && has_header(ret)))
            return THEATER_OK;
        return th_fail(reterr, THEATER_TOOL_MISSING, "THEATER_SDK is %.256s, but there is no theater.h",
                       given);
    }
    char program[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
    if (size > 0) {
        program[size] = 0;
        char *slash = strrchr(program, '/');
        if (slash)
            *slash = 0;
        if (snprintf(ret, PATH_MAX, "%s/../share/theater/sdk/c", program) < PATH_MAX && has_header(ret))
            return THEATER_OK;
    }
    if (snprintf(ret, PATH_MAX, "%s", TH_SDK_DIR) < PATH_MAX && has_header(ret))
        return THEATER_OK;
    return th_fail(
        reterr, THEATER_TOOL_MISSING,
        "the SDK's theater.h was not found; set THEATER_SDK to the folder sdk/c of Theater's sources");
}

/* Where the object of a source goes: its place makes it unique, its name tells the reader of a linker's
 * message which file is meant. */
static theater_status object_path(const char *scratch, const th_tool_sources *sources, size_t place,
                                  char *ret, theater_error *reterr)
{
    const char *source = sources->paths[place], *slash = strrchr(source, '/');
    char name[NAME_MAX];
    snprintf(name, sizeof name, "%zu-%.200s.o", place, slash ? slash + 1 : source);
    return th_tool_join(scratch, name, ret, reterr);
}

/* Compiles one file. The compiler sees the path as it was given, so its messages are what the author expects;
 * in the module, __FILE__ and the like are relative to `base`. */
static theater_status compile_one(const th_tool_compiler *compiler, const th_tool_sources *sources,
                                  const char *source, const char *sdk, const char *object,
                                  theater_error *reterr)
{
    const char *arguments[COMPILE_FLAGS + 14];
    char map[PATH_MAX + 32], libc[PATH_MAX + 8];
    size_t n = 0;
    arguments[n++] = compiler->clang;
    for (size_t i = 0; i < COMPILE_FLAGS; i++)
        arguments[n++] = compile_flags[i];
    if (sources->base) {
        snprintf(map, sizeof map, "-ffile-prefix-map=%s/=", sources->base);
        arguments[n++] = map;
    }
    if (sources->include) {
        arguments[n++] = "-I";
        arguments[n++] = sources->include;
    }
    arguments[n++] = "-I";
    arguments[n++] = sdk;
    /* Behind all others, and named as a system's: the few headers of C's library that an actor can have. */
    snprintf(libc, sizeof libc, "%s/libc", sdk);
    arguments[n++] = "-isystem";
    arguments[n++] = libc;
    arguments[n++] = "-c";
    arguments[n++] = "-o";
    arguments[n++] = object;
    arguments[n++] = source;
    arguments[n] = NULL;
    return th_tool_run(arguments, source, reterr);
}

static theater_status link_objects(const th_tool_compiler *compiler, const char *scratch,
                                   const th_tool_sources *sources, const char *output, theater_error *reterr)
{
    size_t count = sources->count;
    char(*objects)[PATH_MAX] = th_alloc(count * sizeof *objects);
    const char **arguments = th_alloc((LINK_FLAGS + count + 4) * sizeof *arguments);
    theater_status status = THEATER_OK;
    if (!objects || !arguments)
        status = th_fail_memory(reterr, "the linker's arguments");
    size_t n = 0;
    if (status == THEATER_OK) {
        arguments[n++] = compiler->linker;
        for (size_t i = 0; i < LINK_FLAGS; i++)
            arguments[n++] = link_flags[i];
        arguments[n++] = "-o";
        arguments[n++] = output;
    }
    for (size_t i = 0; status == THEATER_OK && i < count; i++) {
        status = object_path(scratch, sources, i, objects[i], reterr);
        arguments[n++] = objects[i];
    }
    if (status == THEATER_OK) {
        arguments[n] = NULL;
        status = th_tool_run(arguments, "linking", reterr);
    }
    th_free(objects);
    th_free(arguments);
    return status;
}

static theater_status compile_in(const char *scratch, const th_tool_compiler *compiler,
                                 const th_tool_sources *sources, const char *output, theater_error *reterr)
{
    char sdk[PATH_MAX], object[PATH_MAX];
    theater_status status = th_tool_find_sdk(sdk, reterr);
    for (size_t i = 0; status == THEATER_OK && i < sources->count; i++) {
        status = object_path(scratch, sources, i, object, reterr);
        if (status == THEATER_OK)
            status = compile_one(compiler, sources, sources->paths[i], sdk, object, reterr);
    }
    if (status == THEATER_OK)
        status = link_objects(compiler, scratch, sources, output, reterr);
    return status;
}

theater_status th_tool_compile(const th_tool_sources *sources, const char *output, char *ret_compiler,
                               theater_error *reterr)
{
    if (sources->count == 0)
        return th_fail(reterr, THEATER_NOT_FOUND, "%s: there is nothing to compile", output);
    th_tool_compiler compiler;
    theater_status status = th_tool_find_compiler(&compiler, reterr);
    if (status != THEATER_OK)
        return status;
    if (ret_compiler)
        memcpy(ret_compiler, compiler.clang, sizeof compiler.clang);

    char folder[PATH_MAX], scratch[PATH_MAX];
    const char *slash = strrchr(output, '/');
    int size = slash ? (int)(slash - output) : 1;
    if (snprintf(folder, sizeof folder, "%.*s", size, slash ? output : ".") >= (int)sizeof folder)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s: the path is too long", output);
    status = th_tool_make_scratch(folder, scratch, reterr);
    if (status != THEATER_OK)
        return status;
    status = compile_in(scratch, &compiler, sources, output, reterr);
    th_tool_remove_scratch(scratch);
    return status;
}

theater_status th_tool_componentize(const char *module, const char *output, bool wasi, size_t *ret_bytes,
                                    theater_error *reterr)
{
    th_buf bytes;
    th_buf_init(&bytes, MODULE_MAX);
    theater_status status = th_tool_read(module, &bytes, reterr);
    th_encoder_bytes component = {0};
    if (status == THEATER_OK) {
        char reason[768];
        const char *slash = strrchr(module, '/'); /* the folder is a scratch one, which says nothing */
        if (!th_encoder_component(bytes.data, bytes.size, wasi, &component, reason, sizeof reason))
            status = th_fail(reterr, THEATER_COMPONENT_REFUSED, "%s is no actor: %s",
                             slash ? slash + 1 : module, reason);
    }
    if (status == THEATER_OK)
        status = th_tool_replace(output, th_slice_of(component.data, component.size), reterr);
    if (ret_bytes)
        *ret_bytes = component.size;
    th_encoder_free(component);
    th_buf_done(&bytes);
    return status;
}

theater_status th_tool_inspect(th_slice component, const char *name, theater_error *reterr)
{
    char reason[768];
    if (th_encoder_inspect(component.data, component.size, reason, sizeof reason))
        return THEATER_OK;
    return th_fail(reterr, THEATER_COMPONENT_REFUSED, "%s is no actor: %s", name, reason);
}
