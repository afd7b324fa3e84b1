/* The example actors `ping`, `pong` and `ring`, through their components; the test carries the messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "sdk/actor_run.h"

static th_engine_bytes bytes_of(const char *text)
{
    return (th_engine_bytes){(const uint8_t *)text, strlen(text)};
}

static void from_actor(actor_run *run, const char *name)
{
    run->options.source_kind = TH_ENGINE_SOURCE_ACTOR;
    run->options.source_name = bytes_of(name);
}

static void from_reply(actor_run *run, uint64_t request, bool failed)
{
    run->options.source_kind = TH_ENGINE_SOURCE_REPLY;
    run->options.reply_request = request;
    run->options.reply_failed = failed;
}

static void from_client(actor_run *run)
{
    run->options.source_kind = TH_ENGINE_SOURCE_CLIENT;
}

static void test_ping_and_pong_play_a_game(void **unused)
{
    actor_run ping, pong;
    char ball[256];
    assert_int_equal(actor_run_start(&ping, "ping", "pong"), TH_ENGINE_OK);
    assert_int_equal(actor_run_start(&pong, "pong", ""), TH_ENGINE_OK);
    assert_true(actor_run_gives(&ping, "play 3", "won 0 lost 0 playing"));
    for (int round = 1; round <= 3; round++) {
        assert_int_equal(ping.sent_count, 1);
        assert_string_equal(ping.sent[0].to, "pong");
        uint64_t request = ping.sent[0].request;
        assert_true(request != 0);
        from_actor(&pong, "ping");
        assert_int_equal(actor_run_handle(&pong, th_slice_text(ping.sent[0].payload)), TH_ENGINE_OK);
        snprintf(ball, sizeof ball, "%.*s", (int)pong.output.size, (const char *)pong.output.data);
        from_client(&ping);
        assert_true(actor_run_rejects(&ping, "play 1", "a game is being played"));
        from_reply(&ping, request, false);
        assert_int_equal(actor_run_handle(&ping, th_slice_text(ball)), TH_ENGINE_OK);
        assert_true(ping.valid);
    }
    assert_int_equal(ping.sent_count, 0);
    from_client(&ping);
    assert_true(actor_run_gives(&ping, "score", "won 3 lost 0 idle"));
    from_client(&pong);
    assert_true(actor_run_gives(&pong, "score", "3"));
    assert_true(actor_run_rejects(&pong, "ping 1", "only another actor plays with pong"));
    actor_run_done(&ping);
    actor_run_done(&pong);
}

static void test_a_partner_that_fails_ends_the_game(void **unused)
{
    actor_run ping;
    assert_int_equal(actor_run_start(&ping, "ping", "nobody"), TH_ENGINE_OK);
    assert_true(actor_run_gives(&ping, "play 3", "won 0 lost 0 playing"));
    uint64_t request = ping.sent[0].request;
    from_reply(&ping, request + 1, false);
    assert_true(actor_run_rejects(&ping, "pong 1", "an answer that nobody waits for"));
    from_reply(&ping, request, true);
    assert_true(actor_run_gives(&ping, "no such actor", "won 0 lost 1 idle"));
    assert_memory_equal(ping.log.data, "3 the partner missed\n", ping.log.size);
    assert_int_equal(ping.log.size, 21);
    from_client(&ping);
    assert_true(actor_run_rejects(&ping, "play 0", "say: play N, with N from 1 to 1000000, or: score"));
    assert_true(actor_run_gives(&ping, "play 1", "won 0 lost 1 playing"));
    actor_run_done(&ping);
}

static void test_a_wrong_answer_is_a_lost_round(void **unused)
{
    actor_run ping;
    assert_int_equal(actor_run_start(&ping, "ping", "pong"), TH_ENGINE_OK);
    assert_int_equal(actor_run_handle(&ping, th_slice_text("play 2")), TH_ENGINE_OK);
    from_reply(&ping, ping.sent[0].request, false);
    assert_true(actor_run_gives(&ping, "pong 2", "won 0 lost 1 idle"));
    actor_run_done(&ping);
}

static void test_a_ring_fans_out_and_tokens_come_home(void **unused)
{
    actor_run ring;
    assert_int_equal(actor_run_start(&ring, "ring", "ring-1 ring-2 ring-3"), TH_ENGINE_OK);
    assert_true(actor_run_gives(&ring, "spin 2", "started 3 home 0 asked 3 answered 0 failed 0"));
    assert_int_equal(ring.sent_count, 3);
    uint64_t request = ring.sent[0].request;
    for (unsigned i = 0; i < 3; i++) {
        char name[16];
        snprintf(name, sizeof name, "ring-%u", i + 1);
        assert_string_equal(ring.sent[i].to, name);
        assert_string_equal(ring.sent[i].payload, "token 2 self");
        assert_true(ring.sent[i].request == request + i);
    }
    from_actor(&ring, "ring-3");
    assert_true(actor_run_gives(&ring, "token 2 other", "taken"));
    assert_string_equal(ring.sent[0].to, "ring-1");
    assert_string_equal(ring.sent[0].payload, "token 1 other");
    assert_true(actor_run_gives(&ring, "token 0 other", "taken"));
    assert_string_equal(ring.sent[0].to, "other");
    assert_string_equal(ring.sent[0].payload, "home");
    assert_true(ring.sent[0].request == 0);
    assert_true(actor_run_gives(&ring, "home", "started 3 home 1 asked 4 answered 0 failed 0"));
    from_reply(&ring, request, false);
    assert_true(actor_run_gives(&ring, "taken", "started 3 home 1 asked 4 answered 1 failed 0"));
    from_reply(&ring, request + 1, true);
    assert_true(actor_run_gives(&ring, "removed", "started 3 home 1 asked 4 answered 1 failed 1"));
    from_client(&ring);
    assert_true(actor_run_rejects(&ring, "token 1 other", "say: spin HOPS, or: count"));
    assert_true(actor_run_rejects(&ring, "spin 1000001", "the number of hops is 0 to 1000000"));
    actor_run_done(&ring);
}

/* More tokens at home than were started cannot be: verify-state says no, and the state stays. */
static void test_a_token_too_many_is_an_invalid_state(void **unused)
{
    actor_run ring;
    assert_int_equal(actor_run_start(&ring, "ring", "ring-1"), TH_ENGINE_OK);
    from_actor(&ring, "ring-1");
    assert_int_equal(actor_run_handle(&ring, th_slice_text("home")), TH_ENGINE_OK);
    assert_false(ring.valid);
    actor_run_done(&ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ping_and_pong_play_a_game),
        cmocka_unit_test(test_a_partner_that_fails_ends_the_game),
        cmocka_unit_test(test_a_wrong_answer_is_a_lost_round),
        cmocka_unit_test(test_a_ring_fans_out_and_tokens_come_home),
        cmocka_unit_test(test_a_token_too_many_is_an_invalid_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
