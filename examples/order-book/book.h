/* book.h: the state of an order book: what is offered, in the order in which it is taken.
 *
 * The layout, all integers little-endian:
 *
 *   0   8 bytes  "THORDER1"
 *   8   8        the id of the next order
 *   16  4        bids, 4 asks
 *   24  8        quantity submitted by all orders so far
 *   32  8        quantity traded, counted on both sides
 *   40  8        quantity dropped: cancelled, or the rest of a market order that found nobody
 *   48  16       zero
 *   64           the orders, 32 bytes each: id, price, quantity left, owner (8 bytes of text)
 *
 * Why so:
 *   1. All orders stand in one array that ascends by price: the bids, the best of them last, then the asks,
 *      the best of them first. So what trades next is always in the middle, on both sides of the place
 *      `bids`, and an order that does not trade goes a few places away from it.
 *   2. Price-time priority: among orders of one price the oldest is next to the middle. Bids of one price
 *      hence descend by id, asks ascend.
 *   3. Nothing is made or lost: submitted = left in all orders + traded + dropped.
 */
#ifndef ORDER_BOOK_BOOK_H
#define ORDER_BOOK_BOOK_H

#include <theater.h>

enum {
    BOOK_NEXT_ID = 8,
    BOOK_BIDS = 16,
    BOOK_ASKS = 20,
    BOOK_SUBMITTED = 24,
    BOOK_TRADED = 32,
    BOOK_DROPPED = 40,
    BOOK_HEADER = 64,
    ORDER_SIZE = 32,
    ORDER_ID = 0,
    ORDER_PRICE = 8,
    ORDER_QUANTITY = 16,
    ORDER_OWNER = 24,
    OWNER_MAX = 8,
    BOOK_ORDERS_MAX = 10000,
};

#define BOOK_MAGIC UINT64_C(0x31524544524f4854) /* "THORDER1" */
#define BOOK_NUMBER_MAX ((UINT64_C(1) << 40) - 1) /* of a price in cents and of a quantity */

typedef struct book {
    theater_bytes state;
    uint32_t bids;
    uint32_t asks;
} book;

static inline book book_open(theater_bytes state)
{
    return (book){state, theater_get_u32le(state.data + BOOK_BIDS),
                  theater_get_u32le(state.data + BOOK_ASKS)};
}

static inline theater_bytes book_new(void)
{
    theater_bytes state = theater_bytes_new(BOOK_HEADER);
    theater_put_u64le(state.data, BOOK_MAGIC);
    theater_put_u64le(state.data + BOOK_NEXT_ID, 1);
    return state;
}

static inline uint64_t order_get(const uint8_t *order, int field)
{
    return theater_get_u64le(order + field);
}

static inline uint8_t *book_order(const book *b, uint32_t place)
{
    return b->state.data + BOOK_HEADER + (size_t)ORDER_SIZE * place;
}

static inline void book_add(book *b, int field, uint64_t more)
{
    theater_put_u64le(b->state.data + field, theater_get_u64le(b->state.data + field) + more);
}

static inline void book_put_counts(book *b)
{
    theater_put_u32le(b->state.data + BOOK_BIDS, b->bids);
    theater_put_u32le(b->state.data + BOOK_ASKS, b->asks);
}

/* Where a new order goes: before or behind all of its price, so that the oldest stays next to the middle. */
static inline uint32_t book_place(const book *b, bool buy, uint64_t price)
{
    uint32_t low = buy ? 0 : b->bids, high = buy ? b->bids : b->bids + b->asks;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        uint64_t there = order_get(book_order(b, middle), ORDER_PRICE);
        if (there < price || (there == price && !buy))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Makes room behind the orders for one more, which book_insert needs. Done before anything else is allocated
 * in a turn, it moves nothing. */
static inline void book_make_room(book *b)
{
    size_t size = b->state.size;
    b->state = theater_bytes_resize(b->state, size + ORDER_SIZE);
    b->state.size = size;
}

/* Puts an order into the book, which is not full and has room. */
static inline void book_insert(book *b, bool buy, const uint8_t *order)
{
    uint32_t place = book_place(b, buy, order_get(order, ORDER_PRICE)), behind = b->bids + b->asks - place;
    b->state.size += ORDER_SIZE;
    uint8_t *to = book_order(b, place);
    __builtin_memmove(to + ORDER_SIZE, to, (size_t)ORDER_SIZE * behind);
    __builtin_memcpy(to, order, ORDER_SIZE);
    b->bids += buy;
    b->asks += !buy;
    book_put_counts(b);
}

/* Takes `count` orders out, from `place` on; all of one side. */
static inline void book_remove(book *b, uint32_t place, uint32_t count)
{
    if (place < b->bids)
        b->bids -= count;
    else
        b->asks -= count;
    uint8_t *to = book_order(b, place);
    b->state.size -= (size_t)ORDER_SIZE * count;
    __builtin_memmove(to, to + (size_t)ORDER_SIZE * count, (size_t)ORDER_SIZE * (b->bids + b->asks - place));
    book_put_counts(b);
}

/* Whether two neighbours of one side stand in the right order. */
static inline bool order_pair_is_good(const uint8_t *first, const uint8_t *second, bool bids)
{
    uint64_t a = order_get(first, ORDER_PRICE), b = order_get(second, ORDER_PRICE);
    if (a != b)
        return a < b;
    return bids ? order_get(first, ORDER_ID) > order_get(second, ORDER_ID)
                : order_get(first, ORDER_ID) < order_get(second, ORDER_ID);
}

/* Whether the bytes are a book that keeps the three rules above, is not crossed, and holds no empty order. */
static inline bool book_verify(theater_slice state)
{
    if (state.size < BOOK_HEADER || theater_get_u64le(state.data) != BOOK_MAGIC)
        return false;
    book b = book_open((theater_bytes){(uint8_t *)state.data, state.size});
    if (b.bids > BOOK_ORDERS_MAX || b.asks > BOOK_ORDERS_MAX - b.bids ||
        state.size != BOOK_HEADER + (size_t)ORDER_SIZE * (b.bids + b.asks))
        return false;
    uint64_t sum = 0, next_id = theater_get_u64le(state.data + BOOK_NEXT_ID);
    for (uint32_t i = 0; i < b.bids + b.asks; i++) {
        const uint8_t *order = book_order(&b, i), *before = i > 0 ? book_order(&b, i - 1) : NULL;
        uint64_t quantity = order_get(order, ORDER_QUANTITY);
        if (quantity == 0 || quantity > BOOK_NUMBER_MAX || order_get(order, ORDER_ID) >= next_id)
            return false;
        if (i == b.bids && before && order_get(before, ORDER_PRICE) >= order_get(order, ORDER_PRICE))
            return false;
        if (i != b.bids && before && !order_pair_is_good(before, order, i < b.bids))
            return false;
        sum += quantity;
    }
    return sum + theater_get_u64le(state.data + BOOK_TRADED) + theater_get_u64le(state.data + BOOK_DROPPED) ==
           theater_get_u64le(state.data + BOOK_SUBMITTED);
}

#endif
