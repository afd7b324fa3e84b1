/* Writing and reading bundles.
 *
 * The reader holds one buffer with a part of the file. An item is first measured (which reads heads only),
 * then read more bytes of if it is not whole, and taken apart when it is. Nothing is nested deeper than one
 * array or map, so measuring takes a handful of steps however large an item is.
 *
 * Invariants of the reader
 *  1. buffer[begin..end) are the bytes of the file from `offset` on that were read and not yet given out.
 *  2. The buffer never grows past max_item: an item whose measured size passes it is refused before it is
 *     read.
 *  3. After an error `failed` is set and stays, since the place of the next item is unknown. */
#include "chain/bundle.h"

#include "chain/cbor.h"

#define MAGIC "theater-bundle"
#define BUNDLE_VERSION 1
#define READ_SIZE ((size_t)64 * 1024)
/* Values that an item of version 1 may hold at the most: a header's three pairs; an element has five. */
#define FIELDS_MAX 8

enum stage { AT_BEGIN, AT_HEADER, AT_ITEMS, AT_KEY, AT_CHECKPOINTS };

/* ---- writing --------------------------------------------------------------------------------- */

void th_bundle_writer_init(th_bundle_writer *writer, th_bundle_sink sink, void *context)
{
    *writer = (th_bundle_writer){sink, context, AT_BEGIN};
}

/* One item from heads and borrowed bytes, in one call of the sink. `at` is the place behind the heads written
 * so far. */
typedef struct item_parts {
    uint8_t heads[64];
    uint8_t *at;
    uint8_t *begin; /* of the heads that are not yet a part */
    th_slice parts[8];
    size_t count;
} item_parts;

static void parts_begin(item_parts *item, uint64_t count, th_bundle_kind kind)
{
    item->begin = item->heads;
    item->at = th_cbor_put_head(item->heads, TH_CBOR_ARRAY, count);
    item->at = th_cbor_put_uint(item->at, kind);
    item->count = 0;
}

static void parts_flush(item_parts *item)
{
    item->parts[item->count++] = th_slice_of(item->begin, (size_t)(item->at - item->begin));
    item->begin = item->at;
}

static void parts_string(item_parts *item, th_cbor_major major, th_slice bytes)
{
    item->at = th_cbor_put_head(item->at, major, bytes.size);
    parts_flush(item);
    item->parts[item->count++] = bytes;
}

static void parts_payload(item_parts *item, const th_payload *payload)
{
    if (payload->present)
        parts_string(item, TH_CBOR_BYTES, payload->bytes);
    else
        *item->at++ = TH_CBOR_NULL;
}

static theater_status parts_write(item_parts *item, th_bundle_writer *writer, theater_error *reterr)
{
    if (item->at > item->begin)
        parts_flush(item);
    return writer->sink(writer->context, item->parts, item->count, reterr);
}

theater_status th_bundle_write_header(th_bundle_writer *writer, th_slice actor, theater_error *reterr)
{
    th_assert(th_name_valid(actor));
    writer->stage = AT_HEADER;
    uint8_t bytes[64 + TH_NAME_MAX], *at = bytes;
    at = th_cbor_put_head(at, TH_CBOR_MAP, 3);
    at = th_cbor_put_uint(at, 0);
    at = th_cbor_put_string(at, TH_CBOR_TEXT, th_slice_text(MAGIC));
    at = th_cbor_put_uint(at, 1);
    at = th_cbor_put_uint(at, BUNDLE_VERSION);
    at = th_cbor_put_uint(at, 2);
    at = th_cbor_put_string(at, TH_CBOR_TEXT, actor);
    th_slice part = th_slice_of(bytes, (size_t)(at - bytes));
    return writer->sink(writer->context, &part, 1, reterr);
}

/* Notes that an item of `stage` comes now; a key comes once, and nothing goes back. */
static void enter(th_bundle_writer *writer, enum stage stage)
{
    th_assert(writer->stage >= AT_HEADER && (int)stage >= writer->stage);
    th_assert(!(stage == AT_KEY && writer->stage == AT_KEY));
    writer->stage = stage;
}

static theater_status write_string(th_bundle_writer *writer, th_bundle_kind kind, th_cbor_major major,
                                   th_slice bytes, theater_error *reterr)
{
    item_parts item;
    parts_begin(&item, 2, kind);
    parts_string(&item, major, bytes);
    return parts_write(&item, writer, reterr);
}

