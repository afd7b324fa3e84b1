//! ledger: accounts and credit transfers, where money is neither made nor lost. The same actor as ../ledger.c: the same inputs, outputs and
//! states, byte for byte. Inputs and outputs stand in ../README.md, the state in ../book.h.

mod book;
mod iban;

use book::Book;
use iban::Key;
use std::borrow::Cow;
use theater_actor::json::{quote, Reader};
use theater_actor::text::{fixed, parse_fixed};
use theater_actor::{actor, bump_allocator, reject, Actor, Result, State};

bump_allocator!();
actor!(Book);

type Text<'a> = Option<Cow<'a, str>>;

const MALFORMED: &str = "FF01 malformed: see the ledger's README for the form of an input";

/// What is not in the form that the README says.
struct Malformed;

type Read<T> = core::result::Result<T, Malformed>;

/// The reader's None becomes an error that `?` passes on.
fn or<T>(value: Option<T>) -> Read<T> {
    value.ok_or(Malformed)
}

/// Keeps a member's value; a second one is malformed.
fn keep<'a>(to: &mut Text<'a>, value: Cow<'a, str>) -> Read<()> {
    match to.replace(value) {
        None => Ok(()),
        Some(_) => Err(Malformed),
    }
}

/// An amount may be a text or a number; either is taken as it is written.
fn read_amount<'a>(json: &mut Reader<'a>) -> Read<Cow<'a, str>> {
    match json.peek() {
        Some(b'"') => or(json.string()),
        _ => or(json.number()).map(Cow::Borrowed),
    }
}

/// {"NAME": value}: reads the member `name` of an object, which may stand anywhere in it, once.
fn read_in<'a>(
    json: &mut Reader<'a>,
    name: &str,
    read: &dyn Fn(&mut Reader<'a>) -> Read<Text<'a>>,
) -> Read<Text<'a>> {
    let mut found = None;
    or(json.object())?;
    while let Some(key) = or(json.member())? {
        if key != name {
            or(json.skip())?;
        } else if let Some(value) = read(json)? {
            keep(&mut found, value)?;
        }
    }
    Ok(found)
}

fn read_text<'a>(json: &mut Reader<'a>) -> Read<Text<'a>> {
    or(json.string()).map(Some)
}

/// {"Id": {"IBAN": "..."}}
fn read_account<'a>(json: &mut Reader<'a>) -> Read<Text<'a>> {
    read_in(json, "Id", &|json| read_in(json, "IBAN", &read_text))
}

/// What a transfer's input says.
#[derive(Default)]
struct Transfer<'a> {
    id: Text<'a>,
    currency: Text<'a>,
    amount: Text<'a>,
    debtor: Text<'a>,
    creditor: Text<'a>,
}

impl<'a> Transfer<'a> {
    /// {"InstdAmt": {"Ccy": "EUR", "Amt": "12.34"}}
    fn read_instructed(&mut self, json: &mut Reader<'a>) -> Read<()> {
        or(json.object())?;
        while let Some(key) = or(json.member())? {
            if key != "InstdAmt" {
                or(json.skip())?;
                continue;
            }
            or(json.object())?;
            while let Some(key) = or(json.member())? {
                match &*key {
                    "Ccy" => keep(&mut self.currency, or(json.string())?)?,
                    "Amt" => keep(&mut self.amount, read_amount(json)?)?,
                    _ => or(json.skip())?,
                }
            }
        }
        Ok(())
    }

    /// Reads the value of one member.
    fn read_member(&mut self, json: &mut Reader<'a>, key: &str) -> Read<()> {
        let (to, value) = match key {
            "PmtId" => (&mut self.id, read_in(json, "EndToEndId", &read_text)?),
            "DbtrAcct" => (&mut self.debtor, read_account(json)?),
            "CdtrAcct" => (&mut self.creditor, read_account(json)?),
            "Amt" => return self.read_instructed(json),
            _ => return or(json.skip()),
        };
        value.map_or(Ok(()), |value| keep(to, value))
    }
}

/// An amount in the currency's smallest unit.
fn parse_amount(book: &Book, text: &str) -> Result<u64> {
    match parse_fixed(text, book.decimals()) {
        Some(amount) if amount <= book::AMOUNT_MAX => Ok(amount),
        _ => reject!("AM12 invalid amount: digits and a point, not more decimals than the currency has"),
    }
}

