/* `theater test --update`: the file as it was, with what was seen in the place of what was expected. */
#include <stdio.h>

#include "guest/script_run.h"
#include "tool/files.h"

const char *th_script_level(unsigned level)
{
    static const char *const words[] = {"trace", "debug", "info", "warn", "error"};
    return level < sizeof words / sizeof *words ? words[level] : "unknown";
}

void th_script_writer_init(th_script_writer *writer)
{
    th_buf_init(&writer->text, TH_SCRIPT_BYTES_MAX);
    th_arena_init(&writer->arena, (size_t)4 << 30);
    writer->next = 0;
}

void th_script_writer_done(th_script_writer *writer)
{
    th_buf_done(&writer->text);
    th_arena_done(&writer->arena);
}

static theater_status put_line(th_script_writer *w, th_slice line, theater_error *reterr)
{
    theater_status status = th_buf_append(&w->text, line, reterr);
    return status ? status : th_buf_append_byte(&w->text, '\n', reterr);
}

static theater_status copy_until(th_script_writer *w, const th_script *script, size_t end,
                                 theater_error *reterr)
{
    theater_status status = THEATER_OK;
    for (; status == THEATER_OK && w->next < end; w->next++)
        status = put_line(w, script->lines[w->next].raw, reterr);
    return status;
}

/* "WORD[:TYPE] [SUBJECT ]VALUE"; a line with the same meaning in the script stays as it was written. */
static theater_status put_value(th_script_writer *w, const char *word, th_slice subject, th_slice value,
                                const th_script_line *there, theater_error *reterr)
{
    static const char *const types[] = {"", ":hex", ":json", ":string", ":file"};
    if (there && th_slice_equal(subject, there->subject)) {
        th_slice a, b;
        bool same = there->type == TH_SCRIPT_JSON
                        ? th_script_json(&w->arena, there->value, &a) &&
                              th_script_json(&w->arena, value, &b) && th_slice_equal(a, b)
                        : th_slice_equal(there->value, value);
        if (same)
            return put_line(w, there->raw, reterr);
    }
    th_script_type type;
    th_slice checked, shown = th_script_show(&w->arena, value, &type);
    if (there && there->type == TH_SCRIPT_JSON && type == TH_SCRIPT_TEXT &&
        th_script_json(&w->arena, value, &checked))
        type = TH_SCRIPT_JSON;
    return th_buf_printf(&w->text, reterr, "%s%s%s%.*s%s%.*s\n", word, types[type], subject.size ? " " : "",
                         (int)subject.size, (const char *)subject.data, shown.size ? " " : "",
                         (int)shown.size, (const char *)shown.data);
}

/* The n-th expectation of one of two words, or NULL. */
static const th_script_line *nth(const th_script *script, const th_script_step_lines *lines, th_script_word a,
                                 th_script_word b, size_t n)
{
    for (size_t i = lines->first; i < lines->end; i++) {
        th_script_word word = script->lines[i].word;
        if ((word == a || word == b) && n-- == 0)
            return &script->lines[i];
    }
    return NULL;
}

static theater_status put_outcome(th_script_writer *w, const th_script *script,
                                  const th_script_step_lines *lines, const th_script_seen *seen,
                                  theater_error *reterr)
{
    th_script_word word = seen->rejected ? TH_SCRIPT_REJECTED : TH_SCRIPT_OUTPUT;
    const th_script_line *there = nth(script, lines, word, word, 0);
    th_slice none = {0};
    if (seen->genesis && !seen->rejected)
        return THEATER_OK;
    if (seen->genesis && there && there->value.size && seen->text.size &&
        memmem(seen->text.data, seen->text.size, there->value.data, there->value.size))
        return put_line(w, there->raw, reterr);
    return put_value(w, seen->rejected ? "!" : "<", none, seen->rejected ? seen->text : seen->output, there,
                     reterr);
}

