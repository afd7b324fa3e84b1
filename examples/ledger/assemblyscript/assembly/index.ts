// ledger: accounts and credit transfers, where money is neither made nor lost. The same actor as ../../ledger.c: the same inputs, outputs and
// states, byte for byte. Inputs and outputs stand in ../../README.md, the state in ../../book.h.
import * as theater from "../.theater/assemblyscript/theater";
import { AMOUNT_MAX, Book, parseIban } from "./book";
import { isUtf8, quote, Reader, Text } from "./json";

const NONE = u64.MAX_VALUE; // no amount
const MALFORMED = "FF01 malformed: see the ledger's README for the form of an input";
const INVALID = "AM12 invalid amount: digits and a point, not more decimals than the currency has";

// ---- reading --------------------------------------------------------------------------------------------

/** A member's value after another of the same name, which is malformed. */
function once(json: Reader, before: Text | null, value: Text | null): Text | null {
  if (before && value) json.failed = true;
  return value ? value : before;
}

/** An amount may be a text or a number; either is taken as it is written. */
function readAmount(json: Reader): Text | null {
  return json.peek() == 0x22 ? json.string() : json.number();
}

/** {"NAME": "text"} */
function readTextIn(json: Reader, name: string): Text | null {
  let text: Text | null = null;
  json.object();
  for (let key = json.member(); key; key = json.member()) {
    if (key.is(name)) text = once(json, text, json.string());
    else json.skip();
  }
  return text;
}

/** {"Id": {"IBAN": "..."}} */
function readAccount(json: Reader): Text | null {
  let iban: Text | null = null;
  json.object();
  for (let key = json.member(); key; key = json.member()) {
    if (key.is("Id")) iban = once(json, iban, readTextIn(json, "IBAN"));
    else json.skip();
  }
  return iban;
}

/** The object that holds everything ends here, with nothing behind it. */
function ends(json: Reader): bool {
  return !json.member() && json.end();
}

/** "12.34" as 1234 with two decimals; NONE when it is no such amount or does not fit. */
function parseFixed(text: Text, decimals: u32): u64 {
  let value: u64 = 0, after: u32 = 0, point = false, digit = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.at(i);
    if (c == 0x2e && !point && digit && decimals > 0) {
      point = true;
      digit = false;
      continue;
    }
    if (c < 0x30 || c > 0x39 || (point && ++after > decimals)) return NONE;
    if (value > (u64.MAX_VALUE - 9) / 10) return NONE;
    value = value * 10 + (c - 0x30);
    digit = true;
  }
  for (; after < decimals; after++) {
    if (value > u64.MAX_VALUE / 10) return NONE;
    value *= 10;
  }
  return digit ? value : NONE;
}

/** An amount in the currency's smallest unit, or NONE. */
function parseAmount(book: Book, text: Text): u64 {
  const amount = parseFixed(text, book.decimals);
  return amount > AMOUNT_MAX ? NONE : amount;
}

// ---- answers --------------------------------------------------------------------------------------------

function money(book: Book, amount: u64): string {
  const digits = amount.toString().padStart(book.decimals + 1, "0"), whole = digits.length - book.decimals;
  return book.decimals ? digits.substring(0, whole) + "." + digits.substring(whole) : digits;
}

function replyBalance(book: Book, iban: string, balance: u64): theater.Result {
  return theater.reply(`{"IBAN":"${iban}","Ccy":"${book.currency}","Bal":"${money(book, balance)}"}`, book.state);
}

// ---- inputs ---------------------------------------------------------------------------------------------

/** What a transfer's input says. */
class Transfer {
  id: Text | null = null;
  currency: Text | null = null;
  amount: Text | null = null;
  debtor: Text | null = null;
  creditor: Text | null = null;

  /** {"InstdAmt": {"Ccy": "EUR", "Amt": "12.34"}} */
  private readInstructed(json: Reader): void {
    json.object();
    for (let outer = json.member(); outer; outer = json.member()) {
      if (!outer.is("InstdAmt")) {
        json.skip();
        continue;
      }
      json.object();
      for (let key = json.member(); key; key = json.member()) {
        if (key.is("Ccy")) this.currency = once(json, this.currency, json.string());
        else if (key.is("Amt")) this.amount = once(json, this.amount, readAmount(json));
        else json.skip();
      }
    }
  }

  /** Reads the value of one member. */
  readMember(json: Reader, key: Text): void {
    if (key.is("PmtId")) this.id = once(json, this.id, readTextIn(json, "EndToEndId"));
    else if (key.is("Amt")) this.readInstructed(json);
    else if (key.is("DbtrAcct")) this.debtor = once(json, this.debtor, readAccount(json));
    else if (key.is("CdtrAcct")) this.creditor = once(json, this.creditor, readAccount(json));
    else json.skip();
  }
}

function settle(book: Book, id: Text, debtor: Text, creditor: Text, amount: u64): theater.Result {
  const fromKey = parseIban(debtor), toKey = parseIban(creditor);
  if (!fromKey) return theater.reject("AC02 the debtor's IBAN is not valid");
  if (!toKey) return theater.reject("AC03 the creditor's IBAN is not valid");
  const from = book.find(fromKey), to = book.find(toKey);
  if (!from) return theater.reject("AC01 unknown account " + debtor.toString());
  if (!to) return theater.reject("AC01 unknown account " + creditor.toString());
  if (from == to) return theater.reject("AG01 debtor and creditor are the same account");
  if (book.balance(from) < amount) return theater.reject("AM04 insufficient funds in account " + debtor.toString());
  book.setBalance(from, book.balance(from) - amount);
  book.setBalance(to, book.balance(to) + amount);
  return theater.reply(`{"EndToEndId":${quote(id)},"TxSts":"ACSC"}`, book.state);
}

