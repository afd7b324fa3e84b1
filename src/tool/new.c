/* `theater new`: a small actor to start from. It votes: an input names a choice, the state counts them; so it
 * shows the state in place, a configuration, a rejection, an output and verify-state, and needs no other file
 * than its own. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "tool/files.h"
#include "tool/tool.h"

/* In each text, @ stands for the actor's name. */
static const char actor_text[] =
    "/* @: counts votes.\n"
    " *\n"
    " * The configuration is the list of choices, separated by spaces. Inputs: \"vote CHOICE\", \"result\".\n"
    " *\n"
    " * The state, which is all that an actor remembers: for each choice a record of 32 bytes, 24 for its\n"
    " * text, with zeros behind it, and 8 for its votes, little-endian.\n"
    " */\n"
    "#include <theater.h>\n"
    "\n"
    "enum { NAME = 24, RECORD = 32 };\n"
    "\n"
    "static theater_slice name_of(const uint8_t *record)\n"
    "{\n"
    "    size_t size = 0;\n"
    "    while (size < NAME && record[size])\n"
    "        size++;\n"
    "    return theater_slice_of(record, size);\n"
    "}\n"
    "\n"
    "/* Makes the first state. */\n"
    "static theater_result init(theater_slice config)\n"
    "{\n"
    "    theater_bytes state = {0};\n"
    "    for (theater_slice word; (word = theater_next_word(&config)).size > 0;) {\n"
    "        if (word.size > NAME)\n"
    "            return theater_reject(\"a choice has at most 24 bytes\");\n"
    "        state = theater_bytes_resize(state, state.size + RECORD);\n"
    "        __builtin_memcpy(state.data + state.size - RECORD, word.data, word.size);\n"
    "    }\n"
    "    return state.size > 0 ? theater_start(state) : theater_reject(\"no choice is configured\");\n"
    "}\n"
    "\n"
    "static theater_result vote(theater_slice choice, theater_bytes state)\n"
    "{\n"
    "    for (size_t at = 0; at < state.size; at += RECORD) {\n"
    "        uint8_t *record = state.data + at;\n"
    "        if (!theater_slice_equal(choice, name_of(record)))\n"
    "            continue;\n"
    "        uint64_t votes = theater_get_u64le(record + NAME) + 1;\n"
    "        theater_put_u64le(record + NAME, votes); /* in place: nothing is copied */\n"
    "        theater_writer output = theater_writer_new(24);\n"
    "        theater_put_u64(&output, votes);\n"
    "        return theater_reply(theater_writer_slice(&output), state);\n"
    "    }\n"
    "    return theater_reject(\"there is no such choice\");\n"
    "}\n"
    "\n"
    "/* One turn: the output and the new state, or why the input is rejected. */\n"
    "static theater_result handle(theater_slice input, theater_bytes state)\n"
    "{\n"
    "    theater_slice word = theater_next_word(&input);\n"
    "    if (theater_slice_is(word, \"vote\"))\n"
    "        return vote(theater_next_word(&input), state);\n"
    "    if (!theater_slice_is(word, \"result\"))\n"
    "        return theater_reject(\"say: vote CHOICE, or: result\");\n"
    "    theater_writer output = theater_writer_new(256);\n"
    "    for (size_t at = 0; at < state.size; at += RECORD) {\n"
    "        if (at > 0)\n"
    "            theater_put_byte(&output, ' ');\n"
    "        theater_put_slice(&output, name_of(state.data + at));\n"
    "        theater_put_byte(&output, '=');\n"
    "        theater_put_u64(&output, theater_get_u64le(state.data + at + NAME));\n"
    "    }\n"
    "    return theater_reply(theater_writer_slice(&output), state);\n"
    "}\n"
    "\n"
    "/* Asked of every new state before it is kept: a turn whose state is not valid is rejected. */\n"
    "static bool verify_state(theater_slice state)\n"
    "{\n"
    "    return state.size > 0 && state.size % RECORD == 0;\n"
    "}\n"
    "\n"
    "THEATER_ACTOR(init, handle, verify_state)\n";

