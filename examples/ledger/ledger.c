/* ledger: accounts and credit transfers, where money is neither made nor lost. The inputs and outputs stand
 * in README.md, the state in book.h.
 *
 * It calls no host function: who may send it inputs is decided in front of it, and its answers hold all that
 * happened. */
#include <theater.h>

#include "book.h"

/* What a transfer's input says. A member that is missing leaves its slice without data. */
typedef struct transfer {
    theater_slice id;
    theater_slice currency;
    theater_slice amount;
    theater_slice debtor;
    theater_slice creditor;
    bool twice; /* a member stands there twice */
} transfer;

static theater_result malformed(void)
{
    return theater_reject("FF01 malformed: see the ledger's README for the form of an input");
}

/* Rejects with a reason that names an account, which was checked to be letters and digits. */
static theater_result reject_account(const char *reason, theater_slice iban)
{
    theater_writer text = theater_writer_new(96);
    theater_put_text(&text, reason);
    theater_put_slice(&text, iban);
    return theater_reject_slice(theater_writer_slice(&text));
}

/* ---- reading ------------------------------------------------------------------------------------------- */

static void keep(theater_slice *to, theater_slice value, bool *twice)
{
    *twice |= to->data != NULL;
    *to = value;
}

/* An amount may be a text or a number; either is taken as it is written. */
static theater_slice read_amount(theater_json *json)
{
    return theater_json_peek(json) == '"' ? theater_json_string(json) : theater_json_number(json);
}

/* {"NAME": ...}: enters an object and stops at the value of its member `name`; false at the end. */
static bool find_member(theater_json *json, const char *name)
{
    theater_slice key;
    while (theater_json_member(json, &key)) {
        if (theater_slice_is(key, name))
            return true;
        theater_json_skip(json);
    }
    return false;
}

/* {"NAME": "text"} */
static theater_slice read_text_in(theater_json *json, const char *name, bool *twice)
{
    theater_slice text = {0};
    theater_json_object(json);
    while (find_member(json, name))
        keep(&text, theater_json_string(json), twice);
    return text;
}

/* {"Id": {"IBAN": "..."}} */
static theater_slice read_account(theater_json *json, bool *twice)
{
    theater_slice iban = {0};
    theater_json_object(json);
    while (find_member(json, "Id"))
        keep(&iban, read_text_in(json, "IBAN", twice), twice);
    return iban;
}

/* {"InstdAmt": {"Ccy": "EUR", "Amt": "12.34"}} */
static void read_instructed(theater_json *json, transfer *t)
{
    theater_slice key;
    theater_json_object(json);
    while (find_member(json, "InstdAmt")) {
        theater_json_object(json);
        while (theater_json_member(json, &key)) {
            if (theater_slice_is(key, "Ccy"))
                keep(&t->currency, theater_json_string(json), &t->twice);
            else if (theater_slice_is(key, "Amt"))
                keep(&t->amount, read_amount(json), &t->twice);
            else
                theater_json_skip(json);
        }
    }
}

/* Reads the value of one member of a transfer. */
static void read_member(theater_json *json, theater_slice key, transfer *t)
{
    if (theater_slice_is(key, "PmtId"))
        keep(&t->id, read_text_in(json, "EndToEndId", &t->twice), &t->twice);
    else if (theater_slice_is(key, "Amt"))
        read_instructed(json, t);
    else if (theater_slice_is(key, "DbtrAcct"))
        keep(&t->debtor, read_account(json, &t->twice), &t->twice);
    else if (theater_slice_is(key, "CdtrAcct"))
        keep(&t->creditor, read_account(json, &t->twice), &t->twice);
    else
        theater_json_skip(json);
}

/* An amount in the currency's smallest unit, or an answer that says why not. */
static const char *parse_amount(const book *b, theater_slice text, uint64_t *ret)
{
    if (!theater_parse_fixed(text, b->state.data[BOOK_DECIMALS], ret) || *ret > BOOK_AMOUNT_MAX)
        return "AM12 invalid amount: digits and a point, not more decimals than the currency has";
    return NULL;
}

/* ---- transfers ----------------------------------------------------------------------------------------- */

