/* book.h: the ledger's state: who has how much.
 *
 * The layout, all integers little-endian:
 *
 *   0   8 bytes   "THELDGR1"
 *   8   3         currency, by ISO 4217
 *   11  1         decimals of an amount, 0 to 4
 *   12  4         accounts
 *   16  4         index slots, a power of two from 16 on
 *   24  8         supply: all money there is, in the currency's smallest unit
 *   32  8         treasury: what of it no account has
 *   64  2 a slot  index: 0, or the place of a record counted from 1 then 32 bytes an account, in the order of
 *   opening: 24 of key (see iban.h), 8 of balance
 *
 * Why so:
 *   1. The state tree hashes chunks of 4,096 bytes, and what a turn costs is largely the chunks that it
 *      changes. Records start at a multiple of 32, so none crosses a chunk; a transfer changes two balances,
 *      hence at most two chunks, and nothing in the header.
 *   2. A turn carries the whole state in and out, so it is dense: records have no gaps (an account is
 *      appended), and what a hash table needs of free room is spent on two-byte index slots only.
 *   3. The index is at most three quarters full, so a probe is short; it doubles when that is passed, which
 *      moves the records, once in as many openings as there are accounts.
 *   4. That the balances and the treasury add up to the supply is a sum over one field of each record: a few
 *      microseconds for 5,000 accounts. Each amount is below 2^48 and there are fewer than 2^16, so the sum
 *      cannot pass 64 bits.
 */
#ifndef LEDGER_BOOK_H
#define LEDGER_BOOK_H

#include <theater.h>

#include "iban.h"

enum {
    BOOK_CURRENCY = 8,
    BOOK_DECIMALS = 11,
    BOOK_ACCOUNTS = 12,
    BOOK_SLOTS = 16,
    BOOK_SUPPLY = 24,
    BOOK_TREASURY = 32,
    BOOK_HEADER = 64,
    BOOK_RECORD = 32,
    BOOK_BALANCE = 24, /* in a record */
    BOOK_SLOTS_MIN = 16,
    BOOK_SLOTS_MAX = 65536,
};

#define BOOK_MAGIC UINT64_C(0x315247444c454854) /* "THELDGR1" */
#define BOOK_AMOUNT_MAX ((UINT64_C(1) << 48) - 1)

typedef struct book {
    theater_bytes state;
    uint32_t accounts;
    uint32_t slots;
    uint8_t *index;
    uint8_t *records;
} book;

static inline book book_open(theater_bytes state)
{
    book b = {.state = state};
    b.accounts = theater_get_u32le(state.data + BOOK_ACCOUNTS);
    b.slots = theater_get_u32le(state.data + BOOK_SLOTS);
    b.index = state.data + BOOK_HEADER;
    b.records = b.index + 2 * (size_t)b.slots;
    return b;
}

/* An empty book whose treasury holds the supply. */
static inline theater_bytes book_new(theater_slice currency, unsigned decimals, uint64_t supply)
{
    theater_bytes state = theater_bytes_new(BOOK_HEADER + 2 * BOOK_SLOTS_MIN);
    theater_put_u64le(state.data, BOOK_MAGIC);
    for (int i = 0; i < 3; i++)
        state.data[BOOK_CURRENCY + i] = currency.data[i];
    state.data[BOOK_DECIMALS] = (uint8_t)decimals;
    theater_put_u32le(state.data + BOOK_SLOTS, BOOK_SLOTS_MIN);
    theater_put_u64le(state.data + BOOK_SUPPLY, supply);
    theater_put_u64le(state.data + BOOK_TREASURY, supply);
    return state;
}

static inline theater_slice book_currency(const book *b)
{
    return theater_slice_of(b->state.data + BOOK_CURRENCY, 3);
}

/* Mixes all bits of a key into the low ones. The multipliers are odd numbers without a pattern. */
static inline uint32_t book_hash(const uint64_t *key)
{
    uint64_t h = key[0] * UINT64_C(0x9e3779b97f4a7c15) ^ key[1] * UINT64_C(0xc2b2ae3d27d4eb4f) ^
                 key[2] * UINT64_C(0x165667b19e3779f9);
    h = (h ^ h >> 32) * UINT64_C(0xd6e8feb86659fd93);
    return (uint32_t)(h >> 32);
}

/* The record of an account, or NULL; then *ret_slot is where its index entry would go. The index has free
 * slots always, so the search ends. */
