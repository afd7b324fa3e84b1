/* Reading the files of `theater test`: see script.h for the form. */
#include "guest/script.h"

#include <stdio.h>

#include "tool/files.h"

typedef struct word_form {
    const char *word;
    th_script_word means;
    bool has_subject; /* a word stands before the value */
    bool is_bytes;    /* the value may have a type */
} word_form;

static const word_form forms[] = {
    {"case", TH_SCRIPT_CASE, false, false},      {"config", TH_SCRIPT_CONFIG, false, true},
    {"at", TH_SCRIPT_AT, false, false},          {"from", TH_SCRIPT_FROM, true, false},
    {">", TH_SCRIPT_INPUT, false, true},         {"?", TH_SCRIPT_QUERY, false, true},
    {"<", TH_SCRIPT_OUTPUT, false, true},        {"!", TH_SCRIPT_REJECTED, false, true},
    {"->", TH_SCRIPT_SEND, true, true},          {"=>", TH_SCRIPT_REQUEST, true, true},
    {"log", TH_SCRIPT_LOG, true, true},          {"state", TH_SCRIPT_STATE, false, true},
    {"root", TH_SCRIPT_ROOT, false, false},      {"fuel", TH_SCRIPT_FUEL, false, false},
};

static const char *const types[] = {"text", "hex", "json", "string", "file"};

typedef struct reading {
    th_script *script;
    th_script_line *line;
    theater_error *reterr;
} reading;

static theater_status refuse(const reading *r, const char *why, th_slice what)
{
    return th_fail(r->reterr, THEATER_INVALID_ARGUMENT, "%s:%u: %s%.*s", r->script->path, r->line->number, why,
                   (int)(what.size < 200 ? what.size : 200), (const char *)what.data);
}

/* The next word of a line, and what is behind it and one space. */
static th_slice take_word(th_slice *rest)
{
    const uint8_t *space = rest->size ? memchr(rest->data, ' ', rest->size) : NULL;
    size_t size = space ? (size_t)(space - rest->data) : rest->size;
    th_slice word = th_slice_of(rest->data, size);
    size += space != NULL;
    *rest = th_slice_of(rest->data + size, rest->size - size);
    return word;
}

static bool is(th_slice text, const char *word)
{
    return th_slice_equal(text, th_slice_text(word));
}

static const word_form *find_form(th_slice word)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (is(word, forms[i].word))
            return &forms[i];
    return NULL;
}

static theater_status take_file(const reading *r, th_slice name, th_slice *ret)
{
    char path[PATH_MAX];
    const char *slash = strrchr(r->script->path, '/');
    int folder = slash && name.size && name.data[0] != '/' ? (int)(slash - r->script->path) + 1 : 0;
    if (snprintf(path, sizeof path, "%.*s%.*s", folder, r->script->path, (int)name.size,
                 (const char *)name.data) >= PATH_MAX)
        return refuse(r, "the path is too long: ", name);
    th_buf text;
    th_buf_init(&text, TH_SCRIPT_BYTES_MAX);
    theater_status status = th_tool_read(path, &text, r->reterr);
    if (status == THEATER_OK) {
        *ret = th_arena_copy(&r->script->arena, th_buf_slice(&text));
        if (!ret->data && ret->size)
            status = th_fail_memory(r->reterr, "a test");
    } else {
        status = th_fail_in(r->reterr, status, "%s:%u", r->script->path, r->line->number);
    }
    th_buf_done(&text);
    return status;
}

static theater_status take_value(const reading *r, th_slice text)
{
    th_script_line *line = r->line;
    th_arena *arena = &r->script->arena;
    th_slice checked;
    line->value = text;
    switch (line->type) {
    case TH_SCRIPT_TEXT:
        return THEATER_OK;
    case TH_SCRIPT_JSON:
        return th_script_json(arena, text, &checked) ? THEATER_OK : refuse(r, "this is no JSON: ", text);
    case TH_SCRIPT_STRING:
        return th_script_string(arena, text, &line->value) ? THEATER_OK
                                                           : refuse(r, "this is no string: ", text);
    case TH_SCRIPT_FILE:
        return take_file(r, text, &line->value);
    case TH_SCRIPT_HEX:
        break;
    }
    uint8_t *bytes = th_arena_alloc(arena, text.size / 2);
    if (!bytes)
        return th_fail_memory(r->reterr, "a test");
    if (text.size % 2 || !th_hex_decode((const char *)text.data, text.size, bytes, text.size / 2))
        return refuse(r, "these are no pairs of hex digits: ", text);
    line->value = th_slice_of(bytes, text.size / 2);
    return THEATER_OK;
}

