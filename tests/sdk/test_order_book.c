/* The example actor `order-book`, through its component. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "sdk/actor_run.h"

static void start(actor_run *run)
{
    assert_int_equal(actor_run_start(run, "order-book", ""), TH_ENGINE_OK);
    assert_true(run->valid);
}

static void test_the_best_price_trades_first_then_the_oldest(void **unused)
{
    actor_run run;
    start(&run);
    assert_true(actor_run_gives(&run, "sell 10 at 101.50 anna", "{\"Order\":1,\"Trades\":[],\"Rest\":10}"));
    assert_true(actor_run_gives(&run, "sell 5 at 101 bo", "{\"Order\":2,\"Trades\":[],\"Rest\":5}"));
    assert_true(actor_run_gives(&run, "sell 5 at 101.00 cy", "{\"Order\":3,\"Trades\":[],\"Rest\":5}"));
    assert_true(actor_run_gives(
        &run, "depth",
        "{\"Bids\":[],\"Asks\":[{\"Order\":2,\"Qty\":5,\"Price\":\"101.00\"},"
        "{\"Order\":3,\"Qty\":5,\"Price\":\"101.00\"},{\"Order\":1,\"Qty\":10,\"Price\":\"101.50\"}]}"));
    assert_true(actor_run_gives(&run, "buy 12 at 101.50 di",
                                "{\"Order\":4,\"Trades\":[{\"With\":2,\"Owner\":\"bo\",\"Qty\":5,\"Price\":"
                                "\"101.00\"},{\"With\":3,\"Owner\":\"cy\","
                                "\"Qty\":5,\"Price\":\"101.00\"},{\"With\":1,\"Owner\":\"anna\",\"Qty\":2,"
                                "\"Price\":\"101.50\"}],\"Rest\":0}"));
    assert_true(actor_run_gives(&run, "buy 12 at 101.49 di", "{\"Order\":5,\"Trades\":[],\"Rest\":12}"));
    assert_true(actor_run_gives(&run, "buy 1 at 101.49 eve", "{\"Order\":6,\"Trades\":[],\"Rest\":1}"));
    assert_true(actor_run_gives(&run, "sell 13 market fay",
                                "{\"Order\":7,\"Trades\":[{\"With\":5,\"Owner\":\"di\",\"Qty\":12,\"Price\":"
                                "\"101.49\"},{\"With\":6,\"Owner\":\"eve\","
                                "\"Qty\":1,\"Price\":\"101.49\"}],\"Rest\":0}"));
    assert_true(actor_run_gives(&run, "buy 100 market gil",
                                "{\"Order\":8,\"Trades\":[{\"With\":1,\"Owner\":\"anna\",\"Qty\":8,\"Price\":"
                                "\"101.50\"}],\"Rest\":92}"));
    assert_true(actor_run_gives(&run, "depth 1", "{\"Bids\":[],\"Asks\":[]}"));
    actor_run_done(&run);
}

static void test_only_the_owner_cancels(void **unused)
{
    actor_run run;
    start(&run);
    assert_true(actor_run_gives(&run, "buy 3 at 99 anna", "{\"Order\":1,\"Trades\":[],\"Rest\":3}"));
    assert_true(actor_run_gives(&run, "sell 4 at 100 bo", "{\"Order\":2,\"Trades\":[],\"Rest\":4}"));
    assert_true(actor_run_rejects(&run, "cancel 1 bo", "the order has another owner"));
    assert_true(actor_run_rejects(&run, "cancel 3 bo", "no such order waits in the book"));
    assert_true(actor_run_gives(&run, "cancel 1 anna", "{\"Cancelled\":3}"));
    assert_true(actor_run_gives(&run, "depth",
                                "{\"Bids\":[],\"Asks\":[{\"Order\":2,\"Qty\":4,\"Price\":\"100.00\"}]}"));
    actor_run_done(&run);
}

static void test_bad_orders_are_rejected(void **unused)
{
    static const char *const bad[] = {
        "",
        "hold 1 at 1 a",
        "buy",
        "buy 0 at 1 a",
        "buy x at 1 a",
        "buy 1 at 0 a",
        "buy 1 at 1.001 a",
        "buy 1 at -1 a",
        "buy 1 at 1",
        "buy 1 at 1 a b",
        "buy 1 at 1 ninechars",
        "buy 1099511627776 at 1 a",
        "buy 1 at 99999999999 a",
        "buy 1 market",
        "buy 1 for 1 a",
        "cancel",
        "cancel x a",
        "depth 101",
        "buy 1 at 1 \"",
    };
    actor_run run;
    start(&run);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(actor_run_handle(&run, th_slice_text(bad[i])), TH_ENGINE_ERROR);
    assert_int_equal(run.state.size, 64);
    actor_run_done(&run);
}

/* A book in C that is too simple to be wrong: all orders in the order of their ids, and the best is searched
 * for each time. */
typedef struct model_order {
    bool buy;
    unsigned price, quantity;
} model_order;

static model_order model[4096];

static unsigned model_trade(unsigned id, bool market)
{
    model_order *o = &model[id];
    unsigned traded = 0;
    while (o->quantity > 0) {
        model_order *best = NULL;
        for (unsigned i = 1; i < id; i++) {
            model_order *m = &model[i];
            if (m->quantity == 0 || m->buy == o->buy ||
                (!market && (o->buy ? m->price > o->price : m->price < o->price)))
                continue;
            if (!best || (o->buy ? m->price < best->price : m->price > best->price))
                best = m;
        }
        if (!best)
            break;
        unsigned quantity = best->quantity < o->quantity ? best->quantity : o->quantity;
        best->quantity -= quantity, o->quantity -= quantity, traded += quantity;
    }
    if (market)
        o->quantity = 0;
    return traded;
}

