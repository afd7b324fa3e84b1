/* The server's parsers and writers, alone: numbers, escapes of paths, JSON, tokens. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "server/internal.h"

static void numbers_are_whole_and_fit(void **state)
{
    (void)state;
    uint64_t value = 7;
    assert_true(th_parse_number("0", &value) && value == 0);
    assert_true(th_parse_number("18446744073709551615", &value) && value == UINT64_MAX);
    static const char *const bad[] = {"", "-1", "+1", " 1", "1 ", "1.0", "0x1", "18446744073709551616", "99999999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(th_parse_number(bad[i], &value));
}

static void escapes_are_decoded_or_refused(void **state)
{
    (void)state;
    char out[8];
    assert_true(th_percent_decode("a%2Fb", 5, out, sizeof out));
    assert_string_equal(out, "a/b");
    assert_true(th_percent_decode("", 0, out, sizeof out));
    assert_string_equal(out, "");
    assert_true(th_percent_decode("1234567", 7, out, sizeof out));
    assert_false(th_percent_decode("12345678", 8, out, sizeof out));
    static const char *const bad[] = {"%", "%2", "%zz", "a%0", "%00", "%g0"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(th_percent_decode(bad[i], strlen(bad[i]), out, sizeof out));
}

static const char *written(th_buf *buf, th_slice bytes, bool text)
{
    th_buf_clear(buf);
    th_json json = th_json_begin(buf);
    if (text)
        th_json_text(&json, bytes);
    else
        th_json_bytes(&json, bytes);
    assert_int_equal(json.status, THEATER_OK);
    assert_int_equal(th_buf_append_byte(buf, 0, NULL), THEATER_OK);
    return (const char *)buf->data;
}

static void json_texts_are_escaped(void **state)
{
    (void)state;
    th_buf buf;
    th_buf_init(&buf, 1000);
    assert_string_equal(written(&buf, th_slice_text("a\"\\\n\x01\x7f\xc3\xa9"), true), "\"a\\\"\\\\\\n\\u0001\\u007f\xc3\xa9\"");
    assert_string_equal(written(&buf, th_slice_text("a\xff\xc3"), true), "\"a\\ufffd\\ufffd\"");
    assert_string_equal(written(&buf, th_slice_text("plain"), false), "\"plain\"");
    assert_string_equal(written(&buf, th_slice_of("\0\1", 2), false), "{\"base64\":\"AAE=\"}");
    assert_string_equal(written(&buf, (th_slice){0}, false), "\"\"");
    th_buf_done(&buf);
}

static void json_past_the_bound_is_an_error(void **state)
{
    (void)state;
    th_buf buf;
    th_buf_init(&buf, 10);
    th_json json = th_json_begin(&buf);
    th_json_string(&json, "0123456789");
    assert_int_equal(json.status, THEATER_TOO_LARGE);
    th_buf_done(&buf);
}

static void commas_stand_between_values(void **state)
{
    (void)state;
    th_buf buf;
    th_buf_init(&buf, 1000);
    th_json json = th_json_begin(&buf);
    th_json_open(&json, '{');
    th_json_field_uint(&json, "a", UINT64_MAX);
    th_json_key(&json, "b");
    th_json_open(&json, '[');
    th_json_null(&json);
    th_json_bool(&json, true);
    th_json_open(&json, '{');
    th_json_close(&json, '}');
    th_json_close(&json, ']');
    th_json_field_string(&json, "c", "");
    th_json_close(&json, '}');
    assert_int_equal(th_buf_append_byte(&buf, 0, NULL), THEATER_OK);
    assert_string_equal(buf.data, "{\"a\":18446744073709551615,\"b\":[null,true,{}],\"c\":\"\"}");
    th_buf_done(&buf);
}

static void tokens_are_found_by_their_secret_only(void **state)
{
    (void)state;
    char folder[] = "/tmp/theater-tokens-XXXXXX", secret[TH_TOKEN_TEXT_SIZE], other[TH_TOKEN_TEXT_SIZE], path[64];
    assert_non_null(mkdtemp(folder));
    th_token token, second;
    th_tokens tokens;
    theater_error error;
    assert_int_equal(th_tokens_read(folder, &tokens, &error), THEATER_OK);
    assert_int_equal(tokens.count, 0);
    th_tokens_done(&tokens);
    assert_int_equal(th_token_new(folder, "a name", true, &token, secret, &error), THEATER_OK);
    assert_int_equal(th_token_new(folder, "b", false, &second, other, &error), THEATER_OK);
    assert_int_equal(th_tokens_read(folder, &tokens, &error), THEATER_OK);
    assert_int_equal(tokens.count, 2);
    assert_string_equal(th_tokens_find(&tokens, th_slice_text(secret))->id, token.id);
    assert_string_equal(tokens.list[0].name, "a name");
    assert_false(th_tokens_find(&tokens, th_slice_text(other))->write);
    secret[10] ^= 1;
    assert_null(th_tokens_find(&tokens, th_slice_text(secret)));
    assert_null(th_tokens_find(&tokens, (th_slice){0}));
    th_tokens_done(&tokens);
    assert_int_equal(th_token_revoke(folder, token.id, &error), THEATER_OK);
    assert_int_equal(th_token_revoke(folder, token.id, &error), THEATER_NOT_FOUND);
    snprintf(path, sizeof path, "%s/tokens", folder);
    unlink(path);
    rmdir(folder);
}

static void every_route_has_one_handler_and_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < th_route_count; i++) {
        const th_route *route = &th_routes[i];
        assert_true((route->handler != NULL) != (route->work != NULL));
        assert_true(route->summary[0] && route->success >= 101);
        for (size_t k = 0; k < i; k++)
            assert_true(route->method != th_routes[k].method || strcmp(route->pattern, th_routes[k].pattern) != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_whole_and_fit),
        cmocka_unit_test(escapes_are_decoded_or_refused),
        cmocka_unit_test(json_texts_are_escaped),
        cmocka_unit_test(json_past_the_bound_is_an_error),
        cmocka_unit_test(commas_stand_between_values),
        cmocka_unit_test(tokens_are_found_by_their_secret_only),
        cmocka_unit_test(every_route_has_one_handler_and_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
