//! ledger: accounts and credit transfers, where money is neither made nor lost. The same actor as ../ledger.c: the same inputs, outputs and
//! states, byte for byte. Inputs and outputs stand in ../README.md, the state in ../book.h.
const std = @import("std");
const theater = @import("theater");
const json = @import("json.zig");
const Book = @import("book.zig").Book;
const parseIban = @import("book.zig").parseIban;
const amount_max = @import("book.zig").amount_max;

const Reader = json.Reader;
const Text = ?[]const u8;
const Malformed = json.Malformed;

comptime {
    theater.actor(@This());
}

fn malformed() theater.Error {
    return theater.reject("FF01 malformed: see the ledger's README for the form of an input");
}

// ---- reading --------------------------------------------------------------------------------------------

/// Keeps a member's value; a second one is malformed.
fn keep(to: *Text, value: Text) Malformed!void {
    if (value == null) return;
    if (to.* != null) return error.Malformed;
    to.* = value;
}

/// An amount may be a text or a number; either is taken as it is written.
fn readAmount(reader: *Reader) Malformed![]const u8 {
    return if (reader.peek() == '"') reader.string() else reader.number();
}

fn readString(reader: *Reader) Malformed!Text {
    return try reader.string();
}

/// {"NAME": value}: reads the member `name` of an object, which may stand anywhere in it, once.
fn readIn(reader: *Reader, name: []const u8, read: *const fn (*Reader) Malformed!Text) Malformed!Text {
    var found: Text = null;
    try reader.object();
    while (try reader.member()) |key| {
        if (std.mem.eql(u8, key, name)) try keep(&found, try read(reader)) else try reader.skip();
    }
    return found;
}

fn readIban(reader: *Reader) Malformed!Text {
    return readIn(reader, "IBAN", readString);
}

/// What a transfer's input says.
const Transfer = struct {
    id: Text = null,
    currency: Text = null,
    amount: Text = null,
    debtor: Text = null,
    creditor: Text = null,

    /// {"InstdAmt": {"Ccy": "EUR", "Amt": "12.34"}}
    fn readInstructed(self: *Transfer, reader: *Reader) Malformed!void {
        try reader.object();
        while (try reader.member()) |outer| {
            if (!std.mem.eql(u8, outer, "InstdAmt")) {
                try reader.skip();
                continue;
            }
            try reader.object();
            while (try reader.member()) |key| {
                if (std.mem.eql(u8, key, "Ccy")) {
                    try keep(&self.currency, try reader.string());
                } else if (std.mem.eql(u8, key, "Amt")) {
                    try keep(&self.amount, try readAmount(reader));
                } else try reader.skip();
            }
        }
    }

    fn readMember(self: *Transfer, reader: *Reader, key: []const u8) Malformed!void {
        if (std.mem.eql(u8, key, "PmtId")) {
            try keep(&self.id, try readIn(reader, "EndToEndId", readString));
        } else if (std.mem.eql(u8, key, "Amt")) {
            try self.readInstructed(reader);
        } else if (std.mem.eql(u8, key, "DbtrAcct")) {
            try keep(&self.debtor, try readIn(reader, "Id", readIban));
        } else if (std.mem.eql(u8, key, "CdtrAcct")) {
            try keep(&self.creditor, try readIn(reader, "Id", readIban));
        } else try reader.skip();
    }
};

/// The object that holds everything ends here, with nothing behind it.
fn ends(reader: *Reader) Malformed!void {
    if (try reader.member() != null) return error.Malformed;
    try reader.end();
}

/// "12.34" as 1234 with two decimals; null when it is no such amount or does not fit.
fn parseFixed(text: []const u8, decimals: u8) ?u64 {
    var value: u64 = 0;
    var after: u8 = 0;
    var point = false;
    var digit = false;
    for (text) |c| {
        if (c == '.' and !point and digit and decimals > 0) {
            point = true;
            digit = false;
            continue;
        }
        if (!std.ascii.isDigit(c) or (point and after == decimals)) return null;
        after += @intFromBool(point);
        value = std.math.add(u64, std.math.mul(u64, value, 10) catch return null, c - '0') catch return null;
        digit = true;
    }
    if (!digit) return null;
    while (after < decimals) : (after += 1) value = std.math.mul(u64, value, 10) catch return null;
    return value;
}

