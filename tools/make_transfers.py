#!/usr/bin/env python3
"""Makes the input of the demonstration: accounts with valid IBANs and credit transfers between them.

    make_transfers.py [--accounts N] [--transfers N] [--seed N] > inputs.txt

One JSON object a line, as examples/ledger/README.md describes: first each account is opened, then come the transfers, with the
fields of a CdtTrfTxInf of ISO 20022 pain.001. A part of the transfers is wrong on purpose, and must be rejected: bad check digits,
unknown accounts, more money than there is, another currency. The same arguments give the same bytes.
"""
import argparse
import json
import random
import sys

# Country code, and the form of the rest of an IBAN: n digits, a capital letters (registry of ISO 13616).
COUNTRIES = [("DE", "n18"), ("FR", "n10 n11 n2"), ("NL", "a4 n10"), ("AT", "n16"), ("ES", "n20"), ("BE", "n12"), ("IT", "a1 n22")]
GIVEN = ["Anna", "Jean", "Maria", "Piet", "Lucia", "Hans", "Elena", "Marco", "Sofie", "Luis", "Emma", "Jonas"]
FAMILY = ["Muster", "Exemple", "Rossi", "de Vries", "García", "Huber", "Peeters", "Bianchi", "Schmidt", "Moreau", "Jansen", "Vogel"]


def check_digits(country, rest):
    """The two digits that make the whole 1 modulo 97 (ISO 7064, mod 97-10)."""
    letters = rest + country + "00"
    number = int("".join(str(int(c, 36)) for c in letters))
    return f"{98 - number % 97:02d}"


def make_iban(rng):
    country, form = rng.choice(COUNTRIES)
    rest = ""
    for part in form.split():
        alphabet = "0123456789" if part[0] == "n" else "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        rest += "".join(rng.choice(alphabet) for _ in range(int(part[1:])))
    return country + check_digits(country, rest) + rest


def wrong_digits(iban):
    """Another number in the place of the check digits."""
    wrong = (int(iban[2:4]) + 1) % 97 + 2
    if f"{wrong:02d}" == iban[2:4]:
        wrong += 1
    return iban[:2] + f"{wrong:02d}" + iban[4:]


def line(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def transfer(rng, number, accounts, names):
    debtor, creditor = rng.sample(range(len(accounts)), 2)
    debtor_iban, creditor_iban = accounts[debtor], accounts[creditor]
    cents = rng.randint(1, 20000)
    currency = "EUR"
    fate = rng.random()
    if fate < 0.010:
        creditor_iban = wrong_digits(creditor_iban)
    elif fate < 0.020:
        creditor_iban = make_iban(rng)
    elif fate < 0.030:
        cents = rng.randint(100_000_000, 900_000_000)
    elif fate < 0.032:
        currency = "USD"
    return {
        "PmtId": {"EndToEndId": f"E2E-{number:08d}"},
        "Amt": {"InstdAmt": {"Ccy": currency, "Amt": f"{cents // 100}.{cents % 100:02d}"}},
        "Dbtr": {"Nm": names[debtor]},
        "DbtrAcct": {"Id": {"IBAN": debtor_iban}},
        "Cdtr": {"Nm": names[creditor]},
        "CdtrAcct": {"Id": {"IBAN": creditor_iban}},
        "RmtInf": {"Ustrd": f"Invoice {rng.randint(1000, 9999)}"},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=5000)
    parser.add_argument("--transfers", type=int, default=100000)
    parser.add_argument("--seed", type=int, default=20022)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    accounts = []
    known = set()
    while len(accounts) < options.accounts:
        iban = make_iban(rng)
        if iban not in known:
            known.add(iban)
            accounts.append(iban)
    names = [f"{rng.choice(GIVEN)} {rng.choice(FAMILY)}" for _ in accounts]
    out = sys.stdout
    for iban in accounts:
        out.write(line({"Open": {"IBAN": iban, "Amt": f"{rng.randint(50, 5000)}.00"}}) + "\n")
    for number in range(1, options.transfers + 1):
        out.write(line(transfer(rng, number, accounts, names)) + "\n")


if __name__ == "__main__":
    main()
