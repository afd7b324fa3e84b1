//! {{name}}: counts votes.
//!
//! The configuration is the list of choices, separated by spaces. Inputs: "vote CHOICE", "result".
//!
//! The state, which is all that an actor remembers: for each choice a record of 32 bytes, 24 for its text, with zeros behind it, and 8 for
//! its votes, little-endian.
const std = @import("std");
const theater = @import("theater");

const name_size = 24;
const record_size = 32;

comptime {
    theater.actor(@This());
}

/// A panic stands in the actor's log.
pub const panic = theater.panic;

fn nameOf(record: []const u8) []const u8 {
    return std.mem.trimEnd(u8, record[0..name_size], "\x00");
}

fn votesOf(record: []u8) *align(1) u64 {
    return @ptrCast(record[name_size..record_size]);
}

fn number(value: u64) []const u8 {
    return std.fmt.bufPrint(theater.alloc(20), "{d}", .{value}) catch unreachable;
}

/// Makes the first state.
pub fn init(config: []const u8) theater.Error![]u8 {
    var state: []u8 = &.{};
    var words = std.mem.tokenizeScalar(u8, config, ' ');
    while (words.next()) |word| {
        if (word.len > name_size) return theater.reject("a choice has at most 24 bytes");
        state = theater.resize(state, state.len + record_size);
        @memcpy(state[state.len - record_size ..][0..word.len], word);
    }
    return if (state.len > 0) state else theater.reject("no choice is configured");
}

/// One turn: the output and the new state, or why the input is rejected.
pub fn handle(input: []const u8, state: []u8) theater.Error!theater.Turn {
    if (std.mem.eql(u8, input, "result")) {
        var output: []u8 = &.{};
        var at: usize = 0;
        while (at < state.len) : (at += record_size) {
            const record = state[at..][0..record_size];
            output = theater.join(&.{ output, if (at > 0) " " else "", nameOf(record), "=", number(votesOf(record).*) });
        }
        return .{ .output = output, .state = state };
    }
    if (!std.mem.startsWith(u8, input, "vote ")) return theater.reject("say: vote CHOICE, or: result");
    var at: usize = 0;
    while (at < state.len) : (at += record_size) {
        const record = state[at..][0..record_size];
        if (!std.mem.eql(u8, nameOf(record), input["vote ".len..])) continue;
        votesOf(record).* += 1; // in place: nothing is copied
        return .{ .output = number(votesOf(record).*), .state = state };
    }
    return theater.reject("there is no such choice");
}

/// Asked of every new state before it is kept: a turn whose state is not valid is rejected.
pub fn verifyState(state: []const u8) bool {
    return state.len > 0 and state.len % record_size == 0;
}