fn parseAmount(book: Book, text: []const u8) theater.Error!u64 {
    if (parseFixed(text, book.decimals())) |amount| if (amount <= amount_max) return amount;
    return theater.reject("AM12 invalid amount: digits and a point, not more decimals than the currency has");
}

// ---- answers --------------------------------------------------------------------------------------------

fn number(value: u64) []const u8 {
    return std.fmt.bufPrint(theater.alloc(20), "{d}", .{value}) catch unreachable;
}

fn money(book: Book, amount: u64) []const u8 {
    const decimals = book.decimals();
    if (decimals == 0) return number(amount);
    var unit: u64 = 1;
    for (0..decimals) |_| unit *= 10;
    const behind = number(unit + amount % unit)[1..]; // with its leading zeros
    return theater.join(&.{ number(amount / unit), ".", behind });
}

fn replyBalance(book: Book, iban: []const u8, balance: u64) theater.Turn {
    return .{
        .output = theater.join(&.{ "{\"IBAN\":\"", iban, "\",\"Ccy\":\"", book.currency(), "\",\"Bal\":\"", money(book, balance), "\"}" }),
        .state = book.state,
    };
}

fn settle(book: Book, id: []const u8, from_iban: []const u8, to_iban: []const u8, amount: u64) theater.Error!theater.Turn {
    const from_key = parseIban(from_iban) orelse return theater.reject("AC02 the debtor's IBAN is not valid");
    const to_key = parseIban(to_iban) orelse return theater.reject("AC03 the creditor's IBAN is not valid");
    const from = switch (book.find(from_key)) {
        .record => |record| record,
        .free => return theater.rejectParts(&.{ "AC01 unknown account ", from_iban }),
    };
    const to = switch (book.find(to_key)) {
        .record => |record| record,
        .free => return theater.rejectParts(&.{ "AC01 unknown account ", to_iban }),
    };
    if (from == to) return theater.reject("AG01 debtor and creditor are the same account");
    if (book.balance(from) < amount) return theater.rejectParts(&.{ "AM04 insufficient funds in account ", from_iban });
    book.setBalance(from, book.balance(from) - amount);
    book.setBalance(to, book.balance(to) + amount);
    return .{ .output = theater.join(&.{ "{\"EndToEndId\":", json.quote(id), ",\"TxSts\":\"ACSC\"}" }), .state = book.state };
}

// ---- inputs ---------------------------------------------------------------------------------------------

/// The rest of a transfer, whose first member's key was read already.
fn readTransfer(reader: *Reader, first: []const u8) Malformed!Transfer {
    var transfer = Transfer{};
    var key: Text = first;
    while (key) |name| : (key = try reader.member()) try transfer.readMember(reader, name);
    try reader.end();
    return transfer;
}

fn handleTransfer(book: Book, reader: *Reader, first: []const u8) theater.Error!theater.Turn {
    const transfer = readTransfer(reader, first) catch return malformed();
    const id = transfer.id orelse return malformed();
    const currency = transfer.currency orelse return malformed();
    const text = transfer.amount orelse return malformed();
    const debtor = transfer.debtor orelse return malformed();
    const creditor = transfer.creditor orelse return malformed();
    if (id.len < 1 or id.len > 35) return malformed();
    if (!std.mem.eql(u8, currency, book.currency())) return theater.reject("AM03 the ledger has another currency");
    const amount = try parseAmount(book, text);
    if (amount == 0) return theater.reject("AM01 the amount is zero");
    return settle(book, id, debtor, creditor, amount);
}

const Opening = struct { iban: Text = null, amount: Text = null };

fn readOpen(reader: *Reader) Malformed!Opening {
    var opening = Opening{};
    try reader.object();
    while (try reader.member()) |key| {
        if (std.mem.eql(u8, key, "IBAN")) {
            try keep(&opening.iban, try reader.string());
        } else if (std.mem.eql(u8, key, "Amt")) {
            try keep(&opening.amount, try readAmount(reader));
        } else try reader.skip();
    }
    try ends(reader);
    return opening;
}

