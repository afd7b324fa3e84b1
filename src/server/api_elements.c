/* Pages of a chain, with filters. A request reads a bounded part of the chain, whatever the filter finds. */
#include "server/internal.h"

#include <stdio.h>

#define SCAN_ELEMENTS 20000 /* that one request reads at the most */
#define SCAN_BYTES ((size_t)32 << 20) /* likewise, of payloads */
#define TEXT_MAX 256

/* What an element must be to stand on the page. */
typedef struct element_filter {
    unsigned types; /* bit 1 << theater_element_type; 0: all */
    bool has_principal, has_text;
    char principal[129];
    uint8_t text[TEXT_MAX]; /* in small letters */
    size_t text_size;
} element_filter;

typedef struct scan {
    element_filter filter;
    bool reverse, more;
    uint64_t next; /* the element that is read next; valid while `more` */
    size_t left; /* elements that may still be read */
    size_t bytes; /* of payloads that may still be read */
} scan;

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

/* Whether `text` stands in the bytes, whatever the case of ASCII letters. */
static bool contains(th_slice bytes, const uint8_t *text, size_t size)
{
    if (size == 0)
        return true;
    for (size_t at = 0; at + size <= bytes.size; at++) {
        if (lower(bytes.data[at]) != text[0])
            continue;
        size_t same = 1;
        while (same < size && lower(bytes.data[at + same]) == text[same])
            same++;
        if (same == size)
            return true;
    }
    return false;
}

static bool matches(const element_filter *filter, const theater_element *element)
{
    if (filter->types && !(filter->types & (1u << element->type)))
        return false;
    if (filter->has_principal &&
        (!element->has_principal || !th_slice_equal(element->principal, th_slice_text(filter->principal))))
        return false;
    if (!filter->has_text)
        return true;
    /* A rejection's output is an encoding of its message. */
    th_slice said = element->type == THEATER_REJECTION ? element->reject_text : element->output;
    return contains(element->input, filter->text, filter->text_size) ||
           contains(said, filter->text, filter->text_size);
}

/* "transition,rejection" */
static theater_status read_types(const char *words, unsigned *ret, theater_error *reterr)
{
    static const char *const names[] = {"genesis", "transition", "rejection", "upgrade"};
    while (*words) {
        size_t size = strcspn(words, ",");
        unsigned found = 4;
        for (unsigned i = 0; i < 4; i++)
            if (strlen(names[i]) == size && memcmp(names[i], words, size) == 0)
                found = i;
        if (found == 4)
            return th_fail(reterr, THEATER_INVALID_ARGUMENT,
                           "the parameter type has genesis, transition, rejection or upgrade, parted by "
                           "commas");
        *ret |= 1u << found;
        words += size;
        words += *words == ',';
    }
    return THEATER_OK;
}

static theater_status read_filter(th_exchange *x, element_filter *ret, theater_error *reterr)
{
    char types[64], text[TEXT_MAX + 1];
    bool given;
    theater_status status = th_exchange_query(x, "type", types, sizeof types, &given, reterr);
    if (!status && given)
        status = read_types(types, &ret->types, reterr);
    if (!status)
        status = th_exchange_query(x, "principal", ret->principal, sizeof ret->principal, &given, reterr);
    ret->has_principal = !status && given && ret->principal[0];
    if (!status)
        status = th_exchange_query(x, "text", text, sizeof text, &given, reterr);
    if (status || !given)
        return status;
    ret->text_size = strlen(text);
    ret->has_text = ret->text_size > 0;
    for (size_t i = 0; i < ret->text_size; i++)
        ret->text[i] = lower((uint8_t)text[i]);
    return THEATER_OK;
}

static theater_status read_request(th_exchange *x, const theater_actor_info *info, scan *ret,
                                   uint64_t *ret_limit, theater_error *reterr)
{
    *ret = (scan){.left = SCAN_ELEMENTS, .bytes = SCAN_BYTES};
    *ret_limit = TH_PAGE_DEFAULT;
    theater_status status = th_exchange_flag(x, "reverse", &ret->reverse, reterr);
    ret->next = ret->reverse ? info->elements - 1 : 0;
    if (!status)
        status = th_exchange_number(x, "from", &ret->next, reterr);
    if (!status)
        status = th_exchange_number(x, "limit", ret_limit, reterr);
    if (!status && (*ret_limit == 0 || *ret_limit > TH_PAGE_MAX))
        status = th_fail(reterr, THEATER_INVALID_ARGUMENT, "a page has 1 to %d entries", TH_PAGE_MAX);
    if (!status)
        status = read_filter(x, &ret->filter, reterr);
    if (ret->reverse && ret->next >= info->elements)
        ret->next = info->elements - 1;
    ret->more = ret->next < info->elements;
    return status;
}

/* Reads the next element, and puts it on the page when it is of the filter. */
static theater_status step(scan *self, theater_folder *folder, const theater_actor_info *info, th_json *json,
                           uint64_t *limit, theater_error *reterr)
{
    theater_element element;
    theater_status status = theater_element_read(folder, info->id, self->next, &element, reterr);
    if (status)
        return status;
    size_t size = element.input.size + element.output.size + element.effects.size;
    self->left--;
    self->bytes -= size < self->bytes ? size : self->bytes;
    if (matches(&self->filter, &element)) {
        th_json_element(json, &element);
        --*limit;
    }
    theater_element_free(&element);
    self->more = self->reverse ? self->next > 0 : self->next + 1 < info->elements;
    self->next += self->reverse ? UINT64_MAX : 1;
    return THEATER_OK;
}

void th_work_elements(th_exchange *x, theater_folder *folder)
{
    scan self;
    uint64_t limit;
    theater_actor_info info;
    theater_error error = {0};
    theater_status status = th_find_actor(x, folder, &info, &error);
    if (!status)
        status = read_request(x, &info, &self, &limit, &error);
    if (status) {
        th_reply_error(x, &error);
        return;
    }
    th_json json = th_reply_json(x, 200);
    th_json_open(&json, '{');
    th_json_key(&json, "elements");
    th_json_open(&json, '[');
    while (!status && self.more && limit > 0 && self.left > 0 && self.bytes > 0 &&
           x->reply.body.size < TH_PAGE_BYTES && !json.status && !__atomic_load_n(&x->gone, __ATOMIC_RELAXED))
        status = step(&self, folder, &info, &json, &limit, &error);
    th_json_close(&json, ']');
    th_json_key(&json, "next");
    if (self.more)
        th_json_uint(&json, self.next);
    else
        th_json_null(&json);
    th_json_close(&json, '}');
    if (status)
        th_reply_error(x, &error);
    else
        th_reply_json_end(x, &json);
}
