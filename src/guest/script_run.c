/* Running the files of `theater test`: the same turns as the runtime's, without a store.
 *
 * Invariants:
 *   1. A turn is th_instance_handle, as it is live: what a test shows is what the chain would hold.
 *   2. A file is run twice the same: time and source come from the file, and the random stream from these.
 *   3. Everything that a step compares lives in the step's arena, which is emptied behind it.
 *
 * Threads: the run has one of its own, because a turn needs more stack than a caller may have. */
#include "guest/script_run.h"

#include <stdio.h>

#include "port/system.h"

#define STACK_FOR_C ((size_t)1 << 20)
#define FIRST_TIME_NS UINT64_C(1767225600000000000) /* 2026-01-01T00:00:00Z */
#define TICK_NS UINT64_C(1000000000)
enum { DIFFERENCES_MAX = 64, ARENA_KEEP = 1 << 20 };

typedef struct run {
    const th_script *script;
    const th_script_actor *actor;
    const th_script_run_options *options;
    th_script_counts *counts;
    const th_machine *machine;
    th_loader *loader;
    th_loaded *loaded;
    th_workspace *workspace;
    th_instance *instance;
    th_arena arena; /* of a step */
    th_slice config;
    uint64_t time_ns;
    const th_script_line *from; /* of the next input; NULL: an anonymous client */
    th_script_difference differences[DIFFERENCES_MAX];
    size_t difference_count;
    th_script_writer writer;
} run;

/* ---- comparing ----------------------------------------------------------------------------------------- */

static void differ(run *r, unsigned number, const char *what, th_slice expected, th_slice got)
{
    if (r->difference_count < DIFFERENCES_MAX)
        r->differences[r->difference_count++] = (th_script_difference){what, expected, got, number};
}

static th_slice show(run *r, th_slice bytes)
{
    th_script_type type;
    return th_script_show(&r->arena, bytes, &type);
}

/* Text for a difference, in the step's arena. */
static th_slice said(run *r, const char *before, th_slice text)
{
    size_t head = strlen(before);
    uint8_t *room = th_arena_alloc(&r->arena, head + text.size + 1);
    if (!room)
        return th_slice_text("(out of memory)");
    memcpy(room, before, head);
    if (text.size)
        memcpy(room + head, text.data, text.size);
    return th_slice_of(room, head + text.size);
}

static bool same_value(run *r, const th_script_line *line, th_slice got)
{
    th_slice expected = line->value, a, b;
    if (line->type == TH_SCRIPT_JSON)
        return th_script_json(&r->arena, expected, &a) && th_script_json(&r->arena, got, &b) &&
               th_slice_equal(a, b);
    return th_slice_equal(expected, got);
}

static void compare_value(run *r, const th_script_line *line, const char *what, th_slice got)
{
    if (!same_value(r, line, got))
        differ(r, line->number, what, show(r, line->value), show(r, got));
}

static th_slice number_text(run *r, uint64_t number)
{
    char text[24];
    int size = snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    return th_arena_copy(&r->arena, th_slice_of(text, (size_t)size));
}

static th_slice outcome_text(run *r, const th_script_seen *seen)
{
    return seen->rejected ? said(r, "rejected: ", show(r, seen->text)) : said(r, "output: ", show(r, seen->output));
}

static void compare_outcome(run *r, const th_script_line *line, const th_script_seen *seen)
{
    bool wants_rejection = line->word == TH_SCRIPT_REJECTED;
    if (seen->rejected != wants_rejection)
        differ(r, line->number, wants_rejection ? "rejected" : "output",
               said(r, wants_rejection ? "rejected: " : "output: ", show(r, line->value)), outcome_text(r, seen));
    else if (!wants_rejection)
        compare_value(r, line, "output", seen->output);
    else if (!(seen->genesis && seen->text.size && line->value.size &&
               memmem(seen->text.data, seen->text.size, line->value.data, line->value.size)))
        compare_value(r, line, "rejected", seen->text);
}

static th_slice message_text(run *r, bool request, th_slice to, th_slice payload)
{
    th_slice head = said(r, request ? "=> " : "-> ", to);
    char *room = th_arena_alloc(&r->arena, head.size + 2);
    if (!room)
        return head;
    memcpy(room, head.data, head.size);
    memcpy(room + head.size, " ", 2);
    return said(r, room, show(r, payload));
}

