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

/* A connection without a socket, of a server without a loop. */
static th_server *bare_server(th_connection *ret)
{
    th_server *server = th_alloc_zero(1, sizeof *server);
    assert_non_null(server);
    server->options.max_body_bytes = 1 << 20;
    *ret = (th_connection){.server = server};
    return server;
}

static void drop_exchanges(th_connection *c)
{
    while (c->first) {
        th_exchange *x = c->first;
        c->first = x->next;
        th_exchange_drop(x);
    }
    c->last = NULL;
}

static void an_exchange_that_is_used_again_is_as_new(void **state)
{
    (void)state;
    th_connection c;
    th_server *server = bare_server(&c);
    th_exchange *x = th_exchange_new(&c), *first = x;
    assert_int_equal(th_buf_append(&x->head, th_slice_text("/v1/actors/old?x=1"), NULL), THEATER_OK);
    x->header_count = 1;
    x->headers[0].name.size = x->headers[1].value.size = 7; /* one that is whole, one that is being read */
    strcpy(x->segments[0], "old");
    strcpy(x->segments[2], "older");
    strcpy(x->principal, "somebody");
    strcpy(x->reply.etag, "old");
    x->has_principal = x->ended = x->refused = x->gone = true;
    x->body_counted = server->body_bytes = 100;
    th_fail(&x->error, THEATER_IO, "old");
    th_reply_text(x, 404, "text/plain", th_slice_text("old"));
    th_reply_header(x, "Old: yes");
    drop_exchanges(&c);
    assert_int_equal(server->body_bytes, 0);
    x = th_exchange_new(&c);
    assert_ptr_equal(x, first);
    assert_true(x->head.size == 0 && x->body.size == 0 && x->out.size == 0 && x->reply.headers.size == 0 && x->reply.body.size == 0);
    assert_true(x->header_count == 0 && x->headers[0].name.size == 0 && x->headers[1].value.size == 0);
    assert_true(!x->segments[0][0] && !x->segments[2][0] && !x->principal[0] && !x->reply.etag[0]);
    assert_true(!x->has_principal && !x->ended && !x->refused && !x->gone && x->body_counted == 0);
    assert_true(x->reply.status == 0 && x->error.status == THEATER_OK && x->next == NULL && x->holds == 1);
    drop_exchanges(&c);
    th_exchanges_done(server);
    th_free(server);
}

static void exchanges_are_kept_up_to_a_bound(void **state)
{
    (void)state;
    th_connection c;
    th_server *server = bare_server(&c);
    for (size_t i = 0; i < TH_EXCHANGES_KEPT + 10; i++)
        assert_non_null(th_exchange_new(&c));
    uint8_t *room;
    assert_int_equal(th_buf_extend(&c.first->body, TH_EXCHANGE_ROOM + 1, &room, NULL), THEATER_OK);
    assert_int_equal(th_buf_extend(&c.first->out, TH_EXCHANGE_ROOM, &room, NULL), THEATER_OK);
    th_exchange *first = c.first;
    drop_exchanges(&c);
    assert_int_equal(server->exchanges_kept_count, TH_EXCHANGES_KEPT);
    assert_int_equal(first->body.capacity, 0); /* a large buffer is given back at once */
    assert_int_equal(first->out.capacity, TH_EXCHANGE_ROOM);
    th_exchanges_done(server);
    assert_null(server->exchanges_kept);
    th_free(server);
}

static void a_path_finds_its_route_and_what_methods_it_has(void **state)
{
    (void)state;
    static const struct {
        llhttp_method_t method;
        const char *path, *id, *segment;
        uint64_t allow;
    } cases[] = {
        {HTTP_POST, "/v1/actors/a/messages", "message", "a", 0},
        {HTTP_POST, "/v1/actors/a%2Db/messages", "message", "a-b", 0},
        {HTTP_POST, "/v1/actors/a/messages/stream", "messages", "a", 0},
        {HTTP_HEAD, "/v1/actors/a/elements/7/input", "element_input", "a", 0},
        {HTTP_DELETE, "/v1/actors/a/messages", NULL, "", UINT64_C(1) << HTTP_POST},
        {HTTP_PUT, "/v1/jobs/1", NULL, "", UINT64_C(1) << HTTP_GET | UINT64_C(1) << HTTP_DELETE},
        {HTTP_POST, "/v1/actors//messages", NULL, "", 0},
        {HTTP_POST, "/v1/actors/a/messages/", NULL, "", 0},
        {HTTP_POST, "/v1/actors/a/message", NULL, "", 0},
        {HTTP_POST, "/v1/actors/a/messagess", NULL, "", 0},
        {HTTP_POST, "/v1/actors/%zz/messages", NULL, "", 0},
        {HTTP_POST, "/v1/actors/a%00/messages", NULL, "", 0},
        {HTTP_GET, "/v1/actors/{name}/{", NULL, "", 0},
        {HTTP_GET, "", NULL, "", 0},
    };
    th_connection c;
    th_server *server = bare_server(&c);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[80];
        uint64_t allow;
        th_exchange *x = th_exchange_new(&c);
        x->method = (uint8_t)cases[i].method;
        x->path = strcpy(path, cases[i].path);
        const th_route *route = th_route_find(x, &allow);
        assert_true((route != NULL) == (cases[i].id != NULL));
        if (route) {
            assert_string_equal(route->id, cases[i].id);
            assert_string_equal(x->segments[0], cases[i].segment);
        }
        assert_int_equal(allow, cases[i].allow);
        drop_exchanges(&c);
    }
    th_exchanges_done(server);
    th_free(server);
}

static void whole_numbers_are_written_in_decimal(void **state)
{
    (void)state;
    static const uint64_t numbers[] = {0, 9, 10, 99, 100, 12345678901234, UINT64_MAX};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char text[TH_DECIMAL_MAX + 1] = {0}, wanted[24];
        snprintf(wanted, sizeof wanted, "%llu", (unsigned long long)numbers[i]);
        assert_int_equal(th_decimal_encode(numbers[i], text), strlen(wanted));
        assert_string_equal(text, wanted);
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
        cmocka_unit_test(a_path_finds_its_route_and_what_methods_it_has),
        cmocka_unit_test(an_exchange_that_is_used_again_is_as_new),
        cmocka_unit_test(exchanges_are_kept_up_to_a_bound),
        cmocka_unit_test(whole_numbers_are_written_in_decimal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
