/* order-book: a market for one thing, by price-time priority. The state stands in book.h.
 *
 * Inputs, as words. A quantity is a whole number, a price has up to two decimals, an owner is up to 8
 * letters.
 *
 *   buy QUANTITY at PRICE OWNER   a limit order: trades what it can at PRICE or better, the rest waits
 *   buy QUANTITY market OWNER     a market order: trades what it can, the rest is dropped
 *   sell ...                      the same
 *   cancel ID OWNER               takes an order out of the book; only its owner may
 *   depth [N]                     the best N (5 if missing, at most 100) orders of both sides
 *
 * The output of an order: {"Order":ID,"Trades":[{"With":ID,"Owner":"...","Qty":N,"Price":"P"},...],"Rest":N},
 * where Rest is what waits in the book or, of a market order, was dropped. A trade is at the price of the
 * order that waited.
 */
#include <theater.h>

#include "book.h"

enum { CENTS = 2, DEPTH = 5, DEPTH_MAX = 100 };

typedef struct order {
    bool buy;
    bool market;
    uint64_t id;
    uint64_t price;
    uint64_t quantity;
    theater_slice owner;
} order;

static bool is_owner(theater_slice text)
{
    bool good = text.size >= 1 && text.size <= OWNER_MAX;
    for (size_t i = 0; good && i < text.size; i++)
        good = text.data[i] > ' ' && text.data[i] < 0x7f && text.data[i] != '"' && text.data[i] != '\\';
    return good;
}

static theater_slice owner_of(const uint8_t *record)
{
    size_t size = 0;
    while (size < OWNER_MAX && record[ORDER_OWNER + size])
        size++;
    return theater_slice_of(record + ORDER_OWNER, size);
}

static void put_price(theater_writer *w, uint64_t price)
{
    theater_put_text(w, "\"Price\":\"");
    theater_put_fixed(w, price, CENTS);
    theater_put_text(w, "\"}");
}

static void put_trade(theater_writer *w, const uint8_t *with, uint64_t quantity, bool first)
{
    theater_put_text(w, first ? "{\"With\":" : ",{\"With\":");
    theater_put_u64(w, order_get(with, ORDER_ID));
    theater_put_text(w, ",\"Owner\":\"");
    theater_put_slice(w, owner_of(with));
    theater_put_text(w, "\",\"Qty\":");
    theater_put_u64(w, quantity);
    theater_put_byte(w, ',');
    put_price(w, order_get(with, ORDER_PRICE));
}

/* Trades with the best waiting orders of the other side, as long as the price is right. The orders that are
 * used up are next to each other, next to the middle, so they are taken out at once. */
static void match(book *b, order *o, theater_writer *output)
{
    uint32_t used = 0, waiting = o->buy ? b->asks : b->bids;
    bool first = true;
    while (o->quantity > 0 && used < waiting) {
        uint8_t *best = book_order(b, o->buy ? b->bids + used : b->bids - 1 - used);
        uint64_t price = order_get(best, ORDER_PRICE), there = order_get(best, ORDER_QUANTITY);
        if (!o->market && (o->buy ? price > o->price : price < o->price))
            break;
        uint64_t quantity = there < o->quantity ? there : o->quantity;
        put_trade(output, best, quantity, first);
        first = false;
        book_add(b, BOOK_TRADED, 2 * quantity);
        theater_put_u64le(best + ORDER_QUANTITY, there - quantity);
        o->quantity -= quantity;
        used += there == quantity;
    }
    if (used > 0)
        book_remove(b, o->buy ? b->bids : b->bids - used, used);
}

static void keep_rest(book *b, const order *o)
{
    uint8_t record[ORDER_SIZE] = {0};
    theater_put_u64le(record + ORDER_ID, o->id);
    theater_put_u64le(record + ORDER_PRICE, o->price);
    theater_put_u64le(record + ORDER_QUANTITY, o->quantity);
    theater_copy(record + ORDER_OWNER, o->owner.data, o->owner.size);
    book_insert(b, o->buy, record);
}

static theater_result submit(book *b, order *o)
{
    o->id = theater_get_u64le(b->state.data + BOOK_NEXT_ID);
    book_add(b, BOOK_NEXT_ID, 1);
    book_add(b, BOOK_SUBMITTED, o->quantity);
    book_make_room(b);
    theater_writer output = theater_writer_new(256);
    theater_put_text(&output, "{\"Order\":");
    theater_put_u64(&output, o->id);
    theater_put_text(&output, ",\"Trades\":[");
    match(b, o, &output);
    if (o->quantity > 0 && o->market)
        book_add(b, BOOK_DROPPED, o->quantity);
    else if (o->quantity > 0 && b->bids + b->asks == BOOK_ORDERS_MAX)
        return theater_reject("the book is full");
    else if (o->quantity > 0)
        keep_rest(b, o);
    theater_put_text(&output, "],\"Rest\":");
    theater_put_u64(&output, o->quantity);
    theater_put_byte(&output, '}');
    return theater_reply(theater_writer_slice(&output), b->state);
}