/* The n-th message that was sent against the n-th that stands in the file. */
static void compare_messages(run *r, const th_script_step_lines *lines, const th_script_seen *seen)
{
    size_t n = 0;
    for (size_t i = lines->first; i < lines->end; i++) {
        const th_script_line *line = &r->script->lines[i];
        if (line->word != TH_SCRIPT_SEND && line->word != TH_SCRIPT_REQUEST)
            continue;
        bool request = line->word == TH_SCRIPT_REQUEST;
        th_slice expected = message_text(r, request, line->subject, line->value);
        const th_sent *sent = n < seen->sent_count ? &seen->sent[n] : NULL;
        if (!sent)
            differ(r, line->number, "message", expected, th_slice_text("nothing was sent"));
        else if (request != (sent->request != 0) || !th_slice_equal(line->subject, sent->to) ||
                 !same_value(r, line, sent->payload))
            differ(r, line->number, "message", expected,
                   message_text(r, sent->request != 0, sent->to, sent->payload));
        n++;
    }
    for (; n < seen->sent_count; n++)
        differ(r, lines->number, "message", th_slice_text("nothing is sent"),
               message_text(r, seen->sent[n].request != 0, seen->sent[n].to, seen->sent[n].payload));
}

static void compare_log(run *r, const th_script_line *line, const th_script_seen *seen, size_t place)
{
    if (place >= seen->log_count) {
        differ(r, line->number, "log", said(r, "", line->value), th_slice_text("no such line"));
        return;
    }
    const th_effect *log = &seen->logs[place];
    const char *level = th_script_level(log->level);
    if (!th_slice_equal(line->subject, th_slice_text(level)) || !same_value(r, line, log->text))
        differ(r, line->number, "log", show(r, th_slice_of(line->raw.data + 4, line->raw.size - 4)),
               said(r, level, said(r, " ", show(r, log->text))));
}

static void compare_root(run *r, const th_script_line *line, const th_script_seen *seen)
{
    char hex[2 * THEATER_HASH_SIZE + 1];
    th_hash expected;
    if (th_hex_decode((const char *)line->value.data, line->value.size, expected.bytes, THEATER_HASH_SIZE) &&
        th_hash_equal(&expected, &seen->root))
        return;
    th_hex_encode(th_slice_of(seen->root.bytes, THEATER_HASH_SIZE), hex);
    differ(r, line->number, "root", line->value, th_arena_copy(&r->arena, th_slice_of(hex, sizeof hex - 1)));
}

static void compare(run *r, const th_script_step_lines *lines, const th_script_seen *seen)
{
    bool any = false, outcome = false;
    size_t logs = 0;
    for (size_t i = lines->first; i < lines->end; i++) {
        const th_script_line *line = &r->script->lines[i];
        uint64_t fuel;
        any = any || th_script_is_expectation(line->word);
        outcome = outcome || line->word == TH_SCRIPT_OUTPUT || line->word == TH_SCRIPT_REJECTED;
        if (line->word == TH_SCRIPT_OUTPUT || line->word == TH_SCRIPT_REJECTED)
            compare_outcome(r, line, seen);
        else if (line->word == TH_SCRIPT_LOG)
            compare_log(r, line, seen, logs++);
        else if (line->word == TH_SCRIPT_STATE)
            compare_value(r, line, "state", seen->state);
        else if (line->word == TH_SCRIPT_ROOT)
            compare_root(r, line, seen);
        else if (line->word == TH_SCRIPT_FUEL && th_script_time(line->value, 0, &fuel) && fuel != seen->fuel)
            differ(r, line->number, "fuel", line->value, number_text(r, seen->fuel));
    }
    if (!outcome && seen->rejected)
        differ(r, lines->number, "rejected", th_slice_text("not to be rejected"), outcome_text(r, seen));
    if (any)
        compare_messages(r, lines, seen);
}

/* ---- turns --------------------------------------------------------------------------------------------- */

