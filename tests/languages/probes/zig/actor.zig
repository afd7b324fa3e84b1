//! Asks Zig's library, and the host, for what no chain holds by itself. A clock is not among it: none compiles for this target.
const std = @import("std");
const theater = @import("theater");

comptime {
    theater.actor(@This());
}

pub const panic = theater.panic;

pub fn init(_: []const u8) theater.Error![]u8 {
    return theater.alloc(0);
}

fn print(comptime form: []const u8, values: anytype) []const u8 {
    return std.fmt.bufPrint(theater.alloc(200), form, values) catch unreachable;
}

fn source() []const u8 {
    return switch (theater.source()) {
        .genesis => "genesis",
        .client => |name| if (name) |principal| theater.join(&.{ "client ", principal }) else "client",
        .actor => |name| theater.join(&.{ "actor ", name }),
        .reply => |reply| print("reply {d} {}", .{ reply.request, reply.failed }),
    };
}

/// The state: the order that a hash map had when it was asked for first.
fn hash(state: []u8) theater.Turn {
    var memory = std.heap.FixedBufferAllocator.init(theater.alloc(16384));
    var map = std.AutoHashMap(u32, void).init(memory.allocator());
    for (0..10) |n| map.put(@intCast(n), {}) catch unreachable;
    const order = theater.alloc(10);
    var keys = map.keyIterator();
    var at: usize = 0;
    while (keys.next()) |key| : (at += 1) order[at] = @intCast(key.*);
    const output = if (state.len == 0) "first" else if (std.mem.eql(u8, state, order)) "true" else "false";
    return .{ .output = output, .state = order };
}

/// Bytes that were cut off, and such that a slice of the last allocation does not reach, are no part of what grows.
fn resize() []const u8 {
    const whole = theater.alloc(12);
    @memset(whole, 'x');
    const grown = theater.resize(theater.resize(whole, 4), 12);
    return print("{s} {s} {s} {d}", .{ grown[0..4], if (std.mem.allEqual(u8, grown[4..], 0)) "zero" else "not zero", whole, theater.resize(grown, 100000)[99999] });
}

pub fn handle(input: []const u8, state: []u8) theater.Error!theater.Turn {
    if (std.mem.eql(u8, input, "hash")) return hash(state);
    var generator = std.Random.DefaultPrng.init(7);
    const output = if (std.mem.eql(u8, input, "host"))
        print("{d} {d} {}", .{ theater.now(), theater.random(4).len, !std.mem.eql(u8, theater.random(8), theater.random(8)) })
    else if (std.mem.eql(u8, input, "random"))
        print("{d}", .{generator.random().int(u32)})
    else if (std.mem.eql(u8, input, "resize"))
        resize()
    else if (std.mem.eql(u8, input, "source"))
        print("{s} {s} {d}", .{ source(), theater.selfName(), theater.sequence() })
    else if (std.mem.eql(u8, input, "send")) sent: {
        theater.log(.warn, "sending");
        theater.send("other", "a message");
        break :sent print("{d}", .{theater.request("other", "a request")});
    } else if (std.mem.eql(u8, input, "panic")) @panic("on purpose") else return theater.reject("no such probe");
    return .{ .output = output, .state = state };
}

pub fn verifyState(_: []const u8) bool {
    return true;
}