fn settle(book: &mut Book, id: &str, debtor: &str, creditor: &str, amount: u64) -> Result<Vec<u8>> {
    let Some(from) = Key::parse(debtor) else { reject!("AC02 the debtor's IBAN is not valid") };
    let Some(to) = Key::parse(creditor) else { reject!("AC03 the creditor's IBAN is not valid") };
    let (from, to) = (book.find(&from), book.find(&to));
    let Ok(from) = from else { reject!("AC01 unknown account {debtor}") };
    let Ok(to) = to else { reject!("AC01 unknown account {creditor}") };
    if from == to {
        reject!("AG01 debtor and creditor are the same account");
    }
    if book.balance(from) < amount {
        reject!("AM04 insufficient funds in account {debtor}");
    }
    book.set_balance(from, book.balance(from) - amount);
    book.set_balance(to, book.balance(to) + amount);
    Ok(format!("{{\"EndToEndId\":{},\"TxSts\":\"ACSC\"}}", quote(id)).into_bytes())
}

/// The rest of a transfer, whose first member's key was read already.
fn read_transfer<'a>(json: &mut Reader<'a>, first: Cow<'a, str>) -> Read<Transfer<'a>> {
    let mut transfer = Transfer::default();
    let mut key = Some(first);
    while let Some(name) = key {
        transfer.read_member(json, &name)?;
        key = or(json.member())?;
    }
    or(json.end())?;
    Ok(transfer)
}

fn handle_transfer(book: &mut Book, json: &mut Reader, first: Cow<str>) -> Result<Vec<u8>> {
    let Ok(Transfer { id: Some(id), currency: Some(currency), amount: Some(amount), debtor: Some(debtor), creditor: Some(creditor) }) =
        read_transfer(json, Cow::Owned(first.into_owned()))
    else {
        reject!("{MALFORMED}")
    };
    if id.is_empty() || id.len() > 35 {
        reject!("{MALFORMED}");
    }
    if currency.as_bytes() != book.currency() {
        reject!("AM03 the ledger has another currency");
    }
    let amount = parse_amount(book, &amount)?;
    if amount == 0 {
        reject!("AM01 the amount is zero");
    }
    settle(book, &id, &debtor, &creditor, amount)
}

/// The object that holds everything ends here, with nothing behind it.
fn ends(json: &mut Reader) -> Read<()> {
    match or(json.member())? {
        None => or(json.end()),
        Some(_) => Err(Malformed),
    }
}

fn money(book: &Book, amount: u64) -> String {
    fixed(amount, book.decimals())
}

fn currency(book: &Book) -> &str {
    core::str::from_utf8(book.currency()).unwrap_or("")
}

fn reply_balance(book: &Book, iban: &str, balance: u64) -> Vec<u8> {
    format!("{{\"IBAN\":\"{iban}\",\"Ccy\":\"{}\",\"Bal\":\"{}\"}}", currency(book), money(book, balance)).into_bytes()
}

fn read_open<'a>(json: &mut Reader<'a>) -> Read<(Cow<'a, str>, Text<'a>)> {
    let (mut iban, mut amount) = (None, None);
    or(json.object())?;
    while let Some(key) = or(json.member())? {
        match &*key {
            "IBAN" => keep(&mut iban, or(json.string())?)?,
            "Amt" => keep(&mut amount, read_amount(json)?)?,
            _ => or(json.skip())?,
        }
    }
    ends(json)?;
    Ok((or(iban)?, amount))
}

fn handle_open(book: &mut Book, json: &mut Reader) -> Result<Vec<u8>> {
    let Ok((iban, amount)) = read_open(json) else { reject!("{MALFORMED}") };
    let amount = amount.map_or(Ok(0), |text| parse_amount(book, &text))?;
    let Some(key) = Key::parse(&iban) else { reject!("AC03 the IBAN is not valid") };
    if book.find(&key).is_ok() {
        reject!("AG01 open already: account {iban}");
    }
    if book.is_full() {
        reject!("AG01 the ledger is full");
    }
    if book.treasury() < amount {
        reject!("AM04 insufficient funds in the treasury");
    }
    book.append(&key, amount);
    Ok(reply_balance(book, &iban, amount))
}