/* What a turn produced, in the form that comparing wants; log lines in the step's arena. */
static theater_status see(run *r, const th_produced *produced, bool query, th_script_seen *ret,
                          theater_error *reterr)
{
    *ret = (th_script_seen){.rejected = produced->type == TH_REJECTION,
                            .text = produced->reject_text,
                            .output = produced->output,
                            .sent = produced->sent,
                            .sent_count = produced->sent_count,
                            .root = produced->state_root,
                            .fuel = produced->fuel,
                            .state = th_instance_state(r->instance)};
    (void)query;
    th_effects_reader reader;
    theater_status status = th_effects_read(produced->effects, produced->sequence, &reader, reterr);
    if (status != THEATER_OK)
        return status;
    ret->logs = th_arena_alloc(&r->arena, (size_t)(reader.count + 1) * sizeof *ret->logs);
    if (!ret->logs)
        return th_fail_memory(reterr, "a test");
    for (bool more = true; status == THEATER_OK;) {
        th_effect effect;
        status = th_effects_next(&reader, &effect, &more, reterr);
        if (status != THEATER_OK || !more)
            break;
        if (effect.kind == TH_EFFECT_LOG)
            ret->logs[ret->log_count++] = effect;
    }
    return status;
}

static theater_status finish_step(run *r, const th_script_step_lines *lines, const th_script_line *line,
                                  const th_script_seen *seen, theater_error *reterr)
{
    r->difference_count = 0;
    compare(r, lines, seen);
    r->counts->steps++;
    r->counts->failed += r->difference_count > 0;
    th_script_step step = {line, r->differences, r->difference_count, seen->fuel};
    if (r->options->each)
        r->options->each(r->options->context, r->script, &step);
    theater_status status = THEATER_OK;
    if (r->options->update)
        status = th_script_write_step(&r->writer, r->script, lines, seen, reterr);
    th_arena_clear(&r->arena, ARENA_KEEP);
    th_workspace_clear(r->workspace);
    return status;
}

/* The beginning of a case. One that fails is a step that was rejected, and leaves no instance. */
static theater_status begin_case(run *r, const th_script_step_lines *lines, const th_script_line *line,
                                 theater_error *reterr)
{
    th_descriptor descriptor = {.name = th_slice_text(r->actor->name),
                                .component = *th_loaded_hash(r->loaded),
                                .config = r->config,
                                .limits = r->actor->limits,
                                .engine = th_slice_text(r->machine->name)};
    th_produced produced = {0};
    th_script_seen seen = {0};
    theater_error failed;
    th_instance_free(r->instance);
    r->instance = NULL;
    r->counts->cases++;
    theater_status status =
        th_instance_genesis(r->machine, th_loaded_component(r->loaded), &descriptor, r->time_ns, r->workspace,
                            &r->instance, &produced, &failed);
    if (status == THEATER_OK) {
        status = see(r, &produced, false, &seen, reterr);
    } else if (status == THEATER_ACTOR_FAILED) {
        seen = (th_script_seen){.rejected = true, .text = th_slice_text(failed.message)};
        status = THEATER_OK;
    } else if (reterr) {
        *reterr = failed;
    }
    seen.genesis = true;
    r->time_ns += TICK_NS;
    return status ? status : finish_step(r, lines, line, &seen, reterr);
}

static bool is(th_slice text, const char *word)
{
    return th_slice_equal(text, th_slice_text(word));
}

/* Who an input is from. The hash and the sequence of the other actor's element are unknown here, and no actor
 * can ask for them. */
static theater_status set_from(const run *r, th_input *input, th_cause *cause, theater_error *reterr)
{
    const th_script_line *from = r->from;
    uint64_t id = 0;
    if (!from)
        return THEATER_OK;
    if (is(from->subject, "client")) {
        input->has_principal = from->value.size > 0;
        input->principal = from->value;
        return !input->has_principal || th_principal_valid(from->value)
                   ? THEATER_OK
                   : th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s:%u: a client's name is 1 to 128 bytes",
                             r->script->path, from->number);
    }
    input->cause = cause;
    *cause = (th_cause){.kind = TH_CAUSE_MESSAGE, .actor = from->value};
    if (is(from->subject, "actor"))
        return th_name_valid(from->value) ? THEATER_OK
                                          : th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s:%u: this is no name",
                                                    r->script->path, from->number);
    if (!th_script_time(from->value, 0, &id))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s:%u: a request's id is a number", r->script->path,
                       from->number);
    *cause = (th_cause){.kind = TH_CAUSE_ANSWER,
                        .actor = th_slice_text("other"),
                        .request = id,
                        .failed = is(from->subject, "failed")};
    return THEATER_OK;
}

