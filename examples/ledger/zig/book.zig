//! The ledger's state: who has how much. Its layout, and why it is so, stand in ../book.h.
const std = @import("std");
const theater = @import("theater");

pub const Key = [3]u64;
pub const amount_max: u64 = (1 << 48) - 1;

const magic: u64 = 0x315247444c454854; // "THELDGR1"
const currency_at = 8;
const decimals_at = 11;
const accounts_at = 12;
const slots_at = 16;
const supply_at = 24;
const treasury_at = 32;
const header = 64;
const record_size = 32;
const balance_at = 24; // in a record
const slots_min = 16;
const slots_max = 65536;

/// Mixes all bits of a key into the low ones.
fn hash(key: Key) usize {
    var h = key[0] *% 0x9e3779b97f4a7c15 ^ key[1] *% 0xc2b2ae3d27d4eb4f ^ key[2] *% 0x165667b19e3779f9;
    h = (h ^ h >> 32) *% 0xd6e8feb86659fd93;
    return @intCast(h >> 32);
}

pub const Book = struct {
    state: []u8,

    /// An empty book whose treasury holds the supply.
    pub fn new(code: []const u8, places: u8, all: u64) Book {
        const book = Book{ .state = theater.alloc(header + 2 * slots_min) };
        book.put(u64, 0, magic);
        @memcpy(book.state[currency_at..][0..3], code[0..3]);
        book.state[decimals_at] = places;
        book.put(u32, slots_at, slots_min);
        book.put(u64, supply_at, all);
        book.put(u64, treasury_at, all);
        return book;
    }

    fn get(book: Book, comptime T: type, at: usize) T {
        return std.mem.readInt(T, book.state[at..][0..@sizeOf(T)], .little);
    }
    fn put(book: Book, comptime T: type, at: usize, value: T) void {
        std.mem.writeInt(T, book.state[at..][0..@sizeOf(T)], value, .little);
    }

    pub fn currency(book: Book) []const u8 {
        return book.state[currency_at..][0..3];
    }
    pub fn decimals(book: Book) u8 {
        return book.state[decimals_at];
    }
    pub fn accounts(book: Book) u32 {
        return book.get(u32, accounts_at);
    }
    pub fn supply(book: Book) u64 {
        return book.get(u64, supply_at);
    }
    pub fn treasury(book: Book) u64 {
        return book.get(u64, treasury_at);
    }
    pub fn balance(book: Book, record: usize) u64 {
        return book.get(u64, record + balance_at);
    }
    pub fn setBalance(book: Book, record: usize, value: u64) void {
        book.put(u64, record + balance_at, value);
    }

    fn slots(book: Book) usize {
        return book.get(u32, slots_at);
    }
    fn recordOf(book: Book, place: usize) usize {
        return header + 2 * book.slots() + record_size * (place - 1);
    }
    fn keyOf(book: Book, record: usize) Key {
        return .{ book.get(u64, record), book.get(u64, record + 8), book.get(u64, record + 16) };
    }
    fn slotOf(book: Book, slot: usize) u16 {
        return book.get(u16, header + 2 * slot);
    }

    pub const Found = union(enum) { record: usize, free: usize };

    /// The place of an account's record, or the index slot where its entry would go. The index has free slots always.
    pub fn find(book: Book, key: Key) Found {
        const mask = book.slots() - 1;
        var slot = hash(key) & mask;
        while (true) : (slot = (slot + 1) & mask) {
            const place = book.slotOf(slot);
            if (place == 0) return .{ .free = slot };
            const record = book.recordOf(place);
            if (std.mem.eql(u64, &book.keyOf(record), &key)) return .{ .record = record };
        }
    }

    pub fn isFull(book: Book) bool {
        return book.slots() == slots_max and book.accounts() >= slots_max / 4 * 3;
    }

    /// Twice the index slots.
    fn double(book: *Book) void {
        const old = book.slots();
        const larger = theater.alloc(book.state.len + 2 * old);
        @memcpy(larger[0..header], book.state[0..header]);
        @memcpy(larger[header + 4 * old ..], book.state[header + 2 * old ..]);
        book.state = larger;
        book.put(u32, slots_at, @intCast(2 * old));
        const mask = 2 * old - 1;
        for (1..book.accounts() + 1) |place| {
            var slot = hash(book.keyOf(book.recordOf(place))) & mask;
            while (book.slotOf(slot) != 0) slot = (slot + 1) & mask;
            book.put(u16, header + 2 * slot, @intCast(place));
        }
    }

    /// Appends an account that is not there yet, in a book that is not full. Money moves from the treasury, which must have it.
    pub fn append(book: *Book, key: Key, value: u64) void {
        if (book.accounts() >= book.slots() / 4 * 3) book.double();
        const slot = book.find(key).free;
        const record = book.state.len;
        book.state = theater.resize(book.state, record + record_size);
        for (key, 0..) |word, i| book.put(u64, record + 8 * i, word);
        book.setBalance(record, value);
        const count = book.accounts() + 1;
        book.put(u16, header + 2 * slot, @intCast(count));
        book.put(u32, accounts_at, count);
        book.put(u64, treasury_at, book.treasury() - value);
    }

    /// Whether the bytes are a book in which all money is accounted for.
    pub fn isValid(book: Book) bool {
        if (book.state.len < header or book.get(u64, 0) != magic or book.decimals() > 4) return false;
        const count = book.accounts();
        const size = book.slots();
        if (size < slots_min or size > slots_max or size & (size - 1) != 0 or count > size / 4 * 3) return false;
        if (book.state.len != header + 2 * size + record_size * count) return false;
        var sum = book.treasury();
        var all = sum | book.supply();
        for (0..count) |i| {
            const value = book.balance(book.recordOf(i + 1));
            sum +%= value;
            all |= value;
        }
        return all <= amount_max and sum == book.supply();
    }
};

/// The number that a character stands for in the check (ISO 7064, mod 97-10).
fn valueOf(c: u8) ?u64 {
    return switch (c) {
        '0'...'9' => c - '0',
        'A'...'Z' => c - 'A' + 10,
        else => null,
    };
}

/// Checks an IBAN (ISO 13616) and packs it without its check digits, as ../iban.h says. Null when it is none.
pub fn parseIban(text: []const u8) ?Key {
    if (text.len < 15 or text.len > 34) return null;
    var remainder: u64 = 0;
    var key: Key = .{ 0, 0, 0 };
    var bit: usize = 0;
    for (4..text.len + 4) |i| {
        const at = if (i < text.len) i else i - text.len;
        const value = valueOf(text[at]) orelse return null;
        // The country is two letters, the check digits are digits, and the rest is either.
        const digits = at == 2 or at == 3;
        if ((at < 2 and value < 10) or (digits and value > 9)) return null;
        remainder = (remainder * @as(u64, if (value < 10) 10 else 100) + value) % 97;
        if (digits) continue;
        const shift: u6 = @intCast(bit % 64);
        key[bit / 64] |= (value + 1) << shift;
        if (shift > 58) key[bit / 64 + 1] |= (value + 1) >> @intCast(64 - @as(usize, shift));
        bit += 6;
    }
    return if (remainder == 1) key else null;
}