static inline uint8_t *book_find(const book *b, const iban_key *key, uint32_t *ret_slot)
{
    uint32_t mask = b->slots - 1;
    for (uint32_t slot = book_hash(key->words) & mask;; slot = (slot + 1) & mask) {
        uint32_t place = theater_get_u16le(b->index + 2 * (size_t)slot);
        if (place == 0) {
            *ret_slot = slot;
            return NULL;
        }
        uint8_t *record = b->records + (size_t)BOOK_RECORD * (place - 1);
        if (theater_get_u64le(record) == key->words[0] && theater_get_u64le(record + 8) == key->words[1] &&
            theater_get_u64le(record + 16) == key->words[2])
            return record;
    }
}

static inline bool book_is_full(const book *b)
{
    return b->slots == BOOK_SLOTS_MAX && b->accounts >= BOOK_SLOTS_MAX / 4 * 3;
}

/* The same book with twice the index slots. */
static inline void book_double(book *b)
{
    size_t records = (size_t)BOOK_RECORD * b->accounts, index = 4 * (size_t)b->slots;
    theater_bytes state = theater_bytes_new(BOOK_HEADER + index + records);
    __builtin_memcpy(state.data, b->state.data, BOOK_HEADER);
    __builtin_memcpy(state.data + BOOK_HEADER + index, b->records, records);
    theater_put_u32le(state.data + BOOK_SLOTS, 2 * b->slots);
    *b = book_open(state);
    uint32_t mask = b->slots - 1;
    for (uint32_t i = 0; i < b->accounts; i++) {
        iban_key key;
        __builtin_memcpy(&key, b->records + (size_t)BOOK_RECORD * i, sizeof key);
        uint32_t slot = book_hash(key.words) & mask;
        while (theater_get_u16le(b->index + 2 * (size_t)slot))
            slot = (slot + 1) & mask;
        theater_put_u16le(b->index + 2 * (size_t)slot, (uint16_t)(i + 1));
    }
}

/* Appends an account that is not there yet, in a book that is not full. Money moves from the treasury, which
 * must have it. */
static inline void book_append(book *b, const iban_key *key, uint64_t balance)
{
    if (b->accounts >= b->slots / 4 * 3)
        book_double(b);
    uint32_t slot;
    if (book_find(b, key, &slot))
        theater_trap();
    *b = book_open(theater_bytes_resize(b->state, b->state.size + BOOK_RECORD));
    uint8_t *record = b->records + (size_t)BOOK_RECORD * b->accounts++;
    __builtin_memcpy(record, key, sizeof *key);
    theater_put_u64le(record + BOOK_BALANCE, balance);
    theater_put_u16le(b->index + 2 * (size_t)slot, (uint16_t)b->accounts);
    theater_put_u32le(b->state.data + BOOK_ACCOUNTS, b->accounts);
    uint8_t *treasury = b->state.data + BOOK_TREASURY;
    theater_put_u64le(treasury, theater_get_u64le(treasury) - balance);
}

/* Whether the bytes are a book in which all money is accounted for. */
static inline bool book_verify(theater_slice state)
{
    if (state.size < BOOK_HEADER || theater_get_u64le(state.data) != BOOK_MAGIC ||
        state.data[BOOK_DECIMALS] > 4)
        return false;
    uint32_t accounts = theater_get_u32le(state.data + BOOK_ACCOUNTS),
             slots = theater_get_u32le(state.data + BOOK_SLOTS);
    if (slots < BOOK_SLOTS_MIN || slots > BOOK_SLOTS_MAX || (slots & (slots - 1)) || accounts > slots / 4 * 3)
        return false;
    const uint8_t *records = state.data + BOOK_HEADER + 2 * (size_t)slots;
    if (state.size != BOOK_HEADER + 2 * (size_t)slots + (size_t)BOOK_RECORD * accounts)
        return false;
    uint64_t supply = theater_get_u64le(state.data + BOOK_SUPPLY),
             sum = theater_get_u64le(state.data + BOOK_TREASURY);
    uint64_t all = sum | supply;
    const uint8_t *end = state.data + state.size;
#ifdef __clang__
#pragma clang loop unroll_count(8)
#endif
    for (const uint8_t *record = records; record < end; record += BOOK_RECORD) {
        uint64_t balance = theater_get_u64le(record + BOOK_BALANCE);
        sum += balance;
        all |= balance;
    }
    return all <= BOOK_AMOUNT_MAX && sum == supply;
}

#endif
