"""ledger: accounts and credit transfers, where money is neither made nor lost. The same actor as ../ledger.c: the same inputs, outputs and
states, byte for byte. Inputs and outputs stand in ../README.md, the state in ../book.h."""

import json
import re

from book import AMOUNT_MAX, Book, parse_iban
from theater import Actor, Reject, raw, reply

MALFORMED = "FF01 malformed: see the ledger's README for the form of an input"
FORM = 'the configuration is {"Ccy":"EUR","Supply":"100000000.00"}'
DEPTH = 16
AMOUNT = re.compile(r"([0-9]+)(?:\.([0-9]+))?", re.ASCII)


def check(condition, reason):
    if not condition:
        raise Reject(reason)


# ---- reading --------------------------------------------------------------------------------------------------------------------------------


class Literal(str):
    """A number, as it is written: an amount is no floating point number."""


def _members(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands there twice")
    return members


def _refuse(word):
    raise ValueError(f"{word} is no JSON")


def _is_shallow(value, depth):
    if depth == 0:
        return False
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return all(_is_shallow(part, depth - 1) for part in parts)


def read_object(data, reason):
    """A JSON text as a dictionary of its members; rejects with `reason` what is none."""
    try:
        value = json.loads(data.decode(), object_pairs_hook=_members, parse_int=Literal, parse_float=Literal, parse_constant=_refuse)
        if isinstance(value, dict) and _is_shallow(value, DEPTH + 1):
            json.dumps(value, ensure_ascii=False).encode()  # No half of a surrogate pair.
            return value
    except (ValueError, RecursionError):
        pass
    raise Reject(reason)


def member(value, *path):
    """The member of an object by its path, where each object on the way must be one."""
    for name in path:
        check(isinstance(value, dict), MALFORMED)
        if name not in value:
            return None
        value = value[name]
    check(value is not None, MALFORMED)
    return value


def text_in(value, *path):
    found = member(value, *path)
    check(found is None or type(found) is str, MALFORMED)
    return found


def amount_in(value, *path):
    """An amount may be a text or a number; either is taken as it is written."""
    found = member(value, *path)
    check(found is None or isinstance(found, str), MALFORMED)
    return found


def parse_fixed(text, decimals):
    """Digits and a point as an integer of the smallest unit, or None."""
    match = AMOUNT.fullmatch(text)
    if not match or len(match[2] or "") > decimals:
        return None
    digits = (match[1] + (match[2] or "").ljust(decimals, "0")).lstrip("0")
    amount = int(digits or "0") if len(digits) < 20 else AMOUNT_MAX + 1
    return amount if amount <= AMOUNT_MAX else None


def parse_amount(book, text):
    amount = parse_fixed(text, book.decimals)
    check(amount is not None, "AM12 invalid amount: digits and a point, not more decimals than the currency has")
    return amount


def show(book, amount):
    digits = str(amount).rjust(book.decimals + 1, "0")
    return f"{digits[:-book.decimals]}.{digits[-book.decimals:]}" if book.decimals else digits


def quote(text):
    """A JSON string in which every control character is written as \\u00xx."""
    return '"' + re.sub(r'["\\\x00-\x1f]', lambda found: f"\\{found[0]}" if found[0] in '"\\' else f"\\u{ord(found[0]):04x}", text) + '"'


# ---- what can be asked ----------------------------------------------------------------------------------------------------------------------


def settle(book, end_to_end, debtor_iban, creditor_iban, amount):
    debtor, creditor = parse_iban(debtor_iban), parse_iban(creditor_iban)
    check(debtor, "AC02 the debtor's IBAN is not valid")
    check(creditor, "AC03 the creditor's IBAN is not valid")
    source, _ = book.find(debtor)
    target, _ = book.find(creditor)
    check(source, f"AC01 unknown account {debtor_iban}")
    check(target, f"AC01 unknown account {creditor_iban}")
    check(source != target, "AG01 debtor and creditor are the same account")
    check(book.balance(source) >= amount, f"AM04 insufficient funds in account {debtor_iban}")
    book.set_balance(source, book.balance(source) - amount)
    book.set_balance(target, book.balance(target) + amount)
    return f'{{"EndToEndId":{quote(end_to_end)},"TxSts":"ACSC"}}'


def handle_transfer(book, given):
    end_to_end, currency = text_in(given, "PmtId", "EndToEndId"), text_in(given, "Amt", "InstdAmt", "Ccy")
    text = amount_in(given, "Amt", "InstdAmt", "Amt")
    debtor, creditor = text_in(given, "DbtrAcct", "Id", "IBAN"), text_in(given, "CdtrAcct", "Id", "IBAN")
    check(None not in (end_to_end, currency, text, debtor, creditor) and 1 <= len(end_to_end.encode()) <= 35, MALFORMED)
    check(currency == book.currency, "AM03 the ledger has another currency")
    amount = parse_amount(book, text)
    check(amount > 0, "AM01 the amount is zero")
    return settle(book, end_to_end, debtor, creditor, amount)


def show_balance(book, iban, balance):
    return f'{{"IBAN":"{iban}","Ccy":"{book.currency}","Bal":"{show(book, balance)}"}}'


def handle_open(book, given):
    iban, text = text_in(given, "Open", "IBAN"), amount_in(given, "Open", "Amt")
    check(len(given) == 1 and iban is not None, MALFORMED)
    amount = 0 if text is None else parse_amount(book, text)
    key = parse_iban(iban)
    check(key, "AC03 the IBAN is not valid")
    check(not book.find(key)[0], f"AG01 open already: account {iban}")
    check(not book.is_full, "AG01 the ledger is full")
    check(book.treasury >= amount, "AM04 insufficient funds in the treasury")
    book.append(key, amount)
    return show_balance(book, iban, amount)


def handle_balance(book, given):
    iban = text_in(given, "Balance", "IBAN")
    check(len(given) == 1 and iban is not None, MALFORMED)
    key = parse_iban(iban)
    check(key, "AC03 the IBAN is not valid")
    record, _ = book.find(key)
    check(record, f"AC01 unknown account {iban}")
    return show_balance(book, iban, book.balance(record))


def handle_totals(book, given):
    check(len(given) == 1, MALFORMED)
    return (f'{{"Accounts":{book.accounts},"Ccy":"{book.currency}","Supply":"{show(book, book.supply)}",'
            f'"Treasury":"{show(book, book.treasury)}"}}')


# ---- the actor ------------------------------------------------------------------------------------------------------------------------------

HANDLERS = {"Open": handle_open, "Balance": handle_balance, "Totals": handle_totals}


class Ledger(Actor):
    config = input = state = raw
    samples = ['{"Ccy":"EUR","Supply":"1000.00"}', '{"Open":{"IBAN":"DE89370400440532013000","Amt":"100.00"}}',
               '{"Open":{"IBAN":"FR1420041010050500013M02606"}}', '{"Balance":{"IBAN":"DE89370400440532013000"}}', '{"Totals":{}}',
               '{"PmtId":{"EndToEndId":"1"},"Amt":{"InstdAmt":{"Ccy":"EUR","Amt":"1.00"}},'
               '"DbtrAcct":{"Id":{"IBAN":"DE89370400440532013000"}},"CdtrAcct":{"Id":{"IBAN":"FR1420041010050500013M02606"}}}']

    def init(self, config):
        members = read_object(config, FORM)
        check(members.keys() <= {"Ccy", "Supply", "Decimals"}, "the configuration has a member beside Ccy, Supply and Decimals")
        currency, decimals = members.get("Ccy"), members.get("Decimals", Literal("2"))
        check(type(currency) is str and re.fullmatch("[A-Z]{3}", currency), FORM)
        supply = members.get("Supply", "")
        check(isinstance(decimals, Literal) and isinstance(supply, str), FORM)
        check(decimals in ("0", "1", "2", "3", "4"), "Decimals is 0 to 4")
        supply = parse_fixed(supply, int(decimals))
        check(supply is not None, "Supply is no amount, or is too large")
        return bytes(Book.new(currency, int(decimals), supply).state)

    def handle(self, input, state):
        book, given = Book(state), read_object(input, MALFORMED)
        check(given, MALFORMED)
        output = HANDLERS.get(next(iter(given)), handle_transfer)(book, given)
        return reply(output, bytes(book.state))

    def verify(self, state):
        return Book(state).is_valid()