static theater_status run_input(run *r, const th_script_step_lines *lines, const th_script_line *line,
                                theater_error *reterr)
{
    th_cause cause;
    th_input input = {.payload = line->value, .timestamp_ns = r->time_ns};
    th_produced produced = {0};
    th_script_seen seen = {0};
    bool query = line->word == TH_SCRIPT_QUERY;
    theater_status status = set_from(r, &input, &cause, reterr);
    if (status != THEATER_OK)
        return status;
    theater_error refused;
    status = query ? th_instance_query(r->instance, &input, r->workspace, &produced, &refused)
                   : th_instance_handle(r->instance, &input, r->workspace, &produced, &refused);
    if (status == THEATER_OK) {
        status = see(r, &produced, query, &seen, reterr);
    } else if (status == THEATER_TOO_LARGE) {
        seen = (th_script_seen){.rejected = true,
                                .text = th_slice_text(refused.message),
                                .state = th_instance_state(r->instance),
                                .root = *th_instance_state_root(r->instance)};
        status = THEATER_OK;
    } else if (reterr) {
        *reterr = refused;
    }
    r->from = NULL;
    r->time_ns += query ? 0 : TICK_NS;
    return status ? status : finish_step(r, lines, line, &seen, reterr);
}

/* ---- the file ------------------------------------------------------------------------------------------ */

/* The expectations behind a line: up to the next line that is neither one nor a note. */
static th_script_step_lines step_lines(const th_script *script, size_t from, unsigned number)
{
    th_script_step_lines lines = {.first = from, .end = from, .number = number};
    for (size_t i = from; i < script->count; i++) {
        if (th_script_is_expectation(script->lines[i].word))
            lines.end = i + 1;
        else if (script->lines[i].word != TH_SCRIPT_NOTE)
            break;
    }
    return lines;
}

static theater_status run_lines(run *r, theater_error *reterr)
{
    const th_script *script = r->script;
    const th_script_line *beginning = NULL;
    bool pending = true, named = false;
    theater_status status = THEATER_OK;
    for (size_t i = 0; status == THEATER_OK && i <= script->count; i++) {
        const th_script_line *line = i < script->count ? &script->lines[i] : NULL;
        th_script_word word = line ? line->word : TH_SCRIPT_CASE;
        bool begins = word == TH_SCRIPT_INPUT || word == TH_SCRIPT_QUERY || th_script_is_expectation(word) ||
                      (word == TH_SCRIPT_CASE && named) || (word == TH_SCRIPT_CONFIG && named && !pending);
        if (pending && begins) {
            th_script_step_lines lines = step_lines(script, i, beginning ? beginning->number : 1);
            status = begin_case(r, &lines, beginning, reterr);
            pending = false;
            if (lines.end > i) {
                i = lines.end - 1;
                continue;
            }
        }
        if (!line || status != THEATER_OK)
            break;
        if (word == TH_SCRIPT_CASE || (word == TH_SCRIPT_CONFIG && !pending)) {
            pending = named = true;
            beginning = line;
            r->config = r->actor->config;
            r->time_ns = FIRST_TIME_NS;
            r->from = NULL;
        }
        if (word == TH_SCRIPT_CONFIG) {
            named = true;
            beginning = line;
            r->config = line->value;
        } else if (word == TH_SCRIPT_AT) {
            th_script_time(line->value, r->time_ns - TICK_NS, &r->time_ns);
        } else if (word == TH_SCRIPT_FROM) {
            r->from = line;
        } else if (word == TH_SCRIPT_INPUT || word == TH_SCRIPT_QUERY) {
            th_script_step_lines lines = step_lines(script, i + 1, line->number);
            if (!r->instance)
                return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                               "%s:%u: there is no actor to tell this: its init failed", script->path,
                               line->number);
            status = run_input(r, &lines, line, reterr);
            i = lines.end > i ? lines.end - 1 : i;
        } else if (th_script_is_expectation(word)) {
            return th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s:%u: there is nothing here to expect this of",
                           script->path, line->number);
        }
    }
    return status;
}

