/* guest/guest.h: actors in the languages people write: `theater new`, `theater build` and what `theater
 * doctor` says of the tool chains.
 *
 * One table of languages (languages.h), one file a language. A language says which files are its own, which
 * tools it needs, which folder of sdk/ belongs to a project, and how a component is made. All else is common:
 * finding the project and its name, running tools with their own words shown, wrapping a core module,
 * answering what is left of WASI, checking that nothing of it is left, and putting the result in its place.
 *
 * These functions are for a person at a terminal: they run compilers, write below the project's folder, and
 * let the tools' own messages through to standard error. They are no part of libtheater and reach files and
 * processes directly, not through the port.
 *
 * Threads: one. Two builds of one folder at once would fight over its output; the last one wins.
 */
#ifndef TH_GUEST_GUEST_H
#define TH_GUEST_GUEST_H

#include <limits.h>

#include "base/bytes.h"

/* What a language is given to make a component of. All paths are absolute. */
typedef struct th_guest_job {
    const char *folder;  /* the project */
    const char *entry;   /* the file that makes the folder a project of this language */
    const char *name;    /* the actor's; a valid name */
    const char *sdk;     /* the language's folder of the SDK; "" when the language has none */
    const char *scratch; /* a folder for this build, removed afterwards with all that is in it */
    const char *cache;   /* a folder of the project that stays from build to build: build/.cache */
    const char *module;  /* path in scratch for a core module, by the actor's name */
    const char *output;  /* path in scratch for the component */
} th_guest_job;

/* A tool that a language needs. */
typedef struct th_guest_tool {
    const char *program;  /* as it is called: "cargo" */
    const char *variable; /* of the environment, which names another: "THEATER_CARGO"; NULL: none */
    const char *remedy;   /* one line that installs it: "tools/guest-tools zig"; NULL: `find` says it */
    /* Looks for it where a look at the path is not enough; `ret` has PATH_MAX bytes. NULL: th_guest_find. What
     * it says when it fails is shown, and ends with ": " and the remedy. */
    theater_status (*find)(char *ret, theater_error *reterr);
} th_guest_tool;

typedef struct th_guest_language {
    const char *name;              /* for --lang: "rust" */
    const char *other_name;        /* for --lang too: "js"; NULL: none */
    const char *title;             /* for people: "Rust" */
    const char *const *extensions; /* of a source file that is built alone: ".py"; ends with NULL */
    /* Files whose presence makes a folder a project of this language, in order; ends with NULL. One that
     * starts with * stands for any file with that ending. */
    const char *const *markers;
    const char *sdk;            /* its folder in sdk/, for templates too */
    bool place_sdk;             /* the SDK is copied to .theater/NAME of a project before a build */
    const char *link;           /* from a project to its copy: "node_modules/theater"; NULL: none */
    const th_guest_tool *tools; /* ends with a program of NULL */
    /* Makes job->output. The tool's own words were shown when it fails. INVALID_ARGUMENT, TOOL_MISSING,
     * COMPONENT_REFUSED, IO. `ret_tool`, of PATH_MAX bytes, gets the main tool's path. */
    theater_status (*build)(const th_guest_job *job, char *ret_tool, theater_error *reterr);
} th_guest_language;

/* All languages, in the order in which a folder is asked whose it is; ends with NULL. */
extern const th_guest_language *const th_guest_languages[];

/* The language with this name; NULL when there is none. */
const th_guest_language *th_guest_language_named(const char *name);
/* "c, rust, ..." for messages; static. */
const char *th_guest_language_names(void);

/* ---- what the commands do ------------------------------------------------------------------------------ */

/* Makes the folder `path`, whose last part becomes the actor's name, from the language's template. Errors:
 * INVALID_ARGUMENT (not a name by the chain format), EXISTS (something is there), TOOL_MISSING (the SDK is not
 * there), PERMISSION, NO_SPACE, IO. What was written before an error stays. */
THEATER_CHECKED theater_status th_guest_new(const th_guest_language *language, const char *path,
                                            theater_error *reterr);

typedef struct th_guest_project {
    const th_guest_language *language;
    char folder[PATH_MAX]; /* as it was given: "." or "actors/counter" */
    char entry[PATH_MAX];  /* absolute */
    char name[129];
} th_guest_project;

/* Finds out what `path` is: a project's folder, or one source file. `language` NULL: by the files. The name is
 * the one of the folder's actor.yaml; without it the folder's, or the file's without its ending. Errors:
 * NOT_FOUND (no such path, or no file of a language), INVALID_ARGUMENT (the name). */
THEATER_CHECKED theater_status th_guest_project_find(const char *path, const th_guest_language *language,
                                                     th_guest_project *ret, theater_error *reterr);

