/* theater_codec.h: a value of the actor's own types as JSON or as CBOR, and back. Included by theater.h.
 *
 * One function says of what parts a type consists. It reads and it writes, so that the two cannot differ:
 *
 *     struct choice { theater_slice name; uint64_t votes; };
 *     struct poll { struct choice *choices; size_t count; bool closed; };
 *
 *     static void poll_parts(theater_codec *codec, struct poll *poll)
 *     {
 *         theater_codec_object(codec, NULL);
 *         theater_codec_bool(codec, "closed", &poll->closed);
 *         poll->choices = theater_codec_array(codec, "choices", poll->choices, &poll->count,
 *                                             sizeof(struct choice));
 *         for (size_t i = 0; i < poll->count; i++) {
 *             theater_codec_object(codec, NULL);
 *             theater_codec_text(codec, "name", &poll->choices[i].name);
 *             theater_codec_u64(codec, "votes", &poll->choices[i].votes);
 *             theater_codec_end(codec);
 *         }
 *         theater_codec_end(codec);
 *     }
 *
 *     struct poll poll = {0};
 *     theater_codec old = theater_codec_reader(THEATER_CBOR, theater_slice_bytes(state));
 *     poll_parts(&old, &poll);
 *     if (!theater_codec_done(&old))
 *         return theater_reject_slice(theater_codec_error(&old));
 *     ...
 *     theater_codec new = theater_codec_writer(THEATER_CBOR);
 *     poll_parts(&new, &poll);
 *     return theater_reply_value(output, &new);
 *
 * What to know:
 *
 *   1. The same value gives the same bytes, and the same as in the other languages: members stand in CBOR's
 *      order of keys, or in JSON in that of their names' bytes, in whatever order the function names them; it
 *      costs less if that is the same. CBOR's: shorter names first, those of one length by their bytes.
 *   2. Reading gives what was written and nothing else: a member that is missing, or that nobody asks for, is
 *      an error, as is CBOR in any other form than the deterministic one. After the first error nothing more
 *      is read or written, everything that is read is 0, and theater_codec_error says what was wrong, and
 *      where.
 *   3. A part of an object has a name; the value itself, an item of an array and a member of a map have NULL.
 *      Names are literals, and none is used twice in an object.
 *   4. Texts and bytes that are read are parts of what is read: they are there until the turn ends.
 *   5. JSON has no bytes and no floats here; CBOR has both.
 */
#ifndef THEATER_CODEC_H
#define THEATER_CODEC_H

#include "theater_cbor.h"
#include "theater_json.h"
#include "theater_memory.h"
#include "theater_text.h"

#define THEATER_CODEC_DEPTH                                                                                  \
    THEATER_JSON_DEPTH /* how many objects, arrays and maps may stand in one another */

typedef enum theater_format {
    THEATER_JSON,
    THEATER_CBOR,
} theater_format;

typedef enum theater_level_kind {
    THEATER_LEVEL_OBJECT,
    THEATER_LEVEL_ARRAY,
    THEATER_LEVEL_MAP,
} theater_level_kind;

/* An object, array or map that is being read or written. */
typedef struct theater_codec_level {
    theater_level_kind kind;
    bool keyed; /* a map's key is there, its value not yet */
    bool unsorted; /* the keys that were written need another order */
    size_t count; /* members or items: those that are read, or as the array or map that is written says */
    size_t done; /* how many were read or written */
    size_t next; /* reading: the number of the member or item at the cursor */
    size_t start; /* writing: where its head stands */
    size_t body; /* where its first member or item stands */
    theater_slice last; /* the last key */
} theater_codec_level;

typedef struct theater_codec {
    theater_format format;
    bool writes;
    bool begun; /* the whole value was asked for */
    bool pending; /* theater_codec_optional has found the place of what is asked for next */
    const char *wrong; /* NULL: nothing so far */
    const char *name; /* the last part that was asked for */
    theater_slice text; /* what is read */
    theater_cbor cbor;
    theater_json json;
    theater_writer out;
    size_t depth;
    theater_codec_level levels[THEATER_CODEC_DEPTH];
} theater_codec;