/** The rest of a transfer, whose first member's key was read already. */
function handleTransfer(book: Book, json: Reader, first: Text): theater.Result {
  const t = new Transfer();
  for (let key: Text | null = first; key; key = json.member()) t.readMember(json, key);
  const id = t.id, currency = t.currency, text = t.amount, debtor = t.debtor, creditor = t.creditor;
  if (!json.end() || !id || !currency || !text || !debtor || !creditor || id.length < 1 || id.length > 35) {
    return theater.reject(MALFORMED);
  }
  if (!currency.is(book.currency)) return theater.reject("AM03 the ledger has another currency");
  const amount = parseAmount(book, text);
  if (amount == NONE) return theater.reject(INVALID);
  if (amount == 0) return theater.reject("AM01 the amount is zero");
  return settle(book, id, debtor, creditor, amount);
}

function handleOpen(book: Book, json: Reader): theater.Result {
  let iban: Text | null = null, text: Text | null = null;
  json.object();
  for (let key = json.member(); key; key = json.member()) {
    if (key.is("IBAN")) iban = once(json, iban, json.string());
    else if (key.is("Amt")) text = once(json, text, readAmount(json));
    else json.skip();
  }
  if (!ends(json) || !iban) return theater.reject(MALFORMED);
  const amount = text ? parseAmount(book, text) : 0;
  if (amount == NONE) return theater.reject(INVALID);
  const key = parseIban(iban);
  if (!key) return theater.reject("AC03 the IBAN is not valid");
  if (book.find(key)) return theater.reject("AG01 open already: account " + iban.toString());
  if (book.isFull()) return theater.reject("AG01 the ledger is full");
  if (book.treasury < amount) return theater.reject("AM04 insufficient funds in the treasury");
  book.append(key, amount);
  return replyBalance(book, iban.toString(), amount);
}

function handleBalance(book: Book, json: Reader): theater.Result {
  const iban = readTextIn(json, "IBAN");
  if (!ends(json) || !iban) return theater.reject(MALFORMED);
  const key = parseIban(iban);
  if (!key) return theater.reject("AC03 the IBAN is not valid");
  const record = book.find(key);
  if (!record) return theater.reject("AC01 unknown account " + iban.toString());
  return replyBalance(book, iban.toString(), book.balance(record));
}

function handleTotals(book: Book, json: Reader): theater.Result {
  json.skip();
  if (!ends(json)) return theater.reject(MALFORMED);
  const supply = money(book, book.supply), treasury = money(book, book.treasury);
  return theater.reply(
    `{"Accounts":${book.accounts},"Ccy":"${book.currency}","Supply":"${supply}","Treasury":"${treasury}"}`, book.state);
}

// ---- the actor ------------------------------------------------------------------------------------------

function isCurrency(text: Text): bool {
  let good = text.length == 3;
  for (let i = 0; good && i < 3; i++) good = text.at(i) >= 0x41 && text.at(i) <= 0x5a;
  return good;
}

function init(config: Uint8Array): theater.Result {
  const json = new Reader(config);
  let currency: Text | null = null, supplyText: Text | null = null, decimalsText: Text | null = null;
  json.object();
  for (let key = json.member(); key; key = json.member()) {
    if (key.is("Ccy")) currency = once(json, currency, json.string());
    else if (key.is("Supply")) supplyText = once(json, supplyText, readAmount(json));
    else if (key.is("Decimals")) decimalsText = once(json, decimalsText, json.number());
    else return theater.reject("the configuration has a member beside Ccy, Supply and Decimals");
  }
  if (!json.end() || !isUtf8(config) || !currency || !isCurrency(currency)) {
    return theater.reject("the configuration is {\"Ccy\":\"EUR\",\"Supply\":\"100000000.00\"}");
  }
  const decimals = decimalsText ? parseFixed(decimalsText, 0) : 2;
  if (decimals > 4) return theater.reject("Decimals is 0 to 4");
  const supply = supplyText ? parseFixed(supplyText, <u32>decimals) : NONE;
  if (supply > AMOUNT_MAX) return theater.reject("Supply is no amount, or is too large");
  return theater.start(Book.make(currency, <u8>decimals, supply).state);
}

function handle(input: Uint8Array, state: Uint8Array): theater.Result {
  const book = new Book(state), json = new Reader(input);
  json.object();
  const key = json.member();
  if (!key || !isUtf8(input)) return theater.reject(MALFORMED);
  if (key.is("Open")) return handleOpen(book, json);
  if (key.is("Balance")) return handleBalance(book, json);
  if (key.is("Totals")) return handleTotals(book, json);
  return handleTransfer(book, json, key);
}

function verifyState(state: Uint8Array): bool {
  return new Book(state).isValid();
}

theater.actor(init, handle, verifyState);
export { theater_init, theater_handle, theater_verify_state, theater_realloc } from "../.theater/assemblyscript/theater";