typedef struct th_guest_built {
    char component[PATH_MAX]; /* path, below the folder that was given */
    char tool[PATH_MAX];      /* the compiler that was used */
    size_t component_bytes;
    th_hash hash; /* SHA-256 of the component */
} th_guest_built;

/* Builds a project to `output`, or build/NAME.wasm in its folder when that is NULL. An older component is
 * replaced whole or not at all. Errors: what the language's build says; COMPONENT_REFUSED when the component
 * imports more than the host has, with the list and the remedy. */
THEATER_CHECKED theater_status th_guest_build(const th_guest_project *project, const char *output,
                                              th_guest_built *ret, theater_error *reterr);

/* ---- what languages use -------------------------------------------------------------------------------- */

/* Where the tools of `tools/guest-tools` are: $THEATER_TOOLS, else ~/.local/share/theater/tools. `ret` has
 * PATH_MAX bytes; false when neither is known. The folder need not be there. */
bool th_guest_tools_folder(char *ret);

/* The program `name`: first in the tools folder (bin, venv/bin, node_modules/.bin, go/bin), whose versions are
 * pinned, then in the path. `ret` has PATH_MAX bytes. */
bool th_guest_find(const char *name, char *ret);

/* The first word that `program`, called with `arguments`, prints; false when it prints none. What it says of
 * errors is not shown. */
bool th_guest_says(const char *program, const char *arguments, char *ret_word, size_t size);

/* The program `node` where it is new enough for the tools that run in it; `ret` has PATH_MAX bytes. TOOL_MISSING,
 * with the language's title and `remedy`. */
THEATER_CHECKED theater_status th_guest_find_node(const char *title, const char *remedy, char *ret,
                                                  theater_error *reterr);

/* The line that installs a tool, with the path of tools/guest-tools as it is on this machine. `ret` has PATH_MAX
 * bytes, and is returned. */
const char *th_guest_remedy(const th_guest_tool *tool, char *ret);

/* The path of a tool, by its variable, its own `find` or th_guest_find. TOOL_MISSING, with a message that says
 * what is missing, then ": " and the remedy. */
THEATER_CHECKED theater_status th_guest_tool_find(const th_guest_language *language,
                                                  const th_guest_tool *tool, char *ret,
                                                  theater_error *reterr);
/* The same for a tool of the language by its program's name, which must be in the table. */
THEATER_CHECKED theater_status th_guest_need(const th_guest_language *language, const char *program,
                                             char *ret, theater_error *reterr);

/* A program to run, without a shell. */
typedef struct th_guest_command {
    const char *const *arguments;   /* the program's path first; ends with NULL */
    const char *const *environment; /* "NAME=value" beside and before those of this process; NULL: none */
    const char *folder;             /* to run it in; NULL: this one */
    const char *what;               /* for the message: "cargo" */
} th_guest_command;

/* Runs it and waits. Its output goes to standard error. INVALID_ARGUMENT "what failed" when it ends with
 * anything but 0; TOOL_MISSING when there is no such program. The tools folder's bin folders stand first in
 * the PATH it sees, and locale and time zone are fixed, so that two machines build the same. */
THEATER_CHECKED theater_status th_guest_run(const th_guest_command *command, theater_error *reterr);

/* Wraps the core module at job->module to a component at job->output; with `wasi`, calls of WASI preview 1 are
 * answered inside the component (sdk/wasi-stub/README.md). COMPONENT_REFUSED. */
THEATER_CHECKED theater_status th_guest_componentize(const th_guest_job *job, bool wasi,
                                                     theater_error *reterr);

/* The folder sdk/NAME: below $THEATER_SDK, ../share/theater/sdk beside the program, or the one known when this
 * was built. `ret` has PATH_MAX bytes. TOOL_MISSING. */
THEATER_CHECKED theater_status th_guest_find_sdk(const char *name, char *ret, theater_error *reterr);

/* Copies the SDK of a language that has `place_sdk` to .theater/SDK of the project in `folder`, for a compiler
 * that looks for it beside the sources, and makes the language's `link`, where nothing is in its place. The copy is
 * refreshed with each build, so that a project follows the version of Theater that builds it. */
THEATER_CHECKED theater_status th_guest_place_sdk(const th_guest_language *language, const char *folder,
                                                  theater_error *reterr);

/* Copies a folder with all in it, hidden files and the folders node_modules, target, template*, tests and
 * __pycache__ left out. A file that is the same already is not touched, so that nothing is built again. At
 * most 10,000 files; the target's folders are made. */
THEATER_CHECKED theater_status th_guest_copy_folder(const char *from, const char *to, theater_error *reterr);
/* Removes a folder with all that is in it; what does not work is left. */
void th_guest_remove_folder(const char *path);
/* Makes a folder and those above it. */
THEATER_CHECKED theater_status th_guest_make_folders(const char *path, theater_error *reterr);

#endif