static const char manifest_text[] = "# How the actor is started: theater start --manifest actor.yaml\n"
                                    "name: @\n"
                                    "component: build/@.wasm\n"
                                    "config: 'tea coffee water'\n"
                                    "limits:\n"
                                    "  fuel: 10000000   # most that one turn may compute\n"
                                    "  memory: 16MiB    # of one turn\n"
                                    "  state: 1MiB\n"
                                    "  message: 64KiB   # an input, an output, a message sent\n"
                                    "  effects: 256KiB  # messages and log lines of one turn\n";

static const char readme_text[] =
    "# @\n"
    "\n"
    "An actor for Theater, in C. It counts votes; make it yours.\n"
    "\n"
    "    theater build                                  # build/@.wasm; needs clang and lld\n"
    "    theater --data ./data start --manifest actor.yaml\n"
    "    theater --data ./data send @ 'vote tea'        # 1\n"
    "    theater --data ./data send @ --lines --file inputs.txt\n"
    "    theater --data ./data query @ result           # reads, and leaves no trace\n"
    "    theater --data ./data chain @                  # what happened, turn by turn\n"
    "    theater --data ./data replay @                 # runs it all again and compares\n"
    "\n"
    "`actor.c` is the actor: three functions. `actor.yaml` says how it is started. `inputs.txt` holds\n"
    "inputs to try, one a line; the last one is rejected, and the chain says why.\n"
    "\n"
    "What an actor can do stands in the SDK's `theater.h` and the headers beside it.\n";

static const char inputs_text[] = "vote tea\nvote coffee\nvote tea\nvote water\nresult\nvote wine\n";

static const char ignore_text[] = "/build/\n/data/\n";

typedef struct project_file {
    const char *name;
    const char *text;
} project_file;

static const project_file files[] = {
    {"actor.c", actor_text},     {"actor.yaml", manifest_text}, {"README.md", readme_text},
    {"inputs.txt", inputs_text}, {".gitignore", ignore_text},
};

/* Writes one file with the actor's name filled in. */
static theater_status write_file(const char *folder, const project_file *file, th_slice name,
                                 theater_error *reterr)
{
    char path[PATH_MAX];
    theater_status status = th_tool_join(folder, file->name, path, reterr);
    th_buf text;
    th_buf_init(&text, 1 << 16);
    for (const char *at = file->text; status == THEATER_OK && *at;) {
        size_t size = strcspn(at, "@");
        status = th_buf_append(&text, th_slice_of(at, size), reterr);
        at += size;
        if (status == THEATER_OK && *at == '@') {
            status = th_buf_append(&text, name, reterr);
            at++;
        }
    }
    if (status == THEATER_OK)
        status = th_tool_write_new(path, th_buf_slice(&text), reterr);
    th_buf_done(&text);
    return status;
}

theater_status th_tool_new(const char *path, theater_error *reterr)
{
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/')
        size--;
    if (size >= PATH_MAX)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "the path is too long");
    char folder[PATH_MAX];
    memcpy(folder, path, size);
    folder[size] = 0;
    const char *slash = strrchr(folder, '/');
    th_slice name = th_slice_text(slash ? slash + 1 : folder);
    if (!th_name_valid(name))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                       "\"%.*s\" is no name for an actor: use a-z 0-9 - _ and single dots",
                       (int)(name.size < 128 ? name.size : 128), (const char *)name.data);
    if (mkdir(folder, 0777) != 0)
        return th_tool_fail_errno(reterr, errno, folder);
    theater_status status = THEATER_OK;
    for (size_t i = 0; status == THEATER_OK && i < sizeof files / sizeof *files; i++)
        status = write_file(folder, &files[i], name, reterr);
    return status;
}
