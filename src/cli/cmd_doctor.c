/* doctor: looks at everything that a command may stumble over, and says what helps. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cli/commands.h"
#include "guest/guest.h"
#include "port/system.h"

#define LITTLE_SPACE (UINT64_C(1) << 30)

typedef enum verdict { GOOD, WARNING, BAD } verdict;

typedef struct examination {
    cli_run *cli;
    theater_status status; /* of the first thing that is bad */
    char worst[256];
} examination;

/* One finding: what was looked at, what is so, and what helps (NULL when nothing need be done). */
static void say(examination *self, const char *what, verdict is, const char *remedy, const char *format, ...)
{
    static const char *const words[] = {"ok", "warning", "bad"};
    static const char *const colours[] = {"32", "33", "31"};
    char text[1200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    cli_output *out = &self->cli->out;
    if (self->cli->json) {
        cli_json_object(out);
        cli_json_key(out, "check");
        cli_json_string(out, what);
        cli_json_key(out, "verdict");
        cli_json_string(out, words[is]);
        cli_json_key(out, "detail");
        cli_json_string(out, text);
        cli_json_key(out, "remedy");
        if (remedy)
            cli_json_string(out, remedy);
        else
            cli_json_null(out);
        cli_json_end(out, '}');
        cli_json_line(out);
        return;
    }
    cli_colour(out, colours[is]);
    cli_printf(out, "%-8s", words[is]);
    cli_colour(out, "0");
    cli_printf(out, "%-14s %s\n", what, text);
    if (remedy)
        cli_printf(out, "%-23sto do: %s\n", "", remedy);
}

static void bad(examination *self, const char *what, theater_status status, const char *message,
                const char *remedy)
{
    say(self, what, BAD, remedy, "%s", message);
    if (self->status == THEATER_OK) {
        self->status = status;
        snprintf(self->worst, sizeof self->worst, "%s", what);
    }
}

/* ---- the data folder ----------------------------------------------------------------------------------- */

static void look_at_lock(examination *self, const char *folder)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/lock", folder);
    th_file *file;
    theater_error error;
    if (access(folder, W_OK) != 0) {
        say(self, "writing", WARNING, "run it as the folder's owner, or only use the commands that read",
            "%s cannot be written: %s", folder, strerror(errno));
        return;
    }
    if (access(path, F_OK) != 0) {
        say(self, "writing", GOOD, NULL, "no process writes to it");
        return;
    }
    theater_status status = th_file_open(th_port_system(), path, TH_FILE_READ | TH_FILE_WRITE, &file, &error);
    if (status) {
        bad(self, "writing", status, error.message, "look at the owner and mode of the file");
        return;
    }
    status = th_file_lock(file, 0, &error);
    if (status == THEATER_BUSY)
        say(self, "writing", GOOD, NULL,
            "another process has it open for writing; reading commands work meanwhile");
    else if (status)
        bad(self, "writing", status, error.message, "look at the owner and mode of the file");
    else
        say(self, "writing", GOOD, NULL, "no process writes to it");
    th_file_close(file);
}

static void look_at_log(examination *self, theater_folder *folder)
{
    uint64_t records = 0, bytes = 0;
    theater_error error;
    theater_status status = theater_folder_check(folder, &records, &bytes, &error);
    if (status)
        bad(self, "log", status, error.message,
            "restore the folder from a backup; nothing is repaired silently");
    else
        say(self, "log", GOOD, NULL, "%" PRIu64 " records, %" PRIu64 " bytes, every checksum holds", records,
            bytes);
    uint64_t indexed = theater_folder_indexed(folder);
    if (!status && indexed < records)
        say(self, "index", GOOD, "nothing: the next command that writes brings it up to date",
            "covers %" PRIu64 " of %" PRIu64 " records", indexed, records);
    else if (!status)
        say(self, "index", GOOD, NULL, "covers every record");
}

static void look_at_key(examination *self, const char *folder)
{
    char path[4096];
    struct stat info;
    snprintf(path, sizeof path, "%s/keys/signing.key", folder);
    if (stat(path, &info) != 0) {
        if (errno == ENOENT)
            say(self, "key", GOOD, NULL, "none yet; the first checkpoint makes it");
        else
            say(self, "key", WARNING, "run it as the folder's owner", "%s: %s", path, strerror(errno));
        return;
    }
    if (info.st_mode & 077)
        bad(self, "key", THEATER_PERMISSION, "others may read the signing key",
            "chmod 600 keys/signing.key, and think of who may have read it");
    else
        say(self, "key", GOOD, NULL, "only its owner may read it");
}

