#include "tool/compiler.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool/files.h"

/* The versions of clang that are looked for by number: from the oldest that the SDK is tried with to some
 * that are yet to come. */
enum { OLDEST = 14, NEWEST = 40 };

extern char **environ;

/* Looks `name` up in the path, like a shell would. `ret` has PATH_MAX bytes. */
static bool find_program(const char *name, char *ret)
{
    const char *path = getenv("PATH");
    for (const char *part = path ? path : "/usr/local/bin:/usr/bin:/bin"; *part;) {
        size_t size = strcspn(part, ":");
        if (size > 0 && snprintf(ret, PATH_MAX, "%.*s/%s", (int)size, part, name) < PATH_MAX &&
            access(ret, X_OK) == 0)
            return true;
        part += size + (part[size] == ':');
    }
    return false;
}

/* Looks for a linker in the folder where the compiler really lies: distributions keep the pair together
 * there. */
static bool find_beside(const char *program, const char *name, char *ret)
{
    char real[PATH_MAX];
    if (!realpath(program, real))
        return false;
    char *slash = strrchr(real, '/');
    if (!slash)
        return false;
    *slash = 0;
    return snprintf(ret, PATH_MAX, "%s/%s", real, name) < PATH_MAX && access(ret, X_OK) == 0;
}

static bool copy_environment(const char *variable, char *ret)
{
    const char *value = getenv(variable);
    return value && *value && snprintf(ret, PATH_MAX, "%s", value) < PATH_MAX;
}

/* The clang called `name` with a linker of its own version. */
static bool find_pair(const char *name, const char *linker_name, th_tool_compiler *ret)
{
    return find_program(name, ret->clang) &&
           (find_program(linker_name, ret->linker) || find_beside(ret->clang, "wasm-ld", ret->linker));
}

static bool find_any(const char *base, char *ret)
{
    char name[32];
    for (int version = NEWEST; version >= OLDEST; version--) {
        snprintf(name, sizeof name, "%s-%d", base, version);
        if (find_program(name, ret))
            return true;
    }
    return find_program(base, ret);
}

static bool find_matching(th_tool_compiler *ret)
{
    char clang[32], linker[32];
    for (int version = NEWEST; version >= OLDEST; version--) {
        snprintf(clang, sizeof clang, "clang-%d", version);
        snprintf(linker, sizeof linker, "wasm-ld-%d", version);
        if (find_pair(clang, linker, ret))
            return true;
    }
    return find_pair("clang", "wasm-ld", ret);
}

theater_status th_tool_find_compiler(th_tool_compiler *ret, theater_error *reterr)
{
    bool clang_given = copy_environment("THEATER_CLANG", ret->clang);
    bool linker_given = copy_environment("THEATER_WASM_LD", ret->linker);
    if (!clang_given && !linker_given && find_matching(ret))
        return THEATER_OK;
    if (!clang_given && !find_any("clang", ret->clang))
        return th_fail(reterr, THEATER_TOOL_MISSING,
                       "actors in C need clang 14 or newer, which is not installed: apt install clang lld");
    if (!linker_given && !find_beside(ret->clang, "wasm-ld", ret->linker) &&
        !find_any("wasm-ld", ret->linker))
        return th_fail(reterr, THEATER_TOOL_MISSING, "%.512s has no wasm-ld of its version: apt install lld",
                       ret->clang);
    return THEATER_OK;
}

static theater_status wait_for(pid_t child, const char *what, theater_error *reterr)
{
    int ended;
    while (waitpid(child, &ended, 0) < 0) {
        if (errno != EINTR)
            return th_tool_fail_errno(reterr, errno, what);
    }
    if (WIFSIGNALED(ended))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s was ended by signal %d", what, WTERMSIG(ended));
    if (WEXITSTATUS(ended) != 0)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s failed", what);
    return THEATER_OK;
}

theater_status th_tool_run(const char *const *arguments, const char *what, theater_error *reterr)
{
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0)
        return th_tool_fail_errno(reterr, error, what);
    pid_t child;
    error = posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    if (error == 0)
        error = posix_spawn(&child, arguments[0], &actions, NULL, (char *const *)arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error == ENOENT)
        return th_fail(reterr, THEATER_TOOL_MISSING, "%s: there is no such program", arguments[0]);
    if (error != 0)
        return th_tool_fail_errno(reterr, error, arguments[0]);
    return wait_for(child, what, reterr);
}