theater_status th_bundle_write_component(th_bundle_writer *writer, th_slice component, theater_error *reterr)
{
    enter(writer, AT_ITEMS);
    return write_string(writer, TH_BUNDLE_COMPONENT, TH_CBOR_BYTES, component, reterr);
}

theater_status th_bundle_write_snapshot(th_bundle_writer *writer, uint64_t sequence, th_slice state,
                                        theater_error *reterr)
{
    enter(writer, AT_ITEMS);
    item_parts item;
    parts_begin(&item, 3, TH_BUNDLE_SNAPSHOT);
    item.at = th_cbor_put_uint(item.at, sequence);
    parts_string(&item, TH_CBOR_BYTES, state);
    return parts_write(&item, writer, reterr);
}

theater_status th_bundle_write_element(th_bundle_writer *writer, th_slice encoding,
                                       const th_payloads *payloads, theater_error *reterr)
{
    enter(writer, AT_ITEMS);
    item_parts item;
    parts_begin(&item, 5, TH_BUNDLE_ELEMENT);
    parts_string(&item, TH_CBOR_BYTES, encoding);
    parts_payload(&item, &payloads->input);
    parts_payload(&item, &payloads->output);
    parts_payload(&item, &payloads->effects);
    return parts_write(&item, writer, reterr);
}

theater_status th_bundle_write_key(th_bundle_writer *writer, th_slice verifier_key, theater_error *reterr)
{
    enter(writer, AT_KEY);
    return write_string(writer, TH_BUNDLE_KEY, TH_CBOR_TEXT, verifier_key, reterr);
}

theater_status th_bundle_write_checkpoint(th_bundle_writer *writer, th_slice note, theater_error *reterr)
{
    enter(writer, AT_CHECKPOINTS);
    return write_string(writer, TH_BUNDLE_CHECKPOINT, TH_CBOR_TEXT, note, reterr);
}

/* ---- reading --------------------------------------------------------------------------------- */

struct th_bundle_reader {
    th_bundle_source source;
    void *context;
    size_t max_item;
    uint8_t *buffer;
    size_t capacity;
    size_t begin; /* of the bytes not yet given out */
    size_t end;
    uint64_t offset; /* of buffer[begin] in the file */
    bool at_end; /* the source has no more */
    bool failed;
    enum stage stage;
};

theater_status th_bundle_reader_new(th_bundle_source source, void *context, size_t max_item,
                                    th_bundle_reader **ret, theater_error *reterr)
{
    th_bundle_reader *reader = th_alloc_zero(1, sizeof *reader);
    if (!reader)
        return th_fail_memory(reterr, "a bundle's reader");
    reader->source = source;
    reader->context = context;
    reader->max_item = max_item < READ_SIZE ? READ_SIZE : max_item;
    *ret = reader;
    return THEATER_OK;
}

void th_bundle_reader_free(th_bundle_reader *reader)
{
    if (!reader)
        return;
    th_free(reader->buffer);
    th_free(reader);
}

/* Reads until `size` bytes (at most max_item) are there or the file ends. */
static theater_status fill(th_bundle_reader *reader, size_t size, theater_error *reterr)
{
    if (reader->begin == reader->end)
        reader->begin = reader->end = 0; /* the whole buffer for the next read */
    if (reader->begin > 0 && reader->begin + size > reader->capacity) {
        memmove(reader->buffer, reader->buffer + reader->begin, reader->end - reader->begin);
        reader->end -= reader->begin;
        reader->begin = 0;
    }
    if (size > reader->capacity) {
        size_t capacity = reader->capacity ? reader->capacity : READ_SIZE;
        while (capacity < size)
            capacity = capacity > reader->max_item / 2 ? reader->max_item : capacity * 2;
        uint8_t *buffer = th_realloc(reader->buffer, capacity);
        if (!buffer)
            return th_fail_memory(reterr, "an item of a bundle");
        reader->buffer = buffer;
        reader->capacity = capacity;
    }
    while (!reader->at_end && reader->end - reader->begin < size) {
        size_t got = 0;
        theater_status status = reader->source(reader->context, reader->buffer + reader->end,
                                               reader->capacity - reader->end, &got, reterr);
        if (status)
            return status;
        th_assert(got <= reader->capacity - reader->end);
        reader->end += got;
        reader->at_end = got == 0;
    }
    return THEATER_OK;
}