/* ---- the engine ---------------------------------------------------------------------------------------- */

static theater_status read_binary(void *context, const th_hash *hash, th_buf *out, theater_error *reterr)
{
    (void)hash;
    run *r = context;
    return th_buf_append(out, r->actor->component, reterr);
}

static theater_status read_cache(void *context, const th_hash *hash, th_buf *out, theater_error *reterr)
{
    run *r = context;
    return th_script_cache_read(r->options->cache, hash, r->machine->fingerprint, out, reterr);
}

static void write_cache(void *context, const th_hash *hash, th_slice compiled)
{
    run *r = context;
    th_script_cache_write(r->options->cache, hash, r->machine->fingerprint, compiled);
}

static theater_status load(run *r, theater_error *reterr)
{
    th_loader_options options = {
        .machine = r->machine,
        .port = th_port_system(),
        .context = r,
        .read_binary = read_binary,
        .read_compiled = r->options->cache ? read_cache : NULL,
        .write_compiled = r->options->cache ? write_cache : NULL,
    };
    th_hasher *hasher = NULL;
    th_hash hash;
    theater_status status = th_loader_new(&options, &r->loader, reterr);
    if (status == THEATER_OK)
        status = th_hasher_new(&hasher, reterr);
    if (status == THEATER_OK) {
        th_sha256_of(hasher, r->actor->component, &hash);
        status = th_loader_get(r->loader, &hash, &r->loaded, reterr);
    }
    th_hasher_free(hasher);
    return status;
}

static theater_status run_all(run *r, theater_error *reterr)
{
    theater_status status = load(r, reterr);
    if (status == THEATER_OK)
        status = th_workspace_new(&r->workspace, reterr);
    if (status == THEATER_OK)
        status = run_lines(r, reterr);
    if (status == THEATER_OK && r->options->update)
        status = th_script_write_rest(&r->writer, r->script, &r->counts->updated, reterr);
    th_instance_free(r->instance);
    th_workspace_free(r->workspace);
    th_loaded_unref(r->loaded);
    if (r->loader)
        th_loader_free(r->loader);
    return status;
}

typedef struct task {
    run *run;
    theater_status status;
    theater_error error;
} task;

static th_step task_step(void *context, uint64_t *ret_deadline_ns)
{
    (void)ret_deadline_ns;
    task *self = context;
    self->status = run_all(self->run, &self->error);
    return TH_STEP_DONE;
}

theater_status th_script_run(const th_script *script, const th_script_actor *actor,
                             const th_script_run_options *options, th_script_counts *ret, theater_error *reterr)
{
    th_machine machine;
    th_engine_options engine = {.turns = 1, .keep_resident_bytes = UINT64_MAX};
    *ret = (th_script_counts){0};
    theater_status status = th_machine_engine(&engine, &machine, reterr);
    if (status != THEATER_OK)
        return status;
    run *r = th_alloc_zero(1, sizeof *r);
    if (r) {
        r->script = script;
        r->actor = actor;
        r->options = options;
        r->counts = ret;
        r->machine = &machine;
        r->config = actor->config;
        r->time_ns = FIRST_TIME_NS;
        th_arena_init(&r->arena, (size_t)4 << 30);
        th_script_writer_init(&r->writer);
        task self = {.run = r};
        th_task *thread;
        status = th_task_start(th_port_system(), "theater-test", machine.stack_bytes + STACK_FOR_C, task_step,
                               &self, &thread, reterr);
        if (status == THEATER_OK) {
            th_task_join(thread);
            status = self.status;
            if (status != THEATER_OK && reterr)
                *reterr = self.error;
        }
        th_script_writer_done(&r->writer);
        th_arena_done(&r->arena);
        th_free(r);
    } else {
        status = th_fail_memory(reterr, "a test");
    }
    th_machine_done(&machine);
    return status;
}