static theater_result settle(book *b, const transfer *t, uint64_t amount)
{
    iban_key debtor, creditor;
    if (!iban_parse(t->debtor, &debtor))
        return theater_reject("AC02 the debtor's IBAN is not valid");
    if (!iban_parse(t->creditor, &creditor))
        return theater_reject("AC03 the creditor's IBAN is not valid");
    uint32_t slot;
    uint8_t *from = book_find(b, &debtor, &slot), *to = book_find(b, &creditor, &slot);
    if (!from)
        return reject_account("AC01 unknown account ", t->debtor);
    if (!to)
        return reject_account("AC01 unknown account ", t->creditor);
    if (from == to)
        return theater_reject("AG01 debtor and creditor are the same account");
    uint64_t has = theater_get_u64le(from + BOOK_BALANCE);
    if (has < amount)
        return reject_account("AM04 insufficient funds in account ", t->debtor);
    theater_put_u64le(from + BOOK_BALANCE, has - amount);
    theater_put_u64le(to + BOOK_BALANCE, theater_get_u64le(to + BOOK_BALANCE) + amount);

    theater_writer output = theater_writer_new(96);
    theater_put_text(&output, "{\"EndToEndId\":");
    theater_put_json(&output, t->id);
    theater_put_text(&output, ",\"TxSts\":\"ACSC\"}");
    return theater_reply(theater_writer_slice(&output), b->state);
}

/* The rest of a transfer, whose first member's key was read already. */
static theater_result handle_transfer(book *b, theater_json *json, theater_slice key)
{
    transfer t = {0};
    do
        read_member(json, key, &t);
    while (theater_json_member(json, &key));
    if (!theater_json_done(json) || t.twice || !t.currency.data || !t.amount.data || !t.debtor.data ||
        !t.creditor.data || t.id.size < 1 || t.id.size > 35)
        return malformed();
    if (!theater_slice_equal(t.currency, book_currency(b)))
        return theater_reject("AM03 the ledger has another currency");
    uint64_t amount;
    const char *wrong = parse_amount(b, t.amount, &amount);
    if (wrong)
        return theater_reject_slice(theater_slice_text(wrong));
    if (amount == 0)
        return theater_reject("AM01 the amount is zero");
    return settle(b, &t, amount);
}

/* ---- accounts ------------------------------------------------------------------------------------------ */

/* Whether the object that holds everything ends here, with nothing behind it. */
static bool ends(theater_json *json)
{
    theater_slice key;
    return !theater_json_member(json, &key) && theater_json_done(json);
}

static void put_amount(theater_writer *w, const book *b, const char *name, uint64_t amount)
{
    theater_put_text(w, name);
    theater_put_fixed(w, amount, b->state.data[BOOK_DECIMALS]);
    theater_put_byte(w, '"');
}

static theater_result reply_balance(const book *b, theater_slice iban, uint64_t balance)
{
    theater_writer output = theater_writer_new(128);
    theater_put_text(&output, "{\"IBAN\":\"");
    theater_put_slice(&output, iban);
    theater_put_text(&output, "\",\"Ccy\":\"");
    theater_put_slice(&output, book_currency(b));
    put_amount(&output, b, "\",\"Bal\":\"", balance);
    theater_put_byte(&output, '}');
    return theater_reply(theater_writer_slice(&output), b->state);
}

static theater_result handle_open(book *b, theater_json *json)
{
    theater_slice key, iban = {0}, text = {0};
    bool twice = false;
    theater_json_object(json);
    while (theater_json_member(json, &key)) {
        if (theater_slice_is(key, "IBAN"))
            keep(&iban, theater_json_string(json), &twice);
        else if (theater_slice_is(key, "Amt"))
            keep(&text, read_amount(json), &twice);
        else
            theater_json_skip(json);
    }
    if (!ends(json) || twice || !iban.data)
        return malformed();
    uint64_t amount = 0;
    const char *wrong = text.data ? parse_amount(b, text, &amount) : NULL;
    if (wrong)
        return theater_reject_slice(theater_slice_text(wrong));
    iban_key account;
    if (!iban_parse(iban, &account))
        return theater_reject("AC03 the IBAN is not valid");
    uint32_t slot;
    if (book_find(b, &account, &slot))
        return reject_account("AG01 open already: account ", iban);
    if (book_is_full(b))
        return theater_reject("AG01 the ledger is full");
    if (theater_get_u64le(b->state.data + BOOK_TREASURY) < amount)
        return theater_reject("AM04 insufficient funds in the treasury");
    book_append(b, &account, amount);
    return reply_balance(b, iban, amount);
}