/* ---- the cursor ---------------------------------------------------------------------------------------- */

static inline const uint8_t **theater_codec_at(theater_codec *codec)
{
    return codec->format == THEATER_CBOR ? &codec->cbor.at : &codec->json.at;
}

static inline theater_codec_level *theater_codec_level_of(theater_codec *codec)
{
    return codec->depth > 0 ? &codec->levels[codec->depth - 1] : NULL;
}

THEATER_OUTLINE void theater_codec_fail(theater_codec *codec, const char *what)
{
    if (!codec->wrong)
        codec->wrong = what;
    codec->cbor.wrong = codec->wrong;
    codec->json.failed = true;
}

/* What the readers below found. */
static inline void theater_codec_note(theater_codec *codec)
{
    if (codec->cbor.wrong)
        theater_codec_fail(codec, codec->cbor.wrong);
    else if (codec->json.failed)
        theater_codec_fail(codec, "what stands there is not what is wanted, or no JSON");
}

/* A codec that reads `bytes`, which have to stay. */
THEATER_OUTLINE theater_codec theater_codec_reader(theater_format format, theater_slice bytes)
{
    theater_codec codec = {
        .format = format, .text = bytes, .cbor = theater_cbor_of(bytes), .json = theater_json_of(bytes)};
    if (format == THEATER_CBOR) {
        /* The form of all of it is looked at first: below it is only asked what it says. */
        theater_cbor whole = codec.cbor;
        theater_cbor_skip(&whole);
        if (!whole.wrong && whole.at != whole.end)
            theater_cbor_fail(&whole, whole.at, "there is more behind it");
        if (whole.wrong)
            codec.cbor = whole;
    } else if (!theater_is_utf8(bytes)) {
        theater_codec_fail(&codec, "it is not UTF-8");
    }
    theater_codec_note(&codec);
    return codec;
}

/* A codec that writes. */
static inline theater_codec theater_codec_writer(theater_format format)
{
    return (theater_codec){.format = format, .writes = true, .out = theater_writer_new(256)};
}

/* Reads the next key of an object or map. False at its end. */
THEATER_OUTLINE bool theater_codec_next_key(theater_codec *codec, theater_codec_level *level,
                                            theater_slice *ret_key)
{
    *ret_key = (theater_slice){0};
    if (codec->wrong || level->next == level->count)
        return false;
    codec->json.first = level->next++ == 0;
    if (codec->format == THEATER_CBOR)
        *ret_key = theater_cbor_text(&codec->cbor);
    else
        theater_json_member(&codec->json, ret_key);
    theater_codec_note(codec);
    return !codec->wrong;
}

static inline void theater_codec_skip(theater_codec *codec)
{
    if (codec->format == THEATER_CBOR)
        theater_cbor_skip(&codec->cbor);
    else
        theater_json_skip(&codec->json);
    theater_codec_note(codec);
}

static inline void theater_codec_rewind(theater_codec *codec, theater_codec_level *level)
{
    *theater_codec_at(codec) = codec->text.data + level->body;
    level->next = 0;
}

/* Goes to the value of a member: the next one, if the members are asked for in their order. */
THEATER_OUTLINE bool theater_codec_seek(theater_codec *codec, theater_codec_level *level, const char *name)
{
    theater_slice key, wanted = theater_slice_text(name);
    if (theater_codec_next_key(codec, level, &key) && theater_slice_equal(key, wanted))
        return true;
    if (codec->wrong)
        return false;
    theater_codec_rewind(codec, level);
    while (theater_codec_next_key(codec, level, &key)) {
        if (theater_slice_equal(key, wanted))
            return true;
        theater_codec_skip(codec);
    }
    theater_codec_fail(codec, "the member is missing");
    return false;
}