static theater_status fail_at(th_bundle_reader *reader, theater_status status, const char *problem,
                              theater_error *reterr)
{
    reader->failed = true;
    return th_fail(reterr, status, "bundle: %s in the item at byte %llu", problem,
                   (unsigned long long)reader->offset);
}

/* How the head at `at` goes on: its size and the bytes that follow it and belong to it. False when the bytes
 * end within the head; a head that means nothing counts as one byte without anything behind it, so that the
 * strict reading refuses it. */
static bool measure_head(const uint8_t *at, const uint8_t *end, size_t *ret_head, uint64_t *ret_value)
{
    uint8_t low = *at & 31;
    *ret_head = low < 24 || low > 27 ? 1 : 1 + ((size_t)1 << (low - 24));
    if ((size_t)(end - at) < *ret_head)
        return false;
    *ret_value = low < 24 ? low : 0;
    for (size_t i = 1; i < *ret_head; i++)
        *ret_value = *ret_value << 8 | at[i];
    return true;
}

/* The size of the item that begins at `begin`; if it is not whole, how many bytes must be there to know more.
 * Anything that is not an array or map of strings and integers measures as less than it is, and the strict
 * reading finds it. */
static uint64_t measure_item(const uint8_t *begin, const uint8_t *end)
{
    const uint8_t *at = begin;
    size_t head;
    uint64_t count = 0;
    if (at == end)
        return 1;
    if (!measure_head(at, end, &head, &count))
        return head;
    unsigned major = *at >> 5;
    at += head;
    if (major != TH_CBOR_ARRAY && major != TH_CBOR_MAP)
        return head;
    if (major == TH_CBOR_MAP)
        count = count > FIELDS_MAX ? FIELDS_MAX : count * 2;
    for (uint64_t i = 0; i < count && i < FIELDS_MAX; i++) {
        uint64_t value = 0;
        if (at == end)
            return (uint64_t)(at - begin) + 1;
        if (!measure_head(at, end, &head, &value))
            return (uint64_t)(at - begin) + head;
        unsigned kind = *at >> 5;
        at += head;
        if (kind != TH_CBOR_BYTES && kind != TH_CBOR_TEXT)
            continue;
        if (value > (uint64_t)(end - at))
            return value > UINT64_MAX - (uint64_t)(at - begin) ? UINT64_MAX : (uint64_t)(at - begin) + value;
        at += value;
    }
    return (uint64_t)(at - begin);
}

/* Brings one whole item into the buffer. */
static theater_status fill_item(th_bundle_reader *reader, size_t *ret_size, theater_error *reterr)
{
    for (;;) {
        const uint8_t *begin = reader->buffer + reader->begin, *end = reader->buffer + reader->end;
        uint64_t size = measure_item(begin, end);
        if (size > reader->max_item)
            return th_fail(reterr, THEATER_TOO_LARGE,
                           "bundle: the item at byte %llu is over the limit of %zu bytes",
                           (unsigned long long)reader->offset, reader->max_item);
        if (size <= (uint64_t)(end - begin)) {
            *ret_size = (size_t)size;
            return THEATER_OK;
        }
        if (reader->at_end)
            return fail_at(reader, THEATER_CORRUPT, "the file ends", reterr);
        theater_status status = fill(reader, (size_t)size, reterr);
        if (status)
            return status;
    }
}

static bool read_header(th_cbor_reader *in, th_bundle_item *ret, uint64_t *ret_version)
{
    uint64_t count;
    th_slice magic;
    if (!th_cbor_read_map(in, &count) || !th_cbor_expect_uint(in, 0, "no bundle's header") ||
        !th_cbor_read_text(in, &magic))
        return false;
    if (!th_slice_equal(magic, th_slice_text(MAGIC)))
        return th_cbor_refuse(in, "no bundle's header");
    if (!th_cbor_expect_uint(in, 1, "a header without version") || !th_cbor_read_uint(in, ret_version))
        return false;
    if (*ret_version != BUNDLE_VERSION)
        return th_cbor_refuse(in, "a version of bundles that is not known");
    if (count != 3)
        return th_cbor_refuse(in, "a header that has not three fields");
    if (!th_cbor_expect_uint(in, 2, "a header without the actor's name") ||
        !th_cbor_read_text(in, &ret->actor))
        return false;
    if (!th_name_valid(ret->actor))
        return th_cbor_refuse(in, "a header whose name is no name");
    ret->kind = TH_BUNDLE_HEADER;
    return th_cbor_read_end(in);
}

