/* Finding tools, and running them. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest/guest.h"
#include "tool/files.h"

enum { ENVIRONMENT_MAX = 4096, PATH_VALUE_MAX = 1 << 16 };

extern char **environ;

/* Where a tool may lie below the tools folder. */
static const char *const places[] = {"bin", "venv/bin", "node_modules/.bin", "go/bin", NULL};

bool th_guest_tools_folder(char *ret)
{
    const char *given = getenv("THEATER_TOOLS"), *home = getenv("HOME"), *data = getenv("XDG_DATA_HOME");
    if (given && *given)
        return snprintf(ret, PATH_MAX, "%s", given) < PATH_MAX;
    if (data && *data)
        return snprintf(ret, PATH_MAX, "%s/theater/tools", data) < PATH_MAX;
    return home && *home && snprintf(ret, PATH_MAX, "%s/.local/share/theater/tools", home) < PATH_MAX;
}

static bool is_program(const char *path)
{
    struct stat info;
    return access(path, X_OK) == 0 && stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

static bool find_in_path(const char *name, char *ret)
{
    const char *path = getenv("PATH");
    for (const char *part = path ? path : "/usr/local/bin:/usr/bin:/bin"; *part;) {
        size_t size = strcspn(part, ":");
        if (size > 0 && snprintf(ret, PATH_MAX, "%.*s/%s", (int)size, part, name) < PATH_MAX &&
            is_program(ret))
            return true;
        part += size + (part[size] == ':');
    }
    return false;
}

bool th_guest_find(const char *name, char *ret)
{
    char tools[PATH_MAX];
    if (th_guest_tools_folder(tools))
        for (size_t i = 0; places[i]; i++)
            if (snprintf(ret, PATH_MAX, "%s/%s/%s", tools, places[i], name) < PATH_MAX && is_program(ret))
                return true;
    return find_in_path(name, ret);
}

bool th_guest_says(const char *program, const char *arguments, char *ret_word, size_t size)
{
    char command[PATH_MAX + 128];
    if (strchr(program, '\''))
        return false;
    /* No tool may fetch another version of itself to say this. */
    snprintf(command, sizeof command, "GOTOOLCHAIN=local '%s' %s 2>/dev/null", program, arguments);
    FILE *pipe = popen(command, "re");
    if (!pipe)
        return false;
    bool read = fgets(ret_word, (int)size, pipe) != NULL;
    pclose(pipe);
    if (read)
        ret_word[strcspn(ret_word, " \r\n")] = 0;
    return read;
}

theater_status th_guest_find_node(const char *title, const char *remedy, char *ret, theater_error *reterr)
{
    enum { MAJOR_OLDEST = 20 }; /* tools/guest-tools knows it too: asc and the SDK's host for tests want it */
    char version[64] = "";
    unsigned major;
    bool there = th_guest_find("node", ret);
    if (there && th_guest_says(ret, "--version", version, sizeof version) &&
        (sscanf(version, "v%u", &major) != 1 || major >= MAJOR_OLDEST))
        return THEATER_OK;
    char line[PATH_MAX];
    const char *what = !there     ? "which is not installed"
                       : *version ? "and the one here is"
                                  : "and the one here does not run";
    return th_fail(reterr, THEATER_TOOL_MISSING, "actors in %s need Node %d or newer, %s%s%s: %s", title,
                   MAJOR_OLDEST, what, *version ? " " : "", version,
                   th_guest_remedy(&(th_guest_tool){.remedy = remedy}, line));
}

/* The script that installs tools: beside sdk in the sources, or in share/theater. "" when it is in neither. */
static void find_script(char *ret)
{
    static const char *const beside[] = {"../../tools/guest-tools", "../../guest-tools", NULL};
    char sdk[PATH_MAX], path[PATH_MAX + 32];
    ret[0] = 0;
    if (th_guest_find_sdk("c", sdk, NULL) != THEATER_OK)
        return;
    for (size_t i = 0; beside[i]; i++) {
        snprintf(path, sizeof path, "%s/%s", sdk, beside[i]);
        if (realpath(path, ret) && is_program(ret))
            return;
    }
    ret[0] = 0;
}

const char *th_guest_remedy(const th_guest_tool *tool, char *ret)
{
    static const char script[] = "tools/guest-tools";
    char path[PATH_MAX];
    bool by_script = strncmp(tool->remedy, script, sizeof script - 1) == 0;
    path[0] = 0;
    if (by_script)
        find_script(path);
    snprintf(ret, PATH_MAX, "%.3000s%s", path, path[0] ? tool->remedy + sizeof script - 1 : tool->remedy);
    return ret;
}

theater_status th_guest_tool_find(const th_guest_language *language, const th_guest_tool *tool, char *ret,
                                  theater_error *reterr)
{
    const char *given = tool->variable ? getenv(tool->variable) : NULL;
    if (given && *given) {
        if (snprintf(ret, PATH_MAX, "%s", given) < PATH_MAX && is_program(ret))
            return THEATER_OK;
        return th_fail(reterr, THEATER_TOOL_MISSING, "%s is %.512s, which is no program: unset it",
                       tool->variable, given);
    }
    if (tool->find)
        return tool->find(ret, reterr);
    if (th_guest_find(tool->program, ret))
        return THEATER_OK;
    char remedy[PATH_MAX];
    return th_fail(reterr, THEATER_TOOL_MISSING, "actors in %s need %s, which is not installed: %s",
                   language->title, tool->program, th_guest_remedy(tool, remedy));
}

theater_status th_guest_need(const th_guest_language *language, const char *program, char *ret,
                             theater_error *reterr)
{
    const th_guest_tool *tool = language->tools;
    while (tool->program && strcmp(tool->program, program) != 0)
        tool++;
    th_assert(tool->program);
    return th_guest_tool_find(language, tool, ret, reterr);
}

/* ---- running ------------------------------------------------------------------------------------------- */

static bool names_same(const char *a, const char *b)
{
    size_t size = strcspn(a, "=");
    return strncmp(a, b, size) == 0 && b[size] == '=';
}

/* Puts `entry` into the list unless its name is there. */
static bool add_variable(const char **list, size_t *count, const char *entry)
{
    for (size_t i = 0; i < *count; i++)
        if (names_same(list[i], entry))
            return true;
    if (*count + 1 >= ENVIRONMENT_MAX)
        return false;
    list[(*count)++] = entry;
    list[*count] = NULL;
    return true;
}

/* The PATH that tools see, so that a tool finds the tools that it calls. */
static void make_path(char *ret, size_t size)
{
    char tools[PATH_MAX];
    const char *path = getenv("PATH");
    size_t used = (size_t)snprintf(ret, size, "PATH=");
    if (th_guest_tools_folder(tools))
        for (size_t i = 0; places[i] && used < size; i++)
            used += (size_t)snprintf(ret + used, size - used, "%s/%s:", tools, places[i]);
    if (used < size)
        snprintf(ret + used, size - used, "%s", path ? path : "/usr/local/bin:/usr/bin:/bin");
}

static theater_status make_environment(const th_guest_command *command, char *path, const char **ret,
                                       theater_error *reterr)
{
    static const char *const fixed[] = {"LC_ALL=C.UTF-8", "TZ=UTC", "SOURCE_DATE_EPOCH=315532800", NULL};
    size_t count = 0;
    bool fits = true;
    ret[0] = NULL;
    for (size_t i = 0; command->environment && command->environment[i]; i++)
        fits = fits && add_variable(ret, &count, command->environment[i]);
    fits = fits && add_variable(ret, &count, path);
    for (size_t i = 0; fixed[i]; i++)
        fits = fits && add_variable(ret, &count, fixed[i]);
    for (char **entry = environ; *entry; entry++)
        fits = fits && add_variable(ret, &count, *entry);
    return fits ? THEATER_OK
                : th_fail(reterr, THEATER_TOO_LARGE, "%s: the environment has more than %d variables",
                          command->what, ENVIRONMENT_MAX);
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
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s failed; its own words stand above", what);
    return THEATER_OK;
}

static theater_status spawn(const th_guest_command *command, const char **environment, theater_error *reterr)
{
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0)
        return th_tool_fail_errno(reterr, error, command->what);
    pid_t child;
    error = posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    if (error == 0)
        error = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (error == 0 && command->folder)
        error = posix_spawn_file_actions_addchdir_np(&actions, command->folder);
    if (error == 0)
        error = posix_spawn(&child, command->arguments[0], &actions, NULL, (char *const *)command->arguments,
                            (char *const *)environment);
    posix_spawn_file_actions_destroy(&actions);
    if (error == ENOENT)
        return th_fail(reterr, THEATER_TOOL_MISSING, "%s: there is no such program", command->arguments[0]);
    if (error != 0)
        return th_tool_fail_errno(reterr, error, command->arguments[0]);
    return wait_for(child, command->what, reterr);
}

theater_status th_guest_run(const th_guest_command *command, theater_error *reterr)
{
    char *path = th_alloc(PATH_VALUE_MAX);
    const char **environment = th_alloc(ENVIRONMENT_MAX * sizeof *environment);
    theater_status status = THEATER_OK;
    if (!path || !environment)
        status = th_fail_memory(reterr, "a tool's environment");
    if (status == THEATER_OK) {
        make_path(path, PATH_VALUE_MAX);
        status = make_environment(command, path, environment, reterr);
    }
    if (status == THEATER_OK)
        status = spawn(command, environment, reterr);
    th_free(path);
    th_free(environment);
    return status;
}