static void look_at_space(examination *self, const char *folder)
{
    struct statvfs info;
    if (statvfs(folder, &info) != 0)
        return;
    uint64_t left = (uint64_t)info.f_bavail * info.f_frsize;
    bool little = left < LITTLE_SPACE;
    say(self, "space", little ? WARNING : GOOD,
        little ? "make room: without it the runtime becomes read-only" : NULL, "%" PRIu64 " MiB left",
        left >> 20);
}

static void look_at_folder(examination *self)
{
    const char *path;
    theater_error error;
    theater_folder *folder;
    theater_status status = cli_data(self->cli, true, &path, &error);
    if (status) {
        bad(self, "folder", status, error.message,
            "name another one with --data, or start an actor to make it");
        return;
    }
    status = theater_folder_open(path, &folder, &error);
    if (status) {
        bad(self, "folder", status, error.message,
            status == THEATER_VERSION      ? "use the version of theater that made it"
            : status == THEATER_PERMISSION ? "run it as the folder's owner"
                                           : "restore the folder from a backup");
        return;
    }
    say(self, "folder", GOOD, NULL, "%s is a data folder of this version", path);
    look_at_lock(self, path);
    look_at_log(self, folder);
    look_at_key(self, path);
    look_at_space(self, path);
    theater_folder_close(folder);
}

/* ---- the rest ------------------------------------------------------------------------------------------ */

static void look_at_engine(examination *self)
{
    theater_bytes words;
    theater_error error;
    theater_status status = theater_engine_describe(&words, &error);
    if (status)
        bad(self, "engine", status, error.message, "look at the limits of this process (ulimit -v)");
    else
        say(self, "engine", GOOD, NULL, "%s: %s", theater_engine_name(), (const char *)words.data);
    theater_bytes_free(&words);
}

/* A tool that is missing: its message says what is so, then ": " and what helps. */
static void say_missing(examination *self, const char *language, const char *message)
{
    const char *remedy = strstr(message, ": ");
    size_t size = remedy ? (size_t)(remedy - message) : strlen(message);
    say(self, language, WARNING, remedy ? remedy + 2 : NULL, "%.*s", (int)size, message);
}

/* One language: its SDK and each of its tools; the first that is missing is what helps. */
static void look_at_language(examination *self, const th_guest_language *language)
{
    char path[PATH_MAX], found[1024] = "";
    size_t size = 0;
    theater_error error;
    if (language->sdk && th_guest_find_sdk(language->sdk, path, &error)) {
        say(self, language->name, WARNING, "install Theater whole, with share/theater", "%s", error.message);
        return;
    }
    for (const th_guest_tool *tool = language->tools; tool->program; tool++) {
        if (th_guest_tool_find(language, tool, path, &error)) {
            say_missing(self, language->name, error.message);
            return;
        }
        if (size < sizeof found)
            size += (size_t)snprintf(found + size, sizeof found - size, "%s%s", size ? ", " : "", path);
    }
    say(self, language->name, GOOD, NULL, "%s", found);
}

/* What is missing for a language is no fault of the machine: it is only needed to build actors in it. */
static void look_at_tools(examination *self)
{
    char folder[PATH_MAX];
    for (size_t i = 0; th_guest_languages[i]; i++)
        if (th_guest_languages[i]->sdk)
            look_at_language(self, th_guest_languages[i]);
    if (th_guest_tools_folder(folder))
        say(self, "tools", GOOD, NULL, access(folder, F_OK) == 0 ? "%s" : "%s (not there yet)", folder);
    char sdk[PATH_MAX];
    theater_error error;
    if (th_guest_find_sdk("c", folder, &error) == THEATER_OK && realpath(folder, sdk)) {
        *strrchr(sdk, '/') = 0;
        say(self, "sdk", GOOD, NULL, "%s", sdk);
    }
}

static theater_status run(cli_run *cli, theater_error *reterr)
{
    examination self = {.cli = cli};
    if (cli->data)
        look_at_folder(&self);
    look_at_engine(&self);
    look_at_tools(&self);
    if (self.status)
        return th_fail(reterr, self.status, "the %s is not as it should be", self.worst);
    return THEATER_OK;
}

static const cli_example examples[] = {
    {"doctor", "looks at the engine and the tools of this machine"},
    {"--data data doctor", "looks at a data folder too, and reads all of its log"},
    {NULL, NULL},
};

const cli_command cli_cmd_doctor = {
    .name = "doctor",
    .operands = "",
    .summary = "Looks for what is wrong, and says what helps",
    .description = "Looks at the data folder when one is named (format, lock, every checksum of the log, "
                   "index, mode of the key, space on the disk), at the "
                   "engine, and for each language of \"theater build\" at the tools that it needs, with the line that "
                   "installs what is missing, and says where the tools and the SDK are. What is bad gives its exit code; a warning does not.",
    .examples = examples,
    .no_server = true,
    .run = run,
};
