// ledger: accounts and credit transfers, where money is neither made nor lost. The same actor as ../ledger.c: the same
// inputs, outputs and states, byte for byte. Inputs and outputs stand in ../README.md, the state in ../book.h.

import { actor, bytes, decodeText, Reject, reply } from "theater";
import { AMOUNT_MAX, Book, parseIban } from "./book";
import { Literal, readJson, type Value } from "./read";

const MALFORMED = "FF01 malformed: see the ledger's README for the form of an input";

type Members = Map<string, Value>;

interface Transfer {
    id: string;
    currency: string;
    amount: string;
    debtor: string;
    creditor: string;
}

function check(condition: unknown, reason: string): asserts condition {
    if (!condition)
        throw new Reject(reason);
}

// ---- reading --------------------------------------------------------------------------------------------------------

/** A JSON text as a Map of its members; rejects with `reason` what is none. */
function readObject(input: Uint8Array, reason: string): Members {
    try {
        const value = readJson(decodeText(input));
        if (value instanceof Map)
            return value;
    } catch {
        // Not JSON, or not UTF-8.
    }
    throw new Reject(reason);
}

/** The member of an object by its path, where each object on the way must be one. */
function member(object: Members, ...path: string[]): Value | undefined {
    let value: Value | undefined = object;
    for (const name of path) {
        check(value instanceof Map, MALFORMED);
        value = value.get(name);
        if (value === undefined)
            return undefined;
    }
    return value;
}

function textIn(object: Members, ...path: string[]): string | undefined {
    const value = member(object, ...path);
    check(value === undefined || typeof value === "string", MALFORMED);
    return value;
}

/** An amount may be a text or a number; either is taken as it is written. */
function amountIn(object: Members, ...path: string[]): string | undefined {
    const value = member(object, ...path);
    if (value instanceof Literal)
        return value.text;
    check(value === undefined || typeof value === "string", MALFORMED);
    return value;
}

/** Digits and a point as an integer of the smallest unit, or null. */
function parseFixed(text: string, decimals: number): bigint | null {
    const match = /^([0-9]+)(?:\.([0-9]+))?$/.exec(text);
    if (match === null || (match[2] ?? "").length > decimals)
        return null;
    const value = BigInt(match[1]! + (match[2] ?? "").padEnd(decimals, "0"));
    return value <= AMOUNT_MAX ? value : null;
}

function parseAmount(book: Book, text: string): bigint {
    const amount = parseFixed(text, book.decimals);
    check(amount !== null, "AM12 invalid amount: digits and a point, not more decimals than the currency has");
    return amount;
}