static bool read_payload(th_cbor_reader *in, th_payload *ret)
{
    return th_cbor_read_bytes_or_null(in, &ret->present, &ret->bytes);
}

static bool read_fields(th_cbor_reader *in, th_bundle_item *ret)
{
    switch (ret->kind) {
    case TH_BUNDLE_COMPONENT:
        return th_cbor_read_bytes(in, &ret->component);
    case TH_BUNDLE_SNAPSHOT:
        return th_cbor_read_uint(in, &ret->sequence) && th_cbor_read_bytes(in, &ret->state);
    case TH_BUNDLE_ELEMENT:
        return th_cbor_read_bytes(in, &ret->element) && read_payload(in, &ret->payloads.input) &&
               read_payload(in, &ret->payloads.output) && read_payload(in, &ret->payloads.effects);
    default:
        return th_cbor_read_text(in, &ret->text);
    }
}

static bool read_item(th_cbor_reader *in, th_bundle_item *ret)
{
    static const uint8_t lengths[] = {0, 2, 3, 5, 2, 2};
    uint64_t count, kind;
    if (!th_cbor_read_array(in, &count) || !th_cbor_read_uint(in, &kind))
        return false;
    if (kind < TH_BUNDLE_COMPONENT || kind > TH_BUNDLE_KEY)
        return th_cbor_refuse(in, "an unknown kind");
    if (count != lengths[kind])
        return th_cbor_refuse(in, "a wrong number of fields");
    ret->kind = (th_bundle_kind)kind;
    return read_fields(in, ret) && th_cbor_read_end(in);
}

/* Whether an item of this kind may come now. */
static const char *misplaced(enum stage stage, th_bundle_kind kind)
{
    if (kind == TH_BUNDLE_KEY)
        return stage >= AT_KEY ? "a key behind a key or a checkpoint" : NULL;
    if (kind == TH_BUNDLE_CHECKPOINT)
        return NULL;
    return stage >= AT_KEY ? "something else behind the key or the checkpoints" : NULL;
}

static theater_status take_item(th_bundle_reader *reader, size_t size, th_bundle_item *ret,
                                theater_error *reterr)
{
    th_slice bytes = th_slice_of(reader->buffer + reader->begin, size);
    th_cbor_reader in = th_cbor_read(bytes);
    *ret = (th_bundle_item){.offset = reader->offset};
    bool header = bytes.data[0] >> 5 == TH_CBOR_MAP;
    if (!header && reader->stage == AT_BEGIN)
        return fail_at(reader, THEATER_CORRUPT, "no bundle's header", reterr);
    uint64_t version = BUNDLE_VERSION;
    bool good = header ? read_header(&in, ret, &version) : read_item(&in, ret);
    if (!good)
        return fail_at(reader, version > BUNDLE_VERSION ? THEATER_VERSION : THEATER_CORRUPT, in.problem,
                       reterr);
    const char *problem = header ? NULL : misplaced(reader->stage, ret->kind);
    if (problem)
        return fail_at(reader, THEATER_CORRUPT, problem, reterr);
    reader->stage = header                              ? AT_HEADER
                    : ret->kind == TH_BUNDLE_KEY        ? AT_KEY
                    : ret->kind == TH_BUNDLE_CHECKPOINT ? AT_CHECKPOINTS
                                                        : AT_ITEMS;
    reader->begin += size;
    reader->offset += size;
    return THEATER_OK;
}

theater_status th_bundle_reader_next(th_bundle_reader *reader, th_bundle_item *ret, bool *ret_more,
                                     theater_error *reterr)
{
    *ret_more = false;
    if (reader->failed)
        return fail_at(reader, THEATER_CORRUPT, "an error before, or", reterr);
    theater_status status = reader->begin < reader->end ? THEATER_OK : fill(reader, 1, reterr);
    if (!status && reader->begin == reader->end) {
        if (reader->stage == AT_BEGIN)
            return fail_at(reader, THEATER_CORRUPT, "no bundle's header: an empty file", reterr);
        return THEATER_OK;
    }
    size_t size = 0;
    if (!status)
        status = fill_item(reader, &size, reterr);
    if (!status)
        status = take_item(reader, size, ret, reterr);
    reader->failed = reader->failed || status;
    *ret_more = !status;
    return status;
}