static void test_it_agrees_with_a_simple_book(void **unused)
{
    actor_run run;
    char input[128];
    start(&run);
    unsigned random = 7, orders = 0;
    for (unsigned id = 1; id < 1500; id++) {
        random = random * 1103515245u + 12345u;
        bool buy = random >> 16 & 1, market = (random >> 17) % 10 == 0;
        model[id] = (model_order){buy, 9900 + random / 65536 % 200, 1 + random / 1024 % 50};
        snprintf(input, sizeof input, market ? "%s %u market a" : "%s %u at %u.%02u a", buy ? "buy" : "sell",
                 model[id].quantity, model[id].price / 100, model[id].price % 100);
        assert_int_equal(actor_run_handle(&run, th_slice_text(input)), TH_ENGINE_OK);
        assert_true(run.valid);
        model_trade(id, market);
        if (id % 7 == 0) {
            unsigned victim = 1 + random % id;
            snprintf(input, sizeof input, "cancel %u a", victim);
            assert_int_equal(actor_run_handle(&run, th_slice_text(input)),
                             model[victim].quantity ? TH_ENGINE_OK : TH_ENGINE_ERROR);
            model[victim].quantity = 0;
        }
    }
    for (size_t at = 64; at < run.state.size; at += 32, orders++) {
        unsigned id = (unsigned)th_get_u64le(run.state.data + at);
        assert_int_equal(th_get_u64le(run.state.data + at + 8), model[id].price);
        assert_int_equal(th_get_u64le(run.state.data + at + 16), model[id].quantity);
    }
    for (unsigned id = 1; id < 1500; id++)
        orders -= model[id].quantity > 0;
    assert_int_equal(orders, 0);
    actor_run_done(&run);
}

static bool still_valid(actor_run *run)
{
    th_engine_turn *turn = NULL;
    th_engine_result result = {0};
    assert_int_equal(th_engine_turn_begin(run->component, &run->options, &turn, &result), TH_ENGINE_OK);
    assert_int_equal(
        th_engine_turn_verify_state(turn, (th_engine_bytes){run->state.data, run->state.size}, &result),
        TH_ENGINE_OK);
    th_engine_turn_end(turn);
    return result.valid;
}

static void test_verify_state_sees_each_broken_rule(void **unused)
{
    actor_run run;
    start(&run);
    actor_run_handle(&run, th_slice_text("buy 5 at 99 a"));
    actor_run_handle(&run, th_slice_text("buy 5 at 99 b"));
    actor_run_handle(&run, th_slice_text("sell 5 at 100 c"));
    assert_true(still_valid(&run));
    uint8_t *first = run.state.data + 64, *second = first + 32, *ask = second + 32, spare[32];
    first[16]++; /* a quantity out of nothing */
    assert_false(still_valid(&run));
    first[16]--;
    memcpy(spare, first, 32), memcpy(first, second, 32), memcpy(second, spare, 32); /* the younger first */
    assert_false(still_valid(&run));
    memcpy(spare, first, 32), memcpy(first, second, 32), memcpy(second, spare, 32);
    th_put_u64le(ask + 8, 9900); /* crossed */
    assert_false(still_valid(&run));
    th_put_u64le(ask + 8, 10000);
    assert_true(still_valid(&run));
    th_put_u64le(ask, 4); /* an id that was not given yet */
    assert_false(still_valid(&run));
    actor_run_done(&run);
}

/* A book of 10,000 orders takes no more, but still trades. */
static void test_the_number_of_orders_is_bounded(void **unused)
{
    enum { MOST = 10000 };
    actor_run run;
    start(&run);
    uint8_t *orders;
    assert_int_equal(th_buf_extend(&run.state, 32 * MOST, &orders, NULL), THEATER_OK);
    memset(orders, 0, 32 * MOST);
    for (unsigned i = 0; i < MOST; i++) {
        th_put_u64le(orders + 32 * i, MOST - i);
        th_put_u64le(orders + 32 * i + 8, 100);
        th_put_u64le(orders + 32 * i + 16, 1);
        orders[32 * i + 24] = 'a';
    }
    th_put_u64le(run.state.data + 8, MOST + 1);
    th_put_u32le(run.state.data + 16, MOST);
    th_put_u64le(run.state.data + 24, MOST);
    assert_true(still_valid(&run));
    assert_true(actor_run_rejects(&run, "buy 1 at 1 b", "the book is full"));
    assert_true(actor_run_gives(&run, "sell 1 at 1 b",
                                "{\"Order\":10001,\"Trades\":[{\"With\":1,\"Owner\":\"a\",\"Qty\":1,"
                                "\"Price\":\"1.00\"}],\"Rest\":0}"));
    assert_true(actor_run_gives(&run, "buy 1 at 0.5 b", "{\"Order\":10002,\"Trades\":[],\"Rest\":1}"));
    assert_true(actor_run_rejects(&run, "buy 1 at 1 b", "the book is full"));
    actor_run_done(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_best_price_trades_first_then_the_oldest),
        cmocka_unit_test(test_only_the_owner_cancels),
        cmocka_unit_test(test_bad_orders_are_rejected),
        cmocka_unit_test(test_it_agrees_with_a_simple_book),
        cmocka_unit_test(test_verify_state_sees_each_broken_rule),
        cmocka_unit_test(test_the_number_of_orders_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