THEATER_OUTLINE void theater_codec_put_key(theater_codec *codec, theater_codec_level *level,
                                           theater_slice key)
{
    bool cbor = codec->format == THEATER_CBOR;
    if (!theater_is_utf8(key)) {
        theater_codec_fail(codec, "a key is not UTF-8");
        return;
    }
    if (level->done > 0) {
        theater_slice last = level->last;
        int order = cbor ? theater_cbor_compare(last, key) : theater_slice_compare(last, key);
        level->unsorted |= order >= 0;
        if (!cbor)
            theater_put_byte(&codec->out, ',');
    }
    level->last = key;
    level->done++;
    if (cbor) {
        theater_cbor_put_text(&codec->out, key);
    } else {
        theater_put_quoted(&codec->out, key, true);
        theater_put_byte(&codec->out, ':');
    }
}

/* The place of the next value is found, or made. False after a failure. */
THEATER_OUTLINE bool theater_codec_place(theater_codec *codec, const char *name)
{
    theater_codec_level *level = theater_codec_level_of(codec);
    if (codec->wrong)
        return false;
    if (codec->pending) {
        codec->pending = false;
        return true;
    }
    codec->name = name ? name : codec->name;
    if (!level) {
        if (codec->begun)
            theater_codec_fail(codec, "more than one value is asked for");
        codec->begun = true;
    } else if ((level->kind == THEATER_LEVEL_OBJECT) != (name != NULL)) {
        theater_codec_fail(codec, "parts of an object have names, others have none");
    } else if (level->kind == THEATER_LEVEL_MAP) {
        if (!level->keyed)
            theater_codec_fail(codec, "a map's value is asked for without its key");
        level->keyed = false;
    } else if (level->kind == THEATER_LEVEL_OBJECT && codec->writes) {
        theater_codec_put_key(codec, level, theater_slice_text(name));
    } else if (level->kind == THEATER_LEVEL_OBJECT) {
        level->done += theater_codec_seek(codec, level, name);
    } else if (level->done == level->count) {
        theater_codec_fail(codec, "more items are asked for than the array has");
    } else {
        bool first = level->done++ == 0;
        if (codec->writes && codec->format == THEATER_JSON && !first)
            theater_put_byte(&codec->out, ',');
        codec->json.first = first;
        if (!codec->writes && codec->format == THEATER_JSON)
            theater_json_item(&codec->json);
        theater_codec_note(codec);
    }
    return !codec->wrong;
}

/* ---- values -------------------------------------------------------------------------------------------- */

THEATER_OUTLINE void theater_codec_bool(theater_codec *codec, const char *name, bool *value)
{
    bool there = theater_codec_place(codec, name), cbor = codec->format == THEATER_CBOR;
    if (!codec->writes)
        *value = false;
    if (!there)
        return;
    if (codec->writes && cbor)
        theater_cbor_put_bool(&codec->out, *value);
    else if (codec->writes)
        theater_put_text(&codec->out, *value ? "true" : "false");
    else
        *value = cbor ? theater_cbor_bool(&codec->cbor) : theater_json_bool(&codec->json);
    theater_codec_note(codec);
}

THEATER_OUTLINE void theater_codec_u64(theater_codec *codec, const char *name, uint64_t *value)
{
    bool there = theater_codec_place(codec, name), cbor = codec->format == THEATER_CBOR;
    if (!codec->writes)
        *value = 0;
    if (!there)
        return;
    if (codec->writes && cbor)
        theater_cbor_put_u64(&codec->out, *value);
    else if (codec->writes)
        theater_put_u64(&codec->out, *value);
    else if (cbor)
        *value = theater_cbor_u64(&codec->cbor);
    else if (!theater_parse_u64(theater_json_number(&codec->json), value))
        theater_codec_fail(codec, "an integer from 0 to 18446744073709551615 is wanted");
    theater_codec_note(codec);
}