static theater_result handle_balance(book *b, theater_json *json)
{
    bool twice = false;
    theater_slice iban = read_text_in(json, "IBAN", &twice);
    if (!ends(json) || twice || !iban.data)
        return malformed();
    iban_key account;
    if (!iban_parse(iban, &account))
        return theater_reject("AC03 the IBAN is not valid");
    uint32_t slot;
    const uint8_t *record = book_find(b, &account, &slot);
    if (!record)
        return reject_account("AC01 unknown account ", iban);
    return reply_balance(b, iban, theater_get_u64le(record + BOOK_BALANCE));
}

static theater_result handle_totals(book *b, theater_json *json)
{
    theater_json_skip(json);
    if (!ends(json))
        return malformed();
    theater_writer output = theater_writer_new(128);
    theater_put_text(&output, "{\"Accounts\":");
    theater_put_u64(&output, b->accounts);
    theater_put_text(&output, ",\"Ccy\":\"");
    theater_put_slice(&output, book_currency(b));
    put_amount(&output, b, "\",\"Supply\":\"", theater_get_u64le(b->state.data + BOOK_SUPPLY));
    put_amount(&output, b, ",\"Treasury\":\"", theater_get_u64le(b->state.data + BOOK_TREASURY));
    theater_put_byte(&output, '}');
    return theater_reply(theater_writer_slice(&output), b->state);
}

/* ---- the actor ----------------------------------------------------------------------------------------- */

static bool is_currency(theater_slice text)
{
    bool good = text.size == 3;
    for (size_t i = 0; good && i < 3; i++)
        good = text.data[i] >= 'A' && text.data[i] <= 'Z';
    return good;
}

static theater_result init(theater_slice config)
{
    theater_json json = theater_json_of(config);
    theater_slice key, currency = {0}, supply_text = {0}, decimals_text = {0};
    bool twice = false;
    theater_json_object(&json);
    while (theater_json_member(&json, &key)) {
        if (theater_slice_is(key, "Ccy"))
            keep(&currency, theater_json_string(&json), &twice);
        else if (theater_slice_is(key, "Supply"))
            keep(&supply_text, read_amount(&json), &twice);
        else if (theater_slice_is(key, "Decimals"))
            keep(&decimals_text, theater_json_number(&json), &twice);
        else
            return theater_reject("the configuration has a member beside Ccy, Supply and Decimals");
    }
    uint64_t decimals = 2, supply;
    if (!theater_json_done(&json) || twice || !theater_is_utf8(config) || !is_currency(currency))
        return theater_reject("the configuration is {\"Ccy\":\"EUR\",\"Supply\":\"100000000.00\"}");
    if (decimals_text.data && (!theater_parse_u64(decimals_text, &decimals) || decimals > 4))
        return theater_reject("Decimals is 0 to 4");
    if (!theater_parse_fixed(supply_text, (unsigned)decimals, &supply) || supply > BOOK_AMOUNT_MAX)
        return theater_reject("Supply is no amount, or is too large");
    return theater_start(book_new(currency, (unsigned)decimals, supply));
}

static theater_result handle(theater_slice input, theater_bytes state)
{
    book b = book_open(state);
    theater_json json = theater_json_of(input);
    theater_slice key;
    theater_json_object(&json);
    if (!theater_is_utf8(input) || !theater_json_member(&json, &key))
        return malformed();
    if (theater_slice_is(key, "Open"))
        return handle_open(&b, &json);
    if (theater_slice_is(key, "Balance"))
        return handle_balance(&b, &json);
    if (theater_slice_is(key, "Totals"))
        return handle_totals(&b, &json);
    return handle_transfer(&b, &json, key);
}

static bool verify_state(theater_slice state)
{
    return book_verify(state);
}

THEATER_ACTOR(init, handle, verify_state)
