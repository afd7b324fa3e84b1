//! JSON (RFC 8259) read member by member, without a tree. Whatever is not as asked for is `error.Malformed`.
const std = @import("std");
const theater = @import("theater");

pub const Malformed = error{Malformed};

/// How deep a value that is skipped may nest.
const depth_max = 16;

pub const Reader = struct {
    text: []const u8,
    at: usize = 0,
    first: bool = false,

    /// The next byte that is no space, not taken; 0 at the end.
    pub fn peek(self: *Reader) u8 {
        while (self.at < self.text.len) : (self.at += 1) {
            switch (self.text[self.at]) {
                ' ', '\t', '\r', '\n' => {},
                else => |c| return c,
            }
        }
        return 0;
    }

    fn byte(self: *Reader) Malformed!u8 {
        if (self.at >= self.text.len) return error.Malformed;
        self.at += 1;
        return self.text[self.at - 1];
    }

    fn take(self: *Reader, c: u8) Malformed!void {
        if (self.peek() != c) return error.Malformed;
        _ = try self.byte();
    }

    /// Nothing is left but space.
    pub fn end(self: *Reader) Malformed!void {
        _ = self.peek();
        if (self.at != self.text.len) return error.Malformed;
    }

    pub fn object(self: *Reader) Malformed!void {
        try self.take('{');
        self.first = true;
    }

    fn next(self: *Reader, close: u8) Malformed!bool {
        const first = self.first;
        self.first = false;
        if (self.peek() == close) {
            try self.take(close);
            return false;
        }
        if (!first) try self.take(',');
        return true;
    }

    /// The key of the next member, whose value is to be read next; null at the end of the object.
    pub fn member(self: *Reader) Malformed!?[]const u8 {
        if (!try self.next('}')) return null;
        const key = try self.string();
        try self.take(':');
        return key;
    }

    fn hex4(self: *Reader) Malformed!u21 {
        var value: u21 = 0;
        for (0..4) |_| {
            const digit = std.fmt.charToDigit(try self.byte(), 16) catch return error.Malformed;
            value = (value << 4 | digit) & 0xffff;
        }
        return value;
    }

    fn escape(self: *Reader, room: []u8) Malformed!usize {
        const c = try self.byte();
        room[0] = switch (c) {
            '"', '\\', '/' => c,
            'b' => 8,
            'f' => 12,
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                var point = try self.hex4();
                if (point >= 0xd800 and point < 0xdc00) {
                    if (try self.byte() != '\\' or try self.byte() != 'u') return error.Malformed;
                    const low = try self.hex4();
                    if (low < 0xdc00 or low > 0xdfff) return error.Malformed;
                    point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
                }
                return std.unicode.utf8Encode(point, room) catch error.Malformed;
            },
            else => return error.Malformed,
        };
        return 1;
    }

    /// A string. Without escapes it is a part of the text; what it stands for is never longer than that.
    pub fn string(self: *Reader) Malformed![]const u8 {
        try self.take('"');
        const start = self.at;
        while (true) {
            const c = try self.byte();
            if (c == '"') return self.text[start .. self.at - 1];
            if (c < 0x20) return error.Malformed;
            if (c == '\\') break;
        }
        const room = theater.alloc(self.text.len - start);
        var size = self.at - 1 - start;
        @memcpy(room[0..size], self.text[start..][0..size]);
        self.at -= 1;
        while (true) {
            const c = try self.byte();
            if (c == '"') return room[0..size];
            if (c < 0x20) return error.Malformed;
            if (c == '\\') {
                size += try self.escape(room[size..]);
            } else {
                room[size] = c;
                size += 1;
            }
        }
    }

    fn digits(self: *Reader) usize {
        const from = self.at;
        while (self.at < self.text.len and std.ascii.isDigit(self.text[self.at])) self.at += 1;
        return self.at - from;
    }

    fn here(self: *Reader, set: []const u8) bool {
        return self.at < self.text.len and std.mem.indexOfScalar(u8, set, self.text[self.at]) != null;
    }

    /// A number as it is written.
    pub fn number(self: *Reader) Malformed![]const u8 {
        _ = self.peek();
        const start = self.at;
        if (self.here("-")) self.at += 1;
        const whole = self.at;
        const count = self.digits();
        if (count == 0 or (count > 1 and self.text[whole] == '0')) return error.Malformed;
        if (self.here(".")) {
            self.at += 1;
            if (self.digits() == 0) return error.Malformed;
        }
        if (self.here("eE")) {
            self.at += 1;
            if (self.here("+-")) self.at += 1;
            if (self.digits() == 0) return error.Malformed;
        }
        return self.text[start..self.at];
    }

    fn word(self: *Reader, expected: []const u8) Malformed!void {
        for (expected) |c| if (try self.byte() != c) return error.Malformed;
    }

    /// Reads a value of any kind and forgets it.
    pub fn skip(self: *Reader) Malformed!void {
        return self.skipAt(depth_max);
    }

    fn skipAt(self: *Reader, depth: usize) Malformed!void {
        if (depth == 0) return error.Malformed;
        switch (self.peek()) {
            '{' => {
                try self.object();
                while (try self.member()) |_| try self.skipAt(depth - 1);
            },
            '[' => {
                try self.take('[');
                self.first = true;
                while (try self.next(']')) try self.skipAt(depth - 1);
            },
            '"' => _ = try self.string(),
            't' => try self.word("true"),
            'f' => try self.word("false"),
            'n' => try self.word("null"),
            else => _ = try self.number(),
        }
    }
};

/// A JSON string with its quotes.
pub fn quote(text: []const u8) []const u8 {
    const room = theater.alloc(6 * text.len + 2);
    var size: usize = 1;
    room[0] = '"';
    for (text) |c| {
        if (c == '"' or c == '\\') {
            room[size] = '\\';
            room[size + 1] = c;
            size += 2;
        } else if (c < 0x20) {
            _ = std.fmt.bufPrint(room[size..], "\\u{x:0>4}", .{c}) catch unreachable;
            size += 6;
        } else {
            room[size] = c;
            size += 1;
        }
    }
    room[size] = '"';
    return room[0 .. size + 1];
}