THEATER_OUTLINE void theater_codec_i64(theater_codec *codec, const char *name, int64_t *value)
{
    bool there = theater_codec_place(codec, name), cbor = codec->format == THEATER_CBOR;
    if (!codec->writes)
        *value = 0;
    if (!there)
        return;
    if (codec->writes && cbor)
        theater_cbor_put_i64(&codec->out, *value);
    else if (codec->writes)
        theater_put_i64(&codec->out, *value);
    else if (cbor)
        *value = theater_cbor_i64(&codec->cbor);
    else if (!theater_parse_i64(theater_json_number(&codec->json), value))
        theater_codec_fail(codec, "an integer of 64 bits with a sign is wanted");
    theater_codec_note(codec);
}

static inline void theater_codec_u32(theater_codec *codec, const char *name, uint32_t *value)
{
    uint64_t wide = codec->writes ? *value : 0;
    theater_codec_u64(codec, name, &wide);
    if (wide > UINT32_MAX)
        theater_codec_fail(codec, "an integer does not fit into 32 bits");
    *value = codec->wrong && !codec->writes ? 0 : (uint32_t)wide;
}

/* CBOR alone. A NaN comes back as the one NaN that there is, everything else as it is. */
THEATER_OUTLINE void theater_codec_double(theater_codec *codec, const char *name, double *value)
{
    bool there = theater_codec_place(codec, name);
    if (!codec->writes)
        *value = 0;
    if (there && codec->format == THEATER_JSON)
        theater_codec_fail(codec, "JSON has no floats here");
    else if (there && codec->writes)
        theater_cbor_put_double(&codec->out, *value);
    else if (there)
        *value = theater_cbor_double(&codec->cbor);
    theater_codec_note(codec);
}

/* UTF-8. */
THEATER_OUTLINE void theater_codec_text(theater_codec *codec, const char *name, theater_slice *value)
{
    bool there = theater_codec_place(codec, name), cbor = codec->format == THEATER_CBOR;
    if (!codec->writes)
        *value = (theater_slice){0};
    if (!there)
        return;
    if (!codec->writes)
        *value = cbor ? theater_cbor_text(&codec->cbor) : theater_json_string(&codec->json);
    else if (!theater_is_utf8(*value))
        theater_codec_fail(codec, "a text is not UTF-8");
    else if (cbor)
        theater_cbor_put_text(&codec->out, *value);
    else
        theater_put_quoted(&codec->out, *value, true);
    theater_codec_note(codec);
}

/* CBOR alone. */
THEATER_OUTLINE void theater_codec_bytes(theater_codec *codec, const char *name, theater_slice *value)
{
    bool there = theater_codec_place(codec, name);
    if (!codec->writes)
        *value = (theater_slice){0};
    if (there && codec->format == THEATER_JSON)
        theater_codec_fail(codec, "JSON has no bytes");
    else if (there && codec->writes)
        theater_cbor_put_bytes(&codec->out, *value);
    else if (there)
        *value = theater_cbor_bytes(&codec->cbor);
    theater_codec_note(codec);
}

/* A value or null. Where it gives true, the value is asked for next, with NULL for its name. */
THEATER_OUTLINE bool theater_codec_optional(theater_codec *codec, const char *name, bool *present)
{
    bool there = theater_codec_place(codec, name), cbor = codec->format == THEATER_CBOR;
    if (!codec->writes)
        *present = false;
    if (!there)
        return false;
    if (!codec->writes)
        *present = !(cbor ? theater_cbor_null(&codec->cbor) : theater_json_null(&codec->json));
    else if (!*present && cbor)
        theater_cbor_put_null(&codec->out);
    else if (!*present)
        theater_put_text(&codec->out, "null");
    theater_codec_note(codec);
    codec->pending = *present && !codec->wrong;
    return codec->pending;
}

/* ---- objects, arrays and maps -------------------------------------------------------------------------- */

