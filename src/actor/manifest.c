/* The manifest, read from libyaml's events one by one: so each error names its line exactly, and what YAML
 * allows beyond plain keys and values (anchors, aliases, tags, several documents) is refused instead of
 * guessed at.
 *
 * Invariants:
 *   1. Every key is known and stands once.
 *   2. Nothing is put into the result that was not checked; on failure the result is empty.
 *   3. The depth is two, so nothing recurses and nothing expands. */
#include "actor/manifest.h"

#include <yaml.h>

/* Room for a config of the default message limit, and its escapes. */
#define MANIFEST_MAX ((size_t)16 << 20)

const th_limits th_limits_default = {
    .fuel = 1000000000,
    .memory = (uint64_t)64 << 20,
    .state = (uint64_t)16 << 20,
    .message = (uint64_t)1 << 20,
    .effects = (uint64_t)4 << 20,
};

typedef struct reading {
    yaml_parser_t parser;
    yaml_event_t event; /* the present one */
    th_slice text;
    const char *path;
    theater_error *reterr;
    theater_status status; /* the first failure */
} reading;

/* ---- errors and events ------------------------------------------------------------------------------ */

static unsigned long line_of(const reading *r)
{
    return (unsigned long)r->event.start_mark.line + 1;
}

static bool refuse(reading *r, unsigned long line, const char *what, const char *object)
{
    r->status = th_fail(r->reterr, THEATER_INVALID_ARGUMENT, "%s:%lu: %s%s", r->path, line, what, object);
    return false;
}

static unsigned long problem_line(const reading *r)
{
    const yaml_parser_t *parser = &r->parser;
    if (parser->error != YAML_READER_ERROR)
        return (unsigned long)parser->problem_mark.line + 1;
    /* What is no text has no mark, only an offset. */
    unsigned long line = 1;
    for (size_t i = 0; i < parser->problem_offset && i < r->text.size; i++)
        line += r->text.data[i] == '\n';
    return line;
}

static bool next(reading *r)
{
    yaml_event_delete(&r->event);
    if (yaml_parser_parse(&r->parser, &r->event))
        return true;
    if (r->parser.error == YAML_MEMORY_ERROR)
        r->status = th_fail_memory(r->reterr, "a manifest");
    else
        refuse(r, problem_line(r), r->parser.problem ? r->parser.problem : "not YAML", "");
    return false;
}

static bool next_is(reading *r, yaml_event_type_t type, const char *otherwise)
{
    if (!next(r))
        return false;
    return r->event.type == type || refuse(r, line_of(r), otherwise, "");
}

/* Whether the present event is a plain text that fits into a C string. */
static bool is_text(reading *r, const char *what)
{
    const yaml_event_t *event = &r->event;
    if (event->type == YAML_ALIAS_EVENT)
        return refuse(r, line_of(r), "aliases are not allowed", "");
    if (event->type != YAML_SCALAR_EVENT)
        return refuse(r, line_of(r), what, " must be a single value");
    if (event->data.scalar.tag || event->data.scalar.anchor)
        return refuse(r, line_of(r), "tags and anchors are not allowed", "");
    const char *text = (const char *)event->data.scalar.value;
    if (strlen(text) != event->data.scalar.length)
        return refuse(r, line_of(r), what, " holds a zero byte");
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (plain && (!*text || !strcmp(text, "~") || !strcmp(text, "null")))
        return refuse(r, line_of(r), what, " has no value");
    return true;
}

/* ---- keys -------------------------------------------------------------------------------------------- */

typedef enum key_kind { KEY_NAME, KEY_TEXT, KEY_COUNT, KEY_SIZE, KEY_LIMITS } key_kind;

typedef struct key {
    const char *name;
    key_kind kind;
    size_t offset; /* of the char * or uint64_t in th_manifest */
} key;

#define LIMIT(field) (offsetof(th_manifest, limits) + offsetof(th_limits, field))

static const key top_keys[] = {
    {"name", KEY_NAME, offsetof(th_manifest, name)},
    {"component", KEY_TEXT, offsetof(th_manifest, component)},
    {"config", KEY_TEXT, offsetof(th_manifest, config)},
    {"config-file", KEY_TEXT, offsetof(th_manifest, config_file)},
    {"limits", KEY_LIMITS, 0},
};
static const key limit_keys[] = {
    {"fuel", KEY_COUNT, LIMIT(fuel)},       {"memory", KEY_SIZE, LIMIT(memory)},
    {"state", KEY_SIZE, LIMIT(state)},      {"message", KEY_SIZE, LIMIT(message)},
    {"effects", KEY_SIZE, LIMIT(effects)},
};
#define KEYS(array) array, sizeof(array) / sizeof(array)[0]

