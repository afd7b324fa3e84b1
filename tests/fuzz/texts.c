/* Targets of texts that people and other programs write: JSON, the tokens file, the files of `theater test`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/value.h"
#include "fuzz/targets.h"
#include "guest/script.h"
#include "server/server.h"

static void walk(const th_value *value, th_arena *arena, unsigned depth, size_t *left)
{
    th_slice bytes;
    FUZZ_HOLDS(depth <= TH_VALUE_DEPTH_MAX + 1 && *left > 0);
    --*left;
    FUZZ_HOLDS(value->type != TH_VALUE_STRING || th_utf8_valid(value->text));
    (void)th_value_bytes(value, arena, &bytes);
    for (const th_value *each = value->first; each; each = each->next)
        walk(each, arena, depth + 1, left);
}

/* The client's reader, and that of `theater test`, whose form of a value is one that it reads as itself. */
void fuzz_json(th_slice input)
{
    th_arena arena;
    const th_value *value;
    theater_error error = {0};
    size_t left = input.size + 1; /* a document has no more values than bytes */
    th_arena_init(&arena, (size_t)16 << 20);
    theater_status status = th_value_parse(input, &arena, &value, &error);
    if (status)
        fuzz_refused(status, &error);
    else
        walk(value, &arena, 1, &left);
    th_slice plain, again;
    if (th_script_json(&arena, input, &plain)) {
        FUZZ_HOLDS(th_script_json(&arena, plain, &again));
        FUZZ_HOLDS(th_slice_equal(plain, again));
    }
    th_arena_done(&arena);
}

void fuzz_tokens(th_slice input)
{
    th_tokens tokens;
    theater_error error = {0};
    theater_status status = th_tokens_parse(input, "tokens", &tokens, &error);
    if (status) {
        fuzz_refused(status, &error);
        FUZZ_HOLDS(!tokens.list);
        return;
    }
    FUZZ_HOLDS(tokens.count <= TH_TOKENS_MAX);
    for (size_t i = 0; i < tokens.count; i++) {
        th_slice id = th_slice_text(tokens.list[i].id), name = th_slice_text(tokens.list[i].name);
        FUZZ_HOLDS(id.size > 0 && th_utf8_valid(id) && name.size > 0 && th_utf8_valid(name));
        FUZZ_HOLDS(!memchr(name.data, '\n', name.size));
    }
    FUZZ_HOLDS(!th_tokens_find(&tokens, th_slice_text("a secret that nobody has")));
    th_tokens_done(&tokens);
}

/* Through a file, as it is read. */
void fuzz_script(th_slice input)
{
    char path[] = "/tmp/theater-fuzz-XXXXXX";
    th_script script;
    theater_error error = {0};
    int file = mkstemp(path);
    FUZZ_HOLDS(file >= 0 && write(file, input.data, input.size) == (ssize_t)input.size);
    close(file);
    theater_status status = th_script_read(path, &script, &error);
    unlink(path);
    if (status) {
        fuzz_refused(status, &error);
        return;
    }
    for (size_t i = 0; i < script.count; i++) {
        const th_script_line *line = &script.lines[i];
        FUZZ_HOLDS(line->number == i + 1);
        FUZZ_HOLDS(!memchr(line->raw.size ? line->raw.data : (const uint8_t *)"", '\n', line->raw.size));
    }
    th_script_done(&script);
}