/* How many members or items JSON has from here to the end of its object or array. */
THEATER_OUTLINE size_t theater_codec_count_json(theater_codec *codec, bool array)
{
    theater_json json = codec->json;
    theater_slice key;
    size_t count = 0;
    while (array ? theater_json_item(&json) : theater_json_member(&json, &key)) {
        theater_json_skip(&json);
        count++;
    }
    if (json.failed)
        codec->json = json;
    return json.failed ? 0 : count;
}

THEATER_OUTLINE void theater_codec_enter(theater_codec *codec, const char *name, theater_level_kind kind,
                                         size_t *count)
{
    bool there = theater_codec_place(codec, name), cbor = codec->format == THEATER_CBOR;
    bool array = kind == THEATER_LEVEL_ARRAY;
    if (there && codec->depth == THEATER_CODEC_DEPTH) {
        theater_codec_fail(codec, "it is nested too deep");
        there = false;
    }
    theater_codec_level level = {.kind = kind, .start = codec->out.size};
    if (there && codec->writes) {
        level.count = *count;
        if (cbor)
            theater_cbor_put_head(&codec->out, array ? THEATER_CBOR_ARRAY : THEATER_CBOR_MAP, *count);
        else
            theater_put_byte(&codec->out, array ? '[' : '{');
        level.body = codec->out.size;
    } else if (there) {
        if (cbor)
            level.count = array ? theater_cbor_array(&codec->cbor) : theater_cbor_map(&codec->cbor).left;
        else if (array)
            theater_json_array(&codec->json);
        else
            theater_json_object(&codec->json);
        if (!cbor)
            level.count = theater_codec_count_json(codec, array);
        theater_codec_note(codec);
        level.body = (size_t)(*theater_codec_at(codec) - codec->text.data);
    }
    if (!codec->writes)
        *count = codec->wrong ? 0 : level.count;
    if (!codec->wrong)
        codec->levels[codec->depth++] = level;
}

/* Begins an object, whose parts follow; theater_codec_end ends it. */
static inline void theater_codec_object(theater_codec *codec, const char *name)
{
    size_t none = 0;
    theater_codec_enter(codec, name, THEATER_LEVEL_OBJECT, &none);
}

/* Room for the items that are read; the items themselves where they are written. */
static inline void *theater_codec_items(theater_codec *codec, void *items, size_t *count, size_t size)
{
    if (codec->writes)
        return items;
    if (size > 0 && *count > SIZE_MAX / size) {
        theater_codec_fail(codec, "there are more items than memory");
        *count = 0;
    }
    return theater_bytes_new(*count * size).data;
}

/* Begins an array of `count` items of `size` bytes, each of which is asked for next. Reading sets the count
 * and gives zeroed memory for as many; writing gives `items` back. 0 items after a failure. */
static inline void *theater_codec_array(theater_codec *codec, const char *name, void *items, size_t *count,
                                        size_t size)
{
    theater_codec_enter(codec, name, THEATER_LEVEL_ARRAY, count);
    return theater_codec_items(codec, items, count, size);
}

/* The same with a map of members whose names are data: of each, theater_codec_key and then its value, in any
 * order when writing, in CBOR's order when CBOR is read. */
static inline void *theater_codec_map(theater_codec *codec, const char *name, void *members, size_t *count,
                                      size_t size)
{
    theater_codec_enter(codec, name, THEATER_LEVEL_MAP, count);
    return theater_codec_items(codec, members, count, size);
}

/* Whether a member of JSON before the one at the cursor has the same key. */
THEATER_OUTLINE bool theater_codec_is_there_before(theater_codec *codec, theater_codec_level level,
                                                   theater_slice key)
{
    theater_json json = codec->json;
    theater_slice other;
    json.at = codec->text.data + level.body;
    json.first = true;
    for (size_t i = 1; i < level.next && theater_json_member(&json, &other); i++) {
        if (theater_slice_equal(key, other))
            return true;
        theater_json_skip(&json);
    }
    return false;
}

