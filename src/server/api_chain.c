/* Reading chains: actors, elements, states, traces. All of it on the pool. */
#include "server/internal.h"

theater_status th_find_actor(th_exchange *x, theater_folder *folder, theater_actor_info *ret,
                             theater_error *reterr)
{
    theater_status status = theater_folder_actor(folder, x->segments[0], ret, reterr);
    if (!status && ret->elements == 0)
        status = th_fail(reterr, THEATER_NOT_FOUND, "actor %s has no chain yet", x->segments[0]);
    return status == THEATER_INVALID_ARGUMENT
               ? th_fail(reterr, THEATER_NOT_FOUND, "there is no actor of that name")
               : status;
}

theater_status th_find_sequence(th_exchange *x, const theater_actor_info *info, uint64_t *ret,
                                theater_error *reterr)
{
    if (!th_parse_number(x->segments[1], ret))
        return th_fail(reterr, THEATER_INVALID_ARGUMENT, "\"%.40s\" is no sequence of an element",
                       x->segments[1]);
    if (*ret >= info->elements)
        return th_fail(reterr, THEATER_NOT_FOUND, "actor %s has no element %llu; its chain ends at %llu",
                       info->name, (unsigned long long)*ret, (unsigned long long)info->elements - 1);
    return THEATER_OK;
}

/* ---- actors -------------------------------------------------------------------------------------------- */

typedef struct page {
    th_json json;
    uint64_t from, left, next; /* next: the first that did not fit; 0: none */
    th_buf *body;
} page;

static bool put_actor(void *context, const theater_actor_info *info)
{
    page *self = context;
    if (info->id < self->from)
        return true;
    if (self->left == 0 || self->body->size > TH_PAGE_BYTES) {
        self->next = info->id;
        return false;
    }
    self->left--;
    th_json_actor(&self->json, info);
    return true;
}

static theater_status page_begin(th_exchange *x, page *self, theater_error *reterr)
{
    *self = (page){.left = TH_PAGE_DEFAULT, .body = &x->reply.body};
    theater_status status = th_exchange_number(x, "from", &self->from, reterr);
    if (!status)
        status = th_exchange_number(x, "limit", &self->left, reterr);
    if (!status && (self->left == 0 || self->left > TH_PAGE_MAX))
        status = th_fail(reterr, THEATER_INVALID_ARGUMENT, "a page has 1 to %d entries", TH_PAGE_MAX);
    if (status)
        return status;
    self->json = th_reply_json(x, 200);
    th_json_open(&self->json, '{');
    th_json_key(&self->json, "actors");
    th_json_open(&self->json, '[');
    return THEATER_OK;
}

static void page_end(th_exchange *x, page *self)
{
    th_json_close(&self->json, ']');
    th_json_key(&self->json, "next");
    if (self->next)
        th_json_uint(&self->json, self->next);
    else
        th_json_null(&self->json);
    th_json_close(&self->json, '}');
    th_reply_json_end(x, &self->json);
}

void th_work_actor_list(th_exchange *x, theater_folder *folder)
{
    page self;
    theater_error error = {0};
    theater_status status = page_begin(x, &self, &error);
    if (!status)
        status = theater_folder_actors(folder, put_actor, &self, &error);
    if (status)
        th_reply_error(x, &error);
    else
        page_end(x, &self);
}

void th_work_actor_get(th_exchange *x, theater_folder *folder)
{
    theater_actor_info info;
    theater_error error = {0};
    if (th_find_actor(x, folder, &info, &error)) {
        th_reply_error(x, &error);
        return;
    }
    th_json json = th_reply_json(x, 200);
    th_json_actor(&json, &info);
    th_reply_json_end(x, &json);
}

/* ---- elements ------------------------------------------------------------------------------------------ */

/* The element that the path names. The caller frees it. */
static theater_status read_element(th_exchange *x, theater_folder *folder, theater_element *ret,
                                   theater_error *reterr)
{
    theater_actor_info info;
    uint64_t sequence;
    theater_status status = th_find_actor(x, folder, &info, reterr);
    if (!status)
        status = th_find_sequence(x, &info, &sequence, reterr);
    return status ? status : theater_element_read(folder, info.id, sequence, ret, reterr);
}

void th_work_element(th_exchange *x, theater_folder *folder)
{
    theater_element element;
    theater_error error = {0};
    if (read_element(x, folder, &element, &error)) {
        th_reply_error(x, &error);
        return;
    }
    if (!th_reply_etag_hash(x, &element.hash, "")) {
        th_json json = th_reply_json(x, 200);
        th_json_element(&json, &element);
        th_reply_json_end(x, &json);
    }
    theater_element_free(&element);
}

typedef enum part { ENCODING, INPUT, OUTPUT, EFFECTS } part;