static theater_status put_messages(th_script_writer *w, const th_script *script,
                                   const th_script_step_lines *lines, const th_script_seen *seen,
                                   theater_error *reterr)
{
    theater_status status = THEATER_OK;
    for (size_t i = 0; status == THEATER_OK && i < seen->sent_count; i++) {
        const th_sent *sent = &seen->sent[i];
        const th_script_line *there = nth(script, lines, TH_SCRIPT_SEND, TH_SCRIPT_REQUEST, i);
        bool same = there && (there->word == TH_SCRIPT_REQUEST) == (sent->request != 0);
        status = put_value(w, sent->request ? "=>" : "->", sent->to, sent->payload, same ? there : NULL, reterr);
    }
    return status;
}

static theater_status put_rest(th_script_writer *w, const th_script *script, const th_script_step_lines *lines,
                               const th_script_seen *seen, theater_error *reterr)
{
    char hex[2 * THEATER_HASH_SIZE + 1];
    th_slice none = {0};
    theater_status status = THEATER_OK;
    const th_script_line *log = nth(script, lines, TH_SCRIPT_LOG, TH_SCRIPT_LOG, 0), *state, *root, *fuel;
    for (size_t i = 0; status == THEATER_OK && log && i < seen->log_count; i++)
        status = put_value(w, "log", th_slice_text(th_script_level(seen->logs[i].level)), seen->logs[i].text,
                           nth(script, lines, TH_SCRIPT_LOG, TH_SCRIPT_LOG, i), reterr);
    state = nth(script, lines, TH_SCRIPT_STATE, TH_SCRIPT_STATE, 0);
    if (status == THEATER_OK && state)
        status = put_value(w, "state", none, seen->state, state, reterr);
    root = nth(script, lines, TH_SCRIPT_ROOT, TH_SCRIPT_ROOT, 0);
    th_hex_encode(th_slice_of(seen->root.bytes, THEATER_HASH_SIZE), hex);
    if (status == THEATER_OK && root)
        status = th_buf_printf(&w->text, reterr, "root %s\n", hex);
    fuel = nth(script, lines, TH_SCRIPT_FUEL, TH_SCRIPT_FUEL, 0);
    if (status == THEATER_OK && fuel)
        status = th_buf_printf(&w->text, reterr, "fuel %llu\n", (unsigned long long)seen->fuel);
    return status;
}

theater_status th_script_write_step(th_script_writer *writer, const th_script *script,
                                    const th_script_step_lines *lines, const th_script_seen *seen,
                                    theater_error *reterr)
{
    theater_status status = copy_until(writer, script, lines->first, reterr);
    /* Comments between expectations stay, in front of what was seen. */
    for (size_t i = lines->first; status == THEATER_OK && i < lines->end; i++)
        if (script->lines[i].word == TH_SCRIPT_NOTE)
            status = put_line(writer, script->lines[i].raw, reterr);
    writer->next = lines->end;
    if (status == THEATER_OK)
        status = put_outcome(writer, script, lines, seen, reterr);
    if (status == THEATER_OK)
        status = put_messages(writer, script, lines, seen, reterr);
    if (status == THEATER_OK)
        status = put_rest(writer, script, lines, seen, reterr);
    th_arena_clear(&writer->arena, 1 << 20);
    return status;
}

theater_status th_script_write_rest(th_script_writer *writer, const th_script *script, bool *ret_changed,
                                    theater_error *reterr)
{
    theater_status status = copy_until(writer, script, script->count, reterr);
    th_buf before;
    th_buf_init(&before, TH_SCRIPT_BYTES_MAX);
    if (status == THEATER_OK)
        status = th_tool_read(script->path, &before, reterr);
    *ret_changed = status == THEATER_OK && !th_slice_equal(th_buf_slice(&before), th_buf_slice(&writer->text));
    if (*ret_changed)
        status = th_tool_replace(script->path, th_buf_slice(&writer->text), reterr);
    th_buf_done(&before);
    return status;
}