function showAmount(book: Book, amount: bigint): string {
    const digits = String(amount).padStart(book.decimals + 1, "0"), point = digits.length - book.decimals;
    return book.decimals === 0 ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** A JSON string in which every control character is written as \u00xx, also those that have a shorter form. */
function quote(text: string): string {
    return JSON.stringify(text).replace(/\\(?:([bfnrt])|.)/g, (whole: string, short?: string) =>
        short ? `\\u00${JSON.parse(`"${whole}"`).charCodeAt(0).toString(16).padStart(2, "0")}` : whole);
}

// ---- what can be asked ----------------------------------------------------------------------------------------------

function settle(book: Book, transfer: Transfer, amount: bigint): string {
    const debtor = parseIban(transfer.debtor), creditor = parseIban(transfer.creditor);
    check(debtor, "AC02 the debtor's IBAN is not valid");
    check(creditor, "AC03 the creditor's IBAN is not valid");
    const from = book.find(debtor).record, to = book.find(creditor).record;
    check(from, `AC01 unknown account ${transfer.debtor}`);
    check(to, `AC01 unknown account ${transfer.creditor}`);
    check(from !== to, "AG01 debtor and creditor are the same account");
    check(book.balance(from) >= amount, `AM04 insufficient funds in account ${transfer.debtor}`);
    book.setBalance(from, book.balance(from) - amount);
    book.setBalance(to, book.balance(to) + amount);
    return `{"EndToEndId":${quote(transfer.id)},"TxSts":"ACSC"}`;
}

function handleTransfer(book: Book, input: Members): string {
    const found: Partial<Transfer> = {
        id: textIn(input, "PmtId", "EndToEndId"),
        currency: textIn(input, "Amt", "InstdAmt", "Ccy"),
        amount: amountIn(input, "Amt", "InstdAmt", "Amt"),
        debtor: textIn(input, "DbtrAcct", "Id", "IBAN"),
        creditor: textIn(input, "CdtrAcct", "Id", "IBAN"),
    };
    check(Object.values(found).every((value) => value !== undefined), MALFORMED);
    const transfer = found as Transfer;
    const size = new TextEncoder().encode(transfer.id).length;
    check(size >= 1 && size <= 35, MALFORMED);
    check(transfer.currency === book.currency, "AM03 the ledger has another currency");
    const amount = parseAmount(book, transfer.amount);
    check(amount > 0n, "AM01 the amount is zero");
    return settle(book, transfer, amount);
}

function showBalance(book: Book, iban: string, balance: bigint): string {
    return `{"IBAN":"${iban}","Ccy":"${book.currency}","Bal":"${showAmount(book, balance)}"}`;
}

function handleOpen(book: Book, input: Members) {
    const iban = textIn(input, "Open", "IBAN"), text = amountIn(input, "Open", "Amt");
    check(input.size === 1 && iban !== undefined, MALFORMED);
    const amount = text === undefined ? 0n : parseAmount(book, text), key = parseIban(iban);
    check(key, "AC03 the IBAN is not valid");
    check(book.find(key).record === 0, `AG01 open already: account ${iban}`);
    check(!book.isFull, "AG01 the ledger is full");
    check(book.treasury >= amount, "AM04 insufficient funds in the treasury");
    return reply(showBalance(book, iban, amount), book.append(key, amount).bytes);
}

function handleBalance(book: Book, input: Members): string {
    const iban = textIn(input, "Balance", "IBAN");
    check(input.size === 1 && iban !== undefined, MALFORMED);
    const key = parseIban(iban);
    check(key, "AC03 the IBAN is not valid");
    const { record } = book.find(key);
    check(record, `AC01 unknown account ${iban}`);
    return showBalance(book, iban, book.balance(record));
}

function handleTotals(book: Book, input: Members): string {
    check(input.size === 1, MALFORMED);
    const supply = showAmount(book, book.supply), treasury = showAmount(book, book.treasury);
    return `{"Accounts":${book.accounts},"Ccy":"${book.currency}","Supply":"${supply}","Treasury":"${treasury}"}`;
}

// ---- the actor ------------------------------------------------------------------------------------------------------

const FORM = 'the configuration is {"Ccy":"EUR","Supply":"100000000.00"}';

export default actor<Uint8Array, Uint8Array, Uint8Array>({
    config: bytes,
    input: bytes,
    state: bytes,

    init(config) {
        const members = readObject(config, FORM);
        for (const name of members.keys())
            check(["Ccy", "Supply", "Decimals"].includes(name),
                "the configuration has a member beside Ccy, Supply and Decimals");
        const currency = members.get("Ccy"), decimals = members.has("Decimals") ? members.get("Decimals") : new Literal("2");
        check(typeof currency === "string" && /^[A-Z]{3}$/.test(currency), FORM);
        const supplied = members.has("Supply") ? members.get("Supply") : "";
        check(decimals instanceof Literal && (typeof supplied === "string" || supplied instanceof Literal), FORM);
        check(/^[0-4]$/.test(decimals.text), "Decimals is 0 to 4");
        const text = supplied instanceof Literal ? supplied.text : supplied;
        const supply = parseFixed(text, Number(decimals.text));
        check(supply !== null, "Supply is no amount, or is too large");
        return Book.make(currency, Number(decimals.text), supply).bytes;
    },

    handle(input, state) {
        const book = new Book(state), object = readObject(input, MALFORMED);
        const [first] = object.keys();
        check(first !== undefined, MALFORMED);
        switch (first) {
        case "Open":
            return handleOpen(book, object);
        case "Balance":
            return handleBalance(book, object);
        case "Totals":
            return handleTotals(book, object);
        default:
            return handleTransfer(book, object);
        }
    },

    verify: (state) => new Book(state).isValid(),
});