fn handleOpen(book: *Book, reader: *Reader) theater.Error!theater.Turn {
    const opening = readOpen(reader) catch return malformed();
    const iban = opening.iban orelse return malformed();
    const amount = if (opening.amount) |text| try parseAmount(book.*, text) else 0;
    const key = parseIban(iban) orelse return theater.reject("AC03 the IBAN is not valid");
    if (book.find(key) == .record) return theater.rejectParts(&.{ "AG01 open already: account ", iban });
    if (book.isFull()) return theater.reject("AG01 the ledger is full");
    if (book.treasury() < amount) return theater.reject("AM04 insufficient funds in the treasury");
    book.append(key, amount);
    return replyBalance(book.*, iban, amount);
}

fn readBalance(reader: *Reader) Malformed!Text {
    const iban = try readIban(reader);
    try ends(reader);
    return iban;
}

fn handleBalance(book: Book, reader: *Reader) theater.Error!theater.Turn {
    const read = readBalance(reader) catch return malformed();
    const iban = read orelse return malformed();
    const key = parseIban(iban) orelse return theater.reject("AC03 the IBAN is not valid");
    return switch (book.find(key)) {
        .record => |record| replyBalance(book, iban, book.balance(record)),
        .free => theater.rejectParts(&.{ "AC01 unknown account ", iban }),
    };
}

fn handleTotals(book: Book, reader: *Reader) theater.Error!theater.Turn {
    reader.skip() catch return malformed();
    ends(reader) catch return malformed();
    const output = theater.join(&.{
        "{\"Accounts\":",     number(book.accounts()),       ",\"Ccy\":\"",      book.currency(),
        "\",\"Supply\":\"",   money(book, book.supply()),
        "\",\"Treasury\":\"", money(book, book.treasury()),  "\"}",
    });
    return .{ .output = output, .state = book.state };
}

// ---- the actor ------------------------------------------------------------------------------------------

const Config = struct { currency: Text = null, supply: Text = null, decimals: Text = null, other: bool = false };

fn readConfig(text: []const u8) Malformed!Config {
    var reader = Reader{ .text = text };
    var config = Config{};
    try reader.object();
    while (try reader.member()) |key| {
        if (std.mem.eql(u8, key, "Ccy")) {
            try keep(&config.currency, try reader.string());
        } else if (std.mem.eql(u8, key, "Supply")) {
            try keep(&config.supply, try readAmount(&reader));
        } else if (std.mem.eql(u8, key, "Decimals")) {
            try keep(&config.decimals, try reader.number());
        } else {
            config.other = true;
            return config;
        }
    }
    try reader.end();
    return config;
}

fn isCurrency(text: []const u8) bool {
    if (text.len != 3) return false;
    for (text) |c| if (!std.ascii.isUpper(c)) return false;
    return true;
}

pub fn init(text: []const u8) theater.Error![]u8 {
    const form = "the configuration is {\"Ccy\":\"EUR\",\"Supply\":\"100000000.00\"}";
    if (!std.unicode.utf8ValidateSlice(text)) return theater.reject(form);
    const config = readConfig(text) catch return theater.reject(form);
    if (config.other) return theater.reject("the configuration has a member beside Ccy, Supply and Decimals");
    const currency = config.currency orelse return theater.reject(form);
    if (!isCurrency(currency)) return theater.reject(form);
    const decimals = if (config.decimals) |digits| parseFixed(digits, 0) orelse 5 else 2;
    if (decimals > 4) return theater.reject("Decimals is 0 to 4");
    const supply = parseFixed(config.supply orelse "", @intCast(decimals)) orelse amount_max + 1;
    if (supply > amount_max) return theater.reject("Supply is no amount, or is too large");
    return Book.new(currency, @intCast(decimals), supply).state;
}

fn firstMember(reader: *Reader) Malformed!Text {
    try reader.object();
    return reader.member();
}

pub fn handle(input: []const u8, state: []u8) theater.Error!theater.Turn {
    var book = Book{ .state = state };
    var reader = Reader{ .text = input };
    if (!std.unicode.utf8ValidateSlice(input)) return malformed();
    const read = firstMember(&reader) catch return malformed();
    const key = read orelse return malformed();
    if (std.mem.eql(u8, key, "Open")) return handleOpen(&book, &reader);
    if (std.mem.eql(u8, key, "Balance")) return handleBalance(book, &reader);
    if (std.mem.eql(u8, key, "Totals")) return handleTotals(book, &reader);
    return handleTransfer(book, &reader, key);
}

pub fn verifyState(state: []const u8) bool {
    return (Book{ .state = @constCast(state) }).isValid();
}