fn handle_balance(book: &Book, json: &mut Reader) -> Result<Vec<u8>> {
    let read = |json: &mut Reader| -> Read<String> {
        let iban = or(read_in(json, "IBAN", &read_text)?)?;
        ends(json)?;
        Ok(iban.into_owned())
    };
    let Ok(iban) = read(json) else { reject!("{MALFORMED}") };
    let Some(key) = Key::parse(&iban) else { reject!("AC03 the IBAN is not valid") };
    let Ok(account) = book.find(&key) else { reject!("AC01 unknown account {iban}") };
    Ok(reply_balance(book, &iban, book.balance(account)))
}

fn handle_totals(book: &Book, json: &mut Reader) -> Result<Vec<u8>> {
    if or(json.skip()).and_then(|()| ends(json)).is_err() {
        reject!("{MALFORMED}");
    }
    Ok(format!(
        "{{\"Accounts\":{},\"Ccy\":\"{}\",\"Supply\":\"{}\",\"Treasury\":\"{}\"}}",
        book.accounts(),
        currency(book),
        money(book, book.supply()),
        money(book, book.treasury())
    )
    .into_bytes())
}

/// The members of the configuration: currency, supply, decimals.
fn read_config(config: &[u8]) -> Result<(Text<'_>, Text<'_>, Text<'_>)> {
    const FORM: &str = "the configuration is {\"Ccy\":\"EUR\",\"Supply\":\"100000000.00\"}";
    let (mut currency, mut supply, mut decimals) = (None, None, None);
    let mut json = Reader::new(config);
    let mut read = || -> Read<bool> {
        or(json.object())?;
        while let Some(key) = or(json.member())? {
            match &*key {
                "Ccy" => keep(&mut currency, or(json.string())?)?,
                "Supply" => keep(&mut supply, read_amount(&mut json)?)?,
                "Decimals" => keep(&mut decimals, Cow::Borrowed(or(json.number())?))?,
                _ => return Ok(false),
            }
        }
        or(json.end()).map(|()| true)
    };
    match read() {
        Ok(true) => Ok((currency, supply, decimals)),
        Ok(false) => reject!("the configuration has a member beside Ccy, Supply and Decimals"),
        Err(Malformed) => reject!("{FORM}"),
    }
}

impl Actor for Book {
    fn init(config: &[u8]) -> Result<Self> {
        let (currency, supply, decimals) = read_config(config)?;
        let Some(currency) = currency.filter(|text| text.len() == 3 && text.bytes().all(|c| c.is_ascii_uppercase())) else {
            reject!("the configuration is {{\"Ccy\":\"EUR\",\"Supply\":\"100000000.00\"}}")
        };
        let decimals = match decimals {
            None => 2,
            Some(text) => match parse_fixed(&text, 0) {
                Some(decimals @ 0..=4) => decimals as u32,
                _ => reject!("Decimals is 0 to 4"),
            },
        };
        match supply.and_then(|text| parse_fixed(&text, decimals)) {
            Some(supply) if supply <= book::AMOUNT_MAX => Ok(Book::new(currency.as_bytes(), decimals, supply)),
            _ => reject!("Supply is no amount, or is too large"),
        }
    }

    fn handle(&mut self, input: &[u8]) -> Result<Vec<u8>> {
        let mut json = Reader::new(input);
        let first = json.object().and_then(|()| json.member()).flatten();
        let Some(key) = first else { reject!("{MALFORMED}") };
        match &*key {
            "Open" => handle_open(self, &mut json),
            "Balance" => handle_balance(self, &mut json),
            "Totals" => handle_totals(self, &mut json),
            _ => handle_transfer(self, &mut json, key),
        }
    }

    fn verify(&self) -> bool {
        self.is_valid()
    }
}

/// The state is worked on where it lies: nothing is decoded, nothing copied.
impl State for Book {
    fn decode(state: Vec<u8>) -> Option<Self> {
        Some(Book { state })
    }

    fn encode(self) -> Vec<u8> {
        self.state
    }
}