static bool take_text(reading *r, const key *k, th_manifest *out)
{
    size_t size = r->event.data.scalar.length;
    const char *text = (const char *)r->event.data.scalar.value;
    if (k->kind == KEY_NAME && !th_name_valid(th_slice_of(text, size)))
        return refuse(r, line_of(r), text,
                      " is no name: labels of a-z 0-9 - _ joined by dots, at most 128 bytes");
    char *copy = th_alloc(size + 1);
    if (!copy) {
        r->status = th_fail_memory(r->reterr, "a manifest");
        return false;
    }
    memcpy(copy, text, size + 1);
    memcpy((char *)out + k->offset, &copy, sizeof copy);
    return true;
}

static bool take_number(reading *r, const key *k, th_manifest *out)
{
    const char *text = (const char *)r->event.data.scalar.value;
    uint64_t value;
    bool sized = text[strspn(text, "0123456789")] != '\0';
    if (!th_parse_size(text, &value) || (sized && k->kind == KEY_COUNT))
        return refuse(r, line_of(r), k->name,
                      k->kind == KEY_COUNT ? " must be a whole number"
                          : " must be a size such as 4096, 64KiB or 16MiB");
    if (value == 0)
        return refuse(r, line_of(r), k->name, " must be at least 1");
    memcpy((char *)out + k->offset, &value, sizeof value);
    return true;
}

static bool read_mapping(reading *r, const key *keys, size_t count, th_manifest *out, unsigned *ret_seen);

static bool read_value(reading *r, const key *k, th_manifest *out)
{
    unsigned seen;
    if (!next(r))
        return false;
    if (k->kind == KEY_LIMITS) {
        if (r->event.type != YAML_MAPPING_START_EVENT)
            return refuse(r, line_of(r), "limits must be a mapping", "");
        return read_mapping(r, KEYS(limit_keys), out, &seen);
    }
    if (!is_text(r, k->name))
        return false;
    return k->kind <= KEY_TEXT ? take_text(r, k, out) : take_number(r, k, out);
}

/* Reads keys and values up to the mapping's end; its start is the present event. *ret_seen has a bit for
 * each key. */
static bool read_mapping(reading *r, const key *keys, size_t count, th_manifest *out, unsigned *ret_seen)
{
    if (r->event.data.mapping_start.tag || r->event.data.mapping_start.anchor)
        return refuse(r, line_of(r), "tags and anchors are not allowed", "");
    for (*ret_seen = 0;;) {
        if (!next(r))
            return false;
        if (r->event.type == YAML_MAPPING_END_EVENT)
            return true;
        if (!is_text(r, "a key"))
            return false;
        const char *name = (const char *)r->event.data.scalar.value;
        size_t i = 0;
        while (i < count && strcmp(keys[i].name, name))
            i++;
        if (i == count)
            return refuse(r, line_of(r), "unknown key ", name);
        if (*ret_seen & 1u << i)
            return refuse(r, line_of(r), "a second ", name);
        *ret_seen |= 1u << i;
        if (!read_value(r, &keys[i], out))
            return false;
        if (out->config && out->config_file)
            return refuse(r, line_of(r), "config and config-file exclude each other", "");
    }
}

static bool read_document(reading *r, th_manifest *out)
{
    unsigned seen;
    if (!next_is(r, YAML_STREAM_START_EVENT, "not YAML") || !next(r))
        return false;
    if (r->event.type == YAML_STREAM_END_EVENT)
        return refuse(r, 1, "the manifest is empty", "");
    if (!next_is(r, YAML_MAPPING_START_EVENT, "the manifest must be a mapping") ||
        !read_mapping(r, KEYS(top_keys), out, &seen))
        return false;
    unsigned long end = line_of(r);
    if (!out->name || !out->component)
        return refuse(r, end, "missing key ", out->name ? "component" : "name");
    if (!*out->component)
        return refuse(r, end, "component has no value", "");
    return next_is(r, YAML_DOCUMENT_END_EVENT, "not YAML") &&
           next_is(r, YAML_STREAM_END_EVENT, "a second document");
}

theater_status th_manifest_parse(th_slice text, const char *path, th_manifest *ret, theater_error *reterr)
{
    reading r = {.text = text, .path = path, .reterr = reterr};
    *ret = (th_manifest){.limits = th_limits_default};
    if (text.size > MANIFEST_MAX)
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s: a manifest has at most %zu bytes", path,
                       MANIFEST_MAX);
    if (!yaml_parser_initialize(&r.parser))
        return th_fail_memory(reterr, "a manifest");
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, text.size ? text.data : (const uint8_t *)"", text.size);
    bool read = read_document(&r, ret);
    yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    if (!read)
        th_manifest_done(ret);
    return r.status;
}

void th_manifest_done(th_manifest *manifest)
{
    th_free(manifest->name);
    th_free(manifest->component);
    th_free(manifest->config);
    th_free(manifest->config_file);
    *manifest = (th_manifest){0};
}