/* The key of a map's next member. */
THEATER_OUTLINE void theater_codec_key(theater_codec *codec, theater_slice *key)
{
    theater_codec_level *level = theater_codec_level_of(codec);
    if (!codec->wrong && (!level || level->kind != THEATER_LEVEL_MAP || level->keyed))
        theater_codec_fail(codec, "a key is asked for where there is none");
    if (!codec->writes)
        *key = (theater_slice){0};
    if (codec->wrong)
        return;
    level->keyed = true;
    if (codec->writes) {
        theater_codec_put_key(codec, level, *key);
        return;
    }
    if (!theater_codec_next_key(codec, level, key)) {
        theater_codec_fail(codec, "more members are asked for than the map has");
        return;
    }
    /* CBOR was looked at before. JSON may have any order, but no key twice. */
    if (codec->format == THEATER_JSON && level->done++ > 0 && theater_slice_compare(level->last, *key) >= 0)
        level->unsorted = true;
    if (level->unsorted && theater_codec_is_there_before(codec, *level, *key))
        theater_codec_fail(codec, "a key is there twice");
    level->last = *key;
}

/* ---- putting members in order -------------------------------------------------------------------------- */

typedef struct theater_codec_entry {
    theater_slice key; /* as it is compared */
    theater_slice bytes; /* key and value as they are written */
} theater_codec_entry;

/* Merge sort: it takes no function pointers, as qsort does, and no long time with any order. */
THEATER_OUTLINE void theater_codec_sort(theater_codec_entry *entries, theater_codec_entry *spare,
                                        size_t count, theater_format format)
{
    if (count < 2)
        return;
    size_t half = count / 2, left = 0, right = half;
    theater_codec_sort(entries, spare, half, format);
    theater_codec_sort(entries + half, spare, count - half, format);
    for (size_t i = 0; i < count; i++) {
        bool take_left = right == count;
        if (!take_left && left < half) {
            theater_slice a = entries[left].key, b = entries[right].key;
            take_left =
                (format == THEATER_CBOR ? theater_cbor_compare(a, b) : theater_slice_compare(a, b)) <= 0;
        }
        spare[i] = entries[take_left ? left++ : right++];
    }
    for (size_t i = 0; i < count; i++)
        entries[i] = spare[i];
}

/* The members that were written, read back. */
THEATER_OUTLINE void theater_codec_entries(const theater_codec *codec, const theater_codec_level *level,
                                           theater_slice body, theater_codec_entry *ret)
{
    theater_cbor cbor = theater_cbor_of(body);
    theater_json json = theater_json_of(body);
    const uint8_t **at = codec->format == THEATER_CBOR ? &cbor.at : &json.at;
    for (size_t i = 0; i < level->done; i++) {
        json.at += i > 0; /* the comma */
        json.first = true;
        const uint8_t *start = *at;
        if (codec->format == THEATER_CBOR) {
            ret[i].key = theater_cbor_text(&cbor);
            theater_cbor_skip(&cbor);
        } else {
            theater_json_member(&json, &ret[i].key);
            theater_json_skip(&json);
        }
        ret[i].bytes = theater_slice_of(start, (size_t)(*at - start));
    }
}

THEATER_OUTLINE void theater_codec_put_in_order(theater_codec *codec, const theater_codec_level *level)
{
    size_t size = codec->out.size - level->body;
    uint8_t *to = codec->out.data + level->body;
    uint8_t *copy = theater_alloc(size);
    theater_codec_entry *entries = theater_alloc(2 * level->done * sizeof *entries);
    __builtin_memcpy(copy, to, size);
    theater_codec_entries(codec, level, theater_slice_of(copy, size), entries);
    theater_codec_sort(entries, entries + level->done, level->done, codec->format);
    for (size_t i = 0; i < level->done; i++) {
        if (i > 0 && theater_slice_equal(entries[i - 1].key, entries[i].key))
            theater_codec_fail(codec, "a key is there twice");
        if (i > 0 && codec->format == THEATER_JSON)
            *to++ = ',';
        theater_copy(to, entries[i].bytes.data, entries[i].bytes.size);
        to += entries[i].bytes.size;
    }
}