static theater_result handle_order(book *b, bool buy, theater_slice words)
{
    order o = {.buy = buy};
    theater_slice quantity = theater_next_word(&words), how = theater_next_word(&words);
    o.market = theater_slice_is(how, "market");
    theater_slice price = o.market ? how : theater_next_word(&words);
    o.owner = theater_next_word(&words);
    if ((!o.market && !theater_slice_is(how, "at")) || theater_next_word(&words).size > 0)
        return theater_reject("say: buy QUANTITY at PRICE OWNER, or: buy QUANTITY market OWNER");
    if (!theater_parse_u64(quantity, &o.quantity) || o.quantity == 0 || o.quantity > BOOK_NUMBER_MAX)
        return theater_reject("the quantity is a whole number from 1 to 1099511627775");
    if (!o.market &&
        (!theater_parse_fixed(price, CENTS, &o.price) || o.price == 0 || o.price > BOOK_NUMBER_MAX))
        return theater_reject("the price is more than 0, with at most two decimals");
    if (!is_owner(o.owner))
        return theater_reject("the owner is 1 to 8 letters, digits or signs");
    return submit(b, &o);
}

static theater_result handle_cancel(book *b, theater_slice words)
{
    uint64_t id;
    theater_slice number = theater_next_word(&words), owner = theater_next_word(&words);
    if (!theater_parse_u64(number, &id) || theater_next_word(&words).size > 0)
        return theater_reject("say: cancel ID OWNER");
    for (uint32_t i = 0; i < b->bids + b->asks; i++) {
        const uint8_t *record = book_order(b, i);
        if (order_get(record, ORDER_ID) != id)
            continue;
        if (!theater_slice_equal(owner, owner_of(record)))
            return theater_reject("the order has another owner");
        uint64_t quantity = order_get(record, ORDER_QUANTITY);
        book_add(b, BOOK_DROPPED, quantity);
        book_remove(b, i, 1);
        theater_writer output = theater_writer_new(64);
        theater_put_text(&output, "{\"Cancelled\":");
        theater_put_u64(&output, quantity);
        theater_put_byte(&output, '}');
        return theater_reply(theater_writer_slice(&output), b->state);
    }
    return theater_reject("no such order waits in the book");
}

static void put_waiting(theater_writer *w, const uint8_t *record, bool first)
{
    theater_put_text(w, first ? "{\"Order\":" : ",{\"Order\":");
    theater_put_u64(w, order_get(record, ORDER_ID));
    theater_put_text(w, ",\"Qty\":");
    theater_put_u64(w, order_get(record, ORDER_QUANTITY));
    theater_put_byte(w, ',');
    put_price(w, order_get(record, ORDER_PRICE));
}

static theater_result handle_depth(book *b, theater_slice words)
{
    uint64_t depth = DEPTH;
    theater_slice number = theater_next_word(&words);
    if (number.size > 0 && (!theater_parse_u64(number, &depth) || depth > DEPTH_MAX))
        return theater_reject("the depth is 0 to 100");
    theater_writer output = theater_writer_new(512);
    theater_put_text(&output, "{\"Bids\":[");
    for (uint32_t i = 0; i < depth && i < b->bids; i++)
        put_waiting(&output, book_order(b, b->bids - 1 - i), i == 0);
    theater_put_text(&output, "],\"Asks\":[");
    for (uint32_t i = 0; i < depth && i < b->asks; i++)
        put_waiting(&output, book_order(b, b->bids + i), i == 0);
    theater_put_text(&output, "]}");
    return theater_reply(theater_writer_slice(&output), b->state);
}

static theater_result init(theater_slice config)
{
    return config.size == 0 ? theater_start(book_new())
                            : theater_reject("the order book takes no configuration");
}

static theater_result handle(theater_slice input, theater_bytes state)
{
    book b = book_open(state);
    theater_slice word = theater_next_word(&input);
    if (theater_slice_is(word, "buy"))
        return handle_order(&b, true, input);
    if (theater_slice_is(word, "sell"))
        return handle_order(&b, false, input);
    if (theater_slice_is(word, "cancel"))
        return handle_cancel(&b, input);
    if (theater_slice_is(word, "depth"))
        return handle_depth(&b, input);
    return theater_reject("say: buy, sell, cancel or depth");
}

static bool verify_state(theater_slice state)
{
    return book_verify(state);
}

THEATER_ACTOR(init, handle, verify_state)