static void reply_part(th_exchange *x, theater_folder *folder, part which)
{
    theater_element element;
    theater_error error = {0};
    if (read_element(x, folder, &element, &error)) {
        th_reply_error(x, &error);
        return;
    }
    static const char *const suffixes[] = {"-e", "-i", "-o", "-f"};
    const theater_slice parts[] = {element.encoding, element.input, element.output, element.effects};
    const bool dropped[] = {false, element.input_dropped, element.output_dropped, element.effects_dropped};
    if (dropped[which]) {
        th_fail(&error, THEATER_NOT_FOUND, "this payload was dropped from the archive");
        th_reply_error(x, &error);
    } else if (!th_reply_etag_hash(x, &element.hash, suffixes[which])) {
        char hex[65];
        th_hex_encode(th_slice_of(element.hash.bytes, 32), hex);
        th_reply_header(x, "Theater-Element: %s", hex);
        th_reply_text(x, 200,
                      which == ENCODING || which == EFFECTS ? "application/cbor" : "application/octet-stream",
                      parts[which]);
    }
    theater_element_free(&element);
}

void th_work_element_encoding(th_exchange *x, theater_folder *folder)
{
    reply_part(x, folder, ENCODING);
}

void th_work_element_input(th_exchange *x, theater_folder *folder)
{
    reply_part(x, folder, INPUT);
}

void th_work_element_output(th_exchange *x, theater_folder *folder)
{
    reply_part(x, folder, OUTPUT);
}

void th_work_element_effects(th_exchange *x, theater_folder *folder)
{
    reply_part(x, folder, EFFECTS);
}

/* ---- states -------------------------------------------------------------------------------------------- */

static void reply_state(th_exchange *x, theater_folder *folder, const theater_actor_info *info,
                        uint64_t sequence)
{
    theater_error error = {0};
    theater_element element;
    theater_bytes state = {0};
    if (theater_element_read(folder, info->id, sequence, &element, &error)) {
        th_reply_error(x, &error);
        return;
    }
    char root[65], hash[65];
    th_hex_encode(th_slice_of(element.state_after.bytes, 32), root);
    th_hex_encode(th_slice_of(element.hash.bytes, 32), hash);
    th_reply_header(x, "Theater-Sequence: %llu", (unsigned long long)sequence);
    th_reply_header(x, "Theater-Element: %s", hash);
    th_reply_header(x, "Theater-State-Root: %s", root);
    if (!th_reply_etag_hash(x, &element.hash, "-s")) {
        if (theater_state_at(folder, info->id, sequence, &state, &error))
            th_reply_error(x, &error);
        else
            th_reply_text(x, 200, "application/octet-stream", th_slice_of(state.data, state.size));
    }
    theater_bytes_free(&state);
    theater_element_free(&element);
}

void th_work_state_at(th_exchange *x, theater_folder *folder)
{
    theater_actor_info info;
    uint64_t sequence;
    theater_error error = {0};
    theater_status status = th_find_actor(x, folder, &info, &error);
    if (!status)
        status = th_find_sequence(x, &info, &sequence, &error);
    if (status)
        th_reply_error(x, &error);
    else
        reply_state(x, folder, &info, sequence);
}

void th_work_state_now(th_exchange *x, theater_folder *folder)
{
    theater_actor_info info;
    theater_error error = {0};
    if (th_find_actor(x, folder, &info, &error)) {
        th_reply_error(x, &error);
        return;
    }
    reply_state(x, folder, &info, info.elements - 1);
    x->reply.immutable = false; /* the next turn changes what this address gives */
}

/* ---- traces -------------------------------------------------------------------------------------------- */

static bool put_step(void *context, const theater_trace_step *step)
{
    th_json *json = context;
    static const char *const kinds[] = {"client", "message", "reply", "notice"};
    th_json_open(json, '{');
    th_json_field_string(json, "relation",
                         step->depth == 0  ? "element"
                         : step->depth < 0 ? "cause"
                                           : "effect");
    th_json_field_uint(json, "distance", (uint64_t)(step->depth < 0 ? -step->depth : step->depth));
    th_json_field_string(json, "actor", step->actor.name);
    th_json_field_uint(json, "id", step->actor.id);
    th_json_field_uint(json, "sequence", step->sequence);
    th_json_key(json, "kind");
    if (step->depth == 0)
        th_json_null(json);
    else
        th_json_string(json, kinds[step->kind + 1]);
    th_json_close(json, '}');
    return json->status == THEATER_OK;
}

void th_work_trace(th_exchange *x, theater_folder *folder)
{
    theater_actor_info info;
    uint64_t sequence, limit = TH_PAGE_MAX;
    theater_error error = {0};
    bool more = false;
    theater_status status = th_find_actor(x, folder, &info, &error);
    if (!status)
        status = th_find_sequence(x, &info, &sequence, &error);
    if (!status)
        status = th_exchange_number(x, "limit", &limit, &error);
    if (!status && (limit == 0 || limit > 10000))
        status = th_fail(&error, THEATER_INVALID_ARGUMENT, "a trace has 1 to 10000 steps");
    th_json json = th_reply_json(x, 200);
    th_json_open(&json, '{');
    th_json_key(&json, "steps");
    th_json_open(&json, '[');
    if (!status)
        status = theater_trace(folder, info.id, sequence, limit, put_step, &json, &more, &error);
    th_json_close(&json, ']');
    th_json_key(&json, "more");
    th_json_bool(&json, more);
    th_json_close(&json, '}');
    if (status)
        th_reply_error(x, &error);
    else
        th_reply_json_end(x, &json);
}
