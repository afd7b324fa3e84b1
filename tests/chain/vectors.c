#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vectors.h"

/* Every slice that was handed out, so that a test need not free each. */
static uint8_t *held[4096];
static size_t held_count;

json_t *vectors_load(void)
{
    json_error_t error;
    json_t *root = json_load_file(TH_SOURCE_DIR "/tests/vectors/vectors.json", 0, &error);
    if (!root)
        fail_msg("vectors.json: %s, line %d", error.text, error.line);
    return root;
}

const char *vectors_text(const json_t *object, const char *field)
{
    const char *text = json_string_value(json_object_get(object, field));
    if (!text)
        fail_msg("vectors.json: no text %s", field);
    return text;
}

uint64_t vectors_number(const json_t *object, const char *field)
{
    json_t *number = json_object_get(object, field);
    assert_true(json_is_integer(number));
    return (uint64_t)json_integer_value(number);
}

th_slice vectors_bytes(const json_t *object, const char *field)
{
    const char *text = vectors_text(object, field);
    size_t size = strlen(text) / 2;
    assert_true(held_count < sizeof held / sizeof *held);
    uint8_t *bytes = held[held_count++] = malloc(size ? size : 1);
    assert_true(th_hex_decode(text, strlen(text), bytes, size));
    return th_slice_of(bytes, size);
}

void vectors_free_bytes(void)
{
    while (held_count)
        free(held[--held_count]);
}

th_hash vectors_hash(const json_t *object, const char *field)
{
    th_hash hash;
    th_slice bytes = vectors_bytes(object, field);
    assert_int_equal(bytes.size, sizeof hash.bytes);
    memcpy(hash.bytes, bytes.data, sizeof hash.bytes);
    return hash;
}