/* An object's head says how many members it has, which is known only now. */
THEATER_OUTLINE void theater_codec_put_count(theater_codec *codec, const theater_codec_level *level)
{
    uint8_t room[9];
    theater_writer head = {room, 0, sizeof room};
    theater_cbor_put_map(&head, level->done);
    size_t more = head.size - (level->body - level->start), size = codec->out.size - level->body;
    theater_put_room(&codec->out, more);
    uint8_t *start = codec->out.data + level->start;
    __builtin_memmove(start + head.size, start + head.size - more, size);
    __builtin_memcpy(start, head.data, head.size);
}

/* Ends the object, array or map that was begun last. */
THEATER_OUTLINE void theater_codec_end(theater_codec *codec)
{
    theater_codec_level *level = theater_codec_level_of(codec);
    if (!codec->wrong && (!level || codec->pending || level->keyed))
        theater_codec_fail(codec, "it ends where a value is asked for");
    if (codec->wrong)
        return;
    bool cbor = codec->format == THEATER_CBOR, array = level->kind == THEATER_LEVEL_ARRAY;
    bool object = level->kind == THEATER_LEVEL_OBJECT;
    if (codec->writes) {
        if (!object && level->done != level->count)
            theater_codec_fail(codec, "an array or map has another number of parts than it says");
        if (level->unsorted)
            theater_codec_put_in_order(codec, level);
        if (!cbor)
            theater_put_byte(&codec->out, array ? ']' : '}');
        else if (object)
            theater_codec_put_count(codec, level);
    } else if (object && level->done != level->count) {
        theater_codec_rewind(codec, level);
        theater_codec_fail(codec, "an object from there on has a member that is not asked for");
    } else if (array ? level->done != level->count : !object && level->next != level->count) {
        theater_codec_fail(codec, "it has more parts than are asked for");
    } else {
        /* The member that was read last may stand before others. */
        theater_slice key;
        while (object && theater_codec_next_key(codec, level, &key))
            theater_codec_skip(codec);
        codec->json.first = true;
        if (!cbor)
            theater_json_next(&codec->json, array ? ']' : '}');
        theater_codec_note(codec);
    }
    codec->depth--;
}

/* ---- the end ------------------------------------------------------------------------------------------- */

/* Whether the value was read or written, and nothing was wrong. */
THEATER_OUTLINE bool theater_codec_done(theater_codec *codec)
{
    if (!codec->wrong && (!codec->begun || codec->depth > 0 || codec->pending))
        theater_codec_fail(codec, "the value is not whole");
    if (!codec->wrong && !codec->writes && codec->format == THEATER_JSON && !theater_json_done(&codec->json))
        theater_codec_fail(codec, "there is more behind it");
    return !codec->wrong;
}

/* What was wrong: at which part, and when reading at which byte. */
THEATER_OUTLINE theater_slice theater_codec_error(theater_codec *codec)
{
    theater_writer text = theater_writer_new(160);
    bool cbor = codec->format == THEATER_CBOR;
    theater_put_text(&text, codec->writes ? "the value cannot be written as " : "this cannot be read as ");
    theater_put_text(&text, cbor ? "CBOR: " : "JSON: ");
    if (codec->name) {
        theater_put_text(&text, codec->name);
        theater_put_text(&text, ": ");
    }
    theater_put_text(&text, codec->wrong ? codec->wrong : "nothing is wrong");
    if (!codec->writes) {
        theater_put_text(&text, " at byte ");
        theater_put_u64(&text, (uint64_t)(*theater_codec_at(codec) - codec->text.data));
    }
    return theater_writer_slice(&text);
}

/* What was written; only where theater_codec_done says so is it the value. */
static inline theater_bytes theater_codec_written(const theater_codec *codec)
{
    return (theater_bytes){codec->out.data, codec->out.size};
}

#endif