/* What has a form of its own. */
static theater_status check_value(const reading *r)
{
    const th_script_line *line = r->line;
    uint8_t hash[THEATER_HASH_SIZE];
    uint64_t number;
    if (line->word == TH_SCRIPT_ROOT &&
        !th_hex_decode((const char *)line->value.data, line->value.size, hash, sizeof hash))
        return refuse(r, "a root has 64 hex digits: ", line->value);
    if (line->word == TH_SCRIPT_AT && !th_script_time(line->value, 0, &number))
        return refuse(r, "a time is such as 2026-01-01T00:00:00Z, +10s or a number of nanoseconds: ",
                      line->value);
    if (line->word == TH_SCRIPT_FUEL && (line->value.size == 0 || line->value.data[0] == '+' ||
                                         !th_script_time(line->value, 0, &number)))
        return refuse(r, "fuel is a number: ", line->value);
    if ((line->word == TH_SCRIPT_SEND || line->word == TH_SCRIPT_REQUEST) && !th_name_valid(line->subject))
        return refuse(r, "this is no name of an actor: ", line->subject);
    bool named = is(line->subject, "actor") || is(line->subject, "reply") || is(line->subject, "failed");
    if (line->word == TH_SCRIPT_FROM && !is(line->subject, "client") && !named)
        return refuse(r, "an input is from client, actor, reply or failed, not ", line->subject);
    if (line->word == TH_SCRIPT_FROM && named && line->value.size == 0)
        return refuse(r, "something is missing behind ", line->subject);
    return THEATER_OK;
}

static theater_status read_line(const reading *r)
{
    th_script_line *line = r->line;
    th_slice rest = line->raw;
    if (rest.size == 0 || rest.data[0] == '#')
        return THEATER_OK;
    th_slice word = take_word(&rest);
    const uint8_t *colon = memchr(word.data, ':', word.size);
    th_slice type = th_slice_of(NULL, 0);
    if (colon) {
        type = th_slice_of(colon + 1, word.size - (size_t)(colon + 1 - word.data));
        word.size = (size_t)(colon - word.data);
    }
    const word_form *form = find_form(word);
    if (!form)
        return refuse(r, "a line begins with one of case config at from > ? < ! -> => log state root fuel "
                         "or #, not with ",
                      word);
    line->word = form->means;
    if (colon) {
        size_t i = 0;
        while (i < sizeof types / sizeof *types && !is(type, types[i]))
            i++;
        if (!form->is_bytes || i == sizeof types / sizeof *types)
            return refuse(r, form->is_bytes ? "a type is text, hex, json, string or file, not "
                                            : "this takes no type: ",
                          type);
        line->type = (th_script_type)i;
    }
    if (form->has_subject)
        line->subject = take_word(&rest);
    theater_status status = take_value(r, rest);
    return status ? status : check_value(r);
}

static theater_status read_lines(th_script *script, th_slice text, theater_error *reterr)
{
    size_t count = 0;
    for (size_t at = 0; at < text.size; at++)
        count += text.data[at] == '\n' || at + 1 == text.size;
    if (count > TH_SCRIPT_LINES_MAX)
        return th_fail(reterr, THEATER_TOO_LARGE, "%s: more than %u lines", script->path,
                       TH_SCRIPT_LINES_MAX);
    script->lines = th_alloc_zero(count ? count : 1, sizeof *script->lines);
    if (!script->lines)
        return th_fail_memory(reterr, "a test");
    theater_status status = THEATER_OK;
    for (size_t at = 0; status == THEATER_OK && at < text.size;) {
        const uint8_t *newline = memchr(text.data + at, '\n', text.size - at);
        size_t end = newline ? (size_t)(newline - text.data) : text.size;
        th_script_line *line = &script->lines[script->count++];
        line->number = (unsigned)script->count;
        line->raw = th_slice_of(text.data + at, end - at);
        if (line->raw.size && line->raw.data[line->raw.size - 1] == '\r')
            line->raw.size--;
        status = read_line(&(reading){script, line, reterr});
        at = end + 1;
    }
    return status;
}

theater_status th_script_read(const char *path, th_script *ret, theater_error *reterr)
{
    *ret = (th_script){0};
    th_arena_init(&ret->arena, 2 * TH_SCRIPT_BYTES_MAX);
    if (snprintf(ret->path, sizeof ret->path, "%s", path) >= PATH_MAX)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "the path is too long");
    th_buf text;
    th_buf_init(&text, TH_SCRIPT_BYTES_MAX);
    theater_status status = th_tool_read(path, &text, reterr);
    th_slice kept = {0};
    if (status == THEATER_OK) {
        kept = th_arena_copy(&ret->arena, th_buf_slice(&text));
        if (!kept.data && kept.size)
            status = th_fail_memory(reterr, "a test");
    }
    th_buf_done(&text);
    if (status == THEATER_OK)
        status = read_lines(ret, kept, reterr);
    if (status != THEATER_OK)
        th_script_done(ret);
    return status;
}

void th_script_done(th_script *script)
{
    th_free(script->lines);
    th_arena_done(&script->arena);
    script->lines = NULL;
    script->count = 0;
}
